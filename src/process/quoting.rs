//! Words as the shell reads them.

use bstr::ByteSlice;

/// A word in single quotes; quotes in it end them, stand behind a backslash, and begin them again.
pub fn shell_quoted(word: &[u8]) -> Vec<u8> {
    [b"'".as_slice(), &word.replace("'", r"'\''"), b"'"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_end_and_begin_around_a_quote() {
        assert_eq!(shell_quoted(b"it's").as_bstr(), r"'it'\''s'");
        assert_eq!(shell_quoted(b"").as_bstr(), "''");
    }
}
