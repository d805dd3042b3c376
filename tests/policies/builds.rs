//! Policies of whole builds.

use std::fs;

use super::support::Project;

const INSTALL: &str = "%global debug_package %{nil}\nName: a\nVersion: 1\nRelease: 1\nSummary: A\nLicense: MIT\n%description\nA.\n\
    %install\nmkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/man/man1\n\
    echo 'int main(void) { return 0; }' >a.c\ngcc -g -fdebug-prefix-map=$PWD=. -c a.c -o a.o\n\
    gcc -g -o %{buildroot}/usr/bin/a a.o\nar rcs %{buildroot}/usr/bin/a.a a.o\ncp a.o '%{buildroot}/usr/bin/with space.o'\n\
    for n in 1 2 3; do echo $n >%{buildroot}/usr/bin/text$n; done\n%files\n/usr\n";

/// What the build of that spec is, with more macros: its packages, and its log.
fn build(more: &str) -> (Vec<(String, Vec<u8>)>, String) {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &format!("{more}{INSTALL}"));
    project.succeed(&["apply"]);
    let log = project.succeed(&["log", "a"]).stdout;
    let folder = project.path().join("public/host");
    let mut open = vec![folder];
    let mut packages = Vec::new();
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with("x86_64.rpm") {
                packages.push((
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    fs::read(&path).unwrap(),
                ));
            }
        }
    }
    (packages, log)
}

#[test]
fn packages_are_the_same_with_the_scripts_and_without() {
    let stable = "%global _buildhost a\n%global use_source_date_epoch_as_buildtime 1\n";
    let (own, own_log) = build(stable);
    let (scripts, log) = build(&format!("{stable}%global _forge_native_policies 0\n"));
    assert!(own_log.contains(" policies -- /usr/lib/rpm/brp-compress /usr -- "), "{own_log}");
    assert!(own_log.contains(" -- /usr/lib/rpm/brp-strip /usr/bin/strip -- "), "{own_log}");
    assert!(log.contains("/usr/lib/rpm/brp-strip /usr/bin/strip") && !log.contains(" policies -- "), "{log}");
    assert_eq!(own.len(), 1);
    let files = |packages: &[(String, Vec<u8>)]| {
        let (name, bytes) = &packages[0];
        rpmforge::package::Compared::read(name, bytes.as_slice()).unwrap()
    };
    let found = rpmforge::package::difference(&files(&scripts), &files(&own));
    assert!(found.is_volatile() && found.payload.is_none(), "{found:?}");
}
