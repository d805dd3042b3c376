//! Where projects lie, how their lines end, and roots that are named.

use crate::support::{Project, host, spec};

#[test]
fn a_project_folder_that_scripts_can_t_be_begun_in_is_told_by_name() {
    for (name, what) in [("with blank", "a blank"), ("d\'accord", "a quote"), ("back\\slash", "a backslash")]
    {
        let project = Project::new();
        let folder = project.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        project.write(&format!("{name}/Rpmforge.kdl"), &format!("{}packages \"*.spec\"\n", host()));
        project.write(&format!("{name}/a.spec"), &spec("a", "", "true"));
        for command in ["check", "apply"] {
            let output = project.forge(&[command]).current_dir(&folder).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(text.contains("forge::plan::project_folder") && text.contains(what), "{text}");
        }
    }
}

#[test]
fn a_manifest_whose_lines_end_with_cr_lf_is_read_and_such_a_spec_is_told() {
    let project = Project::new();
    project.write("Rpmforge.kdl", &format!("{}packages \"*.spec\"\n", host()).replace('\n', "\r\n"));
    project.write("a.spec", &spec("a", "", "cat a").replace('\n', "\r\n"));
    project.write("b.spec", &spec("b", "", "true"));
    let run = project.succeed(&["check"]);
    insta::assert_snapshot!(
        "carriage_returns",
        run.stderr.replace(&project.path().display().to_string(), "PROJECT")
    );
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("note       a: the lines of this spec end with CR LF"), "{}", run.stderr);
}

#[test]
fn a_root_that_can_t_be_entered_is_told() {
    let project = Project::new();
    project.write("a.spec", &spec("a", "", "true"));
    for (arguments, told) in [
        (
            &["eval", "--rpm", "--root", "x", "-E", "1"][..],
            "rpm: arguments to --root (-r) must begin with a /\n",
        ),
        (
            &["rpmbuild", "--root", "x", "-bp", "a.spec"],
            "rpmbuild: arguments to --root (-r) must begin with a /\n",
        ),
        (
            &["rpmbuild", "--root=/x", "-bp", "a.spec"],
            "rpmbuild: --root: builds are made in this root only: run forge in /x\n",
        ),
    ] {
        let run = project.run(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), told), "{arguments:?}");
    }
    assert_eq!(project.run(&["eval", "--root", "x", "1"]).code, Some(1));
}

#[test]
fn a_project_is_built_from_a_folder_below_it() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    let below = project.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let output = project.forge(&["-C", "..", "apply"]).current_dir(&below).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let output = project.forge(&["spec", "../a.spec"]).current_dir(&below).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
