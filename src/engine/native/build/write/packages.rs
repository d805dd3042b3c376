//! Packages, written down: their names, their signatures, their checks.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bstr::{BString, ByteSlice};

use super::super::build_root::BuildRoot;
use super::super::command_line::split_words;
use super::super::package_draft::PackageDraft;
use super::super::problem::BuildProblem;
use super::super::root_files::RootFiles;
use super::super::settings::Settings;
use super::super::source_package::SourceKind;
use super::super::world::World;
use super::packing::Packing;
use super::payload::{archive_form, list_payload};
use super::sign::sign_package;
use crate::files::{HostPath, reason};
use crate::macros::{Stop, Streams};
use crate::package::{
    Format, Header, PackedPayload, Payload, QueryFormat, Surroundings, Tag, Unwritten, Value, read_headers,
    write_package,
};

/// What the packages of a build say that they have in marks.
pub(crate) struct BuildMarks {
    /// `host time`: that packages come from one build.
    pub(crate) cookie: String,
    /// Whether source and binary packages come of the build.
    pub(crate) has_source_and_binaries: bool,
    /// The MD5 of the source package, which those of format 4 repeat.
    pub(crate) source_digest: Option<Vec<u8>>,
}

/// Writes the source package; gives its path.
pub(crate) fn write_source(
    world: World<'_>,
    package: PackageDraft,
    kind: SourceKind,
    settings: &Settings,
    marks: &BuildMarks,
) -> Result<HostPath, Stop> {
    let header = &package.header;
    let name = header.text(Tag::NAME).unwrap_or_default().to_str_lossy().into_owned();
    let has_left_out = header.has(Tag::NO_SOURCE) || header.has(Tag::NO_PATCH);
    let end = match kind {
        SourceKind::BuildRequires => "buildreqs.nosrc.rpm",
        SourceKind::Whole if has_left_out => "nosrc.rpm",
        SourceKind::Whole => "src.rpm",
    };
    let file = format!("{name}-{}.{end}", header.version_release());
    let folder = world.expand("%{_srcrpmdir}")?;
    let path = HostPath::new(folder.to_path_lossy().join(file)).unwrap_or_else(HostPath::root);
    let named = vec![(package, path.clone())];
    Writer { settings, marks, files: world.files, root: BuildRoot::new(HostPath::root()) }
        .write_all(world, named)?;
    if kind == SourceKind::Whole {
        check_packages(world, "_build_pkgcheck_srpm", std::slice::from_ref(&path))?;
    }
    sign_package(world, &path)?;
    Ok(path)
}

/// Writes all binary packages.
pub(crate) fn write_binaries(
    world: World<'_>,
    root: &BuildRoot,
    packages: Vec<PackageDraft>,
    settings: &Settings,
    marks: &BuildMarks,
) -> Result<(), Stop> {
    let mut named = Vec::new();
    for package in packages {
        let path = expand_path(world, &package.header)?;
        named.push((package, path));
    }
    let paths: Vec<HostPath> = named.iter().map(|(_, path)| path.clone()).collect();
    Writer { settings, marks, files: world.files, root: root.clone() }.write_all(world, named)?;
    for path in &paths {
        check_packages(world, "_build_pkgcheck", std::slice::from_ref(path))?;
    }
    if !paths.is_empty() {
        check_packages(world, "_build_pkgcheck_set", &paths)?;
    }
    // What checks refuse is not signed.
    paths.iter().try_for_each(|path| sign_package(world, path))
}

/// Where a binary package is written (`%_rpmdir`, `%_rpmfilename`).
fn expand_path(world: World<'_>, header: &Header) -> Result<HostPath, Stop> {
    let package = BString::from(header.text(Tag::NAME).unwrap_or_default());
    let wrong = |reason: String| world.fail(BuildProblem::FileName { package: package.clone(), reason });
    let format = world.expand("%{_rpmfilename}")?;
    let surroundings = Surroundings { expand: &|_| None, languages: &[], is_verbose: false };
    let shown = QueryFormat::read(&format).and_then(|format| format.show(header, &surroundings));
    let name = shown.map_err(|problem| {
        let text = problem.to_string();
        wrong(text.strip_prefix("incorrect format: ").unwrap_or(&text).to_owned())
    })?;
    let folder = world.expand("%{_rpmdir}")?;
    let path = folder.to_path_lossy().join(name.to_path_lossy());
    HostPath::new(path).ok_or_else(|| wrong("%_rpmdir is no absolute path".to_owned()))
}

/// Writes packages of one kind.
struct Writer<'w> {
    settings: &'w Settings,
    marks: &'w BuildMarks,
    files: &'w RootFiles,
    /// The folder that the files' places are relative to.
    root: BuildRoot,
}

impl Writer<'_> {
    /// Writes packages, several at a time, and tells of each in their order.
    fn write_all(&self, world: World<'_>, packages: Vec<(PackageDraft, HostPath)>) -> Result<(), Stop> {
        let results = self.write_together(&packages);
        let mut outcome = Ok(());
        for ((_, path), result) in packages.iter().zip(results) {
            match result {
                Ok(()) => world.tell_written(path),
                Err(error) => outcome = Err(fail_unwritten(world, path, &error)),
            }
        }
        outcome
    }

    /// Writes packages on as many threads as there may be; gives what came of each.
    fn write_together(&self, packages: &[(PackageDraft, HostPath)]) -> Vec<std::io::Result<()>> {
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<std::io::Result<()>>>> =
            packages.iter().map(|_| Mutex::default()).collect();
        let together = self.settings.threads.min(packages.len()).max(1);
        let threads = u32::try_from(self.settings.threads / together).unwrap_or(1).max(1);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some((package, path)), Some(result)) = (packages.get(at), results.get(at)) else {
                    return;
                };
                let written = self.write(package, path, threads);
                if let Ok(mut result) = result.lock() {
                    *result = Some(written);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..together {
                scope.spawn(work);
            }
            work();
        });
        let result_of = |result: Mutex<Option<std::io::Result<()>>>| {
            result.into_inner().ok().flatten().unwrap_or_else(|| Err(ErrorKind::Other.into()))
        };
        results.into_iter().map(result_of).collect()
    }

    fn write(&self, package: &PackageDraft, path: &HostPath, threads: u32) -> std::io::Result<()> {
        let settings = self.settings;
        let header = finish_header(package, settings, self.marks);
        let archive = archive_form(&package.files, settings.format);
        let prefix: &[u8] = if package.is_source { b"" } else { b"." };
        let files = list_payload(&package.files, archive, prefix);
        // Ghosts and devices need none.
        let root = self.root.open(self.files);
        let open = |index: u32| -> std::io::Result<Box<dyn Read + '_>> {
            let file = usize::try_from(index).ok().and_then(|index| package.files.get(index));
            let (root, file) = root.as_ref().zip(file).ok_or(ErrorKind::NotFound)?;
            Ok(match package.contents.content_of(file) {
                Some(content) => Box::new(content),
                None => Box::new(root.open(&file.on_disk)?),
            })
        };
        let name = header.text(Tag::NAME).unwrap_or_default();
        let lead_name = [name.as_ref(), b"-".as_slice(), &header.evr()].concat();
        let (folder, file_name) = self.files.create_folder_of(path)?;
        let flags = settings.payload(package.is_source).clone();
        let payload =
            Payload { format: settings.format, archive, files: &files, open: &open, flags, threads };
        let unwritten = Unwritten {
            lead_name,
            header,
            is_source: package.is_source,
            payload,
            packed: take_packed(package),
            reserved: settings.reserved,
        };
        write_package(&folder, Path::new(file_name), unwritten).map(drop)
    }
}

/// The payload of a package that was packed ahead. What could not be is tried again as it is written, where it is told why not.
fn take_packed(package: &PackageDraft) -> Option<PackedPayload> {
    let packing: Packing = package.packing.lock().ok()?.take()?;
    packing.join().ok()?.ok()
}

fn fail_unwritten(world: World<'_>, path: &HostPath, error: &std::io::Error) -> Stop {
    let path = path.to_string();
    let reason = reason(error);
    let reason = reason.strip_prefix(&format!("{path}: ")).unwrap_or(&reason).to_owned();
    let is_begun =
        !matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::NotFound | ErrorKind::PermissionDenied);
    world.fail(BuildProblem::NotWritten { path, is_begun, reason })
}

/// The number of the digest in signature headers (rpm's `RPMSIGTAG_MD5`).
const SIGNATURE_MD5: u32 = 1004;

/// What packages say of who built them.
const FORGE: &str = concat!("rpmforge ", env!("CARGO_PKG_VERSION"));

/// The header with what all packages of the build say.
fn finish_header(package: &PackageDraft, settings: &Settings, marks: &BuildMarks) -> Header {
    let mut header = package.header.clone();
    header.set_number(Tag::BUILD_TIME, u64::try_from(settings.times.build).unwrap_or(0));
    header.set_text(Tag::BUILD_HOST, settings.host.as_str());
    header.set_text(Tag::RPM_VERSION, settings.rpm_version.as_str());
    header.set_text(Tag::FORGE_VERSION, FORGE);
    // A source package always has one: what is built from it later can't know.
    if let Some(cookie) = Some(&marks.cookie).filter(|_| marks.has_source_and_binaries || package.is_source) {
        header.set_text(Tag::COOKIE, cookie.as_str());
    }
    header.set_text(Tag::PAYLOAD_FORMAT, "cpio");
    let flags = settings.payload(package.is_source);
    header.set_text(Tag::PAYLOAD_FLAGS, flags.flags.as_str());
    if !flags.compression.name().is_empty() {
        header.set_text(Tag::PAYLOAD_COMPRESSOR, flags.compression.name());
    }
    if is_utf8(&header) {
        header.set_text(Tag::ENCODING, "utf-8");
    }
    match (settings.format, &marks.source_digest, package.is_source) {
        (Format::V6, ..) => header.set_number(Tag::RPM_FORMAT, 6),
        (Format::V4, Some(digest), false) => header.set(Tag::SOURCE_DIGEST, Value::Bytes(digest.clone())),
        (Format::V4, ..) => {}
    }
    if settings.format == Format::V4 {
        // It came with format 6.
        header.remove(Tag::SOURCE_NEVR);
    }
    header
}

fn is_utf8(header: &Header) -> bool {
    header.iter().all(|(_, value)| match value {
        Value::Text(text) => text.to_str().is_ok(),
        Value::Texts(texts) | Value::Localized(texts) => texts.iter().all(|text| text.to_str().is_ok()),
        Value::Numbers(_) | Value::Bytes(_) => true,
    })
}

/// Runs a program that checks packages.
fn check_packages(world: World<'_>, name: &str, paths: &[HostPath]) -> Result<(), Stop> {
    let program = world.setting(name);
    if program.is_empty() {
        return Ok(());
    }
    let mut command = format!("{program} ");
    match paths {
        [path] if name != "_build_pkgcheck_set" => command.push_str(&path.to_string()),
        all => all.iter().for_each(|path| command.push_str(&format!("{path} "))),
    }
    let code = world.macros.run(&split_words(command.as_bytes()), &Streams::default());
    if matches!(code, Ok(0)) {
        return Ok(());
    }
    world.tell(BuildProblem::PackageCheck { command });
    if world.is_on("_nonzero_exit_pkgcheck_terminate_build") { Err(Stop) } else { Ok(()) }
}

/// The MD5 of a package of format 4, as its signature header says it.
pub(crate) fn read_signature_digest(world: World<'_>, path: &HostPath) -> Option<Vec<u8>> {
    let headers = read_headers(&mut world.files.open_file(path).ok()?).ok()?;
    headers.signatures.into_iter().find_map(|(tag, value)| {
        let Value::Bytes(bytes) = value else { return None };
        (tag == SIGNATURE_MD5).then_some(bytes)
    })
}
