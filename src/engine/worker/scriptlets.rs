//! Scriptlets that a worker runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{ScriptletEnd, ScriptletRun};

/// Scriptlets of packages that were laid into the root, in rpm's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptletOrder {
    /// What is to be run.
    pub runs: Vec<ScriptletRun>,
    /// The environment of all of them.
    pub environment: BTreeMap<String, String>,
}

/// Where scripts look for programs if the root's macros say nothing else (`%_install_script_path`).
const SCRIPT_PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin";

impl ScriptletOrder {
    /// These, in the environment that a package manager gives them which installs into a root that nothing runs in.
    pub fn new(runs: Vec<ScriptletRun>) -> Self {
        let environment =
            [("PATH", SCRIPT_PATH), ("HOME", "/root"), ("LANG", "C.UTF-8"), ("SYSTEMD_OFFLINE", "1")];
        let environment =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { runs, environment }
    }
}

/// How far the scriptlets of an order are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scriptlet", rename_all = "kebab-case")]
pub enum ScriptletProgress {
    /// One begins; what is in the log from here on is its own, after a line with its name.
    Began {
        /// Its place in the order.
        number: usize,
    },
    /// One has ended.
    Ended {
        /// Its place in the order.
        number: usize,
        /// How.
        end: ScriptletEnd,
    },
}
