//! Where files and new versions are: `mirror`, `upstream` of a package, and `url` of `publish`.

use kdl::KdlNode;
use regex::Regex;

use super::declaration::{MirrorDecl, UpstreamDecl};
use super::problem::ManifestProblem;
use super::read::DeclarationReader;
use crate::fetch::Address;
use crate::text::{Located, Spanned};

impl DeclarationReader<'_> {
    /// Another place for files.
    pub(super) fn read_mirror(&mut self, node: &KdlNode) -> Option<MirrorDecl> {
        let from = self.values.argument(node, 0)?;
        let to = self.values.property(node, "to")?;
        let is_sound = [&from, &to].map(|written| self.check_url(written)) == [true, true];
        is_sound.then_some(MirrorDecl { from, to })
    }

    fn check_url(&mut self, written: &Spanned<String>) -> bool {
        let Err(error) = Address::parse(written) else { return true };
        let problem = ManifestProblem::WrongValue {
            what: "an address of `mirror`".to_owned(),
            wanted: "a URL that ends where files of both places go on alike".to_owned(),
            written: crate::fetch::without_login(written),
            help: error.to_string(),
        };
        self.values.errors.push(Located::new(problem, "this address", written.place.clone()));
        false
    }

    /// Where clients find a repository: it comes into a file of theirs as it stands.
    pub(super) fn read_clients_url(&mut self, written: Spanned<String>) -> Option<String> {
        const SCHEMES: [&str; 4] = ["https://", "http://", "ftp://", "file://"];
        let begins = |scheme: &&str| written.strip_prefix(*scheme).is_some_and(|rest| !rest.is_empty());
        let is_plain = !written.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        if is_plain && SCHEMES.iter().any(begins) {
            return Some(written.value);
        }
        let problem = ManifestProblem::WrongValue {
            what: "`url` of `publish`".to_owned(),
            wanted: "an address that dnf takes: `https://HOST/PATH`, `http:`, `ftp:` or `file:`".to_owned(),
            written: written.value.escape_debug().to_string(),
            help: "write blanks as `%20`".to_owned(),
        };
        self.values.errors.push(Located::new(problem, "this address", written.place));
        None
    }

    /// Where a package's new versions come up.
    pub(super) fn read_upstream(&mut self, node: &KdlNode) -> Option<UpstreamDecl> {
        let page = self.values.argument(node, 0)?;
        let pattern = self.values.property(node, "pattern")?;
        if let Some(help) = check_pattern(&pattern) {
            let problem = ManifestProblem::WrongValue {
                what: "`pattern` of `upstream`".to_owned(),
                wanted: "a regular expression with a group that stands for the version".to_owned(),
                written: pattern.value.clone(),
                help,
            };
            self.values.errors.push(Located::new(problem, "this pattern", pattern.place));
            return None;
        }
        Some(UpstreamDecl { page, pattern })
    }
}

/// What is wrong with a pattern of versions.
fn check_pattern(pattern: &str) -> Option<String> {
    match Regex::new(pattern) {
        // The last line says what is wrong, those before it draw where.
        Err(error) => Some(error.to_string().lines().last().unwrap_or_default().trim().to_owned()),
        Ok(regex) if regex.captures_len() < 2 => {
            Some("put what stands for the version in parentheses: `hello-(.*)\\\\.tar\\\\.gz`".to_owned())
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_a_group_and_can_be_read() {
        assert_eq!(check_pattern("foo-(.*).tar.gz"), None);
        assert!(check_pattern("foo-.*").unwrap().contains("parentheses"));
        assert!(check_pattern("foo-(.*").unwrap().contains("unclosed group"));
    }
}
