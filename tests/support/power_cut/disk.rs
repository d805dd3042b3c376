//! What is left of a file system when the power goes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::journal::{Operation, Place};
use super::tree::{Bytes, Kind, Node, NodeId, ROOT, Tree};

/// Which names are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those that a folder had when it was last synced: a rename whose folder was not synced has not happened. This is
    /// all that POSIX promises.
    Synced,
    /// All: file systems with a journal write names down in order, and often long before the data.
    All,
}

/// Which content the files have that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// That of their last sync; a file that never was is empty.
    Synced,
    /// As with `Synced`, but as long as they were: the size has been written, the data are zeros.
    Zeroed,
    /// Of the writes since the last sync some have reached the disk, in no order.
    Mixed(u64),
    /// All that was written.
    All,
}

/// A model of what a power cut takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    pub names: Names,
    pub content: Content,
}

/// A disk while a journal is replayed on it: what programs see, and what has been synced.
pub struct Disk {
    live: Tree,
    /// Every node as it was at its last sync.
    synced: HashMap<NodeId, Node>,
    /// What was done to the content of files since their last sync, with the number of the operation.
    unsynced: HashMap<NodeId, Vec<(u64, Operation)>>,
    /// Folders that were moved to another folder, while neither has been synced.
    folder_moves: Vec<FolderMove>,
    done: u64,
}

struct FolderMove {
    from: Place,
    to: Place,
    node: NodeId,
}

impl Loss {
    /// The models: the strict one, what each kind of file system does, and a kill, which loses nothing.
    pub const ALL: [Self; 7] = [
        Self { names: Names::Synced, content: Content::Synced },
        Self { names: Names::All, content: Content::Synced },
        Self { names: Names::All, content: Content::Zeroed },
        Self { names: Names::All, content: Content::Mixed(1) },
        Self { names: Names::Synced, content: Content::Mixed(2) },
        Self { names: Names::Synced, content: Content::All },
        Self { names: Names::All, content: Content::All },
    ];

    /// Whether an operation can change what is left under this model.
    pub fn is_changed_by(self, operation: &Operation) -> bool {
        match operation {
            Operation::Create { .. }
            | Operation::Link { .. }
            | Operation::Remove { .. }
            | Operation::Rename { .. }
            | Operation::SetMode { .. } => self.names == Names::All,
            Operation::Write { .. } | Operation::Resize { .. } => self.content != Content::Synced,
            Operation::SyncFile { .. } => self.content != Content::All || self.names == Names::Synced,
            Operation::SyncFolder { .. } => self.names == Names::Synced,
            Operation::SetOwner { .. } | Operation::SetModified { .. } => false,
        }
    }
}

impl Disk {
    /// One on which all of `tree` has been synced.
    pub fn new(tree: Tree) -> Self {
        let mut synced = HashMap::from([(ROOT, tree.node(ROOT).unwrap().clone())]);
        tree.walk(ROOT, "".as_ref(), &mut |_, id, node| {
            synced.insert(id, node.clone());
        });
        Self { live: tree, synced, unsynced: HashMap::new(), folder_moves: Vec::new(), done: 0 }
    }

    /// What programs see.
    pub fn live(&self) -> &Tree {
        &self.live
    }

    /// Carries out one operation.
    pub fn apply(&mut self, operation: &Operation, time: SystemTime) {
        self.done += 1;
        if let Operation::Rename { from, to } = operation {
            self.note_move_of_folder(from, to);
        }
        self.live.apply(operation, time);
        match operation {
            Operation::Write { node, .. } | Operation::Resize { node, .. } => {
                self.unsynced.entry(*node).or_default().push((self.done, operation.clone()));
            }
            Operation::SyncFile { node } | Operation::SyncFolder { node } => {
                self.unsynced.remove(node);
                if let Some(live) = self.live.node(*node) {
                    self.synced.insert(*node, live.clone());
                }
                self.sync_moves_of_folders(*node);
            }
            _ => {}
        }
    }

    /// A folder has one place: moved between two folders of which only one has been synced since, it would stand in
    /// both or in none, which no file system does to folders. The move counts as synced with either of the two.
    fn sync_moves_of_folders(&mut self, synced: NodeId) {
        let is_synced = |moved: &FolderMove| moved.from.0 == synced || moved.to.0 == synced;
        let (done, open) = std::mem::take(&mut self.folder_moves).into_iter().partition(is_synced);
        self.folder_moves = open;
        for FolderMove { from, to, node } in done {
            if self.synced_child(&from) == Some(node) {
                self.set_synced(&from, None);
            }
            if self.live.child(to.0, &to.1) == Some(node) {
                self.set_synced(&to, Some(node));
            }
        }
    }

    fn note_move_of_folder(&mut self, from: &Place, to: &Place) {
        let Some(node) = self.live.child(from.0, &from.1) else { return };
        let is_folder = self.live.node(node).is_some_and(|node| node.entries().is_some());
        if is_folder && from.0 != to.0 {
            self.folder_moves.push(FolderMove { from: from.clone(), to: to.clone(), node });
        }
    }

    fn synced_child(&self, place: &Place) -> Option<NodeId> {
        self.synced.get(&place.0)?.entries()?.get(&place.1).copied()
    }

    fn set_synced(&mut self, place: &Place, node: Option<NodeId>) {
        let Some(Kind::Folder(entries)) = self.synced.get_mut(&place.0).map(|folder| &mut folder.kind) else {
            return;
        };
        match node {
            Some(node) => Arc::make_mut(entries).insert(place.1.clone(), node),
            None => Arc::make_mut(entries).remove(&place.1),
        };
    }

    /// What is left when the power goes now.
    pub fn after_power_cut(&self, loss: Loss) -> Tree {
        let mut left = HashMap::new();
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            let Some(node) = self.left_of(id, loss) else { continue };
            open.extend(node.entries().into_iter().flat_map(|entries| entries.values()));
            left.insert(id, node);
        }
        Tree::from_nodes(left, self.live.next_id())
    }

    fn left_of(&self, id: NodeId, loss: Loss) -> Option<Node> {
        let live = self.live.node(id)?;
        let synced = self.synced.get(&id);
        let mut left = match (loss.names, synced) {
            (Names::All, _) | (Names::Synced, None) => live.clone(),
            (Names::Synced, Some(synced)) => synced.clone(),
        };
        match &live.kind {
            Kind::File(written) => left.kind = Kind::File(self.content_left(id, written, loss.content)),
            Kind::Folder(_) if loss.names == Names::Synced && synced.is_none() => {
                left.kind = Kind::Folder(Arc::default());
            }
            // A link's target is written with its inode.
            Kind::Folder(_) | Kind::Link(_) => {}
        }
        Some(left)
    }

    fn content_left(&self, id: NodeId, written: &Arc<Bytes>, content: Content) -> Arc<Bytes> {
        let synced = match self.synced.get(&id).map(|node| &node.kind) {
            Some(Kind::File(bytes)) => Arc::clone(bytes),
            _ => Arc::default(),
        };
        let Some(unsynced) = self.unsynced.get(&id) else { return synced };
        match content {
            Content::Synced => synced,
            Content::All => Arc::clone(written),
            Content::Zeroed => {
                let mut data = synced.data().to_vec();
                data.resize(written.data().len(), 0);
                Arc::new(Bytes::new(data))
            }
            Content::Mixed(seed) => {
                let mut mixed = Bytes::new(synced.data().to_vec());
                let reached = unsynced.iter().filter(|(number, _)| has_reached_the_disk(*number, seed));
                reached.for_each(|(_, operation)| mixed.apply(operation));
                Arc::new(mixed)
            }
        }
    }
}

/// A coin for each operation, the same in every run.
fn has_reached_the_disk(number: u64, seed: u64) -> bool {
    let mixed = (number ^ (seed << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) & 1 == 1
}
