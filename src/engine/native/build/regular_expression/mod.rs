//! POSIX extended regular expressions, as regcomp(3) of the GNU C library takes them: rpm filters dependencies and files with
//! those (`%__requires_exclude`, `%__elf_path`, …).
//!
//! An expression is parsed by glibc's rules, which refuse what others take (`a{x}`, `*a`) and know what others don't
//! (`\<`, `[[=a=]]`). What has no back-references is matched by the crate `regex`, all else by going back.

mod backtrack;
mod parse;
mod translate;

use std::sync::atomic::{AtomicBool, Ordering};

use bstr::ByteSlice;

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

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Empty,
    Character(char),
    /// `.`
    Any,
    Set(Set),
    Edge(Edge),
    /// In parentheses, numbered from 1.
    Group(usize, Box<Node>),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Repeated {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
    /// `\1`
    SameAs(usize),
}

/// Something without width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// `^`, `` \` ``
    Start,
    /// `$`, `\'`
    End,
    /// `\<`
    WordStart,
    /// `\>`
    WordEnd,
    /// `\b`
    Word,
    /// `\B`
    NotWord,
}

/// `[…]`, `\w`, `\s`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    is_negated: bool,
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Range(char, char),
    Class(Class),
}

/// `[:alpha:]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
}

/// Why something is no expression, in the words of regerror(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("Invalid preceding regular expression")]
    Repetition,
    #[error("Invalid content of \\{{\\}}")]
    Interval,
    #[error("Unmatched \\{{")]
    OpenInterval,
    #[error("Unmatched ( or \\(")]
    OpenGroup,
    #[error("Unmatched [, [^, [:, [., or [=")]
    OpenSet,
    #[error("Invalid range end")]
    Range,
    #[error("Invalid character class name")]
    Class,
    #[error("Invalid collation character")]
    Collation,
    #[error("Invalid back reference")]
    BackReference,
    #[error("Trailing backslash")]
    Backslash,
    #[error("Regular expression too big")]
    TooBig,
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
                let found = backtrack::is_found(node, &text.to_str_lossy());
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

impl Class {
    /// Whether a character is of it, in the locale C.UTF-8.
    fn contains(self, character: char) -> bool {
        let is_print = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
        match self {
            Self::Alnum => character.is_alphanumeric(),
            Self::Alpha if character.is_ascii() => character.is_ascii_alphabetic(),
            // Digits of other scripts are letters to glibc.
            Self::Alpha => character.is_alphanumeric(),
            Self::Blank => {
                matches!(character, ' ' | '\t' | '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{205f}' | '\u{3000}')
            }
            Self::Cntrl => !is_print(character),
            Self::Digit => character.is_ascii_digit(),
            Self::Graph => is_print(character) && !Self::Space.contains(character),
            Self::Lower => character.is_lowercase(),
            Self::Print => is_print(character),
            Self::Punct => Self::Graph.contains(character) && !character.is_alphanumeric(),
            Self::Space => {
                Self::Blank.contains(character) || matches!(character, '\n'..='\r' | '\u{2028}' | '\u{2029}')
            }
            Self::Upper => character.is_uppercase(),
            Self::Xdigit => character.is_ascii_hexdigit(),
        }
    }
}

impl Set {
    fn contains(&self, character: char) -> bool {
        let is_listed = self.items.iter().any(|item| match *item {
            Item::Range(first, last) => (first..=last).contains(&character),
            Item::Class(class) => class.contains(character),
        });
        is_listed != self.is_negated
    }
}

fn is_of_word(character: char) -> bool {
    character == '_' || Class::Alnum.contains(character)
}

#[cfg(test)]
mod tests;
