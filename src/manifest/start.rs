//! `forge init`: a first manifest for the specs of a repository.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::Folder;

/// A manifest that builds every spec below `repository` on this machine; `None` where there is no spec.
pub fn first_manifest(repository: &Folder, name: &str) -> io::Result<Option<String>> {
    let specs = repository.search(Path::new(""), "**/*.spec")?.unwrap_or_default();
    if specs.is_empty() {
        return Ok(None);
    }
    let mut text = format!(
        "rpmforge version=1\n\nproject {} {{\n    description \"\"\n}}\n\n\
         // This machine's own root.\nchroot host {{ root \"/\" }}\n\n\
         defaults {{\n    isolation none // the specs here are trusted\n}}\n\n",
        quote(&as_name(name))
    );
    for (name, spec) in name_packages(&specs) {
        text.push_str(&format!(
            "package {} {{ source path {} }}\n",
            quote(&name),
            quote(&spec.to_string_lossy())
        ));
    }
    Ok(Some(text))
}

/// A name for each spec: its file's, with the folder's before it where two files have one name.
fn name_packages(specs: &[PathBuf]) -> BTreeMap<String, &Path> {
    let mut names = BTreeMap::new();
    for spec in specs {
        let stem = as_name(&spec.file_stem().unwrap_or_default().to_string_lossy());
        let folder = spec.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let mut name = stem.clone();
        let mut number = 1;
        while names.contains_key(&name) {
            name =
                if number == 1 { as_name(&format!("{folder}-{stem}")) } else { format!("{stem}-{number}") };
            number += 1;
        }
        names.insert(name, spec.as_path());
    }
    names
}

/// `text` with only what a name may have.
fn as_name(text: &str) -> String {
    let name: String =
        text.chars().map(|c| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    if name.is_empty() { "project".to_owned() } else { name.to_owned() }
}

/// As KDL writes it: bare where it can be.
fn quote(text: &str) -> String {
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        && !matches!(text, "true" | "false" | "null" | "inf" | "nan");
    if is_bare { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}
