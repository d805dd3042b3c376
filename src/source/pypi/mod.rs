//! Packages of Python's, from PyPI or an index like it.
//!
//! The index names a project's files with their checksums (the simple API, PEP 503 and 691); of the wanted version the source distribution is
//! taken. All else is read from it: `PKG-INFO` (the core metadata), `pyproject.toml` (PEP 517, 518, 621, 639), and which files it has.
//! The spec is as Fedora's guidelines have it, with the macros of pyproject-rpm-macros: what a build needs is asked of the project when
//! it is built.

mod entry_points;
mod gather;
mod index;
mod metadata;
mod modules;
mod native;
mod page;
mod sdist_files;
mod spec;
mod version;

pub use gather::{PypiRequest, find_sdist, gather, make_spec};
pub use index::{Sdist, choose};
pub use metadata::PythonProject;
pub use page::PAGE_FORMS;
pub use spec::{PythonSpecSettings, write_spec};
pub use version::normalized_name;
