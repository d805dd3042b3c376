//! What a solver is asked to do.

use super::pool_ids::{DependencyId, PackageId};

/// One thing that is asked of the solver.
#[derive(Clone, Debug)]
pub(super) struct PoolJob {
    pub action: Action,
    pub select: Select,
}

/// What is to be done with packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// One of them has to be there.
    Install,
    /// One of the best of them has to be there.
    InstallBest,
    /// One of them is there, where nothing else speaks against it.
    InstallIfPossible,
    /// They come before others where one of several is taken.
    Prefer,
    /// None of them may be there.
    Forbid,
    /// Several versions of one name may be there at once.
    AllowSeveral,
}

/// Which packages.
#[derive(Clone, Debug)]
pub(super) enum Select {
    /// Those that meet a dependency.
    Meeting(DependencyId),
    /// This one.
    Package(PackageId),
    /// One of these.
    OneOf(Vec<PackageId>),
}

/// How it is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether what packages recommend is taken as well.
    pub takes_recommended: bool,
}
