//! Choosing the packages of a root.
//!
//! A repository's packages are read once into a [`PackageIndex`], whose written form the caller keeps. A [`Solver`] takes
//! the indexes of all repositories and answers [requests](SolveRequest) with an [`Solution`]: packages by name, version and
//! checksum, each with the reason that it is there; or with a [`SolveError`] that says who asks for what, and what each
//! repository has instead.
//!
//! The choice is libsolv's, with the settings of dnf: which of several packages is taken where all would do follows from
//! its rules alone, and roots are to have the packages that dnf gives them.

mod architecture;
mod catalogue;
mod explain;
mod file_table;
mod filter;
mod index;
mod index_form;
mod instead;
mod jobs;
mod libsolv;
mod pattern;
mod pool_ids;
mod pool_job;
mod pool_rule;
mod problem;
mod provided;
mod reach;
mod reasons;
mod request;
mod rich_size;
mod solution;
mod solver;
#[cfg(test)]
mod tests;
mod texts;

pub use architecture::Architecture;
pub use index::{FileSearch, IndexBuilder, PackageIndex, TooManyPackages};
pub use index_form::IndexFormError;
pub use problem::{SolveError, SolveProblem, Unsolvable};
pub use provided::find_provided;
pub use request::{Candidates, Requested, SolveRepository, SolveRequest, Wanted, WeakDependencies};
pub use solution::{Solution, SolvedPackage, Why};
pub use solver::Solver;
