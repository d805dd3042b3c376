//! Roots to build in.
//!
//! There is one kind so far: the root that forge itself runs in, `chroot host { root "/" }`. What a build finds there
//! is an ingredient of its key, so the root has an identity that changes with what is installed.

use std::io;

use cap_std::fs::Dir;

use crate::digest::{Digest, Encoder};
use crate::files::{EntryKind, Folder, HostPath};

/// What a root consists of, as far as it decides what builds come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootIdentity {
    /// Every installed package with its version.
    pub packages: Digest,
    /// rpm's configuration: macro files and rpmrc.
    pub macros: Digest,
}

/// The folders of rpm's configuration (rpm-config(5)).
const CONFIGURATION: &[&str] = &["usr/lib/rpm", "etc/rpm"];

/// Where package managers keep what is installed: dpkg's status file and rpm's databases.
const DATABASES: &[&str] = &[
    "var/lib/dpkg/status",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages",
];

impl RootIdentity {
    /// The identity of the root at `path`.
    pub fn of(path: &HostPath) -> io::Result<Self> {
        let root = Folder::open_ambient(path)?;
        Ok(Self { packages: packages(&root)?, macros: macros(&root)? })
    }
}

fn packages(root: &Folder) -> io::Result<Digest> {
    let mut encoder = Encoder::new("rpmforge root packages v1");
    encoder.text("system", &root.read_text_if_there("usr/lib/os-release")?.unwrap_or_default());
    for database in DATABASES.iter().filter(|database| root.file_size(database).is_some()) {
        let digest = match database.ends_with("status") {
            true => dpkg_packages(&root.read_text(database)?),
            false => Digest::of_file(root, database)?.0,
        };
        encoder.digest_field(database, &digest);
    }
    Ok(encoder.digest())
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

fn macros(root: &Folder) -> io::Result<Digest> {
    let mut encoder = Encoder::new("rpmforge root macros v1");
    for folder in CONFIGURATION.iter().filter(|folder| root.is_folder(folder)) {
        encode_folder(&root.folder(folder)?, folder, &mut encoder)?;
    }
    Ok(encoder.digest())
}

/// Files by name and content, folders with what is in them; links by where they point to.
fn encode_folder(folder: &Folder, path: &str, encoder: &mut Encoder) -> io::Result<()> {
    for entry in folder.entries()? {
        let path = format!("{path}/{}", entry.name);
        match entry.kind {
            EntryKind::Folder => encode_folder(&folder.folder(&entry.name)?, &path, encoder)?,
            EntryKind::File => {
                encoder.digest_field(&path, &Digest::of_file(folder, &entry.name)?.0);
            }
            EntryKind::Other => {
                encoder.text(&path, &link_target(folder.dir(), &entry.name));
            }
        }
    }
    Ok(())
}

fn link_target(dir: &Dir, name: &str) -> String {
    dir.read_link_contents(name).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default()
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
