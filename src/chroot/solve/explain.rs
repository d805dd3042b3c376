//! libsolv's problems in a person's words.

use std::collections::{BTreeSet, HashSet};

use super::catalogue::Catalogue;
use super::filter::Filtered;
use super::instead::{Missing, find_instead};
use super::jobs::{JobOrigin, Jobs};
use super::pool_ids::{DependencyId, PackageId};
use super::pool_job::Select;
use super::pool_rule::{Rule, RuleKind};
use super::problem::{SolveProblem, Unsolvable};
use super::request::Requested;

/// How many sentences a problem has at most.
const MOST_REASONS: usize = 12;

/// Problems in words: who asks, what is missing, and who has what instead.
pub(super) fn explain_problems(
    catalogue: &mut Catalogue<'_>,
    jobs: &Jobs,
    problems: &[Vec<Rule>],
) -> Unsolvable {
    let mut explained: Vec<SolveProblem> =
        problems.iter().map(|rules| Explanation { catalogue, jobs, rules }.explain()).collect();
    let mut seen = HashSet::new();
    explained.retain(|problem| seen.insert(problem.to_string()));
    Unsolvable { problems: explained }
}

struct Explanation<'e, 'i> {
    catalogue: &'e mut Catalogue<'i>,
    jobs: &'e Jobs,
    rules: &'e [Rule],
}

impl Explanation<'_, '_> {
    fn explain(&mut self) -> SolveProblem {
        let asked = self.asked();
        let (mut reasons, mut help) = (Vec::new(), None);
        for rule in self.in_order() {
            if let Some((reason, advice)) = self.sentence(&rule) {
                reasons.push(reason);
                help = help.or(advice);
            }
        }
        let mut seen = HashSet::new();
        reasons.retain(|reason| seen.insert(reason.clone()));
        if reasons.len() > MOST_REASONS {
            let further = reasons.len() - MOST_REASONS + 1;
            // The last sentence says what is missing; those in the middle lead to it.
            reasons.drain(MOST_REASONS - 1..reasons.len() - 1);
            reasons.insert(MOST_REASONS - 1, format!("({further} further steps)"));
        }
        SolveProblem { asked, reasons, help }
    }

    /// Who asks for what this is about.
    fn asked(&self) -> Vec<String> {
        let origins = self.rules.iter().filter_map(|rule| self.jobs.origins.get(rule.job?));
        let asked: BTreeSet<String> = origins.filter_map(asked_text).collect();
        match asked.is_empty() {
            true => vec!["what is wanted".to_owned()],
            false => asked.into_iter().collect(),
        }
    }

    /// The rules as a reader follows them: what is asked for, then what that needs, and so on.
    fn in_order(&mut self) -> Vec<Rule> {
        let mut rest: Vec<Rule> = self.rules.to_vec();
        rest.sort();
        rest.dedup();
        let (mut ordered, mut reached): (Vec<Rule>, BTreeSet<PackageId>) = (Vec::new(), BTreeSet::new());
        for job in self.rules.iter().filter_map(|rule| rule.job) {
            match self.jobs.jobs.get(job).map(|job| &job.select) {
                Some(Select::OneOf(packages)) => reached.extend(packages),
                Some(Select::Meeting(dependency)) => {
                    reached.extend(self.catalogue.pool.providers(*dependency));
                }
                Some(Select::Package(_)) | None => {}
            }
        }
        let is_first = |rule: &Rule| rule.job.is_some();
        ordered.extend(rest.iter().filter(|rule| is_first(rule)).cloned());
        rest.retain(|rule| !is_first(rule));
        while !rest.is_empty() {
            let is_next = |rule: &Rule| rule.from.is_some_and(|from| reached.contains(&from));
            let mut next: Vec<Rule> = rest.iter().filter(|rule| is_next(rule)).cloned().collect();
            if next.is_empty() {
                next.push(rest[0].clone());
            }
            rest.retain(|rule| !next.contains(rule));
            reached.extend(next.iter().flat_map(|rule| [rule.from, rule.to]).flatten());
            ordered.extend(next);
        }
        // What ends it comes last.
        ordered.sort_by_key(|rule| match rule.kind {
            RuleKind::Job | RuleKind::Best | RuleKind::JobNothingProvides => 0,
            RuleKind::Requires | RuleKind::Unnamed => 1,
            RuleKind::Obsoletes | RuleKind::SameName | RuleKind::WorseArchitecture => 2,
            RuleKind::Conflicts | RuleKind::ConflictsWithItself | RuleKind::NotInstallable => 3,
            RuleKind::NothingProvides => 4,
        });
        ordered
    }

    /// What a rule says, and what may help.
    fn sentence(&mut self, rule: &Rule) -> Option<(String, Option<String>)> {
        let from = rule.from.map(|package| self.package_text(package));
        let to = rule.to.map(|package| self.package_text(package));
        let what = rule.dependency.map(|dependency| self.dependency_text(dependency));
        let sentence = match (rule.kind, from, to, what) {
            (RuleKind::JobNothingProvides, ..) => return self.nothing_for_job(rule),
            (RuleKind::Job, ..) => return self.unwanted(rule),
            (RuleKind::NothingProvides, Some(from), _, Some(what)) => {
                let instead = self.instead(rule.dependency);
                return Some((
                    format!("{from} needs {what}, which no repository has{}", instead.text),
                    instead.help,
                ));
            }
            (RuleKind::Requires, Some(from), _, Some(what)) => format!("{from} needs {what}"),
            (RuleKind::Conflicts, Some(from), Some(to), Some(what)) => {
                format!("{from} conflicts with {what}, which {to} is")
            }
            (RuleKind::ConflictsWithItself, Some(from), _, Some(what)) => {
                format!("{from} conflicts with {what}, which it is itself")
            }
            (RuleKind::SameName, Some(from), Some(to), _) => {
                format!("{from} and {to} can't be there at once")
            }
            (RuleKind::Obsoletes, Some(from), Some(to), _) => format!("{from} takes the place of {to}"),
            (RuleKind::NotInstallable, Some(from), ..) => format!("{from} {}", self.why_not(rule.from)),
            (RuleKind::WorseArchitecture, Some(from), ..) => {
                format!("{from} is there for a better architecture, too")
            }
            (RuleKind::Best, ..) => {
                "only the newest of what is wanted comes into question, and it can't be installed".to_owned()
            }
            _ => return None,
        };
        Some((sentence, None))
    }

    fn package_text(&self, package: PackageId) -> String {
        match self.catalogue.package(package) {
            Some(package) => format!("`{}` of `{}`", package.nevra(), package.repository.name),
            None => "what is there".to_owned(),
        }
    }

    fn dependency_text(&mut self, dependency: DependencyId) -> String {
        format!("`{}`", self.catalogue.pool.dependency_text(dependency))
    }

    fn why_not(&self, package: Option<PackageId>) -> String {
        let Some((id, package)) = package.and_then(|id| Some((id, self.catalogue.package(id)?))) else {
            return "can't be installed".to_owned();
        };
        match self.catalogue.filtered(id) {
            Some(Filtered::Excluded) => format!("is excluded by `exclude` of `{}`", package.repository.name),
            Some(Filtered::NotIncluded) => {
                format!("is not among `includepkgs` of `{}`", package.repository.name)
            }
            None => {
                format!("is for {}, which {} doesn't run", package.arch(), self.catalogue.architecture.name())
            }
        }
    }

    fn nothing_for_job(&mut self, rule: &Rule) -> Option<(String, Option<String>)> {
        let requested = match self.jobs.origins.get(rule.job?)? {
            JobOrigin::Wanted(requested) | JobOrigin::Unwanted(requested) => requested.clone(),
            JobOrigin::Base | JobOrigin::Policy => return None,
        };
        let instead = find_instead(self.catalogue, &Missing::from_wanted(self.catalogue, &requested.what));
        Some((format!("no repository has it{}", instead.text), instead.help))
    }

    fn unwanted(&self, rule: &Rule) -> Option<(String, Option<String>)> {
        match self.jobs.origins.get(rule.job?)? {
            JobOrigin::Unwanted(requested) => {
                Some((format!("`{}` must not be there", requested.what.text()), None))
            }
            JobOrigin::Wanted(_) | JobOrigin::Base | JobOrigin::Policy => None,
        }
    }

    fn instead(&mut self, dependency: Option<DependencyId>) -> super::instead::Instead {
        let text =
            dependency.map(|dependency| self.catalogue.pool.dependency_text(dependency)).unwrap_or_default();
        find_instead(self.catalogue, &Missing::from_text(&text))
    }
}

fn asked_text(origin: &JobOrigin) -> Option<String> {
    match origin {
        JobOrigin::Wanted(Requested { what, by }) => Some(format!("{by}: {}", what.text())),
        JobOrigin::Unwanted(Requested { what, by }) => Some(format!("{by}: {}", what.text())),
        JobOrigin::Base | JobOrigin::Policy => None,
    }
}
