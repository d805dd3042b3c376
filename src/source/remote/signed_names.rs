//! Which of a spec's sources are signatures, which files they sign, and which are keys, by their names: as distributions have it.

/// How the names of detached signatures end (gpg(1)); `.sign` are those of kernel.org.
const SIGNATURES: [&str; 3] = [".asc", ".sig", ".sign"];

/// How the names of packed archives end that are signed unpacked.
const PACKED: [&str; 4] = [".xz", ".gz", ".bz2", ".zst"];

/// A file and its signature, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignedName<'a> {
    /// The file.
    pub file: &'a str,
    /// Its signature.
    pub signature: &'a str,
    /// What is signed of it.
    pub content: SignedContent,
}

/// What is signed of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignedContent {
    /// The file as it is.
    Packed,
    /// What it holds: the archive before it was packed, so that one signature is good for all ways to pack it.
    Unpacked,
}

/// The files that are signed, with their signatures. A signature of a file that is not there is none.
pub(super) fn pair_signatures<'a>(names: &[&'a str]) -> Vec<SignedName<'a>> {
    let mut found = Vec::new();
    for signature in names {
        let Some(base) = SIGNATURES.iter().find_map(|end| signature.strip_suffix(end)) else { continue };
        if let Some(file) = names.iter().find(|name| **name == base) {
            found.push(SignedName { file, signature, content: SignedContent::Packed });
        } else if base.ends_with(".tar") {
            let is_packed = |name: &&&str| PACKED.iter().any(|end| name.strip_suffix(end) == Some(base));
            let packed = names.iter().filter(is_packed);
            found.extend(packed.map(|file| SignedName { file, signature, content: SignedContent::Unpacked }));
        }
    }
    found
}

/// The files of keys.
pub(super) fn find_keyrings<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let is_keyring = |name: &&str| {
        let is_armored = name.starts_with("gpgkey-") && name.ends_with(".asc");
        // One may be a signature instead, of the file that it is named after.
        let is_binary = name.strip_suffix(".gpg").is_some_and(|base| !names.contains(&base));
        name.ends_with(".keyring") || is_armored || is_binary
    };
    names.iter().copied().filter(is_keyring).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_paired_with_what_they_sign() {
        let names = [
            "a-1.tar.gz",
            "a-1.tar.gz.asc",
            "b-2.tar.xz",
            "b-2.tar.sign",
            "SHA256SUMS.asc",
            "gpgkey-0123.asc",
            "c.zip",
            "c.zip.sig",
            "fix.patch",
        ];
        let packed = |file, signature| SignedName { file, signature, content: SignedContent::Packed };
        let expected = [
            packed("a-1.tar.gz", "a-1.tar.gz.asc"),
            SignedName { file: "b-2.tar.xz", signature: "b-2.tar.sign", content: SignedContent::Unpacked },
            packed("c.zip", "c.zip.sig"),
        ];
        assert_eq!(pair_signatures(&names), expected);
        assert!(pair_signatures(&["a.asc", "a.tar"]).is_empty());
    }

    #[test]
    fn keyrings_are_known_by_their_names() {
        let names =
            ["a.keyring", "gpgkey-1.asc", "gpgkey-1.gpg", "me.gpg", "a.tar", "a.tar.gpg", "a.tar.asc"];
        assert_eq!(find_keyrings(&names), ["a.keyring", "gpgkey-1.asc", "gpgkey-1.gpg", "me.gpg"]);
    }
}
