//! What a crate says of itself: its `Cargo.toml`, as cargo has written it into its file.

use std::collections::BTreeSet;

use crate::source::made_spec::{
    ArchiveContent, MadeSpecError, UNKNOWN_LICENSE, is_plain_name, is_plain_path, is_plain_url,
    license_in_manifest,
};

/// A crate with programs, as a spec needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrateManifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in its own words.
    pub summary: String,
    /// Its license, in SPDX's words.
    pub license: String,
    /// Its page.
    pub url: Option<String>,
    /// The programs that it has without features that have to be asked for.
    pub programs: BTreeSet<String>,
    /// The files of its license.
    pub license_files: Vec<String>,
    /// What people read first.
    pub documents: Vec<String>,
}

/// Whether a file of a crate is read for its metadata.
pub fn is_wanted(path: &str) -> bool {
    let below = path.split_once('/').map_or("", |(_, below)| below);
    matches!(below, "Cargo.toml" | "Cargo.lock")
}

impl CrateManifest {
    /// Reads what was found in a crate called `file`.
    ///
    /// # Errors
    /// It is none, or has a name or a version that no package can have.
    pub fn read(file: &str, content: &ArchiveContent) -> Result<Self, MadeSpecError> {
        let text = content
            .text("Cargo.toml")
            .ok_or_else(|| MadeSpecError::unreadable(file, "it has no Cargo.toml"))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            MadeSpecError::unreadable(file, format_args!("Cargo.toml: {}", error.message()))
        })?;
        let package = table.get("package").and_then(toml::Value::as_table);
        let value = |key: &str| package.and_then(|package| package.get(key)?.as_str()).unwrap_or_default();
        let (name, version) = (value("name"), value("version"));
        for (part, text) in [("name", name), ("version", version)] {
            if !is_plain_name(text) {
                let name = text.chars().flat_map(char::escape_debug).take(200).collect();
                return Err(MadeSpecError::OddName { part, name });
            }
        }
        let url = [value("homepage"), value("repository")].into_iter().find(|url| is_plain_url(url));
        Ok(Self {
            summary: value("description").to_owned(),
            license: license_in_manifest(&text).unwrap_or_else(|| UNKNOWN_LICENSE.to_owned()),
            url: url.map(str::to_owned),
            programs: programs(&table, content, name),
            license_files: topmost(content, &["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "NOTICE"]),
            documents: topmost(content, &["README", "CHANGELOG"]),
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// The files that lie topmost and are called so.
fn topmost(content: &ArchiveContent, names: &[&str]) -> Vec<String> {
    let is_called = |path: &&String| names.iter().any(|name| path.to_uppercase().starts_with(name));
    let files = content.files.iter().filter(|path| !path.contains('/') && is_plain_path(path));
    files.filter(is_called).filter(|path| !path.ends_with(".rs")).cloned().collect()
}

/// The programs: those that are listed, and where cargo looks for them by itself those that it finds.
fn programs(table: &toml::Table, content: &ArchiveContent, name: &str) -> BTreeSet<String> {
    let listed = table.get("bin").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_automatic =
        table.get("package").and_then(|package| package.get("autobins")?.as_bool()).unwrap_or(true);
    let features = default_features(table);
    let is_built = |program: &&toml::Value| {
        let needed = program.get("required-features").and_then(toml::Value::as_array);
        needed.into_iter().flatten().filter_map(toml::Value::as_str).all(|feature| features.contains(feature))
    };
    let name_of = |program: &toml::Value| Some(program.get("name")?.as_str()?.to_owned());
    let mut names: BTreeSet<String> = listed.iter().filter(is_built).filter_map(name_of).collect();
    let listed: BTreeSet<String> = listed.iter().filter_map(name_of).collect();
    if is_automatic {
        let found = content.files.iter().filter_map(|path| match path.as_str() {
            "src/main.rs" => Some(name.to_owned()),
            path => {
                let below = path.strip_prefix("src/bin/")?;
                let program = below.strip_suffix("/main.rs").or_else(|| below.strip_suffix(".rs"))?;
                (!program.contains('/')).then(|| program.to_owned())
            }
        });
        // `src/main.rs` may be that of a program with another name, which is listed.
        let paths: BTreeSet<&str> = table
            .get("bin")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|program| program.get("path")?.as_str())
            .collect();
        let is_other = |program: &String| program == name && paths.contains("src/main.rs");
        names.extend(found.filter(|program| !listed.contains(program) && !is_other(program)));
    }
    names.retain(|name| is_plain_name(name));
    names
}

/// The features that are on by themselves.
fn default_features(table: &toml::Table) -> BTreeSet<String> {
    let features = table.get("features").and_then(toml::Value::as_table);
    let mut found = BTreeSet::new();
    let mut open = vec!["default".to_owned()];
    while let Some(feature) = open.pop() {
        let more = features.and_then(|features| features.get(&feature)?.as_array());
        if found.insert(feature) {
            open.extend(more.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(manifest: &str, files: &[&str]) -> Result<CrateManifest, MadeSpecError> {
        let files = files.iter().map(|&path| path.to_owned()).collect();
        let texts = [("Cargo.toml".to_owned(), manifest.as_bytes().to_vec())].into();
        CrateManifest::read("x.crate", &ArchiveContent { files, texts, ..ArchiveContent::default() })
    }

    #[test]
    fn programs_are_listed_or_found() {
        let manifest = "[package]\nname = \"x\"\nversion = \"1.0.0\"\nlicense = \"MIT/Apache-2.0\"\n";
        let found =
            read(manifest, &["src/main.rs", "src/bin/y.rs", "src/bin/z/main.rs", "src/bin/z/a.rs"]).unwrap();
        assert_eq!(found.programs, ["x", "y", "z"].map(str::to_owned).into());
        assert_eq!(found.license, "MIT OR Apache-2.0");
        let listed = format!(
            "{manifest}[[bin]]\nname = \"w\"\npath = \"src/main.rs\"\n[[bin]]\nname = \"v\"\nrequired-features = [\"f\"]\n\
             [[bin]]\nname = \"u\"\nrequired-features = [\"g\"]\n[features]\ndefault = [\"f\"]\n"
        );
        assert_eq!(read(&listed, &["src/main.rs"]).unwrap().programs, ["v", "w"].map(str::to_owned).into());
    }

    #[test]
    fn a_name_that_is_more_than_a_name_is_refused() {
        let error = read("[package]\nname = \"x\\n%post\"\nversion = \"1.0.0\"\n", &[]).unwrap_err();
        assert!(matches!(error, MadeSpecError::OddName { .. }));
    }
}
