//! What a test of many cases found, and how many cases it takes.

use std::collections::BTreeMap;

/// Problems, each with the cases that had it.
#[derive(Default)]
pub struct Failures(BTreeMap<String, Vec<String>>);

impl Failures {
    pub fn add(&mut self, problem: String, case: String) {
        self.0.entry(problem).or_default().push(case);
    }

    /// Fails the test if there was any.
    pub fn assert_none(&self, checked: usize) {
        let count: usize = self.0.values().map(Vec::len).sum();
        for (problem, cases) in &self.0 {
            println!("{} ×: {problem}", cases.len());
            cases.iter().take(3).for_each(|case| println!("    {case}"));
        }
        assert!(count == 0, "{count} failures in {checked} cases (see above)");
    }
}

/// So many of all cases as the environment variable says: `all`, or a number.
pub fn sample<T: Clone>(all: &[T], variable: &str, default: usize) -> Vec<T> {
    let size = match std::env::var(variable).as_deref() {
        Ok("all") => all.len(),
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{variable} is `all` or a number")),
        Err(_) => default,
    };
    spread(all, size)
}

/// Evenly spread, the same in every run.
fn spread<T: Clone>(all: &[T], size: usize) -> Vec<T> {
    let size = size.min(all.len());
    (0..size).map(|at| all[(at * all.len() + all.len() / 2) / size].clone()).collect()
}
