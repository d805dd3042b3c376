//! `forge verify`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

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
use super::signals::end_on_signals;
use super::verify_arguments::Verify;
use crate::engine::{Root, Variations, Varied};
use crate::event::{BuildName, RebuildComparison, State};
use crate::execute::find_fake_time;
use crate::files::Folder;
use crate::process::{Cancel, find_program, shell_quoted};
use crate::store::BuildRow;
use crate::ui::{count, plain_text};

/// The program that takes apart what differs, if somebody has it.
const DIFFOSCOPE: &str = "diffoscope";

/// Makes builds again with what no package should depend on varied, and compares what comes out.
pub fn run(arguments: &Verify, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock("forge verify")?;
    let ChosenBuilds { rows, left_out } = choose_builds(&project, arguments, context)?;
    if !arguments.against.is_empty() {
        return compare_with_shipped(&project, (arguments, &rows), context);
    }
    let cancel = Cancel::default();
    let verifier = Verifier { project: &project, arguments, context, cancel: &cancel };
    let builds = runtime()?.block_on(verifier.verify_all(&rows))?;
    let document = VerifyDocument { version: 1, builds, left_out, shipped: Vec::new() };
    if arguments.json {
        print_document(&document, context)?;
    } else {
        context.print(&document.end())?;
    }
    Ok(match (cancel.is_canceled(), document.is_good()) {
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
        print_document(
            &VerifyDocument { version: 1, builds: Vec::new(), left_out: Vec::new(), shipped },
            context,
        )?;
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
    let builds = verifier.verify_all(&rows).await?;
    if json {
        builds.iter().for_each(|build| context.tell(&build.screen()));
    }
    Ok(builds.iter().all(|build| build.outcome == VerificationOutcome::Same))
}

/// What is verified.
struct ChosenBuilds {
    rows: Vec<BuildRow>,
    left_out: Vec<LeftOut>,
}

/// A build that was asked for and can't be verified.
#[derive(Debug, Serialize, JsonSchema)]
struct LeftOut {
    package: String,
    /// The chroot; nothing where the package was built in none.
    chroot: Option<String>,
    /// Why, in words.
    reason: String,
}

/// The builds that are verified: those that are named by their numbers, and of packages the newest that are not themselves builds of
/// something again. Packages of which there is none are told as well.
fn choose_builds(project: &Project, arguments: &Verify, context: &Context) -> Result<ChosenBuilds, Failure> {
    let history = project.history()?;
    let builds = PastBuilds { project, history: &history, context };
    let (numbers, names) = split_numbers(&arguments.packages);
    let mut rows: Vec<BuildRow> =
        numbers.iter().map(|number| build_by_number(&history, *number)).collect::<Result<_, _>>()?;
    if names.is_empty() && !numbers.is_empty() {
        return Ok(ChosenBuilds { rows, left_out: Vec::new() });
    }
    let state = project.state()?;
    let mut past = history.builds(None, usize::MAX)?;
    builds.retain(&mut past, &names, &arguments.chroot)?;
    builds.retain_batches(&mut past, &arguments.batch)?;
    let mut newest: BTreeMap<BuildName, Result<BuildRow, &str>> = BTreeMap::new();
    for row in past {
        let chosen = match read_record(&state, &row) {
            Some(record) if record.rebuild.is_some() => continue,
            _ if !matches!(row.state, State::Succeeded | State::Cached) => Err("it has no good build"),
            Some(_) => Ok(row.clone()),
            None => Err("the results of its good builds are gone"),
        };
        // The newest come first.
        let known = newest.entry(row.build).or_insert_with(|| chosen.clone());
        if known.is_err() && chosen.is_ok() {
            *known = chosen;
        }
    }
    let mut left_out = Vec::new();
    if names.is_empty() && arguments.batch.is_empty() && arguments.chroot.is_empty() {
        let manifest = project.manifest(&arguments.profile, context)?;
        let is_known = |name: &str| newest.keys().any(|build| build.package == name);
        let never =
            manifest.packages.iter().map(|package| &package.name.value).filter(|name| !is_known(name));
        let reason = || "it was never built".to_owned();
        left_out.extend(never.map(|name| LeftOut { package: name.clone(), chroot: None, reason: reason() }));
    }
    for (build, chosen) in newest {
        match chosen {
            Ok(row) => rows.push(row),
            Err(reason) => {
                let (package, chroot) = (build.package, Some(build.chroot));
                left_out.push(LeftOut { package, chroot, reason: reason.to_owned() });
            }
        }
    }
    match rows.is_empty() && left_out.is_empty() {
        true => Err(builds.not_built(&names.join(", "))),
        false => Ok(ChosenBuilds { rows, left_out }),
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
    /// Makes builds again, one after the other, and shows of each what came of it. That one can't be made is told, and is its end alone.
    async fn verify_all(&self, rows: &[BuildRow]) -> Result<Vec<VerifiedBuild>, Failure> {
        let told = || {
            // A message that nobody can read any more is no reason to fail.
            let _ = std::io::stderr()
                .write_all(b"interrupted: ending the build (once more ends forge at once)\n");
        };
        end_on_signals(self.cancel.clone(), told, || {})?;
        let mut verified = Vec::new();
        for row in rows {
            if self.cancel.is_canceled() {
                break;
            }
            let build = match self.verify(row).await {
                Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
                Err(failure) => {
                    self.context.show_failure(&failure);
                    VerifiedBuild::failed(row)
                }
                Ok(build) => build,
            };
            if !self.arguments.json {
                self.context.print(&build.screen())?;
            }
            verified.push(build);
        }
        Ok(verified)
    }

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
        let (state, history) = (self.project.state()?, self.project.history()?);
        let before = history.builds(None, 1)?.first().map_or(0, |newest| newest.number);
        let made = order.make(self.project, self.cancel, self.context).await?;
        // Nobody else builds in this project meanwhile.
        let newest = history.builds(Some(&row.build.package), 1)?.into_iter().next();
        let again = newest.filter(|newest| newest.number > before);
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
        let commands = match (&difference, &again) {
            (Some(difference), Some(again)) => self.diffoscope_commands(&state, difference, (row, again)),
            (_, _) => Vec::new(),
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
            commands,
        })
    }

    /// The commands that show more of what differs, where this machine has diffoscope. It is the user's to run it: it gives what
    /// packages hold to many programs, outside of any sandbox.
    fn diffoscope_commands(
        &self,
        state: &Folder,
        difference: &BuildDifference,
        (before, after): (&BuildRow, &BuildRow),
    ) -> Vec<String> {
        let path = self.context.variables.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path);
        if path.and_then(|path| find_program(DIFFOSCOPE.as_ref(), path)).is_none() {
            return Vec::new();
        }
        let quoted = |row: &BuildRow, file: &str| {
            let results = state.path().join(row.results.as_deref().unwrap_or_default());
            let path = shell_quoted(results.join(file).as_path().as_os_str().as_bytes());
            String::from_utf8_lossy(&path).into_owned()
        };
        let files = difference.differing_files(true);
        files
            .map(|(old, new)| format!("{DIFFOSCOPE} {} {}", quoted(before, old), quoted(after, new)))
            .collect()
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
    /// Builds that were asked for and can't be verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut>,
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
    /// Commands that show more of that.
    #[serde(skip)]
    commands: Vec<String>,
}

impl VerifiedBuild {
    /// One that could not be begun.
    fn failed(row: &BuildRow) -> Self {
        Self {
            build: row.build.clone(),
            number: row.number,
            again: None,
            varied: Vec::new(),
            not_varied: Vec::new(),
            outcome: VerificationOutcome::Failed,
            comparison: None,
            difference: None,
            commands: Vec::new(),
        }
    }

    /// To be read.
    fn screen(&self) -> String {
        let Self { build, number, varied, not_varied, outcome, difference, commands, .. } = self;
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
        if !commands.is_empty() {
            text.push_str("  more of it:\n");
            commands.iter().for_each(|command| text.push_str(&plain_text(&format!("    {command}\n"))));
        }
        if *outcome == VerificationOutcome::Differs && varied.iter().nth(1).is_some() {
            text.push_str("  which of them it is, `forge verify --vary` with one at a time says\n");
        }
        text
    }
}

impl VerifyDocument {
    /// Whether all that was asked for came out the same.
    fn is_good(&self) -> bool {
        self.left_out.is_empty() && self.builds.iter().all(|build| build.outcome == VerificationOutcome::Same)
    }

    /// What is said when all have been shown.
    fn end(&self) -> String {
        let mut text = String::new();
        for LeftOut { package, chroot, reason } in &self.left_out {
            let of = chroot.iter().map(|chroot| format!(" in {chroot}")).collect::<String>();
            text.push_str(&plain_text(&format!("{package}{of}: not verified: {reason}\n")));
        }
        if self.builds.len() + self.left_out.len() > 1 {
            text.push_str(&self.summary());
        }
        text
    }

    fn summary(&self) -> String {
        let number = |outcome| self.builds.iter().filter(|build| build.outcome == outcome).count();
        let all = count(self.builds.len() + self.left_out.len(), "build");
        let mut said = vec![format!("{} of {all} the same", number(VerificationOutcome::Same))];
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
        if !self.left_out.is_empty() {
            said.push(format!("{} not verified", self.left_out.len()));
        }
        format!("{}\n", said.join(", "))
    }
}
