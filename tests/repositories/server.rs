//! A web server that behaves as a test tells it to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// What a client asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    /// How many requests for this path came before.
    pub earlier: usize,
}

/// What the server answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What `Content-Length` says, if not the truth.
    pub said_length: Option<Option<u64>>,
    pub manner: Manner,
}

/// How the body goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Whole,
    /// The connection ends after so many bytes.
    CutAfter(usize),
    /// After so many bytes nothing more comes.
    StallAfter(usize),
    /// One byte now and then.
    Slow,
    /// The body again and again.
    Endless,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        let (headers, body) = (Vec::new(), body.into());
        Self { status: 200, headers, body, said_length: None, manner: Manner::Whole }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::ok("") }
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    pub fn says_length(self, length: Option<u64>) -> Self {
        Self { said_length: Some(length), ..self }
    }

    /// A body with an entity tag: whole, or the range that was asked for.
    pub fn tagged(request: &Request, body: &[u8], etag: &str) -> Self {
        let range =
            request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let is_same = request.headers.get("if-range").is_none_or(|tag| tag == etag);
        match range.and_then(|from| from.parse::<usize>().ok()).filter(|_| is_same) {
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
                Self { status: 206, ..Self::ok(&body[from..]) }
                    .header("ETag", etag)
                    .header("Content-Range", &range)
            }
            None => Self::ok(body).header("ETag", etag),
        }
    }
}

/// A server that runs until its test ends.
pub struct Server {
    port: u16,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", None, answer)
    }

    /// One that speaks TLS; with the certificate that vouches for it, in PEM.
    pub fn start_tls(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Self, Vec<u8>) {
        let (certificate, key) = make_certificate();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from_pem_slice(&certificate).unwrap()], key)
            .unwrap();
        (Self::listen("https", Some(Arc::new(config)), answer), certificate)
    }

    fn listen(
        scheme: &'static str,
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen, tls) = (Arc::clone(&answer), Arc::clone(&seen), tls.clone());
                // A client that has enough closes the connection, which is what most of these tests are about.
                thread::spawn(move || match tls {
                    None => drop(serve(stream, &seen, answer.as_ref())),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        drop(serve(rustls::StreamOwned::new(connection, stream), &seen, answer.as_ref()));
                    }
                });
            }
        });
        Self { port, scheme, requests }
    }

    /// One that gives these files, by their paths.
    pub fn with_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::start(move |request| match files.get(request.path.trim_start_matches('/')) {
            Some(content) => Answer::ok(content.clone()),
            None => Answer::status(404),
        })
    }

    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}/{path}", self.scheme, self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The paths that were asked for.
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.path).collect()
    }
}

/// A certificate for this machine that vouches for itself, in PEM, and its key.
fn make_certificate() -> (Vec<u8>, PrivateKeyDer<'static>) {
    let folder = TempDir::new().unwrap();
    let run = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder.path())
        .output()
        .expect("openssl is installed by .ci/test");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let read = |file| fs::read(folder.path().join(file)).unwrap();
    (read("certificate.pem"), PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap())
}

fn serve(
    mut stream: impl Read + Write,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Answer,
) -> std::io::Result<()> {
    let head = read_head(&mut stream)?;
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let request = {
        let mut seen = seen.lock().unwrap();
        let earlier = seen.iter().filter(|request| request.path == path).count();
        let request = Request { path, headers, earlier };
        seen.push(request.clone());
        request
    };
    send(&mut stream, &answer(&request))
}

fn read_head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn send(stream: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Word\r\nConnection: close\r\n", answer.status);
    if let Some(length) = answer.said_length.unwrap_or(Some(answer.body.len() as u64)) {
        head += &format!("Content-Length: {length}\r\n");
    }
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    match answer.manner {
        Manner::Whole => stream.write_all(&answer.body).and_then(|()| stream.flush()),
        Manner::CutAfter(bytes) => stream.write_all(&answer.body[..bytes]),
        Manner::StallAfter(bytes) => {
            stream.write_all(&answer.body[..bytes])?;
            thread::sleep(Duration::from_secs(600));
            Ok(())
        }
        Manner::Slow => answer.body.iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(20));
            stream.write_all(&[*byte])
        }),
        Manner::Endless => loop {
            stream.write_all(&answer.body)?;
        },
    }
}
