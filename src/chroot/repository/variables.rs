//! Variables in addresses: `$releasever`, `${basearch}`.

use std::collections::BTreeMap;

/// Puts the values of variables into a text.
///
/// # Errors
/// The name of a variable that has no value.
pub(super) fn substitute(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let (name, behind) = variable_name(after);
        match (name, variables.get(name)) {
            ("", _) => result.push('$'),
            (_, Some(value)) => result.push_str(value),
            (name, None) => return Err(name.to_owned()),
        }
        rest = behind;
    }
    result.push_str(rest);
    Ok(result)
}

/// The name that stands behind a `$`, and what stands behind it.
fn variable_name(text: &str) -> (&str, &str) {
    if let Some((name, behind)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (name, behind);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_get_their_values_with_and_without_braces() {
        let variables = [("basearch", "x86_64"), ("releasever", "42"), ("releasever_major", "9")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let text = "https://m/$releasever/${releasever}s/$basearch/os?a=$releasever_major&b=5$";
        let expected = "https://m/42/42s/x86_64/os?a=9&b=5$";
        assert_eq!(substitute(text, &variables).as_deref(), Ok(expected));
        assert_eq!(substitute("a/$contentdir/b", &variables), Err("contentdir".to_owned()));
        assert_eq!(substitute("a/${no}/b", &variables), Err("no".to_owned()));
    }
}
