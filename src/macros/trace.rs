//! What `%trace` shows, as rpm lays it out: each call before it is expanded, with what follows it on its line, and what came of
//! each text when all of its calls are expanded.

use bstr::ByteSlice;

use super::call::{self, Call, slice};
use super::language::Language;

/// A text whose calls are being expanded.
pub(super) struct TracedText<'t> {
    pub text: &'t [u8],
    /// Where what is shown of it begins in what it has come to.
    pub shown_from: usize,
    /// Where its last call by name begins.
    pub last_named: Option<usize>,
}

impl<'t> TracedText<'t> {
    /// A text that nothing is expanded of; what it comes to will stand behind `begin`.
    pub fn new(text: &'t [u8], begin: usize) -> Self {
        Self { text, shown_from: begin, last_named: None }
    }
}

impl Language {
    /// From now on calls are shown: those of this text, or of all texts, if it is an outermost one.
    pub fn begin_trace(&self) {
        self.is_traced.set(true);
        if self.depth.get() == 1 {
            self.traces_all.set(true);
        }
    }

    /// Shows a call that is about to be expanded, and takes note of it.
    pub fn trace_call(&self, traced: &mut TracedText<'_>, percent: usize, begin: usize) {
        let text = traced.text;
        let (call, length) = call::read(text, percent);
        let end = percent + length;
        let called = slice(text, percent + 1, end);
        let called = match call {
            Call::Sign { .. } | Call::Unterminated(_) => return,
            Call::Shell(_) | Call::Expression(_) => called,
            // Before a bare name `?` and `!` are gone.
            Call::Named(_) => called.trim_start_with(|c| matches!(c, '?' | '!')),
        };
        let depth = self.depth.get();
        if depth > 1 {
            // Of the outermost text all is shown, of others what came of the last call and what stands behind it.
            traced.shown_from = begin;
        }
        // As rpm has it, without the character that stands next to the call.
        let line = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let rest = slice(text, end, text.len()).split(line).next().unwrap_or_default();
        let rest = slice(rest, 1, rest.len());
        let mut shown = format!("{depth:3}>{:1$}%", "", 2 * depth + 1).into_bytes();
        shown.extend([called, b"^", rest, b"\n"].concat());
        self.host.trace(&shown);
    }

    /// Shows what came of a text.
    pub fn trace_result(&self, traced: &TracedText<'_>, out: &[u8]) {
        let depth = self.depth.get().saturating_sub(1);
        let name = match traced.last_named.map(|percent| call::read(traced.text, percent).0) {
            Some(Call::Named(named)) if self.is_defined(named.name) => named.name,
            _ => b"",
        };
        let mut shown = format!("{depth:3}<{:1$} (%", "", 2 * depth + 1).into_bytes();
        shown.extend([name, b")\n"].concat());
        let result = slice(out, traced.shown_from, out.len());
        if !result.is_empty() {
            let result = result.trim_end_with(|c| matches!(c, '\n' | '\r'));
            let last = result.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            shown.extend([if depth > 0 { last } else { result }, b"\n"].concat());
        }
        self.host.trace(&shown);
    }
}
