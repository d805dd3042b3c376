//! Reads the version out of a spec of long ago.

use std::rc::Rc;

use super::history::SpecVersion;
use crate::macros::{Level, Limits, Macros, NoHost, Origin, Table};
use crate::package::Tag;
use crate::spec::{Mistakes, Parsing, parse};

/// The version that a spec has, on no distribution in particular, and without running anything. What stands before `%prep`
/// is enough for nearly all, and is looked at first, as rpmautospec does. Nothing where it can't be read.
pub fn read_spec_version(file: &str, text: &[u8]) -> Option<SpecVersion> {
    let is_prep = |line: &&[u8]| line.trim_ascii() == b"%prep";
    let lines = || text.split_inclusive(|byte| *byte == b'\n');
    let abridged: Vec<u8> = lines().take_while(|line| !is_prep(line)).flatten().copied().collect();
    read(file, abridged).or_else(|| read(file, text.to_vec()))
}

fn read(file: &str, text: Vec<u8>) -> Option<SpecVersion> {
    let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
    let autorelease = format!("autorelease(e:s:pb:n) {}", SpecVersion::AUTORELEASE);
    for definition in [autorelease.as_str(), "autochangelog %nil", "nil %{!?nil}"] {
        macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("forge")).ok()?;
    }
    let parsing = Parsing {
        file,
        text,
        can_build: &|_| true,
        build_root: None,
        mistakes: Mistakes::First,
        listener: Rc::new(|_| {}),
    };
    let header = parse(&macros, parsing).ok()?.source_header();
    let version = header.text(Tag::VERSION)?.to_string();
    let epoch_version = match header.numbers(Tag::EPOCH).first() {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version,
    };
    let release = header.text(Tag::RELEASE)?.to_string();
    Some(SpecVersion::from_release(epoch_version, &release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_options_are_read_and_a_broken_spec_has_none() {
        let spec = "%global v 2\nName: a\nEpoch: 1\nVersion: %{v}.0\nRelease: %autorelease -p -e rc1\nSummary: a\n\
            License: MIT\n%description\n%prep\n%unknown_of_a_distribution\n%changelog\n%autochangelog\n";
        let version = read_spec_version("a.spec", spec.as_bytes()).unwrap();
        assert_eq!((version.epoch_version.as_str(), version.is_prerelease), ("1:2.0", true));
        assert_eq!(version.extra_version.as_deref(), Some("rc1"));
        assert_eq!(read_spec_version("a.spec", b"Name: a\n%if\n"), None);
    }
}
