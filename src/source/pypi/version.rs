//! Versions of Python's projects (PEP 440), and what they are in RPM's words.

use std::str::FromStr;

use pep440_rs::{PrereleaseKind, Version};

/// A version for RPM: an epoch, where there is one, and a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpmVersion {
    /// `Epoch`.
    pub epoch: Option<u64>,
    /// `Version`.
    pub version: String,
}

/// What a version of PEP 440 is for RPM, sorted as there: `1.0rc1` before `1.0`, `1.0.post1` after it.
pub fn rpm_version(text: &str) -> Option<RpmVersion> {
    let version = Version::from_str(text).ok()?;
    let release: Vec<String> = version.release().iter().map(ToString::to_string).collect();
    let mut rpm = release.join(".");
    if let Some(pre) = version.pre() {
        let kind = match pre.kind {
            PrereleaseKind::Alpha => "a",
            PrereleaseKind::Beta => "b",
            PrereleaseKind::Rc => "rc",
        };
        rpm += &format!("~{kind}{}", pre.number);
    }
    if let Some(post) = version.post() {
        rpm += &format!("^post{post}");
    }
    if let Some(dev) = version.dev() {
        rpm += &format!("~~dev{dev}");
    }
    let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    if !local.is_empty() {
        rpm += &format!("+{}", local.join("."));
    }
    Some(RpmVersion { epoch: (version.epoch() > 0).then(|| version.epoch()), version: rpm })
}

/// A name as indexes compare it (PEP 503).
pub fn normalized_name(name: &str) -> String {
    let mut normalized = String::new();
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            letter => normalized.extend(letter.to_lowercase()),
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_for_rpm_as_they_do_for_python() {
        let ordered = ["1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1"];
        let rpm: Vec<String> = ordered.iter().map(|text| rpm_version(text).unwrap().version).collect();
        assert_eq!(
            rpm,
            ["1.0~~dev1", "1.0~a1~~dev2", "1.0~a1", "1.0~b2", "1.0~rc1", "1.0", "1.0^post1", "1.0.1"]
        );
        for pair in rpm.windows(2) {
            let evr = |version: &String| crate::package::Evr {
                epoch: None,
                version: version.clone(),
                release: None,
            };
            assert_eq!(evr(&pair[0]).compare(&evr(&pair[1])), std::cmp::Ordering::Less, "{pair:?}");
        }
        assert_eq!(rpm_version("1!2.0").unwrap(), RpmVersion { epoch: Some(1), version: "2.0".to_owned() });
        assert_eq!(rpm_version("%{x}"), None);
    }

    #[test]
    fn names_are_compared_without_regard_to_how_they_are_written() {
        assert_eq!(normalized_name("Zope.Interface__x"), "zope-interface-x");
    }
}
