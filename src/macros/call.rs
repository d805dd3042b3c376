//! The syntax of a macro call: where it ends, and what it is made of (rpm-macros(7), "Syntax").

/// What stands after a `%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call<'t> {
    /// No call: a `%` that stands for itself, followed by `length - 1` characters that are dropped.
    Sign {
        /// How many bytes of the text it takes.
        length: usize,
    },
    /// `%(…)`
    Shell(&'t [u8]),
    /// `%[…]`
    Expression(&'t [u8]),
    /// `%name`, `%{name}`, and all that can be added to it.
    Named(NamedCall<'t>),
    /// A bracket that is never closed.
    Unterminated(char),
}

/// A call by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamedCall<'t> {
    /// The name; with the `-` of an option and with what follows it: `1`, `*`, `-f`, `-f*`.
    pub name: &'t [u8],
    /// `?`, or the name of an option: whether there is such a macro decides.
    pub is_test: bool,
    /// `!`: it must not be there.
    pub is_negated: bool,
    /// What follows the name.
    pub rest: Rest<'t>,
    /// How many bytes the call takes, from the `%`; without the arguments that a bare `%name` may take.
    pub length: usize,
}

/// What follows the name of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest<'t> {
    /// `%name`: some macros take the words up to the end of the line.
    Open,
    /// `%{name}`
    Nothing,
    /// `%{name:text}`
    Text(&'t [u8]),
    /// `%{name words}`
    Words(&'t [u8]),
}

/// What stands behind a call in its text, as far as the call may still take it.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallSite<'t> {
    /// What follows the name.
    pub rest: Rest<'t>,
    /// The text that the call stands in.
    pub text: &'t [u8],
    /// Where the call ends in it, without the arguments that a bare `%name` may take.
    pub end: usize,
}

impl<'t> CallSite<'t> {
    /// The text behind the call.
    pub fn text_behind(&self) -> &'t [u8] {
        slice(self.text, self.end, self.text.len())
    }

    /// The text from a bare name to the end of its line, if a blank follows the name.
    pub fn rest_of_line(&self) -> &'t [u8] {
        let behind = self.text_behind();
        if !behind.first().is_some_and(|byte| is_blank(*byte)) {
            return &[];
        }
        behind.split(|byte| *byte == b'\n').next().unwrap_or_default()
    }
}

/// A call and how many bytes it takes.
pub(super) fn read(text: &[u8], percent: usize) -> (Call<'_>, usize) {
    let at = percent + 1;
    match text.get(at) {
        None => (Call::Sign { length: 1 }, 1),
        Some(b'%') => (Call::Sign { length: 2 }, 2),
        Some(b'(') => read_bracketed(text, at, '(', Call::Shell),
        Some(b'[') => read_bracketed(text, at, '[', Call::Expression),
        Some(b'{') => read_braced(text, at),
        Some(_) => read_bare(text, at),
    }
}

fn read_bracketed<'t>(
    text: &'t [u8],
    at: usize,
    bracket: char,
    call: impl FnOnce(&'t [u8]) -> Call<'t>,
) -> (Call<'t>, usize) {
    match find_closing(text, at) {
        Some(end) => (call(slice(text, at + 1, end)), end + 2 - at),
        None => (Call::Unterminated(bracket), 0),
    }
}

fn read_braced(text: &[u8], at: usize) -> (Call<'_>, usize) {
    let Some(end) = find_closing(text, at) else {
        return (Call::Unterminated('{'), 0);
    };
    let inside = slice(text, at + 1, end);
    let prefix = Prefix::read(inside);
    let written = slice(inside, prefix.length, inside.len());
    let length = written.iter().position(|byte| matches!(byte, b' ' | b':' | b'}')).unwrap_or(written.len());
    let name = slice(written, 0, length);
    if name.is_empty() {
        return (Call::Sign { length: 1 }, 1);
    }
    let after = slice(written, length + 1, written.len());
    let rest = match written.get(length) {
        // A name ends with a brace as well; what stands between that one and the call's own means nothing.
        None | Some(b'}') => Rest::Nothing,
        Some(b':') => Rest::Text(after),
        Some(_) => Rest::Words(after),
    };
    let length = end + 2 - at;
    (Call::Named(prefix.build_call(name, rest, length)), length)
}

fn read_bare(text: &[u8], at: usize) -> (Call<'_>, usize) {
    let prefix = Prefix::read(slice(text, at, text.len()));
    let begin = at + prefix.length;
    let end = find_name_end(text, begin);
    let length = end + 1 - at;
    if begin == end {
        return (Call::Sign { length }, length);
    }
    (Call::Named(prefix.build_call(slice(text, begin, end), Rest::Open, length)), length)
}

fn find_name_end(text: &[u8], begin: usize) -> usize {
    let mut end = begin + usize::from(has_byte_at(text, begin, b'-'));
    while text.get(end).is_some_and(|byte| is_in_name(*byte)) {
        end += 1;
    }
    if has_byte_at(text, end, b'*') {
        end += 1 + usize::from(has_byte_at(text, end + 1, b'*'));
    } else if has_byte_at(text, end, b'#') {
        end += 1;
    }
    end
}

fn has_byte_at(text: &[u8], at: usize, byte: u8) -> bool {
    text.get(at) == Some(&byte)
}

/// `?` and `!`, in any number and order, before a name.
struct Prefix {
    is_test: bool,
    is_negated: bool,
    length: usize,
}

impl Prefix {
    fn read(text: &[u8]) -> Self {
        let length = text.iter().take_while(|byte| matches!(byte, b'?' | b'!')).count();
        let written = slice(text, 0, length);
        let negations = written.iter().filter(|byte| **byte == b'!').count();
        Self { is_test: negations < length, is_negated: negations % 2 == 1, length }
    }

    fn build_call<'t>(&self, name: &'t [u8], rest: Rest<'t>, length: usize) -> NamedCall<'t> {
        let is_test = self.is_test || name.first() == Some(&b'-');
        NamedCall { name, is_test, is_negated: self.is_negated, rest, length }
    }
}

/// Whether a byte can stand in a macro's name.
pub(super) fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a byte separates a name from what follows, and words from words.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where the bracket at `open` is closed. Only brackets of its own kind count; a backslash hides the next character.
pub(super) fn find_closing(text: &[u8], open: usize) -> Option<usize> {
    let opening = *text.get(open)?;
    let closing = match opening {
        b'{' => b'}',
        b'(' => b')',
        b'[' => b']',
        _ => b'>',
    };
    let mut depth = 0_usize;
    let mut at = open;
    while let Some(byte) = text.get(at) {
        if *byte == b'\\' {
            at += 1;
        } else if *byte == opening {
            depth += 1;
        } else if *byte == closing {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
        at += 1;
    }
    None
}

/// Where the call ends that begins with the `%` at `percent`, as expressions see it: an unclosed one at the end of the
/// text.
pub(super) fn find_end(text: &[u8], percent: usize) -> usize {
    if matches!(text.get(percent + 1), Some(b'{' | b'(' | b'[')) {
        return find_closing(text, percent + 1).map_or(text.len(), |end| end + 1);
    }
    match read(text, percent) {
        (Call::Sign { length: 2 }, _) if text.get(percent + 1) == Some(&b'%') => percent + 2,
        (Call::Sign { .. }, _) => percent + 1,
        (_, length) => percent + length,
    }
}

/// A part of a text; what lies outside of it is not there.
pub(super) fn slice(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.get(from..to.min(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> NamedCall<'_> {
        match read(text.as_bytes(), 0) {
            (Call::Named(named), _) => named,
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn prefixes_add_up() {
        assert!(!named("%{!name}").is_test);
        assert!(named("%{!?!name}").is_test);
        assert!(!named("%{!?!name}").is_negated);
        assert!(named("%-f").is_test);
    }

    #[test]
    fn only_a_space_or_a_colon_ends_a_name_in_braces() {
        assert_eq!(named("%{a\tb c:d}").name, b"a\tb");
        assert_eq!(named("%{a\tb c:d}").rest, Rest::Words(b"c:d"));
        assert_eq!(named("%{a:b c}").rest, Rest::Text(b"b c"));
    }

    #[test]
    fn stars_and_a_hash_belong_to_a_bare_name() {
        assert_eq!(named("%-f*x").name, b"-f*");
        assert_eq!(named("%***").name, b"**");
        assert_eq!(named("%name#").name, b"name#");
    }

    #[test]
    fn a_backslash_hides_a_bracket() {
        assert_eq!(find_closing(br"{a\}b}", 0), Some(5));
        assert_eq!(find_closing(b"{a{b}", 0), None);
        assert_eq!(find_closing(b"{\\", 0), None);
    }
}
