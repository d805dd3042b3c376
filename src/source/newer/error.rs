//! Why a page of releases says nothing.

use crate::source::made_spec::MadeSpecError;

/// Why a page of releases says nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum UpstreamError {
    /// It can't be had.
    #[error("the page `{page}` of releases can't be had: {source}")]
    #[diagnostic(code(forge::source::upstream_page), help("is the address of `upstream` right?"))]
    Page {
        /// Its address, without a login.
        page: String,
        /// Why.
        #[source]
        source: Box<MadeSpecError>,
    },
    /// There is none.
    #[error("there is no page `{page}`")]
    #[diagnostic(code(forge::source::no_upstream_page), help("is the address of `upstream` right?"))]
    NoPage {
        /// Its address, without a login.
        page: String,
    },
    /// Nothing on it is a version.
    #[error("the page `{page}` names nothing that matches `{pattern}`")]
    #[diagnostic(
        code(forge::source::upstream_pattern),
        help(
            "the pattern is looked for in each name and link of the page by itself, and its group has to be a version: `hello-(.*)\\.tar\\.gz`"
        )
    )]
    NoRelease {
        /// Its address, without a login.
        page: String,
        /// What was looked for.
        pattern: String,
    },
}
