//! Python's expressions, as far as mock's configurations have them: literals, options, and what is done with these.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::options::MockOptions;
use super::python_tokens::PythonToken;

/// How deep expressions may be nested.
const DEEPEST: usize = 40;

/// What an expression is not: one that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood;

type PythonResult = Result<Value, NotUnderstood>;

/// Works out expressions.
pub(super) struct Expressions<'t> {
    pub tokens: &'t [PythonToken],
    pub options: &'t MockOptions,
    pub depth: usize,
}

/// Works out an expression that nothing comes after.
pub(super) fn evaluate(tokens: &[PythonToken], options: &MockOptions) -> PythonResult {
    let mut expressions = Expressions { tokens, options, depth: 0 };
    let value = expressions.sequence()?;
    if expressions.tokens.is_empty() { Ok(value) } else { Err(NotUnderstood) }
}

/// Whether Python takes a value for true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// What `+` makes of two values.
pub(super) fn add(left: Value, right: Value) -> PythonResult {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(Value::String(left + &right)),
        (Value::Array(left), Value::Array(right)) => Ok(left.into_iter().chain(right).collect()),
        (Value::Number(left), Value::Number(right)) => {
            let sum = left.as_i64().zip(right.as_i64()).and_then(|(left, right)| left.checked_add(right));
            sum.map(Value::from).ok_or(NotUnderstood)
        }
        _ => Err(NotUnderstood),
    }
}

impl Expressions<'_> {
    /// Values with commas between them, or one.
    fn sequence(&mut self) -> PythonResult {
        let first = self.choice()?;
        if !self.next_is(",") {
            return Ok(first);
        }
        let mut values = vec![first];
        while self.take(",") {
            if self.tokens.is_empty() {
                break;
            }
            values.push(self.choice()?);
        }
        Ok(Value::Array(values))
    }

    fn choice(&mut self) -> PythonResult {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(NotUnderstood);
        }
        let mut value = self.conjunction()?;
        while self.take_word("or") {
            let other = self.conjunction()?;
            value = if is_true(&value) { value } else { other };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn conjunction(&mut self) -> PythonResult {
        let mut value = self.negation()?;
        while self.take_word("and") {
            let other = self.negation()?;
            value = if is_true(&value) { other } else { value };
        }
        Ok(value)
    }

    fn negation(&mut self) -> PythonResult {
        let mut negations = 0_usize;
        while self.take_word("not") {
            negations += 1;
        }
        let value = self.comparison()?;
        match negations {
            0 => Ok(value),
            count => Ok(Value::Bool(is_true(&value) == count.is_multiple_of(2))),
        }
    }

    fn comparison(&mut self) -> PythonResult {
        let left = self.sum()?;
        for symbol in ["==", "!=", "<=", ">=", "<", ">"] {
            if self.take(symbol) {
                let right = self.sum()?;
                return compare(&left, symbol, &right).map(Value::Bool);
            }
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            let right = self.sum()?;
            return Ok(Value::Bool((left == right) != negated));
        }
        let negated = matches!(self.tokens, [PythonToken::Name(not), PythonToken::Name(word), ..] if not == "not" && word == "in");
        if negated {
            self.take_word("not");
        }
        if self.take_word("in") {
            let right = self.sum()?;
            return Ok(Value::Bool(contains(&right, &left)? != negated));
        }
        Ok(left)
    }

    fn sum(&mut self) -> PythonResult {
        let mut value = self.primary()?;
        while self.take("+") {
            value = add(value, self.primary()?)?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> PythonResult {
        let Some((first, rest)) = self.tokens.split_first() else { return Err(NotUnderstood) };
        self.tokens = rest;
        match first {
            PythonToken::Text(text) => {
                let mut text = text.clone();
                while let [PythonToken::Text(more), rest @ ..] = self.tokens {
                    text.push_str(more);
                    self.tokens = rest;
                }
                Ok(Value::String(text))
            }
            PythonToken::Number(number) => number.parse::<i64>().map(Value::from).map_err(|_| NotUnderstood),
            PythonToken::OddText => Err(NotUnderstood),
            PythonToken::Name(name) => self.named(name),
            PythonToken::Symbol(symbol) => match symbol.as_str() {
                "(" => self.parenthesis(),
                "[" => self.list("]").map(Value::Array),
                "{" => self.map(),
                _ => Err(NotUnderstood),
            },
        }
    }

    fn named(&mut self, name: &str) -> PythonResult {
        match name {
            "True" => Ok(Value::Bool(true)),
            "False" => Ok(Value::Bool(false)),
            "None" => Ok(Value::Null),
            "config_opts" => self.option(),
            "int" | "str" if self.take("(") => {
                let value = self.choice()?;
                if !self.take(")") {
                    return Err(NotUnderstood);
                }
                match (name, value) {
                    ("int", Value::String(text)) => {
                        text.trim().parse::<i64>().map(Value::from).map_err(|_| NotUnderstood)
                    }
                    ("str", Value::Number(number)) => Ok(Value::String(number.to_string())),
                    (_, value) => Ok(value),
                }
            }
            _ => Err(NotUnderstood),
        }
    }

    /// `config_opts`, with what is behind it.
    fn option(&mut self) -> PythonResult {
        let keys = self.subscripts()?;
        if keys.is_empty() {
            return Ok(Value::Object(self.options.all().clone()));
        }
        self.options.at(&keys).cloned().ok_or(NotUnderstood)
    }

    /// `['a']['b']`.
    pub fn subscripts(&mut self) -> Result<Vec<String>, NotUnderstood> {
        let mut keys = Vec::new();
        while self.take("[") {
            let Value::String(key) = self.choice()? else { return Err(NotUnderstood) };
            keys.push(key);
            if !self.take("]") {
                return Err(NotUnderstood);
            }
        }
        Ok(keys)
    }

    fn parenthesis(&mut self) -> PythonResult {
        if self.take(")") {
            return Ok(Value::Array(Vec::new()));
        }
        let value = self.choice()?;
        if self.take(")") {
            return Ok(value);
        }
        if !self.take(",") {
            return Err(NotUnderstood);
        }
        let rest = self.list(")")?;
        Ok(std::iter::once(value).chain(rest).collect())
    }

    fn list(&mut self, end: &str) -> Result<Vec<Value>, NotUnderstood> {
        let mut values = Vec::new();
        while !self.take(end) {
            values.push(self.choice()?);
            if !self.take(",") && !self.next_is(end) {
                return Err(NotUnderstood);
            }
        }
        Ok(values)
    }

    fn map(&mut self) -> PythonResult {
        let mut map = Map::new();
        while !self.take("}") {
            let Value::String(key) = self.choice()? else { return Err(NotUnderstood) };
            if !self.take(":") {
                return Err(NotUnderstood);
            }
            map.insert(key, self.choice()?);
            if !self.take(",") && !self.next_is("}") {
                return Err(NotUnderstood);
            }
        }
        Ok(Value::Object(map))
    }

    fn next_is(&self, symbol: &str) -> bool {
        matches!(self.tokens.first(), Some(PythonToken::Symbol(next)) if next == symbol)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is_there = self.next_is(symbol);
        if is_there {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        is_there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.tokens.first(), Some(PythonToken::Name(next)) if next == word);
        if is_there {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        is_there
    }
}

fn compare(left: &Value, symbol: &str, right: &Value) -> Result<bool, NotUnderstood> {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_i64().zip(right.as_i64()).map(|(left, right)| left.cmp(&right))
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match (symbol, order) {
        ("==", _) => Ok(left == right),
        ("!=", _) => Ok(left != right),
        (_, None) => Err(NotUnderstood),
        ("<", Some(order)) => Ok(order == Ordering::Less),
        (">", Some(order)) => Ok(order == Ordering::Greater),
        ("<=", Some(order)) => Ok(order != Ordering::Greater),
        (_, Some(order)) => Ok(order != Ordering::Less),
    }
}

fn contains(all: &Value, one: &Value) -> Result<bool, NotUnderstood> {
    match (all, one) {
        (Value::Array(list), one) => Ok(list.contains(one)),
        (Value::Object(map), Value::String(key)) => Ok(map.contains_key(key)),
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        _ => Err(NotUnderstood),
    }
}
