//! What packages depend on because of their files: what generators find, which users and groups own them, and what they ask
//! of rpm itself.

mod attributes;
mod classified_files;
mod external;
mod features;
mod generator_runs;
mod generators;
mod known_programs;
mod letters;
mod listing;
mod not_known;
mod pkgconf;
mod program_file;
mod pythondist;
mod regular_expression;
mod report;
mod script_interpreters;

use bstr::{BString, ByteSlice};

use super::files::{PackagedFile, flag};
use super::settings::Settings;
use super::world::World;
use crate::macros::Stop;
use crate::package::Header;
use crate::spec::{DependencyKind, DependencyRow, Package, add_dependencies};
use external::ask_external_programs;
use generators::generate_dependencies;

pub(super) use attributes::{FileAttribute, read_attributes};
pub(super) use classified_files::{ClassifiedFiles, DependencySearch};
pub(super) use features::{
    feature_of_compression, feature_of_hard_links, features_of_dependencies, features_of_files,
    require_feature, use_feature_if_there,
};
pub(super) use generators::Generated;
pub(super) use letters::DICTIONARY_LETTERS;
pub(super) use listing::list_dependencies;
pub(super) use report::report_files;

/// The bit of dependencies on configuration files, and the comparison `=`.
const CONFIG: u32 = 1 << 28 | 8;

/// The bits of what is needed before a package is installed and after it is removed.
const PRE_AND_POSTUN: u32 = 1 << 9 | 1 << 12;

/// Adds all dependencies that files make to the header of a package; gives those that generators found.
pub(super) fn add_file_dependencies(
    world: World<'_>,
    package: &Package,
    header: &mut Header,
    classified: &ClassifiedFiles<'_>,
    settings: &Settings,
) -> Result<Vec<Generated>, Stop> {
    let search =
        DependencySearch { for_provides: package.finds_provides, for_requires: package.finds_requires };
    if has_config(classified.files) {
        add_config(package, header, search);
    }
    if search.for_requires {
        let is_weak = world.is_on("_use_weak_usergroup_deps");
        let kind = if is_weak { DependencyKind::Recommends } else { DependencyKind::Requires };
        add_dependencies(header, kind, require_owners(classified.files));
    }
    if classified.files.is_empty() {
        return Ok(Vec::new());
    }
    if !world.is_on("_use_internal_dependency_generator") {
        ask_external_programs(world, header, search, classified, settings.format)?;
        return Ok(Vec::new());
    }
    let generated = generate_dependencies(world, header, search, classified, settings.threads)?;
    add_generated(header, &generated);
    Ok(generated)
}

/// A package with configuration files provides and requires that very configuration.
fn add_config(package: &Package, header: &mut Header, search: DependencySearch) {
    let name: BString = [b"config(".as_slice(), &package.name, b")"].concat().into();
    let config = DependencyRow { flags: CONFIG, ..DependencyRow::equal(name, header.evr()) };
    if search.for_provides {
        add_dependencies(header, DependencyKind::Provides, [config.clone()]);
    }
    if search.for_requires {
        add_dependencies(header, DependencyKind::Requires, [config]);
    }
}

/// Adds what generators found, kind by kind.
fn add_generated(header: &mut Header, generated: &[Generated]) {
    for (kind, _) in DICTIONARY_LETTERS {
        let rows = generated.iter().filter(|found| found.kind == kind).map(|found| found.row.clone());
        add_dependencies(header, kind, rows);
    }
}

/// The requirements of users and groups that own files: they must be there before the files are.
fn require_owners(entries: &[PackagedFile]) -> Vec<DependencyRow> {
    let mut rows = Vec::new();
    for entry in entries {
        for (what, name) in [("user", &entry.user.0), ("group", &entry.group.0)] {
            if *name != "root" {
                let name = format!("{what}({})", name.to_str_lossy()).into();
                rows.push(DependencyRow { name, version: BString::default(), flags: PRE_AND_POSTUN });
            }
        }
    }
    rows.sort();
    rows.dedup();
    rows
}

/// Whether some file is a configuration file.
fn has_config(files: &[PackagedFile]) -> bool {
    files.iter().any(|file| file.flags & flag::CONFIG != 0)
}
