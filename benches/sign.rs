//! How long signing 1,000 small packages takes, by forge and by the rpmsign of this machine with the same key: `cargo bench --bench sign`.
//!
//! `FORGE_BENCH_PACKAGES=N` takes another number; `-- rsa` or `-- ed25519` one kind of key. The limit is a tenth of rpmsign's time.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SPEC: &str = "Name: small\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n%description\ns\n%files\n";

/// Folders and the environment of one kind of key.
struct Bench {
    temp: TempDir,
    count: usize,
}

impl Bench {
    fn new(count: usize) -> Self {
        let bench = Self { temp: TempDir::new().unwrap(), count };
        fs::write(bench.path("small.spec"), SPEC).unwrap();
        let top = format!("_topdir {}", bench.path("top").display());
        bench.run(Command::new(forge()).args(["rpmbuild", "-bb", "-D", &top, "small.spec"]));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn run(&self, command: &mut Command) -> Duration {
        let begun = Instant::now();
        command.current_dir(self.temp.path()).env("HOME", self.temp.path());
        let run = command.stdin(Stdio::null()).output().unwrap();
        assert!(run.status.success(), "{command:?}: {}", String::from_utf8_lossy(&run.stderr));
        begun.elapsed()
    }

    /// Packages that nobody has signed.
    fn packages(&self, folder: &str) -> Vec<PathBuf> {
        let _ = fs::remove_dir_all(self.path(folder));
        fs::create_dir(self.path(folder)).unwrap();
        let made = self.path("top/RPMS/noarch/small-1-1.noarch.rpm");
        let copy = |number| {
            let path = self.path(folder).join(format!("{number}.rpm"));
            fs::copy(&made, &path).unwrap();
            path
        };
        (0..self.count).map(copy).collect()
    }

    fn measure(&self, kind: &str) {
        let user = format!("{kind} <{kind}@example.org>");
        let mut make = Command::new(forge());
        self.run(make.args(["keys", "new", kind, "--user", &user, "--kind", kind, "--no-passphrase"]));
        self.run(Command::new(forge()).args(["keys", "export", kind, "--secret", "--output", kind]));
        self.run(Command::new("gpg").args(["--batch", "--quiet", "--import", kind]));
        let forge_time =
            self.run(Command::new(forge()).args(["sign", "--name", kind]).args(self.packages("ours")));
        let name = format!("_gpg_name {user}");
        let rpmsign = ["--define", "__gpg /usr/bin/gpg", "--define", &name, "--addsign"];
        let rpm_time = self.run(Command::new("rpmsign").args(rpmsign).args(self.packages("theirs")));
        let ratio = forge_time.as_secs_f64() / rpm_time.as_secs_f64();
        println!(
            "{kind:<10} {:>5} packages: forge {forge_time:.2?}, rpmsign {rpm_time:.2?}, {ratio:.3} of it",
            self.count
        );
    }
}

fn forge() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_forge"))
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let count = std::env::var("FORGE_BENCH_PACKAGES").ok().and_then(|number| number.parse().ok());
    for kind in ["rsa4096", "ed25519"] {
        if chosen.is_empty() || chosen.iter().any(|word| kind.contains(word.as_str())) {
            Bench::new(count.unwrap_or(1000)).measure(kind);
        }
    }
}
