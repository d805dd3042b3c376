//! Dependencies that are found here are those that the root's own generators find.
//!
//! They are compared with the machine's; `FORGE_TEST_ELF` names roots, separated by colons, whose programs and libraries are
//! all compared with what the root's own `elfdeps` says of them, which takes root. `FORGE_TEST_PKGCONF` names other pkgconfs,
//! separated by colons, whose answers are compared as well;
//! `FORGE_TEST_PYTHON` and `FORGE_TEST_PYTHONDISTDEPS` other Pythons and other scripts that they run, and `FORGE_TEST_PYTHON_PROJECTS`
//! folders of Python projects.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

mod builds;
mod elf;
mod made_python_metadata;
mod numbers;
mod pkgconfig;
mod pythondist;
