//! What stands in `{{{ … }}}`: one call of a macro with arguments, as bash reads words (bash(1), "QUOTING"). Whatever else bash
//! could be told there is refused.

/// A call of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MacroCall {
    /// Its name.
    pub name: String,
    /// `NAME=VALUE`, in order.
    pub arguments: Vec<(String, Vec<ValuePart>)>,
    /// What stands there without a `=`.
    pub plain: Vec<String>,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValuePart {
    /// A text.
    Text(String),
    /// `$(…)`: what another macro gives.
    Call(MacroCall),
}

/// How deep calls may lie in each other.
const DEPTH: usize = 8;

/// Reads one call.
///
/// # Errors
/// What is no such call, in words for a person.
pub(super) fn read_call(text: &str) -> Result<MacroCall, String> {
    read_at_depth(text.trim(), 0)
}

fn read_at_depth(text: &str, depth: usize) -> Result<MacroCall, String> {
    if depth > DEPTH {
        return Err("calls lie too deep in each other".to_owned());
    }
    let mut words = WordReader { rest: text, depth }.read_words()?.into_iter();
    let name = match words.next().map(|word| word.0) {
        Some(parts) => plain_text(&parts).ok_or("what begins it is no name of a macro")?,
        None => return Err("it is empty".to_owned()),
    };
    let (mut arguments, mut plain) = (Vec::new(), Vec::new());
    for Word(mut parts) in words {
        match parts.first_mut() {
            Some(ValuePart::Text(first)) if first.contains('=') => {
                let (name, value) = first.split_once('=').unwrap_or_default();
                let (name, value) = (name.to_owned(), value.to_owned());
                *first = value;
                arguments.push((name, parts));
            }
            _ => plain.push(plain_text(&parts).ok_or("an argument is no `NAME=VALUE`")?),
        }
    }
    Ok(MacroCall { name, arguments, plain })
}

struct Word(Vec<ValuePart>);

fn plain_text(parts: &[ValuePart]) -> Option<String> {
    match parts {
        [] => Some(String::new()),
        [ValuePart::Text(text)] => Some(text.clone()),
        _ => None,
    }
}

struct WordReader<'a> {
    rest: &'a str,
    depth: usize,
}

impl WordReader<'_> {
    fn read_words(mut self) -> Result<Vec<Word>, String> {
        let mut words = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(words);
            }
            words.push(self.read_word()?);
        }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn read_word(&mut self) -> Result<Word, String> {
        let (mut parts, mut text) = (Vec::new(), String::new());
        while let Some(c) = self.rest.chars().next() {
            if c.is_whitespace() {
                break;
            }
            self.take();
            match c {
                '\'' => self.read_single_quoted(&mut text)?,
                '"' => self.read_double_quoted(&mut parts, &mut text)?,
                '\\' => text.push(self.take().ok_or("it ends with a backslash")?),
                '$' => self.read_dollar(&mut parts, &mut text)?,
                '|' | '&' | ';' | '<' | '>' | '(' | ')' | '`' | '*' | '?' | '[' => {
                    return Err(format!("`{c}` is more than a call of a macro"));
                }
                c => text.push(c),
            }
        }
        push_text(&mut parts, text);
        Ok(Word(parts))
    }

    fn read_single_quoted(&mut self, text: &mut String) -> Result<(), String> {
        let (inner, rest) = self.rest.split_once('\'').ok_or("a quote has no end")?;
        text.push_str(inner);
        self.rest = rest;
        Ok(())
    }

    fn read_double_quoted(&mut self, parts: &mut Vec<ValuePart>, text: &mut String) -> Result<(), String> {
        loop {
            match self.take().ok_or("a quote has no end")? {
                '"' => return Ok(()),
                '\\' => match self.take().ok_or("a quote has no end")? {
                    c @ ('"' | '\\' | '$' | '`') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                '$' => self.read_dollar(parts, text)?,
                '`' => return Err("`` ` `` runs a command".to_owned()),
                c => text.push(c),
            }
        }
    }

    /// What stands behind `$`: only `$(MACRO …)` is known.
    fn read_dollar(&mut self, parts: &mut Vec<ValuePart>, text: &mut String) -> Result<(), String> {
        let Some(inner) = self.rest.strip_prefix('(') else {
            return Err("variables of bash are not known here".to_owned());
        };
        let end = closing(inner).ok_or("`$(` has no end")?;
        let call = read_at_depth(inner.get(..end).unwrap_or_default().trim(), self.depth + 1)?;
        self.rest = inner.get(end + 1..).unwrap_or_default();
        push_text(parts, std::mem::take(text));
        parts.push(ValuePart::Call(call));
        Ok(())
    }
}

fn push_text(parts: &mut Vec<ValuePart>, text: String) {
    if !text.is_empty() || parts.is_empty() {
        parts.push(ValuePart::Text(text));
    }
}

/// Where the `)` is that ends what began with `(`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Vec<ValuePart> {
        vec![ValuePart::Text(value.to_owned())]
    }

    #[test]
    fn arguments_are_read_as_bash_reads_words() {
        let call = read_call(" git_dir_version lead=1.2 follow=\"~\"  name='a b' x\\ y= ").unwrap();
        assert_eq!(call.name, "git_dir_version");
        let named = |name: &str, value: &str| (name.to_owned(), text(value));
        let expected = [named("lead", "1.2"), named("follow", "~"), named("name", "a b"), named("x y", "")];
        assert_eq!(call.arguments, expected);
    }

    #[test]
    fn a_value_may_be_what_another_macro_gives() {
        let call = read_call("git_dir_version name=\"x-$(git_dir_name append=-y)\"").unwrap();
        let inner = MacroCall {
            name: "git_dir_name".to_owned(),
            arguments: vec![("append".to_owned(), text("-y"))],
            plain: Vec::new(),
        };
        let parts = vec![ValuePart::Text("x-".to_owned()), ValuePart::Call(inner)];
        assert_eq!(call.arguments, [("name".to_owned(), parts)]);
    }

    #[test]
    fn other_bash_is_refused() {
        for text in [
            "",
            "git_dir_name | sed s/a/b/",
            "a; b",
            "a && b",
            "a > /etc/passwd",
            "a x=$HOME",
            "a x=`id`",
            "a x=\"`id`\"",
            "a \"x",
            "a 'x",
            "a x=${y}",
            "a x=$(b",
            "a x=$(b | c)",
            "(a)",
            "a *",
            "a\\",
        ] {
            assert!(read_call(text).is_err(), "{text}");
        }
        let deep = format!("a{}", " x=$(a".repeat(20));
        assert!(read_call(&format!("{deep}{}", ")".repeat(20))).is_err());
    }
}
