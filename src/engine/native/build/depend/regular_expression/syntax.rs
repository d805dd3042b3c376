//! What an expression consists of, and what characters its classes have.

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
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
pub(super) enum Edge {
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
pub(super) struct Set {
    pub(super) is_negated: bool,
    pub(super) items: Vec<SetItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetItem {
    Range(char, char),
    Class(Class),
}

/// `[:alpha:]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
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
pub(in super::super) enum Malformed {
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

impl Class {
    /// Whether a character is of it, in the locale C.UTF-8.
    pub(super) fn contains(self, character: char) -> bool {
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
    pub(super) fn contains(&self, character: char) -> bool {
        let is_listed = self.items.iter().any(|item| match *item {
            SetItem::Range(first, last) => (first..=last).contains(&character),
            SetItem::Class(class) => class.contains(character),
        });
        is_listed != self.is_negated
    }
}

/// Whether a character can be part of a word, as `\w` and `\<` have it.
pub(super) fn is_of_word(character: char) -> bool {
    character == '_' || Class::Alnum.contains(character)
}
