//! What files of pkg-config provide and require: names, and versions that they are compared with.

use bstr::{BString, ByteSlice};

use super::unusual::UnusualPkgconfig;

/// The comparisons of versions.
const COMPARISONS: [&[u8]; 6] = [b"<", b"<=", b"=", b"!=", b">=", b">"];

/// A name, and perhaps a comparison and a version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Capability {
    name: BString,
    version: Option<(BString, BString)>,
}

/// A word of a list, and whether a comma stands somewhere between the word before and this one.
struct ListedWord<'t> {
    text: &'t [u8],
    follows_comma: bool,
}

impl Capability {
    /// A name in one version.
    pub(super) fn equal(name: &[u8], version: &[u8]) -> Self {
        Self { name: name.into(), version: Some(("=".into(), version.into())) }
    }

    /// As the script writes it: the blank stands there without a version, too.
    pub(super) fn as_dependency(&self) -> BString {
        let (comparison, version) = match &self.version {
            Some((comparison, version)) => (comparison.as_slice(), version.as_slice()),
            None => (b"".as_slice(), b"".as_slice()),
        };
        let blank: &[u8] = if self.version.is_some() { b" " } else { b"" };
        [b"pkgconfig(", self.name.as_slice(), b") ", comparison, blank, version].concat().into()
    }

    /// Reads a list of them, with blanks or commas between.
    pub(super) fn read_list(text: &[u8]) -> Result<Vec<Self>, UnusualPkgconfig> {
        // pkgconf 2.5 does not see a name that is the whole list and one letter long.
        if text.len() == 1 {
            return Err(UnusualPkgconfig);
        }
        let words = split_list(text);
        let mut words = words.iter().peekable();
        let mut all = Vec::new();
        while let Some(word) = words.next() {
            if !is_name(word.text) {
                return Err(UnusualPkgconfig);
            }
            let version = match words.next_if(|next| COMPARISONS.contains(&next.text)) {
                None => None,
                Some(comparison) => {
                    let version = words.next().filter(|version| is_version(version.text));
                    let version = version.ok_or(UnusualPkgconfig)?;
                    if comparison.follows_comma || version.follows_comma {
                        return Err(UnusualPkgconfig);
                    }
                    Some((comparison.text.into(), version.text.into()))
                }
            };
            all.push(Self { name: word.text.into(), version });
        }
        Ok(all)
    }
}

fn split_list(text: &[u8]) -> Vec<ListedWord<'_>> {
    let mut words = Vec::new();
    for (index, part) in text.split(|byte| *byte == b',').enumerate() {
        let parts = part.fields().enumerate();
        words.extend(parts.map(|(place, text)| ListedWord { text, follows_comma: index > 0 && place == 0 }));
    }
    words
}

/// Whether a text is a name that nobody takes for anything else.
pub(super) fn is_name(text: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-~@:/".contains(byte);
    !text.is_empty() && text.iter().all(is_plain)
}

/// Whether a text is such a version.
pub(super) fn is_version(text: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-~^:".contains(byte);
    !text.is_empty() && text.iter().all(is_plain)
}
