//! What the language has and this forge does not support yet: named in the same words everywhere, and not built.

use crate::support::Project;

#[test]
fn what_has_no_effect_yet_is_a_warning_of_check_and_fails_plan_and_apply() {
    let project = Project::with(
        "package a { source path \"a.spec\" }\ncache \"https://cache.example/acme\"\n\
         remote \"grpcs://build.example:8980\" { instance main }\n\
         mass-rebuild next { change a; select whatrequires=\"a\" }\n\
         mass-rebuild other { change a; select whatrequires=\"a\" }\n",
    );
    project.spec("a", "", "true");
    let words = ["`cache`", "`remote`", "`mass-rebuild`"].map(|what| format!("{what} is not supported yet"));
    let check = project.succeed(&["check"]);
    let (plan, apply) = (project.run(&["plan"]), project.run(&["apply"]));
    assert_eq!((plan.code, apply.code), (Some(1), Some(1)));
    for said in &words {
        for run in [&check, &plan, &apply] {
            assert_eq!(run.stderr.matches(said.as_str()).count(), 1, "{said}: {}", run.stderr);
        }
    }
    assert!(
        check.stderr.contains("forge::manifest::not_yet")
            && check.stderr.contains("here, and in 1 other place"),
        "{}",
        check.stderr
    );
    assert!(!check.stderr.contains("`instance`"), "{}", check.stderr);
    assert_eq!(project.actions()["a"], "cached", "it is built all the same");
}

#[test]
fn a_plan_with_specs_that_cannot_be_read_or_built_fails() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("a", "", "true");
    project.succeed(&["plan"]);
    project.write("b.spec", "Name: b\n%if\n");
    assert_eq!(project.run(&["plan"]).code, Some(1));
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(1));
    project.succeed(&["plan", "a"]);
    assert_eq!(project.run(&["apply"]).code, Some(1));
}

#[test]
fn the_reference_says_what_has_no_effect_yet() {
    let reference = Project::new().succeed(&["schema", "--form", "markdown"]).stdout;
    let cache = &reference[reference.find("## `cache`").unwrap()..];
    assert!(cache[..cache.find("\n|").unwrap()].contains("**Not supported yet.**"), "{cache}");
    let bootstrap = reference.lines().find(|line| line.contains("`bootstrap auto`")).unwrap();
    assert!(!bootstrap.contains("Not supported yet"), "{bootstrap}");
}

#[test]
fn what_only_a_sandbox_sees_to_is_said_to_do_nothing_without_one() {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        "rpmforge version=1\nchroot host { root \"/\" }\n\
         defaults { isolation none; network #false; limits { memory \"1GiB\"; log \"1MiB\" } }\n\
         package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n\
         package c { source path \"c.spec\"; isolation namespaces }\n",
    );
    ["a", "b", "c"].iter().for_each(|name| project.spec(name, "", "true"));
    let check = project.succeed(&["check"]);
    for what in ["`network #false`", "`limits { memory … }`"] {
        let said = format!("{what} does nothing where `isolation none` holds");
        assert_eq!(check.stderr.matches(&said).count(), 1, "{}", check.stderr);
    }
    assert!(check.stderr.contains("forge::manifest::needs_sandbox"), "{}", check.stderr);
    assert!(check.stderr.contains("built without a sandbox, and one other"), "{}", check.stderr);
    assert!(!check.stderr.contains("limits { log … }` does"), "{}", check.stderr);
    project.edit("Rpmforge.kdl", "isolation none; ", "");
    assert_eq!(project.succeed(&["check"]).stderr, "");
}
