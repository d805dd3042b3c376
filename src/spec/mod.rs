//! Spec files (rpm-spec(5)).
//!
//! So far there is what all else stands on: [`Reader`] gives the lines of a spec as rpm's parser sees them, with macros
//! expanded, conditionals decided, comments taken out and included files put in; [`read_sections`] puts them into
//! sections, whose options [`Header`] knows; [`Field`] takes the lines of a preamble apart, [`read_dependencies`] what they
//! depend on, and [`read_changelog`] the changes.
//!
//! ```
//! use std::rc::Rc;
//! use rpmforge::macros::{Limits, Macros, NoHost, Table};
//! use rpmforge::spec::{Reader, Reading};
//!
//! let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
//! let mut reader = Reader::new(macros, "hello.spec", b"%if 1 + 1 == 2\nName: hello\n%endif\n".to_vec());
//! let mut names = Vec::new();
//! while let Some(line) = reader.next(Reading::Text)? {
//!     names.extend(line.text);
//! }
//! assert_eq!(names, b"\nName: hello\n\n");
//! # Ok::<(), rpmforge::macros::Stop>(())
//! ```

#![deny(clippy::indexing_slicing)]

mod changelog;
mod condition;
mod dependency;
mod directive;
mod finding;
mod header;
mod headers;
mod package;
mod package_problem;
mod parser;
mod problem;
mod reader;
mod rich;
mod section;
mod source;
mod tag;

pub use changelog::{Change, ChangelogProblem, Trim, read_changelog};
pub use dependency::{Allows, Dependency, DependencyProblem, mentioned, read as read_dependencies};
pub use finding::{Finding, Through, Weight};
pub use header::{Belongs, Header, HeaderProblem};
pub use package::{
    BuildScript, Declared, DependencyKind, FileLine, FileList, Limits, Package, Place, Scriptlet, SourceFile,
    Spec, Target,
};
pub use package_problem::PackageProblem;
pub use parser::{Parsing, parse};
pub use problem::{Named, Problem};
pub use reader::{Line, Listener, Reader, Reading, Report};
pub use rich::RichProblem;
pub use section::{Section, SectionKind, read_sections};
pub use tag::{Field, Tag, TagProblem};
