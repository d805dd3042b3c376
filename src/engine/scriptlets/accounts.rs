//! Users and groups that packages provide: lines of sysusers.d(5), added to passwd(5) and group(5) without any program of the
//! root. rpm hands them to systemd-sysusers, or to a script of its own that needs the root's useradd.

use std::collections::BTreeSet;

/// Files of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    /// `/etc/passwd`
    pub passwd: String,
    /// `/etc/group`
    pub group: String,
    /// `/etc/shadow`, where there is one.
    pub shadow: Option<String>,
    /// `/etc/gshadow`, where there is one.
    pub gshadow: Option<String>,
}

/// Numbers of accounts of the system, highest first: that is how they are given out.
const SYSTEM_NUMBERS: std::ops::RangeInclusive<u32> = 101..=999;

/// The shell of an account that nobody works with.
const NO_SHELL: &str = "/usr/sbin/nologin";

/// A password that nothing matches.
const NO_PASSWORD: &str = "!*";

impl Accounts {
    /// The number of a user or group by its name, in the text of its file.
    pub fn number(text: &str, name: &str) -> Option<u32> {
        lines(text).find(|fields| fields.first() == Some(&name))?.get(2)?.parse().ok()
    }

    /// Adds what a line says, unless it is there.
    pub fn add(&mut self, line: &str) {
        let words = split_words(line);
        let word =
            |at: usize| words.get(at).map(String::as_str).filter(|word| !word.is_empty() && *word != "-");
        let (Some(kind), Some(name)) = (word(0), word(1)) else { return };
        // What would break a line of the files is no name, and nothing that is written into them.
        if words.iter().skip(1).any(|word| word.contains(['\n', '\0'])) || name.contains([':', ',']) {
            return;
        }
        match kind {
            "u" | "u!" => {
                let is_locked = kind == "u!";
                self.add_user(name, word(2), [word(3), word(4), word(5)], is_locked);
            }
            "g" => drop(self.add_group(name, word(2).and_then(|number| number.parse().ok()))),
            "m" => self.add_member(name, word(2)),
            // Ranges of numbers to give out, and what newer versions know.
            _ => {}
        }
    }

    fn add_user(&mut self, name: &str, number: Option<&str>, details: [Option<&str>; 3], is_locked: bool) {
        if has(&self.passwd, name) {
            return;
        }
        let (number, group) = match number.and_then(|number| number.split_once(':')) {
            Some((number, group)) => (Some(number), Some(group)),
            None => (number, None),
        };
        let number: Option<u32> = number.and_then(|number| number.parse().ok());
        let number = number.filter(|number| !numbers(&self.passwd).contains(number));
        let group = match group {
            // A group of that number or name, which another line makes.
            Some(group) => match group.parse::<u32>() {
                Ok(number) => number,
                Err(_) => self.add_group(group, None),
            },
            None => self.add_group(name, number),
        };
        let taken = numbers(&self.passwd);
        let number = number
            .or_else(|| (!taken.contains(&group) && SYSTEM_NUMBERS.contains(&group)).then_some(group))
            .unwrap_or_else(|| free_number(&taken));
        let [about, home, shell] = details.map(|detail| detail.map(|detail| detail.replace(':', "_")));
        let (about, home) = (about.unwrap_or_default(), home.unwrap_or_else(|| "/".to_owned()));
        let shell = shell.unwrap_or_else(|| NO_SHELL.to_owned());
        append(&mut self.passwd, &format!("{name}:x:{number}:{group}:{about}:{home}:{shell}"));
        if let Some(shadow) = &mut self.shadow {
            let expires = if is_locked { "1" } else { "" };
            append(shadow, &format!("{name}:{NO_PASSWORD}::::::{expires}:"));
        }
    }

    /// Makes a group if it is not there; gives its number.
    fn add_group(&mut self, name: &str, number: Option<u32>) -> u32 {
        if let Some(number) = Self::number(&self.group, name) {
            return number;
        }
        let taken: BTreeSet<u32> = numbers(&self.group);
        // A user of the same name should be able to have the same number.
        let all = || taken.union(&numbers(&self.passwd)).copied().collect();
        let number = number.filter(|number| !taken.contains(number)).unwrap_or_else(|| free_number(&all()));
        append(&mut self.group, &format!("{name}:x:{number}:"));
        if let Some(gshadow) = &mut self.gshadow {
            append(gshadow, &format!("{name}:{NO_PASSWORD}::"));
        }
        number
    }

    fn add_member(&mut self, user: &str, group: Option<&str>) {
        let Some(group) = group.filter(|group| !group.contains([':', ','])) else { return };
        self.add_group(group, None);
        self.add_user(user, None, [None; 3], false);
        self.group = with_member(&self.group, group, user);
        self.gshadow = self.gshadow.take().map(|gshadow| with_member(&gshadow, group, user));
    }
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

fn has(text: &str, name: &str) -> bool {
    lines(text).any(|fields| fields.first() == Some(&name))
}

fn numbers(text: &str) -> BTreeSet<u32> {
    lines(text).filter_map(|fields| fields.get(2)?.parse().ok()).collect()
}

/// The highest number that nobody has; one beyond those of the system where all are taken.
fn free_number(taken: &BTreeSet<u32>) -> u32 {
    let beyond = *SYSTEM_NUMBERS.end() + 1..u32::MAX;
    SYSTEM_NUMBERS.rev().chain(beyond).find(|number| !taken.contains(number)).unwrap_or_default()
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

/// A file of groups with one more member of one, in the last field.
fn with_member(text: &str, group: &str, user: &str) -> String {
    let line = |line: &str| -> String {
        let (rest, members) = line.rsplit_once(':').unwrap_or((line, ""));
        if line.split(':').next() != Some(group) || members.split(',').any(|member| member == user) {
            return format!("{line}\n");
        }
        let comma = if members.is_empty() { "" } else { "," };
        format!("{rest}:{members}{comma}{user}\n")
    };
    text.lines().map(line).collect()
}

/// The words of a line: separated by blanks, in quotes where they have some.
fn split_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.trim().chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            passwd: "root:x:0:0:root:/root:/bin/sh\nold:x:999:999::/:/bin/false\n".to_owned(),
            group: "root:x:0:\nold:x:999:\n".to_owned(),
            shadow: Some("root:*:19000::::::\n".to_owned()),
            gshadow: None,
        }
    }

    #[test]
    fn users_come_with_their_groups_and_free_numbers_from_above() {
        let mut accounts = accounts();
        for line in [
            "u web 33 \"Web Server\" /var/www -",
            "u! db -",
            "g tape 33",
            "u old 5",
            "u own 40:tape - - /bin/sh",
        ] {
            accounts.add(line);
        }
        let passwd = accounts.passwd.lines().skip(2).collect::<Vec<_>>();
        let wanted = [
            "web:x:33:33:Web Server:/var/www:/usr/sbin/nologin",
            "db:x:998:998::/:/usr/sbin/nologin",
            "own:x:40:997::/:/bin/sh",
        ];
        assert_eq!(passwd, wanted);
        assert_eq!(accounts.group, "root:x:0:\nold:x:999:\nweb:x:33:\ndb:x:998:\ntape:x:997:\n");
        let shadow = "root:*:19000::::::\nweb:!*:::::::\ndb:!*::::::1:\nown:!*:::::::\n";
        assert_eq!(accounts.shadow.as_deref(), Some(shadow));
    }

    #[test]
    fn members_are_added_once_and_what_is_missing_is_made() {
        let mut accounts = accounts();
        for line in ["m old wheel", "m old wheel", "m new wheel"] {
            accounts.add(line);
        }
        assert!(accounts.group.contains("wheel:x:998:old,new\n"), "{}", accounts.group);
        assert!(accounts.passwd.contains("new:x:"));
    }

    #[test]
    fn what_is_no_name_or_would_break_a_line_is_passed_over() {
        let before = accounts();
        let mut accounts = before.clone();
        for line in ["", "u", "u a:b 5", "u - 5", "g \"a\nb\" 5", "x a 5", "m a", "r - 500-900"] {
            accounts.add(line);
        }
        assert_eq!(accounts, before);
        accounts.add("u c - 'a:b\\'c'");
        assert!(accounts.passwd.contains(":a_b'c:"), "{}", accounts.passwd);
    }
}
