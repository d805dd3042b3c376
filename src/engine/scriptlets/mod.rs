//! Scriptlets and triggers of packages that were laid into a root: what is to be run there, and the running of it.
//!
//! A plan is made by whoever knows the packages; here it is carried out, by a worker in the root, as root there. What rpm
//! does itself before it runs scripts is part of it: users and groups are made, and files are given to users that a
//! scriptlet has made.

mod accounts;
mod bytes;
mod outcome;
mod owners;
mod planned;
mod program;
mod run;
mod script;
mod worker;

pub use bytes::Bytes;
pub use outcome::ScriptletEnd;
pub use planned::{
    FilesLaid, OwnedFile, PlannedScript, ScriptletKind, ScriptletRun, ScriptletWeight, ScriptletWork,
};
pub use run::run_scriptlets;
pub use worker::{ScriptletListener, ScriptletWorker, ScriptletsDone};
