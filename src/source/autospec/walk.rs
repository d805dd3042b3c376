//! Works out releases and changes: down from the newest commit as far as it matters, and back up.

use std::collections::{BTreeMap, VecDeque};

use super::entry::{HistoryEntry, message_items};
use super::history::{HistoryCommit, PackageHistory, SpecVersion};
use super::magic::Magic;

/// What is to be worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryQuestion {
    /// The release.
    Release,
    /// The changes too.
    Changelog,
}

/// What was worked out of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkedOut {
    /// What the spec says of its version; nothing where it can't be read.
    pub version: Option<SpecVersion>,
    /// The number of the release, without what `-b` adds.
    pub release_number: u64,
    /// The whole release, without what the distribution adds.
    pub release: String,
    /// The changes, the newest first.
    pub changelog: Vec<HistoryEntry>,
}

impl WorkedOut {
    /// The changes as they stand in a spec.
    pub fn changelog_text(&self) -> String {
        self.changelog.iter().map(HistoryEntry::text).collect::<Vec<_>>().join("\n\n")
    }
}

/// Works out the release and the changes of the package at `head`.
///
/// # Errors
/// The history can't be read.
pub fn work_out<H: PackageHistory>(
    history: &H,
    head: &H::Id,
    wanted: HistoryQuestion,
) -> Result<WorkedOut, H::Error> {
    let mut walk =
        Walk { history, wanted, commits: BTreeMap::new(), versions: BTreeMap::new(), seen: BTreeMap::new() };
    let order = walk.go_down(head)?;
    let mut results: BTreeMap<H::Id, WorkedOut> = BTreeMap::new();
    for id in order.iter().rev() {
        if let Some(Visit { is_processed: true, child_removed_changelog, .. }) = walk.seen.get(id).cloned() {
            let result = walk.come_up(id, child_removed_changelog, &results)?;
            results.insert(id.clone(), result);
        }
    }
    let nothing =
        || WorkedOut { version: None, release_number: 0, release: "0".to_owned(), changelog: Vec::new() };
    Ok(results.remove(head).unwrap_or_else(nothing))
}

/// What was found on the way down.
#[derive(Clone, Debug, Default)]
struct Visit {
    is_processed: bool,
    /// Whether those before it matter for its release.
    release_goes_on: bool,
    /// Whether those before it matter for the changes.
    changelog_goes_on: bool,
    /// Whether the file `changelog` was removed here or later, if anybody has looked.
    removed_changelog: Option<bool>,
    /// What those after it say of that.
    child_removed_changelog: Option<bool>,
}

/// Which commits come right after each.
type Children<Id> = BTreeMap<Id, Vec<Id>>;

struct Walk<'a, H: PackageHistory> {
    history: &'a H,
    wanted: HistoryQuestion,
    commits: BTreeMap<H::Id, HistoryCommit<H::Id>>,
    versions: BTreeMap<H::Id, Option<SpecVersion>>,
    seen: BTreeMap<H::Id, Visit>,
}

impl<H: PackageHistory> Walk<'_, H> {
    fn load(&mut self, id: &H::Id) -> Result<HistoryCommit<H::Id>, H::Error> {
        if let Some(commit) = self.commits.get(id) {
            return Ok(commit.clone());
        }
        let commit = self.history.commit(id)?;
        self.commits.insert(id.clone(), commit.clone());
        Ok(commit)
    }

    fn version(&mut self, id: &H::Id) -> Result<Option<SpecVersion>, H::Error> {
        if let Some(version) = self.versions.get(id) {
            return Ok(version.clone());
        }
        let version = if self.load(id)?.has_spec { self.history.spec_version(id)? } else { None };
        self.versions.insert(id.clone(), version.clone());
        Ok(version)
    }

    /// Which commits come right after each.
    fn children(&mut self, head: &H::Id) -> Result<Children<H::Id>, H::Error> {
        let mut children: BTreeMap<H::Id, Vec<H::Id>> = BTreeMap::new();
        let mut open = vec![head.clone()];
        children.insert(head.clone(), Vec::new());
        while let Some(id) = open.pop() {
            for parent in self.load(&id)?.parents {
                if !children.contains_key(&parent) {
                    open.push(parent.clone());
                }
                children.entry(parent).or_default().push(id.clone());
            }
        }
        Ok(children)
    }

    /// Visits commits along their first parents, and the other branches afterwards, each commit once all that come after it
    /// were visited. Gives them in that order. Where a line of commits has ceased to matter, it stays so to the end of that
    /// line, even if another branch joins it: so rpmautospec has it.
    fn go_down(&mut self, head: &H::Id) -> Result<Vec<H::Id>, H::Error> {
        let children = self.children(head)?;
        let mut order = Vec::new();
        let mut heads = VecDeque::from([head.clone()]);
        while let Some(start) = heads.pop_front() {
            let (mut id, mut matters) = (start, true);
            loop {
                if self.seen.contains_key(&id) {
                    break;
                }
                let of_commit = children.get(&id).map(Vec::as_slice).unwrap_or_default();
                if id != *head && !of_commit.iter().all(|child| self.seen.contains_key(child)) {
                    heads.push_back(id);
                    break;
                }
                let above = if id == *head { Visit::first() } else { self.merge(of_commit) };
                let goes_on = above.release_goes_on
                    || (self.wanted == HistoryQuestion::Changelog && above.changelog_goes_on);
                matters = matters && goes_on;
                let visit = if matters { self.visit(&id, &above)? } else { Visit::default() };
                self.seen.insert(id.clone(), visit);
                order.push(id.clone());
                let parents = self.load(&id)?.parents;
                let Some((first, others)) = parents.split_first() else { break };
                heads.extend(others.iter().filter(|parent| !self.seen.contains_key(parent)).cloned());
                id = first.clone();
            }
        }
        Ok(order)
    }

    /// What all that come after a commit say together.
    fn merge(&self, children: &[H::Id]) -> Visit {
        let mut merged = Visit::default();
        for child in children.iter().filter_map(|child| self.seen.get(child)) {
            merged.release_goes_on |= child.release_goes_on;
            merged.changelog_goes_on |= child.changelog_goes_on;
            merged.removed_changelog = match (merged.removed_changelog, child.removed_changelog) {
                (Some(one), Some(other)) => Some(one && other),
                (one, other) => one.or(other),
            };
        }
        merged
    }

    fn visit(&mut self, id: &H::Id, above: &Visit) -> Result<Visit, H::Error> {
        let release_goes_on = self.release_goes_on(id)?;
        let changes = self.changelog_changes(id)?;
        let child_removed = above.removed_changelog;
        let removed = !changes.is_new && (child_removed.unwrap_or_default() || changes.is_removed);
        Ok(Visit {
            is_processed: true,
            release_goes_on,
            changelog_goes_on: !(changes.is_new || changes.is_unresolvable) && above.changelog_goes_on,
            removed_changelog: Some(removed),
            child_removed_changelog: child_removed,
        })
    }

    /// Whether one before has the same version, or none that can be read.
    fn release_goes_on(&mut self, id: &H::Id) -> Result<bool, H::Error> {
        let Some(version) = self.version(id)? else { return Ok(true) };
        for parent in self.load(id)?.parents {
            match self.version(&parent)? {
                Some(other) if other.epoch_version != version.epoch_version => {}
                Some(_) | None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// What a commit does to the file `changelog`.
    fn changelog_changes(&mut self, id: &H::Id) -> Result<ChangelogChanges<H::Id>, H::Error> {
        let commit = self.load(id)?;
        let parents: Vec<HistoryCommit<H::Id>> =
            commit.parents.iter().map(|parent| self.load(parent)).collect::<Result<_, _>>()?;
        let is_changed = match parents.is_empty() {
            true => commit.changelog.is_some(),
            false => parents.iter().all(|parent| parent.changelog != commit.changelog),
        };
        let is_removed =
            commit.changelog.is_none() && parents.iter().any(|parent| parent.changelog.is_some());
        let same = || commit.parents.iter().zip(&parents).find(|(_, parent)| parent.tree == commit.tree);
        let followed = match commit.parents.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            [_, _, ..] => same().map(|(id, _)| id.clone()),
        };
        let is_unresolvable = commit.parents.len() > 1 && followed.is_none() && !is_changed;
        Ok(ChangelogChanges {
            is_new: is_changed && commit.changelog.is_some(),
            is_removed,
            is_unresolvable,
            followed,
        })
    }

    fn come_up(
        &mut self,
        id: &H::Id,
        child_removed_changelog: Option<bool>,
        results: &BTreeMap<H::Id, WorkedOut>,
    ) -> Result<WorkedOut, H::Error> {
        let commit = self.load(id)?;
        let version = self.version(id)?;
        let magic = Magic::read(&commit.message);
        let number_of = |parent: &H::Id| {
            let result = results.get(parent)?;
            // Between two equal versions there may be a spec that can't be read.
            let is_same = match (&version, &result.version) {
                (Some(one), Some(other)) => one.epoch_version == other.epoch_version,
                (None, _) | (_, None) => true,
            };
            is_same.then_some(result.release_number)
        };
        let before = commit.parents.iter().filter_map(number_of).max().unwrap_or_default();
        let release_number = before.saturating_add(u64::from(commit.has_spec)).max(magic.least_release);
        let (base, tags, is_prerelease) = match &version {
            Some(version) => (version.base, version.tags(), version.is_prerelease),
            None => (1, String::new(), false),
        };
        // `-b 0` gives one less.
        let number = (release_number.saturating_add(base)).saturating_sub(1);
        let release = format!("{}{number}{tags}", if is_prerelease { "0." } else { "" });
        let mut result = WorkedOut { version, release_number, release, changelog: Vec::new() };
        if self.wanted == HistoryQuestion::Changelog {
            result.changelog = self.changelog(id, (&result, magic), child_removed_changelog, results)?;
        }
        Ok(result)
    }

    fn changelog(
        &mut self,
        id: &H::Id,
        (result, magic): (&WorkedOut, Magic),
        child_removed_changelog: Option<bool>,
        results: &BTreeMap<H::Id, WorkedOut>,
    ) -> Result<Vec<HistoryEntry>, H::Error> {
        let commit = self.load(id)?;
        let changes = self.changelog_changes(id)?;
        let entry = |items: Vec<String>| HistoryEntry::Commit {
            seconds: commit.seconds,
            author: commit.author.clone(),
            version_release: result
                .version
                .as_ref()
                .map(|version| format!("{}-{}", version.epoch_version, result.release)),
            items,
        };
        if changes.is_unresolvable {
            return Ok(vec![entry(vec!["RPMAUTOSPEC: unresolvable merge".to_owned()])]);
        }
        if changes.is_new {
            // Where the file was removed later, what it said was not meant to stay.
            return match child_removed_changelog {
                Some(true) => Ok(Vec::new()),
                Some(false) | None => Ok(vec![HistoryEntry::Text(self.history.changelog(id)?)]),
            };
        }
        let followed = changes.followed.as_ref().and_then(|parent| results.get(parent));
        let before = followed.map(|followed| followed.changelog.clone()).unwrap_or_default();
        let is_merge = commit.parents.len() > 1 && followed.is_some();
        if magic.skips_changelog || !commit.has_spec || is_merge {
            return Ok(before);
        }
        let mut changelog = vec![entry(message_items(&commit.message))];
        changelog.extend(before);
        Ok(changelog)
    }
}

impl Visit {
    /// What the newest commit is told of those after it, which there are not.
    fn first() -> Self {
        Self { release_goes_on: true, changelog_goes_on: true, ..Self::default() }
    }
}

/// What a commit does to the file `changelog`.
struct ChangelogChanges<Id> {
    /// There is one, and none of those before has the same.
    is_new: bool,
    /// There is none, and there was one.
    is_removed: bool,
    /// It is a merge of which nobody can say where its changes come from.
    is_unresolvable: bool,
    /// The parent whose changes go on.
    followed: Option<Id>,
}
