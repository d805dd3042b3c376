//! Files that packages depend on.

use std::collections::BTreeSet;

use super::*;

fn unknown(index: &PackageIndex, wanted: &str) -> BTreeSet<String> {
    let asked = request(&[wanted]);
    let repositories = vec![SolveRepository::new("fedora", index)];
    Solver::new(repositories, asked.architecture.clone()).unwrap().unknown_files(&asked)
}

#[test]
fn lists_of_all_files_are_asked_for_only_what_primary_does_not_tell() {
    let (a, b) = (
        package("a-1-1.noarch").requires(&["/usr/share/b/data", "/usr/bin/missing", "mid"]),
        package("b-1-1.noarch").files(&["/usr/bin/b"]),
    );
    let mid = package("mid-1-1.noarch").requires(&["(/usr/share/deep if b)"]);
    let far = package("far-1-1.noarch").requires(&["/usr/share/far"]);
    let mut index = index(&[a, b.clone(), mid, far]);
    let needed = unknown(&index, "a");
    assert_eq!(needed.iter().collect::<Vec<_>>(), ["/usr/share/b/data", "/usr/share/deep"]);
    assert_eq!(unknown(&index, "b"), BTreeSet::new());
    assert_eq!(unknown(&index, "/usr/share/x").len(), 1);

    let mut search = index.search_files(&needed);
    search.add_package(b.checksum(), ["/usr/bin/b", "/usr/share/b/data", "/usr/share/b/more"]);
    search.add_package("0123", ["/usr/share/deep"]);
    search.finish().unwrap();
    assert_eq!(unknown(&index, "a"), BTreeSet::new(), "what was searched for is not asked for again");
    let read = PackageIndex::from_bytes(&index.to_bytes()).unwrap();
    assert_eq!(read, index);
    let answer =
        solve_all(vec![SolveRepository::new("fedora", &read)], &request(&["/usr/share/b/data"])).unwrap();
    assert_eq!(nevras(&answer), ["b-1-1.noarch"]);
}

#[test]
fn a_file_of_another_architecture_meets_nothing() {
    let packages = [
        package("tool-1-1.aarch64").files(&["/usr/bin/tool"]),
        package("user-1-1.noarch").requires(&["/usr/bin/tool"]),
    ];
    assert!(solve(&packages, &request(&["user"])).is_err());
    assert!(solve(&packages, &request(&["/usr/bin/tool"])).is_err());
}
