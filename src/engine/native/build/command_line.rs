//! Commands of macros, as they are taken apart into words.

/// The words of a command, as popt(3) takes it apart: blanks separate, quotes keep together.
pub(super) fn split_words(command: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<Vec<u8>>, None);
    let mut bytes = command.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, _) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (_, b'\\') if quote != Some(b'\'') => word.get_or_insert_default().extend(bytes.next()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let shown = split_words(b"/bin/sh -e  'a b' \"c\\\"d\" '' e\\ f");
        assert_eq!(shown, ["/bin/sh", "-e", "a b", "c\"d", "", "e f"].map(|word| word.as_bytes().to_vec()));
    }
}
