//! The syntax of a definition: `name(options)<modifiers> body` (rpm-macros(7), "Defining macros").

use super::call::{find_closing, is_blank, is_in_name, slice};
use super::problem::MacroProblem;
use super::table::Expansion;

/// How the text of a definition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// It is the text, as it is: `%{define name body}`, `--define`.
    Whole,
    /// With the line, unless brackets or a backslash lead over its end: `%define name body`, macro files.
    Line,
}

/// A definition as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ParsedDefinition {
    pub name: Vec<u8>,
    pub options: Option<Vec<u8>>,
    pub expansion: Expansion,
    pub body: Vec<u8>,
    /// Whether the body follows the name at once.
    pub lacks_space: bool,
}

/// Reads a definition, and how many bytes of the text it takes, with the end of its line, even where it is wrong.
pub(super) fn read(
    text: &[u8],
    extent: Extent,
    primitive: &'static str,
    is_built_in: impl Fn(&[u8]) -> bool,
) -> (usize, Result<ParsedDefinition, MacroProblem>) {
    let mut reader = DefinitionReader { text, at: 0 };
    let written = reader.read_definition(extent);
    if extent == Extent::Line && reader.peek() == Some(b'\n') {
        reader.at += 1;
    }
    (
        reader.at,
        written.and_then(|written| {
            let is_built_in = is_built_in(&written.name);
            check(written, primitive, is_built_in)
        }),
    )
}

fn check(
    written: ParsedDefinition,
    primitive: &'static str,
    is_built_in: bool,
) -> Result<ParsedDefinition, MacroProblem> {
    check_name(&written.name, primitive, is_built_in)?;
    if written.body.is_empty() {
        return Err(MacroProblem::EmptyBody { name: written.name.as_slice().into() });
    }
    Ok(written)
}

/// Whether a macro may have that name.
pub(super) fn check_name(
    name: &[u8],
    primitive: &'static str,
    is_built_in: bool,
) -> Result<(), MacroProblem> {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_legal = name.first().is_some_and(|byte| is_first(*byte))
        && name != b"_"
        && name.iter().all(|byte| is_in_name(*byte));
    if !is_legal {
        return Err(MacroProblem::IllegalName { name: name.into(), primitive });
    }
    if is_built_in {
        return Err(MacroProblem::BuiltIn { name: name.into(), primitive });
    }
    Ok(())
}

struct DefinitionReader<'t> {
    text: &'t [u8],
    at: usize,
}

impl DefinitionReader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn read_definition(&mut self, extent: Extent) -> Result<ParsedDefinition, MacroProblem> {
        self.skip_blanks();
        let begin = self.at;
        while self.peek().is_some_and(is_in_name) {
            self.at += 1;
        }
        let name = slice(self.text, begin, self.at).to_vec();
        let options = self.read_options(&name)?;
        let expansion = self.read_modifiers(&name, options.is_some())?;
        let next_line = slice(self.text, self.at, self.at + 2) == b"\\\n";
        let lacks_space = match (self.peek(), extent) {
            (None, _) | (Some(b'\n'), Extent::Line) => false,
            (Some(_), Extent::Line) if next_line => false,
            (Some(byte), _) => !is_blank(byte),
        };
        self.skip_blanks();
        let body = match extent {
            Extent::Whole => {
                let body = slice(self.text, self.at, self.text.len()).to_vec();
                self.at = self.text.len();
                body
            }
            Extent::Line => self.read_body(&name)?,
        };
        Ok(ParsedDefinition { name, options, expansion, body, lacks_space })
    }

    fn read_options(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, MacroProblem> {
        if self.peek() != Some(b'(') {
            return Ok(None);
        }
        let begin = self.at + 1;
        let rest = slice(self.text, begin, self.text.len());
        let Some(length) = rest.iter().position(|byte| *byte == b')') else {
            self.skip_line();
            return Err(MacroProblem::UnterminatedOptions { name: name.into() });
        };
        self.at = begin + length + 1;
        Ok(Some(slice(rest, 0, length).to_vec()))
    }

    fn read_modifiers(&mut self, name: &[u8], is_parametric: bool) -> Result<Expansion, MacroProblem> {
        if self.peek() != Some(b'<') {
            return Ok(Expansion::Always);
        }
        let begin = self.at + 1;
        let rest = slice(self.text, begin, self.text.len());
        let Some(length) = rest.iter().position(|byte| *byte == b'>') else {
            self.skip_line();
            return Err(MacroProblem::UnterminatedModifiers { name: name.into() });
        };
        let result = parse_modifiers(name, slice(rest, 0, length), is_parametric);
        self.at = begin + length + 1;
        if result.is_err() {
            self.skip_line();
        }
        result
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// A body that ends with the line, or with the brace that closes it.
    fn read_body(&mut self, name: &[u8]) -> Result<Vec<u8>, MacroProblem> {
        if self.peek() == Some(b'{') {
            return match find_closing(self.text, self.at) {
                Some(end) => {
                    let body = slice(self.text, self.at + 1, end).to_vec();
                    self.at = end + 1;
                    Ok(body)
                }
                None => {
                    self.at = self.text.len();
                    Err(MacroProblem::UnterminatedBody { name: name.into() })
                }
            };
        }
        let mut body = Vec::new();
        let mut open = OpenBrackets::default();
        while let Some(byte) = self.peek() {
            if byte == b'\n' && !open.is_any_open() {
                break;
            }
            self.at += 1;
            self.copy_byte(byte, &mut open, &mut body);
        }
        if open.is_any_open() {
            return Err(MacroProblem::UnterminatedBody { name: name.into() });
        }
        body.truncate(body.trim_ascii_end().len());
        Ok(body)
    }

    /// Puts into `body` what `byte`, which has been read, and what belongs to it stand for.
    fn copy_byte(&mut self, byte: u8, open: &mut OpenBrackets, body: &mut Vec<u8>) {
        let next = self.peek();
        match (byte, next) {
            (b'\\', Some(next)) => {
                self.at += 1;
                body.push(next);
            }
            (b'%', Some(next @ (b'%' | b'{' | b'('))) => {
                self.at += 1;
                open.begin(next);
                body.extend([byte, next]);
            }
            _ => {
                open.count(byte);
                body.push(byte);
            }
        }
    }
}

/// How many braces and parentheses of calls are open.
#[derive(Default)]
struct OpenBrackets {
    braces: usize,
    parentheses: usize,
}

impl OpenBrackets {
    fn is_any_open(&self) -> bool {
        self.braces > 0 || self.parentheses > 0
    }

    fn begin(&mut self, bracket: u8) {
        match bracket {
            b'{' => self.braces += 1,
            b'(' => self.parentheses += 1,
            _ => {}
        }
    }

    fn count(&mut self, byte: u8) {
        match byte {
            b'{' if self.braces > 0 => self.braces += 1,
            b'}' => self.braces = self.braces.saturating_sub(1),
            b'(' if self.parentheses > 0 => self.parentheses += 1,
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
    }
}

fn parse_modifiers(name: &[u8], letters: &[u8], is_parametric: bool) -> Result<Expansion, MacroProblem> {
    let mut expansion = Expansion::Always;
    for letter in letters {
        let wanted = match letter {
            b'l' => Expansion::Never,
            b'o' => Expansion::Once,
            _ => {
                return Err(MacroProblem::IllegalModifier {
                    name: name.into(),
                    modifier: char::from(*letter),
                });
            }
        };
        if expansion != Expansion::Always && expansion != wanted {
            return Err(MacroProblem::IncompatibleModifiers { name: name.into() });
        }
        expansion = wanted;
    }
    if is_parametric && !letters.is_empty() {
        return Err(MacroProblem::ParametricModifier { name: name.into() });
    }
    Ok(expansion)
}
