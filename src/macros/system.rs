//! This machine as the host of macros.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cap_std::fs::MetadataExt;
use rustix::fs::{Mode, OFlags};

use super::host::{
    Access, FileStatus, FilterJob, Host, HostEnvironment, HostFiles, HostOutput, HostPrograms, Machine,
    Report, Streams,
};
use super::known_command::known_output;
use super::limits::LARGEST_OUTPUT;
use super::path::Configuration;
use crate::files::{HostPath, LastLink, Reach, Tree, read_text};
use crate::process::{Redirections, ShellLimits, filter_all, run_plain, shell_output};

/// Where the macro files of a root lie, and what they load (rpm-macrofile(5)).
const MACRO_FOLDERS: [&str; 3] = ["/usr/lib/rpm", "/usr/share/rpm", "/etc/rpm"];

/// Where reports, and what `%trace` and `%dump` show, go.
pub type ReportListener = Box<dyn Fn(Report)>;

/// The machine that forge runs on, or a root on it.
pub struct SystemHost {
    tree: Tree,
    /// What macros may look at, and nothing else may they do; nothing where they may do everything.
    reach: Option<Reach>,
    environment: RefCell<BTreeMap<OsString, OsString>>,
    is_verbose: bool,
    listener: ReportListener,
    commands: Option<Commands>,
    is_silent: bool,
    command_time: Option<Duration>,
    /// Where relative paths begin, and commands run; where the program runs, if nothing is said.
    folder: Option<PathBuf>,
}

/// What commands have written so far, by what they are and where they ran: while specs are only looked at, the same
/// command runs once for all of them. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    known: Arc<Mutex<HashMap<CommandKey, Vec<u8>>>>,
}

/// A command and the environment that it ran in.
type CommandKey = (Vec<u8>, BTreeMap<OsString, OsString>);

impl SystemHost {
    /// This machine, with an environment. What is wrong goes to `listener`.
    ///
    /// # Errors
    /// Its files are out of reach.
    pub fn new(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        listener: impl Fn(Report) + 'static,
    ) -> io::Result<Self> {
        Ok(Self {
            tree: Tree::open(&HostPath::root())?,
            reach: None,
            environment: RefCell::new(environment.into_iter().collect()),
            is_verbose: false,
            listener: Box::new(listener),
            commands: None,
            is_silent: false,
            command_time: None,
            folder: None,
        })
    }

    /// With the files of a root. Its programs would need its own system around them: nothing is run.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn in_root(mut self, root: &HostPath) -> io::Result<Self> {
        self.tree = Tree::open(root)?;
        Ok(self.read_only())
    }

    /// Without a terminal: what macros print, and what commands say of errors, is dropped, and a command that takes
    /// longer than `time` is ended.
    pub fn silent(mut self, time: Duration) -> Self {
        self.is_silent = true;
        self.command_time = Some(time);
        self
    }

    /// With relative paths that begin in a folder, where commands run as well.
    pub fn with_folder(mut self, folder: &HostPath) -> Self {
        self.folder = Some(folder.as_path().to_owned());
        self
    }

    /// With commands that are known already: they are not run again.
    pub fn with_commands(mut self, commands: Commands) -> Self {
        self.commands = Some(commands);
        self
    }

    /// Without running anything and without writing any file. All files can be read.
    pub fn read_only(mut self) -> Self {
        self.reach = Some(Reach::of_whole_tree(&self.tree));
        self
    }

    /// As [`SystemHost::read_only`], and of the files only those in these folders and rpm's own can be read: for text
    /// that nobody has looked at.
    pub fn confine_to(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let own = PathBuf::from(OsString::from_vec(Configuration::find_folder(&self)));
        let rpm = MACRO_FOLDERS.iter().map(PathBuf::from).chain([own]);
        self.reach = Some(Reach::new(&self.tree, folders.into_iter().chain(rpm)));
        self
    }

    /// With every detail told: `%{verbose}` is 1.
    pub fn verbose(mut self, is_verbose: bool) -> Self {
        self.is_verbose = is_verbose;
        self
    }

    /// The path in the tree: a relative one begins where the program runs, in a root at its top.
    fn locate(&self, path: &[u8]) -> PathBuf {
        let path = Path::new(OsStr::from_bytes(path));
        if path.is_absolute() || !self.is_whole_machine() {
            return path.to_owned();
        }
        if let Some(folder) = &self.folder {
            return folder.join(path);
        }
        let folder =
            rustix::process::getcwd(Vec::new()).map(|folder| folder.into_bytes()).unwrap_or_default();
        PathBuf::from(OsString::from_vec(folder)).join(path)
    }

    fn is_whole_machine(&self) -> bool {
        self.tree.path().as_path() == Path::new("/")
    }

    /// No command and no program runs where macros may only read, whoever asks.
    fn check_access(&self) -> io::Result<()> {
        match self.access() {
            Access::Open => Ok(()),
            Access::Closed => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    /// What is asked only where macros may only read.
    fn reach(&self) -> io::Result<&Reach> {
        self.reach.as_ref().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn open_redirection(&self, path: Option<&Vec<u8>>, flags: OFlags) -> io::Result<Option<std::fs::File>> {
        let Some(path) = path else {
            return Ok(None);
        };
        let opened =
            rustix::fs::open(self.locate(path), flags | OFlags::CLOEXEC, Mode::from_bits_truncate(0o666));
        Ok(Some(opened.map_err(io::Error::from)?.into()))
    }
}

impl Host for SystemHost {
    fn access(&self) -> Access {
        if self.reach.is_some() { Access::Closed } else { Access::Open }
    }
}

impl HostPrograms for SystemHost {
    fn shell(&self, command: &[u8]) -> io::Result<Vec<u8>> {
        self.check_access()?;
        let environment = self.environment.borrow();
        if let Some(output) = known_output(command, &environment) {
            return Ok(output);
        }
        // What was printed so far comes before what the command prints itself.
        let _ = io::stdout().flush();
        let limits =
            ShellLimits { output_bytes: LARGEST_OUTPUT, time: self.command_time, is_quiet: self.is_silent };
        let Some(commands) = &self.commands else {
            return shell_output(command, &environment, self.folder.as_deref(), limits);
        };
        let key = (command.to_vec(), environment.clone());
        if let Some(output) = commands.known.lock().ok().and_then(|known| known.get(&key).cloned()) {
            return Ok(output);
        }
        let output = shell_output(command, &environment, self.folder.as_deref(), limits)?;
        if let Ok(mut known) = commands.known.lock() {
            known.insert(key, output.clone());
        }
        Ok(output)
    }

    fn run(&self, words: &[Vec<u8>], streams: &Streams) -> io::Result<i32> {
        self.check_access()?;
        let _ = io::stdout().flush();
        let writing = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let redirections = Redirections {
            input: self.open_redirection(streams.input.as_ref(), OFlags::RDONLY)?,
            output: self.open_redirection(streams.output.as_ref(), writing)?,
            errors: self.open_redirection(streams.errors.as_ref(), writing)?,
        };
        run_plain(words, &self.environment.borrow(), self.folder.as_deref(), redirections)
    }

    fn filter_all(&self, jobs: &[FilterJob], threads: usize) -> Vec<io::Result<(i32, Vec<u8>)>> {
        if self.check_access().is_err() {
            return jobs.iter().map(|_| Err(io::ErrorKind::PermissionDenied.into())).collect();
        }
        let _ = io::stdout().flush();
        filter_all(jobs, &self.environment.borrow(), self.folder.as_deref(), threads)
    }

    fn note_effect(&self) {}
}

impl HostFiles for SystemHost {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let path = self.locate(path);
        let Some(reach) = &self.reach else {
            return self.tree.read(&path);
        };
        read_text(reach.open(&path)?)
    }

    fn read_start(&self, path: &[u8], length: usize) -> io::Result<Vec<u8>> {
        let mut start = Vec::with_capacity(length);
        let path = self.locate(path);
        let file = match &self.reach {
            Some(reach) => reach.open(&path)?,
            None => self.tree.open_file(&path)?,
        };
        file.take(length as u64).read_to_end(&mut start)?;
        Ok(start)
    }

    fn exists(&self, path: &[u8]) -> bool {
        let place = self.locate(path);
        let exists = match &self.reach {
            Some(reach) => reach.status(&place, LastLink::Followed).is_ok(),
            None => self.tree.exists(&place),
        };
        !path.is_empty() && exists
    }

    fn is_out_of_reach(&self, path: &[u8]) -> bool {
        self.reach.as_ref().is_some_and(|reach| reach.refuses(&self.locate(path)))
    }

    fn open_file(&self, path: &[u8]) -> io::Result<File> {
        let path = self.locate(path);
        Ok(match &self.reach {
            Some(reach) => reach.open(&path)?.into_std(),
            None => self.tree.open_file(&path)?.into_std(),
        })
    }

    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let names = self.reach()?.names(&self.locate(path))?;
        Ok(names.into_iter().map(OsString::into_vec).collect())
    }

    fn status(&self, path: &[u8], last: LastLink) -> io::Result<FileStatus> {
        let status = self.reach()?.status(&self.locate(path), last)?;
        Ok(FileStatus {
            mode: status.mode(),
            inode: status.ino(),
            device: status.dev(),
            links: status.nlink(),
            user: status.uid(),
            group: status.gid(),
            size: status.size(),
            accessed: status.atime(),
            modified: status.mtime(),
            changed: status.ctime(),
        })
    }

    fn link_target(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        Ok(self.reach()?.link_target(&self.locate(path))?.into_os_string().into_vec())
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let path = self.locate(pattern);
        let Some(text) = path.to_str() else {
            return Ok(Vec::new());
        };
        let found = match &self.reach {
            Some(reach) => reach.glob(text)?,
            None => self.tree.glob(text),
        };
        let is_relative = !pattern.starts_with(b"/") && self.is_whole_machine();
        let folder = if is_relative { self.locate(b"") } else { PathBuf::new() };
        let shown = |path: PathBuf| path.strip_prefix(&folder).map(Path::to_owned).unwrap_or(path);
        Ok(found.into_iter().map(|path| shown(path).into_os_string().into_vec()).collect())
    }

    fn local_path(&self, path: &[u8]) -> Vec<u8> {
        if self.is_whole_machine() {
            let is_elsewhere = self.folder.is_some() && !path.starts_with(b"/");
            return if is_elsewhere { self.locate(path).into_os_string().into_vec() } else { path.to_vec() };
        }
        let wanted = Path::new(OsStr::from_bytes(path));
        let inside = self.tree.resolve(wanted).unwrap_or_else(|_| {
            let plain = |part: &std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
            wanted.components().filter(plain).collect()
        });
        self.tree.path().join(inside).as_os_str().as_bytes().to_vec()
    }

    fn working_folder(&self) -> Option<Vec<u8>> {
        Some(self.folder.as_ref()?.as_os_str().as_bytes().to_vec())
    }
}

impl HostEnvironment for SystemHost {
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        let environment = self.environment.borrow();
        environment.get(OsStr::from_bytes(name)).map(|value| value.as_bytes().to_vec())
    }

    fn variable_names(&self) -> Vec<Vec<u8>> {
        self.environment.borrow().keys().map(|name| name.as_bytes().to_vec()).collect()
    }

    fn set_variable(&self, name: &[u8], value: Option<&[u8]>) {
        let name = OsStr::from_bytes(name).to_owned();
        let mut environment = self.environment.borrow_mut();
        match value {
            Some(value) => environment.insert(name, OsStr::from_bytes(value).to_owned()),
            None => environment.remove(&name),
        };
    }

    fn machine(&self) -> Machine {
        let processors = rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count());
        let memory = rustix::system::sysinfo();
        let memory_bytes = memory.totalram * u64::from(memory.mem_unit);
        Machine { processors: processors.into(), memory_bytes }
    }

    fn architecture(&self) -> String {
        rustix::system::uname().machine().to_string_lossy().into_owned()
    }
}

impl HostOutput for SystemHost {
    fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    fn print(&self, text: &[u8]) {
        if self.is_silent {
            return;
        }
        // A broken pipe is found out when the result is written.
        let _ = io::stdout().write_all(text);
    }

    fn report(&self, report: Report) {
        let _ = io::stdout().flush();
        (self.listener)(report);
    }

    fn trace(&self, text: &[u8]) {
        if self.is_silent {
            return;
        }
        let _ = io::stdout().flush();
        let _ = io::stderr().write_all(text);
    }
}
