//! `forge verify-signatures`

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::document::print_document;
use super::signing_arguments::VerifySignatures;
use super::signing_files::{read_named, split_file};
use crate::event::{Clock, SystemClock, Timestamp};
use crate::files::Folder;
use crate::package::signing::{Certificate, SigningError, Verdict, Verified, verify_package};
use crate::publish::{VerifiedFile, verify_file, verify_repository};
use crate::ui::plain_text;

/// What `forge verify-signatures --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerificationDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// Whether all is as it was signed, by keys that are known.
    good: bool,
    /// Each file.
    files: Vec<VerifiedFile>,
}

/// Says of files by whom they are signed, and what is wrong.
pub fn run(arguments: &VerifySignatures, context: &Context) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    let certificates = known_keys(&arguments.key, context)?;
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.extend(verify(path, &certificates, now, context)?);
    }
    let good = !files.is_empty() && files.iter().all(VerifiedFile::is_good);
    if arguments.json {
        print_document(&VerificationDocument { version: 1, good, files }, context)?;
    } else {
        let text: String = files.iter().map(lines).collect();
        context.print(&plain_text(&text))?;
        if files.is_empty() {
            context.tell("there is no package and no metadata there\n");
        }
    }
    Ok(if good { Exit::Success } else { Exit::Failure })
}

/// The public keys that count: those of the files that are named, else those of `forge keys`.
pub fn known_keys(files: &[PathBuf], context: &Context) -> Result<Vec<Certificate>, Failure> {
    let mut known = Vec::new();
    for path in files {
        let error = |reason| SigningError::Key { place: path.to_string_lossy().into_owned(), reason };
        known.extend(Certificate::read_all(&read_named(path, context)?).map_err(error)?);
    }
    if files.is_empty() {
        let folder = context.key_folder()?;
        for name in folder.names().map_err(CliError::Io)? {
            known.extend(folder.certificates(&name)?);
        }
    }
    Ok(known)
}

fn verify(
    path: &Path,
    certificates: &[Certificate],
    now: Timestamp,
    context: &Context,
) -> Result<Vec<VerifiedFile>, Failure> {
    let full = context.named(path)?;
    if let Ok(folder) = Folder::open_ambient(&full) {
        let below = |file: VerifiedFile| {
            let path = path.join(&file.path).to_string_lossy().into_owned();
            VerifiedFile { path, ..file }
        };
        let found = verify_repository(&folder, certificates, now).map_err(CliError::Io)?;
        return Ok(found.into_iter().map(below).collect());
    }
    let (folder, name) = split_file(path, context)?;
    let shown = path.to_string_lossy().into_owned();
    let verified = match path.extension().is_some_and(|ending| ending == "rpm") {
        true => {
            folder.open_regular(&name).map_err(CliError::Io)?;
            let checked = verify_package(&shown, || folder.open_regular(&name), certificates, now);
            checked.unwrap_or_else(|error| Verified::damaged(error.to_string()))
        }
        false => {
            let content = folder.read(&name).map_err(CliError::Io)?;
            let mut beside = name.into_os_string();
            beside.push(".asc");
            let beside = PathBuf::from(beside);
            match folder.exists(&beside) {
                false => Verified::default(),
                true => {
                    let signatures = folder.read(&beside).map_err(CliError::Io)?;
                    verify_file(&content, &signatures, certificates, now)
                }
            }
        }
    };
    Ok(vec![VerifiedFile { path: shown, verified, is_signed_itself: true, is_unlisted: false }])
}

/// A file with what was found of it.
fn lines(file: &VerifiedFile) -> String {
    let VerifiedFile { path, verified, is_signed_itself, is_unlisted } = file;
    let mut said: Vec<String> = Vec::new();
    for signature in &verified.signatures {
        let user = signature.user.as_ref().map(|user| format!(" ({user})")).unwrap_or_default();
        let key = &signature.key;
        said.push(match (&signature.verdict, &signature.problem) {
            (Verdict::Good, _) => format!("signed by {key}{user}"),
            (Verdict::Unknown, _) => format!("signed by {key}, which is not known"),
            (Verdict::Bad, problem) => {
                format!("signature by {key}{user} is wrong: {}", problem.as_deref().unwrap_or_default())
            }
        });
    }
    if *is_signed_itself && verified.signatures.is_empty() && verified.damage.is_empty() {
        said.push("not signed".to_owned());
    }
    said.extend(verified.damage.iter().cloned());
    if *is_unlisted {
        said.push("the metadata don't name it".to_owned());
    }
    let verdict = match (file.is_good(), is_unlisted) {
        (true, false) => "good",
        (true, true) => "old",
        (false, _) => "WRONG",
    };
    match said.as_slice() {
        [] => format!("{verdict:<5}  {path}\n"),
        said => format!("{verdict:<5}  {path}: {}\n", said.join("; ")),
    }
}
