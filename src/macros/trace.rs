//! What `%trace` shows: each call before it is expanded, and what came of it.

use super::call::{self, Call, slice};
use super::language::Language;

impl Language {
    /// Shows a call that is about to be expanded.
    pub fn trace_call(&self, text: &[u8], percent: usize) {
        let depth = self.depth.get() - 1;
        let (_, length) = call::read(text, percent);
        let (called, rest) =
            (slice(text, percent, percent + length), slice(text, percent + length, text.len()));
        let rest = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut line = format!("{depth:3}>{:1$}", "", 2 * depth + 1).into_bytes();
        line.extend([called, b"^", rest, b"\n"].concat());
        self.host.trace(&line);
    }

    /// Shows what came of a call; of one that failed, even without `%trace` where every detail is wanted.
    pub fn trace_result(&self, text: &[u8], percent: usize, result: &[u8], has_failed: bool) {
        let is_shown = self.is_traced.get() || (has_failed && self.host.is_verbose());
        if !is_shown {
            return;
        }
        let depth = self.depth.get() - 1;
        let name = match call::read(text, percent).0 {
            Call::Named(named) if !named.is_test => named.name,
            _ => b"",
        };
        let mut line = format!("{depth:3}<{:1$}(%", "", 2 * depth + 2).into_bytes();
        line.extend([name, b")\n"].concat());
        if !result.is_empty() {
            line.extend([result, b"\n"].concat());
        }
        self.host.trace(&line);
    }
}
