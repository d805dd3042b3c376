//! Values of the command line that are made of parts, macros and sizes, and the forms of `forge schema`.

use clap::ValueEnum;

use crate::engine::{MacroLevel, MacroSetting};

/// What `forge schema` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaForm {
    /// A KDL schema
    Kdl,
    /// The reference, as Markdown
    Markdown,
    /// The JSON Schema of the events that `forge apply --json` prints
    Events,
    /// The JSON Schema of what `forge check --json` prints
    Check,
    /// The JSON Schema of what `forge plan --json` prints
    Plan,
    /// The JSON Schema of what `forge status --json` prints
    Status,
    /// The JSON Schema of what `forge results --json` prints
    Results,
    /// The JSON Schema of what `forge why --json` prints
    Why,
    /// The JSON Schema of what `forge history --json` prints
    History,
    /// The JSON Schema of what `forge diff --json` prints
    Diff,
    /// The JSON Schema of what `forge compare --json` prints
    Compare,
    /// The JSON Schema of what `forge prune --json` prints
    Prune,
    /// The JSON Schema of `result.json`, in the results of each build
    Result,
    /// The JSON Schema of what `forge doctor --json` prints
    Doctor,
    /// The JSON Schema of what `forge outdated --json` prints
    Outdated,
    /// The JSON Schema of what `forge verify --json` prints
    Verify,
    /// The JSON Schema of what `forge tunables --json` prints
    Tunables,
    /// The JSON Schema of what `forge verify-signatures --json` prints
    VerifySignatures,
}

/// `NAME VALUE` or `NAME(OPTIONS) VALUE`, as rpm's `--define`, or `NAME=VALUE`.
pub fn definition(text: &str) -> Result<MacroSetting, String> {
    let is_end = |c: char| c.is_whitespace() || c == '=';
    let (head, body) =
        text.trim_start().split_once(is_end).ok_or("a macro needs a value: -D 'NAME VALUE'")?;
    let (name, options) = match head.split_once('(') {
        Some((name, options)) => (name, Some(options.trim_end_matches(')').to_owned())),
        None => (head, None),
    };
    let is_name = name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "`{name}` can't be the name of a macro: two or more letters, digits or underscores"
        ));
    }
    let body = Some(body.trim_start().into());
    Ok(MacroSetting { name: name.to_owned(), options, body, level: MacroLevel::CommandLine })
}

/// A number of bytes with an optional unit, counted in 1024: `500M`, `20G`.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size: write 500M or 20G"))?;
    let unit = text.get(digits.len()..).unwrap_or_default().trim_end_matches("iB").trim_end_matches('B');
    let factor: u64 = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(format!("`{unit}` is no unit of size: K, M, G or T")),
    };
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_1024() {
        assert_eq!(size("20G"), Ok(20 << 30));
        assert_eq!(size("7"), Ok(7));
        assert!(size("many").is_err());
    }

    #[test]
    fn a_definition_may_have_options() {
        let setting = definition("flag(n:) --enable-%{-n*}").unwrap();
        assert_eq!((setting.name.as_str(), setting.options.as_deref()), ("flag", Some("n:")));
        assert!(definition("9lives x").is_err());
    }
}
