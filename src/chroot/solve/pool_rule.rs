//! What a solver answers: packages, or the rules that it can't keep together.

use rattler_libsolv_c as c;

use super::pool_ids::{DependencyId, PackageId};

/// What came out.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The packages that have to be there.
    Packages(Vec<PackageId>),
    /// It can't be: all that stands in the way, each with the rules that it follows from.
    Problems(Vec<Vec<Rule>>),
}

/// A rule that a problem follows from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    pub kind: RuleKind,
    /// The package whose rule it is.
    pub from: Option<PackageId>,
    /// The package that it is about.
    pub to: Option<PackageId>,
    /// The dependency that it is about.
    pub dependency: Option<DependencyId>,
    /// The place of the job that it stands for.
    pub job: Option<usize>,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RuleKind {
    /// A package can't be installed at all: excluded, or for another architecture.
    NotInstallable,
    /// Nothing meets what a package needs.
    NothingProvides,
    /// A package needs something.
    Requires,
    /// A package conflicts with what it is itself.
    ConflictsWithItself,
    /// A package conflicts with another.
    Conflicts,
    /// Two packages of one name.
    SameName,
    /// A package takes the place of another.
    Obsoletes,
    /// Something is asked for.
    Job,
    /// Nothing is what is asked for.
    JobNothingProvides,
    /// The best is asked for.
    Best,
    /// A package's architecture is worse than another's.
    WorseArchitecture,
    /// Any other rule of libsolv.
    Unnamed,
}

impl RuleKind {
    /// By libsolv's number of it.
    pub fn from_number(number: c::SolverRuleinfo) -> Self {
        match number {
            c::SolverRuleinfo_SOLVER_RULE_PKG_NOT_INSTALLABLE => Self::NotInstallable,
            c::SolverRuleinfo_SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP => Self::NothingProvides,
            c::SolverRuleinfo_SOLVER_RULE_PKG_REQUIRES => Self::Requires,
            c::SolverRuleinfo_SOLVER_RULE_PKG_SELF_CONFLICT => Self::ConflictsWithItself,
            c::SolverRuleinfo_SOLVER_RULE_PKG_CONFLICTS => Self::Conflicts,
            c::SolverRuleinfo_SOLVER_RULE_PKG_SAME_NAME => Self::SameName,
            c::SolverRuleinfo_SOLVER_RULE_PKG_OBSOLETES
            | c::SolverRuleinfo_SOLVER_RULE_PKG_IMPLICIT_OBSOLETES
            | c::SolverRuleinfo_SOLVER_RULE_YUMOBS => Self::Obsoletes,
            c::SolverRuleinfo_SOLVER_RULE_JOB => Self::Job,
            c::SolverRuleinfo_SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP
            | c::SolverRuleinfo_SOLVER_RULE_JOB_UNKNOWN_PACKAGE => Self::JobNothingProvides,
            c::SolverRuleinfo_SOLVER_RULE_BEST => Self::Best,
            c::SolverRuleinfo_SOLVER_RULE_INFARCH => Self::WorseArchitecture,
            _ => Self::Unnamed,
        }
    }
}
