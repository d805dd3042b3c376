//! `forge serve`

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::planning::runtime;
use super::serve_arguments::Serve;
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
    end_on_signals(&cancel)?;
    let server = FolderServer::bind(folder, arguments.listen).await?;
    context.print(&plain_text(&format!("http://{}/ serves {path}\n", server.address())))?;
    server.run(&cancel).await;
    Ok(Exit::Success)
}

/// The first Ctrl-C (or SIGTERM) ends it once what has begun is answered; a second one at once.
fn end_on_signals(cancel: &Cancel) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupts = signal(SignalKind::interrupt()).map_err(CliError::Io)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(CliError::Io)?;
    let cancel = cancel.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
            if cancel.is_canceled() {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            cancel.cancel();
        }
    });
    Ok(())
}
