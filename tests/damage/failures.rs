//! What a test of many cases found, and how many cases it takes.

use std::collections::BTreeMap;

/// After how many cases a run that takes long says where it is.
const OFTEN: usize = 10;

/// Fewer cases than this are done before anybody asks.
const FEW: usize = 100;

/// Problems, each with the cases that had it.
#[derive(Default)]
pub struct Failures(BTreeMap<String, Vec<String>>);

impl Failures {
    pub fn add(&mut self, problem: String, case: String) {
        let cases = self.0.entry(problem.clone()).or_default();
        if cases.is_empty() {
            println!("FAILURE: {problem}\n    {case}");
        }
        cases.push(case);
    }

    /// Tells how far a run is that takes long.
    pub fn tell_progress(&self, done: usize, of: usize) {
        if done.is_multiple_of(OFTEN) && of > FEW {
            println!("{done} of {of}, {} failures", self.count());
        }
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Fails the test if there was any.
    pub fn assert_none(&self, checked: usize) {
        let count = self.count();
        for (problem, cases) in &self.0 {
            println!("{} ×: {problem}", cases.len());
            cases.iter().take(3).for_each(|case| println!("    {case}"));
        }
        assert!(count == 0, "{count} failures in {checked} cases (see above)");
    }
}

/// So many of all cases as the environment variable says: `all`, a number, or `2/3` for the second of three parts, which
/// can run side by side.
pub fn sample<T: Clone>(all: &[T], variable: &str, default: usize) -> Vec<T> {
    let wanted = match std::env::var(variable) {
        Ok(wanted) if wanted == "all" => return all.to_vec(),
        Ok(wanted) => wanted,
        Err(_) => return spread(all, default),
    };
    let number = |text: &str| {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.unwrap_or_else(|| panic!("{variable} is `all`, a number, or a part such as `1/2`"))
    };
    match wanted.split_once('/') {
        Some((part, parts)) => all.iter().skip(number(part) - 1).step_by(number(parts)).cloned().collect(),
        None => spread(all, number(&wanted)),
    }
}

/// Evenly spread, the same in every run.
fn spread<T: Clone>(all: &[T], size: usize) -> Vec<T> {
    let size = size.min(all.len());
    (0..size).map(|at| all[(at * all.len() + all.len() / 2) / size].clone()).collect()
}

/// Another order of the same cases: wherever a run that takes long is ended, what it has taken is spread over all.
pub fn scattered<T>(cases: Vec<T>) -> Vec<T> {
    let count = cases.len();
    // By the golden ratio each next case falls into the largest gap that the ones before it have left.
    let turn = |at: usize| (at as f64 * 0.618_033_988_749_895).fract();
    let mut turns: Vec<usize> = (0..count).collect();
    turns.sort_by(|one, other| turn(*one).total_cmp(&turn(*other)));
    let mut placed: Vec<(usize, T)> = turns.into_iter().zip(cases).collect();
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, case)| case).collect()
}
