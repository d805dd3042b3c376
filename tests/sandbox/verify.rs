//! `forge verify`: what a package depends on that none should is found, and only that.

use serde_json::Value;

use crate::support::{Project, spec};

/// A spec that installs what a command says.
fn leaking(name: &str, command: &str) -> String {
    let install = format!("{{ {command}; }} > ");
    // Rpm's own macros set the mode bits that new files lack.
    let more = if name == "umask" { "%define ___build_pre cd %{_builddir}" } else { "" };
    spec(name, more, "true").replace(&format!("echo {name} > "), &install)
}

/// What each variation is seen by.
const LEAKS: [(&str, &str); 8] = [
    ("time", "date +%Z"),
    ("hostname", "uname -n"),
    ("folder", "pwd"),
    ("umask", "umask"),
    ("locale", "echo $LC_ALL $LANG"),
    ("file-order", "mkdir order; for i in 1 2 3 4 5 6 7 8 9; do : > order/$i$i; done; ls -U order"),
    ("cpu-count", "nproc"),
    ("user", "id -u; id -un; getent passwd packager builder || :"),
];

fn project() -> Project {
    let project = Project::new();
    let mut manifest =
        "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n"
            .to_owned();
    for (name, command) in LEAKS {
        manifest += &format!("package {name} {{ source path \"{name}.spec\" }}\n");
        project.write(&format!("{name}.spec"), &leaking(name, command));
    }
    manifest += "package sound { source path \"sound.spec\" }\n";
    project.write("sound.spec", &spec("sound", "", "echo built"));
    project.write("Rpmforge.kdl", &manifest);
    project
}

/// How each package of a verification ended.
fn outcomes(document: &Value) -> Vec<(String, String)> {
    let builds = document["builds"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    builds.map(|build| (text(&build["package"]), text(&build["outcome"]))).collect()
}

fn is_varied(build: &Value, what: &str) -> bool {
    build["varied"].as_array().unwrap().iter().any(|varied| varied == what)
}

#[test]
fn what_depends_on_the_surroundings_is_found_by_varying_them() {
    let project = project();
    project.succeed(&["apply"]);
    // All of it at once: each leak is found, and what leaks nothing is the same.
    let run = project.run(&["verify", "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let builds = document["builds"].as_array().unwrap();
    for ((package, outcome), build) in outcomes(&document).iter().zip(builds) {
        let differs = package != "sound" && (is_varied(build, package));
        assert_eq!(outcome, if differs { "differs" } else { "same" }, "{package}: {build:#}");
    }
    // Each is found by its own variation, and by no other.
    for (name, _) in LEAKS {
        let build = builds.iter().find(|build| build["package"] == name).unwrap();
        if !is_varied(build, name) {
            // This machine has one processor, or one kind of file system.
            assert!(["cpu-count", "file-order"].contains(&name), "{build:#}");
            continue;
        }
        let others: Vec<&str> =
            LEAKS.iter().map(|(other, _)| *other).filter(|other| *other != name).collect();
        assert_eq!(project.run(&["verify", name, "--vary", name]).code, Some(1), "{name}");
        let run = project.run(&["verify", name, "--vary", &others.join(",")]);
        assert_eq!(run.code, Some(0), "{name}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn what_differs_is_shown_and_nothing_is_published_by_it() {
    let project = project();
    project.succeed(&["apply"]);
    let published = project.published();
    let run = project.run(&["verify", "hostname", "sound"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    let first = "hostname in host #";
    assert!(
        run.stdout.contains(first) && run.stdout.contains(": the packages differ with another time, "),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("/usr/share/hostname"), "{}", run.stdout);
    assert!(run.stdout.contains("the packages are the same, bit for bit, with another"), "{}", run.stdout);
    assert!(run.stdout.ends_with("1 of 2 builds the same, 1 differ\n"), "{}", run.stdout);
    assert_eq!(project.published(), published);
    assert!(project.succeed(&["apply"]).stdout.contains("9 up to date"));
    // What was made to be compared is no build that is verified itself, and says what it was for.
    let history = project.succeed(&["history", "hostname"]).stdout;
    assert!(history.contains("verification of #"), "{history}");
    let run = project.succeed(&["verify", "hostname", "--vary", "none", "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["builds"].as_array().unwrap().len(), 1);
    assert_eq!(outcomes(&document), [("hostname".to_owned(), "same".to_owned())]);
}

#[test]
fn a_build_that_fails_elsewhere_is_no_good_one() {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n\
         package choosy { source path \"choosy.spec\" }\npackage bare { source path \"bare.spec\"; isolation none }\n",
    );
    project.write("choosy.spec", &spec("choosy", "", "test \"$(uname -n)\" = localhost"));
    project.write("bare.spec", &spec("bare", "", "true"));
    project.succeed(&["apply"]);
    let run = project.run(&["verify", "choosy"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("it could not be built again with another"), "{}", run.stdout);
    assert!(run.stderr.contains("%build"), "{}", run.stderr);
    // Without a sandbox some things are as they are, and it is said.
    let run = project.succeed(&["verify", "bare"]);
    assert!(
        run.stdout.contains("hostname is not varied: the build has no sandbox (`isolation none`)"),
        "{}",
        run.stdout
    );
    let run = project.run(&["verify", "nothing-of-that-name"]);
    assert_eq!(run.code, Some(1));
    let run = project.run(&["verify", "bare", "--vary", "weather"]);
    assert_eq!(run.code, Some(64), "{}", run.stderr);
    assert!(run.stderr.contains("it is one of time, hostname, folder"), "{}", run.stderr);
}

#[test]
fn an_apply_verifies_what_it_has_built() {
    let project = Project::new();
    let manifest = "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n\
                    package sound { source path \"sound.spec\" }\n";
    project.write("Rpmforge.kdl", manifest);
    project.write("sound.spec", &spec("sound", "", "echo built"));
    let run = project.succeed(&["apply", "--verify"]);
    assert!(
        run.stdout.contains("sound in host #1: the packages are the same, bit for bit, with another"),
        "{}",
        run.stdout
    );
    // What is up to date is not made again.
    assert!(!project.succeed(&["apply", "--verify"]).stdout.contains("bit for bit"));
    project.write("Rpmforge.kdl", &format!("{manifest}package user {{ source path \"user.spec\" }}\n"));
    project.write("user.spec", &leaking("user", "id -u"));
    let run = project.run(&["apply", "--verify"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("user in host #3: the packages differ with another"), "{}", run.stdout);
}

#[test]
fn what_somebody_ships_is_compared_with_what_was_built() {
    let project = Project::new();
    let manifest = "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n\
                    package tool { source path \"tool.spec\" }\n";
    project.write("Rpmforge.kdl", manifest);
    project.write("tool.spec", &spec("tool", "", "echo built"));
    project.succeed(&["apply"]);
    let shipped = project.path().join("tool-1.0-1.noarch.rpm");
    std::fs::copy(project.path().join(".forge/results/host/00000001-tool/tool-1.0-1.noarch.rpm"), &shipped)
        .unwrap();
    let address = format!("file://{}", shipped.display());
    for shipped in ["tool-1.0-1.noarch.rpm", &address] {
        let run = project.succeed(&["verify", "tool", "--against", shipped]);
        assert!(run.stdout.contains("the same as tool-1.0-1.noarch.rpm of #1"), "{}", run.stdout);
    }
    project.write("tool.spec", &spec("tool", "", "echo built").replace("echo tool", "echo another"));
    project.succeed(&["apply"]);
    let run = project.run(&["verify", "tool", "--against", "tool-1.0-1.noarch.rpm"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("/usr/share/tool") && run.stdout.contains("another"), "{}", run.stdout);
    let json = project.run(&["verify", "tool", "--against", "tool-1.0-1.noarch.rpm", "--json"]);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&document["shipped"][0]["is_same"], &document["shipped"][0]["build"]),
        (&false.into(), &2.into())
    );
}

/// The folders that verifications work in.
fn folders_in_memory() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().contains("rpmforge-verify-")).collect()
}

#[test]
fn what_can_not_be_verified_is_named_and_is_not_well() {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n\
         package sound { source path \"sound.spec\" }\npackage bad { source path \"bad.spec\" }\n\
         package lost { source path \"lost.spec\" }\n",
    );
    project.write("sound.spec", &spec("sound", "", "echo built"));
    project.write("bad.spec", &spec("bad", "", "exit 1"));
    project.write("lost.spec", &spec("lost", "", "echo built"));
    assert_eq!(project.run(&["apply"]).code, Some(1));
    for folder in std::fs::read_dir(project.path().join(".forge/results/host")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.to_string_lossy().ends_with("-lost") {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
    project.edit(
        "Rpmforge.kdl",
        "package sound",
        "package never { source path \"sound.spec\" }\npackage sound",
    );
    let run = project.run(&["verify", "--vary", "none"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    for expected in [
        "bad in host: not verified: it has no good build\n",
        "lost in host: not verified: the results of its good builds are gone\n",
        "never: not verified: it was never built\n",
        "1 of 4 builds the same, 3 not verified\n",
    ] {
        assert!(run.stdout.contains(expected), "{expected}{}", run.stdout);
    }
    assert_eq!(project.run(&["verify", "lost"]).code, Some(1));
    // One whose source is gone is its own end alone.
    project.succeed(&["verify", "sound"]);
    project.write("lost.spec", &spec("lost", "", "echo again"));
    project.run(&["apply"]);
    let run = project.run(&["verify", "sound", "#999"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
}

#[test]
fn an_interrupt_ends_the_second_build_in_order_too_and_nothing_stays_in_memory() {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot host { root \"/\" }\ndefaults { engine native; isolation namespaces }\n\
         package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n",
    );
    let waits = "test \"$(uname -n)\" = localhost || sleep 60";
    project.write("a.spec", &spec("a", "", "true"));
    project.write("b.spec", &spec("b", "", waits));
    project.succeed(&["apply"]);
    let before = folders_in_memory();
    let mut child = project.forge(&["verify"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    // The first is done, and the second waits.
    let logs = || std::fs::read_dir(project.path().join(".forge/results/host")).unwrap().count();
    while logs() < 4 && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let new: Vec<_> = folders_in_memory().into_iter().filter(|path| !before.contains(path)).collect();
    for folder in &new {
        use std::os::unix::fs::PermissionsExt;
        // Others of these tests remove theirs meanwhile.
        if let Ok(status) = std::fs::metadata(folder) {
            assert_eq!(status.permissions().mode() & 0o777, 0o700);
        }
    }
    let process = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed().as_secs() < 50);
    let history = project.succeed(&["history", "b"]).stdout;
    assert!(history.contains("canceled"), "{history}");
}

#[test]
fn where_the_machine_has_diffoscope_its_commands_are_named() {
    let project = project();
    project.succeed(&["apply", "hostname"]);
    let plain = project.run(&["verify", "hostname", "--vary", "hostname"]);
    assert!(!plain.stdout.contains("diffoscope"), "{}", plain.stdout);
    let programs = project.path().join("has it");
    std::fs::create_dir(&programs).unwrap();
    std::fs::write(programs.join("diffoscope"), "").unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let verify = || {
        let mut forge = project.forge(&["verify", "hostname", "--vary", "hostname"]);
        crate::support::Run::from(forge.env("PATH", &path).output().unwrap())
    };
    assert!(!verify().stdout.contains("diffoscope"), "it can't be run");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(programs.join("diffoscope"), mode).unwrap();
    let run = verify();
    let commands: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("    diffoscope ")).collect();
    let [command] = commands.as_slice() else { panic!("{}", run.stdout) };
    let files: Vec<&str> = command.trim().split(' ').skip(1).map(|file| file.trim_matches('\'')).collect();
    assert!(files.len() == 2 && files[0] != files[1], "{command}");
    assert!(
        files
            .iter()
            .all(|file| file.ends_with("/hostname-1.0-1.noarch.rpm") && std::path::Path::new(file).is_file())
    );
}
