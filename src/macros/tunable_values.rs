//! Which values macros that tune builds take: rpm-macros(7) and rpm-payloadflags(7) describe them.

/// The dependency generators whose work forge does itself where it may: what `%_forge_native_dependencies` names.
pub const NATIVE_GENERATORS: &[&str] = &["elf", "script", "pkgconfig", "pythondist"];

/// Which values a macro takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunableValues {
    /// 1 or 0.
    Switch,
    /// Defined or not, whatever its value.
    Presence,
    /// A whole number that is not negative.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// 1 or 0, or some of these words with blanks between them.
    SwitchOrNames(&'static [&'static str]),
    /// A number of a digest algorithm (RFC 9580, section 9.5) that rpm makes file digests with.
    Digest,
    /// How a payload is compressed: rpm-payloadflags(7).
    Payload,
    /// Any text.
    Text,
}

/// The algorithms of file digests: MD5, SHA-1, SHA-256, SHA-384, SHA-512, SHA-224.
const DIGESTS: [&str; 6] = ["1", "2", "8", "9", "10", "11"];

impl TunableValues {
    /// Says in words what it takes.
    pub fn describe(self) -> String {
        match self {
            Self::Switch => "1 or 0".to_owned(),
            Self::Presence => "defined or not".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::SwitchOrNames(names) => format!("1, 0, or some of {} (blanks between them)", names.join(", ")),
            Self::Digest => "1 (MD5), 2 (SHA-1), 8 (SHA-256), 9 (SHA-384), 10 (SHA-512), 11 (SHA-224)".to_owned(),
            Self::Payload => {
                "`w`, a level, flags such as `T4` or `L27`, and `.zstdio`, `.xzdio`, `.lzdio`, `.gzdio`, `.bzdio` or `.ufdio`".to_owned()
            }
            Self::Text => "text".to_owned(),
        }
    }

    /// Whether a value makes sense. One that is worked out by macros can't be told before.
    pub fn takes(self, value: &str) -> bool {
        let value = value.trim();
        if value.contains('%') {
            return true;
        }
        match self {
            Self::Switch => matches!(value, "" | "0" | "1"),
            Self::Presence | Self::Text => true,
            Self::Number => value.parse::<u32>().is_ok(),
            Self::Word(words) => value.is_empty() || words.contains(&value),
            Self::SwitchOrNames(names) => {
                Self::Switch.takes(value) || value.split_whitespace().all(|name| names.contains(&name))
            }
            Self::Digest => DIGESTS.contains(&value),
            Self::Payload => takes_payload(value),
        }
    }
}

/// The ways of compression, with their lowest and highest levels, and the flags that they know.
const PAYLOADS: [(&str, u32, u32, &str); 6] = [
    (".ufdio", 0, 9, ""),
    (".gzdio", 0, 9, ""),
    (".bzdio", 1, 9, ""),
    (".xzdio", 0, 9, "TL"),
    (".lzdio", 0, 9, "TL"),
    (".zstdio", 1, 22, "TL"),
];

/// Whether a payload can be compressed so.
fn takes_payload(value: &str) -> bool {
    let Some(rest) = value.strip_prefix('w') else { return false };
    let Some((flags, lowest, highest, known)) = PAYLOADS
        .iter()
        .find_map(|(end, lowest, highest, known)| Some((rest.strip_suffix(end)?, *lowest, *highest, *known)))
    else {
        return false;
    };
    let digits = flags.find(|c: char| !c.is_ascii_digit()).unwrap_or(flags.len());
    let (level, mut flags) = flags.split_at(digits);
    if !level.is_empty() && !level.parse().is_ok_and(|level: u32| (lowest..=highest).contains(&level)) {
        return false;
    }
    while let Some(flag) = flags.chars().next() {
        let rest = flags.strip_prefix(flag).unwrap_or_default();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // `T` alone means as many threads as there are processors; a window has a size.
        if !known.contains(flag) || flag == 'L' && digits == 0 {
            return false;
        }
        flags = rest.get(digits..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::TunableValues::{Digest, Payload, Switch, SwitchOrNames, Word};
    use super::*;

    #[test]
    fn payloads_have_a_level_that_there_is_and_flags_that_are_known() {
        for good in
            ["w19.zstdio", "w9T8.xzdio", "w7T.xzdio", "w19T4L27.zstdio", "w.ufdio", "w9.gzdio", "%{other}"]
        {
            assert!(Payload.takes(good), "{good}");
        }
        for bad in
            ["w99.zstdio", "19.zstdio", "w9.rotdio", "w19", "w3L.zstdio", "w9T2.gzdio", "w0.zstdio", ""]
        {
            assert!(!Payload.takes(bad), "{bad}");
        }
        assert!(Switch.takes("0") && !Switch.takes("yes") && Digest.takes("8") && !Digest.takes("sha256"));
        assert!(Word(&["none", "compat"]).takes("none") && !Word(&["none"]).takes("all"));
    }

    #[test]
    fn generators_are_all_none_or_those_that_are_named() {
        for good in ["", "0", "1", "elf", "script  pythondist", "%{chosen}"] {
            assert!(SwitchOrNames(NATIVE_GENERATORS).takes(good), "{good}");
        }
        for bad in ["elfs", "2", "elf, script", "1 elf"] {
            assert!(!SwitchOrNames(NATIVE_GENERATORS).takes(bad), "{bad}");
        }
    }
}
