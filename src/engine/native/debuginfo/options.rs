//! What find-debuginfo(1) is told.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;
use regex::bytes::Regex;

use super::refused::Refused;

/// A list of files that is asked for beside that of all.
#[derive(Clone, Debug, Default)]
pub(super) struct WantedList {
    /// Where it goes.
    pub(super) output: Vec<u8>,
    /// Lists whose programs' debug information it gets.
    pub(super) lists: Vec<Vec<u8>>,
    /// A pattern of the paths that it gets.
    pub(super) pattern: Option<Vec<u8>>,
}

/// How dwz(1) is run.
#[derive(Clone, Debug, Default)]
pub(super) struct DwzOrder {
    pub(super) is_wanted: bool,
    pub(super) low_memory_limit: Option<Vec<u8>>,
    pub(super) limit: Option<Vec<u8>>,
    pub(super) is_single: bool,
}

/// An option that find-debuginfo(1) does not have.
pub(in super::super) const WHOLE_BUILD_IDS: &str = "--whole-build-ids";

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct DebugOptions {
    /// `--strict-build-id`: a program without a build-id is an error.
    pub(super) is_strict: bool,
    /// `-g`: symbols stay in programs and libraries.
    pub(super) keeps_symbols: bool,
    /// `--g-libs`: they stay in libraries.
    pub(super) keeps_library_symbols: bool,
    /// `-m`: programs get symbols for backtraces.
    pub(super) has_mini: bool,
    /// `-i`: debug information gets an index for gdb.
    pub(super) has_gdb_index: bool,
    /// `-n`: build-ids stay.
    pub(super) keeps_build_ids: bool,
    /// `--whole-build-ids`, which is forge's own: no byte of them stays.
    pub(super) renews_whole_build_ids: bool,
    pub(super) dwz: DwzOrder,
    pub(super) seed: Option<Vec<u8>>,
    pub(super) suffix: Vec<u8>,
    pub(super) source_base: Option<Vec<u8>>,
    /// How many files are worked on at a time.
    pub(super) jobs: usize,
    /// Patterns of names of sections that stay in programs, or go.
    pub(super) keep: Vec<Vec<u8>>,
    pub(super) remove: Vec<Vec<u8>>,
    /// `-o`, as long as nothing else was said: where the list of all goes.
    pub(super) list: Vec<u8>,
    /// `-S`: where the list of sources goes.
    pub(super) source_list: Option<Vec<u8>>,
    pub(super) wanted: Vec<WantedList>,
    /// The folder that was built in.
    pub(super) folder: Vec<u8>,
}

impl DebugOptions {
    /// Reads a command line.
    pub(super) fn read(words: &[OsString]) -> Result<Self, Refused> {
        let mut options =
            Self { jobs: 1, list: b"debugfiles.list".to_vec(), folder: b".".to_vec(), ..Self::default() };
        let mut open = WantedList::default();
        let mut words = words.iter().map(|word| word.as_bytes());
        while let Some(word) = words.next() {
            let mut value = || words.next().map(<[u8]>::to_vec).unwrap_or_default();
            match word.to_str_lossy().as_ref() {
                "--strict-build-id" => options.is_strict = true,
                "-g" => options.keeps_symbols = true,
                "--g-libs" => options.keeps_library_symbols = true,
                "-m" => options.has_mini = true,
                "-i" => options.has_gdb_index = true,
                "-n" => options.keeps_build_ids = true,
                WHOLE_BUILD_IDS => options.renews_whole_build_ids = true,
                // Relocations of debug sections are resolved in whatever is no object.
                "-r" | "-q" | "-v" => {}
                "--run-dwz" => options.dwz.is_wanted = true,
                "--dwz-low-mem-die-limit" => options.dwz.low_memory_limit = Some(value()),
                "--dwz-max-die-limit" => options.dwz.limit = Some(value()),
                "--dwz-single-file-mode" => options.dwz.is_single = true,
                "--build-id-seed" => options.seed = Some(value()),
                "--unique-debug-suffix" => options.suffix = value(),
                "--unique-debug-src-base" => options.source_base = Some(value()),
                "--keep-section" => options.keep.push(value()),
                "--remove-section" => options.remove.push(value()),
                "-S" => options.source_list = Some(value()),
                "-j" | "--jobs" => options.jobs = read_jobs(&value()),
                "-l" => open.lists.push(value()),
                "-p" => open.pattern = Some(value()),
                "-o" if open.lists.is_empty() && open.pattern.is_none() => options.list = value(),
                "-o" => {
                    open.output = value();
                    options.wanted.push(std::mem::take(&mut open));
                }
                other if other.starts_with("-j") => {
                    options.jobs = read_jobs(word.get(2..).unwrap_or_default());
                }
                _ => {
                    options.folder = word.to_vec();
                    break;
                }
            }
        }
        options.check()
    }

    fn check(self) -> Result<Self, Refused> {
        if self.seed.is_some() && self.keeps_build_ids {
            let why = "--build-id-seed (unique build-ids) and -n (do not recompute build-id) cannot be used together";
            return Err(Refused::wrong(why));
        }
        if self.keeps_symbols && self.keeps_library_symbols {
            return Err(Refused::wrong("-g and --g-libs cannot be used together"));
        }
        Ok(self)
    }

    /// Whether a section stays in programs, or goes, by its name; nothing where neither is said.
    pub(super) fn stays(&self, name: &[u8]) -> Option<bool> {
        let is_one_of = |patterns: &[Vec<u8>]| {
            patterns.iter().any(|pattern| glob(pattern).is_some_and(|pattern| pattern.is_match(name)))
        };
        if is_one_of(&self.keep) {
            Some(true)
        } else if is_one_of(&self.remove) {
            Some(false)
        } else {
            None
        }
    }
}

fn read_jobs(text: &[u8]) -> usize {
    text.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// A shell's pattern.
fn glob(pattern: &[u8]) -> Option<Regex> {
    let pattern = globset::GlobBuilder::new(OsStr::from_bytes(pattern).to_str()?).build().ok()?;
    Regex::new(pattern.regex()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<DebugOptions, Refused> {
        DebugOptions::read(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn lists_are_asked_for_one_by_one() {
        let options =
            read("-j4 --strict-build-id -o all -l a.files -l b.files -o ab -p /usr/x.* -o x -S src /build")
                .unwrap();
        assert_eq!((options.jobs, options.is_strict), (4, true));
        assert_eq!(
            (options.list.as_slice(), options.folder.as_slice()),
            (b"all".as_slice(), b"/build".as_slice())
        );
        assert_eq!(options.source_list.as_deref(), Some(b"src".as_slice()));
        let outputs: Vec<_> = options.wanted.iter().map(|list| list.output.as_slice()).collect();
        assert_eq!(outputs, [b"ab".as_slice(), b"x"]);
        assert_eq!(options.wanted[0].lists.len(), 2);
        assert_eq!(options.wanted[1].pattern.as_deref(), Some(b"/usr/x.*".as_slice()));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(read("-n --build-id-seed 1-1").is_err());
        assert!(read("-g --g-libs").is_err());
        assert!(read("-n -g").is_ok());
    }

    #[test]
    fn sections_stay_or_go_by_patterns() {
        let options = read("--keep-section .keep* --remove-section .note.*").unwrap();
        assert_eq!(options.stays(b".keep.me"), Some(true));
        assert_eq!(options.stays(b".note.go"), Some(false));
        assert_eq!(options.stays(b".other"), None);
    }
}
