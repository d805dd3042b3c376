//! `forge watch`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Exit;
use super::apply;
use super::arguments::Apply;
use super::context::{CliError, Context, Failure};
use super::moved_sources::move_sources;
use super::outdated::choose_packages;
use super::planning::runtime;
use super::project::Project;
use super::selection_arguments::Selection;
use super::signals::end_on_signals;
use super::source_arguments::Watch;
use super::sources_here::look_for_news;
use crate::event::{Clock, EventSink, Listener, RunId, SystemClock, What};
use crate::files::Folder;
use crate::process::Cancel;
use crate::source::newer::{KnownPage, KnownPages, NewsMover, NewsScope, NewsVerdict, SourceNews};
use crate::ui::{JsonEvents, PlainEvents, Verbosity, plain_text};

/// What is remembered from one look to the next, in the project's state.
#[derive(Debug, Default, Serialize, Deserialize)]
struct WatchMemory {
    /// What pages said.
    #[serde(default)]
    pages: BTreeMap<String, KnownPage>,
    /// Packages whose sources have moved, and whose builds were not brought to an end.
    #[serde(default)]
    pending: BTreeSet<String>,
}

const MEMORY_FILE: &str = "watch.json";

/// How large the memory may be, in bytes.
const LARGEST_MEMORY: u64 = 64 << 20;

/// Looks at sources, and builds what has moved.
pub fn run(arguments: &Watch, context: &Context) -> Result<Exit, Failure> {
    // Its threads listen to signals while this one works.
    let runtime = runtime()?;
    let cancel = Cancel::default();
    let inside = runtime.enter();
    end_on_signals(cancel.clone(), || {}, || {})?;
    drop(inside);
    let mut watch = SourceWatch { arguments, context, cancel: &cancel, told: BTreeMap::new() };
    loop {
        let ended = watch.look();
        if cancel.is_canceled() {
            return Ok(Exit::Interrupted);
        }
        match ended {
            ended if arguments.once => return ended,
            Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
            Err(failure) => context.show_failure(&failure),
            Ok(_) => {}
        }
        runtime.block_on(async {
            tokio::select! {
                () = cancel.canceled() => {}
                () = tokio::time::sleep(arguments.every) => {}
            }
        });
        if cancel.is_canceled() {
            return Ok(Exit::Interrupted);
        }
    }
}

/// A look at sources, and what it was told with.
struct SourceWatch<'a> {
    arguments: &'a Watch,
    context: &'a Context,
    cancel: &'a Cancel,
    /// What was said of sources that fail, by package: the same is not said again.
    told: BTreeMap<String, String>,
}

impl SourceWatch<'_> {
    /// Looks once, and builds what has moved.
    fn look(&mut self) -> Result<Exit, Failure> {
        let Self { arguments, context, cancel, .. } = *self;
        let project = Project::find(context)?;
        let manifest = project.manifest(&arguments.choice.profile, context)?;
        let packages = choose_packages(&manifest, &arguments.choice)?;
        let state = project.state()?;
        let mut memory = read_memory(&state);
        let pages = KnownPages::new(std::mem::take(&mut memory.pages));
        let news =
            look_for_news((&manifest, &packages), (&project, context), (NewsScope::Updates, &pages), cancel)?;
        if cancel.is_canceled() {
            return Ok(Exit::Interrupted);
        }
        memory.pages = pages.all();
        let events = self.events()?;
        let has_failed = self.tell_failures(&news, &events);
        let moved: BTreeSet<String> = news.iter().filter_map(|one| tell_moved(one, &events)).collect();
        let is_declared = |name: &String| packages.iter().any(|package| package.name.value == *name);
        memory.pending.retain(is_declared);
        memory.pending.extend(moved.iter().cloned());
        // A forge that is killed from here on builds them the next time.
        write_memory(&state, &memory)?;
        let failed = news.iter().filter(|one| matches!(one.verdict, NewsVerdict::Failed(_))).count();
        let (sources, number) = (news.len(), moved.len());
        if self.arguments.once || number > 0 {
            events.send(What::SourcesLookedAt { sources, moved: number, failed });
        }
        let built = self.build(&project, &moved, &memory.pending)?;
        if built != Exit::Interrupted {
            memory.pending.clear();
            write_memory(&state, &memory)?;
        }
        Ok(if has_failed && built == Exit::Success { Exit::Failure } else { built })
    }

    /// Locks what has moved, and builds it with what was left before.
    fn build(
        &self,
        project: &Project,
        moved: &BTreeSet<String>,
        pending: &BTreeSet<String>,
    ) -> Result<Exit, Failure> {
        let Self { arguments, context, cancel, .. } = *self;
        let mut wanted = pending.clone();
        let mut has_failed = false;
        if !moved.is_empty() {
            let found = move_sources((project, context), moved, &arguments.choice.profile, cancel)?;
            if !arguments.json && context.verbosity > Verbosity::Quiet {
                context.tell(&plain_text(&found.changes));
            }
            wanted.retain(|name| !found.failed.contains(name));
            has_failed = !found.failed.is_empty();
        }
        if cancel.is_canceled() {
            return Ok(Exit::Interrupted);
        }
        if wanted.is_empty() {
            return Ok(if has_failed { Exit::Failure } else { Exit::Success });
        }
        let selection = Selection {
            packages: wanted.into_iter().collect(),
            profile: arguments.choice.profile.clone(),
            ..Selection::default()
        };
        let apply = Apply {
            selection,
            json: arguments.json,
            logs: false,
            verify_published: false,
            verify: false,
            only: None,
        };
        let applied = apply::run(&apply, context)?;
        Ok(if has_failed && applied == Exit::Success { Exit::Failure } else { applied })
    }

    /// Says which sources could not be looked at, where that was not said before; gives whether there are any.
    fn tell_failures(&mut self, news: &[SourceNews], events: &EventSink) -> bool {
        let mut has_failed = false;
        for one in news {
            let NewsVerdict::Failed(error) = &one.verdict else {
                self.told.remove(&one.package);
                continue;
            };
            has_failed = true;
            let text = error.to_string();
            if self.told.insert(one.package.clone(), text.clone()) == Some(text.clone()) {
                continue;
            }
            if !self.arguments.json {
                self.context.show(&**error);
            }
            events.send(What::SourceFailed { package: one.package.clone(), cause: text });
        }
        has_failed
    }

    /// Where events of this look go.
    fn events(&self) -> Result<EventSink, Failure> {
        let listener: Arc<dyn Listener> = match self.arguments.json {
            true => Arc::new(JsonEvents::new(std::io::stdout())),
            false => Arc::new(PlainEvents::new(std::io::stderr(), self.context.verbosity)),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let run = RunId::random(clock.now()).map_err(CliError::Io)?;
        Ok(EventSink::new(run, clock, listener))
    }
}

/// Says that a source has moved; gives its package. One of which nothing is locked was never built.
fn tell_moved(news: &SourceNews, events: &EventSink) -> Option<String> {
    let SourceNews { package, kind, current, newest, verdict } = news;
    match verdict {
        NewsVerdict::Newer(NewsMover::Update) | NewsVerdict::NotLocked => {
            let (package, kind) = (package.clone(), kind.clone());
            let (from, to) = (current.clone(), newest.clone());
            events.send(What::SourceMoved { package: package.clone(), kind, from, to });
            Some(package)
        }
        NewsVerdict::Newer(NewsMover::Edit)
        | NewsVerdict::Current
        | NewsVerdict::NotLooked(_)
        | NewsVerdict::Failed(_) => None,
    }
}

/// What was remembered; nothing where that can't be read: then all is asked anew.
fn read_memory(state: &Folder) -> WatchMemory {
    let text = state.read_text_up_to(MEMORY_FILE, LARGEST_MEMORY).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write_memory(state: &Folder, memory: &WatchMemory) -> Result<(), Failure> {
    let text = serde_json::to_string(memory).map_err(|error| CliError::Io(error.into()))?;
    Ok(state.write_atomic(MEMORY_FILE, text.as_bytes()).map_err(CliError::Io)?)
}
