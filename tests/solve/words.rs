//! What a person reads where packages can't be chosen.

use rpmforge::chroot::LockedPackage;
use rpmforge::chroot::solve::{
    Architecture, PackageIndex, Requested, SolveError, SolveRepository, SolveRequest, Solver, Wanted,
};
use rpmforge::package::Dependency;
use rpmforge::ui::{ReportStyle, report};

fn told(request: &SolveRequest) -> String {
    let index = PackageIndex::default();
    let repositories = vec![SolveRepository::new("fedora", &index)];
    let mut solver = Solver::new(repositories, request.architecture.clone()).unwrap();
    let error: SolveError = solver.solve(request).unwrap_err();
    report(&error, ReportStyle { colors: false, width: 100 })
}

fn request() -> SolveRequest {
    SolveRequest::new(Architecture::new("x86_64").unwrap())
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let mut request = request();
    request.wanted = ["gcc", "zlib-devel"]
        .map(|name| Requested {
            what: Wanted::Dependency(Dependency::any(name)),
            by: "spec `foo.spec`, BuildRequires".to_owned(),
        })
        .into();
    insta::assert_snapshot!(told(&request), @r"
    forge::chroot::unsolvable

      × no packages of the repositories go together with all that is wanted, for 2 reasons

    Error:
      × spec `foo.spec`, BuildRequires: gcc
      │ no repository has it

    Error:
      × spec `foo.spec`, BuildRequires: zlib-devel
      │ no repository has it
    ");
}

#[test]
fn what_the_lock_names_and_no_repository_has_is_told() {
    let mut request = request();
    request.base = vec![LockedPackage {
        name: "gcc".to_owned(),
        evr: "1-1".to_owned(),
        arch: "x86_64".to_owned(),
        repository: "fedora".to_owned(),
        href: "gcc.rpm".to_owned(),
        checksum: format!("sha256:{}", "0".repeat(64)).parse().unwrap(),
        size: 1,
    }];
    insta::assert_snapshot!(told(&request), @r"
    forge::chroot::gone

      × the repositories no longer have packages that the lock names: gcc-1-1.x86_64 of `fedora`
      help: what was locked is still built with, but nothing can be chosen to go with it: `forge
            update` locks what there is now
    ");
}
