//! Writes the text of a spec.

use std::fmt::Write;

use super::text::{one_line, paragraphs};

/// The column that values of tags begin in.
const VALUES_AT: usize = 16;
/// rpmlint finds a summary of 80 too long.
const SUMMARY_LENGTH: usize = 79;
const DESCRIPTION_LENGTH: usize = 2000;

/// A spec that is being written. What is given to [`summary`](Self::summary) and [`description`](Self::description) may be
/// strangers' text; all else is the caller's own, or was found to be plain.
#[derive(Clone, Debug, Default)]
pub struct SpecWriter {
    text: String,
}

impl SpecWriter {
    /// A tag of the preamble.
    pub fn tag(&mut self, name: &str, value: &str) -> &mut Self {
        let begin = format!("{name}:");
        self.line(&format!("{begin:<VALUES_AT$}{value}"))
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) -> &mut Self {
        // Writing into a text can't fail.
        let _ = writeln!(self.text, "{line}");
        self
    }

    /// The begin of a section, after an empty line.
    pub fn section(&mut self, head: &str) -> &mut Self {
        self.line("").line(head)
    }

    /// `Summary`, from a stranger's text.
    pub fn summary(&mut self, text: &str, otherwise: &str) -> &mut Self {
        let line = summary(text, otherwise);
        self.tag("Summary", &line)
    }

    /// The text of `%description`, from a stranger's.
    pub fn description(&mut self, text: &str, otherwise: &str) -> &mut Self {
        let text = match paragraphs(text, DESCRIPTION_LENGTH) {
            empty if empty.is_empty() => otherwise.to_owned(),
            text => text,
        };
        let end = if text.ends_with(['.', '!', '?', ':', ')']) { "" } else { "." };
        self.line(&(text + end))
    }

    /// The spec.
    pub fn finish(self) -> String {
        self.text
    }
}

/// A summary as rpmlint likes it: short, with a capital, without a full stop.
fn summary(text: &str, otherwise: &str) -> String {
    let line = one_line(text, SUMMARY_LENGTH);
    let line = line.trim_end_matches(['.', ' ']);
    let mut letters = line.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_aligned_and_summaries_are_as_they_should_be() {
        let mut spec = SpecWriter::default();
        spec.tag("Name", "x")
            .summary("a thing.\n%post", "X")
            .section("%description")
            .description("", "A thing");
        assert_eq!(
            spec.finish(),
            "Name:           x\nSummary:        A thing. post\n\n%description\nA thing.\n"
        );
    }
}
