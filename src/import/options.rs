//! `config_opts`: what mock's configurations consist of.

use serde_json::{Map, Value, json};

/// The options so far.
#[derive(Clone, Debug)]
pub(super) struct MockOptions {
    values: Map<String, Value>,
    /// Names of options that a configuration has set, in order.
    said: Vec<String>,
}

impl MockOptions {
    /// Those that mock begins with, as far as configurations look at them. `arch` is the machine's architecture.
    pub fn new(arch: &str) -> Self {
        let values = json!({
            "target_arch": arch,
            "host_arch": arch,
            "repo_arch": null,
            "package_manager": "dnf",
            "mirrored": true,
            "koji_primary_repo": null,
            "redhat_subscription_key_id": "",
            "rhel_product": "rhel",
            "user_agent": "",
            "chroot_setup_cmd": "install @buildsys-build",
            "chroothome": "/builddir",
            "chrootuser": "mockbuild",
            "dnf_install_command": "",
            "yum_install_command": "",
            "macros": {},
            "environment": {},
            "plugin_conf": {},
            "dnf_vars": {},
            "dnf.conf": "",
            "yum.conf": "",
        });
        let values = match values {
            Value::Object(values) => values,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Map::new()
            }
        };
        Self { values, said: Vec::new() }
    }

    /// An option.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// All of them, for templates.
    pub fn all(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The names of those that a configuration has set.
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// What is at a path of keys.
    pub fn at(&self, keys: &[String]) -> Option<&Value> {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.values.get(first)?, |value, key| value.get(key))
    }

    /// The place of a path of keys, made where it isn't there.
    pub fn place(&mut self, keys: &[String]) -> Option<&mut Value> {
        let (first, rest) = keys.split_first()?;
        if !self.said.contains(first) {
            self.said.push(first.clone());
        }
        let mut place = self.values.entry(first.clone()).or_insert(Value::Null);
        for key in rest {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            place = place.as_object_mut()?.entry(key.clone()).or_insert(Value::Null);
        }
        Some(place)
    }

    /// What configurations only look at is known once all of it was read.
    pub fn settle(&mut self) {
        let target = self.values.get("target_arch").cloned().unwrap_or(Value::Null);
        let repository = self.values.entry("repo_arch").or_insert(Value::Null);
        if repository.is_null() {
            *repository = target;
        }
    }
}
