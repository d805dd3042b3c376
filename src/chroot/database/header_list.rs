//! Packages as a list of headers, for roots whose rpm keeps them in a database of another kind.

use super::DatabaseError;
use super::installed::{InstallTransaction, InstalledPackage};
use crate::engine::{Bytes, ScriptletKind, ScriptletRun, ScriptletWeight, ScriptletWork};

/// What each header begins with.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// The headers of packages as the database will hold them, one after the other: what `rpmdb --exportdb` writes of it.
///
/// # Errors
/// A package that no database takes.
pub fn write_header_list(
    packages: &[InstalledPackage<'_>],
    transaction: &InstallTransaction,
) -> Result<Vec<u8>, DatabaseError> {
    let mut list = Vec::new();
    for package in packages {
        list.extend(MAGIC);
        list.extend(package.encode(transaction)?);
    }
    Ok(list)
}

/// The step of a plan that has the root's own rpm read the list into its database, whatever kind that is: the first one, so
/// that scriptlets find it. It adds to what the database of a base has.
///
/// # Errors
/// A package that no database takes.
pub fn plan_import(
    packages: &[InstalledPackage<'_>],
    transaction: &InstallTransaction,
) -> Result<ScriptletRun, DatabaseError> {
    let headers = Bytes(write_header_list(packages, transaction)?);
    Ok(ScriptletRun {
        package: format!("{} packages", packages.len()),
        kind: ScriptletKind::Database,
        weight: ScriptletWeight::Error,
        work: ScriptletWork::Import { headers },
    })
}
