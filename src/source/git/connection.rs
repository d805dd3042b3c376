//! Connections to `git upload-pack`: over HTTP, where each message is a request of its own, and over what is one stream both
//! ways: ssh, git's own protocol, and a program of this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::address::{GitAddress, SshAddress};
use super::error::GitError;
use super::packet::printable;
use crate::fetch::{Address, Client, FetchError, Question, QuestionWeight, Reply};
use crate::process::{Cancel, PipedProgram, shell_quoted};

/// What repositories are reached with.
#[derive(Clone, Copy)]
pub struct GitTools<'a> {
    /// Speaks HTTP.
    pub client: &'a Client,
    /// What `ssh` may know of the environment. `GIT_SSH_COMMAND` names another one, as with git (git(1)).
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// Calls it off.
    pub cancel: &'a Cancel,
}

/// How long a server of git's own protocol may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a repository.
pub(super) enum Connection<'a> {
    /// Over HTTP.
    Web(WebConnection<'a>),
    /// One stream both ways.
    Stream(Box<StreamConnection>),
}

/// A repository that is reached over HTTP (gitprotocol-http(5)).
pub(super) struct WebConnection<'a> {
    tools: GitTools<'a>,
    /// Where it is, once the server has led there.
    base: Address,
    /// As it was asked for.
    repository: String,
}

/// A stream both ways.
pub(super) struct StreamConnection {
    stream: BufReader<DuplexStream>,
    repository: String,
}

enum DuplexStream {
    Program { program: PipedProgram, name: String },
    Socket(TcpStream),
}

/// What is asked of a server over HTTP is one of version 2, if it can speak it.
const VERSION: &str = "version=2";

impl<'a> Connection<'a> {
    /// Connects.
    pub fn open(address: &GitAddress, tools: GitTools<'a>) -> Result<Self, GitError> {
        let repository = address.to_string();
        let stream = match address {
            GitAddress::Web(base) => {
                return Ok(Self::Web(WebConnection { tools, base: base.clone(), repository }));
            }
            GitAddress::Ssh(ssh) => start(ssh_words(ssh, tools.environment), tools, &repository)?,
            GitAddress::Local(path) => {
                let words = vec!["git-upload-pack".into(), path.as_os_str().to_owned()];
                start(words, tools, &repository)?
            }
            GitAddress::Daemon { host, port, path } => {
                let error = |error: io::Error| GitError::Server {
                    repository: repository.clone(),
                    reason: format!("no connection: {}", crate::files::reason(&error)),
                };
                DuplexStream::Socket(ask_daemon((host, *port), path).map_err(error)?)
            }
        };
        Ok(Self::Stream(Box::new(StreamConnection { stream: BufReader::new(stream), repository })))
    }

    /// What the server says first.
    pub fn greeting(&mut self) -> Result<Box<dyn Read + '_>, GitError> {
        match self {
            Self::Web(web) => web.greeting().map(|reply| Box::new(reply) as Box<dyn Read>),
            Self::Stream(stream) => Ok(Box::new(&mut stream.stream)),
        }
    }

    /// Sends a message, and gives the answer.
    pub fn ask(&mut self, message: Vec<u8>, weight: QuestionWeight) -> Result<Box<dyn Read + '_>, GitError> {
        match self {
            Self::Web(web) => web.ask(message, weight).map(|reply| Box::new(reply) as Box<dyn Read>),
            Self::Stream(stream) => {
                let sent = stream.stream.get_mut().write_all(&message);
                if let Err(error) = sent.and_then(|()| stream.stream.get_mut().flush()) {
                    return Err(stream.broken(&error));
                }
                Ok(Box::new(&mut stream.stream))
            }
        }
    }

    /// The error of an answer that broke off, or made no sense; with what the program between says of it.
    pub fn broken(&mut self, error: &io::Error) -> GitError {
        match self {
            Self::Web(web) if error.kind() == io::ErrorKind::Interrupted => {
                GitError::Canceled { repository: web.repository.clone() }
            }
            Self::Web(web) => GitError::Server {
                repository: web.repository.clone(),
                reason: format!("the answer broke off: {}", describe(error)),
            },
            Self::Stream(stream) => stream.broken(error),
        }
    }

    /// Whether each message stands alone: the server knows nothing of those before.
    pub fn is_stateless(&self) -> bool {
        matches!(self, Self::Web(_))
    }
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "nothing came for too long".to_owned(),
        _ => printable(&crate::files::reason(error)),
    }
}

impl WebConnection<'_> {
    fn greeting(&mut self) -> Result<Reply, GitError> {
        let address = self.base.join("info/refs").with_query("service=git-upload-pack");
        let headers = vec![("git-protocol", VERSION.to_owned())];
        let question = Question { address, headers, body: None, weight: QuestionWeight::Light };
        let reply = self.send(question)?;
        if reply.content_type != "application/x-git-upload-pack-advertisement" {
            return Err(
                self.refused("it answers, but not as a git server of our days does (git-http-backend(1))")
            );
        }
        // A server that leads elsewhere is asked there from now on.
        if let Some(base) = reply.address.without_end("/info/refs") {
            self.base = base;
        }
        Ok(reply)
    }

    fn ask(&mut self, message: Vec<u8>, weight: QuestionWeight) -> Result<Reply, GitError> {
        let headers = vec![
            ("git-protocol", VERSION.to_owned()),
            ("content-type", "application/x-git-upload-pack-request".to_owned()),
            ("accept", "application/x-git-upload-pack-result".to_owned()),
        ];
        let address = self.base.join("git-upload-pack");
        let reply = self.send(Question { address, headers, body: Some(message), weight })?;
        match reply.content_type == "application/x-git-upload-pack-result" {
            true => Ok(reply),
            false => Err(self.refused("its answer is none of a git server")),
        }
    }

    fn send(&self, question: Question) -> Result<Reply, GitError> {
        let reply = self.tools.client.ask(question, self.tools.cancel).map_err(|error| match error {
            FetchError::Canceled => GitError::Canceled { repository: self.repository.clone() },
            error => GitError::NotReached { repository: self.repository.clone(), source: error },
        })?;
        match reply.status {
            200 => Ok(reply),
            401 | 403 => {
                Err(self.refused(&format!("the server answers {}: it wants to know who asks", reply.status)))
            }
            404 | 410 => {
                Err(self
                    .refused(&format!("the server answers {}: there is no such repository", reply.status)))
            }
            status => Err(self.refused(&format!("the server answers {status}"))),
        }
    }

    fn refused(&self, reason: &str) -> GitError {
        GitError::Server { repository: self.repository.clone(), reason: reason.to_owned() }
    }
}

impl StreamConnection {
    fn broken(&mut self, error: &io::Error) -> GitError {
        let repository = self.repository.clone();
        let reason = match self.stream.get_mut() {
            DuplexStream::Socket(_) => format!("the answer broke off: {}", describe(error)),
            DuplexStream::Program { program, name } => match program.finish() {
                said if said.is_empty() => format!("`{name}` broke off: {}", describe(error)),
                said => format!("`{name}` says: {}", printable(&said)),
            },
        };
        GitError::Server { repository, reason }
    }
}

/// `ssh` with the command that the other side is to run. It must never ask anything: nobody would answer.
fn ssh_words(ssh: &SshAddress, environment: &BTreeMap<OsString, OsString>) -> Vec<OsString> {
    let SshAddress { user, host, port, path } = ssh;
    let mut words: Vec<OsString> = match environment.get(&OsString::from("GIT_SSH_COMMAND")) {
        // As git has it: a command of the shell.
        Some(command) => {
            let mut line = command.clone();
            line.push(" \"$@\"");
            vec!["/bin/sh".into(), "-c".into(), line, "ssh".into()]
        }
        None => vec!["ssh".into()],
    };
    words.extend(["-o", "BatchMode=yes", "-o", "SendEnv=GIT_PROTOCOL"].map(OsString::from));
    if let Some(port) = port {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let path = String::from_utf8_lossy(&shell_quoted(path.as_bytes())).into_owned();
    words.extend(["--".into(), format!("{user}{host}").into(), format!("git-upload-pack {path}").into()]);
    words
}

fn start(words: Vec<OsString>, tools: GitTools<'_>, repository: &str) -> Result<DuplexStream, GitError> {
    let mut environment = tools.environment.clone();
    environment.insert("GIT_PROTOCOL".into(), VERSION.into());
    let name = match words.first().map(|word| word.to_string_lossy().into_owned()) {
        Some(shell) if shell == "/bin/sh" => "ssh".to_owned(),
        name => name.unwrap_or_default(),
    };
    match PipedProgram::start(&words, &environment) {
        Ok(program) => Ok(DuplexStream::Program { program, name }),
        Err(error) => Err(GitError::Program {
            repository: repository.to_owned(),
            program: name,
            reason: crate::files::reason(&error),
        }),
    }
}

fn ask_daemon((host, port): (&str, u16), path: &str) -> io::Result<TcpStream> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "the server's name is not known");
    let mut last = unknown();
    for address in (host, port).to_socket_addrs().map_err(|_| unknown())? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut socket) => {
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                let request = format!("git-upload-pack {path}\0host={host}:{port}\0\0{VERSION}\0");
                socket.write_all(format!("{:04x}{request}", request.len() + 4).as_bytes())?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Read for DuplexStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Program { program, .. } => program.read(buffer),
            Self::Socket(socket) => socket.read(buffer),
        }
    }
}

impl Write for DuplexStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Program { program, .. } => program.write(buffer),
            Self::Socket(socket) => socket.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Program { program, .. } => program.flush(),
            Self::Socket(socket) => socket.flush(),
        }
    }
}
