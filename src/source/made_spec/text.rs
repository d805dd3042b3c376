//! Strangers' texts, as a spec may have them.
//!
//! rpm expands a line before it looks what the line is: `%%package` becomes the begin of a section, and a value that is kept in a
//! macro is expanded again. So a `%` stays only where it can begin nothing however often it is expanded, and never in front.

/// How long a line of a description is.
const WIDTH: usize = 79;

/// One line without what could be more than text, of at most so many characters.
pub fn one_line(text: &str, most: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words = words.filter(|word| !word.is_empty()).map(plain_word).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        let blank = usize::from(!line.is_empty());
        if line.chars().count() + blank + word.chars().count() > most {
            if line.is_empty() {
                line.extend(word.chars().take(most));
            }
            break;
        }
        if blank == 1 {
            line.push(' ');
        }
        line.push_str(&word);
    }
    // Cut off, or as it was: a line that ends so would go on in the next.
    let is_more_than_text = |letter: char| letter.is_whitespace() || matches!(letter, '%' | '\\');
    let is_begin = |letter: char| letter.is_whitespace() || matches!(letter, '%' | '#');
    line.trim_end_matches(is_more_than_text).trim_start_matches(is_begin).to_owned()
}

/// A word in which no `%` can begin a macro.
fn plain_word(word: &str) -> String {
    let mut plain = String::new();
    let mut letters = word.chars().filter(|letter| !is_invisible(*letter)).peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            plain.push(letter);
            continue;
        }
        let is_amount = plain.ends_with(|before: char| before.is_ascii_digit());
        // `100%` at the end of a word, or before a comma.
        if is_amount && letters.peek().is_none_or(|next| matches!(next, ',' | '.' | ';' | ':')) {
            plain.push_str("%%");
        }
    }
    // A line that ended so would go on in the next.
    plain.replace("%%%%", "%%").trim_end_matches('\\').to_owned()
}

/// What is no letter to see, and may turn around those that are.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Paragraphs of a description, filled up; at most so many characters.
pub fn paragraphs(text: &str, most: usize) -> String {
    let mut filled: Vec<String> = Vec::new();
    let mut left = most;
    let text = text.replace("\r\n", "\n");
    for paragraph in text.split("\n\n") {
        let line = one_line(paragraph, left);
        if line.is_empty() {
            continue;
        }
        left = left.saturating_sub(line.chars().count());
        filled.push(fill(&line));
        if left == 0 {
            break;
        }
    }
    filled.join("\n\n")
}

/// Breaks a line where it gets too long.
fn fill(line: &str) -> String {
    let mut filled = String::new();
    let mut width = 0;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        // A line that began with a `%` or a `#` would be more than text.
        let may_break = !word.starts_with(['%', '#']);
        if width > 0 && width + 1 + length > WIDTH && may_break {
            filled.push('\n');
            width = 0;
        } else if width > 0 {
            filled.push(' ');
            width += 1;
        }
        filled.push_str(word);
        width += length;
    }
    filled.lines().map(|line| line.trim_end_matches('\\')).collect::<Vec<&str>>().join("\n")
}

/// Whether it is a name of what registries have, with nothing that means something to rpm, a shell or a file system.
pub fn is_plain_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-~^".contains(&byte);
    name.len() <= 200
        && name.bytes().all(is_letter)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
}

/// Whether it is a path below a folder that can be written into `%files` and a script as it is.
pub fn is_plain_path(path: &str) -> bool {
    let is_part = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-@".contains(&byte);
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.starts_with('-')
            && part.bytes().all(is_letter)
    };
    path.len() <= 500 && path.split('/').all(is_part)
}

/// Whether it is a URL of a web page that needs no thought.
pub fn is_plain_url(url: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._~:/?#@!$&'()*+,;=-".contains(&byte);
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= 500
        && url.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_and_a_percent_sign_begins_nothing() {
        assert_eq!(one_line("Fast\n%post\nrm -rf /", 80), "Fast post rm -rf /");
        assert_eq!(one_line("%{lua:os.exit()} x%(id)y", 80), "{lua:os.exit()} x(id)y");
        assert_eq!(one_line("100% pure, 50%, 5%%d", 80), "100%% pure, 50%%, 5d");
        assert_eq!(one_line("a\u{0}b\u{202e}c \\", 80), "a bc");
        assert_eq!(one_line("one two three", 8), "one two");
    }

    #[test]
    fn no_line_of_a_description_begins_a_section() {
        let text = paragraphs("%package x\n\n%%files\n\n#if\n\nfirst\nsecond", 500);
        assert_eq!(text, "package x\n\nfiles\n\nif\n\nfirst second");
        let long = paragraphs(&"word ".repeat(50), 500);
        assert!(long.lines().all(|line| line.len() <= WIDTH) && long.lines().count() > 2);
    }

    #[test]
    fn names_paths_and_urls_are_plain_or_refused() {
        assert!(
            is_plain_name("zope.interface")
                && !is_plain_name("a b")
                && !is_plain_name("-x")
                && !is_plain_name("%x")
        );
        assert!(
            is_plain_path("bin/x-1")
                && !is_plain_path("../x")
                && !is_plain_path("/x")
                && !is_plain_path("a/-x")
        );
        assert!(
            is_plain_url("https://a.example/b#c")
                && !is_plain_url("https://a.example/%20")
                && !is_plain_url("x")
        );
    }
}
