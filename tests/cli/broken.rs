//! What published packages need and their repository no longer has.

use crate::support::Project;

/// `tool` needs what `lib` provides, and is not built with it.
fn library() -> Project {
    let project = Project::with(
        "publish \"public/{chroot}\" { broken allow }\n\
         package lib { source path \"lib.spec\" }\npackage tool { source path \"tool.spec\" }\n",
    );
    project.spec("lib", "Provides: libx.so.1()(64bit)", "true");
    project.spec("tool", "Requires: libx.so.1()(64bit)\nRequires: nosuchthing = 7", "true");
    project
}

const BROKEN: &str = "tool-1.0-1.noarch in the repository of host needs libx.so.1()(64bit), which lib-1.0-1.noarch provided and lib-2.0-1.noarch does not";

#[test]
fn what_a_published_package_needs_and_no_longer_has_is_told() {
    let project = library();
    let first = project.succeed(&["apply"]);
    assert!(
        !first.stderr.contains("needs"),
        "what none of its packages ever had is not its own: {}",
        first.stderr
    );
    project.edit("lib.spec", "libx.so.1", "libx.so.2");
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0");
    let apply = project.succeed(&["apply", "lib"]);
    assert!(apply.stderr.contains(BROKEN), "{}", apply.stderr);
    for command in ["status", "check"] {
        let run = project.succeed(&[command]);
        assert!(run.stderr.contains(&format!("warning: {BROKEN}\n")), "{command}: {}", run.stderr);
    }
    let json: serde_json::Value =
        serde_json::from_str(&project.succeed(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["broken"][0]["requires"], "libx.so.1()(64bit)", "{json}");
    project.edit("tool.spec", "libx.so.1", "libx.so.2");
    let mended = project.succeed(&["apply"]);
    assert!(!mended.stderr.contains("needs libx"), "{}", mended.stderr);
}

#[test]
fn what_needs_something_can_be_asked() {
    let project = library();
    project.succeed(&["apply", "lib"]);
    project.succeed(&["apply"]);
    let needs = project.succeed(&["results", "--requires", "libx.so.1*"]).stdout;
    assert_eq!(needs, ".forge/results/host/00000002-tool/tool-1.0-1.noarch.rpm: libx.so.1()(64bit)\n");
    assert!(project.path().join(needs.split(':').next().unwrap()).exists());
    let provides = project.succeed(&["results", "--provides", "libx.so.1()(64bit)"]).stdout;
    assert_eq!(provides, ".forge/results/host/00000001-lib/lib-1.0-1.noarch.rpm: libx.so.1()(64bit)\n");
    assert_eq!(project.succeed(&["results", "--requires", "libz*"]).stdout, "");
    let json: serde_json::Value =
        serde_json::from_str(&project.succeed(&["results", "tool", "--json"]).stdout).unwrap();
    let packages = json["builds"][0]["packages"].as_array().unwrap();
    let tool = packages.iter().find(|package| package["nevra"] == "tool-1.0-1.noarch").unwrap();
    assert!(tool["requires"].as_array().unwrap().contains(&"nosuchthing = 7".into()), "{tool}");
}
