//! How far the making of roots is, on the screen.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::context::Context;
use crate::chroot::making::RootProgress;
use crate::fetch::Progress;
use crate::source::SourceProgress;
use crate::ui::{Verbosity, plain_text};

/// Shows what is done to make roots: a line for each thing, and for downloads one that is drawn over itself.
pub fn root_screen(context: &Context) -> Arc<dyn Fn(RootProgress) + Send + Sync> {
    if context.verbosity == Verbosity::Quiet {
        return Arc::new(|_| {});
    }
    let screen = Mutex::new(RootScreen { draws: context.draws, shown: None, waits: false });
    Arc::new(move |progress| screen.lock().unwrap_or_else(PoisonError::into_inner).show(progress))
}

/// Shows on that screen what is done to have sources.
pub fn source_screen(screen: Arc<dyn Fn(RootProgress) + Send + Sync>) -> Box<dyn Fn(SourceProgress) + Sync> {
    Box::new(move |progress| {
        screen(match progress {
            SourceProgress::Said(text) => RootProgress::Said(text),
            SourceProgress::Fetching(progress) => RootProgress::Fetching(progress),
        });
    })
}

struct RootScreen {
    draws: bool,
    /// When the line of downloads was drawn last, if it is there.
    shown: Option<Instant>,
    /// Whether it was said that a server wants to be left alone.
    waits: bool,
}

/// How often the line of downloads is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

impl RootScreen {
    fn show(&mut self, progress: RootProgress) {
        match progress {
            RootProgress::Said(text) => {
                self.clear();
                Self::write(&format!("root       {}\n", plain_text(&text)));
            }
            RootProgress::Fetching(progress) => self.draw(progress),
        }
    }

    fn draw(&mut self, progress: Progress) {
        let Progress { bytes, total_bytes, files, total_files, waiting_seconds } = progress;
        self.say_waiting(waiting_seconds);
        if !self.draws || files == total_files {
            self.clear();
            return;
        }
        if self.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) {
            return;
        }
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        Self::write(&format!(
            "\r\x1b[Kfetching   {files} of {total_files} files, {} of {} MB",
            megabytes(bytes),
            megabytes(total_bytes.max(bytes))
        ));
        self.shown = Some(Instant::now());
    }

    /// Says once that nothing comes because a server asked for it.
    fn say_waiting(&mut self, seconds: u64) {
        if seconds > 0 && !self.waits {
            self.clear();
            Self::write(&format!("waiting    {seconds} s: a server wants to be asked again then\n"));
        }
        self.waits = seconds > 0;
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            Self::write("\r\x1b[K");
        }
    }

    fn write(text: &str) {
        // What nobody can read any more is no reason to fail.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}
