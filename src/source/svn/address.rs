//! Where a Subversion repository is.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::SvnError;
use crate::fetch::without_login;
use crate::files::{Folder, HostPath};

/// Where a folder of a Subversion repository is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SvnAddress {
    /// On a server.
    Server(String),
    /// On this machine.
    Local(HostPath),
}

impl SvnAddress {
    /// Reads an address. `svn+ssh:` and other tunnels are programs that `svn` would run, and are refused.
    ///
    /// # Errors
    /// [`SvnError::Address`].
    pub fn parse(text: &str) -> Result<Self, SvnError> {
        let error =
            |reason: &str| SvnError::Address { address: without_login(text), reason: reason.to_owned() };
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '"') {
            return Err(error("it is empty, or has spaces, quotes or control characters"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(error("it says no protocol"));
        };
        match scheme {
            "file" => {
                let path = Path::new(rest);
                let is_plain = path.is_absolute()
                    && path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
                match HostPath::new(path).filter(|_| is_plain && !rest.contains('%')) {
                    Some(path) => Ok(Self::Local(path)),
                    None => Err(error("it names no path of this machine")),
                }
            }
            "http" | "https" | "svn" => {
                let host = rest.split('/').next().unwrap_or_default();
                if host.contains('@') {
                    return Err(error("a login has no place in it"));
                }
                if host.is_empty() || host.starts_with('-') {
                    return Err(error("its machine has an odd name"));
                }
                Ok(Self::Server(text.trim_end_matches('/').to_owned()))
            }
            other => Err(error(&format!("forge doesn't speak `{other}:`"))),
        }
    }

    /// The address of a folder below it.
    pub fn below(&self, folder: &Path) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(folder)),
            Self::Server(text) => {
                let mut text = text.clone();
                for part in folder.components() {
                    text.push('/');
                    text.push_str(&percent_encoded(&part.as_os_str().to_string_lossy()));
                }
                Self::Server(text)
            }
        }
    }

    /// The folder of the repository that a path of this machine is in.
    pub fn local_repository(&self) -> Option<HostPath> {
        let Self::Local(path) = self else { return None };
        let is_repository = |folder: &HostPath| {
            let opened = Folder::open_ambient(folder).ok();
            opened.is_some_and(|folder| folder.exists("format") && folder.is_folder("db"))
        };
        let all = path.as_path().ancestors().filter_map(|path| HostPath::new(PathBuf::from(path)));
        all.into_iter().find(is_repository)
    }
}

/// A part of a path in an address (RFC 3986, 2.1).
fn percent_encoded(part: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'@' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    part.bytes().map(encode).collect()
}

impl fmt::Display for SvnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(text) => f.write_str(text),
            Self::Local(path) => {
                f.write_str("file://")?;
                let parts = path.as_path().to_string_lossy();
                f.write_str(&parts.split('/').map(percent_encoded).collect::<Vec<_>>().join("/"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_no_program_is_an_address() {
        for (text, words) in [
            ("svn+ssh://host/x", "doesn't speak `svn+ssh:`"),
            ("svn://-x/y", "odd name"),
            ("https://me:secret@host/x", "a login has no place in it"),
            ("/srv/svn", "it says no protocol"),
            ("file://host/x", "no path of this machine"),
            ("file:///a/../b", "no path of this machine"),
            ("svn://host/a b", "spaces"),
        ] {
            let said = SvnAddress::parse(text).err().unwrap().to_string();
            assert!(said.contains(words) && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn a_folder_below_is_written_as_addresses_are() {
        let below = |text: &str| SvnAddress::parse(text).unwrap().below(Path::new("a b/ü")).to_string();
        assert_eq!(below("svn://host/x/"), "svn://host/x/a%20b/%C3%BC");
        assert_eq!(below("file:///x"), "file:///x/a%20b/%C3%BC");
    }
}
