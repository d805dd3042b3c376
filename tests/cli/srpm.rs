//! `forge srpm`: source packages, and nothing built.

use rpmforge::package::{Tag, read_headers};

use crate::support::{Project, spec};

#[test]
fn source_packages_are_those_of_an_apply_and_nothing_is_built() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    // Its build would fail.
    project.write("a.spec", &spec("a", "Source0: data", "exit 3"));
    project.write("data", "data");
    project.spec("b", "", "true");
    let run = project.succeed(&["srpm", "--output", "made"]);
    let made = |name: &str| std::fs::read(project.path().join("made").join(name)).unwrap();
    assert!(run.stdout.contains("/made/a-1.0-1.src.rpm\n"), "{}", run.stdout);
    let header = read_headers(&mut made("a-1.0-1.src.rpm").as_slice()).unwrap().header;
    let names: Vec<String> = header.texts(Tag(1117)).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a.spec", "data"]);
    assert!(project.succeed(&["history"]).stdout.lines().all(|line| !line.contains("host")));
    assert!(!project.path().join("public").exists());
    // It is the one that an apply publishes, and found where it was made.
    project.succeed(&["apply", "b"]);
    let published = project.published();
    let (_, bytes) = published.iter().find(|(path, _)| path.ends_with("b-1.0-1.src.rpm")).unwrap();
    assert_eq!(*bytes, made("b-1.0-1.src.rpm"));
    project.succeed(&["srpm", "b"]);
    assert_eq!(std::fs::read(project.path().join("b-1.0-1.src.rpm")).unwrap(), *bytes);
}

#[test]
fn a_source_package_that_can_not_be_made_is_told_and_others_are_made() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "Source0: missing", "true");
    project.spec("b", "", "true");
    let run = project.run(&["srpm"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::missing"), "{}", run.stderr);
    assert!(project.path().join("b-1.0-1.src.rpm").exists());
}
