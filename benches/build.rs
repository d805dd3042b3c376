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

const HEAD: &str = "Version: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n";

/// Without policies and debug information: what is left is rpm's own work.
const BARE: &[&str] = &["_binary_payload w19.zstdio", "debug_package %{nil}", "__os_install_post %{nil}"];

/// As users have it, but for debug information.
const STOCK: &[&str] = &["debug_package %{nil}"];

/// With debug information, which forge takes out itself where it is told to.
const DEBUG: &[&str] = &["_enable_debug_packages 1", "_forge_native_debuginfo 1"];

/// A build that is measured.
struct Case<'c> {
    name: &'static str,
    /// The script of `%install`.
    install: String,
    /// Macros that the builds have.
    defines: &'static [&'static str],
    /// How often each builds it.
    times: usize,
    /// What is done before each.
    prepare: &'c dyn Fn(),
}

/// One program's run: how long it took, and how much memory it held at most, in KiB.
struct Run {
    time: Duration,
    peak: u64,
    package: u64,
}

fn run(words: &[&str], folder: &Path, spec: &str, defines: &[&str]) -> Run {
    for name in ["BUILD", "BUILDROOT", "RPMS"] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    let top = format!("_topdir {}", folder.display());
    let begun = Instant::now();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["-bb", "--nodeps", "-D", &top]);
    command.args(defines.iter().flat_map(|define| ["-D", define])).arg(spec).current_dir(folder);
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
    let time = begun.elapsed();
    let below = fs::read_dir(folder.join("RPMS")).unwrap().map(|entry| entry.unwrap().path());
    let packages = below.flat_map(|below| fs::read_dir(below).unwrap().map(|entry| entry.unwrap()));
    Run { time, peak, package: packages.map(|package| package.metadata().unwrap().len()).sum() }
}

/// Compiles programs, with debugging information, into a folder.
fn compile_programs(folder: &Path, count: usize) {
    fs::create_dir_all(folder).unwrap();
    let sources = folder.with_extension("sources");
    fs::create_dir_all(&sources).unwrap();
    for number in 0..count {
        let source = sources.join(format!("p{number}.c"));
        fs::write(&source, format!("int main(void) {{ return {number}; }}\n")).unwrap();
        let mut compiler = Command::new("gcc");
        compiler.args(["-g", "-O0", "-o"]).arg(folder.join(format!("p{number}"))).arg(&source);
        assert!(compiler.status().unwrap().success());
    }
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
    let loops = format!(
        "mkdir -p %{{buildroot}}/x\nset +x\nfor n in $(seq {files}); do echo \"file $n\" >%{{buildroot}}/x/$n; done"
    );
    // As quickly made as the small ones: what a script takes for its own work is the same for both.
    let texts = format!(
        "mkdir -p %{{buildroot}}/x\nset +x\ntext=$(head -c 1000 /dev/zero | tr '\\0' a)\n\
         for n in $(seq {files}); do echo \"file $n $text\" >%{{buildroot}}/x/$n; done"
    );
    let compiled = folder.join("programs");
    compile_programs(&compiled, files / 66);
    let programs =
        format!("mkdir -p %{{buildroot}}/usr\ncp -a {} %{{buildroot}}/usr/bin", compiled.display());
    let case = |name, install, defines, times, prepare| Case { name, install, defines, times, prepare };
    let cases = [
        case("one small file", small.clone(), BARE, 5, &nothing as &dyn Fn()),
        case("small files, moved", put("mv", &tree), BARE, 3, &plant),
        case("small files, linked", put("cp -al", &tree), BARE, 3, &plant),
        case("tar archives", put("cp -al", &folder.join("archives")), BARE, 1, &nothing),
        case("stock: one small file", small, STOCK, 5, &nothing),
        case("stock: small files, made", loops, STOCK, 1, &nothing),
        case("stock: texts of 1 KiB", texts, STOCK, 1, &nothing),
        case("stock: programs", programs.clone(), &[], 1, &nothing),
        case("stock: programs, debuginfo", programs, DEBUG, 3, &nothing),
    ];
    let theirs = std::env::var("FORGE_BENCH_RPMBUILD").unwrap_or_else(|_| "rpmbuild".to_owned());
    let forge = env!("CARGO_BIN_EXE_forge");
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| name.contains(word.as_str()));
    for (index, case) in cases.into_iter().enumerate().filter(|(_, case)| is_asked(case.name)) {
        let spec = folder.join(format!("{index}.spec"));
        let has_programs = case.install.contains("%{buildroot}/usr");
        let arch = if has_programs { "" } else { "BuildArch: noarch\n" };
        // Only what has a folder of its own gets packages of debug information.
        let prep = if case.defines == DEBUG { "%prep\n%setup -q -c -T\n" } else { "" };
        let (install, below) = (&case.install, if has_programs { "/usr" } else { "/x" });
        let text = format!("Name: b{index}\n{arch}{HEAD}{prep}%install\n{install}\n%files\n{below}\n");
        fs::write(&spec, text).unwrap();
        let spec = spec.to_str().unwrap();
        for (who, words) in [("rpmbuild", vec![theirs.as_str()]), ("forge", vec![forge, "rpmbuild"])] {
            let once = |_| {
                (case.prepare)();
                run(&words, folder, spec, case.defines)
            };
            let best = (0..case.times).map(once).min_by_key(|run| run.time).unwrap();
            let (seconds, peak) = (best.time.as_secs_f64(), best.peak / 1024);
            println!(
                "{:<28} {who:<9} {seconds:>8.3} s {peak:>5} MiB  packages {} bytes",
                case.name, best.package
            );
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
