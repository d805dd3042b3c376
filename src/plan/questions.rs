//! Specs that an engine has to be asked about, and what becomes of its answers.

use super::PlanError;
use crate::digest::Key;
use crate::engine::{EngineInRoot, FactsRequest, Read, Reading, SpecAnswer, SpecOrder};
use crate::process::Cancel;
use crate::store::{RecordKind, Store, StoreError};

/// A spec that the engine has to be asked about.
pub(super) struct Unread {
    /// What its reading is remembered by.
    pub key: Key,
    /// What the engine is asked.
    pub order: SpecOrder,
    /// The earlier reading, if it may still be valid.
    pub earlier: Option<Read>,
}

/// All questions to one engine.
#[derive(Default)]
pub(super) struct Questions {
    /// Whose each is.
    drafts: Vec<usize>,
    orders: Vec<SpecOrder>,
    known: Vec<KnownReading>,
}

/// What there is of a reading.
struct KnownReading {
    key: Key,
    earlier: Option<Read>,
    answer: Option<Read>,
}

/// A spec that was read.
pub(super) struct ReadSpec {
    /// Whose it is.
    pub draft: usize,
    /// What was asked.
    pub request: FactsRequest,
    /// What came of it.
    pub read: Read,
}

impl Questions {
    /// One more, of a draft.
    pub fn add(&mut self, draft: usize, unread: Unread) {
        let Unread { key, order, earlier } = unread;
        self.drafts.push(draft);
        self.orders.push(order);
        self.known.push(KnownReading { key, earlier, answer: None });
    }

    /// Asks all of them together, and remembers the answers as they come.
    pub async fn ask(
        self,
        engine: &dyn EngineInRoot,
        store: &Store,
        cancel: &Cancel,
    ) -> Result<Vec<ReadSpec>, PlanError> {
        let Self { drafts, orders, mut known } = self;
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let mut failure: Option<StoreError> = None;
        let mut hear = |number: usize, answer: SpecAnswer| {
            let Some(known) = known.get_mut(number) else { return };
            let remembered = known.take(answer, store);
            failure = failure.take().or(remembered.err());
        };
        engine.read(&orders, cancel, &mut hear).await?;
        match failure {
            Some(error) => Err(error.into()),
            None => {
                let asked = drafts.into_iter().zip(orders).zip(known);
                let read = asked.filter_map(|((draft, order), known)| {
                    Some(ReadSpec { draft, request: order.request, read: known.answer? })
                });
                Ok(read.collect())
            }
        }
    }
}

impl KnownReading {
    fn take(&mut self, answer: SpecAnswer, store: &Store) -> Result<(), StoreError> {
        match answer {
            SpecAnswer::StillValid => self.answer = self.earlier.take(),
            SpecAnswer::Read(read) => {
                let read = self.answer.insert(*read);
                // Why a spec can't be read may be gone the next time: a program that hung, a folder that was locked.
                if !matches!(read.reading, Reading::Broken(_)) {
                    store.remember(RecordKind::Facts, &self.key, read)?;
                }
            }
        }
        Ok(())
    }
}
