//! Who signed a file: keys that are declared, and what they say of signatures.
//!
//! OpenPGP (RFC 9580) is what both the metadata of repositories and the archives of free software are signed with. A
//! [`Keyring`] holds the keys that count; it says of a detached signature whether one of them made it, and [`KeyTime`] for
//! which moment that is asked: what lies in a repository is renewed all the time, a release is signed once.

mod keyring;

pub use keyring::{KeyTime, Keyring, SignatureProblem, key_blocks};
