//! Wraps text as Python's `textwrap` does, which rpmautospec uses.

/// How wide lines are.
const WIDTH: usize = 75;

/// How lines after the first begin.
const INDENT: &str = "  ";

/// Wraps a text.
pub(super) fn wrap(text: &str) -> String {
    let mut chunks = split(&spaces_only(text));
    chunks.reverse();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        let indent = if lines.is_empty() { "" } else { INDENT };
        let width = WIDTH - indent.len();
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
            chunks.pop();
        }
        let (mut line, mut length) = (Vec::new(), 0);
        while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.len() <= width) {
            length += chunk.len();
            line.push(chunk);
        }
        if let Some(chunk) = chunks.last_mut().filter(|chunk| chunk.len() > width) {
            line.push(break_word(chunk, width - length));
        }
        line.pop_if(|chunk| is_blank(chunk));
        if !line.is_empty() {
            lines.push(indent.to_owned() + &line.into_iter().flatten().collect::<String>());
        }
    }
    lines.join("\n")
}

/// Takes from the beginning of a word what still fits, behind a hyphen if there is one.
fn break_word(word: &mut Vec<char>, room: usize) -> Vec<char> {
    let mut end = room.min(word.len());
    let before = word.get(..end).unwrap_or_default();
    let hyphen = before.iter().rposition(|c| *c == '-').filter(|at| *at > 0);
    if let Some(at) = hyphen.filter(|at| before.iter().take(*at).any(|c| *c != '-')) {
        end = at + 1;
    }
    let rest = word.split_off(end);
    std::mem::replace(word, rest)
}

fn is_blank(chunk: &[char]) -> bool {
    chunk.iter().all(|c| c.is_whitespace())
}

/// Tabs go to the next multiple of eight columns; other white space becomes a space.
fn spaces_only(text: &str) -> Vec<char> {
    let (mut spaced, mut column) = (Vec::new(), 0);
    for c in text.chars() {
        match c {
            '\t' => {
                let count = 8 - column % 8;
                spaced.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                spaced.push(' ');
                column = 0;
            }
            '\u{b}' | '\u{c}' => {
                spaced.push(' ');
                column += 1;
            }
            c => {
                spaced.push(c);
                column += 1;
            }
        }
    }
    spaced
}

/// The pieces between which lines may end: words, parts of hyphenated words, dashes, and the space between them.
fn split(text: &[char]) -> Vec<Vec<char>> {
    let text = Text(text);
    let (mut chunks, mut start) = (Vec::new(), 0);
    while start < text.0.len() {
        let end = text.chunk_end(start);
        chunks.push(text.0.get(start..end).unwrap_or_default().to_vec());
        start = end;
    }
    chunks
}

struct Text<'a>(&'a [char]);

impl Text<'_> {
    fn is(&self, at: Option<usize>, test: impl Fn(char) -> bool) -> bool {
        at.and_then(|at| self.0.get(at)).is_some_and(|c| test(*c))
    }

    fn chunk_end(&self, start: usize) -> usize {
        if self.is(Some(start), is_space) {
            return self.end_of_run(start, is_space);
        }
        if self.is(start.checked_sub(1), is_word_or_mark)
            && let Some(end) = self.dash_end(start)
        {
            return end;
        }
        let mut end = start + 1;
        loop {
            if end >= self.0.len() || self.is(Some(end), is_space) {
                return end;
            }
            if self.is_hyphen_in_word(end) {
                return end + 1;
            }
            if self.is(Some(end - 1), is_word_or_mark) && self.dash_end(end).is_some() {
                return end;
            }
            end += 1;
        }
    }

    fn end_of_run(&self, start: usize, test: impl Fn(char) -> bool) -> usize {
        let length = self.0.iter().skip(start).take_while(|c| test(**c)).count();
        start + length
    }

    /// The end of two or more hyphens with a word behind them.
    fn dash_end(&self, start: usize) -> Option<usize> {
        let end = self.end_of_run(start, |c| c == '-');
        (end >= start + 2 && self.is(Some(end), is_word)).then_some(end)
    }

    /// A hyphen behind two letters, or a letter, a hyphen and a letter, and before the same.
    fn is_hyphen_in_word(&self, at: usize) -> bool {
        let letter = |at: Option<usize>| self.is(at, is_letter);
        let hyphen = |at: Option<usize>| self.is(at, |c| c == '-');
        let before = |count: usize| at.checked_sub(count);
        let is_behind = letter(before(1)) && (letter(before(2)) || (hyphen(before(2)) && letter(before(3))));
        let is_before =
            letter(Some(at + 1)) && (letter(Some(at + 2)) || (hyphen(Some(at + 2)) && letter(Some(at + 3))));
        hyphen(Some(at)) && is_behind && is_before
    }
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_letter(c: char) -> bool {
    is_word(c) && !c.is_ascii_digit()
}

fn is_word_or_mark(c: char) -> bool {
    is_word(c) || "!\"'&.,?".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        split(&spaces_only(text)).into_iter().map(|chunk| chunk.into_iter().collect()).collect()
    }

    #[test]
    fn words_are_split_where_python_splits_them() {
        let expected =
            ["Look,", " ", "goof-", "ball", " ", "--", " ", "use", " ", "the", " ", "-b", " ", "option!"];
        assert_eq!(pieces("Look, goof-ball -- use the -b option!"), expected);
        assert_eq!(
            pieces("what--if x-1 e-mail a-b-c"),
            ["what", "--", "if", " ", "x-1", " ", "e-mail", " ", "a-b-c"]
        );
    }

    #[test]
    fn a_word_that_is_too_long_is_broken() {
        let lines = wrap(&"x".repeat(160));
        let lengths: Vec<usize> = lines.lines().map(str::len).collect();
        assert_eq!(lengths, [75, 75, 14]);
    }
}
