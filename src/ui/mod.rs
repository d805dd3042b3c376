//! What a terminal shows: progress, tables, colours, drawings of the graph.

#![warn(clippy::wildcard_enum_match_arm)]

mod control_echo;
mod diff_screen;
mod drawing;
mod events;
mod failure_screen;
mod plan_screen;
mod progress;
mod report;
mod spec_document;
mod spec_screen;
mod summary;
mod table;
mod terminal_text;
mod words;

use std::io;

pub use diff_screen::diff_screen;
pub use drawing::{GraphFormat, GraphView, draw};
pub use events::{JsonEvents, PlainEvents, Verbosity, event_line};
pub use plan_screen::{
    Action, Explanation, FailedAttempt, PlanDetail, PlanDocument, PlanView, PlannedBuild, RepositoryChanges,
    RootMacro, list_reasons, plan_document, plan_screen,
};
pub use progress::ProgressEvents;
pub use report::{ReportStyle, report};
pub use spec_document::{SpecContents, SpecDocument};
pub use spec_screen::spec_screen;
pub use summary::{Summary, SummaryView};
pub use table::{Column, table, table_within, table_wrapped};
pub use terminal_text::{TerminalText, plain_text};
pub use words::{age, count, duration, short_commit, size};

/// Whether a write failed because whoever read has gone: `forge plan | head`.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
