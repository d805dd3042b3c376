//! What the XML of repository metadata can't hold.

use crate::support::{Project, spec};

/// A project of `a`, which says such a thing in `line` of its preamble, and of `b`.
fn project(line: &str) -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    project.write("a.spec", &spec("a", line, "true"));
    project.write("b.spec", &spec("b", "", "true"));
    project
}

const BELL: &str = "%{lua:print(string.char(7))}";

#[test]
fn what_xml_can_t_hold_is_refused_by_name_and_the_others_are_published() {
    let project = project(&format!("Provides: ksym(a:{BELL})"));
    for _ in ["built", "cached"] {
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        let lines = run.stderr.lines().skip_while(|line| !line.starts_with("not published"));
        insta::assert_snapshot!("refused", lines.take(2).collect::<Vec<_>>().join("\n"));
        assert_eq!(project.repository().binaries(), ["b-1.0-1.noarch.rpm"]);
    }
}

#[test]
fn every_field_that_metadata_hold_is_looked_at() {
    for line in [
        format!("URL: x{BELL}"),
        format!("Vendor: x{BELL}"),
        format!("Requires(pre): x({BELL})"),
        format!("Suggests: (b or x({BELL}))"),
        "Packager: %{lua:print(utf8.char(0xfffe))}".to_owned(),
        format!("%description -l de\nx\n%package c\nSummary: {BELL}\n%description c\nx\n%files c\n"),
        format!("%changelog\n* Wed Jan 01 2020 a{BELL} <a@b> - 1\n- x\n"),
    ] {
        let project = project(&line);
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1), "{line:?}: {}", run.stderr);
        assert!(run.stderr.contains("not published: a in host: `a-"), "{line:?}: {}", run.stderr);
        assert_eq!(project.repository().binaries(), ["b-1.0-1.noarch.rpm"], "{line:?}");
    }
}

#[test]
fn the_event_has_package_code_and_help() {
    let run = project(&format!("URL: x{BELL}")).run(&["apply", "--json"]);
    let event = run.events("not-published").remove(0);
    assert_eq!((event["package"].as_str(), event["chroot"].as_str()), (Some("a"), Some("host")));
    assert_eq!(event["code"], "forge::publish::unlistable");
    assert!(event["help"].as_str().unwrap().starts_with("take it out of the spec"));
}

#[test]
fn the_version_before_stays_published() {
    let project = project("");
    project.succeed(&["apply"]);
    project.edit("a.spec", "Summary: A test", &format!("Summary: A {BELL} test"));
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
}

#[test]
fn del_is_discouraged_and_published() {
    let project = project("Provides: ksym(%{lua:print(string.char(127))})");
    project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
}
