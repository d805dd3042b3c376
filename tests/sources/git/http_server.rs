//! The real `git http-backend` behind a small web server, which keeps connections open.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a server behaves.
#[derive(Clone, Default)]
pub struct Manner {
    /// Whether it knows nothing of version 2 of git's protocol.
    pub is_old: bool,
    /// Whether it gives commits only by the names of branches and tags.
    pub only_by_name: bool,
    /// How many requests it answers with 503 first.
    pub unavailable: usize,
    /// After how many bytes an answer to a request for objects is cut.
    pub cut_after: Option<usize>,
    /// What it wants to be shown by who asks: `Bearer …`.
    pub authorization: Option<String>,
    /// Answers of its own: the path, and what stands in a whole answer.
    pub answers: BTreeMap<String, String>,
}

/// A server of the repositories in a folder.
pub struct HttpServer {
    port: u16,
    pub requests: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<AtomicUsize>,
}

struct Asked {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl HttpServer {
    pub fn start(root: &Path, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let server = Self { port, requests: Arc::clone(&requests), connections: Arc::clone(&connections) };
        let root = root.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::Relaxed);
                let (root, manner, requests) = (root.clone(), manner.clone(), Arc::clone(&requests));
                thread::spawn(move || while serve(&stream, &root, &manner, &requests).is_some() {});
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, root: &Path, manner: &Manner, requests: &Mutex<Vec<String>>) -> Option<()> {
    let asked = read_request(stream)?;
    let count = {
        let mut requests = requests.lock().unwrap();
        requests.push(format!("{} {}", asked.method, asked.target));
        requests.len()
    };
    let mut stream = stream;
    if count <= manner.unavailable {
        return stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").ok();
    }
    if manner.authorization.as_ref().is_some_and(|wanted| asked.headers.get("authorization") != Some(wanted))
    {
        return stream.write_all(b"HTTP/1.1 401 Who?\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let own = manner.answers.get(asked.target.split('?').next()?);
    let answer = match own {
        Some(answer) => answer.clone().into_bytes(),
        None => run_backend(root, manner, &asked)?,
    };
    let is_pack =
        asked.target.ends_with("/git-upload-pack") && asked.body.windows(4).any(|word| word == b"want");
    match manner.cut_after.filter(|_| is_pack) {
        Some(bytes) => {
            stream.write_all(&answer[..bytes.min(answer.len())]).ok()?;
            None
        }
        None => stream.write_all(&answer).ok(),
    }
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, headers, body })
}

fn run_backend(root: &Path, manner: &Manner, asked: &Asked) -> Option<Vec<u8>> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let mut command = Command::new("git");
    command
        .args(["-c", "http.uploadpack=true", "-c", "safe.directory=*"])
        .args(["-c", if manner.only_by_name { "uploadpack.allowAnySHA1InWant=false" } else { "a.b=c" }])
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH")?)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &asked.method)
        .env("CONTENT_TYPE", asked.headers.get("content-type").map_or("", String::as_str))
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1");
    if let Some(version) = asked.headers.get("git-protocol").filter(|_| !manner.is_old) {
        command.env("GIT_PROTOCOL", version);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let (mut input, body) = (child.stdin.take()?, asked.body.clone());
    let writer = thread::spawn(move || drop(input.write_all(&body)));
    let output = child.wait_with_output().ok()?.stdout;
    writer.join().ok()?;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let body = &output[end + 4..];
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let mut answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for line in head.lines().filter(|line| !line.starts_with("Status:")) {
        answer += &format!("{line}\r\n");
    }
    Some([answer.as_bytes(), b"\r\n", body].concat())
}

/// A bare copy of a repository in the folder that is served.
pub fn publish(root: &Path, name: &str, from: &super::made_git::MadeGit) -> PathBuf {
    let to = root.join(name);
    let _ = std::fs::remove_dir_all(&to);
    let source = from.path().to_str().unwrap();
    // A local clone would have objects that nothing names any more, too.
    let clone = ["clone", "--quiet", "--mirror", "--no-local", source, name];
    let output = super::made_git::git_command(root, 0).args(clone).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    to
}
