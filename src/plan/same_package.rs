//! Packages that two builds of one chroot would make.

use std::collections::HashMap;

use super::{Build, BuildId, Fate, PlanError};
use crate::engine::SubpackageFacts;
use crate::manifest::{ChrootId, Manifest};
use crate::text::Located;

/// The builds that make what another makes for the same chroot: neither can be preferred.
pub(super) fn check_same_packages(
    manifest: &Manifest,
    builds: &[Build],
) -> Vec<(BuildId, Located<PlanError>)> {
    let mut known: HashMap<(ChrootId, String), BuildId> = HashMap::new();
    let mut errors = Vec::new();
    for (index, build) in builds.iter().enumerate() {
        let Fate::Buildable(inputs) = &build.fate else {
            continue;
        };
        let id = BuildId(index);
        for package in &inputs.facts.subpackages {
            let nevra = nevra(package, &inputs.facts.evr);
            let first = *known.entry((build.chroot, nevra.clone())).or_insert(id);
            if first != id {
                let error = || same_package_error(manifest, builds, (first, id), &nevra);
                errors.extend([(first, error()), (id, error())]);
                break;
            }
        }
    }
    errors
}

/// `name-[epoch:]version-release.arch`. What a package provides under its own name has its version.
fn nevra(package: &SubpackageFacts, evr: &str) -> String {
    let own = package.provides.iter().rfind(|provide| provide.name == package.name);
    let evr = own.and_then(|own| own.version.as_ref()).map_or(evr, |(_, version)| version);
    format!("{}-{evr}.{}", package.name, package.arch)
}

fn same_package_error(
    manifest: &Manifest,
    builds: &[Build],
    (first, second): (BuildId, BuildId),
    nevra: &str,
) -> Located<PlanError> {
    let [one, other] = [first, second].map(|id| &builds[id.0]);
    let place = |build: &Build| manifest.package(build.package).name.place.clone();
    let error = PlanError::SamePackage {
        one: one.name.package.clone(),
        other: other.name.package.clone(),
        nevra: nevra.to_owned(),
        chroot: other.name.chroot.clone(),
    };
    let error = Located::new(error, format!("`{}`", other.name.package), place(other));
    error.with_note(format!("`{}`", one.name.package), place(one))
}
