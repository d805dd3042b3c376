//! Words and regular expressions that entries of magic(5) search for, so that nothing that file(1) finds is missed.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

/// Shorter words are in nearly all files.
const SHORTEST_WORD: usize = 2;

/// A word that has to be somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// It, in lower case.
    pub(super) lower: Vec<u8>,
    /// It, where its case counts.
    pub(super) exact: Option<Vec<u8>>,
    /// Where it may begin, if not everywhere.
    pub(super) starts: Option<RangeInclusive<usize>>,
}

impl Word {
    /// Whether a file of `content`, which has it at `place` in some case, has it as it is asked for.
    pub(super) fn is_at(&self, content: &[u8], place: usize) -> bool {
        self.starts.as_ref().is_none_or(|starts| starts.contains(&place))
            && self
                .exact
                .as_ref()
                .is_none_or(|exact| content.get(place..).is_some_and(|rest| rest.starts_with(exact)))
    }
}

/// A regular expression.
///
/// It is looked for without regard to case, and to where lines end: file(1) cuts what it searches in many places. A zero
/// byte ends its search; here it is the end of a line.
#[derive(Debug)]
pub(super) struct Expression {
    /// Words in lower case, of which one is in all that it matches; none where there are no such.
    pub(super) words: Vec<Vec<u8>>,
    /// From where it is looked for, if that is known.
    place: Option<usize>,
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Reads an extended regular expression of POSIX; `None` where the parser may read it differently. It is looked for
    /// from `place` on, or anywhere.
    pub(super) fn read(pattern: &[u8], place: Option<usize>) -> Option<Self> {
        let pattern = translate(std::str::from_utf8(pattern).ok()?)?;
        let tree = parser().build().parse(&pattern).ok()?;
        if !is_greedy(&tree) {
            return None;
        }
        let words = find_words(&tree).unwrap_or_default();
        let is_long = |word: &Vec<u8>| word.len() >= SHORTEST_WORD;
        let words = if words.iter().all(is_long) { words } else { Vec::new() };
        Some(Self {
            words: words.iter().map(|word| word.to_ascii_lowercase()).collect(),
            place,
            pattern,
            compiled: OnceLock::new(),
        })
    }

    /// Whether a file of `content`, with its zero bytes as ends of lines, may have it.
    pub(super) fn may_match(&self, content: &[u8]) -> bool {
        match self.compiled.get_or_init(|| self.compile()) {
            Some(expression) => {
                expression.is_match(content.get(self.place.unwrap_or(0)..).unwrap_or_default())
            }
            None => true,
        }
    }

    fn compile(&self) -> Option<Regex> {
        let tree = parser().case_insensitive(true).build().parse(&self.pattern).ok()?;
        let pattern = loosen(&tree, self.place.is_some()).to_string();
        regex::bytes::RegexBuilder::new(&pattern).unicode(false).build().ok()
    }
}

fn parser() -> ParserBuilder {
    let mut parser = ParserBuilder::new();
    parser.unicode(false).utf8(false).multi_line(true).dot_matches_new_line(true);
    parser
}

/// Whether POSIX reads all repetitions alike: what is not greedy here is a repetition of a repetition there.
fn is_greedy(tree: &Hir) -> bool {
    match tree.kind() {
        HirKind::Repetition(repetition) => repetition.greedy && is_greedy(&repetition.sub),
        HirKind::Capture(capture) => is_greedy(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_greedy),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
    }
}

/// The expression for a parser that has more escapes than POSIX, and other sets; `None` where it says something else there.
fn translate(pattern: &str) -> Option<String> {
    let pattern = pattern.split('\0').next().unwrap_or_default();
    if pattern.contains("(?") {
        return None;
    }
    let mut text = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next().filter(|c| c.is_ascii_punctuation() && !"<>`'".contains(*c))?;
                text.extend(['\\', escaped]);
            }
            '[' => translate_set(&mut rest, &mut text)?,
            c => text.push(c),
        }
    }
    Some(text)
}

fn translate_set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) -> Option<()> {
    text.push('[');
    text.extend(rest.next_if_eq(&'^'));
    if rest.next_if_eq(&']').is_some() {
        text.push_str("\\]");
    }
    loop {
        match rest.next()? {
            ']' => {
                text.push(']');
                return Some(());
            }
            '[' => match rest.peek()? {
                ':' => {
                    text.push('[');
                    while let Some(c) = rest.next_if(|c| *c != ']') {
                        text.push(c);
                    }
                    text.push(rest.next()?);
                }
                '.' | '=' => return None,
                _ => text.push_str("\\["),
            },
            '-' if rest.peek() == Some(&'-') => return None,
            c @ ('\\' | '&' | '~' | '^') => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
}

/// The expression without the ends of lines, and without their beginnings where it is not known from where it is looked for.
fn loosen(tree: &Hir, knows_begin: bool) -> Hir {
    let all = |parts: &[Hir]| parts.iter().map(|part| loosen(part, knows_begin)).collect::<Vec<_>>();
    match tree.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => tree.clone(),
        HirKind::Look(Look::StartLF) if knows_begin => tree.clone(),
        HirKind::Look(_) => Hir::empty(),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(loosen(&repetition.sub, knows_begin)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => loosen(&capture.sub, knows_begin),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
    }
}

/// Words of which one is in all that an expression matches.
fn find_words(tree: &Hir) -> Option<Vec<Vec<u8>>> {
    match tree.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => find_words(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => find_words(&repetition.sub),
        HirKind::Concat(parts) => {
            let shortest = |words: &Vec<Vec<u8>>| words.iter().map(Vec::len).min();
            parts.iter().filter_map(find_words).max_by_key(shortest)
        }
        HirKind::Alternation(parts) => {
            let words: Option<Vec<Vec<Vec<u8>>>> = parts.iter().map(find_words).collect();
            words.map(|words| words.concat())
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pattern: &str) -> Option<Vec<String>> {
        let words = Expression::read(pattern.as_bytes(), Some(0))?.words;
        Some(words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }

    fn matches(pattern: &str, content: &str) -> bool {
        Expression::read(pattern.as_bytes(), Some(0)).unwrap().may_match(content.as_bytes())
    }

    #[test]
    fn a_regular_expression_needs_its_longest_word() {
        assert_eq!(words("^[ \t]*(import|From)[ ]+[a-z]+").unwrap(), ["import", "from"]);
        assert_eq!(words("def( |\t)+main").unwrap(), ["main"]);
        assert_eq!(words("(abc)+x").unwrap(), ["abc"]);
        for pattern in ["[0-9]+", "a?", "(abc|)", "(:|;)", "x[0-9]"] {
            assert_eq!(words(pattern).unwrap(), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn what_posix_reads_differently_is_not_read() {
        // A repetition of `a+`, which may be none; letters that are no escapes; sets of names; ranges that overlap.
        for pattern in ["a+?", "\\dabc", "\\<abc", "abc\\", "[[.a.]]", "[a--c]", "[abc", "(?i)a", "a{,2}("] {
            assert!(Expression::read(pattern.as_bytes(), None).is_none(), "{pattern}");
        }
    }

    #[test]
    fn sets_of_posix_have_no_escapes() {
        assert!(matches("^[\\t]b", "tb") && matches("^[\\t]b", "\\b") && !matches("^[\\t]b", "\tb"));
        assert!(matches("^[a[b]c", "[c") && matches("^[]a]c", "]c") && matches("^[a&&b]c", "&c"));
        assert!(matches("^[!-?A-~]c", "~c") && !matches("^[!-?A-~]c", "@c"));
        assert!(matches("^[^]a]c", "xc") && !matches("^[^]a]c", "]c"));
        assert!(matches("^[[:space:]x]c", " c"));
    }

    #[test]
    fn more_is_matched_rather_than_less() {
        // In any case; across the ends of lines; where a line is cut; not before the place.
        assert!(matches("^abc$", "x\nABCdef"));
        assert!(matches("a.c", "a\nc"));
        assert!(!matches("^abc", "xabc"));
        let later = |place| Expression::read(b"^abc", place).unwrap().may_match(b"xabc");
        assert!(later(Some(1)) && later(None) && !later(Some(9)));
    }

    #[test]
    fn a_word_may_have_its_case_and_its_place() {
        let word = |exact: Option<&[u8]>, starts| Word {
            lower: b"ab".to_vec(),
            exact: exact.map(<[u8]>::to_vec),
            starts,
        };
        assert!(word(None, None).is_at(b"xAB", 1));
        assert!(!word(Some(b"aB"), None).is_at(b"xAB", 1) && word(Some(b"AB"), None).is_at(b"xAB", 1));
        assert!(word(None, Some(0..=1)).is_at(b"xAB", 1) && !word(None, Some(2..=4)).is_at(b"xAB", 1));
    }
}
