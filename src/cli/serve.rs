//! `forge serve`

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::planning::runtime;
use super::serve_arguments::Serve;
use super::signals::end_on_signals;
use crate::files::Folder;
use crate::process::Cancel;
use crate::serve::FolderServer;
use crate::ui::plain_text;

/// Serves a folder over HTTP until it is interrupted.
pub fn run(arguments: &Serve, context: &Context) -> Result<Exit, Failure> {
    runtime()?.block_on(serve(arguments, context))
}

async fn serve(arguments: &Serve, context: &Context) -> Result<Exit, Failure> {
    let path = context.named(&arguments.repo)?;
    let folder = Folder::open_ambient(&path).map_err(CliError::Io)?;
    let cancel = Cancel::default();
    end_on_signals(cancel.clone(), || {}, || {})?;
    let server = FolderServer::bind(folder, arguments.listen).await?;
    context.print(&plain_text(&format!("http://{}/ serves {path}\n", server.address())))?;
    server.run(&cancel).await;
    Ok(Exit::Success)
}
