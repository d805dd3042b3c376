//! Values from the environment: they reach the build, and nothing and nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::Digest as _;

use crate::support::{Project, Run};

const TOKEN: &str = "hunter2-hunter2";

/// One that no other test has, whose processes are seen as well.
const SAMPLED: &str = "sampled-sampled";

/// A package `a` with the secret in a macro and in a variable.
fn project(build: &str) -> Project {
    let project = Project::with(
        "macros { sec (env)\"TOKEN\" }\npackage a { source path \"a.spec\"; env { KEY (env)\"TOKEN\" } }\n",
    );
    project.spec("a", "", build);
    project
}

fn run_with(project: &Project, token: &str, arguments: &[&str]) -> Run {
    Run::from(project.forge(arguments).env("TOKEN", token).output().unwrap())
}

/// Runs, and expects that what is printed does not hold the token.
#[track_caller]
fn run(project: &Project, arguments: &[&str]) -> Run {
    let run = run_with(project, TOKEN, arguments);
    for output in [&run.stdout, &run.stderr] {
        assert!(!output.contains(TOKEN), "{arguments:?}: {output}");
    }
    run
}

/// Expects a secret, and digests of it that need no key, in no file of project, store and home.
#[track_caller]
fn expect_nowhere(project: &Project, secret: &str) {
    let (blake3, sha256) = (blake3::hash(secret.as_bytes()), sha2::Sha256::digest(secret));
    let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    // As a line, which is what a command would print; and as serde writes bytes.
    let line = blake3::hash(format!("{secret}\n").as_bytes());
    let numbers = serde_json::to_string(secret.as_bytes()).unwrap();
    let unwanted: [&[u8]; 7] = [
        secret.as_bytes(),
        blake3.as_bytes(),
        blake3.to_hex().as_str().as_bytes(),
        line.to_hex().as_str().as_bytes(),
        &sha256,
        hex.as_bytes(),
        numbers.trim_matches(['[', ']']).as_bytes(),
    ]
    .map(|bytes| &*bytes.to_vec().leak());
    let mut open = vec![project.beside("")];
    let mut looked_at = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                let content = fs::read(&path).unwrap();
                looked_at += 1;
                for bytes in unwanted {
                    assert!(
                        !content.windows(bytes.len()).any(|window| window == bytes),
                        "{}",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(looked_at > 3, "only {looked_at} files were looked at");
}

/// The command lines of all processes.
fn command_lines() -> String {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ") + "\n").collect()
}

#[test]
fn a_secret_reaches_the_build_and_neither_command_lines_nor_logs_nor_files() {
    let project = project(
        "set +x\necho macro of %{lua:print(#rpm.expand('%{sec}'))} letters, variable of ${#KEY}\n\
         echo \"all: $KEY. most: ${KEY%%-*}-sample\"\nprintf %s \"$KEY\" | base64\n\
         for each in /proc/[0-9]*/cmdline; do\n\
         case \"$(tr '\\0' ' ' < $each)\" in *\"$KEY\"*) echo \"found in $each\";; esac\ndone\n\
         touch $OUTSIDE/begun\nuntil test -e $OUTSIDE/go; do sleep 0.05; done\n",
    );
    let outside = tempfile::tempdir().unwrap();
    let variable = format!("env {{ OUTSIDE \"{}\"; ", outside.path().display());
    project.edit("Rpmforge.kdl", "env { ", &variable);
    let mut apply = project.forge(&["apply", "-v"]);
    let apply = apply.env("TOKEN", SAMPLED).stdout(std::process::Stdio::piped());
    let mut child = apply.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = command_lines();
    while !outside.path().join("begun").exists() && child.try_wait().unwrap().is_none() {
        lines.push_str(&command_lines());
    }
    lines.push_str(&command_lines());
    fs::write(outside.path().join("go"), "").unwrap();
    let applied = Run::from(child.wait_with_output().unwrap());
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert!(lines.contains("__supervise") && lines.contains(" worker \n"), "{lines}");
    assert!(
        !lines.contains(SAMPLED) && !applied.stdout.contains(SAMPLED) && !applied.stderr.contains(SAMPLED)
    );
    let log = run_with(&project, SAMPLED, &["log", "a"]).stdout;
    assert!(log.contains("macro of 15 letters, variable of 15\n"), "{log}");
    assert!(log.contains("\nall: (secret). most: sampled-sample\n"), "{log}");
    assert!(!log.contains("found in") && !log.contains("c2FtcGxlZC1zYW1wbGV"), "{log}");
    for arguments in [&["plan", "--json"][..], &["plan", "--explain", "--all"], &["check"], &["status"]] {
        let run = run_with(&project, SAMPLED, arguments);
        assert_eq!(run.code, Some(0));
        assert!(!run.stdout.contains(SAMPLED) && !run.stderr.contains(SAMPLED), "{}", run.stdout);
    }
    expect_nowhere(&project, SAMPLED);
}

#[test]
fn a_failed_build_names_no_secret_and_leaves_none_behind() {
    let project = project("echo \"$KEY\" > kept-by-the-script\necho \"error: $KEY is refused\" >&2\nexit 3");
    let failed = run(&project, &["apply"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("error: (secret) is refused"), "{}", failed.stderr);
    let work = project.path().join(".forge/work/host/a");
    assert!(work.join("BUILD").is_dir());
    assert_eq!(fs::metadata(work).unwrap().permissions().mode() & 0o777, 0o700);
    run(&project, &["apply", "--json"]);
    expect_nowhere(&project, TOKEN);
}

/// Expects that no name and no link in a folder and below it holds the token.
#[track_caller]
fn expect_in_no_name(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let names = format!("{:?} {target:?}", entry.file_name());
        assert!(!names.contains(TOKEN), "{names}");
        if entry.file_type().unwrap().is_dir() {
            expect_in_no_name(&entry.path());
        }
    }
}

#[test]
fn a_failed_build_leaves_no_secret_in_a_name_or_a_link() {
    let project = project(
        "touch \"f-$KEY\" kept\nmkdir \"d-$KEY\"\nln -s \"/$KEY\" link\n\
         echo \"$KEY\" > \"$(printf '\\377')\"\nexit 3",
    );
    assert_eq!(run(&project, &["apply"]).code, Some(1));
    let work = project.path().join(".forge/work/host/a");
    assert!(work.join("BUILD").is_dir());
    expect_in_no_name(&work);
    expect_nowhere(&project, TOKEN);
}

#[test]
fn what_a_killed_forge_left_of_a_secret_goes_with_the_next_one() {
    for next in [&["apply", "b"] as &[&str], &["gc", "--size", "1G"]] {
        let project = project("echo \"$KEY\" > written\ntouch $OUTSIDE/begun\nsleep 600");
        let outside = tempfile::tempdir().unwrap();
        let variable = format!("env {{ OUTSIDE \"{}\"; ", outside.path().display());
        project.edit("Rpmforge.kdl", "env { ", &variable);
        project.edit("Rpmforge.kdl", "package a ", "package b { source path \"b.spec\" }\npackage a ");
        project.spec("b", "", "");
        let mut apply = project.forge(&["apply", "-q", "a"]);
        let mut child = apply.env("TOKEN", TOKEN).spawn().unwrap();
        while !outside.path().join("begun").exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(run(&project, next).code, Some(0));
        expect_nowhere(&project, TOKEN);
    }
}

#[test]
fn what_is_wrong_with_a_spec_is_told_without_its_secrets() {
    let project = project("%{error:%{sec} is no token}");
    for arguments in [&["check"][..], &["plan", "--json"], &["plan"], &["apply"]] {
        let run = run(&project, arguments);
        let told = run.stdout + &run.stderr;
        assert!(told.contains("(secret) is no token"), "{arguments:?}: {told}");
    }
    expect_nowhere(&project, TOKEN);
}

#[test]
fn what_reading_a_spec_learned_is_remembered_without_secrets() {
    let project = project("true");
    let more = "License: MIT\nURL: https://%{sec}.example/%{getenv:KEY}\nProvides: about(%{sec})\n\
                %global one %(echo $KEY)\n%global two %(echo %{sec})\n%{warn:%{one} and %{two}}";
    project.edit("a.spec", "License: MIT", more);
    for arguments in [&["plan", "--json"][..], &["plan"], &["graph"], &["check"]] {
        assert_eq!(run(&project, arguments).code, Some(0));
    }
    expect_nowhere(&project, TOKEN);
}

#[test]
fn a_source_package_that_would_hold_a_secret_is_refused_by_name() {
    let project = project("curl -H 'Authorization: %{sec}' https://host.example || true");
    let refused = run(&project, &["apply"]);
    assert_eq!(refused.code, Some(1));
    let told = "a-1.0-1.src.rpm would hold the secret of the macro `sec`, in its tag SPEC: it is not kept";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    let lines =
        "  │ forge::execute::holds_secret\n  │ help: what a spec expands to is in its source package.";
    assert!(refused.stdout.contains(lines), "{}", refused.stdout);
    assert!(!project.path().join("public").exists());
    expect_nowhere(&project, TOKEN);
}

#[test]
fn a_secret_in_a_source_is_found_as_well() {
    let project = project("true");
    project.edit("a.spec", "License: MIT", "License: MIT\nSource0: settings.ini");
    project.write("settings.ini", &format!("a = b\ntoken = {TOKEN}\n"));
    let refused = run(&project, &["apply"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("in its file settings.ini"), "{}", refused.stderr);
    assert!(!project.path().join("public").exists());
}

#[test]
fn a_secret_in_the_header_of_a_binary_package_is_refused() {
    let project = project("true");
    let install = "mkdir -p %{buildroot}/usr/share\n";
    let more = "touch %{buildroot}/usr/share/$KEY\necho /usr/share/$KEY > %{_builddir}/list\n";
    project.edit("a.spec", install, &format!("{install}{more}"));
    project.edit("a.spec", "%files\n", "%files -f %{_builddir}/list\n");
    let refused = run(&project, &["apply"]);
    assert_eq!(refused.code, Some(1));
    let told = "a-1.0-1.noarch.rpm would hold the secret of the macro `sec`, in its tag BASENAMES";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    assert!(!project.path().join("public").exists());
}

#[test]
fn every_line_of_a_secret_is_masked_and_too_short_ones_are_not() {
    let project = project("echo \"$KEY\" | sed 's/^/got: /'");
    let key = "-----BEGIN KEY-----\nc2VjcmV0IHNlY3JldA\nxyz\n-----END KEY-----\n";
    assert_eq!(run_with(&project, key, &["apply"]).code, Some(0));
    let log = run_with(&project, key, &["log", "a"]).stdout;
    assert!(log.contains("got: (secret)\ngot: (secret)\ngot: xyz\ngot: (secret)\n"), "{log}");
}

#[test]
fn the_key_of_digests_is_made_when_it_is_needed_and_must_be_the_user_s_own() {
    let project = project("true");
    let file = project.beside(".local/share/rpmforge/secret-key");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &manifest.replace("(env)", ""));
    project.succeed(&["plan"]);
    assert!(!file.exists());
    project.write("Rpmforge.kdl", &manifest);
    assert_eq!(run(&project, &["plan"]).code, Some(0));
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&project.path().join(".forge/history.db")), 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = run(&project, &["plan"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("forge::manifest::secret_key"), "{}", refused.stderr);
    assert!(refused.stderr.contains("has mode 0644"), "{}", refused.stderr);
}

#[test]
fn another_secret_is_another_key_and_the_same_one_is_up_to_date() {
    let project = project("true");
    assert_eq!(run(&project, &["apply"]).code, Some(0));
    assert!(run(&project, &["plan"]).stdout.contains("1 up to date"));
    let changed = run_with(&project, "hunter3-hunter3", &["plan"]).stdout;
    let why = "macro sec: `(secret)` (project) → `(secret)` (project); environment variable KEY changed";
    assert!(changed.contains(why), "{changed}");
}
