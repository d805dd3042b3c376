//! A [`Tree`] as a file system of FUSE, which notes every operation.
//!
//! Without the kernel's write-back cache, which FUSE doesn't use unless asked, writes come here in the order and at the
//! time of the program's calls. Locks (`flock`, `fcntl`) are the kernel's own, and so is memory shared with `mmap`.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::journal::{Journal, NewNode, Operation};
use super::tree::{Kind, Node, NodeId, Tree};

/// Nobody but the kernel changes the tree, so it may remember what it has been told.
const REMEMBERED: Duration = Duration::from_secs(3600);

const BLOCK: u64 = 512;

/// What the layer and its user share.
#[derive(Debug, Default)]
pub struct State {
    pub tree: Tree,
    pub journal: Journal,
    listings: HashMap<u64, Vec<(NodeId, FileType, OsString)>>,
    next_listing: u64,
}

/// The file system that FUSE calls.
#[derive(Clone, Debug, Default)]
pub struct Layer(Arc<Mutex<State>>);

impl Layer {
    pub fn new(tree: Tree) -> Self {
        Self(Arc::new(Mutex::new(State { tree, ..State::default() })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn perform(&mut self, operation: Operation) {
        let now = SystemTime::now();
        self.tree.apply(&operation, now);
        self.journal.operations.push((operation, now));
    }

    fn create(
        &mut self,
        request: &Request,
        (parent, name): (u64, &OsStr),
        new: NewNode,
        mode: u32,
    ) -> Result<FileAttr, Errno> {
        if self.tree.child(parent, name).is_some() {
            return Err(Errno::EEXIST);
        }
        let (name, owner) = (name.to_owned(), (request.uid(), request.gid()));
        let node = self.tree.take_id();
        self.perform(Operation::Create { node, parent, name, new, mode: mode & 0o7777, owner });
        self.attributes(node)
    }

    fn attributes(&self, id: NodeId) -> Result<FileAttr, Errno> {
        let node = self.tree.node(id).ok_or(Errno::ENOENT)?;
        let size = match &node.kind {
            Kind::File(bytes) => bytes.data().len(),
            Kind::Link(target) => target.as_os_str().len(),
            Kind::Folder(_) => 4096,
        } as u64;
        Ok(FileAttr {
            ino: INodeNo(id),
            size,
            blocks: size.div_ceil(BLOCK),
            atime: node.modified,
            mtime: node.modified,
            ctime: node.changed,
            crtime: node.changed,
            kind: file_type(node),
            perm: u16::try_from(node.mode).unwrap_or(0o600),
            nlink: if node.entries().is_some() { 2 } else { node.names },
            uid: node.owner.0,
            gid: node.owner.1,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }

    fn lookup(&self, parent: NodeId, name: &OsStr) -> Result<FileAttr, Errno> {
        self.attributes(self.tree.child(parent, name).ok_or(Errno::ENOENT)?)
    }

    fn remove(&mut self, parent: NodeId, name: &OsStr) -> Result<(), Errno> {
        let node = self.tree.child(parent, name).ok_or(Errno::ENOENT)?;
        if !self.is_empty(node) {
            return Err(Errno::ENOTEMPTY);
        }
        self.perform(Operation::Remove { parent, name: name.to_owned() });
        Ok(())
    }

    /// Whether a node is no folder, or one without entries.
    fn is_empty(&self, id: NodeId) -> bool {
        self.tree.node(id).and_then(Node::entries).is_none_or(std::collections::BTreeMap::is_empty)
    }

    fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr), flags: RenameFlags) -> Result<(), Errno> {
        let moved = self.tree.child(from.0, from.1).ok_or(Errno::ENOENT)?;
        let replaced = self.tree.child(to.0, to.1);
        match replaced {
            _ if flags.intersects(RenameFlags::RENAME_EXCHANGE | RenameFlags::RENAME_WHITEOUT) => {
                return Err(Errno::EINVAL);
            }
            Some(_) if flags.contains(RenameFlags::RENAME_NOREPLACE) => return Err(Errno::EEXIST),
            Some(replaced) if !self.is_empty(replaced) => return Err(Errno::ENOTEMPTY),
            // Two names of one file: rename(2) does nothing.
            Some(replaced) if replaced == moved => return Ok(()),
            Some(_) | None => {}
        }
        let place = |(parent, name): (u64, &OsStr)| (parent, name.to_owned());
        self.perform(Operation::Rename { from: place(from), to: place(to) });
        Ok(())
    }

    fn list(&mut self, folder: NodeId) -> Result<u64, Errno> {
        let entries = self.tree.node(folder).and_then(Node::entries).ok_or(Errno::ENOTDIR)?;
        let own = [".", ".."].map(|name| (folder, FileType::Directory, OsString::from(name)));
        let named = entries.iter().filter_map(|(name, id)| {
            let node = self.tree.node(*id)?;
            Some((*id, file_type(node), name.clone()))
        });
        let listing = own.into_iter().chain(named).collect();
        self.next_listing += 1;
        self.listings.insert(self.next_listing, listing);
        Ok(self.next_listing)
    }
}

fn file_type(node: &Node) -> FileType {
    match node.kind {
        Kind::File(_) => FileType::RegularFile,
        Kind::Folder(_) => FileType::Directory,
        Kind::Link(_) => FileType::Symlink,
    }
}

fn reply_entry(reply: ReplyEntry, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn reply_attributes(reply: ReplyAttr, result: Result<FileAttr, Errno>) {
    match result {
        Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
        Err(error) => reply.error(error),
    }
}

fn reply_empty(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn as_index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Filesystem for Layer {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        reply_entry(reply, self.state().lookup(parent.0, name));
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply_attributes(reply, self.state().attributes(node.0));
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = self.state();
        let node = node.0;
        if let Some(mode) = mode {
            state.perform(Operation::SetMode { node, mode: mode & 0o7777 });
        }
        if let (Some(before), true) = (state.tree.node(node), uid.is_some() || gid.is_some()) {
            let owner = (uid.unwrap_or(before.owner.0), gid.unwrap_or(before.owner.1));
            state.perform(Operation::SetOwner { node, owner });
        }
        if let Some(size) = size {
            state.perform(Operation::Resize { node, size: as_index(size) });
        }
        if let Some(modified) = modified {
            let modified = match modified {
                TimeOrNow::SpecificTime(time) => time,
                TimeOrNow::Now => SystemTime::now(),
            };
            state.perform(Operation::SetModified { node, modified });
        }
        reply_attributes(reply, state.attributes(node));
    }

    fn readlink(&self, _: &Request, node: INodeNo, reply: ReplyData) {
        use std::os::unix::ffi::OsStrExt as _;
        match self.state().tree.node(node.0).map(|node| &node.kind) {
            Some(Kind::Link(target)) => reply.data(target.as_os_str().as_bytes()),
            _ => reply.error(Errno::EINVAL),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        reply_entry(reply, self.state().create(request, (parent.0, name), NewNode::Folder, mode));
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let new = NewNode::Link(target.to_owned());
        reply_entry(reply, self.state().create(request, (parent.0, name), new, 0o777));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply_empty(reply, self.state().remove(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply_empty(reply, self.state().remove(parent.0, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        reply_empty(reply, self.state().rename((parent.0, name), (new_parent.0, new_name), flags));
    }

    fn link(&self, _: &Request, node: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut state = self.state();
        if state.tree.child(parent.0, name).is_some() {
            return reply.error(Errno::EEXIST);
        }
        state.perform(Operation::Link { node: node.0, parent: parent.0, name: name.to_owned() });
        reply_entry(reply, state.attributes(node.0));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.state().create(request, (parent.0, name), NewNode::File, mode) {
            Ok(attributes) => {
                let flags = FopenFlags::FOPEN_KEEP_CACHE;
                reply.created(&REMEMBERED, &attributes, Generation(0), FileHandle(0), flags);
            }
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.state().tree.node(node.0).and_then(Node::bytes) {
            Some(bytes) => {
                let rest = bytes.data().get(as_index(offset)..).unwrap_or_default();
                reply.data(&rest[..rest.len().min(size as usize)]);
            }
            None => reply.error(Errno::EISDIR),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let write = Operation::Write { node: node.0, offset: as_index(offset), data: data.to_vec() };
        self.state().perform(write);
        reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.state().perform(Operation::SyncFile { node: node.0 });
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.state().perform(Operation::SyncFolder { node: node.0 });
        reply.ok();
    }

    fn opendir(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.state().list(node.0) {
            Ok(listing) => reply.opened(FileHandle(listing), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, handle: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = self.state();
        let listing = state.listings.get(&handle.0).map(Vec::as_slice).unwrap_or_default();
        for (at, (node, kind, name)) in listing.iter().enumerate().skip(as_index(offset)) {
            if reply.add(INodeNo(*node), at as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.state().listings.remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        const PLENTY: u64 = 1 << 28;
        reply.statfs(PLENTY, PLENTY, PLENTY, PLENTY, PLENTY, 4096, 255, 4096);
    }
}
