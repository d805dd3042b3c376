//! Python's tokens, as far as mock's configurations have them.

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PythonToken {
    /// A name or a word of the language.
    Name(String),
    /// A number, as it is written.
    Number(String),
    /// A text, unquoted.
    Text(String),
    /// A text of a kind that nothing is made of here: an f-string.
    OddText,
    /// An operator or a bracket.
    Symbol(String),
}

/// A logical line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    /// The number of the line that it begins in.
    pub line: usize,
    /// How far it is indented.
    pub indent: usize,
    /// What it consists of.
    pub tokens: Vec<PythonToken>,
}

const SYMBOLS: [&str; 17] =
    ["**=", "//=", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "**", "//", "->", ":="];

/// The logical lines of a file; an error is the number of a line in which a text has no end.
pub(super) fn read_statements(text: &str) -> Result<Vec<Statement>, usize> {
    let mut reader = TokenReader { rest: text, line: 1, depth: 0, statements: Vec::new(), current: None };
    reader.read_all()?;
    Ok(reader.statements)
}

struct TokenReader<'t> {
    rest: &'t str,
    line: usize,
    depth: usize,
    statements: Vec<Statement>,
    current: Option<Statement>,
}

impl TokenReader<'_> {
    fn read_all(&mut self) -> Result<(), usize> {
        let mut indent = 0;
        let mut is_at_start = true;
        while let Some(next) = self.rest.chars().next() {
            match next {
                '\n' => {
                    self.skip(1);
                    self.line += 1;
                    if self.depth == 0 {
                        self.end_statement();
                        (indent, is_at_start) = (0, true);
                    }
                }
                '\\' if self.rest.starts_with("\\\n") => {
                    self.skip(2);
                    self.line += 1;
                }
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                next if next.is_whitespace() => {
                    indent += usize::from(is_at_start);
                    self.skip(next.len_utf8());
                }
                ';' if self.depth == 0 => {
                    self.skip(1);
                    self.end_statement();
                }
                _ => {
                    is_at_start = false;
                    let line = self.line;
                    let token = self.token(next)?;
                    let begun = || Statement { line, indent, tokens: Vec::new() };
                    self.current.get_or_insert_with(begun).tokens.push(token);
                }
            }
        }
        self.end_statement();
        Ok(())
    }

    fn token(&mut self, next: char) -> Result<PythonToken, usize> {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let name_end = self.rest.find(|c: char| !is_of_name(c)).unwrap_or(self.rest.len());
        let (name, behind) = self.rest.split_at(name_end);
        let is_prefix = name.len() <= 2 && name.chars().all(|c| "rRuUbBfF".contains(c));
        if is_prefix && behind.starts_with(['"', '\'']) {
            self.skip(name_end);
            let is_raw = name.contains(['r', 'R']);
            let text = self.text(is_raw)?;
            let is_odd = name.contains(['f', 'F', 'b', 'B']);
            return Ok(if is_odd { PythonToken::OddText } else { PythonToken::Text(text) });
        }
        if next.is_ascii_digit() {
            let end = self.rest.find(|c: char| !is_of_name(c) && c != '.').unwrap_or(self.rest.len());
            let (number, _) = self.rest.split_at(end);
            let number = number.to_owned();
            self.skip(end);
            return Ok(PythonToken::Number(number));
        }
        if !name.is_empty() {
            let name = name.to_owned();
            self.skip(name_end);
            return Ok(PythonToken::Name(name));
        }
        let known = SYMBOLS.iter().find(|symbol| self.rest.starts_with(**symbol));
        let symbol = known.map_or_else(|| next.to_string(), |known| (*known).to_owned());
        match symbol.as_str() {
            "(" | "[" | "{" => self.depth += 1,
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.skip(symbol.len());
        Ok(PythonToken::Symbol(symbol))
    }

    /// The text that begins here, with its quotes.
    fn text(&mut self, is_raw: bool) -> Result<String, usize> {
        let begun = self.line;
        let first = self.rest.chars().next().unwrap_or('"');
        let triple = first.to_string().repeat(3);
        let quote = if self.rest.starts_with(&triple) { triple } else { first.to_string() };
        self.skip(quote.len());
        let mut text = String::new();
        loop {
            if self.rest.starts_with(&quote) {
                self.skip(quote.len());
                return Ok(text);
            }
            let Some(next) = self.rest.chars().next() else { return Err(begun) };
            self.skip(next.len_utf8());
            match next {
                '\n' if quote.len() == 1 => return Err(begun),
                '\n' => {
                    self.line += 1;
                    text.push('\n');
                }
                '\\' => self.escape(is_raw, &mut text),
                other => text.push(other),
            }
        }
    }

    /// What a backslash makes of the character behind it.
    fn escape(&mut self, is_raw: bool, text: &mut String) {
        let Some(next) = self.rest.chars().next() else { return };
        self.skip(next.len_utf8());
        self.line += usize::from(next == '\n');
        if is_raw {
            text.extend(['\\', next]);
            return;
        }
        match next {
            '\n' => {}
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '\\' | '\'' | '"' => text.push(next),
            // Python keeps what it knows no meaning of.
            other => text.extend(['\\', other]),
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn end_statement(&mut self) {
        self.statements.extend(self.current.take());
    }
}
