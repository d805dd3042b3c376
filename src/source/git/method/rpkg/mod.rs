//! `method=rpkg`: a spec with `{{{ … }}}` in it, as `rpkg srpm` (rpkg-util) makes a source package of it. forge works rpkg's macros
//! out of the history itself; no bash is run.

mod macros;
mod template;
mod words;

use macros::RpkgMacros;
use template::{Piece, read_pieces};
use words::read_call;

use super::error::MethodError;
use super::input::MethodInput;
use super::prepared::PreparedSources;
use crate::source::SourceError;

/// How specs end that are templates by their name alone; the spec has the name without it.
const TEMPLATE_ENDING: &str = ".rpkg";

/// Works a template out.
///
/// # Errors
/// It asks for what forge doesn't do, or the history can't be read.
pub(super) fn prepare(input: &MethodInput<'_>) -> Result<PreparedSources, SourceError> {
    let template_error = |line: usize, text: &str, reason: String| MethodError::Template {
        file: input.below.join(&input.spec).display().to_string(),
        line,
        text: shorten(text),
        reason,
    };
    let pieces = read_pieces(&input.text)
        .map_err(|line| template_error(line, "…", "the braces have no end".to_owned()))?;
    let mut macros = RpkgMacros::new(input);
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Call(call, line) => {
                let parsed = read_call(call).map_err(|reason| template_error(line, call, reason))?;
                let given = macros
                    .expand(&parsed)
                    .map_err(|error| error.place(|reason| template_error(line, call, reason)))?;
                text.push_str(&given);
            }
        }
    }
    let spec = input.spec.strip_suffix(TEMPLATE_ENDING).unwrap_or(&input.spec).to_owned();
    let (archives, tags) = macros.into_results();
    let place = input.place.at(input.place.commit);
    Ok(PreparedSources { place, spec, text, beside: input.below.clone(), archives, tags })
}

fn shorten(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
    .escape_debug()
    .to_string()
    .replace("\\\"", "\"")
    .replace("\\'", "'")
}
