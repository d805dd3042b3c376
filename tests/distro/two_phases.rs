//! Builds that find out what they need while they run (`%generate_buildrequires`), in roots of the distribution.

use std::fs;

use super::site::{Site, spec};

/// A site of two packages, one for each engine, whose generators run `script`.
fn site(script: &str, build: &str) -> Site {
    let site = Site::new(
        "defaults { engine native }\npackage one { source path \"one.spec\" }\npackage other { source path \"other.spec\"; engine rpmbuild }\n",
    );
    for name in ["one", "other"] {
        let text = spec(name, "BuildArch: noarch", build);
        let text =
            text.replace("%prep\n%setup -q -c -T\n", "%prep\n%setup -q -c -T\necho prepared >>prepared\n");
        let generate = format!("%generate_buildrequires\n{script}\n%build\n");
        site.0.write(&format!("{name}.spec"), &text.replace("%build\n", &generate));
    }
    site
}

/// It names more once it has what it has named first.
const IN_TWO_ROUNDS: &str = "echo tree\nif rpm -q tree >&2; then echo zlib1g-dev; fi";

const LOOK: &str = "test $(wc -l <prepared) = 1\ntree --version\nrpm -q zlib1g-dev\necho > made";

#[test]
fn what_a_build_names_while_it_runs_is_there_when_it_goes_on_in_the_same_tree() {
    let site = site(IN_TWO_ROUNDS, LOOK);
    site.succeed(&["apply"]);
    for package in ["one", "other"] {
        let log = site.log(package);
        let count = |stage: &str| log.matches(&format!("Executing(%{stage}):")).count();
        assert_eq!(count("prep"), 1, "{log}");
        assert_eq!(
            count("generate_buildrequires") + count("buildrequires"),
            4,
            "three times, and for the build: {log}"
        );
    }
    let lock = site.0.read("Rpmforge.lock");
    for package in ["one", "other"] {
        let holds = |set: &str| -> Vec<bool> {
            let (_, rest) = lock.split_once(&format!("build \"{package}\"{set} asked")).unwrap();
            let (set, _) = rest.split_once('}').unwrap();
            ["\"tree-2.2.1", "\"zlib1g-dev-"].iter().map(|begin| set.contains(begin)).collect()
        };
        assert_eq!(holds(""), [false, false], "{lock}");
        assert_eq!(holds(" extended=1"), [true, false], "{lock}");
        assert_eq!(holds(" extended=2"), [true, true], "{lock}");
    }
    let actions = site.succeed(&["plan", "--json"]).stdout;
    assert!(!actions.contains("\"build\""), "all is built: {actions}");
    site.succeed(&["apply", "--locked"]);
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
}

#[test]
fn who_has_never_asked_builds_by_the_lock_alone() {
    let site = site(IN_TWO_ROUNDS, LOOK);
    site.succeed(&["apply"]);
    let lock = site.0.read("Rpmforge.lock");
    let built = super::site::contents_of(&site.0);
    for folder in [".forge", "public"] {
        fs::remove_dir_all(site.0.path().join(folder)).unwrap();
    }
    // In a store of its own, which knows nothing of what was named.
    site.0.succeed(&["apply", "--locked"]);
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
    assert_eq!(super::site::contents_of(&site.0), built);
    // What it names now is not locked.
    site.0.edit("one.spec", "echo tree\n", "echo tree m4\n".replace(' ', "\necho ").as_str());
    let run = site.0.run(&["apply", "--locked"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stdout.contains("what `one` is built with in chroot `clean` is not in Rpmforge.lock"),
        "{}",
        run.stdout
    );
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
}

#[test]
fn a_generator_that_never_has_enough_ends() {
    let packages =
        "tree m4 ed time less strace jq psmisc quilt iputils-ping uuid-runtime netbase zip unzip tzdata";
    let site = site(
        &format!("for name in {packages}; do rpm -q $name >&2 || {{ echo $name; break; }}; done"),
        "echo > made",
    );
    let run = site.run(&["apply", "one"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("named something new each of the 10 times"), "{}", run.stdout);
}

#[test]
fn what_nobody_has_is_told_of_a_generator_in_the_solver_s_words() {
    let site = site("echo 'no-such-thing >= 2'", "echo > made");
    let run = site.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    for package in ["one", "other"] {
        let words = format!("BuildRequires of `{package}`: no-such-thing >= 2");
        assert!(run.stdout.contains(&words), "{}", run.stdout);
    }
}
