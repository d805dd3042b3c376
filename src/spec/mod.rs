//! Spec files (rpm-spec(5)).
//!
//! [`parse`] makes a [`Spec`] of a text, for one target: packages with their dependencies, scripts and files, sources, the
//! scripts of the build, changes, each with its place. A `Spec` gives the [headers](Spec::binary_header) that its packages
//! have before they are built. What is wrong is told as it is found, in rpm's words and in rpm's order: a [`Report`] of the
//! spec's own lines goes to a listener, one of a macro to the macros' host; both can become a [`Finding`].
//!
//! What stands below can be used alone: [`LineReader`] gives the lines of a spec as rpm's parser sees them, with macros
//! expanded, conditionals decided, comments taken out and included files put in; [`SectionHeader`] knows the options of sections,
//! [`Field`] takes the lines of a preamble apart, [`read_dependencies`] what they depend on, [`read_changelog`] the changes.
//!
//! ```
//! use std::rc::Rc;
//! use rpmforge::macros::{Limits, Macros, NoHost, Table};
//! use rpmforge::spec::{Mistakes, Parsing, parse};
//!
//! let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
//! let text = "Name: hello\nVersion: 1\nRelease: 1\nSummary: Greets\nLicense: MIT\n%description\n%if 1 + 1 == 2\n\
//!     %package doc\nSummary: How\nRequires: %{name} = %{version}\n%description doc\n%endif\n";
//! let spec = parse(&macros, Parsing {
//!     file: "hello.spec",
//!     text: text.into(),
//!     can_build: &|_| true,
//!     build_root: None,
//!     mistakes: Mistakes::First,
//!     listener: Rc::new(|report| println!("{}", report.as_rpm())),
//! })?;
//! assert_eq!(spec.packages[1].name, "hello-doc");
//! assert_eq!(spec.packages[1].dependencies[0].place.line, 10);
//! # Ok::<(), rpmforge::macros::Stop>(())
//! ```

#![warn(clippy::wildcard_enum_match_arm)]
#![deny(clippy::indexing_slicing)]

mod changelog;
mod condition;
mod dependency;
mod dependency_problem;
mod dependency_reader;
mod dialect;
mod directive;
mod file_line;
mod finding;
mod limits;
mod line_reader;
mod package;
mod package_header;
mod package_problem;
mod parser;
mod place;
mod problem;
mod rich;
mod section;
mod section_header;
mod source;
mod spec_file;
mod tag;

pub use changelog::{Change, ChangelogProblem, Trim, read_changelog};
pub use dependency::{Dependency, read_dependencies, rich_capabilities};
pub use dependency_problem::{DependencyProblem, RichProblem};
pub use dependency_reader::Allows;
pub use dialect::{DialectProblem, OLD_FORMS, OldForm, OldFormRow, check_dialect};
pub use file_line::{
    FileDirective, FileItem, FileProblem, Ownership, SimpleDirective, read_file_line, read_file_line_partly,
};
pub use finding::{Finding, Through, Weight};
pub use limits::MOST_SOURCES;
pub use line_reader::{Line, LineReader, Report, ReportListener};
pub use package::{
    BuildScript, Declared, DependencyKind, FileLine, FileList, Limits, Package, Scriptlet, SourceFile, Spec,
    Target,
};
pub use package_header::{DependencyRow, ScriptText, add_dependencies, set_script_texts};
pub use package_problem::PackageProblem;
pub use parser::{Mistakes, Parsing, parse, parse_for_build, parse_part};
pub use place::Place;
pub use problem::{PlaceInMessage, SpecProblem};
pub use section::{Reading, SectionKind};
pub use section_header::{SectionHeader, SectionPackage, SectionProblem};
pub use spec_file::{PackageChecks, SpecFile, UnreadSpec};
pub use tag::{Field, SpecTag, TagProblem};
