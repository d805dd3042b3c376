//! The repositories of a chroot, opened for the solver.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{ChrootRequest, RootError, RootTools};
use crate::chroot::solve::{
    Architecture, IndexBuilder, PackageIndex, SolveRepository, SolveRequest, Solver, find_provided,
};
use crate::chroot::{
    AvailablePackage, Connection, FileLists, Groups, LockedChroot, LockedRepository, Membership, Repository,
    RepositoryRequest,
};
use crate::digest::{Checksum, Encoder, Key};
use crate::event::{Clock as _, SystemClock};
use crate::package::Dependency;
use crate::store::{INDEXES, RecordKind, Store};

/// What the packages of this manifest are called, where the others are called by their repository.
pub(super) const OWN: &str = "this manifest";

/// The repositories as they are used: at the state that is locked, or the newest.
pub(super) struct OpenRepositories {
    /// Each with what it has.
    all: Vec<OpenRepository>,
    /// What groups have.
    pub groups: BTreeMap<String, Vec<String>>,
}

struct OpenRepository {
    request: RepositoryRequest,
    state: LockedRepository,
    index: PackageIndex,
    key: Key,
}

impl OpenRepositories {
    /// Opens those of a chroot.
    ///
    /// # Errors
    /// One can't be used.
    pub fn open(
        request: &ChrootRequest,
        locked: &LockedChroot,
        tools: &RootTools,
    ) -> Result<Self, RootError> {
        let find = |repository: &RepositoryRequest| {
            locked.repositories.get(&repository.name).and_then(|state| known_at(state, &tools.store))
        };
        let known: Vec<_> = request.repositories.par_iter().map(find).collect();
        let mut all = Vec::new();
        let mut groups = Groups::default();
        for (repository, known) in request.repositories.iter().zip(known) {
            let (open, own) = match known {
                Some((state, key, index, groups)) => {
                    (OpenRepository { request: repository.clone(), state, index, key }, groups)
                }
                None => open_newest(repository, tools)?,
            };
            groups.merge(own);
            all.push(open);
        }
        Ok(Self { all, groups: members(&groups) })
    }

    /// The state of each, for the lock.
    pub fn states(&self) -> BTreeMap<String, LockedRepository> {
        self.all.iter().map(|open| (open.request.name.clone(), open.state.clone())).collect()
    }

    /// The files that answers to requests may depend on, and of which it is not known which packages have them.
    pub fn unknown_files(&self, solver: &mut Solver<'_>, requests: &[SolveRequest]) -> BTreeSet<String> {
        let mut unknown: BTreeSet<String> =
            requests.iter().flat_map(|request| solver.unknown_files(request)).collect();
        // All files of packages of this manifest are known.
        unknown.retain(|path| self.all.iter().any(|open| !open.index.knows_file(path)));
        unknown
    }

    /// Looks files up in what repositories say of all files.
    ///
    /// # Errors
    /// A repository can't be used.
    pub fn search_files(&mut self, wanted: &BTreeSet<String>, tools: &RootTools) -> Result<(), RootError> {
        self.all.iter_mut().try_for_each(|open| open.search_files(wanted, tools))
    }

    /// A solver that chooses of them, and of `own` packages before.
    ///
    /// # Errors
    /// There are too many packages.
    pub fn solver<'i>(
        &'i self,
        architecture: &Architecture,
        own: Option<&'i PackageIndex>,
    ) -> Result<Solver<'i>, RootError> {
        let own = own.map(|index| SolveRepository { priority: i32::MIN, ..SolveRepository::new(OWN, index) });
        Ok(Solver::new(own.into_iter().chain(self.declared()).collect(), architecture.clone())?)
    }

    /// What packages provide of `names`, a file as itself.
    ///
    /// None where a repository does not say any more which packages have a file.
    ///
    /// # Errors
    /// A repository can't be used.
    pub fn provided(
        &mut self,
        names: &BTreeSet<String>,
        tools: &RootTools,
    ) -> Result<Option<Vec<Dependency>>, RootError> {
        let knows = |path: &String| self.all.iter().all(|open| open.index.knows_file(path));
        let unknown: BTreeSet<String> =
            names.iter().filter(|name| name.starts_with('/') && !knows(name)).cloned().collect();
        if !unknown.is_empty() {
            self.search_files(&unknown, tools)?;
        }
        let is_known = |path: &String| self.all.iter().all(|open| open.index.knows_file(path));
        let repositories: Vec<SolveRepository<'_>> = self.declared().collect();
        Ok(unknown.iter().all(is_known).then(|| find_provided(&repositories, names)))
    }

    fn declared(&self) -> impl Iterator<Item = SolveRepository<'_>> {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        self.all.iter().map(move |open| SolveRepository {
            name: open.request.name.clone(),
            index: &open.index,
            priority: number(open.request.priority),
            cost: number(open.request.cost),
            exclude: open.request.exclude.clone(),
            include: open.request.include.clone(),
        })
    }
}

impl OpenRepository {
    fn search_files(&mut self, wanted: &BTreeSet<String>, tools: &RootTools) -> Result<(), RootError> {
        let repository = tools.with_access(|access| Repository::load(&self.request, access))?;
        if locked_state(&repository) != self.state {
            // What was locked is gone: what its other files were can't be known any more.
            return Ok(());
        }
        let mut files = Vec::new();
        let keep = |package: AvailablePackage| {
            let named: Vec<String> = package.files.into_iter().filter(|path| wanted.contains(path)).collect();
            if !named.is_empty() {
                files.push((package.checksum, named));
            }
        };
        tools.with_access(|access| repository.read_packages(access, FileLists::All, keep))?;
        let mut search = self.index.search_files(wanted);
        for (checksum, named) in &files {
            search.add_package(checksum.hex(), named.iter().map(String::as_str));
        }
        let too_many = |source| RootError::Index { repository: self.request.name.clone(), source };
        search.finish().map_err(too_many)?;
        write_index(&tools.store, &self.key, &self.index)?;
        Ok(())
    }
}

/// What is known of a repository at a state, without asking anybody.
fn known_at(
    state: &LockedRepository,
    store: &Store,
) -> Option<(LockedRepository, Key, PackageIndex, Groups)> {
    let key = index_key(state.repomd.as_ref()?);
    let index = read_index(store, &key)?;
    let groups = store.record::<Groups>(RecordKind::Repository, &key)?;
    Some((state.clone(), key, index, groups))
}

fn open_newest(
    request: &RepositoryRequest,
    tools: &RootTools,
) -> Result<(OpenRepository, Groups), RootError> {
    let repository = tools.with_access(|access| Repository::load(request, access))?;
    let state = locked_state(&repository);
    let state_key = index_key(&repository.state.checksum);
    let known = read_index(&tools.store, &state_key);
    let index = match known {
        Some(index) => index,
        None => {
            if tools.connection == Connection::Online {
                tools.say(format!("reading what repository `{}` has", request.name));
            }
            let index = read_repository(&repository, tools)?;
            write_index(&tools.store, &state_key, &index)?;
            index
        }
    };
    let groups = tools.with_access(|access| repository.read_groups(access))?;
    tools.store.remember(RecordKind::Repository, &state_key, &groups)?;
    Ok((OpenRepository { request: request.clone(), state, index, key: state_key }, groups))
}

fn read_repository(repository: &Repository, tools: &RootTools) -> Result<PackageIndex, RootError> {
    let mut builder = IndexBuilder::default();
    let mut failed = None;
    let add = |package: AvailablePackage| {
        if failed.is_none() && package.arch != "src" && package.arch != "nosrc" {
            failed = builder.add(&package).err();
        }
    };
    tools.with_access(|access| repository.read_packages(access, FileLists::OnlyPrimary, add))?;
    let too_many = |source| RootError::Index { repository: repository.name.clone(), source };
    match failed {
        Some(source) => Err(too_many(source)),
        None => builder.finish().map_err(too_many),
    }
}

fn locked_state(repository: &Repository) -> LockedRepository {
    let state = &repository.state;
    LockedRepository { url: state.url.clone(), repomd: Some(state.checksum.clone()), time: state.time }
}

/// What groups have that is installed with them.
fn members(groups: &Groups) -> BTreeMap<String, Vec<String>> {
    let ids = groups.groups.iter().map(|group| &group.id).chain(groups.environments.iter().map(|it| &it.id));
    let member = |id: &String| {
        let packages = groups.named(id).into_iter().flat_map(|group| &group.members);
        let taken = packages
            .filter(|member| matches!(member.membership, Membership::Mandatory | Membership::Default));
        (id.clone(), taken.map(|member| member.package.clone()).collect())
    };
    ids.map(member).collect()
}

fn index_key(checksum: &Checksum) -> Key {
    let mut encoder = Encoder::new("rpmforge index v1");
    encoder.text("metadata", &checksum.to_string());
    encoder.key()
}

fn index_path(key: &Key) -> PathBuf {
    Path::new(INDEXES).join(key.to_string())
}

fn read_index(store: &Store, key: &Key) -> Option<PackageIndex> {
    let mut bytes = Vec::new();
    store.folder().open(index_path(key)).ok()?.read_to_end(&mut bytes).ok()?;
    let index = PackageIndex::from_bytes(&bytes).ok()?;
    // What is used is not collected. That it can't be marked is no reason not to use it.
    let _ = store.folder().set_modified(index_path(key), SystemClock.now().0 / 1000);
    Some(index)
}

fn write_index(store: &Store, key: &Key, index: &PackageIndex) -> io::Result<()> {
    store.folder().create(INDEXES)?;
    store.folder().write_atomic(index_path(key), &index.to_bytes())
}
