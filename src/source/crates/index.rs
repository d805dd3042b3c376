//! The versions of a crate.

use semver::Version;
use serde::Deserialize;

use crate::digest::Checksum;
use crate::source::made_spec::{CargoPackage, MadeSpecError};

/// A line of the index.
#[derive(Deserialize)]
struct IndexLine {
    name: String,
    vers: String,
    cksum: String,
    #[serde(default)]
    yanked: bool,
}

/// How many versions are named where there is no such one.
const VERSIONS_NAMED: usize = 5;

/// The wanted version, or the newest that is no prerelease and was not taken back.
pub fn choose(text: &str, name: &str, version: Option<&str>) -> Result<CargoPackage, MadeSpecError> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<IndexLine>(line).ok());
    let mut versions: Vec<(Version, IndexLine)> =
        lines.filter_map(|line| Some((Version::parse(&line.vers).ok()?, line))).collect();
    versions.sort_by(|one, other| one.0.cmp(&other.0));
    let is_wanted = |(found, line): &&(Version, IndexLine)| match version {
        Some(version) => line.vers == version,
        None => !line.yanked && found.pre.is_empty(),
    };
    // Its name becomes the name of a file, and part of an address: in the index's own spelling, but no other one.
    let alike = |text: &str| text.to_lowercase().replace('_', "-");
    versions.retain(|(_, line)| alike(&line.name) == alike(name));
    let found = versions.iter().rev().find(is_wanted);
    if let Some((line, checksum)) =
        found.and_then(|(_, line)| Some((line, Checksum::new("sha256", &line.cksum).ok()?)))
    {
        return Ok(CargoPackage { name: line.name.clone(), version: line.vers.clone(), checksum });
    }
    let newest: Vec<&str> =
        versions.iter().rev().map(|(_, line)| line.vers.as_str()).take(VERSIONS_NAMED).collect();
    let wanted = version.map_or_else(|| "version".to_owned(), |version| format!("version {version}"));
    let help = format!("its newest versions are {}", newest.join(", "));
    Err(MadeSpecError::NoVersion { registry: "crates.io", project: name.to_owned(), wanted, help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_no_prerelease_and_none_that_was_taken_back() {
        let line = |version: &str, yanked: bool| {
            format!(
                "{{\"name\":\"X\",\"vers\":\"{version}\",\"cksum\":\"{}\",\"yanked\":{yanked},\"deps\":[]}}\n",
                "ab".repeat(32)
            )
        };
        let text =
            [line("1.9.0", false), line("1.10.0", false), line("1.11.0", true), line("2.0.0-rc.1", false)]
                .concat();
        assert_eq!(choose(&text, "x", None).unwrap().file_name(), "X-1.10.0.crate");
        assert_eq!(choose(&text, "x", Some("1.11.0")).unwrap().version, "1.11.0");
        assert!(choose(&text.replace("X", "../x"), "x", None).is_err());
        let error = choose(&text, "x", Some("3.0.0")).unwrap_err();
        assert!(
            matches!(&error, MadeSpecError::NoVersion { help, .. } if help.contains("2.0.0-rc.1, 1.11.0")),
            "{error:?}"
        );
    }
}
