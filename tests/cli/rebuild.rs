//! `forge rebuild`: an earlier build again, as it was.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Project, Run, spec};

/// What is written down of a build.
fn record(project: &Project, chroot: &str, folder: &str) -> Value {
    let path = project.path().join(".forge/results").join(chroot).join(folder).join("result.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[track_caller]
fn refused(run: &Run, code: &str, words: &str) {
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(shown.contains(code) && shown.contains(words), "{}", run.stderr);
}

#[test]
fn a_build_is_made_again_as_it_was_whatever_manifest_and_sources_are_now() {
    let project = Project::with("package tool { source path \"tool.spec\"; macros { color red } }\n");
    let text =
        spec("tool", "Source0: data", "cat %{SOURCE0}; echo %{color}").replace("echo tool", "echo %{color}");
    project.write("tool.spec", &text);
    project.write("data", "one");
    project.succeed(&["apply"]);
    project.write("data", "two");
    project.edit("tool.spec", "Version: 1.0", "Version: 2.0");
    project.edit("Rpmforge.kdl", "color red", "color blue");
    project.succeed(&["apply"]);
    let (published, lock) = (project.published(), fs::read(project.path().join("Rpmforge.lock")).ok());
    let run = project.succeed(&["rebuild", "1"]);
    assert!(run.stderr.contains("the packages are those of #1, bit for bit"), "{}", run.stderr);
    let record = record(&project, "host", "00000003-tool");
    assert_eq!(record["rebuild"]["rebuild_of"], 1, "{record}");
    assert_eq!(record["rebuild"]["is_same"], true, "{record}");
    assert_eq!(record["packages"][0]["file"], "tool-1.0-1.noarch.rpm", "{record}");
    let history = project.succeed(&["history", "#3"]).stdout;
    assert!(history.contains("rebuild of #1"), "{history}");
    // Nothing else has changed by it: not what is published, locked or up to date.
    assert_eq!(project.published(), published);
    assert_eq!(fs::read(project.path().join("Rpmforge.lock")).ok(), lock);
    assert!(project.succeed(&["apply"]).stdout.contains("1 up to date"));
    assert!(project.succeed(&["results", "tool"]).stdout.contains("tool-2.0-1"));
    assert!(project.succeed(&["results", "#3"]).stdout.contains("tool-1.0-1"));
    // Of a package that the manifest has forgotten, too; a rebuild can be made again itself.
    project.write("Rpmforge.kdl", &crate::support::host());
    let run = project.succeed(&["rebuild", "#3", "--json"]);
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rebuilt = events.iter().find(|event| event["event"] == "rebuilt").unwrap();
    assert_eq!(
        (&rebuilt["rebuild_of"], &rebuilt["is_same"], &rebuilt["number"]),
        (&3.into(), &true.into(), &4.into())
    );
    assert_eq!(rebuilt["packages"][0]["outcome"], "same");
}

#[test]
fn packages_that_come_out_differently_are_named() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    let text = spec("tool", "", "true").replace("echo tool", "cat /proc/sys/kernel/random/uuid");
    project.write("tool.spec", &text);
    project.succeed(&["apply"]);
    let run = project.succeed(&["rebuild", "1"]);
    assert!(run.stderr.contains("1 of 2 packages are not as in #1"), "{}", run.stderr);
    assert!(run.stderr.contains("tool-1.0-1.noarch.rpm differs"), "{}", run.stderr);
    // Both are there to be compared.
    let diff = project.run(&["diff", "#1", "#2"]);
    assert_eq!(diff.code, Some(1), "{}{}", diff.stdout, diff.stderr);
}

#[test]
fn packages_of_other_builds_are_those_of_then() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "true");
    let text = spec(
        "b",
        "BuildRequires: a",
        "rpm=$(echo $XDG_DATA_DIRS | cut -d: -f1); cp $rpm/a built || cp /usr/share/a built",
    );
    project.write("b.spec", &text.replace("echo b >", "cat built >"));
    project.succeed(&["apply"]);
    project.edit("a.spec", "echo a >", "echo another >");
    project.succeed(&["apply"]);
    let built = |project: &Project| project.succeed(&["history", "b"]).stdout;
    assert_eq!(built(&project).matches("succeeded").count(), 2, "{}", built(&project));
    let run = project.succeed(&["rebuild", "2"]);
    assert!(run.stderr.contains("the packages are those of #2, bit for bit"), "{}", run.stderr);
}

#[test]
fn what_a_spec_saw_of_the_machine_has_to_be_as_it_was() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    let seen = project.path().join("seen");
    project.write("seen", "1");
    project.write(
        "tool.spec",
        &spec("tool", &format!("%global seen %(cat {})", seen.display()), "echo %{seen}"),
    );
    project.succeed(&["apply"]);
    project.write("seen", "2");
    refused(
        &project.run(&["rebuild", "1"]),
        "forge::cli::rebuild_root_changed",
        "the root of chroot `host` is not what it was for build #1: answer of `cat",
    );
    let run = project.succeed(&["rebuild", "1", "--with-current-root"]);
    assert!(run.stderr.contains("not as for build #1: answer of `cat"), "{}", run.stderr);
    let history = project.succeed(&["history", "#2"]).stdout;
    assert!(history.contains("rebuild of #1 in the root of today"), "{history}");
    project.write("Rpmforge.kdl", "rpmforge version=1\nchroot other { root \"/\" }\n");
    refused(&project.run(&["rebuild", "1"]), "forge::cli::rebuild_no_chroot", "declares no chroot `host`");
}

#[test]
fn a_build_that_failed_fails_again() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    project.spec("tool", "", "echo again and again; exit 3");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    project.spec("tool", "", "true");
    project.succeed(&["apply"]);
    let run = project.run(&["rebuild", "1"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("again and again"), "{}", run.stdout);
    assert!(run.stderr.contains("there are no packages of both it and #1 to compare"), "{}", run.stderr);
    assert_eq!(record(&project, "host", "00000003-tool")["rebuild"]["is_same"], Value::Null);
    // It is no attempt at what the manifest means now.
    assert!(
        project.succeed(&["apply", "--failed"]).stdout.contains("nothing"),
        "no build is taken for failed"
    );
}

#[test]
fn what_is_gone_is_named() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    project.write("tool.spec", &spec("tool", "Source0: data", "true"));
    project.write("data", "one");
    project.succeed(&["apply"]);
    refused(&project.run(&["rebuild", "9"]), "forge::cli::no_build", "there is no build #9");
    assert_eq!(project.run(&["rebuild", "tool"]).code, Some(64));
    let inputs = project.path().join(".forge/results/host/00000001-tool/inputs.json");
    let kept = fs::read(&inputs).unwrap();
    fs::remove_file(&inputs).unwrap();
    refused(&project.run(&["rebuild", "1"]), "forge::cli::rebuild_unknown", "build #1 was made of");
    fs::write(&inputs, &kept).unwrap();
    fs::remove_dir_all(project.cache().join("rpmforge/blobs")).unwrap();
    refused(
        &project.run(&["rebuild", "1"]),
        "forge::cli::rebuild_gone",
        "`tool.spec`, of which build #1 was made",
    );
}

#[test]
fn sources_that_are_not_what_they_were_are_refused() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    project.spec("tool", "", "true");
    project.succeed(&["apply"]);
    let inputs = project.path().join(".forge/results/host/00000001-tool/inputs.json");
    let text = fs::read_to_string(&inputs).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    record["ingredients"]["spec"] = "0".repeat(64).into();
    fs::write(&inputs, record.to_string()).unwrap();
    refused(
        &project.run(&["rebuild", "1"]),
        "forge::cli::rebuild_source",
        "`tool.spec` is not as build #1 had it",
    );
}

#[test]
fn a_secret_has_to_be_what_it_was() {
    let project = Project::with("package tool { source path \"tool.spec\"; env { TOKEN (env)\"TOKEN\" } }\n");
    project.spec("tool", "", "test -n \"$TOKEN\"");
    let run = |token: &str, arguments: &[&str]| {
        let output = project.forge(arguments).env("TOKEN", token).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run("hunter2-hunter2", &["apply"]).0, Some(0));
    let (code, screen) = run("another-one", &["rebuild", "1"]);
    assert!(code == Some(1) && screen.contains("forge::cli::rebuild_secret"), "{screen}");
    assert!(screen.contains("the environment variable `TOKEN`"), "{screen}");
    let (code, screen) = run("hunter2-hunter2", &["rebuild", "1"]);
    assert_eq!(code, Some(0), "{screen}");
    let inputs =
        fs::read_to_string(project.path().join(".forge/results/host/00000001-tool/inputs.json")).unwrap();
    assert!(!inputs.contains("hunter2"), "{inputs}");
}

/// A repository with what a build in a root needs, taken from this machine, as a package `base` of a version.
fn distribution() -> Project {
    let project = Project::with("package base { source path \"base.spec\" }\n");
    project.write(
        "base.spec",
        "Name: base\nVersion: 1.0\nRelease: 1\nSummary: Programs\nLicense: MIT\nAutoReqProv: no\n\
         %global debug_package %{nil}\n%global __os_install_post %{nil}\n\n%description\nPrograms.\n\n%install\n\
         mkdir -p %{buildroot}/usr/bin %{buildroot}/tmp\nln -s usr/bin %{buildroot}/bin\n\
         for program in sh bash mkdir rm cat chmod cp mv ls sed grep id uname tar gzip install find; do\n\
           real=$(readlink -f \"$(command -v $program)\")\n\
           cp \"$real\" %{buildroot}/usr/bin/$program\n\
           for library in $(ldd \"$real\" | grep -o '/[^ ]*'); do\n\
             mkdir -p \"%{buildroot}$(dirname $library)\"\n\
             cp -L \"$library\" \"%{buildroot}$library\"\n\
           done\n\
         done\n\
         echo %{version} > %{buildroot}/usr/version\n\
         cd %{buildroot}\nfind . ! -type d | sed 's/^\\.//' > %{_builddir}/files\n\n\
         %files -f %{_builddir}/files\n/tmp\n",
    );
    project.succeed(&["apply", "--quiet"]);
    project
}

#[test]
fn a_root_of_packages_is_made_again_when_the_repository_has_others() {
    let distribution = distribution();
    let repository: PathBuf = distribution.path().join("public/host");
    let project = Project::new();
    let manifest = format!(
        "rpmforge version=1\nchroot f {{ repo made baseurl=\"{}\"; install base }}\npackage tool {{ source path \"tool.spec\" }}\n",
        repository.display()
    );
    project.write("Rpmforge.kdl", &manifest);
    project.write("tool.spec", &spec("tool", "", "true").replace("echo tool", "cat /usr/version"));
    project.succeed(&["apply"]);
    distribution.edit("base.spec", "Version: 1.0", "Version: 2.0");
    distribution.succeed(&["apply", "--quiet"]);
    project.succeed(&["update"]);
    project.succeed(&["apply"]);
    assert_eq!(record(&project, "f", "00000002-tool")["state"], "succeeded");
    let run = project.succeed(&["rebuild", "1"]);
    assert!(run.stderr.contains("the packages are those of #1, bit for bit"), "{}", run.stderr);
    let run = project.succeed(&["rebuild", "1", "--with-current-root"]);
    assert!(run.stderr.contains("1 of 2 packages are not as in #1"), "{}", run.stderr);
    // The store has all of it; but who signs its packages is the repository's to say.
    fs::rename(&repository, distribution.path().join("away")).unwrap();
    let run = project.succeed(&["rebuild", "1", "--offline"]);
    assert!(run.stderr.contains("the packages are those of #1, bit for bit"), "{}", run.stderr);
    project.write("Rpmforge.kdl", "rpmforge version=1\n");
    refused(
        &project.run(&["rebuild", "1"]),
        "forge::chroot::unknown_repository",
        "`made`, which is not declared",
    );
    // Where nothing says what was in the root, that of today has to be asked for.
    fs::remove_file(project.path().join(".forge/results/f/00000001-tool/root.json")).unwrap();
    project.write("Rpmforge.kdl", &manifest);
    refused(&project.run(&["rebuild", "1"]), "forge::cli::rebuild_root_unknown", "--with-current-root");
}
