//! How long metadata of 10,000 packages take, by forge and by the createrepo_c of this machine: `cargo bench --bench metadata`.
//!
//! `FORGE_BENCH_PACKAGES=N` takes another number. Half of the packages are as small as packages can be (10 files, 4 KB), and half as the
//! middle one of a Debian machine (30 files, 80 KB); `FORGE_BENCH_SMALL=1` makes all of them small. The packages lie in a repository that forge
//! has published. Measured are: the metadata being gone, and all that is kept of packages (limit: half of createrepo_c's time for all of
//! them); one package having changed, of six that stand in different places of the metadata, and one of those once more (limit: 3 % of that);
//! and how much memory either takes (limit: 200 MB). The packages are made once and stay below `target`.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rpmforge::digest::{Digest, Encoder};
use rpmforge::event::{SystemClock, What};
use rpmforge::files::{Folder, HostPath};
use rpmforge::manifest::{ChrootId, load};
use rpmforge::package::signing::{Passphrase, Passphrases};
use rpmforge::package::{Dependency, PackageRecord, Tag, Value, read_headers};
use rpmforge::publish::{Beside, Built, DecodedRecords, Repositories, Signing, SigningKeys, Verification};
use rpmforge::store::{PackageSummary, ResultFile, StepResult, Store};

#[path = "../tests/support/made_package.rs"]
mod made_package;
#[path = "../tests/support/telling_package.rs"]
mod telling_package;

use made_package::{MadePackage, file};
use telling_package::telling_package;

/// What stands for the digest of a result in the names of folders.
const SHA: &str = "0123456789ab";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [measured, folder, package, version] if measured == "--measured" => {
            measured_run(Path::new(folder), package, version);
        }
        _ => compare(count()),
    }
}

fn count() -> usize {
    std::env::var("FORGE_BENCH_PACKAGES").ok().and_then(|number| number.parse().ok()).unwrap_or(10_000)
}

fn compare(count: usize) {
    let kind = if has_small_packages() { "small" } else { "usual" };
    let folder = target().join(format!("metadata-bench-{kind}-aged-{count}"));
    let made = make_packages(&folder, count);
    let work = folder.join("work");
    let _ = fs::remove_dir_all(&work);
    let theirs = work.join("theirs");
    let public = work.join("project/public/host");
    for copy in [&theirs, &public] {
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        run(Command::new("cp").arg("-al").arg(&made).arg(copy));
    }
    let createrepo = |folder: &Path, more: &[&str]| {
        run(Command::new("createrepo_c").args(["-q", "--no-database"]).args(more).arg(folder))
    };
    let whole = createrepo(&theirs, &[]);
    println!("createrepo_c, {count} packages: {whole:.2?}");
    write(&theirs.join(format!("p00001-{SHA}")), "p00001", "2");
    let updated = createrepo(&theirs, &["--update"]);
    println!("createrepo_c --update, one changed: {updated:.2?}");
    createrepo(&public, &[]);
    write_manifest(&work.join("project"), count);
    let adopted = measure(&work, "p00000", "1");
    println!("forge, the repository taken over: {adopted}");
    let _ = fs::remove_dir_all(public.join("repodata"));
    let _ = fs::remove_dir_all(work.join("store/metadata"));
    let _ = fs::remove_dir_all(work.join("store/packages"));
    let scratch = measure(&work, "p00000", "1");
    println!("forge, {count} packages: {scratch}; {:.3} of createrepo_c's", scratch.ratio(whole));
    // What was built last stands last: what has changed before is found there.
    let places = [0, 1, 2, 3, 4, 5].map(|place| count / 2 / 6 * place + 3);
    for (number, version) in places.into_iter().map(|number| (number, "2")).chain([(places[0], "3")]) {
        let one = measure(&work, &format!("p{number:05}"), version);
        println!(
            "forge, p{number:05} changed: {one}; {:.4} of createrepo_c's for all, {:.3} of that with --update",
            one.ratio(whole),
            one.ratio(updated)
        );
    }
    let size: u64 = fs::read_dir(public.join("repodata"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    println!("{size} bytes of metadata, the earlier ones among them");
}

struct Measured {
    time: Duration,
    peak_kib: u64,
}

impl Measured {
    fn ratio(&self, other: Duration) -> f64 {
        self.time.as_secs_f64() / other.as_secs_f64()
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2?}, at most {} MiB of memory", self.time, self.peak_kib / 1024)
    }
}

/// Publishes in a process of its own, which says how long that took and how much memory.
fn measure(work: &Path, package: &str, version: &str) -> Measured {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--measured", work.to_str().unwrap(), package, version]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().unwrap());
    let time = Duration::from_micros(numbers.next().unwrap());
    Measured { time, peak_kib: numbers.next().unwrap() }
}

/// One publish: of a package of this version.
fn measured_run(work: &Path, package: &str, version: &str) {
    let open = |path: PathBuf| Folder::create_scratch(&HostPath::new(&path).unwrap()).unwrap();
    let project = Arc::new(open(work.join("project")));
    let store = Arc::new(Store::open(&HostPath::new(work.join("store")).unwrap()).unwrap());
    let manifest = load(&project, "Rpmforge.kdl", &BTreeMap::new()).unwrap();
    let scratch = work.join("built");
    let result = built(&store, &scratch, package, version);
    let key = Encoder::new("bench v1").text("package", package).text("version", version).key();
    let repositories = Repositories {
        manifest: Arc::new(manifest),
        project: Arc::clone(&project),
        state: Arc::new(open(work.join("project/.forge"))),
        store,
        clock: Arc::new(SystemClock),
        verification: Verification::TimesFirst,
        decoded: DecodedRecords::default(),
        beside: Arc::new(Everything),
        signing: Signing::new(SigningKeys {
            environment: BTreeMap::new(),
            kept: None,
            passphrases: Arc::new(Nobody),
        }),
    };
    let begun = Instant::now();
    let built = Built { package, key, result: &result };
    let told = repositories.publish_results(ChrootId(0), &[built]);
    let time = begun.elapsed();
    assert!(!told.iter().any(|what| matches!(what, What::NotPublished { .. })), "{told:#?}");
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{} {}", time.as_micros(), peak.trim().trim_end_matches(" kB"));
}

/// The result of a build of a package, in the store.
fn built(store: &Store, scratch: &Path, package: &str, version: &str) -> StepResult {
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).unwrap();
    write(scratch, package, version);
    let folder = Folder::open_ambient(&HostPath::new(scratch).unwrap()).unwrap();
    let mut files = Vec::new();
    for name in names(package) {
        let name = format!("{name}.rpm");
        let (blob, sha256) = store.take_in(&folder, Path::new(&name)).unwrap();
        let headers = read_headers(&mut folder.open(&name).unwrap()).unwrap();
        let record = PackageRecord::read(&name, &headers).unwrap();
        let package = PackageSummary::new(&record, blob.digest);
        files.push(ResultFile { name, blob, sha256, package });
    }
    fs::write(scratch.join("log"), package).unwrap();
    let (log, _) = store.take_in(&folder, Path::new("log")).unwrap();
    StepResult { files, log, stages: Vec::new(), milliseconds: 1 }
}

/// What is beside the repository has all that is asked for.
struct Everything;

impl Beside for Everything {
    fn provided(&self, _chroot: &str, names: &BTreeSet<String>) -> Option<Vec<Dependency>> {
        Some(names.iter().map(Dependency::any).collect())
    }
}

struct Nobody;

impl Passphrases for Nobody {
    fn passphrase(&self, _key: &str) -> std::io::Result<Option<Passphrase>> {
        Ok(None)
    }
}

/// A folder with so many packages, two of each of the manifest, as forge publishes them.
fn make_packages(folder: &Path, count: usize) -> PathBuf {
    let (made, being_made) = (folder.join("made"), folder.join("being-made"));
    if made.exists() {
        return made;
    }
    let _ = fs::remove_dir_all(&being_made);
    (0..count / 2).into_par_iter().for_each(|number| {
        let package = format!("p{number:05}");
        let folder = being_made.join(format!("{package}-{SHA}"));
        fs::create_dir_all(&folder).unwrap();
        write(&folder, &package, "1");
    });
    fs::rename(being_made, &made).unwrap();
    made
}

fn has_small_packages() -> bool {
    std::env::var_os("FORGE_BENCH_SMALL").is_some()
}

/// A package as most are: with more files than a made one for tests, and a payload that has something in it.
fn usual_package(name: &str, version: &str) -> MadePackage {
    let mut made = telling_package(name, version);
    let mut state =
        u64::from_le_bytes(*Digest::compute(name.as_bytes()).as_bytes().first_chunk().unwrap()) | 1;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let content: Vec<u8> = (0..80_000 / 8).flat_map(|_| noise()).collect();
    made.files.extend((0..20).map(|number| {
        let part = content.len() / 20 * number..content.len() / 20 * (number + 1);
        file(&format!("/usr/lib/{name}/part-{number:02}-of-{name}"), &content[part])
    }));
    made
}

/// When a package was built: the first versions of all of them within a year, later ones after that.
fn build_time(package: &str, version: &str) -> u64 {
    let day = 24 * 60 * 60;
    let version: u64 = version.parse().unwrap();
    let digest = Digest::compute(package.as_bytes());
    let second = u64::from(u32::from_le_bytes(*digest.as_bytes().first_chunk().unwrap())) % (365 * day);
    1_735_689_600 + second + 365 * day * (version - 1)
}

fn names(package: &str) -> [String; 2] {
    [package.to_owned(), format!("{package}-devel")]
}

fn write(folder: &Path, package: &str, version: &str) {
    for name in names(package) {
        // What is a link to the same file elsewhere stays there as it is.
        let _ = fs::remove_file(folder.join(format!("{name}.rpm")));
        let mut made = match has_small_packages() || name.ends_with("-devel") {
            true => telling_package(&name, version),
            false => usual_package(&name, version),
        };
        made.tags.retain(|(tag, _)| *tag != Tag::BUILD_TIME);
        made.tags.push((Tag::BUILD_TIME, Value::Numbers(vec![build_time(package, version)])));
        made.write(&HostPath::new(folder).unwrap());
    }
}

fn write_manifest(project: &Path, count: usize) {
    let mut text = "rpmforge version=1\nproject bench\nchroot host { root \"/\" }\n\
                    publish \"public/{chroot}\" { adopt #true }\n"
        .to_owned();
    for number in 0..count / 2 {
        writeln!(text, "package p{number:05} {{ source path \"a.spec\" }}").unwrap();
    }
    fs::write(project.join("a.spec"), "").unwrap();
    fs::write(project.join("Rpmforge.kdl"), text).unwrap();
}

fn run(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let run = command.output().unwrap();
    assert!(run.status.success(), "{command:?}: {}", String::from_utf8_lossy(&run.stderr));
    begun.elapsed()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target")
}
