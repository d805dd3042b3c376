//! What runs, when, and what comes of it.

use super::fixture::{Project, declaration};
use super::made_up_runner::{MadeUpRunner, Script};
use crate::event::State;
use crate::execute::ExecuteError;

fn position(ran: &[String], step: &str) -> usize {
    ran.iter().position(|ran| ran == step).unwrap_or_else(|| panic!("{step} is not in {ran:?}"))
}

#[tokio::test]
async fn a_build_waits_for_what_it_needs_and_its_source_package_does_not() {
    let project = Project::of(&["a", "b"]).needing("a", &["b"]);
    let failing = MadeUpRunner::of(&project).with("build b", &[Script::Fail]);
    project.apply(failing.clone()).await;
    let ran = failing.ran();
    assert!(ran.contains(&"source a".to_owned()) && !ran.contains(&"build a".to_owned()), "{ran:?}");
    let runner = MadeUpRunner::of(&project);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.end("a"), run.end("b")), (State::Succeeded, State::Succeeded));
    let ran = runner.ran();
    assert!(position(&ran, "build b") < position(&ran, "build a"), "{ran:?}");
}

#[tokio::test]
async fn no_more_steps_run_than_there_are_places() {
    for jobs in [1, 3] {
        let project = Project::of(&["a", "b", "c", "d", "e"]).with_jobs(jobs);
        let runner = MadeUpRunner::of(&project);
        project.apply(runner.clone()).await;
        assert_eq!((runner.most_at_once(), runner.ran().len()), (jobs, 15));
    }
}

#[tokio::test]
async fn a_batch_waits_for_the_one_before_and_a_failure_in_it_stops_the_next() {
    let manifest = ["a", "b", "c", "d"].map(|name| declaration(name, "")).concat()
        + "batch first { members a b }\nbatch second after=first { members c }\n\
           batch third { members d; after second even-if-failed=#true }\n";
    let project = Project::new(&manifest);
    let runner = MadeUpRunner::of(&project).with("build b", &[Script::Fail]);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.end("a"), run.end("b")), (State::Succeeded, State::Failed));
    assert_eq!((run.end("c"), run.reason("c")), (State::Skipped, "b in host failed".to_owned()));
    assert_eq!(run.end("d"), State::Succeeded);
    let ran = runner.ran();
    assert!(position(&ran, "build a").max(position(&ran, "build b")) < position(&ran, "build d"), "{ran:?}");
}

#[tokio::test]
async fn a_failure_blocks_what_needs_it_however_far_and_nothing_else() {
    let project = Project::of(&["a", "b", "c", "d"]).needing("b", &["a"]).needing("c", &["b"]);
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Fail]);
    let run = project.apply(runner).await;
    assert_eq!(run.reason("a"), "build a failed on purpose");
    for blocked in ["b", "c"] {
        assert_eq!((run.end(blocked), run.reason(blocked)), (State::Skipped, "a in host failed".to_owned()));
    }
    assert_eq!(run.end("d"), State::Succeeded);
}

#[tokio::test]
async fn what_can_not_be_fetched_fails_its_build_and_what_needs_it() {
    let project = Project::of(&["a", "b", "c"]).needing("b", &["a"]);
    let runner = MadeUpRunner::of(&project).with("fetch a", &[Script::Break]);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.end("a"), run.reason("a")), (State::Failed, "the disk is full".to_owned()));
    assert_eq!((run.end("b"), run.end("c")), (State::Skipped, State::Succeeded));
    assert!(!runner.ran().iter().any(|step| step == "source a" || step == "build a"));
}

#[tokio::test]
async fn a_build_that_takes_too_long_has_failed_by_the_timeout_of_the_manifest() {
    let manifest = declaration("a", "timeout \"90s\"") + &declaration("b", "");
    let project = Project::new(&manifest);
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::TakeTooLong]);
    let run = project.apply(runner).await;
    assert_eq!(run.end("a"), State::Failed);
    assert_eq!(run.reason("a"), "it took longer than its timeout of 1m 30s");
    assert_eq!(run.end("b"), State::Succeeded);
}

#[tokio::test]
async fn a_build_is_tried_again_as_often_as_the_manifest_says() {
    let project = Project::new(&(declaration("a", "retries 2") + &declaration("b", "retries 1")));
    let runner = MadeUpRunner::of(&project)
        .with("build a", &[Script::Fail, Script::Fail, Script::Succeed])
        .with("build b", &[Script::Fail, Script::Fail, Script::Succeed]);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.end("a"), run.end("b")), (State::Succeeded, State::Failed));
    assert_eq!(runner.ran().iter().filter(|step| *step == "build b").count(), 2);
}

#[tokio::test]
async fn a_cancel_ends_what_runs_and_starts_nothing_further() {
    let project = Project::of(&["a", "b", "c"]).needing("c", &["a"]);
    let runner = MadeUpRunner::of(&project)
        .with("build a", &[Script::WaitForCancel])
        .with("build b", &[Script::Cancel]);
    let run = project.apply(runner.clone()).await;
    assert!(run.outcome.as_ref().unwrap().canceled);
    assert_eq!((run.end("a"), run.end("b")), (State::Canceled, State::Canceled));
    // Before or after its sources were taken in.
    assert!(matches!(run.end("c"), State::Canceled | State::Skipped), "{:?}", run.end("c"));
    assert!(!runner.ran().contains(&"build c".to_owned()));
    // Nobody was told of a publication.
    assert!(!run.events.iter().any(|event| matches!(event.what, crate::event::What::Published { .. })));
}

#[tokio::test]
async fn a_canceled_build_is_not_tried_again() {
    let project = Project::new(&declaration("a", "retries 5"));
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Cancel, Script::Succeed]);
    assert_eq!(project.apply(runner.clone()).await.end("a"), State::Canceled);
    assert_eq!(runner.ran(), ["fetch a", "source a", "build a"]);
}

#[tokio::test]
async fn on_failure_stop_names_the_build_that_failed() {
    let project = Project::new(
        &(["a", "b", "c"].map(|name| declaration(name, "")).concat()
            + "defaults { isolation none; on-failure stop }\n"),
    )
    .with_jobs(1);
    let runner = MadeUpRunner::of(&project).with("source a", &[Script::Fail]);
    let run = project.apply(runner.clone()).await;
    assert_eq!(run.end("a"), State::Failed);
    for left in ["b", "c"] {
        assert_eq!(run.end(left), State::Skipped);
        assert_eq!(run.reason(left), "a in host failed, and `on-failure stop` is set");
    }
    assert!(!runner.ran().iter().any(|step| step.starts_with("build")), "{:?}", runner.ran());
}

#[tokio::test]
async fn a_rebuilt_package_that_comes_out_the_same_lets_nothing_after_it_run() {
    let mut project = Project::of(&["a", "b", "c"]).needing("b", &["a"]).needing("c", &["b"]);
    project.apply(MadeUpRunner::of(&project)).await;
    project.change_spec("a");
    let same = MadeUpRunner::of(&project);
    let run = project.apply(same.clone()).await;
    assert_eq!(run.end("a"), State::Succeeded);
    assert_eq!((run.end("b"), run.end("c")), (State::Cached, State::Cached));
    assert_eq!(same.ran().iter().filter(|step| step.starts_with("build")).count(), 1, "{:?}", same.ran());
    project.change_spec("a");
    let other = MadeUpRunner::of(&project).with_content("a", "another");
    let run = project.apply(other.clone()).await;
    assert_eq!((run.end("a"), run.end("b")), (State::Succeeded, State::Succeeded));
    assert_eq!(run.end("c"), State::Cached, "b came out as it was");
}

#[tokio::test]
async fn what_has_not_changed_is_not_run_at_all() {
    let project = Project::of(&["a", "b"]).needing("b", &["a"]);
    project.apply(MadeUpRunner::of(&project)).await;
    let runner = MadeUpRunner::of(&project);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.states("a"), run.states("b")), (vec![State::Cached], vec![State::Cached]));
    assert!(runner.ran().is_empty() && run.rows.len() == 2);
}

#[tokio::test]
async fn a_build_whose_generator_names_another_build_is_planned_again() {
    let project = Project::of(&["a", "b", "c"]).generating("a").generating("c");
    let runner = MadeUpRunner::of(&project).naming("a", &["b"]).naming("c", &["something else"]);
    let run = project.apply(runner.clone()).await;
    assert!(run.outcome.as_ref().unwrap().needs_plan);
    assert!(run.end("a") == State::Skipped && run.reason("a").ends_with("it is planned again"));
    assert_eq!((run.end("b"), run.end("c")), (State::Succeeded, State::Succeeded));
    assert!(!runner.ran().contains(&"build a".to_owned()));
}

#[tokio::test]
async fn what_its_generator_was_asked_in_is_built_in_once_and_no_second_time() {
    let project = Project::new(&(declaration("a", "retries 1") + &declaration("b", ""))).generating("a");
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Fail]);
    let run = project.apply(runner.clone()).await;
    assert_eq!((run.end("a"), run.end("b")), (State::Succeeded, State::Succeeded));
    assert_eq!(runner.ran().iter().filter(|step| *step == "build a").count(), 2);
    assert_eq!(runner.prepared(), ["a"], "the second attempt begins anew");
}

#[tokio::test]
async fn a_bug_of_the_runner_is_one_build_s_failure() {
    let project = Project::of(&["a", "b"]);
    let runner = MadeUpRunner::of(&project).with("build a", &[Script::Panic]);
    let run = project.apply(runner).await;
    assert!(run.end("a") == State::Failed && run.reason("a").contains("a bug of the runner"));
    assert_eq!(run.end("b"), State::Succeeded);
    assert!(run.rows.iter().all(|row| row.ended.is_some()), "{:?}", run.rows);
}

#[tokio::test]
async fn an_error_that_no_build_has_made_ends_the_apply_after_what_runs() {
    let project = Project::of(&["a", "b", "c"]).needing("c", &["b"]);
    let runner = MadeUpRunner::of(&project)
        .with("build a", &[Script::Break])
        .with("build b", &[Script::WaitForCancel]);
    let run = project.apply(runner.clone()).await;
    assert!(matches!(run.outcome, Err(ExecuteError::Io(_))), "{:?}", run.outcome);
    assert_eq!((run.end("a"), run.end("b")), (State::Canceled, State::Canceled));
    assert!(run.rows.iter().all(|row| row.ended.is_some()), "{:?}", run.rows);
    assert!(!runner.ran().contains(&"build c".to_owned()));
}
