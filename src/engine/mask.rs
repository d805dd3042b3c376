//! Takes secrets out of what programs print and of what forge shows.

use std::borrow::Cow;
use std::io::{self, Read};

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

/// Finds the secrets of one build: as they are, each line of one that has several, and as macros, shells, URLs, JSON,
/// base64 and hexadecimal digits write them.
#[derive(Clone)]
pub struct Mask {
    /// What is replaced; nothing where there are no secrets.
    shown: Option<AhoCorasick>,
    /// What must not be in a package.
    packed: Option<AhoCorasick>,
    /// The secret of each pattern of `packed`, by its place.
    owners: Vec<usize>,
    /// All patterns of `shown`.
    patterns: Vec<Vec<u8>>,
}

impl Mask {
    /// Looks for these.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let (mut patterns, mut packed, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, secret) in secrets.into_iter().enumerate() {
            let secret = secret.trim();
            let whole = if secret.len() < SHORTEST_MASKED { Vec::new() } else { spellings(secret) };
            owners.extend(std::iter::repeat_n(owner, whole.len()));
            packed.extend(whole.iter().cloned());
            patterns.extend(whole);
            let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_MASKED);
            patterns.extend(lines.map(|line| line.as_bytes().to_vec()));
        }
        let build = |patterns: &[Vec<u8>], kind| {
            let automaton = AhoCorasickBuilder::new().match_kind(kind).build(patterns);
            automaton.ok().filter(|_| !patterns.is_empty())
        };
        Self {
            shown: build(&patterns, MatchKind::LeftmostLongest),
            packed: build(&packed, MatchKind::Standard),
            owners,
            patterns,
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.shown.is_none()
    }

    /// Whether a secret stands in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.is_match(bytes))
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
    pub fn find(&self, reader: impl Read) -> io::Result<Option<usize>> {
        let Some(packed) = &self.packed else {
            return Ok(None);
        };
        let found = packed.stream_find_iter(reader).next().transpose()?;
        Ok(found.and_then(|found| self.owners.get(found.pattern().as_usize()).copied()))
    }

    /// An output that comes in pieces.
    pub fn stream(&self) -> MaskedStream<'_> {
        MaskedStream { mask: self, held: Vec::new() }
    }

    fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut masked = stream.push(bytes);
        masked.extend(stream.finish());
        masked
    }

    /// Where an end of `bytes` begins that could be the beginning of a pattern.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let longest = self.patterns.iter().map(Vec::len).max().unwrap_or_default();
        let could_begin = |at: &usize| {
            let end = bytes.get(*at..).unwrap_or_default();
            self.patterns.iter().any(|pattern| pattern.len() > end.len() && pattern.starts_with(end))
        };
        let first = bytes.len().saturating_sub(longest.saturating_sub(1));
        (first..bytes.len()).find(could_begin).unwrap_or(bytes.len())
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
        let Some(shown) = &self.mask.shown else {
            return piece.to_vec();
        };
        self.held.extend_from_slice(piece);
        let bytes = std::mem::take(&mut self.held);
        let mut masked = Vec::with_capacity(bytes.len());
        let mut at = 0;
        let mut open = self.mask.open_end(&bytes);
        for found in shown.find_iter(&bytes) {
            if found.start() >= open {
                break;
            }
            masked.extend_from_slice(bytes.get(at..found.start()).unwrap_or_default());
            masked.extend_from_slice(MASK.as_bytes());
            at = found.end();
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
        let Some(shown) = &self.mask.shown else {
            return self.held;
        };
        let mut masked = Vec::new();
        shown.replace_all_with_bytes(&self.held, &mut masked, |_, _, masked| {
            masked.extend_from_slice(MASK.as_bytes());
            true
        });
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
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes(),
    ];
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
