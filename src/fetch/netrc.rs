//! Names and passwords for machines, as `.netrc` has them (netrc(5), curl(1)).

/// Who logs in at which machine. There is no `Debug`: passwords stand in it.
#[derive(Clone, Default)]
pub struct Netrc {
    entries: Vec<NetrcEntry>,
}

#[derive(Clone, Default)]
struct NetrcEntry {
    /// The machine; nothing where it is for all others.
    machine: Option<String>,
    login: String,
    password: String,
}

/// A name and a password.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub name: &'a str,
    pub password: &'a str,
}

impl Netrc {
    /// Reads the file. What it does not know it passes over; macros (`macdef`) end with an empty line.
    pub fn parse(text: &str) -> Self {
        let mut entries: Vec<NetrcEntry> = Vec::new();
        let mut words = without_macros(text).into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => {
                    // Without a name it is for nobody.
                    let machine = Some(words.next().unwrap_or_default().to_lowercase());
                    entries.push(NetrcEntry { machine, ..NetrcEntry::default() });
                }
                "default" => entries.push(NetrcEntry::default()),
                "login" | "password" | "account" => {
                    let (Some(value), Some(entry)) = (words.next(), entries.last_mut()) else { continue };
                    match word.as_str() {
                        "login" => entry.login = value,
                        "password" => entry.password = value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self { entries }
    }

    /// Who logs in at a machine.
    pub(super) fn find(&self, host: &str) -> Option<Login<'_>> {
        let host = host.to_lowercase();
        let is_meant = |entry: &&NetrcEntry| entry.machine.as_ref().is_none_or(|machine| *machine == host);
        let entry = self.entries.iter().find(is_meant)?;
        Some(Login { name: &entry.login, password: &entry.password })
    }
}

/// The words of a file, but for its macros and comments. A word may stand in quotes.
fn without_macros(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut is_macro = false;
    for line in text.lines() {
        if is_macro {
            is_macro = !line.trim().is_empty();
            continue;
        }
        for word in split_words(line) {
            if word == "macdef" {
                is_macro = true;
                break;
            }
            words.push(word);
        }
    }
    words
}

fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.chars().peekable();
    while let Some(first) = letters.next() {
        if first.is_whitespace() {
            continue;
        }
        // A password may begin with `#`, a comment is a word of its own.
        if first == '#' && letters.peek().is_none_or(|next| next.is_whitespace()) {
            break;
        }
        let mut word = String::new();
        if first == '"' {
            while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
                word.push(if letter == '\\' { letters.next().unwrap_or('\\') } else { letter });
            }
        } else {
            word.push(first);
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.push(letter);
            }
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_logs_in_is_found_by_the_machine() {
        let netrc = Netrc::parse(
            "# mine\nmachine git.example login me password #1 # a comment\nmacdef init\nmachine evil\n\n\
             machine Other.Example\n  login you\n  password \"a \\\" b\" account x\ndefault login all password none\n",
        );
        let found = |host: &str| netrc.find(host).map(|login| (login.name, login.password));
        assert_eq!(found("git.example"), Some(("me", "#1")));
        assert_eq!(found("other.example"), Some(("you", "a \" b")));
        assert_eq!(found("evil"), Some(("all", "none")));
        assert!(Netrc::parse("machine a login").find("b").is_none());
    }
}
