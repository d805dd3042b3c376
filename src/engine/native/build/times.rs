//! When a build is, as its packages tell it (rpmbuild-config(5), "Package generation").

use super::problem::BuildProblem;
use super::world::World;
use crate::event::{Clock, SystemClock};
use crate::spec::Spec;

/// The times of a build, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// When the packages say that they are built.
    pub(super) build: i64,
    /// No file is younger than this.
    latest: Option<i64>,
}

/// The variable of reproducible builds.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The variable that tells scripts when their packages are built; rpm's own macros for git read it.
const BUILD_TIME: &str = "RPM_BUILD_TIME";

/// Sets [`EPOCH`] from the newest change, where macros ask for it and nobody has said it.
pub(super) fn set_epoch(world: World<'_>, spec: &Spec) {
    if !world.is_on("source_date_epoch_from_changelog") || world.macros.variable(EPOCH.as_bytes()).is_some() {
        return;
    }
    if let Some(newest) = spec.changes.first() {
        // rpm's changes are at noon; the epoch is when their day begins.
        let midnight = newest.time - newest.time.rem_euclid(24 * 60 * 60);
        world.notice(format!("setting {EPOCH}={midnight}"));
        world.macros.set_variable(EPOCH.as_bytes(), Some(midnight.to_string().as_bytes()));
    } else {
        world.tell(BuildProblem::NoChange);
    }
}

/// Settles when the packages are built, and sets [`BUILD_TIME`] to it: scripts see the time that the packages tell.
pub(super) fn set_build_time(world: World<'_>) {
    let said = world.setting("_buildtime");
    let epoch = read_variable(world, EPOCH).filter(|_| world.is_on("use_source_date_epoch_as_buildtime"));
    let (what, text) = match (said.as_str(), epoch) {
        ("", None) => ("the clock", (SystemClock.now().0 / 1000).to_string()),
        ("", Some(epoch)) => (EPOCH, epoch),
        (said, _) => ("_buildtime macro", said.to_owned()),
    };
    let build = text.trim_ascii_start().parse::<i64>().unwrap_or_else(|_| {
        world.tell(BuildProblem::BuildTime { what });
        0
    });
    // Headers hold it in 32 bits, and so does rpm.
    let build = build.cast_unsigned() & u64::from(u32::MAX);
    world.macros.set_variable(BUILD_TIME.as_bytes(), Some(build.to_string().as_bytes()));
}

fn read_variable(world: World<'_>, name: &str) -> Option<String> {
    world.macros.variable(name.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned())
}

impl Times {
    /// Reads the times that macros and the environment say; the build's own is what [`set_build_time`] settled.
    pub(super) fn read(world: World<'_>) -> Self {
        let number = |name| read_variable(world, name).and_then(|text| text.trim().parse().ok());
        let (build, epoch) = (number(BUILD_TIME).unwrap_or_default(), number(EPOCH));
        Self { build, latest: Self::find_latest(world, build, epoch) }
    }

    fn find_latest(world: World<'_>, build: i64, epoch: Option<i64>) -> Option<i64> {
        let policy = world.setting("build_mtime_policy");
        match policy.as_str() {
            "" if world.is_on("clamp_mtime_to_source_date_epoch") => epoch,
            "clamp_to_buildtime" => Some(build),
            "clamp_to_source_date_epoch" => epoch,
            _ => None,
        }
    }

    /// Tells what is wrong with the policy that macros name, which rpm reads for each package.
    pub(super) fn check_policy(world: World<'_>) {
        let policy = world.setting("build_mtime_policy");
        match policy.as_str() {
            "" if world.is_on("clamp_mtime_to_source_date_epoch") => {
                let (old, new) = ("clamp_mtime_to_source_date_epoch", "build_mtime_policy");
                world.tell(BuildProblem::Deprecated { old, new });
            }
            "" | "clamp_to_buildtime" | "clamp_to_source_date_epoch" => {}
            _ => world.tell(BuildProblem::MtimePolicy { policy }),
        }
    }

    /// A file's time, as the package has it.
    pub(super) fn clamp(&self, time: i64) -> i64 {
        self.latest.map_or(time, |latest| time.min(latest))
    }
}
