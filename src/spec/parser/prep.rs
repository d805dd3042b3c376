//! `%setup` and `%patch` (rpm-spec-macros(7), "Build steps"): macros that there are while `%prep` is read.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::super::dialect::{OldForm, UNNUMBERED, accepts, advice};
use super::super::line_reader::Line;
use super::super::package_problem::PackageProblem;
use super::super::section_header::split_shell_words;
use super::define::redefine;
use super::state::{EarlyEnd, Parser, Sources};
use crate::macros::{ExtensionProblem, Macros, Stop};

/// Defines them; where an older rpm is spoken, they are lines and no macros.
pub(super) fn define_prep_macros(macros: &Macros, sources: &Sources) {
    if accepts(macros, OldForm::PrepLines) {
        return;
    }
    let ours = Rc::clone(sources);
    let setup = move |macros: &Macros, words: &[Vec<u8>]| Ok(setup(macros, &ours, words)?);
    macros.add_extension("setup", true, Rc::new(setup));
    let ours = Rc::clone(sources);
    macros.add_extension("patch", true, Rc::new(move |macros, words| patch_call(macros, &ours, words)));
}

/// Takes them away.
pub(super) fn remove_prep_macros(macros: &Macros) {
    macros.remove_extension("setup");
    macros.remove_extension("patch");
}

impl Parser<'_> {
    /// A line of `%prep`, after its macros: `%setup` and `%patch` are among them, unless an older rpm is spoken.
    pub(super) fn read_prep_line(&mut self, mut line: Line) -> Result<Line, EarlyEnd> {
        let of_setup = line.text.strip_prefix(b"%setup");
        let of_patch = line.text.strip_prefix(b"%patch");
        if !accepts(self.macros, OldForm::PrepLines) {
            if of_patch.and_then(|rest| rest.first()).is_some_and(u8::is_ascii_digit) {
                let text = line.text.into();
                return Err(self.fail(PackageProblem::PatchN { text }));
            }
            return Ok(line);
        }
        let script = match (of_setup, of_patch) {
            (Some(rest), _) => setup(self.macros, &self.sources, &[rest.trim_ascii().to_vec()])
                .map_err(|message| self.report_prep_line(message))?,
            (None, Some(rest)) => self.read_patch_line(&line, rest)?,
            (None, None) => return Ok(line),
        };
        let before = self.spec.text.len().saturating_sub(line.text.len());
        self.spec.text.truncate(before);
        self.spec.text.extend_from_slice(&script);
        line.text = script;
        Ok(line)
    }

    fn report_prep_line(&mut self, message: Vec<u8>) -> EarlyEnd {
        self.fail(PackageProblem::PrepLine { message: message.into() })
    }

    /// `%patch0 -p1`, `%patch -p1`, as rpm up to 4.19 reads what follows `%patch`.
    fn read_patch_line(&mut self, line: &Line, rest: &[u8]) -> Result<Vec<u8>, EarlyEnd> {
        let is_numbered = rest.first().is_some_and(|first| !matches!(first, b' ' | b'\t' | b'\n'));
        let bare = if accepts(self.macros, OldForm::NoNumbering) { UNNUMBERED } else { 0 };
        let is_zero_first = accepts(self.macros, OldForm::PatchZeroFirst) && !rest.contains_str(" -P");
        let words = match (is_numbered, is_zero_first) {
            (true, _) => [b"-P ", rest].concat(),
            (false, true) => [format!("-P {bare} ").as_bytes(), rest].concat(),
            (false, false) => rest.to_vec(),
        };
        let patch = Patch::read(&[words.trim_ascii().to_vec()]);
        let mut patch = patch.map_err(|message| self.report_prep_line(message))?;
        if patch.numbers.is_empty() {
            let text = line.text.trim_ascii_end().into();
            let is_error = !accepts(self.macros, OldForm::BarePatch);
            self.report(PackageProblem::BarePatch { text, is_error });
            if is_error {
                return Err(EarlyEnd::Stopped);
            }
            patch.numbers.push(BString::from("0"));
        }
        patch.script(self.macros, &self.sources).map_err(|message| self.report_prep_line(message))
    }
}

/// A macro that can't be expanded has said why.
fn expand(macros: &Macros, text: &str) -> Result<Vec<u8>, Vec<u8>> {
    macros.expand_piece(text.as_bytes()).map_err(|Stop| text.as_bytes().to_vec())
}

/// The path of a source or patch.
fn path(
    macros: &Macros,
    sources: &Sources,
    is_patch: bool,
    number: u32,
) -> Result<(Vec<u8>, BString), Vec<u8>> {
    let sources = sources.borrow();
    let found = sources.iter().find(|source| source.is_patch == is_patch && source.number == number);
    let kind = if is_patch { "patch" } else { "source" };
    let found = found.ok_or_else(|| format!("No {kind} number {number}").into_bytes())?;
    let folder = expand(macros, "%{_sourcedir}")?;
    let name = macros.expand_piece(&found.file_name).map_err(|Stop| found.file_name.to_vec())?;
    Ok(([folder.as_slice(), b"/", &name].concat(), name.into()))
}

/// Options as popt(3) reads them: a letter with its value, or a word.
enum PrepWord {
    Option(u8, BString),
    Word(BString),
}

/// Reads options; `valued` and `bare` are the letters that there are.
fn options(
    words: Vec<BString>,
    valued: &[u8],
    bare: &[u8],
    wrong: &dyn Fn(&[u8], &str) -> Vec<u8>,
) -> Result<Vec<PrepWord>, Vec<u8>> {
    let mut said = Vec::new();
    let mut left = words.into_iter();
    while let Some(word) = left.next() {
        if !word.starts_with(b"-") || word.len() == 1 {
            said.push(PrepWord::Word(word));
            continue;
        }
        if word.starts_with(b"--") {
            if word.len() == 2 {
                said.extend(left.by_ref().map(PrepWord::Word));
                break;
            }
            return Err(wrong(&word, "unknown option"));
        }
        let mut letters = word.get(1..).unwrap_or_default();
        while let Some((letter, rest)) = letters.split_first() {
            letters = rest;
            if bare.contains(letter) {
                said.push(PrepWord::Option(*letter, BString::default()));
            } else if valued.contains(letter) {
                let attached = rest.strip_prefix(b"=").unwrap_or(rest);
                let value = if rest.is_empty() { left.next() } else { Some(attached.into()) };
                let value = value.ok_or_else(|| wrong(&[b'-', *letter], "missing argument"))?;
                said.push(PrepWord::Option(*letter, value));
                break;
            } else {
                return Err(wrong(&[b'-', *letter], "unknown option"));
            }
        }
    }
    Ok(said)
}

fn number(text: &[u8]) -> Option<u32> {
    text.to_str().ok()?.parse().ok()
}

/// `%setup`
#[derive(Default)]
struct Setup {
    after: Vec<u32>,
    before: Vec<u32>,
    creates: bool,
    strips: bool,
    keeps: bool,
    skips: bool,
    is_quiet: bool,
    name: Option<BString>,
}

fn setup(macros: &Macros, sources: &Sources, words: &[Vec<u8>]) -> Result<Vec<u8>, Vec<u8>> {
    let line = macros.place().line;
    let wrong = |option: &[u8], what: &str| {
        [format!("line {line}: Bad %setup option ").as_bytes(), option, b": ", what.as_bytes()].concat()
    };
    let mut setup = Setup::default();
    let words = split_shell_words(&words.join(&b' '));
    for said in options(words, b"abn", b"cCDTq", &wrong)? {
        let PrepWord::Option(letter, value) = said else {
            continue;
        };
        let numbered = || {
            number(&value)
                .ok_or_else(|| [format!("line {line}: Bad arg to %setup: ").as_bytes(), &value].concat())
        };
        match letter {
            b'a' => setup.after.push(numbered()?),
            b'b' => setup.before.push(numbered()?),
            b'n' => setup.name = Some(value),
            b'c' => setup.creates = true,
            b'C' => setup.strips = true,
            b'D' => setup.keeps = true,
            b'T' => setup.skips = true,
            _ => setup.is_quiet = true,
        }
    }
    setup.script(macros, sources)
}

impl Setup {
    fn script(self, macros: &Macros, sources: &Sources) -> Result<Vec<u8>, Vec<u8>> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => expand(macros, "%{NAME}-%{VERSION}")?.into(),
        };
        redefine(macros, b"buildsubdir", &name);
        let folder = expand(macros, "%{?builddir}%{!?builddir:%{_builddir}}")?;
        let mut out = [b"cd '", folder.as_slice(), b"'\n"].concat();
        if !self.keeps {
            out.extend([b"rm -rf '", name.as_slice(), b"'\n"].concat());
        }
        for source in &self.before {
            out.extend(self.unpack(macros, sources, *source, None)?);
        }
        let enter = [b"cd '", name.as_slice(), b"'\n"].concat();
        if self.creates {
            out.extend([expand(macros, "%{__mkdir_p}")?.as_slice(), b" '", &name, b"'\n", &enter].concat());
        }
        if !self.skips {
            out.extend(self.unpack(macros, sources, 0, self.strips.then_some(&name))?);
        }
        if !self.creates {
            out.extend(enter);
        }
        for source in &self.after {
            out.extend(self.unpack(macros, sources, *source, None)?);
        }
        out.extend(expand(macros, "%{_fixperms} .\n")?);
        Ok(out)
    }

    fn unpack(
        &self,
        macros: &Macros,
        sources: &Sources,
        number: u32,
        into: Option<&BString>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let (path, _) = path(macros, sources, false, number)?;
        let verbose: &[u8] = if self.is_quiet { b"" } else { b"-v " };
        let into = into.map(|name| [b"-C ", name.as_slice(), b" "].concat()).unwrap_or_default();
        let program = expand(macros, "%{__rpmuncompress}")?;
        let command: [&[u8]; 7] = [&program, b" -x ", verbose, &into, b"'", &path, b"'\n"];
        let check = b"STATUS=$?\nif [ $STATUS -ne 0 ]; then\n  exit $STATUS\nfi\n";
        Ok([command.concat().as_slice(), check].concat())
    }
}

/// `%patch`
#[derive(Default)]
struct Patch {
    /// As it was written, for messages.
    line: Vec<u8>,
    numbers: Vec<BString>,
    strip: u32,
    suffix: Option<BString>,
    fuzz: Option<u32>,
    folder: Option<BString>,
    output: Option<BString>,
    flags: Vec<u8>,
}

/// A call of `%patch`, where it is a macro.
fn patch_call(macros: &Macros, sources: &Sources, words: &[Vec<u8>]) -> Result<Vec<u8>, ExtensionProblem> {
    let patch = Patch::read(words)?;
    if patch.numbers.is_empty() {
        let message = patch.say(b"Patch number not specified");
        return Err(ExtensionProblem { message, help: Some(advice(OldForm::BarePatch)) });
    }
    Ok(patch.script(macros, sources)?)
}

impl Patch {
    fn read(words: &[Vec<u8>]) -> Result<Self, Vec<u8>> {
        let line = [b"patch".to_vec(), words.to_vec().join(&b' ')].join(&b' ');
        let mut patch = Self { line: line.trim_ascii_end().to_vec(), ..Self::default() };
        let wrong = |option: &[u8], what: &str| patch.say(&[what.as_bytes(), b": ", option].concat());
        let said = options(split_shell_words(&words.join(&b' ')), b"bdFpozP", b"ERZ", &wrong)?;
        for said in said {
            match said {
                PrepWord::Word(word) | PrepWord::Option(b'P', word) => patch.numbers.push(word),
                PrepWord::Option(b'p', value) => patch.strip = patch.numeric(&value)?,
                PrepWord::Option(b'F', value) => patch.fuzz = Some(patch.numeric(&value)?),
                PrepWord::Option(b'b' | b'z', value) => patch.suffix = Some(value),
                PrepWord::Option(b'd', value) => patch.folder = Some(value),
                PrepWord::Option(b'o', value) => patch.output = Some(value),
                PrepWord::Option(letter, _) => patch.flags.push(letter),
            }
        }
        Ok(patch)
    }

    fn say(&self, what: &[u8]) -> Vec<u8> {
        [what, b": ", &self.line].concat()
    }

    fn numeric(&self, value: &BString) -> Result<u32, Vec<u8>> {
        number(value).ok_or_else(|| self.say(&[b"invalid numeric value: ", value.as_slice()].concat()))
    }

    /// The options of patch(1).
    fn arguments(&self, macros: &Macros) -> Result<Vec<u8>, Vec<u8>> {
        let fuzz = match self.fuzz {
            Some(fuzz) => fuzz.to_string().into_bytes(),
            None => expand(macros, "%{?_default_patch_fuzz}")?,
        };
        let mut arguments = format!("-p{} ", self.strip).into_bytes();
        let suffix = self.suffix.as_ref().map(|suffix| [b"-b --suffix ", suffix.as_slice()].concat());
        arguments.extend(suffix.unwrap_or_default());
        if !fuzz.is_empty() {
            arguments.extend([b" --fuzz=", fuzz.as_slice()].concat());
        }
        for (option, value) in [(b" -d ", &self.folder), (b" -o ", &self.output)] {
            let said = value.as_ref().map(|value| [option, value.as_slice()].concat());
            arguments.extend(said.unwrap_or_default());
        }
        for flag in [b'R', b'E', b'Z'] {
            arguments.extend(self.flags.contains(&flag).then_some([b' ', b'-', flag]).into_iter().flatten());
        }
        Ok(arguments)
    }

    fn script(&self, macros: &Macros, sources: &Sources) -> Result<Vec<u8>, Vec<u8>> {
        let arguments = self.arguments(macros)?;
        let apply = expand(macros, "%{__patch} %{_default_patch_flags} ")?;
        let mut out = Vec::new();
        for written in &self.numbers {
            let wrong = || self.say(&[b"Invalid patch number ", written.as_slice()].concat());
            let number = number(written).ok_or_else(wrong)?;
            let (path, name) = path(macros, sources, true, number)?;
            let shown = if number == UNNUMBERED { String::new() } else { format!("#{number} ") };
            out.extend([format!("echo \"Patch {shown}(").as_bytes(), &name, b"):\"\n"].concat());
            if !macros.may_look_at("%patch", &path) {
                return Err(self.say(b"Patch out of reach"));
            }
            let start = macros.read_start(&path, MAGIC_LENGTH);
            if start.is_ok_and(|start| !is_packed(&start)) {
                out.extend([apply.as_slice(), &arguments, b" < ", &path, b"\n\n"].concat());
            } else {
                let unpack = expand(macros, "{ %{__rpmuncompress} ")?;
                let fail = b" || echo patch_fail ; } | ";
                out.extend([unpack.as_slice(), &path, fail, &apply, &arguments, b"\n\n"].concat());
            }
        }
        Ok(out)
    }
}

/// How much of a file tells whether it is packed.
const MAGIC_LENGTH: usize = 13;

/// Whether a file begins as those do that rpmuncompress(1) unpacks.
fn is_packed(start: &[u8]) -> bool {
    const MAGIC: [&[u8]; 9] = [
        b"BZ",
        b"\x1f\x8b",
        b"PK\x03\x04",
        b"PK00PK",
        b"\xfd7zXZ\x00",
        b"LZIP",
        b"LRZI",
        b"7z\xbc\xaf\x27\x1c",
        b"\x28\xb5\x2f\xfd",
    ];
    // LZMA has no magic of its own: a small first byte, and a size that is not known.
    let is_lzma = matches!(start, [first, _, _, _, fifth, _, _, _, _, _, a, b, ..]
        if *first < 0xe1 && *fifth < 0x20 && (u16::from(*a) + u16::from(*b) == 0x1fe || (*a == 0 && *b == 0 && start.starts_with(b"]"))));
    is_lzma || MAGIC.iter().any(|magic| start.starts_with(magic))
}
