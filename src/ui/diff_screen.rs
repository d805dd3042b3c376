//! What differs between two packages, as a person wants to read it.

use crate::package::{ContentChange, Difference, ScriptChange, TagChange};

use super::words::count;

/// How long a value may be before only its length is shown.
const LONGEST: usize = 100;

/// The difference in lines; `all` shows what only says when and where a package was built, too.
pub fn diff_screen(difference: &Difference, before: &str, after: &str, all: bool) -> String {
    let mut screen = Screen(String::new());
    screen.write_text(&format!(
        "\x1b[1m--- {}\x1b[0m\n\x1b[1m+++ {}\x1b[0m\n",
        replace_controls(before),
        replace_controls(after)
    ));
    let start = screen.0.len();
    screen.tags(difference, all);
    for change in &difference.dependencies {
        screen.write_heading(&change.kind);
        change.removed.iter().for_each(|dependency| screen.write_removed(dependency));
        change.added.iter().for_each(|dependency| screen.write_added(dependency));
    }
    difference.scripts.iter().for_each(|change| screen.script(change));
    screen.files(difference, all);
    if let Some(payload) = &difference.payload {
        screen.write_heading("payload, uncompressed (SHA-256)");
        screen.write_removed(&payload.before);
        screen.write_added(&payload.after);
    }
    let hidden = hidden(difference);
    if screen.0.len() == start {
        screen.write_text(match hidden {
            0 => "they are the same\n",
            _ => "they are the same but for when, where and by what they were built\n",
        });
    } else if hidden > 0 && !all {
        let hidden = count(hidden, "difference");
        screen.write_text(&format!("\n{hidden} of time, place and rpm version not shown (--all)\n"));
    }
    screen.0
}

/// How much only says when, where and by what the packages were built.
fn hidden(difference: &Difference) -> usize {
    let files = difference.files.changed.iter().flat_map(|file| &file.attributes);
    let tags = difference.tags.iter().filter(|change| change.volatile).count();
    tags + files.filter(|change| change.volatile).count()
}

struct Screen(String);

impl Screen {
    fn write_text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn write_heading(&mut self, text: &str) {
        self.write_text(&format!("\x1b[36m@@ {} @@\x1b[0m\n", replace_controls(text)));
    }

    fn write_removed(&mut self, text: &str) {
        self.write_text(&format!("\x1b[31m- {}\x1b[0m\n", replace_controls(text)));
    }

    fn write_added(&mut self, text: &str) {
        self.write_text(&format!("\x1b[32m+ {}\x1b[0m\n", replace_controls(text)));
    }

    fn tags(&mut self, difference: &Difference, all: bool) {
        let wanted: Vec<&TagChange> =
            difference.tags.iter().filter(|change| all || !change.volatile).collect();
        if wanted.is_empty() {
            return;
        }
        self.write_heading("header");
        for change in wanted {
            let join = |value: &Option<Vec<String>>| value.as_ref().map(|value| value.join(", "));
            let (before, after) = (join(&change.before), join(&change.after));
            let same =
                same_start(before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
            let line = |value: &str| format!("{}: {}", change.tag, shorten(value, same));
            before.iter().for_each(|value| self.write_removed(&line(value)));
            after.iter().for_each(|value| self.write_added(&line(value)));
        }
    }

    /// Lines that only one of the scripts has; those of both stand around them.
    fn script(&mut self, change: &ScriptChange) {
        self.write_heading(&format!("script {}", change.script));
        let lines = |script: &Option<String>| -> Vec<String> {
            script.iter().flat_map(|script| script.lines().map(str::to_owned)).collect()
        };
        let (before, after) = (lines(&change.before), lines(&change.after));
        let same = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
        let ends = before.iter().rev().zip(after.iter().rev());
        let shorter = before.len().min(after.len()) - same;
        let same_end = ends.take_while(|(old, new)| old == new).count().min(shorter);
        let middle = |lines: &[String]| lines.get(same..lines.len() - same_end).unwrap_or_default().to_vec();
        middle(&before).iter().for_each(|line| self.write_removed(line));
        middle(&after).iter().for_each(|line| self.write_added(line));
    }

    fn files(&mut self, difference: &Difference, all: bool) {
        let files = &difference.files;
        let is_wanted = |volatile: bool| all || !volatile;
        let changed: Vec<_> = files
            .changed
            .iter()
            .filter(|file| file.attributes.iter().any(|change| is_wanted(change.volatile)))
            .collect();
        if files.removed.is_empty() && files.added.is_empty() && changed.is_empty() {
            return;
        }
        self.write_heading("files");
        files.removed.iter().for_each(|path| self.write_removed(path));
        files.added.iter().for_each(|path| self.write_added(path));
        for file in changed {
            self.write_text(&format!("  {}\n", replace_controls(&file.path)));
            for change in file.attributes.iter().filter(|change| is_wanted(change.volatile)) {
                let same = same_start(&change.before, &change.after);
                let line = |value: &str| format!("    {}: {}", change.attribute, shorten(value, same));
                self.write_removed(&line(&change.before));
                self.write_added(&line(&change.after));
            }
            file.contents.iter().for_each(|change| self.content(change));
        }
    }

    /// What differs within a file.
    fn content(&mut self, change: &ContentChange) {
        let way = change.within.iter().map(|name| format!("{name} → ")).collect::<String>();
        self.write_text(&format!("    {}:\n", replace_controls(&format!("{way}{}", change.what))));
        for line in change.before.iter().flat_map(|text| text.lines()) {
            self.write_removed(&format!("      {line}"));
        }
        for line in change.after.iter().flat_map(|text| text.lines()) {
            self.write_added(&format!("      {line}"));
        }
    }
}

/// How many characters two values begin with that are the same.
fn same_start(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

/// How much of what is the same is shown before what differs.
const SAME_SHOWN: usize = 20;

/// A value that is not too long to be read: of a long one the part where it begins to differ, after `same` characters.
fn shorten(text: &str, same: usize) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let skipped = if same < LONGEST - SAME_SHOWN { 0 } else { same - SAME_SHOWN };
    let part: String = text.chars().skip(skipped).take(LONGEST).collect();
    let before = if skipped > 0 { "…" } else { "" };
    let after = if text.chars().count() > skipped + LONGEST { "…" } else { "" };
    format!("{before}{part}{after} ({} bytes)", text.len())
}

/// What a package says can't move the cursor.
fn replace_controls(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_where_they_begin_to_differ() {
        let long = |end: &str| format!("{}{end}", "a".repeat(150));
        let (one, other) = (long("one"), long("two"));
        let same = same_start(&one, &other);
        assert_eq!(shorten(&one, same), format!("…{}one (153 bytes)", "a".repeat(20)));
        assert_eq!(shorten(&other, same), format!("…{}two (153 bytes)", "a".repeat(20)));
        assert_eq!(shorten(&one, 3), format!("{}… (153 bytes)", "a".repeat(100)));
        assert_eq!(shorten("short", 3), "short");
    }
}
