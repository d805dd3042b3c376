//! `%autorelease` and `%autochangelog`: releases and changes of a package, worked out of the history of its repository as
//! rpmautospec does (<https://docs.pagure.org/fedora-infra.rpmautospec/>).
//!
//! [`work_out`] needs a [`PackageHistory`] and nothing else; [`SpecFeatures`] says what a spec uses of it, and [`process_spec`] puts
//! what was worked out into the spec, for programs that know nothing of all this.

mod entry;
mod history;
mod magic;
mod processed;
mod read_version;
mod walk;
mod wrap;

pub use entry::HistoryEntry;
pub use history::{HistoryCommit, PackageHistory, SpecVersion};
pub use processed::{SpecFeatures, process_spec};
pub use read_version::read_spec_version;
pub use walk::{HistoryQuestion, WorkedOut, work_out};
