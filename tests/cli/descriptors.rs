//! How many files forge holds open at a time.

use std::process::Command;

use crate::support::{Project, Run, spec};

/// Runs the binary with no more than `most` descriptors.
fn run_with(project: &Project, most: usize, arguments: &str) -> Run {
    let forge = project.forge(&[]);
    let mut shell = Command::new("sh");
    let line = format!("ulimit -n {most} && exec {} {arguments}", forge.get_program().to_string_lossy());
    shell.args(["-c", &line]).current_dir(project.path()).env_clear();
    shell.envs(forge.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::from(shell.output().unwrap())
}

#[test]
fn fifteen_hundred_packages_are_planned_with_few_descriptors() {
    let project = Project::with("packages \"specs/*/*.spec\"\n");
    for number in 0..1500 {
        let text = format!(
            "Name: p{number}\nVersion: 1\nRelease: 1\nSummary: A test\nLicense: MIT\nSource0: data\n\
             %description\nA test.\n%files\n"
        );
        project.write(&format!("specs/p{number}/p{number}.spec"), &text);
        project.write(&format!("specs/p{number}/data"), "data");
    }
    let run = run_with(&project, 256, "check");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("packages 1500"), "{}", run.stdout);
}

#[test]
fn packages_are_built_with_fewer_descriptors_than_there_are_of_them() {
    let project = Project::with("packages \"specs/*.spec\"\n");
    for number in 0..60 {
        let name = format!("p{number}");
        let is_built = number < 6;
        let arch = if is_built { "" } else { "ExclusiveArch: nosuch" };
        project.write(&format!("specs/{name}.spec"), &spec(&name, &format!("Source0: data\n{arch}"), "true"));
    }
    project.write("specs/data", "data");
    let run = run_with(&project, 50, "apply");
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
}
