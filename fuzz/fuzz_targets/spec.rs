//! Any text is parsed as a spec, or it is told where it can't be; of one that is parsed all headers can be had and shown; and
//! every line is taken apart as one of a preamble, or refused.

#![no_main]

use std::cell::Cell;
use std::rc::Rc;

use bstr::ByteSlice;
use libfuzzer_sys::fuzz_target;
use rpmforge::macros::{Limits, Macros, NoHost, Table};
use rpmforge::package::{QueryFormat, Surroundings};
use rpmforge::spec::{Allows, Dependency, Field, Mistakes, Parsing, parse, read_dependencies};

fuzz_target!(|text: &[u8]| {
    let limits = Limits {
        output_bytes: 1 << 20,
        steps: 2_000,
        lua_memory_bytes: 16 << 20,
        lua_instructions: 100_000,
        ..Limits::default()
    };
    let host = Rc::new(NoHost::default());
    let macros = Macros::new(Table::new(), host.clone(), limits);
    let told = Rc::new(Cell::new(0));
    let listener = Rc::clone(&told);
    let parsing = Parsing {
        file: "fuzz.spec",
        text: text.to_vec(),
        can_build: &|arch| arch == "noarch" || arch == "x86_64",
        build_root: None,
        mistakes: Mistakes::All,
        listener: Rc::new(move |_| listener.set(listener.get() + 1)),
    };
    match parse(&macros, parsing) {
        Ok(spec) => {
            let format = QueryFormat::read(b"[%{*:json}]").unwrap();
            let around = Surroundings { expand: &|_| None, languages: &[], is_verbose: true };
            let all = spec.packages.iter().map(|package| spec.binary_header(package));
            for header in all.chain([spec.source_header()]) {
                format.show(&header, &around).unwrap();
            }
        }
        Err(_) => assert!(told.get() > 0 || !host.reports().is_empty(), "a failure must be told"),
    }
    if let Ok(format) = QueryFormat::read(text) {
        assert!(!format!("{format:?}").is_empty());
    }
    for line in text.lines() {
        let Ok(field) = Field::read(line) else {
            continue;
        };
        for allows in [Allows::Everything, Allows::Conflicts, Allows::Plain, Allows::PackageNames] {
            for dependency in read_dependencies(&field.value, allows).unwrap_or_default() {
                // What is written out is read as the same thing, unless a name opens what it does not close.
                if let Dependency::Rich(rich) = &dependency {
                    let written = rich.to_string();
                    let again = read_dependencies(written.as_bytes(), allows);
                    let count = |sign| written.matches(sign).count();
                    let is_plain = written.is_ascii() && count('(') == count(')');
                    assert!(!is_plain || again == Ok(vec![dependency]), "{written}");
                }
            }
        }
    }
});
