//! What packages say of themselves, kept beside what they unpack to: whoever makes a root needs the headers of packages whose
//! payloads nobody has to read again.
//!
//! A copy begins with a digest of the package's and of the rest, and stands under the digest of the package: under another's
//! it is not believed. It is made while the package is read to its end, and found to be what it was.

use std::collections::HashSet;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::TreeError;
use super::kept_list::remove;
use crate::digest::{Digest, Encoder};
use crate::files::{Folder, FreedSpace};
use crate::package::{Headers, read_headers_of};
use crate::store::collection::{CollectionMode, files_below};
use crate::store::{Blob, Store, StoreError};

const HEADERS: &str = "headers";

/// How their names end. Copies are made otherwise from another version on.
const FORM: &str = "-2";

impl Store {
    /// The headers of a package; `name` is the package's, for errors.
    ///
    /// # Errors
    /// The package is not what it was, or the store can't be read.
    pub fn package_headers(&self, name: &str, blob: &Blob) -> Result<Headers, TreeError> {
        let trees = self.trees()?;
        let path = copy_path(&blob.digest);
        let copy = trees.read(&path).ok();
        if let Some(bytes) = copy.as_deref().and_then(|copy| sound_copy(&blob.digest, copy)) {
            return Ok(read_headers_of(name, &mut &*bytes)?);
        }
        let (headers, bytes) = self.read_blob(blob, |content| {
            let mut recorded = Recorded { reader: BufReader::new(content), bytes: Vec::new() };
            let headers = read_headers_of(name, &mut recorded)?;
            Ok::<_, TreeError>((headers, recorded.bytes))
        })?;
        let copy = [seal(&blob.digest, &bytes).as_bytes().as_slice(), &bytes].concat();
        // Where it can't be kept, the package is read again.
        let _ = trees.create(path.parent().unwrap_or(&path)).and_then(|_| trees.write_atomic(&path, &copy));
        Ok(headers)
    }
}

/// What a copy holds, if that is what was written of this package.
fn sound_copy<'c>(package: &Digest, copy: &'c [u8]) -> Option<&'c [u8]> {
    let (digest, bytes) = copy.split_first_chunk::<32>()?;
    (seal(package, bytes).as_bytes() == digest).then_some(bytes)
}

/// What binds headers to the package that they are of.
fn seal(package: &Digest, headers: &[u8]) -> Digest {
    let mut encoder = Encoder::new("rpmforge headers of a package v2");
    encoder.digest_field("package", package).digest_field("headers", &Digest::compute(headers)).digest()
}

fn copy_path(digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    [HEADERS, name.get(..2).unwrap_or_default(), &format!("{name}{FORM}")].iter().collect()
}

/// The package that a copy is of, as its name says; nothing where another version of forge has written it.
fn package_of(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.strip_suffix(FORM)?.parse().ok()
}

/// Whether an earlier forge has written it: nobody reads it, and the next collection takes it.
fn is_of_earlier_forge(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<Digest>().is_ok())
}

/// Removes the copies that `goes` says of, and what is none.
pub(super) fn remove_copies(
    trees: &Folder,
    goes: impl Fn(&Digest) -> bool,
    mode: CollectionMode,
    freed: &mut FreedSpace,
) -> Result<(), StoreError> {
    for path in files_below(trees, Path::new(HEADERS))? {
        if package_of(&path).is_none_or(|digest| goes(&digest)) {
            freed.add_file(trees, &path);
            remove(trees, &path, mode)?;
        }
    }
    Ok(())
}

/// The copies that are not what was written.
pub(super) fn wrong_copies(trees: &Folder) -> Result<HashSet<PathBuf>, StoreError> {
    let is_wrong = |path: &PathBuf| {
        let Some(package) = package_of(path) else { return !is_of_earlier_forge(path) };
        trees.read(path).is_ok_and(|copy| sound_copy(&package, &copy).is_none())
    };
    Ok(files_below(trees, Path::new(HEADERS))?.into_iter().filter(is_wrong).collect())
}

/// Keeps what is read.
struct Recorded<R> {
    reader: R,
    bytes: Vec<u8>,
}

impl<R: Read> Read for Recorded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
