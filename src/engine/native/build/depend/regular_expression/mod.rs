//! POSIX extended regular expressions, as regcomp(3) of the GNU C library takes them: rpm filters dependencies and files with
//! those (`%__requires_exclude`, `%__elf_path`, …).
//!
//! An expression is parsed by glibc's rules, which refuse what others take (`a{x}`, `*a`) and know what others don't
//! (`\<`, `[[=a=]]`). What has no back-references is matched by the crate `regex`, all else by going back.

mod backtrack;
mod parse;
mod syntax;
mod translate;

use std::sync::atomic::{AtomicBool, Ordering};

use bstr::ByteSlice;

pub(super) use syntax::Malformed;

use syntax::Node;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct RegularExpression {
    written: String,
    matcher: Matcher,
    /// Whether a match took too much work.
    has_given_up: AtomicBool,
}

#[derive(Debug)]
enum Matcher {
    Automaton(regex::bytes::Regex),
    Backtracking(Node),
}

impl RegularExpression {
    /// Compiles an expression.
    pub(super) fn new(written: &str) -> Result<Self, Malformed> {
        let parse::Parsed { node, has_back_references } = parse::parse(written)?;
        let matcher = match has_back_references {
            true => Matcher::Backtracking(node),
            false => Matcher::Automaton(translate::compile(&node)?),
        };
        Ok(Self { written: written.to_owned(), matcher, has_given_up: AtomicBool::default() })
    }

    /// Whether it is found anywhere in a text.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        match &self.matcher {
            Matcher::Automaton(regex) => regex.is_match(text),
            Matcher::Backtracking(node) => {
                let found = backtrack::find_match(node, &text.to_str_lossy());
                self.has_given_up.fetch_or(found.is_none(), Ordering::Relaxed);
                found.unwrap_or(false)
            }
        }
    }

    /// The expression, where a match took too much work and its answer is not known.
    pub(super) fn given_up(&self) -> Option<&str> {
        self.has_given_up.load(Ordering::Relaxed).then_some(&self.written)
    }
}

#[cfg(test)]
mod tests;
