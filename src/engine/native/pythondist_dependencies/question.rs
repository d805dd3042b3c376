//! Calls of `pythondistdeps.py`, as attributes of files have them.

/// What differs between versions of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PythondistRules {
    /// Those of its own project: a version is compared as it is.
    Early,
    /// Those of Azure Linux 3, which has them of Fedora: before and after a release is not what is less or greater than it, and there are more options.
    Late,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythondistQuestion {
    pub(super) rules: PythondistRules,
    pub(super) side: PythondistSide,
    pub(super) major: MajorProvides,
    /// Whether names of requirements, and of what is provided, are those of PEP 503.
    pub(super) has_pep503_names: bool,
    /// Whether both kinds of names are provided.
    pub(super) provides_both_names: bool,
    pub(super) requires_extras: bool,
    pub(super) fails_if_zero: bool,
    /// The first version of Python, after its 3, in which scripts need no setuptools.
    pub(super) setuptools_free_since: Option<u32>,
    pub(super) namespace: Option<String>,
}

/// The dependencies that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PythondistSide {
    Provides,
    Requires,
}

/// For which versions of Python names with its major version alone are provided as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MajorProvides {
    None,
    All,
    Some(Vec<String>),
}

/// The first version of Python 3 that may be given as one in which scripts need no setuptools.
const FIRST_SETUPTOOLS_FREE: u32 = 8;

/// Options that take a value.
const WITH_VALUE: [&str; 6] = [
    "--majorver-provides-versions",
    "--normalized-names-format",
    "-n",
    "--package-name",
    "--console-scripts-nodep-setuptools-since",
    "--namespace",
];

impl PythondistQuestion {
    /// Reads the options of a call; `None` if any of them, or what they say together, is unusual.
    pub fn read<W: AsRef<[u8]>>(rules: PythondistRules, options: &[W]) -> Option<Self> {
        let words: Option<Vec<&str>> =
            options.iter().map(|word| std::str::from_utf8(word.as_ref()).ok()).collect();
        let mut reading = QuestionReading::new(rules);
        let mut words = words?.into_iter();
        while let Some(word) = words.next() {
            match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => reading.set(option, value)?,
                _ if WITH_VALUE.contains(&word) => reading.set(word, words.next()?)?,
                _ => reading.switch_on(word)?,
            }
        }
        let fails_oddly = reading.question.fails_if_zero && reading.side == Some(PythondistSide::Requires);
        Some(Self { side: reading.side?, ..reading.question }).filter(|_| !fails_oddly)
    }
}

/// What is known of a question while its options are read.
struct QuestionReading {
    question: PythondistQuestion,
    side: Option<PythondistSide>,
}

impl QuestionReading {
    fn new(rules: PythondistRules) -> Self {
        let question = PythondistQuestion {
            rules,
            side: PythondistSide::Provides,
            major: MajorProvides::None,
            has_pep503_names: false,
            provides_both_names: false,
            requires_extras: false,
            fails_if_zero: false,
            setuptools_free_since: None,
            namespace: None,
        };
        Self { question, side: None }
    }

    fn switch_on(&mut self, option: &str) -> Option<()> {
        let question = &mut self.question;
        match option {
            "-P" | "--provides" => self.choose(PythondistSide::Provides),
            "-R" | "--requires" => self.choose(PythondistSide::Requires),
            "-M" | "--majorver-provides" => {
                let is_first = matches!(question.major, MajorProvides::None | MajorProvides::All);
                question.major = MajorProvides::All;
                is_first.then_some(())
            }
            "--normalized-names-provide-both" => {
                question.provides_both_names = true;
                Some(())
            }
            "--require-extras-subpackages" => {
                question.requires_extras = true;
                Some(())
            }
            "--fail-if-zero" => {
                question.fails_if_zero = true;
                (question.rules == PythondistRules::Late).then_some(())
            }
            _ => None,
        }
    }

    /// Only one may be given.
    fn choose(&mut self, side: PythondistSide) -> Option<()> {
        self.side.replace(side).is_none_or(|before| before == side).then_some(())
    }

    fn set(&mut self, option: &str, value: &str) -> Option<()> {
        let question = &mut self.question;
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._,+-".contains(sign);
        if value.is_empty() || value.starts_with('-') || !value.chars().all(is_plain) {
            return None;
        }
        match option {
            "--majorver-provides-versions" => {
                let mut versions = match std::mem::replace(&mut question.major, MajorProvides::None) {
                    MajorProvides::None => Vec::new(),
                    MajorProvides::Some(versions) => versions,
                    MajorProvides::All => return None,
                };
                versions.extend(value.split(',').map(str::to_owned));
                question.major = MajorProvides::Some(versions);
                Some(())
            }
            "--normalized-names-format" | "-n" => {
                question.has_pep503_names = value == "pep503";
                matches!(value, "pep503" | "legacy-dots").then_some(())
            }
            // What follows a plus sign is an extra part, which is asked about by itself then.
            "--package-name" => (!value.contains('+')).then_some(()),
            "--console-scripts-nodep-setuptools-since" => {
                let minor = value.strip_prefix("3.")?;
                let is_number = minor.chars().all(|sign| sign.is_ascii_digit());
                let minor = minor.parse().ok().filter(|minor| *minor >= FIRST_SETUPTOOLS_FREE && is_number);
                question.setuptools_free_since = minor;
                minor.map(|_| ())
            }
            "--namespace" => {
                question.namespace = Some(value.to_owned());
                (question.rules == PythondistRules::Late).then_some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rules: PythondistRules, options: &str) -> Option<PythondistQuestion> {
        PythondistQuestion::read(rules, &options.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn options_of_attributes_are_known() {
        for options in [
            "--provides --majorver-provides",
            "-P -M",
            "--requires",
            "--provides --normalized-names-format pep503 --package-name x --majorver-provides-versions 3.11,3.12",
            "-R -n pep503 --require-extras-subpackages --console-scripts-nodep-setuptools-since=3.10",
            "-P --normalized-names-provide-both --majorver-provides-versions=2.7 --majorver-provides-versions 3.6",
        ] {
            assert!(read(PythondistRules::Early, options).is_some(), "{options}");
        }
        for options in ["-P --fail-if-zero", "-R --namespace python3.12"] {
            assert!(read(PythondistRules::Late, options).is_some(), "{options}");
            assert!(read(PythondistRules::Early, options).is_none(), "{options}");
        }
    }

    #[test]
    fn other_options_are_unusual() {
        for options in [
            "",
            "-M",
            "-P -R",
            "--provide",
            "-PM",
            "-P --majorver-only",
            "-R -L",
            "-P x",
            "-P -n",
            "-P -n x",
            "--recommends",
            "-P -M --majorver-provides-versions 3.6",
            "-P --majorver-provides-versions 3.6 -M",
            "-R --package-name a+b",
            "-R --console-scripts-nodep-setuptools-since 3.7",
            "-R --package-name -x",
            "-R --console-scripts-nodep-setuptools-since 3.+9",
            "-R --fail-if-zero",
            "-P --provides=1",
            "-P --namespace {}",
            "-P --package-name=",
        ] {
            assert!(read(PythondistRules::Late, options).is_none(), "{options}");
        }
    }
}
