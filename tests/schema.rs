//! The schema, the reference and the parser say the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kdl::{KdlDocument, KdlNode};
use rpmforge::event::event_schema;
use rpmforge::files::{Folder, HostPath};
use rpmforge::manifest::examples::find_example;
use rpmforge::manifest::grammar::{Block, NodeRule, ValueKind};
use rpmforge::manifest::rules::DOCUMENT;
use rpmforge::manifest::{MANIFEST_FILE, load, reference, schema};

fn on_disk(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_schema_on_disk_is_the_one_that_forge_prints() {
    assert_eq!(on_disk("rpmforge.kdl"), schema(), "write it anew: forge schema > schemas/rpmforge.kdl");
}

#[test]
fn the_reference_on_disk_is_the_one_that_forge_prints() {
    assert_eq!(
        on_disk("reference.md"),
        reference(),
        "write it anew: forge schema --form markdown > schemas/reference.md"
    );
}

#[test]
fn the_schema_of_events_on_disk_is_the_one_that_forge_prints() {
    assert_eq!(
        on_disk("events.json"),
        event_schema(),
        "write it anew: forge schema --form events > schemas/events.json"
    );
}

/// The codes of the mistakes that the form of a manifest has.
fn mistakes_of_form(text: &str) -> Vec<String> {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join(MANIFEST_FILE), format!("rpmforge version=1\n{text}")).unwrap();
    let repository = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
    let errors =
        load(&repository, MANIFEST_FILE, &BTreeMap::new()).err().map(|errors| errors.0).unwrap_or_default();
    let codes = errors.iter().map(|error| miette::Diagnostic::code(error).unwrap().to_string());
    let of_form = [
        "unknown_node",
        "unknown_property",
        "missing",
        "too_much",
        "wrong_value",
        "bad_duration",
        "bad_size",
        "syntax",
    ];
    codes.filter(|code| of_form.iter().any(|kind| code.ends_with(&format!("::{kind}")))).collect()
}

fn value(kind: ValueKind) -> String {
    match kind {
        ValueKind::Name | ValueKind::Text | ValueKind::Glob => "name".to_owned(),
        ValueKind::Path => "\"a/path\"".to_owned(),
        ValueKind::Duration => "\"5m\"".to_owned(),
        ValueKind::Age => "\"14d\"".to_owned(),
        ValueKind::Size => "\"8GiB\"".to_owned(),
        ValueKind::Count | ValueKind::Number => "1".to_owned(),
        ValueKind::Boolean => "#true".to_owned(),
        ValueKind::OneOf(words) => words[0].to_owned(),
        ValueKind::Arch => "x86_64".to_owned(),
        ValueKind::RpmVersion => "\"4.18\"".to_owned(),
        ValueKind::Sha256 => format!("\"{}\"", "0".repeat(64)),
        ValueKind::Spelling => "1.10".to_owned(),
    }
}

/// A node as its rule asks for it, in the blocks around it.
fn written(rule: &NodeRule, around: &[&NodeRule]) -> String {
    let mut line = head(rule);
    if let Block::Free(each) = rule.block {
        line.push_str(&format!(" {{ {} }}", head(each).replacen("NAME", "some_name", 1)));
    }
    around.iter().rev().fold(line, |inner, outer| format!("{} {{ {inner} }}", head(outer)))
}

fn head(rule: &NodeRule) -> String {
    let mut line = rule.name.to_owned();
    for argument in rule.arguments {
        line.push(' ');
        line.push_str(&value(argument.kind));
    }
    let required = rule.properties.iter().filter(|property| property.required);
    required.for_each(|property| line.push_str(&format!(" {}={}", property.name, value(property.kind))));
    line
}

fn each_rule<'a>(
    rules: &'a [NodeRule],
    around: &mut Vec<&'a NodeRule>,
    visit: &mut impl FnMut(&NodeRule, &[&NodeRule]),
) {
    for rule in rules {
        visit(rule, around);
        around.push(rule);
        each_rule(rule.children(), around, visit);
        around.pop();
    }
}

/// What the rules say alone and the meaning of a node then asks for as well.
const MEANT: &[&str] =
    &["forge::manifest::missing", "forge::manifest::wrong_value", "forge::manifest::unknown_property"];

#[test]
fn the_parser_knows_every_node_of_the_schema() {
    let mut seen = 0;
    each_rule(DOCUMENT, &mut Vec::new(), &mut |rule, around| {
        seen += 1;
        if rule.name == "rpmforge" {
            return;
        }
        let text = written(rule, around);
        let unknown: Vec<String> =
            mistakes_of_form(&text).into_iter().filter(|code| !MEANT.contains(&code.as_str())).collect();
        assert!(unknown.is_empty(), "{text}: {unknown:?}");
    });
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_parser_refuses_what_the_schema_does_not_have() {
    each_rule(DOCUMENT, &mut Vec::new(), &mut |rule, around| {
        let mut around: Vec<&NodeRule> = around.to_vec();
        around.push(rule);
        if !matches!(rule.block, Block::Nodes(_)) || rule.name == "rpmforge" {
            return;
        }
        let text = around
            .iter()
            .rev()
            .fold("nonsense".to_owned(), |inner, outer| format!("{} {{ {inner} }}", head(outer)));
        let codes = mistakes_of_form(&text);
        assert!(codes.contains(&"forge::manifest::unknown_node".to_owned()), "{text}: {codes:?}");
    });
}

#[test]
fn the_schema_is_kdl_and_names_every_node_of_the_rules() {
    let parsed = on_disk("rpmforge.kdl").parse::<KdlDocument>();
    let document = parsed.unwrap_or_else(|error| panic!("{:?}", error.diagnostics[0].span));
    let mut in_schema = BTreeSet::new();
    collect(document.get("document").unwrap(), &mut in_schema);
    let mut in_rules = BTreeSet::new();
    each_rule(DOCUMENT, &mut Vec::new(), &mut |rule, _| {
        in_rules.insert(rule.name.to_owned());
    });
    assert_eq!(in_schema, in_rules);
}

fn collect(node: &KdlNode, names: &mut BTreeSet<String>) {
    for child in node.children().map(KdlDocument::nodes).unwrap_or_default() {
        let name = child.get(0).and_then(|name| name.as_string()).filter(|_| child.name().value() == "node");
        names.extend(name.map(str::to_owned));
        collect(child, names);
    }
}

#[test]
fn every_node_has_an_example_that_the_parser_takes() {
    each_rule(DOCUMENT, &mut Vec::new(), &mut |rule, around| {
        let names: Vec<&str> = around.iter().map(|rule| rule.name).chain([rule.name]).collect();
        let example = find_example(&names.join(" › ")).unwrap_or_else(|| panic!("{names:?} has no example"));
        assert!(example.text.starts_with(rule.name), "{names:?}: {}", example.text);
        if rule.name == "rpmforge" {
            return;
        }
        let text = around
            .iter()
            .rev()
            .fold(example.text.to_owned(), |inner, outer| format!("{} {{ {inner} }}", head(outer)));
        let unknown: Vec<String> =
            mistakes_of_form(&text).into_iter().filter(|code| !MEANT.contains(&code.as_str())).collect();
        assert!(unknown.is_empty(), "{text}: {unknown:?}");
    });
}

#[test]
fn the_reference_is_short_and_says_defaults() {
    let reference = reference();
    assert!(reference.lines().count() < 500, "{}", reference.lines().count());
    for said in ["Default: `5h`", "Default: `native`", "Default: `public/{chroot}`"] {
        assert!(reference.contains(said), "{said}");
    }
}

#[test]
fn a_kind_of_source_takes_only_what_is_its_own() {
    let codes = mistakes_of_form("source shared { git \"https://example.org/a.git\" sha256=\"x\" }");
    assert_eq!(codes, ["forge::manifest::unknown_property"]);
    let codes = mistakes_of_form("source shared { path \"a.spec\" { needs git } }");
    assert_eq!(codes, ["forge::manifest::unknown_node"]);
}
