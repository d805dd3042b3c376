//! What failed builds leave in their trees: nobody else can use it, and the next apply clears it away.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::machine::Machine;
use crate::site::{Site, Who};

/// What a build leaves, and its script.
const LEFT: &[(&str, &str)] = &[
    ("closed-folders", "mkdir -p a/b/c && touch a/b/c/d && chmod 000 a/b/c a/b a"),
    ("closed-top", "mkdir a; chmod 000 . .. /builddir/SOURCES /builddir/tmp /builddir"),
    ("closed-private-folders", "mkdir -p /tmp/a /var/tmp/b && chmod 000 /tmp/a /tmp /var/tmp /home"),
    ("read-only-folders", "mkdir -p a/b && touch a/b/c && chmod 555 a/b a"),
    ("deep-folders", "$ATTACK nest 3000"),
    ("deep-folders-elsewhere", "cd /tmp && $ATTACK nest 1000; cd /var/tmp && $ATTACK nest 1000"),
    ("many-files", "mkdir many && cd many && seq 1 20000 | xargs touch"),
    (
        "odd-names",
        "touch \"$(printf 'a\\nb')\" \"$(printf '\\377\\376')\" \"$(printf '\\033[2J')\" -- -rf ' ' '*'",
    ),
    ("odd-folder-names", "mkdir \"$(printf '\\377\\376')\" && touch \"$(printf '\\377\\376/x')\""),
    ("pipes", "mkfifo pipe /builddir/tmp/pipe /tmp/pipe && chmod 000 pipe"),
    ("setuid", "cp /usr/bin/id id && chmod 6755 id && cp id /tmp/id && chmod 6777 /tmp/id"),
    ("links", "ln -s loop loop; ln -s / root; ln -s /etc/passwd p; ln -s ../../../../../../etc up"),
    (
        "links-for-folders",
        "cd / && for f in BUILD BUILDROOT RPMS SRPMS SPECS SOURCES tmp; do rm -rf /builddir/$f; ln -s /etc /builddir/$f; done",
    ),
    (
        "pipes-for-folders",
        "cd / && for f in BUILD BUILDROOT RPMS SRPMS tmp; do rm -rf /builddir/$f; mkfifo /builddir/$f; done",
    ),
    ("no-folders", "cd / && rm -rf /builddir/* /tmp/* /var/tmp/*"),
];

#[test]
fn what_failed_builds_leave_is_cleared_away_by_the_next_apply() {
    for who in Who::all() {
        let machine = Machine::new(who, "left");
        let mut site = Site::new(who);
        for (name, script) in LEFT {
            site.build(name, &format!("{script}; exit 1"));
        }
        let ended = site.apply();
        LEFT.iter().for_each(|(name, _)| assert_eq!(ended.state(name), "failed", "{name}, {who:?}"));
        machine.assert_unharmed();
        for (name, _) in LEFT {
            fs::write(site.path().join(format!("{name}.spec")), crate::site::spec(name, "true")).unwrap();
        }
        let ended = site.run(&["apply", "--json"]);
        for (name, _) in LEFT {
            let state = ended.states().get(*name).cloned();
            let said = (&ended.stdout, &ended.stderr);
            assert_eq!(state.as_deref(), Some("succeeded"), "{name}, {who:?}: {}\n{}", said.0, said.1);
        }
        machine.assert_unharmed();
    }
}

#[test]
fn programs_with_their_owner_s_rights_are_out_of_everybody_else_s_reach() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build("setuid", "cp /usr/bin/id . && chmod 6777 id && test -u id && exit 1");
        assert_eq!(site.apply().state("setuid"), "failed");
        let program = site.path().join(".forge/work/host/setuid/builddir/BUILD/id");
        assert_eq!(fs::metadata(&program).unwrap().mode() & 0o7777, 0o6777);
        let ancestors = program.ancestors().skip(1).take_while(|folder| *folder != site.path());
        let is_closed =
            |folder: &std::path::Path| fs::metadata(folder).unwrap().permissions().mode() & 0o077 == 0;
        assert!(ancestors.into_iter().any(is_closed), "{who:?}: everybody can run {}", program.display());
    }
}
