//! The numbers that a pool gives to strings, dependencies and packages, and what they are made of.

use rattler_libsolv_c as c;

/// A string of a pool: a name, a version, an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct StringId(pub c::Id);

/// A dependency of a pool: a string alone, or with a version, or a rich dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DependencyId(pub c::Id);

/// A package of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PackageId(pub c::Id);

impl PackageId {
    /// The package that was added as the nth, from 0 on.
    pub fn from_place(place: usize) -> Self {
        Self(c::Id::try_from(place).map_or(0, |place| place.saturating_add(FIRST_PACKAGE)))
    }

    /// As which it was added.
    pub fn place(self) -> usize {
        usize::try_from(self.0.saturating_sub(FIRST_PACKAGE)).unwrap_or(usize::MAX)
    }
}

impl From<StringId> for DependencyId {
    fn from(string: StringId) -> Self {
        Self(string.0)
    }
}

/// How the two parts of a rich dependency belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Join {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

impl Join {
    /// As libsolv numbers it.
    pub fn flags(self) -> c::Id {
        let flags = match self {
            Self::And => c::REL_AND,
            Self::Or => c::REL_OR,
            Self::If => c::REL_COND,
            Self::Unless => c::REL_UNLESS,
            Self::Else => c::REL_ELSE,
            Self::With => c::REL_WITH,
            Self::Without => c::REL_WITHOUT,
        };
        flags.cast_signed()
    }
}

/// What is compared with a version: `REL_GT`, `REL_EQ` and `REL_LT` as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    pub greater: bool,
    pub equal: bool,
    pub less: bool,
}

/// A package as the pool takes it. The parts are ids of the same pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewPackage<'a> {
    pub name: StringId,
    pub evr: StringId,
    pub arch: StringId,
    /// Provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances.
    pub relations: [&'a [DependencyId]; 8],
}

/// A repository's place among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct RepositoryRank {
    /// The lower, the earlier its packages are taken, as in dnf's configuration.
    pub priority: i32,
    /// Where priorities and versions are the same: the lower, the earlier.
    pub cost: i32,
}

/// The number of the first package; those before stand for nothing and for the system.
pub(super) const FIRST_PACKAGE: c::Id = 2;
