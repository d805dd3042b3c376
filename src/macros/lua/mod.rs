//! Lua 5.4 within macros: `%{lua:…}` and its world (rpm-lua(7)).
//!
//! One interpreter serves all macros of a language, as in rpm: what one leaves behind, the next one finds. Native functions
//! are in [`rpm`], [`posix`] and their neighbours; `prelude.lua` makes them look and fail as rpm's own.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's values and the system's kinds of files are not our own"
)]

mod account;
mod base64;
mod interpreter;
mod list;
mod native;
mod pattern;
mod permissions;
mod posix;
mod process;
mod rpm;
mod run;
mod scriptlet;
mod setup;
mod stream;
mod version;

pub(super) use interpreter::Lua;
pub use list::Item;
pub use scriptlet::LuaScriptlet;
