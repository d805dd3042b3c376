//! Which packages of a repository are taken: `exclude` and `includepkgs`.

use super::index::{IndexedPackage, PackageIndex};
use super::pattern::{PackagePattern, PatternForm};
use super::request::SolveRepository;

/// Why a package isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filtered {
    /// A pattern of `exclude` means it.
    Excluded,
    /// No pattern of `includepkgs` means it.
    NotIncluded,
}

/// The patterns of a repository.
pub(super) struct Filter {
    exclude: Vec<PatternForm>,
    include: Option<Vec<PatternForm>>,
}

impl Filter {
    /// The patterns of one of some repositories. As in dnf, what a pattern means is decided by the packages of all of them.
    pub fn new(repository: &SolveRepository<'_>, all: &[SolveRepository<'_>]) -> Self {
        let forms = |texts: &[String]| texts.iter().filter_map(|text| form(text, all)).collect();
        let include = Some(&repository.include).filter(|include| !include.is_empty());
        Self { exclude: forms(&repository.exclude), include: include.map(|include| forms(include)) }
    }

    /// Why a package isn't taken; `None` if it is.
    pub fn check(&self, index: &PackageIndex, package: &IndexedPackage) -> Option<Filtered> {
        let matches = |form: &PatternForm| form.matches(index, package);
        match &self.include {
            Some(include) if !include.iter().any(matches) => Some(Filtered::NotIncluded),
            _ => self.exclude.iter().any(matches).then_some(Filtered::Excluded),
        }
    }
}

fn form(text: &str, all: &[SolveRepository<'_>]) -> Option<PatternForm> {
    let is_in = |form: &PatternForm, index: &PackageIndex| {
        index.packages.iter().any(|package| form.matches(index, package))
    };
    PackagePattern::new(text).choose(|form| all.iter().any(|repository| is_in(form, repository.index)))
}
