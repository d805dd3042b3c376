//! What a gem says of itself: `Gem::Specification`.

use super::yaml::Yaml;
use crate::source::made_spec::{
    MadeSpecError, UNKNOWN_LICENSE, is_plain_name, is_plain_path, is_plain_url, license_from_text,
};

/// A gem, as a spec needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gem {
    /// Its name.
    pub name: String,
    /// Its version, as Ruby has it.
    pub version: String,
    /// What it is, in its own words.
    pub summary: String,
    /// The same at length.
    pub description: String,
    /// Its license, in SPDX's words.
    pub license: String,
    /// Its page.
    pub url: Option<String>,
    /// The programs that it installs.
    pub executables: Vec<String>,
    /// The folder that those are in.
    pub executable_folder: String,
    /// Whether it has something to compile.
    pub has_extensions: bool,
    /// Its files.
    pub files: Vec<String>,
    /// Which versions of Ruby it needs: operators and versions.
    pub ruby: Vec<(String, String)>,
}

impl Gem {
    /// Reads the specification of a gem that is called `file`.
    ///
    /// # Errors
    /// It is none, or has a name or a version that no package can have.
    pub fn read(file: &str, yaml: &Yaml) -> Result<Self, MadeSpecError> {
        let text = |key: &str| yaml.get(key).and_then(Yaml::text).map(str::to_owned);
        let version = yaml
            .get("version")
            .and_then(|version| version.get("version").or(Some(version)))
            .and_then(Yaml::text);
        let (Some(name), Some(version)) = (text("name"), version) else {
            return Err(MadeSpecError::unreadable(file, "its specification has no name and version"));
        };
        for (part, value) in [("name", name.as_str()), ("version", version)] {
            if !is_plain_name(value) || (part == "version" && value.contains('-')) {
                let name = value.chars().flat_map(char::escape_debug).take(200).collect();
                return Err(MadeSpecError::OddName { part, name });
            }
        }
        let texts = |key: &str| yaml.get(key).map(Yaml::texts).unwrap_or_default();
        let folder =
            text("bindir").filter(|folder| is_plain_path(folder)).unwrap_or_else(|| "bin".to_owned());
        Ok(Self {
            version: version.to_owned(),
            summary: text("summary").unwrap_or_default(),
            description: text("description").unwrap_or_default(),
            license: license(yaml),
            url: text("homepage").filter(|url| is_plain_url(url)),
            executables: texts("executables").into_iter().filter(|name| is_plain_name(name)).collect(),
            executable_folder: folder,
            has_extensions: !texts("extensions").is_empty(),
            files: texts("files"),
            ruby: requirements(yaml.get("required_ruby_version")),
            name,
        })
    }
}

/// Several licenses of a gem are those of which one may be chosen: `Ruby` and `BSD-2-Clause`, as Ruby itself has.
fn license(yaml: &Yaml) -> String {
    let list = yaml.get("licenses").map(Yaml::texts).unwrap_or_default();
    let known: Vec<String> = list.iter().filter_map(|text| license_from_text(text)).collect();
    if known.is_empty() || known.len() < list.len() {
        return UNKNOWN_LICENSE.to_owned();
    }
    let wrapped = known.iter().map(|license| match license.contains(" AND ") && known.len() > 1 {
        true => format!("({license})"),
        false => license.clone(),
    });
    wrapped.collect::<Vec<String>>().join(" OR ")
}

/// Operators and versions of a `Gem::Requirement`, those left out that any version meets.
fn requirements(requirement: Option<&Yaml>) -> Vec<(String, String)> {
    let list = requirement
        .and_then(|requirement| requirement.get("requirements"))
        .map(Yaml::list)
        .unwrap_or_default();
    let mut found = Vec::new();
    for pair in list {
        let [operator, version] = pair.list() else { continue };
        let (Some(operator), Some(version)) = (operator.text(), version.get("version").and_then(Yaml::text))
        else {
            continue;
        };
        let is_known = matches!(operator, ">=" | ">" | "<" | "<=" | "=");
        if is_known && is_plain_name(version) && version != "0" && !version.contains('-') {
            found.push((operator.to_owned(), version.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::yaml::read_yaml;
    use super::*;

    const TEXT: &str = "--- !ruby/object:Gem::Specification\nname: x\nversion: !ruby/object:Gem::Version\n  version: 1.2.0\n\
        summary: A thing\nlicenses: [Ruby, BSD-2-Clause]\nhomepage: https://x.example/\nexecutables:\n- x\nbindir: exe\n\
        extensions:\n- ext/x/extconf.rb\nfiles:\n- lib/x.rb\nrequired_ruby_version: !ruby/object:Gem::Requirement\n  requirements:\n\
        \x20 - - \">=\"\n    - !ruby/object:Gem::Version\n      version: '2.7'\n";

    #[test]
    fn a_specification_is_read() {
        let gem = Gem::read("x.gem", &read_yaml(TEXT).unwrap()).unwrap();
        assert_eq!(
            (gem.name.as_str(), gem.version.as_str(), gem.license.as_str()),
            ("x", "1.2.0", "Ruby OR BSD-2-Clause")
        );
        assert_eq!(gem.ruby, [(">=".to_owned(), "2.7".to_owned())]);
        assert!(gem.has_extensions && gem.executables == ["x"]);
    }

    #[test]
    fn a_name_that_is_more_than_a_name_is_refused() {
        for (from, to) in [("name: x", "name: \"x\\n%post\""), ("1.2.0", "'1 0'"), ("1.2.0", "'%(id)'")] {
            let yaml = read_yaml(&TEXT.replace(from, to)).unwrap();
            assert!(matches!(Gem::read("x.gem", &yaml), Err(MadeSpecError::OddName { .. })), "{to}");
        }
    }
}
