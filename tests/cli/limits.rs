//! Texts of hostile sizes and depths: each is answered soon, with what it says or with the limit that it goes beyond.

use crate::support::{Project, Run, spec};

/// A project with this manifest behind its usual first lines, as `forge check` answers it.
#[track_caller]
fn refused(manifest: &str, code: &str) -> String {
    let project = Project::with(manifest);
    let checked = project.run(&["check", "--manifest-only"]);
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    assert!(checked.stderr.contains(code), "{}", checked.stderr);
    checked.stderr
}

#[test]
fn comments_within_each_other_end_in_an_error_with_its_place() {
    let project = Project::with(&"/*".repeat(5000));
    for command in [&["check"] as &[&str], &["fmt"], &["plan"]] {
        let run = project.run(command);
        assert_eq!(run.code, Some(1), "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains("forge::manifest::too_deep"), "{}", run.stderr);
        assert!(run.stderr.contains("comments are nested more than 64 deep"), "{}", run.stderr);
        assert!(run.stderr.contains("[Rpmforge.kdl:4:129]"), "{}", run.stderr);
    }
}

#[test]
fn a_manifest_of_megabytes_says_how_large_it_may_be() {
    let said = refused(&format!("// {}\n", "x".repeat(1 << 20)), "forge::manifest::too_much_text");
    assert!(said.contains("the file has more than 1048576 bytes"), "{said}");
}

#[test]
fn a_mistake_in_a_long_line_is_shown_with_what_is_around_it() {
    let said = refused(&format!("a {0} true {0}\n", "\"x\" ".repeat(100_000)), "forge::manifest::syntax");
    assert!(said.contains("true") && said.len() < 4096, "{}", said.len());
}

#[test]
fn parentheses_by_the_thousand_are_no_manifest() {
    let said = refused(&"(".repeat(300_000), "forge::manifest::syntax");
    assert!(said.len() < 4096, "{}", said.len());
}

#[test]
fn of_thousands_of_mistakes_the_first_hundred_are_told() {
    let said = refused(&"nonsense\n".repeat(5000), "forge::manifest::many_mistakes");
    assert_eq!(said.matches("forge::manifest::unknown_node").count(), 100);
    assert!(said.contains("there are more than 100 mistakes"), "{said}");
}

/// What `forge spec` says of a spec with these lines in its preamble.
fn read(preamble: &str) -> Run {
    let project = Project::new();
    project.write("a.spec", &spec("a", preamble, "true"));
    project.run(&["spec", "a.spec"])
}

/// The same, which must be refused in a few lines.
#[track_caller]
fn refused_spec(preamble: &str, code: &str) {
    let run = read(preamble);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(code), "{}", run.stderr);
    assert!(run.stderr.len() < 64 << 10, "{} bytes are said", run.stderr.len());
}

#[test]
fn parentheses_of_expressions_by_the_hundred_thousand_are_told_once() {
    let (open, close) = ("(".repeat(300_000), ")".repeat(300_000));
    for preamble in [
        format!("%[{open}1{close}]"),
        format!("%{{expr:{open}1{close}}}"),
        format!("%if {open}1{close}\n%endif"),
        format!("%if {open}\n%endif"),
    ] {
        refused_spec(&preamble, "forge::macros::expression");
    }
}

#[test]
fn parentheses_of_dependencies_by_the_hundred_thousand_are_refused() {
    refused_spec(&format!("Requires: {}", "(".repeat(300_000)), "forge::spec::rich_depth");
}

#[test]
fn a_line_of_megabytes_is_refused_before_and_after_its_macros_are_expanded() {
    refused_spec(&format!("URL: {}", "x".repeat(10 << 20)), "forge::spec::long_line");
    refused_spec("Requires: %{lua:print(string.rep('a,', 1 << 20))}", "forge::spec::long_line");
    // Many lines may be long together.
    let run = read("%{lua:for i = 1, 3 do print('# '..string.rep('a', 600000)..'\\n') end}");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn calls_within_each_other_by_the_hundred_thousand_end_at_the_limit_of_work() {
    for call in ["%{", "%{a:"] {
        let preamble = format!("{}{}", call.repeat(100_000), "}".repeat(100_000));
        refused_spec(&preamble, "forge::macros::too_much_work");
    }
}

#[test]
fn arguments_that_double_with_each_call_end_at_the_limit_of_work() {
    refused_spec("%define f() %*%{f %* %*}\n%{f a}", "forge::macros::too_much_work");
}

#[test]
fn messages_that_quote_a_spec_can_not_steer_the_terminal() {
    let run = read("%{error:\u{1b}]0;title\u{7}\u{1b}[2Jgone}\nNonsense\u{1b}[2J: x");
    assert!(run.stderr.contains("gone"), "{}", run.stderr);
    assert!(run.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", run.stderr);
}
