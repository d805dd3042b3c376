//! Links by which debuggers find programs and their debug information (`%_build_id_links`, rpmbuild-config(5)).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use object::read::ReadCache;
use object::{Object, ObjectKind};

use super::super::build_root::BuildRoot;
use super::super::problem::BuildProblem;
use super::super::world::World;
use super::mode::{FileMode, FileType, Permissions};
use super::packaged_file::{PackagedFile, Precedence, flag};
use crate::files::{Folder, reason};
use crate::macros::Stop;

const MAIN_FOLDER: &str = "/usr/lib/.build-id";
const DEBUG_ROOT: &str = "/usr/lib/debug";
const DEBUG_FOLDER: &str = "/usr/lib/debug/.build-id";

/// The end of the names of debug information.
const DEBUG_END: &str = ".debug";

/// Where links go (`%_build_id_links`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkPolicy {
    /// Nowhere.
    None,
    /// Into packages of debug information only.
    AllDebug,
    /// Into the packages of the programs, and of their debug information.
    Separate,
    /// As before, and those of debug information point at the others as well.
    Compat,
}

/// An ELF file with its build-id, in hexadecimal digits.
struct Identified {
    path: BString,
    id: String,
}

impl LinkPolicy {
    /// Reads what macros say; `has_debug_package` is whether debug information is packaged, and this package can have some.
    fn read(world: World<'_>, has_debug_package: bool) -> Result<Self, Stop> {
        // Macros of rpm before 4.20 make links whether there is debug information or not.
        let is_wanted = has_debug_package || !world.is_defined("builddir");
        Ok(match world.setting("_build_id_links").as_str() {
            _ if !is_wanted => LinkPolicy::None,
            "" | "none" => LinkPolicy::None,
            "alldebug" => LinkPolicy::AllDebug,
            "separate" => LinkPolicy::Separate,
            "compat" => LinkPolicy::Compat,
            other => {
                let (problem, value) = ("Unknown setting for _build_id_links", other.to_owned());
                return Err(world.fail(BuildProblem::Setting { problem, value }));
            }
        })
    }
}

/// Makes the links for the files of a package, and adds them to it.
pub(super) fn add_build_id_links(
    world: World<'_>,
    build_root: &BuildRoot,
    has_debug_package: bool,
    files: &mut Vec<PackagedFile>,
    time: i64,
) -> Result<(), Stop> {
    let policy = LinkPolicy::read(world, has_debug_package)?;
    let Some(root) = build_root.open(world.files).filter(|_| policy != LinkPolicy::None) else {
        return Ok(());
    };
    let identified = find_build_ids(world, build_root, &root, files)?;
    let mut maker = LinkMaker { world, build_root, root, time, added: Vec::new() };
    for file in &identified {
        if is_debug(&file.path) {
            maker.link_debug_information(file, policy)?;
        } else if policy != LinkPolicy::AllDebug {
            let (base, if_there) = (MAIN_FOLDER, IfThere::Number);
            let link = BuildIdLink { base, id: &file.id, end: "", target: &file.path, if_there };
            maker.make_link(&link).map(drop)?;
        }
    }
    files.append(&mut maker.added);
    Ok(())
}

/// Finds the programs and libraries that have a build-id; those that lack it are told.
fn find_build_ids(
    world: World<'_>,
    build_root: &BuildRoot,
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
                found.push(Identified { path: entry.path.clone(), id: crate::package::hex(id) });
            }
            _ => {
                is_missing = true;
                let path = build_root.full_path(&entry.path);
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

/// A link that is to be made for a build-id.
#[derive(Clone, Copy)]
struct BuildIdLink<'l> {
    /// The folder of such links.
    base: &'l str,
    /// The build-id, in hexadecimal digits.
    id: &'l str,
    /// What its name ends with.
    end: &'l str,
    /// The packaged path that it points at.
    target: &'l [u8],
    if_there: IfThere,
}

/// What becomes of a link whose name is taken by one that points elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfThere {
    /// It gets the next number: its file is another one of the same build-id.
    Number,
    /// The one that is there is right: that of a build that went on where another had ended (`--short-circuit`).
    Take,
}

/// Makes links in a buildroot.
struct LinkMaker<'m> {
    world: World<'m>,
    build_root: &'m BuildRoot,
    root: Folder,
    /// When the links are said to have been made.
    time: i64,
    /// The links that were made, and their folders.
    added: Vec<PackagedFile>,
}

impl LinkMaker<'_> {
    /// Makes the links of debug information: to itself, and to the program where that has none of its own.
    fn link_debug_information(&mut self, file: &Identified, policy: LinkPolicy) -> Result<(), Stop> {
        let (base, if_there) = (DEBUG_FOLDER, IfThere::Number);
        let own = BuildIdLink { base, id: &file.id, end: DEBUG_END, target: &file.path, if_there };
        let number = self.make_link(&own)?;
        match policy {
            LinkPolicy::AllDebug => {
                if let Some(program) = self.name_program(file) {
                    self.make_link(&BuildIdLink { end: "", target: &program, ..own })?;
                }
            }
            LinkPolicy::Compat => {
                let id = if number == 0 { file.id.clone() } else { format!("{}.{number}", file.id) };
                let main = format!("{MAIN_FOLDER}/{}", link_name(&id));
                let (target, if_there) = (main.as_bytes(), IfThere::Take);
                self.make_link(&BuildIdLink { id: &id, end: "", target, if_there, ..own })?;
            }
            LinkPolicy::Separate | LinkPolicy::None => {}
        }
        Ok(())
    }

    /// The path of the program that debug information is of, by its name. Like rpm, this neither looks whether the program is
    /// there nor what it is that stands where names may be made unique.
    fn name_program(&self, file: &Identified) -> Option<BString> {
        let unique = match self.world.number("_unique_debug_names") {
            1 => self.world.expand("-%{VERSION}-%{RELEASE}.%{_arch}").unwrap_or_default(),
            _ => Vec::new(),
        };
        let path = file.path.strip_suffix(DEBUG_END.as_bytes())?;
        let end = path.len().checked_sub(unique.len())?;
        path.get(DEBUG_ROOT.len()..end).filter(|program| !program.is_empty()).map(BString::from)
    }

    /// Makes a link, or finds it, and gives its number; another file of the same build-id gets one with a number.
    fn make_link(&mut self, link: &BuildIdLink<'_>) -> Result<u32, Stop> {
        let BuildIdLink { base, id, end, target, if_there } = *link;
        self.make_folders(base, id).map_err(|error| self.fail(base, &error))?;
        let name = format!("{base}/{}", link_name(id));
        let depth = name.matches('/').count() - 1;
        let relative =
            [b"../".repeat(depth).as_slice(), target.strip_prefix(b"/").unwrap_or(target)].concat();
        let relative = shorten_target(base, &relative, target);
        let mut number = 0_u32;
        loop {
            let numbered = if number == 0 { String::new() } else { format!(".{number}") };
            let path = format!("{name}{numbered}{end}");
            let below = path.trim_start_matches('/');
            let made = self.root.dir().symlink_contents(relative.to_path_lossy(), below);
            match made {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let there = self.root.dir().read_link_contents(below).unwrap_or_default();
                    let there = there.as_os_str().as_encoded_bytes();
                    if if_there == IfThere::Take {
                        self.add(path.as_bytes(), FileType::Link, there);
                        return Ok(number);
                    }
                    if there != relative.as_slice() {
                        number += 1;
                        continue;
                    }
                }
                Err(error) => return Err(self.fail(base, &error)),
            }
            self.add(path.as_bytes(), FileType::Link, &relative);
            if number > 0 {
                self.tell_duplicate(&format!("{name}{end}"), below);
            }
            return Ok(number);
        }
    }

    /// Makes the folders that a link lies in, and adds them to the package.
    fn make_folders(&mut self, base: &str, id: &str) -> std::io::Result<()> {
        let subfolder = format!("{base}/{}", id.get(..2).unwrap_or(id));
        for folder in [base, subfolder.as_str()] {
            let below = folder.trim_start_matches('/');
            let is_new = !self.root.exists(below);
            self.root.create(below)?;
            if is_new || folder == base {
                self.add(folder.as_bytes(), FileType::Folder, b"");
            }
        }
        Ok(())
    }

    fn fail(&self, base: &str, error: &std::io::Error) -> Stop {
        let path = self.build_root.full_path(base.as_bytes());
        self.world.fail(BuildProblem::Unreadable { path, reason: reason(error) })
    }

    /// Tells of two files of one build-id, each by its link: they are one program, or were not linked for themselves. The names
    /// of one file are right.
    fn tell_duplicate(&self, first: &str, second: &str) {
        use cap_std::fs::MetadataExt;
        let [first, second] =
            [first, second].map(|link| self.follow_link(Path::new(link.trim_start_matches('/'))));
        let file = |path: &Path| {
            let metadata = self.root.dir().metadata(path).ok()?;
            Some((metadata.dev(), metadata.ino()))
        };
        if file(&first).is_some_and(|first| Some(first) == file(&second)) {
            return;
        }
        let [first, second] = [first, second].map(|path| self.build_root.program_path(&path).into());
        self.world.tell(BuildProblem::SameBuildId { first, second });
    }

    /// Where a link of the buildroot points, in the buildroot.
    fn follow_link(&self, link: &Path) -> PathBuf {
        let target = self.root.dir().read_link_contents(link).unwrap_or_default();
        crate::files::normalize(link.parent().unwrap_or(link), &target).unwrap_or_default()
    }

    /// Adds a link or a folder to the package, if it has none of that path yet.
    fn add(&mut self, path: &[u8], file_type: FileType, target: &[u8]) {
        if self.added.iter().any(|added| added.path == path) {
            return;
        }
        let permissions = if file_type == FileType::Folder { 0o755 } else { 0o777 };
        self.added.push(PackagedFile {
            path: path.into(),
            on_disk: BuildRoot::relative(path),
            mode: FileMode { file_type, permissions: Permissions::from_bits(permissions) },
            // As with `%defattr`: what the package itself says of one with `%attr` counts more.
            mode_precedence: Precedence::Default,
            size: target.len() as u64,
            modified: self.time,
            identity: Some((0, 0, 1)),
            target: target.into(),
            user: ("root".into(), Precedence::Default),
            group: ("root".into(), Precedence::Default),
            flags: flag::ARTIFACT,
            verifies: (u32::MAX, Precedence::Unsaid),
            is_there: true,
            ..PackagedFile::default()
        });
    }
}

/// `ab/cdef…`: where the link of a build-id lies.
fn link_name(id: &str) -> String {
    let (folder, name) = id.split_at_checked(2).unwrap_or((id, ""));
    format!("{folder}/{name}")
}

/// A link within `/usr/lib` does not climb higher than that.
fn shorten_target(base: &str, relative: &[u8], target: &[u8]) -> BString {
    match target.strip_prefix(MAIN_FOLDER.as_bytes()) {
        Some(rest) if base == DEBUG_FOLDER => [b"../../../.build-id".as_slice(), rest].concat().into(),
        _ => relative.into(),
    }
}
