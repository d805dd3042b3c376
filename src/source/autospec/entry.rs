//! Entries of a changelog, and how commits become some.

use super::wrap::wrap;

/// An entry of a changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryEntry {
    /// All that came before, as a file `changelog` has it.
    Text(String),
    /// A commit.
    Commit {
        /// When it was taken in, in seconds since 1970.
        seconds: i64,
        /// Who wrote it.
        author: String,
        /// `VERSION-RELEASE`; nothing where the spec can't be read.
        version_release: Option<String>,
        /// What is told of it.
        items: Vec<String>,
    },
}

impl HistoryEntry {
    /// As it stands in a spec.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Commit { seconds, author, version_release, items } => {
                let date = jiff::Timestamp::from_second(*seconds).unwrap_or_default();
                let date = date.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a %b %d %Y").to_string();
                let version =
                    version_release.as_ref().map(|version| format!(" - {version}")).unwrap_or_default();
                let items: Vec<String> = items.iter().map(|item| wrap(&format!("- {item}"))).collect();
                format!("* {date} {author}{version}\n{}", items.join("\n"))
            }
        }
    }
}

/// What a message is still about, line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MessagePart {
    BeforeSubject,
    Subject,
    BeforeBody,
    /// The subject goes on behind an ellipsis.
    Continuation,
    Body,
}

/// What is told of a commit: its subject, and the items of a list that follows.
pub(super) fn message_items(message: &str) -> Vec<String> {
    let mut items: Vec<Vec<String>> = vec![Vec::new()];
    let mut part = MessagePart::BeforeSubject;
    for line in message.split('\n') {
        // A macro in a changelog would be expanded.
        let line = line.replace('%', "%%");
        let mut line = line.trim();
        if part == MessagePart::BeforeSubject {
            if line.is_empty() {
                continue;
            }
            part = MessagePart::Subject;
            line = without_dash(line);
        }
        if part == MessagePart::Subject {
            if !line.is_empty() {
                add_line(&mut items, line);
                continue;
            }
            part = MessagePart::BeforeBody;
        }
        if part == MessagePart::BeforeBody {
            if line.is_empty() {
                continue;
            }
            if let Some(rest) = after_ellipsis(line) {
                part = MessagePart::Continuation;
                add_line(&mut items, rest);
                continue;
            }
            if !line.starts_with('-') {
                break;
            }
            part = MessagePart::Body;
        }
        if part == MessagePart::Continuation {
            if !line.is_empty() && !line.starts_with('-') {
                add_line(&mut items, line);
                continue;
            }
            part = MessagePart::Body;
        }
        if line.is_empty() {
            break;
        }
        if line.starts_with('-') {
            items.push(Vec::new());
        }
        add_line(&mut items, without_dash(line));
    }
    items.into_iter().map(|lines| lines.join(" ")).collect()
}

fn add_line(items: &mut [Vec<String>], line: &str) {
    if let Some(last) = items.last_mut() {
        last.push(line.to_owned());
    }
}

fn without_dash(line: &str) -> &str {
    line.strip_prefix('-').map_or(line, str::trim_start)
}

fn after_ellipsis(line: &str) -> Option<&str> {
    let dots = line.trim_start_matches('.');
    let rest = if line.len() - dots.len() >= 3 { dots } else { line.trim_start_matches('…') };
    (rest.len() < line.len() && (line.starts_with("...") || line.starts_with('…'))).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_its_continuation_and_a_list_are_told_and_other_text_is_not() {
        assert_eq!(message_items("- Fix 50% of\nit\n\nprose\n- no"), ["Fix 50%% of it"]);
        assert_eq!(
            message_items("Fix\n\n... and more\nof it\n- one\n  two\n- three\n\n- no"),
            ["Fix and more of it", "one two", "three"]
        );
        assert_eq!(message_items("Fix\n\n…this\n\n- no"), ["Fix this"]);
    }
}
