//! What the files of pkg-config (`*.pc`) provide and require, as rpm's `pkgconfigdeps.sh` says it.
//!
//! That script has the root's pkg-config read each file, and writes what it prints about that file alone. All versions of pkgconf
//! read in the same way what files of this kind usually hold: [`read_pkgconfig_dependencies`] does so too. What they may take
//! in different ways is [`UnusualPkgconfig`]: a variable that is set twice, or is not set, a line that goes on in the next one, a
//! comparison without blanks, and the like.

mod capability;
mod expansion;
mod file;
mod unusual;

use std::io::Read;

use bstr::{BString, ByteSlice};

use capability::{Capability, is_name};
use file::PkgconfigFile;
pub use unusual::UnusualPkgconfig;

/// Longer files are for the program itself, in bytes.
const LARGEST_FILE: u64 = 32 << 10;

/// Longer paths as well, in bytes.
const LONGEST_PATH: usize = 1000;

/// What everything that pkg-config is to find requires.
const PROGRAM: &str = "/usr/bin/pkg-config";

/// A call of `pkgconfigdeps.sh`, as attributes of files have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkgconfigQuestion {
    /// What a file provides.
    Provides,
    /// What it requires, of others' private parts as well.
    Requires,
}

impl PkgconfigQuestion {
    /// Reads the options of a call: the first one counts for the script, and there is to be no other.
    pub fn read<W: AsRef<[u8]>>(options: &[W]) -> Option<Self> {
        match options {
            [option] => match option.as_ref() {
                b"-P" | b"--provides" => Some(Self::Provides),
                b"-R" | b"--requires" => Some(Self::Requires),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Answers a question about a file, of which the script is told `path`: the lines that it would write, in its order.
///
/// # Errors
/// The file, or its path, is not such that all versions of pkgconf agree about it, or it can't be read.
pub fn read_pkgconfig_dependencies(
    question: PkgconfigQuestion,
    path: &[u8],
    content: impl Read,
) -> Result<Vec<BString>, UnusualPkgconfig> {
    // The shell takes the path apart, and so does pkg-config, for which it is a requirement.
    let is_plain = path.starts_with(b"/") && path.len() <= LONGEST_PATH && path.iter().all(is_plain_in_paths);
    if !is_plain {
        return Err(UnusualPkgconfig);
    }
    let name = path.rsplit_once_str("/").map_or(path, |(_, name)| name);
    let Some(package) = name.strip_suffix(b".pc") else {
        return Ok(Vec::new());
    };
    let mut text = Vec::new();
    content.take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(|_| UnusualPkgconfig)?;
    if text.len() as u64 > LARGEST_FILE || !is_name(package) {
        return Err(UnusualPkgconfig);
    }
    let file = PkgconfigFile::read(&text)?;
    match question {
        PkgconfigQuestion::Provides => list_provides(&file, package),
        PkgconfigQuestion::Requires => list_requires(&file),
    }
}

/// What the file says that it provides, and itself.
fn list_provides(file: &PkgconfigFile<'_>, package: &[u8]) -> Result<Vec<BString>, UnusualPkgconfig> {
    let mut all = file.capabilities("Provides")?;
    all.push(Capability::equal(package, &file.version()?));
    Ok(all.iter().map(Capability::as_dependency).collect())
}

/// pkg-config, and what the file says that it requires.
fn list_requires(file: &PkgconfigFile<'_>) -> Result<Vec<BString>, UnusualPkgconfig> {
    let (public, private) = (file.capabilities("Requires")?, file.capabilities("Requires.private")?);
    let found = public.iter().chain(&private).map(Capability::as_dependency);
    Ok(std::iter::once(PROGRAM.into()).chain(found).collect())
}

fn is_plain_in_paths(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._+-~^@%:".contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "prefix=/usr\nmajor=1\nversion = ${major}.2\n\n# A comment\nName: x\nDescription: It's \u{e9}\n\
        Version: ${version}\nRequires: a, b >= ${version}  c=\n";

    fn ask(question: PkgconfigQuestion, path: &str, text: &str) -> Option<String> {
        let lines = read_pkgconfig_dependencies(question, path.as_bytes(), text.as_bytes()).ok()?;
        Some(lines.iter().map(|line| format!("{line}\n")).collect())
    }

    /// What a file requires that has these lines beside the usual ones.
    fn require(lines: &str) -> Option<String> {
        let text = USUAL.replace("Requires: a, b >= ${version}  c=\n", lines);
        ask(PkgconfigQuestion::Requires, "/b/usr/lib/pkgconfig/x.pc", &text)
    }

    #[test]
    fn options_are_those_of_the_script() {
        assert_eq!(PkgconfigQuestion::read(&["-P"]), Some(PkgconfigQuestion::Provides));
        assert_eq!(PkgconfigQuestion::read(&["--requires"]), Some(PkgconfigQuestion::Requires));
        assert_eq!(PkgconfigQuestion::read(&["--requires", "x"]), None);
        assert_eq!(PkgconfigQuestion::read::<&str>(&[]), None);
    }

    #[test]
    fn a_file_provides_itself_in_its_version() {
        let said = ask(PkgconfigQuestion::Provides, "/b/x-1.0.pc", &format!("{USUAL}Provides: y < 3, z\n"));
        assert_eq!(said.as_deref(), Some("pkgconfig(y) < 3\npkgconfig(z) \npkgconfig(x-1.0) = 1.2\n"));
        assert_eq!(ask(PkgconfigQuestion::Provides, "/b/usr/bin/pkg-config", "").as_deref(), Some(""));
    }

    #[test]
    fn a_file_requires_what_is_public_before_what_is_private() {
        let said = require("Requires.private: pp\nRequires: a, b >= ${version}  c\n");
        let expected =
            "/usr/bin/pkg-config\npkgconfig(a) \npkgconfig(b) >= 1.2\npkgconfig(c) \npkgconfig(pp) \n";
        assert_eq!(said.as_deref(), Some(expected));
        assert_eq!(require("").as_deref(), Some("/usr/bin/pkg-config\n"));
    }

    #[test]
    fn what_versions_take_differently_is_unusual() {
        for lines in [
            "Requires: a\n",
            "Requires: a>=1\n",
            "Requires: a >=1\n",
            "Requires: a >=\n",
            "Requires: a, >= 1\n",
            "Requires: a >= , 1\n",
            "Requires: >= 1\n",
            "Requires: a == 1\n",
            "Requires: a ${none}\n",
            "Requires: a $major\n",
            "Requires: aa\nRequires: bb\n",
            "Requires: a \\\n b\n",
            "Requires: a \\# b\n",
            "Requires: aa\r\n",
            "Requires: \u{e9}\n",
            "requires: aa\n",
            "Requires.internal: aa\n",
            " Requires: aa\n",
            "Requires aa\n",
            "prefix=/opt\n",
            "pcfiledir=/opt\n",
            "odd=$major\n",
            "q='1'\nRequires: a = ${q}\n",
            "Requires: aa # b",
        ] {
            assert_eq!(require(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn paths_that_a_shell_takes_apart_are_unusual() {
        for path in
            ["/b c/x.pc", "/b/x y.pc", "/b,c/x.pc", "/b/*/x.pc", "/b=/x.pc", "x.pc", "/b/.pc", "/b/$c/x.pc"]
        {
            assert_eq!(ask(PkgconfigQuestion::Provides, path, USUAL), None, "{path}");
        }
    }

    #[test]
    fn files_without_a_name_or_too_long_are_unusual() {
        let provides = |text: &str| ask(PkgconfigQuestion::Provides, "/b/x.pc", text);
        assert!(provides("Name: x\nDescription: x\nVersion: 1").is_some());
        for text in [
            "",
            "Name: x\nVersion: 1\n",
            "Name:\nDescription: x\nVersion: 1\n",
            "Name: x\nDescription: x\nVersion:\n",
        ] {
            assert_eq!(provides(text), None, "{text:?}");
        }
        assert_eq!(provides(&format!("{USUAL}#{}\n", "x".repeat(40_000))), None);
        let growing = "a=xxxxxxxxxx\nb=${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}\nc=${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}\n";
        assert!(provides(&format!("{growing}{USUAL}")).is_some());
        assert_eq!(provides(&format!("{growing}d=${{c}}${{c}}${{c}}${{c}}${{c}}\n{USUAL}")), None);
    }
}
