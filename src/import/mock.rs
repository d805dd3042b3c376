//! mock's configurations → a chroot.

use serde_json::Value;

use super::ini::read_ini;
use super::kdl_text::{KdlText, name_of};
use super::mock_files::MockFiles;
use super::options::MockOptions;
use super::python::ConfigurationReader;
use super::repository::RepositoryReader;
use super::template::Templates;
use super::{ImportError, Imported};
use crate::files::HostPath;

/// MockOptions that say how mock works, and nothing of what is in its roots, or whose place is taken here.
const OF_NO_MEANING: &[&str] = &[
    "legal_host_arches",
    "dist",
    "package_manager",
    "bootstrap_image",
    "bootstrap_image_ready",
    "use_bootstrap",
    "use_bootstrap_image",
    "bootstrap_image_fallback",
    "package_manager_max_attempts",
    "package_manager_attempt_delay",
    "ssl_ca_bundle_path",
    "ssl_copied_ca_trust_dirs",
    "basedir",
    "cache_topdir",
    "resultdir",
    "root_log",
    "build_log_fmt_name",
    "cleanup_on_success",
    "cleanup_on_failure",
    "print_main_output",
    "isolation",
    "use_nspawn",
    "yum_command",
    "dnf_command",
    "dnf5_command",
    "system_yum_command",
    "system_dnf_command",
    "yum_builddep_command",
    "mirrored",
    "koji_primary_repo",
    "no-config",
    "repo_arch",
    "host_arch",
    "mirrorlist_arch",
    "baseurl_arch",
    "releasever_major",
    "eln_rawhide_releasever",
    "rhel_product",
    "user_agent",
    "useradd",
    "chrootuser",
    "chrootuid",
    "chrootgroup",
    "chroothome",
    // A sandbox has what programs expect.
    "extra_chroot_dirs",
    "dnf_vars",
];

/// MockOptions that become nodes.
const TAKEN: &[&str] = &[
    "root",
    "description",
    "target_arch",
    "releasever",
    "chroot_setup_cmd",
    "chroot_additional_packages",
    "macros",
    "environment",
    "dnf.conf",
    "dnf5.conf",
    "yum.conf",
];

/// Imports a configuration: a file's path from `folder`, or the name of one in `/etc/mock`. `arch` is this machine's architecture.
///
/// # Errors
/// It can't be read, is no configuration of mock, or names no repository.
pub fn import_mock(folder: &HostPath, name: &str, arch: &str) -> Result<Imported, ImportError> {
    let (files, path, text) = MockFiles::find(folder, name)?;
    let mut reader = ConfigurationReader::new(&files, MockOptions::new(arch));
    let shown = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    reader.read(&shown, &text, 0)?;
    let ConfigurationReader { mut options, notes, .. } = reader;
    options.settle();
    let templates = Templates::new(&options);
    let mut import = MockImport { options: &options, templates, notes, kdl: KdlText::default() };
    import.write(&shown)?;
    Ok(Imported { text: import.kdl.finish(), notes: import.notes })
}

struct MockImport<'o> {
    options: &'o MockOptions,
    templates: Templates<'o>,
    notes: Vec<String>,
    kdl: KdlText,
}

impl MockImport<'_> {
    fn write(&mut self, path: &str) -> Result<(), ImportError> {
        let arch = self.templates.text("target_arch")?.unwrap_or_default();
        let mut repositories = self.repository_reader(&arch)?;
        let sections = read_ini(&self.configuration()?);
        let read = repositories.read_all(&sections);
        if read.is_empty() {
            let help = "mock's configurations name them in `config_opts['dnf.conf']`".to_owned();
            return Err(ImportError::NoRepository { path: path.to_owned(), help });
        }
        self.notes.append(&mut repositories.notes);
        let install = self.install()?;
        let macros = self.texts("macros")?;
        let environment = self.texts("environment")?;
        self.note_others();

        let root = self.templates.text("root")?.unwrap_or_default();
        let stem = path.trim_end_matches(".cfg");
        let name = name_of(&root).or_else(|| name_of(stem)).unwrap_or_else(|| "imported".to_owned());
        self.kdl.comment(&format!("imported from mock's {path}"));
        for note in self.notes.clone() {
            self.kdl.comment(&note);
        }
        self.kdl.open("chroot", &[&name]);
        if let Some(description) = self.templates.text("description")? {
            self.kdl.comment(&description);
        }
        self.kdl.node("arch", &[&arch]);
        repositories.write_variables(&mut self.kdl);
        read.iter().for_each(|repository| repository.write(&mut self.kdl));
        if sections
            .iter()
            .any(|section| section.name == "main" && section.flag("install_weak_deps") == Some(true))
        {
            self.kdl.line("weak-dependencies #true");
        }
        if !install.is_empty() {
            self.kdl.node("install", &install.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for (node, values) in [("macros", macros), ("env", environment)] {
            if values.is_empty() {
                continue;
            }
            self.kdl.open(node, &[]);
            for (name, value) in values {
                self.kdl.line(&format!(
                    "{} {}",
                    super::kdl_text::word(&name),
                    crate::text::quote_kdl(&value)
                ));
            }
            self.kdl.close();
        }
        self.kdl.close();
        Ok(())
    }

    fn repository_reader(&self, arch: &str) -> Result<RepositoryReader, ImportError> {
        let mut reader = RepositoryReader::default();
        let variables = &mut reader.variables;
        if let Some(Value::Object(own)) = self.options.get("dnf_vars") {
            for (name, value) in own {
                let Value::String(value) = value else { continue };
                variables.insert(name.clone(), self.templates.expand("dnf_vars", value)?);
            }
        }
        if let Some(release) = self.templates.text("releasever")? {
            variables.insert("releasever".to_owned(), release);
        }
        variables.insert("basearch".to_owned(), base_arch(arch).to_owned());
        variables.insert("arch".to_owned(), arch.to_owned());
        Ok(reader)
    }

    /// The text of dnf's configuration.
    fn configuration(&self) -> Result<String, ImportError> {
        let manager = self.templates.text("package_manager")?.unwrap_or_default();
        let preferred = if manager == "yum" { ["yum.conf", "dnf.conf"] } else { ["dnf.conf", "yum.conf"] };
        for option in preferred {
            let text = self.templates.text(option)?.unwrap_or_default();
            if !text.trim().is_empty() {
                return Ok(text);
            }
        }
        Ok(String::new())
    }

    /// What is in the minimal root.
    fn install(&mut self) -> Result<Vec<String>, ImportError> {
        let mut install = Vec::new();
        for option in ["chroot_setup_cmd", "chroot_additional_packages"] {
            let mut words = self.words(option)?.into_iter();
            if option == "chroot_setup_cmd" {
                let command = words.next().unwrap_or_default();
                let is_group = command.starts_with("group");
                if !["install", "groupinstall"].contains(&command.as_str()) {
                    self.notes.push(format!(
                        "chroot_setup_cmd: `{command}` is no `install`; look at what `install` says"
                    ));
                }
                let group = |word: String| if is_group { format!("@{word}") } else { word };
                words = words.map(group).collect::<Vec<_>>().into_iter();
            }
            for word in words {
                match word.starts_with('-') {
                    true => self.notes.push(format!("{option}: no counterpart of the option `{word}`")),
                    false => install.push(word),
                }
            }
        }
        Ok(install)
    }

    /// The words of a text or of a list of them.
    fn words(&self, option: &str) -> Result<Vec<String>, ImportError> {
        let texts: Vec<&str> = match self.options.get(option) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        };
        let mut words = Vec::new();
        for text in texts {
            let text = self.templates.expand(option, text)?;
            words.extend(text.split_whitespace().map(str::to_owned));
        }
        Ok(words)
    }

    /// An option that is a map of texts.
    fn texts(&mut self, option: &str) -> Result<Vec<(String, String)>, ImportError> {
        let Some(Value::Object(map)) = self.options.get(option) else { return Ok(Vec::new()) };
        let mut texts = Vec::new();
        for (name, value) in map {
            let value = match value {
                Value::String(text) => self.templates.expand(option, text)?,
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    self.notes.push(format!("{option}: `{name}` is no text, and left out"));
                    continue;
                }
            };
            texts.push((name.trim_start_matches('%').to_owned(), value));
        }
        Ok(texts)
    }

    fn note_others(&mut self) {
        for option in self.options.said() {
            if OF_NO_MEANING.contains(&option.as_str()) || TAKEN.contains(&option.as_str()) {
                continue;
            }
            self.notes.push(match option.as_str() {
                "yum_install_command" | "dnf_install_command" => {
                    format!("no counterpart of {option}: repositories that it disables are to be removed here")
                }
                "rpmbuild_networking" => {
                    "rpmbuild_networking: write `network #true` in `defaults` or in the packages that need it".to_owned()
                }
                "rpmbuild_timeout" => {
                    "rpmbuild_timeout: write `timeout` in `defaults` or in the packages that need it".to_owned()
                }
                "redhat_subscription_required" => {
                    "the repositories ask for a client's certificate of a Red Hat subscription, which forge can't show: name a mirror"
                        .to_owned()
                }
                other => format!("no counterpart of config_opts['{other}']"),
            });
        }
    }
}

/// `$basearch` of an architecture, as dnf has it.
fn base_arch(arch: &str) -> &str {
    match arch {
        "i386" | "i486" | "i586" | "i686" | "athlon" => "i386",
        "amd64" | "ia32e" | "x86_64_v3" | "x86_64_v4" => "x86_64",
        "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        other => other,
    }
}
