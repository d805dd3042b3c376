//! What can be wrong with a macro, in the words of rpm: programs match on them.

use std::time::Duration;

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::expression::ExpressionProblem;

/// What a line of an rpmrc file can have wrong, in rpm's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcMistake {
    /// What.
    pub message: String,
    /// Whether it is only passed over.
    pub is_warning: bool,
}

/// One thing that is wrong. The words are rpm's; the help is ours.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum MacroProblem {
    /// A bracket that is never closed.
    #[error("Unterminated {bracket}: {text}")]
    #[diagnostic(
        code(forge::macros::unterminated),
        help("close the bracket, or write `%%` where a percent sign is meant")
    )]
    Unterminated {
        /// The opening bracket.
        bracket: char,
        /// The text from there.
        text: BString,
    },
    /// Macros that call each other without end.
    #[error(
        "Too many levels of recursion in macro expansion. It is likely caused by recursive macro declaration."
    )]
    #[diagnostic(
        code(forge::macros::recursion),
        help("a macro's body may not lead to the macro itself; at most 64 may be open at a time")
    )]
    Recursion,
    /// A name that no macro can have.
    #[error("Macro %{name} has illegal name ({primitive})")]
    #[diagnostic(
        code(forge::macros::illegal_name),
        help("a name is made of letters, digits and `_`, with a letter among them and no digit first")
    )]
    IllegalName {
        /// The name.
        name: BString,
        /// What was to be done with it: `%define`, `%global`, `%undefine`.
        primitive: &'static str,
    },
    /// A part of the language itself.
    #[error("Macro %{name} is a built-in ({primitive})")]
    #[diagnostic(
        code(forge::macros::builtin),
        help("built-in macros can be neither defined nor undefined: take another name")
    )]
    BuiltIn {
        /// The name.
        name: BString,
        /// What was to be done with it.
        primitive: &'static str,
    },
    /// Nothing after the name.
    #[error("Macro %{name} has empty body")]
    #[diagnostic(
        code(forge::macros::empty_body),
        help("write `%{{nil}}` for a macro that expands to nothing")
    )]
    EmptyBody {
        /// The name.
        name: BString,
    },
    /// A body that is to be expanded at once and can't be.
    #[error("Macro %{name} failed to expand")]
    #[diagnostic(
        code(forge::macros::not_expanded),
        help("`%global` and `%define -e` expand the body now: the message above says what is wrong in it")
    )]
    NotExpanded {
        /// The name.
        name: BString,
    },
    /// A body whose brackets are never closed.
    #[error("Macro %{name} has unterminated body")]
    #[diagnostic(
        code(forge::macros::unterminated_body),
        help("every `%{{`, `%(` and `%[` of the body needs its closing bracket")
    )]
    UnterminatedBody {
        /// The name.
        name: BString,
    },
    /// Options that are never closed.
    #[error("Macro %{name} has unterminated opts")]
    #[diagnostic(
        code(forge::macros::unterminated_options),
        help("close the parenthesis after the options: `%name(ab:) body`")
    )]
    UnterminatedOptions {
        /// The name.
        name: BString,
    },
    /// Modifiers that are never closed.
    #[error("Macro %{name} has unterminated modifiers")]
    #[diagnostic(
        code(forge::macros::unterminated_modifiers),
        help("close the bracket after the modifiers: `%name<l> body`")
    )]
    UnterminatedModifiers {
        /// The name.
        name: BString,
    },
    /// A modifier that does not exist.
    #[error("Macro %{name} has illegal modifier {modifier}")]
    #[diagnostic(
        code(forge::macros::illegal_modifier),
        help("there are `l`, literal, and `o`, expanded once")
    )]
    IllegalModifier {
        /// The name.
        name: BString,
        /// The modifier.
        modifier: char,
    },
    /// Modifiers on a macro with options.
    #[error("Macro %{name} has modifiers incompatible with parametric macros")]
    #[diagnostic(
        code(forge::macros::parametric_modifier),
        help("a macro has options or modifiers, not both")
    )]
    ParametricModifier {
        /// The name.
        name: BString,
    },
    /// Modifiers that exclude each other.
    #[error("Macro %{name} has incompatible modifiers")]
    #[diagnostic(
        code(forge::macros::incompatible_modifiers),
        help("a body is either literal, `l`, or expanded once, `o`")
    )]
    IncompatibleModifiers {
        /// The name.
        name: BString,
    },
    /// An option that `%define` does not have.
    #[error("%define: invalid option -- '{option}'")]
    #[diagnostic(
        code(forge::macros::define_option),
        help("there are `-e`, expand now, and `-g`, define globally")
    )]
    DefineOption {
        /// The option.
        option: char,
    },
    /// A lone `-`.
    #[error("%define: no option after -")]
    #[diagnostic(
        code(forge::macros::define_dash),
        help("there are `-e`, expand now, and `-g`, define globally")
    )]
    DefineDash,
    /// The body follows the name at once.
    #[error("Macro %{name} needs whitespace before body")]
    #[diagnostic(severity(Warning), code(forge::macros::no_whitespace), help("put a space after the name"))]
    NoWhitespace {
        /// The name.
        name: BString,
    },
    /// A local definition that nothing used.
    #[error("Macro %{name} defined but not used within scope")]
    #[diagnostic(
        severity(Warning),
        code(forge::macros::unused),
        help("`%define` in a parametric macro ends with the call: write `%global`, or `%define -g`")
    )]
    Unused {
        /// The name.
        name: BString,
    },
    /// An option that a parametric macro does not take.
    #[error("Unknown option {option} in {name}({options})")]
    #[diagnostic(
        code(forge::macros::unknown_option),
        help("the letters in the parentheses are the options that it takes; `--` ends them")
    )]
    UnknownOption {
        /// The option.
        option: BString,
        /// The macro.
        name: BString,
        /// The options that it takes.
        options: BString,
        /// Whether the option is known and its argument is missing.
        is_missing: bool,
        /// Whether getopt(3) says so too.
        is_told_by_getopt: bool,
    },
    /// A built-in macro without what it needs.
    #[error("%{name}: argument expected")]
    #[diagnostic(code(forge::macros::argument_expected), help("write `%{{{name}:…}}`"))]
    ArgumentExpected {
        /// The built-in macro.
        name: &'static str,
    },
    /// A built-in macro that takes nothing.
    #[error("%{name}: unexpected argument")]
    #[diagnostic(code(forge::macros::argument_unexpected), help("write `%{name}` without an argument"))]
    ArgumentUnexpected {
        /// The built-in macro.
        name: &'static str,
    },
    /// An argument for a macro that has no use for one.
    #[error("unexpected argument to non-parametric macro %{name}")]
    #[diagnostic(
        severity(Warning),
        code(forge::macros::not_parametric),
        help("only a macro that is defined with parentheses takes arguments")
    )]
    NotParametric {
        /// The macro.
        name: BString,
    },
    /// An argument that means nothing.
    #[error("{}invalid argument: {argument}", prefix(.name))]
    #[diagnostic(code(forge::macros::invalid_argument), help("it takes {known}"))]
    InvalidArgument {
        /// The built-in macro, where rpm names it.
        name: Option<&'static str>,
        /// What was said.
        argument: BString,
        /// What can be said.
        known: &'static str,
    },
    /// A macro that should be there.
    #[error("no such macro: '{name}'")]
    #[diagnostic(
        code(forge::macros::no_such_macro),
        help("ask first: `%{{?{name}:…}}`; `%dump` lists what is defined")
    )]
    NoSuchMacro {
        /// The name.
        name: BString,
    },
    /// A macro file that can't be read, or has mistakes.
    #[error("failed to load macro file {path}")]
    #[diagnostic(
        code(forge::macros::not_loaded),
        help("the file must be there and be readable, and each of its definitions sound")
    )]
    NotLoaded {
        /// The file.
        path: BString,
    },
    /// A line of an rpmrc file.
    #[error("{}", .0.message)]
    #[diagnostic(
        code(forge::macros::rcfile),
        help(
            "a line is `key: value`; the keys are arch_canon, arch_compat, buildarch_compat, buildarchtranslate, optflags"
        )
    )]
    Configuration(RcMistake),
    /// An rpmrc file that was asked for and can't be read.
    #[error("Unable to open {path} for reading: No such file or directory.")]
    #[diagnostic(code(forge::macros::no_rcfile), help("`--rcfile` names files that must be there"))]
    NoRcFile {
        /// The file.
        path: BString,
    },
    /// A shell that can't be started.
    #[error("Failed to open shell expansion pipe for command: {command}: {reason} ")]
    #[diagnostic(code(forge::macros::no_shell), help("the machine must have /bin/sh and room for a process"))]
    NoShell {
        /// The command.
        command: BString,
        /// Why.
        reason: String,
    },
    /// Lua code that does not parse.
    #[error("invalid syntax in lua script: {message}")]
    #[diagnostic(
        code(forge::macros::lua_syntax),
        help("a closing brace within the code ends it: balance the braces")
    )]
    LuaSyntax {
        /// In Lua's words.
        message: BString,
    },
    /// Lua code that failed.
    #[error("lua script failed: {message}")]
    #[diagnostic(
        code(forge::macros::lua_failed),
        help("the place after `[string \"<lua>\"]` is the line of the code within its braces")
    )]
    LuaFailed {
        /// In Lua's words.
        message: BString,
    },
    /// A function of Lua that `rpm.call` has called ended with an error; the next one is called all the same.
    #[error("lua hook failed: {message}")]
    #[diagnostic(
        code(forge::macros::lua_hook_failed),
        help(
            "`rpm.register` has registered it; the place after `[string \"<lua>\"]` is the line of its code"
        )
    )]
    LuaHookFailed {
        /// In Lua's words.
        message: BString,
    },
    /// An expression that can't be worked out.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Expression(#[from] ExpressionProblem),
    /// `%{error:…}`.
    #[error("{0}")]
    #[diagnostic(code(forge::macros::error), help("the macro says so itself, with `%{{error:…}}`"))]
    Error(BString),
    /// What an extension of the language says.
    #[error("{message}")]
    #[diagnostic(
        code(forge::macros::extension),
        help("{}", help.as_deref().unwrap_or("rpm-spec-macros(7) says what the macro takes"))
    )]
    Extension {
        /// What is wrong.
        message: BString,
        /// What can be done, where that is known.
        help: Option<String>,
    },
    /// `%{warn:…}`.
    #[error("{0}")]
    #[diagnostic(severity(Warning), code(forge::macros::warn))]
    Warning(BString),
    /// Something that changes or asks the machine, where that was closed.
    #[error("{what} is not allowed here: {text}")]
    #[diagnostic(
        severity(Warning),
        code(forge::macros::closed),
        help("specs are only read here, without running anything; define the macro with a fixed value")
    )]
    Closed {
        /// What was wanted: `%(…)`, `io.open`.
        what: &'static str,
        /// The command or code.
        text: BString,
    },
    /// A file that macros may not know of.
    #[error("{what} may not look at {path} here")]
    #[diagnostic(
        code(forge::macros::confined),
        help(
            "a spec that is only read sees its own folder, its sources, its project and the macro files of the root; \
             with `isolation none` in the manifest, or without `--restricted`, it is trusted with all that you may read"
        )
    )]
    Confined {
        /// What wanted to: `%include`, `io.open`.
        what: BString,
        /// The file, as it was named.
        path: BString,
    },
    /// More time than the caller allows.
    #[error("the processor was busy for more than {} s", .limit.as_secs())]
    #[diagnostic(
        code(forge::macros::too_long_busy),
        help("a spec that is only read must come to an end: look for a loop, in Lua above all")
    )]
    TooLongBusy {
        /// How long it may be.
        limit: Duration,
    },
    /// More text than the caller allows.
    #[error("the expansion is longer than {limit} bytes")]
    #[diagnostic(
        code(forge::macros::too_long),
        help("a macro that repeats another, which repeats another, grows without bound")
    )]
    TooLong {
        /// How many bytes there may be.
        limit: usize,
    },
    /// More definitions than the caller allows.
    #[error("all macros together take more than {limit} bytes")]
    #[diagnostic(
        code(forge::macros::too_much_defined),
        help(
            "a macro that is defined for each item of a list, or again and again, takes room each time: keep such data in files or in Lua"
        )
    )]
    TooMuchDefined {
        /// How many bytes there may be.
        limit: usize,
    },
    /// More work than the caller allows.
    #[error("the expansion takes more than {limit} steps")]
    #[diagnostic(
        code(forge::macros::too_much_work),
        help("a macro that calls another twice, which calls another twice, has no end in sight")
    )]
    TooMuchWork {
        /// How many macros may be expanded.
        limit: u64,
    },
}

fn prefix(name: &Option<&'static str>) -> String {
    name.map_or_else(String::new, |name| format!("{name}: "))
}

/// What precedes a message, and whether the expansion goes on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The expansion ends.
    Error,
    /// It goes on.
    Warning,
}

impl MacroProblem {
    /// Whether it ends the expansion.
    pub fn severity(&self) -> Severity {
        let is_warning = matches!(
            self,
            Self::NoWhitespace { .. }
                | Self::Unused { .. }
                | Self::NotParametric { .. }
                | Self::Closed { .. }
                | Self::Configuration(RcMistake { is_warning: true, .. })
                | Self::Warning(_)
        );
        if is_warning { Severity::Warning } else { Severity::Error }
    }

    /// What it is, in lines of which each is a message.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others say it in one line of text")]
    pub fn lines(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Expression(problem) => problem.lines(),
            // A message is text to everyone else; these carry bytes that must come out as they went in.
            Self::Error(text) | Self::Warning(text) | Self::Extension { message: text, .. } => {
                vec![text.to_vec()]
            }
            Self::LuaFailed { message } => vec![[b"lua script failed: ", message.as_slice()].concat()],
            Self::LuaHookFailed { message } => vec![[b"lua hook failed: ", message.as_slice()].concat()],
            Self::LuaSyntax { message } => {
                vec![[b"invalid syntax in lua script: ", message.as_slice()].concat()]
            }
            _ => vec![self.to_string().into_bytes()],
        }
    }

    /// What getopt(3) writes before rpm does.
    pub(super) fn plain_line(&self) -> Option<Vec<u8>> {
        let Self::UnknownOption { option, name, is_missing, is_told_by_getopt: true, .. } = self else {
            return None;
        };
        let what = if *is_missing { "option requires an argument" } else { "invalid option" };
        Some(format!("{name}: {what} -- '{option}'\n").into_bytes())
    }

    /// Whether rpm puts `file: line N: ` before it when a file is being read.
    pub(super) fn names_its_line(&self) -> bool {
        !matches!(
            self,
            Self::Expression(_)
                | Self::Configuration(_)
                | Self::Closed { .. }
                | Self::Confined { .. }
                | Self::Error(_)
                | Self::Warning(_)
                | Self::LuaSyntax { .. }
                | Self::LuaFailed { .. }
                | Self::LuaHookFailed { .. }
        )
    }
}
