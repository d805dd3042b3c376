//! The lines of a preamble: `Tag: value`, `Tag(qualifier): value` (rpm-spec(5), "PREAMBLE").

use bstr::{BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

use super::dialect::{OldForm, advice};
use super::limits::LONGEST_QUALIFIER;

/// What can stand in parentheses after a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qualifier {
    None,
    /// A language: `Summary(de)`.
    Language,
    /// When a dependency counts: `Requires(post,preun)`.
    Events,
    /// A section: `BuildOption(conf)`.
    Section,
}

/// How much a value may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueForm {
    /// One word.
    Word,
    /// Anything.
    Text,
}

macro_rules! tags {
    ($($tag:ident $word:literal $qualifier:ident $value:ident,)*) => {
        /// A tag of a preamble. Older names of a tag are the same tag.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum SpecTag { $(#[doc = concat!("`", $word, "`")] $tag,)* }

        const TAGS: &[(&str, SpecTag, Qualifier, ValueForm)] =
            &[$(($word, SpecTag::$tag, Qualifier::$qualifier, ValueForm::$value),)*];
    };
}

tags! {
    AutoProv "autoprov" None Text,
    AutoReq "autoreq" None Text,
    AutoReqProv "autoreqprov" None Text,
    BugUrl "bugurl" None Word,
    BuildArch "buildarch" None Text,
    BuildConflicts "buildconflicts" None Text,
    BuildOption "buildoption" Section Text,
    BuildPreReq "buildprereq" None Text,
    BuildRequires "buildrequires" None Text,
    BuildRoot "buildroot" None Text,
    BuildSystem "buildsystem" None Word,
    Conflicts "conflicts" None Text,
    DistTag "disttag" None Word,
    DistUrl "disturl" None Text,
    Distribution "distribution" None Text,
    DocDir "docdir" None Word,
    Enhances "enhances" Events Text,
    Epoch "epoch" None Word,
    ExcludeArch "excludearch" None Text,
    ExcludeOs "excludeos" None Text,
    ExclusiveArch "exclusivearch" None Text,
    ExclusiveOs "exclusiveos" None Text,
    Group "group" Language Text,
    Icon "icon" None Word,
    License "license" None Text,
    ModularityLabel "modularitylabel" None Word,
    Name "name" None Word,
    NoPatch "nopatch" None Text,
    NoSource "nosource" None Text,
    Obsoletes "obsoletes" None Text,
    OrderWithRequires "orderwithrequires" Events Text,
    Packager "packager" None Text,
    Patch "patch" None Text,
    PreReq "prereq" Events Text,
    Prefixes "prefixes" None Text,
    Provides "provides" None Text,
    Recommends "recommends" Events Text,
    Release "release" None Word,
    RemovePathPostfixes "removepathpostfixes" None Text,
    Requires "requires" Events Text,
    Source "source" None Text,
    SourceLicense "sourcelicense" None Text,
    Suggests "suggests" Events Text,
    Summary "summary" Language Text,
    Supplements "supplements" Events Text,
    TranslationUrl "translationurl" None Text,
    UpstreamReleases "upstreamreleases" None Text,
    Url "url" None Word,
    Vcs "vcs" None Word,
    Vendor "vendor" None Text,
    Version "version" None Word,
}

/// Names of before.
const OLDER: &[(&str, &str)] = &[("buildarchitectures", "buildarch"), ("prefix", "prefixes")];

/// When a dependency counts, with rpm's bits for it (`RPMSENSE_*`).
const EVENTS: &[(&str, u32)] = &[
    ("interp", 1 << 8),
    ("meta", 1 << 29),
    ("post", 1 << 10),
    ("posttrans", 1 << 5),
    ("postun", 1 << 12),
    ("postuntrans", 1 << 21),
    ("pre", 1 << 9),
    ("pretrans", 1 << 7),
    ("preun", 1 << 11),
    ("preuntrans", 1 << 20),
    ("rpmlib", 1 << 24),
    ("verify", 1 << 13),
];

/// A line of a preamble, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The tag.
    pub tag: SpecTag,
    /// The number of a source or patch, where it is written.
    pub number: Option<u32>,
    /// The language or the section that is meant.
    pub qualifier: Option<BString>,
    /// When the dependency counts, in rpm's bits.
    pub events: u32,
    /// What stands after the colon, without the blanks around it.
    pub value: BString,
}

/// What can be wrong with a line of a preamble, in rpm's words; the line follows them.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum TagProblem {
    /// No tag, or one that takes nothing in parentheses.
    #[error("Unknown tag")]
    #[diagnostic(
        code(forge::spec::unknown_tag),
        help("a line before the first section is `Tag: value`; rpm-spec(5) lists the tags")
    )]
    Unknown,
    /// A macro that stands for nothing: it would have given lines.
    #[error("Unknown tag")]
    #[diagnostic(
        code(forge::spec::undefined_macro),
        help("the macro `%{name}` is not defined here: install the package that brings it, or define it")
    )]
    UndefinedMacro {
        /// Its name.
        name: BString,
    },
    /// A source or patch without a colon.
    #[error("Malformed tag")]
    #[diagnostic(code(forge::spec::malformed_tag), help("a colon is missing: `Source: file`"))]
    Malformed,
    /// Nothing after the colon.
    #[error("Empty tag")]
    #[diagnostic(code(forge::spec::empty_tag), help("write a value, or leave the line out"))]
    Empty,
    /// More than one word where one is taken.
    #[error("Tag takes single token only")]
    #[diagnostic(code(forge::spec::single_token), help("there can be no blanks in the value"))]
    SingleToken,
    /// Something that is no event.
    #[error("Bad {tag}: qualifiers")]
    #[diagnostic(
        code(forge::spec::qualifier),
        help(
            "there are pre, post, preun, postun, pretrans, posttrans, preuntrans, postuntrans, verify, interp and meta; {}",
            advice(OldForm::TextAfterEvents)
        )
    )]
    Qualifier {
        /// The tag, as packages call it.
        tag: &'static str,
    },
    /// A source or patch whose number is none.
    #[error("Bad {kind} number")]
    #[diagnostic(code(forge::spec::number), help("a number follows at once, or nothing: `Source1:`"))]
    Number {
        /// `source` or `patch`.
        kind: &'static str,
    },
}

impl Field {
    /// Reads a line.
    ///
    /// # Errors
    /// It is no line of a preamble.
    pub fn read(line: &[u8]) -> Result<Self, TagProblem> {
        Self::read_with(line, false)
    }

    /// As [`Field::read`]; `ignores_text_after_events` as rpm 4.14 does.
    pub(super) fn read_with(line: &[u8], ignores_text_after_events: bool) -> Result<Self, TagProblem> {
        let text = line.trim_ascii();
        let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = text.split_at_checked(length).unwrap_or((text, b""));
        let word = word.to_ascii_lowercase();
        let found = TAGS.iter().find(|row| row.0.as_bytes() == known(&word));
        match found {
            Some((_, tag @ (SpecTag::Source | SpecTag::Patch), ..)) => read_numbered_tag(*tag, rest),
            Some(row) => read_tag(row, rest, ignores_text_after_events),
            None => [(SpecTag::Source, "source"), (SpecTag::Patch, "patch")]
                .into_iter()
                .find(|(_, kind)| word.starts_with(kind.as_bytes()))
                .map_or_else(
                    || Err(unknown(text)),
                    |(tag, kind)| read_numbered_tag(tag, text.get(kind.len()..).unwrap_or_default()),
                ),
        }
    }
}

/// What is wrong with a line that begins with no tag.
fn unknown(text: &[u8]) -> TagProblem {
    let call = text.strip_prefix(b"%").unwrap_or_default();
    let call = call.strip_prefix(b"{").unwrap_or(call);
    let length = call.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    match call.get(..length) {
        Some([]) | None => TagProblem::Unknown,
        // A condition without anything to decide.
        Some(b"if" | b"ifarch" | b"ifnarch" | b"ifos" | b"ifnos") => TagProblem::Unknown,
        Some(name) => TagProblem::UndefinedMacro { name: name.into() },
    }
}

fn known(word: &[u8]) -> &[u8] {
    let older = OLDER.iter().find(|(older, _)| older.as_bytes() == word);
    older.map_or(word, |(_, known)| known.as_bytes())
}

fn read_numbered_tag(tag: SpecTag, rest: &[u8]) -> Result<Field, TagProblem> {
    let kind = if tag == SpecTag::Source { "source" } else { "patch" };
    let (written, value) = rest.split_once_str(":").ok_or(TagProblem::Malformed)?;
    let value = value.trim_ascii();
    if value.is_empty() {
        return Err(TagProblem::Empty);
    }
    // What stands apart from the tag means nothing to rpm.
    let digits = written.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let number = match digits {
        [] => None,
        digits => {
            let number = digits.to_str().ok().and_then(|digits| digits.parse().ok());
            Some(number.ok_or(TagProblem::Number { kind })?)
        }
    };
    Ok(Field { tag, number, qualifier: None, events: 0, value: value.into() })
}

fn read_tag(
    row: &(&str, SpecTag, Qualifier, ValueForm),
    rest: &[u8],
    ignores_text_after_events: bool,
) -> Result<Field, TagProblem> {
    let (_, tag, takes, holds) = *row;
    let rest = rest.trim_ascii_start();
    let (qualifier, rest) = match (rest.split_first(), takes) {
        (Some((b'(', _)), Qualifier::None) => return Err(TagProblem::Unknown),
        (Some((b'(', inside)), _) => {
            let (qualifier, rest) = split_qualifier(inside).ok_or(TagProblem::Unknown)?;
            (Some(qualifier), rest)
        }
        _ => (None, rest),
    };
    let value = rest.trim_ascii_start().strip_prefix(b":").ok_or(TagProblem::Unknown)?.trim_ascii();
    if value.is_empty() {
        return Err(TagProblem::Empty);
    }
    if holds == ValueForm::Word && value.iter().any(u8::is_ascii_whitespace) {
        return Err(TagProblem::SingleToken);
    }
    let named = qualifier.filter(|qualifier| !qualifier.is_empty());
    let (qualifier, events) = match (takes, named) {
        (Qualifier::Events, Some(named)) => {
            let named = if ignores_text_after_events { known_events(named) } else { named };
            (None, if named.is_empty() { 0 } else { read_events(tag, named)? })
        }
        (_, named) => (named.map(BString::from), 0),
    };
    Ok(Field { tag, number: None, qualifier, events, value: value.into() })
}

/// What stands in parentheses, one word, and what follows them.
fn split_qualifier(inside: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = inside.trim_ascii_start();
    let length = inside.iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b')').count();
    let (word, rest) = inside.split_at_checked(length)?;
    if word.len() > LONGEST_QUALIFIER {
        return None;
    }
    Some((word, rest.trim_ascii_start().strip_prefix(b")")?))
}

/// Events up to the first character that is none of a list of words.
fn known_events(written: &[u8]) -> &[u8] {
    let length = written.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b',').count();
    written.get(..length).unwrap_or_default().trim_end_with(|last| last == ',')
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others that take events are stored as requirements")]
fn read_events(tag: SpecTag, written: &[u8]) -> Result<u32, TagProblem> {
    let bad = || TagProblem::Qualifier {
        tag: match tag {
            SpecTag::Enhances => "Enhancename",
            SpecTag::OrderWithRequires => "Ordername",
            SpecTag::Recommends => "Recommendname",
            SpecTag::Suggests => "Suggestname",
            SpecTag::Supplements => "Supplementname",
            _ => "Requirename",
        },
    };
    written.split_str(",").try_fold(0, |bits, word| {
        let event = EVENTS.iter().find(|(event, _)| event.as_bytes() == word);
        event.map(|(_, bit)| bits | bit).ok_or_else(bad)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_apart() {
        let field = Field::read(b"  requires ( post,preun ) :  a, b >= 1 \n").unwrap();
        assert_eq!(
            (field.tag, field.events, field.value.as_slice()),
            (SpecTag::Requires, 3072, b"a, b >= 1".as_slice())
        );
        let field = Field::read(b"Summary(de): Kurz").unwrap();
        assert_eq!(field.qualifier, Some("de".into()));
        assert_eq!(Field::read(b"Source12: a b").unwrap().number, Some(12));
        assert_eq!(Field::read(b"Patch: a").unwrap().number, None);
        assert_eq!(Field::read(b"Prefix: /usr").unwrap().tag, SpecTag::Prefixes);
        assert_eq!(Field::read(b"Summary(): s").unwrap().qualifier, None);
    }

    #[test]
    fn a_line_of_a_macro_that_nobody_has_defined_says_so() {
        use miette::Diagnostic;
        for line in ["%gometa -f", "%{gometa}", "%{gometa:x} y"] {
            let problem = Field::read(line.as_bytes()).unwrap_err();
            assert_eq!(problem.to_string(), "Unknown tag", "in rpm's words");
            assert!(problem.help().unwrap().to_string().contains("`%gometa` is not defined"), "{line}");
        }
        assert_eq!(Field::read(b"% gometa"), Err(TagProblem::Unknown));
    }
}
