//! Where the registries are: what the machine's own clients are set up with, or else the public ones.
//!
//! A company's mirror is set up once, for pip, gem, cargo and npm, and forge goes there too. Of their files only the address of the
//! index is read. Neither locks nor specs name it: they say where a file is for everybody, and its checksum.

use super::ini::{ini_value, read_ini};

/// The addresses of the four indexes.
#[derive(Clone, PartialEq, Eq)]
pub struct Indexes {
    /// PyPI: pages of the simple API are below it.
    pub pypi: String,
    /// RubyGems: `info/` and `gems/` are below it.
    pub rubygems: String,
    /// crates.io: the sparse index.
    pub crates: String,
    /// npm.
    pub npm: String,
}

const PYPI: &str = "https://pypi.org/simple";
/// Where everybody finds gems.
pub const RUBYGEMS: &str = "https://rubygems.org";
const CRATES: &str = "https://index.crates.io";
/// Where everybody finds packages of npm's.
pub const NPM: &str = "https://registry.npmjs.org";

impl Default for Indexes {
    fn default() -> Self {
        Self {
            pypi: PYPI.to_owned(),
            rubygems: RUBYGEMS.to_owned(),
            crates: CRATES.to_owned(),
            npm: NPM.to_owned(),
        }
    }
}

/// What the machine says: its environment, and files by their absolute paths.
pub trait MachineSettings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// What a file has.
    fn file(&self, path: &str) -> Option<String>;
}

impl Indexes {
    /// The indexes that the machine's clients use.
    pub fn from_machine(machine: &dyn MachineSettings) -> Self {
        let public = Self::default();
        let found = Self {
            pypi: pip_index(machine).unwrap_or(public.pypi),
            rubygems: gem_index(machine).unwrap_or(public.rubygems),
            crates: cargo_index(machine).unwrap_or(public.crates),
            npm: npm_index(machine).unwrap_or(public.npm),
        };
        let trim = |address: String| address.trim_end_matches('/').to_owned();
        Self {
            pypi: trim(found.pypi),
            rubygems: trim(found.rubygems),
            crates: trim(found.crates),
            npm: trim(found.npm),
        }
    }
}

/// Logins are not shown.
impl std::fmt::Debug for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = [&self.pypi, &self.rubygems, &self.crates, &self.npm];
        f.debug_list().entries(shown.map(|address| crate::fetch::without_login(address))).finish()
    }
}

/// The path of a file below the user's home, or below a folder that a variable names.
fn below(machine: &dyn MachineSettings, variable: &str, otherwise: &str, file: &str) -> Option<String> {
    let named = machine.variable(variable).filter(|folder| !folder.is_empty());
    let folder = named.or_else(|| Some(format!("{}/{otherwise}", machine.variable("HOME")?)));
    folder.map(|folder| format!("{folder}/{file}"))
}

/// The first file, the one that counts most, that says it.
fn first_value(
    machine: &dyn MachineSettings,
    paths: impl IntoIterator<Item = Option<String>>,
    read: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    paths.into_iter().flatten().filter_map(|path| machine.file(&path)).find_map(|text| read(&text))
}

fn pip_index(machine: &dyn MachineSettings) -> Option<String> {
    let read = |text: &str| {
        let values = read_ini(text);
        ["install", "global"]
            .iter()
            .find_map(|section| ini_value(&values, section, "index-url"))
            .map(str::to_owned)
    };
    let paths = [
        machine.variable("PIP_CONFIG_FILE"),
        machine.variable("VIRTUAL_ENV").map(|folder| format!("{folder}/pip.conf")),
        below(machine, "XDG_CONFIG_HOME", ".config", "pip/pip.conf"),
        below(machine, "HOME", "", ".pip/pip.conf"),
        Some("/etc/pip.conf".to_owned()),
    ];
    machine.variable("PIP_INDEX_URL").or_else(|| first_value(machine, paths, read))
}

fn npm_index(machine: &dyn MachineSettings) -> Option<String> {
    let read = |text: &str| {
        let value =
            ini_value(&read_ini(text), "", "registry").map(|value| value.trim_matches('"').to_owned());
        value.filter(|value| value.starts_with("http"))
    };
    let variables = ["npm_config_registry", "NPM_CONFIG_REGISTRY"];
    let paths = [
        machine.variable("npm_config_userconfig").or_else(|| machine.variable("NPM_CONFIG_USERCONFIG")),
        below(machine, "HOME", "", ".npmrc"),
        Some("/etc/npmrc".to_owned()),
    ];
    variables.iter().find_map(|name| machine.variable(name)).or_else(|| first_value(machine, paths, read))
}

fn gem_index(machine: &dyn MachineSettings) -> Option<String> {
    let read = |text: &str| {
        let mut lines = text.lines().skip_while(|line| !matches!(line.trim(), ":sources:" | "sources:"));
        let value = lines.nth(1)?.trim().strip_prefix('-')?.trim().trim_matches(['"', '\'']);
        value.starts_with("http").then(|| value.to_owned())
    };
    let paths = [
        machine.variable("GEMRC"),
        below(machine, "HOME", "", ".gemrc"),
        below(machine, "XDG_CONFIG_HOME", ".config", "gem/gemrc"),
        Some("/etc/gemrc".to_owned()),
    ];
    first_value(machine, paths, read)
}

/// The source that replaces crates.io's. One that is a git repository, or a folder, is none that crates can be asked of.
fn cargo_index(machine: &dyn MachineSettings) -> Option<String> {
    let read = |text: &str| {
        let table: toml::Table = text.parse().ok()?;
        let sources = table.get("source")?.as_table()?;
        let mut name = "crates-io";
        // Each may be replaced by another; a circle of them ends here.
        for _ in 0..10 {
            let source = sources.get(name)?.as_table()?;
            match source.get("replace-with").and_then(toml::Value::as_str) {
                Some(next) => name = next,
                None => return Some(source.get("registry")?.as_str()?.strip_prefix("sparse+")?.to_owned()),
            }
        }
        None
    };
    let paths = ["config.toml", "config"].map(|file| below(machine, "CARGO_HOME", ".cargo", file));
    first_value(machine, paths, read)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Machine(BTreeMap<&'static str, &'static str>);

    impl MachineSettings for Machine {
        fn variable(&self, name: &str) -> Option<String> {
            if name == "HOME" {
                Some("/home/me".to_owned())
            } else {
                self.0.get(name).map(|&text| text.to_owned())
            }
        }

        fn file(&self, path: &str) -> Option<String> {
            self.0.get(path).map(|&text| text.to_owned())
        }
    }

    #[test]
    fn without_settings_the_public_registries_are_asked() {
        assert_eq!(Indexes::from_machine(&Machine(BTreeMap::new())), Indexes::default());
    }

    #[test]
    fn what_the_ordinary_clients_are_set_up_with_is_used() {
        let machine = Machine(BTreeMap::from([
            ("/home/me/.config/pip/pip.conf", "[global]\nindex-url = https://mirror.example/pypi/simple/\n"),
            (
                "/home/me/.npmrc",
                "//mirror.example/:_authToken=secret\nregistry=https://mirror.example/npm/\n",
            ),
            ("/home/me/.gemrc", ":sources:\n- https://mirror.example/gems/\n"),
            (
                "/home/me/.cargo/config.toml",
                "[source.crates-io]\nreplace-with = \"m\"\n[source.m]\nregistry = \"sparse+https://mirror.example/crates/\"\n",
            ),
        ]));
        let indexes = Indexes::from_machine(&machine);
        assert_eq!(
            [indexes.pypi, indexes.rubygems, indexes.crates, indexes.npm],
            ["pypi/simple", "gems", "crates", "npm"].map(|path| format!("https://mirror.example/{path}"))
        );
        let variables = Machine(BTreeMap::from([("PIP_INDEX_URL", "https://me:secret@a.example/simple")]));
        let indexes = Indexes::from_machine(&variables);
        assert_eq!(indexes.pypi, "https://me:secret@a.example/simple");
        assert!(!format!("{indexes:?}").contains("secret"));
    }
}
