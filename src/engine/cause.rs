//! The likely cause of a failed build, from the last lines that rpmbuild printed.

use crate::event::StageTime;

/// Words in a log, and what they mean for people. The first that fits is told.
const KNOWN: &[(&str, &str)] = &[
    ("No space left on device", "the disk is full"),
    ("Cannot allocate memory", "the machine ran out of memory"),
    ("Killed", "a program was killed, most often because the machine ran out of memory"),
    ("Installed (but unpackaged) file(s) found", "files were installed that no %files section lists"),
    ("File not found", "a %files section lists a file that was not installed"),
    ("Temporary failure in name resolution", "the build wants to reach the network"),
];

/// A sentence that says in which stage and, where the output tells, why a build failed.
pub(super) fn of(code: i32, stages: &[StageTime], tail: &[String]) -> String {
    let stage = failed_stage(tail).or_else(|| stages.last().map(|stage| stage.name.clone()));
    let place = stage.map_or_else(|| "before its first stage".to_owned(), |stage| place(&stage));
    let own: Option<i32> =
        tail.iter().rev().find_map(|line| line.split_once(" ended with exit code ")?.1.parse().ok());
    let ended = match own {
        Some(code) if code < 0 => format!("its script was ended by signal {}", code.unsigned_abs()),
        Some(code) => format!("its script ended with exit code {code}"),
        None => format!("rpmbuild ended with exit code {code}"),
    };
    let why = likely(tail).unwrap_or(ended);
    format!("it failed {place}: {why}")
}

fn place(stage: &str) -> String {
    match stage {
        super::carried_out::PACKAGING => "while its packages were put together".to_owned(),
        stage => format!("in %{stage}"),
    }
}

/// rpm names the script that failed: `error: Bad exit status from /var/tmp/rpm-tmp.x (%build)`.
fn failed_stage(tail: &[String]) -> Option<String> {
    let line = tail.iter().rev().find(|line| line.contains("Bad exit status from"))?;
    let name = line.rsplit_once("(%")?.1.trim_end_matches(')');
    Some(name.to_owned())
}

fn likely(tail: &[String]) -> Option<String> {
    if let Some(at) = tail.iter().position(|line| line.contains("Failed build dependencies")) {
        return Some(unmet(tail.get(at + 1..).unwrap_or_default()));
    }
    let known = KNOWN.iter().find(|(words, _)| tail.iter().any(|line| line.contains(words)));
    known.map(|(_, cause)| *cause).or_else(|| first_complaint(tail)).map(str::to_owned)
}

/// What rpm's list of unmet build dependencies comes to.
fn unmet(list: &[String]) -> String {
    let named = |words: &str| {
        let lines = list.iter().take_while(|line| line.starts_with(char::is_whitespace));
        let named: Vec<&str> = lines.filter_map(|line| Some(line.split_once(words)?.0.trim())).collect();
        named.join(", ")
    };
    let (missing, unwanted) = (named(" is needed by "), named(" conflicts with "));
    let missing = (!missing.is_empty()).then(|| {
        format!("packages that the spec's BuildRequires name are not installed in the root: {missing}")
    });
    let unwanted = (!unwanted.is_empty()).then(|| {
        format!("packages that the spec's BuildConflicts name are installed in the root: {unwanted}")
    });
    match (missing, unwanted) {
        (Some(missing), Some(unwanted)) => format!("{missing}; {unwanted}"),
        (one, other) => one
            .or(other)
            .unwrap_or_else(|| "the root does not have what the spec's BuildRequires name".to_owned()),
    }
}

/// The first line of the tail in which a tool says that something is wrong.
fn first_complaint(tail: &[String]) -> Option<&str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_compiler_error_is_the_cause_and_rpm_names_the_stage() {
        let tail = tail(&[
            "+ gcc hello.c",
            "hello.c:1:5: error: expected ';' before '}' token",
            "error: Bad exit status from /var/tmp/rpm-tmp.x (%build)",
        ]);
        assert_eq!(
            of(1, &[], &tail),
            "it failed in %build: hello.c:1:5: error: expected ';' before '}' token"
        );
    }

    #[test]
    fn what_is_missing_or_in_the_way_is_named() {
        let list = [
            "error: Failed build dependencies:",
            "\ta is needed by x-1-1",
            "\tb >= 2 is needed by x-1-1",
            "\tc conflicts with x-1-1",
            "y is needed by nobody",
        ];
        let missing = "packages that the spec's BuildRequires name are not installed in the root: a, b >= 2";
        let unwanted = "packages that the spec's BuildConflicts name are installed in the root: c";
        let failed = |why: &str| format!("it failed before its first stage: {why}");
        assert_eq!(of(11, &[], &tail(&list)), failed(&format!("{missing}; {unwanted}")));
        assert_eq!(of(11, &[], &tail(&list[..3])), failed(missing));
    }

    #[test]
    fn what_a_script_needs_is_no_build_dependency() {
        let tail =
            tail(&["error: no such thing", "\ta is needed by b", "error: Bad exit status from x (%check)"]);
        assert_eq!(of(1, &[], &tail), "it failed in %check: error: no such thing");
    }

    #[test]
    fn a_silent_failure_gives_the_exit_code() {
        let tail = tail(&["+ exit 3", "error: Bad exit status from /var/tmp/rpm-tmp.x (%check)"]);
        assert_eq!(of(3, &[], &tail), "it failed in %check: rpmbuild ended with exit code 3");
    }

    #[test]
    fn the_script_s_own_end_is_told_where_the_engine_tells_it() {
        let bad = "error: Bad exit status from /var/tmp/rpm-tmp.x (%build)";
        for (said, told) in [
            ("%build ended with exit code 3", "its script ended with exit code 3"),
            ("%build ended with exit code -9", "its script was ended by signal 9"),
            ("x ended with exit code -2147483648", "its script was ended by signal 2147483648"),
            ("x ended with exit code many", "rpmbuild ended with exit code 1"),
        ] {
            assert_eq!(of(1, &[], &tail(&[said, bad])), format!("it failed in %build: {told}"));
        }
    }
}
