//! No bit of a package or of metadata can change without forge saying so.

use std::path::Path;

use rayon::prelude::*;
use rpmforge::event::{Clock, SystemClock};
use rpmforge::files::{Folder, HostPath};
use rpmforge::package::signing::{Certificate, verify_package};
use rpmforge::publish::{VerifiedFile, verify_repository};

use crate::packages::built;
use crate::site::{new_key, public_key, signed_project};
use crate::support::copy;

fn certificates(file: &Path) -> Vec<Certificate> {
    Certificate::read_all(&std::fs::read(file).unwrap()).unwrap()
}

/// The bits whose change is not noticed, as offset and bit.
fn unnoticed(content: &[u8], is_good: impl Fn(&[u8]) -> bool + Sync) -> Vec<(usize, usize)> {
    assert!(is_good(content));
    let bits = (0..content.len() * 8).into_par_iter().map(|bit| (bit / 8, bit % 8));
    bits.filter(|(byte, bit)| {
        let mut flipped = content.to_vec();
        flipped[*byte] ^= 1 << bit;
        is_good(&flipped)
    })
    .collect()
}

#[test]
fn every_flipped_bit_of_a_package_is_found() {
    let (project, package) = built();
    let unsigned = std::fs::read(&package).unwrap();
    let now = SystemClock.now();
    for kind in ["ed25519", "ed25519-v6"] {
        new_key(&project, kind, kind);
        std::fs::write(&package, &unsigned).unwrap();
        project.succeed(&["sign", "--name", kind, "a.rpm"]);
        let known = certificates(&public_key(&project, kind));
        let is_good = |bytes: &[u8]| {
            verify_package("a.rpm", || Ok(bytes), &known, now).is_ok_and(|verified| verified.is_good())
        };
        assert_eq!(unnoticed(&std::fs::read(&package).unwrap(), is_good), [], "{kind}");
    }
}

#[test]
fn every_flipped_bit_of_metadata_is_found() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    let known = certificates(&public_key(&project, "acme"));
    let now = SystemClock.now();
    let public = project.path().join("public/host");
    let metadata: Vec<String> = std::fs::read_dir(public.join("repodata"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(metadata.len(), 6, "{metadata:?}");
    let folders = project.beside("flipped");
    for name in &metadata {
        let content = std::fs::read(public.join("repodata").join(name)).unwrap();
        let is_good = |bytes: &[u8]| {
            let thread = rayon::current_thread_index().unwrap_or(99);
            let folder = folders.join(format!("{name}-{thread}"));
            if !folder.exists() {
                copy(&public.join("repodata"), &folder.join("repodata"));
            }
            std::fs::write(folder.join("repodata").join(name), bytes).unwrap();
            let folder = Folder::open_ambient(&HostPath::new(folder).unwrap()).unwrap();
            let found = verify_repository(&folder, &known, now).unwrap();
            // The packages are not there.
            found.iter().filter(|file| !file.path.ends_with(".rpm")).all(VerifiedFile::is_good)
        };
        assert_eq!(unnoticed(&content, is_good), [], "{name}");
    }
}
