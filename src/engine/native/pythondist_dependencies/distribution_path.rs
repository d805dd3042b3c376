//! Where the metadata of a Python project lies: `/usr/lib/python3.11/site-packages/x-1.0.dist-info`.

use super::normal_version::NormalVersion;
use super::unusual::UnusualPythondist;

/// Longer paths are for the script, in bytes.
const LONGEST_PATH: usize = 1000;

/// What names of metadata end with.
const METADATA_ENDS: [&str; 3] = [".egg", ".egg-info", ".dist-info"];

/// The path of a file or folder with metadata.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DistributionPath<'t> {
    /// The version of Python that a folder of the path is named by: `3.11`.
    pub(super) python: &'t str,
    /// Whether setuptools has written it.
    pub(super) is_egg: bool,
}

impl<'t> DistributionPath<'t> {
    /// Reads a path; `None` if the script has nothing to say about it.
    pub(super) fn read(path: &'t [u8]) -> Result<Option<Self>, UnusualPythondist> {
        let path = std::str::from_utf8(path).map_err(|_| UnusualPythondist)?;
        let is_plain = path.len() <= LONGEST_PATH && path.bytes().all(|byte| byte.is_ascii_graphic());
        let (folder, name) = path.rsplit_once('/').ok_or(UnusualPythondist)?;
        if !is_plain || !path.starts_with('/') || has_metadata_end(folder) {
            return Err(UnusualPythondist);
        }
        let is_egg = name.ends_with(".egg-info");
        if name.ends_with(".egg-link") {
            return Ok(None);
        } else if !is_egg && !name.ends_with(".dist-info") {
            return Err(UnusualPythondist);
        }
        let mut folders = folder.split('/').skip(1);
        let python = folders.find_map(|folder| folder.strip_prefix("python").filter(|rest| is_version(rest)));
        let python = python.filter(|python| is_normal(python)).ok_or(UnusualPythondist)?;
        Ok(Some(Self { python, is_egg }))
    }

    /// The major version of Python.
    pub(super) fn python_major(&self) -> &'t str {
        self.python.split_once('.').map_or(self.python, |(major, _)| major)
    }

    /// The version of Python to compare others with.
    pub(super) fn python_version(&self) -> Result<NormalVersion, UnusualPythondist> {
        NormalVersion::read(self.python).ok_or(UnusualPythondist)
    }
}

fn has_metadata_end(folder: &str) -> bool {
    let folder = folder.to_ascii_lowercase();
    METADATA_ENDS.into_iter().any(|end| folder.ends_with(end))
}

/// Whether a text is two numbers with a dot between.
fn is_version(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// Whether the numbers of a version are as they are usually written.
fn is_normal(version: &str) -> bool {
    version.split('.').all(|number| number.len() <= 4 && (number == "0" || !number.starts_with('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_python_come_from_paths() {
        let read = |path: &'static str| DistributionPath::read(path.as_bytes());
        let site = "/b/usr/lib/python3.11/site-packages/x-1.dist-info";
        assert_eq!(read(site), Ok(Some(DistributionPath { python: "3.11", is_egg: false })));
        let egg = "/python3/python2.7/python3.6/x.egg-info";
        assert_eq!(read(egg), Ok(Some(DistributionPath { python: "2.7", is_egg: true })));
        assert_eq!(read("/usr/lib/python3.11/site-packages/x.egg-link"), Ok(None));
        for path in [
            "x.dist-info",
            "/usr/lib/python3/x.dist-info",
            "/python3.11/x.DIST-INFO",
            "/python3.11/x.py",
            "/python3.11/x.egg/y.egg-info",
            "/python3.11/x.Egg-Info/y.egg-link",
            "/python3.011/x.dist-info",
            "/python3.11/x y.dist-info",
            "/python3.11.dist-info",
        ] {
            assert_eq!(read(path), Err(UnusualPythondist), "{path}");
        }
    }
}
