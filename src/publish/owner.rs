//! Whose a repository is.
//!
//! Projects with names are one project where the names are the same, wherever they lie. Where one of two has none, place and id
//! decide: a repository gets an id when forge first publishes to it, and the project keeps it with its copy of the record. A
//! place alone says little, since containers check out one project after another at the same path.

use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The project that publishes to a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Its name, where its manifest says one.
    project: Option<String>,
    place: ProjectPlace,
    /// What was drawn when the repository became this project's.
    id: Option<String>,
}

/// Whether two owners are one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sameness {
    Same,
    Other,
    /// They lie at the same place, and nothing else is known of them.
    Unknown,
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
        match repository.strip_prefix(project) {
            Ok(below) => Self::with_place(name, ProjectPlace::Around(below.to_string_lossy().into_owned())),
            Err(_) => Self::outside(name, project),
        }
    }

    /// The same for a repository that does not lie in the project, or is mounted there.
    pub fn outside(name: Option<&str>, project: &Path) -> Self {
        Self::with_place(name, ProjectPlace::At(project.to_string_lossy().into_owned()))
    }

    fn with_place(name: Option<&str>, place: ProjectPlace) -> Self {
        Self { project: name.filter(|name| !name.is_empty()).map(str::to_owned), place, id: None }
    }

    /// This owner, of the repository that `recorded` is the owner of.
    pub fn with_id_of(&self, recorded: &Self) -> Self {
        Self { id: recorded.id.clone(), ..self.clone() }
    }

    /// This owner, of a repository that becomes its own.
    pub fn with_new_id(&self) -> io::Result<Self> {
        let mut random = [0_u8; 16];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let id = random.iter().fold(String::new(), |mut id, byte| {
            // Writing to a String can't fail.
            let _ = write!(id, "{byte:02x}");
            id
        });
        Ok(Self { id: Some(id), ..self.clone() })
    }

    /// Whether `project` is the project that this is the owner on record; `copy` is the owner that its copy of the record names.
    pub fn compare(&self, project: &Self, copy: Option<&Self>) -> Sameness {
        match (&self.project, &project.project) {
            (Some(recorded), Some(name)) if recorded == name => return Sameness::Same,
            (Some(_), Some(_)) => return Sameness::Other,
            (None, _) | (_, None) => {}
        }
        match copy {
            _ if self.place != project.place => Sameness::Other,
            Some(copy) if copy.id == self.id => Sameness::Same,
            Some(copy) if copy.id.is_some() && self.id.is_some() => Sameness::Other,
            Some(_) | None => Sameness::Unknown,
        }
    }

    /// Whether the repository lies in the project itself: nothing but what is put there on purpose can be another's.
    pub fn lies_in_project(&self) -> bool {
        match self.place {
            ProjectPlace::Around(_) => true,
            ProjectPlace::At(_) => false,
        }
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

    fn compare(recorded: &Owner, project: &Owner) -> [Sameness; 3] {
        let other = recorded.with_new_id().unwrap();
        [None, Some(recorded), Some(&other)].map(|copy| recorded.compare(project, copy))
    }

    const BY_COPY: [Sameness; 3] = [Sameness::Unknown, Sameness::Same, Sameness::Other];

    #[test]
    fn a_project_that_was_moved_with_its_repository_stays_the_owner() {
        let before = owner(None, "/home/ada/acme", "/home/ada/acme/public/host").with_new_id().unwrap();
        assert_eq!(compare(&before, &owner(None, "/srv/acme", "/srv/acme/public/host")), BY_COPY);
    }

    #[test]
    fn a_second_project_is_not_the_owner_of_a_folder_of_the_first() {
        let first = owner(None, "/one", "/one/public/host").with_new_id().unwrap();
        assert_eq!(compare(&first, &owner(None, "/two", "/one/public/host")), [Sameness::Other; 3]);
        let outside = owner(None, "/one", "/srv/public").with_new_id().unwrap();
        assert_eq!(compare(&outside, &owner(None, "/two", "/srv/public")), [Sameness::Other; 3]);
    }

    #[test]
    fn what_others_have_written_is_shown_as_text() {
        let shown = owner(Some("\u{1b}[2J"), "/srv/\u{7}", "/public").to_string();
        assert_eq!(shown, "the project `\\u{1b}[2J` in /srv/\\u{7}");
    }

    #[test]
    fn another_checkout_of_a_project_with_a_name_is_the_same_project() {
        let first = owner(Some("acme"), "/one", "/srv/public").with_new_id().unwrap();
        assert_eq!(compare(&first, &owner(Some("acme"), "/two", "/srv/public")), [Sameness::Same; 3]);
        assert_eq!(compare(&first, &owner(Some("other"), "/two", "/srv/public")), [Sameness::Other; 3]);
    }

    #[test]
    fn two_names_are_two_projects_even_at_the_same_place() {
        let first = owner(Some("one"), "/builds", "/srv/public").with_new_id().unwrap();
        assert_eq!(compare(&first, &owner(Some("two"), "/builds", "/srv/public")), [Sameness::Other; 3]);
    }

    #[test]
    fn where_a_name_is_missing_the_copy_of_the_record_decides() {
        for (first, second) in [(None, None), (None, Some("acme")), (Some("acme"), None)] {
            let first = owner(first, "/builds", "/srv/public").with_new_id().unwrap();
            assert_eq!(compare(&first, &owner(second, "/builds", "/srv/public")), BY_COPY);
        }
    }
}
