//! What is written down and told, and in which order.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{Heard, Project, run_id, tells};
use super::made_up_runner::{MadeUpRunner, Script};
use crate::event::{Event, State, What};
use crate::execute::recorder::{BuildEnding, EndDetails, QUEUE, Recorder};
use crate::execute::{ExecuteError, ResultRecord};

#[tokio::test]
async fn rows_are_numbered_in_the_order_in_which_builds_begin() {
    let project = Project::of(&["a", "b", "c", "d"]).with_jobs(4);
    let runner = MadeUpRunner::of(&project).with("source b", &[Script::Fail]);
    let run = project.apply(runner).await;
    let numbers: Vec<u64> = run.rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(run.rows.iter().is_sorted_by_key(|row| row.started), "{:?}", run.rows);
    let state = |package: &str| run.rows.iter().find(|row| row.build.package == package).unwrap().state;
    assert_eq!((state("a"), state("b"), state("d")), (State::Succeeded, State::Failed, State::Succeeded));
}

#[tokio::test]
async fn a_build_is_told_after_it_was_written_down_and_before_what_comes_of_it() {
    let project = Project::of(&["a", "b"]).needing("b", &["a"]);
    let (state, records) = (project.state(), Arc::new(Mutex::new(Vec::new())));
    let read = Arc::clone(&records);
    let look = move |event: &Event| {
        if let What::BuildEnded(ended) = &event.what {
            let folder = ended.results.as_ref().unwrap().strip_prefix(".forge/").unwrap();
            let record = state.read(format!("{folder}/result.json")).unwrap();
            read.lock().unwrap().push(serde_json::from_slice::<ResultRecord>(&record).unwrap());
            assert!(state.exists(format!("{folder}/{}-1.0-1.noarch.rpm", ended.build.package)));
        }
    };
    let heard = Heard { look: Some(Box::new(look)), ..Heard::default() };
    let run = project.apply_heard_by(MadeUpRunner::of(&project), Arc::new(heard)).await;
    assert!(run.outcome.is_ok() && records.lock().unwrap().len() == 2);
    assert!(run.position(tells("a", State::Succeeded)) < run.position(tells("b", State::Running)));
    let published = run.position(|what| matches!(what, What::Published { packages: 2, .. }));
    assert!(run.position(tells("b", State::Succeeded)) < published);
    assert!(matches!(run.events.last().unwrap().what, What::ApplyEnded { .. }));
    assert!(run.events.iter().all(|event| event.run == run_id()));
}

#[tokio::test]
async fn a_state_is_told_with_the_number_of_its_build() {
    let project = Project::of(&["a"]);
    let run = project.apply(MadeUpRunner::of(&project)).await;
    let told = run.events.iter().filter_map(|event| match &event.what {
        What::StateChanged { state, number, .. } => Some((*state, *number)),
        _ => None,
    });
    let expected = [
        (State::Pending, None),
        (State::Importing, None),
        (State::Importing, Some(1)),
        (State::Waiting, Some(1)),
        (State::Running, Some(1)),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_result_that_another_project_made_gets_a_number_and_a_folder() {
    let mut project = Project::of(&["a"]);
    project.apply(MadeUpRunner::of(&project)).await;
    project.history = Arc::new(crate::store::History::in_memory().unwrap());
    let runner = MadeUpRunner::of(&project);
    let run = project.apply(runner.clone()).await;
    assert!(runner.ran().is_empty());
    // The folder of the first is there already.
    assert_eq!((run.end("a"), run.rows[0].number, run.rows[0].state), (State::Cached, 2, State::Cached));
    assert!(project.state().exists("results/host/00000002-a/a-1.0-1.noarch.rpm"));
}

/// The end of a build that went well.
fn ending(project: &Project, name: &str) -> BuildEnding {
    let build = project.scheduled(name).name.clone();
    let details = EndDetails::default();
    BuildEnding {
        build,
        state: State::Failed,
        result: None,
        details,
        usual: None,
        found: None,
        serving: None,
    }
}

#[tokio::test]
async fn after_the_first_mistake_nothing_begins_and_what_had_begun_is_written_down() {
    let project = Project::of(&["a", "b", "c"]);
    let heard = Arc::new(Heard::default());
    let recorder = Recorder::start(project.records(&heard)).await.unwrap();
    let handle = recorder.handle();
    handle.begin(project.scheduled("a")).await.unwrap();
    // A file where its result folder should be.
    project.state().create("results/host").unwrap().write_atomic("00000002-b", b"").unwrap();
    assert!(handle.begin(project.scheduled("b")).await.is_err());
    assert!(handle.begin(project.scheduled("c")).await.is_err());
    assert!(handle.has_failed() && project.cancel.is_canceled());
    handle.ended(ending(&project, "a"));
    handle.happened(What::Noted { text: "the last".to_owned() });
    assert!(matches!(recorder.finish().await, Err(ExecuteError::Io(_))));
    let rows = project.history.builds(None, 10).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.build.package.as_str(), row.state)).collect();
    // The number of `b` was given, and its folder could not be made: the next apply closes that row.
    assert_eq!(rows, [("b", State::Running), ("a", State::Failed)]);
    assert_eq!(heard.events.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_can_not_be_written_down_ends_the_apply_and_what_runs() {
    let project = Project::of(&["a", "b", "c"]).needing("c", &["a"]);
    let state = project.state();
    let look = move |event: &Event| {
        if tells("b", State::Running)(&event.what) {
            let folder = state.folder("results/host").unwrap();
            let of_b =
                folder.entries().unwrap().into_iter().find(|entry| entry.name.ends_with("-b")).unwrap();
            // A folder that is in the way of the record.
            folder.create(format!("{}/result.json/in-its-way", of_b.name)).unwrap();
        }
    };
    let heard = Arc::new(Heard { look: Some(Box::new(look)), ..Heard::default() });
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::WaitForCancel]);
    let run = project.apply_heard_by(runner.clone(), heard).await;
    assert!(matches!(run.outcome, Err(ExecuteError::Io(_))), "{:?}", run.outcome);
    let row = run.rows.iter().find(|row| row.build.package == "a").unwrap();
    assert_eq!((run.end("a"), row.state), (State::Canceled, State::Canceled));
    assert!(!runner.ran().contains(&"build c".to_owned()));
}

#[tokio::test]
async fn a_listener_that_dies_ends_the_apply_with_an_error() {
    let project = Project::of(&["a", "b"]);
    let look = |event: &Event| {
        assert!(!matches!(event.what, What::BuildEnded(_)), "a bug of the listener");
    };
    let heard = Heard { look: Some(Box::new(look)), ..Heard::default() };
    let run = project.apply_heard_by(MadeUpRunner::of(&project), Arc::new(heard)).await;
    assert!(matches!(run.outcome, Err(ExecuteError::Task(_))), "{:?}", run.outcome);
}

#[tokio::test]
async fn what_builds_print_is_told_whole_and_never_held_in_memory_whole() {
    const LINES: usize = 20 * QUEUE;
    let project = Project::of(&["a"]);
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Print("a line\n", LINES)]);
    let (told, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counting, most_held, printing) = (Arc::clone(&told), Arc::clone(&held), runner.clone());
    let look = move |event: &Event| {
        if let What::Logged { text, .. } = &event.what {
            let told = counting.fetch_add(text.lines().count(), Ordering::SeqCst);
            most_held.fetch_max(printing.printed() - told, Ordering::SeqCst);
        }
    };
    let heard = Heard { asks_for_logs: true, look: Some(Box::new(look)), ..Heard::default() };
    let run = project.apply_heard_by(runner, Arc::new(heard)).await;
    assert_eq!((run.end("a"), told.load(Ordering::SeqCst)), (State::Succeeded, LINES));
    // One more is in the hands of who sends, one in those of who hears.
    assert!(held.load(Ordering::SeqCst) <= QUEUE + 2, "{held:?}");
    let last = run.events.iter().rposition(|event| matches!(event.what, What::Logged { .. }));
    assert!(last.unwrap() < run.position(tells("a", State::Succeeded)));
}

#[tokio::test]
async fn who_does_not_ask_for_logs_is_not_told_of_them() {
    let project = Project::of(&["a"]);
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Print("a line\n", 3)]);
    let run = project.apply(runner).await;
    assert!(!run.events.iter().any(|event| matches!(event.what, What::Logged { .. })));
}
