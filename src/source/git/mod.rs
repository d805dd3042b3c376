//! Sources from git repositories.
//!
//! A repository is known by its [address](GitAddress); what was fetched of it is [kept](Repository) in the cache as a bare one,
//! and grows. A [revision](Revision) becomes a [commit](CommitChooser), which is locked; its files are [written](Checkout) by
//! forge, never by git: no hook, filter, configuration or attribute of a repository has any effect.
//!
//! forge speaks git's protocol itself, over its own HTTP client, the machine's `ssh`, git's own protocol, or a
//! `git-upload-pack` of this machine; packs and objects are read by gitoxide.

mod address;
mod beside_spec;
mod checkout;
mod commit_choice;
mod commit_place;
mod config_file;
mod connection;
mod error;
mod gather;
mod history;
mod large_file_pointer;
mod large_files;
mod limits;
mod method;
mod news;
mod packet;
mod repository;
mod request;
mod revision;
mod server;
mod spec_history;
mod spec_location;
mod submodules;
mod whole_commit;
mod write_tree;

pub use address::{GitAddress, SshAddress};
pub use checkout::{Checkout, CheckoutOptions};
pub use commit_choice::{ChosenCommit, CommitChooser, CommitLock, CommitReach};
pub use connection::GitTools;
pub use error::GitError;
pub(super) use gather::{AddedFile, BesideSpec, gather, gather_adding};
pub use history::GitHistory;
pub use large_file_pointer::LargeFilePointer;
pub use large_files::LargeFiles;
pub use method::MethodError;
pub use news::look_for_news;
pub(super) use news::{list_references, look_at};
pub use repository::{AnnotatedTag, Commit, CommitEntry, CommitEntryKind, Repository, Signature};
pub(super) use request::GitRequest;
pub use revision::Revision;
pub use server::GitReference;
pub(super) use whole_commit::WholeCommit;
pub use write_tree::{CaseClash, OpenLargeFile, Subfolders, TreeWriter};
