//! Where a git repository is.

use std::fmt;

use super::error::GitError;
use crate::fetch::{Address, without_login};
use crate::files::HostPath;

/// Where a git repository is (gitfaq(7), git-clone(1) "GIT URLS"). Shown, it has no password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum GitAddress {
    /// Over `https:` or `http:`.
    Web(Address),
    /// Over ssh.
    Ssh(SshAddress),
    /// Over git's own protocol, which anybody on the way can change.
    Daemon {
        /// The machine.
        host: String,
        /// Its port.
        port: u16,
        /// The path there.
        path: String,
    },
    /// On this machine.
    Local(HostPath),
}

/// A repository on a machine that ssh reaches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SshAddress {
    /// Who logs in.
    pub user: Option<String>,
    /// The machine.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// The path there.
    pub path: String,
}

/// Where git's own protocol is spoken.
const DAEMON_PORT: u16 = 9418;

impl GitAddress {
    /// Reads an address, as `git clone` takes it. Programs that git would run for an address (`ext::…`) are refused.
    ///
    /// # Errors
    /// [`GitError::Address`].
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let error =
            |reason: &str| GitError::Address { address: without_login(text), reason: reason.to_owned() };
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(error("it is empty, or has spaces or control characters"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self::parse_without_scheme(text, &error);
        };
        match scheme {
            "https" | "http" => match Address::parse(text) {
                Ok(address) => Ok(Self::Web(address)),
                Err(reason) => Err(error(&reason.to_string())),
            },
            "file" => match Address::parse(text).ok().and_then(|address| address.local_path()) {
                Some(path) => Ok(Self::Local(path)),
                None => Err(error("it names no path of this machine")),
            },
            "ssh" | "git+ssh" | "ssh+git" => {
                let (host, path) = rest.split_once('/').ok_or_else(|| error("it names no path"))?;
                let (user, host, port) = split_host(host).ok_or_else(|| error("its port is no number"))?;
                // `/~user/…` is relative to a home folder.
                let path = if path.starts_with('~') { path.to_owned() } else { format!("/{path}") };
                check_ssh(SshAddress { user, host, port, path }, &error)
            }
            "git" => {
                let (host, path) = rest.split_once('/').ok_or_else(|| error("it names no path"))?;
                let (user, host, port) = split_host(host).ok_or_else(|| error("its port is no number"))?;
                if user.is_some() || host.is_empty() || host.starts_with('-') {
                    return Err(error("its machine has an odd name"));
                }
                Ok(Self::Daemon { host, port: port.unwrap_or(DAEMON_PORT), path: format!("/{path}") })
            }
            other => Err(error(&format!("forge doesn't speak `{other}:`"))),
        }
    }

    fn parse_without_scheme(text: &str, error: &dyn Fn(&str) -> GitError) -> Result<Self, GitError> {
        if let Some((transport, _)) = text.split_once("::") {
            return Err(error(&format!("forge runs no `git-remote-{transport}`")));
        }
        if text.starts_with('/') {
            return HostPath::new(text).map(Self::Local).ok_or_else(|| error("it names no path"));
        }
        match text.split_once(':') {
            Some((host, path)) if !host.contains('/') && !path.is_empty() => {
                let (user, host) = match host.split_once('@') {
                    Some((user, host)) => (Some(user.to_owned()), host),
                    None => (None, host),
                };
                let address = SshAddress { user, host: host.to_owned(), port: None, path: path.to_owned() };
                check_ssh(address, error)
            }
            _ => Err(error("it says no protocol")),
        }
    }

    /// The address of another repository that this one names: `../other.git` is beside it (gitmodules(5)).
    ///
    /// # Errors
    /// It is none, leads above the machine, or to this machine's own files from a repository that lies elsewhere.
    pub fn join(&self, other: &str) -> Result<Self, GitError> {
        let error =
            |reason: &str| GitError::Address { address: without_login(other), reason: reason.to_owned() };
        if !(other.starts_with("./") || other.starts_with("../")) {
            let address = Self::parse(other)?;
            return match (&address, self) {
                (Self::Local(_), Self::Web(_) | Self::Ssh(_) | Self::Daemon { .. }) => {
                    Err(error("a repository from elsewhere must not name files of this machine"))
                }
                _ => Ok(address),
            };
        }
        let joined = |path: &str| join_paths(path, other).ok_or_else(|| error("it leads above its machine"));
        match self {
            Self::Web(address) => {
                let text = address.secret_text();
                let start = text.find("://").map_or(0, |at| at + 3);
                let end =
                    text.get(start..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| start + at);
                let (base, path) = (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default());
                Self::parse(&format!("{base}{}", joined(path)?))
            }
            Self::Ssh(ssh) => check_ssh(SshAddress { path: joined(&ssh.path)?, ..ssh.clone() }, &error),
            Self::Daemon { host, port, path } => {
                Ok(Self::Daemon { host: host.clone(), port: *port, path: joined(path)? })
            }
            Self::Local(path) => {
                let path = joined(&path.as_path().to_string_lossy())?;
                HostPath::new(path).map(Self::Local).ok_or_else(|| error("it names no path"))
            }
        }
    }

    /// What tells it from all others, for the name of its folder; without login, as it is the same repository for all.
    pub fn identity(&self) -> String {
        self.to_string()
    }
}

fn split_host(text: &str) -> Option<(Option<String>, String, Option<u16>)> {
    let (user, host) = match text.rsplit_once('@') {
        // A password has no use in ssh, and is not kept.
        Some((user, host)) => (Some(user.split(':').next().unwrap_or_default().to_owned()), host),
        None => (None, text),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (host, None),
    };
    Some((user, host.trim_matches(['[', ']']).to_owned(), port))
}

/// What begins with `-` would be an option of ssh (CVE-2017-1000117).
fn check_ssh(address: SshAddress, error: &dyn Fn(&str) -> GitError) -> Result<GitAddress, GitError> {
    let is_option = |text: &str| text.starts_with('-');
    let user = address.user.as_deref();
    if address.host.is_empty()
        || is_option(&address.host)
        || user.is_some_and(|user| user.is_empty() || is_option(user))
    {
        return Err(error("its machine or user has an odd name"));
    }
    if is_option(&address.path) {
        return Err(error("its path begins with `-`"));
    }
    Ok(GitAddress::Ssh(address))
}

fn join_paths(base: &str, relative: &str) -> Option<String> {
    let is_absolute = base.starts_with('/');
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    (!path.is_empty()).then(|| if is_absolute { format!("/{path}") } else { path })
}

impl fmt::Display for GitAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(address) => address.fmt(f),
            Self::Ssh(SshAddress { user, host, port, path }) => {
                let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                let slash = if path.starts_with('/') { "" } else { "/" };
                write!(f, "ssh://{user}{host}{port}{slash}{path}")
            }
            Self::Daemon { host, port: DAEMON_PORT, path } => write!(f, "git://{host}{path}"),
            Self::Daemon { host, port, path } => write!(f, "git://{host}:{port}{path}"),
            Self::Local(path) => write!(f, "file://{path}"),
        }
    }
}

impl fmt::Debug for GitAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        GitAddress::parse(text).map_or_else(|error| error.to_string(), |address| address.to_string())
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        assert_eq!(shown("https://me:secret@example.org/a.git"), "https://example.org/a.git");
        assert_eq!(shown("git@example.org:team/a.git"), "ssh://git@example.org/team/a.git");
        assert_eq!(shown("ssh://git@example.org:2222/srv/a"), "ssh://git@example.org:2222/srv/a");
        assert_eq!(shown("git://example.org/a"), "git://example.org/a");
        assert_eq!(shown("/srv/git/a"), "file:///srv/git/a");
    }

    #[test]
    fn what_would_run_a_program_or_become_an_option_is_refused() {
        for (address, words) in [
            ("ext::sh -c touch% /tmp/x", "spaces"),
            ("ext::sh", "runs no `git-remote-ext`"),
            ("ssh://-oProxyCommand=x/a", "odd name"),
            ("-oProxyCommand=x:a", "odd name"),
            ("ssh://-x@host/a", "odd name"),
            ("host:-x", "begins with `-`"),
            ("ftp://example.org/a", "doesn't speak `ftp:`"),
            ("file://elsewhere/a", "no path of this machine"),
        ] {
            assert!(shown(address).contains(words), "{}", shown(address));
        }
    }

    #[test]
    fn an_address_beside_another_stays_on_its_machine() {
        let base = GitAddress::parse("https://example.org/team/a.git").unwrap();
        assert_eq!(base.join("../b.git").unwrap().to_string(), "https://example.org/team/b.git");
        assert!(base.join("../../../b.git").unwrap_err().to_string().contains("above its machine"));
        assert!(base.join("file:///etc").unwrap_err().to_string().contains("files of this machine"));
        assert!(base.join("/etc").is_err());
        let base = GitAddress::parse("git@example.org:team/a").unwrap();
        assert_eq!(base.join("../b").unwrap().to_string(), "ssh://git@example.org/team/b");
    }
}
