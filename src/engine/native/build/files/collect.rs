//! The files that `%files` lists, found in the buildroot.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use cap_std::fs::{Dir, Metadata, MetadataExt};
use rayon::prelude::*;

use super::super::build_root::BuildRoot;
use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use super::line::{Attributes, Defaults, DeviceFile, InvalidCapabilities};
use super::mode::{FileMode, FileType};
use super::packaged_file::{GHOST_VERIFIES, PackagedFile, Precedence, flag};
use super::pattern;
use super::public_key::{KeyProblem, armor_first_key};
use crate::files::{Folder, reason};
use crate::spec::{FileItem, SimpleDirective, read_file_line_partly};

/// Fewer entries of a folder are not worth another thread.
const MANY: usize = 32;

/// Flags that folders do not have: they hold nothing themselves.
const OF_CONTENT: u32 = flag::CONFIG | flag::DOC | flag::LICENSE;

/// A file of the buildroot, as it was found there.
struct FoundFile<'m> {
    /// Where it is installed.
    path: BString,
    /// Where it lies, relative to the buildroot.
    on_disk: PathBuf,
    metadata: &'m Metadata,
    /// Where it points, if it is a symbolic link.
    target: Option<PathBuf>,
}

/// Collects the files of a package.
pub(super) struct Collector<'c> {
    world: World<'c>,
    workspace: &'c Workspace,
    root: Option<Folder>,
    /// When the package is built: what is not there was changed then.
    time: i64,
    doc_folders: Vec<BString>,
    defaults: Defaults,
    pub(super) files: Vec<PackagedFile>,
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
            root: workspace.root.open(world.files),
            time,
            doc_folders,
            defaults: Defaults::default(),
            files: Vec::new(),
            special: Vec::new(),
            keys: Vec::new(),
            has_failed: false,
            may_lack_documents: false,
        }
    }

    /// Opens the buildroot again: a script may have made it.
    pub(super) fn reopen_root(&mut self) {
        self.root = self.workspace.root.open(self.world.files);
    }

    /// Tells of something wrong; the other files are looked at all the same.
    fn report(&mut self, problem: BuildProblem) {
        self.has_failed |= problem.is_error();
        self.world.tell(problem);
    }

    /// Adds what a line of `%files` or of a list names.
    pub(super) fn add_line(&mut self, text: &[u8]) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let (item, problem) = read_file_line_partly(text);
        if problem.is_none() || !item.names.is_empty() {
            self.add_item(&item);
        }
        if let Some(problem) = problem {
            self.report(BuildProblem::FileLine { problem });
        }
    }

    fn add_item(&mut self, item: &FileItem) {
        let attributes = match Attributes::read(item, &mut self.defaults) {
            Ok(attributes) => attributes,
            Err(InvalidCapabilities(text)) => return self.report(BuildProblem::Capability { text }),
        };
        for name in &item.names {
            match attributes.special {
                Some(special) if !name.starts_with(b"/") => {
                    self.special.push((special, name.clone(), attributes.clone()));
                }
                _ if attributes.is_doc_folder => self.doc_folders.push(name.clone()),
                _ if attributes.flags & flag::PUBKEY != 0 => self.add_key(name, &attributes),
                _ => self.add_name(name, &attributes),
            }
        }
    }

    /// Adds what a name of a line stands for: a path or a pattern.
    fn add_name(&mut self, name: &[u8], attributes: &Attributes) {
        let mut found = match &self.root {
            Some(root) => pattern::find_paths(root.dir(), name),
            None => Vec::new(),
        };
        if let Some(root) = self.root.as_ref().filter(|_| attributes.is_folder || name.ends_with(b"/")) {
            found.retain(|path| root.is_folder(path));
        }
        if found.is_empty() {
            return self.add_path(name, attributes);
        }
        for path in found {
            let path = [b"/", path.as_os_str().as_bytes()].concat();
            self.add_path(&path, attributes);
        }
    }

    /// Adds a public key of the build, or one that is packaged as a file as well.
    fn add_key(&mut self, name: &[u8], attributes: &Attributes) {
        let path = if name.starts_with(b"/") {
            self.full_path(&clean_path(name))
        } else {
            match self.workspace.in_sources(&self.world, name) {
                Ok(path) => path.as_os_str().as_bytes().into(),
                Err(_) => return self.has_failed = true,
            }
        };
        let text = self.world.macros.read_file(&path);
        let read = text.map_err(|_| KeyProblem::Unreadable).and_then(|text| armor_first_key(&text));
        match read {
            Ok(key) => self.keys.push(key),
            Err(problem) => return self.report(BuildProblem::PublicKey { path, problem }),
        }
        if name.starts_with(b"/") {
            self.add_path(name, attributes);
        }
    }

    /// Adds documentation that was put there; whether it may be missing is a matter of configuration.
    pub(super) fn add_document(&mut self, name: &[u8], attributes: &Attributes) {
        let is_fatal = self.world.is_on("_missing_doc_files_terminate_build");
        self.may_lack_documents = !is_fatal;
        self.add_path(name, attributes);
        self.may_lack_documents = false;
    }

    /// Adds a path in the root, with all that lies below it.
    fn add_path(&mut self, path: &[u8], attributes: &Attributes) {
        let names_folder = path.ends_with(b"/");
        let path = clean_path(path);
        let on_disk = BuildRoot::relative(&path);
        if let Some(DeviceFile { file_type, numbers }) = attributes.device {
            let mut file = self.make_file(path, on_disk, file_type, attributes);
            file.device = numbers;
            file.identity = Some((0, 0, 1));
            return self.files.push(file);
        }
        let found = match &self.root {
            Some(root) if on_disk.as_os_str().is_empty() => root.dir().dir_metadata(),
            Some(root) => root.dir().symlink_metadata(&on_disk),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        match found {
            Ok(metadata) if names_folder && !metadata.is_dir() => {
                let path = self.full_path(&path);
                self.report(BuildProblem::NotAFolder { path });
            }
            Ok(metadata) => self.add_tree(&path, on_disk, &metadata, attributes),
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(20) => {
                self.add_missing(path, on_disk, names_folder, attributes);
            }
            Err(error) => {
                let path = self.full_path(&path);
                self.report(BuildProblem::Unreadable { path, reason: reason(&error) });
            }
        }
    }

    /// Adds what is not there: a ghost may be missing, and so may what is left out.
    fn add_missing(&mut self, path: BString, on_disk: PathBuf, names_folder: bool, attributes: &Attributes) {
        if attributes.flags & flag::GHOST != 0 {
            let is_folder = attributes.is_folder || names_folder;
            let file_type = if is_folder { FileType::Folder } else { FileType::Regular };
            let file = self.make_file(path, on_disk, file_type, attributes);
            return self.files.push(file);
        }
        let path = self.full_path(&path);
        self.report(match (attributes.is_excluded, attributes.is_folder) {
            (true, _) => BuildProblem::NothingExcluded { path },
            (false, is_folder) if self.may_lack_documents => {
                BuildProblem::DocumentNotFound { path, is_folder }
            }
            (false, true) => BuildProblem::FolderNotFound { path },
            (false, false) => BuildProblem::FileNotFound { path },
        });
    }

    /// Adds what is there, with all that lies below it.
    fn add_tree(&mut self, path: &[u8], on_disk: PathBuf, metadata: &Metadata, attributes: &Attributes) {
        if attributes.is_folder && !metadata.is_dir() {
            let path = self.full_path(path);
            return self.report(BuildProblem::NotAFolder { path });
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
        let found = FoundFile { path: path.into(), on_disk: on_disk.clone(), metadata, target };
        self.add_found(found, attributes);
        if let Some(folder) = folder {
            self.add_content(path, &on_disk, &folder, attributes);
        } else if recurses {
            let path = self.full_path(path);
            let reason = reason(&io::ErrorKind::PermissionDenied.into());
            self.report(BuildProblem::Unreadable { path, reason });
        }
    }

    /// Adds all that lies in a folder.
    fn add_content(&mut self, path: &[u8], on_disk: &Path, folder: &Dir, attributes: &Attributes) {
        let read = folder.entries().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match read {
            Ok(entries) => entries,
            Err(error) => {
                let path = self.full_path(path);
                return self.report(BuildProblem::Unreadable { path, reason: reason(&error) });
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
                    let path = self.full_path(&path);
                    self.report(BuildProblem::Unreadable { path, reason: reason(&error) });
                    continue;
                }
            };
            let target = if metadata.is_symlink() { folder.read_link_contents(&name).ok() } else { None };
            let found =
                FoundFile { path: path.clone(), on_disk: on_disk.clone(), metadata: &metadata, target };
            self.add_found(found, attributes);
            if metadata.is_dir() {
                match folder.open_dir(&name) {
                    Ok(folder) => self.add_content(&path, &on_disk, &folder, attributes),
                    Err(error) => {
                        let path = self.full_path(&path);
                        self.report(BuildProblem::Unreadable { path, reason: reason(&error) });
                    }
                }
            }
        }
    }

    fn add_found(&mut self, found: FoundFile<'_>, attributes: &Attributes) {
        let FoundFile { path, on_disk, metadata, target } = found;
        if let Some(character) = path.iter().copied().find(u8::is_ascii_control) {
            let path = self.full_path(&path);
            return self.report(BuildProblem::Character { character, path });
        }
        let mode = FileMode::from_bits(metadata.mode());
        let mut file = self.make_file(path, on_disk, mode.file_type, attributes);
        if file.mode_precedence == Precedence::Unsaid || file.is_link() {
            file.mode = mode;
        }
        if file.is_link() && matches!(attributes.permissions, Some((_, Precedence::OwnLine))) {
            let path = self.full_path(&file.path);
            self.report(BuildProblem::ModeOfLink { path });
        }
        file.is_there = true;
        file.is_executable = mode.permissions.can_run();
        file.modified = metadata.mtime();
        file.identity = Some((metadata.dev(), metadata.ino(), metadata.nlink()));
        if file.file_type().is_device() {
            file.device = (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
        }
        if file.is_regular() || file.is_link() {
            file.size = metadata.size();
        }
        file.target = target.map(|target| target.as_os_str().as_bytes().into()).unwrap_or_default();
        if self.is_documentation(&file) {
            file.flags |= flag::DOC;
        }
        self.files.push(file);
    }

    fn is_documentation(&self, entry: &PackagedFile) -> bool {
        let lies_below = |folder: &BString| {
            entry.path.strip_prefix(folder.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
        };
        !entry.is_folder() && self.doc_folders.iter().any(lies_below)
    }

    /// A file with all that its line says, and nothing that the disk does.
    fn make_file(
        &self,
        path: BString,
        on_disk: PathBuf,
        file_type: FileType,
        attributes: &Attributes,
    ) -> PackagedFile {
        let is_folder = file_type == FileType::Folder;
        let said = if is_folder { attributes.folder_permissions } else { attributes.permissions };
        let (permissions, mode_precedence) = said.unwrap_or_default();
        let mut flags = attributes.flags;
        if is_folder {
            flags &= !OF_CONTENT;
        }
        let verifies = match attributes.verifies {
            Some(bits) => (bits, Precedence::OwnLine),
            None => (u32::MAX, Precedence::Unsaid),
        };
        let is_ghost = flags & flag::GHOST != 0;
        PackagedFile {
            path,
            on_disk,
            mode: FileMode { file_type, permissions },
            mode_precedence,
            modified: self.time,
            user: attributes.user.clone().unwrap_or_else(default_owner),
            group: attributes.group.clone().unwrap_or_else(default_owner),
            flags,
            verifies: if is_ghost { (verifies.0 & GHOST_VERIFIES, verifies.1) } else { verifies },
            languages: attributes.languages.clone(),
            capabilities: attributes.capabilities.clone(),
            is_excluded: attributes.is_excluded,
            ..PackagedFile::default()
        }
    }

    /// The path as messages have it: in the buildroot.
    fn full_path(&self, path: &[u8]) -> BString {
        self.workspace.root.full_path(path)
    }
}

/// Who owns a file of which no line says it.
fn default_owner() -> (BString, Precedence) {
    ("root".into(), Precedence::Unsaid)
}

/// A path without empty parts, and without `.` and `..`.
fn clean_path(path: &[u8]) -> BString {
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
