//! The server: its connections, and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use miette::Diagnostic;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};

use super::answer::answer;
use super::connections::{Connections, Seat, WatchedBody};
use crate::files::Folder;
use crate::process::Cancel;

/// Why a folder can't be served.
#[derive(Debug, Error, Diagnostic)]
pub enum ServeError {
    /// Nobody can be listened to there.
    #[error("{address} can't be listened at: {}", crate::files::reason(.source))]
    #[diagnostic(
        code(forge::serve::address),
        help(
            "another program may be there: name another port with `--listen`, or port 0 for one that is free"
        )
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// How many connections there may be at once.
const MOST_CONNECTIONS: usize = 256;

/// How long a client may take to say what it wants, and may be idle between two requests.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long answers may go on that had begun before the end.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long is waited where no connection can be taken: there are too many files open, most likely.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a folder. See the [module](super).
pub struct FolderServer {
    folder: Arc<Folder>,
    listener: TcpListener,
    address: SocketAddr,
}

impl FolderServer {
    /// Listens at an address; nothing is answered yet.
    ///
    /// # Errors
    /// [`ServeError::Address`].
    pub async fn bind(folder: Folder, address: SocketAddr) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        Ok(Self { folder: Arc::new(folder), listener, address: bound })
    }

    /// Where it listens: with the port that was found where none was named.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is called off, and what has begun by then to its end.
    pub async fn run(self, cancel: &Cancel) {
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Connections::default());
        loop {
            let connection = tokio::select! {
                biased;
                () = cancel.canceled() => break,
                connection = self.accept(&connections) => connection,
            };
            let Some((stream, seat)) = connection else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (folder, seat) = (Arc::clone(&self.folder), Arc::new(seat));
            let used = Arc::clone(&seat);
            let service = service_fn(move |request| {
                let (folder, answering) = (Arc::clone(&folder), used.begin());
                async move {
                    let answered = answer(folder, request).await;
                    answered.map(|response| response.map(|body| WatchedBody { body, answering }))
                }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                // A client that goes away in the middle is its own business.
                tokio::select! {
                    _ = connection => {}
                    () = seat.must_leave() => {}
                }
            });
        }
        // Nobody new comes in.
        drop(self.listener);
        let _ = tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await;
    }

    async fn accept(&self, connections: &Arc<Connections>) -> Option<(TcpStream, Seat)> {
        let (stream, _) = self.listener.accept().await.ok()?;
        let _ = stream.set_nodelay(true);
        Some((stream, connections.enter(MOST_CONNECTIONS).await))
    }
}
