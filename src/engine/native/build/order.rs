//! What is asked of a build: how far it goes, and what is left out.

use super::problem::BuildProblem;
use crate::package::Dependency;
use crate::spec::{SectionKind, Spec};

/// The letter after `-b`, `-r` or `-t` (rpmbuild(1), "OPERATIONS").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// `p`: sources are unpacked and patched.
    Prep,
    /// `d`: what the build needs is worked out.
    BuildRequires,
    /// `f`: it is configured.
    Conf,
    /// `c`: it is compiled.
    Build,
    /// `i`: it is installed, tested, and its files are checked.
    Install,
    /// `k`: as `i`.
    Check,
    /// `l`: the files are checked.
    List,
    /// `b`: binary packages.
    Binary,
    /// `r`: the source package, with what is worked out of its needs.
    SourceWithRequires,
    /// `s`: the source package.
    Source,
    /// `a`: all packages.
    All,
}

impl Goal {
    /// The goal of a letter.
    pub fn read(letter: u8) -> Option<Self> {
        Some(match letter {
            b'p' => Self::Prep,
            b'd' => Self::BuildRequires,
            b'f' => Self::Conf,
            b'c' => Self::Build,
            b'i' => Self::Install,
            b'k' => Self::Check,
            b'l' => Self::List,
            b'b' => Self::Binary,
            b'r' => Self::SourceWithRequires,
            b's' => Self::Source,
            b'a' => Self::All,
            _ => return None,
        })
    }
}

/// All that a build is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// How far it goes; nothing builds nothing, and may clean up.
    pub goal: Option<Goal>,
    /// `--short-circuit`: the goal only, and nothing of what comes before.
    pub short_circuit: bool,
    /// `--build-in-place`: the sources are what lies in the folder that this is run in.
    pub in_place: bool,
    /// `--nobuild`: no script is run.
    pub no_build: bool,
    /// No step is taken: what stands in the script of a section before its own lines is written down, for a shell.
    pub only_beginning_of: Option<SectionKind>,
    /// `--noprep`
    pub no_prep: bool,
    /// `--nocheck`
    pub no_check: bool,
    /// `--noclean`
    pub no_clean: bool,
    /// What each package provides that the root does not have, but that the build finds things of; files included.
    pub staged: Vec<Vec<Dependency>>,
    /// `--nodeps`
    pub no_dependencies: bool,
    /// `--clean`
    pub clean: bool,
    /// `--rmsource`
    pub remove_sources: bool,
    /// `--rmspec`
    pub remove_spec: bool,
    /// `--rpmfcdebug`
    pub shows_classes: bool,
}

/// One thing that a build does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The folder of the build is made.
    MakeFolder,
    /// `%prep`
    Prep,
    /// `%generate_buildrequires`, if the spec has it.
    BuildRequires,
    /// The same, and its outcome is a package in any case.
    DumpBuildRequires,
    /// `%conf`
    Conf,
    /// `%build`
    Build,
    /// `%install`
    Install,
    /// `%check`
    Check,
    /// The source package is worked out.
    Sources,
    /// The files of the packages are.
    Files,
    /// Packages are written.
    Binary,
    /// The source package is.
    Source,
    /// `%clean`
    Clean,
    /// The folder of the build goes.
    RemoveFolder,
}

impl Order {
    /// The steps, in their order. `has_generator` says whether the spec works needs out; without it `-br` builds nothing.
    pub fn steps(&self, has_generator: bool) -> Vec<Step> {
        let mut steps = self.list_goal_steps(has_generator);
        if self.clean {
            steps.push(Step::RemoveFolder);
        }
        let mut left_out = Vec::new();
        if self.no_prep {
            left_out.extend([Step::Prep, Step::RemoveFolder]);
        }
        if self.in_place {
            // The folder only links to the sources: it is made wherever something is built in them.
            let in_sources = [Step::Prep, Step::Conf, Step::Build, Step::Install];
            if steps.iter().any(|step| in_sources.contains(step)) {
                steps.push(Step::MakeFolder);
            }
            left_out.extend([Step::Prep, Step::RemoveFolder]);
        } else {
            if self.no_prep {
                left_out.push(Step::MakeFolder);
            }
            if self.short_circuit {
                left_out.extend([Step::MakeFolder, Step::RemoveFolder]);
            }
        }
        if self.no_check {
            left_out.push(Step::Check);
        }
        if self.no_clean {
            left_out.extend([Step::Clean, Step::RemoveFolder]);
        }
        steps.retain(|step| !left_out.contains(step));
        steps.sort();
        steps.dedup();
        steps
    }

    /// Why a spec can't be built here, where this makes something that only some machines can (rpm's `RPMSPEC_ANYARCH`).
    pub fn ruled_out(&self, spec: &Spec) -> Option<BuildProblem> {
        use Step as S;
        let of_machine = [S::Prep, S::Conf, S::Build, S::Install, S::Binary];
        let is_left_out = |step: &Step| self.no_prep && *step == S::Prep;
        // A spec that works nothing out has nothing to unpack for `-br`, but what rules it out counts before that.
        let steps = self.list_goal_steps(true);
        let counts = steps.iter().any(|step| of_machine.contains(step) && !is_left_out(step));
        spec.ruled_out().filter(|_| counts).map(|text| BuildProblem::RuledOut { text })
    }

    /// The steps that the goal takes, whatever else is asked.
    fn list_goal_steps(&self, has_generator: bool) -> Vec<Step> {
        use Step as S;
        const BEGIN: [Step; 3] = [S::MakeFolder, S::Prep, S::BuildRequires];
        let after_begin = |more: &[Step]| BEGIN.iter().chain(more).copied().collect::<Vec<_>>();
        let Some(goal) = self.goal else {
            return Vec::new();
        };
        match (goal, self.short_circuit) {
            (Goal::Prep, false) => vec![S::MakeFolder, S::Prep],
            (Goal::Prep, true) => vec![S::Prep],
            (Goal::BuildRequires, false) => after_begin(&[]),
            (Goal::BuildRequires, true) => vec![S::BuildRequires],
            (Goal::Conf, false) => after_begin(&[S::Conf]),
            (Goal::Conf, true) => vec![S::Conf],
            (Goal::Build, false) => after_begin(&[S::Conf, S::Build]),
            (Goal::Build, true) => vec![S::Build],
            (Goal::Install | Goal::Check, false) => {
                after_begin(&[S::Conf, S::Build, S::Install, S::Check, S::Files])
            }
            (Goal::Install, true) => vec![S::Install, S::Check, S::Files],
            (Goal::Check, true) => vec![S::Check, S::Files],
            (Goal::List, _) => vec![S::Files],
            (Goal::Binary, true) => vec![S::Files, S::Binary, S::Clean],
            (Goal::Binary, false) => after_begin(&[
                S::Conf,
                S::Build,
                S::Install,
                S::Check,
                S::Files,
                S::Binary,
                S::Clean,
                S::RemoveFolder,
            ]),
            (Goal::All, _) => after_begin(&[
                S::Conf,
                S::Build,
                S::Install,
                S::Check,
                S::Sources,
                S::Files,
                S::Binary,
                S::Source,
                S::Clean,
                S::RemoveFolder,
            ]),
            (Goal::Source, _) => vec![S::Sources, S::Source],
            (Goal::SourceWithRequires, _) if !has_generator => vec![S::Sources, S::Source],
            (Goal::SourceWithRequires, true) => vec![S::DumpBuildRequires, S::Sources, S::Source],
            (Goal::SourceWithRequires, false) => {
                vec![S::MakeFolder, S::Prep, S::DumpBuildRequires, S::Sources, S::Source]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(goal: Goal, change: impl FnOnce(&mut Order)) -> Vec<Step> {
        let mut order = Order { goal: Some(goal), ..Order::default() };
        change(&mut order);
        order.steps(true)
    }

    #[test]
    fn a_whole_build_ends_with_its_folder_gone() {
        let steps = steps(Goal::All, |_| {});
        assert_eq!((steps.first(), steps.last()), (Some(&Step::MakeFolder), Some(&Step::RemoveFolder)));
    }

    #[test]
    fn nothing_is_removed_that_this_run_did_not_make() {
        assert!(!steps(Goal::Binary, |order| order.no_prep = true).contains(&Step::RemoveFolder));
        assert!(!steps(Goal::Binary, |order| order.in_place = true).contains(&Step::RemoveFolder));
        assert!(!steps(Goal::Binary, |order| order.short_circuit = true).contains(&Step::RemoveFolder));
    }

    #[test]
    fn a_short_circuit_runs_its_goal_and_no_more() {
        assert_eq!(steps(Goal::Build, |order| order.short_circuit = true), [Step::Build]);
        assert_eq!(steps(Goal::BuildRequires, |order| order.short_circuit = true), [Step::BuildRequires]);
        let with_requires = [Step::DumpBuildRequires, Step::Sources, Step::Source];
        assert_eq!(steps(Goal::SourceWithRequires, |order| order.short_circuit = true), with_requires);
    }
}
