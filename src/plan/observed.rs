//! What the reading of a spec saw of the world, as keys hold it.

use std::collections::BTreeMap;

use bstr::ByteSlice;

use crate::digest::{Digest, Encoder};
use crate::engine::SOURCES_FOLDER;
use crate::macros::Observation;

/// The observations that a result depends on beside the spec and its sources, which keys hold anyway. `names` are the spec's
/// and the sources' file names.
///
/// How many processors and how much memory there is is no part of a result: it only says how many jobs run at a time. Where a
/// spec makes more of it, what the spec says is another ingredient. A thing that can't be looked at again
/// ([`Observation::Run`]) has the text that the spec expands to in its place.
pub(super) fn exclude_sources(observations: &[Observation], names: &[&str]) -> Vec<Observation> {
    let is_source = |path: &[u8]| {
        let name = path.strip_prefix(SOURCES_FOLDER.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        name.is_some_and(|name| names.iter().any(|known| known.as_bytes() == name))
    };
    let counts = |observation: &&Observation| match observation {
        Observation::File(path, _)
        | Observation::Start(path, _, _)
        | Observation::Exists(path, _)
        | Observation::Link(path, _) => !is_source(path),
        Observation::Glob(..)
        | Observation::Folder(..)
        | Observation::Status(..)
        | Observation::Command(..)
        | Observation::Architecture(_) => true,
        // A variable is what the settings say, which are an ingredient of their own.
        Observation::Variable(..) | Observation::Machine(_) | Observation::Run => false,
    };
    observations.iter().filter(counts).cloned().collect()
}

/// Observations by what they are of, in words, each with the digest of what was seen.
pub(super) fn digest_by_name(observations: &[Observation]) -> BTreeMap<String, Digest> {
    observations.iter().map(|observation| (name(observation), digest_observation(observation))).collect()
}

/// What an observation is of, in words.
pub(super) fn name(observation: &Observation) -> String {
    match observation {
        Observation::File(path, _) => format!("file {}", escape_name(path)),
        Observation::Start(path, length, _) => format!("file {} (first {length} bytes)", escape_name(path)),
        Observation::Exists(path, _) => format!("presence of {}", escape_name(path)),
        Observation::Glob(pattern, _) => format!("files {}", escape_name(pattern)),
        Observation::Folder(path, _) => format!("names in folder {}", escape_name(path)),
        Observation::Status(path, _, _) => format!("size, times and mode of {}", escape_name(path)),
        Observation::Link(path, _) => format!("target of link {}", escape_name(path)),
        Observation::Command(command, _) => format!("answer of `{}`", escape_name(command)),
        Observation::Architecture(_) => "architecture of the machine".to_owned(),
        Observation::Variable(name, _) => format!("environment variable {}", escape_name(name)),
        Observation::Machine(_) => "processors and memory of the machine".to_owned(),
        Observation::Run => "programs that were run".to_owned(),
    }
}

fn digest_observation(observation: &Observation) -> Digest {
    let mut encoder = Encoder::new("rpmforge observation v1");
    match observation {
        Observation::File(_, digest)
        | Observation::Start(_, _, digest)
        | Observation::Folder(_, digest)
        | Observation::Status(_, _, digest)
        | Observation::Link(_, digest)
        | Observation::Command(_, digest)
        | Observation::Variable(_, digest) => {
            let digest = digest.map(|digest| digest.to_string());
            encoder.option("content", digest.as_deref());
        }
        Observation::Exists(_, exists) => {
            encoder.text("is there", if *exists { "yes" } else { "no" });
        }
        Observation::Glob(_, digest) | Observation::Machine(digest) => {
            encoder.digest_field("answer", digest);
        }
        Observation::Architecture(architecture) => {
            encoder.text("architecture", architecture);
        }
        Observation::Run => {}
    }
    encoder.digest()
}

/// Bytes as text: what is no text in them is escaped, so that two names never come to one.
fn escape_name(name: &[u8]) -> String {
    match name.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => name.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_the_number_of_processors_are_left_out() {
        let path = |name: &str| format!("{SOURCES_FOLDER}/{name}").into_bytes();
        let observations = [
            Observation::File(path("a.spec"), None),
            Observation::Start(path("a.tar.gz"), 13, None),
            Observation::File(path("version"), None),
            Observation::Exists(b"/x".to_vec(), true),
            Observation::Command(b"cat /x".to_vec(), None),
            Observation::Machine(Digest::compute(b"4")),
            Observation::Run,
        ];
        let left = digest_by_name(&exclude_sources(&observations, &["a.spec", "a.tar.gz"]));
        let names: Vec<&str> = left.keys().map(String::as_str).collect();
        assert_eq!(names, ["answer of `cat /x`", "file %{_sourcedir}/version", "presence of /x"]);
    }

    #[test]
    fn a_file_that_comes_is_seen_even_if_it_is_empty() {
        let seen = |digest| digest_by_name(&[Observation::File(b"/x".to_vec(), digest)]);
        assert_ne!(seen(None), seen(Some(Digest::compute(b""))));
    }

    #[test]
    fn names_that_are_no_text_stay_apart() {
        let seen = |name: &[u8]| Observation::File(name.to_vec(), None);
        assert_eq!(digest_by_name(&[seen(b"/\xfe"), seen(b"/\xff")]).len(), 2);
    }
}
