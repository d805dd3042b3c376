//! How long it takes to choose the packages of a root: `cargo bench --bench solve`.
//!
//! The repositories are made up as those of `tests/solve` are. What is measured is all that stands between the kept form of
//! an index and the answer: it is read and checked, its packages are put into a pool, and the request is solved.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rpmforge::chroot::solve::{
    Architecture, Candidates, PackageIndex, Requested, SolveRepository, SolveRequest, Solver, Wanted,
};

#[path = "../tests/support/made_repository.rs"]
mod made_repository;

use made_repository::{make_repositories, name};

/// The written indexes of repositories of so many packages.
fn written(packages: usize) -> Vec<(String, Vec<u8>)> {
    make_repositories(1, packages)
        .into_iter()
        .map(|made| (made.name, PackageIndex::new(made.packages).unwrap().to_bytes()))
        .collect()
}

fn read(written: &[(String, Vec<u8>)]) -> Vec<(&str, PackageIndex)> {
    written.iter().map(|(name, bytes)| (name.as_str(), PackageIndex::from_bytes(bytes).unwrap())).collect()
}

fn solver<'i>(indexes: &'i [(&str, PackageIndex)]) -> Solver<'i> {
    let repositories = indexes.iter().map(|(name, index)| SolveRepository::new(*name, index));
    Solver::new(repositories.collect(), architecture()).unwrap()
}

fn architecture() -> Architecture {
    Architecture::new("x86_64").unwrap()
}

/// A request whose answer has about so many packages: names are asked for until it has.
fn request(solver: &mut Solver<'_>, names: usize, wanted: usize) -> SolveRequest {
    let mut request = SolveRequest::new(architecture());
    request.candidates = Candidates::All;
    for number in 0..names {
        request.wanted.push(Requested {
            what: Wanted::Specification(name(names - 1 - number)),
            by: "the benchmark".to_owned(),
        });
        match solver.solve(&request) {
            Ok(solution) if solution.packages.len() >= wanted => {
                println!("{} names asked for, {} packages", request.wanted.len(), solution.packages.len());
                return request;
            }
            Ok(_) => {}
            Err(_) => drop(request.wanted.pop()),
        }
    }
    panic!("no request has {wanted} packages");
}

fn solving(criterion: &mut Criterion) {
    let written = written(10_000);
    let indexes = read(&written);
    let request = request(&mut solver(&indexes), 7_000, 300);
    let mut group = criterion.benchmark_group("10,000 packages");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    group.bench_function("from the kept form to an answer of 300", |bencher| {
        bencher.iter(|| {
            let indexes = read(&written);
            black_box(solver(&indexes).solve(&request).unwrap());
        });
    });
    group.bench_function("an answer of 300, the pool being there", |bencher| {
        let mut solver = solver(&indexes);
        bencher.iter(|| black_box(solver.solve(&request).unwrap()));
    });
    group.bench_function("which files are not known", |bencher| {
        let mut solver = solver(&indexes);
        bencher.iter(|| black_box(solver.unknown_files(&request)));
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let written = written(60_000);
    let bytes: usize = written.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("the kept form has {bytes} bytes");
    let mut group = criterion.benchmark_group("60,000 packages");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("read from the kept form", |bencher| bencher.iter(|| black_box(read(&written))));
    group.bench_function("read, and ready to solve", |bencher| {
        bencher.iter(|| {
            let indexes = read(&written);
            black_box(solver(&indexes));
        });
    });
    group.finish();
}

criterion_group!(benches, solving, reading);
criterion_main!(benches);
