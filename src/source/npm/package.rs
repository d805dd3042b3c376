//! What a package of npm's says of itself: its `package.json`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::registry::is_package_name;
use super::resolve::Resolved;
use crate::source::made_spec::{
    ArchiveContent, MadeSpecError, check_identity, is_plain_name, is_plain_path, is_plain_url,
    license_from_text,
};

/// A package, as a spec needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmPackage {
    /// Its name, with its scope.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in its own words.
    pub summary: String,
    /// Its license, in SPDX's words.
    pub license: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// The folder that it is packed in.
    pub top: String,
    /// Its programs, and the files that they are.
    pub programs: BTreeMap<String, String>,
    /// The files of its license.
    pub license_files: Vec<String>,
    /// What people read first.
    pub documents: Vec<String>,
    /// Whether it has to be compiled, or otherwise finished, when it is installed.
    pub is_native: bool,
}

/// Whether a file of a package is read for its metadata.
pub fn is_wanted(path: &str) -> bool {
    path.split_once('/').is_some_and(|(_, below)| below == "package.json")
}

impl NpmPackage {
    /// Reads what was found in a package's file.
    ///
    /// # Errors
    /// It is none, or has a name or a version that no package can have.
    pub fn read(file: &str, content: ArchiveContent) -> Result<Self, MadeSpecError> {
        let top = content
            .top()
            .ok_or_else(|| MadeSpecError::unreadable(file, "its files are not in one folder"))?
            .to_owned();
        let content = content.below(&top);
        let text = content
            .text("package.json")
            .ok_or_else(|| MadeSpecError::unreadable(file, "it has no package.json"))?;
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| MadeSpecError::unreadable(file, format_args!("package.json: {error}")))?;
        let value = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, version) = (value("name"), value("version"));
        let odd = [
            ("name", &name, is_package_name(&name)),
            ("version", &version, is_plain_name(&version)),
            ("folder", &top, is_plain_path(&top)),
        ];
        if let Some((part, text, _)) = odd.into_iter().find(|(.., is_plain)| !is_plain) {
            let name = text.chars().flat_map(char::escape_debug).take(200).collect();
            return Err(MadeSpecError::OddName { part, name });
        }
        Ok(Self {
            summary: value("description"),
            license: license(&json),
            url: page(&json),
            programs: programs(&json, &name, &content),
            license_files: topmost(&content, &["LICENSE", "LICENCE", "COPYING", "NOTICE"]),
            documents: topmost(&content, &["README", "CHANGELOG", "HISTORY"]),
            is_native: content.files.iter().any(|path| path == "binding.gyp") || has_install_script(&json),
            name,
            version,
            top,
        })
    }
}

/// Whether a package's file holds the package that the registry says it does.
///
/// # Errors
/// It holds another one.
pub fn check_package(file: &str, asked: &Resolved, found: &NpmPackage) -> Result<(), MadeSpecError> {
    let is_asked = asked.name == found.name && asked.version == found.version;
    check_identity(is_asked, file, (&asked.name, &asked.version), (&found.name, &found.version))
}

/// Whether npm runs a script of the package's to install it: compilers are called there, and programs fetched. What comes before and
/// after it (`preinstall`, `postinstall`) is mostly about npm itself, and advertising.
fn has_install_script(json: &Value) -> bool {
    let script = json.get("scripts").and_then(|scripts| scripts.get("install")).and_then(Value::as_str);
    script.is_some_and(|script| !script.trim().is_empty())
}

/// `license`, or `licenses` as it was once; as texts, or as objects with a `type`.
fn license(json: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().or_else(|| value.get("type")?.as_str()).map(str::to_owned);
    if let Some(text) = json.get("license").and_then(text) {
        return license_from_text(
            text.trim_start_matches('(').strip_suffix(')').filter(|_| text.starts_with('(')).unwrap_or(&text),
        );
    }
    let list = json.get("licenses").and_then(Value::as_array)?;
    let known: Option<Vec<String>> = list.iter().map(|value| license_from_text(&text(value)?)).collect();
    known.filter(|known| !known.is_empty()).map(|known| known.join(" OR "))
}

fn page(json: &Value) -> Option<String> {
    let repository = json.get("repository");
    let repository = repository.and_then(|value| value.as_str().or_else(|| value.get("url")?.as_str()));
    let plain = repository.map(|url| url.trim_start_matches("git+").trim_end_matches(".git").to_owned());
    let home = json.get("homepage").and_then(Value::as_str).map(str::to_owned);
    home.into_iter().chain(plain).find(|url| is_plain_url(url))
}

/// `bin`: a path, or names and paths.
fn programs(json: &Value, name: &str, content: &ArchiveContent) -> BTreeMap<String, String> {
    let own_name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let listed: Vec<(String, String)> = match json.get("bin") {
        Some(Value::String(path)) => vec![(own_name, path.clone())],
        Some(Value::Object(map)) => {
            map.iter().filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned()))).collect()
        }
        _ => Vec::new(),
    };
    let plain = listed.into_iter().map(|(name, path)| {
        let path = path.trim_start_matches("./").to_owned();
        let with_end = format!("{path}.js");
        (name, if content.files.contains(&path) { path } else { with_end })
    });
    plain
        .filter(|(name, path)| is_plain_name(name) && is_plain_path(path) && content.files.contains(path))
        .collect()
}

fn topmost(content: &ArchiveContent, names: &[&str]) -> Vec<String> {
    let is_called = |path: &&String| names.iter().any(|name| path.to_uppercase().starts_with(name));
    let files = content.files.iter().filter(|path| !path.contains('/') && is_plain_path(path));
    files.filter(is_called).filter(|path| !path.ends_with(".js")).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, files: &[&str]) -> Result<NpmPackage, MadeSpecError> {
        let files = files.iter().chain(&["package.json"]).map(|path| format!("package/{path}")).collect();
        let texts = [("package/package.json".to_owned(), json.as_bytes().to_vec())].into();
        NpmPackage::read("x.tgz", ArchiveContent { files, texts, ..ArchiveContent::default() })
    }

    #[test]
    fn a_package_is_read_as_it_may_be_written() {
        let package = read(
            r#"{"name":"@s/x","version":"1.0.0","license":"(MIT OR Apache-2.0)","bin":"./cli","repository":"git+https://a.example/x.git"}"#,
            &["cli.js", "LICENSE"],
        )
        .unwrap();
        assert_eq!(package.programs, BTreeMap::from([("x".to_owned(), "cli.js".to_owned())]));
        assert_eq!(
            (package.license.as_deref(), package.url.as_deref()),
            (Some("MIT OR Apache-2.0"), Some("https://a.example/x"))
        );
        let old = read(r#"{"name":"x","version":"1.0.0","licenses":[{"type":"MIT"},{"type":"BSD"}]}"#, &[])
            .unwrap();
        assert_eq!(old.license.as_deref(), Some("MIT OR BSD-3-Clause"));
    }

    #[test]
    fn what_npm_would_compile_or_finish_is_told_from_what_it_copies() {
        let plain = r#"{"name":"x","version":"1.0.0","scripts":{"postinstall":"echo thanks","install":""}}"#;
        assert!(!read(plain, &["index.js", "src/binding.gyp"]).unwrap().is_native);
        assert!(read(plain, &["binding.gyp"]).unwrap().is_native);
        let script = r#"{"name":"x","version":"1.0.0","scripts":{"install":"cmake-js compile"}}"#;
        assert!(read(script, &["index.js"]).unwrap().is_native);
    }

    #[test]
    fn programs_that_are_no_files_of_the_package_are_none() {
        let json = r#"{"name":"x","version":"1.0.0","bin":{"a":"../../etc/passwd","b c":"b.js","%x":"b.js","d":"b.js"}}"#;
        assert_eq!(read(json, &["b.js"]).unwrap().programs.into_keys().collect::<Vec<_>>(), ["d"]);
    }
}
