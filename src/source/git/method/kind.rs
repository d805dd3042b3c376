//! The methods that there are.

/// A method that makes sources of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::git) enum GitMethod {
    /// rpkg's templates.
    Rpkg,
    /// tito, of the last tag.
    Tito,
    /// tito, of the newest commit.
    TitoTest,
    /// packit.
    Packit,
}

impl GitMethod {
    /// The method that a manifest names.
    pub fn named(word: &str) -> Option<Self> {
        let all = [Self::Rpkg, Self::Tito, Self::TitoTest, Self::Packit];
        all.into_iter().find(|method| method.word() == word)
    }

    /// As the manifest names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rpkg => "rpkg",
            Self::Tito => "tito",
            Self::TitoTest => "tito-test",
            Self::Packit => "packit",
        }
    }
}
