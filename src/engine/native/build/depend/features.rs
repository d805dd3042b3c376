//! What a package asks of the rpm that installs it: `rpmlib(…)`.

use bstr::{BString, ByteSlice};

use super::super::files::{DigestAlgorithm, PackagedFile};
use super::super::settings::Settings;
use crate::package::{Format, Header, PayloadFlags, Tag};
use crate::spec::{DependencyKind, DependencyRow, rich_capabilities};

/// rpm's bit of what only rpm itself meets, and the comparison `<=`.
const RPMLIB: u32 = 1 << 24 | 2 | 8;

/// What rpm must be able to do to install a package.
pub(crate) fn require_feature(feature: &str, version: &str) -> DependencyRow {
    DependencyRow { name: format!("rpmlib({feature})").into(), version: version.into(), flags: RPMLIB }
}

/// As [`require_feature`], but a package without it can be used all the same.
pub(crate) fn use_feature_if_there(feature: &str, version: &str) -> DependencyRow {
    const MISSING_OK: u32 = 1 << 19;
    let row = require_feature(feature, version);
    DependencyRow { flags: row.flags | MISSING_OK, ..row }
}

/// What the archive's form asks of rpm.
pub(crate) fn features_of_files(
    entries: &[PackagedFile],
    settings: &Settings,
    is_source: bool,
) -> Vec<DependencyRow> {
    let mut rows = Vec::new();
    let is_large = entries.iter().any(|entry| entry.is_large());
    match settings.format {
        Format::V4 => {
            rows.push(require_feature("CompressedFileNames", "3.0.4-1"));
            if settings.digests(is_source) != DigestAlgorithm::Md5 {
                rows.push(require_feature("FileDigests", "4.6.0-1"));
            }
            if !is_source {
                rows.push(require_feature("PayloadFilesHavePrefix", "4.0-1"));
            }
            if is_large {
                rows.push(require_feature("LargeFiles", "4.12.0-1"));
            }
        }
        Format::V6 if !entries.is_empty() => rows.push(require_feature("LargeFiles", "4.12.0-1")),
        Format::V6 => {}
    }
    if entries.iter().any(|entry| entry.capabilities.is_some()) {
        rows.push(require_feature("FileCaps", "4.6.1-1"));
    }
    rows
}

/// What hard links ask of rpm.
pub(crate) fn feature_of_hard_links(format: Format) -> Option<DependencyRow> {
    match format {
        Format::V4 => Some(require_feature("PartialHardlinkSets", "4.0.4-1")),
        Format::V6 => None,
    }
}

/// The versions that triggers fire for.
const TRIGGER_VERSIONS: [Tag; 3] =
    [Tag::TRIGGERVERSION, Tag::FILETRIGGERVERSION, Tag::TRANSFILETRIGGERVERSION];

/// What the dependencies themselves ask of rpm. Of source packages, what they are built with counts.
pub(crate) fn features_of_dependencies(header: &Header, is_source: bool) -> Vec<DependencyRow> {
    let is_own = |kind: &DependencyKind| !is_source || *kind != DependencyKind::Provides;
    let kinds = DependencyKind::ALL.into_iter().filter(is_own);
    let rows: Vec<DependencyRow> = kinds.flat_map(|kind| DependencyRow::read_header(header, kind)).collect();
    let any = |holds: &dyn Fn(&DependencyRow) -> bool| rows.iter().any(holds);
    let fires_with = |sign: &str| {
        TRIGGER_VERSIONS.iter().any(|tag| header.texts(*tag).iter().any(|version| version.contains_str(sign)))
    };
    let has = |sign: &'static str| fires_with(sign) || any(&|row| asked_versions(row).contains_str(sign));
    let features = [
        (any(&|row| row.name.starts_with(b"(")), "RichDependencies", "4.12.0-1"),
        (has("~"), "TildeInVersions", "4.10.0-1"),
        (has("^"), "CaretInVersions", "4.15.0-1"),
    ];
    features
        .iter()
        .filter(|(is_used, ..)| *is_used)
        .map(|(_, name, version)| require_feature(name, version))
        .collect()
}

/// The versions that a dependency asks for: one, or those that a rich one mentions.
fn asked_versions(row: &DependencyRow) -> BString {
    if !row.name.starts_with(b"(") {
        return row.version.clone();
    }
    let mentioned = rich_capabilities(&row.name.to_str_lossy());
    let versions = mentioned.iter().filter_map(|dependency| dependency.version.as_ref());
    versions.flat_map(|(_, version)| [version.as_bytes(), b" "].concat()).collect::<Vec<u8>>().into()
}

/// What the payload's compression asks of rpm.
pub(crate) fn feature_of_compression(flags: &PayloadFlags) -> Option<DependencyRow> {
    use crate::package::Compression as C;
    Some(match flags.compression {
        C::None | C::Gzip => return None,
        C::Bzip2 => require_feature("PayloadIsBzip2", "3.0.5-1"),
        C::Xz => require_feature("PayloadIsXz", "5.2-1"),
        C::Lzma => require_feature("PayloadIsLzma", "4.4.6-1"),
        C::Zstd => require_feature("PayloadIsZstd", "5.4.18-1"),
    })
}
