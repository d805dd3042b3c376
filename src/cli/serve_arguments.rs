//! The command line of `forge serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `forge serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The folder of a repository, or one that holds several
    #[arg(long, value_name = "FOLDER")]
    pub repo: PathBuf,
    /// The address to listen at; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}
