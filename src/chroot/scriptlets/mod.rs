//! What must be run in a root when packages are put into it, and in which order.
//!
//! [`install_order`] sorts packages as rpm does, [`plan_scriptlets`] says what rpm would run for them: a pure function, so
//! that what comes of it can be kept by [its digest](plan_digest) and needs to be run once for all roots of the same
//! packages.
//!
//! One thing is other than with rpm: all files of all packages lie in the root before the first scriptlet runs. What follows
//! from it:
//!
//! - `%pretrans` and `%pre` find the package's own files, and programs that would come later: more scripts work, none fails
//!   for want of an interpreter. What they ask of an *earlier* state (is there a folder where a link will be?) they find done.
//! - A file that `%pre` takes away to make room would be missing: rpm unpacks afterwards. That is looked for after each
//!   package's `%pre`, and is an error that names the file.
//! - Users that `%pre` makes are not known when files are laid: after it, files are given to those to whom they belong, in
//!   their modes and with their capabilities.
//! - A configuration file that `%pre` makes is overlooked by nobody: the package's own lies there already, where rpm would
//!   have kept both.
//! - `%post -p /sbin/ldconfig` runs at its first and its last place only: in between nothing is new.
//! - `%triggerun`, `%triggerpostun`, `%preun` and their like have no place here: nothing is removed.

mod laid;
mod order;
mod packages;
mod plan;
mod scripts;

pub use order::install_order;
pub use plan::plan_scriptlets;

use crate::digest::{Digest, Encoder};
use crate::engine::ScriptletRun;

/// What a plan is known by: what its running leaves behind in the same files is the same.
pub fn plan_digest(runs: &[ScriptletRun]) -> Digest {
    let mut encoder = Encoder::new("scriptlet plan v1");
    encoder.list("runs", runs.iter(), |encoder, run| {
        // All that is in it, by its written form: what is added to it later changes the digest.
        encoder.text("run", &serde_json::to_string(run).unwrap_or_default());
    });
    encoder.digest()
}
