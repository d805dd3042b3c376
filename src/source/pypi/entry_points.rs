//! Which programs a project installs.

use std::collections::BTreeSet;

use super::sdist_files::SdistFiles;
use crate::source::made_spec::{ini_value, read_ini};

/// The programs that are declared where one can read it without running anything.
pub fn scripts(files: &SdistFiles<'_>, pyproject: &toml::Table) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let tables = [
        &["project", "scripts"][..],
        &["project", "gui-scripts"],
        &["tool", "poetry", "scripts"],
        &["tool", "flit", "scripts"],
    ];
    for path in tables {
        let found = super::sdist_files::table_at(pyproject, path);
        names.extend(found.into_iter().flat_map(|table| table.keys().cloned()));
    }
    if let Some(text) = files.egg_info("entry_points.txt") {
        let values = read_ini(&text);
        let is_script = |section: &str| matches!(section, "console_scripts" | "gui_scripts");
        // Keys of other files are in small letters; the names of programs are as they are written.
        let written = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, _)| name.trim().to_owned())
                .find(|name| name.to_lowercase().replace('_', "-") == key)
        };
        names.extend(
            values.iter().filter(|value| is_script(&value.section)).filter_map(|value| written(&value.key)),
        );
    }
    if let Some(text) = files.text("setup.cfg") {
        let values = read_ini(&text);
        for key in ["console-scripts", "gui-scripts"] {
            let lines = ini_value(&values, "options.entry_points", key).unwrap_or_default().lines();
            names.extend(
                lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()),
            );
        }
    }
    names.retain(|name| crate::source::made_spec::is_plain_name(name));
    names
}

/// Whether it may install more than modules and declared programs: only its build says what.
pub fn installs_other_files(files: &SdistFiles<'_>, pyproject: &toml::Table) -> bool {
    let setup = files.text("setup.py").unwrap_or_default();
    let configuration = files.text("setup.cfg").unwrap_or_default();
    let is_declared = files.has_egg_info("entry_points.txt");
    let says = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let tables = [
        &["tool", "setuptools", "data-files"][..],
        &["tool", "hatch", "build", "targets", "wheel", "shared-data"],
        &["tool", "flit", "external-data"],
        &["tool", "maturin", "data"],
        &["tool", "pdm", "build", "wheel-data"],
    ];
    let has_table = tables.iter().any(|path| super::sdist_files::value_at(pyproject, path).is_some());
    let has_scripts =
        super::sdist_files::value_at(pyproject, &["tool", "setuptools", "script-files"]).is_some();
    let is_binary = super::sdist_files::text_at(pyproject, &["tool", "maturin", "bindings"]) == Some("bin");
    has_table
        || has_scripts
        || is_binary
        || says(&setup, &["data_files", "scripts=", "scripts =", "headers="])
        || (!is_declared && says(&setup, &["entry_points"]))
        || says(&configuration, &["data_files", "\nscripts"])
}
