//! What it costs to compose a root: cold, beside `rpm2cpio | cpio` of the same packages; over a base; found again.
//!
//! `FORGE_TEST_DISTRO` names a folder whose `repository/` holds packages, as `tests/distro` makes it. Without it, packages of about
//! the same number and size are made.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

#[allow(dead_code, reason = "tests make more kinds of packages")]
#[path = "../tests/support/made_package.rs"]
mod made_package;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use rpmforge::chroot::compose::{Farm, compose};
use rpmforge::chroot::{Checksum, LockedPackage};
use rpmforge::files::{Folder, HostPath};
use rpmforge::package::{Tag, read_headers};
use rpmforge::store::{Blob, Store};

use made_package::{MadeFile, file, package};

type Packages = Vec<(LockedPackage, Blob)>;

/// A store with packages, and where these are.
struct Machine {
    temp: tempfile::TempDir,
    store: Store,
    packages: Packages,
    files: Vec<PathBuf>,
}

fn package_files(temp: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(distro) = std::env::var_os("FORGE_TEST_DISTRO") {
        let mut open = vec![Path::new(&distro).join("repository")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
                let path = entry.path();
                match path.is_dir() {
                    true => open.push(path),
                    false if path.extension().is_some_and(|extension| extension == "rpm") => found.push(path),
                    false => {}
                }
            }
        }
        found.sort();
        return found;
    }
    let folder = HostPath::new(temp.join("made")).expect("temporary folders have whole paths");
    for number in 0..300_u32 {
        let content = |index: u32| {
            let size = if index == 0 { 2_000_000 } else { 12_000 };
            let noise =
                (0..size / 8).flat_map(|at: u32| [(at ^ number).wrapping_mul(2_654_435_761) >> 16, index]);
            noise.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        };
        let files = (0..70).map(|index| MadeFile {
            content: content(index),
            ..file(&format!("/usr/lib/part{}/package{number}/file{index}", index % 7), "")
        });
        found.push(folder.join(package(&format!("made{number}"), files).write(&folder)).as_path().to_owned());
    }
    found
}

fn machine() -> Machine {
    let temp = tempfile::tempdir().expect("a folder can be made");
    let files = package_files(temp.path());
    let store =
        Store::open(&HostPath::new(temp.path().join("store")).expect("a whole path")).expect("a store");
    let taken = |path: &PathBuf| {
        let folder = HostPath::new(path.parent().expect("a folder")).expect("a whole path");
        let name = path.file_name().expect("a name");
        let (blob, sha256) = store.take_in(&Folder::open_ambient(&folder).unwrap(), Path::new(name)).unwrap();
        let headers = read_headers(&mut std::fs::File::open(path).unwrap()).expect("a package");
        let text = |tag| headers.header.text(tag).unwrap_or_default().to_string();
        let locked = LockedPackage {
            name: text(Tag::NAME),
            evr: headers.header.evr().to_string(),
            arch: text(Tag::ARCH),
            repository: "distro".to_owned(),
            href: name.to_string_lossy().into_owned(),
            checksum: Checksum::new("sha256", &sha256).unwrap(),
            size: blob.size,
        };
        (locked, blob)
    };
    let mut packages: Packages = files.iter().map(taken).collect();
    // What has the links that lead others' files comes first, as rpm orders it.
    packages.sort_by_key(|(package, _)| package.name != "filesystem");
    Machine { temp, store, packages, files }
}

impl Machine {
    fn compose(&self, packages: &[(LockedPackage, Blob)], base: Option<&Farm>) -> Farm {
        compose(&self.store, packages, base, &|_| ()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Puts what is in the store out of the way. It is not removed: ext4 gives no inode of a file that was just removed to a new
    /// one, and passing over those takes longer than all that is measured here.
    fn forget(&self, what: &[&str]) {
        let old = tempfile::tempdir_in(self.temp.path()).unwrap().keep();
        for name in what {
            let path = self.temp.path().join("store").join(name);
            let _ = std::fs::rename(path, old.join(name.replace('/', "-")));
        }
    }

    /// Unpacks all packages with rpm's own programs, two at a time.
    fn unpack_with_rpm2cpio(&self) {
        let root = tempfile::tempdir_in(self.temp.path()).unwrap().keep();
        let list: String = self.files.iter().map(|path| format!("{}\n", path.display())).collect();
        std::fs::write(self.temp.path().join("list"), list).unwrap();
        let script = "xargs -a ../list -P2 -I{} sh -c 'rpm2cpio {} | cpio -idmu --quiet 2>/dev/null'";
        Command::new("sh")
            .args(["-c", script])
            .current_dir(&root)
            .status()
            .expect("rpm2cpio and cpio are there");
    }
}

/// What each of several rounds takes, what is done before not counted.
fn timed(rounds: u64, mut prepare: impl FnMut(), mut work: impl FnMut()) -> Duration {
    (0..rounds)
        .map(|_| {
            prepare();
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .sum()
}

fn roots(criterion: &mut Criterion) {
    let machine = machine();
    let mut group = criterion.benchmark_group("compose");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(10));
    group.bench_function("cold, beside: 2 × rpm2cpio | cpio", |bencher| {
        bencher.iter_custom(|rounds| timed(rounds, || (), || machine.unpack_with_rpm2cpio()));
    });
    group.bench_function("cold", |bencher| {
        bencher.iter_custom(|rounds| {
            let forget = || machine.forget(&["trees", "farms"]);
            timed(rounds, forget, || drop(black_box(machine.compose(&machine.packages, None))))
        });
    });
    group.bench_function("all trees in the store", |bencher| {
        bencher.iter_custom(|rounds| {
            let forget = || machine.forget(&["farms"]);
            timed(rounds, forget, || drop(black_box(machine.compose(&machine.packages, None))))
        });
    });
    let (base, added) = machine.packages.split_at(machine.packages.len() - 50);
    group.bench_function("50 packages over a base", |bencher| {
        let base = machine.compose(base, None);
        let delta = machine.compose(added, Some(&base)).key().to_string();
        bencher.iter_custom(|rounds| {
            let forget = || machine.forget(&[&format!("farms/{delta}")]);
            timed(rounds, forget, || drop(black_box(machine.compose(added, Some(&base)))))
        });
    });
    group.bench_function("found again", |bencher| {
        machine.compose(&machine.packages, None);
        bencher.iter(|| black_box(machine.compose(&machine.packages, None)));
    });
    group.finish();
}

criterion_group!(benches, roots);
criterion_main!(benches);
