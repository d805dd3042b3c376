//! What macros say of a root, asked of a worker: where the package database is, and which rpm's language is spoken.

use std::collections::HashMap;

use tokio::sync::Mutex;

use crate::digest::{Digest, Encoder, Key};
use crate::engine::worker::{WorkerListener, WorkerPlace, Workers, describe_death};
use crate::engine::{
    Asked, EngineError, FORGE_SOURCES, InstalledOrder, Isolation, Message, RootAnswer, RootState, Settings,
};
use crate::macros::RpmVersion;
use crate::process::{Cancel, Exit};

/// What is known of the root, by the settings that decide it.
#[derive(Debug, Default)]
pub(super) struct Databases {
    pub known: Mutex<HashMap<DatabaseKey, RootState>>,
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

    /// What the state of the root of these packages is remembered under. Another forge may find another one.
    pub fn in_root_of(&self, packages: &Digest) -> Key {
        let Self { target, isolation, rpm, macros } = self;
        let mut encoder = Encoder::new("rpmforge state of a root v1");
        encoder.text("forge", FORGE_SOURCES).digest_field("packages", packages);
        encoder.option("target", target.as_deref());
        encoder.text("isolation", &isolation.to_string());
        encoder.option("rpm", rpm.map(|rpm| rpm.to_string()).as_deref());
        for said in macros {
            encoder.option("said", said.as_ref().map(|_| "it is"));
            encoder.option("macro", said.as_ref().and_then(Option::as_deref));
        }
        encoder.key()
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
