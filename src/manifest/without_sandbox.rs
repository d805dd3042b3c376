//! What a manifest says of builds that only a sandbox could see to, of packages that are built in none.

use std::collections::BTreeMap;

use miette::Diagnostic;
use thiserror::Error;

use super::Manifest;
use super::build_limits::BuildLimits;
use super::choices::Isolation;
use super::ids::PackageId;
use crate::text::{Located, Spanned};

/// Something that is said of packages with `isolation none`, and does nothing there.
#[derive(Clone, Debug, Error, Diagnostic)]
#[error("{what} does nothing where `isolation none` holds")]
#[diagnostic(
    code(forge::manifest::needs_sandbox),
    severity(Warning),
    help(
        "without a sandbox, `timeout` and `limits {{ log … }}` hold; `isolation namespaces` holds builds to all of it"
    )
)]
pub struct NeedsSandbox {
    /// What: "`network #false`".
    pub what: String,
}

impl Manifest {
    /// What does nothing because packages are built in no sandbox: one warning for each thing, at the first of those packages.
    pub fn needs_sandbox(&self) -> Vec<Located<NeedsSandbox>> {
        let mut said: BTreeMap<String, Vec<&Spanned<String>>> = BTreeMap::new();
        for (index, package) in self.packages.iter().enumerate() {
            if package.isolation != Isolation::None {
                continue;
            }
            let limits =
                package.chroots.iter().flat_map(|chroot| names(self.limits(PackageId(index), *chroot)));
            let mut what: Vec<String> = limits.collect();
            what.extend(package.is_denied_network.then(|| "`network #false`".to_owned()));
            what.sort();
            what.dedup();
            what.into_iter().for_each(|what| said.entry(what).or_default().push(&package.name));
        }
        let warnings = said.into_iter().filter_map(|(what, packages)| {
            let (first, others) = packages.split_first()?;
            let label = match others.len() {
                0 => "built without a sandbox".to_owned(),
                1 => "built without a sandbox, and one other".to_owned(),
                more => format!("built without a sandbox, and {more} others"),
            };
            Some(Located::new(NeedsSandbox { what }, label, first.place.clone()))
        });
        warnings.collect()
    }
}

/// The limits that only a sandbox has.
fn names(limits: BuildLimits) -> Vec<String> {
    let BuildLimits { memory_bytes, processes, disk_bytes, open_files, log_bytes: _ } = limits;
    let said = [
        ("memory", memory_bytes.is_some()),
        ("processes", processes.is_some()),
        ("disk", disk_bytes.is_some()),
        ("open-files", open_files.is_some()),
    ];
    let said = said.into_iter().filter(|(_, is_said)| *is_said);
    said.map(|(name, _)| format!("`limits {{ {name} … }}`")).collect()
}
