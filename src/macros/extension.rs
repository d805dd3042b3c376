//! Why a macro that the program itself defines can't be expanded.

/// Why a macro that the program itself defines stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionProblem {
    /// What is wrong, in rpm's words.
    pub message: Vec<u8>,
    /// What can be done, where that is known.
    pub help: Option<String>,
}

impl From<Vec<u8>> for ExtensionProblem {
    fn from(message: Vec<u8>) -> Self {
        Self { message, help: None }
    }
}
