//! Roots of packages, from what a chroot declares to folders that a sandbox enters.
//!
//! A [`PackageChooser`] says which packages are in a root: the lock's, as long as the same is asked, else what the solver
//! chooses of the repositories. A [`RootMaker`] brings them into the store and makes the root of them, once for each set.

mod chooser;
mod chosen_set;
mod effect;
mod error;
mod foreign;
mod made_root;
mod maker;
mod package_roots;
mod register;
mod repositories;
mod request;
mod scriptlets;
mod tools;

pub use chooser::{BuildWish, LockRule, PackageChooser, own_package};
pub use chosen_set::{ChosenSet, GivenRoot};
pub use error::RootError;
pub use foreign::check_runs;
pub use made_root::MadeRoot;
pub use maker::RootMaker;
pub use package_roots::PackageRoots;
pub use request::ChrootRequest;
pub use tools::{RootProgress, RootTools};
