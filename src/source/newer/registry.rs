//! The newest version that a registry has of a project.

use std::cmp::Ordering;
use std::str::FromStr;

use super::pages::KnownPages;
use super::tags;
use crate::manifest::declaration::Registry;
use crate::source::made_spec::{Indexes, MadeSpecError, RegistryAccess, index_folder, is_plain_name};
use crate::source::npm::{RegistryDocument, is_package_name};
use crate::source::{crates, npm, pypi, rubygems};

/// The newest version of a project that is no prerelease.
pub fn newest_version(
    access: &RegistryAccess<'_>,
    pages: &KnownPages,
    (registry, project, index): (Registry, &str, Option<&str>),
) -> Result<String, MadeSpecError> {
    let is_name = match registry {
        Registry::Npm => is_package_name(project),
        Registry::Crates => is_plain_name(project) && project.is_ascii(),
        Registry::Pypi | Registry::Rubygems => is_plain_name(project),
    };
    if !is_name {
        return Err(MadeSpecError::OddName { part: "name", name: project.escape_debug().to_string() });
    }
    let index = index.unwrap_or_else(|| index_of(registry, access.tools.indexes));
    let url = match registry {
        Registry::Pypi => format!("{index}/{}/", pypi::normalized_name(project)),
        Registry::Rubygems => format!("{index}/info/{project}"),
        Registry::Crates => {
            let lower = project.to_lowercase();
            format!("{index}/{}/{lower}", index_folder(&lower))
        }
        Registry::Npm => format!("{index}/{}", project.replace('/', "%2f")),
    };
    let accept = match registry {
        Registry::Pypi => Some(pypi::PAGE_FORMS),
        Registry::Rubygems | Registry::Crates | Registry::Npm => None,
    };
    let read = |page: &[u8]| {
        let text = String::from_utf8_lossy(page);
        match registry {
            Registry::Pypi => {
                pypi::choose(url.trim_end_matches('/'), &text, project, None).map(|sdist| sdist.version)
            }
            Registry::Rubygems => rubygems::choose(&text, project, None).map(|gem| gem.version),
            Registry::Crates => crates::choose(&text, project, None).map(|found| found.version),
            Registry::Npm => {
                let document: RegistryDocument = serde_json::from_slice(page)
                    .map_err(|error| MadeSpecError::unreadable(&crate::fetch::without_login(&url), error))?;
                npm::choose(&document, project, None)
            }
        }
    };
    let newest = pages.newest(access, ((&url, accept), registry.word()), read)?;
    newest
        .ok_or_else(|| MadeSpecError::NoProject { registry: title_of(registry), project: project.to_owned() })
}

fn index_of(registry: Registry, indexes: &Indexes) -> &str {
    match registry {
        Registry::Pypi => &indexes.pypi,
        Registry::Rubygems => &indexes.rubygems,
        Registry::Crates => &indexes.crates,
        Registry::Npm => &indexes.npm,
    }
}

fn title_of(registry: Registry) -> &'static str {
    match registry {
        Registry::Pypi => "PyPI",
        Registry::Rubygems => "RubyGems",
        Registry::Crates => "crates.io",
        Registry::Npm => "npm",
    }
}

/// The registry's own order of versions; rpm's where one of them is none of the registry's.
pub fn compare(registry: Registry, one: &str, other: &str) -> Ordering {
    let order = match registry {
        Registry::Pypi => compare_as::<pep440_rs::Version>(one, other),
        Registry::Rubygems => Some(rubygems::compare(one, other)),
        Registry::Crates | Registry::Npm => compare_as::<semver::Version>(one, other),
    };
    order.unwrap_or_else(|| tags::compare_versions(one, other))
}

fn compare_as<V: FromStr + Ord>(one: &str, other: &str) -> Option<Ordering> {
    Some(one.parse::<V>().ok()?.cmp(&other.parse::<V>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_registry_has_an_order_of_its_own() {
        let is_less = |registry, one, other| compare(registry, one, other) == Ordering::Less;
        assert!(is_less(Registry::Pypi, "1.0.post1", "1.1.dev1"));
        assert_eq!(compare(Registry::Pypi, "1.0", "1.0.0"), Ordering::Equal);
        assert!(is_less(Registry::Rubygems, "1.0.a", "1.0"));
        assert!(is_less(Registry::Crates, "1.0.0-rc.1", "1.0.0"));
        assert!(is_less(Registry::Npm, "1.9", "1.10"));
    }
}
