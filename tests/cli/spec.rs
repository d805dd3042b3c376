//! `forge spec`, and what `forge check` says of specs.

use crate::support::{Project, Run};

const SPEC: &str = "\
Name: hello
Version: 2.10
Release: 1
Summary: Greets
License: GPL-3.0-or-later
URL: https://example.org/hello
Source0: https://example.org/hello-%{version}.tar.gz
Patch1: greeting.patch
BuildRequires: gcc, make >= 4
BuildArch: noarch
%description
It greets.

%package doc
Summary: How it greets
Requires: %{name} = %{version}-%{release}
Requires(post): info
%description doc
Text.

%prep
true

%build
make
make doc

%post doc -p /sbin/install-info
%triggerin -- bash > 3, dash
echo again

%files
%license COPYING
/usr/bin/hello

%changelog
* Mon Nov 16 2026 Me <me@example.org> 2.10-1
- greet
";

const WRONG: &str = "\
Name: wrong
Version: 1
Release: 1
Summary: s
License: l
Requires: x >= %{nosuch}
%define refuse() %{error:not like this}
%description
%refuse
";

fn project(engine: &str) -> Project {
    let project = Project::new();
    let packages =
        "package hello { source path \"hello.spec\" }\npackage wrong { source path \"wrong.spec\" }\n";
    let manifest = format!(
        "rpmforge version=1\nchroot host {{ root \"/\" }}\ndefaults {{ engine {engine}; isolation none }}\n{packages}"
    );
    project.write("Rpmforge.kdl", &manifest);
    project.write("hello.spec", SPEC);
    project.write("hello-2.10.tar.gz", "");
    project.write("greeting.patch", "");
    project.write("wrong.spec", WRONG);
    project
}

#[test]
fn a_spec_is_shown_as_a_person_reads_it() {
    let run = project("native").succeed(&["spec", "hello.spec"]);
    insta::assert_snapshot!(run.stdout.replace("x86_64", "ARCH"));
}

#[test]
fn a_spec_is_shown_as_a_program_reads_it() {
    let run = project("native").succeed(&["spec", "--json", "hello.spec"]);
    let all: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let spec = &all[0]["spec"];
    assert_eq!(spec["name"], "hello");
    assert_eq!(spec["build_requires"][1]["dependency"], "make >= 4");
    assert_eq!(spec["build_requires"][1]["line"], 9);
    assert_eq!(spec["packages"][1]["dependencies"][0]["dependency"], "hello = 2.10-1");
    assert_eq!(spec["packages"][0]["files"][1], "/usr/bin/hello");
    assert_eq!(spec["packages"][0]["scripts"][0]["conditions"][0], "bash > 3");
    assert_eq!(spec["packages"][1]["is_built"], false);
    assert_eq!(spec["scripts"][1]["kind"], "build");
    assert_eq!(spec["scripts"][1]["line"], 24);
    assert_eq!(spec["changes"][0]["time"], 1_794_830_400);
    assert_eq!(all[0]["findings"], serde_json::json!([]));
}

#[test]
fn conditions_macros_and_a_target_change_what_a_spec_says() {
    let project = Project::new();
    let text = "Name: a\nVersion: %{?own}1\nRelease: 1\nSummary: s\nLicense: l\n%bcond_with extra\n\
        %description\n%if %{with extra}\n%package x\nSummary: x\n%description x\n%endif\n";
    project.write("a.spec", text);
    let shown = |arguments: &[&str]| {
        let run = project.succeed(&[&["spec", "--json", "a.spec"], arguments].concat());
        let all: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        all[0]["spec"].clone()
    };
    assert_eq!(shown(&[])["packages"].as_array().unwrap().len(), 1);
    assert_eq!(shown(&["--with", "extra"])["packages"].as_array().unwrap().len(), 2);
    assert_eq!(shown(&["-D", "own 7."])["evr"], "7.1-1");
    assert_eq!(shown(&["--target", "aarch64"])["target"], "aarch64");
}

#[test]
fn what_is_wrong_with_a_spec_is_shown_at_its_place() {
    let run = project("native").run(&["spec", "wrong.spec"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn check_points_into_specs_of_the_native_engine() {
    let run = project("native").run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn check_tells_of_what_may_not_be_meant_and_finds_the_manifest_sound() {
    let project = project("native");
    project.write("wrong.spec", &WRONG.replace("%refuse\n", ""));
    let run = project.succeed(&["check"]);
    assert_eq!(run.stdout, "the manifest is sound: packages 2, chroots 1\n");
    assert!(run.stderr.contains("Possible unexpanded macro in: Requires: x >= %{nosuch}"), "{}", run.stderr);
    assert_eq!(project.succeed(&["check", "--quiet"]).stderr, "");
}

#[test]
fn a_spec_that_only_the_native_engine_reads_needs_no_rpm() {
    let project = project("native");
    project.write("wrong.spec", &WRONG.replace("%refuse\n", ""));
    let run = project.forge(&["check"]).env("PATH", "/nonexistent").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn rpmspec_has_its_own_help_and_its_own_exit_codes() {
    let project = Project::new();
    let run = project.succeed(&["rpmspec", "--help"]);
    insta::assert_snapshot!("rpmspec_help", run.stdout);
    assert_eq!(project.run(&["rpmspec", "-q", "a.spec", "b.spec"]).code, Some(2));
    assert_eq!(project.run(&["-C", ".", "rpmspec", "-q", "a.spec"]).code, Some(1));
}

#[test]
fn a_program_that_the_command_line_names_is_used_even_where_it_is_not() {
    let project = Project::new();
    project.write("a.tar.gz", "packed");
    let archive = project.path().join("a.tar.gz");
    let asked = format!("%{{uncompress:{}}}", archive.display());
    let run = project.succeed(&["rpmspec", "-D", "__rpmuncompress /nosuch/unpack", "-E", &asked]);
    assert_eq!(run.stdout, format!("/nosuch/unpack {}\n", archive.display()));
}

#[test]
fn forge_unpacks_for_a_root_without_rpm_wherever_it_lies_itself() {
    let project = Project::new();
    project.write("it's 5%d/empty", "");
    let folder = project.path().join("it's 5%d");
    let forge = folder.join("forge");
    // Written by another process: while one of this process is being started, it has what this one has open for writing,
    // and a program that anybody may write to can't be run.
    let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_forge")).arg(&forge).status();
    assert!(copied.unwrap().success());
    let mut command = std::process::Command::new(&forge);
    command.args(["rpmspec", "--macros", "empty", "-E", "%{__rpmuncompress}"]).current_dir(&folder);
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let quoted = folder.display().to_string().replace('\'', "'\\''");
    assert_eq!(shown, format!("'{quoted}/forge' rpmuncompress\n"));
}

#[test]
fn a_spec_that_runs_programs_is_judged_by_what_they_say_in_its_sandbox() {
    let project = Project::new();
    let manifest = |rest: &str| {
        format!(
            "rpmforge version=1\nchroot host {{ root \"/\" }}\n{rest}package a {{ source path \"a.spec\" }}\n"
        )
    };
    project.write(
        "a.spec",
        "Name: a\nVersion: %(echo 1)\nRelease: %(echo)\nSummary: s\nLicense: l\n%description\n",
    );
    for rest in ["", "defaults { isolation none }\n"] {
        project.write("Rpmforge.kdl", &manifest(rest));
        let run = project.run(&["check"]);
        let is_told = run.stderr.contains("Empty tag: Release:") && run.stderr.contains("[a.spec:3:1]");
        assert!(is_told, "{}", run.stderr);
    }
}

#[test]
fn a_spec_can_not_move_the_cursor() {
    let project = Project::new();
    let text = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\x1b[2J\nLicense: l\n%description\n";
    project.write("a.spec", text);
    let run = project.succeed(&["spec", "a.spec"]);
    assert!(run.stdout.contains("summary       s?[2J\n") && !run.stdout.contains('\x1b'), "{}", run.stdout);
}

#[test]
fn a_package_of_the_manifest_is_read_with_what_that_says_in_the_chroot() {
    let project = settled();
    let version = |arguments: &[&str]| {
        let mut command = project.forge(&[&["spec", "--json"] as &[&str], arguments].concat());
        let run = Run::from(command.env("TOKEN", "opensesame").output().unwrap());
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        (json[0]["spec"]["evr"].as_str().unwrap().to_owned(), json[0]["file"].clone(), run.stderr)
    };
    let (first, file, note) = version(&["tool"]);
    assert_eq!((first.as_str(), file), ("1.el8.docs-1", "specs/tool.spec".into()));
    assert_eq!(note, "note: this is for el8; `--chroot` takes el9\n");
    assert_eq!(version(&["tool", "--chroot", "el9"]).0, "1.el9.plain-1");
    assert_eq!(
        version(&["tool", "--chroot", "el9", "--with", "docs", "-D", "dist .mine"]).0,
        "1.mine.docs-1"
    );
    // A path stays a path: nothing of the manifest holds.
    assert_eq!(version(&["specs/tool.spec"]).0, "1.none.plain-1");
    let run = |arguments: &[&str]| Run::from(project.forge(arguments).env("TOKEN", "x").output().unwrap());
    let unknown = run(&["spec", "tol"]);
    assert!(unknown.stderr.contains("did you mean `tool`?"), "{}", unknown.stderr);
    let elsewhere = run(&["spec", "tool", "--chroot", "el7"]);
    assert!(elsewhere.stderr.contains("forge::cli::nothing_selected"), "{}", elsewhere.stderr);
}

#[test]
fn expressions_are_expanded_with_what_the_manifest_says_for_a_package() {
    let project = settled();
    let eval = |arguments: &[&str]| {
        let mut command = project.forge(&[&["eval"] as &[&str], arguments].concat());
        let run = command.env("TOKEN", "opensesame").output().unwrap();
        String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned()
    };
    assert_eq!(
        eval(&["-p", "tool", "--chroot", "el8", "%{dist} %{?_with_docs} %(echo $WHO)"]),
        ".el8 --with-docs me\n"
    );
    assert_eq!(eval(&["-p", "tool", "--chroot", "el9", "%{dist}[%{?_with_docs}]"]), ".el9[]\n");
    assert_eq!(eval(&["-p", "tool", "--chroot", "el9", "-D", "dist .mine", "%dist"]), ".mine\n");
    for arguments in [
        &["%token"] as &[&str],
        &["--json", "%token"],
        &["%{error:%token}"],
        &["%{lua:error(rpm.expand('%token'))}"],
    ] {
        let shown = eval(&[&["-p", "tool", "--chroot", "el8"] as &[&str], arguments].concat());
        assert!(shown.contains("(secret)") && !shown.contains("opensesame"), "{arguments:?} {shown}");
    }
}

#[test]
fn packages_are_chosen_by_pattern_by_batch_and_by_the_name_in_their_specs() {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot el8 { root \"/\"; macros { dist .el8 } }\n\
         chroot el9 { root \"/\"; macros { dist .el9 } }\ndefaults { isolation none }\n\
         package file { source path \"file.spec\" }\npackage libb { source path \"b.spec\"; macros { dist .b } }\n\
         batch base { members libb }\nprofile ci { macros { dist .ci } }\n",
    );
    project.write("file.spec", &crate::support::spec("liba", "", "true"));
    project.spec("b", "", "true");
    let eval =
        |arguments: &[&str]| project.succeed(&[&["eval"] as &[&str], arguments, &["%dist"]].concat()).stdout;
    assert_eq!(eval(&["-p", "liba", "--chroot", "el9"]), ".el9\n");
    assert_eq!(eval(&["-p", "*", "--chroot", "el9"]), "file in el9: .el9\nlibb in el9: .b\n");
    assert_eq!(eval(&["-p", "file", "--chroot", "el*"]), "file in el8: .el8\nfile in el9: .el9\n");
    assert_eq!(eval(&["--batch", "base"]), ".b\n");
    assert_eq!(eval(&["-p", "file", "--profile", "ci"]), ".ci\n");
    let json = eval(&["-p", "*", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[1]["package"], &json[1]["value"]), (&"libb".into(), &".b".into()), "{json}");

    let spec = |arguments: &[&str]| {
        let text = project.succeed(&[&["spec", "--json"] as &[&str], arguments].concat()).stdout;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names = json.as_array().unwrap().iter();
        names
            .map(|spec| format!("{} {}", spec["chroot"], spec["spec"]["name"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(spec(&["liba"]), ["el8 liba"]);
    assert_eq!(spec(&["*", "--chroot", "el9"]), ["el9 liba", "el9 b"]);
    assert_eq!(spec(&["--batch", "b*", "--profile", "ci"]), ["el8 b"]);
    let screen = project.succeed(&["spec", "*"]).stdout;
    assert!(screen.starts_with("# file in el8\n") && screen.contains("# libb in el8\n"), "{screen}");
    let run = project.run(&["eval", "-p", "libc", "%dist"]);
    assert!(
        run.stderr.contains("forge::plan::unknown_package") && run.stderr.contains("liba"),
        "{}",
        run.stderr
    );
    assert_eq!(eval(&["-p", "lib*", "--batch", "base"]), ".b\n");
    assert_eq!(project.run(&["eval", "--chroot", "el9", "%dist"]).code, Some(64));
}

fn settled() -> Project {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot el8 { root \"/\"; macros { dist .el8 } }\n\
         chroot el9 { root \"/\"; macros { dist .el9 } }\ndefaults { isolation none }\n\
         package tool {\n    source path \"specs/tool.spec\"\n    env { WHO me }\n    on el8 { with docs; macros { token (env)\"TOKEN\" } }\n}\n",
    );
    project.spec("specs/tool", "", "true");
    project.edit(
        "specs/tool.spec",
        "Name: specs/tool",
        "%{!?dist:%define dist .none}\n%bcond docs 0\nName: tool",
    );
    project.edit(
        "specs/tool.spec",
        "Version: 1.0",
        "Version: 1%{dist}.%{?with_docs:docs}%{!?with_docs:plain}",
    );
    project
}
