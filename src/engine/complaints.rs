//! Why a build failed, in a sentence for people: what scripts have complained about, and what is known of it.

use super::Unmet;

/// The name of the stage in which packages are put together, which is no section of a spec.
pub(super) const PACKAGING: &str = "packages";

/// Words that programs write, and what they mean for people. The first that fits is shown.
const KNOWN: &[(&str, &str)] = &[
    ("No space left on device", "the disk is full"),
    ("Cannot allocate memory", "the machine ran out of memory"),
    ("Killed", "a program was killed, most often because the machine ran out of memory"),
];

/// Words of programs that could not reach what is elsewhere.
const WANTS_NETWORK: &[&str] = &[
    "Temporary failure in name resolution",
    "Name or service not known",
    "failure resolving",
    "ould not resolve host",
    "ouldn't resolve host",
    "unable to resolve host",
    "failed to lookup address information",
    "Network is unreachable",
    "getaddrinfo EAI_AGAIN",
    "getaddrinfo ENOTFOUND",
    "dial tcp: lookup",
];

/// Words of programs that could start no other, or no thread.
const WANTS_PROCESSES: &[&str] = &["Cannot fork", "can't fork", "cannot fork", "can't start new thread"];

/// What stands beside those that the C library has for it.
const STARTS: &[&str] = &["fork", "thread", "spawn", "exec"];

/// Whether the last lines say that something elsewhere was to be reached.
pub(super) fn wants_network(tail: &[String]) -> bool {
    tail.iter().any(|line| WANTS_NETWORK.iter().any(|words| line.contains(words)))
}

/// Whether the last lines say that there were no more processes to be had.
pub(super) fn wants_processes(tail: &[String]) -> bool {
    let is_start = |line: &String| STARTS.iter().any(|word| line.contains(word));
    tail.iter().filter(|line| !is_trace(line)).any(|line| {
        WANTS_PROCESSES.iter().any(|words| line.contains(words))
            || line.contains("esource temporarily unavailable") && is_start(line)
    })
}

/// What a build that ended well and has no package lacks.
pub(super) const NO_FILES_SECTION: &str =
    "the spec makes no package: it has no %files section (an empty one makes a package without files)";

/// Lines that say that something else has failed, whose own words stand before them.
const CONSEQUENCES: &[&str] = &[
    "ld returned 1 exit status",
    "linker command failed",
    "error: linking with ",
    "error: could not compile",
    "error: aborting due to",
    "error: test failed, to rerun",
    "error: process didn't exit successfully",
    "subprocess-exited-with-error",
    "returned non-zero exit status",
    "Failed building wheel",
    "ninja: build stopped",
    "Bad exit status from",
];

/// What stands in a line of a compiler, linker or configuring program that says what is wrong.
const ERRORS: &[&str] = &[
    ": error: ",
    ": fatal error: ",
    ": ERROR: ",
    ": Error: ",
    "undefined reference to ",
    "undefined symbol: ",
    "multiple definition of ",
    "cannot find -l",
    "*** No rule to make target",
    ": command not found",
    ": cannot stat ",
    "' panicked at ",
];

/// What such a line begins with.
const ERROR_BEGINNINGS: &[&str] = &["error: ", "error[E", "fatal: ", "ERROR: ", "Error: ", "CMake Error"];

/// What the line of a test that failed begins with: TAP, unittest and Automake, Go, GoogleTest.
const TEST_BEGINNINGS: &[&str] = &["FAIL: ", "--- FAIL: ", "[  FAILED  ] "];

/// How sure it is that a line says why a stage failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// The last line of a Python traceback: programs also print those of errors that they have handled.
    Traceback,
    /// A compiler or the like has found a mistake.
    Error,
    /// The name of a test that failed: what was wrong with it comes later.
    TestName,
    /// A test has failed. Tests print the errors that they want, too.
    Test,
}

/// How sure it is that this line says why a stage failed, wherever in the stage it stands; none where it doesn't.
pub(super) fn weigh(line: &str) -> Option<Weight> {
    let line = line.trim();
    if is_trace(line) || is_consequence(line) {
        return None;
    }
    if is_failed_test(line) {
        return Some(Weight::Test);
    }
    if is_name_of_failed_test(line) {
        return Some(Weight::TestName);
    }
    let is_error = ERROR_BEGINNINGS.iter().any(|words| line.starts_with(words))
        || ERRORS.iter().any(|words| line.contains(words))
        || line.starts_with("Can't locate ") && line.contains("@INC");
    is_error.then_some(Weight::Error)
}

fn is_failed_test(line: &str) -> bool {
    let is_expected = || {
        let lower = line.to_ascii_lowercase();
        lower.contains("# todo") || lower.contains("# skip")
    };
    line.starts_with("not ok ") && !is_expected()
        || TEST_BEGINNINGS.iter().any(|words| line.starts_with(words))
        || line.starts_with("FAILED ") && !line.starts_with("FAILED (")
        || line.starts_with("ERROR ") && line.contains(".py")
        || line.starts_with("test ") && line.ends_with(" ... FAILED")
        || line.contains("***Failed")
        || line.contains("***Exception")
        || line.contains("#   Failed test ")
        || is_failed_meson_test(line)
}

/// `tests/test_a.py::test_mul FAILED   [ 50%]`, as `pytest -v` says it before all that it knows.
fn is_name_of_failed_test(line: &str) -> bool {
    let is_ended = |words: &str| words == "FAILED" || words.starts_with("FAILED ") && words.ends_with("%]");
    line.split_once("::").is_some_and(|(file, rest)| {
        let mut words = rest.splitn(2, ' ');
        let _name = words.next();
        file.ends_with(".py") && words.next().is_some_and(|words| is_ended(words.trim()))
    })
}

/// `3/10 name FAIL 0.01s`
fn is_failed_meson_test(line: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let first = line.split(' ').next().and_then(|word| word.split_once('/'));
    first.is_some_and(|(number, all)| is_number(number) && is_number(all)) && line.contains(" FAIL ")
}

fn is_consequence(line: &str) -> bool {
    let is_make = line.contains("*** ") && line.starts_with("make") && !line.contains("No rule to make");
    // ninja names what it could not make, and then prints what the compiler said.
    is_make || line.starts_with("FAILED: ") || CONSEQUENCES.iter().any(|words| line.contains(words))
}

/// Whether make goes on in spite of what stands before this line.
pub(super) fn is_ignored(line: &str) -> bool {
    line.starts_with("make") && line.ends_with("(ignored)")
}

/// Whether a line is the trace of a shell: `+ make check`.
pub(super) fn is_trace(line: &str) -> bool {
    let command = line.trim_start_matches('+');
    command.len() < line.len() && (command.is_empty() || command.starts_with(' '))
}

/// Whether rpm, or forge in its place, prints this line for every build, or for every one that fails.
pub(super) fn is_boilerplate(line: &str) -> bool {
    let words = line.trim_start();
    words.starts_with("Executing(")
        || words.starts_with("Building target platforms:")
        || words.starts_with("Building for target ")
        || words.starts_with("RPM build ")
        || words.contains("Bad exit status from")
        || words.starts_with('%') && words.contains(" ended with exit code ")
}

/// The most characters of a line that a sentence quotes.
const LONGEST_QUOTE: usize = 240;

/// What a line says that something is wrong with, without where the linker has found it: that differs from one build to
/// the next.
pub(super) fn quote(line: &str) -> String {
    let line = line.trim();
    let line = line.find("undefined reference to ").map_or(line, |at| &line[at..]);
    match line.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

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

/// The first of the last lines in which a tool says that something is wrong; one that only says that something else has
/// failed where there is no other.
pub(super) fn first_complaint(tail: &[String]) -> Option<String> {
    let complains = |line: &&&String| {
        let lower = line.to_ascii_lowercase().replace("-werror", "");
        !is_trace(line)
            && !is_boilerplate(line)
            && ["error:", "error ", "fatal:", "not found", "no such file"]
                .iter()
                .any(|word| lower.contains(word))
    };
    let complaints: Vec<&String> = tail.iter().filter(|line| complains(&line)).collect();
    let first = complaints.iter().find(|line| !is_consequence(line)).or(complaints.first());
    first.map(|line| quote(line))
}

/// Says which build dependencies are unmet.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_why_is_told_from_what_follows_of_it() {
        let errors = [
            "hello.c:1:5: error: expected ';' before '}' token",
            "/usr/bin/ld: hello.c:(.text+0x9): undefined reference to `oldfoo'",
            "error[E0308]: mismatched types",
            "CMake Error at CMakeLists.txt:5 (find_package):",
            "configure: error: no acceptable C compiler found in $PATH",
            "make: *** No rule to make target 'x.c', needed by 'x.o'.  Stop.",
            "/var/tmp/rpm-tmp.1: line 40: foo: command not found",
        ];
        let tests = [
            "not ok 3 - reads a name",
            "FAILED tests/test_x.py::test_a - assert 1 == 2",
            "FAIL: test_x (test_foo.T)",
            "test names::are_read ... FAILED",
            "2/4 Test #2: names ......***Failed    0.01 sec",
            " 3/10 names  FAIL  0.01s",
            "t/mul.t .. 1/9 #   Failed test 4 - mul",
        ];
        let names = ["tests/test_a.py::test_mul FAILED", "test_a.py::TestA::test_b FAILED           [ 50%]"];
        let neither = [
            "collect2: error: ld returned 1 exit status",
            "make: *** [Makefile:3: all] Error 1",
            "error: could not compile `hello`",
            "error: Bad exit status from /var/tmp/rpm-tmp.x (%build)",
            "+ echo 'a.c:1: error: x'",
            "not ok 4 - later # TODO",
            "#   Failed (TODO) test 'later'",
            "tests/test_a.py::test_add PASSED",
            "FAILED (failures=1)",
            "gcc -Werror -c a.c",
            "checking for x... not found",
        ];
        errors.iter().for_each(|line| assert_eq!(weigh(line), Some(Weight::Error), "{line}"));
        names.iter().for_each(|line| assert_eq!(weigh(line), Some(Weight::TestName), "{line}"));
        tests.iter().for_each(|line| assert_eq!(weigh(line), Some(Weight::Test), "{line}"));
        neither.iter().for_each(|line| assert_eq!(weigh(line), None, "{line}"));
    }

    #[test]
    fn a_line_that_only_follows_is_taken_where_there_is_no_other() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let make = "make: *** [Makefile:3: all] Error 1";
        assert_eq!(first_complaint(&lines(&["gcc -Werror x", make])).as_deref(), Some(make));
        let both = lines(&[make, "cat: x: No such file or directory"]);
        assert_eq!(first_complaint(&both).as_deref(), Some("cat: x: No such file or directory"));
    }

    #[test]
    fn who_wants_the_network_or_more_processes_says_so_in_words_of_many_programs() {
        let says = |line: &str, asks: fn(&[String]) -> bool| asks(&[line.to_owned()]);
        for line in [
            "curl: (6) Could not resolve host: example.org",
            "fatal: unable to access 'https://example.org/': Couldn't resolve host 'example.org'",
            "Get \"https://example.org/\": dial tcp: lookup example.org on 10.0.0.1:53: refused",
            "ping: example.org: Temporary failure in name resolution",
        ] {
            assert!(says(line, wants_network) && !says(line, wants_processes), "{line}");
        }
        for line in [
            "sh: 3: Cannot fork",
            "bash: fork: retry: Resource temporarily unavailable",
            "make: vfork: Resource temporarily unavailable",
            "std::system_error: thread: Resource temporarily unavailable",
            "RuntimeError: can't start new thread",
        ] {
            assert!(says(line, wants_processes) && !says(line, wants_network), "{line}");
        }
        for line in ["+ echo Cannot fork", "read: Resource temporarily unavailable", "host example.org ok"] {
            assert!(!says(line, wants_processes) && !says(line, wants_network), "{line}");
        }
    }

    #[test]
    fn a_quote_leaves_out_where_the_linker_was_and_is_not_long() {
        assert_eq!(quote(" x.c:(.text+0x9): undefined reference to `f'"), "undefined reference to `f'");
        assert_eq!(quote(&"é".repeat(1000)).chars().count(), LONGEST_QUOTE + 1);
    }
}
