//! What `Rpmforge.lock` holds of sources: for each package what its source was found to be, and every file that was fetched for
//! it, so that the same is built next year.
//!
//! It stands behind the packages of roots: `source NAME`, a line for each file, all in order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kdl::{KdlDocument, KdlNode};
use serde::{Deserialize, Serialize};

use crate::chroot::LockError;
use crate::digest::{Checksum, Digest};
use crate::text::quote_kdl as quoted;

/// What is locked of sources, by the names of the packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLock {
    /// By the names of the packages.
    pub sources: BTreeMap<String, LockedSource>,
}

/// What is locked of a package's source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedSource {
    /// The kind, as the manifest has it: `git`.
    pub kind: String,
    /// The digest of what the manifest asks for, where the source has to be found: with another one it is found anew.
    pub asked: Option<Digest>,
    /// What was found, by name: `commit`, `version`, `revision`.
    pub found: BTreeMap<String, String>,
    /// The files that were fetched, by the names that builds know them by.
    pub files: BTreeMap<String, LockedFile>,
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    /// Where from, without user and password.
    pub url: String,
    /// Its checksum.
    pub checksum: Checksum,
    /// Its size in bytes.
    pub size: u64,
}

/// Properties of `source` that are not of what was found.
const KIND: &str = "kind";
const ASKED: &str = "asked";

/// What was found, of a source that a program has made: the digest of what it was made of.
pub(super) const MADE_OF: &str = "made-of";

impl LockedSource {
    /// Whether it is as [`SourceLock::reopen`] leaves it: nothing was found since.
    pub fn is_reopened(&self) -> bool {
        self.asked.is_none() && keeps_what_was_found(self)
    }
}

impl SourceLock {
    /// Reads what a lock says of sources; the rest of it is read by [`Lock`](crate::chroot::Lock), which has looked at the
    /// form of the whole.
    ///
    /// # Errors
    /// It is not what forge writes.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let document =
            KdlDocument::parse(text).map_err(|_| LockError::new(1, "this is no KDL".to_owned()))?;
        let mut lock = Self::default();
        for node in document.nodes().iter().filter(|node| node.name().value() == "source") {
            let reader = SourceReader { text, node };
            let name = reader.argument(node, "a name")?;
            if lock.sources.insert(name.clone(), reader.read()?).is_some() {
                return Err(reader.error(node, &format!("`{name}` stands here twice")));
            }
        }
        Ok(lock)
    }

    /// Lets the sources of some packages be found anew. Which commit or revision was locked stays known: a tag that stands for
    /// another commit now is no update, and what has changed since is told. So does that a program has made it: it runs
    /// again, where the store has what it made before.
    pub fn reopen(&mut self, is_meant: impl Fn(&str) -> bool) {
        self.sources.retain(|name, source| !is_meant(name) || keeps_what_was_found(source));
        for (_, source) in self.sources.iter_mut().filter(|(name, _)| is_meant(name)) {
            source.asked = None;
            source.files.clear();
        }
    }

    /// As it is written, behind the rest.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, LockedSource { kind, asked, found, files }) in &self.sources {
            let _ = write!(text, "\nsource {} {KIND}={}", quoted(name), quoted(kind));
            if let Some(asked) = asked {
                let _ = write!(text, " {ASKED}={}", quoted(&asked.to_string()));
            }
            for (name, value) in found {
                let _ = write!(text, " {name}={}", quoted(value));
            }
            if files.is_empty() {
                text.push('\n');
                continue;
            }
            text.push_str(" {\n");
            for (name, LockedFile { url, checksum, size }) in files {
                let (name, url, checksum) = (quoted(name), quoted(url), quoted(&checksum.to_string()));
                let _ = writeln!(text, "    file {name} checksum={checksum} size={size} url={url}");
            }
            text.push_str("}\n");
        }
        text
    }
}

fn keeps_what_was_found(source: &LockedSource) -> bool {
    ["commit", "revision", MADE_OF].iter().any(|name| source.found.contains_key(*name))
}

struct SourceReader<'a> {
    text: &'a str,
    node: &'a KdlNode,
}

impl SourceReader<'_> {
    fn read(&self) -> Result<LockedSource, LockError> {
        let mut source = LockedSource { kind: self.property(self.node, KIND)?, ..LockedSource::default() };
        for entry in self.node.entries() {
            let (Some(name), Some(value)) = (entry.name(), entry.value().as_string()) else { continue };
            match name.value() {
                KIND => {}
                ASKED => {
                    let digest = value.parse().map_err(|_| self.error(self.node, "`asked` is no digest"))?;
                    source.asked = Some(digest);
                }
                found => {
                    source.found.insert(found.to_owned(), value.to_owned());
                }
            }
        }
        for node in self.node.children().map(KdlDocument::nodes).unwrap_or_default() {
            if node.name().value() != "file" {
                return Err(self.error(node, "nothing of that name is known of a source"));
            }
            let name = self.argument(node, "a name")?;
            if !is_file_name(&name) {
                return Err(self.error(node, "that is no name of a file"));
            }
            let checksum = self.property(node, "checksum")?;
            let checksum = checksum
                .parse()
                .map_err(|error: crate::digest::ChecksumError| self.error(node, &error.to_string()))?;
            let size = node.get("size").and_then(kdl::KdlValue::as_integer);
            let size = size.and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| self.error(node, "its `size` is missing"))?;
            let file = LockedFile { url: self.property(node, "url")?, checksum, size };
            source.files.insert(name, file);
        }
        Ok(source)
    }

    fn argument(&self, node: &KdlNode, what: &str) -> Result<String, LockError> {
        let found = node.entries().iter().find(|entry| entry.name().is_none());
        let found = found.and_then(|entry| entry.value().as_string());
        found.map(str::to_owned).ok_or_else(|| self.error(node, &format!("{what} is missing")))
    }

    fn property(&self, node: &KdlNode, name: &str) -> Result<String, LockError> {
        let found = node.get(name).and_then(kdl::KdlValue::as_string);
        found.map(str::to_owned).ok_or_else(|| self.error(node, &format!("its `{name}` is missing")))
    }

    fn error(&self, node: &KdlNode, problem: &str) -> LockError {
        let before = self.text.get(..node.span().offset()).unwrap_or_default();
        LockError::new(before.matches('\n').count() + 1, problem.to_owned())
    }
}

/// Whether a file of that name can lie among the sources of a build.
pub(super) fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0']) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> SourceLock {
        let checksum = Checksum::compute(crate::digest::ChecksumAlgorithm::Sha256, b"a");
        let url = "https://example.org/a \"1\".tar.gz?x={}\\".to_owned();
        let file = LockedFile { url, checksum, size: 12 };
        let source = LockedSource {
            kind: "git".to_owned(),
            asked: Some(Digest::compute(b"asked")),
            found: BTreeMap::from([("commit".to_owned(), "0123".to_owned())]),
            files: BTreeMap::from([("a-1.tar.gz".to_owned(), file)]),
        };
        let path = LockedSource { kind: "path".to_owned(), ..LockedSource::default() };
        SourceLock { sources: BTreeMap::from([("true".to_owned(), source), ("b".to_owned(), path)]) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(SourceLock::parse(&lock().to_text()).unwrap(), lock());
    }

    #[test]
    fn what_forge_does_not_write_is_an_error_with_its_line() {
        let text = lock().to_text();
        let wrong = [
            (text.replace("size=12", ""), "its `size` is missing"),
            (text.replace("\"a-1.tar.gz\"", "\"../a\""), "that is no name of a file"),
            (text.replace("sha256:", "md5:"), "is no SHA-224"),
            (text.replace("    file", "    pile"), "nothing of that name"),
            (text.replace("source \"true\"", "source \"b\""), "stands here twice"),
        ];
        for (text, words) in wrong {
            let error = SourceLock::parse(&text).unwrap_err();
            assert!(error.problem.contains(words) && error.line > 1, "{error}");
        }
    }
}
