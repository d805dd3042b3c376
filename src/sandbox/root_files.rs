//! The files of a root that tell of the machine and its people: what a sandbox has in their places.

use std::io::{self, Read};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::enclosure::{Enclosure, builder};
use crate::process::InsideUser;

/// The name that every machine has for itself.
const LOCALHOST: &str = "localhost";

/// The number from which on users are people (login.defs(5)).
const FIRST_PERSON: u32 = 1000;

/// The user that owns what nobody owns.
const NOBODY: u32 = 65_534;

/// Files of `/etc` that tell of the machine: in a sandbox they say nothing.
const EMPTY: &[&str] = &["subuid", "subgid", "fstab", "crypttab", "exports", "machine-id", NAMES];

/// A file below `/etc` that stands in another's place.
#[derive(Debug)]
pub(super) struct RootFile {
    /// Its name there.
    pub name: &'static str,
    /// What it holds.
    pub content: String,
}

/// The files that stand in the places of the root's own, which is where this process is; with `names`, what finds names is
/// that.
pub(super) fn replaced_files(enclosure: &Enclosure, names: Option<&str>) -> Vec<RootFile> {
    let (user, host_name) = (enclosure.user, &enclosure.circumstances.host_name);
    let mut files = vec![
        RootFile { name: "passwd", content: passwd(&read("/etc/passwd"), user) },
        RootFile { name: "group", content: group(&read("/etc/group"), user) },
        RootFile { name: "hostname", content: format!("{host_name}\n") },
        RootFile { name: "hosts", content: hosts(host_name) },
    ];
    files.extend(EMPTY.iter().map(|name| {
        let content = names.filter(|_| *name == NAMES).unwrap_or_default().to_owned();
        RootFile { name, content }
    }));
    files
}

/// Below `/etc`, the file that says how names are found.
pub(super) const NAMES: &str = "resolv.conf";

/// How this machine finds names, for a sandbox that reaches its network.
pub(super) fn read_names(network: bool) -> Option<String> {
    network.then(|| read("/etc/resolv.conf"))
}

/// Where the names of the machine are found.
fn hosts(host_name: &str) -> String {
    let own = if host_name == LOCALHOST { String::new() } else { format!(" {host_name}") };
    format!("127.0.0.1 {LOCALHOST}{own}\n::1 {LOCALHOST} ip6-localhost\n")
}

/// The users of a root that are no people, and the one that builds.
fn passwd(own: &str, user: InsideUser) -> String {
    let (name, number) = builder(user);
    let builder = format!("{name}:x:{number}:{number}::/builddir:/bin/sh");
    let kept = own.lines().filter(|line| is_of_the_system(line, name));
    kept.map(str::to_owned).chain([builder]).map(|line| line + "\n").collect()
}

/// The groups of a root that are no people's, without the people in them, and the one that builds.
fn group(own: &str, user: InsideUser) -> String {
    let (name, number) = builder(user);
    let builder = format!("{name}:x:{number}:");
    let kept = own.lines().filter(|line| is_of_the_system(line, name));
    let without_members = kept.filter_map(|line| Some(format!("{}:", line.rsplit_once(':')?.0)));
    without_members.chain([builder]).map(|line| line + "\n").collect()
}

/// Whether a line of passwd(5) or group(5) is that of the system's own, and not of who builds.
fn is_of_the_system(line: &str, builder: &str) -> bool {
    let mut fields = line.split(':');
    let (name, number) = (fields.next(), fields.nth(1).and_then(|number| number.parse::<u32>().ok()));
    name != Some(builder) && number.is_some_and(|number| number < FIRST_PERSON || number == NOBODY)
}

/// A file of the root, as far as it can be read: one that is not there says nothing.
fn read(path: &str) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut content = Vec::new();
        std::fs::File::from(file).take(1 << 20).read_to_end(&mut content)?;
        Ok(content)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_has_the_system_s_users_and_the_builder_and_no_people() {
        let own = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/zsh\n\
                   nobody:x:65534:65534::/:/bin/false\nbuilder:x:12:12::/:/bin/false\nbroken\n";
        let expected = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n\
                        builder:x:1000:1000::/builddir:/bin/sh\n";
        assert_eq!(passwd(own, InsideUser::Builder), expected);
    }

    #[test]
    fn groups_are_seen_without_the_people_in_them() {
        let own = "root:x:0:\nwheel:x:10:alice,bob\nalice:x:1000:\n";
        assert_eq!(group(own, InsideUser::Builder), "root:x:0:\nwheel:x:10:\nbuilder:x:1000:\n");
    }
}
