//! Which packages are in a root.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use super::chosen_set::{ChosenSet, GivenRoot};
use super::repositories::{OWN, OpenRepositories};
use super::{ChrootRequest, RootError, RootTools};
use crate::chroot::repository::folder::available;
use crate::chroot::solve::{
    Architecture, PackageIndex, Requested, Solution, SolveRequest, Solver, Wanted, WeakDependencies,
};
use crate::chroot::{AvailablePackage, Checksum, LockedChroot, LockedPackage, LockedSet, RepositorySource};
use crate::digest::{Digest, Encoder};
use crate::package::{Dependency, PackageRecord};
use crate::store::Blob;
use crate::text::suggestion;

/// Whether a lock may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockRule {
    /// What is asked for and not locked is chosen, and locked.
    #[default]
    MayChange,
    /// It is an error.
    Frozen,
}

/// What a build needs beside the minimal root.
#[derive(Clone, Debug)]
pub struct BuildWish {
    /// The package that is built.
    pub package: String,
    /// What it requires that this manifest doesn't build.
    pub requires: Vec<Dependency>,
    /// What it required before its root was extended, each time, where it finds that out while it runs
    /// (`%generate_buildrequires`): a forge that doesn't know yet what it names begins there, and the lock has to hold that.
    pub before: Vec<Vec<Dependency>>,
    /// What must not be there.
    pub conflicts: Vec<Dependency>,
    /// What asks for it on the command line, where no spec does.
    pub asked_with: Option<&'static str>,
}

impl BuildWish {
    /// Adds what the build has named while it ran.
    pub fn extend(&mut self, named: impl IntoIterator<Item = Dependency>) {
        self.before.push(self.requires.clone());
        self.requires.extend(named);
    }
}

/// A package that this manifest has built, as if a repository had it.
pub fn own_package(record: &PackageRecord, blob: &Blob, checksum: Checksum) -> AvailablePackage {
    available(record, (String::new(), checksum, blob.size))
}

/// Chooses the packages of the roots of a chroot.
pub struct PackageChooser {
    request: ChrootRequest,
    architecture: Architecture,
    tools: RootTools,
    rule: LockRule,
    /// What is in every root, where that is not chosen.
    given: Option<GivenRoot>,
    state: Mutex<ChooserState>,
}

struct ChooserState {
    locked: LockedChroot,
    open: Option<OpenRepositories>,
}

/// What a build asks for at first, or after its root was extended.
struct Phase<'w> {
    wish: &'w BuildWish,
    requires: &'w [Dependency],
    asked: Digest,
}

impl Phase<'_> {
    fn id(&self) -> (String, Digest) {
        (self.wish.package.clone(), self.asked)
    }
}

/// What came of phases, by package and digest of what was asked.
type SolvedPhases = HashMap<(String, Digest), Result<Solution, RootError>>;

impl PackageChooser {
    /// A chooser for a chroot, of which `locked` is known.
    ///
    /// # Errors
    /// Its architecture is none.
    pub fn new(
        request: ChrootRequest,
        locked: LockedChroot,
        rule: LockRule,
        tools: RootTools,
    ) -> Result<Self, RootError> {
        let architecture = Architecture::new(&request.arch);
        let architecture = architecture.ok_or_else(|| RootError::Arch { arch: request.arch.clone() })?;
        let state = Mutex::new(ChooserState { locked, open: None });
        Ok(Self { request, architecture, tools, rule, given: None, state })
    }

    /// Chooses nothing from now on: all roots are the one that is given.
    pub fn keep_to(&mut self, given: GivenRoot) {
        self.given = Some(given);
    }

    /// What it chooses for.
    pub fn request(&self) -> &ChrootRequest {
        &self.request
    }

    /// What it is done with.
    pub fn tools(&self) -> &RootTools {
        &self.tools
    }

    /// What is locked by now.
    pub fn locked(&self) -> LockedChroot {
        let mut locked = self.lock().locked.clone();
        locked.forget_unused();
        locked
    }

    /// The digest of the states of the repositories, on which depends what is chosen for packages that are not built yet.
    pub fn states_digest(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge repository states v1");
        for (name, repository) in &self.lock().locked.repositories {
            let state = repository.repomd.as_ref().map(ToString::to_string);
            encoder.option(name, state.as_deref());
        }
        encoder.digest()
    }

    /// The minimal root.
    ///
    /// # Errors
    /// No packages do, or a repository can't be used.
    pub fn choose_minimal(&self) -> Result<Vec<LockedPackage>, RootError> {
        if let Some(given) = &self.given {
            return Ok(given.minimal.clone());
        }
        let asked = self.asked_of_minimal();
        let mut state = self.lock();
        let set = state.locked.minimal.as_ref().filter(|set| set.asked == asked);
        if let Some(packages) = set.and_then(|set| state.locked.packages_of(set)) {
            return Ok(packages);
        }
        self.check_rule("what the minimal root consists of")?;
        self.open(&mut state)?;
        let request = self.minimal_request(&state)?;
        let solution = self.solve(&mut state, std::slice::from_ref(&request), None)?.remove(0)?;
        let packages = solution.locked();
        let chroot = &mut state.locked;
        let set = chroot.set(asked, &packages);
        chroot.minimal = Some(set);
        // They were chosen to go with another one.
        chroot.builds.clear();
        Ok(packages)
    }

    /// What each build has beside the minimal root and what this manifest builds.
    ///
    /// # Errors
    /// A repository can't be used; that no packages do for one of the builds, or that they are not locked where they have to be,
    /// is its own answer.
    pub fn choose_for_builds(
        &self,
        wishes: &[BuildWish],
    ) -> Result<Vec<Result<ChosenSet, RootError>>, RootError> {
        if let Some(given) = &self.given {
            return Ok(wishes.iter().map(|_| Ok(given.chosen(&[]))).collect());
        }
        let minimal = self.choose_minimal()?;
        let mut state = self.lock();
        let phases: Vec<Vec<Phase<'_>>> = wishes.iter().map(|wish| self.phases_of(wish)).collect();
        let is_locked = |state: &ChooserState, phase: &Phase<'_>| {
            self.find_locked(state, &phase.wish.package, &phase.asked, &minimal).is_some()
        };
        let open: Vec<&Phase<'_>> = match self.rule {
            LockRule::MayChange => phases.iter().flatten().collect(),
            LockRule::Frozen => phases.iter().filter_map(|of_build| of_build.last()).collect(),
        };
        let open: Vec<&Phase<'_>> = open.into_iter().filter(|phase| !is_locked(&state, phase)).collect();
        let mut solved = match self.rule {
            LockRule::MayChange => self.solve_phases(&mut state, &open, &minimal)?,
            LockRule::Frozen => self.refuse_phases(&mut state, &open, &minimal),
        };
        let mut answers = Vec::new();
        for of_build in &phases {
            answers.extend(self.answer(&mut state, of_build, &mut solved, &minimal));
        }
        Ok(answers)
    }

    /// Why each package is in the minimal root.
    ///
    /// # Errors
    /// No packages do, or a repository can't be used.
    pub fn explain_minimal(&self) -> Result<Solution, RootError> {
        let mut state = self.lock();
        self.open(&mut state)?;
        let request = self.minimal_request(&state)?;
        self.solve(&mut state, &[request], None)?.remove(0)
    }

    /// Why each package is in the root of a build.
    ///
    /// # Errors
    /// As [`PackageChooser::explain_minimal`].
    pub fn explain_build(&self, wish: &BuildWish) -> Result<Solution, RootError> {
        let minimal = self.choose_minimal()?;
        let mut state = self.lock();
        self.open(&mut state)?;
        let phase =
            Phase { wish, requires: &wish.requires, asked: self.asked_of_build(&wish.requires, wish) };
        let request = self.build_request(&state, &phase, &minimal);
        self.solve(&mut state, &[request], None)?.remove(0)
    }

    /// What a build has by the lock alone.
    pub fn find_locked_set(&self, wish: &BuildWish) -> Option<ChosenSet> {
        let state = self.lock();
        let asked = self.asked_of_minimal();
        let minimal = state.locked.minimal.as_ref().filter(|set| set.asked == asked)?;
        let minimal = state.locked.packages_of(minimal)?;
        self.find_locked(&state, &wish.package, &self.asked_of_build(&wish.requires, wish), &minimal)
    }

    /// What the repositories' packages provide of `names`, a file as itself. None where a repository does not say any more which
    /// packages have a file.
    ///
    /// # Errors
    /// A repository can't be used.
    pub fn provided(&self, names: &BTreeSet<String>) -> Result<Option<Vec<Dependency>>, RootError> {
        let mut state = self.lock();
        self.open(&mut state)?;
        state.open.as_mut().map_or(Ok(None), |open| open.provided(names, &self.tools))
    }

    /// Forgets what other builds than these have.
    pub fn forget_other_builds(&self, names: &BTreeSet<String>) {
        if self.rule == LockRule::MayChange {
            self.lock().locked.builds.retain(|package, _| names.contains(package.as_str()));
        }
    }

    fn find_locked(
        &self,
        state: &ChooserState,
        package: &str,
        asked: &Digest,
        minimal: &[LockedPackage],
    ) -> Option<ChosenSet> {
        let set = state.locked.set_of_build(package, asked)?;
        let added = state.locked.packages_of(set)?;
        let stays = |package: &&LockedPackage| !set.without.contains(&package.nevra());
        let minimal = minimal.iter().filter(stays).cloned().collect();
        Some(ChosenSet { minimal, added, own: Vec::new(), replaces: !set.without.is_empty() })
    }

    /// What a build asks for, one time after the other.
    fn phases_of<'w>(&self, wish: &'w BuildWish) -> Vec<Phase<'w>> {
        let all = wish.before.iter().chain([&wish.requires]);
        let mut phases: Vec<Phase<'w>> = Vec::new();
        for requires in all {
            let asked = self.asked_of_build(requires, wish);
            // What this manifest builds asks for no other root.
            phases.retain(|phase| phase.asked != asked);
            phases.push(Phase { wish, requires, asked });
        }
        phases
    }

    fn solve_phases(
        &self,
        state: &mut ChooserState,
        open: &[&Phase<'_>],
        minimal: &[LockedPackage],
    ) -> Result<SolvedPhases, RootError> {
        if open.is_empty() {
            return Ok(SolvedPhases::new());
        }
        self.open(state)?;
        let requests: Vec<SolveRequest> =
            open.iter().map(|phase| self.build_request(state, phase, minimal)).collect();
        let solved = self.solve(state, &requests, None)?;
        Ok(open.iter().map(|phase| phase.id()).zip(solved).collect())
    }

    /// Why builds can't be had whose packages are not locked: where no packages do for one, in the solver's words.
    fn refuse_phases(
        &self,
        state: &mut ChooserState,
        open: &[&Phase<'_>],
        minimal: &[LockedPackage],
    ) -> SolvedPhases {
        // Where the repositories can't be asked, it is still so that it is not locked.
        let mut solved = self.solve_phases(state, open, minimal).unwrap_or_default();
        let refusal = |phase: &&Phase<'_>| {
            let unsolvable = solved.remove(&phase.id()).and_then(Result::err);
            let what = format!("what `{}` is built with", phase.wish.package);
            (phase.id(), Err(unsolvable.unwrap_or_else(|| self.not_locked(&what))))
        };
        open.iter().map(refusal).collect()
    }

    /// Locks what was solved of a build, and gives what it has at last.
    fn answer(
        &self,
        state: &mut ChooserState,
        phases: &[Phase<'_>],
        solved: &mut SolvedPhases,
        minimal: &[LockedPackage],
    ) -> Option<Result<ChosenSet, RootError>> {
        let (package, last) = (&phases.first()?.wish.package, phases.last()?.asked);
        let mut sets = Vec::new();
        let mut answer = None;
        for phase in phases {
            match solved.remove(&phase.id()) {
                Some(Ok(solution)) => {
                    let chosen = ChosenSet::of_solution(minimal, &solution);
                    let mut set = state.locked.set(phase.asked, &chosen.added);
                    set.without = solution.replaced.iter().map(LockedPackage::nevra).collect();
                    sets.push(set);
                    answer = Some(Ok(chosen));
                }
                Some(Err(error)) => answer = Some(Err(error)),
                None => {
                    sets.extend(state.locked.set_of_build(package, &phase.asked).cloned());
                    answer = self.find_locked(state, package, &last, minimal).map(Ok);
                }
            }
        }
        if self.rule == LockRule::MayChange && !sets.is_empty() {
            state.locked.builds.insert(package.clone(), sets);
        }
        answer
    }

    /// All that a build has whose requirements packages of this manifest meet in part: those, and what they need.
    ///
    /// # Errors
    /// No packages do, or a repository can't be used.
    pub fn choose_with_own(
        &self,
        wish: &BuildWish,
        own: &[AvailablePackage],
    ) -> Result<ChosenSet, RootError> {
        if let Some(given) = &self.given {
            return Ok(given.chosen(own));
        }
        let minimal = self.choose_minimal()?;
        let mut state = self.lock();
        self.open(&mut state)?;
        let too_many = |source| RootError::Index { repository: OWN.to_owned(), source };
        let index = PackageIndex::new(own.iter().cloned()).map_err(too_many)?;
        let phase =
            Phase { wish, requires: &wish.requires, asked: self.asked_of_build(&wish.requires, wish) };
        let mut request = self.build_request(&state, &phase, &minimal);
        let build = state.locked.builds.get(&wish.package).and_then(|sets| sets.last());
        let preferred = build.and_then(|set| state.locked.packages_of(set)).unwrap_or_default();
        request.locked.extend(preferred);
        let solution = self.solve(&mut state, &[request], Some(&index))?.remove(0)?;
        let mut chosen = ChosenSet::of_solution(&minimal, &solution);
        let all = solution.locked();
        let is_chosen = |package: &&AvailablePackage| {
            all.iter().any(|other| other.repository == OWN && other.checksum == package.checksum)
        };
        chosen.own = own.iter().filter(is_chosen).cloned().collect();
        Ok(chosen)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ChooserState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_rule(&self, what: &str) -> Result<(), RootError> {
        match self.rule {
            LockRule::MayChange => Ok(()),
            LockRule::Frozen => Err(self.not_locked(what)),
        }
    }

    fn not_locked(&self, what: &str) -> RootError {
        RootError::Locked { chroot: self.request.name.clone(), what: what.to_owned() }
    }

    fn open(&self, state: &mut ChooserState) -> Result<(), RootError> {
        if state.open.is_none() {
            let open = OpenRepositories::open(&self.request, &state.locked, &self.tools)?;
            state.locked.repositories = open.states();
            state.open = Some(open);
        }
        Ok(())
    }

    fn solve(
        &self,
        state: &mut ChooserState,
        requests: &[SolveRequest],
        own: Option<&PackageIndex>,
    ) -> Result<Vec<Result<Solution, RootError>>, RootError> {
        let Some(open) = &mut state.open else { return Ok(Vec::new()) };
        let mut solver = open.solver(&self.architecture, own)?;
        let unknown = open.unknown_files(&mut solver, requests);
        if unknown.is_empty() {
            return Ok(solve_all(solver, requests));
        }
        drop(solver);
        open.search_files(&unknown, &self.tools)?;
        Ok(solve_all(open.solver(&self.architecture, own)?, requests))
    }

    fn minimal_request(&self, state: &ChooserState) -> Result<SolveRequest, RootError> {
        let groups = state.open.as_ref().map(|open| open.groups.clone()).unwrap_or_default();
        let mut named = self.request.install.iter().filter_map(|text| text.strip_prefix('@'));
        if let Some(group) = named.find(|group| !groups.contains_key(*group)) {
            let known = groups.keys().map(String::as_str);
            return Err(RootError::NoGroup {
                chroot: self.request.name.clone(),
                group: group.to_owned(),
                help: match groups.is_empty() {
                    true => {
                        "name in `install` what the root is to have: packages, files, capabilities".to_owned()
                    }
                    false => suggestion(group, "groups", known),
                },
            });
        }
        let by = format!("`install` of chroot `{}`", self.request.name);
        let wanted = self
            .request
            .install
            .iter()
            .map(|text| Requested { what: Wanted::Specification(text.clone()), by: by.clone() });
        let locked = state.locked.packages.values().cloned().collect();
        let (wanted, weak) = (wanted.collect(), self.request.weak);
        Ok(SolveRequest { wanted, locked, groups, weak, ..SolveRequest::new(self.architecture.clone()) })
    }

    fn build_request(
        &self,
        state: &ChooserState,
        Phase { wish, requires, .. }: &Phase<'_>,
        minimal: &[LockedPackage],
    ) -> SolveRequest {
        let asked = |what: &str, dependency: &Dependency| Requested {
            what: Wanted::Dependency(dependency.clone()),
            by: wish.asked_with.map_or_else(|| format!("{what} of `{}`", wish.package), str::to_owned),
        };
        SolveRequest {
            wanted: requires.iter().map(|dependency| asked("BuildRequires", dependency)).collect(),
            unwanted: wish.conflicts.iter().map(|dependency| asked("BuildConflicts", dependency)).collect(),
            base: minimal.to_vec(),
            weak: self.request.weak,
            locked: state.locked.packages.values().cloned().collect(),
            ..SolveRequest::new(self.architecture.clone())
        }
    }

    fn asked_of_minimal(&self) -> Digest {
        let ChrootRequest { name: _, arch, repositories, install, weak } = &self.request;
        let mut encoder = Encoder::new("rpmforge minimal root v1");
        encoder.text("arch", arch);
        if *weak == WeakDependencies::Taken {
            encoder.text("weak dependencies", "taken");
        }
        let mut install: Vec<&String> = install.iter().collect();
        install.sort();
        encoder.list("install", install.into_iter(), |encoder, text| {
            encoder.text("package", text);
        });
        encoder.list("repositories", repositories.iter(), |encoder, repository| {
            encoder.text("name", &repository.name);
            let source = match &repository.source {
                RepositorySource::BaseUrls(urls) => urls.join(" "),
                RepositorySource::MirrorList(url) | RepositorySource::Metalink(url) => url.clone(),
                RepositorySource::Folder(path) => path.to_string(),
            };
            encoder.text("source", &source);
            encoder.text("priority", &repository.priority.to_string());
            encoder.text("cost", &repository.cost.to_string());
            encoder.text("exclude", &repository.exclude.join(" "));
            encoder.text("include", &repository.include.join(" "));
            for (name, value) in &repository.variables {
                encoder.text(name, value);
            }
        });
        encoder.digest()
    }

    fn asked_of_build(&self, requires: &[Dependency], wish: &BuildWish) -> Digest {
        let mut encoder = Encoder::new("rpmforge build root v1");
        encoder.digest_field("minimal", &self.asked_of_minimal());
        for (name, list) in [("requires", requires), ("conflicts", &wish.conflicts)] {
            let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            encoder.list(name, texts.iter(), |encoder, text| {
                encoder.text("dependency", text);
            });
        }
        encoder.digest()
    }
}

fn solve_all(mut solver: Solver<'_>, requests: &[SolveRequest]) -> Vec<Result<Solution, RootError>> {
    requests.iter().map(|request| solver.solve(request).map_err(RootError::from)).collect()
}

impl LockedSet {
    /// The digest of packages: their names, versions and checksums.
    pub fn digest_of(packages: &[LockedPackage]) -> Digest {
        let mut sorted: Vec<String> =
            packages.iter().map(|package| format!("{} {}", package.nevra(), package.checksum)).collect();
        sorted.sort();
        let mut encoder = Encoder::new("rpmforge packages of a root v1");
        encoder.list("packages", sorted.iter(), |encoder, text| {
            encoder.text("package", text);
        });
        encoder.digest()
    }
}
