//! The binary from outside: a file a behaviour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod apply;
mod batches;
mod broken;
mod clean_roots;
mod collection;
mod commands;
mod confined;
mod control_characters;
mod cutoff;
mod cycles;
mod descriptors;
mod dialects;
mod diff;
mod doctor;
mod dynamic_requires;
mod eval;
mod events;
mod failures;
mod fmt;
mod holding;
mod images;
mod imports;
mod interruption;
mod keys;
mod language;
mod limits;
mod links;
mod locks;
mod log;
mod mistakes;
mod named_files;
mod names;
mod not_yet;
mod places;
mod plan;
mod publication;
mod publication_folders;
mod publication_healing;
mod publication_large;
mod publication_metadata;
mod publication_ownership;
mod publication_projects;
mod publication_readers;
mod publication_sections;
mod reading;
mod rebuild;
mod requirements;
mod retention;
mod retention_told;
mod roots;
mod schemas;
mod secrets;
mod selection;
mod settings;
mod shell;
mod source_packages;
mod sources;
mod spec;
mod srpm;
mod standing;
mod store;
mod tarballs;
mod tunables;
mod undone;
mod worker;
