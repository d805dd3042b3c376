//! `forge attest`

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::Exit;
use super::attest_arguments::{Attest, AttestCommand, AttestForm};
use super::context::{CliError, Context, Failure};
use super::earlier_build::RecordedBuild;
use super::project::{Project, store};
use super::sign::signer_of;
use super::signing_files::split_file;
use super::verify_signatures::known_keys;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::event::{Clock, SystemClock, Timestamp};
use crate::files::Folder;
use crate::package::signing::{Certificate, Verdict, Verified, verify_package};
use crate::package::{PackageRecord, read_headers_of};
use crate::publish::provenance::{
    AttestationError, AttestedBuild, AttestedPackage, Envelope, cyclonedx_document, provenance_statement,
    spdx_document,
};
use crate::ui::plain_text;

/// How the file of a signed statement ends that stands beside a package.
const STATEMENT: &str = ".intoto.json";

/// Says where packages come from, or checks what was said.
pub fn run(arguments: &Attest, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        AttestCommand::Show { build, form } => show(*build, *form, context),
        AttestCommand::Write { builds, to, signer } => {
            let signer = signer_of(signer, context)?;
            let folder = Folder::create_ambient(&context.named(to)?).map_err(CliError::Io)?;
            for number in builds {
                let (build, packages) = read(*number, context)?;
                let statements: Vec<_> =
                    packages.iter().map(|package| provenance_statement(&build, package)).collect();
                let envelopes = Envelope::sign_all(&statements, &signer, SystemClock.now())?;
                for (package, envelope) in packages.iter().zip(envelopes) {
                    let file = &package.file;
                    let documents = [
                        (STATEMENT, envelope.encode()),
                        (".spdx.json", spdx_document(&build, package).to_string().into_bytes()),
                        (".cdx.json", cyclonedx_document(&build, package).to_string().into_bytes()),
                    ];
                    for (ending, bytes) in documents {
                        folder.write_atomic(format!("{file}{ending}"), &bytes).map_err(CliError::Io)?;
                    }
                    context.print(&plain_text(&format!(
                        "{}\n",
                        to.join(format!("{file}{STATEMENT}")).display()
                    )))?;
                }
            }
            Ok(Exit::Success)
        }
        AttestCommand::Verify { packages, from, key } => {
            let now = SystemClock.now();
            let certificates = known_keys(key, context)?;
            let mut is_good = true;
            for package in packages {
                let wrong = wrong_with(package, from.as_deref(), (&certificates, now), context)?;
                is_good &= wrong.is_empty();
                let verdict = if wrong.is_empty() { "good" } else { "WRONG" };
                let said = if wrong.is_empty() { String::new() } else { format!(": {}", wrong.join("; ")) };
                context.print(&plain_text(&format!("{verdict:<5}  {}{said}\n", package.display())))?;
            }
            Ok(if is_good { Exit::Success } else { Exit::Failure })
        }
    }
}

fn show(number: u64, form: AttestForm, context: &Context) -> Result<Exit, Failure> {
    let (build, packages) = read(number, context)?;
    for package in &packages {
        let document = match form {
            AttestForm::Provenance => provenance_statement(&build, package),
            AttestForm::Spdx => spdx_document(&build, package),
            AttestForm::Cyclonedx => cyclonedx_document(&build, package),
        };
        context.print(&format!("{document}\n"))?;
    }
    Ok(Exit::Success)
}

/// A build that ended well, and its packages as they lie in its result folder.
fn read(number: u64, context: &Context) -> Result<(AttestedBuild, Vec<AttestedPackage>), Failure> {
    let project = Project::find(context)?;
    let unknown = |reason: &str| AttestationError::Unknown { number, reason: reason.to_owned() };
    let recorded = RecordedBuild::find(&project, number)?.map_err(unknown)?;
    let store = store(context)?;
    let mut packages = Vec::new();
    for made in &recorded.record.packages {
        let changed = || AttestationError::ChangedPackage { number, file: made.file.clone() };
        let bytes = recorded.folder.read(&made.file).map_err(|_| changed())?;
        if Checksum::compute(ChecksumAlgorithm::Sha256, &bytes).hex() != made.sha256 {
            return Err(changed().into());
        }
        let headers = read_headers_of(&made.file, &mut bytes.as_slice())?;
        packages.push(AttestedPackage {
            file: made.file.clone(),
            sha256: made.sha256.clone(),
            header_sha256: header_digest(&headers.header_bytes),
            record: PackageRecord::read(&made.file, &headers)?,
        });
    }
    let build = AttestedBuild::new(recorded.record, recorded.inputs, recorded.root.as_ref(), &store);
    Ok((build, packages))
}

fn header_digest(header: &[u8]) -> String {
    Checksum::compute(ChecksumAlgorithm::Sha256, header).hex().to_owned()
}

/// What is wrong with the statement of a package, in words; nothing where it holds.
fn wrong_with(
    path: &Path,
    from: Option<&Path>,
    (certificates, now): (&[Certificate], Timestamp),
    context: &Context,
) -> Result<Vec<String>, Failure> {
    let (folder, name) = split_file(path, context)?;
    let mut statement_name = name.clone().into_os_string();
    statement_name.push(STATEMENT);
    let statement_name = PathBuf::from(statement_name);
    let statements = match from {
        Some(from) => Folder::open_ambient(&context.named(from)?).map_err(CliError::Io)?,
        None => folder.again().map_err(CliError::Io)?,
    };
    let shown = statement_name.to_string_lossy().into_owned();
    let bytes = match statements.read(&statement_name) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(vec![format!("there is no {shown}")]);
        }
        Err(error) => return Err(CliError::Io(error).into()),
    };
    let opened = Envelope::read(&shown, &bytes).and_then(|envelope| {
        let opened = envelope.open(&shown, certificates, now)?;
        Ok((opened, envelope.is_written_as(&bytes)))
    });
    let ((statement, signatures), is_as_written) = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let mut wrong = Vec::new();
    // What no signature covers, such as the names of keys.
    if !is_as_written {
        wrong.push(format!("{shown} is not written as it was"));
    }
    let is_vouched_for = signatures.iter().any(|signature| signature.verdict == Verdict::Good);
    for signature in &signatures {
        let key = &signature.key;
        match (&signature.verdict, &signature.problem) {
            (Verdict::Good, _) => {}
            // Somebody else may have signed it too.
            (Verdict::Unknown, _) if is_vouched_for => {}
            (Verdict::Unknown, _) => wrong.push(format!("it is signed by {key}, which is not known")),
            (Verdict::Bad, problem) => {
                let problem = problem.as_deref().unwrap_or_default();
                wrong.push(format!("the signature by {key} is wrong: {problem}"));
            }
        }
    }
    if signatures.is_empty() {
        wrong.push(format!("{shown} is not signed"));
    }
    let digests = statement.pointer("/subject/0/digest");
    let said = |algorithm: &str| digests.and_then(|digests| digests.get(algorithm)?.as_str());
    let content = folder.read(&name).map_err(CliError::Io)?;
    let is_same = said("sha256") == Some(Checksum::compute(ChecksumAlgorithm::Sha256, &content).hex());
    if !is_same && !is_same_but_signed(path, &content, said("rpmHeaderSha256")) {
        wrong.push("it is not the package that the statement is of".to_owned());
    }
    Ok(wrong)
}

/// Whether a package is the one whose header has this digest, with other signatures: they stand before the header, which has the digest of all that
/// follows.
fn is_same_but_signed(path: &Path, content: &[u8], header: Option<&str>) -> bool {
    let shown = path.to_string_lossy();
    let Ok(headers) = read_headers_of(&shown, &mut BufReader::new(content)) else { return false };
    let is_its_header = header == Some(header_digest(&headers.header_bytes).as_str());
    // Whether anybody is known who has signed it is asked elsewhere.
    is_its_header
        && verify_package(&shown, || Ok(content), &[], SystemClock.now())
            .is_ok_and(|Verified { damage, .. }| damage.is_empty())
}
