//! The grammar as the reference of the language, in Markdown, for people.

use std::fmt::Write as _;

use super::examples::find_example;
use super::grammar::{Block, NodeRule, Occurs, PropertyRule, ValueKind};
use super::rules::DOCUMENT;
use super::schema::support;

const BEGINNING: &str = "# Rpmforge.kdl: reference

Written by `forge schema --form markdown` from the same rules that check a manifest. The language is [KDL 2](https://kdl.dev);
[docs/manifest.md](../docs/manifest.md) teaches it by example.

- A **name** has letters, digits and `._+-`. A **pattern** is one with `*`, `?`, `[…]`, `{a,b}` and, for paths, `**`.
- A **path** is relative to the file that says it. A **duration** has its unit: `90m`, `5h`, `14d`; a **size** as well: `500MB`
  counts in 1000, `8GiB` and `8G` in 1024.
- A **value** is kept as it is spelt (`1.10` stays `1.10`); `(env)\"NAME\"` takes it from the environment and keeps it secret.
- *Repeats*: the node may stand several times in its block; all others once.
- **Not supported yet** has no effect: `forge check` warns, and `forge plan` and `forge apply` end with exit code 1.
";

/// The reference of the language, as Markdown.
pub fn reference() -> String {
    let mut text = BEGINNING.to_owned();
    DOCUMENT.iter().for_each(|rule| write_node(&mut text, rule, rule.name, 2));
    text
}

/// A section of a node: an example, what it means, what it takes, and sections of the nodes in it that have blocks.
fn write_node(text: &mut String, rule: &NodeRule, path: &str, depth: usize) {
    // Writing to a String can't fail, here and below.
    let _ = writeln!(text, "\n{} `{path}`\n", "#".repeat(depth));
    if let Some(example) = find_example(path) {
        let _ = writeln!(text, "```kdl\n{}\n```\n", example.text);
    }
    let _ = writeln!(text, "{}", meaning(rule, path));
    if is_package_source(path) {
        text.push_str("What each kind takes is said of [`source`](#source).\n");
    }
    let rows: Vec<String> = own_rows(rule, path);
    if !rows.is_empty() {
        let _ = writeln!(text, "\n| | |\n|---|---|\n{}", rows.join("\n"));
    }
    let shared: Vec<String> = rule
        .children()
        .iter()
        .filter(|child| is_shared(child, path))
        .map(|child| format!("`{}`", child.name))
        .collect();
    if !shared.is_empty() {
        let _ = writeln!(text, "\nAs in [`defaults`](#defaults): {}.", shared.join(", "));
    }
    for child in rule.children() {
        let path = format!("{path} › {}", child.name);
        if is_package_source(&path) {
            write_node(text, child, &path, depth + 1);
        }
    }
}

/// Rows of the arguments, the properties and the nodes of a node.
fn own_rows(rule: &NodeRule, path: &str) -> Vec<String> {
    let mut rows = Vec::new();
    // What the kinds take together is no node that anybody can write.
    if !is_package_source(path) {
        for argument in rule.arguments {
            let number = if argument.count.1.is_none() { ", one or more" } else { "" };
            rows.push(format!("| *{}* | {}{number} |", argument.name, argument.kind.description()));
        }
        rows.extend(rule.properties.iter().map(property_row));
    }
    if let Block::Free(each) = rule.block {
        rows.push(format!("| *name* *{}* | {} |", each.arguments[0].name, each.doc));
    }
    for child in rule.children() {
        let child_path = format!("{path} › {}", child.name);
        if is_shared(child, path) || is_package_source(&child_path) {
            continue;
        }
        let example = find_example(&child_path).map_or(child.name, |example| example.text);
        rows.push(format!("| `{example}` | {}{} |", meaning(child, &child_path), takes(child)));
    }
    rows
}

fn property_row(property: &PropertyRule) -> String {
    let required = if property.required { " Required." } else { "" };
    let kind = property.kind.description();
    format!("| `{}=` | {} {}.{required} |", property.name, property.doc, capitalize(&kind))
}

/// What a node means: whether it has an effect, what it does, its default.
fn meaning(rule: &NodeRule, path: &str) -> String {
    let mut said = badge(rule);
    said.push_str(rule.doc);
    for argument in rule.arguments {
        if let ValueKind::OneOf(words) = argument.kind {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let _ = write!(said, " One of {}.", words.join(", "));
        }
    }
    if let Some(example) = find_example(path).filter(|example| !example.default.is_empty()) {
        let _ = write!(said, " Default: {}.", example.default);
    }
    if rule.occurs == Occurs::Often {
        said.push_str(" *Repeats.*");
    }
    said
}

/// What a node in a table takes beside what its example shows.
fn takes(rule: &NodeRule) -> String {
    let properties = rule.properties.iter().map(|property| {
        let doc = property.doc.trim_end_matches('.');
        format!("`{}=` ({})", property.name, uncapitalize(doc))
    });
    let nodes = rule.children().iter().map(|child| format!("`{}`", child.name));
    let mut said = String::new();
    for (what, list) in
        [("Takes", properties.collect::<Vec<_>>()), ("In its block", nodes.collect::<Vec<_>>())]
    {
        if !list.is_empty() {
            let _ = write!(said, " {what}: {}.", list.join(", "));
        }
    }
    said
}

/// What a reader must know before anything else of a node: that it has no effect yet.
fn badge(rule: &NodeRule) -> String {
    let said = support(rule);
    if said.is_empty() { said } else { format!("**{}** ", said.trim_start()) }
}

/// Whether a node means what it means in `defaults`, which says it once for all.
fn is_shared(rule: &NodeRule, path: &str) -> bool {
    let defaults = DOCUMENT.iter().find(|known| known.name == "defaults").map_or(&[][..], NodeRule::children);
    path != "defaults" && defaults.iter().any(|known| known.name == rule.name && known.doc == rule.doc)
}

/// The one node within another that has a section: what it takes is long.
fn is_package_source(path: &str) -> bool {
    path == "package › source"
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn uncapitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
