//! Why a package of a distribution can't be had.

/// Why a package of a distribution can't be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DistgitError {
    /// Neither a distribution that forge knows nor a pattern.
    #[error("`{from}` is no distribution that forge knows, and no address with `{{package}}` in it")]
    #[diagnostic(
        code(forge::source::distgit_from),
        help("`from=\"fedora\"`, `from=\"centos-stream\"`, or `from=\"https://HOST/rpms/{{package}}.git\"`")
    )]
    From {
        /// What the manifest says.
        from: String,
    },
    /// A name that no package has.
    #[error("`{package}` is no name of a package")]
    #[diagnostic(code(forge::source::distgit_package), help("names have letters, digits, and `-._+`"))]
    Package {
        /// The name.
        package: String,
    },
    /// A line of `sources` that makes no sense.
    #[error("line {line} of `sources` of {package} names no file with its checksum")]
    #[diagnostic(
        code(forge::source::distgit_sources),
        help("`SHA512 (FILE) = CHECKSUM`, or in old ones `MD5  FILE`")
    )]
    Sources {
        /// The package.
        package: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// Files that are nowhere.
    #[error("`sources` of {package} names `{file}`, and nobody says where the lookaside cache is")]
    #[diagnostic(
        code(forge::source::distgit_no_lookaside),
        help(
            "name it beside `from`: `lookaside=\"https://HOST/{{package}}/{{file}}/{{algorithm}}/{{checksum}}/{{file}}\"`"
        )
    )]
    NoLookaside {
        /// The package.
        package: String,
        /// The file.
        file: String,
    },
}
