//! What is told where a root of packages can't be had.

use crate::support::Project;

/// A repository of three packages: `base`, one that needs what nobody has, and one that refuses to be installed.
fn distribution() -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("base", "Provides: basis = 1", "true");
    project.spec("broken", "Requires: base\nRequires: libgone.so.3", "true");
    project.spec("user", "Requires: basis", "true");
    project.spec("refuses", "%pre -p <lua>\nprint('not here')\nerror('no place')", "true");
    project.succeed(&["apply", "--quiet"]);
    project
}

/// A project that is built in a root of that repository, with these lines in its chroot and in the spec of `app`.
fn project(distribution: &Project, chroot: &str, app: &str) -> Project {
    let project = Project::new();
    let repository = distribution.path().join("public/host");
    project.write(
        "Rpmforge.kdl",
        &format!(
            "rpmforge version=1\nchroot f {{\n    repo made baseurl=\"{}\"\n    {chroot}\n}}\npackages \"*.spec\"\n",
            repository.display()
        ),
    );
    project.spec("app", app, "true");
    project
}

/// What is told of it, which exits with 1.
#[track_caller]
fn told(project: &Project, arguments: &[&str]) -> String {
    let run = project.run(arguments);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    run.stderr
}

#[test]
fn who_asks_what_is_missing_and_what_there_is_instead_is_told_of_each_package() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "BuildRequires: bsae\nBuildRequires: basis >= 2");
    project.spec("other", "BuildRequires: broken", "true");
    let screen = told(&project, &["plan"]);
    let errors = &screen[screen.find("forge::plan::root_packages").unwrap()..];
    insta::assert_snapshot!("root_packages", errors);
    let run = project.run(&["plan"]);
    assert!(run.stdout.contains("BuildRequires of `app`: basis >= 2; "), "{}", run.stdout);
}

#[test]
fn a_minimal_root_that_cannot_be_is_told_before_all_else() {
    let distribution = distribution();
    let project = project(&distribution, "install bsae", "");
    let screen = told(&project, &["plan"]);
    assert!(screen.contains("forge::plan::chroot_packages"), "{screen}");
    assert!(screen.contains("`install` of chroot `f`: bsae"), "{screen}");
    assert!(screen.contains("did you mean `base`, which `made` has?"), "{screen}");
}

#[test]
fn a_group_that_no_repository_has_is_named() {
    let distribution = distribution();
    let screen = told(&project(&distribution, "", ""), &["plan"]);
    assert!(screen.contains("forge::chroot::no_group"), "{screen}");
    assert!(screen.contains("no repository of chroot `f` has the group `@buildsys-build`"), "{screen}");
    assert!(screen.contains("name in `install` what the root is to have"), "{screen}");
}

#[test]
fn a_chroot_for_an_architecture_that_the_machine_cannot_run_is_refused_with_what_to_do() {
    // Not all machines lack an emulator for one of these.
    let is_emulated =
        |arch: &str| std::path::Path::new("/proc/sys/fs/binfmt_misc").join(format!("qemu-{arch}")).exists();
    let arch = ["s390x", "riscv64"].into_iter().find(|arch| !is_emulated(arch)).unwrap();
    let distribution = distribution();
    let screen = told(&project(&distribution, &format!("arch {arch}\n    install base"), ""), &["plan"]);
    assert!(screen.contains("forge::chroot::foreign"), "{screen}");
    assert!(screen.contains(&format!("chroot `f` is for {arch}")), "{screen}");
    assert!(screen.contains(&format!("qemu-{arch}")), "{screen}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_chroot_of_32_bits_is_built_in_by_a_machine_of_64_and_macros_say_so() {
    let distribution = distribution();
    let project = project(&distribution, "arch i686\n    install base", "");
    // A package of no architecture would be built for none.
    let app = project.read("app.spec").replace("BuildArch: noarch\n", "");
    project.write("app.spec", &app.replace("Version: 1.0\n", "Version: 2.%{_target_cpu}\n"));
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("2.i686-1"), "{plan}");
}

#[test]
fn who_looks_at_a_package_of_such_a_root_is_told_whose_macros_count() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    for arguments in [&["spec", "app"][..], &["eval", "--package", "app", "1"]] {
        let told = project.succeed(arguments).stderr;
        assert!(
            told.contains("the macros of this machine, not by those of the root of chroot `f`"),
            "{told}"
        );
        assert!(told.contains("forge shell --chroot f -- rpm --eval"), "{told}");
    }
    let told = distribution.succeed(&["spec", "base"]).stderr;
    assert!(!told.contains("the macros of this machine"), "{told}");
}

#[test]
fn what_is_recommended_is_in_the_root_where_the_chroot_says_so() {
    let distribution = Project::with("packages \"*.spec\"\n");
    distribution.spec("base", "Recommends: extra", "true");
    distribution.spec("extra", "", "true");
    distribution.succeed(&["apply", "--quiet"]);
    let project = project(&distribution, "install base", "");
    project.succeed(&["update"]);
    let shown = |project: &Project| project.succeed(&["chroot", "show", "f"]).stdout;
    assert!(!shown(&project).contains("extra-1.0-1.noarch"), "{}", shown(&project));
    project.edit("Rpmforge.kdl", "install base", "install base; weak-dependencies #true");
    project.succeed(&["update"]);
    assert!(shown(&project).contains("extra-1.0-1.noarch"), "{}", shown(&project));
}

#[test]
fn a_scriptlet_without_which_its_package_is_not_installed_is_named_with_what_it_printed() {
    let distribution = distribution();
    let screen = told(&project(&distribution, "install refuses", ""), &["plan"]);
    assert!(screen.contains("forge::chroot::scriptlet"), "{screen}");
    assert!(screen.contains("refuses") && screen.contains("not here"), "{screen}");
}

#[test]
fn nothing_is_locked_where_that_is_forbidden() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    let screen = told(&project, &["plan", "--locked"]);
    assert!(screen.contains("forge::chroot::locked"), "{screen}");
    assert!(screen.contains("what the minimal root consists of in chroot `f`"), "{screen}");
    assert!(!project.path().join("Rpmforge.lock").exists());
    project.succeed(&["update"]);
    project.succeed(&["plan", "--locked", "--offline"]);
    project.spec("app", "BuildRequires: basis", "true");
    let screen = told(&project, &["plan", "--locked"]);
    assert!(screen.contains("what `app` is built with in chroot `f`"), "{screen}");
}

#[test]
fn a_lock_that_must_not_change_refuses_each_build_by_itself() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    project.spec("new", "BuildRequires: basis", "true");
    project.spec("poor", "BuildRequires: nowhere", "true");
    let screen = told(&project, &["plan", "--locked"]);
    assert!(screen.contains("what `new` is built with in chroot `f` is not in Rpmforge.lock"), "{screen}");
    assert!(screen.contains("BuildRequires of `poor`: nowhere"), "in the solver's words: {screen}");
    assert_eq!(screen.matches("forge::plan::root_packages").count(), 2, "{screen}");
    let run = project.succeed(&["plan", "--locked", "app"]);
    assert!(run.stdout.contains("app") && run.stderr.is_empty(), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn a_chroot_whose_root_cannot_be_holds_up_no_other() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.edit(
        "Rpmforge.kdl",
        "chroot f {",
        "chroot g { repo gone baseurl=\"gone\"; install base }\nchroot f {",
    );
    let screen = told(&project, &["plan"]);
    assert_eq!(screen.matches("  × ").count(), 1, "once for the chroot: {screen}");
    assert!(screen.contains("Rpmforge.kdl:2:8"), "{screen}");
    let run = project.succeed(&["plan", "--chroot", "f"]);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    told(&project, &["update"]);
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("chroot \"f\"") && !lock.contains("chroot \"g\""), "{lock}");
}

#[test]
fn a_set_that_lost_a_package_when_it_was_merged_is_told() {
    let distribution = distribution();
    let project = project(&distribution, "install base refuses-not", "");
    project.edit("Rpmforge.kdl", "install base refuses-not", "install base");
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    project.write("Rpmforge.lock", &lock.replace("        \"base-1.0-1.noarch\"\n", ""));
    let screen = told(&project, &["plan"]);
    assert!(screen.contains("this block holds other packages than were chosen"), "{screen}");
    // What the help says is enough.
    let (before, rest) = lock.split_once("    minimal ").unwrap();
    let (_, after) = rest.split_once("    }\n").unwrap();
    project.write("Rpmforge.lock", &format!("{before}{after}"));
    project.succeed(&["update"]);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn packages_of_builds_that_are_gone_are_locked_no_more() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.spec("other", "", "true");
    project.succeed(&["plan"]);
    project.succeed(&["update"]);
    assert!(project.read("Rpmforge.lock").contains("build \"other\""));
    std::fs::remove_file(project.path().join("other.spec")).unwrap();
    project.run(&["apply", "--quiet"]);
    assert!(!project.read("Rpmforge.lock").contains("build \"other\""));
}

#[test]
fn an_update_of_a_package_that_no_root_has_says_what_there_is() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    let screen = told(&project, &["update", "f", "bsae"]);
    assert!(screen.contains("nothing is locked yet"), "{screen}");
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    let screen = told(&project, &["update", "f", "bsae"]);
    assert!(screen.contains("forge::cli::not_in_roots"), "{screen}");
    assert!(screen.contains("no root of these chroots has a package `bsae`"), "{screen}");
    assert!(screen.contains("did you mean `base`?"), "{screen}");
    assert_eq!(project.read("Rpmforge.lock"), lock);
    project.succeed(&["update", "f", "base"]);
}

#[test]
fn a_shell_with_what_no_repository_has_says_what_there_is() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    let screen = told(&project, &["shell", "--chroot", "f", "--with", "brokne", "--", "true"]);
    insta::assert_snapshot!("shell_with", screen);
}

#[test]
fn older_metadata_are_taken_by_who_asks_for_them() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    let repodata = distribution.path().join("public/host/repodata/repomd.xml");
    let of_time = |time: u64| {
        let text = std::fs::read_to_string(&repodata).unwrap();
        let (before, rest) = text.split_once("<revision>").unwrap();
        let (_, after) = rest.split_once("</revision>").unwrap();
        let text = format!("{before}<revision>{time}</revision>{after}");
        let text: Vec<&str> = text.split("<timestamp>").collect();
        let rest = text[1..].iter().map(|part| part.split_once("</timestamp>").unwrap().1);
        let text = text[0].to_owned()
            + &rest.map(|part| format!("<timestamp>{time}</timestamp>{part}")).collect::<String>();
        std::fs::write(&repodata, text).unwrap();
    };
    of_time(2_000_000_000);
    project.succeed(&["update"]);
    of_time(1_000_000_000);
    let screen = told(&project, &["update"]);
    assert!(screen.contains("forge::chroot::older_metadata"), "{screen}");
    project.succeed(&["update", "--allow-older"]);
    assert!(project.read("Rpmforge.lock").contains("time=1000000000"));
}

#[test]
fn a_check_fetches_nothing_and_locks_nothing_where_that_is_said() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    let screen = told(&project, &["check", "--locked"]);
    assert!(screen.contains("forge::chroot::locked"), "{screen}");
    project.succeed(&["fetch"]);
    std::fs::rename(distribution.path().join("public"), distribution.path().join("gone")).unwrap();
    project.succeed(&["check", "--locked", "--offline"]);
}

#[test]
fn a_lock_that_forge_has_not_written_is_told_with_the_line() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    project.write("Rpmforge.lock", &format!("{lock}<<<<<<< ours\n"));
    let screen = told(&project, &["plan"]);
    assert!(screen.contains("forge::chroot::lock\n"), "{screen}");
    assert!(screen.contains(&format!("Rpmforge.lock:{}: ", lock.lines().count() + 1)), "{screen}");
}

#[test]
fn a_repository_that_was_lost_of_the_lock_is_told_until_the_chroot_is_updated() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.spec("app", "BuildRequires: user", "true");
    project.succeed(&["update"]);
    let lock = project.read("Rpmforge.lock");
    let line = lock.lines().find(|line| line.trim_start().starts_with("repo ")).unwrap();
    let lost = lock.replace(&format!("{line}\n"), "");
    let doubled = lock.replace(line, &format!("{line}\n{line}"));
    for (wrong, words) in
        [(&lost, "no line of chroot `f` says what repository"), (&doubled, "stands here twice")]
    {
        project.write("Rpmforge.lock", wrong);
        for arguments in [
            &["plan"][..],
            &["apply"],
            &["apply", "--locked"],
            &["apply", "--offline"],
            &["chroot", "show", "f"],
        ] {
            let screen = told(&project, arguments);
            assert!(screen.contains("forge::chroot::lock\n") && screen.contains(words), "{screen}");
            assert!(screen.contains("forge update f"), "{screen}");
            assert_eq!(&project.read("Rpmforge.lock"), wrong, "{arguments:?}");
        }
        project.succeed(&["update", "f"]);
        assert_eq!(project.read("Rpmforge.lock"), lock);
    }
}

#[test]
fn what_is_not_locked_cannot_be_shown() {
    let distribution = distribution();
    let screen = told(&project(&distribution, "install base", ""), &["chroot", "show", "f"]);
    assert!(screen.contains("forge::cli::not_locked"), "{screen}");
    assert!(screen.contains("nothing is locked of chroot `f`"), "{screen}");
}

#[test]
fn why_a_package_is_there_is_told_from_who_asks_down_to_it() {
    let distribution = distribution();
    let project = project(&distribution, "install refuses-not", "");
    project.edit("Rpmforge.kdl", "install refuses-not", "install base");
    project.spec("app", "BuildRequires: user", "true");
    project.succeed(&["update"]);
    let why = |package: &str| project.succeed(&["chroot", "why", "f", package]).stdout;
    let base =
        "base-1.0-1.noarch in the minimal root\n  base-1.0-1.noarch: `install` of chroot `f` asks for base\n";
    assert_eq!(why("base"), base);
    assert_eq!(why("base-1.0-1.noarch"), base);
    let user = "user-1.0-1.noarch for `app`\n  user-1.0-1.noarch: BuildRequires of `app` asks for user\n";
    assert_eq!(why("user"), user);
    project.edit("Rpmforge.kdl", "install base", "install user");
    project.succeed(&["update"]);
    assert_eq!(
        why("base"),
        "base-1.0-1.noarch in the minimal root\n  user-1.0-1.noarch: `install` of chroot `f` asks for user\n  \
         base-1.0-1.noarch: user-1.0-1.noarch requires basis\n"
    );
    let screen = told(&project, &["chroot", "why", "f", "bsae"]);
    assert!(screen.contains("did you mean `base`?"), "{screen}");
    let screen = told(&project, &["chroot", "why", "g", "base"]);
    assert!(screen.contains("there is no chroot `g`"), "{screen}");
}

#[test]
fn what_only_the_roots_of_a_chroot_need_is_given_back() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.edit(
        "Rpmforge.kdl",
        "chroot f {",
        "chroot g { repo made baseurl=\"there\"; install user }\nchroot f {",
    );
    let there = distribution.path().join("public/host").display().to_string();
    project.edit("Rpmforge.kdl", "baseurl=\"there\"", &format!("baseurl=\"{there}\""));
    project.succeed(&["fetch"]);
    let dry = project.succeed(&["chroot", "clean", "g", "--dry-run"]).stdout;
    assert!(
        dry.starts_with("would remove 1 package and 1 root that nothing else uses: that would free "),
        "{dry}"
    );
    let clean = project.succeed(&["chroot", "clean", "g"]).stdout;
    assert_eq!(clean, dry.replace("would remove", "removed").replace("would free", "frees"));
    let again = project.succeed(&["chroot", "clean", "g"]).stdout;
    assert_eq!(again, "removed 0 packages and 0 roots that nothing else uses: that frees 0 B\n");
    std::fs::rename(distribution.path().join("public"), distribution.path().join("gone")).unwrap();
    project.succeed(&["plan", "--chroot", "f", "--locked", "--offline"]);
    told(&project, &["plan", "--chroot", "g", "--locked", "--offline"]);
    std::fs::rename(distribution.path().join("gone"), distribution.path().join("public")).unwrap();
    project.succeed(&["plan", "--locked"]);
    assert!(project.succeed(&["chroot", "clean"]).stdout.starts_with("removed 2 packages and 2 roots"));
}

#[test]
fn a_store_whose_roots_were_changed_is_told_and_repaired() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    project.succeed(&["fetch"]);
    let run = project.succeed(&["store", "verify"]);
    assert!(run.stdout.contains(", 1 unpacked package and 1 root: all as they should be"), "{}", run.stdout);
    let files = project.cache().join("rpmforge/trees/files");
    let mut folders = std::fs::read_dir(files).unwrap().map(|entry| entry.unwrap().path());
    let file = folders.find_map(|folder| std::fs::read_dir(folder).unwrap().next()).unwrap().unwrap().path();
    let before = std::fs::metadata(&file).unwrap();
    let content = std::fs::read(&file).unwrap();
    std::fs::write(&file, vec![b'#'; content.len()]).unwrap();
    let open = std::fs::File::options().write(true).open(&file).unwrap();
    open.set_modified(before.modified().unwrap()).unwrap();
    let run = project.succeed(&["store", "verify"]);
    for words in
        ["(of a package of roots: it is unpacked again)", "(a root: it is made again)", "nothing is lost"]
    {
        assert!(run.stdout.contains(words), "{}", run.stdout);
    }
    project.succeed(&["store", "verify", "--repair"]);
    assert!(project.succeed(&["store", "verify"]).stdout.contains("all as they should be"));
    project.succeed(&["plan", "--locked", "--offline"]);
    assert!(project.succeed(&["store", "verify"]).stdout.contains("1 unpacked package and 1 root"));
    assert_eq!(std::fs::read(&file).unwrap(), content);
}

#[test]
fn the_log_of_a_root_says_what_is_in_it_where_a_build_fails_too() {
    let distribution = distribution();
    let project = project(&distribution, "install base", "");
    // There is no shell in it, which a build begins with.
    told(&project, &["apply", "--quiet"]);
    let log = project.read(".forge/results/f/00000001-app/root.log");
    assert!(log.contains("\nminimal root\n  base-1.0-1.noarch (made)\n"), "{log}");
    assert!(log.starts_with("engine: native "), "{log}");
}
