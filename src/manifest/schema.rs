//! The grammar as a schema, for editors.

use std::fmt::Write as _;

use super::grammar::{ArgumentRule, Block, NodeRule, Occurs, PropertyRule, Support, ValueKind};
use super::rules::DOCUMENT;

/// The grammar in the KDL Schema Language (<https://kdl.dev/spec/#name-kdl-schema-language>).
pub fn schema() -> String {
    let mut text =
        "// The form of Rpmforge.kdl. Written by `forge schema`; change src/manifest/rules.rs instead.\n\
                    document {\n    info {\n        title \"Rpmforge.kdl, version 1\" lang=en\n    }\n"
            .to_owned();
    DOCUMENT.iter().for_each(|rule| schema_node(&mut text, rule, 1, Some(rule.name)));
    text.push_str("}\n");
    text
}

fn schema_node(text: &mut String, rule: &NodeRule, depth: usize, name: Option<&str>) {
    let indent = "    ".repeat(depth);
    let name = name.map(|name| format!(" {}", quote(name))).unwrap_or_default();
    // Writing to a String can't fail, here and below.
    let _ = writeln!(
        text,
        "{indent}node{name} description={} {{",
        quote(&format!("{}{}", rule.doc, support(rule)))
    );
    if rule.occurs == Occurs::Once && !name.is_empty() {
        let _ = writeln!(text, "{indent}    max 1");
    }
    for argument in rule.arguments {
        schema_value(text, argument, depth + 1);
    }
    for property in rule.properties {
        schema_property(text, property, depth + 1);
    }
    match rule.block {
        Block::None => {}
        Block::Nodes(rules) => {
            let _ = writeln!(text, "{indent}    children {{");
            rules.iter().for_each(|rule| schema_node(text, rule, depth + 2, Some(rule.name)));
            let _ = writeln!(text, "{indent}    }}");
        }
        Block::Free(rule) => {
            let _ = writeln!(text, "{indent}    children {{");
            schema_node(text, rule, depth + 2, None);
            let _ = writeln!(text, "{indent}    }}");
        }
    }
    let _ = writeln!(text, "{indent}}}");
}

fn schema_value(text: &mut String, argument: &ArgumentRule, depth: usize) {
    let indent = "    ".repeat(depth);
    let (least, most) = argument.count;
    let _ = writeln!(text, "{indent}value description={} {{", quote(argument.name));
    let _ = writeln!(text, "{indent}    min {least}");
    if let Some(most) = most {
        let _ = writeln!(text, "{indent}    max {most}");
    }
    schema_kind(text, argument.kind, depth + 1);
    let _ = writeln!(text, "{indent}}}");
}

fn schema_property(text: &mut String, property: &PropertyRule, depth: usize) {
    let indent = "    ".repeat(depth);
    let (name, doc) = (quote(property.name), quote(property.doc));
    let _ = writeln!(text, "{indent}prop {name} description={doc} {{");
    if property.required {
        let _ = writeln!(text, "{indent}    required #true");
    }
    schema_kind(text, property.kind, depth + 1);
    let _ = writeln!(text, "{indent}}}");
}

fn schema_kind(text: &mut String, kind: ValueKind, depth: usize) {
    let indent = "    ".repeat(depth);
    let lines = match kind {
        ValueKind::Name => vec![
            "type string".to_owned(),
            "pattern #\"^[\\p{Alphabetic}\\p{N}][\\p{Alphabetic}\\p{N}._+-]*$\"#".to_owned(),
        ],
        ValueKind::Text
        | ValueKind::Glob
        | ValueKind::Path
        | ValueKind::Duration
        | ValueKind::Age
        | ValueKind::Size
        | ValueKind::Arch
        | ValueKind::RpmVersion => {
            vec!["type string".to_owned()]
        }
        ValueKind::Count => vec!["type number".to_owned(), "\">=\" 0".to_owned(), "\"%\" 1".to_owned()],
        ValueKind::Number => vec!["type number".to_owned(), "\">=\" 1".to_owned(), "\"%\" 1".to_owned()],
        ValueKind::Boolean => vec!["type boolean".to_owned()],
        ValueKind::OneOf(words) => {
            vec![
                "type string".to_owned(),
                format!("enum {}", words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")),
            ]
        }
        ValueKind::Sha256 => vec!["type string".to_owned(), "pattern #\"^[0-9a-fA-F]{64}$\"#".to_owned()],
        ValueKind::Spelling => Vec::new(),
    };
    for line in lines {
        let _ = writeln!(text, "{indent}{line}");
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Says of what has no effect that it has none.
pub(super) fn support(rule: &NodeRule) -> String {
    match rule.support {
        Support::Full => String::new(),
        Support::NotYet => " Not supported yet.".to_owned(),
    }
}
