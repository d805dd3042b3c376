//! What changes in what is locked of sources, as a person reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::source::{LockedSource, SourceLock};
use crate::ui::short_commit;

/// What each package's source is now, where it was another before; empty where nothing has changed.
pub fn describe_source_changes(before: &SourceLock, now: &SourceLock) -> String {
    let names: BTreeSet<&String> = before.sources.keys().chain(now.sources.keys()).collect();
    let nothing = LockedSource::default();
    let mut text = String::new();
    for name in names {
        let old = before.sources.get(name).unwrap_or(&nothing);
        let new = now.sources.get(name).unwrap_or(&nothing);
        let changes = changes_of(old, new);
        if !changes.is_empty() {
            let _ = writeln!(text, "{name}");
            changes.iter().for_each(|line| {
                let _ = writeln!(text, "  {line}");
            });
        }
    }
    text
}

fn changes_of(old: &LockedSource, new: &LockedSource) -> Vec<String> {
    let mut lines = Vec::new();
    let found: BTreeSet<&String> = old.found.keys().chain(new.found.keys()).collect();
    for name in found {
        match (old.found.get(name), new.found.get(name)) {
            (Some(old), Some(new)) if old != new => {
                lines.push(format!("{name}  {} → {}", short_commit(old), short_commit(new)))
            }
            (None, Some(new)) => lines.push(format!("{name}  {}", short_commit(new))),
            (Some(_), _) | (None, None) => {}
        }
    }
    let files: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    for name in files {
        lines.extend(match (old.files.get(name), new.files.get(name)) {
            (None, Some(file)) => Some(format!("new   {name}, {} bytes, {}", file.size, file.checksum)),
            (Some(_), None) => Some(format!("gone  {name}")),
            (Some(old), Some(new)) if old.checksum != new.checksum => {
                Some(format!("other {name}: {} → {}", old.checksum, new.checksum))
            }
            (Some(old), Some(new)) if old.url != new.url => {
                Some(format!("from  {name}: {} → {}", old.url, new.url))
            }
            (Some(_), Some(_)) | (None, None) => None,
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::digest::{Checksum, ChecksumAlgorithm};
    use crate::source::LockedFile;

    fn source(commit: &str, files: &[(&str, &str)]) -> SourceLock {
        let file = |content: &str| LockedFile {
            url: "https://example.org/x".to_owned(),
            checksum: Checksum::compute(ChecksumAlgorithm::Sha256, content.as_bytes()),
            size: 1,
        };
        let files = files.iter().map(|(name, content)| ((*name).to_owned(), file(content))).collect();
        let found = BTreeMap::from([("commit".to_owned(), commit.to_owned())]);
        let source = LockedSource { kind: "git".to_owned(), asked: None, found, files };
        SourceLock { sources: BTreeMap::from([("a".to_owned(), source)]) }
    }

    #[test]
    fn what_moved_is_told_and_what_did_not_is_not() {
        let old = source(&"1".repeat(40), &[("x-1.tar", "1"), ("same", "s"), ("changed", "1")]);
        let new = source(&"2".repeat(40), &[("x-2.tar", "2"), ("same", "s"), ("changed", "2")]);
        let text = describe_source_changes(&old, &new);
        assert!(
            text.starts_with("a\n  commit  111111111111 → 222222222222\n  other changed: sha256:"),
            "{text}"
        );
        assert!(text.contains("\n  gone  x-1.tar\n  new   x-2.tar, 1 bytes, sha256:"), "{text}");
        assert_eq!(describe_source_changes(&new, &new), "");
    }
}
