//! What the models of a power cut say is left, on disks of a few operations.

use std::time::SystemTime;

use crate::simulation::{Content, Disk, Loss, Names, NewNode, Operation, ROOT, Tree};

const STRICT: Loss = Loss { names: Names::Synced, content: Content::Synced };
const NAMES_FIRST: Loss = Loss { names: Names::All, content: Content::Synced };
const ZEROS: Loss = Loss { names: Names::All, content: Content::Zeroed };
const KILL: Loss = Loss { names: Names::All, content: Content::All };

fn create(node: u64, parent: u64, name: &str, new: NewNode) -> Operation {
    Operation::Create { node, parent, name: name.into(), new, mode: 0o644, owner: (0, 0) }
}

fn write(node: u64, offset: usize, text: &str) -> Operation {
    Operation::Write { node, offset, data: text.into() }
}

fn rename(from: (u64, &str), to: (u64, &str)) -> Operation {
    Operation::Rename { from: (from.0, from.1.into()), to: (to.0, to.1.into()) }
}

fn disk(operations: &[Operation]) -> Disk {
    let mut disk = Disk::new(Tree::default());
    operations.iter().for_each(|operation| disk.apply(operation, SystemTime::UNIX_EPOCH));
    disk
}

/// `old` at `file`, synced; then `new` written beside it and renamed into its place.
fn replaced(sync: &[Operation]) -> Disk {
    let mut operations = vec![
        create(2, ROOT, "file", NewNode::File),
        write(2, 0, "old"),
        Operation::SyncFile { node: 2 },
        Operation::SyncFolder { node: ROOT },
        create(3, ROOT, "temporary", NewNode::File),
        write(3, 0, "new"),
    ];
    operations.extend_from_slice(sync);
    operations.push(rename((ROOT, "temporary"), (ROOT, "file")));
    disk(&operations)
}

fn left<'a>(tree: &'a Tree, path: &str) -> Option<&'a str> {
    tree.read(path).map(|data| std::str::from_utf8(data).unwrap())
}

#[test]
fn a_rename_without_a_sync_of_its_folder_has_not_happened() {
    let tree = replaced(&[Operation::SyncFile { node: 3 }]).after_power_cut(STRICT);
    assert_eq!(left(&tree, "file"), Some("old"));
    assert_eq!(left(&tree, "temporary"), None);
}

#[test]
fn a_rename_before_the_data_leaves_an_empty_file_or_zeros() {
    let disk = replaced(&[]);
    assert_eq!(left(&disk.after_power_cut(NAMES_FIRST), "file"), Some(""));
    assert_eq!(left(&disk.after_power_cut(ZEROS), "file"), Some("\0\0\0"));
    assert_eq!(left(&disk.after_power_cut(KILL), "file"), Some("new"));
}

#[test]
fn what_was_synced_with_its_folder_is_there_under_every_model() {
    let mut disk = replaced(&[Operation::SyncFile { node: 3 }]);
    disk.apply(&Operation::SyncFolder { node: ROOT }, SystemTime::UNIX_EPOCH);
    for loss in Loss::ALL {
        let tree = disk.after_power_cut(loss);
        assert_eq!((left(&tree, "file"), left(&tree, "temporary")), (Some("new"), None), "{loss:?}");
    }
}

#[test]
fn a_file_written_in_place_has_its_old_content_until_it_is_synced() {
    let mut disk = replaced(&[]);
    let write = Operation::Write { node: 2, offset: 1, data: b"LDER".into() };
    let disk_of = |operations: &[Operation]| {
        let mut begun = vec![
            create(2, ROOT, "file", NewNode::File),
            self::write(2, 0, "old"),
            Operation::SyncFile { node: 2 },
            Operation::SyncFolder { node: ROOT },
        ];
        begun.extend_from_slice(operations);
        self::disk(&begun)
    };
    disk.apply(&write, SystemTime::UNIX_EPOCH);
    let unsynced = disk_of(std::slice::from_ref(&write));
    assert_eq!(left(&unsynced.after_power_cut(STRICT), "file"), Some("old"));
    assert_eq!(left(&unsynced.after_power_cut(ZEROS), "file"), Some("old\0\0"));
    let synced = disk_of(&[write, Operation::SyncFile { node: 2 }]);
    assert_eq!(left(&synced.after_power_cut(STRICT), "file"), Some("oLDER"));
}

#[test]
fn of_unsynced_writes_some_reach_the_disk_without_those_before_them() {
    let mut operations = vec![create(2, ROOT, "file", NewNode::File), Operation::SyncFolder { node: ROOT }];
    operations.extend((0..64).map(|at| write(2, at, "x")));
    let loss = Loss { names: Names::Synced, content: Content::Mixed(1) };
    let tree = disk(&operations).after_power_cut(loss);
    let reached = left(&tree, "file").unwrap().bytes().filter(|byte| *byte == b'x').count();
    assert!((16..48).contains(&reached), "{reached} of 64");
}

#[test]
fn a_removed_name_comes_back_until_its_folder_is_synced() {
    let mut disk = replaced(&[]);
    disk.apply(&Operation::Remove { parent: ROOT, name: "file".into() }, SystemTime::UNIX_EPOCH);
    assert_eq!(left(&disk.after_power_cut(STRICT), "file"), Some("old"));
    disk.apply(&Operation::SyncFolder { node: ROOT }, SystemTime::UNIX_EPOCH);
    assert_eq!(left(&disk.after_power_cut(STRICT), "file"), None);
}

#[test]
fn a_new_folder_needs_a_sync_of_the_one_that_it_is_in() {
    let mut disk = disk(&[
        create(2, ROOT, "folder", NewNode::Folder),
        create(3, 2, "file", NewNode::File),
        write(3, 0, "content"),
        Operation::SyncFile { node: 3 },
        Operation::SyncFolder { node: 2 },
    ]);
    assert_eq!(left(&disk.after_power_cut(STRICT), "folder/file"), None);
    disk.apply(&Operation::SyncFolder { node: ROOT }, SystemTime::UNIX_EPOCH);
    assert_eq!(left(&disk.after_power_cut(STRICT), "folder/file"), Some("content"));
}

#[test]
fn a_folder_that_was_moved_stands_in_one_place() {
    let folders = [
        create(2, ROOT, "from", NewNode::Folder),
        create(3, ROOT, "to", NewNode::Folder),
        create(4, 2, "moved", NewNode::Folder),
        create(5, 4, "file", NewNode::File),
        Operation::SyncFolder { node: 4 },
        Operation::SyncFolder { node: 2 },
        Operation::SyncFolder { node: 3 },
        Operation::SyncFolder { node: ROOT },
        rename((2, "moved"), (3, "moved")),
    ];
    let paths = |disk: &Disk| disk.after_power_cut(STRICT).files("");
    assert_eq!(paths(&disk(&folders)), ["from/moved/file".as_ref() as &std::path::Path]);
    for synced in [2, 3] {
        let mut moved = disk(&folders);
        moved.apply(&Operation::SyncFolder { node: synced }, SystemTime::UNIX_EPOCH);
        assert_eq!(paths(&moved), ["to/moved/file".as_ref() as &std::path::Path]);
    }
}
