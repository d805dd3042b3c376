//! The lines of a script that known policies stand in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

use crate::files::HostPath;
use crate::process::shell_quoted;

/// What separates the commands of `forge policies`.
pub(super) const SEPARATOR: &str = "--";

/// How the names of policies begin.
const PREFIXES: [&[u8]; 2] = [b"brp-", b"check-"];

/// Puts `own policies` in the place of lines that are a known policy and nothing else; neighbours come into one. `is_known` says
/// it of a script of the root.
pub(super) fn stand_in(text: Vec<u8>, own: &OsStr, is_known: impl Fn(&HostPath) -> bool) -> Vec<u8> {
    if !has_plain_lines(&text) {
        return text;
    }
    let mut new: Vec<u8> = Vec::new();
    let mut is_open = false;
    let mut goes_on = false;
    for line in text.lines_with_terminator() {
        let is_replaced = !goes_on && script(line).is_some_and(|script| is_known(&script));
        goes_on = line.trim_end().ends_with(b"\\");
        if is_replaced {
            if !is_open {
                new.extend([b"    ".as_slice(), &shell_quoted(own.as_bytes()), b" policies"].concat());
            }
            new.extend(format!(" {SEPARATOR} ").into_bytes());
            new.extend_from_slice(line.trim());
        } else {
            if is_open {
                new.push(b'\n');
            }
            new.extend_from_slice(line);
        }
        is_open = is_replaced;
    }
    if is_open {
        new.push(b'\n');
    }
    new
}

/// Whether each line is one by itself, as far as can be told without being a shell: no text within quotes or for a program's input
/// goes over several.
fn has_plain_lines(text: &[u8]) -> bool {
    let is_paired = |line: &[u8], quote: u8| line.iter().filter(|byte| **byte == quote).count() % 2 == 0;
    let mut lines = text.lines();
    !text.contains_str("<<") && lines.all(|line| b"'\"`".iter().all(|quote| is_paired(line, *quote)))
}

/// The script that a line runs and does nothing else, in words that a shell takes as they stand.
fn script(line: &[u8]) -> Option<HostPath> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=%,:@".contains(byte);
    let is_word = |word: &[u8]| unquoted(word).iter().all(is_plain) && unquoted(word) != SEPARATOR.as_bytes();
    let mut words = line.fields();
    if !words.clone().all(is_word) {
        return None;
    }
    let script = words.next().filter(|word| word.starts_with(b"/"))?;
    let (_, name) = script.rsplit_once_str("/")?;
    PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
        .then(|| HostPath::new(OsStr::from_bytes(script)))?
}

/// A word without the quotes that it stands in.
fn unquoted(word: &[u8]) -> &[u8] {
    let within = |quote: &[u8]| word.strip_prefix(quote).and_then(|word| word.strip_suffix(quote));
    within(b"\"").or_else(|| within(b"'")).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_replaced(text: &str, expected: &str) {
        let is_known = |path: &HostPath| path.to_string().ends_with("known");
        let new = stand_in(text.as_bytes().to_vec(), OsStr::new("/run/my forge"), is_known);
        assert_eq!(String::from_utf8(new).unwrap(), expected);
    }

    #[test]
    fn neighbours_come_into_one_command_where_they_stood() {
        assert_replaced(
            "\n    /x/brp-other /usr \n    /x/brp-known /usr/bin/strip \n    /x/brp-a-known /s /o\n    /x/brp-last \n",
            "\n    /x/brp-other /usr \n    '/run/my forge' policies -- /x/brp-known /usr/bin/strip -- /x/brp-a-known /s /o\n    /x/brp-last \n",
        );
        assert_replaced(
            "/x/brp-known \"\" 1 'a'\n/x/check-known\n",
            "    '/run/my forge' policies -- /x/brp-known \"\" 1 'a' -- /x/check-known\n",
        );
        assert_replaced("/x/brp-known", "    '/run/my forge' policies -- /x/brp-known\n");
    }

    #[test]
    fn what_is_no_plain_command_stays() {
        for text in [
            "echo \\\n/x/brp-known\n",
            "/x/brp-known \"$X\"\n",
            "/x/brp-known \"a b\"\n",
            "/x/brp-known \"--\"\n",
            "'/x/brp-known' a\n",
            "/x/brp-known \" a\"\n",
            "/x/brp-known a\"\"b\n",
            "/x/brp-known; true\n",
            "/x/brp-known -- x\n",
            "x/brp-known\n",
            "/x/known\n",
            "cat <<E\n/x/brp-known\nE\n",
            "echo '\n/x/brp-known\n'\n",
            "",
        ] {
            assert_replaced(text, text);
        }
    }
}
