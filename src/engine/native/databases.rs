//! What macros say of a root, asked of a worker: where the package database is, and which rpm's language is spoken.

use std::collections::HashMap;

use tokio::sync::Mutex;

use crate::engine::worker::{WorkerListener, WorkerPlace, Workers, describe_death};
use crate::engine::{
    Asked, EngineError, Installed, InstalledOrder, Isolation, Message, RootAnswer, Settings,
};
use crate::macros::RpmVersion;
use crate::process::{Cancel, Exit};

/// What is known of the root, by the settings that decide it.
#[derive(Debug, Default)]
pub(super) struct Databases {
    pub known: Mutex<HashMap<DatabaseKey, RootState>>,
}

/// What a build has to know of the root before it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct RootState {
    /// Whether it has packages of rpm that `BuildRequires` can be checked against.
    pub has_packages: bool,
    /// The rpm whose language is spoken.
    pub rpm: Option<RpmVersion>,
}

impl RootState {
    /// What an answer says.
    ///
    /// # Errors
    /// It is none: whoever went on without would speak another language under the same key, and check no requirement.
    pub fn new(answer: &RootAnswer) -> Result<Self, EngineError> {
        match (&answer.packages, answer.rpm) {
            (Installed::Unknown(reason), None) => Err(EngineError::RootSilent { reason: reason.clone() }),
            (packages, rpm) => Ok(Self { has_packages: packages.has_packages(), rpm }),
        }
    }
}

/// What decides which package database builds see, and which language they speak.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DatabaseKey {
    target: Option<String>,
    isolation: Isolation,
    rpm: Option<RpmVersion>,
    /// What the settings say of the macros that are asked.
    macros: [Option<Option<String>>; 2],
}

impl DatabaseKey {
    pub fn new(settings: &Settings) -> Self {
        let said = |name: &str| {
            let setting = settings.macros.iter().find(|setting| setting.name == name)?;
            Some(setting.body.as_ref().map(|body| body.reveal().to_owned()))
        };
        let macros = [said("_dbpath"), said(RpmVersion::MACRO)];
        Self { target: settings.target.clone(), isolation: settings.isolation, rpm: settings.rpm, macros }
    }
}

/// Asks a worker of the root.
///
/// # Errors
/// It can't be started, or it was canceled.
pub(super) async fn ask_installed(
    workers: &Workers,
    place: WorkerPlace<'_>,
    order: InstalledOrder,
    cancel: &Cancel,
) -> Result<RootAnswer, EngineError> {
    let mut heard = RootListener::default();
    let exit = workers.run(Asked::Installed(order), place, cancel, &mut heard).await?;
    match (heard.answer, exit) {
        (Some(answer), _) => Ok(answer),
        (None, Exit::Canceled) => Err(EngineError::Canceled),
        (None, Exit::TimedOut) => {
            Ok(RootAnswer::unknown(format!("its worker took longer than {} s", place.timeout.as_secs())))
        }
        (None, Exit::PassedLimit(_)) => {
            Ok(RootAnswer::unknown("its worker took more than it may".to_owned()))
        }
        (None, Exit::Code(code)) => Ok(RootAnswer::unknown(describe_death(code))),
    }
}

#[derive(Default)]
struct RootListener {
    answer: Option<RootAnswer>,
}

impl WorkerListener for RootListener {
    fn message(&mut self, message: Message) {
        match message {
            Message::Installed { answer } => self.answer = Some(answer),
            Message::Stage { .. }
            | Message::Problem(_)
            | Message::Wrote { .. }
            | Message::Reading { .. }
            | Message::Answered { .. }
            | Message::Ended(_)
            | Message::Scriptlet(_)
            | Message::Unknown => {}
        }
    }

    fn log(&mut self, _chunk: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_answered_is_no_state_of_a_root() {
        let unknown = RootAnswer::unknown("its worker was killed".to_owned());
        let error = RootState::new(&unknown).unwrap_err();
        assert!(error.to_string().ends_with(": its worker was killed"), "{error}");
        // A worker that can't read the packages still says which rpm it speaks for.
        let answer = RootAnswer { rpm: Some(RpmVersion::NEWEST), ..unknown };
        let state = RootState::new(&answer).unwrap();
        assert_eq!((state.has_packages, state.rpm), (false, Some(RpmVersion::NEWEST)));
    }
}
