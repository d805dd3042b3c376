//! Any text is read as a spec, section by section, or it is told where it can't be; every line of its preamble is taken apart
//! or refused.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use rpmforge::macros::{Limits, Macros, NoHost, Table};
use rpmforge::spec::{Allows, Dependency, Field, Reader, read_dependencies, read_sections};

fuzz_target!(|text: &[u8]| {
    let limits = Limits {
        output_bytes: 1 << 20,
        steps: 2_000,
        lua_memory_bytes: 16 << 20,
        lua_instructions: 100_000,
    };
    let host = Rc::new(NoHost::default());
    let macros = Macros::new(Table::new(), host.clone(), limits);
    let mut reader = Reader::new(macros, "fuzz.spec", text.to_vec());
    let Ok(sections) = read_sections(&mut reader) else {
        assert!(!reader.reports().is_empty() || !host.reports().is_empty(), "a failure must be told");
        return;
    };
    for line in sections.iter().flat_map(|section| &section.lines) {
        let Ok(field) = Field::read(&line.text) else {
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
