//! Documents that a program reads from descriptors: what no other user may see stands neither in a command line, which
//! all can read, nor in a file, which may stay.
//!
//! forge writes them to the supervisor's standard input, each with its length before it (8 bytes, little endian). The
//! supervisor puts each into memory that the program inherits as a descriptor, and names it in the program's arguments.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bstr::ByteSlice;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// The documents of a program.
#[derive(Clone, Default)]
pub(super) struct Documents(Vec<Vec<u8>>);

impl Documents {
    pub fn add(&mut self, content: Vec<u8>) {
        self.0.push(content);
    }

    pub fn put_first(&mut self, content: Vec<u8>) {
        self.0.insert(0, content);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Each as a file in memory that programs started from here inherit.
    pub fn open(&self) -> io::Result<Vec<OwnedFd>> {
        receive(self.count(), &mut self.encoded().as_slice())
    }

    /// As the supervisor reads them.
    pub fn encoded(&self) -> Vec<u8> {
        let each = self.0.iter();
        each.flat_map(|content| [&(content.len() as u64).to_le_bytes(), content.as_slice()].concat())
            .collect()
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} documents", self.0.len())
    }
}

/// What stands in an argument for the path of the document with this number, counted from 0 in the order in which they
/// were added.
pub fn document_path(number: usize) -> String {
    format!("/proc/self/fd/{{document {number}}}")
}

/// Reads documents, and opens each as a file that programs started from here inherit: a supervisor starts only the one that
/// they are for.
pub(super) fn receive(count: usize, input: &mut impl Read) -> io::Result<Vec<OwnedFd>> {
    (0..count).map(|_| receive_one(input, MemfdFlags::empty())).collect()
}

/// Reads one document, for the standard input of a program: nothing inherits the file itself.
pub(super) fn receive_request(input: &mut impl Read) -> io::Result<OwnedFd> {
    receive_one(input, MemfdFlags::CLOEXEC)
}

/// A file in memory that can be read again and again, and not be changed.
fn receive_one(input: &mut impl Read, flags: MemfdFlags) -> io::Result<OwnedFd> {
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut file = File::from(memfd_create("forge", flags | MemfdFlags::ALLOW_SEALING)?);
    if io::copy(&mut input.take(length), &mut file)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.rewind()?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

/// An argument with the paths of documents in it.
pub(super) fn with_paths(argument: &OsStr, documents: &[OwnedFd]) -> OsString {
    let mut bytes = argument.as_bytes().to_vec();
    for (number, document) in documents.iter().enumerate() {
        bytes = bytes.replace(document_path(number), format!("/proc/self/fd/{}", document.as_raw_fd()));
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and look at files")]
mod tests {
    use super::*;

    #[test]
    fn documents_come_as_files_that_can_be_read_again_and_not_be_changed() {
        let mut documents = Documents::default();
        documents.add(b"one".to_vec());
        documents.add(Vec::new());
        let received = receive(2, &mut documents.encoded().as_slice()).unwrap();
        let path = with_paths(OsStr::new(&format!("<{}>", document_path(0))), &received);
        let path = path.to_str().unwrap().trim_matches(['<', '>']).to_owned();
        for _ in 0..2 {
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        }
        assert!(std::fs::write(&path, "two").is_err());
        assert!(receive(1, &mut &[5, 0][..]).is_err());
    }
}
