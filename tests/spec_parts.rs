//! Parts that a build writes, and what they may say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up what it needs, and fails by panicking"
)]

use std::cell::RefCell;
use std::rc::Rc;

use miette::Diagnostic;
use rpmforge::macros::{Limits, Macros, NoHost, Table};
use rpmforge::package::Tag;
use rpmforge::spec::{Mistakes, Parsing, Report, Spec, parse, parse_part};

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nURL: http://x/\n\
    %description\nd\n%files\n/a\n";

/// The spec with a part; what is told, as rpm words it, and the codes of it.
fn with(part: &str) -> (Option<Spec>, Vec<String>, Vec<String>) {
    let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
    let told: Rc<RefCell<Vec<Report>>> = Rc::default();
    let parsing = |file, text: &str| {
        let listener = Rc::clone(&told);
        let listener = Rc::new(move |report: &Report| listener.borrow_mut().push(report.clone()));
        Parsing {
            file,
            text: text.into(),
            can_build: &|_| true,
            build_root: None,
            mistakes: Mistakes::First,
            listener,
        }
    };
    let spec = parse(&macros, parsing("a.spec", SPEC)).unwrap();
    let spec = parse_part(&macros, spec, parsing("a.specpart", part)).ok();
    let words = told.borrow().iter().map(Report::as_rpm).collect();
    let codes = told.borrow().iter().map(|report| report.problem.code().unwrap().to_string()).collect();
    (spec, words, codes)
}

#[test]
fn a_part_adds_to_the_main_package_and_brings_others() {
    let (spec, told, _) = with(
        "Vendor: v\nRequires: r\n%package docs\nSummary: About %{name}\n%description docs\nt\n%files docs\n/docs\n\
         %post\ntrue\n",
    );
    let spec = spec.unwrap();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(spec.packages.len(), 2);
    let (main, docs) = (&spec.packages[0], &spec.packages[1]);
    assert_eq!(main.header.text(Tag::VENDOR).unwrap(), "v");
    assert_eq!(main.dependencies.len(), 2);
    assert_eq!((main.scriptlets.len(), &*main.scriptlets[0].place.file), (1, "a.specpart"));
    assert_eq!(docs.name, "a-docs");
    assert_eq!(docs.header.text(Tag::SUMMARY).unwrap(), "About a");
    assert_eq!(docs.header.text(Tag::URL).unwrap(), "http://x/");
    assert_eq!(docs.files.as_ref().unwrap().lines[0].text, "/docs");
}

#[test]
fn a_part_comes_too_late_for_what_the_build_depends_on() {
    for tag in ["BuildRequires: x", "Source: x", "NoSource: 0", "ExclusiveArch: x", "BuildSystem: x"] {
        let (spec, told, codes) = with(&format!("{tag}\n"));
        assert!(spec.is_none());
        assert_eq!(told, [format!("error: line 1: Tag not allowed after build is done: {tag}")]);
        assert_eq!(codes, ["forge::spec::late_tag"]);
    }
    for section in ["prep", "build", "check", "sourcelist"] {
        let (spec, told, codes) = with(&format!("%{section}\ntrue\n"));
        assert!(spec.is_none());
        assert_eq!(told, [format!("error: Section %{section} is not allowed after build is done!")]);
        assert_eq!(codes, ["forge::spec::late_section"]);
    }
}

/// What the build tells once all parts have been read.
fn unfinished(spec: &Spec) -> Vec<String> {
    spec.unfinished.iter().map(|(problem, _)| problem.to_string()).collect()
}

#[test]
fn a_part_is_checked_as_specs_are() {
    // Another part may say it yet.
    let (spec, told, _) = with("%package docs\n%description docs\n");
    let (spec, nothing) = (spec.unwrap(), Vec::<String>::new());
    assert_eq!((told, spec.lacks_fields), (nothing, true));
    assert_eq!(unfinished(&spec), ["Summary field must be present in package: a-docs"]);
    let (spec, told, _) = with("Summary: again\n%description\nagain\n");
    assert_eq!(told, ["warning: line 1: second Summary", "warning: line 3: second Description"]);
    assert_eq!(spec.unwrap().packages[0].header.text(Tag::SUMMARY).unwrap(), "again");
    let (spec, told, _) = with("Version: 2\n");
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(unfinished(&spec.unwrap()), ["Duplicate Version entries in package: a"]);
    assert_eq!(with("Foo: x\n").1, ["error: line 1: Unknown tag: Foo: x"]);
}
