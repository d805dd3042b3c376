//! The lines of `%files` (rpm-spec(5), "%files"): directives, and the files that they are about.

use bstr::{BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

/// What a line says of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileDirective {
    /// `%attr(mode, user, group)`; what is `-` is not said.
    Attr(Ownership),
    /// `%defattr(mode, user, group, dirmode)`: for all lines that follow.
    DefAttr(Ownership, Option<u32>),
    /// `%config(noreplace missingok)`
    Config {
        /// `noreplace`
        keeps_own: bool,
        /// `missingok`
        may_be_missing: bool,
    },
    /// `%verify(not size mtime)`
    Verify {
        /// `not`: all but these.
        is_negated: bool,
        /// What is verified, in rpm's bits (`RPMVERIFY_*`).
        bits: u32,
    },
    /// `%caps(…)`, as capabilities(7) are written.
    Caps(BString),
    /// `%dev(type, major, minor)`
    Dev {
        /// `b` or `c`.
        kind: u8,
        /// The major number.
        major: u32,
        /// The minor number.
        minor: u32,
    },
    /// `%lang(de, en)`
    Lang(Vec<BString>),
    /// A directive without anything in parentheses.
    Simple(SimpleDirective),
}

/// Who owns a file, and who may do what with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// The mode.
    pub mode: Option<u32>,
    /// The user.
    pub user: Option<BString>,
    /// The group.
    pub group: Option<BString>,
}

macro_rules! simple {
    ($($directive:ident $word:literal,)*) => {
        /// A directive without anything in parentheses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SimpleDirective { $(#[doc = concat!("`%", $word, "`")] $directive,)* }

        const SIMPLE: &[(&str, SimpleDirective)] = &[$(($word, SimpleDirective::$directive),)*];
    };
}

simple! {
    Artifact "artifact",
    Dir "dir",
    Doc "doc",
    DocDir "docdir",
    Exclude "exclude",
    Ghost "ghost",
    License "license",
    MissingOk "missingok",
    PubKey "pubkey",
    Readme "readme",
}

/// A line, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileItem {
    /// What it says of its files.
    pub directives: Vec<FileDirective>,
    /// The files: one path in the root, files of the build that become documentation, or a key. They are patterns; of
    /// names in quotes the stars and their like are escaped.
    pub names: Vec<BString>,
}

impl FileItem {
    /// Whether a directive stands there.
    pub fn is(&self, wanted: SimpleDirective) -> bool {
        self.directives.contains(&FileDirective::Simple(wanted))
    }

    /// Whether nothing but one attribute is said of its files: files of the build have no others.
    fn has_one_attribute(&self) -> bool {
        let mut attributes = self.directives.iter().filter(|directive| match directive {
            FileDirective::Config { .. } | FileDirective::Simple(_) => true,
            FileDirective::Attr(_)
            | FileDirective::DefAttr(..)
            | FileDirective::Verify { .. }
            | FileDirective::Caps(_)
            | FileDirective::Dev { .. }
            | FileDirective::Lang(_) => false,
        });
        let first = attributes.next();
        attributes.all(|other| Some(other) == first)
    }

    /// Whether its names may begin in the folder of the build.
    fn takes_relative_names(&self) -> bool {
        [SimpleDirective::Doc, SimpleDirective::License, SimpleDirective::PubKey]
            .into_iter()
            .any(|directive| self.is(directive))
    }
}

/// What can be wrong with a line, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum FileProblem {
    /// A directive without its opening or closing parenthesis.
    #[error("Missing '{sign}' in {text}")]
    #[diagnostic(code(forge::spec::file_parenthesis), help("this directive says something in parentheses"))]
    Parenthesis {
        /// What is missing.
        sign: char,
        /// The text from the directive on.
        text: BString,
    },
    /// Too little or too much in parentheses.
    #[error("Bad syntax: {directive}")]
    #[diagnostic(
        code(forge::spec::file_syntax),
        help("write `%attr(0644, root, root)`; `-` stands for what is not said")
    )]
    Syntax {
        /// The directive.
        directive: BString,
    },
    /// A mode that is none.
    #[error("Bad {what} spec: {directive}")]
    #[diagnostic(code(forge::spec::file_mode), help("a mode is an octal number up to 7777, or `-`"))]
    Mode {
        /// `mode`, `dirmode`.
        what: &'static str,
        /// The directive.
        directive: BString,
    },
    /// A word that `%config` or `%verify` do not know.
    #[error("Invalid {directive} token: {word}")]
    #[diagnostic(code(forge::spec::file_token), help("rpm-spec(5) lists what can stand there"))]
    Token {
        /// The directive.
        directive: &'static str,
        /// The word.
        word: BString,
    },
    /// A device without its type or numbers.
    #[error("Missing {what} in {directive}")]
    #[diagnostic(code(forge::spec::file_device), help("write `%dev(c, 1, 3)`"))]
    Device {
        /// `devtype`, `devmajor`, `devminor`.
        what: &'static str,
        /// The directive.
        directive: BString,
    },
    /// `%lang()`
    #[error("Unusual locale length: \"\" in {directive}")]
    #[diagnostic(code(forge::spec::file_language), help("write a language: `%lang(de)`"))]
    Language {
        /// The directive.
        directive: BString,
    },
    /// A quote that is never closed.
    #[error("Missing quote: {text}")]
    #[diagnostic(code(forge::spec::file_quote), help("close the quote, or write `\\\"`"))]
    Quote {
        /// The text after it.
        text: BString,
    },
    /// A backslash with nothing after it.
    #[error("Trailing backslash: {text}")]
    #[diagnostic(code(forge::spec::file_backslash), help("write `\\\\` for a backslash in a name"))]
    Backslash {
        /// The name.
        text: BString,
    },
    /// A path that is not one of the root; an unknown directive is taken for one.
    #[error("File must begin with \"/\": {name}")]
    #[diagnostic(
        code(forge::spec::file_path),
        help("paths are whole; only after %doc and %license they begin in the folder of the build")
    )]
    Path {
        /// What was written.
        name: BString,
    },
    /// Two paths.
    #[error("More than one file on a line: {name}")]
    #[diagnostic(code(forge::spec::file_second), help("write a line for each"))]
    Second {
        /// The second one.
        name: BString,
    },
    /// A path among files of the build.
    #[error("Can't mix special {directive} with other forms: {name}")]
    #[diagnostic(code(forge::spec::file_mixed), help("write a line for each"))]
    Mixed {
        /// `%doc`, `%license`.
        directive: &'static str,
        /// The path.
        name: BString,
    },
}

impl FileProblem {
    /// Whether a macro stands there that is not defined here: where the package is built, it may be.
    pub fn has_macro_left(&self) -> bool {
        match self {
            Self::Path { name } | Self::Second { name } | Self::Mixed { name, .. } => name.contains(&b'%'),
            Self::Parenthesis { text, .. } | Self::Quote { text } | Self::Backslash { text } => {
                text.contains_str("%{")
            }
            Self::Syntax { directive }
            | Self::Mode { directive, .. }
            | Self::Device { directive, .. }
            | Self::Language { directive } => directive.contains_str("%{"),
            Self::Token { word, .. } => word.contains(&b'%'),
        }
    }
}

/// What can be verified, with rpm's bits.
const VERIFIED: [(&str, u32); 12] = [
    ("md5", 1),
    ("filedigest", 1),
    ("size", 1 << 1),
    ("link", 1 << 2),
    ("user", 1 << 3),
    ("owner", 1 << 3),
    ("group", 1 << 4),
    ("mtime", 1 << 5),
    ("mode", 1 << 6),
    ("rdev", 1 << 7),
    ("caps", 1 << 8),
    ("all", u32::MAX),
];

/// Reads a line.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read_file_line(line: &[u8]) -> Result<FileItem, FileProblem> {
    let item = read_words(line)?;
    check_names(&item)?;
    Ok(item)
}

/// As [`read_file_line`], with what rpm takes of a line that names too much: it goes on with that, and fails in the end.
pub fn read_file_line_partly(line: &[u8]) -> (FileItem, Option<FileProblem>) {
    let mut item = match read_words(line) {
        Ok(item) => item,
        Err(problem) => return (FileItem::default(), Some(problem)),
    };
    let problem = check_names(&item).err();
    match &problem {
        Some(FileProblem::Second { .. }) => item.names.truncate(1),
        Some(_) if item.has_one_attribute() => item.names.retain(|name| !name.starts_with(b"/")),
        Some(_) => item.names.clear(),
        None => {}
    }
    (item, problem)
}

fn read_words(line: &[u8]) -> Result<FileItem, FileProblem> {
    let mut item = FileItem::default();
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        rest = match read_directive(rest, &item)? {
            Some((directive, after)) => {
                item.directives.push(directive);
                after
            }
            None => {
                let (name, after) = read_file_name(rest)?;
                // What comes later does not count: `README %doc` is wrong.
                if !name.starts_with(b"/") && !item.takes_relative_names() {
                    return Err(FileProblem::Path { name });
                }
                item.names.push(name);
                after
            }
        }
        .trim_ascii_start();
    }
    Ok(item)
}

/// The directive that a text begins with, and what follows it. One with parentheses counts once.
fn read_directive<'t>(
    text: &'t [u8],
    item: &FileItem,
) -> Result<Option<(FileDirective, &'t [u8])>, FileProblem> {
    let Some(after) = text.strip_prefix(b"%") else {
        return Ok(None);
    };
    let length = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, after) = after.split_at_checked(length).unwrap_or((after, b""));
    let is_apart = after.first().is_none_or(u8::is_ascii_whitespace);
    let simple = SIMPLE.iter().find(|(known, _)| known.as_bytes() == word && is_apart);
    if let Some((_, simple)) = simple {
        return Ok(Some((FileDirective::Simple(*simple), after)));
    }
    let seen = |matches: fn(&FileDirective) -> bool| item.directives.iter().any(matches);
    let is_known = match word {
        b"attr" => !seen(|directive| matches!(directive, FileDirective::Attr(_))),
        b"defattr" => !seen(|directive| matches!(directive, FileDirective::DefAttr(..))),
        b"config" | b"verify" | b"caps" | b"dev" | b"lang" => true,
        _ => false,
    };
    if !is_known {
        return Ok(None);
    }
    if !after.trim_ascii_start().starts_with(b"(") {
        return match word {
            b"config" => Ok(Some((FileDirective::Config { keeps_own: false, may_be_missing: false }, after))),
            b"caps" => Ok(Some((FileDirective::Caps(BString::default()), after))),
            _ => Err(FileProblem::Parenthesis { sign: '(', text: text.into() }),
        };
    }
    let inside = after.trim_ascii_start();
    let Some(end) = inside.find_byte(b')') else {
        return Err(FileProblem::Parenthesis { sign: ')', text: text.into() });
    };
    let written = inside.get(1..end).unwrap_or_default();
    let after = inside.get(end + 1..).unwrap_or_default();
    let whole = BString::from(text.get(..text.len() - after.len()).unwrap_or(text));
    Ok(Some((read_valued_directive(word, written, whole)?, after)))
}

/// A directive with something in parentheses.
fn read_valued_directive(
    word: &[u8],
    written: &[u8],
    directive: BString,
) -> Result<FileDirective, FileProblem> {
    let words: Vec<&[u8]> = written
        .split(|byte| byte.is_ascii_whitespace() || *byte == b',')
        .filter(|word| !word.is_empty())
        .collect();
    Ok(match word {
        b"attr" | b"defattr" => {
            let (mode, user, group, dir_mode) = match (words.as_slice(), word) {
                ([mode, user, group], _) => (*mode, *user, *group, None),
                ([mode, user, group, dir_mode], b"defattr") => (*mode, *user, *group, Some(*dir_mode)),
                _ => return Err(FileProblem::Syntax { directive }),
            };
            let said = |word: &[u8]| (word != b"-").then(|| BString::from(word));
            let bad = |what| FileProblem::Mode { what, directive: directive.clone() };
            let mode = read_mode(mode).ok_or_else(|| bad("mode"))?;
            let ownership = Ownership { mode, user: said(user), group: said(group) };
            match (word, dir_mode) {
                (b"attr", _) => FileDirective::Attr(ownership),
                (_, None) => FileDirective::DefAttr(ownership, None),
                (_, Some(dir_mode)) => {
                    FileDirective::DefAttr(ownership, read_mode(dir_mode).ok_or_else(|| bad("dirmode"))?)
                }
            }
        }
        b"config" => {
            let unknown = words.iter().find(|word| !matches!(**word, b"noreplace" | b"missingok"));
            if let Some(word) = unknown {
                return Err(FileProblem::Token { directive: "%config", word: (*word).into() });
            }
            FileDirective::Config {
                keeps_own: words.contains(&b"noreplace".as_slice()),
                may_be_missing: words.contains(&b"missingok".as_slice()),
            }
        }
        b"verify" => {
            let mut bits = 0;
            for word in words.iter().filter(|word| **word != b"not") {
                let known = VERIFIED.iter().find(|(known, _)| known.as_bytes() == *word);
                let unknown = || FileProblem::Token { directive: "%verify", word: (*word).into() };
                bits |= known.ok_or_else(unknown)?.1;
            }
            FileDirective::Verify { is_negated: words.contains(&b"not".as_slice()), bits }
        }
        b"dev" => {
            let missing = |what| FileProblem::Device { what, directive: directive.clone() };
            let number = |word: Option<&&[u8]>| word.and_then(|word| word.to_str().ok()?.parse().ok());
            let kind = match words.first() {
                Some([kind @ (b'b' | b'c'), ..]) => *kind,
                _ => return Err(missing("devtype")),
            };
            let major = number(words.get(1)).ok_or_else(|| missing("devmajor"))?;
            let minor = number(words.get(2)).ok_or_else(|| missing("devminor"))?;
            FileDirective::Dev { kind, major, minor }
        }
        b"lang" if words.is_empty() => return Err(FileProblem::Language { directive }),
        b"lang" => FileDirective::Lang(words.into_iter().map(BString::from).collect()),
        _ => FileDirective::Caps(written.trim_ascii().into()),
    })
}

/// An octal mode; `-` is none.
fn read_mode(word: &[u8]) -> Option<Option<u32>> {
    if word == b"-" {
        return Some(None);
    }
    let mode = u32::from_str_radix(word.to_str().ok()?, 8).ok()?;
    (mode <= 0o7777).then_some(Some(mode))
}

/// The name that a text begins with, and what follows it.
fn read_file_name(text: &[u8]) -> Result<(BString, &[u8]), FileProblem> {
    let (quoted, begin) = match text.strip_prefix(b"\"") {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    let mut at = 0;
    while let Some(byte) = begin.get(at) {
        match byte {
            b'\\' if at + 1 == begin.len() => return Err(FileProblem::Backslash { text: begin.into() }),
            b'\\' => at += 1,
            b'"' if quoted => break,
            byte if byte.is_ascii_whitespace() && !quoted => break,
            _ => {}
        }
        at += 1;
    }
    if quoted && at >= begin.len() {
        return Err(FileProblem::Quote { text: begin.into() });
    }
    let (name, after) = begin.split_at_checked(at).unwrap_or((begin, b""));
    let name = if quoted { without_wildcards(&unescaped(name, b"\"")) } else { unescaped(name, b" \t\n") };
    Ok((name, after.strip_prefix(b"\"").filter(|_| quoted).unwrap_or(after)))
}

/// A name without the backslashes that stand before characters that would end it, or at its end. All others are part of
/// the pattern that it is (rpm's `rpmUnescape`).
fn unescaped(name: &[u8], ends: &[u8]) -> BString {
    let mut plain = BString::default();
    let mut bytes = name.iter().copied().peekable();
    let mut is_escaped = false;
    while let Some(byte) = bytes.next() {
        let is_before_end = bytes.peek().is_none_or(|next| ends.contains(next));
        is_escaped = byte == b'\\' && is_before_end && !is_escaped;
        if !is_escaped {
            plain.push(byte);
        }
    }
    plain
}

/// A pattern for a name in quotes, where stars and their like stand for themselves.
fn without_wildcards(name: &[u8]) -> BString {
    let mut pattern = BString::default();
    for byte in name {
        if b"*?[]{}".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern
}

/// Which names can stand together, and with which directives.
fn check_names(item: &FileItem) -> Result<(), FileProblem> {
    let is_whole = |name: &&BString| name.starts_with(b"/");
    let documents = [(SimpleDirective::Doc, "%doc"), (SimpleDirective::License, "%license")];
    let document = documents.into_iter().find(|(directive, _)| item.is(*directive)).map(|(_, word)| word);
    let has_relative = item.names.iter().any(|name| !is_whole(&name));
    match document.filter(|_| has_relative) {
        Some(directive) => {
            let wrong =
                if item.has_one_attribute() { item.names.iter().find(is_whole) } else { item.names.first() };
            wrong.map_or(Ok(()), |name| Err(FileProblem::Mixed { directive, name: name.clone() }))
        }
        None => match item.names.get(1) {
            Some(name) => Err(FileProblem::Second { name: name.clone() }),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str) -> String {
        read_file_line(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_line_comes_apart() {
        let item = read_file_line(b"%config(noreplace) %attr(0640, -, adm) /etc/a.conf").unwrap();
        let group = Some("adm".into());
        let ownership = Ownership { mode: Some(0o640), user: None, group };
        assert_eq!(item.directives.last(), Some(&FileDirective::Attr(ownership)));
        assert_eq!(item.names, ["/etc/a.conf"]);
        assert_eq!(read_file_line(b"%doc README \"a b\" c\\ d").unwrap().names, ["README", "a b", "c d"]);
        assert!(read_file_line(b"%dir /a").unwrap().is(SimpleDirective::Dir));
        let item = read_file_line(b"%verify(not size mtime) /a").unwrap();
        assert_eq!(item.directives, [FileDirective::Verify { is_negated: true, bits: 0x22 }]);
    }

    #[test]
    fn backslashes_count_before_blanks_and_quotes_only() {
        let name = |line: &str| read_file_line(line.as_bytes()).unwrap().names.remove(0);
        assert_eq!(name(r"/a\ b\*"), r"/a b\*");
        assert_eq!(name(r#""/back\slash""#), r"/back\slash");
        assert_eq!(name(r#""/a\"b""#), r#"/a"b"#);
        assert_eq!(name(r#""/a*[b]""#), r"/a\*\[b\]");
        assert_eq!(name(r#""/a\*b""#), r"/a\\*b");
    }

    #[test]
    fn a_key_may_lie_in_the_folder_of_the_build() {
        let item = read_file_line(b"%pubkey some.key").unwrap();
        assert!(item.is(SimpleDirective::PubKey));
        assert_eq!(item.names, ["some.key"]);
    }

    #[test]
    fn what_is_wrong_is_said_as_rpm_says_it() {
        for (line, words) in [
            ("%attr(644) /a", "Bad syntax: %attr(644)"),
            ("%attr(x,root,root) /a", "Bad mode spec: %attr(x,root,root)"),
            ("%attr(99999,r,r) /a", "Bad mode spec: %attr(99999,r,r)"),
            ("%attr 644 /a", "Missing '(' in %attr 644 /a"),
            ("%attr(644,root,root /a", "Missing ')' in %attr(644,root,root /a"),
            ("%defattr(644,root,root,xx)", "Bad dirmode spec: %defattr(644,root,root,xx)"),
            ("%verify(foo) /a", "Invalid %verify token: foo"),
            ("%config(foo) /a", "Invalid %config token: foo"),
            ("%dev(x,1,3) /a", "Missing devtype in %dev(x,1,3)"),
            ("%dev(c,1) /a", "Missing devminor in %dev(c,1)"),
            ("%lang /a", "Missing '(' in %lang /a"),
            ("%lang() /a", "Unusual locale length: \"\" in %lang()"),
            ("%foo /a", "File must begin with \"/\": %foo"),
            ("a", "File must begin with \"/\": a"),
            ("\"/a", "Missing quote: /a"),
            ("/a\\", "Trailing backslash: /a\\"),
            ("/a /d", "More than one file on a line: /d"),
            (
                "%attr(644,root,root) %attr(600,root,root) /a",
                "File must begin with \"/\": %attr(600,root,root)",
            ),
            ("%doc /a b", "Can't mix special %doc with other forms: /a"),
            ("%doc %ghost b", "Can't mix special %doc with other forms: b"),
            ("%license %config b", "Can't mix special %license with other forms: b"),
            ("b %doc", "File must begin with \"/\": b"),
            ("%pubkey a b", "More than one file on a line: b"),
            ("%docdir d", "File must begin with \"/\": d"),
        ] {
            assert_eq!(wrong(line), words, "{line}");
        }
    }
}
