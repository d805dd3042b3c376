//! How packages are written, as macros say it (rpmbuild-config(5), "Package generation").

use super::files::DigestAlgorithm;
use super::problem::BuildProblem;
use super::times::Times;
use super::world::World;
use crate::macros::Stop;
use crate::package::{Format, PayloadFlags};

/// How packages are written.
pub(super) struct Settings {
    pub(super) format: Format,
    binary_digests: DigestAlgorithm,
    source_digests: DigestAlgorithm,
    pub(super) binary_payload: PayloadFlags,
    pub(super) source_payload: PayloadFlags,
    /// Room for signatures, in bytes.
    pub(super) reserved: usize,
    pub(super) host: String,
    pub(super) times: Times,
    /// How many threads may be used.
    pub(super) threads: usize,
    pub(super) rpm_version: String,
}

const DEFAULT_PAYLOAD: &str = "w9.gzdio";

/// What packages keep free for signatures beyond what is asked for, in bytes: as much as two entries of a header take.
const ROOM_OF_ENTRIES: usize = 32;

impl Settings {
    /// What is known already, or else what the macros say.
    pub(super) fn read_once<'s>(world: World<'_>, known: &'s mut Option<Self>) -> Result<&'s Self, Stop> {
        Ok(match known {
            Some(settings) => settings,
            none => none.insert(Self::read(world)?),
        })
    }

    /// Reads what the macros say.
    fn read(world: World<'_>) -> Result<Self, Stop> {
        let wrong =
            |problem, value: &str| world.fail(BuildProblem::Setting { problem, value: value.to_owned() });
        let format = match world.setting("_rpmformat").as_str() {
            "6" => Format::V6,
            // That there is no other has been told when the spec was read.
            _ => Format::V4,
        };
        let payload = |name: &str| match world.setting(name).as_str() {
            "" => PayloadFlags::read(DEFAULT_PAYLOAD).ok_or(Stop),
            flags => PayloadFlags::read(flags).ok_or_else(|| wrong("Unknown payload compression", flags)),
        };
        // What is no algorithm is the one that everybody reads.
        let digests = |name: &str, default| match world.setting(name).as_str() {
            "" => default,
            "0" => default,
            said => DigestAlgorithm::from_number(world.number(name)).unwrap_or_else(|| {
                let (algorithm, instead) = (said.to_owned(), DigestAlgorithm::Sha256);
                world.tell(BuildProblem::DigestAlgorithm { algorithm, instead: instead as u32 });
                instead
            }),
        };
        let default = if format == Format::V6 { DigestAlgorithm::Sha256 } else { DigestAlgorithm::Md5 };
        let reserved = match world.is_defined("__gpg_reserved_space") {
            // rpm takes it as a number of 32 bits.
            #[expect(clippy::cast_possible_truncation, reason = "as rpm does")]
            true => usize::try_from(world.number("__gpg_reserved_space") as i32).unwrap_or(0),
            false => 4096,
        };
        Ok(Self {
            format,
            binary_digests: digests("_binary_filedigest_algorithm", default),
            source_digests: digests("_source_filedigest_algorithm", default),
            binary_payload: payload("_binary_payload")?,
            source_payload: payload("_source_payload")?,
            reserved: reserved.saturating_add(ROOM_OF_ENTRIES),
            host: find_host_name(world),
            times: Times::read(world),
            threads: count_threads(world),
            rpm_version: world.setting("rpmversion"),
        })
    }

    /// How files are digested.
    pub(super) fn digests(&self, is_source: bool) -> DigestAlgorithm {
        if is_source { self.source_digests } else { self.binary_digests }
    }

    /// How payloads are compressed.
    pub(super) fn payload(&self, is_source: bool) -> &PayloadFlags {
        if is_source { &self.source_payload } else { &self.binary_payload }
    }
}

/// How many threads the macros allow for packaging (`%_smp_build_nthreads`).
fn count_threads(world: World<'_>) -> usize {
    let said = usize::try_from(world.number("_smp_build_nthreads")).unwrap_or(0);
    if said > 0 { said } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// The name of the machine, in full where /etc/hosts knows it.
fn find_host_name(world: World<'_>) -> String {
    let said = world.setting("_buildhost");
    if !said.is_empty() {
        return said;
    }
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let hosts = world.macros.read_file(b"/etc/hosts").unwrap_or_default();
    let hosts = String::from_utf8_lossy(&hosts);
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let names = lines.filter_map(|line| {
        let names: Vec<&str> = line.split_whitespace().skip(1).collect();
        names.contains(&name.as_str()).then(|| names.first().map(|first| (*first).to_owned()))?
    });
    names.into_iter().next().unwrap_or(name)
}
