//! Packages, written down: their names, their signatures, their checks.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bstr::{BString, ByteSlice};

use super::ahead::Packing;
use super::assemble;
use super::binary_package::Assembled;
use super::problem::BuildProblem;
use super::scriptlet::words;
use super::settings::Settings;
use super::sign;
use super::source_package::SourceKind;
use super::workspace::Workspace;
use super::world::World;
use crate::files::{Folder, HostPath, reason};
use crate::macros::{Stop, Streams};
use crate::package::{
    Format, Header, Payload, QueryFormat, Surroundings, Tag, Unwritten, Value, write_package,
};

/// What all packages of a build say.
pub(super) struct Common {
    /// `host time`: that packages come from one build.
    pub(super) cookie: Option<String>,
    /// Whether source and binary packages come of the build.
    pub(super) is_of_both: bool,
    /// The MD5 of the source package, which those of format 4 repeat.
    pub(super) source_digest: Option<Vec<u8>>,
}

/// Writes the source package; gives its path.
pub(super) fn write_source(
    world: World<'_>,
    package: Assembled,
    kind: SourceKind,
    settings: &Settings,
    common: &Common,
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
    let written = vec![(package, path.clone())];
    write_all(world, written, settings, common, &HostPath::root())?;
    if kind == SourceKind::Whole {
        check(world, "_build_pkgcheck_srpm", std::slice::from_ref(&path))?;
    }
    Ok(path)
}

/// Writes all binary packages.
pub(super) fn write_binaries(
    world: World<'_>,
    workspace: &Workspace,
    packages: Vec<Assembled>,
    settings: &Settings,
    common: &Common,
) -> Result<(), Stop> {
    let mut named = Vec::new();
    for package in packages {
        let path = file_name(world, &package.header)?;
        named.push((package, path));
    }
    let paths: Vec<HostPath> = named.iter().map(|(_, path)| path.clone()).collect();
    write_all(world, named, settings, common, &workspace.root)?;
    for path in &paths {
        check(world, "_build_pkgcheck", std::slice::from_ref(path))?;
    }
    if paths.is_empty() { Ok(()) } else { check(world, "_build_pkgcheck_set", &paths) }
}

fn file_name(world: World<'_>, header: &Header) -> Result<HostPath, Stop> {
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

/// Writes packages, several at a time, and tells of each in their order.
fn write_all(
    world: World<'_>,
    mut packages: Vec<(Assembled, HostPath)>,
    settings: &Settings,
    common: &Common,
    root: &HostPath,
) -> Result<(), Stop> {
    let count = packages.len();
    let packed: Vec<Mutex<Option<Packing>>> =
        packages.iter_mut().map(|(package, _)| Mutex::new(package.packed.take())).collect();
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<std::io::Result<()>>>> =
        packages.iter().map(|_| Mutex::default()).collect();
    let together = settings.threads.min(count).max(1);
    let threads = u32::try_from(settings.threads / together).unwrap_or(1).max(1);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some((package, path)), Some(place)) = (packages.get(at), results.get(at)) else {
                return;
            };
            let packed = packed.get(at).and_then(|packed| packed.lock().ok()?.take());
            let written = write(package, packed, path, settings, common, root, threads);
            if let Ok(mut place) = place.lock() {
                *place = Some(written);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..together {
            scope.spawn(work);
        }
        work();
    });
    let mut outcome = Ok(());
    for ((_, path), result) in packages.iter().zip(results) {
        let result =
            result.into_inner().ok().flatten().unwrap_or_else(|| Err(std::io::ErrorKind::Other.into()));
        match result {
            Ok(()) => {
                sign::sign(world, path)?;
                world.tell_written(path);
            }
            Err(error) => {
                let path = path.to_string();
                let reason = reason(&error);
                let reason = reason.strip_prefix(&format!("{path}: ")).unwrap_or(&reason).to_owned();
                let is_begun = !matches!(
                    error.kind(),
                    ErrorKind::IsADirectory | ErrorKind::NotFound | ErrorKind::PermissionDenied
                );
                outcome = Err(world.fail(BuildProblem::NotWritten { path, is_begun, reason }));
            }
        }
    }
    outcome
}

fn write(
    package: &Assembled,
    packed: Option<Packing>,
    path: &HostPath,
    settings: &Settings,
    common: &Common,
    root: &HostPath,
    threads: u32,
) -> std::io::Result<()> {
    let header = finished(package, settings, common);
    let files = {
        let archive = assemble::archive(&package.entries, settings.format);
        let prefix: &[u8] = if package.is_source { b"" } else { b"." };
        assemble::payload(&package.entries, archive, prefix)
    };
    // Ghosts and devices need none.
    let root = Folder::open_ambient(root).ok();
    let open = |index: u32| -> std::io::Result<Box<dyn Read + '_>> {
        let entry = usize::try_from(index).ok().and_then(|index| package.entries.get(index));
        let (root, entry) = root.as_ref().zip(entry).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(match package.contents.of(entry) {
            Some(content) => Box::new(content),
            None => Box::new(root.open(&entry.on_disk)?),
        })
    };
    let name = header.text(Tag::NAME).unwrap_or_default();
    let lead_name = [name.as_ref(), b"-".as_slice(), &header.evr()].concat();
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    // Whoever takes it over makes it last, as with rpm.
    let folder = Folder::create_scratch(&parent)?;
    let payload = Payload {
        format: settings.format,
        archive: assemble::archive(&package.entries, settings.format),
        files: &files,
        open: &open,
        flags: settings.payload(package.is_source).clone(),
        threads,
    };
    // What could not be packed ahead is tried again here, where it is told why not.
    let packed = packed.and_then(|packed| packed.join().ok()?.ok());
    let unwritten = Unwritten {
        lead_name,
        header,
        is_source: package.is_source,
        payload,
        packed,
        reserved: settings.reserved,
    };
    write_package(&folder, Path::new(path.as_path().file_name().unwrap_or_default()), unwritten).map(drop)
}

/// What packages say of who built them.
const FORGE: &str = concat!("rpmforge ", env!("CARGO_PKG_VERSION"));

/// The header with what all packages of the build say.
fn finished(package: &Assembled, settings: &Settings, common: &Common) -> Header {
    let mut header = package.header.clone();
    header.set_number(Tag::BUILD_TIME, u64::try_from(settings.times.build).unwrap_or(0));
    header.set_text(Tag::BUILD_HOST, settings.host.as_str());
    header.set_text(Tag::RPM_VERSION, settings.rpm_version.as_str());
    header.set_text(Tag::FORGE_VERSION, FORGE);
    // A source package always has one: what is built from it later can't know.
    if let Some(cookie) = common.cookie.as_ref().filter(|_| common.is_of_both || package.is_source) {
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
    match (settings.format, &common.source_digest, package.is_source) {
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
fn check(world: World<'_>, name: &str, paths: &[HostPath]) -> Result<(), Stop> {
    let program = world.setting(name);
    if program.is_empty() {
        return Ok(());
    }
    let mut command = format!("{program} ");
    match paths {
        [path] if name != "_build_pkgcheck_set" => command.push_str(&path.to_string()),
        all => all.iter().for_each(|path| command.push_str(&format!("{path} "))),
    }
    let code = world.macros.run(&words(command.as_bytes()), &Streams::default());
    if matches!(code, Ok(0)) {
        return Ok(());
    }
    world.tell(BuildProblem::PackageCheck { command });
    if world.is_on("_nonzero_exit_pkgcheck_terminate_build") { Err(Stop) } else { Ok(()) }
}
