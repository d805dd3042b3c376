//! Lines that only one of two texts has.

use similar::{ChangeTag, TextDiff};

/// How many lines of each side are told.
const MOST_LINES: usize = 20;

/// How many characters of a line.
const LONGEST_LINE: usize = 160;

/// How long texts may be, in bytes, to be compared line by line.
const LONGEST_TEXT: usize = 4 << 20;

/// The lines that only the first text has, and those that only the second one has.
pub(super) fn text_change(before: &str, after: &str) -> (Option<String>, Option<String>) {
    if before.len().max(after.len()) > LONGEST_TEXT {
        return (Some(format!("{} bytes", before.len())), Some(format!("{} bytes", after.len())));
    }
    let diff = TextDiff::configure().timeout(std::time::Duration::from_secs(2)).diff_lines(before, after);
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        let line = || cut(change.value().trim_end_matches('\n'));
        match change.tag() {
            ChangeTag::Delete => removed.push(line()),
            ChangeTag::Insert => added.push(line()),
            ChangeTag::Equal => {}
        }
    }
    (join(&removed), join(&added))
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn join(lines: &[String]) -> Option<String> {
    let shown = lines.get(..MOST_LINES.min(lines.len())).unwrap_or_default();
    let more = lines.len().saturating_sub(MOST_LINES);
    let more = (more > 0).then(|| format!("… {more} more"));
    let all: Vec<&str> = shown.iter().map(String::as_str).chain(more.as_deref()).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}
