//! Results → repositories that dnf, zypper and every reader of createrepo_c's metadata can use.
//!
//! What a repository holds and whose it is says its [record](record), which lies in it; nothing is believed from a name or from the
//! project's history. An [update](update) makes what is wanted, what is on record and what is there one. Package files have
//! names of their own (`<package>-<digest of the result>/`), metadata files are named by their checksums, `repomd.xml`
//! comes to its place in one rename, and what is superseded stays for a [while](superseded): a client never meets
//! metadata of a file that is not there.

#![warn(clippy::wildcard_enum_match_arm)]

mod adopt;
mod broken;
mod bystanders;
mod client_files;
mod closure;
mod declared_metadata;
mod error;
mod folders;
mod groups;
mod held_packages;
mod holding;
mod inspect;
mod kept_group;
mod kept_needs;
mod known;
mod limits;
mod lock;
mod mend_builds;
mod metadata;
mod metadata_file;
mod metadata_text;
mod multilib;
mod name_hashes;
mod open_checksum;
mod owner;
mod package_record;
mod package_share;
mod packing;
mod paths;
pub mod places;
mod plain_layout;
pub mod provenance;
mod prune;
mod publish_metadata;
mod published;
mod reception;
mod record;
mod record_changes;
mod record_file;
mod repositories;
mod retention;
mod section;
mod shared_list;
mod signed_results;
mod signing;
mod staging;
mod superseded;
mod told;
mod update;
mod verify_repository;
mod wanted;

pub use broken::BrokenRequirement;
pub use closure::Beside;
pub use error::{PublishError, Refusal, WrongMetadata};
pub use inspect::Verification;
pub use prune::{CountedFiles, JudgedBuild, PrunedRepository};
pub use published::PublishedBuild;
pub use record_file::{DecodedRecords, recorded_paths};
pub use repositories::{DamagedRepositoryFile, Entering, Leaving, Repositories};
pub use retention::{Verdict, WhyGoes, WhyStays};
pub use signing::{Signing, SigningKeys};
pub use verify_repository::{VerifiedFile, verify_file, verify_repository};
pub use wanted::Built;
