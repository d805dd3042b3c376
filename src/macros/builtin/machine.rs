//! Built-in macros that ask the machine.

use std::rc::Rc;

use bstr::ByteSlice;

use super::super::Stop;
use super::super::language::Language;
use super::super::path::Configuration;
use super::super::problem::MacroProblem;
use super::super::rpm_version::RpmVersion;
use super::Builtin;

impl Language {
    /// What such a macro expands to.
    #[expect(clippy::wildcard_enum_match_arm, reason = "it is called for these alone")]
    pub(super) fn ask_machine(self: &Rc<Self>, builtin: Builtin, words: &[Vec<u8>]) -> Result<Vec<u8>, Stop> {
        let word = words.first().map(Vec::as_slice).unwrap_or_default();
        Ok(match builtin {
            Builtin::Exists if !self.may_look_at("%{exists:…}", word) => return Err(Stop),
            Builtin::Exists => if self.host.exists(word) { b"1" } else { b"0" }.to_vec(),
            Builtin::Getconfdir => Configuration::find_folder(&*self.host),
            Builtin::Getenv => self.host.variable(word).unwrap_or_default(),
            Builtin::Getncpus => self.processors(words)?.to_string().into_bytes(),
            Builtin::Xdg => self.xdg(word)?,
            _ => {
                let version = self.spoken_version().unwrap_or(RpmVersion::NEWEST);
                version.to_string().into_bytes()
            }
        })
    }

    /// `%{getncpus}`: all of them; `proc` and `thread` take care that each has memory enough.
    fn processors(self: &Rc<Self>, words: &[Vec<u8>]) -> Result<u64, Stop> {
        let machine = self.host.machine();
        let size = match words.first().map(Vec::as_slice) {
            None | Some(b"total") => return Ok(machine.processors),
            Some(b"proc") => b"%{?_smp_tasksize_proc}".as_slice(),
            Some(b"thread") => b"%{?_smp_tasksize_thread}",
            Some(other) => {
                let known = "`total`, `proc` or `thread`";
                return Err(self.fail(MacroProblem::InvalidArgument {
                    name: None,
                    argument: other.into(),
                    known,
                }));
            }
        };
        let size = self.expand(size)?;
        let mebibytes = size.to_str().ok().and_then(|size| size.trim().parse::<u64>().ok());
        Ok(match mebibytes.filter(|size| *size > 0) {
            Some(size) => (machine.memory_bytes / size.saturating_mul(1 << 20)).clamp(1, machine.processors),
            None => machine.processors,
        })
    }

    /// `%{xdg:config}`: where the XDG Base Directory Specification puts such files.
    fn xdg(&self, kind: &[u8]) -> Result<Vec<u8>, Stop> {
        let (variable, below) = match kind {
            b"cache" => ("XDG_CACHE_HOME", "/.cache"),
            b"config" => ("XDG_CONFIG_HOME", "/.config"),
            b"data" => ("XDG_DATA_HOME", "/.local/share"),
            b"state" => ("XDG_STATE_HOME", "/.local/state"),
            _ => {
                let known = "`cache`, `config`, `data` or `state`";
                let argument = kind.into();
                return Err(self.fail(MacroProblem::InvalidArgument { name: Some("xdg"), argument, known }));
            }
        };
        let said = self.host.variable(variable.as_bytes()).filter(|folder| !folder.is_empty());
        let home = || self.host.variable(b"HOME").unwrap_or_default();
        Ok(said.unwrap_or_else(|| [home().as_slice(), below.as_bytes()].concat()))
    }
}
