//! Reading query formats.

use bstr::ByteSlice;

use super::format_part::{FormatField, FormatPart};
use super::formatter::Formatter;
use super::{QueryFormat, QueryProblem};
use crate::package::limits::DEEPEST_QUERY;
use crate::package::tag::Tag;

/// What ends a list of parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Format,
    Iterator,
    Branch,
}

impl QueryFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, QueryProblem> {
        let mut reader = FormatReader { rest: text, depth: 0 };
        Ok(Self { parts: reader.parts(Within::Format)? })
    }
}

struct FormatReader<'t> {
    rest: &'t [u8],
    depth: usize,
}

fn wrong(what: &str) -> QueryProblem {
    QueryProblem(what.into())
}

impl<'t> FormatReader<'t> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), QueryProblem> {
        self.rest = self.rest.strip_prefix(&[byte]).ok_or_else(|| wrong(what))?;
        Ok(())
    }

    fn parts(&mut self, within: Within) -> Result<Vec<FormatPart>, QueryProblem> {
        self.depth += 1;
        if self.depth > DEEPEST_QUERY {
            return Err(wrong("brackets lie too deep within each other"));
        }
        let (mut parts, mut text) = (Vec::new(), Vec::new());
        loop {
            let before = self.rest;
            let Some(byte) = self.next() else {
                break;
            };
            let part = match byte {
                b'%' if self.rest.starts_with(b"%") => {
                    self.next();
                    text.push(b'%');
                    continue;
                }
                b'%' => self.field()?,
                b'[' => {
                    let inside = self.parts(Within::Iterator)?;
                    self.expect(b']', "] expected at end of array")?;
                    FormatPart::Iterator(inside)
                }
                b']' | b'}' if within != Within::Format => {
                    self.rest = before;
                    break;
                }
                b']' => return Err(wrong("unexpected ]")),
                b'}' => return Err(wrong("unexpected }")),
                b'\\' => {
                    let byte = self.next().ok_or_else(|| wrong("escaped char expected after \\"))?;
                    text.push(unescape(byte));
                    continue;
                }
                byte => {
                    text.push(byte);
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(FormatPart::Text(std::mem::take(&mut text)));
            }
            parts.push(part);
        }
        if !text.is_empty() {
            parts.push(FormatPart::Text(text));
        }
        self.depth -= 1;
        Ok(parts)
    }

    /// What stands after a `%`.
    fn field(&mut self) -> Result<FormatPart, QueryProblem> {
        if self.rest.starts_with(b"|") {
            self.next();
            return self.condition();
        }
        let is_digit = |byte: &&u8| byte.is_ascii_digit() || **byte == b'-';
        let end = self.rest.iter().take_while(is_digit).count();
        let (width, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        match rest.first() {
            None => return Err(wrong("missing { after %")),
            Some(b'{') => {}
            Some(_) => return Err(wrong("invalid field width")),
        }
        let width = match width {
            b"" | b"-" => 0,
            width => {
                let width = width.to_str().ok().and_then(|width| width.parse::<i32>().ok());
                width.ok_or_else(|| wrong("invalid field width"))?
            }
        };
        self.rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let end = self.rest.find_byte(b'}').ok_or_else(|| wrong("missing } after %{"))?;
        let (inside, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        self.rest = rest.strip_prefix(b"}").unwrap_or(rest);
        field(inside, width.into()).map(FormatPart::Field)
    }

    /// `TAG?{…}:{…}|`
    fn condition(&mut self) -> Result<FormatPart, QueryProblem> {
        let end = self.rest.find_byte(b'?').ok_or_else(|| wrong("? expected in expression"))?;
        let (name, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        self.rest = rest.strip_prefix(b"?").unwrap_or(rest);
        self.expect(b'{', "{ expected after ? in expression")?;
        let present = self.parts(Within::Branch)?;
        self.expect(b'}', "} expected in expression")?;
        let mut absent = None;
        if self.rest.starts_with(b":") {
            self.next();
            self.expect(b'{', "{ expected after : in expression")?;
            absent = Some(self.parts(Within::Branch)?);
            self.expect(b'}', "} expected in expression")?;
        }
        let missing = match (self.rest, absent.is_some()) {
            ([], _) => "} expected in expression",
            (_, true) => "| expected at end of expression",
            (_, false) => ": expected following ? subexpression",
        };
        self.expect(b'|', missing)?;
        let field = field(name, 0)?;
        // Whether there is anything at all is no question.
        let tag = field.tag.ok_or_else(|| wrong("unknown tag: \"*\""))?;
        Ok(FormatPart::Condition { tag, present, absent: absent.unwrap_or_default() })
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        byte => byte,
    }
}

fn field(inside: &[u8], width: i64) -> Result<FormatField, QueryProblem> {
    let (is_first_only, counts, inside) = match inside.split_first() {
        Some((b'=', rest)) => (true, false, rest),
        Some((b'#', rest)) => (true, true, rest),
        _ => (false, false, inside),
    };
    let (name, format) = match inside.split_once_str(":") {
        Some((name, format)) => (name, Some(format)),
        None => (inside, None),
    };
    if name.is_empty() {
        return Err(wrong("empty tag name"));
    }
    let unknown = || QueryProblem([b"unknown tag: \"", name, b"\""].concat().into());
    let formatter = match format {
        Some(b"") => return Err(wrong("empty tag format")),
        Some(format) => Formatter::named(format).ok_or_else(unknown)?,
        None if counts => Formatter::ArraySize,
        None => Formatter::String,
    };
    let tag = if name == b"*" { None } else { Some(Tag::named(name).ok_or_else(unknown)?) };
    Ok(FormatField { tag, width, is_first_only, formatter })
}
