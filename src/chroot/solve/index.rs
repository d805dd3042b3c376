//! What a repository has, in a form that is read in a moment.

use std::collections::{BTreeSet, HashMap};

use super::file_table::FileTable;
use super::texts::{TextNumbers, Texts};
use crate::chroot::{AvailablePackage, LockedPackage};
use crate::package::{Comparison, Dependency, Operator, Rich};
use crate::spec::{self, Allows, read_dependencies};

/// The packages of a repository: their names and relations, as solving needs them, and what fetching them takes.
///
/// It is made once of a repository's metadata and [written](Self::to_bytes) in a form that is
/// [read](Self::from_bytes) again in a few milliseconds. Names stand in it once each, as do dependencies; packages refer to
/// them by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageIndex {
    /// Names, versions, architectures: everything that dependencies are made of.
    pub(super) names: Texts,
    pub(super) relations: Vec<Relation>,
    pub(super) packages: Vec<IndexedPackage>,
    /// The dependencies of all packages, one list behind the other.
    pub(super) lists: Vec<Reference>,
    /// Addresses and checksums.
    pub(super) texts: Texts,
    pub(super) files: FileTable,
    /// Paths that the lists of all files were searched for, sorted: what isn't in `files` is in no package.
    pub(super) searched: Texts,
}

/// A dependency of an index: a name, or a relation where the highest bit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reference(pub u32);

/// What a reference leads to.
pub(super) enum Referent {
    Name(u32),
    Relation(u32),
}

const IS_RELATION: u32 = 1 << 31;

impl Reference {
    pub fn referent(self) -> Referent {
        match self.0 & IS_RELATION {
            0 => Referent::Name(self.0),
            _ => Referent::Relation(self.0 & !IS_RELATION),
        }
    }
}

/// Two things that stand in a relation: a name and a version, or two parts of a rich dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Relation {
    pub left: Reference,
    pub kind: RelationKind,
    pub right: Reference,
}

/// How they are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RelationKind {
    Version(Comparison),
    Rich(Operator),
}

/// A package of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexedPackage {
    pub name: u32,
    pub evr: u32,
    pub arch: u32,
    /// Where each list of its dependencies ends: provides, requires, conflicts, obsoletes, recommends, suggests,
    /// supplements, enhances. The first begins where the last of the package before ends.
    pub list_ends: [u32; 8],
    /// In `texts`.
    pub href: u32,
    /// In `texts`.
    pub checksum: u32,
    pub size: u64,
    pub installed_size: u64,
}

/// A repository has more than an index can hold.
#[derive(Debug, thiserror::Error)]
#[error("the repository names more than {} can be counted with", .what)]
pub struct TooManyPackages {
    what: &'static str,
}

impl PackageIndex {
    /// The index of some packages.
    ///
    /// # Errors
    /// They are too many.
    pub fn new(packages: impl IntoIterator<Item = AvailablePackage>) -> Result<Self, TooManyPackages> {
        let mut builder = IndexBuilder::default();
        for package in packages {
            builder.add(&package)?;
        }
        builder.finish()
    }

    /// How many packages it has.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    pub(super) fn name(&self, package: &IndexedPackage) -> &str {
        self.names.get(package.name)
    }

    pub(super) fn evr(&self, package: &IndexedPackage) -> &str {
        self.names.get(package.evr)
    }

    pub(super) fn arch(&self, package: &IndexedPackage) -> &str {
        self.names.get(package.arch)
    }

    /// `name-[epoch:]version-release.arch`.
    pub(super) fn nevra(&self, package: &IndexedPackage) -> String {
        format!("{}-{}.{}", self.name(package), self.evr(package), self.arch(package))
    }

    /// A package as a lock holds it; `None` if there is no such one, or its checksum is none.
    pub(super) fn locked(&self, number: usize, repository: &str) -> Option<LockedPackage> {
        let package = self.packages.get(number)?;
        Some(LockedPackage {
            name: self.name(package).to_owned(),
            evr: self.evr(package).to_owned(),
            arch: self.arch(package).to_owned(),
            repository: repository.to_owned(),
            href: self.texts.get(package.href).to_owned(),
            checksum: self.texts.get(package.checksum).parse().ok()?,
            size: package.size,
        })
    }

    /// The lists of dependencies of a package.
    pub(super) fn lists(&self, number: usize) -> [&[Reference]; 8] {
        let end = |number: usize, list: usize| {
            self.packages.get(number).map_or(0, |package| package.list_ends[list] as usize)
        };
        let first = number.checked_sub(1).map_or(0, |before| end(before, 7));
        std::array::from_fn(|list| {
            let begin = if list == 0 { first } else { end(number, list - 1) };
            self.lists.get(begin..end(number, list)).unwrap_or_default()
        })
    }

    /// Paths that its packages depend on.
    pub(super) fn needed_paths(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|name| name.starts_with('/'))
    }

    /// Whether it is known which packages have a file: the repository's `primary` names all files that are likely to be
    /// depended on, and others are known once the lists of all files were searched for them.
    pub fn knows_file(&self, path: &str) -> bool {
        is_in_primary(path)
            || self.searched.find_sorted(path).is_some()
            || !self.files.packages_with(path).is_empty()
    }

    /// Begins to add files from the repository's lists of all files: those whose paths are `wanted`.
    pub fn search_files(&mut self, wanted: &BTreeSet<String>) -> FileSearch<'_> {
        let packages = self.packages.iter().zip(0_u32..).map(|(package, number)| {
            let checksum = self.texts.get(package.checksum);
            (checksum.split_once(':').map_or(checksum, |(_, hex)| hex).to_owned(), number)
        });
        FileSearch { packages: packages.collect(), wanted: wanted.clone(), found: Vec::new(), index: self }
    }
}

/// Whether `primary` names a file (createrepo_c puts there what this says).
fn is_in_primary(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}

/// Adds files to an index.
#[derive(Debug)]
pub struct FileSearch<'i> {
    index: &'i mut PackageIndex,
    /// Packages by their checksum.
    packages: HashMap<String, u32>,
    wanted: BTreeSet<String>,
    found: Vec<(String, u32)>,
}

impl FileSearch<'_> {
    /// Looks through the files of the package whose checksum has these hexadecimal digits (`pkgid`).
    pub fn add_package<'f>(&mut self, checksum: &str, files: impl IntoIterator<Item = &'f str>) {
        let Some(package) = self.packages.get(&checksum.to_ascii_lowercase()) else { return };
        let wanted = files.into_iter().filter(|path| self.wanted.contains(*path));
        self.found.extend(wanted.map(|path| (path.to_owned(), *package)));
    }

    /// Adds what was found: from now on, a path that was wanted and not found is known to be in no package.
    ///
    /// # Errors
    /// They are too many.
    pub fn finish(self) -> Result<(), TooManyPackages> {
        let too_many = || TooManyPackages { what: "files" };
        let mut files: Vec<(String, u32)> = self.index.files.iter().chain(self.found).collect();
        files.sort_unstable();
        files.dedup();
        let mut searched: BTreeSet<&str> = self.index.searched.iter().collect();
        searched.extend(self.wanted.iter().map(String::as_str));
        let mut texts = Texts::default();
        for path in searched {
            texts.push(path).ok_or_else(too_many)?;
        }
        self.index.files = FileTable::new(&mut files).ok_or_else(too_many)?;
        self.index.searched = texts;
        Ok(())
    }
}

/// Makes an index, one package after another.
#[derive(Debug, Default)]
pub struct IndexBuilder {
    names: TextNumbers,
    relations: Vec<Relation>,
    relation_numbers: HashMap<Relation, Reference>,
    packages: Vec<IndexedPackage>,
    lists: Vec<Reference>,
    texts: Texts,
    files: Vec<(String, u32)>,
}

impl IndexBuilder {
    /// Adds a package.
    ///
    /// # Errors
    /// They are too many.
    pub fn add(&mut self, package: &AvailablePackage) -> Result<(), TooManyPackages> {
        self.try_add(package).ok_or(TooManyPackages { what: "packages" })
    }

    /// The index.
    ///
    /// # Errors
    /// There are too many files.
    pub fn finish(mut self) -> Result<PackageIndex, TooManyPackages> {
        Ok(PackageIndex {
            names: self.names.texts,
            relations: self.relations,
            packages: self.packages,
            lists: self.lists,
            texts: self.texts,
            files: FileTable::new(&mut self.files).ok_or(TooManyPackages { what: "files" })?,
            searched: Texts::default(),
        })
    }

    fn try_add(&mut self, package: &AvailablePackage) -> Option<()> {
        let number = u32::try_from(self.packages.len()).ok()?;
        let evr = without_zero_epoch(&package.evr.to_string()).to_owned();
        let (name, version) = (self.names.number(&package.name)?, self.names.number(&evr)?);
        let relations = &package.relations;
        let own = Relation {
            left: Reference(name),
            kind: RelationKind::Version(Comparison::EQUAL),
            right: Reference(version),
        };
        let own = self.relation(own)?;
        let start = self.lists.len();
        let mut list_ends = [0; 8];
        list_ends[0] = self.add_list(&relations.provides)?;
        // A package is what it is called, whether it says so or not; sources are no answer to anything.
        let is_source = matches!(package.arch.as_str(), "src" | "nosrc");
        if !is_source && !self.lists[start..].contains(&own) {
            self.lists.push(own);
            list_ends[0] += 1;
        }
        // What rpm itself can do is said by `rpmlib(…)`, which no package provides.
        let needed = relations.requires.iter().map(|requirement| &requirement.dependency);
        list_ends[1] = self.add_list(needed.filter(|dependency| !dependency.is_rpmlib()))?;
        let further = [
            &relations.conflicts,
            &relations.obsoletes,
            &relations.recommends,
            &relations.suggests,
            &relations.supplements,
            &relations.enhances,
        ];
        for (end, list) in list_ends[2..].iter_mut().zip(further) {
            *end = self.add_list(list)?;
        }
        self.files.extend(package.files.iter().map(|path| (path.clone(), number)));
        self.packages.push(IndexedPackage {
            name,
            evr: version,
            arch: self.names.number(&package.arch)?,
            list_ends,
            href: self.texts.push(&package.href)?,
            checksum: self.texts.push(&package.checksum.to_string())?,
            size: package.size,
            installed_size: package.installed_size,
        });
        Some(())
    }

    fn add_list<'d>(&mut self, list: impl IntoIterator<Item = &'d Dependency>) -> Option<u32> {
        for dependency in list {
            let reference = self.dependency(dependency)?;
            self.lists.push(reference);
        }
        u32::try_from(self.lists.len()).ok()
    }

    fn dependency(&mut self, dependency: &Dependency) -> Option<Reference> {
        if dependency.is_rich()
            && let Some(rich) = read_rich(&dependency.name)
        {
            return self.rich(&rich);
        }
        let name = Reference(self.names.number(&dependency.name)?);
        match known_version(dependency) {
            None => Some(name),
            Some((comparison, version)) => self.versioned(name, comparison, version),
        }
    }

    fn versioned(&mut self, name: Reference, comparison: Comparison, version: &str) -> Option<Reference> {
        let version = Reference(self.names.number(without_zero_epoch(version))?);
        self.relation(Relation { left: name, kind: RelationKind::Version(comparison), right: version })
    }

    fn rich(&mut self, rich: &Rich) -> Option<Reference> {
        match rich {
            Rich::Capability(capability) => self.dependency(&capability.into()),
            Rich::Group(first, further) => self.group(first, further),
        }
    }

    /// `(a or b or c)` is `a or (b or c)`; `(a if b else c)` is `a if (b else c)`.
    fn group(&mut self, first: &Rich, further: &[(Operator, Rich)]) -> Option<Reference> {
        let left = self.rich(first)?;
        match further {
            [] => Some(left),
            [(operator, second), rest @ ..] => {
                let right = self.group(second, rest)?;
                self.relation(Relation { left, kind: RelationKind::Rich(*operator), right })
            }
        }
    }

    fn relation(&mut self, relation: Relation) -> Option<Reference> {
        if let Some(known) = self.relation_numbers.get(&relation) {
            return Some(*known);
        }
        let number = u32::try_from(self.relations.len()).ok().filter(|number| *number < MOST_RELATIONS)?;
        let reference = Reference(number | IS_RELATION);
        self.relations.push(relation);
        self.relation_numbers.insert(relation, reference);
        Some(reference)
    }
}

const MOST_RELATIONS: u32 = 1 << 28;

/// A rich dependency; `None` if it can't be read. Such a one is taken for a name that nothing has.
pub(super) fn read_rich(text: &str) -> Option<Rich> {
    // `unless` is for conflicts only, `if` for all others.
    [Allows::Everything, Allows::Conflicts].into_iter().find_map(|allows| {
        match read_dependencies(text.as_bytes(), allows).ok()?.as_slice() {
            [spec::Dependency::Rich(rich)] => Some(rich.clone()),
            _ => None,
        }
    })
}

/// What the version of a dependency is compared with, if anything is: flags of a package may say no comparison.
pub(super) fn known_version(dependency: &Dependency) -> Option<(Comparison, &str)> {
    let (comparison, version) = dependency.version.as_ref()?;
    Some((Comparison::from_flags((*comparison).into())?, version))
}

/// `0:1-2` is `1-2`.
pub(super) fn without_zero_epoch(evr: &str) -> &str {
    evr.strip_prefix("0:").unwrap_or(evr)
}
