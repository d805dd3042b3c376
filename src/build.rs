//! The build script: makes the digest of the sources that decide what packages come to, as `FORGE_ENGINE_DIGEST`.
//!
//! The digest is part of every key, so that a forge whose build process was changed does not take what an older one built for
//! its own, and nobody has to remember to raise a number.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script talks to cargo on its standard output, and runs where no other module is"
)]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Folders and files that decide what packages come to, each with why it does. What only plans, shows, fetches,
/// remembers or publishes does not belong here: its change must build nothing again.
pub const SOURCES: &[(&str, &str)] = &[
    ("Cargo.lock", "the libraries that compress, digest and write, in their exact versions"),
    ("Cargo.toml", "which of their features are used"),
    ("src/build.rs", "this list"),
    ("src/chroot/compose", "which files a root has of those that several packages have"),
    ("src/chroot/database", "what a root's rpm knows of its packages"),
    ("src/chroot/making/effect.rs", "what scriptlets change in a root"),
    ("src/chroot/making/maker.rs", "of which layers a root consists"),
    ("src/chroot/making/register.rs", "what a root's rpm knows of its packages"),
    ("src/chroot/making/scriptlets.rs", "what scriptlets find around them"),
    ("src/chroot/scriptlets", "which scriptlets run, in which order"),
    ("src/cli/rpm", "`forge rpmbuild`, which carries a job out, and what its options come to"),
    ("src/digest", "digests that are written into packages"),
    ("src/engine", "both engines: stages, files, generators, headers; what a job's environment is"),
    ("src/execute/import.rs", "how spec and sources lie in a build's folder, and their times"),
    ("src/execute/local.rs", "what a job is told"),
    ("src/execute/staging.rs", "how packages of other builds are put into a root"),
    ("src/execute/task.rs", "SOURCE_DATE_EPOCH"),
    ("src/files", "how a build's files are listed, copied and written"),
    ("src/macros", "the macro language, and the macros of a root that has none"),
    ("src/package", "how packages are written"),
    ("src/process", "what the programs of a build find around them"),
    ("src/sandbox", "what the programs of a build see of the machine, and who they are"),
    ("src/spec", "what a spec says"),
    ("src/store/tree", "how packages of a root are unpacked"),
];

/// The content of every file that counts below `repository`, by its path. Files that only hold tests do not.
///
/// # Errors
/// Something in the list is not there, or can't be read.
pub fn read_sources(repository: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = SOURCES.iter().map(|(path, _)| PathBuf::from(path)).collect();
    while let Some(path) = open.pop() {
        let place = repository.join(&path);
        if place.is_dir() {
            let entries = std::fs::read_dir(&place)?.collect::<io::Result<Vec<_>>>()?;
            open.extend(entries.into_iter().map(|entry| path.join(entry.file_name())));
        } else if !path.ends_with("tests.rs") {
            let content = std::fs::read(&place)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", place.display())))?;
            found.insert(path.to_string_lossy().into_owned(), content);
        }
    }
    Ok(found)
}

/// The digest of sources: their paths and contents, each with its length before it.
pub fn digest_sources(sources: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, content) in sources {
        for part in [path.as_bytes(), content] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Tells cargo the digest, and when to work it out again.
///
/// # Errors
/// As [`read_sources`].
pub fn main() -> io::Result<()> {
    for (path, _) in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    // Asked for when this runs: a checkout that was moved, its built files with it, still runs the script that was built elsewhere.
    let repository = std::env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?;
    let digest = digest_sources(&read_sources(Path::new(&repository))?);
    println!("cargo::rustc-env=FORGE_ENGINE_DIGEST={digest}");
    Ok(())
}
