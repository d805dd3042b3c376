//! mock's configurations, read: what they set in `config_opts`.

use serde_json::Value;

use super::ImportError;
use super::mock_files::MockFiles;
use super::options::MockOptions;
use super::python_expression::{Expressions, NotUnderstood, add, evaluate, is_true};
use super::python_tokens::{PythonToken, Statement, read_statements};

/// How many files a configuration may consist of, and how deep they may include each other.
const MOST_FILES: usize = 100;
const DEEPEST: usize = 10;

/// Reads a configuration and what it includes.
pub(super) struct ConfigurationReader<'f> {
    pub files: &'f MockFiles,
    pub options: MockOptions,
    /// What was not understood.
    pub notes: Vec<String>,
    read: usize,
}

/// An `if`, and what is below it.
struct Branch {
    indent: usize,
    /// Whether what comes now holds.
    holds: bool,
    /// Whether one of its branches has held, or can't be known to.
    is_settled: bool,
}

impl<'f> ConfigurationReader<'f> {
    pub fn new(files: &'f MockFiles, options: MockOptions) -> Self {
        Self { files, options, notes: Vec::new(), read: 0 }
    }

    /// Reads one file; `depth` is how many include it.
    pub fn read(&mut self, path: &str, text: &str, depth: usize) -> Result<(), ImportError> {
        self.read += 1;
        if self.read > MOST_FILES || depth > DEEPEST {
            let reason = if depth > DEEPEST { "they include each other" } else { "there are too many" };
            return Err(ImportError::Includes { path: path.to_owned(), reason: reason.to_owned() });
        }
        let statements = read_statements(text).map_err(|line| ImportError::Syntax {
            path: path.to_owned(),
            reason: format!("the text that begins in line {line} has no end"),
        })?;
        let mut conditions: Vec<Branch> = Vec::new();
        for statement in statements {
            let ended = pop_ended(&mut conditions, &statement);
            if conditions.iter().any(|condition| !condition.holds) {
                continue;
            }
            let done = match statement.tokens.as_slice() {
                [PythonToken::Name(word), ..] if ["if", "elif", "else"].contains(&word.as_str()) => {
                    self.branch(word, &statement, ended, &mut conditions)
                }
                [
                    PythonToken::Name(word),
                    PythonToken::Symbol(open),
                    name @ ..,
                    PythonToken::Symbol(close),
                ] if word == "include" && open == "(" && close == ")" => self.include(name, path, depth)?,
                tokens => self.set(tokens),
            };
            if done.is_err() {
                self.notes.push(format!("{path}:{}: not understood, and left out", statement.line));
                // All below it, too.
                if statement.tokens.last() == Some(&PythonToken::Symbol(":".to_owned())) {
                    let indent = statement.indent;
                    conditions.push(Branch { indent, holds: false, is_settled: true });
                }
            }
        }
        Ok(())
    }

    /// `if`, `elif`, `else`, with what may stand in the same line.
    fn branch(
        &mut self,
        word: &str,
        statement: &Statement,
        ended: Option<Branch>,
        conditions: &mut Vec<Branch>,
    ) -> Result<(), NotUnderstood> {
        let colon = PythonToken::Symbol(":".to_owned());
        let rest = statement.tokens.get(1..).unwrap_or_default();
        let at = rest.iter().position(|token| *token == colon).ok_or(NotUnderstood)?;
        let (condition, below) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
        let was_settled = word != "if" && ended.is_none_or(|ended| ended.is_settled);
        let value = match condition {
            [] => Ok(true),
            condition => evaluate(condition, &self.options).map(|value| is_true(&value)),
        };
        let holds = !was_settled && value.unwrap_or(false);
        let is_settled = was_settled || holds || value.is_err();
        if holds && !below.is_empty() {
            self.set(below)?;
        }
        conditions.push(Branch { indent: statement.indent, holds, is_settled });
        value.map(drop)
    }

    fn include(
        &mut self,
        name: &[PythonToken],
        path: &str,
        depth: usize,
    ) -> Result<Result<(), NotUnderstood>, ImportError> {
        let Ok(Value::String(name)) = evaluate(name, &self.options) else { return Ok(Err(NotUnderstood)) };
        let (included, text) = self.files.include(&name, path)?;
        self.read(&included, &text, depth + 1)?;
        Ok(Ok(()))
    }

    /// What sets something in `config_opts`.
    fn set(&mut self, tokens: &[PythonToken]) -> Result<(), NotUnderstood> {
        let [PythonToken::Name(word), rest @ ..] = tokens else {
            // A text by itself is a comment.
            return if matches!(tokens, [PythonToken::Text(_)]) { Ok(()) } else { Err(NotUnderstood) };
        };
        if word == "pass" && rest.is_empty() {
            return Ok(());
        }
        if word != "config_opts" {
            return Err(NotUnderstood);
        }
        let mut target = Expressions { tokens: rest, options: &self.options, depth: 0 };
        let keys = target.subscripts()?;
        let behind = rest.get(rest.len() - target.tokens.len()..).unwrap_or_default();
        match behind {
            [PythonToken::Symbol(equals), value @ ..] if equals == "=" => {
                let value = evaluate(value, &self.options)?;
                *self.options.place(&keys).ok_or(NotUnderstood)? = value;
                Ok(())
            }
            [PythonToken::Symbol(equals), value @ ..] if equals == "+=" => {
                let value = evaluate(value, &self.options)?;
                let before = self.options.at(&keys).cloned().ok_or(NotUnderstood)?;
                let sum = add(before, value)?;
                *self.options.place(&keys).ok_or(NotUnderstood)? = sum;
                Ok(())
            }
            [
                PythonToken::Symbol(dot),
                PythonToken::Name(method),
                PythonToken::Symbol(open),
                value @ ..,
                PythonToken::Symbol(close),
            ] if dot == "." && open == "(" && close == ")" => {
                let value = evaluate(value, &self.options)?;
                change(self.options.place(&keys).ok_or(NotUnderstood)?, method, value)
            }
            _ => Err(NotUnderstood),
        }
    }
}

/// What methods of lists and maps do.
fn change(place: &mut Value, method: &str, value: Value) -> Result<(), NotUnderstood> {
    match (place, method, value) {
        (Value::Array(list), "append", value) => list.push(value),
        (Value::Array(list), "extend", Value::Array(more)) => list.extend(more),
        (Value::Object(map), "update", Value::Object(more)) => map.extend(more),
        _ => return Err(NotUnderstood),
    }
    Ok(())
}

/// Ends the conditions that a statement is not below of; gives the one that an `elif` or `else` goes on with.
fn pop_ended(conditions: &mut Vec<Branch>, statement: &Statement) -> Option<Branch> {
    let mut ended = None;
    while let Some(last) = conditions.pop_if(|last| last.indent >= statement.indent) {
        ended = (last.indent == statement.indent).then_some(last);
    }
    ended
}
