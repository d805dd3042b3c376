//! What makes a build again, and what does not: a table of changes, each made to a project that has been built, with what
//! `forge plan` says of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Project, Run, engine, spec};

/// A project of two packages: `a` has sources, settings of all levels and a spec that looks at files outside the project;
/// `b` requires it.
struct Built {
    project: Project,
    /// The project's files as they were built.
    kept: PathBuf,
}

const MANIFEST: &str = r#"rpmforge version=1
project acme { description "First" }
macros {
    from_project 1
    "twice(n:)" "%1%1"
}
chroot host {
    root "/"
    macros { from_chroot 1 }
    env { FROM_CHROOT one }
}
defaults { engine ENGINE; isolation none; timeout "1h" }
package a {
    source path "a/a.spec" { file "shared/declared.txt" }
    macros { from_package 1 }
    env { FROM_PACKAGE one }
    with extra
    without docs
}
package b { source path "b/b.spec" }
batch all { members "a" "b"; macros { from_batch 1 } }
"#;

/// What the spec of `a` looks at outside the project, in all the ways that there are.
const LOOKS: &str = r#"Source0: beside.txt
Source1: https://example.org/declared.txt
Source2: %{?second_name}%{!?second_name:second.txt}
%include OUTSIDE/included
%{load:OUTSIDE/loaded}
%global answered %(cat OUTSIDE/answered)
%global is_there %{exists:OUTSIDE/flag}
%global opened %{lua:local file = io.open("OUTSIDE/opened"); print(file:read("l")); file:close()}
%global packed %{lua:print(rpm.open("OUTSIDE/packed"):read())}
%global found %{lua:print(rpm.glob and #rpm.glob("OUTSIDE/found/*"))}
%global listed %{lua:print(#posix.dir("OUTSIDE/listed"))}
%global told %{getenv:FROM_PACKAGE}
"#;

impl Built {
    fn new() -> Self {
        let project = Project::new();
        let outside = project.beside("outside");
        for folder in ["found", "listed"] {
            fs::create_dir_all(outside.join(folder)).unwrap();
            fs::write(outside.join(folder).join("one"), "1\n").unwrap();
        }
        for name in ["included", "loaded", "answered", "opened", "packed"] {
            fs::write(outside.join(name), format!("# {name}\n")).unwrap();
        }
        let looks = LOOKS.replace("OUTSIDE", outside.to_str().unwrap());
        project.write("Rpmforge.kdl", &MANIFEST.replace("ENGINE", &engine()));
        project.write("a/a.spec", &spec("a", &looks, "true"));
        project.write("b/b.spec", &spec("b", "BuildRequires: a", "true"));
        for source in ["a/beside.txt", "a/second.txt", "shared/declared.txt"] {
            project.write(source, "one\n");
        }
        project.succeed(&["apply", "--quiet"]);
        let kept = project.beside("kept");
        copy(&project.path(), &kept);
        copy(&project.beside("outside"), &project.beside("kept-outside"));
        Self { project, kept }
    }

    /// What the plan says of package `a`: its action and its reasons.
    fn planned(&self, command: &mut Command) -> String {
        let run = Run::from(command.output().unwrap());
        if run.code != Some(0) {
            return format!("failed: {}", run.stderr);
        }
        let line = run.stdout.lines().find(|line| line.starts_with("a ")).unwrap_or_default();
        let words: Vec<&str> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        // Package, chroot and batch; then what is done, with which version, and why.
        let (action, why) = (words.get(3).copied().unwrap_or_default(), words.get(5));
        why.map_or(action.to_owned(), |why| format!("{action}: {why}"))
    }

    /// Makes a change, plans, and takes the change back.
    fn plan_with(&self, change: &Change) -> String {
        let mut command = self.project.forge(&["plan", "--all"]);
        command.args(change.arguments).envs(change.variables.iter().copied());
        (change.edit)(&self.project);
        let planned = self.planned(&mut command);
        self.put_back();
        planned
    }

    fn put_back(&self) {
        for (kept, place) in [
            (&self.kept, self.project.path()),
            (&self.project.beside("kept-outside"), self.project.beside("outside")),
        ] {
            for entry in fs::read_dir(&place).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() && entry.file_name() != ".forge" {
                    fs::remove_dir_all(entry.path()).unwrap();
                } else if entry.path().is_file() {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
            copy(kept, &place);
        }
    }

    /// Goes through a table, and names all rows that are not as they should be.
    #[track_caller]
    fn check(&self, changes: &[Change]) {
        let mut wrong = Vec::new();
        for change in changes {
            let outside = self.project.beside("outside").display().to_string();
            let planned = self.plan_with(change).replace(&outside, "OUTSIDE");
            if planned != change.planned {
                wrong.push(format!(
                    "{}\n    should be: {}\n    is:        {planned}",
                    change.name, change.planned
                ));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), changes.len(), wrong.join("\n"));
        let names: BTreeMap<&str, ()> = changes.iter().map(|change| (change.name, ())).collect();
        assert_eq!(names.len(), changes.len(), "each change has a name of its own");
    }
}

/// Everything but forge's own state and what it publishes.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_name() == ".forge" || entry.file_name() == "public" {
            continue;
        } else if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn make_executable(project: &Project, path: &str) {
    fs::set_permissions(project.path().join(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A row of the table.
struct Change {
    name: &'static str,
    edit: Box<dyn Fn(&Project)>,
    arguments: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    /// What the plan says of `a`.
    planned: &'static str,
}

fn change(name: &'static str, planned: &'static str, edit: impl Fn(&Project) + 'static) -> Change {
    Change { name, edit: Box::new(edit), arguments: &[], variables: &[], planned }
}

/// A change of the manifest: a part of it that is replaced.
fn manifest(name: &'static str, from: &'static str, to: &'static str, planned: &'static str) -> Change {
    change(name, planned, move |project| project.edit("Rpmforge.kdl", from, to))
}

/// A change of the spec of `a`.
fn in_spec(name: &'static str, from: &'static str, to: &'static str, planned: &'static str) -> Change {
    change(name, planned, move |project| project.edit("a/a.spec", from, to))
}

/// A file outside the project that holds something else.
fn outside(name: &'static str, path: &'static str, planned: &'static str) -> Change {
    let text = "# another\n";
    change(name, planned, move |project| fs::write(project.beside("outside").join(path), text).unwrap())
}

/// A plan with other arguments.
fn with_arguments(name: &'static str, arguments: &'static [&'static str], planned: &'static str) -> Change {
    Change { name, edit: Box::new(|_| {}), arguments, variables: &[], planned }
}

/// A plan by a caller with other variables.
fn with_variable(name: &'static str, variable: &'static str, value: &'static str) -> Change {
    let variables: &'static [(&str, &str)] = Box::leak(Box::new([(variable, value)]));
    Change { name, edit: Box::new(|_| {}), arguments: &[], variables, planned: CACHED }
}

const CACHED: &str = "up to date";
const SPEC: &str = "build: spec changed";

#[test]
fn what_decides_what_a_package_comes_to_builds_it_again() {
    Built::new().check(&[
        in_spec("the spec", "%build\ntrue", "%build\n:", SPEC),
        in_spec("a comment in the spec", "%build\n", "%build\n# why\n", SPEC),
        in_spec("the release", "Release: 1", "Release: 2", SPEC),
        change("a source beside the spec", "build: source beside.txt changed", |project| {
            project.write("a/beside.txt", "two\n");
        }),
        change("a source of a `file` node", "build: source declared.txt changed", |project| {
            project.write("shared/declared.txt", "two\n");
        }),
        change("a source that comes in", "build: spec changed; source new.txt changed", |project| {
            project.edit("a/a.spec", "%include", "Source7: new.txt\n%include");
            project.write("a/new.txt", "one\n");
        }),
        change("a source that is made executable", "build: mode of beside.txt changed", |project| {
            make_executable(project, "a/beside.txt");
        }),
        change("a spec that is made executable", "build: mode of SPECS/a.spec changed", |project| {
            make_executable(project, "a/a.spec");
        }),
        in_spec(
            "a source that goes",
            "Source0: beside.txt\n",
            "",
            "build: spec changed; source beside.txt changed",
        ),
        change(
            "a source with another name",
            "build: source third.txt changed; source second.txt changed; \
             macro second_name: unset → `third.txt` (package)",
            |project| {
                fs::rename(project.path().join("a/second.txt"), project.path().join("a/third.txt")).unwrap();
                project.edit("Rpmforge.kdl", "from_package 1", "from_package 1; second_name third.txt");
            },
        ),
        change("the spec's name", "build: spec renamed: a.spec → other.spec", |project| {
            fs::rename(project.path().join("a/a.spec"), project.path().join("a/other.spec")).unwrap();
            project.edit("Rpmforge.kdl", "a/a.spec", "a/other.spec");
        }),
        manifest(
            "a macro of the project",
            "from_project 1",
            "from_project 2",
            "build: macro from_project: `1` (project) → `2` (project)",
        ),
        manifest(
            "a macro of the chroot",
            "from_chroot 1",
            "from_chroot 2",
            "build: macro from_chroot: `1` (chroot) → `2` (chroot)",
        ),
        manifest(
            "a macro of the batch",
            "from_batch 1",
            "from_batch 2",
            "build: macro from_batch: `1` (batch) → `2` (batch)",
        ),
        manifest(
            "a macro of the package",
            "from_package 1",
            "from_package 2",
            "build: macro from_package: `1` (package) → `2` (package)",
        ),
        manifest(
            "a macro that is undefined",
            "from_package 1",
            "from_package #null",
            "build: macro from_package: `1` (package) → undefined (package)",
        ),
        manifest(
            "a macro that comes in",
            "from_package 1",
            "from_package 1; new 1",
            "build: macro new: unset → `1` (package)",
        ),
        manifest(
            "a macro that goes",
            "macros { from_chroot 1 }",
            "",
            "build: macro from_chroot: `1` (chroot) → unset",
        ),
        manifest(
            "a macro of another level",
            "from_package 1",
            "from_package 1; from_project 1",
            "build: macro from_project: `1` (project) → `1` (package)",
        ),
        manifest(
            "the body of a parametric macro",
            "%1%1",
            "%1%1%1",
            "build: macro twice: `%1%1` (project) → `%1%1%1` (project)",
        ),
        manifest(
            "the options of a parametric macro",
            "twice(n:)",
            "twice(m:)",
            "build: macro twice: `%1%1` (project) → `%1%1` (project)",
        ),
        with_arguments("-D", &["-D", "new 1"], "build: macro new: unset → `1` (command line)"),
        with_arguments(
            "-D above the manifest",
            &["-D", "from_project 2"],
            "build: macro from_project: `1` (project) → `2` (command line)",
        ),
        manifest(
            "a build condition that is switched",
            "with extra",
            "without extra",
            "build: condition extra: with → without",
        ),
        manifest(
            "a build condition that comes in",
            "with extra",
            "with extra more",
            "build: condition more: the spec's default → with",
        ),
        manifest(
            "a build condition that goes",
            "without docs\n",
            "\n",
            "build: condition docs: without → the spec's default",
        ),
        manifest(
            "a variable of the package",
            "FROM_PACKAGE one",
            "FROM_PACKAGE two",
            "build: environment variable FROM_PACKAGE changed",
        ),
        manifest(
            "a variable of the chroot",
            "FROM_CHROOT one",
            "FROM_CHROOT two",
            "build: environment variable FROM_CHROOT changed",
        ),
        manifest(
            "a variable that comes in",
            "FROM_CHROOT one",
            "FROM_CHROOT one; NEW one",
            "build: environment variable NEW changed",
        ),
        manifest(
            "a variable that goes",
            "env { FROM_CHROOT one }",
            "",
            "build: environment variable FROM_CHROOT changed",
        ),
        manifest("the architecture", "root \"/\"", "root \"/\"; arch i686", "build: architecture changed"),
        outside("a file of %include", "included", "build: file OUTSIDE/included changed"),
        outside("a file of %{load:}", "loaded", "build: file OUTSIDE/loaded changed"),
        outside("a file that a command reads", "answered", "build: answer of `cat OUTSIDE/answered` changed"),
        outside("a file that appears", "flag", "build: presence of OUTSIDE/flag changed"),
        outside("a file that Lua opens", "opened", "build: file OUTSIDE/opened changed"),
        outside("a file of rpm.open", "packed", "build: file OUTSIDE/packed changed"),
        outside("a file that rpm.glob finds", "found/two", "build: files OUTSIDE/found/* changed"),
        outside("a file that posix.dir lists", "listed/two", "build: files OUTSIDE/listed/* changed"),
    ]);
}

#[test]
fn what_only_says_how_and_when_it_is_built_builds_nothing_again() {
    Built::new().check(&[
        manifest("the project's description", "\"First\"", "\"Second\"", CACHED),
        manifest("the project's name", "project acme", "project other", CACHED),
        manifest("a comment", "package a {", "// why\npackage a { /* here */", CACHED),
        manifest("the timeout of all packages", "\"1h\"", "\"2h\"", CACHED),
        manifest("the timeout of a package", "with extra", "with extra; timeout \"3h\"", CACHED),
        manifest("retries", "with extra", "with extra; retries 3", CACHED),
        manifest("the priority", "with extra", "with extra; priority background", CACHED),
        manifest(
            "what happens after a failure",
            "isolation none;",
            "isolation none; on-failure stop;",
            CACHED,
        ),
        manifest("the batch's name", "batch all", "batch everything", CACHED),
        manifest(
            "another batch",
            "batch all { members \"a\" \"b\"",
            "batch last after=all { members \"b\" }\nbatch all { members \"a\"",
            CACHED,
        ),
        manifest("where it is published", "batch all", "publish \"repository/{chroot}\"\nbatch all", CACHED),
        manifest(
            "a chroot that it is not built in",
            "package a {",
            "chroot other { root \"/\"; macros { other 1 } }\npackage a { chroots \"host\"",
            CACHED,
        ),
        manifest(
            "the order of macros",
            "from_project 1\n    \"twice(n:)\" \"%1%1\"",
            "\"twice(n:)\" \"%1%1\"\n    from_project 1",
            CACHED,
        ),
        manifest(
            "a package that goes",
            "package b { source path \"b/b.spec\" }\nbatch all { members \"a\" \"b\"",
            "batch all { members \"a\"",
            CACHED,
        ),
        change("a package that comes in", CACHED, |project| {
            project.edit("Rpmforge.kdl", "package b {", "package c { source path \"c.spec\" }\npackage b {");
            project.spec("c", "", "true");
        }),
        change("the order of packages", CACHED, |project| {
            let b = "package b { source path \"b/b.spec\" }\n";
            project.edit("Rpmforge.kdl", b, "");
            project.edit("Rpmforge.kdl", "package a {", &format!("{b}package a {{"));
        }),
        change("a manifest of two files", CACHED, |project| {
            let b = "package b { source path \"b/b.spec\" }\n";
            project.edit("Rpmforge.kdl", b, "");
            project.edit("Rpmforge.kdl", "\"First\"", "\"First\"; include \"more.kdl\"");
            project.write("more.kdl", b);
        }),
        change("the layout of the manifest", CACHED, |project| {
            let text = project.read("Rpmforge.kdl").replace("; ", "\n").replace("    ", "\t");
            project.write("Rpmforge.kdl", &text);
        }),
        change("the times of all files", CACHED, |project| {
            for file in ["a/a.spec", "a/beside.txt", "shared/declared.txt", "Rpmforge.kdl"] {
                let file = fs::File::options().append(true).open(project.path().join(file)).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }
        }),
        change("who may read the spec", CACHED, |project| {
            let spec = project.path().join("a/a.spec");
            fs::set_permissions(spec, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        change("a file beside the spec that it does not name", CACHED, |project| {
            project.write("a/notes.txt", "two\n");
        }),
        change("a file outside that is written anew as it was", CACHED, |project| {
            let file = project.beside("outside/answered");
            let text = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            fs::write(file, text).unwrap();
        }),
        change("a source that lies elsewhere", CACHED, |project| {
            fs::create_dir(project.path().join("moved")).unwrap();
            let (from, to) = ("shared/declared.txt", "moved/declared.txt");
            fs::rename(project.path().join(from), project.path().join(to)).unwrap();
            project.edit("Rpmforge.kdl", from, to);
        }),
        change("a spec that lies elsewhere", CACHED, |project| {
            fs::rename(project.path().join("a"), project.path().join("moved")).unwrap();
            project.edit("Rpmforge.kdl", "a/a.spec", "moved/a.spec");
        }),
        change("a user's own macros", CACHED, |project| {
            fs::write(project.beside(".rpmmacros"), "%dist .user\n%_x 1\n").unwrap();
            fs::create_dir_all(project.beside(".config/rpm")).unwrap();
            fs::write(project.beside(".config/rpm/macros"), "%dist .user\n").unwrap();
        }),
        with_arguments("how many steps run at a time", &["-j", "1"], CACHED),
        with_arguments("how much is told", &["--verbose"], CACHED),
        with_arguments("which packages are asked for", &["a"], CACHED),
        with_variable("the caller's time zone", "TZ", "Asia/Tokyo"),
        with_variable("the caller's language", "LANG", "de_DE.UTF-8"),
        with_variable("the caller's locale", "LC_ALL", "tr_TR.UTF-8"),
        with_variable("the caller's PATH", "PATH", "/usr/bin:/bin:/opt/bin"),
        with_variable("the caller's folder of configuration", "RPM_CONFIGDIR", "/nowhere"),
        with_variable("the caller's epoch", "SOURCE_DATE_EPOCH", "1"),
        with_variable("the caller's variable of the same name", "FROM_PACKAGE", "three"),
        with_variable("the caller's folder for temporary files", "TMPDIR", "/var/tmp"),
    ]);
}

#[test]
fn a_project_in_another_folder_takes_its_results_from_the_store() {
    let built = Built::new();
    let elsewhere = built.project.beside("elsewhere");
    copy(&built.project.path(), &elsewhere);
    let planned = built.planned(built.project.forge(&["plan", "--all"]).current_dir(&elsewhere));
    assert_eq!(planned, CACHED);
}

#[test]
fn two_checkouts_do_not_take_each_others_files_for_their_own() {
    let look = "macros { look \"%{load:%{_sourcedir}/needs}\" }\n";
    let packages = "package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n";
    let project = Project::with(&format!("{look}{packages}"));
    project.spec("a", "%{look}\n%{?needs:BuildRequires: %{needs}}", "true");
    project.spec("b", "", "true");
    project.write("needs", "# nothing\n");
    let other = project.beside("other");
    copy(&project.path(), &other);
    fs::write(other.join("needs"), "%needs b\n").unwrap();
    let needs_b = |folder: &Path| {
        let output = project.forge(&["plan", "--json"]).current_dir(folder).output().unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let builds = plan["builds"].as_array().unwrap();
        builds.iter().any(|build| build["package"] == "a" && build["needs"][0]["package"] == "b")
    };
    assert!(!needs_b(&project.path()));
    assert!(needs_b(&other));
    assert!(!needs_b(&project.path()));
}

#[test]
fn another_store_knows_nothing_and_says_so() {
    let built = Built::new();
    let store = built.project.beside("another");
    let planned = built.planned(built.project.forge(&["plan", "--all"]).env("XDG_CACHE_HOME", &store));
    assert_eq!(planned, "build: its result is not in the store any more");
}

#[test]
fn the_callers_umask_is_no_ingredient() {
    let built = Built::new();
    let forge = env!("CARGO_BIN_EXE_forge");
    let script = format!("umask 077; {forge} plan --all");
    let mut command = built.project.forge(&[]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).current_dir(built.project.path()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.arg("--version");
    assert_eq!(built.planned(&mut shell), CACHED);
}

#[test]
fn a_dependency_that_changes_leaves_open_whether_what_needs_it_is_built() {
    let built = Built::new();
    built.project.write("a/beside.txt", "two\n");
    let plan = built.project.succeed(&["plan", "--all"]).stdout;
    let line = plan.lines().find(|line| line.starts_with("b ")).unwrap();
    assert!(line.ends_with("if packages of a in host change"), "{plan}");
}

#[test]
fn the_program_that_a_spec_runs_is_asked_again_and_what_it_says_decides() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let release = project.beside("release");
    fs::write(&release, "1").unwrap();
    let text = spec("a", "", "true").replace("Release: 1", &format!("Release: %(cat {})", release.display()));
    project.write("a.spec", &text);
    project.succeed(&["apply", "--quiet"]);
    fs::write(&release, "2").unwrap();
    let shown = project.succeed(&["spec", "a.spec"]).stdout;
    assert!(shown.contains("1.0-2"), "{shown}");
    assert_eq!(project.actions()["a"], "build");
    project.succeed(&["apply", "--quiet"]);
    assert!(project.published().keys().any(|path| path.ends_with("a-1.0-2.noarch.rpm")));
    assert_eq!(project.actions()["a"], "cached");
}

#[test]
fn a_spec_that_runs_programs_for_their_effects_is_read_anew_and_what_came_of_it_decides() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let word = project.beside("word");
    fs::write(&word, "1").unwrap();
    let lua = format!("%{{lua:print(io.popen('cat {}'):read('a'))}}", word.display());
    project.write("a.spec", &spec("a", "", &format!("echo {lua}")));
    project.succeed(&["apply", "--quiet"]);
    assert_eq!(project.actions()["a"], "cached");
    fs::write(&word, "2").unwrap();
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("what its spec says changed"), "{plan}");
}

#[test]
fn a_user_s_own_macros_are_read_by_neither_side() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "Group: %{?from_home}%{!?from_home:none}", "true");
    project.succeed(&["apply", "--quiet"]);
    fs::write(project.beside(".rpmmacros"), "%from_home mine\n").unwrap();
    assert_eq!(project.actions()["a"], "cached");
    assert!(!project.succeed(&["spec", "--json", "a.spec"]).stdout.contains("mine"));
    // rpm's own program reads them, and so does the one in its place.
    let query = ["rpmspec", "-q", "--qf", "%{GROUP}", "a.spec"];
    assert!(project.succeed(&query).stdout.contains("mine"));
}

#[test]
fn a_file_that_changes_while_a_build_reads_it_is_not_taken_for_what_it_was() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let included = project.beside("included");
    fs::write(&included, "Group: one\n").unwrap();
    let change = format!("echo 'Group: two' > {}", included.display());
    project.spec("a", &format!("%include {}", included.display()), &change);
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(told.contains("was changed while forge was at work"), "{told}");
}
