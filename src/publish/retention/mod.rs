//! Which builds stay in a repository, and why.
//!
//! Of each package of the manifest there is a newest build, and there are older ones, each since when a newer one took its place. `keep`
//! says which of them stay; what is pinned stays besides, and what packages that stay require. The metadata name all that stay, so that
//! several versions of a package can be installed. Where `keep` says nothing of repositories and nothing is pinned, the newest builds are
//! all that there is.

mod policy;
mod required;
mod retain;
mod rules;
mod verdict;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod year;

pub(super) use retain::{Retained, retain};
pub(super) use rules::{Keep, KeepRules};
pub use verdict::{Verdict, WhyGoes, WhyStays};
