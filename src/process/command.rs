//! A program to run, and how its run ended.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::SignalKind;
use tokio::sync::watch;

use super::document::{Documents, document_path, with_paths};
use super::quoting::shell_quoted;
use super::sandbox_exit::{NOT_ENTERED, OVER_DISK, OVER_MEMORY, PassedLimit};
use super::supervise::{APART, END_GENTLY, INPUT_FIRST, NO_INPUT, SUPERVISE, TOGETHER};
use crate::files::HostPath;

/// How long a program that is asked to end may take over it.
const GRACE: Duration = Duration::from_secs(2);

/// How much output is handed on at a time, at the most.
const CHUNK: usize = 64 * 1024;

/// How much is kept of what a sandbox says that can't be set up.
const MOST_SAID: usize = 4096;

/// The forge binary, which supervises what it starts.
#[derive(Clone, Debug)]
pub struct Supervisor(Arc<HostPath>);

impl Supervisor {
    /// The supervisor in the binary at `forge`.
    pub fn new(forge: HostPath) -> Self {
        Self(Arc::new(forge))
    }
}

/// Why a program could not be run at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ProcessError {
    /// It can't be started.
    #[error("`{program}` could not be run: {reason}")]
    #[diagnostic(
        code(forge::process::not_run),
        help("is there room for another process, and is forge itself still where it was started from?")
    )]
    NotRun {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// Its sandbox can't be set up.
    #[error("the sandbox can't be set up: {reason}")]
    #[diagnostic(
        code(forge::process::not_entered),
        help(
            "`forge doctor` says what this machine lacks; `isolation none` in the manifest builds without a sandbox, for specs that you trust"
        )
    )]
    NotEntered {
        /// Why.
        reason: String,
    },
}

/// Which of its two outputs a program wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code; 128 and more is a signal, as in a shell.
    Code(i32),
    /// Its time was up; all of its descendants are gone.
    TimedOut,
    /// It was canceled; all of its descendants are gone.
    Canceled,
    /// It took more than its sandbox may; all of its descendants are gone.
    PassedLimit(PassedLimit),
}

/// Says to everything that runs that it should end.
#[derive(Clone, Debug)]
pub struct Cancel {
    sender: Arc<watch::Sender<bool>>,
    /// What ends this as well.
    outer: Option<Arc<Cancel>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(false)), outer: None }
    }
}

impl Cancel {
    /// One that ends with this one, and can be ended alone.
    pub fn inner(&self) -> Self {
        Self { outer: Some(Arc::new(self.clone())), ..Self::default() }
    }

    /// Ends all that listens, now and later.
    pub fn cancel(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was canceled.
    pub fn is_canceled(&self) -> bool {
        *self.sender.borrow() || self.outer.as_ref().is_some_and(|outer| outer.is_canceled())
    }

    /// Returns once it is canceled.
    pub async fn canceled(&self) {
        let mut own = self.sender.subscribe();
        // The sender lives as long as `self`, so waiting can't fail.
        let own = own.wait_for(|canceled| *canceled);
        match &self.outer {
            None => drop(own.await),
            Some(outer) => tokio::select! {
                _ = own => {}
                () = Box::pin(outer.canceled()) => {}
            },
        }
    }
}

/// A program to run: nothing of forge's own environment reaches it, its standard input is empty unless it is given a
/// [request](Command::request). It has no `Debug`: its
/// environment may hold secrets.
#[derive(Clone)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    folder: HostPath,
    timeout: Duration,
    streams: Streams,
    input: Input,
    documents: Documents,
    runs_in: RunsIn,
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunsIn {
    /// On the machine.
    Machine,
    /// In a sandbox.
    Sandbox,
}

/// What a program reads from its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// Nothing.
    Empty,
    /// The first document, which nothing that it starts inherits.
    FirstDocument,
}

/// Where a program's two outputs go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// Each comes as what it is.
    Apart,
    /// Both come as standard output, in the order in which they were written.
    Together,
}

impl Command {
    /// `program`, found by `PATH` of `environment`, in the folder `folder`, for at most `timeout`.
    pub fn new(
        program: impl AsRef<OsStr>,
        folder: &HostPath,
        environment: BTreeMap<String, String>,
        timeout: Duration,
    ) -> Self {
        let program = program.as_ref().to_owned();
        Self {
            program,
            arguments: Vec::new(),
            environment,
            folder: folder.clone(),
            timeout,
            streams: Streams::Apart,
            input: Input::Empty,
            documents: Documents::default(),
            runs_in: RunsIn::Machine,
        }
    }

    /// The same, run in a sandbox that `program` sets up: that gets `arguments`, the path of a document that describes the
    /// sandbox, and the command line.
    pub fn through(mut self, program: impl AsRef<OsStr>, argument: &str, description: Vec<u8>) -> Self {
        let requests = usize::from(self.input == Input::FirstDocument);
        let number = self.documents.count() - requests;
        self.documents.add(description);
        let own = std::mem::replace(&mut self.program, program.as_ref().to_owned());
        // Its own comes first; the others are the program's.
        let documents = std::iter::once(number).chain(0..number).map(document_path);
        let documents = documents.collect::<Vec<_>>().join(",");
        let before = [argument.into(), documents.into(), own];
        self.arguments.splice(0..0, before);
        self.runs_in = RunsIn::Sandbox;
        self
    }

    /// One more argument.
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Standard error goes where standard output goes, as a shell's `2>&1`: for logs, whose lines must come whole and in
    /// order.
    pub fn together(mut self) -> Self {
        self.streams = Streams::Together;
        self
    }

    /// A document that the program can read, and that stands in no command line; [`document_path`](super::document_path)
    /// is its name in arguments.
    pub fn document(mut self, content: Vec<u8>) -> Self {
        self.documents.add(content);
        self
    }

    /// What the program reads from its standard input. It comes before all documents.
    pub fn request(mut self, content: Vec<u8>) -> Self {
        self.documents.put_first(content);
        self.input = Input::FirstDocument;
        self
    }

    /// The command line as a person would type it, for logs.
    pub fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| quote_word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// Runs it to its end. `output` gets what it writes as it comes, in pieces of at most 64 KiB.
    ///
    /// # Errors
    /// Where it can't be started; that it failed is no error but an [`Exit`].
    pub async fn run(
        &self,
        supervisor: &Supervisor,
        cancel: &Cancel,
        output: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Exit, ProcessError> {
        let failed = |error: io::Error| ProcessError::NotRun {
            program: self.program.to_string_lossy().into_owned(),
            reason: crate::files::reason(&error),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(self.folder.as_path(), flags, Mode::empty())
            .map_err(|error| failed(error.into()))?;
        let mut child = self.supervise(supervisor).spawn().map_err(failed)?;
        let mut orders = child.stdin.take();
        if let Some(pipe) = &mut orders {
            // A supervisor that is gone has an exit code.
            let _ = pipe.write_all(&self.documents.encoded()).await;
        }
        let pipes = (child.stdout.take(), child.stderr.take());
        // What a sandbox says that can't be set up, before anything else.
        let first = Mutex::new(Vec::new());
        let mut output = |stream: Stream, chunk: &[u8]| {
            if self.runs_in == RunsIn::Sandbox {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                let room = MOST_SAID.saturating_sub(first.len());
                first.extend(chunk.iter().take(room));
            }
            output(stream, chunk);
        };
        let mut listening = std::pin::pin!(listen(pipes, &mut output));
        let deadline = tokio::time::sleep(self.timeout);
        let early = tokio::select! {
            biased;
            () = cancel.canceled() => Some(Exit::Canceled),
            () = deadline => Some(Exit::TimedOut),
            read = &mut listening => { read.map_err(failed)?; None }
        };
        if let Some(exit) = early {
            end(&mut orders, &mut listening).await;
            child.wait().await.map_err(failed)?;
            return Ok(exit);
        }
        let status = child.wait().await.map_err(failed)?;
        match (self.runs_in, u8::try_from(code(status))) {
            (RunsIn::Sandbox, Ok(OVER_MEMORY)) => Ok(Exit::PassedLimit(PassedLimit::Memory)),
            (RunsIn::Sandbox, Ok(OVER_DISK)) => Ok(Exit::PassedLimit(PassedLimit::Disk)),
            (RunsIn::Sandbox, Ok(NOT_ENTERED)) => {
                let said = String::from_utf8_lossy(&first.lock().unwrap_or_else(PoisonError::into_inner))
                    .into_owned();
                let reason = said.trim().trim_start_matches("forge: ").to_owned();
                Err(ProcessError::NotEntered { reason })
            }
            _ => Ok(Exit::Code(code(status))),
        }
    }

    /// Runs it in the terminal, with no supervisor between and for as long as it likes: it is a person's. Gives its exit
    /// code.
    ///
    /// # Errors
    /// It can't be started.
    pub async fn run_in_terminal(&self) -> Result<i32, ProcessError> {
        let failed = |error: io::Error| ProcessError::NotRun {
            program: self.program.to_string_lossy().into_owned(),
            reason: crate::files::reason(&error),
        };
        // What is typed to end the program reaches it by the terminal, and must not end forge before.
        let mut typed = tokio::signal::unix::signal(SignalKind::interrupt()).map_err(failed)?;
        let mut quit = tokio::signal::unix::signal(SignalKind::quit()).map_err(failed)?;
        let documents = self.documents.open().map_err(failed)?;
        let mut child = self.start_in_terminal(&documents).map_err(failed)?;
        drop(documents);
        loop {
            tokio::select! {
                status = child.wait() => return Ok(code(status.map_err(failed)?)),
                _ = typed.recv() => {}
                _ = quit.recv() => {}
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a person's program is started")]
    fn start_in_terminal(&self, documents: &[OwnedFd]) -> io::Result<tokio::process::Child> {
        let mut command = std::process::Command::new(&self.program);
        // Where the machine has it is nobody's business in a sandbox.
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        std::os::unix::process::CommandExt::arg0(&mut command, name);
        command
            .args(self.arguments.iter().map(|argument| with_paths(argument, documents)))
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.as_path());
        tokio::process::Command::from(command).spawn()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a supervisor is started")]
    fn supervise(&self, supervisor: &Supervisor) -> tokio::process::Command {
        let mut command = std::process::Command::new(supervisor.0.as_path());
        command
            .arg(SUPERVISE)
            .arg(match self.streams {
                Streams::Apart => APART,
                Streams::Together => TOGETHER,
            })
            .arg(match self.input {
                Input::Empty => NO_INPUT,
                Input::FirstDocument => INPUT_FIRST,
            })
            .arg(self.documents.count().to_string())
            // The supervisor goes there itself: with a folder to go to before it, the standard library forks, and copies the page
            // tables of all that forge has in memory.
            .arg(self.folder.as_path())
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: Ctrl-C in the terminal reaches forge, and forge decides what ends.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(false);
        command
    }
}

/// Asks for the end, waits a little while listening on, then closes the pipe, which ends everything.
async fn end(
    orders: &mut Option<tokio::process::ChildStdin>,
    listen: &mut (impl Future<Output = io::Result<()>> + Unpin),
) {
    if let Some(pipe) = orders.as_mut() {
        let _ = pipe.write_all(&[END_GENTLY]).await;
    }
    let has_ended = tokio::time::timeout(GRACE, &mut *listen).await.is_ok();
    orders.take();
    if !has_ended {
        let _ = tokio::time::timeout(GRACE, listen).await;
    }
}

type Pipes = (Option<tokio::process::ChildStdout>, Option<tokio::process::ChildStderr>);

async fn listen(pipes: Pipes, output: &mut (dyn FnMut(Stream, &[u8]) + Send)) -> io::Result<()> {
    let (mut out, mut err) = pipes;
    let (mut out_buffer, mut err_buffer) = (vec![0; CHUNK], vec![0; CHUNK]);
    while out.is_some() || err.is_some() {
        tokio::select! {
            biased;
            read = next(&mut err, &mut err_buffer) => deliver(read?, Stream::Error, &err_buffer, &mut err, output),
            read = next(&mut out, &mut out_buffer) => deliver(read?, Stream::Output, &out_buffer, &mut out, output),
        }
    }
    Ok(())
}

async fn next(stream: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream {
        Some(stream) => stream.read(buffer).await,
        None => std::future::pending().await,
    }
}

fn deliver<S>(
    read: usize,
    which: Stream,
    buffer: &[u8],
    stream: &mut Option<S>,
    output: &mut (dyn FnMut(Stream, &[u8]) + Send),
) {
    match buffer.get(..read) {
        Some(chunk) if !chunk.is_empty() => output(which, chunk),
        _ => *stream = None,
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(i32::from(u8::MAX))
}

fn quote_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        String::from_utf8_lossy(&shell_quoted(word.as_bytes())).into_owned()
    }
}

/// The last lines of an output, however much of it there is.
#[derive(Debug)]
pub struct Tail {
    lines: std::collections::VecDeque<String>,
    current: Vec<u8>,
    most: usize,
}

/// A line longer than this is cut: a build may print 100 MB without a newline.
const LONGEST_LINE: usize = 4096;

impl Tail {
    /// Keeps the last `most` lines.
    pub fn new(most: usize) -> Self {
        Self { lines: std::collections::VecDeque::new(), current: Vec::new(), most }
    }

    /// Takes more output; `each` is called for every line that it completes.
    pub fn push(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = LONGEST_LINE.saturating_sub(self.current.len());
            self.current.extend(text.iter().take(room));
            if ended {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.current)).into_owned();
                each(&line);
                self.keep(line);
            }
        }
    }

    fn keep(&mut self, line: String) {
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines that were kept, the unfinished last one included.
    pub fn into_lines(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.current)).into_owned();
            self.keep(line);
        }
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_last_lines_of_pieces_cut_anywhere() {
        let mut tail = Tail::new(2);
        for piece in ["one\ntw", "o\nthr", "ee\nfour"] {
            tail.push(piece.as_bytes(), |_| {});
        }
        assert_eq!(tail.into_lines(), ["three", "four"]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut tail = Tail::new(2);
        for _ in 0..1000 {
            tail.push(&[b'x'; 65536], |_| {});
        }
        assert_eq!(tail.into_lines()[0].len(), LONGEST_LINE);
    }
}
