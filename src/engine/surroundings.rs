//! What specs that are read in a sandbox, and builds there, have around them.

use std::collections::BTreeSet;

use super::complaints::{wants_network, wants_processes};
use super::log_excerpt::LogExcerpt;
use super::{FactsRequest, Isolation, Job, Root, Settings};
use crate::files::{HostPath, Mount, MountAccess, RootPath};
use crate::process::{
    Circumstances, InsideUser, LayeredRoot, PassedLimit, Personality, SandboxLimits, Surroundings,
};
use crate::spec::{Finding, Weight};

/// The folder of a project's state, and what is in it beside its sources.
const STATE: &str = ".forge";
const OTHERS_OF_STATE: [&str; 8] =
    ["history.db", "history.db-shm", "history.db-wal", "lock", "published", "results", "source-logs", "work"];

/// What is around specs while they are read: the folders that they, their sources and what they may look at are in, where
/// they are on the machine. `folder` is where relative paths in them begin. All are read for machines of one personality.
pub(super) fn of_reading<'a>(
    requests: impl Iterator<Item = &'a FactsRequest>,
    folder: &HostPath,
    isolation: Isolation,
    root: &Root,
) -> Option<Surroundings> {
    let mut folders: BTreeSet<RootPath> = RootPath::in_own_root(folder).into_iter().collect();
    let mut personality = Personality::Own;
    for request in requests {
        personality = request.settings.personality();
        folders.extend(request.readable.iter().cloned());
        folders.insert(request.sources.clone());
        folders.extend(request.spec.as_path().parent().and_then(RootPath::new));
    }
    let wanted = folders.clone();
    // In their order, a folder comes before what lies in it, which is seen with it.
    let mut outermost: Vec<RootPath> = Vec::new();
    for folder in folders {
        if !outermost.iter().any(|outer| folder.as_path().starts_with(outer.as_path())) {
            outermost.push(folder);
        }
    }
    // Tokens lie in the one, what other builds have printed in the other.
    let hidden = outermost.iter().flat_map(|folder| {
        let state = folder.join(STATE);
        let is_within = |request: &RootPath| request.as_path().starts_with(state.as_path());
        let of_state = match wanted.iter().any(is_within) {
            // Sources that were fetched or made lie there, which are to be seen.
            true => OTHERS_OF_STATE.iter().map(|name| state.join(name)).collect(),
            false => vec![state],
        };
        of_state.into_iter().chain([folder.join(".git")])
    });
    let hidden = hidden.collect();
    let seen = |root: RootPath| Mount { host: root.on_host(), root, access: MountAccess::Read };
    let mounts = outermost.into_iter().map(seen).collect();
    let begin = RootPath::in_own_root(folder).unwrap_or_else(RootPath::root);
    surroundings(
        isolation,
        begin,
        Surroundings { root: root.layered(), mounts, hidden, personality, ..nothing() },
    )
}

/// What is around a program that has the root alone.
pub fn of_root(settings: &Settings, root: &Root) -> Option<Surroundings> {
    let own = Surroundings { root: root.layered(), personality: settings.personality(), ..nothing() };
    surroundings(settings.isolation, RootPath::root(), own)
}

impl Job {
    /// What is around it, if it is carried out in a sandbox.
    pub fn surroundings(&self) -> Option<Surroundings> {
        let own = Surroundings {
            root: self.root.layered(),
            mounts: self.mounts.clone(),
            layers: self.layers.clone(),
            private: self.private.clone(),
            personality: self.spec.settings.personality(),
            limits: self.limits,
            user: self.user,
            circumstances: self.circumstances.clone(),
            ..nothing()
        };
        surroundings(self.spec.settings.isolation, self.spec.top.clone(), own)
    }

    /// What the last lines of a failed job say that it wants and may not have: in words, and with what to do.
    pub(super) fn find_wanted(&self, log: &LogExcerpt) -> Option<(String, Finding)> {
        let tail = log.tail.as_slice();
        let finding = |code: &str, title: &str, help: String| Finding {
            weight: Weight::Error,
            code: code.to_owned(),
            title: title.to_owned(),
            help: Some(help),
            file: String::new(),
            line: 0,
            through: None,
        };
        let isolation = self.spec.settings.isolation;
        if wants_processes(tail) && isolation.is_sandbox() {
            let most = self.limits.processes;
            let title = format!("it could start no more processes: its limit is {most}");
            let help = format!(
                "`limits {{ processes {} }}` in the manifest allows more; `%_smp_mflags -j4` and the like start fewer",
                most.saturating_mul(2)
            );
            return Some((title.clone(), finding("forge::engine::no_processes", &title, help)));
        }
        // Test suites say so, too, and fail for other reasons.
        let is_other = |error: &String| !wants_network(std::slice::from_ref(error));
        if !wants_network(tail) || log.error.as_ref().is_some_and(is_other) {
            return None;
        }
        let title = "the build wants to reach the network";
        let help = match isolation {
            Isolation::Sandbox => {
                "builds have no network: what they need belongs into the spec's sources; `network #true` in the manifest lets \
                 this package reach it"
            }
            Isolation::SandboxWithNetwork | Isolation::None => {
                "it may, and what it wants was not reached from this machine"
            }
        };
        Some((title.to_owned(), finding("forge::engine::no_network", title, help.to_owned())))
    }

    /// Why it was ended that took more than it may.
    pub(super) fn describe_passed(&self, passed: PassedLimit) -> String {
        let size = |bytes: Option<u64>| describe_size(bytes.unwrap_or_default());
        match passed {
            PassedLimit::Memory => {
                format!("it used more memory than its limit of {}", size(self.limits.memory))
            }
            PassedLimit::Disk => format!("it wrote more than its limit of {}", size(self.limits.disk)),
            PassedLimit::Log => {
                format!("it printed more than its limit of {}", describe_size(self.limits.log))
            }
        }
    }
}

/// What is around scriptlets, which run as root in a root whose changes are kept.
pub fn of_scriptlets(root: LayeredRoot, personality: Personality) -> Surroundings {
    Surroundings { root: Some(root), user: InsideUser::Root, personality, ..nothing() }
}

/// Surroundings in which nothing is said.
pub(super) fn nothing() -> Surroundings {
    Surroundings {
        root: None,
        user: InsideUser::Builder,
        mounts: Vec::new(),
        hidden: Vec::new(),
        layers: Vec::new(),
        private: None,
        folder: RootPath::root(),
        personality: Personality::Own,
        network: false,
        terminal: false,
        limits: SandboxLimits::default(),
        circumstances: Circumstances::default(),
    }
}

/// Surroundings as an isolation has them, that begin in a folder.
pub(super) fn surroundings(
    isolation: Isolation,
    folder: RootPath,
    own: Surroundings,
) -> Option<Surroundings> {
    match isolation {
        Isolation::None => None,
        Isolation::Sandbox => Some(Surroundings { folder, ..own }),
        Isolation::SandboxWithNetwork => Some(Surroundings { folder, network: true, ..own }),
    }
}

/// A size as people say it.
pub(super) fn describe_size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("B", 1),
    ];
    let unit = UNITS.iter().find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    unit.map_or_else(|| format!("{bytes} B"), |(name, size)| format!("{} {name}", bytes / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(spec: &str, sources: &str) -> FactsRequest {
        FactsRequest {
            spec: RootPath::new(spec).unwrap(),
            sources: RootPath::new(sources).unwrap(),
            settings: Settings::default(),
            may_run: true,
            readable: Vec::new(),
        }
    }

    #[test]
    fn specs_see_their_folders_and_nothing_beside_them() {
        let folder = HostPath::new("/home/me/project").unwrap();
        let requests = [
            request("/home/me/project/specs/a.spec", "/home/me/project/specs"),
            request("/var/b/b.spec", "/var/b/s"),
        ];
        let seen =
            of_reading(requests.iter(), &folder, Isolation::Sandbox, &Root::of_this_machine()).unwrap();
        let folders: Vec<String> = seen.mounts.iter().map(|mount| mount.root.to_string()).collect();
        assert_eq!(folders, ["/home/me/project", "/var/b"]);
        assert!(seen.mounts.iter().all(|mount| mount.access == MountAccess::Read && mount.is_in_place()));
        assert!(!seen.network);
        assert!(of_reading(requests.iter(), &folder, Isolation::None, &Root::of_this_machine()).is_none());
    }

    #[test]
    fn sizes_are_told_in_the_units_that_they_were_said_in() {
        assert_eq!(describe_size(8 << 30), "8 GiB");
        assert_eq!(describe_size(1536 << 20), "1536 MiB");
        assert_eq!(describe_size(500_000_000), "500 MB");
    }
}
