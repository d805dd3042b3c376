//! The lines that git's protocol is made of (gitprotocol-common(5), "pkt-line Format").

use std::io::{self, Read};

/// One of them: four hexadecimal digits with the length of the whole, then the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// `0000`: the end of a message.
    Flush,
    /// `0001`: the end of a part of it.
    Delimiter,
    /// `0002`: the end of an answer.
    ResponseEnd,
    /// What it says.
    Data(Vec<u8>),
}

/// The next one; `None` where nothing more comes.
pub(super) fn read_packet(from: &mut dyn Read) -> io::Result<Option<Packet>> {
    let mut digits = [0; 4];
    let mut read = 0;
    while let Some(rest) = digits.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 if read == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    let are_digits = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(&digits).ok().filter(|_| are_digits);
    let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length {
        Some(0) => Ok(Some(Packet::Flush)),
        Some(1) => Ok(Some(Packet::Delimiter)),
        Some(2) => Ok(Some(Packet::ResponseEnd)),
        Some(length @ 4..) => {
            let mut data = vec![0; length - 4];
            from.read_exact(&mut data)?;
            Ok(Some(Packet::Data(data)))
        }
        Some(_) | None => Err(io::Error::new(io::ErrorKind::InvalidData, "what comes is not git's protocol")),
    }
}

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Adds a line, and the newline behind it.
    pub fn line(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(format!("{:04x}{text}\n", text.len() + 5).as_bytes());
        self
    }

    /// Ends a part.
    pub fn delimiter(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0001");
        self
    }

    /// Ends the message, or a part of one in the old protocol.
    pub fn flush(&mut self) -> &mut Self {
        self.0.extend_from_slice(b"0000");
        self
    }

    /// The whole.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.clone()
    }
}

/// The pack in an answer: bytes of the first band of many lines; what the server says on the second is left out, and an
/// error on the third ends it.
pub(super) struct PackReader<'a> {
    from: Box<dyn Read + 'a>,
    current: Vec<u8>,
    read: usize,
    has_ended: bool,
    left: u64,
}

/// The error of a pack that is larger than it may be.
#[derive(Debug, thiserror::Error)]
#[error("its pack is larger than it may be")]
pub(super) struct PackTooLarge;

impl<'a> PackReader<'a> {
    /// Of an answer that has come to its pack, which may have so many bytes.
    pub fn new(from: Box<dyn Read + 'a>, most_bytes: u64) -> Self {
        Self { from, current: Vec::new(), read: 0, has_ended: false, left: most_bytes }
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        match read_packet(&mut self.from)? {
            None | Some(Packet::Flush | Packet::ResponseEnd) => self.has_ended = true,
            Some(Packet::Delimiter) => {}
            Some(Packet::Data(mut data)) => match data.first() {
                Some(1) => {
                    data.remove(0);
                    let length = data.len() as u64;
                    self.left =
                        self.left.checked_sub(length).ok_or_else(|| io::Error::other(PackTooLarge))?;
                    (self.current, self.read) = (data, 0);
                }
                Some(2) => {}
                Some(3) => {
                    let said = String::from_utf8_lossy(data.get(1..).unwrap_or_default()).into_owned();
                    return Err(invalid(format!("the server says: {}", printable(said.trim()))));
                }
                _ => return Err(invalid("what comes is not git's protocol".to_owned())),
            },
        }
        Ok(())
    }

    /// Reads what stands behind the pack, so that the connection can be used again.
    pub fn finish(mut self) -> io::Result<()> {
        while !self.has_ended {
            self.next_piece()?;
        }
        Ok(())
    }
}

impl Read for PackReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read >= self.current.len() && !self.has_ended {
            self.next_piece()?;
        }
        let rest = self.current.get(self.read..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.read += length;
        Ok(length)
    }
}

/// What a server said, for people: nothing of it works on a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let mut message = Message::default();
        message.line("command=fetch").delimiter().line("done").flush();
        let bytes = message.bytes();
        assert!(bytes.starts_with(b"0012command=fetch\n0001"));
        let mut from = bytes.as_slice();
        let packets: Vec<Packet> = std::iter::from_fn(|| read_packet(&mut from).unwrap()).collect();
        let data = |text: &str| Packet::Data(text.as_bytes().to_vec());
        assert_eq!(packets, [data("command=fetch\n"), Packet::Delimiter, data("done\n"), Packet::Flush]);
    }

    #[test]
    fn what_is_no_protocol_is_an_error_and_reserves_nothing() {
        for bytes in [b"zzzz".as_slice(), b"0003", b"00", b"ffffabc", b"+001x"] {
            assert!(read_packet(&mut { bytes }).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_pack_that_is_too_large_or_told_to_be_wrong_ends_with_an_error() {
        let pack = b"0009\x01PACK0009\x02work0008\x03no!0000";
        let mut reader = PackReader::new(Box::new(pack.as_slice()), 100);
        let mut four = [0; 4];
        reader.read_exact(&mut four).unwrap();
        assert_eq!(&four, b"PACK");
        assert!(reader.read(&mut four).unwrap_err().to_string().contains("the server says: no!"));
        let mut reader = PackReader::new(Box::new(pack.as_slice()), 3);
        assert!(reader.read(&mut four).unwrap_err().to_string().contains("larger"));
    }
}
