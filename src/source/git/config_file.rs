//! Files in the form of git's configuration (git-config(1), "Syntax"), of which forge reads `.gitmodules` alone.

/// What such a file says, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfigValue {
    /// The section, in lower case: `submodule`.
    pub section: String,
    /// The part of its name in quotes.
    pub subsection: String,
    /// The variable, in lower case.
    pub name: String,
    /// Its value; `true` where it has none.
    pub value: String,
}

/// Reads such a file.
///
/// # Errors
/// The first line that is none of it, counted from 1.
pub(super) fn parse_config(text: &str) -> Result<Vec<ConfigValue>, usize> {
    let mut values = Vec::new();
    let (mut section, mut subsection) = (String::new(), String::new());
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let mut line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            let rest = read_section(rest, &mut section, &mut subsection).ok_or(number)?;
            line = rest.trim();
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let mut whole = line.to_owned();
        // A backslash at the end takes the next line in.
        while whole.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            whole.pop();
            whole.push_str(lines.next().map(|(_, line)| line).unwrap_or_default());
        }
        let (name, value) =
            whole.split_once('=').map_or((whole.as_str(), None), |(name, value)| (name, Some(value)));
        let name = name.trim().to_ascii_lowercase();
        if section.is_empty()
            || name.is_empty()
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(number);
        }
        let value = match value {
            None => "true".to_owned(),
            Some(value) => read_value(value.trim()).ok_or(number)?,
        };
        values.push(ConfigValue { section: section.clone(), subsection: subsection.clone(), name, value });
    }
    Ok(values)
}

/// `submodule "a b"]`; gives what stands behind it.
fn read_section<'a>(text: &'a str, section: &mut String, subsection: &mut String) -> Option<&'a str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))?;
    let (name, rest) = text.split_at(end);
    *section = name.to_ascii_lowercase();
    subsection.clear();
    let rest = rest.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else { return rest.strip_prefix(']') };
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => subsection.push(characters.next()?.1),
            '"' => return quoted.get(at + 1..)?.trim_start().strip_prefix(']'),
            c => subsection.push(c),
        }
    }
    None
}

/// A value with its quotes and escapes worked out, up to a comment.
fn read_value(text: &str) -> Option<String> {
    let (mut value, mut kept, mut is_quoted) = (String::new(), 0, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            '\\' => value.push(match characters.next()? {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            '#' | ';' if !is_quoted => break,
            c => value.push(c),
        }
        if is_quoted || !c.is_whitespace() {
            kept = value.len();
        }
    }
    value.truncate(kept);
    (!is_quoted).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_does() {
        let text = "# x\n[Submodule \"a \\\"b\"] Path = \"x # y\" ; z\n\turl = one\\\n two \n[core]\nbare\n";
        let values = parse_config(text).unwrap();
        let shown: Vec<String> = values
            .iter()
            .map(|value| format!("{}.{}.{}={}", value.section, value.subsection, value.name, value.value))
            .collect();
        assert_eq!(shown, ["submodule.a \"b.path=x # y", "submodule.a \"b.url=one two", "core..bare=true"]);
    }

    #[test]
    fn what_is_none_of_it_is_an_error_with_its_line() {
        for text in ["\n[a", "\nx = 1", "\n[a] x = \"1", "\n[a \"b] x=1", "\n[a] x = \\q"] {
            assert_eq!(parse_config(text), Err(2), "{text:?}");
        }
    }
}
