//! Any text can be expanded: it ends, within its limits, and what is no call comes out as it went in.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use rpmforge::macros::{Level, Limits, Macros, NoHost, Origin, Table};

const FILE: &str = "\
%plain a %nil b
%once<o> %{len:%plain}
%literal<l> %plain
%loop %loop
%deep() %{?1:%{deep %1}}
%call(ab:c::) %{-a}%{-b*}%{-c} %* %** %# %{define x %1}%x
%raw(-) %{lua:print(#arg, opt.a, arg[1])}
%sum() %[%1 + %2]
";

fuzz_target!(|text: &[u8]| {
    let limits = Limits {
        output_bytes: 1 << 20,
        steps: 20_000,
        lua_memory_bytes: 16 << 20,
        lua_instructions: 200_000,
        ..Limits::default()
    };
    let host = Rc::new(NoHost::default());
    let macros = Macros::new(Table::new(), host.clone(), limits);
    macros.load_text(FILE.as_bytes(), "macros", Level::MACRO_FILES).expect("our own file is right");
    let result = macros.expand(text);
    if !text.contains(&b'%') && text.iter().filter(|byte| **byte == 0x1f).count() < 2 {
        assert_eq!(result.as_deref(), Ok(text));
    }
    assert!(result.is_ok() || !host.reports().is_empty(), "a failure must be told");
    // The same bytes as a macro file and as a definition.
    let _ = macros.load_text(text, "text", Level::MACRO_FILES);
    let _ = macros.define(text, Level::COMMAND_LINE, Origin::named("-D"));
});
