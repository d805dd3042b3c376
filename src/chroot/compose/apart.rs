//! Packages that have a layer for themselves.
//!
//! What a build needs beyond the minimal set are some packages, and most of their files are those of a few: links to these
//! are what making a root takes. A set that was never composed before finds the layers of its large packages, which others
//! had too, and only what is left is linked. What is looked for in a folder and is not there (by a compiler, among its headers)
//! costs no more: overlayfs looks in those layers alone that have the folder.

use bstr::{BStr, ByteSlice};
use hashbrown::HashSet;

use super::limits::{FEWEST_FILES_APART, MOST_APART};
use crate::store::{EntryContent, TreeEntry};

/// What a layer has, sorted by path, each with the number of its package: that of the set's first is 1.
type Added = (Vec<TreeEntry>, Vec<u32>);

/// The packages of a set that have a layer for themselves, by their places in it, the largest first: all that is in one lies in
/// the root as it has it, and so it would if the package were there alone.
pub(super) fn choose(trees: &[Vec<TreeEntry>], added: &Added) -> Vec<usize> {
    let files = |tree: &[TreeEntry]| tree.iter().filter(|entry| !is_folder(entry)).count();
    let mut large: Vec<(usize, usize)> = trees
        .iter()
        .enumerate()
        .map(|(package, tree)| (package, files(tree)))
        .filter(|(_, files)| *files >= FEWEST_FILES_APART)
        .collect();
    large.sort_by_key(|(package, files)| (std::cmp::Reverse(*files), *package));
    large.retain(|(package, _)| trees.get(*package).is_some_and(|tree| lies_alone(*package, tree, added)));
    large.truncate(MOST_APART);
    large.into_iter().map(|(package, _)| package).collect()
}

/// Whether all of a package is in the root, at the places that it names itself, and the same.
fn lies_alone(package: usize, tree: &[TreeEntry], (entries, numbers): &Added) -> bool {
    tree.iter().all(|entry| {
        let found = entries.binary_search_by(|other| other.path.cmp(&entry.path)).ok();
        let found = found.and_then(|index| Some((entries.get(index)?, numbers.get(index)?)));
        found.is_some_and(|(other, number)| match is_folder(entry) {
            true => is_folder(other),
            false => other == entry && is_of(*number, package),
        })
    })
}

/// What is left for a layer that lies over that of a package. The folders where both have something stay in it: what is said of a
/// folder counts in the uppermost layer that has it.
pub(super) fn without(package: usize, (entries, numbers): Added) -> Added {
    let stays: Vec<bool> = {
        // Whatever is not this package's, and the folders that it lies in, up to the root. A folder that is only there for what
        // is in it is nobody's, and may be like that in the base too.
        let mut shared: HashSet<&BStr> = HashSet::from_iter([BStr::new(b"")]);
        for (entry, _) in entries.iter().zip(&numbers).filter(|(_, number)| !is_of(**number, package)) {
            let mut path: &BStr = entry.path.as_ref();
            while shared.insert(path) {
                path = path.rsplit_once_str("/").map_or(BStr::new(b""), |(parent, _)| parent.as_bstr());
            }
        }
        entries.iter().map(|entry| shared.contains::<BStr>(entry.path.as_ref())).collect()
    };
    let all = entries.into_iter().zip(numbers).zip(stays);
    all.filter(|(_, stays)| *stays).map(|(entry, _)| entry).unzip()
}

fn is_folder(entry: &TreeEntry) -> bool {
    entry.content == EntryContent::Folder
}

fn is_of(number: u32, package: usize) -> bool {
    usize::try_from(number).ok().and_then(|number| number.checked_sub(1)) == Some(package)
}
