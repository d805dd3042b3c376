//! Layout of manifests beyond what fits into a fuzzer's text: each input is repeated and nested, up to the limits and beyond.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpmforge::manifest::format;
use rpmforge::text::SourceText;

fuzz_target!(|input: (&str, u8, &str)| {
    let (open, times, close) = input;
    let times = usize::from(times) * 8;
    for text in [
        format!("{}{}", open.repeat(times), close.repeat(times)),
        format!("a {{\n{open}/*{close}*/ \"{{{open}\"\n}}\n").repeat(times / 64 + 1),
    ] {
        if let Ok(once) = format(&SourceText::new("manifest", text.as_str())) {
            let twice =
                format(&SourceText::new("manifest", once.as_str())).expect("what is laid out can be read");
            assert_eq!(once, twice);
        }
    }
});
