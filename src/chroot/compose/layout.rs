//! What lies where in a root that is composed.

use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use hashbrown::HashMap;

use super::conflict::{FileConflict, Preferred, difference, preferred};
use super::error::ComposeError;
use super::limits::MOST_LINKS;
use crate::store::{EntryContent, EntryList, Ownership, TreeEntry};

type NodeId = usize;

/// The packages of an [`EntryList`] are counted from here.
const NO_PACKAGE: u32 = 0;

/// What lies where.
pub(super) struct FarmLayout<'t> {
    nodes: Vec<FarmNode<'t>>,
    /// The names of the packages below it and in it, by number.
    packages: Vec<&'t str>,
    /// How many of them are below it.
    below: usize,
    /// Folders that were found, by their paths.
    known: HashMap<&'t [u8], NodeId>,
}

/// Something in a root.
struct FarmNode<'t> {
    /// What a package says of it; nothing of a folder that is only there because something is in it.
    entry: Option<&'t TreeEntry>,
    /// The number of its package.
    package: u32,
    parent: NodeId,
    /// Nothing where it is no folder.
    children: Option<HashMap<&'t [u8], NodeId>>,
    /// Whether it is not in the base, or not as it is there, or something in it isn't.
    is_added: bool,
}

const ROOT: NodeId = 0;

impl<'t> FarmLayout<'t> {
    /// A layout that begins with what lies in layers, the lowest first.
    pub fn over(base: &'t [Arc<EntryList>]) -> Self {
        let root = FarmNode {
            entry: None,
            package: NO_PACKAGE,
            parent: ROOT,
            children: Some(HashMap::new()),
            is_added: false,
        };
        let mut layout = Self { nodes: vec![root], packages: Vec::new(), below: 0, known: HashMap::new() };
        for list in base {
            let first = layout.packages.len();
            layout.packages.extend(list.packages.iter().map(String::as_str));
            for (entry, number) in list.entries.iter().zip(&list.package_numbers) {
                let number = usize::try_from(*number).unwrap_or_default();
                let package = if number == 0 { NO_PACKAGE } else { package_number(first + number - 1) };
                layout.put_from_base(entry, package);
            }
        }
        layout.below = layout.packages.len();
        layout
    }

    /// Puts something where a lower layer has it: there are no links on the way.
    fn put_from_base(&mut self, entry: &'t TreeEntry, package: u32) {
        let (parent, name) = split(entry.path.as_ref());
        let parent = self.known.get(parent.as_bytes()).copied().unwrap_or(ROOT);
        let is_folder = entry.content == EntryContent::Folder;
        let id = match (entry.path.is_empty(), self.child(parent, name)) {
            (true, _) => ROOT,
            (false, Some(id)) => id,
            (false, None) => self.new_node(parent, name, is_folder),
        };
        if is_folder {
            self.known.insert(entry.path.as_slice(), id);
        }
        if let Some(node) = self.nodes.get_mut(id) {
            (node.entry, node.package, node.is_added) = (Some(entry), package, false);
        }
    }

    /// Adds what packages unpack to, in the order of their installation.
    ///
    /// # Errors
    /// Two of them contradict each other.
    pub fn add(&mut self, trees: &'t [Vec<TreeEntry>], names: &'t [String]) -> Result<(), ComposeError> {
        self.packages.extend(names.iter().map(String::as_str));
        self.mark_added(ROOT);
        let below = self.below;
        let all = || {
            let numbered = |(tree, entries): (usize, &'t Vec<TreeEntry>)| {
                entries.iter().map(move |entry| (entry, package_number(below + tree)))
            };
            trees.iter().enumerate().flat_map(numbered)
        };
        let mut conflicts = Vec::new();
        // Wherever in the order it is, a link leads the files of all packages: the shallow ones first, as others may lie behind them.
        let mut links: Vec<_> = all().filter(|(entry, _)| entry.link().is_some()).collect();
        links.sort_by_key(|(entry, _)| entry.path.iter().filter(|byte| **byte == b'/').count());
        for (entry, package) in links {
            // A folder that was known may be behind another link now.
            self.known.clear();
            conflicts.extend(self.put(entry, package)?);
        }
        self.known.clear();
        for (entry, package) in all().filter(|(entry, _)| entry.link().is_none()) {
            conflicts.extend(self.put(entry, package)?);
        }
        let more = conflicts.len().saturating_sub(1);
        match conflicts.into_iter().next() {
            Some(conflict) => Err(ComposeError::Conflict { conflict, more }),
            None => Ok(()),
        }
    }

    fn put(&mut self, entry: &'t TreeEntry, package: u32) -> Result<Option<FileConflict>, ComposeError> {
        let id = if entry.path.is_empty() {
            ROOT
        } else {
            let (parent, name) = split(entry.path.as_ref());
            let parent = self.folder(parent, entry, package)?;
            match self.child(parent, name) {
                Some(id) => id,
                None => {
                    let id = self.new_node(parent, name, entry.content == EntryContent::Folder);
                    self.set(id, entry, package);
                    return Ok(None);
                }
            }
        };
        let Some(node) = self.nodes.get(id) else { return Ok(None) };
        let Some(there) = node.entry else {
            if entry.content == EntryContent::Folder {
                self.set(id, entry, package);
                return Ok(None);
            }
            let at = self.path(id);
            let reason = "is a folder for other packages";
            return Err(self.no_way(entry, package, at.as_ref(), reason));
        };
        let Some(difference) = difference(there, entry) else { return Ok(None) };
        match preferred(there, entry) {
            Preferred::First => Ok(None),
            Preferred::Second => {
                self.set(id, entry, package);
                Ok(None)
            }
            Preferred::Neither => Ok(Some(FileConflict {
                path: shown(self.path(id).as_ref()),
                first: self.package(node.package),
                second: self.package(package),
                difference,
            })),
        }
    }

    /// The folder that a path leads to, made where it is missing.
    fn folder(&mut self, path: &'t BStr, entry: &'t TreeEntry, package: u32) -> Result<NodeId, ComposeError> {
        if let Some(id) = self.known.get(path.as_bytes()) {
            return Ok(*id);
        }
        let mut at = ROOT;
        let mut ahead: Vec<&'t [u8]> = path.rsplit_str("/").collect();
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            match part {
                b"" | b"." => continue,
                b".." => {
                    at = self.nodes.get(at).map_or(ROOT, |node| node.parent);
                    continue;
                }
                _ => {}
            }
            let next = match self.child(at, BStr::new(part)) {
                Some(next) => next,
                None => self.new_node(at, BStr::new(part), true),
            };
            let Some(node) = self.nodes.get(next) else { continue };
            match (&node.children, node.entry.and_then(TreeEntry::link)) {
                (Some(_), _) => at = next,
                (None, Some(target)) => {
                    links += 1;
                    if links > MOST_LINKS {
                        let at = self.path(next);
                        return Err(self.no_way(entry, package, at.as_ref(), "leads over too many links"));
                    }
                    if target.starts_with(b"/") {
                        at = ROOT;
                    }
                    ahead.extend(target.rsplit_str("/"));
                }
                (None, None) => {
                    let at = self.path(next);
                    return Err(self.no_way(entry, package, at.as_ref(), "is a file of another package"));
                }
            }
        }
        self.known.insert(path.as_bytes(), at);
        Ok(at)
    }

    fn child(&self, parent: NodeId, name: &BStr) -> Option<NodeId> {
        self.nodes.get(parent)?.children.as_ref()?.get(name.as_bytes()).copied()
    }

    fn new_node(&mut self, parent: NodeId, name: &'t BStr, is_folder: bool) -> NodeId {
        let id = self.nodes.len();
        let children = is_folder.then(HashMap::new);
        self.nodes.push(FarmNode { entry: None, package: NO_PACKAGE, parent, children, is_added: false });
        if let Some(children) = self.nodes.get_mut(parent).and_then(|node| node.children.as_mut()) {
            children.insert(name.as_bytes(), id);
        }
        id
    }

    fn set(&mut self, id: NodeId, entry: &'t TreeEntry, package: u32) {
        if let Some(node) = self.nodes.get_mut(id) {
            (node.entry, node.package) = (Some(entry), package);
        }
        self.mark_added(id);
    }

    fn mark_added(&mut self, mut id: NodeId) {
        while let Some(node) = self.nodes.get_mut(id).filter(|node| !node.is_added) {
            node.is_added = true;
            id = node.parent;
        }
    }

    /// All that was added, sorted by path, each with the number of its package, and the folders that it lies in.
    pub fn added(&self) -> (Vec<TreeEntry>, Vec<u32>) {
        let mut found = Vec::new();
        let mut open = vec![(ROOT, BString::default())];
        while let Some((id, path)) = open.pop() {
            let Some(node) = self.nodes.get(id).filter(|node| node.is_added) else { continue };
            for (name, child) in node.children.iter().flatten() {
                let separator = if path.is_empty() { b"".as_slice() } else { b"/" };
                open.push((*child, [path.as_slice(), separator, name].concat().into()));
            }
            let package = usize::try_from(node.package).unwrap_or_default();
            let package =
                if package > self.below { package_number(package - self.below - 1) } else { NO_PACKAGE };
            found.push((entry_at(path, node.entry), package));
        }
        found.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        found.into_iter().unzip()
    }

    fn path(&self, id: NodeId) -> BString {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut at = id;
        let mut seen = BTreeSet::new();
        while at != ROOT && seen.insert(at) {
            let Some(parent) = self.nodes.get(at).map(|node| node.parent) else { break };
            let children = self.nodes.get(parent).and_then(|node| node.children.as_ref());
            let name = children.and_then(|all| all.iter().find(|(_, child)| **child == at));
            parts.extend(name.map(|(name, _)| *name));
            at = parent;
        }
        parts.reverse();
        bstr::join("/", parts).into()
    }

    fn package(&self, number: u32) -> String {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        index.and_then(|index| self.packages.get(index)).map_or("another package", |name| name).to_owned()
    }

    fn no_way(&self, entry: &TreeEntry, package: u32, at: &BStr, reason: &'static str) -> ComposeError {
        let (path, at) = (shown(entry.path.as_ref()), shown(at));
        ComposeError::NoWay { path, package: self.package(package), at, reason }
    }
}

/// How a package is counted.
fn package_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// What stands in the list of a root of something in it.
fn entry_at(path: BString, entry: Option<&TreeEntry>) -> TreeEntry {
    match entry {
        Some(entry) => TreeEntry { path, ..entry.clone() },
        // As rpm makes folders that belong to no package.
        None => TreeEntry {
            path,
            mode: 0o755,
            ownership: Arc::new(Ownership::default()),
            modified: 0,
            color: 0,
            content: EntryContent::Folder,
        },
    }
}

fn split(path: &BStr) -> (&BStr, &BStr) {
    match path.rsplit_once_str("/") {
        Some((parent, name)) => (parent.as_bstr(), name.as_bstr()),
        None => (BStr::new(b""), path),
    }
}

fn shown(path: &BStr) -> String {
    path.to_string().escape_debug().to_string()
}
