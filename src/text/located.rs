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
        Some(Box::new(notes.map(labeled)))
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
        Some(Box::new(std::iter::once(labeled(&self.0))))
    }
}

fn excerpt(note: &Note) -> Option<&dyn SourceCode> {
    (!note.place.source.text.is_empty()).then_some(&note.place as &dyn SourceCode)
}

fn labeled(note: &Note) -> LabeledSpan {
    let span = note.place.span();
    LabeledSpan::new(Some(note.label.clone()), span.start, span.end.saturating_sub(span.start))
}

impl SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.source.shown.read_span(span, lines_before, lines_after)?;
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
