//! What is asked of a history.

/// What is asked of a history.
pub trait PackageHistory {
    /// What names a commit.
    type Id: Clone + Ord;
    /// Why it can't answer.
    type Error;

    /// A commit.
    ///
    /// # Errors
    /// It can't be read.
    fn commit(&self, id: &Self::Id) -> Result<HistoryCommit<Self::Id>, Self::Error>;

    /// The version that the spec had in a commit; nothing where there is no spec, or one that can't be read.
    ///
    /// # Errors
    /// The commit can't be read.
    fn spec_version(&self, id: &Self::Id) -> Result<Option<SpecVersion>, Self::Error>;

    /// The text of the file `changelog` in a commit that has one.
    ///
    /// # Errors
    /// It can't be read.
    fn changelog(&self, id: &Self::Id) -> Result<String, Self::Error>;
}

/// A commit, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCommit<Id> {
    /// Those before it; the first is what others were merged into.
    pub parents: Vec<Id>,
    /// What tells its files from others.
    pub tree: String,
    /// `NAME <MAIL>`.
    pub author: String,
    /// When it was taken in, in seconds since 1970.
    pub seconds: i64,
    /// What it says.
    pub message: String,
    /// Whether it has the spec.
    pub has_spec: bool,
    /// What tells its file `changelog` from others, if it has one.
    pub changelog: Option<String>,
}

/// What a spec says of its version, and to `%autorelease`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecVersion {
    /// `EPOCH:VERSION`, or `VERSION` where there is no epoch.
    pub epoch_version: String,
    /// `-p`.
    pub is_prerelease: bool,
    /// `-b`: the first release of a version.
    pub base: u64,
    /// `-e`.
    pub extra_version: Option<String>,
    /// `-s`.
    pub snapshot: Option<String>,
}

impl SpecVersion {
    /// How `%autorelease` is to be defined for [`SpecVersion::from_release`].
    pub const AUTORELEASE: &str = "E%{?-e*}_S%{?-s*}_P%{?-p:1}%{!?-p:0}_B%{?-b*}";

    /// From what a spec says, where `%autorelease` was [defined](Self::AUTORELEASE) to give its options away.
    pub fn from_release(epoch_version: String, release: &str) -> Self {
        let plain =
            Self { epoch_version, is_prerelease: false, base: 1, extra_version: None, snapshot: None };
        let Some((extra, snapshot, prerelease, base)) = read_options(release) else { return plain };
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            is_prerelease: prerelease == "1",
            base: base.parse().unwrap_or(1),
            extra_version: given(extra),
            snapshot: given(snapshot),
            ..plain
        }
    }

    /// What stands behind the number.
    pub(super) fn tags(&self) -> String {
        let tags = [&self.extra_version, &self.snapshot].into_iter().flatten();
        tags.map(|tag| format!(".{tag}")).collect()
    }
}

/// `E…_S…_P0_B1`.
fn read_options(release: &str) -> Option<(&str, &str, &str, &str)> {
    let (extra, rest) = release.strip_prefix('E')?.split_once('_')?;
    let (snapshot, rest) = rest.strip_prefix('S')?.split_once('_')?;
    let (prerelease, base) = rest.strip_prefix('P')?.split_once("_B")?;
    let is_whole = matches!(prerelease, "0" | "1") && base.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then_some((extra, snapshot, prerelease, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_autorelease_are_read_and_other_releases_have_none() {
        let version = SpecVersion::from_release("1:2".to_owned(), "Erc1_S2024git_P1_B5");
        assert_eq!((version.tags().as_str(), version.is_prerelease, version.base), (".rc1.2024git", true, 5));
        for release in ["1", "E_S_P2_B", "E_S_P0_Bx", "E_S_P0_B.fc41"] {
            let version = SpecVersion::from_release("2".to_owned(), release);
            assert_eq!((version.tags().as_str(), version.is_prerelease, version.base), ("", false, 1));
        }
    }
}
