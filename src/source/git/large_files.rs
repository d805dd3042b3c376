//! Large files, from the server that keeps them (git-lfs, `docs/api/batch.md`).

use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::fs::File;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::address::GitAddress;
use super::connection::GitTools;
use super::error::GitError;
use super::large_file_pointer::LargeFilePointer;
use super::limits::CONFIG_BYTES;
use crate::fetch::{Address, FetchError, Question, QuestionWeight, Reply};
use crate::files::Folder;

/// Large files of a repository, kept in a folder of the cache by their checksums.
pub struct LargeFiles<'a> {
    /// Where they are kept.
    pub folder: &'a Folder,
    /// The repository.
    pub address: &'a GitAddress,
    /// What they are fetched with; nothing where nothing may be fetched.
    pub tools: Option<GitTools<'a>>,
}

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

#[derive(Serialize)]
struct BatchRequest<'a> {
    operation: &'static str,
    transfers: [&'static str; 1],
    objects: [WantedObject<'a>; 1],
    hash_algo: &'static str,
}

#[derive(Serialize)]
struct WantedObject<'a> {
    oid: &'a str,
    size: u64,
}

#[derive(Deserialize)]
struct BatchAnswer {
    objects: Vec<OfferedObject>,
}

#[derive(Deserialize)]
struct OfferedObject {
    actions: Option<Actions>,
    error: Option<ObjectError>,
}

#[derive(Deserialize)]
struct Actions {
    download: Option<DownloadAction>,
}

#[derive(Deserialize)]
struct DownloadAction {
    href: String,
    #[serde(default)]
    header: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ObjectError {
    message: String,
}

impl LargeFiles<'_> {
    /// The large file that stands behind a pointer at `path`.
    ///
    /// # Errors
    /// It can't be had, or is another one than the pointer says.
    pub fn open(&self, path: &Path, pointer: &LargeFilePointer) -> Result<File, GitError> {
        let error = |reason: String| GitError::LargeFile {
            repository: self.address.to_string(),
            path: path.display().to_string(),
            reason,
        };
        if self.folder.file_size(&pointer.id) == Some(pointer.size) {
            if self.is_whole(pointer)? {
                // That it goes too soon some day is no reason not to use it.
                let _ = self.folder.touch(&pointer.id);
                return Ok(self.folder.open_regular(&pointer.id)?);
            }
            // The disk has spoilt it: it is fetched anew.
            self.folder.remove_file(&pointer.id)?;
        }
        let Some(tools) = self.tools else {
            return Err(error("it was not fetched before, and forge is offline".to_owned()));
        };
        let GitAddress::Web(base) = self.address else {
            return Err(error("forge fetches large files over http and https only".to_owned()));
        };
        let batch = batch_address(base);
        let reply = ask(tools, batch_question(batch, pointer).map_err(error)?).map_err(error)?;
        let mut text = Vec::new();
        reply.take(CONFIG_BYTES as u64).read_to_end(&mut text).map_err(|reason| error(reason.to_string()))?;
        let action = read_answer(&text).map_err(error)?;
        self.download(tools, &action, pointer).map_err(error)?;
        Ok(self.folder.open_regular(&pointer.id)?)
    }

    /// Whether a file that is kept is still what its pointer says.
    fn is_whole(&self, pointer: &LargeFilePointer) -> io::Result<bool> {
        let mut sum = Sha256::new();
        io::copy(&mut self.folder.open_regular(&pointer.id)?, &mut sum)?;
        let found: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(found == pointer.id)
    }

    fn download(
        &self,
        tools: GitTools<'_>,
        action: &DownloadAction,
        pointer: &LargeFilePointer,
    ) -> Result<(), String> {
        let address = Address::parse(&action.href).map_err(|error| error.to_string())?;
        if address.local_path().is_some() {
            return Err("the server leads to a file of this machine".to_owned());
        }
        // Tokens for its storage; other headers have no use there.
        let authorization = action.header.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let headers = authorization.map(|(_, value)| ("authorization", value.clone())).into_iter().collect();
        let reply = ask(tools, Question { address, headers, body: None, weight: QuestionWeight::Heavy })?;
        let mut sum = Sha256::new();
        let mut checked = None;
        let written = self.folder.write_atomic_with(&pointer.id, |file| {
            let mut from = reply.take(pointer.size.saturating_add(1));
            let mut buffer = vec![0; 64 * 1024];
            let mut size = 0;
            loop {
                let read = from.read(&mut buffer)?;
                let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
                size += read as u64;
                sum.update(chunk);
                file.write_all(chunk)?;
            }
            let found: String = sum.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
            if size != pointer.size {
                checked = Some(format!("it has {size} bytes or more, and should have {}", pointer.size));
            } else if found != pointer.id {
                checked = Some(format!("its SHA-256 is {found}, and should be {}", pointer.id));
            }
            match checked {
                // What is wrong never gets its name.
                Some(_) => Err(io::ErrorKind::InvalidData.into()),
                None => Ok(()),
            }
        });
        written.map_err(|error| checked.unwrap_or_else(|| crate::files::reason(&error)))
    }
}

/// `URL.git/info/lfs/objects/batch`.
fn batch_address(base: &Address) -> Address {
    let text = base.secret_text().trim_end_matches('/');
    let text = if text.ends_with(".git") { text.to_owned() } else { format!("{text}.git") };
    Address::parse(&text).unwrap_or_else(|_| base.clone()).join("info/lfs/objects/batch")
}

fn batch_question(address: Address, pointer: &LargeFilePointer) -> Result<Question, String> {
    let request = BatchRequest {
        operation: "download",
        transfers: ["basic"],
        objects: [WantedObject { oid: &pointer.id, size: pointer.size }],
        hash_algo: "sha256",
    };
    let body = serde_json::to_vec(&request).map_err(|error| error.to_string())?;
    let headers = vec![("accept", MEDIA_TYPE.to_owned()), ("content-type", MEDIA_TYPE.to_owned())];
    Ok(Question { address, headers, body: Some(body), weight: QuestionWeight::Light })
}

fn ask(tools: GitTools<'_>, question: Question) -> Result<Reply, String> {
    let reply = tools.client.ask(question, tools.cancel).map_err(|error: FetchError| error.to_string())?;
    match reply.status {
        200 => Ok(reply),
        status => Err(format!("the server of large files answers {status}")),
    }
}

fn read_answer(text: &[u8]) -> Result<DownloadAction, String> {
    let odd = || "the server's answer makes no sense".to_owned();
    let answer: BatchAnswer = serde_json::from_slice(text).map_err(|_| odd())?;
    let object = answer.objects.into_iter().next().ok_or_else(odd)?;
    if let Some(ObjectError { message }) = object.error {
        return Err(format!("the server says: {}", super::packet::printable(&message)));
    }
    object.actions.and_then(|actions| actions.download).ok_or_else(odd)
}
