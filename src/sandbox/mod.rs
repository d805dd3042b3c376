//! A program in a root of its own.
//!
//! The supervisor that [`process`](crate::process) starts does not start the program itself but forge once more, as the
//! process that [sets the sandbox up](enclose): it has one thread, and forks the first process of new namespaces for users, mounts, processes, network, IPC,
//! host name and control groups. That one makes a root in memory, attaches to it what the program may see, goes there with
//! pivot_root(2), gives up every right (no capabilities, no new privileges, a filter for system calls, Landlock), starts
//! the program, watches over what all take together, and waits: when it ends, the kernel ends all others.
//!
//! So far the root is the machine's own, seen read-only: its system folders, not what people keep on it, with private
//! `/tmp`, `/var/tmp`, `/run` and `/home`, devices that every program needs, and a `/proc` of its own.

mod composed_view;
mod control_group;
mod enclosure;
mod enter;
mod first_process;
mod hidden_mounts;
mod kernel;
mod landlock;
mod lay_over;
mod machine;
mod machine_abilities;
mod machine_trial;
mod messages;
mod mounts;
mod namespaces;
mod number_ranges;
mod opened;
mod overlay;
mod owners;
mod processes;
mod rights;
mod root_files;
mod settle;
mod system_calls;
mod unlinked;
mod view;
mod watch;

pub use control_group::remove_abandoned_groups;
pub use enclosure::{BUILDER, BUILDER_ID, FORGE_INSIDE};
pub use enter::{ENCLOSE, enclose};
pub use machine_abilities::{Ability, AbilityState, Machine};
pub use machine_trial::{TRY, try_part};
pub use namespaces::Namespaces;
pub use owners::give_to_builder;
pub use settle::{SETTLE, settle};
