//! Takes secrets out of what programs print and of what forge shows.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::process::shell_quoted;

/// What is shown in place of a secret.
pub const MASK: &str = "(secret)";

/// A text shorter than this, in bytes, stands in every other line by chance: it is not looked for.
pub const SHORTEST_MASKED: usize = 4;

/// In base64 the bytes around a text decide how its ends are written. Of a text shorter than this too little is left
/// between them.
const SHORTEST_IN_BASE64: usize = 8;

/// How much is read at a time, in bytes.
const PIECE: usize = 64 << 10;

/// Finds the secrets of one build: as they are, each line of one that has several, and as macros, shells, URLs, JSON,
/// base64 and hexadecimal digits write them, these also where they are broken into lines.
#[derive(Clone)]
pub struct Mask {
    /// What is replaced.
    shown: Patterns,
    /// What is replaced wherever its lines end: digits.
    shown_digits: Patterns,
    /// What must not be in a package.
    packed: Patterns,
    /// The same, wherever its lines end.
    packed_digits: Patterns,
}

/// Texts that are looked for at once.
#[derive(Clone, Default)]
struct Patterns {
    /// Nothing where there are none.
    automaton: Option<AhoCorasick>,
    texts: Vec<Vec<u8>>,
    /// The secret of each text, by its place.
    owners: Vec<usize>,
    longest: usize,
}

impl Patterns {
    fn new(owned: Vec<(usize, Vec<u8>)>, kind: MatchKind) -> Self {
        let (owners, texts): (Vec<usize>, Vec<Vec<u8>>) = owned.into_iter().unzip();
        let automaton = AhoCorasickBuilder::new().match_kind(kind).build(&texts);
        let automaton = automaton.ok().filter(|_| !texts.is_empty());
        let longest = texts.iter().map(Vec::len).max().unwrap_or_default();
        Self { automaton, texts, owners, longest }
    }

    fn ranges<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = Range<usize>> + 'b {
        let found = self.automaton.iter().flat_map(move |automaton| automaton.find_iter(bytes));
        found.map(|found| found.start()..found.end())
    }

    /// The secret of the first text in `bytes`.
    fn owner_in(&self, bytes: &[u8]) -> Option<usize> {
        let found = self.automaton.as_ref()?.find(bytes)?;
        self.owners.get(found.pattern().as_usize()).copied()
    }

    /// Where an end of `bytes` begins that could be the beginning of a text.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let could_begin = |at: &usize| {
            let end = bytes.get(*at..).unwrap_or_default();
            self.texts.iter().any(|text| text.len() > end.len() && text.starts_with(end))
        };
        let first = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        (first..bytes.len()).find(could_begin).unwrap_or(bytes.len())
    }
}

/// A text without the ends of its lines, and where each byte of it was.
fn joined(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let all = bytes.iter().copied().enumerate();
    all.filter(|(_, byte)| !is_line_end(*byte)).map(|(at, byte)| (byte, at)).unzip()
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl Mask {
    /// Looks for these.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let (mut whole, mut digits, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, secret) in secrets.into_iter().enumerate() {
            let secret = secret.trim();
            if secret.len() >= SHORTEST_MASKED {
                whole.extend(spellings(secret).into_iter().map(|spelling| (owner, spelling)));
                digits.extend(in_digits(secret.as_bytes()).into_iter().map(|spelling| (owner, spelling)));
            }
            let long = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_MASKED);
            lines.extend(long.map(|line| (owner, line.as_bytes().to_vec())));
        }
        Self {
            shown: Patterns::new([whole.clone(), lines].concat(), MatchKind::LeftmostLongest),
            shown_digits: Patterns::new(digits.clone(), MatchKind::LeftmostLongest),
            packed: Patterns::new(whole, MatchKind::Standard),
            packed_digits: Patterns::new(digits, MatchKind::Standard),
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.shown.texts.is_empty()
    }

    /// Whether a secret stands in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        !self.ranges(bytes).is_empty()
    }

    /// `text` without secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.is_in(text.as_bytes()) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned())
    }

    /// Which secret, by its place among all, stands whole in what `reader` gives.
    ///
    /// # Errors
    /// Reading fails.
    pub fn find(&self, mut reader: impl Read) -> io::Result<Option<usize>> {
        let (mut whole, mut digits) = (Vec::new(), Vec::new());
        let mut piece = vec![0; PIECE];
        while !self.is_empty() {
            let read = match reader.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
                break;
            };
            whole.extend_from_slice(read);
            digits.extend(read.iter().filter(|byte| !is_line_end(**byte)));
            for (patterns, text) in [(&self.packed, &mut whole), (&self.packed_digits, &mut digits)] {
                if let Some(owner) = patterns.owner_in(text) {
                    return Ok(Some(owner));
                }
                // What may be the beginning of one that goes on in the next piece.
                text.drain(..text.len().saturating_sub(patterns.longest.saturating_sub(1)));
            }
        }
        Ok(None)
    }

    /// An output that comes in pieces.
    pub fn stream(&self) -> MaskedStream<'_> {
        MaskedStream { mask: self, held: Vec::new() }
    }

    /// `bytes` without secrets.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut masked = stream.push(bytes);
        masked.extend(stream.finish());
        masked
    }

    /// Where secrets stand in `bytes`, in their order; none of these overlap.
    fn ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self.shown.ranges(bytes).collect();
        let (digits, places) = joined(bytes);
        let place = |at: usize| places.get(at).copied().unwrap_or(bytes.len());
        let last = |range: &Range<usize>| place(range.end.saturating_sub(1)).saturating_add(1);
        let found_digits = self.shown_digits.ranges(&digits);
        found.extend(found_digits.map(|range| place(range.start)..last(&range).min(bytes.len())));
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut() {
                Some(before) if range.start < before.end => before.end = before.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// Where an end of `bytes` begins that could be the beginning of a secret.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let (digits, places) = joined(bytes);
        let open_digits = self.shown_digits.open_end(&digits);
        let open_digits = places.get(open_digits).copied().unwrap_or(bytes.len());
        self.shown.open_end(bytes).min(open_digits)
    }
}

/// Masks an output whose pieces may be cut anywhere. It holds back only what could be the beginning of a secret.
pub struct MaskedStream<'m> {
    mask: &'m Mask,
    held: Vec<u8>,
}

impl MaskedStream<'_> {
    /// Takes a piece; gives what may be shown by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.mask.is_empty() {
            return piece.to_vec();
        }
        self.held.extend_from_slice(piece);
        let bytes = std::mem::take(&mut self.held);
        let mut masked = Vec::with_capacity(bytes.len());
        let mut at = 0;
        let mut open = self.mask.open_end(&bytes);
        for found in self.mask.ranges(&bytes) {
            if found.start >= open {
                break;
            }
            masked.extend_from_slice(bytes.get(at..found.start).unwrap_or_default());
            masked.extend_from_slice(MASK.as_bytes());
            at = found.end;
            if at > open {
                open = at + self.mask.open_end(bytes.get(at..).unwrap_or_default());
            }
        }
        masked.extend_from_slice(bytes.get(at..open).unwrap_or_default());
        self.held = bytes.get(open..).unwrap_or_default().to_vec();
        masked
    }

    /// The output has ended: what was held back.
    pub fn finish(self) -> Vec<u8> {
        let mut masked = Vec::new();
        let mut at = 0;
        for found in self.mask.ranges(&self.held) {
            masked.extend_from_slice(self.held.get(at..found.start).unwrap_or_default());
            masked.extend_from_slice(MASK.as_bytes());
            at = found.end;
        }
        masked.extend_from_slice(self.held.get(at..).unwrap_or_default());
        masked
    }
}

/// How a secret may be written, itself first.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let json = serde_json::Value::from(secret).to_string();
    let quoted = shell_quoted(bytes);
    let mut all: Vec<Vec<u8>> = vec![
        bytes.to_vec(),
        // Without the quotation marks.
        json.as_bytes().get(1..json.len() - 1).unwrap_or_default().to_vec(),
        quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_vec(),
        in_url(bytes),
        // As the body of a macro.
        secret.replace("%%", "%").into_bytes(),
    ];
    all.retain(|spelling| spelling.len() >= SHORTEST_MASKED);
    all.sort();
    all.dedup();
    all
}

/// How digits write a secret: programs break these into lines (`base64` after 76 of them, `xxd -p` after 60).
fn in_digits(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![hexadecimal.to_ascii_uppercase().into_bytes(), hexadecimal.into_bytes()];
    if bytes.len() >= SHORTEST_IN_BASE64 {
        all.extend((0..3).flat_map(|before| in_base64(bytes, before)));
    }
    all.retain(|spelling| spelling.len() >= SHORTEST_MASKED);
    all.sort();
    all.dedup();
    all
}

fn in_url(bytes: &[u8]) -> Vec<u8> {
    let letter = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(letter).collect::<String>().into_bytes()
}

/// The digits of base64 that depend on the text alone, where `before` bytes more than a multiple of three stand before
/// it.
fn in_base64(bytes: &[u8], before: usize) -> [Vec<u8>; 2] {
    let whole = [vec![0; before], bytes.to_vec()].concat();
    // A digit is of 6 bits, a byte of 8.
    let (first, end) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
    let own = |text: String| text.as_bytes().get(first..end).unwrap_or_default().to_vec();
    [own(BASE64_STANDARD_NO_PAD.encode(&whole)), own(BASE64_URL_SAFE_NO_PAD.encode(&whole))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secret: &str, text: &str) -> String {
        Mask::new([secret]).text(text).into_owned()
    }

    #[test]
    fn a_secret_is_masked_wherever_an_output_is_cut() {
        let mask = Mask::new(["hunter2", "ter2-and-more"]);
        let text = b"a hunter2 b hunhunter2ter2-and-more hunter";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut stream = mask.stream();
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let mut shown: Vec<u8> = pieces.iter().flat_map(|piece| stream.push(piece)).collect();
                shown.extend(stream.finish());
                assert_eq!(String::from_utf8(shown).unwrap(), "a (secret) b hun(secret)(secret) hunter");
            }
        }
    }

    #[test]
    fn only_what_could_begin_a_secret_is_held_back() {
        let mask = Mask::new(["hunter2"]);
        let mut stream = mask.stream();
        assert_eq!(stream.push(b"+ make\n+ echo hunt"), b"+ make\n+ echo ");
        assert_eq!(stream.push(b"ing\n"), b"hunting\n");
    }

    #[test]
    fn the_lines_of_a_secret_and_its_other_spellings_are_masked() {
        assert_eq!(masked("first line\nab\nthird line\n", "x third line y\nab\n"), "x (secret) y\nab\n");
        assert_eq!(masked("it's me", r"+ echo 'it'\''s me'"), "+ echo '(secret)'");
        assert_eq!(masked("p&ss w/rd", "https://me:p%26ss%20w%2Frd@host/"), "https://me:(secret)@host/");
        assert_eq!(masked("say \"hi\"", r#"{"key":"say \"hi\""}"#), r#"{"key":"(secret)"}"#);
        assert_eq!(masked("hunter2", "68756e74657232"), MASK);
        assert_eq!(masked("100%%sure", "+ echo 100%sure"), "+ echo (secret)");
        for before in ["", "u", "me", "you"] {
            let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}:hunter2-hunter2\n"));
            let shown = masked("hunter2-hunter2", &encoded);
            assert!(shown.contains(MASK) && shown.len() < 20, "{encoded} became {shown}");
        }
    }

    /// `text` broken into lines of `width`.
    fn broken(text: &str, width: usize, line_end: &str) -> String {
        let lines: Vec<&str> =
            text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(line_end)
    }

    #[test]
    fn digits_that_are_broken_into_lines_are_masked() {
        let secret = "SeCrEt".to_owned() + &"q7w9e-".repeat(15);
        let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for (line_end, width) in [("\n", 60), ("\r\n", 64), ("\n", 1)] {
            for digits in [hexadecimal.clone(), hexadecimal.to_ascii_uppercase()] {
                let text = format!("a\n00{}ff\nb\n", broken(&digits, width, line_end));
                assert_eq!(masked(&secret, &text), "a\n00(secret)ff\nb\n");
            }
        }
        for before in ["", "u", "me"] {
            let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}{secret}"));
            let mask = Mask::new([secret.as_str()]);
            let text = format!("a\n{}\nb\n", broken(&encoded, 76, "\n"));
            let shown = mask.text(&text);
            assert!(shown.contains(MASK) && shown.len() < 25, "{text} became {shown}");
            let mut stream = mask.stream();
            let pieces = text.as_bytes().chunks(7).map(|piece| stream.push(piece));
            let mut pieces: Vec<u8> = pieces.collect::<Vec<_>>().concat();
            pieces.extend(stream.finish());
            assert_eq!(String::from_utf8(pieces).unwrap(), shown);
            assert_eq!(mask.find(text.as_bytes()).unwrap(), Some(0));
        }
    }

    #[test]
    fn a_secret_is_found_across_the_pieces_that_are_read() {
        let mask = Mask::new(["first-first", "hunter2-hunter2"]);
        for before in PIECE - 20..PIECE + 2 {
            let text = [vec![b'x'; before], b"hunter2-hunter2".to_vec()].concat();
            assert_eq!(mask.find(text.as_slice()).unwrap(), Some(1));
        }
        assert_eq!(mask.find(vec![b'x'; 3 * PIECE].as_slice()).unwrap(), None);
    }

    #[test]
    fn what_is_too_short_to_be_told_from_other_texts_is_left_alone() {
        assert_eq!(masked("abc", "abc abcd"), "abc abcd");
        assert_eq!(masked("abcd", "abc abcd"), "abc (secret)");
        assert!(Mask::new(["", "abc"]).is_empty());
    }

    #[test]
    fn the_secret_that_a_stream_holds_is_named() {
        let mask = Mask::new(["one of them", "the other\n-----END KEY-----"]);
        assert_eq!(mask.find(&b"all of them, one of them"[..]).unwrap(), Some(0));
        assert_eq!(mask.find(&b"x the other\n-----END KEY-----\n"[..]).unwrap(), Some(1));
        // A line that many texts have makes no secret.
        assert_eq!(mask.find(&b"-----END KEY-----"[..]).unwrap(), None);
    }
}
