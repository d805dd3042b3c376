//! What a program needs in its root: chosen of the chroot's repositories, or looked for where the root is as it is.

use std::collections::BTreeSet;

use super::error::MakingError;
use super::roots::{SourceMaking, SourceRoot};
use crate::engine::{Installed, Isolation, Settings};
use crate::package::Dependency;
use crate::process::Cancel;

/// The needs that a root doesn't have which nothing can be added to; none where nobody can tell.
///
/// # Errors
/// The root can't be asked.
pub(super) fn find_missing(
    root: &SourceRoot,
    needs: &[Dependency],
    making: &SourceMaking<'_>,
    cancel: &Cancel,
) -> Result<Vec<String>, MakingError> {
    // What is rich is for solvers.
    let plain: Vec<&Dependency> = needs.iter().filter(|need| !need.is_rich()).collect();
    let names: BTreeSet<String> = plain.iter().map(|need| need.name.clone()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let settings = Settings { isolation: Isolation::Sandbox, ..Settings::default() };
    let asked = root.engines.native.installed(&settings, &names, cancel);
    let packages = match making.runtime.block_on(asked)? {
        Installed::Packages(packages) => packages,
        Installed::NoPackages | Installed::Unknown(_) => return Ok(Vec::new()),
    };
    let is_met = |need: &Dependency| packages.iter().flatten().any(|provided| need.is_met_by(provided));
    Ok(plain.into_iter().filter(|need| !is_met(need)).map(ToString::to_string).collect())
}
