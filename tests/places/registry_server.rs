//! A server of OCI artifacts, what stands before it, and what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::bucket_server::{SECRET, project_sent_to};
use crate::http::ask;
use crate::support::{Project, repository};

/// The name and the password [`SECRET`] of somebody who may push, as `htpasswd -B` writes them.
const PASSWORDS: &str = "ada:$2b$05$abcdefghijklmnopqrstuuOA/81BbXoYluOIdCSEI2pI9BHMJA3/.\n";

/// The media types of manifests.
const MANIFESTS: &str =
    "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json\r\n";

/// A server, which ends with the test. Clients reach it by way of a [`Front`].
pub struct RegistryServer {
    child: Child,
    /// Where it is itself.
    behind: SocketAddr,
    pub front: Front,
    storage: TempDir,
}

/// What stands before a server: it notes what is asked, and can refuse it.
pub struct Front {
    pub address: SocketAddr,
    /// `METHOD PATH` of all requests.
    requests: Arc<Mutex<Vec<String>>>,
    rules: Arc<Mutex<FrontRules>>,
}

/// What passes.
#[derive(Clone, Default)]
pub struct FrontRules {
    /// How many chunks of uploads; the next ones are cut off.
    pub chunks: Option<usize>,
    /// Whether a chunk that is cut off arrives by half.
    pub halves: bool,
    /// Whether a token is wanted, which is given to who has a name and a password.
    pub wants_token: bool,
}

/// What is given for a name and a password.
const TOKEN: &str = "t0ken-0f-ada";

impl RegistryServer {
    /// Starts one that takes what anybody sends.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one that wants a name and a password.
    pub fn start_with_passwords() -> Self {
        Self::start_with("auth: { htpasswd: { realm: lab, path: PASSWORDS } }\n")
    }

    fn start_with(more: &str) -> Self {
        let storage = TempDir::new().unwrap();
        let behind = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let passwords = storage.path().join("passwords");
        fs::write(&passwords, PASSWORDS).unwrap();
        let files = storage.path().join("files");
        let configuration = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }}, delete: {{ enabled: true }} }}\n\
             http: {{ addr: \"{behind}\", secret: lab }}\n{}",
            files.display(),
            more.replace("PASSWORDS", &passwords.display().to_string())
        );
        let path = storage.path().join("configuration.yml");
        fs::write(&path, configuration).unwrap();
        let child = Command::new(program())
            .arg("serve")
            .arg(&path)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(behind).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, behind, front: Front::before(behind), storage }
    }

    /// A project of packages `a` and `b`, sent to `oci://…/acme/host`.
    pub fn project(&self) -> Project {
        project_sent_to(&self.place())
    }

    /// How a manifest names it.
    pub fn place(&self) -> String {
        let front = self.front.address;
        format!("to \"oci://{front}/acme/{{chroot}}\" endpoint=\"http://{front}\"")
    }

    /// The manifest of a tag or digest, and its bytes.
    pub fn manifest(&self, reference: &str) -> Option<(serde_json::Value, Vec<u8>)> {
        let path = format!("/v2/acme/host/manifests/{reference}");
        let answer = ask(self.behind, "GET", &path, (MANIFESTS, b""));
        let manifest = (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap());
        manifest.map(|manifest| (manifest, answer.body))
    }

    /// The digests of the files of a tag or digest, by path.
    pub fn files(&self, reference: &str) -> BTreeMap<String, String> {
        self.manifest(reference).map(|(manifest, _)| files_of(&manifest)).unwrap_or_default()
    }

    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        let answer = ask(self.behind, "GET", &format!("/v2/acme/host/blobs/{digest}"), ("", b""));
        (answer.status == 200).then_some(answer.body)
    }

    /// Sends a manifest of somebody else's.
    pub fn put_manifest(&self, tag: &str, content: &[u8]) {
        let head = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
        let path = format!("/v2/acme/host/manifests/{tag}");
        assert_eq!(ask(self.behind, "PUT", &path, (head, content)).status, 201);
    }

    /// Has the server lose content.
    pub fn lose(&self, digest: &str) {
        let path = format!("/v2/acme/host/blobs/{digest}");
        assert_eq!(ask(self.behind, "DELETE", &path, ("", b"")).status, 202);
        assert!(self.blob(digest).is_none());
    }

    /// The folder that the server has its files in.
    pub fn storage(&self) -> PathBuf {
        self.storage.path().join("files")
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Front {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, rules) = (Arc::default(), Arc::default());
        let passage = Passage { server, address, requests: Arc::clone(&requests), rules: Arc::clone(&rules) };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let passage = passage.clone();
                std::thread::spawn(move || passage.serve(client));
            }
        });
        Self { address, requests, rules }
    }

    pub fn set(&self, rules: FrontRules) {
        *self.rules.lock().unwrap() = rules;
    }

    /// What was asked since this was asked last.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

#[derive(Clone)]
struct Passage {
    server: SocketAddr,
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    rules: Arc<Mutex<FrontRules>>,
}

impl Passage {
    /// One request of a connection.
    fn serve(&self, mut client: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if client.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let lower = head.to_lowercase();
        let header = |name: &str| lower.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        let length: u64 = header("content-length").map_or(0, |length| length.parse().unwrap());
        let line = head.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned();
        self.requests.lock().unwrap().push(line.clone());
        if let Some(answer) = self.answer(&line, header("authorization")) {
            let _ = std::io::copy(&mut (&client).take(length), &mut std::io::sink());
            let _ = client.write_all(answer.as_bytes());
            return;
        }
        let passing = if line.starts_with("PATCH ") { self.passing(length) } else { length };
        let mut server = TcpStream::connect(self.server).unwrap();
        let mut lines =
            head.trim_end().lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
        let first = lines.next().unwrap();
        let rest: Vec<&str> = lines.filter(|line| !self.is_front_login(line)).collect();
        let head = format!("{first}\r\n{}\r\nConnection: close\r\n\r\n", rest.join("\r\n"));
        if passing == 0 && length > 0 {
            return;
        }
        server.write_all(head.as_bytes()).unwrap();
        if std::io::copy(&mut (&client).take(passing), &mut server).unwrap_or(0) < length {
            return;
        }
        let mut answer = Vec::new();
        let _ = server.read_to_end(&mut answer);
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
        let _ = client.write_all(&answer[..end]);
        let _ = client.write_all(if answer[..end].windows(17).any(|word| word == b"Connection: close") {
            b""
        } else {
            b"\r\nConnection: close"
        });
        let _ = client.write_all(&answer[end..]);
    }

    /// How many bytes of a chunk pass.
    fn passing(&self, length: u64) -> u64 {
        let mut rules = self.rules.lock().unwrap();
        let halves = rules.halves;
        match &mut rules.chunks {
            None => length,
            Some(0) => {
                if halves {
                    length / 2
                } else {
                    0
                }
            }
            Some(left) => {
                *left -= 1;
                length
            }
        }
    }

    /// What is answered without the server.
    fn answer(&self, line: &str, authorization: Option<&str>) -> Option<String> {
        if !self.rules.lock().unwrap().wants_token {
            return None;
        }
        let answer = |status: &str, head: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}")
        };
        if line.starts_with("GET /token?") {
            let is_known = authorization.is_some_and(|header| header.starts_with("basic "))
                && line.contains("scope=repository%3Aacme%2Fhost%3Apull%2Cpush")
                && line.contains("service=lab");
            return Some(match is_known {
                true => answer("200 OK", "", &format!("{{\"token\":\"{TOKEN}\"}}")),
                false => answer(
                    "401 Unauthorized",
                    "",
                    "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"who?\"}]}",
                ),
            });
        }
        let has_token = authorization == Some(&format!("bearer {}", TOKEN.to_lowercase()));
        let realm =
            format!("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"lab\"\r\n", self.address);
        (!has_token).then(|| answer("401 Unauthorized", &realm, "{}"))
    }

    fn is_front_login(&self, line: &str) -> bool {
        line.to_lowercase().starts_with("authorization: bearer") && self.rules.lock().unwrap().wants_token
    }
}

/// What `docker login` writes.
pub fn log_in(folder: &Path, registry: SocketAddr) {
    let login = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("ada:{SECRET}"));
    fs::create_dir_all(folder).unwrap();
    let text = format!("{{\"auths\":{{\"{registry}\":{{\"auth\":\"{login}\"}}}}}}");
    fs::write(folder.join("config.json"), text).unwrap();
}

/// The server's program.
fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = repository();
        let run = Command::new(root.join(".ci/registry-server"))
            .arg(root.join("target/registry-server"))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        root.join(String::from_utf8(run.stdout).unwrap().trim()).display().to_string()
    })
}

/// The digests of the files that a manifest lists, by path.
pub fn files_of(manifest: &serde_json::Value) -> BTreeMap<String, String> {
    let layers = manifest["layers"].as_array().unwrap().iter();
    let title = |layer: &serde_json::Value| {
        layer["annotations"]["org.opencontainers.image.title"].as_str().unwrap().to_owned()
    };
    layers.map(|layer| (title(layer), layer["digest"].as_str().unwrap().to_owned())).collect()
}
