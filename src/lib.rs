//! rpmforge: a manifest declares what must exist; forge works out what must be built, in which order, in which root, and
//! builds only what has changed.
//!
//! The modules in the order of their layers: one may use what stands below it, never what stands above it
//! (`tests/architecture/` sees to that).
//!
//! - [`cli`]: one file a command; turns arguments into library calls and results into screens
//! - [`serve`]: a folder over HTTP
//! - [`ui`]: terminal progress, tables, colours, drawings of the graph
//! - [`publish`]: results → a repository: packages, metadata
//! - [`execute`]: a plan → results: scheduler, retries, timeouts; steps run on this machine
//! - [`import`]: what mock, dnf and Anda say of roots and packages → KDL
//! - [`plan`]: manifest → a graph of steps, each with a key that names everything its result depends on
//! - [`source`]: where packages come from → verified files
//! - [`manifest`]: KDL text → `Manifest`; every mistake is a diagnostic with a span
//! - [`chroot`]: roots to build in, and what identifies them
//! - [`sandbox`]: a program in a root of its own: namespaces, mounts, limits, no network
//! - [`store`]: content-addressed blobs, step results by key, build history; collection of what is no longer needed
//! - [`engine`]: the package build process: a spec and its sources → packages; the contract of engines
//! - [`spec`]: spec text → `Spec`
//! - [`macros`]: rpm's macro language: table, expansion, built-ins, expressions, Lua
//! - [`package`]: the .rpm file: header, dependencies, payload; repository metadata records
//! - [`signature`]: who signed a file: declared keys, and what they say of signatures
//! - [`event`]: what can happen, as data; written by engine and execute, read by everything that shows
//! - [`fetch`]: the one HTTP client: files from mirrors, checked while they come
//! - [`digest`]: `Digest`, `Key`, and the canonical encoding that keys are made of; checksums of files
//! - [`text`]: source texts, byte spans, `Spanned<T>`: what every diagnostic points into
//! - [`process`]: the one way to start a program: output streamed, limits, a whole tree of processes ended
//! - [`files`]: the one way to reach files: folder handles, atomic writes, locks

pub mod cli;
pub mod serve;
pub mod ui;

pub mod publish;

pub mod execute;

pub mod import;

pub mod plan;

pub mod source;

pub mod manifest;

pub mod chroot;

pub mod sandbox;

pub mod store;

pub mod engine;

pub mod spec;

pub mod macros;

pub mod package;

pub mod signature;

pub mod event;

pub mod fetch;

pub mod digest;

pub mod text;

pub mod process;

pub mod files;

/// The C library's allocator, linked in, asks the kernel for the memory of threads a page at a time, which takes long for many packages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
