//! rpm's own programs: their command lines, their words, their exit codes.

mod eval;
mod options;
mod rpmbuild;
mod rpmspec;
mod session;
mod shell;
mod uncompress;

pub use eval::run as eval;
pub use rpmbuild::run as rpmbuild;
pub use rpmspec::run as rpmspec;
pub use uncompress::run as uncompress;
