//! Builds that were made, as commands name them that look at those: by package, pattern, chroot, batch, number.

use std::collections::BTreeSet;

use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::selection::{batch_members, is_matched, matcher, patterns};
use crate::manifest::find_spec_name;
use crate::store::{BuildRow, History};
use crate::text::suggestion;

/// The builds of a project.
pub struct PastBuilds<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its history.
    pub history: &'a History,
    /// The environment.
    pub context: &'a Context,
}

impl PastBuilds<'_> {
    /// The builds of these numbers (`#12`), and the newest builds of the packages that names or patterns stand for, in each
    /// chroot or those that are named. All packages where none is named.
    pub fn attempts(&self, wanted: &[String], chroots: &[String]) -> Result<Vec<BuildRow>, Failure> {
        let (numbers, names) = split_numbers(wanted);
        let mut found = Vec::new();
        for number in &numbers {
            found.push(build_by_number(self.history, *number)?);
        }
        if !names.is_empty() || numbers.is_empty() {
            found.extend(self.newest(&names, chroots)?);
        }
        Ok(found)
    }

    /// The newest builds of packages in each chroot, or in those that are named.
    fn newest(&self, names: &[String], chroots: &[String]) -> Result<Vec<BuildRow>, Failure> {
        let mut rows: Vec<BuildRow> = self.history.newest_attempts()?.into_values().collect();
        rows.sort_by(|one, other| one.build.cmp(&other.build));
        self.retain(&mut rows, names, chroots)?;
        Ok(rows)
    }

    /// Leaves only the builds of these numbers (`#12`) and of packages that names or patterns stand for, in the chroots that are
    /// named; of all packages, or in all chroots, where none is named.
    pub fn retain(
        &self,
        rows: &mut Vec<BuildRow>,
        names: &[String],
        chroots: &[String],
    ) -> Result<(), Failure> {
        if !names.is_empty() {
            let (numbers, names) = split_numbers(names);
            numbers.iter().try_for_each(|number| build_by_number(self.history, *number).map(drop))?;
            let known: BTreeSet<&str> = rows.iter().map(|row| row.build.package.as_str()).collect();
            let mut meant = BTreeSet::new();
            for name in &names {
                meant.extend(self.packages(name, &known)?);
            }
            rows.retain(|row| meant.contains(&row.build.package) || numbers.contains(&row.number));
        }
        if !chroots.is_empty() {
            let known = rows.iter().map(|row| row.build.chroot.as_str());
            let patterns = patterns("chroot", "chroots that it was built in", chroots, known)?;
            rows.retain(|row| is_matched(&patterns, &row.build.chroot));
        }
        Ok(())
    }

    /// Leaves only builds of packages of these batches; all where none is named.
    pub fn retain_batches(&self, rows: &mut Vec<BuildRow>, batches: &[String]) -> Result<(), Failure> {
        if batches.is_empty() {
            return Ok(());
        }
        let manifest = self.project.manifest(&[], self.context)?;
        let members = batch_members(&manifest, batches)?;
        let names: BTreeSet<&str> =
            members.iter().map(|id| manifest.package(*id).name.value.as_str()).collect();
        rows.retain(|row| names.contains(row.build.package.as_str()));
        Ok(())
    }

    /// The packages with builds that a name or pattern stands for: by the manifest's names or, where none matches, by `Name` of
    /// their specs.
    fn packages(&self, name: &str, built: &BTreeSet<&str>) -> Result<BTreeSet<String>, Failure> {
        let matcher = matcher(name)?;
        let mut found: BTreeSet<String> = built
            .iter()
            .filter(|package| matcher.is_match(package))
            .map(|&package| package.to_owned())
            .collect();
        // What was built can be looked at without a manifest that can be read.
        if found.is_empty()
            && let Ok(manifest) = self.project.manifest(&[], self.context)
        {
            let is_built = |package: &str| built.contains(package);
            let packages = manifest.packages.iter().filter(|package| is_built(&package.name.value));
            let is_meant = |package: &&_| {
                find_spec_name(package, &self.project.repository).is_some_and(|name| matcher.is_match(name))
            };
            found.extend(packages.filter(is_meant).map(|package| package.name.value.clone()));
        }
        if found.is_empty() { Err(self.not_built(name)) } else { Ok(found) }
    }

    /// That a package has no build here.
    pub fn not_built(&self, package: &str) -> Failure {
        let rows = self.history.builds(None, 1000).unwrap_or_default();
        let help = if rows.is_empty() {
            "nothing has been built yet: run `forge apply`".to_owned()
        } else {
            suggestion(package, "built packages", rows.iter().map(|row| row.build.package.as_str()))
        };
        CliError::NotBuilt { package: package.to_owned(), help }.into()
    }
}

/// The numbers of builds (`#12`) among names, and the other names.
pub fn split_numbers(wanted: &[String]) -> (Vec<u64>, Vec<String>) {
    let (mut numbers, mut names) = (Vec::new(), Vec::new());
    for name in wanted {
        match number_of(name) {
            Some(number) => numbers.push(number),
            None => names.push(name.clone()),
        }
    }
    (numbers, names)
}

/// The number that `#12` is.
fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix('#')?.parse().ok()
}

/// The build of a number.
pub fn build_by_number(history: &History, number: u64) -> Result<BuildRow, Failure> {
    Ok(history.build(number)?.ok_or(CliError::NoBuild { number })?)
}
