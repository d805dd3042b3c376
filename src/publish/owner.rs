//! Whose a repository is.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The project that publishes to a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Its name, where its manifest says one.
    project: Option<String>,
    place: ProjectPlace,
}

/// Where the owner lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProjectPlace {
    /// The repository lies in the project, at this path: both can be moved together.
    Around(String),
    /// The project lies elsewhere, at this absolute path.
    At(String),
}

impl Owner {
    /// The project called `name` that lies at `project`, as the owner of the repository at `repository`. Both are absolute
    /// and without links.
    pub fn new(name: Option<&str>, project: &Path, repository: &Path) -> Self {
        let place = match repository.strip_prefix(project) {
            Ok(below) => ProjectPlace::Around(below.to_string_lossy().into_owned()),
            Err(_) => ProjectPlace::At(project.to_string_lossy().into_owned()),
        };
        Self { project: name.filter(|name| !name.is_empty()).map(str::to_owned), place }
    }

    /// Whether both are one project: it lies where it lay, or has the name that it had.
    pub fn is_same_project(&self, other: &Self) -> bool {
        self.place == other.place || (self.project.is_some() && self.project == other.project)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Somebody else may have written it: a terminal must not take it for more than text.
        match &self.project {
            Some(name) => write!(f, "the project `{}`", name.escape_debug())?,
            None => write!(f, "the project")?,
        }
        match &self.place {
            ProjectPlace::Around(below) => write!(f, " that it lies in as `{}`", below.escape_debug()),
            ProjectPlace::At(path) => write!(f, " in {}", path.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: Option<&str>, project: &str, repository: &str) -> Owner {
        Owner::new(name, Path::new(project), Path::new(repository))
    }

    #[test]
    fn a_project_that_was_moved_with_its_repository_stays_the_owner() {
        let before = owner(None, "/home/ada/acme", "/home/ada/acme/public/host");
        assert!(before.is_same_project(&owner(None, "/srv/acme", "/srv/acme/public/host")));
    }

    #[test]
    fn a_second_project_is_not_the_owner_of_a_folder_of_the_first() {
        let first = owner(None, "/one", "/one/public/host");
        assert!(!first.is_same_project(&owner(None, "/two", "/one/public/host")));
        let outside = owner(None, "/one", "/srv/public");
        assert!(!outside.is_same_project(&owner(None, "/two", "/srv/public")));
    }

    #[test]
    fn what_others_have_written_is_shown_as_text() {
        let shown = owner(Some("\u{1b}[2J"), "/srv/\u{7}", "/public").to_string();
        assert_eq!(shown, "the project `\\u{1b}[2J` in /srv/\\u{7}");
    }

    #[test]
    fn another_checkout_of_a_project_with_a_name_is_the_same_project() {
        let first = owner(Some("acme"), "/one", "/srv/public");
        assert!(first.is_same_project(&owner(Some("acme"), "/two", "/srv/public")));
        assert!(!first.is_same_project(&owner(Some("other"), "/two", "/srv/public")));
    }
}
