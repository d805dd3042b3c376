//! Numbers of users that an ordinary user may give to processes of a namespace (subuid(5), newuidmap(1)).

use std::ffi::OsString;
use std::process::{Command, Stdio};

use rustix::process::{Pid, getegid, geteuid};

use super::machine::read_file;

/// How many numbers a sandbox has use for.
const COUNT: u32 = 65_536;

/// Numbers that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberRange {
    first: u32,
    count: u32,
}

/// The users and the groups that this user may give away, if there are any.
pub(super) fn find_ranges() -> Option<[NumberRange; 2]> {
    let user = geteuid().as_raw();
    let name = user_name(&read_file("/etc/passwd").unwrap_or_default(), user);
    let find = |path| largest_range(&read_file(path).ok()?, name.as_deref(), user);
    Some([find("/etc/subuid")?, find("/etc/subgid")?])
}

/// Which maps of a namespace have been written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub users: bool,
    pub groups: bool,
}

/// Writes the maps of a new user namespace in which this user is root, and has others beside it: those for which the machine
/// has numbers for this user, and the program that gives them.
pub(super) fn write_ranges(process: Pid) -> Given {
    let Some([users, groups]) = find_ranges() else { return Given::default() };
    Given {
        users: give("newuidmap", process, geteuid().as_raw(), users),
        groups: give("newgidmap", process, getegid().as_raw(), groups),
    }
}

#[expect(clippy::disallowed_methods, reason = "only a program that has root's rights may write such maps")]
fn give(program: &str, process: Pid, own: u32, range: NumberRange) -> bool {
    let numbers = [0, own, 1, 1, range.first, range.count].map(|number| OsString::from(number.to_string()));
    let mut command = Command::new(program);
    command.arg(process.as_raw_nonzero().to_string()).args(numbers);
    command.env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin:/run/wrappers/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The name of a user, as passwd(5) has it.
fn user_name(passwd: &str, user: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    })
}

/// The largest of the ranges that a user has by name or number.
fn largest_range(text: &str, name: Option<&str>, user: u32) -> Option<NumberRange> {
    let number = user.to_string();
    let ranges = text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse::<u32>().ok()?);
        (Some(owner) == name || owner == number).then_some(NumberRange { first, count: count.min(COUNT - 1) })
    });
    ranges.filter(|range| range.count > 0).max_by_key(|range| range.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_range_of_a_user_counts_by_name_or_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
        let name = user_name(passwd, 1000);
        assert_eq!(name.as_deref(), Some("me"));
        let text = "you:1:70000\nme:100000:10\n1000:200000:65536\nme:x:1\nme:5:0\n";
        let expected = NumberRange { first: 200_000, count: COUNT - 1 };
        assert_eq!(largest_range(text, name.as_deref(), 1000), Some(expected));
        assert_eq!(largest_range(text, None, 7), None);
    }
}
