//! The text of a script, as it is at the moment when it runs.

use super::PlannedScript;
use crate::macros::Macros;
use crate::package::{QueryFormat, Surroundings, decode_header};

/// What a script is once macros and tags in it stand for what they stand for in this root: macros first.
///
/// # Errors
/// Something in it is wrong.
pub(super) fn expand_body(script: &PlannedScript, macros: &Macros) -> Result<Option<Vec<u8>>, String> {
    let Some(body) = &script.body else { return Ok(None) };
    let mut body = body.0.clone();
    if script.has_macros {
        body = macros.expand(&body).map_err(|_| "its macros can't be expanded".to_owned())?;
    }
    if let Some(header) = &script.header {
        let header = decode_header(&header.0).ok_or("the package's header can't be read")?;
        let format = QueryFormat::read(&body).map_err(|problem| problem.to_string())?;
        let expand = |text: &[u8]| macros.expand(text).ok();
        let around = Surroundings { expand: &expand, languages: &[], is_verbose: false };
        body = format.show(&header, &around).map_err(|problem| problem.to_string())?;
    }
    Ok(Some(body))
}
