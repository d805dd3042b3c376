//! All packages of all repositories in one pool.

use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;

use super::architecture::Architecture;
use super::filter::{Filter, Filtered};
use super::index::{
    IndexedPackage, PackageIndex, Reference, Referent, Relation, RelationKind, known_version, read_rich,
    without_zero_epoch,
};
use super::libsolv::Pool;
use super::pool_ids::{DependencyId, Join, NewPackage, PackageId, RepositoryRank, StringId, Versions};
use super::request::SolveRepository;
use crate::package::{Comparison, Dependency, Operator, Rich};

/// The repositories that are chosen from, with a pool of their packages.
pub(super) struct Catalogue<'i> {
    pub repositories: Vec<SolveRepository<'i>>,
    pub architecture: Architecture,
    pub pool: Pool,
    /// The place of the first package of each repository.
    firsts: Vec<usize>,
    /// The numbers in the pool of what each index names.
    numbers: Vec<PoolNumbers>,
    /// Packages that are not taken.
    filtered: HashMap<PackageId, Filtered>,
    /// Paths whose packages the pool knows.
    paths: BTreeSet<String>,
    /// Packages that say to take the place of others.
    pub obsoleters: Vec<PackageId>,
}

/// The numbers in a pool of the names and relations of an index.
#[derive(Default)]
struct PoolNumbers {
    names: Vec<StringId>,
    relations: Vec<DependencyId>,
}

/// A package of a repository.
#[derive(Clone, Copy)]
pub(super) struct CataloguedPackage<'c, 'i> {
    pub repository: &'c SolveRepository<'i>,
    pub index: &'i PackageIndex,
    pub number: usize,
    pub package: &'i IndexedPackage,
}

impl<'i> CataloguedPackage<'_, 'i> {
    /// One of the lists of its dependencies.
    pub fn list(&self, list: List) -> &'i [Reference] {
        self.index.lists(self.number)[list as usize]
    }

    pub fn nevra(&self) -> String {
        self.index.nevra(self.package)
    }

    pub fn name(&self) -> &'i str {
        self.index.name(self.package)
    }

    pub fn evr(&self) -> &'i str {
        self.index.evr(self.package)
    }

    pub fn arch(&self) -> &'i str {
        self.index.arch(self.package)
    }
}

/// Which of the lists of a package's dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Requires = 1,
    Obsoletes = 3,
    Recommends = 4,
    Supplements = 6,
}

impl<'i> Catalogue<'i> {
    pub fn new(mut repositories: Vec<SolveRepository<'i>>, architecture: Architecture) -> Option<Self> {
        // dnf's order: where nothing else decides, the first package of the first repository is taken.
        repositories.sort_by_key(|repository| (repository.priority, repository.cost));
        let mut catalogue = Self {
            pool: Pool::new(architecture.policy())?,
            architecture,
            firsts: Vec::new(),
            numbers: Vec::new(),
            filtered: HashMap::new(),
            paths: repositories
                .iter()
                .flat_map(|repository| repository.index.needed_paths())
                .map(str::to_owned)
                .collect(),
            repositories,
            obsoleters: Vec::new(),
        };
        catalogue.reserve();
        for place in 0..catalogue.repositories.len() {
            catalogue.add_repository(place)?;
        }
        let filtered = std::mem::take(&mut catalogue.filtered);
        catalogue.pool.finish(|package| !filtered.contains_key(&package));
        catalogue.filtered = filtered;
        Some(catalogue)
    }

    fn reserve(&mut self) {
        let sum = |count: fn(&PackageIndex) -> usize| {
            self.repositories.iter().map(|repository| count(repository.index)).sum()
        };
        let (strings, bytes) =
            (sum(|index| index.names.len()), sum(|index| index.names.all.len() + index.names.len()));
        let relations = sum(|index| index.relations.len());
        self.pool.reserve(strings, bytes, relations);
    }

    fn add_repository(&mut self, place: usize) -> Option<()> {
        let repository = self.repositories.get(place)?;
        let index = repository.index;
        let numbers = PoolNumbers::new(&mut self.pool, index);
        let owned = owned_paths(&mut self.pool, index, &self.paths, &self.architecture);
        let filter = Filter::new(repository, &self.repositories);
        let first = self.firsts.last().map_or(0, |first| first + self.repositories[place - 1].index.len());
        let name = CString::new(repository.name.replace('\0', "")).ok()?;
        let standing = RepositoryRank { priority: repository.priority, cost: repository.cost };
        let nothing = self.pool.string("");
        let mut filled = self.pool.add_repository(&name, standing, index.len())?;
        let mut owned = owned.as_slice();
        for (number, package) in index.packages.iter().enumerate() {
            let mut lists = index.lists(number).map(|list| {
                list.iter().map(|reference| numbers.dependency(*reference, nothing)).collect::<Vec<_>>()
            });
            let paths = owned.iter().take_while(|(owner, _)| *owner as usize == number).count();
            let (own, rest) = owned.split_at(paths);
            lists[0].extend(own.iter().map(|(_, path)| DependencyId::from(*path)));
            owned = rest;
            let added = filled.add(&NewPackage {
                name: numbers.name(package.name, nothing),
                evr: numbers.name(package.evr, nothing),
                arch: numbers.name(package.arch, nothing),
                relations: lists.each_ref().map(Vec::as_slice),
            })?;
            if !lists[List::Obsoletes as usize].is_empty() {
                self.obsoleters.push(added);
            }
            if let Some(filtered) = filter.check(index, package) {
                self.filtered.insert(added, filtered);
            }
        }
        self.firsts.push(first);
        self.numbers.push(numbers);
        Some(())
    }

    /// A package by its number in the pool.
    pub fn package(&self, id: PackageId) -> Option<CataloguedPackage<'_, 'i>> {
        let place = id.place();
        let which = self.firsts.partition_point(|first| *first <= place).checked_sub(1)?;
        let repository = self.repositories.get(which)?;
        let number = place.checked_sub(*self.firsts.get(which)?)?;
        let package = repository.index.packages.get(number)?;
        Some(CataloguedPackage { repository, index: repository.index, number, package })
    }

    /// All packages, with their numbers in the pool.
    pub fn packages(&self) -> impl Iterator<Item = (PackageId, CataloguedPackage<'_, 'i>)> {
        (0..self.len()).filter_map(|place| {
            let id = PackageId::from_place(place);
            self.package(id).map(|package| (id, package))
        })
    }

    fn len(&self) -> usize {
        self.repositories.iter().map(|repository| repository.index.len()).sum()
    }

    /// Why a package is not taken, whatever is asked for.
    pub fn filtered(&self, id: PackageId) -> Option<Filtered> {
        self.filtered.get(&id).copied()
    }

    /// Whether a package can be in an answer.
    pub fn is_installable(&self, id: PackageId) -> bool {
        !self.filtered.contains_key(&id)
            && self.package(id).is_some_and(|package| self.architecture.takes(package.arch()))
    }

    /// The names and versions that a list of a package mentions, those that stand for the opposite left out: what may be
    /// there for the package's sake.
    pub fn leaves(&mut self, id: PackageId, list: List) -> Vec<DependencyId> {
        let Some(package) = self.package(id) else { return Vec::new() };
        let (index, which) = (package.index, self.firsts.partition_point(|first| *first <= id.place()) - 1);
        let mut leaves = Vec::new();
        for reference in index.lists(package.number)[list as usize] {
            collect_leaves(index, *reference, &mut leaves);
        }
        let nothing = self.pool.string("");
        leaves.into_iter().map(|reference| self.numbers[which].dependency(reference, nothing)).collect()
    }

    /// The packages that a package says to take the place of: names, and versions where they are said.
    pub fn obsoletes(&self, id: PackageId) -> Vec<(&str, Option<(Comparison, &str)>)> {
        let Some(package) = self.package(id) else { return Vec::new() };
        let index = package.index;
        let references = index.lists(package.number)[List::Obsoletes as usize];
        references.iter().filter_map(|reference| simple(index, *reference)).collect()
    }

    /// The number of a dependency; `None` for a rich one that is too large.
    pub fn dependency(&mut self, dependency: &Dependency) -> Option<DependencyId> {
        if dependency.is_rich()
            && let Some(rich) = read_rich(&dependency.name)
        {
            return self.rich(&rich);
        }
        self.know_path(&dependency.name);
        let name = self.pool.string(&dependency.name);
        Some(match known_version(dependency) {
            None => name.into(),
            Some((comparison, version)) => {
                let version = self.pool.string(without_zero_epoch(version));
                self.pool.versioned(name, versions(comparison), version)
            }
        })
    }

    fn rich(&mut self, rich: &Rich) -> Option<DependencyId> {
        match rich {
            Rich::Capability(capability) => self.dependency(&capability.into()),
            Rich::Group(first, further) => self.group(first, further),
        }
    }

    fn group(&mut self, first: &Rich, further: &[(Operator, Rich)]) -> Option<DependencyId> {
        let left = self.rich(first)?;
        match further {
            [] => Some(left),
            [(operator, second), rest @ ..] => {
                let right = self.group(second, rest)?;
                self.pool.rich(left, join(*operator), right)
            }
        }
    }

    /// Tells the pool which packages have a file that no package depends on.
    fn know_path(&mut self, path: &str) {
        if !path.starts_with('/') || self.paths.contains(path) {
            return;
        }
        self.paths.insert(path.to_owned());
        let mut owners = Vec::new();
        for (repository, first) in self.repositories.iter().zip(&self.firsts) {
            let numbers = repository.index.files.packages_with(path).iter().map(|number| *number as usize);
            owners.extend(numbers.map(|number| PackageId::from_place(first + number)));
        }
        owners.retain(|owner| {
            self.package(*owner).is_some_and(|package| self.architecture.takes(package.arch()))
        });
        if !owners.is_empty() {
            let path = self.pool.string(path);
            self.pool.add_file_providers(path, &owners);
        }
    }
}

impl PoolNumbers {
    fn new(pool: &mut Pool, index: &PackageIndex) -> Self {
        let names: Vec<StringId> = index.names.iter().map(|name| pool.string(name)).collect();
        let mut numbers = Self { names, relations: Vec::with_capacity(index.relations.len()) };
        let nothing = pool.string("");
        for relation in &index.relations {
            let id = numbers.add_relation(pool, *relation, nothing);
            numbers.relations.push(id);
        }
        numbers
    }

    fn add_relation(&self, pool: &mut Pool, relation: Relation, nothing: StringId) -> DependencyId {
        let Relation { left, kind, right } = relation;
        match (kind, left.referent(), right.referent()) {
            (RelationKind::Version(comparison), Referent::Name(name), Referent::Name(version)) => {
                pool.versioned(self.name(name, nothing), versions(comparison), self.name(version, nothing))
            }
            (RelationKind::Version(_), ..) => nothing.into(),
            (RelationKind::Rich(operator), ..) => {
                let (left, right) = (self.dependency(left, nothing), self.dependency(right, nothing));
                // Nothing has this name, so that what depends on it can't be installed, and says why.
                pool.rich(left, join(operator), right).unwrap_or_else(|| pool.string(TOO_LARGE).into())
            }
        }
    }

    fn name(&self, number: u32, nothing: StringId) -> StringId {
        self.names.get(number as usize).copied().unwrap_or(nothing)
    }

    fn dependency(&self, reference: Reference, nothing: StringId) -> DependencyId {
        match reference.referent() {
            Referent::Name(number) => self.name(number, nothing).into(),
            Referent::Relation(number) => {
                self.relations.get(number as usize).copied().unwrap_or_else(|| nothing.into())
            }
        }
    }
}

/// What stands for a rich dependency that can't be worked with.
const TOO_LARGE: &str = "(a rich dependency that is too large)";

/// The packages of an index that have one of these paths, sorted.
fn owned_paths(
    pool: &mut Pool,
    index: &PackageIndex,
    paths: &BTreeSet<String>,
    architecture: &Architecture,
) -> Vec<(u32, StringId)> {
    let mut owned = Vec::new();
    for path in paths {
        let owners = index.files.packages_with(path);
        if owners.is_empty() {
            continue;
        }
        let id = pool.string(path);
        let can_be_taken = |owner: &&u32| {
            index
                .packages
                .get(**owner as usize)
                .is_some_and(|package| architecture.takes(index.arch(package)))
        };
        owned.extend(owners.iter().filter(can_be_taken).map(|owner| (*owner, id)));
    }
    owned.sort_unstable();
    owned
}

fn collect_leaves(index: &PackageIndex, reference: Reference, leaves: &mut Vec<Reference>) {
    let relation = match reference.referent() {
        Referent::Name(_) => return leaves.push(reference),
        Referent::Relation(number) => index.relations.get(number as usize),
    };
    match relation {
        None => {}
        Some(Relation { kind: RelationKind::Version(_), .. }) => leaves.push(reference),
        Some(Relation { left, kind: RelationKind::Rich(operator), right }) => {
            match operator {
                // What stands behind an `else` may be there, the condition before it may not be for this.
                Operator::Else => {}
                Operator::And
                | Operator::Or
                | Operator::If
                | Operator::Unless
                | Operator::With
                | Operator::Without => collect_leaves(index, *left, leaves),
            }
            let has_else = matches!(right.referent(), Referent::Relation(number)
                if index.relations.get(number as usize).is_some_and(|relation| relation.kind == RelationKind::Rich(Operator::Else)));
            match operator {
                Operator::And | Operator::Or | Operator::With | Operator::Else => {
                    collect_leaves(index, *right, leaves);
                }
                Operator::If | Operator::Unless if has_else => collect_leaves(index, *right, leaves),
                Operator::If | Operator::Unless | Operator::Without => {}
            }
        }
    }
}

/// A name, and its version where one is said.
fn simple(index: &PackageIndex, reference: Reference) -> Option<(&str, Option<(Comparison, &str)>)> {
    match reference.referent() {
        Referent::Name(name) => Some((index.names.get(name), None)),
        Referent::Relation(number) => {
            let Relation { left, kind, right } = index.relations.get(number as usize)?;
            match (kind, left.referent(), right.referent()) {
                (RelationKind::Version(comparison), Referent::Name(name), Referent::Name(version)) => {
                    Some((index.names.get(name), Some((*comparison, index.names.get(version)))))
                }
                _ => None,
            }
        }
    }
}

fn versions(comparison: Comparison) -> Versions {
    let sense = u32::from(comparison);
    Versions { less: sense & 2 != 0, greater: sense & 4 != 0, equal: sense & 8 != 0 }
}

fn join(operator: Operator) -> Join {
    match operator {
        Operator::And => Join::And,
        Operator::Or => Join::Or,
        Operator::If => Join::If,
        Operator::Unless => Join::Unless,
        Operator::Else => Join::Else,
        Operator::With => Join::With,
        Operator::Without => Join::Without,
    }
}

/// Whether a package is one that something takes the place of.
pub(super) fn is_obsoleted(
    name: &str,
    evr: &str,
    (obsoleted, versions): (&str, Option<(Comparison, &str)>),
) -> bool {
    let is_within = |(comparison, version): (Comparison, &str)| {
        let own = Dependency { name: name.to_owned(), version: Some((Comparison::EQUAL, evr.to_owned())) };
        Dependency { name: name.to_owned(), version: Some((comparison, version.to_owned())) }.is_met_by(&own)
    };
    obsoleted == name && versions.is_none_or(is_within)
}
