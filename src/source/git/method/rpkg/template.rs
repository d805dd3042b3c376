//! A spec with `{{{ … }}}` in it: texts, and calls of macros.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// What stays as it is.
    Text(&'a str),
    /// What stands between the braces, and in which line they begin, counted from 1.
    Call(&'a str, usize),
}

const OPEN: &str = "{{{";
const CLOSE: &str = "}}}";

/// Takes a template apart.
///
/// # Errors
/// The line of braces that have no end, counted from 1.
pub(super) fn read_pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let (mut pieces, mut rest, mut line) = (Vec::new(), text, 1);
    let count_lines = |text: &str| text.matches('\n').count();
    while let Some((before, after)) = rest.split_once(OPEN) {
        line += count_lines(before);
        let (call, behind) = after.split_once(CLOSE).ok_or(line)?;
        pieces.extend([Piece::Text(before), Piece::Call(call, line)]);
        line += count_lines(call);
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_their_lines() {
        let pieces = read_pieces("a\n{{{ b\n }}}\nc {{{d}}}").unwrap();
        let expected = [
            Piece::Text("a\n"),
            Piece::Call(" b\n ", 2),
            Piece::Text("\nc "),
            Piece::Call("d", 4),
            Piece::Text(""),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(read_pieces("a\n{{{ b }}"), Err(2));
    }
}
