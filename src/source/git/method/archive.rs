//! Archives of what a commit holds, by the rules of git-archive(1), with nothing in them that another day would change: names
//! in order, the time of the commit, files of root's, and the commit's id where `git get-tar-commit-id` looks for it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_std::fs::PermissionsExt;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::files::{EntryKind, Folder};

/// How many folders may lie in each other; what is written of a commit is no deeper.
const DEPTH: usize = 256;

/// An archive of a folder.
pub(super) struct ArchiveOrder {
    /// The name of the file.
    pub file: String,
    /// The folder in the archive that all is in.
    pub top: String,
    /// The folder of the commit that is packed.
    pub below: PathBuf,
}

/// When files were changed, and of which commit they are, as the archive says it.
pub(super) struct ArchiveStamp {
    /// Seconds since 1970.
    pub seconds: u64,
    /// The commit.
    pub commit: String,
}

/// Writes a folder as a tar file that gzip has compressed. What `left_out` says of paths in that folder isn't in it.
///
/// # Errors
/// Something can't be read or written.
pub(super) fn write_archive(
    folder: &Folder,
    top: &str,
    stamp: &ArchiveStamp,
    left_out: &dyn Fn(&Path) -> bool,
    into: impl Write,
) -> io::Result<()> {
    // Neither a name nor a time in the head of the file, and always the same effort.
    let compressed = GzBuilder::new().mtime(0).write(into, Compression::new(9));
    let mut builder = Builder::new(compressed);
    write_commit_id(&mut builder, stamp)?;
    let mut writer = TarWriter { builder, seconds: stamp.seconds, left_out };
    writer.write_folder(folder, (Path::new(""), Path::new(top)), 0)?;
    writer.builder.into_inner()?.finish()?.flush()
}

/// The record that `git get-tar-commit-id` reads: `52 comment=…`.
fn write_commit_id(builder: &mut Builder<impl Write>, stamp: &ArchiveStamp) -> io::Result<()> {
    let record = format!("52 comment={}\n", stamp.commit);
    let mut header = Header::new_ustar();
    header.set_path("pax_global_header")?;
    header.set_entry_type(EntryType::XGlobalHeader);
    header.set_size(record.len() as u64);
    set_owner(&mut header, (0o666, stamp.seconds))?;
    header.set_cksum();
    builder.append(&header, record.as_bytes())
}

fn set_owner(header: &mut Header, (mode, seconds): (u32, u64)) -> io::Result<()> {
    header.set_mode(mode);
    header.set_mtime(seconds);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root")?;
    header.set_groupname("root")
}

struct TarWriter<'a, W: Write> {
    builder: Builder<W>,
    seconds: u64,
    left_out: &'a dyn Fn(&Path) -> bool,
}

impl<W: Write> TarWriter<'_, W> {
    fn write_folder(
        &mut self,
        folder: &Folder,
        (path, packed): (&Path, &Path),
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEPTH {
            return Err(io::Error::other("its folders lie too deep in each other"));
        }
        let mut header = self.header(EntryType::Directory, 0o775)?;
        header.set_size(0);
        // As git has it, with a slash behind.
        self.builder.append_data(&mut header, packed.join(""), io::empty())?;
        for entry in folder.entries()? {
            let below = path.join(&entry.name);
            if (self.left_out)(&below) {
                continue;
            }
            let packed = packed.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => {
                    let inner = folder.folder(&entry.name)?;
                    self.write_folder(&inner, (&below, &packed), depth + 1)?;
                }
                // Nothing but links is written of a commit beside files and folders.
                EntryKind::Other => {
                    let target = folder.dir().read_link_contents(&entry.name)?;
                    let mut header = self.header(EntryType::Symlink, 0o777)?;
                    header.set_size(0);
                    self.builder.append_link(&mut header, &packed, target)?;
                }
                EntryKind::File => {
                    let file = folder.open_regular(&entry.name)?;
                    let metadata = file.metadata()?;
                    let is_executable = metadata.permissions().mode() & 0o100 != 0;
                    let mode = if is_executable { 0o775 } else { 0o664 };
                    let mut header = self.header(EntryType::Regular, mode)?;
                    header.set_size(metadata.len());
                    self.builder.append_data(&mut header, &packed, file)?;
                }
            }
        }
        Ok(())
    }

    fn header(&self, kind: EntryType, mode: u32) -> io::Result<Header> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        set_owner(&mut header, (mode, self.seconds))?;
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::files::HostPath;

    fn pack(folder: &Folder) -> Vec<u8> {
        let stamp = ArchiveStamp { seconds: 1_700_000_000, commit: "1234".repeat(10) };
        let mut packed = Vec::new();
        let left_out = |path: &Path| path == Path::new("d/secret");
        write_archive(folder, "a-1", &stamp, &left_out, &mut packed).unwrap();
        packed
    }

    fn folder(names: &[&str]) -> (tempfile::TempDir, Folder) {
        let temp = tempfile::TempDir::new().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("d").unwrap();
        for name in names {
            folder.write_atomic(name, name.as_bytes()).unwrap();
        }
        folder.dir().symlink("d/x", "link").unwrap();
        (temp, folder)
    }

    #[test]
    fn the_same_files_make_the_same_archive_whatever_their_order_and_times() {
        let long = format!("d/{}", "long".repeat(50));
        let (_one, one) = folder(&["d/x", "b", "d/secret", &long]);
        let (_other, other) = folder(&[&long, "d/secret", "b", "d/x"]);
        other.set_modified("b", 5).unwrap();
        assert_eq!(pack(&one), pack(&other));
    }

    #[test]
    fn files_links_and_the_commit_are_in_it_and_what_is_left_out_is_not() {
        let (_temp, folder) = folder(&["d/x", "d/secret"]);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(pack(&folder).as_slice()).read_to_end(&mut plain).unwrap();
        assert!(plain.windows(51).any(|bytes| bytes.starts_with(b"52 comment=12341234")));
        let mut archive = tar::Archive::new(plain.as_slice());
        let shown: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                format!(
                    "{} {:o} {}",
                    entry.path().unwrap().display(),
                    header.mode().unwrap(),
                    header.mtime().unwrap()
                )
            })
            .collect();
        let at = "1700000000";
        assert_eq!(
            shown[1..],
            [
                format!("a-1/ 775 {at}"),
                format!("a-1/d/ 775 {at}"),
                format!("a-1/d/x 664 {at}"),
                format!("a-1/link 777 {at}"),
            ]
        );
    }
}
