//! `forge check`

mod document;

use std::sync::Arc;

use super::Exit;
use super::arguments::Check;
use super::context::{Context, Failure};
use super::document::print_document;
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use super::selection_arguments::Selection;
use crate::event::SystemClock;
use crate::manifest::Manifest;
use crate::process::Cancel;
use crate::publish::{BrokenRequirement, PublishError, Verification};
use crate::ui::{Verbosity, plain_text};
pub use document::CheckDocument;

/// Checks the manifest, and the specs that it names.
pub fn run(arguments: &Check, context: &Context) -> Result<Exit, Failure> {
    match (Checked::check(arguments, context), arguments.json) {
        (Ok(mut checked), false) => {
            let exit = checked.show(context)?;
            checked.close()?;
            Ok(exit)
        }
        (Ok(checked), true) => {
            let document = checked.document();
            checked.close()?;
            print(&document, context)
        }
        (Err(Failure::ClosedPipe), _) => Err(Failure::ClosedPipe),
        (Err(failure), false) => Err(failure),
        (Err(failure), true) => print(&CheckDocument::from_failure(&failure), context),
    }
}

fn print(document: &CheckDocument, context: &Context) -> Result<Exit, Failure> {
    print_document(document, context)?;
    Ok(if document.is_sound() { Exit::Success } else { Exit::Failure })
}

/// What was looked at.
struct Checked {
    manifest: Arc<Manifest>,
    /// What the specs come to, where they are read.
    planned: Option<Planned>,
    /// Why a repository can't be where the manifest says.
    refused: Option<PublishError>,
    /// What published packages need and no longer have.
    broken: Vec<BrokenRequirement>,
}

impl Checked {
    fn check(arguments: &Check, context: &Context) -> Result<Self, Failure> {
        let project = Project::find(context)?;
        if arguments.manifest_only {
            let manifest = project.manifest(&arguments.profile, context)?;
            return Ok(Self { manifest, planned: None, refused: None, broken: Vec::new() });
        }
        let (profile, lock) = (arguments.profile.clone(), arguments.lock.clone());
        let all = Selection { profile, lock, ..Selection::default() };
        let planned = runtime()?.block_on(plan(&project, &all, &Cancel::default(), context))?;
        let repositories =
            planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock), context);
        let refused = repositories.check_folders().err();
        let broken = match &refused {
            Some(_) => Vec::new(),
            // Whether a repository can be published to is not what is checked here.
            None => repositories.broken_requirements(&planned.history).unwrap_or_default(),
        };
        Ok(Self { manifest: Arc::clone(&planned.manifest), planned: Some(planned), refused, broken })
    }

    fn show(&mut self, context: &Context) -> Result<Exit, Failure> {
        let (packages, chroots) = (self.manifest.packages.len(), self.manifest.chroots.len());
        if let Some(planned) = &self.planned {
            if context.verbosity > Verbosity::Quiet {
                planned.show_notes(context);
                planned.show_warnings(context);
                planned.show_unsupported(context);
                planned.show_needs_sandbox(context);
                let broken = self.broken.iter();
                broken.for_each(|broken| context.tell(&plain_text(&format!("warning: {broken}\n"))));
            }
            if let Some(refused) = self.refused.take() {
                return Err(refused.into());
            }
            if planned.show_impossible(context) > 0 {
                return Ok(Exit::Failure);
            }
        }
        if context.verbosity > Verbosity::Quiet {
            if packages == 0 {
                context.tell("warning: the manifest declares no package: nothing is built\n");
            }
            context.print(&format!("the manifest is sound: packages {packages}, chroots {chroots}\n"))?;
        }
        Ok(Exit::Success)
    }

    /// Removes source packages that nothing names any more.
    fn close(self) -> Result<(), Failure> {
        if let Some(planned) = self.planned {
            planned.folders.collect_unused()?;
        }
        Ok(())
    }

    fn document(&self) -> CheckDocument {
        let mut document = CheckDocument::default();
        let Some(planned) = &self.planned else { return document };
        planned.impossible().into_iter().for_each(|error| document.add(error));
        self.refused.iter().for_each(|refused| document.add(refused));
        planned.warnings().into_iter().for_each(|warning| document.add(warning));
        planned.unsupported_words().iter().for_each(|warning| document.add(warning));
        self.manifest.needs_sandbox().iter().for_each(|warning| document.add(warning));
        planned.unsupported_builds().into_iter().for_each(|why| document.add_unsupported(why));
        self.broken.iter().for_each(|broken| document.add_broken(broken));
        planned.notes().iter().for_each(|note| document.add_note(note));
        document
    }
}
