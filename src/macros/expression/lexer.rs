//! Text → words of an expression.

use super::context::{ExpressionContext, TermExpansion};
use super::problem::{ExpressionProblem, Mistake};
use super::token::Token;
use super::value::ExpressionValue;
use crate::macros::Stop;

/// A word, and how many bytes of the text it takes.
type TokenLength = (Token, usize);

/// Whether a part's value is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartValue {
    /// The macros in it are expanded.
    Needed,
    /// It is read for its type alone.
    Skipped,
}

/// An expression that is read word by word.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    expansion: TermExpansion,
    /// Whether what is read now is evaluated.
    pub(super) part_value: PartValue,
    pub(super) context: &'a dyn ExpressionContext,
}

impl<'a> Lexer<'a> {
    /// A text ends with its first NUL, as in rpm.
    pub(super) fn new(text: &'a [u8], expansion: TermExpansion, context: &'a dyn ExpressionContext) -> Self {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Self { text, at: 0, expansion, part_value: PartValue::Needed, context }
    }

    /// How far the text has been read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether the value of what is read now is needed.
    pub(super) fn needs_value(&self) -> bool {
        self.part_value == PartValue::Needed
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Tells a mistake, with the place where rpm draws its caret.
    pub(super) fn report_mistake(&self, mistake: Mistake, at: Option<usize>) -> Stop {
        self.report(mistake, at.map(usize::cast_signed), None)
    }

    /// As [`Lexer::report_mistake`], with what the term expanded to or what a function said.
    pub(super) fn report(&self, mistake: Mistake, at: Option<isize>, detail: Option<Vec<u8>>) -> Stop {
        let (expression, detail) = (self.text.into(), detail.map(Into::into));
        self.context.fail(ExpressionProblem { mistake, expression, at, detail })
    }

    /// Reads the next word.
    pub(super) fn read_token(&mut self) -> Result<Token, Stop> {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0x0b) {
            self.at += 1;
        }
        let (token, length) = self.look_at_token()?;
        self.at += length;
        Ok(token)
    }

    fn look_at_token(&self) -> Result<TokenLength, Stop> {
        let Some(first) = self.peek(0) else {
            return Ok((Token::End, 0));
        };
        match first {
            b'=' => self.read_doubled(b'=', "==", Token::Equal),
            b'&' => self.read_doubled(b'&', "&&", Token::And),
            b'|' => self.read_doubled(b'|', "||", Token::Or),
            b'0'..=b'9' => self.read_number(),
            b'%' if self.expansion == TermExpansion::WithTheTerm => self.read_number(),
            b'"' => {
                self.read_string(0).map(|(text, length)| (Token::Value(ExpressionValue::Text(text)), length))
            }
            b'v' if self.peek(1) == Some(b'"') => self.read_version(),
            byte if byte.is_ascii_alphabetic() => self.read_function(),
            byte => self.read_symbol(byte),
        }
    }

    fn read_symbol(&self, byte: u8) -> Result<TokenLength, Stop> {
        Ok(match byte {
            b'+' => (Token::Add, 1),
            b'-' => (Token::Minus, 1),
            b'*' => (Token::Multiply, 1),
            b'/' => (Token::Divide, 1),
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            b'?' => (Token::Question, 1),
            b':' => (Token::Colon, 1),
            b',' => (Token::Comma, 1),
            b'!' => self.choose_by_equal(Token::NotEqual, Token::Not),
            b'<' => self.choose_by_equal(Token::LessOrEqual, Token::Less),
            b'>' => self.choose_by_equal(Token::GreaterOrEqual, Token::Greater),
            _ => return Err(self.report_mistake(Mistake::Parse, Some(self.at))),
        })
    }

    /// `with` where an equal sign follows, else `without`.
    fn choose_by_equal(&self, with: Token, without: Token) -> TokenLength {
        if self.peek(1) == Some(b'=') { (with, 2) } else { (without, 1) }
    }

    fn read_doubled(&self, byte: u8, operator: &'static str, token: Token) -> Result<TokenLength, Stop> {
        if self.peek(1) == Some(byte) {
            return Ok((token, 2));
        }
        Err(self.report_mistake(Mistake::HalfOperator(operator), Some(self.at + 1)))
    }

    /// Digits, and macros among them: `%{major}0`.
    fn read_number(&self) -> Result<TokenLength, Stop> {
        let end = self.find_number_end();
        let written = self.slice(self.at, end);
        let length = end - self.at;
        if !self.needs_value() {
            return Ok((Token::Value(ExpressionValue::Integer(0)), length));
        }
        let digits = match self.expansion {
            TermExpansion::WithTheTerm => self.context.expand(written)?,
            TermExpansion::Before => written.to_vec(),
        };
        if !is_integer(&digits) {
            let is_word = digits.first().is_some_and(u8::is_ascii_alphabetic);
            let mistake = if is_word { Mistake::ExpandedBareWord } else { Mistake::NoInteger };
            return Err(self.report(mistake, Some(self.at.cast_signed()), Some(digits)));
        }
        Ok((Token::Value(ExpressionValue::Integer(integer(&digits))), length))
    }

    fn find_number_end(&self) -> usize {
        let mut end = self.at;
        while let Some(byte) = self.text.get(end) {
            match byte {
                b'%' if self.expansion == TermExpansion::WithTheTerm => {
                    end = self.context.end_of_macro(self.text, end);
                }
                b'0'..=b'9' => end += 1,
                _ => break,
            }
        }
        end
    }

    fn read_version(&self) -> Result<TokenLength, Stop> {
        let (text, length) = self.read_string(1)?;
        if !self.needs_value() {
            return Ok((Token::Value(ExpressionValue::Version(String::new())), length + 1));
        }
        match ExpressionValue::version(&text) {
            Some(version) => Ok((Token::Value(version), length + 1)),
            None => Err(self.report_mistake(Mistake::Version, Some(self.at + length))),
        }
    }

    /// A string that begins `skip` bytes on, and how long it is with its quotes.
    fn read_string(&self, skip: usize) -> Result<(Vec<u8>, usize), Stop> {
        let begin = self.at + skip + 1;
        let mut end = begin;
        loop {
            match self.text.get(end) {
                None => return Err(self.report_mistake(Mistake::UnterminatedString, Some(end))),
                Some(b'"') => break,
                Some(b'%') if self.expansion == TermExpansion::WithTheTerm => {
                    end = self.context.end_of_macro(self.text, end);
                }
                Some(_) => end += 1,
            }
        }
        let written = self.slice(begin, end);
        let text = match (self.needs_value(), self.expansion) {
            (false, _) => Vec::new(),
            (true, TermExpansion::WithTheTerm) => self.context.expand(written)?,
            (true, TermExpansion::Before) => written.to_vec(),
        };
        Ok((text, end + 1 - begin + 1))
    }

    /// A word that stands for itself.
    fn read_bare_word(&self) -> TokenLength {
        let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = self.slice(self.at, self.text.len()).iter().take_while(|byte| in_word(byte)).count();
        (Token::Value(ExpressionValue::Text(self.slice(self.at, self.at + length).to_vec())), length)
    }

    fn read_function(&self) -> Result<TokenLength, Stop> {
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':');
        let length = self.slice(self.at, self.text.len()).iter().take_while(|byte| in_name(byte)).count();
        if self.peek(length) != Some(b'(') {
            if self.context.takes_bare_words() {
                return Ok(self.read_bare_word());
            }
            return Err(self.report_mistake(Mistake::BareWord, Some(self.at)));
        }
        Ok((Token::Function(self.slice(self.at, self.at + length).to_vec()), length + 1))
    }
}

/// Digits with a minus before them, or nothing.
fn is_integer(text: &[u8]) -> bool {
    text.strip_prefix(b"-").unwrap_or(text).iter().all(u8::is_ascii_digit)
}

/// As C's `atoi` on a machine with 64 bits: clamped to 64, then cut to 32.
fn integer(text: &[u8]) -> i32 {
    let (is_negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let next = |number: i64, digit: &u8| {
        let digit = i64::from(digit - b'0');
        let signed = if is_negative { -digit } else { digit };
        number.saturating_mul(10).saturating_add(signed)
    };
    let whole = digits.iter().fold(0, next);
    #[expect(clippy::cast_possible_truncation, reason = "rpm keeps the lower 32 bits")]
    let kept = whole as i32;
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_as_in_c() {
        assert_eq!(integer(b"2147483648"), i32::MIN);
        assert_eq!(integer(b"99999999999"), 1_215_752_191);
        assert_eq!(integer(b"99999999999999999999"), -1);
        assert_eq!(integer(b""), 0);
    }
}
