//! Text of others that goes to a terminal: colours stay, whatever else could steer the terminal does not.

/// Takes out of a text what a terminal would obey: the movement of its cursor, titles, links, answers that it would type
/// (ECMA-48, XTerm Control Sequences). The text comes in pieces of any length, as a log does that is still written.
///
/// What stays is UTF-8 text, line feeds, tabs, and the colours of SGR (`ESC [ … m`), which a stream that is no terminal
/// takes out later. A carriage return that ends no line begins a new one, so that nothing is written over.
#[derive(Debug, Default)]
pub struct TerminalText {
    state: State,
    /// A sequence that may be one of colours, or the beginning of a character.
    pending: Vec<u8>,
    drops_colors: bool,
}

/// A text of others as a part of a line of ours: not even its colours stay, which can hide what follows.
pub fn plain_text(text: &str) -> String {
    let mut cleaner = TerminalText { drops_colors: true, ..TerminalText::default() };
    let mut shown = Vec::new();
    cleaner.clean(text.as_bytes(), &mut shown);
    cleaner.finish(&mut shown);
    String::from_utf8_lossy(&shown).into_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After a carriage return.
    Return,
    /// After ESC.
    Escape,
    /// After ESC and the intermediate bytes of a sequence, whose last byte is still to come.
    Intermediate,
    /// Within `ESC [ …`.
    Control,
    /// Within a string of the terminal (OSC, DCS, SOS, PM, APC), which ends with BEL or `ESC \`.
    String,
    /// After ESC within such a string.
    StringEscape,
}

/// The longest sequence of colours that is kept: real ones have some 20 bytes.
const LONGEST_COLOR: usize = 64;

impl TerminalText {
    /// Adds to `out` what may be shown of the next piece.
    pub fn clean(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            self.take(*byte, out);
        }
    }

    /// Adds what was held back, at the end of the text.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.state == State::Text {
            self.flush(out);
        }
        *self = Self { drops_colors: self.drops_colors, ..Self::default() };
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match self.state {
            State::Text => self.text(byte, out),
            State::Return => {
                out.push(b'\n');
                if byte == b'\n' { State::Text } else { self.text(byte, out) }
            }
            State::Escape => self.escape(byte, out),
            State::Intermediate if (0x20..=0x2f).contains(&byte) => State::Intermediate,
            State::Intermediate => State::Text,
            State::Control => self.control(byte, out),
            State::String => string(byte),
            State::StringEscape if byte == b'\\' => State::Text,
            State::StringEscape => self.escape(byte, out),
        };
    }

    fn text(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        if byte >= 0x80 {
            return self.part_of_character(byte, out);
        }
        self.flush(out);
        match byte {
            0x1b => return State::Escape,
            b'\r' => return State::Return,
            b'\n' | b'\t' | 0x20..=0x7e => out.push(byte),
            _ => {}
        }
        State::Text
    }

    /// Bytes beyond ASCII are held back until they are a character: U+0080 to U+009F are controls as well.
    fn part_of_character(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        if byte >= 0xc0 {
            self.flush(out);
        }
        self.pending.push(byte);
        match std::str::from_utf8(&self.pending).map(|text| text.chars().next()) {
            Ok(Some(c)) if c.is_control() => {
                self.pending.clear();
                after_control(c)
            }
            Ok(_) => {
                out.append(&mut self.pending);
                State::Text
            }
            Err(error) => {
                if error.error_len().is_some() {
                    self.flush(out);
                }
                State::Text
            }
        }
    }

    /// What was held back is no character.
    fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            self.pending.clear();
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match byte {
            b'[' => State::Control,
            b']' | b'P' | b'X' | b'^' | b'_' => State::String,
            0x20..=0x2f => State::Intermediate,
            0x1b => State::Escape,
            0x30..=0x7e => State::Text,
            // No sequence has such a byte: the text goes on.
            _ => self.text(byte, out),
        }
    }

    fn control(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match byte {
            0x20..=0x3f => {
                self.pending.push(byte);
                // Longer ones are read to their end all the same, but are no colours.
                self.pending.truncate(LONGEST_COLOR + 1);
                return State::Control;
            }
            b'm' if self.is_color() => {
                out.extend_from_slice(b"\x1b[");
                out.append(&mut self.pending);
                out.push(b'm');
            }
            0x40..=0x7e => self.pending.clear(),
            _ => {
                self.pending.clear();
                return self.text(byte, out);
            }
        }
        State::Text
    }

    fn is_color(&self) -> bool {
        let is_parameter = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
        !self.drops_colors && self.pending.len() <= LONGEST_COLOR && self.pending.iter().all(is_parameter)
    }
}

fn string(byte: u8) -> State {
    match byte {
        0x07 => State::Text,
        0x1b => State::StringEscape,
        // Terminals give up on a string that is never closed; so do we, and the rest of a log stays in sight.
        b'\n' => State::Text,
        _ => State::String,
    }
}

/// What begins after a control of a single character: as after ESC and the letter that means the same.
fn after_control(control: char) -> State {
    match control {
        '\u{9b}' => State::Control,
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => State::String,
        _ => State::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a text, which must not depend on the pieces that it comes in.
    fn shown(text: &[u8]) -> String {
        let clean = |length: usize| {
            let (mut cleaner, mut out) = (TerminalText::default(), Vec::new());
            text.chunks(length).for_each(|piece| cleaner.clean(piece, &mut out));
            cleaner.finish(&mut out);
            String::from_utf8(out).unwrap()
        };
        let whole = clean(text.len().max(1));
        (1..4).for_each(|length| assert_eq!(clean(length), whole));
        whole
    }

    #[test]
    fn text_and_colours_stay() {
        let text = "\tgrün ☺ \u{1b}[1;31merror\u{1b}[0m \u{1b}[38:5:9mx\u{1b}[m\n";
        assert_eq!(shown(text.as_bytes()), text);
    }

    #[test]
    fn a_part_of_a_line_has_no_colours_either() {
        assert_eq!(plain_text("a\u{1b}[8mb\u{1b}[2Jc\u{9b}31md\n"), "abcd\n");
    }

    #[test]
    fn what_moves_the_cursor_or_clears_the_screen_is_gone() {
        assert_eq!(shown(b"a\x1b[2J\x1b[1;1Hb\x1b[?25lc\x1b7d\x1bMe\x1b(0f\x1bcg"), "abcdefg");
        assert_eq!(shown(b"a\x08\x07\x0b\x0c\x00\x7fb"), "ab");
    }

    #[test]
    fn titles_links_and_answers_are_gone() {
        assert_eq!(
            shown(b"a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c\x1bP$q\"p\x1b\\d\x1b[6ne\x1b[>cf"),
            "abcdef"
        );
        assert_eq!(shown(b"\x1b]0;never closed\nnext\n"), "next\n");
    }

    #[test]
    fn controls_of_one_character_are_gone_however_they_are_written() {
        assert_eq!(shown("a\u{9b}2Jb\u{9d}0;title\u{7}c\u{85}d".as_bytes()), "abcd");
        assert_eq!(shown(b"a\x9b2J\xffb"), "a\u{fffd}2J\u{fffd}b");
        assert_eq!(shown(b"cut \xe2\x98"), "cut \u{fffd}");
    }

    #[test]
    fn a_line_is_not_written_over() {
        assert_eq!(shown(b"rm -rf /\rharmless\r\nnext\r"), "rm -rf /\nharmless\nnext");
    }

    #[test]
    fn a_sequence_that_is_long_or_broken_is_no_colour() {
        let long = [b"\x1b[".as_slice(), &[b'1'; 5000], b"mx\x1b[3\nm"].concat();
        assert_eq!(shown(&long), "x\nm");
    }
}
