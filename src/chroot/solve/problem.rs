//! What is told where no packages have all that is wanted.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error, Diagnostic)]
pub enum SolveError {
    /// Nothing has all that is wanted.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unsolvable(Unsolvable),
    /// Packages that are to stay are in no repository any more.
    #[error("the repositories no longer have packages that the lock names: {}", .packages.join(", "))]
    #[diagnostic(
        code(forge::chroot::gone),
        help(
            "what was locked is still built with, but nothing can be chosen to go with it: `forge update` locks what there is now"
        )
    )]
    Gone {
        /// The packages, and the repositories that they were in.
        packages: Vec<String>,
    },
    /// There are more packages than libsolv can count.
    #[error("the repositories have more packages than can be chosen from")]
    #[diagnostic(
        code(forge::chroot::too_many_packages),
        help("name the packages that you need in `includepkgs` of the largest of them")
    )]
    TooManyPackages,
}

/// Everything that stands in the way of what is wanted.
#[derive(Debug, Error, Diagnostic)]
#[error("{}", heading(.problems))]
#[diagnostic(code(forge::chroot::unsolvable))]
pub struct Unsolvable {
    /// Each thing that stands in the way by itself.
    #[related]
    pub problems: Vec<SolveProblem>,
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct SolveProblem {
    /// Who asks for what it is about.
    pub asked: Vec<String>,
    /// What is the matter, in sentences, from what is asked for to what is missing.
    pub reasons: Vec<String>,
    /// What may help.
    pub help: Option<String>,
}

impl fmt::Display for SolveProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.asked.join("; "))?;
        self.reasons.iter().try_for_each(|reason| write!(f, "\n{reason}"))
    }
}

impl Diagnostic for SolveProblem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

fn heading(problems: &[SolveProblem]) -> String {
    match problems.len() {
        1 => "no packages of the repositories go together with all that is wanted".to_owned(),
        count => format!(
            "no packages of the repositories go together with all that is wanted, for {count} reasons"
        ),
    }
}
