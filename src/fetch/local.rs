//! Files of this machine.

use std::io::{self, Read};

use super::FetchError;
use super::address::Address;
use super::download::{Download, Downloaded, Validators};
use super::partial::Partial;
use crate::files::{Folder, HostPath};
use crate::process::Cancel;

/// Copies a file of this machine.
pub(super) fn copy(
    download: &Download,
    (address, path): (&Address, &HostPath),
    partial: &mut Partial,
    cancel: &Cancel,
) -> Result<Downloaded, FetchError> {
    let local = |source| FetchError::Local { address: address.to_string(), source };
    let mut file = open(path).map_err(local)?;
    partial.restart(address, &Validators::default())?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        if cancel.is_canceled() {
            return Err(FetchError::Canceled);
        }
        let read = file.read(&mut buffer).map_err(local)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            break;
        }
        download.check_limit(address, partial.received().saturating_add(chunk.len() as u64))?;
        partial.write(chunk)?;
    }
    Ok(Downloaded { size: partial.received(), address: address.clone(), validators: Validators::default() })
}

fn open(path: &HostPath) -> io::Result<cap_std::fs::File> {
    let (Some(folder), Some(name)) = (path.as_path().parent(), path.as_path().file_name()) else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    let folder = HostPath::new(folder).ok_or(io::ErrorKind::InvalidInput)?;
    Folder::open_ambient(&folder)?.open_regular(name)
}
