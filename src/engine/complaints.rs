//! Why a build failed, in a sentence for people: what scripts have complained about, and what is known of it.

use super::Unmet;

/// The name of the stage in which packages are put together, which is no section of a spec.
pub(super) const PACKAGING: &str = "packages";

/// Words that programs write, and what they mean for people. The first that fits is told.
const KNOWN: &[(&str, &str)] = &[
    ("No space left on device", "the disk is full"),
    ("Cannot allocate memory", "the machine ran out of memory"),
    ("Killed", "a program was killed, most often because the machine ran out of memory"),
    ("Temporary failure in name resolution", "the build wants to reach the network"),
];

/// Where a build was.
pub(super) fn place(stage: &str) -> String {
    match stage {
        PACKAGING => "while its packages were put together".to_owned(),
        stage => format!("in %{stage}"),
    }
}

/// What is known of words in the last lines of a log.
pub(super) fn known_cause(tail: &[String]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(words, _)| tail.iter().any(|line| line.contains(words)));
    known.map(|(_, cause)| *cause)
}

/// The first line of the tail in which a tool says that something is wrong.
pub(super) fn first_complaint(tail: &[String]) -> Option<&str> {
    let complains = |line: &&String| {
        let lower = line.to_ascii_lowercase();
        let rpms_own = lower.contains("bad exit status") || lower.starts_with("rpm build errors");
        !rpms_own
            && !line.starts_with('+')
            && ["error:", "error ", "fatal:", "not found", "no such file"]
                .iter()
                .any(|word| lower.contains(word))
    };
    tail.iter().find(complains).map(|line| line.trim())
}

/// What unmet build dependencies come to.
pub(super) fn unmet(unmet: &[Unmet]) -> String {
    let named = |is_conflict: bool| {
        let named = unmet.iter().filter(|unmet| unmet.is_conflict == is_conflict);
        let named: Vec<&str> = named.map(|unmet| unmet.dependency.as_str()).collect();
        (!named.is_empty()).then(|| named.join(", "))
    };
    let missing = named(false).map(|missing| {
        format!("packages that the spec's BuildRequires name are not installed in the root: {missing}")
    });
    let unwanted = named(true).map(|unwanted| {
        format!("packages that the spec's BuildConflicts name are installed in the root: {unwanted}")
    });
    match (missing, unwanted) {
        (Some(missing), Some(unwanted)) => format!("{missing}; {unwanted}"),
        (one, other) => one
            .or(other)
            .unwrap_or_else(|| "the root does not have what the spec's BuildRequires name".to_owned()),
    }
}
