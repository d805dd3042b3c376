//! What is installed in a root, as far as it provides what is asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::problem::BuildProblem;
use super::super::root_files::RootFiles;
use super::super::world::{BuildListener, World};
use super::database::Database;
use crate::engine::Installed;
use crate::files::HostPath;
use crate::macros::{Macros, Stop};
use crate::package::Capability;

/// Keeps what is said last to be wrong with a root's database.
#[derive(Default)]
struct LastProblem(RefCell<Option<String>>);

impl BuildListener for LastProblem {
    fn notice(&self, _text: &[u8]) {}
    fn stage(&self, _name: &str) {}
    fn wrote(&self, _path: &HostPath) {}
    fn problem(&self, problem: &BuildProblem) {
        self.0.replace(Some(problem.to_string()));
    }
    fn is_quiet(&self) -> bool {
        true
    }
    fn detail(&self, _text: &[u8]) {}
}

/// Finds the packages of the root that macros see, which provide one of these names or have such a file.
pub(crate) fn find_installed(macros: &Macros, files: &RootFiles, names: &BTreeSet<String>) -> Installed {
    let problem = LastProblem::default();
    let world = World::new(macros, files, &problem);
    let found = find_in_database(&world, names);
    found.unwrap_or_else(|Stop| Installed::Unknown(problem.0.take().unwrap_or_default()))
}

fn find_in_database(world: &World<'_>, names: &BTreeSet<String>) -> Result<Installed, Stop> {
    let database = Database::open(world)?;
    if !database.has_packages(world)? {
        return Ok(Installed::NoPackages);
    }
    let wanted = names.iter().map(|name| Capability { name: name.as_str().into(), version: None });
    let wanted: Vec<Capability> = wanted.collect();
    Ok(Installed::Packages(database.find_providers(world, &wanted.iter().collect::<Vec<_>>())?))
}
