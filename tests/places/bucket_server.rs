//! A server of S3's protocol, and what is in its buckets.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::http::ask;
use crate::support::{Project, repository};

/// A server, which ends with the test.
pub struct BucketServer {
    child: Child,
    pub address: SocketAddr,
}

impl BucketServer {
    /// Starts one with a bucket `packages`.
    pub fn start() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(python())
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server.request("PUT", "/packages", &[]).0, 200);
        server
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The status and content of an answer. The server does not ask who asks.
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        // A region is known from what would be a signature.
        let lines = "Authorization: AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, \
                     SignedHeaders=host, Signature=0\r\n";
        let answer = ask(self.address, method, path, (lines, body));
        (answer.status, answer.body)
    }

    /// An object of the bucket.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        for _ in 0..5 {
            let (status, content) =
                self.request("GET", &format!("/packages/{}", key.replace('+', "%2B")), &[]);
            match status {
                200 => return Some(content),
                // As clients do: a server that is in trouble is asked again.
                500.. => std::thread::sleep(Duration::from_millis(50)),
                _ => return None,
            }
        }
        None
    }

    /// The sizes of all objects, by key.
    pub fn keys(&self) -> BTreeMap<String, u64> {
        let (status, list) = self.request("GET", "/packages?list-type=2&max-keys=1000", &[]);
        assert_eq!(status, 200);
        let list = String::from_utf8(list).unwrap();
        let between = |text: &str, tag: &str| {
            let rest = text.split_once(&format!("<{tag}>")).unwrap().1;
            rest.split_once('<').unwrap().0.to_owned()
        };
        let objects = list.split("<Contents>").skip(1);
        objects.map(|object| (between(object, "Key"), between(object, "Size").parse().unwrap())).collect()
    }
}

impl Drop for BucketServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python that has the server.
fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let root = repository();
        let run =
            Command::new(root.join(".ci/s3-server")).arg(root.join("target/s3-server")).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    })
}

/// A project of packages `a` and `b`, sent to `to`.
pub fn project_sent_to(to: &str) -> Project {
    let project = Project::with(&format!(
        "package a {{ source path \"a.spec\" }}\npackage b {{ source path \"b.spec\" }}\n\
         publish \"public/{{chroot}}\" {{ {to} }}\n"
    ));
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project
}

/// The same, sent to the bucket of a server.
pub fn project_with_bucket(endpoint: &str) -> Project {
    project_sent_to(&format!("to \"s3://packages/{{chroot}}\" endpoint=\"{endpoint}\""))
}

/// The binary, with the credentials of somebody who may send.
pub fn forge_with_credentials(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.forge(arguments);
    command.env("AWS_ACCESS_KEY_ID", "AKIDOFSOMEBODY").env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

/// What must not be seen anywhere.
pub const SECRET: &str = "zZsecretZz0123456789";
