//! The simplest client of HTTP that there is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a server has answered.
pub struct Answer {
    pub status: u16,
    /// The headers, in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// What a header says.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// Asks a server, with further lines in the head of the request.
pub fn ask(address: SocketAddr, method: &str, path: &str, (lines, body): (&str, &[u8])) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = if body.is_empty() && method != "PUT" {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{length}{lines}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: answer[end + 4..].to_vec() }
}

/// The content of a file, where there is one.
pub fn get(address: SocketAddr, path: &str) -> Option<Vec<u8>> {
    let answer = ask(address, "GET", path, ("", &[]));
    (answer.status == 200).then_some(answer.body)
}
