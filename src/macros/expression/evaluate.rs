//! The operators, from the one that binds least to the one that binds most.

use std::cell::Cell;
use std::cmp::Ordering;

use super::token::Token;
use super::value::ExpressionValue;
use super::{ExpressionProblem, Mistake, Stop, Surroundings, Terms, shown};
use crate::macros::limits::DEEPEST_EXPRESSION;

/// Whether a part's value is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    Wanted,
    Skipped,
}

/// An expression on its way to a value.
pub(super) struct Evaluation<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) token: Token,
    pub(super) terms: Terms,
    pub(super) surroundings: &'a dyn Surroundings,
    worth: Worth,
    depth: &'a Cell<usize>,
    /// It is nested too deeply, and that has been told: none of the parentheses around has anything to add.
    is_too_deep: bool,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        text: &'a [u8],
        terms: Terms,
        surroundings: &'a dyn Surroundings,
        depth: &'a Cell<usize>,
    ) -> Self {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Self {
            text,
            at: 0,
            token: Token::End,
            terms,
            surroundings,
            worth: Worth::Wanted,
            depth,
            is_too_deep: false,
        }
    }

    pub(super) fn run(mut self) -> Result<ExpressionValue, Stop> {
        self.advance()?;
        let value = self.ternary()?;
        if self.token != Token::End {
            return Err(self.here(Mistake::Syntax));
        }
        Ok(value)
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn counts(&self) -> bool {
        self.worth == Worth::Wanted
    }

    pub(super) fn mistake(&self, mistake: Mistake, at: Option<usize>) -> Stop {
        self.problem(mistake, at.map(usize::cast_signed), None)
    }

    pub(super) fn expanded_mistake(&self, mistake: Mistake, at: usize, expanded: Vec<u8>) -> Stop {
        self.problem(mistake, Some(at.cast_signed()), Some(expanded))
    }

    fn problem(&self, mistake: Mistake, at: Option<isize>, detail: Option<Vec<u8>>) -> Stop {
        let expression = shown(self.text);
        self.surroundings.fail(ExpressionProblem { mistake, expression, at, detail: detail.map(Into::into) })
    }

    /// A mistake at the word that was read last: rpm's caret is one before what comes next.
    fn here(&self, mistake: Mistake) -> Stop {
        self.problem(mistake, Some(self.at.cast_signed() - 1), None)
    }

    /// Where the word begins that was read last and that is one character long.
    fn operator_place(&self) -> usize {
        self.at.saturating_sub(1)
    }

    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        let depth = self.depth.get();
        if depth >= DEEPEST_EXPRESSION {
            self.is_too_deep = true;
            return Err(self.here(Mistake::TooDeep));
        }
        self.depth.set(depth + 1);
        let result = part(self);
        self.depth.set(depth);
        result
    }

    /// Works out a part, whose value is not wanted if `is_skipped`.
    fn part(
        &mut self,
        is_skipped: bool,
        part: impl FnOnce(&mut Self) -> Result<ExpressionValue, Stop>,
    ) -> Result<ExpressionValue, Stop> {
        let before = self.worth;
        if is_skipped {
            self.worth = Worth::Skipped;
        }
        let result = part(self);
        self.worth = before;
        result
    }

    fn matching(&self, left: &ExpressionValue, right: &ExpressionValue) -> Result<(), Stop> {
        if left.has_type_of(right) { Ok(()) } else { Err(self.mistake(Mistake::Types, None)) }
    }

    fn ternary(&mut self) -> Result<ExpressionValue, Stop> {
        let condition = self.logical()?;
        if self.token != Token::Question {
            return Ok(condition);
        }
        let holds = condition.is_true();
        let first = self.part(!holds, |this| {
            this.advance()?;
            this.deeper(Self::ternary)
        })?;
        if self.token != Token::Colon {
            return Err(self.here(Mistake::Syntax));
        }
        let second = self.part(holds, |this| {
            this.advance()?;
            this.deeper(Self::ternary)
        })?;
        self.matching(&first, &second)?;
        Ok(if holds { first } else { second })
    }

    /// `&&` and `||`, which bind alike, from the left.
    fn logical(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.relational()?;
        while matches!(self.token, Token::And | Token::Or) {
            let is_settled = (self.token == Token::Or) == left.is_true();
            let right = self.part(is_settled, |this| {
                this.advance()?;
                this.relational()
            })?;
            self.matching(&left, &right)?;
            if !is_settled {
                left = right;
            }
        }
        Ok(left)
    }

    fn relational(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.sum()?;
        while let Some(holds) = comparison(&self.token) {
            self.advance()?;
            let right = self.sum()?;
            self.matching(&left, &right)?;
            let order = left.compare(&right).unwrap_or(Ordering::Equal);
            left = ExpressionValue::Integer(i32::from(holds(order)));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.product()?;
        while matches!(self.token, Token::Add | Token::Minus) {
            let (operator, place) = (self.token.clone(), self.operator_place());
            self.advance()?;
            let right = self.product()?;
            self.matching(&left, &right)?;
            left = self.added(&operator, left, right, place)?;
        }
        Ok(left)
    }

    fn added(
        &self,
        operator: &Token,
        left: ExpressionValue,
        right: ExpressionValue,
        place: usize,
    ) -> Result<ExpressionValue, Stop> {
        let unsupported = |what| Err(self.mistake(Mistake::Unsupported(what), Some(place)));
        match (left, right) {
            (ExpressionValue::Integer(left), ExpressionValue::Integer(right)) if *operator == Token::Add => {
                Ok(ExpressionValue::Integer(left.wrapping_add(right)))
            }
            (ExpressionValue::Integer(left), ExpressionValue::Integer(right)) => {
                Ok(ExpressionValue::Integer(left.wrapping_sub(right)))
            }
            (ExpressionValue::Text(left), ExpressionValue::Text(right)) if *operator == Token::Add => {
                Ok(ExpressionValue::Text([left, right].concat()))
            }
            (ExpressionValue::Text(_), _) => unsupported("- not supported for strings"),
            _ => unsupported("+ and - not supported for versions"),
        }
    }

    fn product(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.primary()?;
        while matches!(self.token, Token::Multiply | Token::Divide) {
            let (operator, place) = (self.token.clone(), self.operator_place());
            self.advance()?;
            let right = self.primary()?;
            self.matching(&left, &right)?;
            left = self.multiplied(&operator, &left, &right, place)?;
        }
        Ok(left)
    }

    fn multiplied(
        &self,
        operator: &Token,
        left: &ExpressionValue,
        right: &ExpressionValue,
        place: usize,
    ) -> Result<ExpressionValue, Stop> {
        match (left, right) {
            (ExpressionValue::Integer(left), ExpressionValue::Integer(right))
                if *operator == Token::Multiply =>
            {
                Ok(ExpressionValue::Integer(left.wrapping_mul(*right)))
            }
            (ExpressionValue::Integer(_), ExpressionValue::Integer(0)) if self.counts() => {
                Err(self.mistake(Mistake::DivisionByZero, Some(place)))
            }
            (ExpressionValue::Integer(_), ExpressionValue::Integer(0)) => Ok(ExpressionValue::Integer(0)),
            (ExpressionValue::Integer(left), ExpressionValue::Integer(right)) => {
                Ok(ExpressionValue::Integer(left.wrapping_div(*right)))
            }
            (ExpressionValue::Text(_), _) => {
                Err(self.mistake(Mistake::Unsupported("* and / not supported for strings"), Some(place)))
            }
            _ => Err(self.mistake(Mistake::Unsupported("* and / not supported for versions"), Some(place))),
        }
    }

    fn primary(&mut self) -> Result<ExpressionValue, Stop> {
        match self.token.clone() {
            Token::Open => self.parenthesized(),
            Token::Value(value) => {
                self.advance()?;
                Ok(value)
            }
            Token::Minus => self.negative(),
            Token::Not => {
                self.advance()?;
                let value = self.deeper(Self::primary)?;
                Ok(ExpressionValue::Integer(i32::from(!value.is_true())))
            }
            Token::Function(name) => self.call(&name),
            Token::End => Err(self.here(Mistake::End)),
            _ => Err(self.here(Mistake::Syntax)),
        }
    }

    fn parenthesized(&mut self) -> Result<ExpressionValue, Stop> {
        let place = self.operator_place();
        self.advance()?;
        let inner = self.deeper(Self::ternary);
        if self.is_too_deep {
            return inner;
        }
        if self.token != Token::Close {
            // rpm says so even where the inside has failed already.
            return Err(self.mistake(Mistake::Unmatched, Some(place)));
        }
        self.advance()?;
        inner
    }

    fn negative(&mut self) -> Result<ExpressionValue, Stop> {
        let place = self.operator_place();
        self.advance()?;
        match self.deeper(Self::primary)? {
            ExpressionValue::Integer(number) => Ok(ExpressionValue::Integer(number.wrapping_neg())),
            _ => Err(self.mistake(Mistake::Minus, Some(place))),
        }
    }

    fn call(&mut self, name: &[u8]) -> Result<ExpressionValue, Stop> {
        let arguments = self.arguments()?;
        self.advance()?;
        let Some(function) = name.strip_prefix(b"lua:") else {
            return Err(self.here(Mistake::Function));
        };
        if self.counts() && arguments.iter().any(|value| matches!(value, ExpressionValue::Version(_))) {
            return Err(self.here(Mistake::FunctionArgument));
        }
        Ok(match self.worth {
            Worth::Wanted => self.surroundings.call_lua(function, &arguments).map_err(|failure| {
                failure.unwrap_or_else(|message| self.problem(Mistake::FunctionFailed, None, Some(message)))
            })?,
            Worth::Skipped => ExpressionValue::Text(Vec::new()),
        })
    }

    /// The arguments of a function, up to its closing parenthesis.
    fn arguments(&mut self) -> Result<Vec<ExpressionValue>, Stop> {
        let mut arguments = Vec::new();
        self.advance()?;
        if self.token == Token::Close {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.deeper(Self::ternary)?);
            match self.token {
                Token::Close => return Ok(arguments),
                Token::Comma => self.advance()?,
                _ => return Err(self.here(Mistake::Syntax)),
            }
        }
    }
}

fn comparison(token: &Token) -> Option<fn(Ordering) -> bool> {
    Some(match token {
        Token::Equal => Ordering::is_eq,
        Token::NotEqual => Ordering::is_ne,
        Token::Less => Ordering::is_lt,
        Token::LessOrEqual => Ordering::is_le,
        Token::Greater => Ordering::is_gt,
        Token::GreaterOrEqual => Ordering::is_ge,
        _ => return None,
    })
}
