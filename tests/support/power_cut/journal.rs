//! What was done to a file system, in order.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::tree::{Kind, NodeId};

/// What a new node is to be.
#[derive(Clone, Debug)]
pub enum NewNode {
    File,
    Folder,
    Link(PathBuf),
}

/// A folder and a name in it.
pub type Place = (NodeId, OsString);

/// One operation that has succeeded.
#[derive(Clone, Debug)]
pub enum Operation {
    Create { node: NodeId, parent: NodeId, name: OsString, new: NewNode, mode: u32, owner: (u32, u32) },
    Link { node: NodeId, parent: NodeId, name: OsString },
    Remove { parent: NodeId, name: OsString },
    Rename { from: Place, to: Place },
    Write { node: NodeId, offset: usize, data: Vec<u8> },
    Resize { node: NodeId, size: usize },
    SetMode { node: NodeId, mode: u32 },
    SetOwner { node: NodeId, owner: (u32, u32) },
    SetModified { node: NodeId, modified: SystemTime },
    SyncFile { node: NodeId },
    SyncFolder { node: NodeId },
}

/// Operations with their times.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    pub operations: Vec<(Operation, SystemTime)>,
}

impl NewNode {
    pub fn kind(&self) -> Kind {
        match self {
            Self::File => Kind::File(Arc::default()),
            Self::Folder => Kind::Folder(Arc::default()),
            Self::Link(target) => Kind::Link(target.clone()),
        }
    }
}

impl Journal {
    pub fn count(&self, is_counted: impl Fn(&Operation) -> bool) -> usize {
        self.operations.iter().filter(|(operation, _)| is_counted(operation)).count()
    }
}
