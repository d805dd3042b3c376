//! The one way to start a program: output streamed, a time limit, every descendant ended.
//!
//! A program is never started directly. forge starts itself once more as a [supervisor](supervise), which starts
//! the program, adopts whatever the program leaves behind (`PR_SET_CHILD_SUBREAPER`), and ends all of it when the
//! program ends, when forge says so, or when forge itself is gone: the supervisor's standard input is a pipe from
//! forge, and its end means that nobody is waiting any more. So no build outlives the forge that started it,
//! whatever it forked and however forge died.

mod command;
mod descendants;
mod document;
mod filter;
mod personality;
mod piped;
mod plain;
mod quoting;
mod sandbox;
mod sandbox_exit;
mod supervise;

pub use command::{Cancel, Command, Exit, ProcessError, Stream, Supervisor, Tail};
pub use document::document_path;
pub use filter::filter_all;
pub use personality::Personality;
pub use piped::PipedProgram;
pub use plain::{Redirections, ShellLimits, find_program, run_plain, shell_output};
pub use quoting::shell_quoted;
pub use sandbox::{Circumstances, InsideUser, LayeredRoot, Sandbox, SandboxLimits, Surroundings};
pub use sandbox_exit::{NOT_ENTERED, OVER_DISK, OVER_MEMORY, PassedLimit};
pub use supervise::{SUPERVISE, supervise};
