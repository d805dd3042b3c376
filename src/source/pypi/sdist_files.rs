//! The files of a source distribution, and what `pyproject.toml` says at a path.

use crate::source::made_spec::ArchiveContent;

/// The files of a source distribution, from its topmost folder on.
pub struct SdistFiles<'a>(pub &'a ArchiveContent);

/// Whether a file of an archive is read for its metadata.
pub fn is_wanted(path: &str) -> bool {
    let below = path.split_once('/').map_or("", |(_, below)| below);
    let is_egg_info = below.contains(".egg-info/")
        && (below.ends_with("top_level.txt") || below.ends_with("entry_points.txt"));
    matches!(below, "PKG-INFO" | "pyproject.toml" | "setup.py" | "setup.cfg" | "build.py")
        || is_egg_info
        || below == "Cargo.lock"
        || below.ends_with("/Cargo.lock")
}

impl SdistFiles<'_> {
    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.files.iter().map(String::as_str)
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.paths().any(|known| known == path)
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<String> {
        self.0.text(path)
    }

    /// The text of a file that setuptools has written.
    pub fn egg_info(&self, file: &str) -> Option<String> {
        let end = format!(".egg-info/{file}");
        let path = self.paths().find(|path| path.ends_with(&end))?;
        self.text(path)
    }

    /// Whether setuptools has said anything of the kind.
    pub fn has_egg_info(&self, file: &str) -> bool {
        self.egg_info(file).is_some()
    }
}

/// A value in tables of tables.
pub fn value_at<'t>(table: &'t toml::Table, path: &[&str]) -> Option<&'t toml::Value> {
    let (last, folders) = path.split_last()?;
    let table = folders.iter().try_fold(table, |table, name| table.get(*name)?.as_table())?;
    table.get(*last)
}

/// A table in tables.
pub fn table_at<'t>(table: &'t toml::Table, path: &[&str]) -> Option<&'t toml::Table> {
    value_at(table, path)?.as_table()
}

/// A text in tables.
pub fn text_at<'t>(table: &'t toml::Table, path: &[&str]) -> Option<&'t str> {
    value_at(table, path)?.as_str()
}

/// A list of texts in tables.
pub fn strings_at(table: &toml::Table, path: &[&str]) -> Vec<String> {
    let list = value_at(table, path).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}
