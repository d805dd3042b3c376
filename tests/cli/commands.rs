//! The smaller commands.

use crate::support::Project;

#[test]
fn init_writes_a_manifest_that_applies() {
    let project = Project::new();
    project.spec("specs/one", "", "true");
    project.spec("specs/two", "", "true");
    for name in ["one", "two"] {
        let text = project.read(&format!("specs/{name}.spec")).replace("specs/", "");
        project.write(&format!("specs/{name}.spec"), &text);
    }
    project.succeed(&["init", "--name", "mine"]);
    insta::assert_snapshot!("first_manifest", project.read("Rpmforge.kdl"));
    assert_eq!(project.read(".gitignore"), "/.forge/\n/public/\n");
    project.succeed(&["fmt", "--check"]);
    project.succeed(&["apply"]);
    let again = project.run(&["init"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("forge::cli::manifest_exists"));
}

#[test]
fn init_finds_specs_at_several_depths_and_tells_those_of_one_name_apart() {
    let project = Project::new();
    project.spec("specs/tool", "", "true");
    project.spec("specs/el8/tool", "", "true");
    project.spec("specs/el9/my tool", "", "true");
    for path in ["specs/tool.spec", "specs/el8/tool.spec", "specs/el9/my tool.spec"] {
        let name = path.trim_end_matches(".spec");
        project.edit(path, name, if path.contains("el9") { "mine" } else { "tool" });
    }
    project.edit("specs/el8/tool.spec", "Name: tool", "Name: old-tool");
    project.write(".gitignore", "*.rpm\n.forge\n*.orig");
    let said = project.succeed(&["init", "--name", "mine"]).stdout;
    assert!(said.contains("; added /public/ to .gitignore; next: `forge plan`"), "{said}");
    assert_eq!(project.read(".gitignore"), "*.rpm\n.forge\n*.orig\n/public/\n");
    let manifest = project.read("Rpmforge.kdl");
    let packages = manifest.split_once("packages ").unwrap().1;
    insta::assert_snapshot!(packages, @r#"
    "specs/**/*.spec"

    // Two packages can't have one name, and a name has only letters, digits and `._+-`: these have names of their own.
    package my-tool { source path "specs/el9/my tool.spec" }
    package specs-tool { source path "specs/tool.spec" }
    "#);
    project.succeed(&["check"]);
    let names: Vec<String> = project.actions().into_keys().collect();
    assert_eq!(names, ["my-tool", "specs-tool", "tool"]);
}

#[test]
fn init_without_specs_says_so() {
    let run = Project::new().run(&["init"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::cli::no_spec"), "{}", run.stderr);
}

#[test]
fn a_folder_without_manifest_says_what_to_do() {
    let run = Project::new().run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::cli::no_manifest") && run.stderr.contains("`forge init` writes one"));
}

#[test]
fn fmt_lays_out_every_file_and_is_then_content() {
    let project =
        Project::with("project p { include \"more/*.kdl\" }\npackage   a{source path \"a.spec\"}\n");
    project.spec("a", "", "true");
    project.write("more/m.kdl", "macros{dist   .x // why\n}\n");
    assert_eq!(project.run(&["fmt", "--check"]).code, Some(1));
    project.succeed(&["fmt"]);
    assert_eq!(project.read("more/m.kdl"), "macros { dist   .x // why\n}\n".replace("dist   ", "dist "));
    project.succeed(&["fmt", "--check"]);
}

#[test]
fn check_finds_mistakes_of_manifest_and_specs() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    assert!(project.succeed(&["check"]).stdout.contains("the manifest is sound: packages 1, chroots 1"));
    project.write("a.spec", "Name: a\n");
    assert_eq!(project.run(&["check"]).code, Some(1));
    project.succeed(&["check", "--manifest-only"]);
}

#[test]
fn check_tells_programs_each_finding_with_its_place() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    let schema = project.succeed(&["schema", "--form", "check"]).stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let check = |code: i32| {
        let run = project.run(&["check", "--json"]);
        assert_eq!(run.code, Some(code), "{} {}", run.stdout, run.stderr);
        let document = serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap();
        let problems: Vec<_> = validator.iter_errors(&document).collect();
        assert!(problems.is_empty(), "{problems:?}");
        document
    };
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    assert_eq!(check(0), serde_json::json!({ "version": 1, "sound": true, "findings": [] }));
    project.spec("b", "Requires: x >=", "true");
    let of_spec = &check(1)["findings"][0];
    assert_eq!((&of_spec["severity"], &of_spec["file"]), (&"error".into(), &"b.spec".into()));
    assert_eq!((&of_spec["line"], &of_spec["column"]), (&7.into(), &1.into()));
    project.edit("Rpmforge.kdl", "package b { source", "package b { chroots nowhere; source");
    insta::assert_snapshot!(serde_json::to_string_pretty(&check(1)).unwrap(), @r#"
    {
      "findings": [
        {
          "code": "forge::manifest::unknown_chroot",
          "column": 21,
          "file": "Rpmforge.kdl",
          "help": "declared chroots: host",
          "line": 5,
          "message": "package `b` builds for chroot `nowhere`, which is not declared",
          "severity": "error"
        }
      ],
      "sound": false,
      "version": 1
    }
    "#);
}

#[test]
fn the_log_of_a_stage_and_of_a_whole_build_are_shown() {
    let project = Project::example("hello");
    project.succeed(&["apply"]);
    let whole = project.succeed(&["log", "hello"]).stdout;
    assert!(whole.contains("Executing(%prep)") && whole.contains("Executing(%install)"));
    let stage = project.succeed(&["log", "hello", "--stage", "check"]).stdout;
    assert!(stage.starts_with("Executing(%check)") && !stage.contains("%prep"), "{stage}");
    let unknown = project.run(&["log", "hello", "--stage", "bild"]);
    assert!(
        unknown.stderr.contains("forge::cli::no_stage") && unknown.stderr.contains("did you mean `build`?")
    );
    let unbuilt = project.run(&["log", "helo"]);
    assert!(
        unbuilt.stderr.contains("forge::cli::not_built") && unbuilt.stderr.contains("did you mean `hello`?")
    );
}

#[test]
fn following_a_log_ends_when_the_build_does() {
    let project = Project::with("package slow { source path \"slow.spec\" }\n");
    let (begun, go) = (project.beside("begun"), project.beside("go"));
    let wait = format!(
        "touch {}\nwhile ! test -e {}; do sleep 0.1; done\necho the-end",
        begun.display(),
        go.display()
    );
    project.spec("slow", "", &wait);
    let mut apply = project.forge(&["apply", "-q"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !begun.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let follow = project.forge(&["log", "-f", "slow"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::fs::write(go, "").unwrap();
    let output = follow.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nthe-end\n"));
    apply.wait().unwrap();
}

#[test]
fn gc_keeps_what_is_published_and_built_last_whatever_the_limits_are() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project.succeed(&["apply"]);
    project.spec("a", "", "true # again");
    project.succeed(&["apply"]);
    let limits = ["--size", "0", "--older", "0s"];
    let planned = project.succeed(&[&["gc", "--dry-run"] as &[&str], &limits].concat()).stdout;
    assert!(planned.starts_with("would remove 2 results and "), "{planned}");
    assert!(planned.contains(", and 1 result folder of this project: that would free "), "{planned}");
    let why = " in 4 results would stay: 4 that this project publishes or built last, 0 newer and within the size\n";
    assert!(planned.contains(why) && planned.contains("that is more than 0 B: "), "{planned}");
    let folders = || std::fs::read_dir(project.path().join(".forge/results/host")).unwrap().count();
    assert_eq!(folders(), 3);
    let done = project.succeed(&[&["gc"] as &[&str], &limits].concat()).stdout;
    let words = planned.replace("would remove", "removed").replace("would stay", "stay");
    assert_eq!(done, words.replace("would free", "frees"));
    assert_eq!(folders(), 2);
    let again = project.succeed(&[&["gc"] as &[&str], &limits].concat()).stdout;
    assert!(again.starts_with("removed 0 results and 0 files"), "{again}");
    assert_eq!(project.actions().into_values().collect::<Vec<_>>(), ["cached", "cached"]);
}

#[test]
fn gc_without_limits_takes_what_nobody_has_used_for_a_month() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    project.spec("a", "", "true # again");
    project.succeed(&["apply"]);
    let kept = project.succeed(&["gc"]).stdout;
    assert!(kept.starts_with("removed 0 results") && kept.contains(", 2 used in the last 30 days"), "{kept}");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(31 * 24 * 3600);
    for record in files_below(&project.cache().join("rpmforge/steps")) {
        std::fs::File::open(record).unwrap().set_modified(long_ago).unwrap();
    }
    let removed = project.succeed(&["gc"]).stdout;
    assert!(removed.starts_with("removed 2 results"), "{removed}");
    assert_eq!(project.actions()["a"], "cached");
}

#[test]
fn gc_keeps_what_is_still_published_after_a_newer_build_and_of_a_manifest_with_mistakes() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", "package\n");
    let run = project.succeed(&["gc", "--size", "0"]);
    assert!(run.stderr.contains("note: the manifest can't be read"), "{}", run.stderr);
    assert!(run.stdout.starts_with("removed 0 results"), "{}", run.stdout);
    project.write("Rpmforge.kdl", &manifest.replace("package a", "package other"));
    std::fs::remove_file(project.path().join(".forge/history.db")).unwrap();
    let run = project.succeed(&["gc", "--size", "0"]);
    assert!(run.stdout.contains(": 1 that this project publishes or built last"), "{}", run.stdout);
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn history_lists_builds_as_json_too() {
    let project = Project::example("hello");
    assert!(project.succeed(&["history"]).stdout.contains("nothing has been built yet"));
    project.succeed(&["apply"]);
    let history: serde_json::Value =
        serde_json::from_str(&project.succeed(&["history", "--json"]).stdout).unwrap();
    assert_eq!(history["builds"][0]["state"], "succeeded");
    assert_eq!(history["builds"][0]["package"], "hello");
}

#[test]
fn completions_and_manual_pages_come_from_the_command_line() {
    let project = Project::new();
    assert!(project.succeed(&["completions", "bash"]).stdout.contains("_forge()"));
    project.succeed(&["man", "man"]);
    assert!(project.read("man/forge-apply.1").contains("forge\\-apply"));
}

#[test]
fn completions_know_packages_chroots_and_batches() {
    let project = Project::with(
        "package alpha { source path \"a.spec\" }\npackage beta { source path \"b.spec\" }\nbatch base { members beta }\n",
    );
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    let script = project.succeed(&["completions", "bash"]).stdout;
    let bash = |words: &[&str]| {
        let forge = env!("CARGO_BIN_EXE_forge");
        let (word, before) = (words[words.len() - 1], words[words.len() - 2]);
        let quoted: String = words[1..].iter().map(|word| format!(" '{word}'")).collect();
        let asked = format!(
            "{script}\nCOMP_WORDS=('{forge}'{quoted})\nCOMP_CWORD={}\n_forge_with_names '{forge}' '{word}' '{before}'\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            words.len() - 1
        );
        // It is longer than one argument may be.
        let file = project.beside("asked.sh");
        std::fs::write(&file, asked).unwrap();
        let mut command = std::process::Command::new("bash");
        let output = command.arg("--norc").arg(&file).current_dir(project.path()).output().unwrap();
        let names = String::from_utf8(output.stdout).unwrap();
        names.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(bash(&["forge", "apply", "--chroot", ""]), ["host"]);
    assert_eq!(bash(&["forge", "results", "--batch", "b"]), ["base"]);
    assert_eq!(bash(&["forge", "eval", "-p", "al"]), ["alpha"]);
    assert_eq!(bash(&["forge", "update", "h"]), ["host"]);
    assert_eq!(bash(&["forge", "chroot", "diff", "h"]), ["host"]);
    assert!(bash(&["forge", "log", "b"]).contains(&"beta".to_owned()));
    assert!(bash(&["forge", "appl"]).contains(&"apply".to_owned()));
    project.write("Rpmforge.kdl", "package\n");
    assert!(bash(&["forge", "apply", "--chroot", ""]).is_empty());
    let zsh = project.succeed(&["completions", "zsh"]).stdout;
    for positional in ["'*::packages -- ", "'::package -- ", "'*::specs -- ", "'::before -- "] {
        let line = zsh.lines().find(|line| line.starts_with(positional)).unwrap();
        assert!(line.contains(":_forge_packages'"), "{line}");
    }
    for shell in ["zsh", "fish"] {
        let script = project.succeed(&["completions", shell]).stdout;
        let asked = ["packages", "chroots", "batches"].map(|kind| format!("forge complete-names {kind}"));
        assert!(asked.iter().all(|asked| script.contains(asked)), "{shell}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_64() {
    let project = Project::new();
    assert_eq!(project.run(&["aply"]).code, Some(64));
    assert_eq!(project.run(&["--help"]).code, Some(0));
    assert_eq!(project.run(&["apply", "-D", "9 x"]).code, Some(64));
}

#[test]
fn quiet_tells_only_failures() {
    let project = Project::example("hello");
    let run = project.succeed(&["apply", "-q"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn the_help_screens_stay_as_they_are() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.succeed(&["--help"]).stdout);
}

#[test]
fn check_says_that_a_manifest_has_nothing_to_build() {
    let project = Project::with("");
    let run = project.succeed(&["check"]);
    assert!(run.stderr.contains("warning: the manifest declares no package"), "{}", run.stderr);
}
