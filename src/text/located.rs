//! An error of any module, together with the place in a text that it is about.

use std::fmt;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::Place;

/// A second place that belongs to an error: the other declaration, the next edge of a cycle.
#[derive(Clone, Debug)]
pub struct Note {
    /// What the reader should see there.
    pub label: String,
    /// Where.
    pub place: Place,
}

/// `error` at a place, shown by miette with an excerpt of the text around it.
///
/// The error says what is wrong, its code and its help; this says where, so that no module repeats spans
/// and source texts in each of its variants.
#[derive(Debug)]
pub struct Located<E> {
    error: E,
    places: Box<Places>,
}

#[derive(Debug)]
struct Places {
    main: Note,
    notes: Vec<Note>,
    elsewhere: Vec<Elsewhere>,
}

impl<E> Located<E> {
    /// `error` at `place`, where the excerpt says `label`.
    pub fn new(error: E, label: impl Into<String>, place: Place) -> Self {
        let main = Note { label: label.into(), place };
        Self { error, places: Box::new(Places { main, notes: Vec::new(), elsewhere: Vec::new() }) }
    }

    /// Points at one more place, in this text or in another.
    pub fn with_note(mut self, label: impl Into<String>, place: Place) -> Self {
        let note = Note { label: label.into(), place };
        if note.place.same_source(&self.places.main.place) {
            self.places.notes.push(note);
        } else {
            self.places.elsewhere.push(Elsewhere(note));
        }
        self
    }

    /// The same places with another error.
    pub fn map<F>(self, change: impl FnOnce(E) -> F) -> Located<F> {
        Located { error: change(self.error), places: self.places }
    }

    /// What is wrong.
    pub fn error(&self) -> &E {
        &self.error
    }

    /// Where it is wrong.
    pub fn place(&self) -> &Place {
        &self.places.main.place
    }
}

impl<E: fmt::Display> fmt::Display for Located<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E: std::error::Error> std::error::Error for Located<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl<E: Diagnostic> Diagnostic for Located<E> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.error.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        excerpt(&self.places.main)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let notes = std::iter::once(&self.places.main).chain(&self.places.notes);
        Some(Box::new(notes.map(label_span)))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.places.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.places.elsewhere.iter().map(|note| note as &dyn Diagnostic)))
    }
}

/// A note whose place lies in another text than the error's own.
#[derive(Debug)]
struct Elsewhere(Note);

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.label)
    }
}

impl std::error::Error for Elsewhere {}

impl Diagnostic for Elsewhere {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        excerpt(&self.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(label_span(&self.0))))
    }
}

fn excerpt(note: &Note) -> Option<&dyn SourceCode> {
    (!note.place.source.text.is_empty()).then_some(&note.place as &dyn SourceCode)
}

fn label_span(note: &Note) -> LabeledSpan {
    let span = note.place.span();
    let mut length = span.end.saturating_sub(span.start);
    if length > LONGEST_EXCERPT {
        let end = floor_boundary(note.place.source.text(), span.start + SHORT_EXCERPT);
        length = end.saturating_sub(span.start);
    }
    LabeledSpan::new(Some(note.label.clone()), span.start, length)
}

impl SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.source.shown.read_span(span, lines_before, lines_after)?;
        if inner.data().len() > LONGEST_EXCERPT {
            return Ok(Box::new(self.part_of_line(span, inner.line_count())));
        }
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

/// How much text an excerpt may show, in bytes: a line of megabytes would hide what is said of it.
const LONGEST_EXCERPT: usize = 4096;

/// How much of a longer one is shown before and behind a place, and of the place itself.
const SHORT_EXCERPT: usize = 60;

impl Place {
    /// What stands around a place in its own line.
    fn part_of_line(&self, span: &SourceSpan, line_count: usize) -> MietteSpanContents<'_> {
        let text = self.source.text();
        let begin = floor_boundary(text, span.offset().saturating_sub(SHORT_EXCERPT));
        let end = floor_boundary(text, span.offset() + span.len().min(SHORT_EXCERPT) + SHORT_EXCERPT);
        let before = text.get(begin..span.offset()).unwrap_or_default();
        let begin = before.rfind('\n').map_or(begin, |at| begin + at + 1);
        let behind = text.get(span.offset()..end).unwrap_or_default();
        let end = behind.find('\n').map_or(end, |at| span.offset() + at);
        let line = self.source.line_of(begin) - 1;
        let line_start = text.get(..begin).unwrap_or_default().rfind('\n').map_or(0, |at| at + 1);
        let data = text.as_bytes().get(begin..end).unwrap_or_default();
        let shown = SourceSpan::from((begin, end - begin));
        let name = self.source.name.clone();
        MietteSpanContents::new_named(name, data, shown, line, begin - line_start, line_count)
    }
}

/// The last place at or before `at` where a character begins.
fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
