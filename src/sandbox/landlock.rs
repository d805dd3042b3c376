//! A second wall behind the mounts: Landlock lets nobody write but where a build may (landlock(7)).

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::enclosure::Enclosure;

/// What every sandbox may write, beside the folders of its own.
const WRITABLE: &[&str] = &["/tmp", "/var/tmp", "/home", "/run", "/dev", "/proc"];

/// Puts the wall up around this process and all that it starts. A kernel without Landlock, or with its first version,
/// which forbids every move from folder to folder, has none.
///
/// # Errors
/// The kernel has Landlock and refuses.
pub(super) fn restrict_writing(enclosure: &Enclosure) -> io::Result<()> {
    let moves =
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::Refer);
    if moves.and_then(Ruleset::create).is_err() {
        return Ok(());
    }
    let writing = AccessFs::from_write(ABI::V3);
    let rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(writing);
    let rules = rules.and_then(|rules| rules.scope(Scope::from_all(ABI::V6))).and_then(Ruleset::create);
    let mut rules = rules.map_err(io::Error::other)?;
    let own = enclosure.binds.iter().filter(|bind| bind.writable).map(|bind| bind.root.as_path());
    let may_change = enclosure.root.as_ref().is_some_and(|root| root.changes.is_some());
    let everything = may_change.then_some(Path::new("/"));
    for path in WRITABLE.iter().map(Path::new).chain(own).chain(everything) {
        let folder = PathFd::new(path).map_err(io::Error::other)?;
        rules = rules.add_rule(PathBeneath::new(folder, writing)).map_err(io::Error::other)?;
    }
    rules.restrict_self().map_err(io::Error::other)?;
    Ok(())
}
