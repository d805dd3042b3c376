//! Capabilities of files (`%caps`, capabilities(7)).

use bstr::{BStr, BString, ByteSlice};

/// Capabilities that a file gives to who runs it, as libcap(3) writes them: in small letters, what is set for good with `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities(BString);

impl Capabilities {
    /// Reads the text of `%caps(…)`; `None` for what libcap would refuse.
    pub(crate) fn read(text: &BStr) -> Option<Self> {
        let read = rpm::FileCaps::new(text.to_str_lossy().into_owned()).ok()?;
        Some(Self(read.to_string().to_ascii_lowercase().replace('+', "=").into()))
    }

    /// As headers hold them.
    pub(crate) fn as_text(&self) -> &BStr {
        self.0.as_bstr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_once_and_held_as_libcap_writes_them() {
        let read = |text: &str| Capabilities::read(text.into()).map(|read| read.as_text().to_string());
        assert_eq!(read("CAP_NET_RAW+ep").unwrap(), "cap_net_raw=ep");
        assert_eq!(read("cap_net_raw=ep").unwrap(), "cap_net_raw=ep");
        assert_eq!(read("cap_of_nothing=ep"), None);
    }
}
