//! `forge verify`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::against::{ShippedPackage, compare_shipped};
use super::context::{Context, Failure};
use super::diff::BuildDifference;
use super::document::print_document;
use super::earlier_build::{RebuildWays, RecordedBuild};
use super::memory_folder::MemoryFolder;
use super::past_builds::{PastBuilds, build_by_number, split_numbers};
use super::planning::runtime;
use super::project::Project;
use super::rebuild::{BuildAgain, MadeAgain};
use super::result_record::read_record;
use super::verify_arguments::Verify;
use crate::engine::{Root, Variations, Varied};
use crate::event::{BuildName, RebuildComparison, State};
use crate::execute::find_fake_time;
use crate::files::Folder;
use crate::process::Cancel;
use crate::store::BuildRow;
use crate::ui::{count, plain_text};

/// Makes builds again with what no package should depend on varied, and compares what comes out.
pub fn run(arguments: &Verify, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock("forge verify")?;
    let rows = chosen_builds(&project, arguments, context)?;
    if !arguments.against.is_empty() {
        return compare_with_shipped(&project, (arguments, &rows), context);
    }
    let runtime = runtime()?;
    let cancel = Cancel::default();
    let mut verified = Vec::new();
    for row in &rows {
        if cancel.is_canceled() {
            break;
        }
        let verifier = Verifier { project: &project, arguments, context, cancel: &cancel };
        let build = runtime.block_on(verifier.verify(row))?;
        if !arguments.json {
            context.print(&build.screen())?;
        }
        verified.push(build);
    }
    let is_good = verified.iter().all(|build| build.outcome == VerificationOutcome::Same);
    let document = VerifyDocument { version: 1, builds: verified, shipped: Vec::new() };
    match arguments.json {
        true => drop(print_document(&document, context)?),
        false if rows.len() > 1 => context.print(&document.summary())?,
        false => {}
    }
    Ok(match (cancel.is_canceled(), is_good) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}

/// Compares what the builds have made with what somebody ships.
fn compare_with_shipped(
    project: &Project,
    (arguments, rows): (&Verify, &[BuildRow]),
    context: &Context,
) -> Result<Exit, Failure> {
    let shipped = compare_shipped(&arguments.against, rows, &project.state()?, context)?;
    let is_good = shipped.iter().all(ShippedPackage::is_same);
    if arguments.json {
        print_document(&VerifyDocument { version: 1, builds: Vec::new(), shipped }, context)?;
    } else {
        shipped.iter().try_for_each(|package| context.print(&package.screen()))?;
    }
    Ok(if is_good { Exit::Success } else { Exit::Failure })
}

/// Makes the builds again that an apply has made in `project`, all varied; those of larger numbers than `last`. Gives whether all
/// packages came out the same.
///
/// # Errors
/// As for `forge verify`.
pub async fn verify_made(
    project: &Project,
    last: u64,
    cancel: &Cancel,
    (json, context): (bool, &Context),
) -> Result<bool, Failure> {
    let (state, history) = (project.state()?, project.history()?);
    let mut rows = history.builds(None, usize::MAX)?;
    rows.retain(|row| row.number > last && row.state == State::Succeeded);
    rows.retain(|row| read_record(&state, row).is_some_and(|record| record.rebuild.is_none()));
    rows.sort_by_key(|row| row.number);
    let arguments = Verify { json, ..Verify::default() };
    let verifier = Verifier { project, arguments: &arguments, context, cancel };
    let mut is_good = true;
    for row in rows {
        if cancel.is_canceled() {
            return Ok(false);
        }
        let build = verifier.verify(&row).await?;
        is_good &= build.outcome == VerificationOutcome::Same;
        match json {
            true => context.tell(&build.screen()),
            false => context.print(&build.screen())?,
        }
    }
    Ok(is_good)
}

/// The builds that are verified: those that are named by their numbers, and of packages the newest that are not themselves builds of
/// something again.
fn chosen_builds(project: &Project, arguments: &Verify, context: &Context) -> Result<Vec<BuildRow>, Failure> {
    let history = project.history()?;
    let builds = PastBuilds { project, history: &history, context };
    let (numbers, names) = split_numbers(&arguments.packages);
    let mut chosen: Vec<BuildRow> =
        numbers.iter().map(|number| build_by_number(&history, *number)).collect::<Result<_, _>>()?;
    if names.is_empty() && !numbers.is_empty() {
        return Ok(chosen);
    }
    let state = project.state()?;
    let mut rows = history.builds(None, usize::MAX)?;
    rows.retain(|row| matches!(row.state, State::Succeeded | State::Cached) && row.results.is_some());
    builds.retain(&mut rows, &names, &arguments.chroot)?;
    builds.retain_batches(&mut rows, &arguments.batch)?;
    rows.retain(|row| read_record(&state, row).is_some_and(|record| record.rebuild.is_none()));
    let mut newest: BTreeMap<BuildName, BuildRow> = BTreeMap::new();
    for row in rows {
        match newest.get(&row.build) {
            Some(known) if known.number > row.number => {}
            Some(_) | None => drop(newest.insert(row.build.clone(), row)),
        }
    }
    chosen.extend(newest.into_values());
    match chosen.is_empty() {
        true => Err(builds.not_built(&names.join(", "))),
        false => Ok(chosen),
    }
}

/// Something that was asked for and is not varied.
#[derive(Debug, Serialize, JsonSchema)]
struct NotVaried {
    what: Varied,
    /// Why, in words.
    reason: String,
}

/// What is varied in a build, and what can't be.
struct Variation {
    variations: Variations,
    not_varied: Vec<NotVaried>,
    folder: Option<MemoryFolder>,
}

/// Who verifies builds.
struct Verifier<'a> {
    project: &'a Project,
    arguments: &'a Verify,
    context: &'a Context,
    cancel: &'a Cancel,
}

impl Verifier<'_> {
    /// Makes a build again, and compares.
    async fn verify(&self, row: &BuildRow) -> Result<VerifiedBuild, Failure> {
        let Variation { variations, not_varied, folder } = self.vary(row)?;
        let ways = RebuildWays {
            profile: self.arguments.profile.clone(),
            variations: variations.clone(),
            work: folder.as_ref().map(|folder| folder.path().join("work")),
            ..RebuildWays::default()
        };
        let order = BuildAgain {
            number: row.number,
            ways: &ways,
            offline: self.arguments.offline,
            json: false,
            logs: false,
            is_part: true,
        };
        let made = order.make(self.project, self.cancel, self.context).await?;
        let (state, history) = (self.project.state()?, self.project.history()?);
        // What was made last of this package is what was made now: nobody else builds in this project meanwhile.
        let newest = history.builds(Some(&row.build.package), usize::MAX)?;
        let newest = newest.into_iter().filter(|made| made.build == row.build && made.number > row.number);
        let again = newest.max_by_key(|made| made.number);
        let comparison = again.as_ref().and_then(|made| read_record(&state, made)?.rebuild);
        let comparison = comparison.filter(|comparison| comparison.rebuild_of == row.number);
        let outcome = match (made, comparison.as_ref().and_then(|comparison| comparison.is_same)) {
            (MadeAgain::Canceled, _) => VerificationOutcome::Canceled,
            (MadeAgain::Impossible | MadeAgain::Failed, _) | (MadeAgain::Good, None) => {
                VerificationOutcome::Failed
            }
            (MadeAgain::Good, Some(true)) => VerificationOutcome::Same,
            (MadeAgain::Good, Some(false)) => VerificationOutcome::Differs,
        };
        let difference = match (&again, outcome) {
            (Some(again), VerificationOutcome::Differs) => compare_results(&state, row, again),
            (_, _) => None,
        };
        let again = again.filter(|_| comparison.is_some()).map(|row| row.number);
        let build = row.build.clone();
        Ok(VerifiedBuild {
            build,
            number: row.number,
            again,
            varied: variations.iter().collect(),
            not_varied,
            outcome,
            comparison,
            difference,
        })
    }

    /// What can be varied of what is asked for.
    fn vary(&self, row: &BuildRow) -> Result<Variation, Failure> {
        let mut variations: Variations = self.arguments.varied().collect();
        let mut not_varied = Vec::new();
        let recorded = RecordedBuild::find(self.project, row.number)?.ok();
        let settings = recorded.as_ref().map(|recorded| &recorded.inputs.ingredients.settings);
        if settings.is_some_and(|settings| !settings.isolation.is_sandbox()) {
            let reason = "the build has no sandbox (`isolation none`)";
            let left = variations.leave_sandbox().into_iter();
            not_varied.extend(left.map(|what| NotVaried { what, reason: reason.to_owned() }));
        }
        let mut leave = |variations: &mut Variations, what: Varied, reason: &str| {
            if variations.remove(what) {
                not_varied.push(NotVaried { what, reason: reason.to_owned() });
            }
        };
        if std::thread::available_parallelism().is_ok_and(|count| count.get() == 1) {
            leave(&mut variations, Varied::CpuCount, "the machine has one processor");
        }
        let mut folder = None;
        if variations.has(Varied::FileOrder) {
            match MemoryFolder::make(&self.project.state()?) {
                Ok(made) => folder = Some(made),
                Err(reason) => leave(&mut variations, Varied::FileOrder, &reason),
            }
        }
        if variations.has(Varied::Time) && !has_fake_time(recorded.as_ref()) {
            let reason =
                "only the time zone and the moment: the root has no libfaketime to change the clock with";
            not_varied.push(NotVaried { what: Varied::Time, reason: reason.to_owned() });
        }
        Ok(Variation { variations, not_varied, folder })
    }
}

/// Whether the root of a build has what changes the clock; of an image that is not known before it is there.
fn has_fake_time(recorded: Option<&RecordedBuild>) -> bool {
    match recorded.and_then(|recorded| recorded.root.as_ref()) {
        Some(root) => {
            let mut packages = root.minimal.iter().chain(&root.added);
            packages.any(|package| ["libfaketime", "faketime"].contains(&package.name.as_str()))
        }
        None => find_fake_time(&Root::of_this_machine()).is_some(),
    }
}

/// What differs, where the packages of both are there.
fn compare_results(state: &Folder, before: &BuildRow, after: &BuildRow) -> Option<BuildDifference> {
    BuildDifference::compare(state, before, after).ok()
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum VerificationOutcome {
    /// All packages are the same, bit for bit.
    Same,
    /// A package is another one.
    Differs,
    /// It could not be built again.
    Failed,
    /// It was interrupted.
    Canceled,
}

/// What `forge verify --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The builds that were verified.
    builds: Vec<VerifiedBuild>,
    /// What was compared with packages that somebody ships.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shipped: Vec<ShippedPackage>,
}

/// A build that was made again.
#[derive(Debug, Serialize, JsonSchema)]
struct VerifiedBuild {
    #[serde(flatten)]
    build: BuildName,
    /// Its number.
    number: u64,
    /// The number of the build that has made it again.
    again: Option<u64>,
    /// What was varied.
    varied: Vec<Varied>,
    /// What was asked for and was not, or not wholly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_varied: Vec<NotVaried>,
    outcome: VerificationOutcome,
    /// How the packages compare.
    comparison: Option<RebuildComparison>,
    /// What differs, where it does and both packages are there.
    difference: Option<BuildDifference>,
}

impl VerifiedBuild {
    /// To be read.
    fn screen(&self) -> String {
        let Self { build, number, varied, not_varied, outcome, difference, .. } = self;
        let varied: Variations = varied.iter().copied().collect();
        let with = match varied.is_empty() {
            true => "as it was".to_owned(),
            false => format!("with another {varied}"),
        };
        let said = match outcome {
            VerificationOutcome::Same => "the packages are the same, bit for bit,",
            VerificationOutcome::Differs => "the packages differ",
            VerificationOutcome::Failed => "it could not be built again",
            VerificationOutcome::Canceled => "it was interrupted",
        };
        let mut text = plain_text(&format!("{build} #{number}: {said} {with}\n"));
        for NotVaried { what, reason } in not_varied {
            text.push_str(&plain_text(&format!("  {what} is not varied: {reason}\n")));
        }
        match (outcome, difference) {
            (VerificationOutcome::Differs, Some(difference)) => text.push_str(&difference.screen(true)),
            (VerificationOutcome::Differs, None) => {
                text.push_str("  the packages of the earlier build are not there any more to be compared\n");
            }
            (VerificationOutcome::Same | VerificationOutcome::Failed | VerificationOutcome::Canceled, _) => {}
        }
        if *outcome == VerificationOutcome::Differs && varied.iter().nth(1).is_some() {
            text.push_str("  which of them it is, `forge verify --vary` with one at a time says\n");
        }
        text
    }
}

impl VerifyDocument {
    fn summary(&self) -> String {
        let number = |outcome| self.builds.iter().filter(|build| build.outcome == outcome).count();
        let mut said = vec![format!(
            "{} of {} the same",
            number(VerificationOutcome::Same),
            count(self.builds.len(), "build")
        )];
        for (outcome, word) in [
            (VerificationOutcome::Differs, "differ"),
            (VerificationOutcome::Failed, "failed"),
            (VerificationOutcome::Canceled, "interrupted"),
        ] {
            let number = number(outcome);
            if number > 0 {
                said.push(format!("{number} {word}"));
            }
        }
        format!("{}\n", said.join(", "))
    }
}
