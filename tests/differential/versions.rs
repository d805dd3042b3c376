//! The order of versions: rpm's `rpm.vercmp` and forge's are asked about the same ones, all in one process of rpm.

use std::cmp::Ordering;
use std::fmt::Write as _;

use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

use rpmforge::package::Evr;

use super::rpm;

/// How many versions are made up.
const VERSIONS: usize = 1500;

/// Versions as people write them, and as only a test does. Few characters, so that many are alike.
fn made_up() -> Vec<String> {
    let part = "(([0-9]{1,2}|0{1,3}[0-9]|[1-9][0-9]{20}|[ab]{1,2}|rc|Z)[.+_]{0,2}){1,3}";
    let pattern = format!(
        "([0-3]:)?{part}([~^]{{1,2}}{part})?([~^](git)?[0-9]{{0,2}})?(-[0-9]{{1,2}}([.~^][a0-9]{{1,2}})?)?"
    );
    let strategy = string_regex(&pattern).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut made: Vec<String> =
        (0..VERSIONS).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    made.sort();
    made.dedup();
    made
}

/// What rpm says of each pair, by the places of its two versions: `-`, `0` or `+`. Each version is named once: what a program is told has a
/// limit.
fn order_of_rpm(versions: &[&str], pairs: &[(usize, usize)]) -> Vec<char> {
    let mut script = String::from("%{lua:local versions = {");
    versions.iter().for_each(|version| write!(script, "'{version}',").unwrap());
    script += "}\nlocal pairs = {";
    pairs.iter().for_each(|(one, other)| write!(script, "{},{},", one + 1, other + 1).unwrap());
    script += "}\nlocal said = {}\nfor at = 1, #pairs, 2 do\n\
               local order = rpm.vercmp(versions[pairs[at]], versions[pairs[at + 1]])\n\
               said[#said + 1] = order < 0 and '-' or order > 0 and '+' or '0' end\nprint(table.concat(said))}";
    let run = rpm(&script);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().chars().collect()
}

fn sign(order: Ordering) -> char {
    match order {
        Ordering::Less => '-',
        Ordering::Equal => '0',
        Ordering::Greater => '+',
    }
}

#[test]
fn a_thousand_versions_have_the_order_that_rpm_gives_them() {
    let versions = made_up();
    assert!(versions.len() >= 1000, "{}", versions.len());
    for special in ["~", "^", ":", "-"] {
        assert!(versions.iter().filter(|version| version.contains(special)).count() > 100, "{special}");
    }
    let mut sorted: Vec<&str> = versions.iter().map(String::as_str).collect();
    sorted.sort_by_key(|version| Evr::parse(version));
    // Neighbours in forge's order, which are all that an order is, and others.
    let count = sorted.len();
    let near = (1..count).map(|at| (at - 1, at));
    let pairs: Vec<(usize, usize)> = near.chain((0..count).map(|at| (at, (at * 607 + 31) % count))).collect();
    let told = order_of_rpm(&sorted, &pairs);
    assert_eq!(told.len(), pairs.len());
    assert!(['-', '0', '+'].iter().all(|sign| told.contains(sign)), "{told:?}");
    let wrong: Vec<String> = pairs
        .iter()
        .map(|(one, other)| (sorted[*one], sorted[*other]))
        .zip(told)
        .filter(|((one, other), told)| sign(Evr::parse(one).cmp(&Evr::parse(other))) != *told)
        .map(|((one, other), told)| format!("{one} {told} {other}"))
        .collect();
    assert!(wrong.is_empty(), "rpm says of {}: {wrong:?}", wrong.len());
}
