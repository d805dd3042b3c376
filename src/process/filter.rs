//! Programs that read something and write something: several at a time, each to its end.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::plain::{code, plain};

/// A program, its words given, and what it reads.
type Job = (Vec<Vec<u8>>, Vec<u8>);

/// What comes of it: its exit code, and what it wrote.
type FilterOutput = io::Result<(i32, Vec<u8>)>;

/// Runs programs, as many at a time as `threads` says; gives their answers in the order of the jobs.
pub fn filter_all(
    jobs: &[Job],
    environment: &BTreeMap<OsString, OsString>,
    folder: Option<&Path>,
    threads: usize,
) -> Vec<FilterOutput> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<Option<FilterOutput>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while let Some((at, job)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?)))
        {
            let answer = filter(job, environment, folder);
            if let Ok(mut answers) = answers.lock()
                && let Some(place) = answers.get_mut(at)
            {
                *place = Some(answer);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let answers = answers.into_inner().unwrap_or_default();
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(io::ErrorKind::Other.into()))).collect()
}

fn filter(
    (words, input): &Job,
    environment: &BTreeMap<OsString, OsString>,
    folder: Option<&Path>,
) -> FilterOutput {
    let mut words = words.iter().map(|word| OsStr::from_bytes(word));
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = plain(program, environment, folder);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let mut output = Vec::new();
    std::thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            // One that does not read all of it has its reasons.
            scope.spawn(move || drop(stdin.write_all(input)));
        }
        stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output))
    })?;
    Ok((code(child.wait()?), output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_jobs() {
        let job = |word: &str| {
            (vec![b"/bin/sh".to_vec(), b"-c".to_vec(), word.as_bytes().to_vec()], b"in\n".to_vec())
        };
        let jobs =
            [job("sleep 0.1; cat"), job("echo second; exit 3"), (vec![b"/nosuch".to_vec()], Vec::new())];
        let environment = BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]);
        let answers = filter_all(&jobs, &environment, None, 4);
        let [Ok(first), Ok(second), Err(_)] = answers.as_slice() else {
            panic!("{answers:?}");
        };
        assert_eq!((first, second), (&(0, b"in\n".to_vec()), &(3, b"second\n".to_vec())));
    }
}
