//! Of any text no more reaches a terminal than characters, line feeds, tabs and colours, in whatever pieces it comes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpmforge::ui::TerminalText;

fn clean(text: &[u8], length: usize) -> String {
    let (mut cleaner, mut out) = (TerminalText::default(), Vec::new());
    text.chunks(length).for_each(|piece| cleaner.clean(piece, &mut out));
    cleaner.finish(&mut out);
    String::from_utf8(out).expect("what is shown is UTF-8")
}

fuzz_target!(|text: &[u8]| {
    let shown = clean(text, text.len().max(1));
    assert_eq!(shown, clean(text, 1));
    assert_eq!(shown, clean(shown.as_bytes(), 7));
    let mut rest = shown.as_str();
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        let sequence = rest[at..].strip_prefix("\u{1b}[").expect("only colours begin with a control");
        let end = sequence.find(|c: char| !c.is_ascii_digit() && !matches!(c, ';' | ':')).unwrap();
        assert!(sequence[end..].starts_with('m'));
        rest = &sequence[end..];
    }
});
