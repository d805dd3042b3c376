//! The operators, from the one that binds least to the one that binds most.

use std::cell::Cell;
use std::cmp::Ordering;

use super::context::{ExpressionContext, TermExpansion};
use super::lexer::{Lexer, PartValue};
use super::problem::Mistake;
use super::token::Token;
use super::value::ExpressionValue;
use crate::macros::Stop;
use crate::macros::limits::DEEPEST_EXPRESSION;

/// Evaluates an expression; `depth` counts the parentheses of those around it as well.
pub(in crate::macros) fn evaluate(
    text: &[u8],
    expansion: TermExpansion,
    context: &dyn ExpressionContext,
    depth: &Cell<usize>,
) -> Result<ExpressionValue, Stop> {
    let lexer = Lexer::new(text, expansion, context);
    let mut evaluation = Evaluation { lexer, token: Token::End, depth, is_too_deep: false };
    evaluation.advance()?;
    let value = evaluation.ternary()?;
    if evaluation.token != Token::End {
        return Err(evaluation.report_here(Mistake::Syntax));
    }
    Ok(value)
}

/// An expression on its way to a value.
struct Evaluation<'a> {
    lexer: Lexer<'a>,
    /// The word that was read last.
    token: Token,
    depth: &'a Cell<usize>,
    /// It is nested too deeply, and that has been told: none of the parentheses around has anything to add.
    is_too_deep: bool,
}

impl Evaluation<'_> {
    fn advance(&mut self) -> Result<(), Stop> {
        self.token = self.lexer.read_token()?;
        Ok(())
    }

    /// Tells a mistake at the word that was read last: rpm's caret is one before what comes next.
    fn report_here(&self, mistake: Mistake) -> Stop {
        self.lexer.report(mistake, Some(self.lexer.position().cast_signed() - 1), None)
    }

    fn report_unsupported(&self, what: &'static str, place: usize) -> Stop {
        self.lexer.report_mistake(Mistake::Unsupported(what), Some(place))
    }

    /// Where the word begins that was read last and that is one character long.
    fn operator_place(&self) -> usize {
        self.lexer.position().saturating_sub(1)
    }

    fn descend<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        let depth = self.depth.get();
        if depth >= DEEPEST_EXPRESSION {
            self.is_too_deep = true;
            return Err(self.report_here(Mistake::TooDeep));
        }
        self.depth.set(depth + 1);
        let result = part(self);
        self.depth.set(depth);
        result
    }

    /// Evaluates a part, which is only read if `is_skipped`.
    fn evaluate_part(
        &mut self,
        is_skipped: bool,
        part: impl FnOnce(&mut Self) -> Result<ExpressionValue, Stop>,
    ) -> Result<ExpressionValue, Stop> {
        let before = self.lexer.part_value;
        if is_skipped {
            self.lexer.part_value = PartValue::Skipped;
        }
        let result = part(self);
        self.lexer.part_value = before;
        result
    }

    fn check_types(&self, left: &ExpressionValue, right: &ExpressionValue) -> Result<(), Stop> {
        if left.has_type_of(right) { Ok(()) } else { Err(self.lexer.report_mistake(Mistake::Types, None)) }
    }

    fn ternary(&mut self) -> Result<ExpressionValue, Stop> {
        let condition = self.logical()?;
        if self.token != Token::Question {
            return Ok(condition);
        }
        let holds = condition.is_true();
        let first = self.evaluate_part(!holds, |this| {
            this.advance()?;
            this.descend(Self::ternary)
        })?;
        if self.token != Token::Colon {
            return Err(self.report_here(Mistake::Syntax));
        }
        let second = self.evaluate_part(holds, |this| {
            this.advance()?;
            this.descend(Self::ternary)
        })?;
        self.check_types(&first, &second)?;
        Ok(if holds { first } else { second })
    }

    /// `&&` and `||`, which bind alike, from the left.
    fn logical(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.relational()?;
        while matches!(self.token, Token::And | Token::Or) {
            let is_settled = (self.token == Token::Or) == left.is_true();
            let right = self.evaluate_part(is_settled, |this| {
                this.advance()?;
                this.relational()
            })?;
            self.check_types(&left, &right)?;
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
            self.check_types(&left, &right)?;
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
            self.check_types(&left, &right)?;
            left = self.add(&operator, left, right, place)?;
        }
        Ok(left)
    }

    fn add(
        &self,
        operator: &Token,
        left: ExpressionValue,
        right: ExpressionValue,
        place: usize,
    ) -> Result<ExpressionValue, Stop> {
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
            (ExpressionValue::Text(_), _) => {
                Err(self.report_unsupported("- not supported for strings", place))
            }
            _ => Err(self.report_unsupported("+ and - not supported for versions", place)),
        }
    }

    fn product(&mut self) -> Result<ExpressionValue, Stop> {
        let mut left = self.primary()?;
        while matches!(self.token, Token::Multiply | Token::Divide) {
            let (operator, place) = (self.token.clone(), self.operator_place());
            self.advance()?;
            let right = self.primary()?;
            self.check_types(&left, &right)?;
            left = self.multiply(&operator, &left, &right, place)?;
        }
        Ok(left)
    }

    fn multiply(
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
            (ExpressionValue::Integer(_), ExpressionValue::Integer(0)) if self.lexer.needs_value() => {
                Err(self.lexer.report_mistake(Mistake::DivisionByZero, Some(place)))
            }
            (ExpressionValue::Integer(_), ExpressionValue::Integer(0)) => Ok(ExpressionValue::Integer(0)),
            (ExpressionValue::Integer(left), ExpressionValue::Integer(right)) => {
                Ok(ExpressionValue::Integer(left.wrapping_div(*right)))
            }
            (ExpressionValue::Text(_), _) => {
                Err(self.report_unsupported("* and / not supported for strings", place))
            }
            _ => Err(self.report_unsupported("* and / not supported for versions", place)),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other tokens begin no term")]
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
                let value = self.descend(Self::primary)?;
                Ok(ExpressionValue::Integer(i32::from(!value.is_true())))
            }
            Token::Function(name) => self.call(&name),
            Token::End => Err(self.report_here(Mistake::End)),
            _ => Err(self.report_here(Mistake::Syntax)),
        }
    }

    fn parenthesized(&mut self) -> Result<ExpressionValue, Stop> {
        let place = self.operator_place();
        self.advance()?;
        let inner = self.descend(Self::ternary);
        if self.is_too_deep {
            return inner;
        }
        if self.token != Token::Close {
            // rpm says so even where the inside has failed already.
            return Err(self.lexer.report_mistake(Mistake::Unmatched, Some(place)));
        }
        self.advance()?;
        inner
    }

    fn negative(&mut self) -> Result<ExpressionValue, Stop> {
        let place = self.operator_place();
        self.advance()?;
        match self.descend(Self::primary)? {
            ExpressionValue::Integer(number) => Ok(ExpressionValue::Integer(number.wrapping_neg())),
            ExpressionValue::Text(_) | ExpressionValue::Version(_) => {
                Err(self.lexer.report_mistake(Mistake::Minus, Some(place)))
            }
        }
    }

    fn call(&mut self, name: &[u8]) -> Result<ExpressionValue, Stop> {
        let arguments = self.arguments()?;
        self.advance()?;
        let Some(function) = name.strip_prefix(b"lua:") else {
            return Err(self.report_here(Mistake::Function));
        };
        if self.lexer.needs_value()
            && arguments.iter().any(|value| matches!(value, ExpressionValue::Version(_)))
        {
            return Err(self.report_here(Mistake::FunctionArgument));
        }
        Ok(match self.lexer.part_value {
            PartValue::Needed => self.lexer.context.call_lua(function, &arguments).map_err(|failure| {
                failure
                    .unwrap_or_else(|message| self.lexer.report(Mistake::FunctionFailed, None, Some(message)))
            })?,
            PartValue::Skipped => ExpressionValue::Text(Vec::new()),
        })
    }

    /// The arguments of a function, up to its closing parenthesis.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other token stands behind an argument")]
    fn arguments(&mut self) -> Result<Vec<ExpressionValue>, Stop> {
        let mut arguments = Vec::new();
        self.advance()?;
        if self.token == Token::Close {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.descend(Self::ternary)?);
            match self.token {
                Token::Close => return Ok(arguments),
                Token::Comma => self.advance()?,
                _ => return Err(self.report_here(Mistake::Syntax)),
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other tokens compare nothing")]
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
