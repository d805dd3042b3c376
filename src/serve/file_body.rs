//! The content of an answer that comes in pieces from another thread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// See the [module](self). It ends where the sender is dropped, and pieces that were sent before come all the same: an end that
/// is told apart from them may overtake the last.
pub(super) struct FileBody {
    pieces: Receiver<io::Result<Bytes>>,
}

impl FileBody {
    /// A body and what sends its pieces, so many of which may wait.
    pub fn new(ahead: usize) -> (Sender<io::Result<Bytes>>, Self) {
        let (sender, pieces) = mpsc::channel(ahead);
        (sender, Self { pieces })
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
