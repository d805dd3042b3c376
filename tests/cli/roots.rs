//! The machine's own root as an ingredient, seen from outside: in a mount namespace, where the machine stays as it is.

use std::process::Command;

use crate::support::{Project, Run};

/// `/etc` and `/usr` that can be written to, and that nobody else sees.
const OVERLAYS: &str = "set -e; mount --make-rprivate / 2>/dev/null || true; mount -t tmpfs tmpfs $UPPER; \
    for folder in etc usr; do mkdir -p $UPPER/$folder/up $UPPER/$folder/work; \
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=$UPPER/$folder/up,workdir=$UPPER/$folder/work /$folder; done";

/// What the plan says of package `a` after `change` was made to the machine.
fn planned_after(project: &Project, change: &str) -> String {
    let upper = project.beside("upper");
    std::fs::create_dir_all(&upper).unwrap();
    let forge = env!("CARGO_BIN_EXE_forge");
    let script = format!("{OVERLAYS}; {change}; exec {forge} plan --all");
    let is_root = rustix::process::geteuid().is_root();
    let own: &[&str] = if is_root { &[] } else { &["--user", "--map-root-user"] };
    let forge = project.forge(&[]);
    let mut command = Command::new("unshare");
    command.args(own).args(["--mount", "--propagation", "unchanged", "/bin/sh", "-c", &script]);
    command.current_dir(project.path()).env_clear();
    command.envs(forge.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("UPPER", &upper);
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    run.stdout.lines().find(|line| line.starts_with("a ")).unwrap_or_default().to_owned()
}

/// What a plan's row ends with.
const UP_TO_DATE: &str = "up to date  1.0-1";

#[test]
fn a_change_of_the_machine_is_named() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply", "--quiet"]);
    for (change, reason) in [
        ("true", UP_TO_DATE),
        ("touch /usr/bin/env", UP_TO_DATE),
        (
            "mkdir -p /etc/rpm; echo '%_x_y 1' > /etc/rpm/macros",
            "root: macro files changed (/etc/rpm/macros)",
        ),
        (
            "mkdir -p /etc/rpm; echo '%_x_y 1' > /etc/rpm/macros.local",
            "root: macro files changed (/etc/rpm/macros.local)",
        ),
        (
            "mkdir -p /usr/lib/rpm/macros.d; echo '%_x_y 1' > /usr/lib/rpm/macros.d/macros.local",
            "root: macro files changed (/usr/lib/rpm/macros.d/macros.local)",
        ),
        (
            "mkdir -p /usr/lib/rpm/fileattrs; echo '%__x_provides x' > /usr/lib/rpm/fileattrs/x.attr",
            "root: macro files changed (/usr/lib/rpm/fileattrs/x.attr)",
        ),
        (
            "mkdir -p /usr/lib/sysimage/rpm; echo packages > /usr/lib/sysimage/rpm/Packages.db",
            "root: package database changed (/usr/lib/sysimage/rpm/Packages.db)",
        ),
        (
            "mkdir -p /usr/lib/sysimage/rpm; echo packages > /usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
            "root: package database changed (/usr/lib/sysimage/rpm/rpmdb.sqlite-wal)",
        ),
        ("echo 'exec false' > /usr/bin/x-cc; chmod 755 /usr/bin/x-cc", "root: program /usr/bin/x-cc changed"),
        (
            "cp /bin/true /usr/bin/env.new; mv /usr/bin/env.new /usr/bin/env",
            "root: program /usr/bin/env changed",
        ),
    ] {
        let planned = planned_after(&project, change);
        assert!(planned.ends_with(reason), "{change}: {planned}");
    }
}
