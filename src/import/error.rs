//! Why something can't be imported.

/// Why something can't be imported.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImportError {
    /// There is no such file.
    #[error("there is no configuration `{name}`: neither a file of that name, nor {name}.cfg in /etc/mock")]
    #[diagnostic(
        code(forge::import::no_configuration),
        help(
            "name the file: `forge import mock path/to/NAME.cfg`; mock-core-configs has those of distributions"
        )
    )]
    NoConfiguration {
        /// What was named.
        name: String,
    },
    /// A file can't be read.
    #[error("{path} can't be read: {reason}")]
    #[diagnostic(code(forge::import::unreadable), help("is it there, is it text, and may you read it?"))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A file that others include, or that include others without end.
    #[error("{path} includes more files than any configuration does: {reason}")]
    #[diagnostic(code(forge::import::includes), help("do two files include each other?"))]
    Includes {
        /// The file.
        path: String,
        /// What there is too much of.
        reason: String,
    },
    /// A template that can't be expanded.
    #[error("the template in `{option}` can't be expanded: {reason}")]
    #[diagnostic(
        code(forge::import::template),
        help(
            "does mock take it (`mock --debug-config-expanded -r …`)? what that prints can be imported, too"
        )
    )]
    Template {
        /// The option.
        option: String,
        /// Why.
        reason: String,
    },
    /// There is nothing to make a root of.
    #[error("{path} names no repository that is enabled")]
    #[diagnostic(code(forge::import::no_repository), help("{help}"))]
    NoRepository {
        /// The file.
        path: String,
        /// What may be the matter.
        help: String,
    },
    /// A file that is not in the language that it should be in.
    #[error("{path}: {reason}")]
    #[diagnostic(code(forge::import::syntax), help("does the tool that it is for take it?"))]
    Syntax {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}
