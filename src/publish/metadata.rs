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
use crate::digest::Key;
use crate::files::Folder;
use crate::manifest::declaration::MetadataPacking;
use crate::package::RepositoryKind;

/// How many pieces are unpacked at once: what a processor's own memory holds.
const UNPACKED_AT_ONCE: usize = 8;

/// The metadata of some groups, before it is known which revision they get.
pub(super) struct JoinedMetadata {
    /// The groups that they are of.
    keys: Vec<Key>,
    sections: Vec<JoinedSection>,
}

struct JoinedSection {
    section: Section,
    files: Vec<MetadataFile>,
    /// When the newest of its packages was built: seconds since 1970.
    newest: u64,
}

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

/// Joins the metadata of these groups.
///
/// # Errors
/// As [`Groups::get`].
pub(super) fn join_metadata(
    repository: &Folder,
    groups: &Groups<'_>,
    declared: &DeclaredMetadata,
    split: &[PackageGroup<'_>],
) -> Result<JoinedMetadata, PublishError> {
    let mut sections = Vec::new();
    for section in declared.sections() {
        let of_section: Vec<&PackageGroup<'_>> =
            split.iter().filter(|group| group.section == section).collect();
        let kept: Vec<Arc<KeptGroup>> =
            of_section.par_iter().map(|group| groups.get(repository, group)).collect::<Result<_, _>>()?;
        let count = of_section.iter().map(|group| group.count_files()).sum();
        let join = |kind: &RepositoryKind| join(*kind, &kept, count, declared.packing);
        let mut files: Vec<MetadataFile> =
            RepositoryKind::ALL.par_iter().map(join).collect::<Result<_, _>>()?;
        if section == Section::Main {
            files.extend(declared.files.iter().cloned());
        }
        let newest = kept.iter().map(|group| group.newest).max().unwrap_or_default();
        sections.push(JoinedSection { section, files, newest });
    }
    Ok(JoinedMetadata { keys: keys(split).collect(), sections })
}

fn keys<'a>(split: &'a [PackageGroup<'_>]) -> impl Iterator<Item = Key> + 'a {
    split.iter().map(PackageGroup::key)
}

impl JoinedMetadata {
    /// Whether they are the metadata of these groups.
    pub fn is_of(&self, split: &[PackageGroup<'_>]) -> bool {
        self.keys.iter().copied().eq(keys(split))
    }

    /// The metadata with this revision.
    pub fn with_revision(self, revision: Revision) -> Metadata {
        // The newest package's time stands for the time of the update: the same packages, published in the same order, give
        // the same bytes.
        let newest = self.sections.iter().map(|section| section.newest).max().unwrap_or_default();
        let revision = match revision {
            Revision::Kept(revision) => revision,
            Revision::Above(before) => newest.max(before.saturating_add(1)),
        };
        let (mut files, mut repomds) = (Vec::new(), Vec::new());
        for JoinedSection { section, files: joined, .. } in self.sections {
            repomds.push((section, repomd(&joined, revision).into_bytes()));
            files.extend(joined.into_iter().map(|joined| {
                let path = in_section(section, &joined.file.path);
                (PublishedFile { path, ..joined.file }, joined.content)
            }));
        }
        Metadata { files, repomds, revision }
    }
}

/// Joins the pieces of a metadata file.
fn join(
    kind: RepositoryKind,
    groups: &[Arc<KeptGroup>],
    count: usize,
    packing: MetadataPacking,
) -> Result<MetadataFile, PublishError> {
    let (head, tail) = head_and_tail(kind, count);
    let compute_open = || -> io::Result<(String, u64)> {
        let mut open = Sha256::new_with_prefix(head.as_bytes());
        update_unpacked(&mut open, kind, groups)?;
        open.update(tail.as_bytes());
        let sizes = groups.iter().map(|group| group.piece(kind).open_size as u64);
        let size = sizes.chain([head.len() as u64, tail.len() as u64]).fold(0, u64::saturating_add);
        Ok((crate::package::hex(&open.finalize()), size))
    };
    let name = format!("{}.xml{}", kind.name(), ending(packing));
    let join_packed = || -> io::Result<MetadataFile> {
        let (head, tail) = (pack(packing, head.as_bytes())?, pack(packing, tail.as_bytes())?);
        let pieces = groups.iter().map(|group| group.piece(kind).packed);
        let parts: Vec<&[u8]> =
            [head.as_slice()].into_iter().chain(pieces).chain([tail.as_slice()]).collect();
        Ok(MetadataFile::new(kind.name(), &name, None, parts.concat()))
    };
    let (open, packed) = rayon::join(compute_open, join_packed);
    Ok(MetadataFile { open: Some(open?), ..packed? })
}

/// Takes the unpacked pieces of a metadata file into its checksum. While some are taken in, another thread that has nothing else to do
/// unpacks those behind them.
fn update_unpacked(open: &mut Sha256, kind: RepositoryKind, groups: &[Arc<KeptGroup>]) -> io::Result<()> {
    let unpack = |groups: &[Arc<KeptGroup>], mut texts: Vec<Vec<u8>>| -> io::Result<Vec<Vec<u8>>> {
        texts.resize_with(groups.len(), Vec::new);
        for (group, text) in groups.iter().zip(&mut texts) {
            group.piece(kind).unpack_into(text)?;
        }
        Ok(texts)
    };
    let mut parts = groups.chunks(UNPACKED_AT_ONCE);
    let mut part = parts.next().map(|part| unpack(part, Vec::new())).transpose()?;
    let mut spare = Vec::new();
    while let Some(texts) = part {
        let update = || texts.iter().for_each(|text| open.update(text));
        let unpack_next = || parts.next().map(|part| unpack(part, std::mem::take(&mut spare))).transpose();
        part = rayon::join(update, unpack_next).1?;
        spare = texts;
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
