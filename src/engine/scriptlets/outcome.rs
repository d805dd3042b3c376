//! How a step ended.

use serde::{Deserialize, Serialize};

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum ScriptletEnd {
    /// Well.
    Done,
    /// Its program ended with an exit code other than 0; minus the signal that ended it.
    Failed {
        /// The code.
        code: i32,
    },
    /// It could not be run, or something else went wrong.
    Broken {
        /// What.
        reason: String,
    },
}

impl ScriptletEnd {
    /// How rpm says it after the name of a scriptlet; nothing where all went well.
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Done => None,
            Self::Failed { code } if *code < 0 => {
                Some(format!("scriptlet failed, signal {}", code.unsigned_abs()))
            }
            Self::Failed { code } => Some(format!("scriptlet failed, exit status {code}")),
            Self::Broken { reason } => Some(format!("scriptlet failed: {reason}")),
        }
    }
}
