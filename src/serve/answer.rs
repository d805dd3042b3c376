//! The answer to one request.

use std::convert::Infallible;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use cap_std::fs::{File, MetadataExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    LAST_MODIFIED,
};
use hyper::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::conditions::{AskedPart, FileVersion, wanted};
use super::file_body::FileBody;
use super::request_path::file_path;
use crate::fetch::content_type;
use crate::files::Folder;

/// The content of an answer, which is read while it is sent.
pub(super) type AnswerBody = BoxBody<Bytes, io::Error>;

/// How large the pieces are that a file is sent in, in bytes.
const PIECE: usize = 64 << 10;

/// How many pieces are read ahead.
const AHEAD: usize = 2;

/// Answers a request for a file of a folder.
pub(super) async fn answer(
    folder: Arc<Folder>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    if !is_read {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    let Some(path) = file_path(request.uri().path()) else { return Ok(empty(StatusCode::NOT_FOUND)) };
    let opened = tokio::task::spawn_blocking(move || open(&folder, &path)).await;
    Ok(match opened {
        Ok(Ok((file, version))) => answer_file((file, &version), &request),
        // What is no file, or what its owner keeps from forge, is not served either.
        Ok(Err(_)) | Err(_) => empty(StatusCode::NOT_FOUND),
    })
}

fn answer_file((file, version): (File, &FileVersion), request: &Request<Incoming>) -> Response<AnswerBody> {
    let (status, first, length) = match wanted(request.method(), request.headers(), version) {
        AskedPart::Nothing => return with_version(empty(StatusCode::NOT_MODIFIED), version),
        AskedPart::Changed => return with_version(empty(StatusCode::PRECONDITION_FAILED), version),
        AskedPart::OutOfRange => {
            let mut response = with_version(empty(StatusCode::RANGE_NOT_SATISFIABLE), version);
            set(&mut response, CONTENT_RANGE, &format!("bytes */{}", version.size));
            return response;
        }
        AskedPart::Whole => (StatusCode::OK, 0, version.size),
        AskedPart::Part(first, length) => (StatusCode::PARTIAL_CONTENT, first, length),
    };
    let mut response = match request.method() == Method::HEAD {
        true => empty(status),
        false => with_status(status, send_part(file, first, length)),
    };
    set(&mut response, CONTENT_LENGTH, &length.to_string());
    set(&mut response, CONTENT_TYPE, content_type(request.uri().path()));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first.saturating_add(length).saturating_sub(1);
        set(&mut response, CONTENT_RANGE, &format!("bytes {first}-{last}/{}", version.size));
    }
    with_version(response, version)
}

fn open(folder: &Folder, path: &str) -> io::Result<(File, FileVersion)> {
    let (file, metadata) = folder.open_regular_with_metadata(path)?;
    // A link may lead to what is hidden.
    if folder.real_path_of(&file)?.iter().any(|part| part.as_encoded_bytes().starts_with(b".")) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    // A file that was put in the place of another is another, however alike they are.
    let etag = format!("\"{:x}-{:x}-{seconds:x}.{nanoseconds:x}\"", metadata.size(), metadata.ino());
    let modified = Timestamp::from_second(seconds).unwrap_or_default();
    Ok((file, FileVersion { size: metadata.size(), etag, modified }))
}

/// A part of a file, read by a thread that may wait for the disk.
fn send_part(mut file: File, first: u64, length: u64) -> AnswerBody {
    let (sender, body) = FileBody::new(AHEAD);
    tokio::task::spawn_blocking(move || {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        let send = |piece: Vec<u8>| sender.blocking_send(Ok(Bytes::from(piece))).map_err(gone);
        let sent =
            file.seek(SeekFrom::Start(first)).and_then(|_| read_pieces(file.take(length), length, send));
        if let Err(error) = sent {
            // The connection breaks, so that nobody takes a part for the whole. A client that is gone needs no word.
            let _ = sender.blocking_send(Err(error));
        }
    });
    body.boxed()
}

fn read_pieces(
    mut file: impl Read,
    length: u64,
    mut each: impl FnMut(Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(read);
        left = left.saturating_sub(read as u64);
        each(piece)?;
    }
    Ok(())
}

fn with_version(mut response: Response<AnswerBody>, version: &FileVersion) -> Response<AnswerBody> {
    set(&mut response, ETAG, &version.etag);
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&version.modified) {
        set(&mut response, LAST_MODIFIED, &date);
    }
    set(&mut response, ACCEPT_RANGES, "bytes");
    // Whoever keeps it asks first: that is cheap here.
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

fn set(response: &mut Response<AnswerBody>, name: hyper::header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn empty(status: StatusCode) -> Response<AnswerBody> {
    with_status(status, Empty::new().map_err(|never| match never {}).boxed())
}

fn with_status(status: StatusCode, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
