//! A spec as a person wants to read it.

use super::spec_document::{DependencyLine, PackageContents, ScriptLine, SourceLine, SpecContents};
use super::words::count;

/// Bits of scripts' own needs: they go without saying.
const INTERPRETER: u32 = 1 << 8;
const RPMLIB: u32 = 1 << 24;

/// How far names of things stand before the things.
const WIDTH: usize = 14;

/// The spec in lines.
pub fn spec_screen(spec: &SpecContents, file: &str) -> String {
    let mut screen = Screen { text: String::new(), indent: "  " };
    screen.write_heading(&format!("{} {}", spec.name, spec.evr), &format!(" for {} · {file}", spec.target));
    screen.line("license", &spec.license);
    for (what, list) in [
        ("build for", &spec.build_archs),
        ("only on", &spec.exclusive_arch),
        ("not on", &spec.exclude_arch),
        ("only for", &spec.exclusive_os),
        ("not for", &spec.exclude_os),
    ] {
        screen.line(what, &list.join(" "));
    }
    screen.list("sources", spec.sources.iter().map(source));
    screen.list("patches", spec.patches.iter().map(source));
    screen.list("built with", spec.build_requires.iter().map(|line| line.dependency.clone()));
    screen.list("not with", spec.build_conflicts.iter().map(|line| line.dependency.clone()));
    screen.list("scripts", spec.scripts.iter().map(|script| summary(script, file)));
    for package in &spec.packages {
        screen.package(package, file);
    }
    if let Some(change) = spec.changes.first() {
        let changes = count(spec.changes.len(), "change");
        screen.text.push_str(&replace_controls(&format!("\n{changes}, the newest by {}\n", change.name)));
    }
    screen.text
}

struct Screen {
    text: String,
    indent: &'static str,
}

impl Screen {
    /// A line in bold letters, and what follows in plain ones.
    fn write_heading(&mut self, title: &str, rest: &str) {
        self.text.push_str(&format!("\x1b[1m{}\x1b[0m{}\n", replace_controls(title), replace_controls(rest)));
    }

    /// `what  value`; nothing where there is no value.
    fn line(&mut self, what: &str, value: &str) {
        if !value.is_empty() {
            self.text.push_str(&format!("{}{what:<WIDTH$}{}\n", self.indent, replace_controls(value)));
        }
    }

    /// The same with a line for each value; what they are is said once.
    fn list(&mut self, what: &str, values: impl Iterator<Item = String>) {
        for (index, value) in values.enumerate() {
            self.line(if index == 0 { what } else { "" }, &value);
        }
    }

    fn package(&mut self, package: &PackageContents, file: &str) {
        let fate = if package.is_built { "" } else { " · not built: no %files" };
        self.text.push('\n');
        self.write_heading(&package.name, &format!(" {} {}{fate}", package.evr, package.arch));
        self.line("summary", &package.summary);
        self.line("url", package.url.as_deref().unwrap_or_default());
        let mut last = "";
        for dependency in package.dependencies.iter().filter(|line| line.events & (INTERPRETER | RPMLIB) == 0)
        {
            let tag = dependency.tag;
            self.line(if tag == last { "" } else { word(tag) }, &show_dependency(dependency));
            last = tag;
        }
        self.list("scripts", package.scripts.iter().map(|script| summary(script, file)));
        self.list("file lists", package.file_lists.iter().cloned());
        self.list("files", package.files.iter().cloned());
    }
}

/// What a spec says, without what would move the cursor of a terminal.
fn replace_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '?' } else { c }).collect()
}

/// What stands before dependencies of a kind.
fn word(tag: &str) -> &str {
    match tag {
        "Requires" => "requires",
        "Provides" => "provides",
        "Conflicts" => "conflicts",
        "Obsoletes" => "obsoletes",
        "Recommends" => "recommends",
        "Suggests" => "suggests",
        "Supplements" => "supplements",
        "Enhances" => "enhances",
        "OrderWithRequires" => "after",
        other => other,
    }
}

/// A dependency, and when it counts.
fn show_dependency(line: &DependencyLine) -> String {
    const EVENTS: [(u32, &str); 9] = [
        (1 << 9, "pre"),
        (1 << 10, "post"),
        (1 << 11, "preun"),
        (1 << 12, "postun"),
        (1 << 7, "pretrans"),
        (1 << 5, "posttrans"),
        (1 << 20, "preuntrans"),
        (1 << 21, "postuntrans"),
        (1 << 29, "meta"),
    ];
    let events: Vec<&str> =
        EVENTS.iter().filter(|(bit, _)| line.events & bit != 0).map(|(_, name)| *name).collect();
    if events.is_empty() {
        return line.dependency.clone();
    }
    format!("{} ({})", line.dependency, events.join(", "))
}

fn source(line: &SourceLine) -> String {
    let left_out = if line.is_left_out { " · not in the source package" } else { "" };
    format!("{:<3} {}{left_out}", line.number, line.reference)
}

/// `%post · /bin/sh · 3 lines · a.spec:20`
fn summary(script: &ScriptLine, file: &str) -> String {
    let mut parts = vec![format!("%{}", script.kind)];
    if !script.conditions.is_empty() {
        parts.push(format!("-- {}", script.conditions.join(", ")));
    }
    if !script.program.is_empty() {
        parts.push(script.program.join(" "));
    }
    parts.push(count(script.body.lines().count(), "line"));
    let place = &script.place;
    if place.file == file {
        parts.push(format!("line {}", place.line));
    } else {
        parts.push(format!("{}:{}", place.file, place.line));
    }
    parts.join(" · ")
}
