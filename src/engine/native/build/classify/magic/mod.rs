//! The database of file(1), reduced to the entries that may match what a package holds.
//!
//! **What an entry is.** file(1) describes files by the entries of magic(5), which it reads from a compiled database. An entry
//! has a level, a test (something at a place of the file: bytes, a number that is equal, less or more, a word to search for, a
//! regular expression), and what it says of files for which the test holds: words of a description, a MIME type. One of level
//! 0 begins a group; those of higher levels that follow it are tried where the ones that they belong to hold. Entries with a
//! name are used by others and belong to no group.
//!
//! **What is reduced, and why.** file(1) tries every group on every file, and on small files that is nearly all it does: a
//! package of thousands of them would take longer to describe than to pack. Groups that tell nothing of any of some files are
//! left out, and file(1) is asked about these files with the rest. A group tells nothing where its first test fails, or where
//! nothing that has words holds below it. What can't be told from outside holds: then a group stays.
//!
//! **What is compared.** The bytes that tests want at their places, counted from either end or told by a number there; numbers;
//! and the words and expressions that must be somewhere. Content that file(1) would unpack or decode first is not compared: it
//! is for the whole database, and so are files for which some group tries all others at another place.
//!
//! `entry.rs` has the layout of entries and their tests, `group.rs` what belongs together, `search.rs` words and expressions,
//! `database.rs` the whole, `content.rs` what file(1) sees before any entry. `reduction.rs` divides the files of a package
//! among reduced databases.

mod content;
mod database;
mod entry;
mod group;
mod reduction;
mod search;

pub(super) use content::is_plain_text;
pub(super) use reduction::{KnownFile, Reduction, reduce};

#[cfg(test)]
mod tests;
