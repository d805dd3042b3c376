//! What a parametric macro is called with: words, quotes, options (rpm-macros(7), "Parametric macros").

use std::cell::RefCell;
use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::call::is_blank;
use super::problem::MacroProblem;

/// Stands on both sides of a word that `%{quote:…}` keeps together.
pub(super) const QUOTE: u8 = 0x1f;

/// Splits expanded text into words at blanks; quoted text stays together.
pub(super) fn split_words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut is_quoted = false;
    for byte in text {
        if *byte == QUOTE {
            is_quoted = !is_quoted;
            word.get_or_insert_default();
        } else if is_blank(*byte) && !is_quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(*byte);
        }
    }
    words.extend(word);
    words
}

/// Words in one text, each of them quoted.
pub(super) fn quote_words(words: &[Vec<u8>]) -> Vec<u8> {
    let quoted = |word: &Vec<u8>| [&[QUOTE], word.as_slice(), &[QUOTE]].concat();
    words.iter().map(quoted).collect::<Vec<_>>().join(&b' ')
}

/// Takes quotes away, in place, from what `text` holds after `from`; a lone one is no quote.
pub(super) fn strip_quotes(text: &mut Vec<u8>, from: usize) {
    let Some(tail) = text.get(from..) else {
        return;
    };
    let quotes = tail.iter().filter(|byte| **byte == QUOTE).count();
    if quotes < 2 {
        return;
    }
    let mut left = quotes & !1;
    let kept = tail.iter().copied().filter(|byte| {
        let is_quote = *byte == QUOTE && left > 0;
        left -= usize::from(is_quote);
        !is_quote
    });
    let kept: Vec<u8> = kept.collect();
    text.truncate(from);
    text.extend(kept);
}

/// The automatic macros of one call: `%0`, `%1`, `%*`, `%**`, `%#`, `%-f`, `%-f*`.
#[derive(Debug)]
pub(super) struct Arguments {
    /// The macro's name, `%0`.
    pub name: Vec<u8>,
    /// The depth of the call.
    pub level: i32,
    /// All that it was called with, as it was: `%**`.
    pub all: Vec<u8>,
    /// What is left when options are taken out: `%1`, `%2`, …
    pub words: Vec<Vec<u8>>,
    /// The options that were given, the last of each kind in its first one's place.
    pub options: Vec<(u8, Option<Vec<u8>>)>,
    /// What `%define` defined in the call.
    pub locals: RefCell<BTreeSet<Vec<u8>>>,
}

impl Arguments {
    /// Parses what a macro that takes `options` is called with.
    ///
    /// # Errors
    /// An option that the macro does not take, or one without its argument.
    pub fn parse(
        name: &[u8],
        options: &[u8],
        all: Vec<u8>,
        given: Vec<Vec<u8>>,
    ) -> Result<Self, MacroProblem> {
        let mut parser = OptionParser::new(options);
        let is_whole = match options {
            b"-" => {
                parser.words = given;
                true
            }
            _ => parser.read_words(given).map_err(|(option, is_missing)| {
                let is_told_by_getopt = !options.starts_with(b":");
                MacroProblem::UnknownOption {
                    option: [option].as_slice().into(),
                    name: name.into(),
                    options: options.into(),
                    is_missing,
                    is_told_by_getopt,
                }
            })?,
        };
        let OptionParser { options, words, read, .. } = parser;
        // rpm looks for the words from the front then: where the macro's name is.
        let before = [name.to_vec()].into_iter().chain(read).filter(|_| !is_whole);
        let words = before.chain(words).collect();
        Ok(Self { name: name.to_vec(), level: 0, all, words, options, locals: RefCell::default() })
    }

    /// What an automatic macro stands for.
    pub fn automatic_value(&self, name: &[u8]) -> Option<Vec<u8>> {
        match name {
            b"*" => Some(self.words.join(&b' ')),
            b"**" => Some(self.all.clone()),
            b"#" => Some(self.words.len().to_string().into_bytes()),
            b"0" => Some(self.name.clone()),
            [b'-', letter] => self.flag_value(*letter),
            [b'-', letter, b'*'] => self.option_argument(*letter)?.clone(),
            [first, ..] if first.is_ascii_digit() => self.word_value(name),
            _ => None,
        }
    }

    fn word_value(&self, digits: &[u8]) -> Option<Vec<u8>> {
        let is_plain = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
        let number: usize = is_plain.then(|| digits.to_str().ok()?.parse().ok()).flatten()?;
        self.words.get(number.checked_sub(1)?).cloned()
    }

    fn option_argument(&self, letter: u8) -> Option<&Option<Vec<u8>>> {
        self.options.iter().find(|(given, _)| *given == letter).map(|(_, argument)| argument)
    }

    fn flag_value(&self, letter: u8) -> Option<Vec<u8>> {
        let flag = [b'-', letter];
        Some(match self.option_argument(letter)? {
            Some(argument) => [flag.as_slice(), b" ", argument].concat(),
            None => flag.to_vec(),
        })
    }

    /// All automatic macros, by name.
    pub fn list_automatic(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut names: Vec<Vec<u8>> = [b"#".as_slice(), b"*", b"**", b"0"].map(<[u8]>::to_vec).into();
        names.extend((1..=self.words.len()).map(|number| number.to_string().into_bytes()));
        for (letter, argument) in &self.options {
            names.push(vec![b'-', *letter]);
            names.extend(argument.is_some().then(|| vec![b'-', *letter, b'*']));
        }
        names.into_iter().filter_map(|name| self.automatic_value(&name).map(|body| (name, body))).collect()
    }
}

/// Options as getopt(3) of the GNU C library reads them: words and options in any order, `--` ends them, a `+` at the
/// front of the specification ends them with the first word.
struct OptionParser<'s> {
    specification: &'s [u8],
    options: Vec<(u8, Option<Vec<u8>>)>,
    words: Vec<Vec<u8>>,
    /// The words of options so far, with their arguments.
    read: Vec<Vec<u8>>,
}

/// Whether an option takes an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Argument,
    AttachedArgument,
}

/// What getopt(3) says of an option that it does not know. A macro that takes an option of this name is told the same.
const UNKNOWN: u8 = b'?';

impl<'s> OptionParser<'s> {
    fn new(specification: &'s [u8]) -> Self {
        Self { specification, options: Vec::new(), words: Vec::new(), read: Vec::new() }
    }

    /// Reads options and words; gives whether it came to their end. It ends before, as rpm does, at an option called `?` and,
    /// where a `-` is at the front of the specification, at a word: what is left are words then.
    fn read_words(&mut self, given: Vec<Vec<u8>>) -> Result<bool, (u8, bool)> {
        let mut given = given.into_iter();
        let mut is_whole = true;
        while let Some(word) = given.next() {
            if word == b"--" {
                break;
            }
            match word.split_first() {
                Some((b'-', letters)) if !letters.is_empty() => {
                    let mut arguments = Vec::new();
                    is_whole = self.read_letters(letters, &mut given, &mut arguments)?;
                    let read = if is_whole { &mut self.read } else { &mut self.words };
                    read.push(word);
                    read.append(&mut arguments);
                }
                _ => {
                    self.words.push(word);
                    is_whole = !self.specification.starts_with(b"-");
                    if self.specification.starts_with(b"+") {
                        break;
                    }
                }
            }
            if !is_whole {
                break;
            }
        }
        self.words.extend(given);
        Ok(is_whole)
    }

    /// Reads the letters of a word; an argument that stands behind it goes to `arguments`, too. Gives whether it came to an end.
    fn read_letters(
        &mut self,
        letters: &[u8],
        given: &mut impl Iterator<Item = Vec<u8>>,
        arguments: &mut Vec<Vec<u8>>,
    ) -> Result<bool, (u8, bool)> {
        let mut left = letters;
        while let Some((letter, attached)) = left.split_first() {
            left = attached;
            let takes = self.takes(*letter).ok_or((*letter, false))?;
            if *letter == UNKNOWN {
                // Its argument, where it takes one, is none that anybody sees.
                return Ok(false);
            }
            if takes == Takes::Nothing {
                self.set(*letter, None);
                continue;
            }
            left = &[];
            let argument = match (attached.is_empty(), takes) {
                (false, _) => Some(attached.to_vec()),
                (true, Takes::AttachedArgument) => None,
                (true, _) => match given.next() {
                    None if self.specification.starts_with(b":") => break,
                    argument => {
                        arguments.extend(argument.clone());
                        Some(argument.ok_or((*letter, true))?)
                    }
                },
            };
            self.set(*letter, argument);
        }
        Ok(true)
    }

    fn takes(&self, letter: u8) -> Option<Takes> {
        if matches!(letter, b':' | b';') {
            return None;
        }
        let letters = self.specification.strip_prefix(b"-").unwrap_or(self.specification);
        let at = letters.iter().position(|known| *known == letter)?;
        let colon = |ahead: usize| letters.get(at + ahead) == Some(&b':');
        Some(match (colon(1), colon(2)) {
            (false, _) => Takes::Nothing,
            (true, false) => Takes::Argument,
            (true, true) => Takes::AttachedArgument,
        })
    }

    fn set(&mut self, letter: u8, argument: Option<Vec<u8>>) {
        match self.options.iter_mut().find(|(given, _)| *given == letter) {
            Some(found) => found.1 = argument,
            None => self.options.push((letter, argument)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(options: &str, given: &str) -> Arguments {
        Arguments::parse(b"name", options.as_bytes(), given.into(), split_words(given.as_bytes())).unwrap()
    }

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(split_words(b"a\x1fb c\x1fd  e"), [b"ab cd".to_vec(), b"e".to_vec()]);
        assert_eq!(split_words(b"\x1f\x1f"), [b"".to_vec()]);
        assert_eq!(split_words(b"a\nb \t"), [b"a\nb".to_vec()]);
        let mut text = b"\x1f \x1fa b\x1f \x1f".to_vec();
        strip_quotes(&mut text, 2);
        assert_eq!(text, b"\x1f a b \x1f");
    }

    #[test]
    fn options_and_words_may_be_mixed() {
        let arguments = parsed("ab:", "x -a -bv y -b w");
        assert_eq!(arguments.words, [b"x".to_vec(), b"y".to_vec()]);
        assert_eq!(arguments.automatic_value(b"-b*"), Some(b"w".to_vec()));
        assert_eq!(arguments.automatic_value(b"-b"), Some(b"-b w".to_vec()));
        assert_eq!(arguments.automatic_value(b"-a*"), None);
        assert_eq!(arguments.automatic_value(b"**"), Some(b"x -a -bv y -b w".to_vec()));
        assert_eq!(parsed("+a", "x -a").words.len(), 2);
        assert_eq!(parsed("a", "-- -a").automatic_value(b"-a"), None);
        assert_eq!(parsed("-", "-x y").automatic_value(b"1"), Some(b"-x".to_vec()));
    }

    #[test]
    fn a_hyphen_can_be_an_option_and_a_colon_in_front_forgives() {
        assert_eq!(parsed(":-:", "--long-option x").words, [b"x".to_vec()]);
        assert_eq!(parsed(":a:", "-a").words.len(), 0);
    }

    #[test]
    fn an_option_that_is_called_as_getopt_calls_unknown_ones_ends_the_options() {
        for (options, given, words) in [
            ("x?", "b -x -? c", "name -x b -? c"),
            ("xy:?", "b d -y e f -x g -? c", "name -y e -x b d f g -? c"),
            ("x?", "b -xx -? c -x", "name -xx b -? c -x"),
            ("x?", "-x? b", "name -x? b"),
            ("x?:", "-?v", "name -?v"),
            ("x?", "-- -?", "-?"),
            ("-x", "-x b -x", "name -x b -x"),
            ("-x", "-x", ""),
        ] {
            assert_eq!(parsed(options, given).words.join(&b' '), words.as_bytes(), "{options}: {given}");
        }
        assert_eq!(parsed("x?", "-x -? b").automatic_value(b"-x"), Some(b"-x".to_vec()));
        assert_eq!(parsed("x?", "-? -x").automatic_value(b"-x"), None);
    }

    #[test]
    fn numbers_are_plain() {
        let arguments = parsed("", "a b");
        assert_eq!(arguments.automatic_value(b"2"), Some(b"b".to_vec()));
        assert_eq!(arguments.automatic_value(b"02"), None);
        assert_eq!(arguments.automatic_value(b"3"), None);
        assert_eq!(arguments.automatic_value(b"99999999999999999999999"), None);
    }
}
