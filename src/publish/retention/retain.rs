//! From what is wanted and what is on record to what stays, and what becomes of each build.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::policy::{hide_replaced, judge};
use super::required::{AskNeeds, Needed, find_needed, read_needs};
use super::rules::{Keep, retired_as};
use super::verdict::{Verdict, WhyGoes, WhyStays};
use crate::event::Timestamp;
use crate::manifest::Age;
use crate::publish::PublishError;
use crate::publish::record::{Keeping, PublishedPackage, RepositoryRecord, Retired};

/// What stays in a repository, and what becomes of each build.
pub(in crate::publish) struct Retained {
    /// By package, the newest build first.
    pub packages: Vec<PublishedPackage>,
    pub retired: Vec<Retired>,
    /// Every build that there was or is to be, in the same order, and what becomes of it. None where the newest ones are all that there is.
    pub judged: Option<Vec<(PublishedPackage, Verdict)>>,
    /// What could not be looked at.
    pub warning: Option<String>,
}

impl Retained {
    /// Every build that there was in `record` or is to be, and what becomes of it.
    pub fn into_judged(
        self,
        record: &RepositoryRecord,
        declared: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Vec<(PublishedPackage, Verdict)> {
        match self.judged {
            Some(judged) => judged,
            None => judge_without_rules(record, &self.packages, declared, now),
        }
    }
}

/// Decides which builds stay, where `newest` are to be the newest ones of their packages.
pub(in crate::publish) fn retain(
    (record, newest): (&RepositoryRecord, Vec<PublishedPackage>),
    (keep, declared): (&Keep, &BTreeSet<&str>),
    now: Timestamp,
    needs: AskNeeds<'_>,
) -> Retained {
    if !keep.keeps_builds() {
        let newest = newest.into_iter();
        let packages = newest.map(|package| PublishedPackage { keeping: Keeping::default(), ..package });
        let packages: Vec<PublishedPackage> = packages.collect();
        return Retained { packages, retired: Vec::new(), judged: None, warning: None };
    }
    let pool = pool(record, newest, now);
    let mut verdicts = judge(&pool, keep, declared, now);
    hide_replaced(&pool, &mut verdicts);
    let warning = match keep_needed(&pool, &mut verdicts, needs) {
        Ok(()) => None,
        // What is required can't be known then: nothing goes that might be.
        Err(error) => {
            verdicts.iter_mut().for_each(|verdict| {
                if verdict.may_be_needed() {
                    *verdict = Verdict::Stays(WhyStays::Unknown);
                }
            });
            Some(format!("which older builds are required was not looked at, and none goes: {error}"))
        }
    };
    // What stays because others need it may be of the version of a pinned one.
    hide_replaced(&pool, &mut verdicts);
    let mut retired = still_retired(record, &pool, keep, declared);
    let mut packages = Vec::new();
    let mut judged = Vec::new();
    for (mut package, verdict) in pool.into_iter().zip(verdicts) {
        match &verdict {
            Verdict::Stays(why) => {
                if let WhyStays::Required { by, .. } = why {
                    package.keeping.required_by = Some(by.clone());
                }
                package.keeping.hidden = *why == WhyStays::PinnedAndReplaced;
                packages.push(package.clone());
            }
            Verdict::Goes(_) => retired.extend(retire(&package)),
        }
        judged.push((package, verdict));
    }
    Retained { packages, retired, judged: Some(judged), warning }
}

/// What becomes of each build where the newest ones are all that there is.
fn judge_without_rules(
    record: &RepositoryRecord,
    newest: &[PublishedPackage],
    declared: &BTreeSet<&str>,
    now: Timestamp,
) -> Vec<(PublishedPackage, Verdict)> {
    let staying = newest.iter().map(|package| {
        let why = match declared.contains(package.package.as_str()) {
            true => WhyStays::Newest,
            false => WhyStays::Waits,
        };
        (package.clone(), Verdict::Stays(why))
    });
    let names: HashSet<&str> = newest.iter().map(|package| package.package.as_str()).collect();
    let paths: HashSet<Vec<&str>> = newest.iter().map(file_paths).collect();
    let going = record.packages.iter().filter(|package| !paths.contains(&file_paths(package)));
    let going = going.map(|package| {
        let since = package.keeping.since.unwrap_or(now);
        let why = match names.contains(package.package.as_str()) {
            true => WhyGoes::Superseded { since },
            false => WhyGoes::Undeclared,
        };
        (package.clone(), Verdict::Goes(why))
    });
    staying.chain(going).collect()
}

/// All builds that there are, by package, the newest first.
fn pool(record: &RepositoryRecord, newest: Vec<PublishedPackage>, now: Timestamp) -> Vec<PublishedPackage> {
    let mut pool = Vec::new();
    for mut package in newest {
        // Another signature makes other files of the same build.
        let is_same = |before: &&PublishedPackage| {
            before.package == package.package
                && (before.has_same_files(&package) || before.key.is_some() && before.key == package.key)
        };
        let before = record.newest().find(is_same);
        let came = before.and_then(|before| before.keeping.came);
        let came = came.or_else(|| retired_as(record, &package).map(|retired| retired.came));
        // A clock that has been put back must not keep anything for ever.
        package.keeping = Keeping { came: Some(came.unwrap_or(now).min(now)), ..Keeping::default() };
        pool.push(package);
    }
    let names: HashSet<Vec<&str>> = pool.iter().map(file_paths).collect();
    let by_package: HashMap<&str, &PublishedPackage> =
        pool.iter().map(|package| (package.package.as_str(), package)).collect();
    // Where only its files lie elsewhere now, it is the same build.
    let has_moved = |before: &PublishedPackage| {
        before.is_newest()
            && by_package.get(before.package.as_str()).is_some_and(|newest| newest.has_same_files(before))
    };
    let is_older = |package: &&PublishedPackage| !names.contains(&file_paths(package)) && !has_moved(package);
    let mut older: Vec<PublishedPackage> = record.packages.iter().filter(is_older).cloned().collect();
    for package in &mut older {
        let Keeping { came, since, .. } = &package.keeping;
        let (came, since) = (came.unwrap_or(now).min(now), since.unwrap_or(now).min(now));
        package.keeping = Keeping { came: Some(came), since: Some(since), ..Keeping::default() };
    }
    pool.extend(older);
    pool.sort_by(|one, other| order(one).cmp(&order(other)));
    pool
}

/// By package, newest first.
fn order(package: &PublishedPackage) -> (&str, bool, Reverse<Timestamp>, Reverse<Timestamp>) {
    let Keeping { came, since, .. } = &package.keeping;
    let (came, since) = (came.unwrap_or_default(), since.unwrap_or_default());
    (&package.package, !package.is_newest(), Reverse(since), Reverse(came))
}

fn file_paths(package: &PublishedPackage) -> Vec<&str> {
    package.files.iter().map(|file| file.path.as_str()).collect()
}

/// What has left for its age before, and is not there again in another build.
fn still_retired(
    record: &RepositoryRecord,
    pool: &[PublishedPackage],
    keep: &Keep,
    declared: &BTreeSet<&str>,
) -> Vec<Retired> {
    let newest: HashSet<&str> =
        pool.iter().filter(|it| it.is_newest()).map(|it| it.package.as_str()).collect();
    let ends = keep.rules.is_some_and(|rules| rules.newest != Age::Forever);
    let is_away = |retired: &&Retired| {
        ends && declared.contains(retired.package.as_str()) && !newest.contains(retired.package.as_str())
    };
    record.retired.iter().filter(is_away).cloned().collect()
}

fn retire(package: &PublishedPackage) -> Option<Retired> {
    let (key, came) = (package.key?, package.keeping.came?);
    package.is_newest().then(|| Retired { package: package.package.clone(), key, came })
}

/// Has builds stay that others need which stay; and older ones go that need what a build of the same version has replaced.
fn keep_needed(
    pool: &[PublishedPackage],
    verdicts: &mut [Verdict],
    ask: AskNeeds<'_>,
) -> Result<(), PublishError> {
    if verdicts.iter().all(Verdict::stays) {
        return Ok(());
    }
    let needs = read_needs(pool, ask)?;
    loop {
        let Needed { kept, broken } = find_needed(pool, verdicts, &needs);
        let is_whole = broken.is_empty();
        for (place, why) in broken {
            if let Some(verdict) = verdicts.get_mut(place) {
                *verdict = Verdict::Goes(why);
            }
        }
        if is_whole {
            for (place, why) in kept {
                if let Some(verdict) = verdicts.get_mut(place) {
                    *verdict = Verdict::Stays(why);
                }
            }
            return Ok(());
        }
    }
}
