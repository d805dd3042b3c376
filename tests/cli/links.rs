//! Specs and sources that are links.

use std::os::unix::fs::symlink;

use crate::support::{Project, spec};

fn linked(project: &Project, target: &str, path: &str) {
    let path = project.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

fn shown(project: &Project, text: &str) -> String {
    text.replace(&project.path().display().to_string(), "PROJECT")
}

#[test]
fn a_source_may_be_a_link_to_another_folder_of_the_project() {
    let project = Project::with("package a { source path \"specs/a.spec\" }\n");
    project.write("specs/a.spec", &spec("a", "Source0: data\nSource1: more", "cat %{SOURCE0} %{SOURCE1}"));
    project.write("shared/data", "what is shared");
    project.write("shared/more", "and more");
    linked(&project, "../shared/data", "specs/data");
    linked(&project, &project.path().join("shared/more").display().to_string(), "specs/more");
    project.succeed(&["apply"]);
    project.write("shared/data", "something else");
    assert_eq!(project.actions()["a"], "build");
}

#[test]
fn specs_and_their_folders_may_be_links() {
    let project = Project::with("packages \"specs/*/*.spec\"\npackage c { source path \"c\" }\n");
    project.write("shared/a.spec", &spec("a", "", "true"));
    linked(&project, "../../shared/a.spec", "specs/a/a.spec");
    project.write("shared/b/b.spec", &spec("b", "Source0: data", "cat %{SOURCE0}"));
    project.write("shared/b/data", "x");
    linked(&project, "../shared/b", "specs/b");
    project.write("shared/c/c.spec", &spec("c", "", "true"));
    linked(&project, &project.path().join("shared/c").display().to_string(), "c");
    project.succeed(&["apply"]);
    let names: Vec<String> = project.actions().into_keys().collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn the_state_folder_may_be_a_link() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &spec("a", "", "true"));
    std::fs::create_dir(project.beside("state")).unwrap();
    linked(&project, "../state", ".forge");
    project.succeed(&["apply"]);
    project.succeed(&["log", "a"]);
    project.succeed(&["results", "a"]);
    project.succeed(&["gc", "--older", "1d"]);
    assert!(project.beside("state/history.db").exists());
}

#[test]
fn repositories_and_the_folder_above_them_may_be_links_to_elsewhere() {
    for link in ["public", "public/host"] {
        let project = Project::with("package a { source path \"a.spec\" }\n");
        project.write("a.spec", &spec("a", "", "true"));
        let there = project.beside("disk");
        std::fs::create_dir(&there).unwrap();
        linked(&project, there.to_str().unwrap(), link);
        project.succeed(&["apply"]);
        assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm"], "{link}");
        assert!(std::fs::symlink_metadata(project.path().join(link)).unwrap().is_symlink());
        assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0), "{link}");
        project.write("a.spec", &spec("a", "Version: 1.1", "true").replace("Version: 1.0\n", ""));
        project.succeed(&["apply"]);
        assert_eq!(project.repository().binaries(), ["a-1.1-1.noarch.rpm"], "{link}");
    }
}

#[test]
fn a_link_to_nowhere_in_the_place_of_a_repository_is_told_by_name() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &spec("a", "", "true"));
    linked(&project, "../not-mounted", "public");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("public") && run.stderr.contains("link to"), "{}", run.stderr);
}

#[test]
fn a_link_out_of_the_project_is_refused_by_name() {
    let project = Project::with("packages \"specs/*.spec\"\n");
    project.write("specs/a.spec", &spec("a", "Source0: data", "cat %{SOURCE0}"));
    linked(&project, "../../secret", "specs/data");
    std::fs::write(project.beside("secret"), "not yours").unwrap();
    linked(&project, "/etc/passwd", "specs/b.spec");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("links_that_leave", shown(&project, &run.stderr));
}

#[test]
fn a_pipe_in_the_place_of_a_source_is_not_waited_for() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", &spec("a", "Source0: data", "true"));
    let made = std::process::Command::new("mkfifo").arg(project.path().join("data")).status().unwrap();
    assert!(made.success());
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::source::not_a_file"), "{}", run.stderr);
}
