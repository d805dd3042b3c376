//! Machines that lack something: builds work with what is there, or the message says what is missing and what to do.

use std::process::Command;

use crate::site::{Site, Who, attacker, spec};
use crate::support::Run;

/// Applies a project where calls of the kernel fail with an error: `numbers` are those of calls and errors.
fn apply_lacking(who: Who, numbers: &str) -> Run {
    let site = Site::new(who);
    let program = site.beside("attack");
    std::fs::copy(attacker(), &program).unwrap();
    let mut command = who.command(program);
    command.args(["lacking", numbers]).arg(site.beside("forge")).args(["apply", "--json"]);
    Run::from(site.here(command).output().unwrap())
}

/// Applies a project from a shell that has made its surroundings with `before`; `$FORGE` is forge.
fn apply_in(who: Who, namespaces: &[&str], before: &str) -> Run {
    let site = Site::new(who);
    let mut command = who.command("unshare");
    command.args(namespaces).args(["sh", "-ec", &format!("{before}\nexec \"$FORGE\" apply --json")]);
    let mut command: Command = site.here(command);
    Run::from(command.env("FORGE", site.beside("forge")).output().unwrap())
}

#[track_caller]
fn assert_built(run: &Run, of: &str) {
    assert_eq!(run.code, Some(0), "{of}: {}\n{}", run.stdout, run.stderr);
    assert_eq!(run.states()["good"], "succeeded", "{of}: {}", run.stdout);
}

/// Calls that some kernels lack and builds do without, and what they fail with.
#[cfg(target_arch = "x86_64")]
const SPARED: &[(&str, &str)] = &[
    ("Landlock", "444=38"),
    ("Landlock that is switched off", "444=95"),
    ("keyrings", "250=38"),
    ("pidfd_open", "434=38"),
];
#[cfg(not(target_arch = "x86_64"))]
const SPARED: &[(&str, &str)] = &[("Landlock", "444=38")];

#[test]
fn builds_do_without_what_only_some_kernels_have() {
    for who in Who::all() {
        for (what, numbers) in SPARED {
            assert_built(&apply_lacking(who, numbers), what);
        }
    }
}

#[test]
fn user_namespaces_that_are_switched_off_are_said_with_what_to_do() {
    for who in Who::all() {
        let off = "echo 0 > /proc/sys/user/max_user_namespaces";
        let run = apply_in(who, &["--user", "--map-root-user"], off);
        assert_eq!(run.code, Some(1), "{who:?}: {}", run.stdout);
        let said = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(said.contains("user namespaces are switched off on this machine"), "{who:?}: {said}");
        assert!(said.contains("`sysctl user.max_user_namespaces=65536` allows them"), "{who:?}: {said}");
    }
}

#[test]
fn a_filter_that_refuses_namespaces_is_said() {
    for who in Who::all() {
        // clone3 is absent, or namespaces are made and give no right to name the host, as with AppArmor.
        let refused: &[&str] = if cfg!(target_arch = "x86_64") { &["435=38", "170=1"] } else { &["435=38"] };
        for refused in refused {
            let run = apply_lacking(who, refused);
            assert_eq!(run.code, Some(1), "{who:?}: {}", run.stdout);
            let said =
                run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
            assert!(
                said.contains("or the container or chroot that forge runs in, allows no user namespaces"),
                "{refused}, {who:?}: {said}"
            );
        }
    }
}

#[test]
fn root_of_a_container_that_has_one_number_only_builds() {
    for who in Who::all() {
        assert_built(&apply_in(who, &["--user", "--map-root-user", "--mount"], ""), &format!("{who:?}"));
        let with_pids = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"];
        assert_built(&apply_in(who, &with_pids, ""), &format!("{who:?}, processes of its own"));
    }
}

/// Two overlays over `/usr` are as many as the kernel stacks: a third, for packages built before, can't be.
const NO_MORE_OVERLAYS: &str = "for over in first second; do mkdir -p \"$TMP/$over\"\n\
    mount -t overlay -o lowerdir=\"$TMP/$over\":/usr overlay /usr; done";

#[test]
fn packages_are_laid_over_the_root_by_hand_where_no_overlay_can_be() {
    let mut site = Site::new(Who::Root);
    let install = "mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/forge-test/in\n\
                   printf '#!/bin/sh\\necho from-tool\\n' > %{buildroot}/usr/bin/forge-test-tool\n\
                   chmod 755 %{buildroot}/usr/bin/*\n\
                   ln -s forge-test-tool %{buildroot}/usr/bin/forge-test-link\n\
                   echo laid > %{buildroot}/usr/share/forge-test/in/file";
    let tool = spec("tool", "true").replace("%install\n", &format!("%install\n{install}\n"));
    let tool = tool.replace("%files\n", "%files\n/usr/bin/forge-test-*\n/usr/share/forge-test\n");
    site.package("tool", "", &tool);
    let uses = "forge-test-link; cat /usr/share/forge-test/in/file; ls -d /usr/bin/ls /usr/share\n\
                ! touch /usr/bin/new && ! touch /usr/share/forge-test/new";
    site.package(
        "user",
        "",
        &spec("user", uses).replace("%description", "BuildRequires: tool\n%description"),
    );
    let mut command = Who::Root.command("unshare");
    let script = format!("{NO_MORE_OVERLAYS}\n\"$FORGE\" doctor; exec \"$FORGE\" apply --json");
    command.args(["--mount", "sh", "-ec", &script]);
    let mut command = site.here(command);
    command.env("FORGE", site.beside("forge")).env("TMP", site.beside("overlays"));
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{}\n{}\n{}", run.stdout, run.stderr, site.log("user"));
    assert!(run.stdout.contains("laid over the root file by file"), "{}", run.stdout);
    let log = site.log("user");
    assert!(log.contains("\nfrom-tool\nlaid\n"), "{log}");
}

#[test]
fn a_project_on_an_overlay_is_built_by_root_and_what_nobody_else_may_read_is_named() {
    let overlay = "cd ..; mkdir upper over; mount -t tmpfs none upper; mkdir upper/files upper/work over/project\n\
                   mount -t overlay -o lowerdir=project,upperdir=upper/files,workdir=upper/work none over/project\n\
                   cd over/project";
    for (mode, code) in [("a+rX", Some(0)), ("go-rwx", Some(1))] {
        let site = Site::new(Who::Root);
        let mut command = Who::Root.command("unshare");
        let script = format!("{overlay}; chmod -R {mode} .; exec \"$FORGE\" apply --json");
        command.args(["--mount", "sh", "-ec", &script]);
        let mut command = site.here(command);
        let run = Run::from(command.env("FORGE", site.beside("forge")).output().unwrap());
        assert_eq!(run.code, code, "{mode}: {}\n{}", run.stdout, run.stderr);
        match code {
            Some(0) => assert_built(&run, mode),
            _ => assert!(run.stderr.contains("Permission denied"), "{}", run.stderr),
        }
    }
}

/// What root lacks in some containers: how that is brought about, and what `forge doctor` says to it.
const LACKING: &[(&str, &str, &str)] = &[
    (
        "a part of /proc is hidden",
        "mount --bind /dev/null /proc/sysrq-trigger || mount --bind /dev/null /proc/version",
        "`--security-opt unmask=ALL` (podman) or `--security-opt systempaths=unconfined` (docker)",
    ),
    (
        "its root is not the root of its mounts",
        "mkdir -p root && mount --rbind / root\n\
         exec chroot root sh -ec \"cd $PWD/project; exec \\\"$FORGE\\\" $ARGUMENTS\"",
        "run forge outside of the container",
    ),
];

#[test]
fn what_root_lacks_in_a_container_is_said_with_what_to_do() {
    for (what, before, advice) in LACKING.iter().filter(|_| Who::all().contains(&Who::Root)) {
        let site = Site::new(Who::Root);
        let run = |arguments: &str| {
            let mut command = Command::new("unshare");
            let script =
                format!("cd ..; {before}\n[ -d project ] && cd project; exec \"$FORGE\" {arguments}");
            command.args(["--mount", "sh", "-ec", &script]);
            let mut command = site.here(command);
            let output =
                command.env("FORGE", site.beside("forge")).env("ARGUMENTS", arguments).output().unwrap();
            let run = Run::from(output);
            let said = format!("{} {}", run.stdout, run.stderr);
            (run.code, said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" "))
        };
        let (code, said) = run("apply");
        assert_eq!(code, Some(1), "{what}: {said}");
        assert!(said.contains("forge::process::not_entered"), "{what}: {said}");
        assert!(said.contains("`forge doctor` says what this machine lacks"), "{what}: {said}");
        let (code, said) = run("doctor");
        assert_eq!(code, Some(1), "{what}: {said}");
        assert!(said.contains(advice), "{what}: {said}");
    }
}
