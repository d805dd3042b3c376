//! What a file is, as headers hold it.

use bstr::{BString, ByteSlice};

/// What a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class {
    /// The words of magic(5).
    pub(crate) description: BString,
    /// The MIME type.
    pub(crate) mime: BString,
    /// 1 for programs of 32 bits, 2 for those of 64 bits, 0 for all else.
    pub(crate) color: u32,
}

/// What headers keep of descriptions: those with one of these words in them (rpm's `rpmfcTokens`).
const KEPT: [&str; 31] = [
    "directory",
    "ELF 32-bit",
    "ELF 64-bit",
    "troff or preprocessor input",
    "GNU Info",
    "perl ",
    "Perl5 module source text",
    "python ",
    "libtool library ",
    "pkgconfig ",
    "Objective caml ",
    "Mono/.Net assembly",
    "current ar archive",
    "Zip archive data",
    "tar archive",
    "cpio archive",
    "RPM v3",
    "RPM v4",
    " image",
    " font",
    " Font",
    " commands",
    " script",
    "empty",
    "HTML",
    "SGML",
    "XML",
    " source",
    "GLS_BINARY_LSB_FIRST",
    " DB ",
    " text",
];

impl Class {
    /// A file of this description and this MIME type.
    pub(super) fn new(description: impl Into<BString>, mime: &str) -> Self {
        Self { description: description.into(), mime: mime.into(), color: 0 }
    }

    /// The description as headers keep it.
    pub(crate) fn kept_description(&self) -> BString {
        let is_kept = KEPT.iter().any(|word| self.description.contains_str(word));
        if is_kept { self.description.clone() } else { BString::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_what_says_more_than_data() {
        let kept = |description: &str| {
            Class { description: description.into(), ..Class::default() }.kept_description()
        };
        assert_eq!(kept("ASCII text"), "ASCII text");
        assert_eq!(kept("data"), "");
        assert_eq!(kept("C Code"), "");
    }
}
