//! The form of a file against the [grammar](super::grammar): unknown names, missing and superfluous values, kinds of
//! values. Everything is reported; the reader that follows takes what is sound.

use std::collections::HashMap;
use std::sync::Arc;

use globset::GlobBuilder;
use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};
use miette::Diagnostic;

use super::grammar::{ArgumentRule, Block, NodeRule, Occurs, PropertyRule, Support, ValueKind};
use super::keep::FOREVER;
use super::names::is_pattern;
use super::problem::{ManifestError, ManifestProblem};
use super::rules::{DOCUMENT, OTHER_WORDS};
use super::size::parse_size;
use super::values::{entry_place, node_place, spelling};
use crate::chroot::solve::Architecture;
use crate::macros::RpmVersion;
use crate::spec::check_dialect;
use crate::text::{Located, SourceText, Spanned, suggestion};

/// Checks a whole file.
///
/// Gives what has no effect yet.
pub(super) fn check(
    source: &Arc<SourceText>,
    document: &KdlDocument,
    errors: &mut Vec<ManifestError>,
) -> Vec<Spanned<String>> {
    let mut checker = Checker { source, errors, not_yet: Vec::new() };
    checker.check_block(document, DOCUMENT, "a manifest");
    checker.not_yet
}

struct Checker<'a> {
    source: &'a Arc<SourceText>,
    errors: &'a mut Vec<ManifestError>,
    not_yet: Vec<Spanned<String>>,
}

impl Checker<'_> {
    fn check_block(&mut self, document: &KdlDocument, rules: &'static [NodeRule], place: &str) {
        let mut first: HashMap<&str, &KdlNode> = HashMap::new();
        for node in document.nodes() {
            let name = node.name().value();
            let Some(rule) = rules.iter().find(|rule| rule.name == name) else {
                self.report_unknown_node(node, rules, place);
                continue;
            };
            if rule.occurs == Occurs::Once
                && let Some(earlier) = first.insert(name, node)
            {
                self.report_repeated(node, earlier, place);
            }
            self.check_node(node, rule);
        }
    }

    fn report_unknown_node(&mut self, node: &KdlNode, rules: &'static [NodeRule], place: &str) {
        let name = node.name().value().to_owned();
        let help = other_word(&name, rules.iter().map(|rule| rule.name))
            .unwrap_or_else(|| suggestion(&name, "nodes here", rules.iter().map(|rule| rule.name)));
        let problem = ManifestProblem::UnknownNode { name, place: place.to_owned(), help };
        self.errors.push(Located::new(problem, "not known", node_place(self.source, node)));
    }

    fn report_repeated(&mut self, node: &KdlNode, earlier: &KdlNode, place: &str) {
        let problem =
            ManifestProblem::Repeated { name: node.name().value().to_owned(), place: place.to_owned() };
        let error = Located::new(problem, "again here", node_place(self.source, node));
        self.errors.push(error.with_note("first here", node_place(self.source, earlier)));
    }

    fn check_node(&mut self, node: &KdlNode, rule: &'static NodeRule) {
        self.check_arguments(node, rule);
        self.check_properties(node, rule);
        self.note_support(node, rule);
        let noted = self.not_yet.len();
        if let Some(children) = node.children() {
            self.check_children(node, children, rule);
        }
        if rule.support == Support::NotYet {
            // What stands in it goes without saying.
            self.not_yet.truncate(noted);
        }
    }

    /// Notes what has no effect yet.
    fn note_support(&mut self, node: &KdlNode, rule: &'static NodeRule) {
        let name = node.name().value();
        match rule.support {
            Support::Full => {}
            Support::NotYet => {
                self.not_yet.push(Spanned::new(format!("`{name}`"), node_place(self.source, node)));
            }
        }
    }

    fn check_children(&mut self, node: &KdlNode, children: &KdlDocument, rule: &'static NodeRule) {
        match rule.block {
            Block::Nodes(rules) => self.check_block(children, rules, &format!("`{}`", node.name().value())),
            Block::Free(each) => self.check_free_block(children, each, node.name().value()),
            Block::None if children.nodes().is_empty() => {}
            Block::None => {
                let help = "take its block away: is a `}` missing before it?".to_owned();
                self.report_too_much(node, "no block", help, node_place(self.source, node));
            }
        }
    }

    fn check_free_block(&mut self, children: &KdlDocument, each: &'static NodeRule, place: &str) {
        let mut first: HashMap<&str, &KdlNode> = HashMap::new();
        for node in children.nodes() {
            if let Some(earlier) = first.insert(node.name().value(), node) {
                self.report_repeated(node, earlier, &format!("`{place}`"));
            }
            self.check_node(node, each);
        }
    }

    fn check_arguments(&mut self, node: &KdlNode, rule: &'static NodeRule) {
        let mut given = node.entries().iter().filter(|entry| entry.name().is_none()).peekable();
        for argument in rule.arguments {
            let (least, most) = argument.count;
            let mut taken = 0;
            while most.is_none_or(|most| taken < most) {
                let Some(entry) = given.next() else { break };
                self.check_value(
                    entry,
                    argument.kind,
                    &format!("the {} of `{}`", argument.name, node.name().value()),
                );
                taken += 1;
            }
            if taken < least {
                self.report_missing_argument(node, argument);
            }
        }
        if let Some(entry) = given.next() {
            let limit = match rule.arguments {
                [] => "no argument".to_owned(),
                arguments => format!("only {}", list_arguments(arguments)),
            };
            let help = "take it away, or is a property's name missing before it?".to_owned();
            self.report_too_much(node, &limit, help, entry_place(self.source, entry));
        }
    }

    fn report_missing_argument(&mut self, node: &KdlNode, argument: &ArgumentRule) {
        let name = node.name().value();
        let problem = ManifestProblem::Missing {
            node: format!("`{name}`"),
            what: describe_argument(argument),
            example: format!("{name} {}", example(argument.kind)),
        };
        self.errors.push(Located::new(problem, "it is missing here", node_place(self.source, node)));
    }

    fn check_properties(&mut self, node: &KdlNode, rule: &'static NodeRule) {
        for entry in node.entries() {
            let Some(name) = entry.name().map(|name| name.value()) else {
                continue;
            };
            match rule.properties.iter().find(|property| property.name == name) {
                Some(property) => {
                    self.check_value(entry, property.kind, &format!("`{name}` of `{}`", node.name().value()));
                }
                None => self.report_unknown_property(node, entry, name, rule),
            }
        }
        for property in rule.properties.iter().filter(|property| property.required) {
            if node.entry(property.name).is_none() {
                self.report_missing_property(node, property);
            }
        }
    }

    fn report_unknown_property(
        &mut self,
        node: &KdlNode,
        entry: &KdlEntry,
        name: &str,
        rule: &'static NodeRule,
    ) {
        let known = rule.properties.iter().map(|property| property.name);
        let help = if rule.properties.is_empty() {
            "it takes no properties; what belongs to it stands in its block or as an argument".to_owned()
        } else {
            other_word(name, known.clone()).unwrap_or_else(|| suggestion(name, "its properties", known))
        };
        let node = node.name().value().to_owned();
        let problem = ManifestProblem::UnknownProperty { name: name.to_owned(), node, help };
        self.errors.push(Located::new(problem, "not known", entry_place(self.source, entry)));
    }

    fn report_missing_property(&mut self, node: &KdlNode, property: &PropertyRule) {
        let name = node.name().value();
        let problem = ManifestProblem::Missing {
            node: format!("`{name}`"),
            what: format!("the property `{}` ({})", property.name, property.kind.description()),
            example: format!("{name} {}={}", property.name, example(property.kind)),
        };
        self.errors.push(Located::new(problem, "it is missing here", node_place(self.source, node)));
    }

    fn report_too_much(&mut self, node: &KdlNode, limit: &str, help: String, place: crate::text::Place) {
        let problem =
            ManifestProblem::TooMuch { node: node.name().value().to_owned(), limit: limit.to_owned(), help };
        self.errors.push(Located::new(problem, "this is more", place));
    }

    fn check_value(&mut self, entry: &KdlEntry, kind: ValueKind, what: &str) {
        let place = entry_place(self.source, entry);
        if let Some(annotation) = entry.ty() {
            let takes_variable = matches!(kind, ValueKind::Text | ValueKind::Path | ValueKind::Spelling);
            if annotation.value() != "env" || !takes_variable || entry.value().as_string().is_none() {
                let problem = ManifestProblem::Annotation { name: annotation.value().to_owned() };
                self.errors.push(Located::new(problem, "here", place));
            }
            return;
        }
        if let Some(mut problem) = wrong(entry, kind, what) {
            if what == "the name of `package`" {
                suggest_packages(&mut problem);
            }
            self.errors.push(Located::new(problem, "this value", place));
        }
    }
}

/// Says what is written where a package is called by the path of its spec, or by a pattern.
fn suggest_packages(problem: &mut ManifestProblem) {
    let ManifestProblem::WrongValue { written, help, .. } = problem else { return };
    if is_pattern(written) {
        *help = format!("`packages \"{written}\"` makes a package of each spec that matches");
    } else if written.ends_with(".spec") {
        *help = format!("write `package NAME {{ source path \"{written}\" }}`");
    }
}

/// What to write for a word that is called otherwise here.
fn other_word(written: &str, mut known: impl Iterator<Item = &'static str>) -> Option<String> {
    let (_, here) = OTHER_WORDS.iter().find(|(word, _)| *word == written)?;
    let is_known = known.any(|word| word == *here);
    is_known.then(|| match *here {
        "on" => "settings for some chroots stand in `on \"CHROOT\" { … }`".to_owned(),
        "even-if-failed" => "write `even-if-failed=#true`".to_owned(),
        here => format!("write `{here}`"),
    })
}

/// What is wrong with a value, if anything.
fn wrong(entry: &KdlEntry, kind: ValueKind, what: &str) -> Option<ManifestProblem> {
    let written = spelling(entry);
    let mismatch = |help: String| {
        let (what, wanted) = (what.to_owned(), kind.description());
        Some(ManifestProblem::WrongValue { what, wanted, written: written.clone(), help })
    };
    match (kind, entry.value()) {
        (ValueKind::Spelling, _) | (ValueKind::Boolean, KdlValue::Bool(_)) => None,
        (ValueKind::Boolean, _) => mismatch("KDL 2 writes `#true` and `#false`".to_owned()),
        (ValueKind::Count, KdlValue::Integer(number)) if u32::try_from(*number).is_ok() => None,
        (ValueKind::Count, _) => mismatch("write a number from 0 on, without quotes".to_owned()),
        (ValueKind::Number, KdlValue::Integer(number)) if (1..=i128::from(u32::MAX)).contains(number) => None,
        (ValueKind::Number, _) => mismatch("write a number from 1 on, without quotes".to_owned()),
        (_, KdlValue::String(text)) => wrong_text(text, kind, what),
        (ValueKind::Duration, _) => mismatch(format!("write it with its unit, in quotes: \"{written}m\"")),
        (ValueKind::Age, _) => mismatch(format!("write it with its unit, in quotes: \"{written}d\"")),
        (ValueKind::Size, _) => mismatch(format!("write it with its unit, in quotes: \"{written}GiB\"")),
        _ => mismatch(format!("write it in quotes: \"{written}\"")),
    }
}

fn wrong_text(text: &str, kind: ValueKind, what: &str) -> Option<ManifestProblem> {
    let mismatch = |help: String| {
        let wanted = kind.description();
        Some(ManifestProblem::WrongValue { what: what.to_owned(), wanted, written: text.to_owned(), help })
    };
    match kind {
        ValueKind::Name if !is_name(text) => {
            mismatch("it begins with a letter or digit, and has no spaces or slashes".to_owned())
        }
        ValueKind::Duration => wrong_duration(text, LONGEST),
        ValueKind::Age if text == FOREVER => None,
        ValueKind::Age => wrong_duration(text, LONGEST_AGE),
        ValueKind::Size => {
            let reason = parse_size(text).err()?.to_string();
            Some(ManifestProblem::BadSize { written: text.to_owned(), reason })
        }
        ValueKind::OneOf(words) if !words.contains(&text) => {
            mismatch(suggestion(text, "possible here", words.iter().copied()))
        }
        ValueKind::Glob => {
            let error = GlobBuilder::new(text).literal_separator(true).build().err()?;
            Some(ManifestProblem::BadGlob { written: text.to_owned(), reason: error.kind().to_string() })
        }
        ValueKind::Sha256 if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            mismatch("`sha256sum FILE` prints it".to_owned())
        }
        ValueKind::Arch if !Architecture::known().any(|known| known == text) => {
            mismatch(suggestion(text, "architectures", Architecture::known()))
        }
        ValueKind::RpmVersion => match check_dialect(text) {
            Ok(version) if version.branch() <= RpmVersion::NEWEST.branch() => None,
            Ok(_) => mismatch(format!(
                "the newest language that this forge knows is that of rpm {}",
                RpmVersion::NEWEST
            )),
            Err(problem) => mismatch(problem.help().map(|help| help.to_string()).unwrap_or_default()),
        },
        ValueKind::Path if text.is_empty() || text.contains('\0') => {
            mismatch("name a file or folder".to_owned())
        }
        ValueKind::Path
        | ValueKind::Name
        | ValueKind::Text
        | ValueKind::Count
        | ValueKind::Number
        | ValueKind::Boolean
        | ValueKind::OneOf(_)
        | ValueKind::Arch
        | ValueKind::Sha256
        | ValueKind::Spelling => None,
    }
}

/// Longer than a year is no time limit but a mistake, and would overflow what adds to it.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(366 * 24 * 3600);

/// How long something stays that has an end: long enough for what people live to see, and short enough to be added to.
const LONGEST_AGE: std::time::Duration = std::time::Duration::from_secs(100 * 366 * 24 * 3600);

fn wrong_duration(text: &str, longest: std::time::Duration) -> Option<ManifestProblem> {
    let reason = match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => "it is zero".to_owned(),
        Ok(duration) if duration > longest && longest == LONGEST => "it is longer than a year".to_owned(),
        Ok(duration) if duration > longest => "it is longer than a hundred years: write `forever`".to_owned(),
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    Some(ManifestProblem::BadDuration { written: text.to_owned(), reason })
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    text.starts_with(char::is_alphanumeric) && text.chars().all(allowed) && text.len() <= 255
}

fn example(kind: ValueKind) -> String {
    match kind {
        ValueKind::Name => "NAME".to_owned(),
        ValueKind::Text | ValueKind::Spelling => "\"…\"".to_owned(),
        ValueKind::Glob => "\"*\"".to_owned(),
        ValueKind::Path => "\"path/to/it\"".to_owned(),
        ValueKind::Duration => "\"90m\"".to_owned(),
        ValueKind::Age => "\"14d\"".to_owned(),
        ValueKind::Size => "\"8GiB\"".to_owned(),
        ValueKind::Count | ValueKind::Number => "1".to_owned(),
        ValueKind::Boolean => "#true".to_owned(),
        ValueKind::OneOf(words) => words.first().copied().unwrap_or_default().to_owned(),
        ValueKind::RpmVersion => "\"4.18\"".to_owned(),
        ValueKind::Arch => "x86_64".to_owned(),
        ValueKind::Sha256 => "\"0123…\"".to_owned(),
    }
}

/// What an argument is called, and what it must be where its name does not say so.
fn describe_argument(argument: &ArgumentRule) -> String {
    let name = with_article(argument.name);
    let description = argument.kind.description();
    if description.starts_with(&name) { name } else { format!("{name} ({description})") }
}

fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']) && !noun.starts_with("ur");
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn list_arguments(arguments: &[ArgumentRule]) -> String {
    arguments.iter().map(|argument| with_article(argument.name)).collect::<Vec<_>>().join(" and ")
}
