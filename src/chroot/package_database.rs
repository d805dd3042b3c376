//! Which packages are installed.

use std::collections::BTreeMap;
use std::io;

use super::view::{RootFile, View};
use crate::digest::{Digest, Encoder};

/// dpkg's status file. Its digest is made of what of it matters, see [`dpkg_packages`].
const DPKG: &str = "/var/lib/dpkg/status";

/// Where rpm keeps its database: where it does now, and where it did before.
const RPM_FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

/// rpm's databases: sqlite with the part that is not in the main file yet, ndb, and Berkeley DB. Indices say nothing that
/// is not in these.
const RPM_DATABASES: [&str; 4] = ["rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages"];

/// Files that are taken whole: the databases, and what says which system it is.
pub(super) fn find_database_files(view: &View) -> Vec<RootFile> {
    let databases =
        RPM_FOLDERS.iter().flat_map(|folder| RPM_DATABASES.map(|name| format!("{folder}/{name}")));
    let names = databases.chain(["/usr/lib/os-release".to_owned()]);
    let mut files: Vec<RootFile> = names.filter_map(|name| view.file(&name)).collect();
    // rpm leaves an empty one behind when it has put everything into the main file.
    files.retain(|file| !(file.name.ends_with("-wal") && view.folder.file_size(&file.path) == Some(0)));
    files
}

/// The packages of dpkg, if it is there.
pub(super) fn dpkg(view: &View) -> io::Result<BTreeMap<String, Digest>> {
    let Some(file) = view.file(DPKG) else {
        return Ok(BTreeMap::new());
    };
    let status = view.folder.read(&file.path)?;
    Ok(BTreeMap::from([(DPKG.to_owned(), dpkg_packages(&String::from_utf8_lossy(&status)))]))
}

/// What dpkg has installed, without what changes with every look at it.
fn dpkg_packages(status: &str) -> Digest {
    let wanted = ["Package: ", "Status: ", "Architecture: ", "Version: "];
    let lines = status.lines().filter(|line| wanted.iter().any(|field| line.starts_with(field)));
    let mut encoder = Encoder::new("dpkg status v1");
    lines.for_each(|line| {
        encoder.text("", line);
    });
    encoder.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgraded_package_makes_another_root_and_a_description_does_not() {
        let status = |version: &str, text: &str| {
            dpkg_packages(&format!(
                "Package: gcc\nStatus: install ok installed\nVersion: {version}\nDescription: {text}\n"
            ))
        };
        assert_eq!(status("12.2", "a"), status("12.2", "b"));
        assert_ne!(status("12.2", "a"), status("12.3", "a"));
    }
}
