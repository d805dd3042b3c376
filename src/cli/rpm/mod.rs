//! rpm's own programs: their command lines, their words, their exit codes.

mod build;
mod eval;
mod find_debuginfo;
mod job;
mod options;
mod policies;
mod rpmbuild;
mod rpmspec;
mod session;
mod shell;
mod uncompress;

pub use eval::run as eval;
pub use find_debuginfo::run as find_debuginfo;
pub use job::carry_out_job;
pub use policies::run as policies;
pub use rpmbuild::run as rpmbuild;
pub use rpmspec::run as rpmspec;
pub use session::complain;
pub use uncompress::run as uncompress;
