//! Layout of manifests beyond what fits into a fuzzer's text: each input is repeated and nested, up to the limits and beyond.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpmforge::manifest::format;
use rpmforge::text::SourceText;

/// More than blocks and comments may lie within each other.
const MOST_TIMES: usize = 100;

/// What is longer takes long and shows nothing new, in bytes; how long a manifest may be is tested elsewhere.
const LONGEST: usize = 16 << 10;

fuzz_target!(|input: (&str, u8, &str)| {
    let (open, times, close) = input;
    let times = usize::from(times) % MOST_TIMES;
    if (open.len() + close.len()) * times > LONGEST {
        return;
    }
    for text in [
        format!("{}{}", open.repeat(times), close.repeat(times)),
        format!("a {{\n{open}/*{close}*/ \"{{{open}\"\n}}\n").repeat(times / 32 + 1),
    ] {
        if let Ok(once) = format(&SourceText::new("manifest", text.as_str())) {
            let twice =
                format(&SourceText::new("manifest", once.as_str())).expect("what is laid out can be read");
            assert_eq!(once, twice);
        }
    }
});
