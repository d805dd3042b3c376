//! A shell where a build failed, and in a clean root.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Project, Run, engine, spec};

/// A library that installs a program, and a package that fails with it.
fn project() -> Project {
    let project = Project::new();
    let manifest =
        "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine ENGINE }\npackages \"*.spec\"\n";
    project.write("Rpmforge.kdl", &manifest.replace("ENGINE", &engine()));
    let install = "mkdir -p %{buildroot}/usr/bin\nprintf '#!/bin/sh\\necho from-tool\\n' > %{buildroot}/usr/bin/forge-test-tool\n\
                   chmod 755 %{buildroot}/usr/bin/forge-test-tool";
    let tool = spec("tool", "", "true").replace("%install\n", &format!("%install\n{install}\n"));
    project.write("tool.spec", &tool.replace("%files\n", "%files\n/usr/bin/forge-test-tool\n"));
    project.spec("bad", "BuildRequires: tool", "mkdir made; cd made; forge-test-tool; ls no-such-file");
    let applied = project.run(&["apply"]);
    assert_eq!(applied.code, Some(1), "{}", applied.stderr);
    project
}

fn shell(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec!["shell"];
    all.extend(arguments);
    project.run(&all)
}

#[test]
fn what_failed_fails_the_same_way_by_hand() {
    let project = project();
    let seen = shell(
        &project,
        &["bad", "--", "sh", "-c", "forge-test-tool; id -un; pwd; ls; cd made; ls no-such-file"],
    );
    assert_eq!(seen.code, Some(2), "{}{}", seen.stdout, seen.stderr);
    let lines: Vec<&str> = seen.stdout.lines().collect();
    assert_eq!(&lines[..2], ["from-tool", "builder"]);
    assert!(lines[2].starts_with("/builddir/BUILD"), "{}", seen.stdout);
    assert!(lines[3..].contains(&"made"), "{}", seen.stdout);
    assert!(seen.stderr.contains("no-such-file"), "{}", seen.stderr);
    let again = shell(&project, &["bad", "--", "sh", "-c", "rm -r made; sh -e /builddir/tmp/rpm-tmp.*"]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stdout.contains("from-tool") && again.stderr.contains("no-such-file"), "{}", again.stderr);
}

#[test]
fn what_may_be_missing_can_be_laid_over_the_tree_s_root() {
    let project = project();
    let more = spec("more", "", "true")
        .replace("%install\n", "%install\nmkdir -p %{buildroot}/usr/share/forge-more\n");
    project.write("more.spec", &more.replace("%files\n", "%files\n/usr/share/forge-more\n"));
    project.succeed(&["apply", "more"]);
    let look = ["--", "sh", "-c", "ls -d /usr/share/forge-more; forge-test-tool; env"];
    assert!(!shell(&project, &[&["bad"][..], &look].concat()).stdout.contains("forge-more"));
    let seen = shell(&project, &[&["bad", "--with", "more"][..], &look].concat());
    assert!(seen.stdout.starts_with("/usr/share/forge-more\nfrom-tool\n"), "{}{}", seen.stdout, seen.stderr);
    // Compilers find what is laid over the root by themselves, and are confused where they are told.
    assert!(!seen.stdout.contains("INCLUDE_PATH"), "{}", seen.stdout);
}

#[test]
fn an_apply_leaves_its_tree_to_an_open_shell() {
    let project = project();
    let script = "touch opened; while ! test -e go; do sleep 0.05; done; pwd; ls made/.. ";
    let mut open =
        project.forge(&["shell", "bad", "--", "sh", "-c", &format!("cd /builddir/BUILD\n{script}")]);
    let open = open.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let state = project.path().join(".forge");
    let of_shells = || {
        let names = std::fs::read_dir(&state).unwrap().flatten().map(|entry| entry.path());
        let is_shell = |path: &std::path::PathBuf| path.to_str().unwrap().contains("/.forge/shell-");
        names.filter(is_shell).collect::<Vec<_>>()
    };
    let opened = state.join("work/host/bad/builddir/BUILD/opened");
    let begun = Instant::now();
    while !opened.exists() {
        assert!(begun.elapsed().as_secs() < 60);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(project.run(&["apply", "bad"]).code, Some(1));
    assert!(!opened.exists() && state.join("work/host/bad/builddir/BUILD").exists(), "it is built anew");
    let kept = of_shells();
    assert_eq!(kept.len(), 1, "{kept:?}");
    project.succeed(&["gc"]);
    std::fs::write(kept[0].join("builddir/BUILD/go"), "").unwrap();
    let seen = Run::from(open.wait_with_output().unwrap());
    assert_eq!(seen.code, Some(0), "{}", seen.stdout);
    assert!(
        seen.stdout.starts_with("/builddir/BUILD\n") && seen.stdout.contains("opened"),
        "{}",
        seen.stdout
    );
    assert_eq!(of_shells(), Vec::<std::path::PathBuf>::new(), "the shell takes its tree along");
}

#[test]
fn the_tree_says_where_it_was_built() {
    let project = project();
    project.edit("Rpmforge.kdl", "packages ", "profile trusted { isolation none }\npackages ");
    assert_eq!(project.run(&["apply", "bad", "--profile", "trusted"]).code, Some(1));
    let seen = shell(&project, &["bad", "--", "sh", "-c", "pwd; ls"]);
    assert!(
        seen.stdout.contains("/.forge/work/host/bad/BUILD") && seen.stdout.contains("made"),
        "{}",
        seen.stderr
    );
}

#[test]
fn a_stage_has_the_environment_of_its_script() {
    let project = project();
    let printed = "printf %s:%s:%s \"$RPM_PACKAGE_NAME\" \"$RPM_BUILD_ROOT\" \"$HOME\"";
    let seen = shell(&project, &["bad", "--stage", "install", "--", "sh", "-c", printed]);
    let fields: Vec<&str> = seen.stdout.split(':').collect();
    assert_eq!((fields[0], fields[2]), ("bad", "/builddir"), "{}", seen.stderr);
    assert!(fields[1].starts_with("/builddir/"), "{}", seen.stdout);
}

#[test]
fn a_clean_root_has_what_is_laid_over_it_and_nothing_else_of_the_project() {
    let project = project();
    let tool = ["--", "sh", "-c", "forge-test-tool; ls /builddir"];
    let without = shell(&project, &[&["--chroot", "host"][..], &tool].concat());
    assert!(!without.stdout.contains("from-tool"), "{}", without.stdout);
    let with = shell(&project, &[&["--chroot", "host", "--with", "tool"][..], &tool].concat());
    assert_eq!(with.stdout, "from-tool\n", "{}", with.stderr);
    let left = std::fs::read_dir(project.path().join(".forge")).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|entry| entry.file_name().to_string_lossy().starts_with("shell-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_has_no_tree_or_no_packages_is_told_by_name() {
    let project = project();
    for (arguments, code) in [
        (&["tool"][..], "forge::cli::no_tree"),
        (&["tol"], "did you mean `tool`?"),
        (&["--chroot", "hots"], "did you mean `host`?"),
        (&["--chroot", "host", "--with", "bad", "--", "true"], "forge::cli::not_built"),
    ] {
        let told = shell(&project, arguments);
        assert_eq!(told.code, Some(1), "{arguments:?}");
        assert!(told.stderr.contains(code), "{}", told.stderr);
    }
}
