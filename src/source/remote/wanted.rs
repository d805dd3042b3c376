//! The files that specs name by URL.

use std::collections::HashSet;
use std::path::Path;

use globset::GlobBuilder;

use super::beside::{BesideChecksum, ChecksumsBeside};
use super::error::RemoteError;
use super::md5_check::check_md5;
use super::signatures::{SignatureCheck, SignedSource};
use super::store_file::{RemoteFile, StoredFile};
use crate::chroot::making::LockRule;
use crate::digest::Checksum;
use crate::engine::SourceReference;
use crate::fetch::{Address, FetchError, without_login};
use crate::files::Folder;
use crate::manifest::declaration::FilePlace;
use crate::manifest::{Package, PackageId};
use crate::source::limits::SOURCE_BYTES;
use crate::source::lock::{LockedFile, LockedSource, is_file_name};
use crate::source::tools::SourceTools;
use crate::source::{InputFile, Origin, SourceError};
use crate::text::{Located, Place};

/// A file of a spec that was wanted.
#[derive(Debug)]
pub struct FetchedSource {
    /// The package.
    pub package: PackageId,
    /// The name that builds know it by.
    pub name: String,
    /// What became of it.
    pub result: Result<RemoteSource, Located<SourceError>>,
}

/// A file of a spec that is in the store.
#[derive(Clone, Debug)]
pub struct RemoteSource {
    /// As builds take it.
    pub file: InputFile,
    /// What is to be locked of it.
    pub locked: LockedFile,
}

/// A file of a spec that is to be fetched.
struct WantedSource {
    package: PackageId,
    package_name: String,
    name: String,
    place: Place,
    file: RemoteFile,
    known_from: KnownFrom,
    /// Its MD5, where nothing better is known.
    md5: Option<String>,
}

/// Who says what a file must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) enum KnownFrom {
    /// The manifest, or a file beside the spec.
    Declaration,
    /// `Rpmforge.lock`.
    Lock,
    /// Nobody yet.
    Nobody,
}

/// What a package's spec names.
pub struct NamedSources<'a> {
    /// The package.
    pub id: PackageId,
    /// What the manifest says of it.
    pub package: &'a Package,
    /// Its spec.
    pub origin: &'a Origin,
    /// What that names.
    pub references: &'a [SourceReference],
    /// What is locked of it.
    pub locked: Option<&'a LockedSource>,
}

/// Brings the files that specs name by URL, and that do not lie beside them, into the store. What is signed is checked, wherever
/// file, signature and keys lie: paths of the manifest begin in `repository`.
pub fn fetch_remote_sources(
    named: &[NamedSources<'_>],
    repository: &Folder,
    tools: &SourceTools<'_>,
) -> Vec<FetchedSource> {
    let (mut found, mut wanted, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for sources in named {
        for (name, outcome) in sources.list_wanted(tools) {
            // Its builds in several chroots name the same files.
            if !known.insert((sources.id, name.clone())) {
                continue;
            }
            match outcome {
                Ok(one) => wanted.push(one),
                Err(error) => {
                    found.push(FetchedSource { package: sources.id, name, result: Err(error) });
                }
            }
        }
    }
    let results = tools.fetch_files(wanted.iter().map(|one: &WantedSource| one.file.clone()).collect());
    let mut came = Vec::new();
    for (one, result) in wanted.into_iter().zip(results) {
        let result = result.map_err(|error| one.known_from.explain(error, &one.package_name));
        let checked = result.and_then(|stored| one.check_md5(&stored, tools).map(|()| stored));
        match checked.map_err(|error| Located::new(error, "for this package", one.place.clone())) {
            Ok(stored) => came.push((one, stored)),
            Err(error) => {
                found.push(FetchedSource { package: one.package, name: one.name, result: Err(error) });
            }
        }
    }
    let mut wrong = find_wrong_signatures(named, (&came, &found), repository, tools);
    for (one, stored) in came {
        let at = wrong.iter().position(|wrong| wrong.package == one.package && wrong.name == one.name);
        match at.map(|at| wrong.swap_remove(at)) {
            Some(wrong) => found.push(wrong),
            None => {
                let result = Ok(one.take(stored, tools));
                found.push(FetchedSource { package: one.package, name: one.name, result });
            }
        }
    }
    // Files that lie beside the spec.
    found.extend(wrong);
    found
}

/// The files that are not signed as they should be, each once.
fn find_wrong_signatures(
    named: &[NamedSources<'_>],
    (came, failed): (&[(WantedSource, StoredFile)], &[FetchedSource]),
    repository: &Folder,
    tools: &SourceTools<'_>,
) -> Vec<FetchedSource> {
    let (mut wrong, mut known) = (Vec::new(), HashSet::new());
    for sources in named {
        let fetched = came.iter().filter(|(one, _)| one.package == sources.id);
        let check = SignatureCheck {
            package: sources.package,
            origin: sources.origin,
            references: sources.references,
            fetched: fetched.map(|(one, stored)| one.input_file(stored, tools)).collect(),
            missing: failed
                .iter()
                .filter(|one| one.package == sources.id)
                .map(|one| one.name.as_str())
                .collect(),
            repository,
            tools,
        };
        for SignedSource { name, error } in check.find_wrong() {
            if known.insert((sources.id, name.clone())) {
                wrong.push(FetchedSource { package: sources.id, name, result: Err(error) });
            }
        }
    }
    wrong
}

impl NamedSources<'_> {
    /// The files that are to be fetched, by name.
    fn list_wanted(
        &self,
        tools: &SourceTools<'_>,
    ) -> Vec<(String, Result<WantedSource, Located<SourceError>>)> {
        let (mut beside, mut checksums) = (None, None);
        let mut wanted = Vec::new();
        for reference in self.references {
            let declared = self.package.source.files.iter().find(|file| match &file.place {
                FilePlace::Url(url) => file_name_of(url).as_deref() == Some(&reference.file_name),
                FilePlace::Path(path) => is_named_by(path.value.as_path(), &reference.file_name),
            });
            let url = match declared.map(|file| &file.place) {
                Some(FilePlace::Url(url)) => url.value.clone(),
                Some(FilePlace::Path(_)) => continue,
                // A spec is a stranger's: it has no say in which files of this machine are read.
                None if !is_elsewhere(&reference.reference) => continue,
                None => {
                    let folder = beside.get_or_insert_with(|| Folder::open_ambient(&self.origin.root).ok());
                    let path = self.origin.folder.join(&reference.file_name);
                    if folder.as_ref().is_some_and(|folder| folder.exists(&path)) {
                        continue;
                    }
                    reference.reference.clone()
                }
            };
            let place = match declared.map(|file| &file.place) {
                Some(FilePlace::Url(url)) => url.place.clone(),
                Some(FilePlace::Path(_)) | None => self.package.source.place.clone(),
            };
            let sha256 = declared.and_then(|file| file.sha256.as_ref());
            let checksum = sha256.and_then(|sum| Checksum::new("sha256", &sum.value).ok());
            let said = match checksum {
                Some(checksum) => Some(BesideChecksum::Strong(checksum)),
                None => match checksums.get_or_insert_with(|| self.read_checksums()) {
                    Ok(checksums) => checksums.find(&reference.file_name).cloned(),
                    Err(line) => {
                        let error = Located::new(self.sources_line(*line), "for this package", place);
                        wanted.push((reference.file_name.clone(), Err(error)));
                        continue;
                    }
                },
            };
            let (checksum, md5) = match said {
                Some(BesideChecksum::Strong(checksum)) => (Some(checksum), None),
                Some(BesideChecksum::Md5(md5)) => (None, Some(md5)),
                None => (None, None),
            };
            let one = self.want(&reference.file_name, &url, (checksum, &place), tools);
            let one = one.map(|one| WantedSource { md5, ..one });
            let one = one.map_err(|error| Located::new(error, "for this package", place));
            wanted.push((reference.file_name.clone(), one));
        }
        wanted
    }

    /// What lies beside the spec says of its files.
    fn read_checksums(&self) -> Result<ChecksumsBeside, usize> {
        let root = Folder::open_ambient(&self.origin.root);
        root.map_or_else(
            |_| Ok(ChecksumsBeside::default()),
            |root| ChecksumsBeside::read(&root, &self.origin.folder),
        )
    }

    /// That a line of the file `sources` beside the spec makes no sense.
    fn sources_line(&self, line: usize) -> SourceError {
        let file = self.origin.folder.join("sources").display().to_string();
        RemoteError::SourcesLine { file, line }.into()
    }

    fn want(
        &self,
        name: &str,
        url: &str,
        (checksum, place): (Option<Checksum>, &Place),
        tools: &SourceTools<'_>,
    ) -> Result<WantedSource, SourceError> {
        if !is_file_name(name) {
            return Err(RemoteError::NoFileName { address: without_login(url) }.into());
        }
        let not_fetched = |source| RemoteError::NotFetched { file: name.to_owned(), source };
        let address = Address::parse(url).map_err(not_fetched)?;
        let locked = self.locked.and_then(|locked| locked.files.get(name));
        let (checksum, size, known_from) = find_checksum(name, &address, (checksum, locked), tools)?;
        let (name_of_file, addresses) = (name.to_owned(), vec![address]);
        let file = RemoteFile { name: name_of_file, addresses, checksum, size, most: SOURCE_BYTES };
        Ok(WantedSource {
            package: self.id,
            package_name: self.package.name.value.clone(),
            name: name.to_owned(),
            place: place.clone(),
            file,
            known_from,
            md5: None,
        })
    }
}

/// What a file must be: what is declared of it, or what the lock says of the same address.
pub(in crate::source) fn find_checksum(
    name: &str,
    address: &Address,
    (declared, locked): (Option<Checksum>, Option<&LockedFile>),
    tools: &SourceTools<'_>,
) -> Result<(Option<Checksum>, Option<u64>, KnownFrom), RemoteError> {
    if let Some(declared) = declared {
        return Ok((Some(declared), None, KnownFrom::Declaration));
    }
    match (locked.filter(|locked| locked.url == address.to_string()), tools.rule) {
        (Some(locked), _) => Ok((Some(locked.checksum.clone()), Some(locked.size), KnownFrom::Lock)),
        (None, LockRule::MayChange) => Ok((None, None, KnownFrom::Nobody)),
        (None, LockRule::Frozen) => Err(RemoteError::NotLocked { file: name.to_owned() }),
    }
}

/// Whether a spec names a file of another machine.
fn is_elsewhere(reference: &str) -> bool {
    reference.contains("://")
        && Address::parse(reference).map_or(true, |address| address.local_path().is_none())
}

/// Whether a path, or a pattern of paths, can be that of a file of this name. That there is none is said where files are looked for.
fn is_named_by(pattern: &Path, name: &str) -> bool {
    let last = pattern.file_name().unwrap_or_default().to_string_lossy();
    let glob = GlobBuilder::new(&last).build();
    last == name || glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// The name of the file that a URL stands for: what a fragment of the form `#/NAME` says, or the end of its path.
pub(in crate::source) fn file_name_of(url: &str) -> Option<String> {
    let (path, fragment) = url.split_once('#').unwrap_or((url, ""));
    let fragment = fragment.rsplit('/').next().filter(|name| !name.is_empty());
    let path = path.split('?').next().unwrap_or(path);
    let path = path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    let name = fragment.or_else(|| path?.rsplit('/').next())?;
    Some(name.to_owned()).filter(|name| is_file_name(name))
}

impl KnownFrom {
    /// Whether whatever comes is taken.
    pub(in crate::source) fn is_nobody(&self) -> bool {
        *self == Self::Nobody
    }

    /// An error in the words of what it means where the lock says what a file must be.
    pub(in crate::source) fn explain(&self, error: SourceError, package: &str) -> SourceError {
        match error {
            SourceError::Remote(error) => self.explain_file(*error, package).into(),
            other => other,
        }
    }

    /// As [`Self::explain`].
    pub(in crate::source) fn explain_file(&self, error: RemoteError, package: &str) -> RemoteError {
        match (self, error) {
            (Self::Lock, RemoteError::NotFetched { file, source }) if is_other_file(&source) => {
                RemoteError::ChangedUpstream { file, package: package.to_owned(), source }
            }
            (Self::Declaration, RemoteError::NotFetched { file, source }) if is_other_file(&source) => {
                RemoteError::WrongChecksum { file, source }
            }
            (_, error) => error,
        }
    }
}

/// Whether a download failed because there is another file now.
fn is_other_file(error: &FetchError) -> bool {
    match error {
        FetchError::WrongChecksum { .. } | FetchError::Length { .. } => true,
        FetchError::NoMirror { attempts } => attempts.iter().any(is_other_file),
        _ => false,
    }
}

impl WantedSource {
    fn check_md5(&self, stored: &StoredFile, tools: &SourceTools<'_>) -> Result<(), SourceError> {
        match &self.md5 {
            None => Ok(()),
            Some(md5) => check_md5(&self.package_name, (&self.name, md5), &stored.blob, tools),
        }
    }

    /// As builds take it.
    fn input_file(&self, StoredFile { blob, .. }: &StoredFile, tools: &SourceTools<'_>) -> InputFile {
        InputFile {
            name: self.name.clone(),
            root: tools.store.folder().path().clone(),
            path: blob.path(),
            blob: *blob,
            is_executable: false,
        }
    }

    fn take(&self, stored: StoredFile, tools: &SourceTools<'_>) -> RemoteSource {
        let file = self.input_file(&stored, tools);
        let StoredFile { blob, checksum, from: _ } = stored;
        if self.known_from.is_nobody() {
            tools.say(format!("{} is locked as it came: {checksum}", self.name));
        }
        let url = self.file.addresses.first().map(ToString::to_string).unwrap_or_default();
        RemoteSource { file, locked: LockedFile { url, checksum, size: blob.size } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_this_machine_are_not_taken_for_a_spec_that_names_them() {
        for local in
            ["file:///etc/passwd", "FILE:///etc/passwd", "file://localhost/etc/passwd", "data", "/etc/passwd"]
        {
            assert!(!is_elsewhere(local), "{local}");
        }
        assert!(is_elsewhere("https://example.org/data") && is_elsewhere("ftp://example.org/data"));
    }

    #[test]
    fn a_pattern_of_the_project_names_files_that_are_not_fetched() {
        let cases = [("dl/*.txt", true), ("dl/data-1.0.txt", true), ("dl/*.zip", false), ("dl/[", false)];
        for (pattern, is_named) in cases {
            assert_eq!(is_named_by(Path::new(pattern), "data-1.0.txt"), is_named, "{pattern}");
        }
    }

    #[test]
    fn the_name_of_a_file_is_the_end_of_its_path_or_its_fragment() {
        let names = [
            ("https://example.org/a/b-1.tar.gz", Some("b-1.tar.gz")),
            ("https://example.org/archive/v1.zip#/b-1.zip", Some("b-1.zip")),
            ("https://example.org/get?file=x#/b.zip", Some("b.zip")),
            ("https://example.org/b.zip?x=/y", Some("b.zip")),
            ("https://example.org/", None),
            ("https://example.org", None),
            ("https://example.org/a/..", None),
            ("https://example.org/a#/..", None),
        ];
        for (url, name) in names {
            assert_eq!(file_name_of(url).as_deref(), name, "{url}");
        }
    }
}
