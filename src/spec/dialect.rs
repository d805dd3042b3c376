//! What older versions of rpm take in specs, and newer ones refuse or read otherwise.
//!
//! forge speaks the language of rpm 6.1. A root of an older system has specs for its own rpm: [`speak`] takes, before a spec
//! is read, what that version took, with the meaning that it had there. Everywhere else the same is refused, with what to
//! write instead. What newer versions added is understood in every dialect.

use bstr::{BStr, BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

use crate::macros::{Macros, OldMacros, RpmVersion};

/// The oldest version whose language is known.
const OLDEST: RpmVersion = RpmVersion::new(4, 14);

/// A way of writing that rpm gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldForm {
    /// `%setup` and `%patch` are no macros: they count at the beginning of a line only.
    PrepLines,
    /// `%patch1`
    NumberedPatch,
    /// `%patch` without a number.
    BarePatch,
    /// `%patch 1`
    PatchZeroFirst,
    /// `Patch:` beside `Patch0:`.
    NoNumbering,
    /// `%endif text`
    TextAfterDirective,
    /// A second `%else`.
    SecondElse,
    /// `%if word == other`
    BareWord,
    /// `Name: .a`
    NameStart,
    /// `Requires(post;pre)`
    TextAfterEvents,
    /// `%build -x`
    ScriptOptions,
    /// Macros with these names.
    LaterBuiltIns(&'static [&'static str]),
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldFormRow {
    /// The form.
    pub form: OldForm,
    /// As it is written.
    pub what: &'static str,
    /// The last branch of rpm that takes it.
    pub last: RpmVersion,
    /// What it means there.
    pub meaning: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// All of them, the newest first.
pub const OLD_FORMS: &[OldFormRow] = &[
    OldFormRow {
        form: OldForm::LaterBuiltIns(&["span", "xdg"]),
        what: "macros called `span` and `xdg`",
        last: RpmVersion::new(4, 20),
        meaning: "they can be defined, and stand for what they are defined as",
        instead: "another name",
    },
    OldFormRow {
        form: OldForm::NumberedPatch,
        what: "`%patch1 -p1`",
        last: RpmVersion::new(4, 19),
        meaning: "applies patch 1",
        instead: "`%patch -P 1 -p1`",
    },
    OldFormRow {
        form: OldForm::PrepLines,
        what: "`%setup` and `%patch` elsewhere than at the beginning of a line of `%prep`: in comments, with blanks before them",
        last: RpmVersion::new(4, 19),
        meaning: "they stay as they are",
        instead: "`%%setup`, `%%patch`",
    },
    OldFormRow {
        form: OldForm::TextAfterDirective,
        what: "text after `%else` and `%endif`",
        last: RpmVersion::new(4, 19),
        meaning: "it is ignored, with a warning",
        instead: "a comment: `%endif # text`",
    },
    OldFormRow {
        form: OldForm::ScriptOptions,
        what: "options of `%prep`, `%build`, `%install`, `%check`, `%clean` other than `-a` or `-p`",
        last: RpmVersion::new(4, 19),
        meaning: "they are ignored",
        instead: "nothing, or `-a` and `-p`",
    },
    OldFormRow {
        form: OldForm::BarePatch,
        what: "`%patch -p1`",
        last: RpmVersion::new(4, 18),
        meaning: "applies patch 0",
        instead: "`%patch -P 0 -p1`",
    },
    OldFormRow {
        form: OldForm::LaterBuiltIns(&[
            "gsub",
            "len",
            "lower",
            "rep",
            "reverse",
            "rpmversion",
            "sub",
            "upper",
        ]),
        what: "macros called `gsub`, `len`, `lower`, `rep`, `reverse`, `rpmversion`, `sub` and `upper`",
        last: RpmVersion::new(4, 18),
        meaning: "they can be defined, and stand for what they are defined as",
        instead: "another name",
    },
    OldFormRow {
        form: OldForm::PatchZeroFirst,
        what: "`%patch 1` without `-P`",
        last: RpmVersion::new(4, 17),
        meaning: "applies patch 0 and then patch 1",
        instead: "`%patch -P 0 -P 1`",
    },
    OldFormRow {
        form: OldForm::NameStart,
        what: "names of packages that begin with `.`, `-` or `+`",
        last: RpmVersion::new(4, 17),
        meaning: "they are names as others are",
        instead: "a name that begins with a letter, a digit or `_`",
    },
    OldFormRow {
        form: OldForm::LaterBuiltIns(&["shescape"]),
        what: "a macro called `shescape`",
        last: RpmVersion::new(4, 17),
        meaning: "it can be defined, and stands for what it is defined as",
        instead: "another name",
    },
    OldFormRow {
        form: OldForm::LaterBuiltIns(&["exists"]),
        what: "a macro called `exists`",
        last: RpmVersion::new(4, 16),
        meaning: "it can be defined, and stands for what it is defined as",
        instead: "another name",
    },
    OldFormRow {
        form: OldForm::BareWord,
        what: "`%if word == other`",
        last: RpmVersion::new(4, 15),
        meaning: "a word without quotes is a text",
        instead: "`%if \"word\" == \"other\"`",
    },
    OldFormRow {
        form: OldForm::LaterBuiltIns(&["macrobody"]),
        what: "a macro called `macrobody`",
        last: RpmVersion::new(4, 15),
        meaning: "it can be defined, and stands for what it is defined as",
        instead: "another name",
    },
    OldFormRow {
        form: OldForm::NoNumbering,
        what: "`Patch:` beside `Patch0:`, `Source:` behind `Source1:`",
        last: RpmVersion::new(4, 14),
        meaning: "the source is number 0; the patch has no number, and only a bare `%patch` applies it",
        instead: "a number of its own",
    },
    OldFormRow {
        form: OldForm::SecondElse,
        what: "a second `%else`",
        last: RpmVersion::new(4, 14),
        meaning: "each `%else` turns the condition around",
        instead: "one `%else`, or `%elif` before it",
    },
    OldFormRow {
        form: OldForm::TextAfterEvents,
        what: "`Requires(post;pre)`",
        last: RpmVersion::new(4, 14),
        meaning: "what follows the events is ignored",
        instead: "`Requires(post,pre)`",
    },
    OldFormRow {
        form: OldForm::LaterBuiltIns(&["dnl", "expr", "getncpus"]),
        what: "macros called `dnl`, `expr` and `getncpus`",
        last: RpmVersion::new(4, 14),
        meaning: "they can be defined, and stand for what they are defined as",
        instead: "another name",
    },
];

/// The number of a patch that has none, in the dialects that know such patches.
pub(super) const UNNUMBERED: u32 = i32::MAX.cast_unsigned();

/// Why a dialect can't be spoken.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
#[error("%_rpm_dialect is `{said}`")]
#[diagnostic(
    code(forge::spec::unknown_dialect),
    help("write a version of rpm from {OLDEST} on, such as 4.18: its language is spoken then")
)]
pub struct DialectProblem {
    /// What was said.
    pub said: BString,
}

/// Checks whether the language of a version can be spoken.
///
/// # Errors
/// It is no version, or an older one than is known.
pub fn check_dialect(said: &str) -> Result<RpmVersion, DialectProblem> {
    let version = RpmVersion::read(said).filter(|version| *version >= OLDEST);
    version.ok_or_else(|| DialectProblem { said: said.into() })
}

/// Settles which language is spoken from now on.
///
/// # Errors
/// What the macros say can't be spoken.
pub(super) fn choose_dialect(macros: &Macros) -> Result<(), DialectProblem> {
    let version = macros.spoken_version().map_err(|said| DialectProblem { said: said.into() })?;
    let version = check_dialect(&version.to_string())?;
    let accepted = || OLD_FORMS.iter().filter(|row| is_spoken(version, row));
    let definable =
        accepted().flat_map(|row| if let OldForm::LaterBuiltIns(names) = row.form { names } else { &[] });
    let old = OldMacros {
        bare_words: accepted().any(|row| row.form == OldForm::BareWord),
        definable: definable.copied().collect(),
    };
    macros.set_dialect(version, old);
    Ok(())
}

/// Whether the language that is spoken has a form.
pub(super) fn accepts(macros: &Macros, form: OldForm) -> bool {
    let version = macros.spoken_version().unwrap_or(RpmVersion::NEWEST);
    find_row(form).is_some_and(|row| is_spoken(version, row))
}

/// Whether source packages name what they hold from the last source on, as they do up to rpm 4.20.
pub(super) fn names_sources_backwards(macros: &Macros) -> bool {
    macros.spoken_version().is_ok_and(|version| version.branch() <= (4, 20))
}

fn is_spoken(version: RpmVersion, row: &OldFormRow) -> bool {
    version.branch() <= row.last.branch()
}

fn find_row(form: OldForm) -> Option<&'static OldFormRow> {
    OLD_FORMS.iter().find(|row| row.form == form)
}

/// The form that defines a macro of that name, which later became a built-in one.
pub(super) fn later_built_in(name: &[u8]) -> Option<OldForm> {
    let is_name = |later: &&str| later.as_bytes() == name;
    let is_named =
        |form: &OldForm| matches!(form, OldForm::LaterBuiltIns(names) if names.iter().any(is_name));
    OLD_FORMS.iter().map(|row| row.form).find(is_named)
}

/// What to write in the place of a form that is refused, and where it is not refused.
pub(super) fn advice(form: OldForm) -> String {
    let instead = find_row(form).map_or("", |row| row.instead);
    advice_to_write(form, instead)
}

/// As [`advice`], for a line such as `%patch1 -p1`.
pub(super) fn advice_on_patch(line: &BStr) -> String {
    let rest = line.trim_ascii().strip_prefix(b"%patch").unwrap_or_default().to_str_lossy();
    advice_to_write(OldForm::NumberedPatch, &format!("`%patch -P {rest}`"))
}

fn advice_to_write(form: OldForm, instead: &str) -> String {
    let (major, minor) = find_row(form).map_or(OLDEST, |row| row.last).branch();
    format!(
        "write {instead}; rpm {major}.{minor} and older took it: for specs of such a system say `rpm \"{major}.{minor}\"` in \
         its chroot"
    )
}
