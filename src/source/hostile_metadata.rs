//! Whatever metadata say, a spec stays the spec that it would be with harmless ones.

use proptest::prelude::*;

use super::crates::{CrateManifest, write_spec as write_crate};
use super::made_spec::{ArchiveContent, one_line, paragraphs};
use super::npm::{NpmPackage, NpmSpecSettings, write_spec as write_npm};
use super::pypi::{PythonProject, PythonSpecSettings, write_spec as write_python};
use super::rubygems::{Gem, read_yaml, write_spec as write_gem};

/// Texts in which what means something to rpm is frequent.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("%".to_owned()),
        Just("%%".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\\".to_owned()),
        Just("\u{2028}".to_owned()),
        Just(" ".to_owned()),
        Just("\n\n%post\nrm -rf /".to_owned()),
        Just("%{lua:os.exit()}".to_owned()),
        Just("%(id)".to_owned()),
        Just("#".to_owned()),
        Just("Requires: evil".to_owned()),
        "[a-z0-9%{}()\\[\\]!?*:;,.]{1,8}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// What of a spec is rpm's: macros, heads of sections, and the tags of the preamble.
fn skeleton(spec: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_preamble = true;
    for line in spec.lines() {
        let plain = line.replace("%%", "");
        is_preamble = (is_preamble || line.starts_with("%package")) && !line.starts_with("%description");
        let macros = plain.split('%').skip(1).map(|rest| rest.split_whitespace().next().unwrap_or_default());
        found.extend(macros.map(|name| format!("%{name}")));
        if is_preamble && let Some((tag, _)) = line.split_once(':') {
            found.push(tag.to_owned());
        }
    }
    found
}

fn content(top: &str, file: &str, text: String, more: &[&str]) -> ArchiveContent {
    let path = format!("{top}/{file}");
    let files = more.iter().map(|file| format!("{top}/{file}")).chain([path.clone()]).collect();
    ArchiveContent { files, texts: [(path, text.into_bytes())].into(), ..ArchiveContent::default() }
}

fn python(text: &str) -> String {
    // A field of the core metadata ends where its line does.
    let line = text.replace(['\n', '\r'], "\n ");
    let metadata = format!(
        "Name: x\nVersion: 1\nSummary: {line}\nLicense: {line}\nHome-page: {line}\nLicense-File: {line}\n"
    );
    let project = PythonProject::read("x-1.tar.gz", content("x-1", "PKG-INFO", metadata, &["x.py"])).unwrap();
    write_python(&project, &PythonSpecSettings::default())
}

fn gem(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    let yaml = format!(
        "name: x\nversion: {{version: '1'}}\nsummary: {text}\ndescription: {text}\nhomepage: {text}\nlicenses: [{text}]\n\
         executables: [{text}]\nfiles: [lib/x.rb, {text}]\nbindir: {text}\n"
    );
    // What is no YAML makes no spec.
    read_yaml(&yaml)
        .ok()
        .and_then(|yaml| Gem::read("x.gem", &yaml).ok())
        .map(|gem| write_gem(&gem))
        .unwrap_or_default()
}

fn rust(text: &str) -> String {
    // As JSON has it, but for what TOML wants escaped beyond that.
    let text = serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f");
    let manifest = format!(
        "[package]\nname = \"x\"\nversion = \"1.0.0\"\ndescription = {text}\nlicense = {text}\nhomepage = {text}\nrepository = {text}\n\
         [[bin]]\nname = {text}\n"
    );
    let content = content("x", "Cargo.toml", manifest, &["src/main.rs"]).below("x");
    write_crate(&CrateManifest::read("x.crate", &content).unwrap(), &[])
}

fn node(text: &str) -> String {
    let json = serde_json::json!({
        "name": "x", "version": "1.0.0", "description": text, "license": text, "homepage": text, "bin": { text: text, "x": "x.js" },
    });
    let package =
        NpmPackage::read("x.tgz", content("package", "package.json", json.to_string(), &["x.js"])).unwrap();
    write_npm(&package, &NpmSpecSettings::default())
}

/// Lines that only say something where the text is of use: an address, a program with a plain name.
fn without_optional(skeleton: Vec<String>) -> Vec<String> {
    let is_optional =
        |part: &String| part == "URL" || part.starts_with("%{_bindir}/") || part == "%{buildroot}";
    skeleton.into_iter().filter(|part| !is_optional(part)).collect()
}

/// Looks at every line that a description or a summary becomes.
fn check_lines(text: &str, most: usize) -> Result<(), TestCaseError> {
    for line in paragraphs(text, most).lines().map(str::to_owned).chain([one_line(text, most)]) {
        prop_assert!(!line.starts_with(['%', '#']) && !line.ends_with('\\'), "{line:?}");
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        prop_assert!(!line.replace("%%", "").contains('%'), "{line:?}");
        let once = line.replace("%%", "%");
        let after = once.split('%').skip(1).map(|rest| rest.chars().next());
        for next in after {
            prop_assert!(next.is_none_or(|next| " ,.;:".contains(next)), "{line:?}");
        }
    }
    Ok(())
}

#[test]
fn lines_that_were_once_not_text_are() {
    for text in ["\\\n\\", "#\u{2028}#"] {
        check_lines(text, 3).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_text_however_often_it_is_expanded(text in hostile(), most in 1_usize..200) {
        check_lines(&text, most)?;
    }

    #[test]
    fn metadata_never_become_more_than_text(text in hostile()) {
        for write in [python, rust, node] {
            prop_assert_eq!(without_optional(skeleton(&write(&text))), without_optional(skeleton(&write("text"))));
        }
        let made = gem(&text);
        if !made.is_empty() {
            // A file that has a plain name is listed; a program is, too.
            let allowed = skeleton(&gem("text"));
            for part in skeleton(&made) {
                let is_path = part.starts_with("%{gem_instdir}/") || part.starts_with("%{_bindir}/");
                prop_assert!(is_path || part.starts_with("%{buildroot}") || allowed.contains(&part), "{}", part);
            }
        }
    }
}
