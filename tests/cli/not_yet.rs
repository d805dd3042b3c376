//! What the language has and this forge does not carry out: named, and not built.

use crate::support::Project;

fn skipped(manifest: &str) -> String {
    let project = Project::new();
    project.write("Rpmforge.kdl", &format!("rpmforge version=1\n{manifest}"));
    project.spec("a", "", "true");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    let ended = run.events("build-ended");
    assert_eq!(ended[0]["state"], "skipped");
    ended[0]["skipped"].as_str().unwrap().to_owned()
}

const PACKAGE: &str = "package a { source path \"a.spec\" }\n";

#[test]
fn namespaces_are_named() {
    let why = skipped(&format!("chroot host {{ root \"/\" }}\n{PACKAGE}"));
    assert!(why.starts_with("`isolation namespaces`"), "{why}");
}

#[test]
fn roots_of_repositories_and_images_are_named() {
    let why = skipped(&format!("chroot f {{ repo base baseurl=\"https://example.org/\" }}\n{PACKAGE}"));
    assert!(why.starts_with("a root made from `repo`s"), "{why}");
    let why = skipped(&format!("chroot f {{ image \"oci:golden\" }}\n{PACKAGE}"));
    assert!(why.starts_with("`image`"), "{why}");
}

#[test]
fn sources_from_elsewhere_are_named() {
    for source in [
        "git \"https://example.org/a.git\"",
        "url \"https://example.org/a.src.rpm\"",
        "pypi requests",
        "custom script=\"a.sh\"",
    ] {
        let manifest = format!(
            "chroot host {{ root \"/\" }}\ndefaults {{ isolation none }}\npackage a {{ source {source} }}\n"
        );
        let why = skipped(&manifest);
        let kind = source.split(' ').next().unwrap();
        assert_eq!(why, format!("`source {kind}` is not carried out by this version of forge"));
    }
}

#[test]
fn signing_is_named_and_nothing_is_published_unsigned() {
    let project = Project::with(
        "package a { source path \"a.spec\" }\npublish \"public/{chroot}\" { sign key=\"keys/acme.asc\" }\n",
    );
    project.spec("a", "", "true");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("not published: host: `sign key=` is not carried out by this version of forge"),
        "{}",
        run.stderr
    );
    assert!(project.published().is_empty());
}

#[test]
fn caches_workers_and_rebuilds_are_noted() {
    let project = Project::with(
        "package a { source path \"a.spec\" }\ncache \"https://cache.example/acme\"\nremote \"grpcs://build.example:8980\"\n\
         mass-rebuild next { change a; select whatrequires=\"a\" }\n",
    );
    project.spec("a", "", "true");
    let run = project.succeed(&["apply"]);
    for what in
        ["`cache https://cache.example/acme`", "`remote grpcs://build.example:8980`", "`mass-rebuild next`"]
    {
        assert!(run.stderr.contains(what), "{}", run.stderr);
    }
}
