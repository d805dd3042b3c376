//! What servers of git repositories are asked: which references there are, and objects (gitprotocol-v2(5); for servers that
//! don't speak it, gitprotocol-pack(5)).

use std::io::Read;

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::connection::{Connection, GitTools};
use super::error::GitError;
use super::limits::{MOST_REFERENCES, PACK_BYTES};
use super::packet::{Message, PackReader, Packet, printable, read_packet};
use super::revision::check_reference_name;
use crate::fetch::QuestionWeight;

/// A branch, a tag or `HEAD`, as a server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitReference {
    /// Its whole name.
    pub name: String,
    /// What it stands for.
    pub id: ObjectId,
    /// What the tag is of, where it is an object of its own.
    pub peeled: Option<ObjectId>,
    /// Which other one it stands for.
    pub target: Option<String>,
}

impl GitReference {
    /// The commit that it stands for in the end.
    pub fn commit(&self) -> ObjectId {
        self.peeled.unwrap_or(self.id)
    }
}

/// How much of the history comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Only the commits themselves.
    One,
    /// All of it.
    Whole,
}

/// Which objects are wanted.
#[derive(Clone, Debug)]
pub(super) struct WantedObjects {
    /// Commits or tags.
    pub ids: Vec<ObjectId>,
    /// What is there already, with all that it stands on.
    pub known: Vec<ObjectId>,
    /// Commits that are there without those before them.
    pub shallow: Vec<ObjectId>,
    pub depth: Depth,
}

/// What a server says of the ends of history beside a pack.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ShallowChanges {
    /// Commits without those before them.
    pub added: Vec<ObjectId>,
    /// Commits whose history has come now.
    pub removed: Vec<ObjectId>,
}

/// A server of a repository.
pub(super) struct Server<'a> {
    connection: Connection<'a>,
    repository: String,
    greeting: Option<Greeting>,
}

/// What a server has said of itself.
enum Greeting {
    /// It speaks version 2, and can do this.
    Second(Vec<String>),
    /// It speaks the old protocol: what it can do, and all its references.
    First(Vec<String>, Vec<GitReference>),
}

const AGENT: &str = concat!("agent=forge/", env!("CARGO_PKG_VERSION"));

/// What git means by all of it.
const INFINITE_DEPTH: &str = "deepen 2147483647";

impl<'a> Server<'a> {
    pub fn connect(address: &GitAddress, tools: GitTools<'a>) -> Result<Self, GitError> {
        let connection = Connection::open(address, tools)?;
        Ok(Self { connection, repository: address.to_string(), greeting: None })
    }

    /// The references whose names begin with one of these.
    pub fn list(&mut self, prefixes: &[String]) -> Result<Vec<GitReference>, GitError> {
        if self.greeting.is_none() && self.connection.is_stateless() {
            // Every host of our days speaks version 2, and answers at once; whoever doesn't is asked from the beginning.
            let bold = self.list_by_command(prefixes, true);
            if matches!(bold, Ok(_) | Err(GitError::Canceled { .. } | GitError::NotReached { .. })) {
                return bold;
            }
        }
        match self.greet()? {
            Greeting::First(_, references) => {
                let wanted = |reference: &GitReference| {
                    prefixes.iter().any(|prefix| reference.name.starts_with(prefix))
                };
                Ok(references.iter().filter(|reference| wanted(reference)).cloned().collect())
            }
            Greeting::Second(can) => {
                let says_format = can.iter().any(|can| can == "object-format=sha1");
                self.list_by_command(prefixes, says_format)
            }
        }
    }

    fn list_by_command(
        &mut self,
        prefixes: &[String],
        says_format: bool,
    ) -> Result<Vec<GitReference>, GitError> {
        let mut message = Message::default();
        message.line("command=ls-refs").line(AGENT);
        if says_format {
            message.line("object-format=sha1");
        }
        message.delimiter().line("peel").line("symrefs");
        for prefix in prefixes {
            message.line(&format!("ref-prefix {prefix}"));
        }
        message.flush();
        let mut answer = self.connection.ask(message.bytes(), QuestionWeight::Light)?;
        let mut lines = Lines { from: &mut *answer, repository: &self.repository };
        let mut references = Vec::new();
        let outcome = loop {
            match lines.next() {
                Ok(Line::Text(line)) => match parse_listed(&line) {
                    Some(reference) if references.len() < MOST_REFERENCES => {
                        references.extend(Some(reference).filter(|reference| is_reference(&reference.name)));
                    }
                    Some(_) => {
                        break Err(AnswerFailure::Says("it has too many branches and tags".to_owned()));
                    }
                    None => {
                        break Err(AnswerFailure::Says(format!(
                            "its list has an odd line: {}",
                            printable(&line)
                        )));
                    }
                },
                Ok(Line::End | Line::Part) => break Ok(references),
                Err(failure) => break Err(failure),
            }
        };
        drop(answer);
        outcome.map_err(|failure| self.failed(failure))
    }

    /// Fetches objects: `take` reads the pack.
    pub fn fetch<T>(
        &mut self,
        wanted: &WantedObjects,
        take: impl FnOnce(&mut PackReader<'_>) -> Result<T, GitError>,
    ) -> Result<(T, ShallowChanges), GitError> {
        let (message, is_old) = match self.greet()? {
            Greeting::Second(can) => (second_request(wanted, can), false),
            Greeting::First(can, _) => (first_request(wanted, can), true),
        };
        let message = message.map_err(|reason| self.failed(AnswerFailure::Says(reason)))?;
        let mut answer = self.connection.ask(message, QuestionWeight::Heavy)?;
        let lines = Lines { from: &mut *answer, repository: &self.repository };
        let begun = if is_old { begin_first(lines, wanted) } else { begin_second(lines) };
        let changes = match begun {
            Ok(changes) => changes,
            Err(failure) => {
                drop(answer);
                return Err(self.failed(failure));
            }
        };
        let mut pack = PackReader::new(answer, PACK_BYTES);
        let taken = take(&mut pack)?;
        match pack.finish() {
            Ok(()) => Ok((taken, changes)),
            Err(error) => Err(self.failed(AnswerFailure::Broken(error))),
        }
    }

    /// Asks who it is, once.
    fn greet(&mut self) -> Result<&Greeting, GitError> {
        if self.greeting.is_none() {
            let mut answer = self.connection.greeting()?;
            let greeting = read_greeting(Lines { from: &mut *answer, repository: &self.repository });
            drop(answer);
            let greeting = greeting.map_err(|failure| self.failed(failure))?;
            return Ok(self.greeting.insert(greeting));
        }
        let none =
            || GitError::Server { repository: self.repository.clone(), reason: "it says nothing".to_owned() };
        self.greeting.as_ref().ok_or_else(none)
    }

    fn failed(&mut self, failure: AnswerFailure) -> GitError {
        match failure {
            AnswerFailure::Says(reason) => GitError::Server { repository: self.repository.clone(), reason },
            AnswerFailure::Broken(error) => self.connection.broken(&error),
        }
    }
}

/// Why an answer is of no use.
enum AnswerFailure {
    /// The server says no, or what it says makes no sense.
    Says(String),
    /// It broke off.
    Broken(std::io::Error),
}

/// The lines of an answer.
struct Lines<'a> {
    from: &'a mut dyn Read,
    repository: &'a str,
}

enum Line {
    Text(String),
    /// The end of a part.
    Part,
    /// The end.
    End,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Line, AnswerFailure> {
        match read_packet(self.from).map_err(AnswerFailure::Broken)? {
            // Where something must come, nothing is an error.
            None => Err(AnswerFailure::Broken(std::io::ErrorKind::UnexpectedEof.into())),
            Some(Packet::Flush | Packet::ResponseEnd) => Ok(Line::End),
            Some(Packet::Delimiter) => Ok(Line::Part),
            Some(Packet::Data(data)) => {
                let text = String::from_utf8_lossy(&data);
                let text = text.strip_suffix('\n').unwrap_or(&text);
                match text.strip_prefix("ERR ") {
                    Some(said) => Err(AnswerFailure::Says(format!("the server says: {}", printable(said)))),
                    None => Ok(Line::Text(text.to_owned())),
                }
            }
        }
    }
}

fn read_greeting(mut lines: Lines<'_>) -> Result<Greeting, AnswerFailure> {
    let mut first = lines.next()?;
    if matches!(&first, Line::Text(text) if text.starts_with("# service=")) {
        lines.next()?;
        first = lines.next()?;
    }
    match first {
        Line::Text(text) if text == "version 2" => {
            let mut can = Vec::new();
            while let Line::Text(text) = lines.next()? {
                can.push(text);
            }
            check_object_format(&can, lines.repository)?;
            Ok(Greeting::Second(can))
        }
        Line::Text(text) => {
            let text = if text == "version 1" { next_text(&mut lines)? } else { text };
            read_first_greeting(text, lines)
        }
        Line::Part | Line::End => Err(AnswerFailure::Says("it lists nothing".to_owned())),
    }
}

fn next_text(lines: &mut Lines<'_>) -> Result<String, AnswerFailure> {
    match lines.next()? {
        Line::Text(text) => Ok(text),
        Line::Part | Line::End => Err(AnswerFailure::Says("it lists nothing".to_owned())),
    }
}

fn read_first_greeting(first: String, mut lines: Lines<'_>) -> Result<Greeting, AnswerFailure> {
    let (mut line, can) = match first.split_once('\0') {
        Some((line, can)) => (line.to_owned(), can.split(' ').map(str::to_owned).collect()),
        None => (first, Vec::new()),
    };
    check_object_format(&can, lines.repository)?;
    let mut references: Vec<GitReference> = Vec::new();
    loop {
        if let Some((id, name)) = line.split_once(' ').filter(|(id, _)| *id != "shallow") {
            let id = read_id(id).ok_or_else(|| AnswerFailure::Says("its list has an odd line".to_owned()))?;
            if let Some(tag) = name.strip_suffix("^{}") {
                let last = references.last_mut().filter(|last| last.name == tag);
                last.into_iter().for_each(|last| last.peeled = Some(id));
            } else if is_reference(name) && references.len() < MOST_REFERENCES {
                references.push(GitReference { name: name.to_owned(), id, peeled: None, target: None });
            }
        }
        line = match lines.next()? {
            Line::Text(line) => line,
            Line::Part | Line::End => break,
        };
    }
    let head = can.iter().find_map(|can| can.strip_prefix("symref=HEAD:"));
    if let Some(reference) = references.iter_mut().find(|reference| reference.name == "HEAD") {
        reference.target = head.map(str::to_owned);
    }
    Ok(Greeting::First(can, references))
}

fn check_object_format(can: &[String], repository: &str) -> Result<(), AnswerFailure> {
    let format = can.iter().find_map(|can| can.strip_prefix("object-format="));
    match format.filter(|format| *format != "sha1") {
        Some(format) => {
            let format = printable(format);
            Err(AnswerFailure::Says(format!("{repository} has {format} ids, which forge can't read")))
        }
        None => Ok(()),
    }
}

/// `ID NAME[ symref-target:NAME][ peeled:ID]`.
fn parse_listed(line: &str) -> Option<GitReference> {
    let mut words = line.split(' ');
    let id = read_id(words.next()?)?;
    let name = words.next()?.to_owned();
    let mut reference = GitReference { name, id, peeled: None, target: None };
    for word in words {
        if let Some(id) = word.strip_prefix("peeled:") {
            reference.peeled = Some(read_id(id)?);
        } else if let Some(name) = word.strip_prefix("symref-target:") {
            reference.target = Some(name.to_owned()).filter(|name| is_reference(name));
        }
    }
    Some(reference)
}

/// Whether git allows such a name: a reference with another one is as good as not there.
fn is_reference(name: &str) -> bool {
    (name == "HEAD" || name.starts_with("refs/")) && check_reference_name(name).is_none()
}

fn read_id(text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(text.as_bytes()).ok().filter(|id| !id.is_null() && text.len() == 40)
}

/// A request of version 2 (gitprotocol-v2(5), "fetch").
fn second_request(wanted: &WantedObjects, can: &[String]) -> Result<Vec<u8>, String> {
    let fetch = can.iter().find(|can| *can == "fetch" || can.starts_with("fetch="));
    let fetch = fetch.ok_or("it gives nothing away: it can't `fetch`")?;
    let can_be_shallow = fetch.split(['=', ' ']).any(|word| word == "shallow");
    let mut message = Message::default();
    message.line("command=fetch").line(AGENT);
    if can.iter().any(|can| can == "object-format=sha1") {
        message.line("object-format=sha1");
    }
    message.delimiter().line("ofs-delta").line("no-progress");
    add_depth(&mut message, wanted, can_be_shallow);
    add_ids(&mut message, "want", &wanted.ids);
    add_ids(&mut message, "have", &wanted.known);
    message.line("done").flush();
    Ok(message.bytes())
}

/// A request of the old protocol, all at once.
fn first_request(wanted: &WantedObjects, can: &[String]) -> Result<Vec<u8>, String> {
    let has = |name: &str| can.iter().any(|can| can == name);
    if !has("side-band-64k") {
        return Err("it speaks a protocol that is too old: it has no `side-band-64k`".to_owned());
    }
    let mut message = Message::default();
    let options: Vec<&str> = ["ofs-delta", "side-band-64k", "no-progress", AGENT]
        .into_iter()
        .filter(|option| *option == AGENT || has(option))
        .collect();
    for (index, id) in wanted.ids.iter().enumerate() {
        match index {
            0 => message.line(&format!("want {id} {}", options.join(" "))),
            _ => message.line(&format!("want {id}")),
        };
    }
    add_depth(&mut message, wanted, has("shallow"));
    message.flush();
    add_ids(&mut message, "have", &wanted.known);
    message.line("done");
    Ok(message.bytes())
}

/// Says what is there without its history, and how much of it is wanted; to a server that knows of such things.
fn add_depth(message: &mut Message, wanted: &WantedObjects, can_be_shallow: bool) {
    if !can_be_shallow {
        return;
    }
    add_ids(message, "shallow", &wanted.shallow);
    match wanted.depth {
        Depth::One => drop(message.line("deepen 1")),
        Depth::Whole if wanted.shallow.is_empty() => {}
        Depth::Whole => drop(message.line(INFINITE_DEPTH)),
    }
}

fn add_ids(message: &mut Message, word: &str, ids: &[ObjectId]) {
    for id in ids {
        message.line(&format!("{word} {id}"));
    }
}

/// Reads an answer of version 2 up to its pack.
fn begin_second(mut lines: Lines<'_>) -> Result<ShallowChanges, AnswerFailure> {
    let mut changes = ShallowChanges::default();
    loop {
        match lines.next()? {
            Line::Text(text) if text == "packfile" => return Ok(changes),
            Line::Text(text) => changes.read(&text),
            Line::Part => {}
            Line::End => return Err(AnswerFailure::Says("it sends no objects".to_owned())),
        }
    }
}

/// Reads an answer of the old protocol up to its pack: a part about shallow commits where these were asked for, then one
/// line about what both have.
fn begin_first(mut lines: Lines<'_>, wanted: &WantedObjects) -> Result<ShallowChanges, AnswerFailure> {
    let mut changes = ShallowChanges::default();
    let asked_depth = wanted.depth == Depth::One || !wanted.shallow.is_empty();
    let mut may_have_part = asked_depth;
    loop {
        match lines.next()? {
            Line::Text(text) if text == "NAK" || text.starts_with("ACK ") => return Ok(changes),
            Line::Text(text) => changes.read(&text),
            Line::End if may_have_part => may_have_part = false,
            Line::Part | Line::End => return Err(AnswerFailure::Says("it sends no objects".to_owned())),
        }
    }
}

impl ShallowChanges {
    fn read(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("shallow", id)) => self.added.extend(read_id(id)),
            Some(("unshallow", id)) => self.removed.extend(read_id(id)),
            _ => {}
        }
    }
}
