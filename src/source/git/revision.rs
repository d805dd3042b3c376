//! What is asked for of a repository: a branch, a tag, a commit, or what its `HEAD` stands for.

use gix_hash::ObjectId;

use super::error::GitError;

/// What is asked for of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// What the server shows first.
    Head,
    /// A branch or a tag, or a whole name of a reference.
    Name(String),
    /// A commit by its whole id.
    Commit(ObjectId),
}

/// How long a name may be, in bytes.
const LONGEST: usize = 1024;

/// How many digits of an id git shows at least where it abbreviates it.
const SHORTEST_ID: usize = 7;

impl Revision {
    /// Reads what a manifest says.
    ///
    /// # Errors
    /// [`GitError::Revision`] where there can be no such name.
    pub fn parse(text: Option<&str>) -> Result<Self, GitError> {
        let Some(text) = text else { return Ok(Self::Head) };
        if text == "HEAD" {
            return Ok(Self::Head);
        }
        if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let id = ObjectId::from_hex(text.to_ascii_lowercase().as_bytes());
            return id.map(Self::Commit).map_err(|_| error(text, "it is no id"));
        }
        match check_reference_name(text) {
            None => Ok(Self::Name(text.to_owned())),
            Some(reason) => Err(error(text, reason)),
        }
    }

    /// The digits of a commit's id that it may be the beginning of, as git abbreviates them (gitrevisions(7)).
    pub fn abbreviation(&self) -> Option<String> {
        match self {
            Self::Name(name) if SHORTEST_ID <= name.len() && name.bytes().all(|c| c.is_ascii_hexdigit()) => {
                Some(name.to_ascii_lowercase())
            }
            Self::Head | Self::Name(_) | Self::Commit(_) => None,
        }
    }

    /// The whole names that it may stand for, the first that is there first (gitrevisions(7)).
    pub(super) fn candidates(&self) -> Vec<String> {
        match self {
            Self::Head => vec!["HEAD".to_owned()],
            Self::Commit(_) => Vec::new(),
            Self::Name(name) if name.starts_with("refs/") => vec![name.clone()],
            Self::Name(name) => {
                let name =
                    name.strip_prefix("heads/").map_or(name.clone(), |name| format!("refs/heads/{name}"));
                let name =
                    name.strip_prefix("tags/").map_or(name.clone(), |name| format!("refs/tags/{name}"));
                match name.starts_with("refs/") {
                    true => vec![name],
                    false => vec![format!("refs/tags/{name}"), format!("refs/heads/{name}")],
                }
            }
        }
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Name(name) => f.write_str(name),
            Self::Commit(id) => id.fmt(f),
        }
    }
}

fn error(revision: &str, reason: &'static str) -> GitError {
    let revision = revision.chars().flat_map(char::escape_debug).take(100).collect();
    GitError::Revision { revision, reason }
}

/// What is wrong with the name of a reference (git-check-ref-format(1)).
pub(super) fn check_reference_name(name: &str) -> Option<&'static str> {
    let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let parts = || name.split('/');
    match () {
        () if name.is_empty() || name.len() > LONGEST => Some("it is empty or too long"),
        () if name.chars().any(odd) => Some("it has a character that names can't have"),
        () if name.starts_with('-') => Some("it begins with `-`"),
        () if name == "@" || name.contains("@{") || name.contains("..") => Some("it has `..` or `@{`"),
        () if name.ends_with('.') => Some("it ends with a dot"),
        () if parts().any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock")) => {
            Some("one of its parts is empty, begins with a dot, or ends with `.lock`")
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_refuses_are_refused() {
        for name in [
            "", "-x", "a..b", "a b", "a\nb", "a~1", "a^", "x:y", ".a", "a/.b", "a.lock", "a//b", "@{1}", "a/",
        ] {
            assert!(Revision::parse(Some(name)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_name_may_be_a_tag_or_a_branch_and_forty_digits_are_a_commit() {
        let candidates = |name: &str| Revision::parse(Some(name)).unwrap().candidates();
        assert_eq!(candidates("v1"), ["refs/tags/v1", "refs/heads/v1"]);
        assert_eq!(candidates("heads/v1"), ["refs/heads/v1"]);
        assert_eq!(candidates("refs/pull/1/head"), ["refs/pull/1/head"]);
        assert_eq!(Revision::parse(None).unwrap().candidates(), ["HEAD"]);
        assert!(matches!(Revision::parse(Some(&"Ab".repeat(20))).unwrap(), Revision::Commit(_)));
        let abbreviation = |text: &str| Revision::parse(Some(text)).unwrap().abbreviation();
        assert_eq!(abbreviation("Abc1234").as_deref(), Some("abc1234"));
        assert_eq!(
            (abbreviation("abc123"), abbreviation("v1.2.3.4"), abbreviation(&"ab".repeat(20))),
            (None, None, None)
        );
    }
}
