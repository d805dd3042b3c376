//! What can go wrong where dependencies of files are looked for, in rpm's words.

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use crate::macros::NATIVE_GENERATORS;
use crate::spec::DependencyProblem;

/// What can go wrong where dependencies of files are looked for, or may not be meant.
#[derive(Debug, Error, Diagnostic)]
pub enum GeneratorProblem {
    /// A generator wrote what is no dependency.
    #[error("{problem}: {}", token(problem, dependency))]
    #[diagnostic(code(forge::engine::generated_dependency), help("a generator of the root wrote it"))]
    Dependency {
        /// What is wrong with it.
        problem: DependencyProblem,
        /// What it wrote.
        dependency: BString,
    },
    /// A generator of many files wrote the path of one that it was not asked about, or not yet.
    #[error("invalid or out of order path from generator: {line}")]
    #[diagnostic(
        code(forge::engine::generator_path),
        help("files come in the order in which the generator read them, each at most once")
    )]
    Path {
        /// What it wrote.
        line: BString,
    },
    /// A file attribute has a protocol that there is not.
    #[error("Unknown dependency generator protocol: {protocol}")]
    #[diagnostic(code(forge::engine::generator_protocol), help("there are `singlefile` and `multifile`"))]
    Protocol {
        /// What the macro says.
        protocol: String,
    },
    /// `%_forge_native_dependencies` names a generator that nobody knows.
    #[error("Unknown generator in _forge_native_dependencies: {name}")]
    #[diagnostic(
        code(forge::engine::native_generator),
        help(
            "`%_forge_native_dependencies` is 1 for all, 0 for none, or names of these: {}",
            NATIVE_GENERATORS.join(", ")
        )
    )]
    Native {
        /// The name.
        name: String,
    },
    /// A file attribute goes by descriptions and by MIME types.
    #[error("{name}: mime and magic supplied, only mime will be used")]
    #[diagnostic(
        code(forge::engine::mime_and_magic),
        help("write one of them, or a second attribute"),
        severity(Warning)
    )]
    MimeAndMagic {
        /// The attribute.
        name: String,
    },
    /// A generator failed. What it wrote counts all the same.
    #[error("{program} {} for {file}{}", describe_end(*code), describe_others(*others))]
    #[diagnostic(
        code(forge::engine::generator_failed),
        help(
            "`%_forge_failed_generators_terminate_build` decides whether this, and any exit code, ends the build"
        )
    )]
    Failed {
        /// The generator.
        program: BString,
        /// Its exit code; minus a signal.
        code: i32,
        /// The file that it was asked about, or the first of them.
        file: BString,
        /// How many other files it failed for.
        others: usize,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// Programs of before rpm's own generators look for dependencies.
    #[error(
        "{}",
        if *is_error {
            "External dependency generator is incompatible with v6 packages"
        } else {
            "Deprecated external dependency generator is used!"
        }
    )]
    #[diagnostic(
        code(forge::engine::external_generator),
        help(
            "`%_use_internal_dependency_generator` is 1 nowadays; __requires_exclude and its like filter what is found"
        )
    )]
    External {
        /// Whether packages of this format can't have them.
        is_error: bool,
    },
    /// The program that looks for dependencies failed.
    #[error("Failed to find {what}:")]
    #[diagnostic(
        code(forge::engine::dependencies_not_found),
        help("the macro `%__find_…` names the program")
    )]
    NotFound {
        /// `Provides`, `Requires`.
        what: &'static str,
    },
}

impl GeneratorProblem {
    /// Whether the build can't go on.
    pub fn is_error(&self) -> bool {
        match self {
            Self::Failed { is_error, .. } | Self::External { is_error } => *is_error,
            Self::MimeAndMagic { .. } => false,
            Self::Dependency { .. }
            | Self::Path { .. }
            | Self::Protocol { .. }
            | Self::Native { .. }
            | Self::NotFound { .. } => true,
        }
    }
}

/// What a dependency's problem is about: the word with the wrong character, or all of it.
fn token(problem: &DependencyProblem, dependency: &BString) -> BString {
    let DependencyProblem::IllegalCharacter { byte } = problem else {
        return dependency.clone();
    };
    let mut words = dependency.split(|byte| *byte == b' ');
    words.find(|word| word.contains(byte)).unwrap_or(dependency).into()
}

fn describe_end(code: i32) -> String {
    if code < 0 {
        format!("was killed by signal {}", code.unsigned_abs())
    } else {
        format!("failed with exit code {code}")
    }
}

fn describe_others(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" and {count} more") }
}
