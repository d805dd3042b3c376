//! The words of an expression.

use super::evaluate::Evaluation;
use super::value::ExpressionValue;
use super::{Mistake, Stop, Terms};

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Add,
    Minus,
    Multiply,
    Divide,
    Open,
    Close,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Question,
    Colon,
    Comma,
    /// A name and the parenthesis after it.
    Function(Vec<u8>),
    Value(ExpressionValue),
}

/// How much of the text a word takes, and what it is.
type Read = (Token, usize);

impl Evaluation<'_> {
    /// Reads the next word.
    pub(super) fn advance(&mut self) -> Result<(), Stop> {
        while self.peek(0).is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0x0b) {
            self.at += 1;
        }
        let (token, length) = self.read()?;
        self.at += length;
        self.token = token;
        Ok(())
    }

    fn read(&self) -> Result<Read, Stop> {
        let Some(first) = self.peek(0) else {
            return Ok((Token::End, 0));
        };
        match first {
            b'=' => self.doubled(b'=', "==", Token::Equal),
            b'&' => self.doubled(b'&', "&&", Token::And),
            b'|' => self.doubled(b'|', "||", Token::Or),
            b'0'..=b'9' => self.number(),
            b'%' if self.terms == Terms::Expanded => self.number(),
            b'"' => self.string(0).map(|(text, length)| (Token::Value(ExpressionValue::Text(text)), length)),
            b'v' if self.peek(1) == Some(b'"') => self.version(),
            byte if byte.is_ascii_alphabetic() => self.function(),
            byte => self.symbol(byte),
        }
    }

    fn symbol(&self, byte: u8) -> Result<Read, Stop> {
        let with_equal = |double, single| if self.peek(1) == Some(b'=') { (double, 2) } else { (single, 1) };
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
            b'!' => with_equal(Token::NotEqual, Token::Not),
            b'<' => with_equal(Token::LessOrEqual, Token::Less),
            b'>' => with_equal(Token::GreaterOrEqual, Token::Greater),
            _ => return Err(self.mistake(Mistake::Parse, Some(self.at))),
        })
    }

    fn doubled(&self, byte: u8, operator: &'static str, token: Token) -> Result<Read, Stop> {
        if self.peek(1) == Some(byte) {
            return Ok((token, 2));
        }
        Err(self.mistake(Mistake::HalfOperator(operator), Some(self.at + 1)))
    }

    /// Digits, and macros among them: `%{major}0`.
    fn number(&self) -> Result<Read, Stop> {
        let end = self.end_of_number();
        let written = self.slice(self.at, end);
        let length = end - self.at;
        if !self.counts() {
            return Ok((Token::Value(ExpressionValue::Integer(0)), length));
        }
        let digits = match self.terms {
            Terms::Expanded => self.surroundings.expand(written)?,
            Terms::AsTheyAre => written.to_vec(),
        };
        if !is_integer(&digits) {
            let is_word = digits.first().is_some_and(u8::is_ascii_alphabetic);
            let mistake = if is_word { Mistake::ExpandedBareWord } else { Mistake::NoInteger };
            return Err(self.expanded_mistake(mistake, self.at, digits));
        }
        Ok((Token::Value(ExpressionValue::Integer(integer(&digits))), length))
    }

    fn end_of_number(&self) -> usize {
        let mut end = self.at;
        while let Some(byte) = self.text.get(end) {
            match byte {
                b'%' if self.terms == Terms::Expanded => {
                    end = self.surroundings.end_of_macro(self.text, end);
                }
                b'0'..=b'9' => end += 1,
                _ => break,
            }
        }
        end
    }

    fn version(&self) -> Result<Read, Stop> {
        let (text, length) = self.string(1)?;
        if !self.counts() {
            return Ok((Token::Value(ExpressionValue::Version(String::new())), length + 1));
        }
        match ExpressionValue::version(&text) {
            Some(version) => Ok((Token::Value(version), length + 1)),
            None => Err(self.mistake(Mistake::Version, Some(self.at + length))),
        }
    }

    /// A string that begins `skip` bytes on, and how long it is with its quotes.
    fn string(&self, skip: usize) -> Result<(Vec<u8>, usize), Stop> {
        let begin = self.at + skip + 1;
        let mut end = begin;
        loop {
            match self.text.get(end) {
                None => return Err(self.mistake(Mistake::UnterminatedString, Some(end))),
                Some(b'"') => break,
                Some(b'%') if self.terms == Terms::Expanded => {
                    end = self.surroundings.end_of_macro(self.text, end);
                }
                Some(_) => end += 1,
            }
        }
        let written = self.slice(begin, end);
        let text = match (self.counts(), self.terms) {
            (false, _) => Vec::new(),
            (true, Terms::Expanded) => self.surroundings.expand(written)?,
            (true, Terms::AsTheyAre) => written.to_vec(),
        };
        Ok((text, end + 1 - begin + 1))
    }

    /// A word that stands for itself.
    fn bare_word(&self) -> Read {
        let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = self.slice(self.at, self.text.len()).iter().take_while(|byte| in_word(byte)).count();
        (Token::Value(ExpressionValue::Text(self.slice(self.at, self.at + length).to_vec())), length)
    }

    fn function(&self) -> Result<Read, Stop> {
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':');
        let length = self.slice(self.at, self.text.len()).iter().take_while(|byte| in_name(byte)).count();
        if self.peek(length) != Some(b'(') {
            if self.surroundings.takes_bare_words() {
                return Ok(self.bare_word());
            }
            return Err(self.mistake(Mistake::BareWord, Some(self.at)));
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
