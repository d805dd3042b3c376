//! What the kernel's settings forbid, and what to do about it.

use std::io;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// A refusal of the kernel's to make namespaces, in a person's words.
pub(super) fn describe_refusal(error: &io::Error) -> io::Error {
    let reason = crate::files::reason(error);
    let why = match find_refusal() {
        Some(Refusal { means, advice, .. }) => format!("{means}: {advice}"),
        None => NO_NAMESPACES.to_owned(),
    };
    io::Error::new(error.kind(), format!("{why} ({reason})"))
}

/// What is said where no setting forbids user namespaces, and there are none.
pub(super) const NO_NAMESPACES: &str =
    "this machine, or the container or chroot that forge runs in, allows no user namespaces";

/// The setting of the kernel's that forbids user namespaces, if one does.
pub(super) fn find_refusal() -> Option<&'static Refusal> {
    REFUSALS.iter().find(|refusal| read_file(refusal.path).is_ok_and(|value| value.trim() == refusal.forbids))
}

/// A setting of the kernel's that forbids something with one of its values.
pub(super) struct Refusal {
    path: &'static str,
    forbids: &'static str,
    /// What that means.
    pub means: &'static str,
    /// What to do.
    pub advice: &'static str,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        path: "/proc/sys/user/max_user_namespaces",
        forbids: "0",
        means: "user namespaces are switched off on this machine",
        advice: "`sysctl user.max_user_namespaces=65536` allows them",
    },
    Refusal {
        path: "/proc/sys/kernel/unprivileged_userns_clone",
        forbids: "0",
        means: "only root may make user namespaces on this machine",
        advice: "`sysctl kernel.unprivileged_userns_clone=1` allows others",
    },
    Refusal {
        path: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        forbids: "1",
        means: "AppArmor lets only programs with a profile make user namespaces on this machine",
        advice: "a profile for forge with `userns,`, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, allows it",
    },
];

/// What to do where a sandbox can't have a `/proc` of its own.
pub(super) const SHOW_PROC: &str = "in a container, parts of /proc are hidden: start it with `--security-opt unmask=ALL` (podman) or \
     `--security-opt systempaths=unconfined` (docker)";

/// The text of a small file of the machine's.
pub(super) fn read_file(path: &str) -> io::Result<String> {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::from(file), 1 << 20), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
