//! What it costs to enter a sandbox, beside a program that is only supervised, and beside bubblewrap with the same mounts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rpmforge::files::{HostPath, Mount, MountAccess, RootPath};
use rpmforge::process::{
    Cancel, Circumstances, Command, Exit, InsideUser, Personality, Sandbox, SandboxLimits, Supervisor,
    Surroundings,
};
use rpmforge::sandbox::Namespaces;

/// What bubblewrap is told: what `sandbox::view` attaches.
fn bubblewrap(work: &Path, forge: &str) -> Vec<String> {
    let mut words = vec!["--unshare-all".to_owned(), "--die-with-parent".to_owned()];
    let mut add = |option: &str, from: &str, to: &str| {
        if Path::new(from).exists() || option == "--symlink" {
            words.extend([option.to_owned(), from.to_owned(), to.to_owned()]);
        }
    };
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt"] {
        let path = format!("/{name}");
        match std::fs::read_link(&path) {
            Ok(target) => add("--symlink", &target.display().to_string(), &path),
            Err(_) => add("--ro-bind", &path, &path),
        }
    }
    for name in ["rpm", "dpkg", "alternatives", "texmf", "ghc", "sgml-base", "xml-core", "misc"] {
        let path = format!("/var/lib/{name}");
        add("--ro-bind", &path, &path);
    }
    for name in ["passwd", "group", "hostname", "hosts", "subuid", "subgid", "fstab", "machine-id"] {
        add("--ro-bind", "/dev/null", &format!("/etc/{name}"));
    }
    words.extend(["--dev", "/dev", "--proc", "/proc"].map(str::to_owned));
    for path in ["/tmp", "/run", "/var/tmp", "/home"] {
        words.extend(["--tmpfs".to_owned(), path.to_owned()]);
    }
    for name in ["keys", "key-users", "kmsg", "timer_list"] {
        words.extend(["--ro-bind".to_owned(), "/dev/null".to_owned(), format!("/proc/{name}")]);
    }
    words.extend(["--ro-bind".to_owned(), forge.to_owned(), "/run/rpmforge/forge".to_owned()]);
    words.extend(["--bind".to_owned(), work.display().to_string(), "/builddir".to_owned()]);
    words.extend(["--chdir", "/builddir", "true"].map(str::to_owned));
    words
}

fn sandboxes(criterion: &mut Criterion) {
    let forge = env!("CARGO_BIN_EXE_forge");
    let binary = HostPath::new(forge).expect("cargo gives whole paths");
    let temp = tempfile::tempdir().expect("a folder can be made");
    let work = HostPath::new(temp.path()).expect("it has a whole path");
    let (supervisor, sandbox) = (Supervisor::new(binary.clone()), Namespaces::new(&binary));
    let folder = RootPath::new("/builddir").expect("it is one");
    let mount = Mount { host: work.clone(), root: folder.clone(), access: MountAccess::Write };
    let surroundings = Surroundings {
        root: None,
        user: InsideUser::Builder,
        mounts: vec![mount],
        hidden: Vec::new(),
        layers: Vec::new(),
        private: None,
        personality: Personality::Own,
        folder,
        network: false,
        terminal: false,
        limits: SandboxLimits::default(),
        circumstances: Circumstances::default(),
    };
    let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    let program = |name: &str| Command::new(name, &work, environment.clone(), Duration::from_secs(60));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let run = |command: &Command| {
        let ended = runtime.block_on(command.run(&supervisor, &Cancel::default(), &mut |_, _| {}));
        assert_eq!(ended.expect("it runs"), Exit::Code(0));
    };
    let mut group = criterion.benchmark_group("a program that does nothing");
    group.sample_size(50);
    let plain = program("true");
    group.bench_function("supervised", |bencher| bencher.iter(|| run(black_box(&plain))));
    let enclosed = sandbox.enclose(program("true"), &surroundings);
    group.bench_function("in a sandbox", |bencher| bencher.iter(|| run(black_box(&enclosed))));
    if Path::new("/usr/bin/bwrap").exists() {
        let wrapped = program("bwrap").arguments(bubblewrap(temp.path(), forge));
        group.bench_function("in bubblewrap", |bencher| bencher.iter(|| run(black_box(&wrapped))));
    }
    group.finish();
}

criterion_group!(benches, sandboxes);
criterion_main!(benches);
