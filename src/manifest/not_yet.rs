//! What the language has and this forge has no effect for yet: the same words wherever it is met.

use miette::Diagnostic;
use thiserror::Error;

use crate::text::{Located, Spanned};

/// Says that something has no effect yet.
pub fn not_yet(what: &str) -> String {
    format!("{what} is not supported yet")
}

/// Something of a manifest that has no effect yet.
#[derive(Clone, Debug, Error, Diagnostic)]
#[error("{}", not_yet(.what))]
#[diagnostic(
    code(forge::manifest::not_yet),
    severity(Warning),
    help("the reference (`forge schema --form markdown`) says of each node whether it has an effect")
)]
pub struct NotYetSupported {
    /// What: "`cache`".
    pub what: String,
}

/// One warning for each thing, at the first of its places.
pub fn warnings(said: &[Spanned<String>]) -> Vec<Located<NotYetSupported>> {
    let mut known: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for one in said {
        if known.contains(&one.value.as_str()) {
            continue;
        }
        known.push(&one.value);
        let others = said.iter().filter(|other| other.value == one.value).count() - 1;
        let label = if others == 0 {
            "here".to_owned()
        } else {
            format!("here, and in {others} other place{}", if others == 1 { "" } else { "s" })
        };
        let warning = NotYetSupported { what: one.value.clone() };
        warnings.push(Located::new(warning, label, one.place.clone()));
    }
    warnings
}
