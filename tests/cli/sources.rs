//! Files that specs name.

use crate::support::{Project, spec};

fn with_source(manifest: &str) -> Project {
    let project = Project::with(manifest);
    project.write("a.spec", &spec("a", "Source0: https://example.org/data-1.0.txt", "cat %{SOURCE0}"));
    project
}

#[test]
fn a_missing_source_says_what_to_do() {
    let project = with_source("package a { source path \"a.spec\" }\n");
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
fn a_link_out_of_the_repository_is_not_followed() {
    let project = with_source("package a { source path \"a.spec\" { file \"dl/data-1.0.txt\" } }\n");
    std::fs::create_dir(project.path().join("dl")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", project.path().join("dl/data-1.0.txt")).unwrap();
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::no_file"), "{}", run.stderr);
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
