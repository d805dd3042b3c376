//! The file of the user's [`SecretKey`], made when a secret is first met.

use std::io::{self, Write};
use std::path::Path;

use cap_std::fs::{MetadataExt, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use rustix::fs::OFlags;

use super::SecretKey;
use crate::files::{Folder, HostPath, about};

/// The file's name.
const FILE: &str = "secret-key";

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;

impl SecretKey {
    /// Reads the key of the user whose own folder `folder` is; makes folder and key where they are missing.
    ///
    /// # Errors
    /// The file can't be read or made, others than the user can read it, or it is no key; the words name it.
    pub fn read_or_make(folder: &HostPath) -> io::Result<Self> {
        match Self::read(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(folder)?;
                Self::read(folder)
            }
            result => result,
        }
    }

    fn read(folder: &HostPath) -> io::Result<Self> {
        let path = folder.join(FILE);
        let dir = Folder::open_ambient(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default());
        let file = dir.dir().open_with(FILE, &options).map_err(about(&path))?;
        let metadata = file.metadata()?;
        let refused = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("{path} {why}"));
        if !metadata.is_file() || metadata.len() != Self::SIZE as u64 {
            return Err(refused(format!("is not a file of {} bytes", Self::SIZE)));
        }
        if metadata.mode() & OTHERS != 0 {
            return Err(refused(format!(
                "has mode {:04o}: others may read or change it",
                metadata.mode() & 0o7777
            )));
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused("belongs to another user".to_owned()));
        }
        let mut bytes = [0; Self::SIZE];
        io::Read::read_exact(&mut &file, &mut bytes).map_err(about(&path))?;
        Ok(Self::new(bytes))
    }
}

/// Makes a key. Of two that do so at the same time one wins, and both read its key afterwards.
fn make(folder: &HostPath) -> io::Result<()> {
    let mut bytes = [0; SecretKey::SIZE];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    let is_new = Folder::open_ambient(folder).is_err();
    let dir = Folder::create_ambient(folder)?;
    if is_new {
        dir.dir().set_permissions(".", Permissions::from_mode(0o700)).map_err(about(folder))?;
    }
    let temporary = dir.temporary(Path::new(FILE));
    let made = dir.new_file(&temporary, 0o600).and_then(|mut file| {
        file.write_all(&bytes)?;
        // A key that a power cut took away would make every build with a secret new.
        file.sync_all()?;
        // A link, and no renaming: that would replace the key of another who was faster.
        match dir.dir().hard_link(&temporary, dir.dir(), FILE) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    dir.remove_file(&temporary)?;
    made.map_err(about(folder.join(FILE)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and look at files")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::engine::Secret;

    fn folder() -> (tempfile::TempDir, HostPath) {
        let temp = tempfile::tempdir().unwrap();
        let path = HostPath::new(temp.path().join("rpmforge")).unwrap();
        (temp, path)
    }

    #[test]
    fn a_key_is_made_once_and_is_the_user_s_alone() {
        let (_temp, path) = folder();
        let digest = || Secret::new("x".to_owned(), &SecretKey::read_or_make(&path).unwrap()).digest();
        assert_eq!(digest(), digest());
        let mode = |path: HostPath| fs::metadata(path.as_path()).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.clone()), mode(path.join(FILE))), (0o700, 0o600));
        assert_eq!(fs::read_dir(path.as_path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused_by_name() {
        let (_temp, path) = folder();
        SecretKey::read_or_make(&path).unwrap();
        let file = path.join(FILE);
        let refusal = || SecretKey::read_or_make(&path).unwrap_err().to_string();
        fs::set_permissions(file.as_path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(refusal(), format!("{file} has mode 0640: others may read or change it"));
        fs::set_permissions(file.as_path(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(file.as_path(), "short").unwrap();
        assert_eq!(refusal(), format!("{file} is not a file of 32 bytes"));
        fs::remove_file(file.as_path()).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file.as_path()).unwrap();
        assert!(refusal().contains("secret-key"), "{}", refusal());
    }
}
