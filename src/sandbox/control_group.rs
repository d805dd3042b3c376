//! Control groups (cgroups(7)), version 2: the kernel counts what all programs of a sandbox take together, and ends them all
//! where that is too much. Where forge has none to itself, [`watch`](super::watch) counts.
//!
//! A group that passes controllers on to groups below it can have no processes itself, so forge first moves to a [leaf](LEAF)
//! of its own, which it does only where nobody else is in the group. The groups of sandboxes stand beside that leaf.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Dir, Mode, OFlags, accessat, mkdirat, openat, unlinkat};
use rustix::process::{Pid, test_kill_process};

use crate::process::SandboxLimits;

/// The group that forge itself is in, below the one that it was started in.
const LEAF: &str = "rpmforge";

/// How the names of sandboxes' groups begin.
const SANDBOX: &str = "rpmforge-sandbox-";

/// Where the hierarchy of version 2 is.
const HIERARCHY: &str = "/sys/fs/cgroup";

/// What limits need.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// What a sandbox has beside its programs: its first process, and the thread of that one which watches.
const OWN_TASKS: u64 = 2;

/// Whether forge may make groups for sandboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Delegation {
    /// It is in a leaf already; groups are made in this folder.
    Prepared(PathBuf),
    /// It is alone in the group of this folder, and may move to a leaf of it.
    Possible(PathBuf),
    /// The machine has no control groups of version 2, or they are not seen here.
    NoHierarchy,
    /// The group has no controllers for these.
    NoControllers(Vec<&'static str>),
    /// The group is somebody else's.
    NotOwned,
    /// Others are in the group.
    Shared,
}

impl Delegation {
    /// How it stands on this machine.
    pub fn find() -> Self {
        const CGROUP2: u64 = 0x6367_7270;
        let is_version_2 = rustix::fs::statfs(HIERARCHY)
            .is_ok_and(|status| u64::try_from(status.f_type).is_ok_and(|kind| kind == CGROUP2));
        match read(CWD, "/proc/self/cgroup") {
            Ok(own) if is_version_2 => {
                Self::find_below(Path::new(HIERARCHY), &own, rustix::process::getpid().as_raw_pid())
            }
            Ok(_) | Err(_) => Self::NoHierarchy,
        }
    }

    /// How it stands with the process `own` in a hierarchy, `groups` being what `/proc/PID/cgroup` says of it.
    fn find_below(hierarchy: &Path, groups: &str, own: i32) -> Self {
        let Some(group) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else {
            return Self::NoHierarchy;
        };
        let folder = hierarchy.join(group);
        if folder.file_name().is_some_and(|name| name == LEAF)
            && let Some(parent) = folder.parent()
        {
            return Self::Prepared(parent.to_owned());
        }
        let Ok(controllers) = read(CWD, folder.join("cgroup.controllers")) else { return Self::NoHierarchy };
        let is_there = |name: &str| controllers.split_whitespace().any(|known| known == name);
        let missing: Vec<&str> = CONTROLLERS.into_iter().filter(|name| !is_there(name)).collect();
        if !missing.is_empty() {
            return Self::NoControllers(missing);
        }
        let is_writable = |path: &Path| accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
        let files = ["cgroup.procs", "cgroup.subtree_control"].map(|name| folder.join(name));
        if !is_writable(&folder) || !files.iter().all(|file| is_writable(file)) {
            return Self::NotOwned;
        }
        let members = read(CWD, folder.join("cgroup.procs")).unwrap_or_default();
        // Who is of another process namespace is seen as 0.
        let is_alone = members.lines().all(|line| line.trim() == own.to_string());
        if is_alone { Self::Possible(folder) } else { Self::Shared }
    }
}

/// Moves forge to a leaf of the group that it is alone in, so that sandboxes get groups of their own. Where that can't be,
/// nothing is changed.
pub(super) fn prepare() {
    // Where it fails, the watch counts.
    let _ = match Delegation::find() {
        Delegation::Possible(folder) => move_to_leaf(&folder).and_then(|()| remove_abandoned(&folder)),
        Delegation::Prepared(folder) => remove_abandoned(&folder),
        Delegation::NoHierarchy
        | Delegation::NoControllers(_)
        | Delegation::NotOwned
        | Delegation::Shared => Ok(()),
    };
}

/// Removes control groups of sandboxes whose forge was killed, where forge runs in the group that they are in.
pub fn remove_abandoned_groups() {
    // What can't be removed has processes, or is somebody else's.
    let _ = match Delegation::find() {
        Delegation::Possible(folder) | Delegation::Prepared(folder) => remove_abandoned(&folder),
        Delegation::NoHierarchy
        | Delegation::NoControllers(_)
        | Delegation::NotOwned
        | Delegation::Shared => Ok(()),
    };
}

fn move_to_leaf(folder: &Path) -> io::Result<()> {
    let leaf = folder.join(LEAF);
    make_group(&leaf)?;
    write(&leaf.join("cgroup.procs"), "0")?;
    let all = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
    if let Err(error) = write(&folder.join("cgroup.subtree_control"), &all) {
        write(&folder.join("cgroup.procs"), "0")?;
        unlinkat(CWD, &leaf, AtFlags::REMOVEDIR)?;
        return Err(error);
    }
    Ok(())
}

/// Removes groups of sandboxes whose process outside was killed. One with processes in it can't be removed.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in Dir::read_from(open_group(folder)?)?.flatten() {
        let Ok(name) = entry.file_name().to_str() else { continue };
        let maker = name.strip_prefix(SANDBOX).and_then(|number| Pid::from_raw(number.parse().ok()?));
        if maker.is_some_and(|maker| test_kill_process(maker) == Err(rustix::io::Errno::SRCH)) {
            let _ = unlinkat(CWD, folder.join(name), AtFlags::REMOVEDIR);
        }
    }
    Ok(())
}

/// The group of a sandbox. What is in it ends with it.
#[derive(Debug)]
pub(super) struct ControlGroup {
    path: PathBuf,
    folder: OwnedFd,
    counts_memory: bool,
    /// Whether it is another process that it belongs to, which removes it.
    is_of_parent: bool,
}

impl ControlGroup {
    /// A group with these limits, where forge may make any.
    pub fn make(limits: &SandboxLimits) -> Option<Self> {
        let Delegation::Prepared(parent) = Delegation::find() else { return None };
        let path = parent.join(format!("{SANDBOX}{}", rustix::process::getpid().as_raw_pid()));
        Self::make_at(path, limits).ok()
    }

    fn make_at(path: PathBuf, limits: &SandboxLimits) -> io::Result<Self> {
        // One that is there is that of a process which had the same number, and remembers what happened in it.
        let _ = unlinkat(CWD, &path, AtFlags::REMOVEDIR);
        mkdirat(CWD, &path, Mode::from(0o755))?;
        let folder = open_group(&path)?;
        // From here on it is removed where it can't be used.
        let group = Self { path, folder, counts_memory: limits.memory.is_some(), is_of_parent: false };
        for (name, value) in settings(limits) {
            match write(&group.path.join(name), &value) {
                // A kernel without swap has no limit of it.
                Err(error) if name == "memory.swap.max" && error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        Ok(group)
    }

    /// Its folder, to start a process in it.
    pub fn folder(&self) -> std::os::fd::BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Whether the kernel has ended what is in it because it took more memory than it may.
    pub fn is_over_memory(&self) -> bool {
        self.counts_memory
            && read(self.folder.as_fd(), "memory.events").is_ok_and(|events| has_passed_limit(&events))
    }

    /// Leaves it, in the process that was started in it, to the one that has made it. Says whether the kernel counts its
    /// memory.
    pub fn leave_to_parent(mut self) -> bool {
        self.is_of_parent = true;
        self.counts_memory
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if self.is_of_parent {
            return;
        }
        // Kernels before 5.14 have no `cgroup.kill`; what was in it ended with its first process.
        let _ = write(&self.path.join("cgroup.kill"), "1");
        for _ in 0..REMOVALS {
            match unlinkat(CWD, &self.path, AtFlags::REMOVEDIR) {
                Err(rustix::io::Errno::BUSY) => std::thread::sleep(BETWEEN_REMOVALS),
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// How often a group is tried to be removed whose processes are ending, and how long it is waited in between.
const REMOVALS: u32 = 100;
const BETWEEN_REMOVALS: std::time::Duration = std::time::Duration::from_millis(10);

/// The files of a group that its limits are written to, and what. Without swap: a build that takes too much ends, instead of
/// slowing the machine down. All of it ends at once, as a build of which one process is missing is of no use.
fn settings(limits: &SandboxLimits) -> Vec<(&'static str, String)> {
    let processes = limits.processes.saturating_add(OWN_TASKS);
    let mut settings = vec![("pids.max", processes.to_string())];
    if let Some(bytes) = limits.memory {
        settings.push(("memory.max", bytes.to_string()));
        settings.push(("memory.swap.max", "0".to_owned()));
        settings.push(("memory.oom.group", "1".to_owned()));
    }
    settings
}

/// Whether `memory.events` says that something was ended because of the group's own limit: `oom_kill` alone counts what was
/// ended because the machine had no memory left as well.
fn has_passed_limit(events: &str) -> bool {
    let count = |name: &str| {
        let value = events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    count("oom") > 0 && count("oom_kill") > 0
}

fn make_group(path: &Path) -> io::Result<()> {
    match mkdirat(CWD, path, Mode::from(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn open_group(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let file = openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text.as_bytes())?;
    Ok(())
}

fn read(folder: impl AsFd, path: impl AsRef<Path>) -> io::Result<String> {
    let file = openat(folder, path.as_ref(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let length = rustix::io::read(&file, &mut buffer)?;
        match buffer.get(..length).filter(|read| !read.is_empty()) {
            Some(read) => text.extend_from_slice(read),
            None => return Ok(String::from_utf8_lossy(&text).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: i32 = 42;

    /// A folder that looks as a hierarchy with the group `build.scope` in it.
    struct Hierarchy {
        temp: tempfile::TempDir,
    }

    impl Hierarchy {
        fn new(controllers: &str, members: &str) -> Self {
            let hierarchy = Self { temp: tempfile::tempdir().unwrap() };
            make_group(&hierarchy.group()).unwrap();
            hierarchy.write("cgroup.controllers", controllers);
            hierarchy.write("cgroup.procs", members);
            hierarchy.write("cgroup.subtree_control", "");
            hierarchy
        }

        fn group(&self) -> PathBuf {
            self.temp.path().join("build.scope")
        }

        #[expect(clippy::disallowed_methods, reason = "the test makes the folder that is looked at")]
        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.group().join(name), text).unwrap();
        }

        #[expect(clippy::disallowed_methods, reason = "the test looks at what was written")]
        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.group().join(name)).unwrap()
        }

        fn find(&self, groups: &str) -> Delegation {
            Delegation::find_below(self.temp.path(), groups, OWN)
        }
    }

    #[test]
    fn a_group_that_forge_is_alone_in_can_be_used() {
        let hierarchy = Hierarchy::new("cpu io memory pids\n", "42\n");
        assert_eq!(hierarchy.find("0::/build.scope\n"), Delegation::Possible(hierarchy.group()));
    }

    #[test]
    fn forge_in_its_leaf_makes_groups_beside_it() {
        let hierarchy = Hierarchy::new("", "");
        assert_eq!(hierarchy.find("0::/build.scope/rpmforge\n"), Delegation::Prepared(hierarchy.group()));
    }

    #[test]
    fn a_group_with_others_in_it_is_left_alone() {
        for members in ["42\n43\n", "1\n42\n", "0\n42\n"] {
            let hierarchy = Hierarchy::new("memory pids\n", members);
            assert_eq!(hierarchy.find("0::/build.scope\n"), Delegation::Shared, "{members}");
        }
    }

    #[test]
    fn a_group_without_the_controllers_is_of_no_use() {
        let hierarchy = Hierarchy::new("cpu pids\n", "42\n");
        assert_eq!(hierarchy.find("0::/build.scope\n"), Delegation::NoControllers(vec!["memory"]));
    }

    #[test]
    fn control_groups_of_version_1_and_a_group_that_is_not_seen_are_of_no_use() {
        let hierarchy = Hierarchy::new("memory pids\n", "42\n");
        assert_eq!(hierarchy.find("4:memory:/build.scope\n1:cpu:/\n"), Delegation::NoHierarchy);
        assert_eq!(hierarchy.find("0::/elsewhere\n"), Delegation::NoHierarchy);
    }

    #[test]
    fn forge_moves_to_a_leaf_before_it_passes_controllers_on() {
        let hierarchy = Hierarchy::new("memory pids\n", "42\n");
        make_group(&hierarchy.group().join(LEAF)).unwrap();
        hierarchy.write("rpmforge/cgroup.procs", "");
        move_to_leaf(&hierarchy.group()).unwrap();
        assert_eq!(hierarchy.read("rpmforge/cgroup.procs"), "0");
        assert_eq!(hierarchy.read("cgroup.subtree_control"), "+memory +pids");
    }

    #[test]
    fn groups_whose_maker_is_gone_are_removed_and_no_others() {
        let hierarchy = Hierarchy::new("memory pids\n", "");
        // No process has a number beyond the largest that there is (proc_sys_kernel(5)).
        let names = ["rpmforge-sandbox-2000000000".to_owned(), format!("{SANDBOX}{}", std::process::id())];
        let names = names.into_iter().chain(["another".to_owned(), "rpmforge-sandbox-x".to_owned()]);
        let groups: Vec<PathBuf> = names.map(|name| hierarchy.group().join(name)).collect();
        groups.iter().for_each(|group| make_group(group).unwrap());
        remove_abandoned(&hierarchy.group()).unwrap();
        let are_left: Vec<bool> = groups.iter().map(|group| group.exists()).collect();
        assert_eq!(are_left, [false, true, true, true]);
    }

    #[test]
    fn a_group_that_takes_no_limits_is_none() {
        let hierarchy = Hierarchy::new("memory pids\n", "42\n");
        let path = hierarchy.group().join("rpmforge-sandbox-7");
        assert!(ControlGroup::make_at(path.clone(), &SandboxLimits::default()).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_sandbox_gets_no_swap_instead_of_memory_and_ends_as_a_whole() {
        let limits = SandboxLimits { memory: Some(1 << 30), processes: 100, ..SandboxLimits::default() };
        let expected = [
            ("pids.max", "102"),
            ("memory.max", "1073741824"),
            ("memory.swap.max", "0"),
            ("memory.oom.group", "1"),
        ];
        assert_eq!(settings(&limits), expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(settings(&SandboxLimits::default()), [("pids.max", "4098".to_owned())]);
    }

    #[test]
    fn only_its_own_limit_is_one_that_a_build_has_passed() {
        assert!(has_passed_limit("low 0\nhigh 0\nmax 57\noom 1\noom_kill 3\noom_group_kill 1\n"));
        assert!(!has_passed_limit("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n"), "the machine had no memory");
        assert!(!has_passed_limit("max 57\noom 0\noom_kill 0\n"));
        assert!(!has_passed_limit(""));
    }
}
