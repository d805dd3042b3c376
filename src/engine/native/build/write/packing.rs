//! Payloads that are packed while their packages are still being worked out: what files are, and what they depend on, makes no
//! difference to them.

use std::io::Read;
use std::thread::JoinHandle;

use super::super::files::{Contents, PackagedFile};
use super::super::settings::Settings;
use super::payload::{archive_form, list_payload};
use crate::package::{PackedPayload, Payload};

/// Fewer files are packed soon enough.
const LEAST: usize = 500;

/// How many bytes they hold at most: what is packed stays in memory.
const MOST: u64 = 4 << 20;

/// A payload on its way.
pub(crate) type Packing = JoinHandle<std::io::Result<PackedPayload>>;

/// Begins to pack the payload of a binary package, where that saves time, and what all its files hold is known.
pub(crate) fn start_packing(
    entries: &[PackagedFile],
    contents: &Contents,
    settings: &Settings,
) -> Option<Packing> {
    let is_packed = |entry: &&PackagedFile| entry.is_regular() && !entry.is_ghost();
    let is_known = entries.iter().filter(is_packed).all(|entry| contents.content_of(entry).is_some());
    if entries.len() < LEAST || contents.size() > MOST || !is_known {
        return None;
    }
    let (format, flags) = (settings.format, settings.payload(false).clone());
    let archive = archive_form(entries, format);
    let files = list_payload(entries, archive, b".");
    let numbers: Vec<u32> = entries.iter().map(|entry| entry.inode).collect();
    let contents = contents.clone();
    let threads = u32::try_from(settings.threads).unwrap_or(1);
    let pack = move || {
        let open = |index: u32| -> std::io::Result<Box<dyn Read + '_>> {
            let number = usize::try_from(index).ok().and_then(|index| numbers.get(index));
            let content = number.and_then(|number| contents.content_of_inode(*number));
            Ok(Box::new(content.ok_or(std::io::ErrorKind::NotFound)?))
        };
        Payload { format, archive, files: &files, open: &open, flags, threads }.pack()
    };
    std::thread::Builder::new().name("payload".to_owned()).spawn(pack).ok()
}
