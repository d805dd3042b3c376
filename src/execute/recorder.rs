//! Writes down and tells what happens, in the order in which it happened, on a thread of its own: the history and the
//! result folders wait for the disk, and who listens may be slow.
//!
//! What is sent to it waits in a queue. When that is full, who sends waits: however much builds print, the memory holds
//! little of it. An event is told after what it is about was written down. The first mistake is the apply's: everything is
//! ended and nothing begins any more, but what had begun is still written down, as far as that can be done.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::ExecuteError;
use super::abandoned::clear_abandoned;
use super::blocking::run_blocking;
use super::results::{ResultPackage, ResultRecord, complete, largest_number, result_folder, work_folder};
use super::task::{ScheduledBuild, Task};
use super::work_time::WorkTime;
use crate::digest::Key;
use crate::event::{
    BuildName, Ended, Event, EventSink, Failure, RebuildComparison, StageTime, State, Timestamp, What,
};
use crate::files::Folder;
use crate::process::Cancel;
use crate::store::{BuildRow, History, LastBuild, ResultFile, StepResult, Store};

/// How many records wait at the most. The largest are pieces of logs, of about 64 KiB.
pub(super) const QUEUE: usize = 256;

/// Where it is written down, and to whom it is told.
#[derive(Clone)]
pub(super) struct Records {
    pub history: Arc<History>,
    pub store: Arc<Store>,
    /// The project's state folder.
    pub state: Arc<Folder>,
    pub events: EventSink,
    /// Ends everything, when something can't be written down.
    pub cancel: Cancel,
}

/// How a build ended.
#[derive(Debug)]
pub(super) struct BuildEnding {
    pub build: BuildName,
    pub state: State,
    pub result: Option<(Key, Arc<StepResult>)>,
    pub details: EndDetails,
    /// How long making it takes, where the result was found.
    pub usual: Option<Duration>,
    /// What is known of a build that was found and not made.
    pub found: Option<FoundBuild>,
    /// The result folder of an earlier build that serves, below the state folder.
    pub serving: Option<String>,
}

/// A build whose result was found.
#[derive(Debug)]
pub(super) struct FoundBuild {
    pub build: Arc<ScheduledBuild>,
    /// Whether the project has had this result: then there is nothing to write down.
    pub is_known: bool,
}

/// What is told of a build's end beside its state.
#[derive(Debug, Default)]
pub(super) struct EndDetails {
    pub stages: Vec<StageTime>,
    pub skipped: Option<String>,
    pub failure: Option<Failure>,
}

enum Record {
    /// A build begins, or comes to a step before which more is known of it.
    Begin { build: Arc<ScheduledBuild>, at: Timestamp, task: oneshot::Sender<Task> },
    /// A build has come to a state.
    State { build: BuildName, state: State, usual: Option<Duration>, at: Timestamp },
    /// A build has ended.
    Ended { ending: Box<BuildEnding>, at: Timestamp },
    /// A result was of use.
    Used { key: Key, at: Timestamp },
    /// There is nothing to write down.
    Happened(Box<Event>),
    /// Nothing comes after this.
    Finish,
}

/// The recorder of one apply. See the [module](self).
pub(super) struct Recorder {
    handle: RecorderHandle,
    thread: JoinHandle<Option<ExecuteError>>,
}

/// Sends to the recorder what happens.
#[derive(Clone)]
pub(super) struct RecorderHandle {
    queue: SyncSender<Record>,
    events: EventSink,
    has_failed: Arc<AtomicBool>,
}

impl Recorder {
    /// Ends what an earlier forge has left, and begins to listen.
    pub async fn start(records: Records) -> Result<Self, ExecuteError> {
        let prepared = records.clone();
        run_blocking(move || prepare(&prepared)).await?;
        let (queue, received) = sync_channel(QUEUE);
        let has_failed = Arc::new(AtomicBool::new(false));
        let handle = RecorderHandle { queue, events: records.events.clone(), has_failed };
        let has_failed = Arc::clone(&handle.has_failed);
        let writer = Writer { records, begun: HashMap::new(), failure: None, has_failed };
        let thread = std::thread::Builder::new().name("recorder".to_owned());
        Ok(Self { handle, thread: thread.spawn(move || writer.run(&received))? })
    }

    pub fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// Writes down and tells all that was sent. Gives the first mistake.
    pub async fn finish(self) -> Result<(), ExecuteError> {
        let Self { handle, thread } = self;
        let joined = run_blocking(move || {
            handle.send(Record::Finish);
            thread.join().map_err(|_| ExecuteError::Task("the recorder of what happens has died".to_owned()))
        });
        joined.await?.map_or(Ok(()), Err)
    }
}

impl RecorderHandle {
    /// Whether something could not be written down.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// A build begins, or comes to its next step: it has its number and its folders now.
    pub async fn begin(&self, build: Arc<ScheduledBuild>) -> Result<Task, ExecuteError> {
        let (task, begun) = oneshot::channel();
        self.send(Record::Begin { build, at: self.events.now(), task });
        // Why there is none is the recorder's to say, and ends the apply.
        begun.await.map_err(|_| ExecuteError::Task("it could not be written down".to_owned()))
    }

    /// A build has come to a state that is not its last. `usual` is how long it took last time.
    pub fn state(&self, build: &BuildName, state: State, usual: Option<Duration>) {
        self.send(Record::State { build: build.clone(), state, usual, at: self.events.now() });
    }

    /// A build has ended.
    pub fn ended(&self, ending: BuildEnding) {
        self.send(Record::Ended { ending: Box::new(ending), at: self.events.now() });
    }

    /// A result was of use.
    pub fn used(&self, key: Key) {
        self.send(Record::Used { key, at: self.events.now() });
    }

    /// Something has happened that need not be written down.
    pub fn happened(&self, what: What) {
        self.send(Record::Happened(Box::new(self.events.event(what))));
    }

    /// Whether somebody asks for what builds print.
    pub fn wants_logs(&self) -> bool {
        self.events.wants_logs()
    }

    fn send(&self, record: Record) {
        // A recorder that is gone has panicked: who finishes it hears of that.
        if self.queue.send(record).is_err() {
            self.has_failed.store(true, Ordering::Relaxed);
        }
    }
}

fn prepare(records: &Records) -> Result<(), ExecuteError> {
    let Records { history, state, events, .. } = records;
    clear_abandoned(history, state, events.now())?;
    if history.is_new()? {
        // Where an older history is gone, its result folders are not.
        history.number_after(largest_number(state)?)?;
    }
    Ok(())
}

/// A build that has a number.
struct BegunBuild {
    number: u64,
    started: Timestamp,
    worked: WorkTime,
    /// Its result folder, below the state folder.
    folder: String,
    build: Arc<ScheduledBuild>,
}

/// The recorder's own side.
struct Writer {
    records: Records,
    begun: HashMap<BuildName, BegunBuild>,
    failure: Option<ExecuteError>,
    has_failed: Arc<AtomicBool>,
}

impl Writer {
    fn run(mut self, received: &Receiver<Record>) -> Option<ExecuteError> {
        while let Ok(record) = received.recv() {
            if matches!(record, Record::Finish) {
                break;
            }
            if let Err(error) = self.write(record) {
                self.has_failed.store(true, Ordering::Relaxed);
                self.records.cancel.cancel();
                self.failure.get_or_insert(error);
            }
        }
        self.failure
    }

    fn write(&mut self, record: Record) -> Result<(), ExecuteError> {
        match record {
            Record::Begin { build, at, task } => {
                if self.failure.is_none() {
                    // Who asked may have gone.
                    let _ = task.send(self.begin(build, at)?);
                }
                Ok(())
            }
            Record::State { build, state, usual, at } => {
                let number = self.begun.get_mut(&build).map(|begun| {
                    begun.worked.note_state(state, at);
                    begun.number
                });
                self.tell(at, What::StateChanged { build, number, state, estimate: usual });
                Ok(())
            }
            Record::Ended { ending, at } => self.end(*ending, at),
            Record::Used { key, at } => Ok(self.records.store.mark_used(&key, at)?),
            Record::Happened(event) => {
                self.records.events.deliver(&event);
                Ok(())
            }
            Record::Finish => Ok(()),
        }
    }

    fn tell(&self, at: Timestamp, what: What) {
        self.records.events.deliver(&Event { at, ..self.records.events.event(what) });
    }

    fn begin(&mut self, build: Arc<ScheduledBuild>, at: Timestamp) -> Result<Task, ExecuteError> {
        let begun = match self.begun.entry(build.name.clone()) {
            Entry::Occupied(begun) => begun.into_mut(),
            Entry::Vacant(new) => new.insert(begin_new(&self.records, Arc::clone(&build), at)?),
        };
        begun.build = build;
        Ok(self.records.task(begun))
    }

    fn end(&mut self, ending: BuildEnding, at: Timestamp) -> Result<(), ExecuteError> {
        let BuildEnding { build, state, result, mut details, usual, found, serving } = ending;
        let mut begun = self.begun.remove(&build);
        if state == State::Skipped
            && let Some(begun) = begun.take()
        {
            // Nothing was built: that its source package was made, or it was looked at, is no attempt.
            self.records.history.forget(begun.number)?;
            self.records.state.remove(&begun.folder)?;
        }
        match (&mut begun, found) {
            (Some(begun), Some(found)) => begun.build = found.build,
            (None, Some(found)) if !found.is_known => {
                begun = Some(begin_new(&self.records, found.build, at)?);
            }
            (None | Some(_), _) => {}
        }
        let mut duration = Duration::ZERO;
        if let Some(begun) = &begun {
            duration = begun.worked.until(at);
            if let Some(failure) = &mut details.failure {
                failure.log.get_or_insert_with(|| format!(".forge/{}/build.log", begun.folder));
            }
            let kept = result.as_ref().map(|(_, result)| result.as_ref());
            self.records.complete(begun, (state, at), &details, kept)?;
            if let Some((key, _)) = result.as_ref().filter(|_| begun.build.is_of_manifest()) {
                // A result that was found, not made, says nothing of how long making it takes.
                let taken = usual.filter(|_| state == State::Cached).unwrap_or(duration);
                self.records.remember_good(begun, *key, taken)?;
            }
        }
        let number = begun.as_ref().map(|begun| begun.number);
        let kept = result.as_ref().map(|(_, result)| result.as_ref());
        let rebuilt = begun.as_ref().and_then(|begun| compare_rebuild(&begun.build, kept));
        let results = begun.map(|begun| begun.folder).or(serving);
        let results = results.map(|folder| format!(".forge/{folder}"));
        let EndDetails { stages, skipped, failure } = details;
        let rebuilt = number.zip(rebuilt).map(|(number, comparison)| What::Rebuilt {
            build: build.clone(),
            number,
            comparison,
        });
        let ended = Ended { build, number, state, duration, stages, skipped, failure, results };
        self.tell(at, What::BuildEnded(ended));
        rebuilt.into_iter().for_each(|what| self.tell(at, what));
        Ok(())
    }
}

/// How a rebuild compares with the build that it makes again.
fn compare_rebuild(build: &ScheduledBuild, result: Option<&StepResult>) -> Option<RebuildComparison> {
    let rebuild = build.inputs.rebuild.as_ref()?;
    let files = result.map(|result| result.files.as_slice()).unwrap_or_default();
    let now = files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect();
    Some(RebuildComparison::new(rebuild.number, &rebuild.packages, &now))
}

fn result_package(file: &ResultFile) -> ResultPackage {
    ResultPackage { file: file.name.clone(), sha256: file.sha256.clone() }
}

/// Gives a build its number and its result folder.
fn begin_new(
    records: &Records,
    build: Arc<ScheduledBuild>,
    at: Timestamp,
) -> Result<BegunBuild, ExecuteError> {
    let number = records.history.begin(&build.name, at)?;
    let folder = result_folder(&build.name, number);
    // A folder of that name that is there already is of a build whose number was lost with the power.
    records.state.create(&folder)?.clear()?;
    Ok(BegunBuild { number, started: at, worked: WorkTime::default(), folder, build })
}

impl Records {
    fn task(&self, begun: &BegunBuild) -> Task {
        let state = self.state.path();
        let work = begun.build.inputs.rebuild.as_ref().and_then(|rebuild| rebuild.work.clone());
        Task {
            build: Arc::clone(&begun.build),
            results: state.join(&begun.folder),
            work: work.unwrap_or_else(|| state.join(work_folder(&begun.build.name))),
        }
    }

    /// Puts what came of a build into its result folder, and its row into the history.
    fn complete(
        &self,
        begun: &BegunBuild,
        (state, ended): (State, Timestamp),
        details: &EndDetails,
        result: Option<&StepResult>,
    ) -> Result<(), ExecuteError> {
        let BegunBuild { number, started, worked: _, folder, build } = begun;
        let files = result.map(|result| result.files.as_slice()).unwrap_or_default();
        let record = ResultRecord {
            build: build.name.clone(),
            number: *number,
            state,
            started: *started,
            ended,
            key: build.key,
            reasons: build.reasons.clone(),
            stages: details.stages.clone(),
            packages: files.iter().map(result_package).collect(),
            failure: details.failure.clone(),
            rebuild: compare_rebuild(build, result),
        };
        complete(&self.store, &self.task(begun), &record, result)?;
        let row = BuildRow {
            number: *number,
            build: build.name.clone(),
            state,
            started: *started,
            ended: Some(ended),
            cause: details.failure.as_ref().map(|failure| failure.cause.clone()),
            stages: details.stages.clone(),
            results: Some(folder.clone()),
        };
        self.history.end(&row)?;
        if build.reasons.is_empty() {
            return Ok(());
        }
        let reasons = serde_json::to_string(&build.reasons).unwrap_or_default();
        Ok(self.history.remember_reasons(*number, &reasons)?)
    }

    fn remember_good(&self, begun: &BegunBuild, key: Key, duration: Duration) -> Result<(), ExecuteError> {
        let ingredients = serde_json::to_string(&begun.build.ingredients).unwrap_or_default();
        let last = LastBuild { key, ingredients, duration, results: Some(begun.folder.clone()) };
        Ok(self.history.remember_good(&begun.build.name, &last)?)
    }
}
