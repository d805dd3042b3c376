//! Why builds failed: a block for each failure, however many chroots it was the same in.

use std::collections::{BTreeSet, HashMap};

use crate::event::{Ended, Failure, Problem, Severity};

/// The code of a problem that says that a script has failed.
const SCRIPT_FAILED: &str = "forge::engine::bad_exit";

/// How many problems of a build are shown; all of them are in its log.
const PROBLEMS_SHOWN: usize = 5;

/// The stages that a log is divided by: `forge log --stage` takes them.
const STAGES_OF_LOG: &[&str] =
    &["prep", "generate_buildrequires", "conf", "build", "install", "check", "clean"];

/// The longest part of a log's line that is shown, in characters.
const LONGEST_LINE: usize = 400;

/// The failures of these builds, each with the lines of the log that say why and where there is more.
pub(super) fn failure_blocks(builds: &[Ended]) -> String {
    let mut builds_of_package: HashMap<&str, usize> = HashMap::new();
    for ended in builds {
        *builds_of_package.entry(&ended.build.package).or_default() += 1;
    }
    let has_several = |package: &str| builds_of_package.get(package).is_some_and(|number| *number > 1);
    let fold = |same: &SameFailure<'_>| block(same, has_several(&same.first.build.package));
    same_failures(builds).iter().map(fold).collect()
}

/// Builds of one package that failed in the same way: one, and all chroots.
struct SameFailure<'a> {
    first: &'a Ended,
    failure: &'a Failure,
    chroots: BTreeSet<&'a str>,
}

fn same_failures(builds: &[Ended]) -> Vec<SameFailure<'_>> {
    let mut all: Vec<SameFailure<'_>> = Vec::new();
    let mut places: HashMap<(&str, String), usize> = HashMap::new();
    for ended in builds {
        let Some(failure) = &ended.failure else {
            continue;
        };
        let (package, chroot) = (ended.build.package.as_str(), ended.build.chroot.as_str());
        let known = *places.entry((package, without_place(&failure.cause, chroot))).or_insert(all.len());
        match all.get_mut(known) {
            Some(same) => {
                // Which of them ended first is chance.
                if same.chroots.iter().all(|other| chroot < *other) {
                    (same.first, same.failure) = (ended, failure);
                }
                same.chroots.insert(chroot);
            }
            None => all.push(SameFailure { first: ended, failure, chroots: BTreeSet::from([chroot]) }),
        }
    }
    all
}

/// A cause without what differs from chroot to chroot: its name, folders, addresses.
fn without_place(cause: &str, chroot: &str) -> String {
    let words = cause.split_whitespace().map(|word| {
        let name = word.rsplit('/').next().unwrap_or(word).replace(chroot, "");
        let is_address = name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).starts_with("0x");
        if is_address { String::new() } else { name }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn block(same: &SameFailure<'_>, has_several: bool) -> String {
    let SameFailure { first, failure, chroots } = same;
    let package = &first.build.package;
    let chroots = chroots.iter().copied().collect::<Vec<_>>().join(", ");
    let mut text = format!("{package} in {chroots}: {}\n", printable(&failure.cause));
    for line in &failure.excerpt {
        text.push_str(format!("  │ {}", printable(line)).trim_end());
        text.push('\n');
    }
    // Of a script that failed its own lines say why.
    let problems = failure.problems.iter().filter(|problem| problem.code != SCRIPT_FAILED);
    for problem in problems.filter(|problem| problem.severity == Severity::Error).take(PROBLEMS_SHOWN) {
        text.push_str(&shown_problem(problem));
    }
    if failure.log.is_some() && !first.stages.is_empty() {
        text.push_str(&format!("  whole log: {}\n", log_command(first, has_several)));
    }
    if let Some(tree) = &failure.tree {
        text.push_str(&format!("  build tree: {tree}\n"));
        text.push_str(&format!("  shell in it: {}\n", command_of("shell", first, has_several)));
    }
    text.push('\n');
    text
}

/// A command about a build.
fn command_of(command: &str, ended: &Ended, has_several: bool) -> String {
    let mut words = format!("forge {command} {}", ended.build.package);
    if has_several {
        words.push_str(&format!(" --chroot {}", ended.build.chroot));
    }
    words
}

/// The command that shows the part of the log in which the build failed.
fn log_command(ended: &Ended, has_several: bool) -> String {
    let mut command = command_of("log", ended, has_several);
    let last = ended.stages.last().map(|stage| stage.name.as_str());
    if let Some(stage) = last.filter(|stage| STAGES_OF_LOG.contains(stage)) {
        command.push_str(&format!(" --stage {stage}"));
    }
    command
}

/// The place of a problem, its code and what can be done: its words are in the lines of the log.
fn shown_problem(problem: &Problem) -> String {
    let mut text = format!("  {}", problem.code);
    if let (Some(file), Some(line)) = (&problem.file, problem.line) {
        text.push_str(&format!(" at {}:{line}", printable(file)));
    }
    text.push('\n');
    for step in &problem.through {
        text.push_str(&format!("    {}\n", printable(step)));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("    help: {}\n", printable(help)));
    }
    text
}

/// A line of a log without what would move the cursor or change colours.
fn printable(line: &str) -> String {
    let short: String = line.chars().take(LONGEST_LINE).map(|c| if c == '\t' { ' ' } else { c }).collect();
    short.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{BuildName, StageTime, State};

    fn failed(package: &str, chroot: &str, cause: &str) -> Ended {
        let failure = Failure {
            cause: cause.to_owned(),
            problems: Vec::new(),
            excerpt: vec![format!("a line of {chroot}")],
            log: Some(format!(".forge/results/{chroot}/1/build.log")),
            tree: Some(format!(".forge/work/{chroot}/{package}/BUILD")),
        };
        Ended {
            build: BuildName { package: package.to_owned(), chroot: chroot.to_owned() },
            number: Some(1),
            state: State::Failed,
            duration: Duration::ZERO,
            stages: vec![StageTime { name: "check".to_owned(), milliseconds: 1 }],
            skipped: None,
            failure: Some(failure),
            results: None,
        }
    }

    #[test]
    fn the_same_failure_in_several_chroots_is_one_block() {
        let cause = |folder: &str| format!("it failed in %check: /{folder}/x.c:3: error: no such thing");
        let builds = [
            failed("libfoo", "el9", &cause("work/el9/libfoo-1.el9")),
            failed("other", "el9", &cause("x")),
            failed("libfoo", "fedora-42", &cause("work/fedora-42/libfoo-1.fc42")),
            failed("libfoo", "fedora-43", "it failed in %check: something else"),
        ];
        let shown = failure_blocks(&builds);
        assert_eq!(
            shown,
            "libfoo in el9, fedora-42: it failed in %check: /work/el9/libfoo-1.el9/x.c:3: error: no such thing\n  \
             │ a line of el9\n  whole log: forge log libfoo --chroot el9 --stage check\n  build tree: \
             .forge/work/el9/libfoo/BUILD\n  shell in it: forge shell libfoo --chroot el9\n\nother in el9: it failed in %check: /x/x.c:3: error: no such thing\n  \
             │ a line of el9\n  whole log: forge log other --stage check\n  build tree: \
             .forge/work/el9/other/BUILD\n  shell in it: forge shell other\n\nlibfoo in fedora-43: it failed in %check: something else\n  │ a line of \
             fedora-43\n  whole log: forge log libfoo --chroot fedora-43 --stage check\n  build tree: \
             .forge/work/fedora-43/libfoo/BUILD\n  shell in it: forge shell libfoo --chroot fedora-43\n\n"
        );
    }

    #[test]
    fn a_log_line_cannot_move_the_cursor() {
        assert_eq!(printable("\u{1b}[2Jgone\tthere"), "[2Jgone there");
    }
}
