//! Generators whose work is done here: programs of the root that are known, called as they are known to be called.
//!
//! `elfdeps` is compiled anew by each distribution: it is known by the version of the root's rpm, by its options, and by what
//! its text has to hold. Scripts are known to the byte. All else, and every file about which it is not certain what the
//! program would say, is the program's.

use bstr::{BString, ByteSlice};
use cap_std::fs::{File, Metadata, MetadataExt};

use super::super::files::PackagedFile;
use super::super::generator_problem::GeneratorProblem;
use super::super::world::World;
use super::not_known::NotKnown;
use super::pkgconf::is_pkgconf_known;
use super::program_file::read_program;
use super::pythondist::{answer_pythondist, find_pythondist_rules};
use super::script_interpreters::read_interpreters;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::engine::native::elf_dependencies::{ElfFile, ElfQuestion, read_elf_dependencies};
use crate::engine::native::pkgconfig_dependencies::{PkgconfigQuestion, read_pkgconfig_dependencies};
use crate::engine::native::pythondist_dependencies::PythondistQuestion;
use crate::files::Folder;
use crate::macros::{NATIVE_GENERATORS, RpmVersion, Stop};

/// The macro that says which of them may be done here: 1 for all, which is so by default, 0 for none, or their names.
const SWITCH: &str = "_forge_native_dependencies";

/// SHA-256 of `script.req` of rpm 4.14 to 6.1.
const SCRIPT_REQ: &str = "95105544661ec4980d8b41fcd69275f7a202b11926b4d941586b040763abf8eb";

/// SHA-256 of `pkgconfigdeps.sh` of rpm 4.14 to 6.1.
const PKGCONFIGDEPS: &str = "6a8ddf3e2fea8f6a88c0610496a04fecf371538d9384640eac416f9e47c36c19";

/// Texts that stand in each `elfdeps`.
const ELFDEPS_TEXTS: [&str; 3] = ["rtld(GNU_HASH)", "no-filter-soname", "require-interp"];

/// Texts that stand in the `elfdeps` of some versions: in none before the first, nor in the second and later ones.
const ELFDEPS_OPTIONS: [(&str, Option<RpmVersion>, Option<RpmVersion>); 3] = [
    ("multifile", Some(RpmVersion::new(4, 20)), None),
    ("filter-private", None, Some(RpmVersion::new(4, 17))),
    // Of one distribution's, which makes another of it.
    ("assume-exec", None, Some(RpmVersion::new(0, 0))),
];

/// A generator that is done here.
#[derive(Clone, Debug)]
pub(crate) enum KnownProgram {
    /// `elfdeps`.
    Elf(ElfQuestion),
    /// `script.req`.
    Script,
    /// `pkgconfigdeps.sh`.
    Pkgconfig(PkgconfigQuestion),
    /// `pythondistdeps.py`.
    Pythondist(PythondistQuestion),
}

/// Which generators may be done here, in the root of a build.
pub(crate) struct KnownPrograms {
    chosen: Chosen,
    /// Where rpm has its programs.
    folder: Vec<u8>,
}

/// What the macro chooses.
enum Chosen {
    All,
    Some(Vec<String>),
}

impl KnownPrograms {
    /// Reads what macros say.
    pub(crate) fn read(world: World<'_>) -> Result<Self, Stop> {
        let value = world.setting(SWITCH);
        let chosen = match value.as_str() {
            "" | "1" => Chosen::All,
            "0" => Chosen::Some(Vec::new()),
            names => Chosen::Some(names.split_whitespace().map(str::to_owned).collect()),
        };
        if let Chosen::Some(names) = &chosen
            && let Some(name) = names.iter().find(|name| !NATIVE_GENERATORS.contains(&name.as_str()))
        {
            return Err(world.fail(GeneratorProblem::Native { name: name.clone() }.into()));
        }
        Ok(Self { chosen, folder: world.expand("%{_rpmconfigdir}")? })
    }

    /// What a command is, if it is known. `is_multifile` is whether it is asked about many files at once.
    pub(crate) fn find(
        &self,
        world: World<'_>,
        words: &[Vec<u8>],
        is_multifile: bool,
    ) -> Option<KnownProgram> {
        let (program, options) = words.split_first()?;
        let name = program.strip_prefix(self.folder.as_slice())?.strip_prefix(b"/")?;
        let known = match name {
            b"elfdeps" if self.has_chosen("elf") => {
                let question = ElfQuestion::read(find_version(world, program)?, options)?;
                Some(KnownProgram::Elf(question)).filter(|_| question.is_multifile() == is_multifile)
            }
            b"script.req" if self.has_chosen("script") && options.is_empty() && !is_multifile => {
                is_script(world, program, SCRIPT_REQ).then_some(KnownProgram::Script)
            }
            b"pkgconfigdeps.sh" if self.has_chosen("pkgconfig") && !is_multifile => {
                let question = PkgconfigQuestion::read(options)?;
                let is_known = is_script(world, program, PKGCONFIGDEPS) && is_pkgconf_known(world);
                is_known.then_some(KnownProgram::Pkgconfig(question))
            }
            b"pythondistdeps.py" if self.has_chosen("pythondist") && !is_multifile => {
                let rules = find_pythondist_rules(world, program)?;
                PythondistQuestion::read(rules, options).map(KnownProgram::Pythondist)
            }
            _ => None,
        };
        known.filter(|_| self.folder.starts_with(b"/"))
    }

    fn has_chosen(&self, name: &str) -> bool {
        match &self.chosen {
            Chosen::All => true,
            Chosen::Some(names) => names.iter().any(|chosen| chosen == name),
        }
    }
}

impl KnownProgram {
    /// What the program would write about a file of the buildroot, of which it is told `path`.
    pub(crate) fn answer(
        &self,
        root: &Folder,
        file: &PackagedFile,
        path: &[u8],
    ) -> Result<Vec<u8>, NotKnown> {
        // Paths are read line by line, by a shell without blanks at their ends and with its escapes.
        let is_plain = !path.contains(&b'\n') && !path.contains(&b'\\') && !path.ends_with(b" ");
        if !is_plain || path.ends_with(b"\t") {
            return Err(NotKnown);
        }
        match self {
            Self::Elf(question) => answer_elf(question, root, file),
            Self::Script => read_interpreters(open_regular(root, file)?.0.into_std()),
            Self::Pkgconfig(question) => {
                let (content, _) = open_regular(root, file)?;
                let lines = read_pkgconfig_dependencies(*question, path, content.into_std());
                lines.map(|lines| join_lines(&lines)).map_err(|_| NotKnown)
            }
            Self::Pythondist(question) => {
                answer_pythondist(question, root, file, path).map(|lines| join_lines(&lines))
            }
        }
    }
}

fn open_regular(root: &Folder, file: &PackagedFile) -> Result<(File, Metadata), NotKnown> {
    let opened = file.is_regular().then(|| root.open_regular_with_metadata(&file.on_disk));
    opened.and_then(Result::ok).ok_or(NotKnown)
}

fn answer_elf(question: &ElfQuestion, root: &Folder, file: &PackagedFile) -> Result<Vec<u8>, NotKnown> {
    let (content, metadata) = open_regular(root, file)?;
    let name = file.on_disk.file_name().map(|name| name.as_encoded_bytes()).ok_or(NotKnown)?;
    let about = ElfFile { name, is_executable: metadata.mode() & 0o111 != 0 };
    let lines: Vec<BString> =
        read_elf_dependencies(question, about, content.into_std()).map_err(|_| NotKnown)?;
    Ok(join_lines(&lines))
}

fn join_lines(lines: &[BString]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

/// Whether a script of the root is the one that has this sum.
fn is_script(world: World<'_>, path: &[u8], sum: &str) -> bool {
    let text = read_program(world, path);
    text.is_some_and(|text| Checksum::compute(ChecksumAlgorithm::Sha256, &text).hex() == sum)
}

/// The version of the root's `elfdeps`; that of the newest where the root has none.
fn find_version(world: World<'_>, program: &[u8]) -> Option<RpmVersion> {
    if !world.macros.exists(program) {
        return Some(RpmVersion::NEWEST);
    }
    let found = world.macros.glob(&world.expand("%{_rpmconfigdir}/rpmpopt-*").ok()?);
    let [options] = found.as_slice() else {
        return None;
    };
    let (_, version) = options.to_str().ok()?.rsplit_once("/rpmpopt-")?;
    let version = RpmVersion::read(version)?;
    is_elfdeps(&read_program(world, program)?, version).then_some(version)
}

/// Whether a program is the `elfdeps` of a version, as far as that can be seen.
fn is_elfdeps(program: &[u8], version: RpmVersion) -> bool {
    let has = |text: &str| program.contains_str(text);
    let fits = |(option, since, until): &(&str, Option<RpmVersion>, Option<RpmVersion>)| {
        has(option)
            == (since.is_none_or(|since| version >= since) && until.is_none_or(|until| version < until))
    };
    program.starts_with(b"\x7fELF") && ELFDEPS_TEXTS.into_iter().all(has) && ELFDEPS_OPTIONS.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elfdeps_is_known_by_what_it_holds() {
        let old = b"\x7fELF\0filter-private\0no-filter-soname\0require-interp\0rtld(GNU_HASH)\0".as_slice();
        let new = b"\x7fELF\0multifile\0no-filter-soname\0require-interp\0rtld(GNU_HASH)\0".as_slice();
        let (first, last) = (RpmVersion::new(4, 14), RpmVersion::new(6, 1));
        assert!(is_elfdeps(old, first) && is_elfdeps(new, last));
        assert!(!is_elfdeps(old, last) && !is_elfdeps(new, first));
        assert!(!is_elfdeps(&[new, b"assume-exec"].concat(), last));
        assert!(!is_elfdeps(new.get(1..).unwrap(), last), "it is no program");
    }
}
