//! What waits for the disk, kept off the threads that everything else runs on.

use super::ExecuteError;

/// Does what blocks where it holds up nobody.
pub(super) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExecuteError> + Send + 'static,
) -> Result<T, ExecuteError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ExecuteError::Task(error.to_string()))?
}
