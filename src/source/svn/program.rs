//! `svn`, run in a sandbox that sees the machine's system folders, one folder to write to, and the network; with a configuration of its
//! own that is empty. It never asks, and keeps no login.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use super::address::SvnAddress;
use super::error::SvnError;
use crate::files::{Folder, HostPath, Mount, MountAccess, RootPath};
use crate::process::{
    Circumstances, Command, Exit, InsideUser, Personality, SandboxLimits, Stream, Surroundings,
};
use crate::source::limits::UNPACKED_BYTES;
use crate::source::tools::SourceTools;

/// How long one call may take.
const TIME: Duration = Duration::from_secs(60 * 60);

/// How much of an answer is read, in bytes.
const ANSWER_BYTES: usize = 4 << 20;

/// How much is kept of what it says of errors, in bytes.
const SAID_BYTES: usize = 4096;

/// Where it finds programs, if nobody says.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Where the folder that it may write to is seen.
pub(super) const WORK: &str = "/builddir";

/// `svn` for one repository.
pub(super) struct SvnProgram<'a> {
    /// What it is run with.
    pub tools: &'a SourceTools<'a>,
    /// The repository.
    pub address: &'a SvnAddress,
}

impl SvnProgram<'_> {
    /// Runs `svn` with these arguments, and gives what it writes. `work` is seen at [`WORK`].
    ///
    /// # Errors
    /// It isn't there, can't be run, or fails.
    pub fn run(&self, arguments: &[&str], work: Option<&Folder>) -> Result<String, SvnError> {
        let repository = self.address.to_string();
        let command = self.command(arguments);
        let command = self.tools.programs.sandbox.enclose(command, &self.surroundings(work)?);
        let (mut answer, mut said) = (Vec::new(), Vec::new());
        let mut listen = |stream: Stream, bytes: &[u8]| {
            let (kept, most) = match stream {
                Stream::Output => (&mut answer, ANSWER_BYTES),
                Stream::Error => (&mut said, SAID_BYTES),
            };
            let room = most.saturating_sub(kept.len());
            kept.extend(bytes.iter().take(room));
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = command.run(self.tools.programs.supervisor, self.tools.cancel, &mut listen);
        let exit = runtime.block_on(run).map_err(|source| SvnError::NotRun { source })?;
        match exit {
            Exit::Code(0) => Ok(String::from_utf8_lossy(&answer).into_owned()),
            Exit::Code(127) => Err(SvnError::NoProgram { repository }),
            Exit::Code(code) => Err(SvnError::Failed { repository, reason: reason(&said, code) }),
            Exit::TimedOut => Err(SvnError::TimedOut { repository, minutes: TIME.as_secs() / 60 }),
            Exit::Canceled => Err(SvnError::Canceled { repository }),
            Exit::PassedLimit(_) => {
                let what = format!("its files have more than {} GiB", UNPACKED_BYTES >> 30);
                Err(SvnError::TooLarge { repository, what })
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let known = |name: &str| {
            let found = self.tools.environment.iter().find(|(known, _)| known == OsStr::new(name));
            found.map(|(_, value)| value.to_string_lossy().into_owned())
        };
        let environment = BTreeMap::from([
            ("PATH".to_owned(), known("PATH").unwrap_or_else(|| PATH.to_owned())),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
            ("HOME".to_owned(), "/tmp".to_owned()),
        ]);
        let (word, more) = arguments.split_first().unwrap_or((&"", &[]));
        let own = [
            "--non-interactive",
            "--no-auth-cache",
            "--config-dir",
            "/tmp/svn",
            "--config-option",
            "servers:global:ssl-trust-default-ca=yes",
        ];
        let command = Command::new("svn", &HostPath::root(), environment, TIME);
        command.argument(word).arguments(own).arguments(more)
    }

    fn surroundings(&self, work: Option<&Folder>) -> Result<Surroundings, SvnError> {
        let mut mounts = Vec::new();
        let root_path = |path: &str| RootPath::new(path).unwrap_or_else(RootPath::root);
        if let Some(work) = work {
            let host = work.path().clone();
            mounts.push(Mount { host, root: root_path(WORK), access: MountAccess::Write });
        }
        if matches!(self.address, SvnAddress::Local(_)) {
            let no_repository = || SvnError::Address {
                address: self.address.to_string(),
                reason: "there is no repository on this machine".to_owned(),
            };
            let host = self.address.local_repository().ok_or_else(no_repository)?;
            let root = RootPath::in_own_root(&host).ok_or_else(no_repository)?;
            mounts.push(Mount { host, root, access: MountAccess::Read });
        }
        Ok(Surroundings {
            root: None,
            user: InsideUser::Builder,
            mounts,
            hidden: Vec::new(),
            layers: Vec::new(),
            private: None,
            folder: RootPath::root(),
            personality: Personality::Own,
            network: matches!(self.address, SvnAddress::Server(_)),
            terminal: false,
            limits: SandboxLimits { disk: Some(UNPACKED_BYTES), ..SandboxLimits::default() },
            circumstances: Circumstances::default(),
        })
    }
}

/// What it said last: its own words for what is wrong.
fn reason(said: &[u8], code: i32) -> String {
    let text = String::from_utf8_lossy(said);
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("svn: "));
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("warning: ")).collect();
    let words = match lines.first() {
        Some(first) => (*first).to_owned(),
        None => text.lines().last().unwrap_or_default().to_owned(),
    };
    let plain: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.trim().is_empty() { format!("`svn` ended with {code}") } else { format!("`svn` says: {plain}") }
}
