//! Whatever a parametric macro takes and is given, words are lost nowhere and options are found or refused.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use rpmforge::macros::{Definition, Expansion, Level, Limits, Macros, NoHost, Origin, Table};

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (options, words) = input;
    let limits = Limits { output_bytes: 1 << 20, steps: 20_000, ..Limits::default() };
    let host = Rc::new(NoHost::default());
    let macros = Macros::new(Table::new(), host.clone(), limits);
    let is_literal = options == b"-";
    macros.push(Definition {
        name: b"call".as_slice().into(),
        options: Some(options.into()),
        body: b"%#|%*".as_slice().into(),
        expansion: Expansion::Always,
        level: Level::GLOBAL,
        origin: Origin::named("fuzz"),
    });
    let text = [b"%{call ".as_slice(), &words, b"}"].concat();
    let result = macros.expand(&text);
    assert!(result.is_ok() || !host.reports().is_empty(), "a failure must be told");
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
    if is_literal && words.iter().all(is_plain) {
        let split: Vec<&[u8]> = words.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
        let expected = [format!("{}|", split.len()).as_bytes(), &split.join(&b' ')].concat();
        assert_eq!(result, Ok(expected));
    }
});
