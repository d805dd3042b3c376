//! Placeholders in observations, for folders and secrets that must not be written down.

use std::fmt;

use bstr::ByteSlice;

use crate::digest::Digest;

/// Texts and what is noted in their place: folders, which differ from one checkout to the next though nothing is learned
/// from their names, and secrets, which are not to be written down.
#[derive(Clone, Default)]
pub struct Placeholders {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    salt: Option<Digest>,
}

impl Placeholders {
    /// From pairs of a text and its placeholder.
    pub fn new(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        // A text that holds another one comes first, so that nothing is left of it.
        pairs.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { pairs, salt: None }
    }

    /// With digests that nobody can try out texts against who doesn't know `salt`: what a command makes of a secret, its
    /// base64 say, is not hidden by a placeholder.
    #[must_use]
    pub fn with_salt(mut self, salt: Option<Digest>) -> Self {
        self.salt = salt;
        self
    }

    /// What is noted of a content.
    pub fn digest(&self, content: &[u8]) -> Digest {
        match &self.salt {
            None => Digest::compute(content),
            Some(salt) => Digest::finish(blake3::Hasher::new_keyed(salt.as_bytes()).update(content)),
        }
    }

    /// A text as it is noted.
    pub fn hide(&self, text: &[u8]) -> Vec<u8> {
        self.pairs.iter().fold(text.to_vec(), |text, (hidden, placeholder)| text.replace(hidden, placeholder))
    }

    /// The text that was noted.
    pub fn reveal(&self, noted: &[u8]) -> Vec<u8> {
        let pairs = self.pairs.iter().rev();
        pairs.fold(noted.to_vec(), |text, (hidden, placeholder)| text.replace(placeholder, hidden))
    }
}

impl fmt::Debug for Placeholders {
    /// Without the texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placeholders").field("pairs", &self.pairs.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hidden_is_found_again() {
        let pairs = [("/srv/a", "%{_sourcedir}"), ("/srv/a/key", "(secret 1)"), ("", "nothing")];
        let pairs = pairs.map(|(text, placeholder)| (text.into(), placeholder.into()));
        let placeholders = Placeholders::new(pairs);
        let noted = placeholders.hide(b"cat /srv/a/key /srv/a/b");
        assert_eq!(noted, b"cat (secret 1) %{_sourcedir}/b");
        assert_eq!(placeholders.reveal(&noted), b"cat /srv/a/key /srv/a/b");
        assert!(!format!("{placeholders:?}").contains("srv"));
    }

    #[test]
    fn a_salted_digest_is_not_that_of_the_content() {
        let salted = |salt: &[u8]| Placeholders::default().with_salt(Some(Digest::compute(salt)));
        assert_eq!(Placeholders::default().digest(b"a"), Digest::compute(b"a"));
        assert_ne!(salted(b"1").digest(b"a"), Digest::compute(b"a"));
        assert_ne!(salted(b"1").digest(b"a"), salted(b"2").digest(b"a"));
    }
}
