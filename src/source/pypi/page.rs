//! Pages of the simple API: a project's files, as JSON (PEP 691), or as links with their checksums behind a `#` (PEP 503), which
//! every index has, mirrors and those of companies too.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Checksum;

/// In which forms pages are taken, the better ones first; servers that know nothing of them send what they have.
pub const PAGE_FORMS: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1, */*;q=0.05";

/// A file that a page names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageLink {
    /// Where it is, without a fragment.
    pub href: String,
    /// The name of the file.
    pub text: String,
    /// Whether the file was taken back (PEP 592).
    pub is_yanked: bool,
    /// What the page says that it is.
    pub checksum: Option<Checksum>,
    /// How many bytes it has.
    pub size: Option<u64>,
}

/// All files that a page names.
///
/// # Errors
/// It is JSON of another form than this.
pub fn read_page(page: &str) -> Result<Vec<PageLink>, String> {
    match page.trim_start().starts_with('{') {
        true => read_json(page),
        false => Ok(read_links(page)),
    }
}

/// A page as JSON.
#[derive(Deserialize)]
struct JsonPage {
    #[serde(default)]
    meta: PageMeta,
    files: Vec<JsonFile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PageMeta {
    #[serde(default)]
    api_version: String,
}

#[derive(Deserialize)]
struct JsonFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    /// `true`, or why.
    #[serde(default)]
    yanked: serde_json::Value,
    size: Option<u64>,
}

/// Versions of the form with another number before the point mean something else.
const JSON_VERSION: &str = "1";

fn read_json(page: &str) -> Result<Vec<PageLink>, String> {
    let page: JsonPage = serde_json::from_str(page).map_err(|error| error.to_string())?;
    let version = page.meta.api_version;
    if version.split('.').next().is_some_and(|major| !matches!(major, "" | JSON_VERSION)) {
        return Err(format!(
            "it is of version {version:?} of the simple API, and version {JSON_VERSION} is known"
        ));
    }
    Ok(page.files.into_iter().map(JsonFile::into_link).collect())
}

impl JsonFile {
    fn into_link(self) -> PageLink {
        let is_yanked = !matches!(self.yanked, serde_json::Value::Null | serde_json::Value::Bool(false));
        let checksums = self.hashes.iter().filter_map(|(name, hex)| Checksum::new(name, hex).ok());
        let checksum = checksums.max_by_key(|checksum| checksum.hex().len());
        PageLink { href: self.url, text: self.filename, is_yanked, checksum, size: self.size }
    }
}

/// All links of a page.
fn read_links(page: &str) -> Vec<PageLink> {
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
            let (href, fragment) = href.split_once('#').unwrap_or((&href, ""));
            let checksum = read_fragment(fragment);
            links.push(PageLink {
                href: href.to_owned(),
                text: unescape(text),
                is_yanked,
                checksum,
                size: None,
            });
        }
    }
    links
}

/// The checksum of `sha256=0123…&other=x`.
fn read_fragment(fragment: &str) -> Option<Checksum> {
    fragment.split('&').find_map(|part| {
        let (algorithm, hex) = part.split_once('=')?;
        Checksum::new(algorithm, hex).ok()
    })
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
            ("../../packages/x-1.tar.gz", "x-1.tar.gz")
        );
        assert!(links[1].is_yanked && !links[0].is_yanked);
    }

    #[test]
    fn a_page_as_json_says_the_same() {
        let sum = "ab".repeat(32);
        let page = format!(
            "{{\"meta\":{{\"api-version\":\"1.3\"}},\"name\":\"x\",\"files\":[\
             {{\"filename\":\"x-1.tar.gz\",\"url\":\"../x-1.tar.gz\",\"hashes\":{{\"md5\":\"00\",\"sha256\":\"{sum}\"}},\"size\":12}},\
             {{\"filename\":\"x-2.tar.gz\",\"url\":\"x-2.tar.gz\",\"hashes\":{{}},\"yanked\":\"broken\"}},\
             {{\"filename\":\"x-3.tar.gz\",\"url\":\"x-3.tar.gz\",\"hashes\":{{}},\"yanked\":false}}]}}"
        );
        let links = read_page(&page).unwrap();
        assert_eq!(links.iter().map(|link| link.is_yanked).collect::<Vec<_>>(), [false, true, false]);
        let checksum = links[0].checksum.as_ref().unwrap().to_string();
        assert_eq!(
            (links[0].href.as_str(), checksum, links[0].size),
            ("../x-1.tar.gz", format!("sha256:{sum}"), Some(12))
        );
    }

    #[test]
    fn json_of_another_form_is_an_error_and_no_page_without_files() {
        for (page, words) in [
            ("{\"meta\":{\"api-version\":\"2.0\"},\"files\":[]}", "version \"2.0\""),
            ("{\"message\":\"not found\"}", "missing field `files`"),
            ("{", "EOF"),
        ] {
            assert!(read_page(page).unwrap_err().contains(words), "{page}");
        }
    }

    #[test]
    fn broken_pages_have_no_links_and_end() {
        for page in ["<a", "<a =", "<a href=\"x", "<<<<", "<a = = =>x", "<a ='>"] {
            assert!(read_links(page).len() <= 1, "{page}");
        }
    }
}
