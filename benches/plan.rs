//! How long planning takes, and an apply that finds everything done: `cargo bench`.
//!
//! The projects are generated: specs of ten lines, each tenth of which needs the one before it. Specs are read once before the
//! clock starts, as they are in every run but the first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tempfile::TempDir;

fn head(engine: &str) -> String {
    format!(
        "rpmforge version=1\nchroot host {{ root \"/\" }}\ndefaults {{ engine {engine}; isolation none }}\n"
    )
}

fn spec(number: usize) -> String {
    let needs = if number % 10 == 1 { format!("BuildRequires: p{:05}\n", number - 1) } else { String::new() };
    format!(
        "Name: p{number:05}\nVersion: 1.0\nRelease: 1\nSummary: Generated\nLicense: MIT\nBuildArch: noarch\n{needs}\
         %description\nGenerated.\n%files\n"
    )
}

fn generate(engine: &str, packages: usize) -> TempDir {
    let temp = TempDir::new().unwrap();
    let specs = temp.path().join("specs");
    fs::create_dir(&specs).unwrap();
    let mut manifest = head(engine);
    for number in 0..packages {
        fs::write(specs.join(format!("p{number:05}.spec")), spec(number)).unwrap();
        writeln!(manifest, "package p{number:05} {{ source path \"specs/p{number:05}.spec\" }}").unwrap();
    }
    fs::write(temp.path().join("Rpmforge.kdl"), manifest).unwrap();
    temp
}

fn forge(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for packages in [1_000, 2_500, 5_000, 10_000] {
        let project = generate("rpmbuild", packages);
        forge(project.path(), &["plan", "-q"]);
        group.bench_function(BenchmarkId::from_parameter(packages), |bencher| {
            bencher.iter(|| forge(project.path(), &["plan", "-q"]));
        });
    }
    group.finish();
}

fn cached_apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cached apply");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for (engine, packages) in [("rpmbuild", 1_000), ("native", 1_000), ("native", 3_000)] {
        let project = generate(engine, packages);
        forge(project.path(), &["apply", "-q"]);
        group.bench_function(BenchmarkId::new(engine, packages), |bencher| {
            bencher.iter(|| forge(project.path(), &["apply", "-q"]));
        });
    }
    group.finish();
}

criterion_group!(benches, planning, cached_apply);
criterion_main!(benches);
