//! Any text is an expression or is not one: it ends with a value, or with a message that shows the place.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use rpmforge::macros::{ExpressionValue, Level, Limits, Macros, NoHost, Table};

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
    macros
        .load_text(b"%five 5\n%word w\n%again %[%{five} + %{again}]\n", "macros", Level::MACRO_FILES)
        .expect("our own file is right");
    match macros.evaluate(text) {
        Ok(ExpressionValue::Integer(number)) => {
            let sum = [b"(".as_slice(), text, b") - (", number.to_string().as_bytes(), b")"].concat();
            // What Lua functions give may change from call to call, a macro that is not closed goes on into what follows,
            // and a NUL ends an expression.
            if !text.windows(4).any(|part| part == b"lua:") && !text.contains(&0) && !text.contains(&b'%') {
                assert_eq!(macros.evaluate(&sum), Ok(ExpressionValue::Integer(0)));
            }
        }
        Ok(_) => {}
        Err(_) => assert!(!host.reports().is_empty(), "a failure must be told"),
    }
    for report in host.reports() {
        assert!(report.as_rpm().ends_with(b"\n"));
    }
});
