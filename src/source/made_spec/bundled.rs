//! What a package has built in: who it is, and what may be done with it.

use super::access::RegistryAccess;
use super::error::MadeSpecError;
use super::license::UNKNOWN_LICENSE;
use super::spec_writer::SpecWriter;
use crate::store::Blob;

/// A package of a registry that is part of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundledPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its license, where one is said.
    pub license: Option<String>,
}

impl BundledPackage {
    /// Its license, or that it says none.
    pub fn license(&self) -> String {
        self.license.clone().unwrap_or_else(|| UNKNOWN_LICENSE.to_owned())
    }
}

/// The name of the list of the licenses of what a package has built in.
pub fn license_list_name(package: &str) -> String {
    format!("{package}-bundled-licenses.txt")
}

/// `Provides: bundled(crate(x)) = 1.0`, for each; `kind` is `crate` or `npm`.
pub fn write_bundled_provides(spec: &mut SpecWriter, kind: &str, bundled: &[BundledPackage]) {
    for package in bundled {
        let version = package.version.replace('-', "~");
        spec.tag("Provides", &format!("bundled({kind}({})) = {version}", package.name));
    }
}

/// A list of licenses, which becomes a file of the package.
///
/// # Errors
/// The store can't be written to.
pub fn write_license_list(
    access: &RegistryAccess<'_>,
    bundled: &[BundledPackage],
) -> Result<Blob, MadeSpecError> {
    access.take_in_made(|out| {
        for package in bundled {
            writeln!(out, "{} {}: {}", package.name, package.version, package.license())?;
        }
        Ok(())
    })
}
