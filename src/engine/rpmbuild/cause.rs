//! The likely cause of a failed build, from the last lines that rpmbuild printed.

use crate::engine::Unmet;
use crate::engine::complaints::{self, first_complaint, known_cause, place};
use crate::engine::log_excerpt::LogExcerpt;
use crate::event::StageTime;

/// What rpm says of what it finds itself, and what it means for people.
const KNOWN: &[(&str, &str)] = &[
    ("Installed (but unpackaged) file(s) found", "files were installed that no %files section lists"),
    ("File not found", "a %files section lists a file that was not installed"),
];

/// A sentence that says in which stage and, where the output tells, why a build failed; `known` is what is known of that already.
pub(super) fn describe_failure(
    code: i32,
    stages: &[StageTime],
    log: &LogExcerpt,
    known: Option<&str>,
) -> String {
    let tail = &log.tail;
    let stage = failed_stage(tail).or_else(|| stages.last().map(|stage| stage.name.clone()));
    let place = stage.map_or_else(|| "before its first stage".to_owned(), |stage| place(&stage));
    let why = known
        .map(str::to_owned)
        .or_else(|| likely(log))
        .unwrap_or_else(|| format!("rpmbuild ended with exit code {code}"));
    format!("it failed {place}: {why}")
}

/// rpm names the script that failed: `error: Bad exit status from /var/tmp/rpm-tmp.x (%build)`.
fn failed_stage(tail: &[String]) -> Option<String> {
    let line = tail.iter().rev().find(|line| line.contains("Bad exit status from"))?;
    let name = line.rsplit_once("(%")?.1.trim_end_matches(')');
    Some(name.to_owned())
}

fn likely(log: &LogExcerpt) -> Option<String> {
    let tail = &log.tail;
    if let Some(at) = tail.iter().position(|line| line.contains("Failed build dependencies")) {
        return Some(unmet(tail.get(at + 1..).unwrap_or_default()));
    }
    let known = KNOWN.iter().find(|(words, _)| tail.iter().any(|line| line.contains(words)));
    let known = known_cause(tail).or(known.map(|(_, cause)| *cause));
    let known = known.map(str::to_owned);
    known.or_else(|| log.error.clone()).or_else(|| first_complaint(tail))
}

/// Says which build dependencies rpm's list names as unmet.
fn unmet(list: &[String]) -> String {
    let lines = list.iter().take_while(|line| line.starts_with(char::is_whitespace));
    let read = |line: &String| {
        let (words, is_conflict) = match line.split_once(" is needed by ") {
            Some(words) => (words, false),
            None => (line.split_once(" conflicts with ")?, true),
        };
        let (dependency, package) = (words.0.trim().to_owned(), words.1.to_owned());
        Some(Unmet { dependency, is_conflict, package })
    };
    complaints::unmet(&lines.filter_map(read).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::log_excerpt::LogReader;

    fn tail(lines: &[&str]) -> LogExcerpt {
        let mut reader = LogReader::new();
        lines.iter().for_each(|line| reader.push(format!("{line}\n").as_bytes(), |_| {}));
        reader.finish()
    }

    #[test]
    fn a_compiler_error_is_the_cause_and_rpm_names_the_stage() {
        let tail = tail(&[
            "+ gcc hello.c",
            "hello.c:1:5: error: expected ';' before '}' token",
            "error: Bad exit status from /var/tmp/rpm-tmp.x (%build)",
        ]);
        assert_eq!(
            describe_failure(1, &[], &tail, None),
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
        assert_eq!(describe_failure(11, &[], &tail(&list), None), failed(&format!("{missing}; {unwanted}")));
        assert_eq!(describe_failure(11, &[], &tail(&list[..3]), None), failed(missing));
    }

    #[test]
    fn what_a_script_needs_is_no_build_dependency() {
        let tail =
            tail(&["error: no such thing", "\ta is needed by b", "error: Bad exit status from x (%check)"]);
        assert_eq!(describe_failure(1, &[], &tail, None), "it failed in %check: error: no such thing");
    }

    #[test]
    fn a_silent_failure_gives_the_exit_code() {
        let tail = tail(&["+ exit 3", "error: Bad exit status from /var/tmp/rpm-tmp.x (%check)"]);
        assert_eq!(
            describe_failure(3, &[], &tail, None),
            "it failed in %check: rpmbuild ended with exit code 3"
        );
    }
}
