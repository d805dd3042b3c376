//! `forge doctor`: what is tried is what builds need. What a machine may lack is taken away by namespaces.

use std::process::Command;

use crate::support::{Project, Run};

fn document(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr))
}

/// The names of what is missing.
fn missing(document: &serde_json::Value) -> Vec<&str> {
    let abilities = document["abilities"].as_array().unwrap().iter();
    abilities.filter(|ability| ability["state"] == "missing").map(|it| it["name"].as_str().unwrap()).collect()
}

fn ability<'a>(document: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let mut abilities = document["abilities"].as_array().unwrap().iter();
    abilities.find(|ability| ability["name"] == name).unwrap_or_else(|| panic!("{name}: {document}"))
}

/// What the doctor says where a user is root of nothing but a namespace that `set_up` has been run in.
fn doctor_where(set_up: &str) -> serde_json::Value {
    let project = Project::new();
    let forge = project.forge(&["doctor", "--json"]);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-e", "-c"]);
    command.arg(format!("{set_up}\nexec \"$@\"")).arg("sh").arg(forge.get_program()).args(forge.get_args());
    command.current_dir(project.path()).env_clear();
    command.envs(forge.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, Some(1), "{} {}", run.stdout, run.stderr);
    let document = document(&run);
    assert_eq!(document["builds"], false);
    document
}

#[test]
fn the_doctor_says_to_programs_what_it_says_to_people() {
    let project = Project::new();
    let schema = project.succeed(&["schema", "--form", "doctor"]).stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let run = project.run(&["doctor", "--json"]);
    let document = document(&run);
    let problems: Vec<_> = validator.iter_errors(&document).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let shown = project.run(&["doctor"]);
    assert_eq!(shown.code, run.code);
    assert!(ability(&document, "kernel")["meaning"].as_str().unwrap().starts_with("Linux "));
    for ability in document["abilities"].as_array().unwrap() {
        let name = ability["name"].as_str().unwrap();
        assert!(shown.stdout.lines().any(|line| line.starts_with(name)), "{name}: {}", shown.stdout);
    }
}

#[test]
fn builds_can_run_where_nothing_is_missing_and_nothing_is_left_behind() {
    let project = Project::without_store();
    let run = project.succeed(&["doctor", "--json"]);
    let document = document(&run);
    assert_eq!((&document["builds"], missing(&document)), (&true.into(), Vec::new()));
    let left = std::fs::read_dir(project.cache().join("rpmforge")).unwrap().count();
    assert_eq!(left, 0, "{}", project.cache().display());
}

#[test]
fn a_machine_without_user_namespaces_is_told_the_setting_that_forbids_them() {
    let document = doctor_where("echo 0 > /proc/sys/user/max_user_namespaces");
    assert_eq!(
        missing(&document),
        ["sandbox", "user namespaces", "mounts", "overlayfs", "process namespace", "network namespace"]
    );
    let users = ability(&document, "user namespaces");
    assert_eq!(users["help"], "`sysctl user.max_user_namespaces=65536` allows them");
    assert_eq!(ability(&document, "mounts")["meaning"], "it needs user namespaces");
}

#[test]
fn a_container_that_hides_parts_of_proc_is_told_how_to_show_them() {
    let document = doctor_where("mount -t tmpfs none /proc/sys");
    assert_eq!(missing(&document), ["sandbox", "process namespace"]);
    let help = ability(&document, "process namespace")["help"].as_str().unwrap();
    assert!(help.contains("unmask=ALL"), "{help}");
    let sandbox = ability(&document, "sandbox")["meaning"].as_str().unwrap();
    assert!(sandbox.contains("it can't have a /proc of its own"), "{sandbox}");
}

#[test]
fn a_machine_without_network_namespaces_is_told_so() {
    let document = doctor_where("echo 0 > /proc/sys/user/max_net_namespaces");
    assert_eq!(missing(&document), ["sandbox", "network namespace"]);
}
