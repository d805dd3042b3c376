//! From what an engine says of a build to events.

use std::sync::{Mutex, PoisonError};

use super::recorder::RecorderHandle;
use crate::engine::StageListener;
use crate::event::{BuildName, What};

/// How much of a line is told before it has ended, in bytes.
const LOG_PIECE: usize = 64 << 10;

/// Tells the stages of a build, and what it prints where somebody asks for that.
pub(super) struct BuildListener {
    recorder: RecorderHandle,
    build: BuildName,
    log: Option<Mutex<LogText>>,
}

impl BuildListener {
    pub fn new(recorder: &RecorderHandle, build: &BuildName) -> Self {
        let log = recorder.wants_logs().then(Mutex::default);
        Self { recorder: recorder.clone(), build: build.clone(), log }
    }

    fn tell(&self, text: String) {
        if !text.is_empty() {
            self.recorder.happened(What::Logged { build: self.build.clone(), text });
        }
    }
}

impl StageListener for BuildListener {
    fn stage(&self, name: &str) {
        self.recorder.happened(What::StageStarted { build: self.build.clone(), stage: name.to_owned() });
    }

    fn printed(&self, text: &[u8]) {
        if let Some(log) = &self.log {
            let text = log.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            self.tell(text);
        }
    }
}

impl Drop for BuildListener {
    /// The step has ended, maybe within a line.
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            self.tell(log.into_inner().unwrap_or_else(PoisonError::into_inner).into_text());
        }
    }
}

/// A log that comes in pieces cut anywhere, as texts of whole lines.
#[derive(Default)]
struct LogText {
    /// The begin of a line.
    held: Vec<u8>,
}

impl LogText {
    /// Takes more; gives what can be told by now.
    fn push(&mut self, piece: &[u8]) -> String {
        let whole = match piece.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => self.held.len() + at + 1,
            None if self.held.len() + piece.len() < LOG_PIECE => 0,
            None => self.held.len() + piece.len() - unfinished_character(piece),
        };
        self.held.extend_from_slice(piece);
        let rest = self.held.split_off(whole);
        let text = String::from_utf8_lossy(&self.held).into_owned();
        self.held = rest;
        text
    }

    fn into_text(self) -> String {
        String::from_utf8_lossy(&self.held).into_owned()
    }
}

/// How many bytes at the end of a text may be the begin of a character that goes on.
fn unfinished_character(text: &[u8]) -> usize {
    let last_begin = text.iter().rev().take(4).position(|byte| !(0x80..0xc0).contains(byte));
    let Some((behind, begin)) = last_begin.and_then(|at| Some((at + 1, *text.iter().rev().nth(at)?))) else {
        return 0;
    };
    let length = match begin {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    if behind < length { behind } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_in_whole_lines_wherever_it_is_cut() {
        let text = "naïve\n→ one\n\ntwo – three".as_bytes();
        for cut in 0..text.len() {
            let mut log = LogText::default();
            let told = [log.push(&text[..cut]), log.push(&text[cut..])];
            assert!(told.iter().all(|told| told.is_empty() || told.ends_with('\n')), "{told:?}");
            assert_eq!(told.concat() + &log.into_text(), "naïve\n→ one\n\ntwo – three");
        }
    }

    #[test]
    fn a_line_without_end_is_told_in_pieces_of_whole_characters() {
        let line = "→".repeat(LOG_PIECE);
        let mut log = LogText::default();
        let mut told = String::new();
        for piece in line.as_bytes().chunks(LOG_PIECE - 1) {
            told.push_str(&log.push(piece));
            assert!(log.held.len() < LOG_PIECE);
        }
        assert!(told.len() > 2 * LOG_PIECE && told + &log.into_text() == line);
    }

    #[test]
    fn what_is_no_utf_8_is_replaced() {
        let mut log = LogText::default();
        assert_eq!(log.push(b"\xff\xfe\xe2\n"), "\u{fffd}\u{fffd}\u{fffd}\n");
    }
}
