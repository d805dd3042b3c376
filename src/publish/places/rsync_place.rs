//! What the machine's rsync reaches, by its daemon's protocol or by ssh, as a place.
//!
//! rsync looks itself at what is there: a file whose size is right is left alone, one that was cut goes on in `.forge-sending`, and every file gets its
//! name once it is whole. What was sent is compared by checksum afterwards (`--checksum --dry-run`). Names go through standard input, and what is removed are
//! names of files that an empty folder does not have (`--delete-missing-args`). Credentials are those of ssh and rsync.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::PlaceError;
use super::place::PublishPlace;
use super::place_record::PlacedFile;
use super::programs::PlacePrograms;
use super::sending::Sending;
use super::snapshot::{Head, OutgoingFile};
use crate::files::Folder;
use crate::process::{Cancel, Command, Exit, Stream, Tail};

/// The longest that a run may take. Within it rsync itself gives up where nothing moves.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long nothing may move, in seconds.
const PATIENCE: &str = "--timeout=60";

/// How large a small file may be that is read, in bytes: as much as a record may have.
const LARGEST_READ: u64 = 256 << 20;

/// How many lines are kept of what rsync says.
const LINES: usize = 4;

/// How large its output may be, in bytes.
const LARGEST_OUTPUT: usize = 256 << 20;

/// rsync's exit code where a file that was named is not there (rsync(1), "EXIT VALUES").
const MISSING: i32 = 23;

/// Its exit code where files went before they were sent: what is removed is named that way.
const VANISHED: i32 = 24;

/// See the [module](self).
pub(super) struct RsyncPlace<'a> {
    /// As rsync takes it, without a slash at its end.
    pub address: String,
    pub programs: &'a PlacePrograms<'a>,
    pub cancel: &'a Cancel,
    /// Where small files lie on their way. It is this place's alone.
    pub scratch: Folder,
}

/// How a run of rsync ended.
struct RsyncEnd {
    code: i32,
    output: String,
    said: String,
}

impl RsyncPlace<'_> {
    fn destination(&self) -> String {
        format!("{}/", self.address)
    }

    /// Runs rsync with these options and operands; it reads the names from its standard input. `each` gets its lines as they come.
    fn run(
        &self,
        arguments: &[&str],
        names: Option<&[&str]>,
        each: &mut (dyn FnMut(&str) + Send),
    ) -> Result<RsyncEnd, PlaceError> {
        let environment = self.programs.environment();
        let mut command = Command::new("rsync", self.scratch.path(), environment, LONGEST);
        command = command.arguments(["--no-motd", PATIENCE]);
        if let Some(names) = names {
            let list: Vec<u8> = names.iter().flat_map(|name| name.bytes().chain([0])).collect();
            command = command.arguments(["--files-from=-", "--from0"]).request(list);
        }
        let command = command.arguments(arguments);
        let (mut output, mut line, mut said) = (String::new(), Vec::new(), Tail::new(LINES));
        let mut listen = |stream: Stream, chunk: &[u8]| match stream {
            Stream::Error => said.push(chunk, |_| {}),
            Stream::Output => {
                for byte in chunk {
                    match byte {
                        b'\n' => {
                            let text = String::from_utf8_lossy(&line).into_owned();
                            line.clear();
                            each(&text);
                            if output.len() < LARGEST_OUTPUT {
                                output.push_str(&text);
                                output.push('\n');
                            }
                        }
                        byte => line.push(*byte),
                    }
                }
            }
        };
        let run = command.run(self.programs.supervisor, self.cancel, &mut listen);
        let exit = self.programs.runtime.block_on(run)?;
        let said = said.into_lines().join("; ");
        match exit {
            Exit::Code(code) => Ok(RsyncEnd { code, output, said }),
            Exit::Canceled => Err(PlaceError::Canceled),
            Exit::TimedOut | Exit::PassedLimit(_) => Err(PlaceError::Rsync {
                doing: "running rsync",
                code: -1,
                said: "it took too long".to_owned(),
            }),
        }
    }

    fn succeed(
        &self,
        doing: &'static str,
        arguments: &[&str],
        names: Option<&[&str]>,
        each: &mut (dyn FnMut(&str) + Send),
    ) -> Result<String, PlaceError> {
        let RsyncEnd { code, output, said } = self.run(arguments, names, each)?;
        if code == 0 { Ok(output) } else { Err(PlaceError::Rsync { doing, code, said }) }
    }

    /// The names of files, of these, that a comparison finds to be others than in `folder`.
    fn compare(&self, folder: &Folder, names: &[&str], how: &str) -> Result<BTreeSet<String>, PlaceError> {
        let source = with_slash(folder);
        let arguments = ["--dry-run", how, "--out-format=%i %n", &source, &self.destination()];
        let output = self.succeed("looking at what is there", &arguments, Some(names), &mut |_| {})?;
        // Times and modes may differ; `<f` says that a file would be sent.
        let others = output.lines().filter(|line| line.starts_with("<f"));
        Ok(others.filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect())
    }
}

impl PublishPlace for RsyncPlace<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PlaceError> {
        const NAME: &str = "read";
        self.scratch.try_clear(NAME);
        let _ = self.scratch.remove(NAME);
        let to = self.scratch.path().join(NAME).to_string();
        let (from, limit) = (format!("{}/{path}", self.address), format!("--max-size={LARGEST_READ}"));
        let RsyncEnd { code, said, .. } = self.run(&[&limit, &from, &to], None, &mut |_| {})?;
        match code {
            // What is no file is passed over.
            0 if !self.scratch.exists(NAME) => Ok(None),
            0 => {
                let mut content = Vec::new();
                self.scratch.open_regular(NAME)?.take(LARGEST_READ).read_to_end(&mut content)?;
                Ok(Some(content))
            }
            MISSING => Ok(None),
            code => Err(PlaceError::Rsync { doing: "reading what is there", code, said }),
        }
    }

    fn find_missing(
        &self,
        files: &[OutgoingFile],
        from: &Sending<'_>,
        known: &BTreeMap<String, PlacedFile>,
    ) -> Result<Vec<OutgoingFile>, PlaceError> {
        let is_known = |OutgoingFile { path, file }: &&OutgoingFile| known.get(path) == Some(file);
        let names: Vec<&str> = files.iter().filter(is_known).map(|file| file.path.as_str()).collect();
        // Where nothing was put there is nothing to be asked, and maybe no folder.
        let gone = match names.is_empty() {
            true => BTreeSet::new(),
            false => self.compare(from.folder, &names, "--size-only")?,
        };
        let is_missing = |file: &&OutgoingFile| !is_known(file) || gone.contains(&file.path);
        Ok(files.iter().filter(is_missing).cloned().collect())
    }

    fn send(&self, files: &[OutgoingFile], from: &Sending<'_>) -> Result<(), PlaceError> {
        if files.is_empty() {
            return Ok(());
        }
        files.iter().try_for_each(|file| file.check(from))?;
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let source = with_slash(from.folder);
        let arguments = [
            "--times",
            "--perms",
            "--chmod=D755,F644",
            "--mkpath",
            "--ignore-times",
            "--partial-dir=.forge-sending",
            "--out-format=%i %l",
            &source,
            &self.destination(),
        ];
        let mut each = |line: &str| {
            let sent = line.strip_prefix("<f").and_then(|rest| rest.rsplit_once(' ')?.1.parse().ok());
            sent.into_iter().for_each(|bytes| (from.count)(bytes));
        };
        self.succeed("sending", &arguments, Some(&names), &mut each)?;
        match self.compare(from.folder, &names, "--checksum")?.pop_first() {
            Some(path) => Err(PlaceError::NotArrived { path }),
            None => Ok(()),
        }
    }

    fn send_heads(&self, heads: &[Head]) -> Result<(), PlaceError> {
        const FOLDER: &str = "heads";
        for head in heads {
            let _ = self.scratch.remove_folder(FOLDER);
            let folder = self.scratch.create(FOLDER)?;
            if let Some(parent) = Path::new(&head.path).parent().filter(|parent| *parent != Path::new("")) {
                folder.create(parent)?;
            }
            folder.write_atomic(&head.path, &head.content)?;
            let source = with_slash(&folder);
            let arguments =
                ["--perms", "--chmod=D755,F644", "--mkpath", "--checksum", &source, &self.destination()];
            self.succeed("sending", &arguments, Some(&[&head.path]), &mut |_| {})?;
        }
        Ok(())
    }

    fn remove(&self, paths: &[String]) -> Result<(), PlaceError> {
        const FOLDER: &str = "empty";
        let _ = self.scratch.remove_folder(FOLDER);
        let source = with_slash(&self.scratch.create(FOLDER)?);
        let folders = paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0));
        let folders: BTreeSet<&str> =
            folders.filter(|folder| !folder.ends_with(crate::publish::paths::REPODATA)).collect();
        let files: Vec<&str> = paths.iter().map(String::as_str).collect();
        // A folder goes once nothing is in it.
        for names in [files, folders.into_iter().collect()] {
            if names.is_empty() {
                continue;
            }
            let arguments = ["--delete-missing-args", &source, &self.destination()];
            let RsyncEnd { code, said, .. } = self.run(&arguments, Some(&names), &mut |_| {})?;
            if ![0, VANISHED].contains(&code) {
                return Err(PlaceError::Rsync { doing: "removing what is superseded", code, said });
            }
        }
        Ok(())
    }
}

/// The path of a folder that stands for what is in it.
fn with_slash(folder: &Folder) -> String {
    format!("{}/", folder.path())
}
