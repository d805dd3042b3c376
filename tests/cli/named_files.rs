//! Specs and source packages on the command line, with a manifest and without.

use std::fs;

use crate::support::{Project, spec};

#[test]
fn specs_and_source_packages_are_built_without_a_manifest() {
    let project = Project::new();
    project.write("specs/one.spec", &spec("one", "", "true"));
    project.write("two.spec", &spec("two", "", "true"));
    let run = project.succeed(&["apply", "specs/one.spec", "two.spec"]);
    assert!(run.stdout.contains("2 built") || run.stderr.contains("2 built"), "{}{}", run.stdout, run.stderr);
    let packages: Vec<String> =
        project.published().into_keys().map(|path| path.display().to_string()).collect();
    let source = packages.iter().find(|path| path.ends_with("one-1.0-1.src.rpm")).expect("a source package");
    assert!(packages.iter().any(|path| path.ends_with("two-1.0-1.noarch.rpm")), "{packages:?}");
    let elsewhere = Project::new();
    fs::copy(project.path().join(source), elsewhere.path().join("one-1.0-1.src.rpm")).unwrap();
    elsewhere.succeed(&["apply", "one-1.0-1.src.rpm"]);
    let plan = elsewhere.succeed(&["plan", "one-1.0-1.src.rpm"]);
    assert!(plan.stdout.contains("up to date") || plan.stdout.contains("nothing"), "{}", plan.stdout);
}

#[test]
fn a_file_of_the_manifest_stands_for_its_package_and_another_is_refused() {
    let project =
        Project::with("package first { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project.write("c.spec", &spec("c", "", "true"));
    let actions = project.succeed(&["plan", "./a.spec"]).stdout;
    assert!(actions.contains("first") && !actions.contains("b in host"), "{actions}");
    let run = project.run(&["apply", "c.spec"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::cli::not_of_manifest"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let project = Project::new();
    let run = project.run(&["apply", "gone.spec"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("gone.spec"), "{}", run.stderr);
    assert!(!project.path().join("Rpmforge.lock").exists());
}
