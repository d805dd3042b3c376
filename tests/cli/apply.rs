//! `forge apply`: from a manifest to a repository, and nothing the second time.

use std::fs;

use crate::support::{Project, Run};

#[test]
fn an_example_becomes_a_repository_and_then_nothing_is_left_to_do() {
    let project = Project::example("hello");
    let first = project.succeed(&["apply"]);
    assert!(first.stdout.contains("1 built"), "{}", first.stdout);
    let published = project.published();
    assert!(published.keys().any(|path| path.ends_with("hello-1.0-1.x86_64.rpm")), "{:?}", published.keys());
    assert!(published.keys().any(|path| path.ends_with("hello-1.0-1.src.rpm")));
    let second = project.succeed(&["apply"]);
    assert_eq!(second.stdout.split(" in ").next(), Some("1 up to date"));
    assert_eq!(project.published(), published);
}

#[test]
fn the_order_of_libraries_is_found_from_build_requires_alone() {
    let project = Project::example("libraries");
    let run = project.succeed(&["apply", "--json", "--jobs", "4"]);
    let ended: Vec<String> =
        run.events("build-ended").iter().map(|event| event["package"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ended, ["libbase", "libtext", "libgreet", "greeter"]);
    let names = ["libbase-1.0-1", "libtext-devel-1.0-1", "libgreet-devel-1.0-1"];
    let log = root_log_of(&project, "greeter");
    names.iter().for_each(|name| assert!(log.contains(name), "{log}"));
}

#[test]
fn a_source_package_that_is_made_early_is_not_told_as_its_build() {
    let project = Project::example("libraries");
    let run = project.succeed(&["apply", "--json", "--jobs", "4"]);
    let events = run.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of = |package: &str| {
        let told = events.clone().filter(|event| event["package"] == package);
        told.filter_map(|event| Some((event["event"].as_str()?.to_owned(), event["state"].clone())))
            .collect::<Vec<_>>()
    };
    let states = of("greeter").into_iter().filter(|(event, _)| event == "state-changed");
    let states: Vec<String> = states.map(|(_, state)| state.as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["pending", "importing", "importing", "waiting", "running"]);
    let all: Vec<serde_json::Value> = events.collect();
    let at = |package: &str, event: &str, state: &str| {
        all.iter()
            .position(|told| told["package"] == package && told["event"] == event && told["state"] == state)
    };
    assert!(at("greeter", "state-changed", "running") > at("libgreet", "build-ended", "succeeded"));
    let shown = Project::example("libraries").succeed(&["apply", "--jobs", "4"]).stderr;
    let line = |text: &str| shown.lines().position(|line| line.contains(text));
    assert!(line("building   greeter in host") > line("built      libgreet in host"), "{shown}");
}

fn root_log_of(project: &Project, package: &str) -> String {
    let results = project.succeed(&["results", package]).stdout;
    let folder = results.split(' ').next().unwrap();
    project.read(&format!("{folder}/root.log"))
}

#[test]
fn a_result_folder_holds_packages_logs_and_the_record() {
    let project = Project::example("hello");
    project.succeed(&["apply"]);
    let results = project.succeed(&["results", "hello"]).stdout;
    for name in ["build.log", "root.log", "result.json", "hello-1.0-1.src.rpm", "hello-1.0-1.x86_64.rpm"] {
        assert!(results.contains(name), "{results}");
    }
    let folder = results.split(' ').next().unwrap();
    let record: serde_json::Value =
        serde_json::from_str(&project.read(&format!("{folder}/result.json"))).unwrap();
    assert_eq!(record["state"], "succeeded");
    let stages: Vec<&str> =
        record["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(stages, ["prep", "build", "install", "check", "files", "packages", "rmbuild"]);
}

#[test]
fn a_second_project_finds_the_results_of_the_first_in_the_shared_store() {
    let project = Project::example("hello");
    project.succeed(&["apply"]);
    fs::remove_dir_all(project.path().join(".forge")).unwrap();
    fs::remove_dir_all(project.path().join("public")).unwrap();
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.states()["hello"], "cached");
    assert!(project.succeed(&["results", "hello"]).stdout.contains("hello-1.0-1.x86_64.rpm"));
    assert!(project.published().keys().any(|path| path.ends_with("hello-1.0-1.x86_64.rpm")));
}

#[test]
fn only_what_is_named_and_what_it_needs_is_built() {
    let project = Project::example("libraries");
    let states = project.succeed(&["apply", "--json", "libtext"]).states();
    assert_eq!(states["libbase"], "succeeded");
    assert_eq!(states["libtext"], "succeeded");
    assert!(!states.contains_key("greeter"), "nobody has asked for it");
}

#[test]
fn a_macro_of_the_command_line_is_above_those_of_the_manifest() {
    let project = Project::with(
        "macros { dist .project }\npackage a { source path \"a.spec\"; macros { dist .package } }\n",
    );
    let spec = crate::support::spec("a", "", "true").replace("Release: 1", "Release: 1%{?dist}");
    project.write("a.spec", &spec);
    project.succeed(&["apply"]);
    assert!(project.published().keys().any(|path| path.ends_with("a-1.0-1.package.noarch.rpm")));
    project.succeed(&["apply", "-D", "dist .line"]);
    assert!(project.published().keys().any(|path| path.ends_with("a-1.0-1.line.noarch.rpm")));
}

#[test]
fn conditions_and_environment_reach_the_build() {
    let manifest = "package a { source path \"a.spec\"; with extra; env { GREETING \"hi there\" } }\n";
    let project = Project::with(manifest);
    let spec = crate::support::spec(
        "a",
        "",
        "echo \"greeting=$GREETING\"\n%if %{with extra}\necho extra-on\n%endif",
    );
    project.write("a.spec", &format!("%bcond_with extra\n{spec}"));
    project.succeed(&["apply"]);
    let log = project.succeed(&["log", "a", "--stage", "build"]).stdout;
    assert!(log.contains("\ngreeting=hi there\n") && log.contains("\nextra-on\n"), "{log}");
}

#[test]
fn a_log_keeps_both_outputs_whole_and_in_order() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "set +x\nfor i in $(seq 3000); do echo out-$i; echo err-$i >&2; done");
    project.succeed(&["apply"]);
    let log = project.succeed(&["log", "a", "--stage", "build"]).stdout;
    let lines: Vec<&str> =
        log.lines().filter(|line| line.starts_with("out-") || line.starts_with("err-")).collect();
    let expected: Vec<String> = (1..=3000).flat_map(|i| [format!("out-{i}"), format!("err-{i}")]).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_value_from_the_environment_reaches_the_build_and_nothing_that_is_written_down() {
    let project = Project::with(
        "macros { token (env)\"TOKEN\" }\npackage a { source path \"a.spec\"; env { KEY (env)\"TOKEN\" } }\n",
    );
    let seen = project.beside("seen");
    project.spec("a", "", &format!("printenv KEY > {}", seen.display()));
    for arguments in [&["apply", "-v"][..], &["plan", "--explain", "--all"], &["plan", "--json"]] {
        let output = project.forge(arguments).env("TOKEN", "hunter2").output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
    assert_eq!(fs::read_to_string(seen).unwrap(), "hunter2\n");
    let written = std::process::Command::new("grep")
        .args(["-rl", "hunter2"])
        .arg(project.path())
        .arg(project.cache())
        .output();
    assert_eq!(String::from_utf8_lossy(&written.unwrap().stdout), "");
    let changed = project.forge(&["plan"]).env("TOKEN", "hunter3").output().unwrap();
    let changed = String::from_utf8_lossy(&changed.stdout).into_owned();
    assert!(
        changed.contains(
            "macro token: `(secret)` (project) → `(secret)` (project); environment variable KEY changed"
        ),
        "{changed}"
    );
}

/// A database of rpm below `folder` that holds a package called `compiler`.
fn database_of_a_compiler(project: &Project, folder: &str) -> String {
    project.write("outside/compiler.spec", &crate::support::spec("compiler", "", "true"));
    let top = project.beside(folder);
    let define = format!("_topdir {}", top.display());
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let spec = project.path().join("outside/compiler.spec");
    run("rpmbuild", &["-bb", "--define", &define, spec.to_str().unwrap()]);
    let packages: Vec<_> = std::fs::read_dir(top.join("RPMS")).unwrap().flatten().collect();
    let package = std::fs::read_dir(packages[0].path()).unwrap().flatten().next().unwrap().path();
    let database = top.join("database").display().to_string();
    run("rpm", &["--dbpath", &database, "-i", "--justdb", "--nodeps", package.to_str().unwrap()]);
    database
}

#[test]
fn what_a_build_needs_is_looked_for_in_the_root_and_in_what_was_built_before() {
    if crate::support::engine() != "native" {
        return;
    }
    let project = Project::with("packages \"*.spec\"\n");
    let database = database_of_a_compiler(&project, "compiler");
    project.edit("Rpmforge.kdl", "packages ", &format!("macros {{ _dbpath \"{database}\" }}\npackages "));
    project.spec("base", "Provides: base(one) = 2", "true");
    project.spec("middle", "BuildRequires: compiler, base(one) >= 2", "true");
    // Whether generators find this in `base` is known when that is built.
    project.spec("lost", "BuildRequires: compiler, base, nowhere(x) > 1", "true");
    let run = project.run(&["apply", "--json"]);
    let states = run.states();
    assert_eq!((states["base"].as_str(), states["middle"].as_str()), ("succeeded", "succeeded"));
    assert_eq!(states["lost"], "failed");
    let ended = run.events("build-ended");
    let lost = ended.iter().find(|event| event["package"] == "lost").unwrap();
    let excerpt = lost["failure"]["excerpt"].to_string();
    assert!(excerpt.contains("nowhere(x) > 1 is needed by lost-1.0-1"), "{lost}");
    assert!(!excerpt.contains("compiler is needed") && !excerpt.contains("base is needed"), "{lost}");
}

#[test]
fn events_that_can_not_be_written_are_a_failure() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = Run::from(project.forge(&["apply", "--json"]).stdout(full).output().unwrap());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("No space left on device"), "{}", run.stderr);
    // What was built is there all the same.
    assert_eq!(project.actions()["a"], "cached");
}
