//! The files that `%files` lists, found in the buildroot.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use cap_std::fs::{Dir, Metadata, MetadataExt};
use rayon::prelude::*;

use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use super::line::{Attributes, Defaults};
use super::packaged_file::{GHOST_VERIFIES, PackagedFile, Said, flag, kind};
use super::pattern;
use super::public_key;
use crate::files::{Folder, reason};
use crate::spec::{FileItem, SimpleDirective, read_file_line_partly};

/// Fewer entries of a folder are not worth another thread.
const MANY: usize = 32;

/// Flags that folders do not have: they hold nothing themselves.
const OF_CONTENT: u32 = flag::CONFIG | flag::DOC | flag::LICENSE;

/// Collects the files of a package.
pub(super) struct Collector<'c> {
    world: World<'c>,
    workspace: &'c Workspace,
    root: Option<Folder>,
    /// When the package is built: what is not there was changed then.
    time: i64,
    doc_folders: Vec<BString>,
    defaults: Defaults,
    pub(super) entries: Vec<PackagedFile>,
    /// Files of the build that become documentation, with what their lines said.
    pub(super) special: Vec<(SimpleDirective, BString, Attributes)>,
    /// Public keys that the package carries, in ASCII armour.
    pub(super) keys: Vec<BString>,
    /// Whether something was wrong.
    pub(super) has_failed: bool,
    may_lack_documents: bool,
}

impl<'c> Collector<'c> {
    pub(super) fn new(world: World<'c>, workspace: &'c Workspace, time: i64) -> Self {
        let folders = world.setting("__docdir_path");
        let doc_folders = folders.split(':').filter(|folder| !folder.is_empty()).map(BString::from).collect();
        Self {
            world,
            workspace,
            root: Folder::open_ambient(&workspace.root).ok(),
            time,
            doc_folders,
            defaults: Defaults::default(),
            entries: Vec::new(),
            special: Vec::new(),
            keys: Vec::new(),
            has_failed: false,
            may_lack_documents: false,
        }
    }

    /// Looks for the buildroot again: a script may have made it.
    pub(super) fn look_again(&mut self) {
        self.root = Folder::open_ambient(&self.workspace.root).ok();
    }

    /// Tells of something wrong; the other files are looked at all the same.
    fn wrong(&mut self, problem: BuildProblem) {
        self.has_failed |= problem.is_error();
        self.world.tell(problem);
    }

    /// A line of `%files` or of a list.
    pub(super) fn line(&mut self, text: &[u8]) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let (item, problem) = read_file_line_partly(text);
        if problem.is_none() || !item.names.is_empty() {
            self.item(&item);
        }
        if let Some(problem) = problem {
            self.wrong(BuildProblem::FileLine { problem });
        }
    }

    fn item(&mut self, item: &FileItem) {
        let mut attributes = Attributes::of(item, &mut self.defaults);
        match rpm::FileCaps::new(attributes.capabilities.to_string()) {
            _ if attributes.capabilities.is_empty() => {}
            Ok(capabilities) => attributes.capabilities = normal(&capabilities.to_string()),
            Err(_) => {
                let text = attributes.capabilities.clone();
                return self.wrong(BuildProblem::Capability { text });
            }
        }
        for name in &item.names {
            match attributes.special {
                Some(special) if !name.starts_with(b"/") => {
                    self.special.push((special, name.clone(), attributes.clone()));
                }
                _ if attributes.is_doc_folder => self.doc_folders.push(name.clone()),
                _ if attributes.flags & flag::PUBKEY != 0 => self.key(name, &attributes),
                _ => self.name(name, &attributes),
            }
        }
    }

    /// A name of a line: a path or a pattern.
    pub(super) fn name(&mut self, name: &[u8], attributes: &Attributes) {
        let mut found = match &self.root {
            Some(root) => pattern::found(root.dir(), name),
            None => Vec::new(),
        };
        if let Some(root) = self.root.as_ref().filter(|_| attributes.is_folder || name.ends_with(b"/")) {
            found.retain(|path| root.is_folder(path));
        }
        if found.is_empty() {
            return self.path(name, attributes);
        }
        for path in found {
            let path = [b"/", path.as_os_str().as_bytes()].concat();
            self.path(&path, attributes);
        }
    }

    /// A public key of the build, or one that is packaged as a file as well.
    fn key(&mut self, name: &[u8], attributes: &Attributes) {
        let path = if name.starts_with(b"/") {
            self.full(&cleaned(name))
        } else {
            match self.workspace.in_sources(&self.world, name) {
                Ok(path) => path.as_os_str().as_bytes().into(),
                Err(_) => return self.has_failed = true,
            }
        };
        let text = self.world.macros.read_file(&path);
        match text.map_err(|_| public_key::KeyProblem::Unreadable).and_then(|text| public_key::armored(&text))
        {
            Ok(key) => self.keys.push(key),
            Err(problem) => return self.wrong(BuildProblem::PublicKey { path, problem }),
        }
        if name.starts_with(b"/") {
            self.path(name, attributes);
        }
    }

    /// Documentation that was put there; whether it may be missing is a matter of configuration.
    pub(super) fn document(&mut self, name: &[u8], attributes: &Attributes) {
        let is_fatal = self.world.is_on("_missing_doc_files_terminate_build");
        self.may_lack_documents = !is_fatal;
        self.path(name, attributes);
        self.may_lack_documents = false;
    }

    /// A path in the root, with all that lies below it.
    fn path(&mut self, path: &[u8], attributes: &Attributes) {
        let names_folder = path.ends_with(b"/");
        let path = cleaned(path);
        let on_disk = PathBuf::from(path.trim_start_with(|c| c == '/').to_os_str_lossy().into_owned());
        if let Some((letter, major, minor)) = attributes.device {
            let mode = if letter == b'b' { kind::BLOCK } else { kind::CHARACTER };
            let mut entry = self.absent(path, on_disk, mode, attributes);
            entry.device = (major, minor);
            entry.identity = Some((0, 0, 1));
            return self.entries.push(entry);
        }
        let found = match &self.root {
            Some(root) if on_disk.as_os_str().is_empty() => root.dir().dir_metadata(),
            Some(root) => root.dir().symlink_metadata(&on_disk),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        match found {
            Ok(metadata) if names_folder && !metadata.is_dir() => {
                let path = self.full(&path);
                self.wrong(BuildProblem::NotAFolder { path });
            }
            Ok(metadata) => self.present(&path, on_disk, &metadata, attributes),
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(20) => {
                self.missing(path, on_disk, names_folder, attributes);
            }
            Err(error) => {
                let path = self.full(&path);
                self.wrong(BuildProblem::Unreadable { path, reason: reason(&error) });
            }
        }
    }

    /// What is not there: a ghost may be missing, and so may what is left out.
    fn missing(&mut self, path: BString, on_disk: PathBuf, names_folder: bool, attributes: &Attributes) {
        if attributes.flags & flag::GHOST != 0 {
            let is_folder = attributes.is_folder || names_folder;
            let mode = if is_folder { kind::FOLDER } else { kind::REGULAR };
            let entry = self.absent(path, on_disk, mode, attributes);
            return self.entries.push(entry);
        }
        let path = self.full(&path);
        self.wrong(match (attributes.is_excluded, attributes.is_folder) {
            (true, _) => BuildProblem::NothingExcluded { path },
            (false, is_folder) if self.may_lack_documents => {
                BuildProblem::DocumentNotFound { path, is_folder }
            }
            (false, true) => BuildProblem::FolderNotFound { path },
            (false, false) => BuildProblem::FileNotFound { path },
        });
    }

    fn present(&mut self, path: &[u8], on_disk: PathBuf, metadata: &Metadata, attributes: &Attributes) {
        if attributes.is_folder && !metadata.is_dir() {
            let path = self.full(path);
            return self.wrong(BuildProblem::NotAFolder { path });
        }
        let recurses = metadata.is_dir() && !attributes.is_folder;
        let folder = match (&self.root, recurses) {
            (Some(root), true) if on_disk.as_os_str().is_empty() => root.dir().try_clone().ok(),
            (Some(root), true) => root.dir().open_dir(&on_disk).ok(),
            _ => None,
        };
        let target = match &self.root {
            Some(root) if metadata.is_symlink() => root.dir().read_link_contents(&on_disk).ok(),
            _ => None,
        };
        self.add(path, on_disk.clone(), metadata, target, attributes);
        if let Some(folder) = folder {
            self.below(path, &on_disk, &folder, attributes);
        } else if recurses {
            let path = self.full(path);
            let reason = reason(&io::ErrorKind::PermissionDenied.into());
            self.wrong(BuildProblem::Unreadable { path, reason });
        }
    }

    /// All that lies in a folder.
    fn below(&mut self, path: &[u8], on_disk: &Path, folder: &Dir, attributes: &Attributes) {
        let read = folder.entries().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match read {
            Ok(entries) => entries,
            Err(error) => {
                let path = self.full(path);
                return self.wrong(BuildProblem::Unreadable { path, reason: reason(&error) });
            }
        };
        let found: Vec<_> = entries
            .par_iter()
            .with_min_len(MANY)
            .map(|found| (found.file_name(), found.metadata()))
            .collect();
        for (name, metadata) in found {
            let base = path.trim_end_with(|c| c == '/');
            let path: BString = [base, b"/", name.as_bytes()].concat().into();
            let on_disk = on_disk.join(&name);
            let metadata = match metadata {
                Ok(metadata) => metadata,
                Err(error) => {
                    let path = self.full(&path);
                    self.wrong(BuildProblem::Unreadable { path, reason: reason(&error) });
                    continue;
                }
            };
            let target = if metadata.is_symlink() { folder.read_link_contents(&name).ok() } else { None };
            self.add(&path, on_disk.clone(), &metadata, target, attributes);
            if metadata.is_dir() {
                match folder.open_dir(&name) {
                    Ok(folder) => self.below(&path, &on_disk, &folder, attributes),
                    Err(error) => {
                        let path = self.full(&path);
                        self.wrong(BuildProblem::Unreadable { path, reason: reason(&error) });
                    }
                }
            }
        }
    }

    fn add(
        &mut self,
        path: &[u8],
        on_disk: PathBuf,
        metadata: &Metadata,
        target: Option<PathBuf>,
        attributes: &Attributes,
    ) {
        if let Some(character) = path.iter().copied().find(u8::is_ascii_control) {
            let path = self.full(path);
            return self.wrong(BuildProblem::Character { character, path });
        }
        let mut entry = self.absent(path.into(), on_disk, metadata.mode() & kind::MASK, attributes);
        if entry.mode_said == Said::Nowhere || entry.kind() == kind::LINK {
            entry.mode = metadata.mode();
        }
        if entry.kind() == kind::LINK && matches!(attributes.mode, Some((_, Said::ForThis))) {
            let path = self.full(path);
            self.wrong(BuildProblem::ModeOfLink { path });
        }
        entry.is_there = true;
        entry.is_executable = metadata.mode() & 0o111 != 0;
        entry.modified = metadata.mtime();
        entry.size = metadata.size();
        entry.identity = Some((metadata.dev(), metadata.ino(), metadata.nlink()));
        if metadata.is_dir() {
            entry.size = 0;
        }
        if matches!(entry.kind(), kind::BLOCK | kind::CHARACTER) {
            let (major, minor) = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
            (entry.device, entry.size) = ((major, minor), 0);
        }
        if !entry.is_regular() && entry.kind() != kind::LINK {
            entry.size = 0;
        }
        entry.target = target.map(|target| target.as_os_str().as_bytes().into()).unwrap_or_default();
        if self.is_documentation(&entry) {
            entry.flags |= flag::DOC;
        }
        self.entries.push(entry);
    }

    fn is_documentation(&self, entry: &PackagedFile) -> bool {
        let lies_below = |folder: &BString| {
            entry.path.strip_prefix(folder.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
        };
        !entry.is_folder() && self.doc_folders.iter().any(lies_below)
    }

    /// An entry with all that its line says, and nothing that the disk does.
    fn absent(&self, path: BString, on_disk: PathBuf, kind: u32, attributes: &Attributes) -> PackagedFile {
        let is_folder = kind == kind::FOLDER;
        let said = if is_folder { attributes.folder_mode } else { attributes.mode };
        let owner = |said: &Option<(BString, Said)>| said.clone().unwrap_or(("root".into(), Said::Nowhere));
        let mut flags = attributes.flags;
        if is_folder {
            flags &= !OF_CONTENT;
        }
        let verifies = match attributes.verifies {
            Some(bits) => (bits, Said::ForThis),
            None => (u32::MAX, Said::Nowhere),
        };
        let is_ghost = flags & flag::GHOST != 0;
        PackagedFile {
            path,
            on_disk,
            mode: kind | said.map_or(0, |(mode, _)| mode),
            mode_said: said.map(|(_, said)| said).unwrap_or_default(),
            modified: self.time,
            user: owner(&attributes.user),
            group: owner(&attributes.group),
            flags,
            verifies: if is_ghost { (verifies.0 & GHOST_VERIFIES, verifies.1) } else { verifies },
            languages: attributes.languages.clone(),
            capabilities: attributes.capabilities.clone(),
            is_excluded: attributes.is_excluded,
            ..PackagedFile::default()
        }
    }

    /// The path as messages have it: in the buildroot.
    fn full(&self, path: &[u8]) -> BString {
        [self.workspace.root.as_os_str().as_bytes(), path].concat().into()
    }
}

/// A path without empty parts, and without `.` and `..`.
fn cleaned(path: &[u8]) -> BString {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut cleaned = BString::from("/");
    cleaned.extend_from_slice(&parts.join(b"/".as_slice()));
    cleaned
}

/// Capabilities as libcap(3) writes them: in small letters, what is set for good with `=`.
fn normal(text: &str) -> BString {
    text.to_ascii_lowercase().replace('+', "=").into()
}
