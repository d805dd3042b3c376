//! How long whole builds take, by forge and by the rpmbuild of this machine, one after the other: `cargo bench --bench build`.
//!
//! `FORGE_BENCH_RPMBUILD=PROGRAM` names another rpmbuild, `FORGE_BENCH_SMALL=1` takes a tenth of the files and bytes;
//! `cargo bench --bench build -- tar` builds only what has that in its name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HEAD: &str = "Version: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n\
    %global __os_install_post %{nil}\n%description\n";

/// One program's run: how long it took, and how much memory it held at most, in KiB.
struct Run {
    time: Duration,
    peak: u64,
    package: u64,
}

fn run(words: &[&str], folder: &Path, spec: &str) -> Run {
    for name in ["BUILD", "BUILDROOT", "RPMS"] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    let top = format!("_topdir {}", folder.display());
    let begun = Instant::now();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["-bb", "--nodeps", "-D", &top, "-D", "debug_package %{nil}"]);
    command.args(["-D", "_binary_payload w19.zstdio", spec]).current_dir(folder);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0));
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(code.success(), "{words:?} {spec}");
    let package = fs::read_dir(folder.join("RPMS/noarch")).unwrap().next().unwrap().unwrap();
    Run { time: begun.elapsed(), peak, package: package.metadata().unwrap().len() }
}

fn main() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    let is_small = std::env::var_os("FORGE_BENCH_SMALL").is_some();
    let (files, bytes) = if is_small { (2_000, 27_200_000) } else { (20_000, 272_000_000) };
    let tree = folder.join("tree");
    let plant = || {
        let _ = fs::remove_dir_all(&tree);
        for number in 0..files {
            let below = tree.join(format!("d{}", number % 200));
            fs::create_dir_all(&below).unwrap();
            fs::write(below.join(format!("f{number}")), format!("file number {number}\nsecond line\n"))
                .unwrap();
        }
    };
    archives(&folder.join("archives"), bytes);
    // What is moved costs the script nothing: the rest is rpm's work. With links cp(1) takes its own time, in both.
    let put =
        |how: &str, what: &Path| format!("mkdir %{{buildroot}}/x; {how} {} %{{buildroot}}/x", what.display());
    let small = "mkdir -p %{buildroot}/x; echo hi > %{buildroot}/x/y".to_owned();
    let nothing = || ();
    let specs: [(&str, String, usize, &dyn Fn()); 4] = [
        ("one small file", small, 5, &nothing),
        ("small files, moved", put("mv", &tree), 3, &plant),
        ("small files, linked", put("cp -al", &tree), 3, &plant),
        ("tar archives", put("cp -al", &folder.join("archives")), 1, &nothing),
    ];
    let theirs = std::env::var("FORGE_BENCH_RPMBUILD").unwrap_or_else(|_| "rpmbuild".to_owned());
    let forge = env!("CARGO_BIN_EXE_forge");
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| name.contains(word.as_str()));
    for (index, (name, install, times, prepare)) in
        specs.into_iter().enumerate().filter(|(_, spec)| is_asked(spec.0))
    {
        let spec = folder.join(format!("{index}.spec"));
        fs::write(&spec, format!("Name: b{index}\n{HEAD}%install\n{install}\n%files\n/x\n")).unwrap();
        let spec = spec.to_str().unwrap();
        for (who, words) in [("rpmbuild", vec![theirs.as_str()]), ("forge", vec![forge, "rpmbuild"])] {
            let once = |_| {
                prepare();
                run(&words, folder, spec)
            };
            let best = (0..times).map(once).min_by_key(|run| run.time).unwrap();
            let (seconds, peak) = (best.time.as_secs_f64(), best.peak / 1024);
            println!("{name:<20} {who:<9} {seconds:>8.3} s {peak:>5} MiB  package {} bytes", best.package);
        }
    }
}

/// Archives of what this machine has in its library folders.
fn archives(folder: &Path, bytes: u64) {
    fs::create_dir_all(folder).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["cf", "-", "/usr/lib", "/usr/bin", "/usr/share"]);
    let mut child = tar.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = std::io::Read::take(child.stdout.take().unwrap(), bytes);
    for number in 0..4 {
        let mut file = fs::File::create(folder.join(format!("{number}.tar"))).unwrap();
        let copied = std::io::copy(&mut std::io::Read::take(&mut output, bytes / 4), &mut file).unwrap();
        assert!(copied > 0, "there is too little to pack");
        file.flush().unwrap();
    }
    drop(output);
    let _ = child.wait();
}
