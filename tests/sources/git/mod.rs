//! git repositories, by real servers of them.

mod beside;
mod fetching;
mod hostile;
pub mod http_server;
mod locks;
pub mod made_git;
mod messages;
mod methods;
mod protocols;
pub mod reader;
mod source;
