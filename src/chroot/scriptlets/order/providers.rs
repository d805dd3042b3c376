//! Which package of a set gives what another one needs (rpm's `rpmal`).

use std::collections::{BTreeMap, HashMap};

use super::colors::{Colors, PREFERRED};
use crate::package::{Dependency, Header, Tag};

/// What packages of a set give.
pub(super) struct SetProviders<'p> {
    colors: &'p [Colors],
    welcome: u32,
    names: HashMap<String, Vec<(usize, Dependency)>>,
    files: HashMap<Vec<u8>, Vec<usize>>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The bits of a file's mode that say what it is, and those of a symbolic link.
const FILE_TYPE: u64 = 0o170_000;
const SYMBOLIC_LINK: u64 = 0o120_000;

/// How many links a path may lead through.
const MOST_LINKS: usize = 8;

impl<'p> SetProviders<'p> {
    pub fn new(packages: &[&Header], colors: &'p [Colors], welcome: u32) -> Self {
        let links = folder_links(packages);
        let mut providers = Self { colors, welcome, names: HashMap::new(), files: HashMap::new(), links };
        for (number, package) in packages.iter().enumerate() {
            for provided in dependencies(package, Tag::PROVIDENAME, Tag::PROVIDEFLAGS, Tag::PROVIDEVERSION) {
                providers.names.entry(provided.0.name.clone()).or_default().push((number, provided.0));
            }
            for path in package.file_paths() {
                let path = providers.resolve(&path);
                providers.files.entry(path).or_default().push(number);
            }
        }
        providers
    }

    /// The package that `package` gets `wanted` from, whose colour is that.
    pub fn find(&self, package: usize, wanted: &Dependency, color: u64) -> Option<usize> {
        let by_file =
            wanted.name.starts_with('/').then(|| self.files.get(&self.resolve(wanted.name.as_bytes())));
        let all: Vec<usize> = match by_file.flatten() {
            Some(packages) => packages.clone(),
            None => {
                let named = self.names.get(&wanted.name).into_iter().flatten();
                named.filter(|(_, provided)| wanted.is_met_by(provided)).map(|(number, _)| *number).collect()
            }
        };
        // The last of the best, as rpm finds it since version 6: one of the right word size counts more than the package itself.
        let mut best = (0, *all.last()?);
        for provider in all.into_iter().rev() {
            let score = self.score(provider, color) + u32::from(provider == package);
            if score > best.0 {
                best = (score, provider);
            }
        }
        Some(best.1)
    }

    fn score(&self, provider: usize, color: u64) -> u32 {
        if self.welcome == 0 {
            return 0;
        }
        let own = self.colors.get(provider).map_or(0, |colors| colors.package);
        let wanted = if color == 0 { PREFERRED } else { color };
        if own == wanted { 2 } else { 0 }
    }

    /// A path with the links to folders followed that packages of the set have: `/bin/sh` is `/usr/bin/sh` where `/bin`
    /// leads to `/usr/bin`.
    fn resolve(&self, path: &[u8]) -> Vec<u8> {
        let mut path = path.to_vec();
        for _ in 0..MOST_LINKS {
            let found = self.links.iter().find(|(link, _)| {
                path.strip_prefix(link.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
            });
            let Some((link, target)) = found else { break };
            path = [target.as_slice(), path.get(link.len()..).unwrap_or_default()].concat();
        }
        path
    }
}

/// Links to folders that lie at the top of the root or right below `/usr`: where distributions have merged folders.
fn folder_links(packages: &[&Header]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut links = BTreeMap::new();
    for package in packages {
        let modes = package.numbers(Tag::FILEMODES).iter().enumerate();
        for (file, _) in modes.filter(|(_, mode)| *mode & FILE_TYPE == SYMBOLIC_LINK) {
            let (Some(path), Some(target)) =
                (package.file_path(file), package.texts(Tag::FILELINKTOS).get(file))
            else {
                continue;
            };
            let folder = match path.strip_prefix(b"/") {
                Some(rest) if !rest.contains(&b'/') => b"/".as_slice(),
                Some(rest) if rest.strip_prefix(b"usr/").is_some_and(|rest| !rest.contains(&b'/')) => {
                    b"/usr/"
                }
                _ => continue,
            };
            let target = if target.starts_with(b"/") { target.to_vec() } else { [folder, target].concat() };
            links.insert(path.to_vec(), target);
        }
    }
    links
}

/// The dependencies of a kind, with their flags.
pub(super) fn dependencies(
    header: &Header,
    names: Tag,
    flags: Tag,
    versions: Tag,
) -> impl Iterator<Item = (Dependency, u64)> {
    let (flags, versions) = (header.numbers(flags), header.texts(versions));
    header.texts(names).iter().enumerate().map(move |(at, name)| {
        let flags = flags.get(at).copied().unwrap_or_default();
        let version = versions.get(at).map(|version| String::from_utf8_lossy(version)).unwrap_or_default();
        let bits = u32::try_from(flags).unwrap_or_default();
        (Dependency::from_fields(&String::from_utf8_lossy(name), bits, &version), flags)
    })
}
