//! Templates of Jinja in values of mock's configurations, expanded as mock expands them.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

use super::ImportError;
use super::options::MockOptions;

/// How often a value is expanded: what a template comes to may be one itself. As in mock.
const DEEPEST: usize = 5;

/// What one expansion may do.
const FUEL: u64 = 200_000;

/// The longest text that one may come to.
const LONGEST: usize = 1 << 20;

/// Expands templates with the options as their variables.
pub(super) struct Templates<'o> {
    environment: Environment<'static>,
    options: &'o MockOptions,
}

impl<'o> Templates<'o> {
    pub fn new(options: &'o MockOptions) -> Self {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        // The defaults can't contradict each other: should they, templates lose the line's end that is their last character.
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        Self { environment, options }
    }

    /// The text of an option, expanded; nothing where it is no text.
    pub fn text(&self, option: &str) -> Result<Option<String>, ImportError> {
        match self.options.get(option) {
            Some(Value::String(text)) => self.expand(option, text).map(Some),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => Ok(None),
        }
    }

    /// A value's text, expanded until nothing of it changes.
    pub fn expand(&self, option: &str, text: &str) -> Result<String, ImportError> {
        let error = |reason: String| ImportError::Template { option: option.to_owned(), reason };
        let mut text = text.to_owned();
        for _ in 0..DEEPEST {
            if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
                return Ok(text);
            }
            let expanded = self.environment.render_str(&text, minijinja::value::Serde(self.options.all()));
            let expanded = expanded.map_err(|problem| error(problem.to_string()))?;
            if expanded.len() > LONGEST {
                return Err(error("it comes to more than a megabyte".to_owned()));
            }
            if expanded == text {
                return Ok(text);
            }
            text = expanded;
        }
        Err(error("it names itself".to_owned()))
    }
}
