//! How long specs take to read: many by one process, one by a process of its own, and by rpmspec: `cargo bench --bench spec`.
//!
//! The specs are generated: a main package and two sub-packages, conditions, macros, a command of the shell, a changelog.
//! `FORGE_BENCH_SPECS=FOLDER` takes all specs below a folder instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use rpmforge::engine::{FactsRequest, NativeReader, Settings};
use rpmforge::files::RootPath;
use tempfile::TempDir;

fn spec(number: usize) -> String {
    format!(
        "%global base p{number:04}\n%bcond_without docs\nName: %{{base}}\nVersion: 1.{number}\nRelease: 1%{{?dist}}\n\
         Summary: Generated\nLicense: MIT\nURL: https://example.org/%{{name}}\n\
         Source0: %{{url}}/%{{name}}-%{{version}}.tar.gz\nPatch0: one.patch\nPatch1: two.patch\n\
         BuildRequires: gcc, make >= 4, (cmake or meson)\nRequires: %{{name}}-libs%{{?_isa}} = %{{version}}-%{{release}}\n\
         %global jobs %(getconf _NPROCESSORS_ONLN)\n%description\nGenerated.\n\
         %package libs\nSummary: Libraries\n%description libs\nLibraries.\n\
         %if %{{with docs}}\n%package docs\nSummary: Documentation\nBuildArch: noarch\n%description docs\nPages.\n%endif\n\
         %prep\n%setup -q\n%build\nmake -j%{{jobs}} CFLAGS=\"%{{optflags}}\"\n%install\nmake install DESTDIR=%{{buildroot}}\n\
         %post libs -p /sbin/ldconfig\n%files\n%license COPYING\n%{{_bindir}}/*\n%files libs\n%{{_libdir}}/*.so.*\n\
         %if %{{with docs}}\n%files docs\n%{{_docdir}}/%{{name}}\n%endif\n\
         %changelog\n* Mon Nov 16 2026 Me <me@example.org> - 1.{number}-1\n- generated\n"
    )
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "spec") {
            found.push(path);
        }
    }
}

fn specs(temp: &TempDir) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(folder) = std::env::var_os("FORGE_BENCH_SPECS") {
        below(Path::new(&folder), &mut found);
        return found;
    }
    for number in 0..1000 {
        let path = temp.path().join(format!("p{number:04}.spec"));
        fs::write(&path, spec(number)).unwrap();
        found.push(path);
    }
    found
}

fn request(path: &Path) -> FactsRequest {
    FactsRequest {
        spec: RootPath::new(path).unwrap(),
        sources: RootPath::new(path.parent().unwrap()).unwrap(),
        settings: Settings::default(),
        may_run: true,
        readable: Vec::new(),
    }
}

fn run(program: &str, first: Option<&str>, path: &Path) {
    let mut command = Command::new(program);
    command.args(first).arg("-q").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap();
}

fn reading(criterion: &mut Criterion) {
    let temp = TempDir::new().unwrap();
    let specs = specs(&temp);
    let mut group = criterion.benchmark_group("specs");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(specs.len() as u64));
    group.bench_function("all by one process", |bencher| {
        bencher.iter(|| {
            let native = NativeReader::default();
            let packages: usize = specs
                .par_iter()
                .map(|path| native.read(&request(path)).unwrap().spec.map_or(0, |spec| spec.packages.len()))
                .sum();
            assert!(packages > 0);
        });
    });
    group.throughput(Throughput::Elements(1));
    let one = specs.first().unwrap();
    group.bench_function("one by forge rpmspec", |bencher| {
        bencher.iter(|| run(env!("CARGO_BIN_EXE_forge"), Some("rpmspec"), one));
    });
    group.bench_function("one by rpmspec", |bencher| bencher.iter(|| run("rpmspec", None, one)));
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
