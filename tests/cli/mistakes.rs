//! All mistakes of a spec are said in one go.

use crate::support::Project;

const SPEC: &str = "\
Name: a
# No dots beside each other: what names the version is right all the same.
Version: 1..2
Release: 1
Sumary: a typo
License: l
Requires: /b >= 1
Requires: c >=
Provides: a(old) = %{version}
BuildArch: noarch
Epoch: first
%package -n +doc
Summary: its name is wrong
%description -n +doc
What belongs to it is not unknown.
%description
%triggerin -n nothing
whatever
%post -n nothing
true
%files -n nothing
/nothing
%files
/usr/bin/%%(
relative
%changelog
";

const MANIFEST: &str = "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { isolation none }\n\
    package a { source path \"a.spec\" }\n";

fn project(spec: &str) -> Project {
    let project = Project::new();
    project.write("Rpmforge.kdl", MANIFEST);
    project.write("a.spec", spec);
    project
}

/// The titles and places of errors.
fn errors(text: &str) -> Vec<String> {
    let is_shown = |line: &&str| line.contains('×') || line.contains("╭─[");
    text.lines().filter(is_shown).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn all_mistakes_of_a_spec_are_shown_and_not_what_follows_from_them() {
    let run = project(SPEC).run(&["spec", "a.spec"]);
    insta::assert_snapshot!(errors(&run.stderr).join("\n"));
}

#[test]
fn check_and_plan_show_all_mistakes_of_a_spec() {
    let project = project(SPEC);
    let shown = errors(&project.run(&["spec", "a.spec"]).stderr);
    for command in ["check", "plan"] {
        assert_eq!(errors(&project.run(&[command]).stderr), shown, "{command}");
    }
}

#[test]
fn rpms_words_end_with_the_first_mistake() {
    let run = project(SPEC).run(&["rpmspec", "-q", "a.spec"]);
    assert_eq!(
        run.stderr,
        "error: line 3: Illegal sequence \"..\" in: Version: 1..2\nerror: query of specfile a.spec failed, can't parse\n"
    );
}

#[test]
fn a_text_that_is_no_spec_is_not_shown_line_by_line() {
    let run = project(&"no spec\n".repeat(1000)).run(&["spec", "a.spec"]);
    assert_eq!(run.stderr.matches('×').count(), 20);
}
