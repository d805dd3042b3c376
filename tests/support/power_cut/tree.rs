//! Folders, files and links in memory.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::journal::{NewNode, Operation};

/// The number of a file, folder or link: its inode.
pub type NodeId = u64;

/// The top folder.
pub const ROOT: NodeId = 1;

/// Bytes of a file, with their digest once somebody has asked for it.
#[derive(Clone, Debug, Default)]
pub struct Bytes {
    data: Vec<u8>,
    digest: OnceLock<blake3::Hash>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    File(Arc<Bytes>),
    Folder(Arc<BTreeMap<OsString, NodeId>>),
    Link(PathBuf),
}

/// A file, folder or link.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub mode: u32,
    pub owner: (u32, u32),
    /// How many names it has.
    pub names: u32,
    pub modified: SystemTime,
    pub changed: SystemTime,
}

/// A file system's content. Copies share what they have in common.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
}

impl Bytes {
    pub fn new(data: Vec<u8>) -> Self {
        Self { data, digest: OnceLock::new() }
    }

    pub fn data(&self) -> &[u8] {
        &self.data
    }

    pub fn digest(&self) -> blake3::Hash {
        *self.digest.get_or_init(|| blake3::hash(&self.data))
    }

    fn edit(&mut self) -> &mut Vec<u8> {
        self.digest = OnceLock::new();
        &mut self.data
    }

    /// Carries out what an operation does to a file's content.
    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Write { offset, data, .. } => {
                let end = offset + data.len();
                let bytes = self.edit();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
            Operation::Resize { size, .. } => self.edit().resize(*size, 0),
            _ => {}
        }
    }
}

impl Node {
    pub fn new(kind: Kind, mode: u32, time: SystemTime) -> Self {
        Self { kind, mode, owner: (0, 0), names: 1, modified: time, changed: time }
    }

    pub fn entries(&self) -> Option<&BTreeMap<OsString, NodeId>> {
        match &self.kind {
            Kind::Folder(entries) => Some(entries),
            Kind::File(_) | Kind::Link(_) => None,
        }
    }

    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::File(bytes) => Some(bytes),
            Kind::Folder(_) | Kind::Link(_) => None,
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        let root = Node::new(Kind::Folder(Arc::default()), 0o755, SystemTime::UNIX_EPOCH);
        Self { nodes: HashMap::from([(ROOT, root)]), next: ROOT + 1 }
    }
}

impl Tree {
    /// A copy of a folder of the machine.
    pub fn copy_of(folder: &Path) -> Self {
        let mut tree = Self::default();
        tree.copy_in(folder, ROOT);
        tree
    }

    fn copy_in(&mut self, folder: &Path, parent: NodeId) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let (new, mode) = if path.is_dir() { (NewNode::Folder, 0o755) } else { (NewNode::File, 0o644) };
            let node = self.take_id();
            let name = entry.file_name();
            let time = entry.metadata().unwrap().modified().unwrap();
            self.apply(&Operation::Create { node, parent, name, new, mode, owner: (0, 0) }, time);
            if path.is_dir() {
                self.copy_in(&path, node);
            } else {
                let data = std::fs::read(&path).unwrap();
                self.apply(&Operation::Write { node, offset: 0, data }, time);
            }
        }
    }

    /// A tree of these nodes, of which only those that can be reached count.
    pub fn from_nodes(nodes: HashMap<NodeId, Node>, next: NodeId) -> Self {
        let mut tree = Self { nodes, next };
        let mut names: HashMap<NodeId, u32> = HashMap::from([(ROOT, 1)]);
        tree.walk(ROOT, Path::new(""), &mut |_, id, _| *names.entry(id).or_default() += 1);
        tree.nodes.retain(|id, _| names.contains_key(id));
        for (id, node) in &mut tree.nodes {
            node.names = names[id];
        }
        tree
    }

    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub fn next_id(&self) -> NodeId {
        self.next
    }

    /// A number that no node has had.
    pub fn take_id(&mut self) -> NodeId {
        self.next += 1;
        self.next - 1
    }

    /// The node of this name in a folder.
    pub fn child(&self, parent: NodeId, name: &OsStr) -> Option<NodeId> {
        self.node(parent)?.entries()?.get(name).copied()
    }

    /// The node at a path; links are not followed.
    pub fn find(&self, path: impl AsRef<Path>) -> Option<NodeId> {
        path.as_ref().iter().try_fold(ROOT, |folder, name| self.child(folder, name))
    }

    /// The content of the file at a path.
    pub fn read(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        Some(self.node(self.find(path)?)?.bytes()?.data())
    }

    /// Other content for the file at a path, with the times that it had: as a disk that rots.
    pub fn replace_silently(&mut self, path: impl AsRef<Path>, data: Vec<u8>) {
        let id = self.find(path).unwrap();
        self.nodes.get_mut(&id).unwrap().kind = Kind::File(Arc::new(Bytes::new(data)));
    }

    /// The paths of all files below a folder, sorted.
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let Some(folder) = self.find(below) {
            self.walk(folder, Path::new(below), &mut |path, _, node| {
                if node.bytes().is_some() {
                    files.push(path.to_owned());
                }
            });
        }
        files
    }

    /// Visits everything below a folder, in the order of names.
    pub fn walk(&self, folder: NodeId, path: &Path, visit: &mut impl FnMut(&Path, NodeId, &Node)) {
        let Some(entries) = self.node(folder).and_then(Node::entries) else { return };
        for (name, id) in entries {
            let Some(node) = self.node(*id) else { continue };
            let path = path.join(name);
            visit(&path, *id, node);
            self.walk(*id, &path, visit);
        }
    }

    /// A digest of all names, kinds, modes and content, but of no times: trees with the same one are the same case. Nor
    /// does content count of files that are `scratch`, or what is below a folder that is.
    pub fn fingerprint(&self, is_scratch: fn(&Path) -> bool) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        self.hash_folder((ROOT, Path::new("")), is_scratch, &mut hasher);
        hasher.finalize()
    }

    fn hash_folder(
        &self,
        (folder, path): (NodeId, &Path),
        is_scratch: fn(&Path) -> bool,
        hasher: &mut blake3::Hasher,
    ) {
        let Some(entries) = self.node(folder).and_then(Node::entries) else { return };
        for (name, id) in entries {
            let Some(node) = self.node(*id) else { continue };
            let path = path.join(name);
            hasher.update(name.as_bytes()).update(&node.mode.to_le_bytes());
            if is_scratch(&path) {
                continue;
            }
            match &node.kind {
                Kind::File(bytes) => hasher.update(b"\0file").update(bytes.digest().as_bytes()),
                Kind::Link(target) => hasher.update(b"\0link").update(target.as_os_str().as_bytes()),
                Kind::Folder(_) => hasher.update(b"\0folder"),
            };
            self.hash_folder((*id, &path), is_scratch, hasher);
            hasher.update(b"\0end");
        }
    }

    /// An operation with the path that it was done to.
    pub fn describe(&self, operation: &Operation) -> String {
        match operation {
            Operation::Create { parent, name, .. } => {
                format!("create {}", self.path_of(*parent).join(name).display())
            }
            Operation::Link { parent, name, .. } => {
                format!("link {}", self.path_of(*parent).join(name).display())
            }
            Operation::Remove { parent, name } => {
                format!("remove {}", self.path_of(*parent).join(name).display())
            }
            Operation::Rename { from, to } => {
                let (from, to) = (self.path_of(from.0).join(&from.1), self.path_of(to.0).join(&to.1));
                format!("rename {} to {}", from.display(), to.display())
            }
            Operation::Write { node, offset, data } => {
                format!("write {} bytes at {offset} of {}", data.len(), self.path_of(*node).display())
            }
            Operation::Resize { node, size } => format!("resize {} to {size}", self.path_of(*node).display()),
            Operation::SetMode { node, .. } => format!("chmod {}", self.path_of(*node).display()),
            Operation::SetOwner { node, .. } => format!("chown {}", self.path_of(*node).display()),
            Operation::SetModified { node, .. } => format!("touch {}", self.path_of(*node).display()),
            Operation::SyncFile { node } => format!("sync {}", self.path_of(*node).display()),
            Operation::SyncFolder { node } => format!("sync folder {}", self.path_of(*node).display()),
        }
    }

    /// One path of a node; nothing for one that has no name any more.
    fn path_of(&self, wanted: NodeId) -> PathBuf {
        let mut found = PathBuf::new();
        self.walk(ROOT, Path::new(""), &mut |path, id, _| {
            if id == wanted {
                found = path.to_owned();
            }
        });
        found
    }

    /// Carries out an operation that can be carried out.
    pub fn apply(&mut self, operation: &Operation, time: SystemTime) {
        match operation {
            Operation::Create { node, parent, name, new, mode, owner } => {
                let mut created = Node::new(new.kind(), *mode, time);
                created.owner = *owner;
                self.nodes.insert(*node, created);
                self.next = self.next.max(node + 1);
                self.set_entry(*parent, name, Some(*node), time);
            }
            Operation::Link { node, parent, name } => {
                self.set_entry(*parent, name, Some(*node), time);
                self.count_name(*node, 1, time);
            }
            Operation::Remove { parent, name } => {
                if let Some(node) = self.set_entry(*parent, name, None, time) {
                    self.count_name(node, -1, time);
                }
            }
            Operation::Rename { from, to } => {
                let moved = self.set_entry(from.0, &from.1, None, time);
                let replaced = self.set_entry(to.0, &to.1, moved, time);
                if let Some(replaced) = replaced {
                    self.count_name(replaced, -1, time);
                }
            }
            Operation::Write { node, .. } | Operation::Resize { node, .. } => {
                if let Some(node) = self.nodes.get_mut(node) {
                    if let Kind::File(bytes) = &mut node.kind {
                        Arc::make_mut(bytes).apply(operation);
                    }
                    (node.modified, node.changed) = (time, time);
                }
            }
            Operation::SetMode { node, mode } => self.change(*node, time, |node| node.mode = *mode),
            Operation::SetOwner { node, owner } => self.change(*node, time, |node| node.owner = *owner),
            Operation::SetModified { node, modified } => {
                self.change(*node, time, |node| node.modified = *modified);
            }
            Operation::SyncFile { .. } | Operation::SyncFolder { .. } => {}
        }
    }

    fn change(&mut self, id: NodeId, time: SystemTime, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&id) {
            change(node);
            node.changed = time;
        }
    }

    fn count_name(&mut self, id: NodeId, by: i32, time: SystemTime) {
        self.change(id, time, |node| node.names = node.names.saturating_add_signed(by));
    }

    /// Gives what stood there before.
    fn set_entry(
        &mut self,
        folder: NodeId,
        name: &OsStr,
        node: Option<NodeId>,
        time: SystemTime,
    ) -> Option<NodeId> {
        let folder = self.nodes.get_mut(&folder)?;
        let Kind::Folder(entries) = &mut folder.kind else { return None };
        (folder.modified, folder.changed) = (time, time);
        let entries = Arc::make_mut(entries);
        match node {
            Some(node) => entries.insert(name.to_owned(), node),
            None => entries.remove(name),
        }
    }
}
