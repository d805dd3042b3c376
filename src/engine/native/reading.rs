//! Specs read by a worker: one for all of them. Another is started only where one has died, without the spec that killed it.

use std::collections::BTreeSet;

use crate::engine::limits::READING_TIME;
use crate::engine::surroundings::of_reading;
use crate::engine::worker::{WorkerListener, WorkerPlace, Workers, describe_death};
use crate::engine::{
    Asked, EngineError, Hear, Isolation, Mask, Message, Read, ReadOrder, Reading, Root, SpecAnswer,
    SpecOrder, WorkerEnd,
};
use crate::files::{HostPath, RootPath};
use crate::process::{Cancel, Exit, Personality, Tail};
use crate::spec::{Finding, Weight};

/// How often a worker may die before what it had still to read is given up.
const MOST_DEATHS: usize = 8;

/// Specs to read, and the workers that read them.
pub(super) struct Readings<'a> {
    pub workers: &'a Workers,
    /// Where workers run, on the machine.
    pub here: &'a HostPath,
    /// Where relative paths of specs begin.
    pub folder: Option<RootPath>,
    /// Those of the orders that are read in this way are read.
    pub place: (Isolation, Personality),
    pub root: &'a Root,
    pub orders: &'a [SpecOrder],
    pub cancel: &'a Cancel,
}

/// What one worker has left open.
struct Round {
    /// The specs that it has not answered, by their places.
    unanswered: BTreeSet<usize>,
    /// Those of them that it had begun with.
    begun: BTreeSet<usize>,
    /// How it ended.
    end: String,
}

impl Readings<'_> {
    /// Reads all; `hear` gets the answer to each.
    ///
    /// # Errors
    /// No worker can be started, or it was canceled.
    pub async fn read_all(&self, hear: Hear<'_>) -> Result<(), EngineError> {
        let mut left: BTreeSet<usize> = BTreeSet::new();
        let is_one = |(_, order): &(usize, &SpecOrder)| {
            let settings = &order.request.settings;
            (settings.isolation, settings.personality()) == self.place
        };
        for (number, order) in self.orders.iter().enumerate().filter(is_one) {
            match order.request.spec.as_path().to_str() {
                Some(_) => drop(left.insert(number)),
                None => hear(number, self.answer_unread(number, "its path is not UTF-8")),
            }
        }
        let mut end = String::new();
        for _ in 0..MOST_DEATHS {
            if left.is_empty() {
                return Ok(());
            }
            let round = self.ask(&left, hear).await?;
            (left, end) = (round.unanswered, round.end);
            if round.begun.is_empty() {
                break;
            }
            self.find_culprits(&round.begun, &end, hear).await?;
            left.retain(|number| !round.begun.contains(number));
        }
        left.iter().for_each(|number| hear(*number, self.answer_unread(*number, &end)));
        Ok(())
    }

    /// Names the spec that a worker died of. Where it was reading several, each is read once more by a worker of its own.
    async fn find_culprits(
        &self,
        begun: &BTreeSet<usize>,
        end: &str,
        hear: Hear<'_>,
    ) -> Result<(), EngineError> {
        if let [number] = Vec::from_iter(begun)[..] {
            hear(*number, self.answer_unread(*number, end));
            return Ok(());
        }
        for number in begun {
            let round = self.ask(&BTreeSet::from([*number]), hear).await?;
            if !round.unanswered.is_empty() {
                hear(*number, self.answer_unread(*number, &round.end));
            }
        }
        Ok(())
    }

    /// Has one worker read these specs.
    async fn ask(&self, numbers: &BTreeSet<usize>, hear: Hear<'_>) -> Result<Round, EngineError> {
        let numbers: Vec<usize> = numbers.iter().copied().collect();
        let orders = numbers.iter().filter_map(|number| self.orders.get(*number));
        let mask = Mask::new(
            orders
                .clone()
                .flat_map(|order| order.request.settings.secrets())
                .map(|(_, secret)| secret.reveal()),
        );
        let requests = orders.clone().map(|order| &order.request);
        let inside = of_reading(requests, self.here, self.place.0, self.root);
        let place = WorkerPlace { folder: self.here, inside: inside.as_ref(), timeout: READING_TIME };
        let order = ReadOrder { folder: self.folder.clone(), specs: orders.cloned().collect() };
        let unanswered = numbers.iter().copied().collect();
        let mut heard = ReadingListener {
            numbers,
            unanswered,
            begun: BTreeSet::new(),
            ended: None,
            tail: Tail::new(1),
            hear,
        };
        let exit = self.workers.run(Asked::Read(order), place, self.cancel, &mut heard).await?;
        let ReadingListener { unanswered, begun, ended, tail, .. } = heard;
        let end = match (exit, ended) {
            (Exit::Canceled, _) => return Err(EngineError::Canceled),
            (Exit::TimedOut, _) => format!("its worker took longer than {} s", place.timeout.as_secs()),
            (Exit::PassedLimit(_), _) => "its worker took more than it may".to_owned(),
            (Exit::Code(_), Some(_)) => "its worker gave no answer".to_owned(),
            (Exit::Code(code), None) => match tail.into_lines().pop() {
                Some(line) if code < 128 => format!("{}: {}", describe_death(code), mask.text(&line)),
                _ => describe_death(code),
            },
        };
        Ok(Round { begun: begun.intersection(&unanswered).copied().collect(), unanswered, end })
    }

    /// The answer of a spec that no worker answered.
    fn answer_unread(&self, number: usize, why: &str) -> SpecAnswer {
        let file = self.orders.get(number).map(|order| order.request.spec.to_string()).unwrap_or_default();
        let finding = Finding {
            weight: Weight::Error,
            code: "forge::engine::unread_spec".to_owned(),
            title: format!("{file} can't be read: {why}"),
            help: Some(
                "what it runs while it is read (`%(…)`, `%{lua:…}`) may have ended the worker that read it; other specs were read by another one"
                    .to_owned(),
            ),
            file,
            line: 0,
            through: None,
        };
        let reading = Reading::Broken(vec![finding]);
        SpecAnswer::Read(Box::new(Read { reading, observations: Vec::new(), expanded: None }))
    }
}

/// Receives what a worker tells.
struct ReadingListener<'a> {
    /// The places of the specs that it was asked, as they stand in its order.
    numbers: Vec<usize>,
    unanswered: BTreeSet<usize>,
    begun: BTreeSet<usize>,
    ended: Option<WorkerEnd>,
    tail: Tail,
    hear: Hear<'a>,
}

impl WorkerListener for ReadingListener<'_> {
    fn message(&mut self, message: Message) {
        match message {
            Message::Reading { number } => self.begun.extend(self.numbers.get(number)),
            Message::Answered { number, answer } => {
                let number = self.numbers.get(number).filter(|number| self.unanswered.remove(number));
                if let Some(number) = number {
                    (self.hear)(*number, answer);
                }
            }
            Message::Ended(ended) => self.ended = Some(ended),
            Message::Stage { .. }
            | Message::Problem(_)
            | Message::Wrote { .. }
            | Message::Installed { .. }
            | Message::Scriptlet(_)
            | Message::Unknown => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.tail.push(chunk, |_| {});
    }
}
