//! What a spec says in so many words, and lines of it replaced. No macro is expanded but those that the spec itself defines as
//! plain texts: what needs more needs a root.

/// The value of a tag of the preamble, if it can be read without running anything.
pub(super) fn tag_value(text: &str, tag: &str) -> Option<String> {
    let mut defined: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if let Some((name, body)) = read_definition(line) {
            if let Some(body) = expand_defined(body, &defined) {
                defined.push((name, body));
            }
            continue;
        }
        if let Some(value) = tag_line(line, tag) {
            return expand_defined(value, &defined);
        }
    }
    None
}

/// What stands behind `TAG:` at the beginning of a line; case doesn't count.
pub(super) fn tag_line<'a>(line: &'a str, tag: &str) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    name.trim().eq_ignore_ascii_case(tag).then(|| value.trim())
}

/// `%global NAME BODY`, without parameters.
fn read_definition(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let rest = line.strip_prefix("%global").or_else(|| line.strip_prefix("%define"))?;
    let (name, body) = rest.trim_start().split_once(char::is_whitespace)?;
    Some((name, body.trim()))
}

/// A text with the macros in it that are known; nothing where another one is left.
fn expand_defined(text: &str, defined: &[(&str, String)]) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let (name, behind) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
            }
        };
        let is_optional = name.starts_with('?');
        match defined.iter().rev().find(|(known, _)| *known == name.trim_start_matches('?')) {
            Some((_, body)) => expanded.push_str(body),
            // `%{?dist}` is nothing where nobody says what it is.
            None if is_optional => {}
            None => return None,
        }
        rest = behind;
    }
    expanded.push_str(rest);
    Some(expanded)
}

/// The text with each line as `replace` has it; where that gives nothing the line stays.
pub(super) fn replace_lines(text: &str, mut replace: impl FnMut(&str) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
        match replace(content) {
            Some(new) => replaced.push_str(&new),
            None => replaced.push_str(content),
        }
        replaced.push_str(end);
    }
    replaced
}

/// `%setup` or `%autosetup` with another folder in its `-n`; nothing where a line is none of them.
pub(super) fn name_setup_folder(line: &str, folder: &str) -> Option<String> {
    let start = line.len() - line.trim_start().len();
    let (indent, content) = line.split_at(start);
    let word_end = content.find(char::is_whitespace).unwrap_or(content.len());
    let (word, arguments) = content.split_at(word_end);
    if !matches!(word, "%setup" | "%autosetup") {
        return None;
    }
    let mut kept = Vec::new();
    let mut words = arguments.split_whitespace();
    while let Some(argument) = words.next() {
        match argument {
            "-n" => drop(words.next()),
            argument if argument.starts_with("-n") => {}
            argument => kept.push(argument),
        }
    }
    kept.extend(["-n", folder]);
    Some(format!("{indent}{word} {}", kept.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_with_the_macros_that_the_spec_defines() {
        let text = "%global base foo\n%define full %{base}-bar\nName:\t%{full}\nversion : 1.%other\nRelease: 1%{?dist}\n";
        assert_eq!(tag_value(text, "Name").as_deref(), Some("foo-bar"));
        assert_eq!(tag_value(text, "Version"), None);
        assert_eq!(tag_value(text, "Release").as_deref(), Some("1"));
        assert_eq!(tag_value("Name: %{lua:x}", "Name"), None);
        assert_eq!(tag_value("%global a(b) x\nName: %a", "Name"), None);
    }

    #[test]
    fn the_folder_of_setup_is_replaced_and_other_arguments_stay() {
        let named = |line| name_setup_folder(line, "x-1");
        assert_eq!(named("  %setup -q -n %{name} -a 1").as_deref(), Some("  %setup -q -a 1 -n x-1"));
        assert_eq!(named("%autosetup").as_deref(), Some("%autosetup -n x-1"));
        assert_eq!(named("%setup -q -nfoo").as_deref(), Some("%setup -q -n x-1"));
        assert_eq!(named("%setupx").as_deref(), None);
    }

    #[test]
    fn lines_keep_their_ends() {
        let replaced = replace_lines("a\nb", |line| (line == "a").then(|| "c".to_owned()));
        assert_eq!(replaced, "c\nb");
    }
}
