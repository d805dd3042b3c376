//! Reads a page: its fenced blocks, the steps of a console, the command lines in texts.

/// A fenced block.
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    attributes: Vec<(String, String)>,
    /// What stands in it.
    pub text: String,
    /// The line of its fence, from 1.
    pub line: usize,
}

impl Block {
    /// The value of `name=value` behind the fence; that of a bare word is empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A command of a console, and what is shown of its output.
pub struct Step {
    pub command: String,
    pub shown: Vec<String>,
}

/// All fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(fence), false) => {
                let mut words = fence.split_whitespace();
                let language = words.next().unwrap_or_default().to_owned();
                let attributes = words.map(attribute).collect();
                blocks.push(Block { language, attributes, text: String::new(), line: number + 1 });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a fence that is not closed");
    blocks
}

fn attribute(word: &str) -> (String, String) {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    (name.to_owned(), value.to_owned())
}

/// The commands of a console block. Lines of output that are only `…` stand for any.
pub fn console(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            None => {
                let step = steps.last_mut().expect("output before the first command");
                if !line.trim().is_empty() && line.trim() != "…" {
                    step.shown.push(line.to_owned());
                }
            }
        }
    }
    steps
}

/// A line without what differs from run to run: durations, digests, ages, sizes, the widths of columns.
pub fn normalize(line: &str) -> String {
    let patterns = [
        (r"\b[0-9a-f]{8,64}\b", "DIGEST"),
        (r"-[0-9a-f]{12}\b", "-DIGEST"),
        (r"#\d+\b", "#NUMBER"),
        (r"\b\d+(\.\d+)?(ms|s)\b", "TIME"),
        (r"\b(just now|\d+ (second|minute)s? ago)", "AGE"),
        (r"\b\d+(\.\d+)? ([KMG]iB|bytes?)\b", "SIZE"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "WHEN"),
    ];
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    patterns.iter().fold(words, |line, (pattern, name)| {
        regex::Regex::new(pattern).unwrap().replace_all(&line, *name).into_owned()
    })
}

/// Whether a normalized line is the one that a page shows, or begins as one does that ends with `…`.
pub fn is_shown(line: &str, wanted: &str) -> bool {
    wanted.strip_suffix('…').map_or(line == wanted, |beginning| line.starts_with(beginning.trim_end()))
}

/// What stands between backticks outside of fenced blocks.
pub fn code_spans(page: &str) -> Vec<String> {
    let mut open = false;
    let mut spans = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            open = !open;
        } else if !open {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The command lines of forge in a text, each as its words.
pub fn commands_of_forge(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for line in text.lines() {
        let mut words = split(line);
        while let Some(from) = words.iter().position(|word| word == "forge") {
            let rest = words.split_off(from);
            let is_end = |word: &String| {
                matches!(word.as_str(), "|" | "||" | "&&" | ";" | "#" | ">" | ">>" | "2>" | "then" | "·")
            };
            let end = rest.iter().position(is_end).unwrap_or(rest.len());
            let command = rest[..end].to_vec();
            let is_command = |word: &String| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if command.get(1).is_some_and(is_command) {
                commands.push(command);
            }
            words = rest[1..].to_vec();
        }
    }
    commands
}

/// The words of a line as a shell splits it, without anything expanded.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.push(String::new()),
            (';', None) => words.extend([";".to_owned(), String::new()]),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
