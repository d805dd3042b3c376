//! What a change builds again, and where that ends.

use crate::support::Project;

#[test]
fn a_change_that_reaches_the_packages_rebuilds_what_depends_on_it() {
    let project = Project::example("libraries");
    project.succeed(&["apply"]);
    project.edit("text/text.c", "the answer is", "the true answer is");
    project.edit("app/greeter.spec", "the answer is 42", "the true answer is 42");
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!(states["libbase"], "cached");
    assert_eq!(states["libtext"], "succeeded");
    assert_eq!(states["libgreet"], "succeeded");
    assert_eq!(states["greeter"], "succeeded");
}

#[test]
fn a_change_that_leaves_the_packages_as_they_are_goes_no_further() {
    let project = Project::example("libraries");
    project.succeed(&["apply"]);
    project.edit("base/base.c", "return 42;", "return 6 * 7; // the same");
    let actions = project.actions();
    assert_eq!(actions["libbase"], "build");
    assert_eq!(actions["libtext"], "maybe");
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!(states["libbase"], "succeeded");
    assert_eq!(states["libtext"], "cached");
    assert_eq!(states["greeter"], "cached");
    assert!(project.actions().values().all(|action| action == "cached"));
}

#[test]
fn the_end_says_what_was_not_needed_and_how_to_use_what_was_published() {
    let project = Project::example("libraries");
    let first = project.succeed(&["apply"]).stdout;
    assert!(
        first.contains("use what was published:\n  dnf --repofrompath=libraries-host,file:///"),
        "{first}"
    );
    project.edit("base/base.c", "return 42;", "return 6 * 7; // the same");
    let second = project.succeed(&["apply"]).stdout;
    let saved = "1 built, 3 up to date in ";
    assert!(second.starts_with(saved), "{second}");
    assert!(second.contains("\n3 builds were not needed: what they need came out the same\n"), "{second}");
    let third = project.succeed(&["apply"]).stdout;
    assert!(third.starts_with("4 up to date in ") && third.lines().count() == 1, "{third}");
}

#[test]
fn the_plan_says_which_ingredient_has_changed() {
    let project = Project::example("libraries");
    project.succeed(&["apply"]);
    project.edit("base/base.c", "42", "43");
    let plan = project.succeed(&["plan"]).stdout;
    let line = |package: &str| plan.lines().find(|line| line.starts_with(package)).unwrap().to_owned();
    assert!(line("libbase").ends_with("source base.c changed"), "{plan}");
    assert!(line("libtext").ends_with("if packages of libbase in host change"), "{plan}");
    project.edit("Rpmforge.kdl", "packages ", "macros { dist .new }\n\npackages ");
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("source base.c changed; macro dist: unset → `.new` (project)"), "{plan}");
}

#[test]
fn a_change_taken_back_is_found_in_the_store() {
    let project = Project::example("hello");
    project.succeed(&["apply"]);
    let before: Vec<_> = project.published().into_keys().collect();
    project.edit("hello.c", "hello from", "greetings from");
    project.succeed(&["apply"]);
    project.edit("hello.c", "greetings from", "hello from");
    assert_eq!(project.actions()["hello"], "cached");
    assert_eq!(project.succeed(&["apply", "--json"]).states()["hello"], "cached");
    // All but the revision of the metadata is as it was.
    assert_eq!(project.published().into_keys().collect::<Vec<_>>(), before);
}
