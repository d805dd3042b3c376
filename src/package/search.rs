//! Looks for something in all that a package holds.

use std::io::{self, BufRead, Read};

use bstr::ByteSlice;
use rpm::PackageReader;

use super::{PackageError, Tag, Value, check, content_error, read_headers};

/// How much of a package is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchScope {
    /// Its header.
    Header,
    /// Its header, and the content of its files.
    Whole,
}

/// Gives each tag's value and each file's content to `find` until it finds something; then that, and where, in words.
///
/// # Errors
/// The package can't be read.
pub fn search_package<T>(
    file: &str,
    mut reader: impl BufRead + 'static,
    scope: SearchScope,
    find: &dyn Fn(&mut dyn Read) -> io::Result<Option<T>>,
) -> Result<Option<(String, T)>, PackageError> {
    let header_error = |source| PackageError::Header { file: file.to_owned(), source };
    let io_error = |source| PackageError::Io { file: file.to_owned(), source };
    let bytes = check(&mut reader).map_err(header_error)?;
    let headers = read_headers(&mut bytes.as_slice()).map_err(header_error)?;
    for (tag, value) in headers.header.iter() {
        if let Some(found) = search_value(value, find).map_err(io_error)? {
            return Ok(Some((format!("its tag {}", tag_name(tag)), found)));
        }
    }
    if scope == SearchScope::Header {
        return Ok(None);
    }
    let whole = io::Cursor::new(bytes).chain(reader);
    let mut package = PackageReader::parse(whole).map_err(|error| content_error(file, &error))?;
    while let Some(mut entry) = package.next_file().map_err(|error| content_error(file, &error))? {
        let path = entry.metadata.path().display().to_string();
        if let Some(found) = find(&mut entry).map_err(io_error)? {
            return Ok(Some((format!("its file {path}"), found)));
        }
        entry.finish().map_err(io_error)?;
    }
    Ok(None)
}

fn search_value<T>(
    value: &Value,
    find: &dyn Fn(&mut dyn Read) -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let texts = match value {
        Value::Text(text) => std::slice::from_ref(text),
        Value::Texts(texts) | Value::Localized(texts) => texts,
        Value::Bytes(bytes) => return find(&mut bytes.as_slice()),
        Value::Numbers(_) => return Ok(None),
    };
    for text in texts {
        let found = find(&mut text.as_bytes())?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn tag_name(tag: Tag) -> String {
    tag.name().map_or_else(|| tag.0.to_string(), str::to_owned)
}
