//! What can be wrong with a plan.

use crate::chroot::making::RootError;
use crate::engine::EngineError;
use crate::source::SourceError;
use crate::spec::Finding;
use crate::store::StoreError;

/// What is wrong.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PlanError {
    /// Builds that wait for each other.
    #[error("these builds wait for each other: {path}")]
    #[diagnostic(
        code(forge::plan::cycle),
        help(
            "take one of these requirements away, or break the circle: build one package first without it, as a second `package` with a `bootstrap` build condition"
        )
    )]
    Cycle {
        /// The circle.
        path: String,
    },
    /// What nothing meets of what a build needs.
    #[error("package `{package}` needs `{wanted}` to be built, and {offered}")]
    #[diagnostic(
        code(forge::plan::unmet_requires),
        help("let this manifest build what meets it, install that in the root, or change the BuildRequires")
    )]
    UnmetRequires {
        /// The package.
        package: String,
        /// What it needs.
        wanted: String,
        /// What there is instead.
        offered: String,
    },
    /// A build that needs what only it builds.
    #[error("package `{package}` needs `{wanted}` to be built, which only it builds itself")]
    #[diagnostic(
        code(forge::plan::requires_itself),
        help(
            "build it once without, as a second `package` with a `bootstrap` build condition, or install it in the root"
        )
    )]
    RequiresItself {
        /// The package.
        package: String,
        /// What it needs.
        wanted: String,
    },
    /// What is there though a build must not have it.
    #[error("package `{package}` can't be built beside `{unwanted}`, and {place}")]
    #[diagnostic(
        code(forge::plan::unmet_conflicts),
        help(
            "build one of them for another chroot, remove the other from the root, or change the BuildConflicts"
        )
    )]
    UnmetConflicts {
        /// The package.
        package: String,
        /// What must not be there.
        unwanted: String,
        /// Where it is.
        place: String,
    },
    /// A folder that builds can't be made in.
    #[error(
        "nothing can be built in `{folder}`: rpm and the scripts of specs take {character} in a path for its end"
    )]
    #[diagnostic(
        code(forge::plan::project_folder),
        help("move the project to a folder whose path has neither blanks nor quotes nor backslashes")
    )]
    ProjectFolder {
        /// The folder.
        folder: String,
        /// The character.
        character: &'static str,
    },
    /// Two builds of the same package.
    #[error("packages `{one}` and `{other}` both build `{nevra}` for chroot `{chroot}`")]
    #[diagnostic(
        code(forge::plan::same_package),
        help(
            "a repository can hold it once: give one of them another name, version or release, or another chroot"
        )
    )]
    SamePackage {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// What both build.
        nevra: String,
        /// For which chroot.
        chroot: String,
    },
    /// Something in a spec.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Spec(Box<Finding>),
    /// A source that is of no use.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// An engine that can't work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// Packages of a root that can't be had.
    #[error("package `{package}` can't be built in chroot `{chroot}`:\n{reason}")]
    #[diagnostic(code(forge::plan::root_packages))]
    RootPackages {
        /// The package.
        package: String,
        /// The chroot.
        chroot: String,
        /// Who asks for what, what is missing, and what each repository has instead.
        reason: String,
        /// What may help.
        #[help]
        help: String,
    },
    /// Packages of a root that is no build's.
    #[error("no packages do for a root of chroot `{chroot}`:\n{reason}")]
    #[diagnostic(code(forge::plan::chroot_packages))]
    ChrootPackages {
        /// The chroot.
        chroot: String,
        /// Who asks for what, what is missing, and what each repository has instead.
        reason: String,
        /// What may help.
        #[help]
        help: String,
    },
    /// A root of packages that can't be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    MakeRoot(#[from] RootError),
    /// The root can't be looked at.
    #[error("the root of chroot `{chroot}` can't be looked at: {reason}")]
    #[diagnostic(code(forge::plan::root), help("may forge read it?"))]
    Root {
        /// The chroot.
        chroot: String,
        /// Why.
        reason: String,
    },
    /// Nothing fits what the user named.
    #[error("there is no package `{name}` in this manifest")]
    #[diagnostic(code(forge::plan::unknown_package))]
    UnknownPackage {
        /// What was named.
        name: String,
        /// What there is.
        #[help]
        help: String,
    },
}

impl PlanError {
    /// What is wrong, for a table and for events: without what a reader of those knows, and in one line.
    pub fn in_one_line(&self) -> String {
        if let Self::RootPackages { reason, .. } | Self::ChrootPackages { reason, .. } = self {
            return reason.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        }
        self.to_string()
    }
}
