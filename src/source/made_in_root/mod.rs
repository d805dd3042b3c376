//! Sources that a program makes in a root: a script of the project's (`source custom`), or `make` with the `.copr/Makefile` of a
//! git repository (`method=make-srpm`).
//!
//! It runs in a sandbox as builds do, in the root of a chroot with what it needs in it, and what it leaves in its result folder is
//! taken into the store. It is kept there under the key of all that it was made of, so that nothing runs twice, and locked by
//! the checksums of its files.

mod custom;
mod error;
mod lay_out;
mod make;
mod make_srpm;
mod needs;
mod results;
mod roots;
mod run;

pub(super) use custom::{CustomRequest, gather as gather_custom};
pub use error::MakingError;
pub use make::wish_name;
pub(super) use make_srpm::gather as gather_with_make;
pub use roots::{RefusedRoot, SourceMaking, SourceRoot, SourceRoots};
