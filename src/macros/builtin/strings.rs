//! Built-in macros that make text of text.

use bstr::ByteSlice;

use super::Builtin;
use crate::process::shell_quoted;

/// What a string macro makes of its argument, of all words for those that take them.
#[expect(clippy::wildcard_enum_match_arm, reason = "it is called for these alone")]
pub(super) fn apply(builtin: Builtin, word: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
    match builtin {
        Builtin::Basename => basename(word).to_vec(),
        Builtin::Dirname => dirname(word).to_vec(),
        Builtin::Len => word.len().to_string().into_bytes(),
        Builtin::Lower => word.to_ascii_lowercase(),
        Builtin::Upper => word.to_ascii_uppercase(),
        Builtin::Reverse => word.iter().rev().copied().collect(),
        Builtin::Shescape => words.iter().map(|word| shell_quoted(word)).collect::<Vec<_>>().join(&b' '),
        Builtin::Shrink => shrink(word),
        Builtin::Suffix => suffix(word).to_vec(),
        Builtin::Url2path | Builtin::Url2path2 => url_path(word).to_vec(),
        _ => word.to_vec(),
    }
}

fn basename(path: &[u8]) -> &[u8] {
    let trimmed = path.trim_end_with(|character| character == '/');
    match (path, trimmed) {
        ([], _) => b".",
        (_, []) => b"/",
        (_, trimmed) => trimmed.rsplit_str("/").next().unwrap_or_default(),
    }
}

fn dirname(path: &[u8]) -> &[u8] {
    let trimmed = path.trim_end_with(|character| character == '/');
    let Some(slash) = trimmed.rfind_byte(b'/').or_else(|| path.len().checked_sub(1)) else {
        return b".";
    };
    if !trimmed.is_empty() && !trimmed.contains(&b'/') {
        return b".";
    }
    let folder = super::super::call::slice(path, 0, slash + 1);
    match folder.trim_end_with(|character| character == '/') {
        // POSIX leaves open what two slashes at the front mean; the C library keeps them.
        b"" if folder == b"//" => b"//",
        b"" => b"/",
        folder => folder,
    }
}

fn suffix(path: &[u8]) -> &[u8] {
    path.rsplit_once_str(".").map_or(b"", |(_, suffix)| suffix)
}

fn shrink(text: &[u8]) -> Vec<u8> {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// The path of a URL; what is none is a path already.
fn url_path(url: &[u8]) -> &[u8] {
    const SCHEMES: [&[u8]; 5] = [b"file://", b"ftp://", b"hkp://", b"http://", b"https://"];
    if url.is_empty() || url == b"-" {
        return b"/";
    }
    let scheme = SCHEMES.iter().find(|scheme| url.starts_with(scheme));
    let Some(rest) = scheme.and_then(|scheme| url.get(scheme.len()..)) else {
        return url;
    };
    rest.find_byte(b'/').and_then(|slash| rest.get(slash..)).unwrap_or(b"/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart_as_with_coreutils() {
        for (path, folder, name) in [
            ("", ".", "."),
            ("/", "/", "/"),
            ("//", "//", "/"),
            ("///a", "/", "a"),
            ("a", ".", "a"),
            ("a/b//", "a", "b"),
            ("/a", "/", "a"),
            ("a//b", "a", "b"),
        ] {
            assert_eq!(dirname(path.as_bytes()).as_bstr(), folder, "{path}");
            assert_eq!(basename(path.as_bytes()).as_bstr(), name, "{path}");
        }
    }
}
