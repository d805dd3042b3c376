//! What sources from elsewhere cost: `cargo bench --bench sources`, or one part of it, `-- files`, `-- memory`, `-- news`.
//!
//! A server of this process gives files, and answers as git servers do. Many files are fetched in turns with `aria2c`, as many at
//! once as forge takes from one machine, so that what else the machine does falls on both alike; without it only forge is measured.
//! What is shown is the middle one of all rounds, and the best. Nothing is removed between rounds: that takes longer than what is
//! measured.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How many files there are, of how many bytes, and over how many specs they are spread.
const FILES: usize = 500;
const FILE_BYTES: usize = 1_000_000;
const SPECS: usize = 10;

/// How large the one large file is.
const LARGE_BYTES: u64 = 4 << 30;

/// How many repositories there are.
const REPOSITORIES: usize = 1000;

const ROUNDS: usize = 5;

/// A server that keeps its connections open, and its port.
struct Server {
    port: u16,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().unwrap().port();
        let block = Arc::new((0..FILE_BYTES / 8).flat_map(noise).collect::<Vec<u8>>());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let block = Arc::clone(&block);
                // Whoever has enough hangs up.
                thread::spawn(move || drop(serve(stream, &block)));
            }
        });
        Self { port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

/// What can't be made smaller.
fn noise(at: usize) -> [u8; 8] {
    (at as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).to_le_bytes()
}

fn serve(stream: TcpStream, block: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if lines.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            lines.read_line(&mut line)?;
            let line = line.trim().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        lines.by_ref().take(length).read_to_end(&mut Vec::new())?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        if path.ends_with("/git-upload-pack") {
            answer_git(&mut out)?;
        } else if path.ends_with("/large") {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE_BYTES}\r\n\r\n");
            out.write_all(head.as_bytes())?;
            let mut left = LARGE_BYTES;
            while left > 0 {
                let part = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                out.write_all(&block[..part])?;
                left -= part as u64;
            }
        } else {
            // Each file is another one.
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {FILE_BYTES}\r\n\r\n{path:<64}");
            out.write_all(head.as_bytes())?;
            out.write_all(&block[..FILE_BYTES - 64])?;
        }
    }
}

/// One branch, as version 2 of the protocol lists it.
fn answer_git(out: &mut impl Write) -> std::io::Result<()> {
    let id = "0123456789".repeat(4);
    let lines = [format!("{id} HEAD symref-target:refs/heads/main\n"), format!("{id} refs/heads/main\n")];
    let packets = lines.map(|line| format!("{:04x}{line}", line.len() + 4)).concat() + "0000";
    let length = packets.len();
    let kind = "Content-Type: application/x-git-upload-pack-result";
    write!(out, "HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{packets}")
}

/// A project, and a home with nothing in it.
struct Project(tempfile::TempDir);

impl Project {
    fn new(manifest: &str) -> Self {
        let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let text = format!("rpmforge version=1\nchroot host {{ root \"/\" }}\n{manifest}");
        fs::write(temp.path().join("Rpmforge.kdl"), text).unwrap();
        Self(temp)
    }

    /// Writes a spec whose sources have these addresses.
    fn spec(&self, name: &str, urls: impl Iterator<Item = String>) {
        let sources: String = urls.enumerate().map(|(at, url)| format!("Source{at}: {url}\n")).collect();
        let text = format!(
            "Name: {name}\nVersion: 1\nRelease: 1\nSummary: Files\nLicense: MIT\nBuildArch: noarch\n{sources}\
             %description\nFiles.\n%files\n"
        );
        fs::write(self.0.path().join(format!("{name}.spec")), text).unwrap();
    }

    fn forge(&self, command: &str) -> Command {
        let mut forge = Command::new(env!("CARGO_BIN_EXE_forge"));
        forge.arg(command).current_dir(self.0.path()).env_clear().stdout(Stdio::null()).stderr(Stdio::null());
        forge.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.0.path().join("home"));
        forge.env("XDG_CACHE_HOME", self.0.path().join("cache"));
        forge
    }
}

/// How long several rounds took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let made = work();
        self.0.push(begun.elapsed());
        self.0.sort();
        made
    }

    fn middle(&self) -> f64 {
        self.0[self.0.len() / 2].as_secs_f64()
    }

    fn show(&self, what: &str, bound: &str) {
        println!("{what:<52} {:>8.2} s {:>8.2} s   {bound}", self.middle(), self.0[0].as_secs_f64());
    }
}

fn count_files(folder: &Path) -> usize {
    fs::read_dir(folder).into_iter().flatten().count()
}

/// Many files, beside what `aria2c` takes for them.
fn measure_files(server: &Server) {
    let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let urls = |round: usize| {
        (0..FILES).map(move |file| format!("{round}/{file}.tar")).map(|path| server.url(&path))
    };
    let (mut forge, mut other, mut kept) = (Times::default(), Times::default(), Vec::new());
    let has_other = Command::new("aria2c").arg("--version").stdout(Stdio::null()).status().is_ok();
    for round in 0..ROUNDS {
        let project = Project::new("packages \"*.spec\"\n");
        for spec in 0..SPECS {
            project.spec(&format!("files{spec}"), urls(round).skip(spec * FILES / SPECS).take(FILES / SPECS));
        }
        let status = forge.measure(|| project.forge("fetch").status().unwrap());
        assert!(status.success(), "forge fetch");
        let lock = fs::read_to_string(project.0.path().join("Rpmforge.lock")).unwrap();
        assert_eq!(lock.matches("sha256:").count(), FILES);
        kept.push(project);
        if !has_other {
            continue;
        }
        let (list, folder) = (temp.path().join("list"), temp.path().join(round.to_string()));
        fs::write(&list, urls(round).map(|url| url + "\n").collect::<String>()).unwrap();
        let mut aria2c = Command::new("aria2c");
        aria2c.arg("-j5").arg("-i").arg(&list).arg("-d").arg(&folder).stdout(Stdio::null());
        assert!(other.measure(|| aria2c.status().unwrap()).success(), "aria2c");
        assert_eq!(count_files(&folder), FILES);
    }
    if has_other {
        other.show("500 files of 1 MB: aria2c -j5", "");
        let beside = format!("{:.2} × aria2c, must be ≤ 1.3", forge.middle() / other.middle());
        forge.show("500 files of 1 MB: forge fetch", &beside);
    } else {
        forge.show("500 files of 1 MB: forge fetch", "aria2c is not there");
    }
}

/// The most memory that `forge fetch` of one file has had, in MiB.
fn peak_of(url: String, times: &mut Times) -> u64 {
    let project = Project::new("package one { source path \"one.spec\" }\n");
    project.spec("one", std::iter::once(url));
    let mut peak = 0;
    let status = times.measure(|| {
        let mut child = project.forge("fetch").spawn().unwrap();
        loop {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
            peak = peak.max(kilobytes.unwrap_or(0));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(status.success(), "forge fetch");
    peak / 1024
}

/// Memory, of a file of 1 MB and of one of 4 GB.
fn measure_memory(server: &Server) {
    let (mut small, mut large) = (Times::default(), Times::default());
    let few = peak_of(server.url("0/small.tar"), &mut small);
    let much = peak_of(server.url("0/large"), &mut large);
    small.show("1 file of 1 MB: forge fetch", &format!("{few} MiB of memory at most"));
    large.show(
        "1 file of 4 GB: forge fetch",
        &format!("{much} MiB of memory at most, must be about the same"),
    );
}

/// Whether there is anything new at many repositories.
fn measure_news(server: &Server) {
    let package =
        |at: usize| format!("package p{at} {{ source git \"{}\" }}\n", server.url(&format!("r{at}.git")));
    let project = Project::new(&(0..REPOSITORIES).map(package).collect::<String>());
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let output = times
            .measure(|| project.forge("outdated").arg("--json").stdout(Stdio::piped()).output().unwrap());
        // Nothing is locked of them: each has something new.
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches("\"0123456789012345678901234567890123456789\"").count(), REPOSITORIES);
    }
    times.show("1,000 repositories of git: forge outdated", "must be < 5 s");
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned();
    println!("load: {}\n{:<52} {:>10} {:>10}", load(), "", "middle", "best");
    let server = Server::start();
    if is_asked("files") {
        measure_files(&server);
    }
    if is_asked("news") {
        measure_news(&server);
    }
    if is_asked("memory") {
        measure_memory(&server);
    }
    println!("load: {}", load());
}
