//! Files that specs name.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use rpmforge::package::{Tag, read_headers};

use crate::support::{Project, spec};

fn with_source(manifest: &str) -> Project {
    let project = Project::with(manifest);
    project.write("a.spec", &spec("a", "Source0: https://example.org/data-1.0.txt", "cat %{SOURCE0}"));
    project
}

#[test]
fn a_missing_source_says_what_to_do() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "Source0: data-1.0.txt", "cat %{SOURCE0}");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(
        "missing_source",
        run.stderr.replace(&project.path().display().to_string(), "PROJECT")
    );
}

#[test]
fn a_file_of_another_checksum_is_refused() {
    let sum = "0".repeat(64);
    let project = with_source(&format!(
        "package a {{ source path \"a.spec\" {{ file \"dl/*.txt\" sha256=\"{sum}\" }} }}\n"
    ));
    project.write("dl/data-1.0.txt", "data");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("wrong_checksum", run.stderr);
}

#[test]
fn a_file_of_the_right_checksum_is_taken() {
    let sum = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
    let project = with_source(&format!(
        "package a {{ source path \"a.spec\" {{ file \"dl/*.txt\" sha256=\"{sum}\" }} }}\n"
    ));
    project.write("dl/data-1.0.txt", "data");
    project.succeed(&["apply"]);
}

#[test]
fn a_pattern_without_a_file_is_told() {
    let project = with_source("package a { source path \"a.spec\" { file \"dl/*.txt\" } }\n");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::no_file"), "{}", run.stderr);
}

#[test]
fn a_link_out_of_the_repository_is_not_followed() {
    let project = with_source("package a { source path \"a.spec\" { file \"dl/data-1.0.txt\" } }\n");
    std::fs::create_dir(project.path().join("dl")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", project.path().join("dl/data-1.0.txt")).unwrap();
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::link_leaves"), "{}", run.stderr);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let project = with_source("package a { source path \"a.spec\" { file \"*/data-1.0.txt\" } }\n");
    project.write("one/data-1.0.txt", "1");
    project.write("two/data-1.0.txt", "2");
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::ambiguous"), "{}", run.stderr);
}

#[test]
fn a_folder_elsewhere_without_a_spec_is_refused() {
    let project = Project::new();
    let folder = project.beside("empty");
    std::fs::create_dir(&folder).unwrap();
    let manifest =
        format!("{}package a {{ source path \"{}\" }}\n", crate::support::host(), folder.display());
    project.write("Rpmforge.kdl", &manifest);
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::no_spec"), "{}", run.stderr);
}

#[test]
fn a_source_package_is_built_as_its_spec_would_be() {
    let first = with_source("package a { source path \"a.spec\" }\n");
    first.write("data-1.0.txt", "data");
    first.succeed(&["apply"]);
    let (name, bytes) =
        first.published().into_iter().find(|(path, _)| path.to_string_lossy().ends_with(".src.rpm")).unwrap();
    let project = Project::with("package a { source path \"in/a.src.rpm\" }\n");
    std::fs::create_dir(project.path().join("in")).unwrap();
    std::fs::write(project.path().join("in/a.src.rpm"), bytes).unwrap();
    project.succeed(&["apply"]);
    let names = |project: &Project| {
        let paths = project.published().into_keys();
        paths
            .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
            .filter(|name| name.ends_with(".rpm"))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&project), names(&first));
    assert!(name.starts_with("public/host"));
}

#[test]
fn a_damaged_source_package_is_refused() {
    let project = Project::with("package a { source path \"a.src.rpm\" }\n");
    project.write(
        "a.src.rpm",
        "this is no package at all, and certainly not one that rpm would take; it only has the name of one",
    );
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::package::header"), "{}", run.stderr);
}

#[test]
fn an_executable_source_stays_one_and_its_mode_counts() {
    let build = "%{SOURCE0} && test -x %{SOURCE0} && ! test -x %{SOURCE1}";
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &spec("a", "Source0: run.sh\nSource1: data", build));
    project.write("data", "data");
    project.write("run.sh", "#!/bin/sh\nexit 0\n");
    let set_mode = |name: &str, mode| {
        std::fs::set_permissions(project.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    set_mode("run.sh", 0o755);
    project.succeed(&["apply"]);
    assert_eq!(
        modes_in_source_package(&project),
        [("a.spec", 0o644), ("data", 0o644), ("run.sh", 0o755)].map(named)
    );

    // What a umask takes away is no change.
    set_mode("data", 0o600);
    set_mode("run.sh", 0o700);
    assert_eq!(project.actions()["a"], "cached");

    set_mode("run.sh", 0o644);
    set_mode("data", 0o755);
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("mode of data changed"), "{plan}");
    assert!(plan.contains("mode of run.sh changed"), "{plan}");
}

#[test]
fn the_mode_of_the_spec_gets_into_the_source_package() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &spec("a", "", "true"));
    project.succeed(&["apply"]);
    std::fs::set_permissions(project.path().join("a.spec"), Permissions::from_mode(0o755)).unwrap();
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("mode of SPECS/a.spec changed"), "{plan}");
    project.succeed(&["apply"]);
    assert_eq!(modes_in_source_package(&project), [("a.spec", 0o755)].map(named));
}

fn named((name, mode): (&str, u64)) -> (String, u64) {
    (name.to_owned(), mode)
}

/// The names and permissions (`BASENAMES`, `FILEMODES`) of the files in the source package that is published last.
fn modes_in_source_package(project: &Project) -> Vec<(String, u64)> {
    let is_source = |path: &std::path::PathBuf| path.to_string_lossy().ends_with(".src.rpm");
    let (_, bytes) = project.published().into_iter().rfind(|(path, _)| is_source(path)).unwrap();
    let header = read_headers(&mut bytes.as_slice()).unwrap().header;
    let names = header.texts(Tag(1117)).iter().map(ToString::to_string);
    let modes = header.numbers(Tag(1030)).iter().map(|mode| mode & 0o777);
    names.zip(modes).collect()
}

#[test]
fn a_spec_includes_a_source_that_lies_beside_it_by_the_folder_of_specs() {
    let project = Project::with("packages \"*.spec\"\n");
    project.write("more.inc", "echo included\n");
    let text = spec("a", "Source0: more.inc", "true");
    project.write("a.spec", &text.replace("%build\n", "%build\n%include %{_specdir}/more.inc\n"));
    assert_eq!(project.succeed(&["apply", "--json"]).states()["a"], "succeeded");
    assert_eq!(project.actions()["a"], "cached");
    project.edit("more.inc", "included", "changed");
    assert_eq!(project.actions()["a"], "build");
}
