//! libsolv: the one place that calls it, and all `unsafe` of the solver.
//!
//! libsolv keeps packages and what they need as numbers in a *pool*. The numbers of strings and dependencies are given out
//! by the pool that they belong to, and are checked against it wherever they come in: a number of another pool names some
//! other thing here, or nothing, but never memory that isn't the pool's.

#![expect(unsafe_code, reason = "libsolv is written in C; each block says why the call keeps to its rules")]

use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr::NonNull;

use rattler_libsolv_c as c;

use super::pool_ids::{
    DependencyId, FIRST_PACKAGE, Join, NewPackage, PackageId, RepositoryRank, StringId, Versions,
};
use super::pool_job::{Action, Options, PoolJob, Select};
use super::pool_rule::{Outcome, Rule, RuleKind};
use super::rich_size::RichSize;

/// Packages and their dependencies, to be solved.
///
/// The pool of libsolv lives as long as this, at one place in memory that libsolv gave out.
pub(super) struct Pool {
    raw: NonNull<c::Pool>,
    /// The packages that may be taken, while `considered` of the pool points to it.
    considered: Option<Box<c::Map>>,
    rich: HashMap<DependencyId, RichSize>,
    is_ready: bool,
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: the pool is ours, and nobody uses it after this. The map is taken from it before it is freed by the
        // function that belongs to `map_init`; it was made by that.
        unsafe {
            (*self.raw.as_ptr()).considered = std::ptr::null_mut();
            if let Some(map) = &mut self.considered {
                c::map_free(&raw mut **map);
            }
            c::pool_free(self.raw.as_ptr());
        }
    }
}

impl Pool {
    /// A pool with RPM's rules, for the architectures of a policy of libsolv (`x86_64:i686:i386`).
    pub fn new(architectures: &CStr) -> Option<Self> {
        // SAFETY: it takes nothing, and gives a pool or ends the program where there is no memory; null is looked for all
        // the same.
        let raw = NonNull::new(unsafe { c::pool_create() })?;
        // SAFETY: the pool was just made. The flags are numbers that it knows or ignores; `pool_setdisttype` is called
        // before there are packages, as it must be; the policy ends with NUL and is read through only.
        unsafe {
            let pool = raw.as_ptr();
            c::pool_setdebugmask(pool, 0);
            c::pool_setdebugcallback(pool, Some(ignore_message), std::ptr::null_mut());
            c::pool_setdisttype(pool, c::DISTTYPE_RPM.cast_signed());
            c::pool_setarchpolicy(pool, architectures.as_ptr());
            // As libsolv is built for Fedora: packages of one name may be there for 32 and for 64 bits.
            c::pool_set_flag(pool, c::POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS.cast_signed(), 1);
            // What is excluded is seen to be there, so that problems can say so.
            c::pool_set_flag(pool, c::POOL_FLAG_WHATPROVIDESWITHDISABLED.cast_signed(), 1);
        }
        Some(Self { raw, considered: None, rich: HashMap::new(), is_ready: false })
    }

    fn pool(&self) -> &c::Pool {
        // SAFETY: the pool lives as long as `self`; C changes it only in calls of `&mut self`, so that nothing changes
        // while this borrow lasts.
        unsafe { self.raw.as_ref() }
    }

    /// A string's number here: 1, that of the empty string, for one that isn't of this pool.
    fn check_string(&self, string: StringId) -> c::Id {
        if (1..self.pool().ss.nstrings).contains(&string.0) { string.0 } else { EMPTY }
    }

    fn check_dependency(&self, dependency: DependencyId) -> c::Id {
        let is_relation = dependency.0 < 0;
        let within = match is_relation {
            // libsolv marks relations with the highest bit.
            true => (1..self.pool().nrels).contains(&(dependency.0 & c::Id::MAX)),
            false => (1..self.pool().ss.nstrings).contains(&dependency.0),
        };
        if within { dependency.0 } else { EMPTY }
    }

    fn check_package(&self, package: PackageId) -> Option<c::Id> {
        (FIRST_PACKAGE..self.pool().nsolvables).contains(&package.0).then_some(package.0)
    }

    /// Makes room for strings and relations that will come.
    pub fn reserve(&mut self, strings: usize, bytes: usize, relations: usize) {
        let (Ok(count), Ok(bytes)) = (c::Id::try_from(strings), u32::try_from(bytes)) else { return };
        let Ok(relations) = c::Id::try_from(relations) else { return };
        // SAFETY: both only enlarge what the pool has; the string pool is its own.
        unsafe {
            let pool = self.raw.as_ptr();
            c::stringpool_reserve(&raw mut (*pool).ss, count, bytes);
            c::pool_resize_rels_hash(pool, relations);
        }
    }

    /// The number of a string. What stands after a NUL doesn't count.
    pub fn string(&mut self, text: &str) -> StringId {
        let text = text.split('\0').next().unwrap_or_default();
        let Ok(length) = u32::try_from(text.len()) else { return StringId(EMPTY) };
        // SAFETY: `text` has `length` bytes, which are copied.
        StringId(unsafe { c::pool_strn2id(self.raw.as_ptr(), text.as_ptr().cast(), length, 1) })
    }

    /// A name with versions.
    pub fn versioned(&mut self, name: StringId, versions: Versions, evr: StringId) -> DependencyId {
        let Versions { greater, equal, less } = versions;
        let flag = |is_set: bool, flag: u32| if is_set { flag } else { 0 };
        let flags = flag(greater, c::REL_GT) | flag(equal, c::REL_EQ) | flag(less, c::REL_LT);
        let (name, evr) = (self.check_string(name), self.check_string(evr));
        // SAFETY: both are strings of this pool, and the flags are among the three of comparisons.
        DependencyId(unsafe { c::pool_rel2id(self.raw.as_ptr(), name, evr, flags.cast_signed(), 1) })
    }

    /// A rich dependency out of two; `None` if it is too deep or too large to be worked with.
    pub fn rich(&mut self, left: DependencyId, join: Join, right: DependencyId) -> Option<DependencyId> {
        let size = self.rich_size(left).join(join, self.rich_size(right))?;
        let (left, right) = (self.check_dependency(left), self.check_dependency(right));
        // SAFETY: both are dependencies of this pool, which stand before the one that is made of them: they go no circles,
        // and are never deeper than `DEEPEST`, as functions of libsolv that call themselves need it.
        let id = DependencyId(unsafe { c::pool_rel2id(self.raw.as_ptr(), left, right, join.flags(), 1) });
        self.rich.insert(id, size);
        Some(id)
    }

    fn rich_size(&self, dependency: DependencyId) -> RichSize {
        self.rich.get(&dependency).copied().unwrap_or(RichSize::PLAIN)
    }

    /// A new repository with that many packages, which have no names yet; the first of them.
    pub fn add_repository(
        &mut self,
        name: &CStr,
        standing: RepositoryRank,
        count: usize,
    ) -> Option<FilledRepository<'_>> {
        let count = c::Id::try_from(count).ok().filter(|count| *count < MOST_PACKAGES && !self.is_ready)?;
        // SAFETY: the name is copied; the repository is the pool's and lives as long as it. Its priority and its
        // sub-priority are numbers of its own; the block of packages is the pool's.
        let (repository, first) = unsafe {
            let repository = NonNull::new(c::repo_create(self.raw.as_ptr(), name.as_ptr()))?;
            (*repository.as_ptr()).priority = standing.priority.saturating_neg();
            (*repository.as_ptr()).subpriority = standing.cost.saturating_neg();
            (repository, c::repo_add_solvable_block(repository.as_ptr(), count))
        };
        Some(FilledRepository { pool: self, repository, next: first, end: first + count })
    }

    /// Readies the pool for solving: packages for which `may_be_taken` is false are there for messages only.
    pub fn finish(&mut self, may_be_taken: impl Fn(PackageId) -> bool) {
        let count = self.pool().nsolvables;
        let mut map = Box::new(c::Map { map: std::ptr::null_mut(), size: 0 });
        // SAFETY: `map_init` gives the map `count / 8` bytes, rounded up, all zero. The bytes are the map's own, and
        // `size` of them are there.
        let bits = unsafe {
            c::map_init(&raw mut *map, count);
            let length = usize::try_from(map.size).unwrap_or_default();
            std::slice::from_raw_parts_mut(map.map, length)
        };
        for package in 0..count {
            if package < FIRST_PACKAGE || may_be_taken(PackageId(package)) {
                let place = usize::try_from(package / 8).unwrap_or_default();
                if let Some(byte) = bits.get_mut(place) {
                    *byte |= 1 << (package & 7);
                }
            }
        }
        // SAFETY: the map has a bit for each package and stays where it is, in its box, until the pool is freed or gets
        // another one; no packages are added to a pool that is ready. The former map is freed after the pool has let go
        // of it.
        unsafe {
            let pool = self.raw.as_ptr();
            (*pool).considered = &raw mut *map;
            if let Some(former) = &mut self.considered.replace(map) {
                c::map_free(&raw mut **former);
            }
            c::pool_createwhatprovides(pool);
        }
        self.is_ready = true;
    }

    /// The packages that meet a dependency; none before the pool is ready.
    pub fn providers(&mut self, dependency: DependencyId) -> Vec<PackageId> {
        if !self.is_ready {
            return Vec::new();
        }
        let dependency = self.check_dependency(dependency);
        let mut found = IdQueue::new();
        // SAFETY: the pool is ready, the dependency its own, and the queue lives through the call.
        unsafe {
            let how = c::SOLVER_SOLVABLE_PROVIDES.cast_signed();
            c::pool_job2solvables(self.raw.as_ptr(), found.raw(), how, dependency);
        }
        found.ids().iter().map(|id| PackageId(*id)).filter(|id| self.check_package(*id).is_some()).collect()
    }

    /// Says which packages have a file, beside those that provide something of its name.
    pub fn add_file_providers(&mut self, path: StringId, packages: &[PackageId]) {
        let mut all = self.providers(path.into());
        all.extend(packages.iter().filter(|package| self.check_package(**package).is_some()));
        all.sort_unstable();
        all.dedup();
        if !self.is_ready {
            return;
        }
        let (path, mut queue) =
            (self.check_string(path), IdQueue::from_ids(all.iter().map(|package| package.0)));
        // SAFETY: the pool is ready, so that it has a place for each string; the queue has packages of this pool only, and
        // is copied.
        unsafe {
            let list = c::pool_queuetowhatprovides(self.raw.as_ptr(), queue.raw());
            c::pool_set_whatprovides(self.raw.as_ptr(), path, list);
        }
    }

    /// How a dependency is written.
    pub fn dependency_text(&mut self, dependency: DependencyId) -> String {
        let dependency = self.check_dependency(dependency);
        // SAFETY: the dependency is of this pool; the text ends with NUL and is copied before the pool is used again.
        unsafe { copy_text(c::pool_dep2str(self.raw.as_ptr(), dependency)) }
    }

    /// Solves what `jobs` ask for.
    pub fn solve(&mut self, jobs: &[PoolJob], options: Options) -> Outcome {
        if !self.is_ready {
            return Outcome::Packages(Vec::new());
        }
        let mut queue = self.job_queue(jobs);
        let Some(mut solver) = RawSolver::new(self, options) else { return Outcome::Packages(Vec::new()) };
        // SAFETY: the solver was made for this pool, which is ready; the queue has pairs of a job and what it is about,
        // as `job_queue` checked them, and lives through the call.
        let problems = unsafe { c::solver_solve(solver.raw.as_ptr(), queue.raw()) };
        match problems {
            0 => Outcome::Packages(solver.installed()),
            _ => Outcome::Problems(solver.problems()),
        }
    }

    /// Keeps a list of packages in the pool, and gives its place.
    fn add_list(&mut self, packages: &[PackageId]) -> c::Id {
        let known = packages.iter().filter_map(|package| self.check_package(*package));
        let mut queue = IdQueue::from_ids(known);
        // SAFETY: the queue has packages of this pool only, and is copied. `solve` calls this when the pool is ready.
        unsafe { c::pool_queuetowhatprovides(self.raw.as_ptr(), queue.raw()) }
    }

    fn job_queue(&mut self, jobs: &[PoolJob]) -> IdQueue {
        let mut ids = Vec::with_capacity(jobs.len() * 2);
        for job in jobs {
            let (how, what) = match &job.select {
                Select::Meeting(dependency) => {
                    (c::SOLVER_SOLVABLE_PROVIDES, self.check_dependency(*dependency))
                }
                Select::Package(package) => match self.check_package(*package) {
                    Some(package) => (c::SOLVER_SOLVABLE, package),
                    None => continue,
                },
                // As dnf: where packages are chosen by hand, so are their versions and architectures.
                Select::OneOf(packages) => {
                    let chosen = c::SOLVER_SOLVABLE_ONE_OF | c::SOLVER_SETARCH | c::SOLVER_SETEVR;
                    (chosen, self.add_list(packages))
                }
            };
            let action = match job.action {
                Action::Install => c::SOLVER_INSTALL,
                Action::InstallBest => c::SOLVER_INSTALL | c::SOLVER_FORCEBEST,
                Action::InstallIfPossible => c::SOLVER_INSTALL | c::SOLVER_WEAK,
                Action::Prefer => c::SOLVER_FAVOR,
                Action::Forbid => c::SOLVER_ERASE,
                Action::AllowSeveral => c::SOLVER_MULTIVERSION,
            };
            ids.extend([(how | action).cast_signed(), what]);
        }
        IdQueue::from_ids(ids.into_iter())
    }
}

/// The empty string in every pool.
const EMPTY: c::Id = 1;

/// How many packages a repository may have: far more than any has, and far from what numbers can count.
const MOST_PACKAGES: c::Id = 1 << 24;

unsafe extern "C" fn ignore_message(
    _pool: *mut c::Pool,
    _data: *mut libc::c_void,
    _kind: libc::c_int,
    _text: *const libc::c_char,
) {
}

/// A copy of a text of C.
///
/// # Safety
/// `text` is null, or points to a text that ends with NUL and lives through the call.
unsafe fn copy_text(text: *const libc::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller says that it ends with NUL and lives.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A repository whose packages get their names and relations, one after another.
pub(super) struct FilledRepository<'p> {
    pool: &'p mut Pool,
    repository: NonNull<c::Repo>,
    next: c::Id,
    end: c::Id,
}

impl FilledRepository<'_> {
    /// Fills in the next package; `None` when there is none left.
    pub fn add(&mut self, package: &NewPackage<'_>) -> Option<PackageId> {
        let id = self.next;
        if id >= self.end || self.pool.is_ready {
            return None;
        }
        self.next += 1;
        let lists = package.relations.map(|list| self.add_list(list));
        let pool = &*self.pool;
        let [name, evr, arch] = [package.name, package.evr, package.arch].map(|part| pool.check_string(part));
        let [provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances] = lists;
        let place = usize::try_from(id).ok()?;
        // SAFETY: `id` is of the block that the pool gave for this repository, and so within its packages; nothing else
        // borrows the pool meanwhile. The offsets are of this repository's own lists.
        let solvable = unsafe { &mut *(*self.pool.raw.as_ptr()).solvables.add(place) };
        (solvable.name, solvable.evr, solvable.arch) = (name, evr, arch);
        (solvable.provides, solvable.requires) = (provides, requires);
        (solvable.conflicts, solvable.obsoletes) = (conflicts, obsoletes);
        (solvable.recommends, solvable.suggests) = (recommends, suggests);
        (solvable.supplements, solvable.enhances) = (supplements, enhances);
        Some(PackageId(id))
    }

    fn add_list(&mut self, list: &[DependencyId]) -> c::Offset {
        let mut offset = 0;
        for dependency in list {
            let dependency = self.pool.check_dependency(*dependency);
            // SAFETY: the repository is the pool's; `offset` is 0 or what the call before gave for this very list.
            offset = unsafe { c::repo_addid(self.repository.as_ptr(), offset, dependency) };
        }
        offset
    }
}

/// A list of numbers that C reads and writes.
struct IdQueue(c::Queue);

impl IdQueue {
    fn new() -> Self {
        let mut queue =
            c::Queue { elements: std::ptr::null_mut(), count: 0, alloc: std::ptr::null_mut(), left: 0 };
        // SAFETY: it is ours, and this is how one is begun.
        unsafe { c::queue_init(&raw mut queue) };
        Self(queue)
    }

    fn from_ids(ids: impl Iterator<Item = c::Id>) -> Self {
        let (ids, mut queue) = (ids.collect::<Vec<_>>(), Self::new());
        if let Ok(count) = c::Id::try_from(ids.len()) {
            // SAFETY: `ids` has `count` numbers, which are copied.
            unsafe { c::queue_insertn(queue.raw(), 0, count, ids.as_ptr()) };
        }
        queue
    }

    fn raw(&mut self) -> *mut c::Queue {
        &raw mut self.0
    }

    fn ids(&self) -> &[c::Id] {
        match usize::try_from(self.0.count) {
            // SAFETY: a queue has `count` numbers from `elements` on, which nobody changes while it is borrowed.
            Ok(count) if count > 0 => unsafe { std::slice::from_raw_parts(self.0.elements, count) },
            _ => &[],
        }
    }
}

impl Drop for IdQueue {
    fn drop(&mut self) {
        // SAFETY: it was begun by `queue_init` and is freed once.
        unsafe { c::queue_free(self.raw()) };
    }
}

/// A solver of a pool, freed before the pool is used otherwise.
struct RawSolver<'p> {
    raw: NonNull<c::Solver>,
    pool: &'p mut Pool,
}

impl Drop for RawSolver<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made by `solver_create` and is freed once, while its pool still lives.
        unsafe { c::solver_free(self.raw.as_ptr()) };
    }
}

impl<'p> RawSolver<'p> {
    fn new(pool: &'p mut Pool, options: Options) -> Option<Self> {
        // SAFETY: the pool is ready and borrowed for as long as the solver lives.
        let raw = NonNull::new(unsafe { c::solver_create(pool.raw.as_ptr()) })?;
        let flags = [
            (c::SOLVER_FLAG_ALLOW_DOWNGRADE, true),
            (c::SOLVER_FLAG_ALLOW_VENDORCHANGE, true),
            (c::SOLVER_FLAG_KEEP_ORPHANS, true),
            (c::SOLVER_FLAG_BEST_OBEY_POLICY, true),
            (c::SOLVER_FLAG_YUM_OBSOLETES, true),
            (c::SOLVER_FLAG_IGNORE_RECOMMENDED, !options.takes_recommended),
        ];
        for (flag, value) in flags {
            // SAFETY: it sets a field of the solver by a number that it knows.
            unsafe { c::solver_set_flag(raw.as_ptr(), flag.cast_signed(), value.into()) };
        }
        Some(Self { raw, pool })
    }

    fn installed(&mut self) -> Vec<PackageId> {
        let mut queue = IdQueue::new();
        // SAFETY: the solver has solved; the queue lives through the call and is filled by it.
        unsafe { c::solver_get_decisionqueue(self.raw.as_ptr(), queue.raw()) };
        let decided = queue.ids().iter().map(|id| PackageId(*id));
        let mut packages: Vec<PackageId> =
            decided.filter(|package| self.pool.check_package(*package).is_some()).collect();
        packages.sort_unstable();
        packages
    }

    fn problems(&mut self) -> Vec<Vec<Rule>> {
        // SAFETY: the solver has solved, so that it knows its problems.
        let count = unsafe { c::solver_problem_count(self.raw.as_ptr()) };
        (1..=count).map(|problem| self.problem_rules(problem.cast_signed())).collect()
    }

    fn problem_rules(&mut self, problem: c::Id) -> Vec<Rule> {
        let mut rules = IdQueue::new();
        // SAFETY: `problem` is one of those that the solver counted, from 1 on; the queue lives through the call.
        unsafe { c::solver_findallproblemrules(self.raw.as_ptr(), problem, rules.raw()) };
        let ids = rules.ids().to_vec();
        ids.into_iter().flat_map(|rule| self.rule_infos(rule)).collect()
    }

    fn rule_infos(&mut self, rule: c::Id) -> Vec<Rule> {
        let mut infos = IdQueue::new();
        // SAFETY: `rule` is one that the solver gave; the queue lives through the call and gets four numbers an entry.
        unsafe { c::solver_allruleinfos(self.raw.as_ptr(), rule, infos.raw()) };
        let job = self.job_place(rule);
        infos.ids().as_chunks().0.iter().map(|entry| self.rule(*entry, job)).collect()
    }

    fn rule(&mut self, [kind, from, to, dependency]: [c::Id; 4], job: Option<usize>) -> Rule {
        let kind = RuleKind::from_number(kind.cast_unsigned());
        let package = |id: c::Id, pool: &Pool| pool.check_package(PackageId(id)).map(PackageId);
        match kind {
            // The numbers are the job's own.
            RuleKind::Job | RuleKind::JobNothingProvides => {
                Rule { kind, from: None, to: None, dependency: None, job }
            }
            // The second is the rule of the job.
            RuleKind::Best => {
                let job = self.job_place(to);
                Rule { kind, from: package(from, self.pool), to: None, dependency: None, job }
            }
            _ => {
                let dependency = (dependency != 0).then_some(DependencyId(dependency));
                Rule { kind, from: package(from, self.pool), to: package(to, self.pool), dependency, job }
            }
        }
    }

    /// The place of the job that a rule stands for.
    fn job_place(&mut self, rule: c::Id) -> Option<usize> {
        // SAFETY: the solver has solved; a number that is no rule of a job's is compared with the first and last of those,
        // and nothing is read for it.
        let place = unsafe { c::solver_rule2jobidx(self.raw.as_ptr(), rule) };
        // It counts from 1 in numbers, two a job; 0 is none.
        usize::try_from(place).ok().and_then(|place| place.checked_sub(1)).map(|place| place / 2)
    }
}
