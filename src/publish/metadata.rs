//! `repodata/`: the metadata files, and `repomd.xml` that names them.

use std::fmt::Write as _;
use std::io;

use rayon::prelude::*;

use super::PublishError;
use super::declared_metadata::DeclaredMetadata;
use super::groups::{Groups, PackageGroup};
use super::metadata_file::MetadataFile;
use super::open_checksum::{KeptStates, KeyedGroup, OpenText};
use super::packing::{ending, pack};
use super::record::PublishedFile;
use super::section::{Section, in_section};
use crate::digest::Key;
use crate::files::Folder;
use crate::manifest::declaration::MetadataPacking;
use crate::package::RepositoryKind;

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

/// Joins the metadata of these groups; what packages had in those that are `published` is taken from there.
///
/// # Errors
/// As [`Groups::get`].
pub(super) fn join_metadata(
    repository: &Folder,
    groups: &Groups<'_>,
    declared: &DeclaredMetadata,
    (split, published): (&[PackageGroup<'_>], &[PackageGroup<'_>]),
) -> Result<JoinedMetadata, PublishError> {
    let mut sections = Vec::new();
    for section in declared.sections() {
        let of_section: Vec<&PackageGroup<'_>> =
            split.iter().filter(|group| group.section == section).collect();
        let keyed = |group: &&PackageGroup<'_>| Ok((group.key(), groups.get(repository, group, published)?));
        let mut kept: Vec<KeyedGroup> =
            of_section.par_iter().map(keyed).collect::<Result<_, PublishError>>()?;
        // What changes often stands last: the checksum of what is before it need not be computed anew.
        kept.sort_by_key(|(_, group)| group.newest);
        let count = of_section.iter().map(|group| group.count_files()).sum();
        let join = |kind: &RepositoryKind| {
            let states = KeptStates::new(groups.store(), repository.path(), section, *kind);
            join(*kind, &kept, count, declared.packing, &states)
        };
        let mut files: Vec<MetadataFile> =
            RepositoryKind::ALL.par_iter().map(join).collect::<Result<_, _>>()?;
        if section == Section::Main {
            files.extend(declared.files.iter().cloned());
        }
        let newest = kept.iter().map(|(_, group)| group.newest).max().unwrap_or_default();
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
    groups: &[KeyedGroup],
    count: usize,
    packing: MetadataPacking,
    states: &KeptStates<'_>,
) -> Result<MetadataFile, PublishError> {
    let (head, tail) = head_and_tail(kind, count);
    let open = OpenText { kind, head: &head, groups, tail: &tail };
    let name = format!("{}.xml{}", kind.name(), ending(packing));
    let join_packed = || -> io::Result<MetadataFile> {
        let (head, tail) = (pack(packing, head.as_bytes())?, pack(packing, tail.as_bytes())?);
        let pieces = groups.iter().map(|(_, group)| group.piece(kind).packed);
        let parts: Vec<&[u8]> =
            [head.as_slice()].into_iter().chain(pieces).chain([tail.as_slice()]).collect();
        Ok(MetadataFile::new(kind.name(), &name, None, parts.concat()))
    };
    let (open, packed) = rayon::join(|| open.checksum(states), join_packed);
    Ok(MetadataFile { open: Some(open?), ..packed? })
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
