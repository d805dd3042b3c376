//! Dependencies in specs, beside what the rpmspec of this machine makes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use miette::Diagnostic;
use rpmforge::spec::{Allows, Dependency, DependencyProblem, read_dependencies};

const REQUIRES: &[&str] = &[
    "a, b>=1 c",
    "a>=1",
    "a >= 1:2-3, c",
    "a >=1",
    "a => 1",
    "a =< 1",
    "a == 1",
    "a <> 1",
    "a = 1 b",
    "/bin/sh",
    "/bin/sh = 1",
    "%{nosuch}",
    "a = -1",
    "a = 1-2-3",
    "a = 1~rc1^x",
    "a = 1_b",
    "a = 1:",
    "a = :1",
    "a = x:1",
    "foo(bar baz)",
    "perl(Foo::Bar) >= 1",
    "lib.so.1()(64bit)",
    "-a",
    "a!",
    "a;b",
    "a&b",
    "a,,b",
    ", a",
    " a  =  1  ",
    "a = 1,b = 2",
    "= 1",
    ">= a",
    "a >= 1 >= 2",
    "config(a) = 1",
    "a = 1 , b",
    "a >= ,b",
    "a > =1",
    "a <= 1",
    "a < 1",
    "a > 1",
    "a = 1=2",
    "a = 1/2",
    "a = (1)",
    "a = 1+2",
    "a = 1,2",
    "_a",
    "a >=",
    "a b)",
    "a >= 1)",
    "(a or b)",
    "(a and b >= 2), c",
    "(a if b else c)",
    "(a or b and c)",
    "(a or (b and c))",
    "(a",
    "(a or b",
    "(a or)",
    "(a xx b)",
    "()",
    "(a)",
    "(a or b) >= 1",
    "(a with b >= 1 with c)",
    "(a without b)",
    "(a unless b)",
    "(a and b",
    "(a and b or c)",
    "(a and b and c)",
    "(a if b if c)",
    "(a else b)",
    "(a if b else c else d)",
    "((a or b) if c)",
    "(a >= 1 or b)",
    "(a >= or b)",
    "(a >= )",
    "(>= 1 or b)",
    "(a or /bin/sh)",
    "(a(x) or b(y))",
    "(a or b)c",
    "(a or b)(c or d)",
    "( a or b )",
    "(a  or  b)",
    "(a or b >= 1-2-3)",
    "(a and (b unless c))",
    "(a with (b or c))",
    "(a with (b and c))",
    "(a with (b if c))",
    "(a without (b or c) )",
    "(a without b without c)",
    "(a or b))",
];

const CONFLICTS: &[&str] =
    &["a", "a < 1", "(a or b)", "(a if b)", "(a unless b)", "(a unless b else c)", "a@b"];

const OBSOLETES: &[&str] = &["a", "a < 1", "a-b+c.d_e", "(a or b)", "a(x)", "a/b", "a@b = 1", "a, b = 2"];

const PROVIDES: &[&str] = &["x", "x = 1", "(a or b)", "/a/b", "x(y) = 1:2"];

/// What rpmspec makes of a tag: names, comparisons and versions, or why it makes nothing of it.
fn theirs(path: &Path, tag: &str) -> Result<BTreeSet<String>, Vec<String>> {
    let query = format!("[%{{{tag}NAME}} %{{{tag}FLAGS:depflags}} %{{{tag}VERSION}}\n]");
    let run = Command::new("rpmspec").args(["-q", "--qf", &query]).arg(path).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if run.status.success() {
        // A package provides itself.
        let lines = text(&run.stdout);
        let kept = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        return Ok(kept.filter(|line| !line.starts_with("self")).collect());
    }
    let errors = text(&run.stderr);
    let told = errors.lines().filter_map(|line| line.strip_prefix("error: line 6: "));
    Err(told.map(|line| line.trim_end().to_owned()).collect())
}

fn ours(text: &str, allows: Allows, line: &str) -> Result<BTreeSet<String>, Vec<String>> {
    let shown = |dependency: &Dependency| match dependency {
        Dependency::Rich(rich) => rich.to_string(),
        Dependency::Plain(plain) => match &plain.version {
            Some((comparison, version)) => format!("{} {} {version}", plain.name, comparison),
            None => plain.name.to_string(),
        },
    };
    match read_dependencies(text.as_bytes(), allows) {
        Ok(found) => Ok(found.iter().map(shown).collect()),
        Err(problems) => {
            Err(problems.iter().map(|problem| format!("{problem}: {}", line.trim_end())).collect())
        }
    }
}

#[test]
fn dependencies_are_those_of_rpmspec() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.spec");
    let mut wrong = Vec::new();
    for (tag, query, allows, texts) in [
        ("Requires", "REQUIRE", Allows::Everything, REQUIRES),
        ("Conflicts", "CONFLICT", Allows::Conflicts, CONFLICTS),
        ("Obsoletes", "OBSOLETE", Allows::PackageNames, OBSOLETES),
        ("Provides", "PROVIDE", Allows::Plain, PROVIDES),
    ] {
        for text in texts {
            let line = format!("{tag}: {text}");
            let head = "Name: self\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";
            std::fs::write(&path, format!("{head}{line}\n%description\n%files\n")).unwrap();
            let (theirs, ours) = (theirs(&path, query), ours(text, allows, &line));
            // "Illegal char 'x' (0x78) in" is all one message with the line.
            if theirs != ours {
                wrong.push(format!("{line}\n  rpmspec: {theirs:?}\n  forge:   {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn mistakes_have_codes() {
    let deep = format!("{}a or b{}", "(".repeat(200), ")".repeat(200));
    let expected: HashMap<&str, &str> = HashMap::from([
        ("-a", "forge::spec::dependency_start"),
        ("a >=", "forge::spec::version_required"),
        ("/a = 1", "forge::spec::versioned_file"),
        ("a = 1=2", "forge::spec::illegal_char"),
        ("a = 1-2-3", "forge::spec::double_separator"),
        ("a = x:1", "forge::spec::epoch"),
        ("(a", "forge::spec::unterminated_rich"),
        ("()", "forge::spec::empty_rich"),
        ("(a or)", "forge::spec::missing_argument"),
        ("(a xx b)", "forge::spec::unknown_operator"),
        ("(a or b and c)", "forge::spec::chained_operators"),
        ("(a if b if c)", "forge::spec::unchainable_operator"),
        ("(a unless b)", "forge::spec::operator_context"),
        ("(a with (b and c))", "forge::spec::operator_in_with"),
        (deep.as_str(), "forge::spec::rich_depth"),
    ]);
    let code = |problem: &DependencyProblem| problem.code().unwrap().to_string();
    for (text, expected) in expected {
        let problems = read_dependencies(text.as_bytes(), Allows::Everything).unwrap_err();
        assert_eq!(problems.iter().map(code).collect::<Vec<_>>(), [expected], "{text}");
        assert!(problems.iter().all(|problem| problem.help().is_some()));
    }
    let problems = read_dependencies(b"a(x)", Allows::PackageNames).unwrap_err();
    assert_eq!(problems.iter().map(code).collect::<Vec<_>>()[1], "forge::spec::obsoletes_name");
    let problems = read_dependencies(b"(a or b)", Allows::Plain).unwrap_err();
    assert_eq!(problems.iter().map(code).collect::<Vec<_>>(), ["forge::spec::no_rich"]);
}
