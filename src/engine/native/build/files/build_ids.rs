//! Links by which debuggers find programs and their debug information (`%_build_id_links`, rpmbuild-config(5)).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use object::read::ReadCache;
use object::{Object, ObjectKind};

use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use super::packaged_file::{PackagedFile, Said, flag, kind};
use crate::files::{Folder, reason};
use crate::macros::Stop;

const MAIN_FOLDER: &str = "/usr/lib/.build-id";
const DEBUG_ROOT: &str = "/usr/lib/debug";
const DEBUG_FOLDER: &str = "/usr/lib/debug/.build-id";

/// The end of the names of debug information.
const DEBUG_END: &str = ".debug";

/// Where links go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nowhere.
    None,
    /// Into packages of debug information only.
    AllDebug,
    /// Into the packages of the programs, and of their debug information.
    Separate,
    /// As before, and those of debug information point at the others as well.
    Compat,
}

/// What the build has to say of links.
#[derive(Clone, Copy)]
pub(in super::super) struct Links {
    /// Whether debug information is packaged, and this package can have some.
    pub(in super::super) is_on: bool,
}

/// An ELF file with its build-id, in hexadecimal digits.
struct Identified {
    path: BString,
    on_disk: PathBuf,
    identity: Option<(u64, u64, u64)>,
    id: String,
}

/// Makes the links for the files of a package, and adds them to it.
pub(super) fn add(
    world: World<'_>,
    workspace: &Workspace,
    links: Links,
    entries: &mut Vec<PackagedFile>,
    time: i64,
) -> Result<(), Stop> {
    // Macros of rpm before 4.20 make links whether there is debug information or not.
    let is_wanted = links.is_on || !world.is_defined("builddir");
    let mode = match world.setting("_build_id_links").as_str() {
        _ if !is_wanted => Mode::None,
        "" | "none" => Mode::None,
        "alldebug" => Mode::AllDebug,
        "separate" => Mode::Separate,
        "compat" => Mode::Compat,
        other => {
            let (problem, value) = ("Unknown setting for _build_id_links", other.to_owned());
            return Err(world.fail(BuildProblem::Setting { problem, value }));
        }
    };
    let Some(root) = Folder::open_ambient(&workspace.root).ok().filter(|_| mode != Mode::None) else {
        return Ok(());
    };
    let identified = identified(world, workspace, &root, entries)?;
    let maker = Maker { world, workspace, root: &root, time };
    let mut added = Vec::new();
    for file in &identified {
        if is_debug(&file.path) {
            maker.debug(file, mode, &mut added)?;
        } else if mode != Mode::AllDebug {
            maker.link(MAIN_FOLDER, &file.id, "", file, &file.path, &mut added).map(drop)?;
        }
    }
    entries.append(&mut added);
    Ok(())
}

/// The programs and libraries that have a build-id; those that lack it are told.
fn identified(
    world: World<'_>,
    workspace: &Workspace,
    root: &Folder,
    entries: &[PackagedFile],
) -> Result<Vec<Identified>, Stop> {
    let mut found: Vec<Identified> = Vec::new();
    let is_fatal = world.is_on("_missing_build_ids_terminate_build") && world.is_on("__debug_package");
    let mut is_missing = false;
    for entry in entries.iter().filter(|entry| can_have_id(entry)) {
        let Ok(file) = root.open(&entry.on_disk) else {
            continue;
        };
        let cache = ReadCache::new(file.into_std());
        let Ok(parsed) = object::File::parse(&cache) else {
            continue;
        };
        let is_module =
            parsed.kind() == ObjectKind::Relocatable && parsed.section_by_name(".modinfo").is_some();
        if !is_module && !matches!(parsed.kind(), ObjectKind::Executable | ObjectKind::Dynamic) {
            continue;
        }
        match parsed.build_id() {
            Ok(Some(id)) if id.len() > 1 => {
                let (path, on_disk, identity) = (entry.path.clone(), entry.on_disk.clone(), entry.identity);
                found.push(Identified { path, on_disk, identity, id: crate::package::hex(id) });
            }
            _ => {
                is_missing = true;
                let path = full(workspace, &entry.path);
                world.tell(BuildProblem::NoBuildId { path, is_error: is_fatal });
            }
        }
    }
    if is_missing && is_fatal { Err(Stop) } else { Ok(found) }
}

fn can_have_id(entry: &PackagedFile) -> bool {
    let can_have = entry.is_executable || is_debug(&entry.path);
    // What %exclude leaves out gets links all the same, as with rpm.
    entry.is_regular() && entry.is_there && can_have
}

/// Whether it is debug information, by where it lies.
fn is_debug(path: &[u8]) -> bool {
    path.strip_prefix(DEBUG_ROOT.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

fn full(workspace: &Workspace, path: &[u8]) -> BString {
    [workspace.root.as_os_str().as_encoded_bytes(), path].concat().into()
}

/// Makes links in a buildroot.
struct Maker<'m> {
    world: World<'m>,
    workspace: &'m Workspace,
    root: &'m Folder,
    time: i64,
}

impl Maker<'_> {
    /// The links of debug information: to itself, and to the program where that has none of its own.
    fn debug(&self, file: &Identified, mode: Mode, added: &mut Vec<PackagedFile>) -> Result<(), Stop> {
        let number = self.link(DEBUG_FOLDER, &file.id, DEBUG_END, file, &file.path, added)?;
        match mode {
            Mode::AllDebug => {
                if let Some(program) = self.program_of(file) {
                    self.link(DEBUG_FOLDER, &file.id, "", file, &program, added)?;
                }
            }
            Mode::Compat => {
                let id = if number == 0 { file.id.clone() } else { format!("{}.{number}", file.id) };
                let main = format!("{MAIN_FOLDER}/{}", in_folder(&id));
                self.link(DEBUG_FOLDER, &id, "", file, main.as_bytes(), added)?;
            }
            Mode::Separate | Mode::None => {}
        }
        Ok(())
    }

    /// The program that debug information is of, by their names.
    fn program_of(&self, file: &Identified) -> Option<BString> {
        let name = file.path.strip_prefix(DEBUG_ROOT.as_bytes())?.strip_suffix(DEBUG_END.as_bytes())?;
        let unique = self.world.expand("-%{VERSION}-%{RELEASE}.%{_arch}").unwrap_or_default();
        let is_unique = self.world.is_on("_unique_debug_names");
        let plain = name.strip_suffix(unique.as_slice()).filter(|_| is_unique).unwrap_or(name);
        let on_disk = plain.trim_start_with(|c| c == '/').to_path_lossy().into_owned();
        self.root.dir().symlink_metadata(on_disk).is_ok().then(|| plain.into())
    }

    /// Makes a link, or finds it, and gives its number; another file of the same build-id gets one with a number.
    fn link(
        &self,
        base: &str,
        id: &str,
        end: &str,
        file: &Identified,
        target: &[u8],
        added: &mut Vec<PackagedFile>,
    ) -> Result<u32, Stop> {
        let failed = |error: std::io::Error| {
            let path = full(self.workspace, base.as_bytes());
            self.world.fail(BuildProblem::Unreadable { path, reason: reason(&error) })
        };
        let subfolder = format!("{base}/{}", id.get(..2).unwrap_or(id));
        for folder in [base, subfolder.as_str()] {
            let below = folder.trim_start_matches('/');
            let is_new = !self.root.exists(below);
            self.root.create(below).map_err(failed)?;
            let is_known = added.iter().any(|entry| entry.path == folder.as_bytes());
            if (is_new || folder == base) && !is_known {
                added.push(self.entry(folder.as_bytes(), kind::FOLDER | 0o755, b""));
            }
        }
        let name = format!("{base}/{}", in_folder(id));
        let depth = name.matches('/').count() - 1;
        let relative =
            [b"../".repeat(depth).as_slice(), target.strip_prefix(b"/").unwrap_or(target)].concat();
        let relative = shortened(base, &relative, target);
        let mut number = 0_u32;
        let mut first = PathBuf::new();
        loop {
            let numbered = if number == 0 { String::new() } else { format!(".{number}") };
            let path = format!("{name}{numbered}{end}");
            let below = path.trim_start_matches('/');
            let made = self.root.dir().symlink_contents(relative.to_path_lossy(), below);
            match made {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let there = self.root.dir().read_link_contents(below).unwrap_or_default();
                    if there.as_os_str().as_encoded_bytes() != relative.as_slice() {
                        if number == 0 {
                            first = there;
                        }
                        number += 1;
                        continue;
                    }
                }
                Err(error) => return Err(failed(error)),
            }
            if !added.iter().any(|entry| entry.path == path.as_bytes()) {
                added.push(self.entry(path.as_bytes(), kind::LINK | 0o777, &relative));
            }
            if number > 0 {
                self.tell_duplicate(file, base, &first);
            }
            return Ok(number);
        }
    }

    /// Two files of one build-id are one program, or were not linked for themselves.
    fn tell_duplicate(&self, file: &Identified, base: &str, there: &Path) {
        let folder = PathBuf::from(base.trim_start_matches('/')).join("xx");
        let other = crate::files::normalize(&folder, there).unwrap_or_default();
        let same = self.root.dir().symlink_metadata(&other).ok().map(|metadata| {
            use cap_std::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        });
        let own = file.identity.map(|(device, inode, _)| (device, inode));
        if same == own || other == file.on_disk {
            return;
        }
        let first = full(self.workspace, &[b"/", other.as_os_str().as_encoded_bytes()].concat());
        let second = full(self.workspace, &file.path);
        self.world.tell(BuildProblem::SameBuildId { first, second });
    }

    fn entry(&self, path: &[u8], mode: u32, target: &[u8]) -> PackagedFile {
        PackagedFile {
            path: path.into(),
            on_disk: path.trim_start_with(|c| c == '/').to_path_lossy().into_owned(),
            mode,
            // As with `%defattr`: what the package itself says of one with `%attr` counts more.
            mode_said: Said::ForAll,
            size: target.len() as u64,
            modified: self.time,
            identity: Some((0, 0, 1)),
            target: target.into(),
            user: ("root".into(), Said::ForAll),
            group: ("root".into(), Said::ForAll),
            flags: flag::ARTIFACT,
            verifies: (u32::MAX, Said::Nowhere),
            is_there: true,
            ..PackagedFile::default()
        }
    }
}

/// `ab/cdef…`: where the link of a build-id lies.
fn in_folder(id: &str) -> String {
    let (folder, name) = id.split_at_checked(2).unwrap_or((id, ""));
    format!("{folder}/{name}")
}

/// A link within `/usr/lib` does not climb higher than that.
fn shortened(base: &str, relative: &[u8], target: &[u8]) -> BString {
    match target.strip_prefix(MAIN_FOLDER.as_bytes()) {
        Some(rest) if base == DEBUG_FOLDER => [b"../../../.build-id".as_slice(), rest].concat().into(),
        _ => relative.into(),
    }
}
