//! Any text is a manifest or has mistakes with places in it; its usual form is stable.
#![no_main]

use std::cell::OnceCell;
use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use miette::Diagnostic;
use rpmforge::files::{Folder, HostPath};
use rpmforge::manifest::{MANIFEST_FILE, format, load};
use rpmforge::text::SourceText;
use rpmforge::ui::{ReportStyle, report};
use tempfile::TempDir;

thread_local! {
    static REPOSITORY: OnceCell<(TempDir, Folder)> = const { OnceCell::new() };
}

fuzz_target!(|text: &str| {
    REPOSITORY.with(|cell| {
        let (_, repository) = cell.get_or_init(|| {
            let temp = TempDir::new().unwrap();
            let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
            folder.write_atomic("a.spec", b"").unwrap();
            (temp, folder)
        });
        repository.write_atomic(MANIFEST_FILE, text.as_bytes()).unwrap();
        if let Err(errors) = load(repository, MANIFEST_FILE, &BTreeMap::new()) {
            for error in errors.0 {
                assert!(error.code().is_some() && error.help().is_some());
                let span = error.place().span();
                assert!(span.end <= text.len() || error.place().source().text().is_empty());
                assert!(text.is_char_boundary(span.start.min(text.len())));
                let shown = report(&error, ReportStyle { colors: false, width: 80 });
                assert!(!shown.is_empty());
            }
        }
    });
    if let Ok(once) = format(&SourceText::new("manifest", text)) {
        let twice = format(&SourceText::new("manifest", once.as_str())).unwrap();
        assert_eq!(once, twice);
    }
});
