//! What nothing meets of what builds need.

use std::process::Command;

use crate::support::{Project, Run};

/// A project of the spec `ub`, and of `ua` with these lines.
fn project(lines: &str) -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("ub", "Provides: cap(b) = 3", "true");
    project.spec("ua", lines, "true");
    project
}

fn screen(project: &Project, run: &Run) -> String {
    run.stderr.replace(&project.path().display().to_string(), "PROJECT")
}

/// The code of what is wrong with `ua`; none where it can be built.
#[track_caller]
fn code(lines: &str) -> Option<String> {
    let run = project(lines).run(&["check"]);
    let code = run.stderr.lines().find_map(|line| Some(line.strip_prefix("forge::plan::")?.to_owned()));
    assert_eq!(run.code, Some(i32::from(code.is_some())), "{lines}: {}", run.stderr);
    code
}

#[test]
fn what_nothing_meets_is_told_by_name_before_anything_is_built() {
    let project = project("BuildRequires: ub >= 2");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("unmet_requires", screen(&project, &run));
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.states()["ua"], "skipped");
    assert_eq!(run.states()["ub"], "succeeded");
    let run = project.run(&["apply"]);
    let told = run.stderr.find("forge::plan::unmet_requires").unwrap();
    assert!(run.stderr.find("cached").is_none_or(|built| told < built), "{}", run.stderr);
}

#[test]
fn what_conflicts_with_the_build_is_told_by_name() {
    let project = project("BuildConflicts: ub");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("unmet_conflicts", screen(&project, &run));
}

#[test]
fn a_package_that_needs_itself_is_told_by_name() {
    let project = project("BuildRequires: ua-tools\nProvides: ua-tools");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("requires_itself", screen(&project, &run));
}

#[test]
fn versions_capabilities_and_rich_dependencies_are_checked() {
    for (lines, expected) in [
        ("BuildRequires: ub = 1.0, cap(b) >= 2", None),
        ("BuildRequires: ub = 1.0-2", Some("unmet_requires")),
        ("BuildRequires: cap(b) > 3", Some("unmet_requires")),
        ("BuildRequires: ub > 1:1", Some("unmet_requires")),
        ("BuildRequires: (ub and cap(b) < 3)", Some("unmet_requires")),
        ("BuildRequires: (ub >= 2 or cap(b))", None),
        ("BuildRequires: (ub >= 2 if cap(b))", Some("unmet_requires")),
        ("BuildConflicts: (ub unless cap(b))", None),
        ("BuildRequires: (ub with cap(b) = 3)", None),
        ("BuildRequires: (ub without cap(b))", Some("unmet_requires")),
        ("BuildRequires: /usr/share/ub", None),
        ("BuildRequires: ua", Some("requires_itself")),
        ("BuildRequires: /usr/share/ua", Some("requires_itself")),
        ("BuildConflicts: ub > 1.0-1, ua", None),
        ("BuildConflicts: cap(b) >= 3", Some("unmet_conflicts")),
        ("BuildConflicts: /usr/share/ub", Some("unmet_conflicts")),
    ] {
        assert_eq!(code(lines).as_deref(), expected, "{lines}");
    }
}

#[test]
fn what_needs_the_unbuildable_is_not_built() {
    let project = project("BuildRequires: ub >= 2");
    project.spec("uc", "BuildRequires: ua", "true");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.states()["uc"], "skipped");
}

#[test]
fn a_file_in_a_folder_that_another_lists_is_there_for_the_build() {
    let project = project("BuildRequires: /opt/ud/f");
    let text = "Name: ud\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nx\n\
                %install\nmkdir -p %{buildroot}/opt/ud\necho x > %{buildroot}/opt/ud/f\n%files\n/opt/ud\n";
    project.write("ud.spec", text);
    project.succeed(&["apply"]);
    project.edit("ud.spec", "echo x", "echo y");
    assert_eq!(project.actions()["ua"], "maybe", "it depends on ud");
}

/// The machine's root as if its database of packages were at `path`.
fn with_database(lines: &str, path: &str) -> Project {
    let project = project(lines);
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}macros {{ _dbpath \"{path}\" }}\n"));
    project
}

#[test]
fn a_root_without_packages_of_rpm_is_told_once_with_what_was_not_checked() {
    let project = with_database("BuildRequires: nosuchthing(x) >= 3, make", "/nonexistent");
    project.spec("uc", "BuildRequires: make", "true");
    for command in ["check", "plan", "apply"] {
        let run = project.succeed(&[command]);
        let notes: Vec<&str> = run.stderr.lines().filter(|line| line.contains("was not checked")).collect();
        assert_eq!(notes.len(), 1, "{command}: {}", run.stderr);
        assert!(notes[0].ends_with("(make, nosuchthing(x))"), "{}", notes[0]);
    }
}

/// A database of packages, in which `probe-1.0-1` is installed, which provides `cap(probe) = 5`.
fn database() -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("probe", "Provides: cap(probe) = 5", "true");
    project.succeed(&["apply"]);
    let package = project.repository().follow().unwrap().into_iter().find(|file| !file.href.contains("src"));
    let package = project.path().join("public/host").join(package.unwrap().href);
    let database = project.beside("db");
    for arguments in
        [&["--initdb"][..], &["-i", "--justdb", "--nodeps", "--ignorearch", package.to_str().unwrap()]]
    {
        let status = Command::new("rpm").arg("--dbpath").arg(&database).args(arguments).status().unwrap();
        assert!(status.success());
    }
    project
}

#[test]
fn a_root_with_packages_of_rpm_is_asked() {
    let database = database();
    let path = database.beside("db").display().to_string();
    for (lines, expected) in [
        ("BuildRequires: probe = 1.0-1, cap(probe) >= 5, /usr/share/probe, ub", None),
        ("BuildRequires: probe > 2", Some("unmet_requires")),
        ("BuildRequires: nosuchthing(x) >= 3", Some("unmet_requires")),
        ("BuildRequires: (ub if nosuchthing), (nosuchthing if absent)", None),
        ("BuildRequires: (nosuchthing if probe)", Some("unmet_requires")),
        ("BuildRequires: /no/such/file", Some("unmet_requires")),
        // What generators find in packages that are built first is known when those are there.
        ("BuildRequires: ub, generated(x)", None),
        ("BuildConflicts: probe < 1", None),
        ("BuildConflicts: probe", Some("unmet_conflicts")),
    ] {
        let run = with_database(lines, &path).run(&["check"]);
        let code = run.stderr.lines().find_map(|line| line.strip_prefix("forge::plan::"));
        assert_eq!(code, expected, "{lines}: {}", run.stderr);
    }
}

#[test]
fn a_package_may_need_itself_where_an_earlier_one_is_installed() {
    let database = database();
    let path = database.beside("db").display().to_string();
    let project = with_database("BuildRequires: ub", &path);
    project.spec("probe", "BuildRequires: probe", "true");
    project.succeed(&["check"]);
}
