//! Which modules a project installs.

use std::collections::BTreeSet;

use super::sdist_files::{SdistFiles, strings_at, text_at, value_at};
use super::version::normalized_name;

/// Where the folders of modules lie.
const FOLDERS: [&str; 4] = ["", "src/", "python/", "lib/"];

/// The topmost modules that it installs; nothing where only its build tells.
pub fn top_modules(files: &SdistFiles<'_>, pyproject: &toml::Table, name: &str) -> BTreeSet<String> {
    let declared = [listed(files), of_backend(pyproject), by_name(files, name)];
    let found = declared.into_iter().find(|modules| !modules.is_empty()).unwrap_or_default();
    found.into_iter().filter(|module| is_module(module)).collect()
}

fn is_module(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.is_empty()
}

/// As setuptools has written it down when the project was packed.
fn listed(files: &SdistFiles<'_>) -> BTreeSet<String> {
    let text = files.egg_info("top_level.txt").unwrap_or_default();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(top).collect()
}

/// As other backends are told.
fn of_backend(pyproject: &toml::Table) -> BTreeSet<String> {
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let wheel = strings_at(pyproject, &["tool", "hatch", "build", "targets", "wheel", "packages"]);
    let mut names: BTreeSet<String> = wheel.iter().map(|path| last(path)).collect();
    let texts = [
        &["tool", "flit", "module", "name"][..],
        &["tool", "flit", "metadata", "module"],
        &["tool", "maturin", "module-name"],
    ];
    names.extend(texts.iter().filter_map(|path| text_at(pyproject, path)).map(top));
    let poetry = value_at(pyproject, &["tool", "poetry", "packages"]).and_then(toml::Value::as_array);
    let included = poetry.into_iter().flatten().filter_map(|package| package.get("include")?.as_str());
    names.extend(
        included.map(|path| path.trim_end_matches(".py").split('/').next().unwrap_or_default().to_owned()),
    );
    names
}

fn top(name: &str) -> String {
    name.split(['.', '/']).next().unwrap_or_default().to_owned()
}

/// The module that has the project's name, where there is one.
fn by_name(files: &SdistFiles<'_>, name: &str) -> BTreeSet<String> {
    let plain = normalized_name(name).replace('-', "_");
    let is_there = |module: &str| {
        FOLDERS.iter().any(|folder| {
            files.has(&format!("{folder}{module}/__init__.py")) || files.has(&format!("{folder}{module}.py"))
        })
    };
    let is_same = |module: &&str| module.to_lowercase() == plain;
    // It may be written otherwise than the project: `PyYAML` has `yaml`, which is not found here, and `Foo` has `foo` or `Foo`.
    let candidates = FOLDERS.iter().flat_map(|folder| {
        files.paths().filter_map(move |path| path.strip_prefix(folder)).filter_map(|path| {
            let first = path.split('/').next()?;
            Some(first.strip_suffix(".py").unwrap_or(first))
        })
    });
    candidates.filter(is_same).filter(|module| is_there(module)).map(str::to_owned).take(1).collect()
}
