//! Header → record.

use std::collections::BTreeSet;

use rpm::{DependencyFlags, FileFlags, FileType, IndexTag, PackageMetadata};

use super::{ChangelogEntry, FileKind, PackageRecord, RecordDependency, RecordFile};
use crate::package::{Dependency, PackageError, content_error};

/// How many changelog entries metadata hold, as createrepo_c's default.
const CHANGELOG_LIMIT: usize = 10;

const SIGNATURE_PAYLOAD_SIZE: u32 = 1007;

impl PackageRecord {
    /// The record of the package whose headers are `metadata`; `file` names it in errors.
    pub fn read(file: &str, metadata: &PackageMetadata) -> Result<Self, PackageError> {
        Self::try_read(metadata).map_err(|error| content_error(file, &error))
    }

    fn try_read(metadata: &PackageMetadata) -> Result<Self, rpm::Error> {
        let text = |value: Result<&str, rpm::Error>| value.unwrap_or_default().to_owned();
        let offsets = metadata.get_package_segment_offsets();
        let is_source = metadata.is_source_package();
        let files = files(metadata)?;
        Ok(Self {
            name: metadata.get_name()?.to_owned(),
            arch: if is_source { "src".to_owned() } else { metadata.get_arch()?.to_owned() },
            epoch: metadata.get_epoch().unwrap_or_default(),
            version: metadata.get_version()?.to_owned(),
            release: metadata.get_release()?.to_owned(),
            summary: text(metadata.get_summary()),
            description: text(metadata.get_description()),
            url: text(metadata.get_url()),
            packager: text(metadata.get_packager()),
            license: text(metadata.get_license()),
            vendor: text(metadata.get_vendor()),
            group: text(metadata.get_group()),
            build_host: text(metadata.get_build_host()),
            source_package: text(metadata.get_source_rpm()),
            build_time: metadata.get_build_time().unwrap_or_default(),
            installed_size: metadata.get_installed_size().unwrap_or_default(),
            archive_size: archive_size(metadata),
            header_range: (offsets.header, offsets.payload),
            dependencies: dependencies(metadata, &files)?,
            files,
            changelog: changelog(metadata)?,
        })
    }
}

fn archive_size(metadata: &PackageMetadata) -> u64 {
    let main = metadata.header.get_entry_data_as_u32_array(IndexTag::RPMTAG_ARCHIVESIZE).ok();
    let size = main.and_then(|sizes| sizes.first().copied());
    size.or_else(|| signature_number(metadata, SIGNATURE_PAYLOAD_SIZE)).map_or(0, u64::from)
}

fn signature_number(metadata: &PackageMetadata, tag: u32) -> Option<u32> {
    match metadata.signature.entry(tag).ok()? {
        rpm::IndexData::Int32(values) => values.first().copied(),
        _ => None,
    }
}

type Lists = Vec<(&'static str, Vec<RecordDependency>)>;

fn dependencies(metadata: &PackageMetadata, files: &[RecordFile]) -> Result<Lists, rpm::Error> {
    let own: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let provides = converted(metadata.get_provides()?);
    let is_own = |dependency: &Dependency| {
        own.contains(dependency.name.as_str())
            || provides.iter().any(|provide| provide.dependency == *dependency)
    };
    let mut requires = converted(metadata.get_requires()?);
    requires.retain(|entry| !entry.dependency.is_rpmlib() && !is_own(&entry.dependency));
    Ok(vec![
        ("provides", provides),
        ("requires", requires),
        ("conflicts", converted(metadata.get_conflicts()?)),
        ("obsoletes", converted(metadata.get_obsoletes()?)),
        ("suggests", converted(metadata.get_suggests()?)),
        ("enhances", converted(metadata.get_enhances()?)),
        ("recommends", converted(metadata.get_recommends()?)),
        ("supplements", converted(metadata.get_supplements()?)),
    ])
}

/// Each dependency once, in the order of the header.
fn converted(list: Vec<rpm::Dependency>) -> Vec<RecordDependency> {
    let before = DependencyFlags::PREREQ
        | DependencyFlags::SCRIPT_PRE
        | DependencyFlags::SCRIPT_POST
        | DependencyFlags::SCRIPT_PREUN
        | DependencyFlags::SCRIPT_POSTUN;
    let mut seen = BTreeSet::new();
    let entries = list.into_iter().map(|entry| RecordDependency {
        dependency: Dependency::from_fields(&entry.name, entry.flags.bits(), &entry.version),
        before: entry.flags.intersects(before),
    });
    entries.filter(|entry| seen.insert(entry.clone())).collect()
}

fn files(metadata: &PackageMetadata) -> Result<Vec<RecordFile>, rpm::Error> {
    let entries = metadata.get_file_entries()?;
    let record = |entry: &rpm::FileEntry<'_>| RecordFile {
        path: format!("{}{}", entry.dirname(), entry.basename()),
        kind: match entry.file_type() {
            FileType::Dir => FileKind::Folder,
            _ if entry.flags().contains(FileFlags::GHOST) => FileKind::Ghost,
            _ => FileKind::File,
        },
    };
    Ok(entries.iter().map(record).collect())
}

/// The newest entries, the oldest of them first.
fn changelog(metadata: &PackageMetadata) -> Result<Vec<ChangelogEntry>, rpm::Error> {
    let entries = metadata.get_changelog_entries()?;
    let newest = entries.into_iter().take(CHANGELOG_LIMIT).map(|entry| ChangelogEntry {
        author: entry.name,
        date: entry.timestamp,
        text: entry.description,
    });
    let mut newest: Vec<_> = newest.collect();
    newest.reverse();
    Ok(newest)
}
