//! One program of the buildroot: its debug information goes to a file of its own.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::{OpenOptions, Permissions, PermissionsExt};
use object::elf;

use super::build_id::{Renewal, new_build_id};
use super::dwarf::{PathChange, Rewritten, rewrite};
use super::elf::{Elf, Unsplit};
use super::options::DebugOptions;
use super::programs::{DEBUG, Program, debug_path};
use super::refused::{DebugVariables, Refused, tell};
use super::split::{Changed, LINK, SplitOrder, checksum, is_library};
use super::symbols::correct_thread_local;
use crate::files::{Folder, HostPath};
use crate::process::{Redirections, run_plain};

/// Debug information is for reading.
const DEBUG_MODE: u32 = 0o444;

/// How programs of a buildroot are worked on.
pub(super) struct Extraction<'e> {
    pub(super) root: &'e Folder,
    pub(super) environment: &'e DebugVariables,
    pub(super) options: &'e DebugOptions,
    /// The folder whose sources are for debuggers, and where they go below the buildroot.
    pub(super) base: &'e HostPath,
    pub(super) destination: &'e Path,
}

/// What came of a program.
pub(super) struct Extracted {
    /// The program, below the buildroot, and its debug information where that was split off.
    program: PathBuf,
    debug: Option<PathBuf>,
    /// The sources that it was made of.
    pub(super) sources: BTreeSet<Vec<u8>>,
}

impl Extraction<'_> {
    /// Takes the debug information out of a program; nothing where there is none to be taken.
    pub(super) fn extract(&self, program: &Program) -> Result<Option<Extracted>, Refused> {
        let debug = debug_path(&program.path, &self.options.suffix);
        if self.root.exists(&debug) {
            return Ok(None);
        }
        let data = self.read(&program.path)?;
        match Elf::read(&data) {
            Ok(file) if !file.has_something_to_strip() => Ok(None),
            Ok(file) if ![elf::ET_EXEC.0, elf::ET_DYN.0].contains(&file.kind) => {
                self.check_build_id(program, &file)?;
                self.leave(program, &Unsplit::because("it is no program or library that is linked"));
                Ok(None)
            }
            Ok(file) => self.extract_from(program, &file, debug),
            Err(unsplit) => {
                self.leave(program, &unsplit);
                Ok(None)
            }
        }
    }

    fn extract_from(
        &self,
        program: &Program,
        file: &Elf<'_>,
        debug: PathBuf,
    ) -> Result<Option<Extracted>, Refused> {
        let destination = [b"/", self.destination.as_os_str().as_bytes()].concat();
        let change = PathChange::new(self.base.as_os_str().as_bytes(), &destination);
        let Rewritten { mut contents, sources } = rewrite(file, &change).unwrap_or_else(|unsplit| {
            let path = program.path.display();
            tell(&format!("*** WARNING: /{path}: its paths of sources stay as they are: {unsplit}"));
            Rewritten::default()
        });
        self.check_build_id(program, file)?;
        let is_renewed =
            !self.options.keeps_build_ids && (!contents.is_empty() || self.options.seed.is_some());
        let seed = self.options.seed.clone().unwrap_or_default();
        let renewal = if self.options.renews_whole_build_ids { Renewal::Whole } else { Renewal::Beginning };
        let build_id = if is_renewed { new_build_id(file, &contents, &seed, renewal) } else { None };
        correct_thread_local(file, &mut contents);
        let changed = Changed { file, contents, build_id };
        let mut extracted = Extracted { program: program.path.clone(), debug: None, sources };
        let is_in_place = program.path.starts_with(DEBUG);
        if is_in_place || self.options.has_gdb_index {
            let whole = match changed.whole() {
                Ok(whole) => whole,
                Err(unsplit) => {
                    self.leave(program, &unsplit);
                    return Ok(None);
                }
            };
            self.write(program, &whole)?;
            if is_in_place {
                return Ok(Some(extracted));
            }
            self.add_gdb_index(program)?;
            let data = self.read(&program.path)?;
            let indexed = Elf::read(&data);
            let split = indexed.and_then(|file| {
                let changed = Changed { file: &file, contents: Default::default(), build_id: None };
                self.split(&changed, &debug)
            });
            return self.write_halves(program, split, debug, extracted);
        }
        let split = self.split(&changed, &debug);
        extracted = match self.write_halves(program, split, debug, extracted)? {
            Some(extracted) => extracted,
            None => return Ok(None),
        };
        Ok(Some(extracted))
    }

    fn split(&self, changed: &Changed<'_>, debug: &Path) -> Result<super::split::Halves, Unsplit> {
        let options = self.options;
        let keeps_symbols =
            options.keeps_symbols || options.keeps_library_symbols && is_library(changed.file);
        let order = SplitOrder {
            debug_name: debug.file_name().map(OsStrExt::as_bytes).unwrap_or_default(),
            keeps_symbols,
            has_mini: options.has_mini && !keeps_symbols,
            stays: &|name| options.stays(name),
        };
        changed.split(&order)
    }

    fn write_halves(
        &self,
        program: &Program,
        split: Result<super::split::Halves, Unsplit>,
        debug: PathBuf,
        extracted: Extracted,
    ) -> Result<Option<Extracted>, Refused> {
        let halves = match split {
            Ok(halves) => halves,
            Err(unsplit) => {
                self.leave(program, &unsplit);
                return Ok(None);
            }
        };
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| Refused::unreadable(&path, &error)
        };
        let Some(content) = halves.debug else {
            self.write(program, &halves.program)?;
            return Ok(Some(extracted));
        };
        self.create_parent(&debug)?;
        let mut file = self.root.new_file(&debug, 0o644).map_err(refused(&debug))?;
        file.write_all(&content).map_err(refused(&debug))?;
        file.set_permissions(Permissions::from_mode(DEBUG_MODE)).map_err(refused(&debug))?;
        self.write(program, &halves.program)?;
        // Where a program has several names, its debug information has as many.
        for other in &program.others {
            let other = debug_path(other, &self.options.suffix);
            self.create_parent(&other)?;
            if other != debug {
                self.root.remove_file(&other).map_err(refused(&other))?;
                let linked = self.root.dir().hard_link(&debug, self.root.dir(), &other);
                linked.map_err(refused(&other))?;
            }
        }
        Ok(Some(Extracted { debug: Some(debug), ..extracted }))
    }

    fn create_parent(&self, path: &Path) -> Result<(), Refused> {
        let parent = path.parent().unwrap_or(Path::new(DEBUG));
        self.root.create(parent).map(drop).map_err(|error| Refused::unreadable(parent, &error))
    }

    fn check_build_id(&self, program: &Program, file: &Elf<'_>) -> Result<(), Refused> {
        if file.build_id().is_some() {
            return Ok(());
        }
        let what = format!("No build ID note found in {}", self.root.path().join(&program.path));
        if self.options.is_strict {
            return Err(Refused::wrong(&what));
        }
        tell(&format!("*** WARNING: {what}"));
        Ok(())
    }

    fn add_gdb_index(&self, program: &Program) -> Result<(), Refused> {
        let path = self.root.path().join(&program.path);
        let words = [b"gdb-add-index".to_vec(), path.as_os_str().as_bytes().to_vec()];
        match run_plain(&words, self.environment, None, Redirections::default()) {
            // Whether there was something to index is not this program's to judge.
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Refused::wrong("GDB index requested, but no gdb-add-index installed"))
            }
            Err(error) => Err(Refused::unreadable(Path::new("gdb-add-index"), &error)),
        }
    }

    /// Makes the link in a program right again, when its debug information has changed.
    pub(super) fn renew_link(&self, extracted: &Extracted) -> Result<(), Refused> {
        let Some(debug) = &extracted.debug else {
            return Ok(());
        };
        let sum = checksum(&self.read(debug)?);
        let mut data = self.read(&extracted.program)?;
        let place = match Elf::read(&data) {
            Ok(file) => file.section(LINK).and_then(|(_, section)| {
                let at = usize::try_from(section.end()).ok()?.checked_sub(4)?;
                Some((file.encoding, at))
            }),
            Err(_) => None,
        };
        if let Some((encoding, at)) = place
            && encoding.put(&mut data, at, 4, sum.into()).is_some()
        {
            let mode = self.root.dir().metadata(&extracted.program);
            let mode = mode.map(|metadata| metadata.permissions().mode()).unwrap_or(0o755);
            let program = Program { path: extracted.program.clone(), others: Vec::new(), mode };
            self.write(&program, &data)?;
        }
        Ok(())
    }

    fn leave(&self, program: &Program, unsplit: &Unsplit) {
        tell(&format!("*** WARNING: /{} stays as it is: {unsplit}", program.path.display()));
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refused> {
        let mut data = Vec::new();
        let read = self.root.open_regular(path).and_then(|mut file| file.read_to_end(&mut data));
        read.map_err(|error| Refused::unreadable(path, &error))?;
        Ok(data)
    }

    /// Writes a program where it is: all its names keep it.
    fn write(&self, program: &Program, content: &[u8]) -> Result<(), Refused> {
        let write = || -> std::io::Result<()> {
            let path = &program.path;
            let permissions = |mode: u32| Permissions::from_mode(mode & 0o7777);
            if program.mode & 0o200 == 0 {
                self.root.dir().set_permissions(path, permissions(program.mode | 0o200))?;
            }
            let mut options = OpenOptions::new();
            options.write(true).truncate(true);
            let mut file = self.root.dir().open_with(path, &options)?;
            file.write_all(content)?;
            file.set_permissions(permissions(program.mode))
        };
        write().map_err(|error| Refused::unreadable(&program.path, &error))
    }
}
