//! What can be wrong with the lines of a spec, in the words of rpm.

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::changelog::ChangelogProblem;
use super::dependency_problem::DependencyProblem;
use super::dialect::{DialectProblem, OldForm, advice};
use super::file_line::FileProblem;
use super::package_problem::PackageProblem;
use super::section_header::SectionProblem;
use super::tag::TagProblem;

/// One thing that is wrong. The words are rpm's; the help is ours.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum SpecProblem {
    /// A conditional that nothing ends.
    #[error("Unclosed %if")]
    #[diagnostic(code(forge::spec::unclosed_if), help("every %if, %ifarch and %ifos needs its %endif"))]
    UnclosedIf,
    /// A part of a conditional outside of any.
    #[error("{directive} with no %if")]
    #[diagnostic(
        code(forge::spec::no_if),
        help("an %if before it is missing, or an %endif stands too early")
    )]
    NoIf {
        /// `%else`, `%elif`, `%endif`.
        directive: &'static str,
    },
    /// A part of a conditional after its last branch.
    #[error("{directive} after %else")]
    #[diagnostic(
        code(forge::spec::after_else),
        help("%else is the last branch before %endif; {}", advice(OldForm::SecondElse))
    )]
    AfterElse {
        /// `%else`, `%elif`.
        directive: &'static str,
    },
    /// Something after a directive that stands alone.
    #[error("extra tokens at the end of {directive} directive in line {line}:  {text}")]
    #[diagnostic(code(forge::spec::extra_tokens), help("{}", advice(OldForm::TextAfterDirective)))]
    ExtraTokens {
        /// `%else`, `%endif`.
        directive: &'static str,
        /// The line's number.
        line: u32,
        /// The whole line.
        text: BString,
        /// Whether it can't be taken.
        is_error: bool,
    },
    /// A condition that can't be worked out.
    #[error("{file}:{line}: bad {directive} condition: {condition}")]
    #[diagnostic(
        code(forge::spec::bad_condition),
        help("the message before this one shows what is wrong in it")
    )]
    BadCondition {
        /// The file.
        file: BString,
        /// The line's number.
        line: u32,
        /// `%if`, `%elif`.
        directive: &'static str,
        /// What stands after it, expanded.
        condition: BString,
    },
    /// A file that `%include` names and that can't be read.
    #[error("Unable to open {path}: {reason}")]
    #[diagnostic(code(forge::spec::no_include), help("a relative path begins where forge was started"))]
    NoInclude {
        /// The file.
        path: BString,
        /// Why.
        reason: String,
    },
    /// Files that include each other without end.
    #[error("%include is nested more than {limit} deep: {path}")]
    #[diagnostic(code(forge::spec::include_depth), help("does a file include itself?"))]
    IncludeDepth {
        /// The file.
        path: BString,
        /// How deep it may be.
        limit: usize,
    },
    /// More files than any spec needs.
    #[error("%include is used more than {limit} times")]
    #[diagnostic(code(forge::spec::many_includes), help("does a file include itself twice?"))]
    ManyIncludes {
        /// How many files there may be.
        limit: usize,
    },
    /// A line that nobody has written.
    #[error("the line is longer than {limit} bytes")]
    #[diagnostic(
        code(forge::spec::long_line),
        help(
            "divide it, or what its macros stand for, into several lines; large data belongs into a source"
        )
    )]
    LongLine {
        /// How many bytes it may have.
        limit: usize,
    },
    /// A bracket of a macro, or a backslash, that leads beyond the end of the file.
    #[error("unclosed macro or bad line continuation")]
    #[diagnostic(
        code(forge::spec::unclosed_macro),
        help("a `%{{`, `%(` or `%[` on this line is never closed, or the file ends with a backslash")
    )]
    UnclosedMacro,
    /// A macro in a comment: it is expanded all the same.
    #[error("Macro expanded in comment on line {line}: {comment}")]
    #[diagnostic(
        severity(Warning),
        code(forge::spec::macro_in_comment),
        help("write `%%` in a comment, or `%dnl` for one that is not read at all")
    )]
    MacroInComment {
        /// The line's number.
        line: u32,
        /// The comment from the macro on.
        comment: BString,
    },
    /// A line of a preamble that is none.
    #[error("{problem}: {text}")]
    #[diagnostic(forward(problem))]
    Tag {
        /// What is wrong with it.
        problem: TagProblem,
        /// The line.
        text: BString,
    },
    /// A dependency that is none.
    #[error("{problem}: {text}")]
    #[diagnostic(forward(problem))]
    Dependency {
        /// What is wrong with it.
        problem: DependencyProblem,
        /// The line.
        text: BString,
        /// Whether it can't be taken.
        is_error: bool,
    },
    /// A line that begins a section wrongly.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Section(#[from] SectionProblem),
    /// Something wrong with a changelog.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Changelog(#[from] ChangelogProblem),
    /// Something wrong with a line of `%files`: rpm says so when it packages the files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileProblem),
    /// A language that can't be spoken.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dialect(#[from] DialectProblem),
    /// Something wrong with the packages.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageProblem),
}

/// How rpm names the place of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceInMessage {
    /// `file: line 3: `
    FileAndLine,
    /// `line 3: `
    Line,
    /// Not at all, or in the message itself.
    Nowhere,
}

impl SpecProblem {
    /// Whether rpm calls it an error.
    pub fn is_error(&self) -> bool {
        match self {
            Self::MacroInComment { .. } => false,
            Self::Dependency { is_error, .. } | Self::ExtraTokens { is_error, .. } => *is_error,
            Self::Changelog(problem) => problem.is_error(),
            Self::Package(problem) => problem.is_error(),
            Self::UnclosedIf
            | Self::NoIf { .. }
            | Self::AfterElse { .. }
            | Self::BadCondition { .. }
            | Self::NoInclude { .. }
            | Self::IncludeDepth { .. }
            | Self::ManyIncludes { .. }
            | Self::LongLine { .. }
            | Self::UnclosedMacro
            | Self::Tag { .. }
            | Self::Section(_)
            | Self::File(_)
            | Self::Dialect(_) => true,
        }
    }

    /// Whether nothing can be built of a spec with it. rpm calls what is wrong with a changelog an error, leaves the entries
    /// after it out, and builds.
    pub fn prevents_a_build(&self) -> bool {
        if let Self::File(problem) = self {
            return !problem.has_macro_left();
        }
        !matches!(self, Self::Changelog(_)) && self.is_error()
    }

    /// How rpm names its place.
    pub fn place_in_message(&self) -> PlaceInMessage {
        match self {
            Self::NoIf { .. } | Self::AfterElse { .. } => PlaceInMessage::FileAndLine,
            Self::Section(SectionProblem::Package { .. }) => PlaceInMessage::Nowhere,
            Self::UnclosedIf
            | Self::LongLine { .. }
            | Self::UnclosedMacro
            | Self::Tag { .. }
            | Self::Dependency { .. }
            | Self::Section(_) => PlaceInMessage::Line,
            Self::Package(problem) if problem.names_its_line() => PlaceInMessage::Line,
            Self::Package(_) => PlaceInMessage::Nowhere,
            Self::Dialect(_)
            | Self::ExtraTokens { .. }
            | Self::BadCondition { .. }
            | Self::NoInclude { .. }
            | Self::IncludeDepth { .. }
            | Self::ManyIncludes { .. }
            | Self::MacroInComment { .. }
            | Self::Changelog(_)
            | Self::File(_) => PlaceInMessage::Nowhere,
        }
    }
}
