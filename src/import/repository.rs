//! Repositories of dnf → `repo` nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::dnf_options::{OF_NO_MEANING, TAKEN};
use super::ini::{IniSection, read_ini};
use super::kdl_text::{KdlText, name_of};
use super::{ImportError, Imported};
use crate::text::quote_kdl;

/// Variables of addresses that forge knows itself.
const KNOWN_VARIABLES: [&str; 3] = ["arch", "basearch", "releasever"];

/// Imports a `.repo` file: a chroot with its repositories.
///
/// # Errors
/// None of its repositories is enabled.
pub fn import_repositories(path: &str, chroot: &str, text: &str) -> Result<Imported, ImportError> {
    let mut reader = RepositoryReader::default();
    let sections = read_ini(text);
    let repositories = reader.read_all(&sections);
    if repositories.is_empty() {
        let names: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
        let help = match names.is_empty() {
            true => "a .repo file has a section for each repository: `[name]`, `baseurl=…`".to_owned(),
            false => format!("set `enabled=1` in one of {}", names.join(", ")),
        };
        return Err(ImportError::NoRepository { path: path.to_owned(), help });
    }
    let mut kdl = KdlText::default();
    kdl.comment(&format!("imported from {path}"));
    reader.notes.iter().for_each(|note| kdl.comment(note));
    kdl.open("chroot", &[&name_of(chroot).unwrap_or_else(|| "imported".to_owned())]);
    reader.write_variables(&mut kdl);
    repositories.iter().for_each(|repository| repository.write(&mut kdl));
    kdl.close();
    Ok(Imported { text: kdl.finish(), notes: reader.notes })
}

/// A repository, as it will be written.
#[derive(Clone, Debug, Default)]
pub(super) struct ImportedRepository {
    name: String,
    comment: Option<String>,
    /// `baseurl`, `metalink` or `mirrorlist`, and the addresses.
    location: (&'static str, Vec<String>),
    keys: Vec<String>,
    /// Properties with their values as KDL has them.
    properties: Vec<(&'static str, String)>,
    lists: Vec<(&'static str, Vec<String>)>,
}

impl ImportedRepository {
    /// Writes the node.
    pub fn write(&self, kdl: &mut KdlText) {
        let mut line = format!("repo {}", super::kdl_text::word(&self.name));
        let mut further: Vec<(&str, &[String])> = Vec::new();
        let single = [(self.location.0, &self.location.1), ("gpgkey", &self.keys)];
        for (name, values) in single {
            match values.as_slice() {
                [] => {}
                [one] => line += &format!(" {name}={}", quote_kdl(one)),
                several => further.push((name, several)),
            }
        }
        for (name, value) in &self.properties {
            line += &format!(" {name}={value}");
        }
        further.extend(self.lists.iter().map(|(name, values)| (*name, values.as_slice())));
        if let Some(comment) = &self.comment {
            kdl.comment(comment);
        }
        if further.is_empty() {
            kdl.line(&line);
            return;
        }
        kdl.open(&line, &[]);
        for (name, values) in further {
            kdl.node(name, &values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        kdl.close();
    }
}

/// Reads sections of dnf's files.
#[derive(Debug, Default)]
pub(super) struct RepositoryReader {
    /// What can be said of the variables of addresses.
    pub variables: BTreeMap<String, String>,
    /// Variables that were met, and their values.
    pub used: BTreeMap<String, String>,
    /// What has no counterpart.
    pub notes: Vec<String>,
    names: BTreeSet<String>,
    left_out: Vec<String>,
}

impl RepositoryReader {
    /// The repositories that are enabled.
    pub fn read_all(&mut self, sections: &[IniSection]) -> Vec<ImportedRepository> {
        let nothing = IniSection::default();
        let main = sections.iter().find(|section| section.name == "main").unwrap_or(&nothing);
        self.note_others(main, "the settings of dnf");
        let repositories = sections.iter().filter(|section| section.name != "main");
        let read: Vec<_> = repositories.filter_map(|section| self.read(section, main)).collect();
        if !self.left_out.is_empty() {
            self.notes.push(format!("left out, as they are not enabled: {}", self.left_out.join(", ")));
        }
        read
    }

    /// `vars` and `releasever`, where addresses need them.
    pub fn write_variables(&self, kdl: &mut KdlText) {
        if let Some(release) = self.used.get("releasever") {
            kdl.line(&format!("releasever {}", quote_kdl(release)));
        }
        let own: Vec<_> =
            self.used.iter().filter(|(name, _)| !KNOWN_VARIABLES.contains(&name.as_str())).collect();
        if own.is_empty() {
            return;
        }
        kdl.open("vars", &[]);
        own.iter().for_each(|(name, value)| kdl.line(&format!("{name} {}", quote_kdl(value))));
        kdl.close();
    }

    fn read(&mut self, section: &IniSection, main: &IniSection) -> Option<ImportedRepository> {
        if section.flag("enabled") == Some(false) {
            self.left_out.push(section.name.clone());
            return None;
        }
        let name = self.name(&section.name)?;
        let location = self.location(section, &name)?;
        let keys: Vec<String> = section.words("gpgkey").into_iter().map(|key| self.key(key, &name)).collect();
        let said = |name| section.flag(name).or_else(|| main.flag(name));
        let mut properties = Vec::new();
        let checked = said("gpgcheck").or_else(|| said("pkg_gpgcheck"));
        if checked == Some(false) || (checked.is_none() && keys.is_empty()) {
            properties.push(("gpgcheck", "#false".to_owned()));
        } else if keys.is_empty() {
            self.notes.push(format!(
                "repository {name}: packages have to be signed, and no key is named; write `gpgkey=`"
            ));
        }
        if said("repo_gpgcheck") == Some(true) {
            properties.push(("repo-gpgcheck", "#true".to_owned()));
        }
        for setting in ["priority", "cost"] {
            let number = section.get(setting).and_then(|text| text.parse::<u32>().ok());
            properties.extend(number.map(|number| (setting, number.to_string())));
        }
        let exclude: Vec<String> = [section, main]
            .iter()
            .flat_map(|from| from.words("excludepkgs").into_iter().chain(from.words("exclude")))
            .map(str::to_owned)
            .collect();
        let include: Vec<String> = section.words("includepkgs").into_iter().map(str::to_owned).collect();
        let lists = [("exclude", exclude), ("includepkgs", include)].into_iter();
        let lists = lists.filter(|(_, words)| !words.is_empty()).collect();
        self.note_others(section, &format!("repository {name}"));
        let comment = section.get("name").filter(|title| *title != name).map(str::to_owned);
        Some(ImportedRepository { name, comment, location, keys, properties, lists })
    }

    fn name(&mut self, written: &str) -> Option<String> {
        let name = name_of(written).filter(|name| !self.names.contains(name));
        match &name {
            Some(name) => drop(self.names.insert(name.clone())),
            None => self
                .notes
                .push(format!("repository `{written}` is left out: its name is taken, or can't be one here")),
        }
        name
    }

    fn location(&mut self, section: &IniSection, name: &str) -> Option<(&'static str, Vec<String>)> {
        let places = section.words("baseurl").into_iter().map(|url| self.address(url, name)).collect();
        let places: Vec<String> = places;
        let list = |name| section.get(name).map(|url| url.split_whitespace().next().unwrap_or_default());
        // dnf takes a list of mirrors for a metalink by its address.
        let metalink = list("metalink").or_else(|| list("mirrorlist").filter(|url| url.contains("metalink")));
        let lists = [("metalink", metalink), ("mirrorlist", list("mirrorlist"))];
        let list = lists.into_iter().find_map(|(kind, url)| Some((kind, url.filter(|url| !url.is_empty())?)));
        // As dnf asks them first.
        if let Some((kind, url)) = list {
            if !places.is_empty() {
                self.notes.push(format!("repository {name}: `baseurl` is left out for its `{kind}`"));
            }
            let url = self.address(url, name);
            return Some((kind, vec![url]));
        }
        if places.is_empty() {
            self.notes.push(format!("repository {name} is left out: nothing says where it is"));
            return None;
        }
        Some(("baseurl", places.into_iter().map(|url| url.trim_end_matches('/').to_owned()).collect()))
    }

    /// An address, of whose variables the values are noted.
    fn address(&mut self, url: &str, repository: &str) -> String {
        let url = without_braces(url);
        for name in variables_of(&url) {
            if self.used.contains_key(&name) || ["arch", "basearch"].contains(&name.as_str()) {
                continue;
            }
            let value = self.variables.get(&name).cloned().or_else(|| self.part_of_release(&name));
            match value {
                Some(value) => drop(self.used.insert(name, value)),
                None => {
                    let node =
                        if name == "releasever" { "releasever \"…\"" } else { "vars { NAME \"…\" }" };
                    let node = node.replace("NAME", &name);
                    let note =
                        format!("repository {repository}: nothing says what `${name}` is: write `{node}`");
                    self.notes.push(note);
                }
            }
        }
        match url.strip_prefix("file://") {
            Some(path) => path.to_owned(),
            None => url,
        }
    }

    fn part_of_release(&self, name: &str) -> Option<String> {
        let release = self.variables.get("releasever")?;
        let mut parts = release.splitn(2, '.');
        match name {
            "releasever_major" => parts.next().map(str::to_owned),
            "releasever_minor" => parts.nth(1).map(str::to_owned),
            _ => None,
        }
    }

    /// A key's place. Variables in it are replaced now: forge replaces them in addresses alone.
    fn key(&mut self, written: &str, repository: &str) -> String {
        let mut key = without_braces(written);
        let mut names = variables_of(&key);
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        for name in names {
            let value = self.variables.get(&name).cloned().or_else(|| self.part_of_release(&name));
            match value {
                Some(value) => key = key.replace(&format!("${name}"), &value),
                None => self.notes.push(format!(
                    "repository {repository}: nothing says what `${name}` is in its `gpgkey`: write the path"
                )),
            }
        }
        match key.strip_prefix("file://") {
            Some(path) => path.to_owned(),
            None => {
                if key.contains("://") {
                    self.notes.push(format!(
                        "repository {repository}: its key is fetched: write its `fingerprint=`, from a place that you trust"
                    ));
                }
                key
            }
        }
    }

    fn note_others(&mut self, section: &IniSection, of: &str) {
        let is_other = |name: &&str| !OF_NO_MEANING.contains(name) && !TAKEN.contains(name);
        let names = section.settings.iter().map(|(name, _)| name.as_str()).filter(is_other);
        let names: BTreeSet<&str> = names.collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            self.notes.push(format!("{of}: no counterpart of {}", names.join(", ")));
        }
    }
}

/// `${name}` → `$name`.
fn without_braces(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        written.push_str(before);
        match after.split_once('}') {
            Some((name, behind)) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                written.push('$');
                written.push_str(name);
                rest = behind;
            }
            Some(_) | None => {
                written.push_str("${");
                rest = after;
            }
        }
    }
    written + rest
}

fn variables_of(text: &str) -> Vec<String> {
    let name = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    text.split('$').skip(1).map(name).filter(|name| !name.is_empty()).collect()
}
