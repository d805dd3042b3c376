//! What two packages have at the same place, decided as rpm decides it (`handleOverlappedFiles` in its lib/transaction.cc).

use miette::Diagnostic;
use rpmforge::chroot::compose::{ComposeError, FileDifference};

use super::made_package::{MadeFile, file, folder, link, package};
use super::scratch::{Scratch, layer};

/// What differs to rpm of what two packages have; nothing where both can be installed.
fn difference(one: MadeFile, other: MadeFile) -> Option<FileDifference> {
    match Scratch::new().compose(&[package("one", [one]), package("other", [other])]) {
        Ok(_) => None,
        Err(ComposeError::Conflict { conflict, more: 0 }) => Some(conflict.difference),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_both_have_alike_is_shared_and_all_else_is_a_conflict() {
    let plain = || file("/a", "a");
    assert_eq!(difference(plain(), plain()), None);
    assert_eq!(difference(plain(), MadeFile { modified: 1, ..plain() }), None);
    assert_eq!(difference(plain(), file("/a", "b")), Some(FileDifference::Content));
    assert_eq!(difference(plain(), MadeFile { mode: 0o100_755, ..plain() }), Some(FileDifference::Mode));
    assert_eq!(difference(plain(), MadeFile { owner: "games", ..plain() }), Some(FileDifference::Owner));
    assert_eq!(difference(plain(), MadeFile { group: "games", ..plain() }), Some(FileDifference::Owner));
    assert_eq!(difference(plain(), link("/a", "b")), Some(FileDifference::Kind));
    assert_eq!(difference(plain(), folder("/a")), Some(FileDifference::Kind));
    assert_eq!(difference(folder("/a"), folder("/a")), None);
    assert_eq!(
        difference(folder("/a"), MadeFile { mode: 0o040_700, ..folder("/a") }),
        Some(FileDifference::Mode)
    );
    assert_eq!(difference(link("/a", "b"), link("/a", "b")), None);
    assert_eq!(difference(link("/a", "b"), MadeFile { mode: 0o120_755, ..link("/a", "b") }), None);
    assert_eq!(difference(link("/a", "b"), link("/a", "c")), Some(FileDifference::Link));
    // What a package only speaks of is no obstacle.
    assert_eq!(difference(MadeFile { flags: 1 << 6, ..plain() }, file("/a", "b")), None);
}

#[test]
fn of_programs_for_other_word_lengths_the_longer_one_is_taken() {
    let program = |content, color| MadeFile { color, ..file("/usr/bin/a", content) };
    let taken = |one, other| {
        let scratch = Scratch::new();
        let farm = scratch.compose(&[package("one", [one]), package("other", [other])]).unwrap();
        layer(&farm)["usr/bin/a"].content.clone()
    };
    assert_eq!(taken(program("32", 1), program("64", 2)), b"64");
    assert_eq!(taken(program("64", 2), program("32", 1)), b"64");
    assert_eq!(difference(program("x", 2), program("y", 2)), Some(FileDifference::Content));
    assert_eq!(difference(program("x", 0), program("y", 2)), Some(FileDifference::Content));
}

#[test]
fn a_conflict_names_the_file_and_both_packages() {
    let one = package("one", [file("/usr/bin/a", "a"), file("/usr/bin/b", "b")]);
    let other = package("other", [file("/usr/bin/a", "A"), file("/usr/bin/b", "B")]);
    let error = Scratch::new().compose(&[one, other]).unwrap_err();
    assert_eq!(error.code().unwrap().to_string(), "forge::chroot::file_conflict");
    assert_eq!(
        error.to_string(),
        "`/usr/bin/a` is in both one-1-1.noarch and other-1-1.noarch, and has other content in each; one more file is like that"
    );
}

#[test]
fn a_conflict_with_the_base_names_the_package_there() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[package("base", [file("/a", "a")])]).unwrap();
    let error = scratch.compose_over(&base, &[package("added", [file("/a", "b")])]).unwrap_err();
    assert!(error.to_string().contains("in both base-1-1.noarch and added-1-1.noarch"), "{error}");
}

#[test]
fn what_lies_behind_a_file_or_a_circle_of_links_can_not_be_reached() {
    let error = |at: MadeFile| {
        let below = package("below", [file("/a/b/c", "c")]);
        Scratch::new().compose(&[package("above", [at]), below]).unwrap_err()
    };
    let behind_file = error(file("/a/b", "b"));
    assert_eq!(behind_file.code().unwrap().to_string(), "forge::chroot::no_way");
    assert_eq!(
        behind_file.to_string(),
        "`/a/b/c` of below-1-1.noarch can't be reached: `/a/b` is a file of another package"
    );
    let circle = error(link("/a", "a"));
    assert_eq!(
        circle.to_string(),
        "`/a/b/c` of below-1-1.noarch can't be reached: `/a` leads over too many links"
    );
}

#[test]
fn a_store_that_changes_all_the_time_is_told_with_what_to_look_for() {
    let error = ComposeError::Changed;
    assert_eq!(error.code().unwrap().to_string(), "forge::chroot::changed");
    assert!(error.help().unwrap().to_string().starts_with("nothing but forge may write to its cache folder"));
}
