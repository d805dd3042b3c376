//! Forge's end: messages as they come.

use super::{Message, Token};

/// How long a line may be, in bytes: no message is longer.
const LONGEST_LINE: usize = 64 << 20;

/// Receives what comes from a worker.
pub trait WorkerListener: Send {
    /// A message.
    fn message(&mut self, message: Message);
    /// A piece of what it and its scripts print.
    fn log(&mut self, chunk: &[u8]);
}

/// Takes messages out of what comes over a worker's descriptor for them.
#[derive(Debug)]
pub struct Listening {
    token: Token,
    line: Vec<u8>,
    /// The line is too long: all of it is dropped.
    is_too_long: bool,
}

impl Listening {
    /// Listens to messages that `token` begins.
    pub fn new(token: Token) -> Self {
        Self { token, line: Vec::new(), is_too_long: false }
    }

    /// Takes what has come, and gives the listener each message that it completes. A line that is none is part of the log:
    /// what a worker says that panics, or a script that has found the descriptor.
    pub fn push(&mut self, chunk: &[u8], listener: &mut dyn WorkerListener) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.is_too_long |= self.line.len() + piece.len() > LONGEST_LINE;
            if !self.is_too_long {
                self.line.extend_from_slice(piece);
            }
            if !piece.ends_with(b"\n") {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.is_too_long) {
                continue;
            }
            match self.message(&line) {
                Some(message) => listener.message(message),
                None if line == b"\n" => {}
                None => listener.log(&line),
            }
        }
    }

    fn message(&self, line: &[u8]) -> Option<Message> {
        let text = line.strip_prefix(self.token.as_bytes())?.strip_prefix(b" ")?;
        serde_json::from_slice(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard {
        messages: Vec<Message>,
        others: Vec<String>,
    }

    impl WorkerListener for Heard {
        fn message(&mut self, message: Message) {
            self.messages.push(message);
        }

        fn log(&mut self, chunk: &[u8]) {
            self.others.push(String::from_utf8_lossy(chunk).into_owned());
        }
    }

    fn heard(listening: &mut Listening, chunk: &[u8]) -> (Vec<Message>, Vec<String>) {
        let mut heard = Heard::default();
        listening.push(chunk, &mut heard);
        (heard.messages, heard.others)
    }

    #[test]
    fn only_lines_with_the_token_are_messages_wherever_they_are_cut() {
        let token = Token::random().unwrap();
        let own = String::from_utf8(token.as_bytes().to_vec()).unwrap();
        let stage = r#"{"message":"stage","name":"build"}"#;
        let text = format!("{stage}\nhalf\n{own} {stage}\n0123 {stage}\n{own} nonsense\n");
        for cut in 0..text.len() {
            let mut listening = Listening::new(token.clone());
            let (mut messages, mut others) = heard(&mut listening, &text.as_bytes()[..cut]);
            let (more, other) = heard(&mut listening, &text.as_bytes()[cut..]);
            messages.extend(more);
            others.extend(other);
            assert_eq!(messages, [Message::Stage { name: "build".to_owned() }]);
            assert_eq!(others.len(), 4, "{others:?}");
        }
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_a_message_may() {
        let mut listening = Listening::new(Token::random().unwrap());
        let piece = vec![b'x'; 1 << 20];
        (0..100).for_each(|_| assert_eq!(heard(&mut listening, &piece), (Vec::new(), Vec::new())));
        assert!(listening.line.len() <= LONGEST_LINE);
        assert_eq!(heard(&mut listening, b"\nnext\n").1, ["next\n"]);
    }
}
