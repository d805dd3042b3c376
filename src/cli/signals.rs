//! Ctrl-C and SIGTERM.

use super::Exit;
use super::context::{CliError, Failure};
use crate::process::Cancel;

/// The first Ctrl-C (or SIGTERM) calls off what runs, which is waited for; a second one ends forge at once. `first` and `at_once`
/// are done then. It is called once for one `cancel`, within a runtime: of two, the second would take the first signal for a second one.
///
/// # Errors
/// The kernel doesn't allow it.
pub fn end_on_signals(
    cancel: Cancel,
    first: impl Fn() + Send + 'static,
    at_once: impl Fn() + Send + 'static,
) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupts = signal(SignalKind::interrupt()).map_err(CliError::Io)?;
    let mut terminations = signal(SignalKind::terminate()).map_err(CliError::Io)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
            if cancel.is_canceled() {
                at_once();
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            cancel.cancel();
            first();
        }
    });
    Ok(())
}
