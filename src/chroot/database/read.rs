//! `rpmdb.sqlite`, read.

use rayon::prelude::*;

use super::DatabaseError;
use super::write::open_database;
use crate::package::Headers;

/// The packages of a database, in the order of their installation: what a plan of scriptlets needs to know of a base, without
/// a look at its package files.
///
/// # Errors
/// It is no such database.
pub fn read_database(bytes: &[u8]) -> Result<Vec<Headers>, DatabaseError> {
    let connection = open_database(bytes)?;
    let mut statement = connection.prepare("SELECT blob FROM Packages ORDER BY hnum")?;
    let blobs: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let read = |(index, bytes): (usize, &Vec<u8>)| {
        let package = || DatabaseError::Header { package: format!("package {}", index + 1) };
        Headers::from_installed(bytes).ok_or_else(package)
    };
    blobs.par_iter().enumerate().map(read).collect()
}
