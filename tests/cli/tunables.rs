//! `forge tunables`

use serde_json::Value;

use crate::support::{Project, host};

fn project() -> Project {
    let project = Project::new();
    let manifest = host()
        + "macros { _binary_payload w3.zstdio; vendor \"Acme\" }\n\
           package a { source path \"a.spec\" }\n\
           package b { source path \"b.spec\"; macros { _binary_payload w1.gzdio } }\n";
    project.write("Rpmforge.kdl", &manifest);
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project
}

#[test]
fn each_says_what_it_means_what_it_takes_and_who_sets_it_where() {
    let project = project();
    let shown = project.succeed(&["tunables", "_binary_payload"]).stdout;
    assert!(shown.starts_with("%_binary_payload: How the payload of packages is compressed.\n"), "{shown}");
    assert!(shown.contains("  default  w19.zstdio\n"), "{shown}");
    assert!(shown.contains("  a in host: w3.zstdio\n    Rpmforge.kdl:4 (project)\n"), "{shown}");
    assert!(shown.contains("  b in host: w1.gzdio\n    Rpmforge.kdl:6 (package)\n"), "{shown}");
    let json = project.succeed(&["tunables", "%vendor", "_smp_*", "--json"]).stdout;
    let document: Value = serde_json::from_str(&json).unwrap();
    let tunables = document["tunables"].as_array().unwrap();
    let names: Vec<&str> = tunables.iter().map(|tunable| tunable["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"vendor") && names.contains(&"_smp_ncpus_max") && names.len() == 7, "{names:?}");
    let vendor = tunables.iter().find(|tunable| tunable["name"] == "vendor").unwrap();
    let found = vendor["found"].as_array().unwrap().last().unwrap();
    assert_eq!((&found["value"], &found["level"]), (&"Acme".into(), &"project".into()));
    // It holds for all packages, and none is named.
    assert_eq!(found.get("packages"), None);
}

#[test]
fn all_are_listed_by_what_they_tune() {
    let project = project();
    let shown = project.succeed(&["tunables"]).stdout;
    for title in ["Parallelism\n", "Debugging information\n", "What ends a build\n", "Reproducibility\n"] {
        assert!(shown.contains(title), "{title}{shown}");
    }
    assert!(shown.contains("a in host: w3.zstdio, b in host: w1.gzdio"), "{shown}");
    assert!(shown.contains("host: Acme"), "{shown}");
    // Without a manifest their meaning is known as well.
    let nowhere = tempfile::tempdir().unwrap();
    let shown = project.succeed(&["-C", nowhere.path().to_str().unwrap(), "tunables", "vendor"]).stdout;
    assert!(shown.contains("Who offers the packages."), "{shown}");
    let run = project.run(&["tunables", "_binary_paylod"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("_binary_payload"), "{}", run.stderr);
}

#[test]
fn what_is_said_of_debug_information_reaches_find_debuginfo() {
    let project = Project::new();
    let macros = crate::support::repository().join("src/macros/default/macros");
    let call = |before: &str| {
        let text = format!("{before}\n%{{__debug_install_post}}");
        project.succeed(&["eval", "--rpm", "--macros", macros.to_str().unwrap(), "--eval", &text]).stdout
    };
    let usual = call("");
    for (said, option, is_there) in [
        ("%define _no_recompute_build_ids 1", " -n ", true),
        ("%define _no_recompute_build_ids 1", "--build-id-seed", false),
        ("%define _include_minidebuginfo 1", " -m ", true),
        ("%define _include_gdb_index 1", " -i ", true),
        ("%undefine _unique_build_ids", "--build-id-seed", false),
        ("%undefine _unique_debug_names", "--unique-debug-suffix", false),
        ("%undefine _unique_debug_srcs", "--unique-debug-src-base", false),
        ("%define _missing_build_ids_terminate_build 0", "--strict-build-id", false),
        ("%define _debugsource_packages 1", " -S debugsourcefiles.list", true),
        ("%define _find_debuginfo_opts --odd", " --odd ", true),
    ] {
        let told = call(said);
        assert_eq!((told.contains(option), usual.contains(option)), (is_there, !is_there), "{said}: {told}");
    }
}
