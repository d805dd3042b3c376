//! Who signed a file: keys that are declared, and what they say of signatures.
//!
//! OpenPGP (RFC 9580) is what both the metadata of repositories and the archives of free software are signed with. A
//! [`Keyring`] holds the keys that count; it says of a detached signature whether one of them made it, and [`KeyTime`] for
//! which moment that is asked: what lies in a repository is renewed all the time, a release is signed once.

mod key_rules;
mod keyring;

pub use key_rules::{
    KeyTime, SignatureProblem, can_sign, check_form, check_key, check_subkey, fingerprint_of, is_by,
};
pub use keyring::{Keyring, key_blocks};
