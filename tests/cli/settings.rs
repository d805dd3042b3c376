//! Settings: for some chroots, as another package has them, by profile.

use std::collections::BTreeMap;

use crate::support::{Project, engine, spec};

const TWO_CHROOTS: &str = "rpmforge version=1\nchroot el9 { root \"/\" }\nchroot f42 { root \"/\" }\n\
                           defaults { engine ENGINE; isolation none }\n";

fn project(manifest: &str) -> Project {
    let project = Project::new();
    project.write("Rpmforge.kdl", &format!("{}{manifest}", TWO_CHROOTS.replace("ENGINE", &engine())));
    for name in ["a", "b"] {
        project.write(&format!("{name}.spec"), &spec(name, "%bcond docs 0\n%bcond tests 1", "true"));
    }
    project
}

const BOTH: &str = "package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n";

/// What the plan says that the package is built with in a chroot.
fn explained(project: &Project, build: &str, more: &[&str]) -> String {
    let plan = project.succeed(&[&["plan", "--explain", "--all"], more].concat()).stdout;
    let from = plan.find(&format!("\n{build}\n")).unwrap_or_else(|| panic!("{build}: {plan}"));
    let rest = &plan[from + 1..];
    rest[..rest.find("\n\n").unwrap_or(rest.len())].to_owned()
}

/// What a plan does with each build.
fn actions(project: &Project) -> BTreeMap<(String, String), String> {
    let plan: serde_json::Value = serde_json::from_str(&project.succeed(&["plan", "--json"]).stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let builds = plan["builds"].as_array().unwrap().iter();
    builds.map(|build| ((text(&build["package"]), text(&build["chroot"])), text(&build["action"]))).collect()
}

#[test]
fn a_setting_for_one_chroot_builds_again_in_that_chroot_only() {
    let project = project(BOTH);
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "\"a.spec\"", "\"a.spec\"; on \"el*\" { macros { dist .el9 } }");
    let built: Vec<_> = actions(&project).into_iter().filter(|(_, action)| action != "cached").collect();
    assert_eq!(built, [(("a".to_owned(), "el9".to_owned()), "build".to_owned())]);
}

#[test]
fn explain_says_on_which_chroots_and_in_which_line_a_macro_is_said() {
    let project = project(
        "package a {\n    source path \"a.spec\"\n    on \"el*\" {\n        macros { dist .el9 }\n        with docs\n        \
         env { A one }\n    }\n    macros { dist .all }\n}\n",
    );
    let said = explained(&project, "a in el9", &[]);
    for line in ["macro dist = .el9 (package, `on \"el*\"` at Rpmforge.kdl:8)", "with docs", "env A = one"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let said = explained(&project, "a in f42", &[]);
    assert!(said.contains("macro dist = .all (package, Rpmforge.kdl:12)"), "{said}");
    assert!(!said.contains("with docs") && !said.contains("env A"), "{said}");
}

#[test]
fn defaults_and_batches_have_settings_and_the_nearest_wins() {
    let project = project(
        "package a { source path \"a.spec\"; batch-of-it }\npackage b { source path \"b.spec\"; macros { level b } }\n",
    );
    project.edit("Rpmforge.kdl", "; batch-of-it", "");
    project.edit(
        "Rpmforge.kdl",
        "isolation none }",
        "isolation none; without tests; env { WHO all }; macros { level defaults }; on el9 { macros { more here } } }\n\
         batch all { members \"*\"; with docs; on f42 { macros { level batch } } }\n",
    );
    let a = explained(&project, "a in f42", &[]);
    assert!(a.contains("macro level = batch (batch, `on \"f42\"`") && a.contains("env WHO = all"), "{a}");
    assert!(a.contains("with docs") && a.contains("without tests") && !a.contains("macro more"), "{a}");
    assert!(explained(&project, "b in f42", &[]).contains("macro level = b (package"));
    let a = explained(&project, "a in el9", &[]);
    assert!(a.contains("macro level = defaults") && a.contains("macro more = here"), "{a}");
}

#[test]
fn a_package_is_like_another_one_but_for_what_it_says_itself() {
    let project = project(
        "package a { source path \"a.spec\"; with docs; macros { one 1; two 2 }; chroots el9 }\n\
         package b like=a { source path \"b.spec\"; macros { two two } }\n",
    );
    let said = explained(&project, "b in el9", &[]);
    for line in ["macro one = 1", "macro two = two", "with docs"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!actions(&project).contains_key(&("b".to_owned(), "f42".to_owned())));
}

#[test]
fn a_profile_holds_where_it_is_asked_for_and_the_command_line_stands_above_it() {
    let project = project(&format!(
        "{BOTH}profile ci {{ macros {{ from ci; both ci }}; on el9 {{ with docs }} }}\nprofile slow {{ macros {{ both slow }} }}\n"
    ));
    assert!(!explained(&project, "a in el9", &[]).contains("macro from"));
    let said = explained(&project, "a in el9", &["--profile", "ci", "--profile", "slow", "-D", "from me"]);
    for line in ["macro from = me (command line)", "macro both = slow (profile", "with docs"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let run = project.run(&["check", "--profile", "slwo"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("forge::manifest::unknown_profile")
            && run.stderr.contains("did you mean `slow`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_profile_chooses_isolation_and_what_else_is_chosen_for_all() {
    let project = project(&format!("{BOTH}profile trusted {{ isolation none }}\n"));
    project.edit("Rpmforge.kdl", "; isolation none", "");
    let isolation = |arguments: &[&str]| {
        let plan = project.succeed(&[&["plan", "--json"], arguments].concat()).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        plan["builds"][0]["settings"]["isolation"].as_str().unwrap().to_owned()
    };
    assert_eq!(isolation(&[]), "sandbox");
    assert_eq!(isolation(&["--profile", "trusted"]), "none");
    project.succeed(&["apply", "--profile", "trusted"]);
}

#[test]
fn what_the_manifest_requires_is_built_before_and_is_told_where_nothing_has_it() {
    let project = project(
        "package a { source path \"a.spec\"; on el9 { build-requires \"b >= 1.0\" } }\npackage b { source path \"b.spec\" }\n",
    );
    assert!(explained(&project, "a in el9", &[]).contains("takes packages from b in el9"));
    assert!(!explained(&project, "a in f42", &[]).contains("takes packages"));
    project.edit("Rpmforge.kdl", "b >= 1.0", "b >= 2.0");
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("needs `b >= 2.0` to be built"), "{}", run.stderr);
}

#[test]
fn a_macro_is_defined_with_an_equals_sign_as_well() {
    let project = project(BOTH);
    let said = explained(&project, "a in el9", &["-D", "dist=.x", "-D", "why a=b"]);
    assert!(said.contains("macro dist = .x") && said.contains("macro why = a=b"), "{said}");
}

#[test]
fn the_example_has_pictures_in_one_chroot_and_another_vendor_with_its_profile() {
    let project = Project::example("chroots");
    project.succeed(&["check"]);
    project.succeed(&["fmt", "--check"]);
    project.succeed(&["apply"]);
    let files = |chroot: &str| {
        let package = project.succeed(&["results", "guide", "--chroot", chroot]).stdout;
        let folder = package.split(' ').next().unwrap().to_owned();
        let file = package.lines().find(|line| line.ends_with(".noarch.rpm")).unwrap().trim();
        let path = format!("{folder}/{file}");
        std::fs::read(project.path().join(path)).unwrap()
    };
    let has_picture = |package: &[u8]| package.windows(11).any(|part| part == b"picture.svg");
    assert_eq!((has_picture(&files("el9")), has_picture(&files("f42"))), (false, true));
    let title = project.succeed(&["eval", "-p", "guide", "--chroot", "*", "%{?guide_title}"]).stdout;
    assert_eq!(title, "guide in el9: Guide for Enterprise Linux\nguide in f42: \n");
    let plan = project.succeed(&["plan", "--profile", "ci"]).stdout;
    assert!(plan.contains("macro vendor: unset → `Acme CI` (profile)"), "{plan}");
}
