//! `repodata/`: the metadata files, and `repomd.xml` that names them.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::PublishError;
use super::declared_metadata::DeclaredMetadata;
use super::groups::{Groups, KeptGroup, PackageGroup};
use super::metadata_file::MetadataFile;
use super::packing::{ending, pack};
use super::record::PublishedFile;
use super::section::{Section, in_section};
use crate::files::Folder;
use crate::manifest::declaration::MetadataPacking;
use crate::package::RepositoryKind;

/// How many pieces are unpacked at once: a few megabytes.
const UNPACKED_AT_ONCE: usize = 16;

/// What the metadata of a repository are to be: each file with its content.
pub(super) struct Metadata {
    pub files: Vec<(PublishedFile, Vec<u8>)>,
    /// The text of `repomd.xml` of each section, that of the main one last.
    pub repomds: Vec<(Section, Vec<u8>)>,
    pub revision: u64,
}

/// The revision that metadata get.
#[derive(Clone, Copy, Debug)]
pub(super) enum Revision {
    /// They say what was published before under this one.
    Kept(u64),
    /// They say something new: it is greater than this one, which was published before.
    Above(u64),
}

/// Works out the metadata of these groups.
///
/// # Errors
/// As [`Groups::get`].
pub(super) fn metadata_from(
    repository: &Folder,
    groups: &Groups<'_>,
    declared: &DeclaredMetadata,
    split: &[PackageGroup<'_>],
    revision: Revision,
) -> Result<Metadata, PublishError> {
    let mut sections = Vec::new();
    for section in declared.sections() {
        let of_section: Vec<&PackageGroup<'_>> =
            split.iter().filter(|group| group.section == section).collect();
        let kept: Vec<Arc<KeptGroup>> =
            of_section.par_iter().map(|group| groups.get(repository, group)).collect::<Result<_, _>>()?;
        let count = of_section.iter().map(|group| group.count_files()).sum();
        let join = |kind: &RepositoryKind| join(*kind, &kept, count, declared.packing);
        let mut written: Vec<MetadataFile> =
            RepositoryKind::ALL.par_iter().map(join).collect::<Result<_, _>>()?;
        if section == Section::Main {
            written.extend(declared.files.iter().cloned());
        }
        let newest = kept.iter().map(|group| group.newest).max().unwrap_or_default();
        sections.push((section, written, newest));
    }
    // The newest package's time stands for the time of the update: the same packages, published in the same order, give
    // the same bytes.
    let newest = sections.iter().map(|(_, _, newest)| *newest).max().unwrap_or_default();
    let revision = match revision {
        Revision::Kept(revision) => revision,
        Revision::Above(before) => newest.max(before.saturating_add(1)),
    };
    let (mut files, mut repomds) = (Vec::new(), Vec::new());
    for (section, written, _) in sections {
        repomds.push((section, repomd(&written, revision).into_bytes()));
        files.extend(written.into_iter().map(|written| {
            let path = in_section(section, &written.file.path);
            (PublishedFile { path, ..written.file }, written.content)
        }));
    }
    Ok(Metadata { files, repomds, revision })
}

/// Joins the pieces of a metadata file.
fn join(
    kind: RepositoryKind,
    groups: &[Arc<KeptGroup>],
    count: usize,
    packing: MetadataPacking,
) -> Result<MetadataFile, PublishError> {
    let (head, tail) = head_and_tail(kind, count);
    let mut open = Sha256::new_with_prefix(head.as_bytes());
    let mut open_size = head.len() as u64;
    let mut content = pack(packing, head.as_bytes())?;
    for piece in groups.iter().map(|group| group.piece(kind)) {
        content.extend(piece.packed);
        open_size = open_size.saturating_add(piece.open_size as u64);
    }
    update_unpacked(&mut open, kind, groups)?;
    content.extend(pack(packing, tail.as_bytes())?);
    open.update(tail.as_bytes());
    let open = (crate::package::hex(&open.finalize()), open_size.saturating_add(tail.len() as u64));
    let name = format!("{}.xml{}", kind.name(), ending(packing));
    Ok(MetadataFile::new(kind.name(), &name, Some(open), content))
}

/// Takes the unpacked pieces of a metadata file into its checksum. While some are taken in, another thread that has nothing else to do
/// unpacks those behind them.
fn update_unpacked(open: &mut Sha256, kind: RepositoryKind, groups: &[Arc<KeptGroup>]) -> io::Result<()> {
    let unpack = |groups: &[Arc<KeptGroup>]| -> io::Result<Vec<Vec<u8>>> {
        groups.iter().map(|group| group.piece(kind).unpack()).collect()
    };
    let mut parts = groups.chunks(UNPACKED_AT_ONCE);
    let mut part = parts.next().map(unpack).transpose()?;
    while let Some(texts) = part {
        let update = || texts.iter().for_each(|text| open.update(text));
        let unpack_next = || parts.next().map(unpack).transpose();
        part = rayon::join(update, unpack_next).1?;
    }
    Ok(())
}

/// What stands before the packages and behind them.
fn head_and_tail(kind: RepositoryKind, count: usize) -> (String, String) {
    let common = "http://linux.duke.edu/metadata";
    let (root, namespaces) = match kind {
        RepositoryKind::Primary => {
            ("metadata", format!("xmlns=\"{common}/common\" xmlns:rpm=\"{common}/rpm\""))
        }
        RepositoryKind::Filelists => ("filelists", format!("xmlns=\"{common}/filelists\"")),
        RepositoryKind::Other => ("otherdata", format!("xmlns=\"{common}/other\"")),
    };
    let head =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} {namespaces} packages=\"{count}\">\n");
    (head, format!("</{root}>\n"))
}

fn repomd(files: &[MetadataFile], revision: u64) -> String {
    let namespace = "http://linux.duke.edu/metadata/repo";
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"{namespace}\">\n  <revision>{revision}</revision>\n"
    );
    for MetadataFile { data_type, open, file, .. } in files {
        let PublishedFile { path, size, sha256, .. } = file;
        // Writing to a String can't fail.
        let _ =
            write!(xml, "  <data type=\"{data_type}\">\n    <checksum type=\"sha256\">{sha256}</checksum>\n");
        if let Some((checksum, _)) = open {
            let _ = writeln!(xml, "    <open-checksum type=\"sha256\">{checksum}</open-checksum>");
        }
        let _ = write!(
            xml,
            "    <location href=\"{path}\"/>\n    <timestamp>{revision}</timestamp>\n    <size>{size}</size>\n"
        );
        if let Some((_, size)) = open {
            let _ = writeln!(xml, "    <open-size>{size}</open-size>");
        }
        xml.push_str("  </data>\n");
    }
    xml.push_str("</repomd>\n");
    xml
}
