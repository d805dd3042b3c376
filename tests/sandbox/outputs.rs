//! What forge takes in of a build's tree, where the build has put something else in its place.

use std::fs;

use crate::machine::Machine;
use crate::site::{Site, Who};

/// What the build does with its package when it has been written, and what is said of that.
const REPLACED: &[(&str, &str, &str)] = &[
    ("by-a-link-out", "rm $RPM; ln -s CANARYFILE $RPM", ""),
    ("by-a-link-up", "rm $RPM; ln -s ../../../../../../../../../etc/passwd $RPM", ""),
    ("by-a-pipe", "rm $RPM; mkfifo $RPM", ""),
    ("by-a-folder", "rm $RPM; mkdir $RPM", ""),
    ("by-nothing", "rm $RPM", ""),
    ("by-its-spec", "rm $RPM; ln -s ../../SPECS/by-its-spec.spec $RPM", ""),
    ("in-a-link-out", "rm -rf /builddir/RPMS; ln -s /usr /builddir/RPMS", ""),
    ("in-a-pipe", "rm -rf /builddir/RPMS; mkfifo /builddir/RPMS", ""),
    ("in-nothing", "rm -rf /builddir/*", ""),
];

/// A spec that does something when its package has been written.
fn spec(name: &str, script: &str) -> String {
    let script = script.replace("$RPM", &format!("/builddir/RPMS/noarch/{name}-1.0-1.noarch.rpm"));
    crate::site::spec(name, "true").replace("%files", &format!("%clean\n{script}\n\n%files"))
}

#[test]
fn what_stands_in_a_package_s_place_is_not_taken_for_it() {
    for who in Who::all() {
        let machine = Machine::new(who, "outputs");
        let mut site = Site::new(who);
        for (name, script, _) in REPLACED {
            site.package(
                name,
                "",
                &spec(name, &script.replace("CANARYFILE", &format!("/tmp/{}", machine.canary))),
            );
        }
        let ended = site.apply();
        machine.assert_unharmed();
        for (name, _, said) in REPLACED {
            assert_eq!(ended.state(name), "failed", "{name}, {who:?}");
            assert!(ended.cause(name).contains(said), "{name}, {who:?}: {}", ended.cause(name));
        }
        assert!(!site.holds(&machine.content()), "what is outside was taken in");
    }
}

/// Paths in a spec that lead out of where they belong, and the spec's lines that have them.
const LEADING_OUT: &[(&str, &str, &str, &str)] = &[
    ("listed", "mkdir -p %{buildroot}", "/../../../../etc/passwd", "failed"),
    ("listed-with-a-pattern", "mkdir -p %{buildroot}", "/../../../../etc/pass*", "failed"),
    ("listed-through-a-link", "mkdir -p %{buildroot}; ln -s /etc %{buildroot}/etc", "/etc/passwd", "failed"),
    (
        "installed",
        "mkdir -p %{buildroot}; cp /usr/bin/id %{buildroot}/../../../usr/bin/forge-attack",
        "/usr/bin/forge-attack",
        "failed",
    ),
    ("root-is-a-link", "rm -rf %{buildroot}; ln -s / %{buildroot}", "/etc/passwd", "failed"),
    ("documents", "mkdir -p %{buildroot}", "%doc ../../../../etc/passwd", "succeeded"),
    ("licences", "mkdir -p %{buildroot}", "%license ../../../../etc/passwd", "succeeded"),
];

#[test]
fn paths_that_lead_out_of_a_build_end_it_or_stay_within_the_sandbox() {
    for who in Who::all() {
        let machine = Machine::new(who, "paths");
        let mut site = Site::new(who);
        for (name, install, files, _) in LEADING_OUT {
            let spec = format!(
                "Name: {name}\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n\
                 %description\nA test.\n%install\n{install}\n%files\n{files}\n"
            );
            site.package(name, "", &spec);
        }
        let ended = site.apply();
        machine.assert_unharmed();
        for (name, _, _, expected) in LEADING_OUT {
            let (state, log) = (ended.state(name), site.log(name));
            assert_eq!(state, *expected, "{name}, {who:?}:\n{log}");
        }
    }
}

#[test]
fn sources_outside_of_a_project_are_not_read() {
    for who in Who::all() {
        let machine = Machine::new(who, "sources");
        let mut site = Site::new(who);
        let secret = format!("/tmp/{}", machine.canary);
        for (name, source) in [
            ("above", format!("../../../../../..{secret}")),
            ("absolute", secret.clone()),
            ("linked", "link".to_owned()),
            ("a-file-url", format!("file://{secret}")),
        ] {
            let spec = crate::site::spec(name, "true")
                .replace("Source9: attack", &format!("Source9: attack\nSource0: {source}"));
            site.package(name, "", &spec);
        }
        std::os::unix::fs::symlink(&secret, site.path().join("link")).unwrap();
        let run = site.run(&["apply", "--json"]);
        assert_ne!(run.code, Some(0), "{}", run.stdout);
        assert!(!site.holds(&machine.content()), "{who:?}: what is outside was taken in");
        let _ = fs::remove_file(site.path().join("link"));
    }
}
