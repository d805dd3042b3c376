//! Pages of the simple API (PEP 503): links to files, with their checksums behind a `#`. Every index has them, mirrors and those of
//! companies too.

/// A link of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageLink {
    /// Where it leads.
    pub href: String,
    /// The name of the file.
    pub text: String,
    /// Whether the file was taken back (PEP 592).
    pub is_yanked: bool,
}

/// All links of a page.
pub fn read_links(page: &str) -> Vec<PageLink> {
    let mut links = Vec::new();
    let mut rest = page;
    while let Some((tag, after)) = next_tag(rest) {
        rest = after;
        let Some(attributes) =
            tag.strip_prefix(['a', 'A']).filter(|more| more.starts_with(char::is_whitespace))
        else {
            continue;
        };
        let attributes = read_attributes(attributes);
        let text = rest.split('<').next().unwrap_or_default().trim();
        let href = attributes.iter().find(|(name, _)| name == "href").map(|(_, value)| value.clone());
        if let Some(href) = href {
            let is_yanked = attributes.iter().any(|(name, _)| name == "data-yanked");
            links.push(PageLink { href, text: unescape(text), is_yanked });
        }
    }
    links
}

/// What stands between the next `<` and its `>`, which may stand in quotes before; and what follows.
fn next_tag(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('<')?;
    let mut quote = None;
    for (at, letter) in rest.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some((rest.get(..at)?, rest.get(at + 1..)?)),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn read_attributes(text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter == '=' || letter.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(value) => match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
                Some(quote) => {
                    value.get(1..).and_then(|value| value.split_once(quote)).unwrap_or((value, ""))
                }
                None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            },
        };
        attributes.push((name.to_lowercase(), unescape(value)));
        // A lone `=` is no name, and must not be found again.
        rest = after.trim_start().trim_start_matches('=').trim_start();
    }
    attributes
}

fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_with_what_is_said_of_them() {
        let page = "<!DOCTYPE html><html><body><h1>Links</h1>\n\
            <a href=\"../../packages/x-1.tar.gz#sha256=ab\" data-requires-python=\"&gt;=3.8\">x-1.tar.gz</a><br/>\n\
            <A data-yanked='a > b' HREF='x-2.tar.gz' >x-2.tar.gz</A><abbr href=no></abbr></body>";
        let links = read_links(page);
        assert_eq!(links.len(), 2);
        assert_eq!(
            (links[0].href.as_str(), links[0].text.as_str()),
            ("../../packages/x-1.tar.gz#sha256=ab", "x-1.tar.gz")
        );
        assert!(links[1].is_yanked && !links[0].is_yanked);
    }

    #[test]
    fn broken_pages_have_no_links_and_end() {
        for page in ["<a", "<a =", "<a href=\"x", "<<<<", "<a = = =>x", "<a ='>"] {
            assert!(read_links(page).len() <= 1, "{page}");
        }
    }
}
