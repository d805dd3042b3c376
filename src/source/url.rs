//! `source url`: a spec or a source package, and files beside it, by their addresses.

use std::collections::BTreeMap;
use std::path::Path;

use super::SourceError;
use super::limits::SOURCE_BYTES;
use super::lock::{LockedFile, LockedSource};
use super::remote::{RemoteError, RemoteFile, StoredFile, file_name_of, find_checksum};
use super::source_package::only_spec;
use super::tools::{Gathered, SourceTools};
use crate::digest::{Checksum, Encoder};
use crate::fetch::{Address, without_login};
use crate::files::Sharing;
use crate::store::Blob;

/// What the manifest says.
pub(super) struct UrlRequest<'a> {
    /// The package.
    pub package: &'a str,
    /// The addresses: one of them a spec or a source package.
    pub urls: &'a [String],
    /// The checksum of the first.
    pub sha256: Option<&'a str>,
}

/// A file that has come.
struct Fetched {
    name: String,
    blob: Blob,
}

/// Fetches what `source url` names.
///
/// # Errors
/// A file can't be had, or there is no spec among them.
pub(super) fn gather(
    request: &UrlRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let (files, locked) = fetch(request, tools, locked)?;
    if let [Fetched { name, blob }] = files.as_slice()
        && name.ends_with(".src.rpm")
    {
        let (folder, spec) = tools.folders.unpack_once(tools.store.folder(), &blob.path(), name)?;
        return Ok(Gathered { folder, spec, locked });
    }
    let shown = request.urls.first().map(|url| without_login(url)).unwrap_or_default();
    let specs = files.iter().filter(|file| file.name.ends_with(".spec")).map(|file| file.name.clone());
    let spec = only_spec(&shown, specs.collect())?;
    let mut encoder = Encoder::new("rpmforge fetched source v1");
    encoder.text("spec", &spec).list("files", files.iter(), |encoder, file| {
        encoder.digest_field(&file.name, &file.blob.digest);
    });
    let (folder, spec) = tools.folders.make_once(encoder.digest(), |folder| {
        for file in &files {
            tools.store.place(&file.blob, folder, Path::new(&file.name), Sharing::Nothing)?;
        }
        Ok(spec.clone())
    })?;
    Ok(Gathered { folder, spec, locked })
}

fn fetch(
    request: &UrlRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<(Vec<Fetched>, LockedSource), SourceError> {
    let (mut wanted, mut known) = (Vec::new(), Vec::new());
    for (index, url) in request.urls.iter().enumerate() {
        let name =
            file_name_of(url).ok_or_else(|| RemoteError::NoFileName { address: without_login(url) })?;
        let not_fetched = |source| RemoteError::NotFetched { file: name.clone(), source };
        let address = Address::parse(url).map_err(not_fetched)?;
        let declared = request.sha256.filter(|_| index == 0);
        let declared = declared.and_then(|sum| Checksum::new("sha256", sum).ok());
        let locked = locked.and_then(|locked| locked.files.get(&name));
        let (checksum, size, known_from) = find_checksum(&name, &address, (declared, locked), tools)?;
        wanted.push(RemoteFile { name, addresses: vec![address], checksum, size, most: SOURCE_BYTES });
        known.push(known_from);
    }
    let results = tools.fetch_files(wanted.clone());
    let (mut files, mut locked_files) = (Vec::new(), BTreeMap::new());
    for ((file, known_from), result) in wanted.into_iter().zip(known).zip(results) {
        let stored = result.map_err(|error| known_from.explain(error, request.package))?;
        let StoredFile { blob, checksum, from: _ } = stored;
        if known_from.is_nobody() {
            tools.say(format!("{} is locked as it came: {checksum}", file.name));
        }
        let url = file.addresses.first().map(ToString::to_string).unwrap_or_default();
        locked_files.insert(file.name.clone(), LockedFile { url, checksum, size: blob.size });
        files.push(Fetched { name: file.name, blob });
    }
    let kind = "url".to_owned();
    Ok((files, LockedSource { kind, files: locked_files, ..LockedSource::default() }))
}
