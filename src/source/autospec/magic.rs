//! What commits say to rpmautospec: lines like `[skip changelog]` and `[bump release: 5]`.

/// What a commit says to rpmautospec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Magic {
    /// It is no change.
    pub skips_changelog: bool,
    /// The release is at least this one.
    pub least_release: u64,
}

impl Magic {
    /// Reads a commit's message.
    pub fn read(message: &str) -> Self {
        let mut magic = Self::default();
        let lines = message.split('\n').filter_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'));
        for part in lines.flat_map(|line| line.split(',')) {
            let words = part.trim_start();
            magic.skips_changelog |= after_words(words, ["skip", "changelog"]).is_some();
            if let Some(rest) = after_words(words, ["bump", "release"]) {
                let rest = rest.trim_start();
                let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let number = rest.get(..end).unwrap_or_default();
                if !number.is_empty() {
                    magic.least_release = magic.least_release.max(number.parse().unwrap_or(u64::MAX / 2));
                }
            }
        }
        magic
    }
}

/// What stands behind two words with white space between them.
fn after_words<'a>(text: &'a str, [first, second]: [&str; 2]) -> Option<&'a str> {
    let rest = text.strip_prefix(first)?;
    let spaceless = rest.trim_start();
    (spaceless.len() < rest.len()).then_some(spaceless)?.strip_prefix(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_brackets_count_and_nothing_else() {
        let read = |message: &str| (Magic::read(message).skips_changelog, Magic::read(message).least_release);
        assert_eq!(read("a\n\n [skip changelog] \n"), (true, 0));
        assert_eq!(read("[bump release: 5, skip  changelog]"), (true, 5));
        assert_eq!(read("[bump release:3]\n[bump  release 12 x]"), (false, 12));
        assert_eq!(read("a [skip changelog]\n[skipchangelog]\n[bump release: x]"), (false, 0));
    }
}
