//! Names that are taken twice, and packages by either of their names.

use crate::support::Project;

#[test]
fn two_specs_that_build_the_same_package_for_one_chroot_are_told_by_name() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("a", "", "true");
    project.write("b.spec", &project.read("a.spec").replace("BuildArch", "Group: other\nBuildArch"));
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    let shown = run.stderr.replace(&project.path().display().to_string(), "PROJECT");
    insta::assert_snapshot!("same_package", shown);
    let run = project.run(&["apply", "--json"]);
    assert_eq!((run.states()["a"].as_str(), run.states()["b"].as_str()), ("skipped", "skipped"));
}

#[test]
fn a_subpackage_counts_and_another_version_or_chroot_does_not() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("a", "%package -n shared\nSummary: s\n%description -n shared\nx\n%files -n shared", "true");
    project.spec("shared", "", "true");
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("both build `shared-1.0-1.noarch` for chroot `host`"), "{}", run.stderr);
    project.edit("shared.spec", "Version: 1.0", "Version: 1.1");
    project.succeed(&["check"]);
    project.edit("shared.spec", "Version: 1.1", "Version: 1.0");
    let manifest = "chroot other { root \"/\" }\npackage a { source path \"a.spec\"; chroots host }\n\
                    package b { source path \"shared.spec\"; chroots other }\n";
    project.write("Rpmforge.kdl", &format!("{}{manifest}", crate::support::host()));
    project.succeed(&["check"]);
}

#[test]
fn a_package_is_chosen_by_the_manifest_s_name_or_by_that_of_its_spec() {
    let project = Project::with("packages \"*.spec\"\n");
    project.write("file.spec", &crate::support::spec("name", "", "true"));
    project.spec("other", "", "true");
    for chosen in ["file", "name"] {
        let states = project.succeed(&["apply", "--json", chosen]).states();
        assert!(["succeeded", "cached"].contains(&states["file"].as_str()), "{chosen}: {states:?}");
        assert!(!states.contains_key("other"), "{chosen}: nobody has asked for it");
    }
    let run = project.run(&["apply", "nam"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("did you mean `name`?"), "{}", run.stderr);
}
