//! What the known policies do: taking out of programs and libraries what packages don't need.

use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::{BStr, BString, ByteSlice};

use super::buildroot::{Beginning, FoundFile, Unusual, has_ordinary_name};
use super::known::{Failures, Names, StripPolicy, StripRule};
use super::programs::tell;
use super::situation::Situation;
use crate::process::filter_all;

/// How many files file(1) is asked about at once: as scripts have it.
const TOGETHER: usize = 32;

/// The exit code of xargs(1) when what it ran has failed, which is that of the scripts.
const FAILED: i32 = 123;

/// Where debug symbols lie that were taken out already, below the buildroot.
const DEBUG: &[u8] = b"usr/lib/debug";

/// What somebody may run.
const ANY_PROGRAM: u32 = 0o111;

/// What takes symbols out of a buildroot's programs and libraries.
pub(super) struct Stripping<'s>(pub &'s Situation<'s>);

impl Stripping<'_> {
    /// Does what a policy does; gives its exit code.
    pub fn carry_out(&self, policy: StripPolicy) -> Result<i32, Unusual> {
        if !self.0.found.is_plainly_named {
            return Err(Unusual);
        }
        match policy {
            StripPolicy::Programs(rule) => self.strip(rule),
            StripPolicy::Archives { failures, names } => self.strip_archives(failures, names),
            StripPolicy::Notes => self.strip_notes(),
        }
    }

    fn strip(&self, rule: StripRule) -> Result<i32, Unusual> {
        let concerned = |file: &&FoundFile| {
            file.beginning == Beginning::Program
                && !file.path.starts_with(DEBUG)
                && (!rule.only_programs || file.mode & ANY_PROGRAM != 0)
                && !rule.left_out.iter().any(|end| file.path.ends_with(end.as_bytes()))
        };
        let files: Vec<&FoundFile> = self.0.found.files.iter().filter(concerned).collect();
        let is_meant = |text: &[u8]| {
            text.starts_with(b"ELF")
                && text.contains_str(", not stripped")
                && !(rule.leaves_shared && text.contains_str(" shared object,"))
        };
        let wanted = self.describe(&files, rule.names)?.into_iter().filter(|(_, text)| is_meant(text));
        self.take_debug_symbols(&wanted.map(|(file, _)| file).collect::<Vec<_>>(), rule.failures, rule.names)
    }

    fn strip_archives(&self, failures: Failures, names: Names) -> Result<i32, Unusual> {
        let concerned =
            |file: &&FoundFile| file.beginning == Beginning::Archive && !file.path.starts_with(DEBUG);
        let files: Vec<&FoundFile> = self.0.found.files.iter().filter(concerned).collect();
        let described = self.describe(&files, names)?;
        let is_archive = |text: &BString| text.starts_with(b"current ar archive");
        // Whatever more is said of one would be a part of its name.
        if described.iter().any(|(_, text)| is_archive(text) && text.len() != "current ar archive".len()) {
            return Err(Unusual);
        }
        let wanted = described.into_iter().filter(|(_, text)| is_archive(text)).map(|(file, _)| file);
        self.take_debug_symbols(&wanted.collect::<Vec<_>>(), failures, names)
    }

    fn strip_notes(&self) -> Result<i32, Unusual> {
        let concerned = |file: &&FoundFile| {
            file.beginning == Beginning::Program
                && file.mode & ANY_PROGRAM != 0
                && !file.path.starts_with(DEBUG)
        };
        let files: Vec<&FoundFile> = self.0.found.files.iter().filter(concerned).collect();
        let is_stripped = |text: &BString| text.starts_with(b"ELF") && text.contains_str(", stripped");
        let described = self.describe(&files, Names::Absolute)?;
        let wanted: Vec<&FoundFile> =
            described.into_iter().filter(|(_, text)| is_stripped(text)).map(|(file, _)| file).collect();
        let (strip, dump) = (self.program(0, "strip")?, self.program(1, "objdump")?);
        self.0.for_each(&wanted, |file| {
            let name = self.name(file, Names::Absolute);
            let mut words = vec![strip.clone(), b"-R".to_vec(), b".comment".to_vec()];
            if !self.keeps_notes(&dump, &name) {
                words.extend([b"-R".to_vec(), b".note".to_vec()]);
            }
            words.push(name);
            // Whether it fails makes no difference to the scripts.
            self.0.run(&words, None);
        });
        Ok(0)
    }

    /// Whether programs have `.note` in memory when they run.
    fn keeps_notes(&self, dump: &[u8], name: &[u8]) -> bool {
        let job = (vec![dump.to_vec(), b"-h".to_vec(), name.to_vec()], Vec::new());
        let answers = filter_all(&[job], self.0.environment, None, 1);
        let listing = match answers.into_iter().next() {
            Some(Ok((_, listing))) => listing,
            Some(Err(error)) => {
                tell(&format!("{}: {}", dump.to_str_lossy(), crate::files::reason(&error)));
                return false;
            }
            None => return false,
        };
        let mut lines = listing.lines().peekable();
        while let Some(line) = lines.next() {
            // The number, the name, and flags in the next line.
            let mut fields = line.fields();
            let is_note = fields.next().is_some_and(|number| number.iter().all(u8::is_ascii_digit))
                && fields.next() == Some(b".note");
            let next = lines.peek().copied().unwrap_or_default();
            if is_note && (line.contains_str("ALLOC") || next.contains_str("ALLOC")) {
                return true;
            }
        }
        false
    }

    /// What file(1) says of files.
    fn describe<'f>(
        &self,
        files: &[&'f FoundFile],
        names: Names,
    ) -> Result<Vec<(&'f FoundFile, BString)>, Unusual> {
        let jobs: Vec<_> = files
            .chunks(TOGETHER)
            .map(|chunk| {
                let named = chunk.iter().map(|file| self.name(file, names));
                ([b"file".to_vec()].into_iter().chain(named).collect::<Vec<_>>(), Vec::new())
            })
            .collect();
        let answers = filter_all(&jobs, self.0.environment, self.folder(names), self.0.threads());
        let mut described = Vec::new();
        for (chunk, answer) in files.chunks(TOGETHER).zip(answers) {
            let (_, output) = answer.map_err(|_| Unusual)?;
            let lines: Vec<&[u8]> = output.lines().collect();
            if lines.len() != chunk.len() {
                return Err(Unusual);
            }
            for (file, line) in chunk.iter().zip(lines) {
                let text = line.strip_prefix(self.name(file, names).as_slice());
                let text = text.and_then(|rest| rest.strip_prefix(b":")).ok_or(Unusual)?;
                described.push((*file, BString::from(text.trim_start())));
            }
        }
        Ok(described)
    }

    fn take_debug_symbols(
        &self,
        files: &[&FoundFile],
        failures: Failures,
        names: Names,
    ) -> Result<i32, Unusual> {
        let strip = self.program(0, "strip")?;
        let (failed, linked_failed) = (AtomicBool::new(false), AtomicBool::new(false));
        self.0.for_each(files, |file| {
            let words = [strip.clone(), b"-g".to_vec(), self.name(file, names)];
            if !self.0.run(&words, self.folder(names)) {
                failed.store(true, Ordering::Relaxed);
                linked_failed.fetch_or(file.links > 1, Ordering::Relaxed);
            }
        });
        match failures {
            Failures::Ignored => Ok(0),
            Failures::Fatal => Ok(if failed.into_inner() { FAILED } else { 0 }),
            Failures::FatalOfLinked => Ok(if linked_failed.into_inner() { FAILED } else { 0 }),
            // Which one that is only the script can say; what was done once is not done again by it.
            Failures::FatalOfTheLast if failed.into_inner() => Err(Unusual),
            Failures::FatalOfTheLast => Ok(0),
        }
    }

    /// The program that an argument of the script names.
    fn program(&self, argument: usize, default: &str) -> Result<Vec<u8>, Unusual> {
        let word = self.0.arguments.get(argument).filter(|word| !word.is_empty());
        let word = word.map_or(default.as_bytes(), |word| word.as_bytes());
        // Anything else is more than one word to the scripts.
        if has_ordinary_name(word) { Ok(word.to_vec()) } else { Err(Unusual) }
    }

    fn name(&self, file: &FoundFile, names: Names) -> Vec<u8> {
        let path: &BStr = file.path.as_ref();
        match names {
            Names::Absolute => self.0.absolute(path),
            Names::Relative => [b"./", path.as_bytes()].concat(),
        }
    }

    /// The folder that programs run in.
    fn folder(&self, names: Names) -> Option<&std::path::Path> {
        match names {
            Names::Absolute => None,
            Names::Relative => Some(self.0.found.folder.path().as_path()),
        }
    }
}
