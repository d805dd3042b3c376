//! What `.packit.yaml` says, as far as a source package of the repository follows from it (https://packit.dev/docs/configuration).

use std::path::Path;

use regex::Regex;

use super::error::MethodError;
use super::input::read_text;
use crate::source::SourceError;
use crate::source::git::commit_place::CommitPlace;
use crate::source::rubygems::{Yaml, read_yaml};

/// The names that such a file may have.
const FILES: [&str; 4] = [".packit.yaml", ".packit.yml", "packit.yaml", "packit.yml"];

/// Actions that a source package would need. Others have their place when packages are released.
const ACTIONS: [&str; 7] = [
    "post-upstream-clone",
    "get-current-version",
    "create-archive",
    "create-patches",
    "fix-spec-file",
    "changelog-entry",
    "post-modifications",
];

/// What it says of one package.
pub(super) struct PackitConfig {
    /// Where the spec is; nothing where it is the only one.
    pub spec: Option<String>,
    /// The name of the project.
    pub upstream_name: Option<String>,
    /// Takes a version out of a tag.
    pub tag_version: Regex,
    /// The tags that count.
    pub included: Option<Regex>,
    /// The tags that don't.
    pub excluded: Option<Regex>,
    /// The source that the archive is, as specs name it.
    pub source: String,
    /// Whether the release says which commit it is.
    pub updates_release: bool,
    /// What is put behind the release instead.
    pub release_suffix: Option<String>,
}

/// A file that is being read.
struct ConfigReader<'a> {
    place: &'a CommitPlace,
    file: &'static str,
    /// What it says of the package, before what it says of all.
    layers: Vec<&'a Yaml>,
}

/// Reads what a repository says; of the package whose spec is `spec` where it has several.
///
/// # Errors
/// There is no such file, it makes no sense, or asks for commands to be run.
pub(super) fn read_config(place: &CommitPlace, spec: Option<&Path>) -> Result<PackitConfig, SourceError> {
    for file in FILES {
        if let Some(text) = read_text(place, Path::new(file))? {
            let yaml = read_yaml(&text).map_err(|reason| config_error(place, file, reason))?;
            let package = choose_package(&yaml, spec).map_err(|reason| config_error(place, file, reason))?;
            let layers = package.into_iter().chain([&yaml]).collect();
            return ConfigReader { place, file, layers }.read();
        }
    }
    Err(config_error(place, FILES[0], "there is no such file".to_owned()).into())
}

fn config_error(place: &CommitPlace, file: &str, reason: String) -> MethodError {
    MethodError::PackitConfig { repository: place.address.to_string(), file: file.to_owned(), reason }
}

/// What `packages` says of the one package, or of the one with that spec.
fn choose_package<'a>(yaml: &'a Yaml, spec: Option<&Path>) -> Result<Option<&'a Yaml>, String> {
    let packages = match yaml.get("packages") {
        Some(Yaml::Map(packages)) => packages,
        Some(Yaml::Scalar(_) | Yaml::List(_)) | None => return Ok(None),
    };
    let has_spec = |package: &Yaml| {
        let said = package.get("specfile_path").and_then(Yaml::text);
        said.is_some_and(|said| Some(Path::new(said.trim_start_matches("./"))) == spec)
    };
    match packages.as_slice() {
        [(_, package)] => Ok(Some(package)),
        packages => match packages.iter().find(|(_, package)| has_spec(package)) {
            Some((_, package)) => Ok(Some(package)),
            None => {
                let names: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
                let names = names.join(", ").escape_debug().to_string();
                Err(format!("it has the packages {names}: say by `spec` in the manifest which one is meant"))
            }
        },
    }
}

impl ConfigReader<'_> {
    fn read(self) -> Result<PackitConfig, SourceError> {
        for layer in &self.layers {
            let Some(Yaml::Map(actions)) = layer.get("actions") else { continue };
            if let Some((action, _)) = actions.iter().find(|(name, _)| ACTIONS.contains(&name.as_str())) {
                return Err(MethodError::PackitAction {
                    repository: self.place.address.to_string(),
                    file: self.file.to_owned(),
                    action: action.clone(),
                }
                .into());
            }
        }
        if self.value("upstream_ref").is_some() {
            return Err(self.error("`upstream_ref`: forge makes no patches of a source-git repository"));
        }
        let suffix = self.value("release_suffix").map(str::to_owned);
        if suffix.as_ref().is_some_and(|suffix| suffix.contains('{')) {
            return Err(self.error("`release_suffix`: forge knows nothing of what stands in its braces"));
        }
        if self.value("version_suffix").is_some() {
            return Err(self.error("`version_suffix` is not known"));
        }
        let source = self.value("spec_source_id").unwrap_or("Source0");
        let source = match source.bytes().all(|byte| byte.is_ascii_digit()) {
            true => format!("Source{source}"),
            false => source.to_owned(),
        };
        let template = self.value("upstream_tag_template").unwrap_or("{version}");
        Ok(PackitConfig {
            spec: self.value("specfile_path").map(|path| path.trim_start_matches("./").to_owned()),
            upstream_name: self
                .value("upstream_package_name")
                .or_else(|| self.value("downstream_package_name"))
                .map(str::to_owned),
            tag_version: self.tag_version(template)?,
            included: self.pattern("upstream_tag_include")?,
            excluded: self.pattern("upstream_tag_exclude")?,
            source,
            updates_release: !matches!(self.value("update_release"), Some("false" | "no" | "off" | "False")),
            release_suffix: suffix,
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.layers.iter().find_map(|layer| layer.get(name).and_then(Yaml::text))
    }

    fn error(&self, reason: &str) -> SourceError {
        config_error(self.place, self.file, reason.to_owned()).into()
    }

    fn pattern(&self, name: &str) -> Result<Option<Regex>, SourceError> {
        // As Python's `match`: from the beginning on, and not to the end.
        let compile = |pattern: &str| Regex::new(&format!("^(?:{pattern})")).ok();
        match self.value(name) {
            None => Ok(None),
            Some(pattern) => match compile(pattern) {
                Some(pattern) => Ok(Some(pattern)),
                None => Err(self.error(&format!("`{name}` is no pattern that forge knows"))),
            },
        }
    }

    /// The pattern of a template such as `v{version}`: what stands in braces is anything.
    fn tag_version(&self, template: &str) -> Result<Regex, SourceError> {
        let wrong = || self.error("`upstream_tag_template` has no `{version}`, or is no pattern");
        if !template.contains("{version}") {
            return Err(wrong());
        }
        let mut pattern = String::from("^");
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or_else(wrong)?;
            pattern.push_str(before);
            pattern.push_str(&format!("(?P<{name}>.*)"));
            rest = behind;
        }
        pattern.push_str(rest);
        Regex::new(&pattern).map_err(|_| wrong())
    }
}
