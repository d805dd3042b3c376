//! `forge check`

mod document;

use std::sync::Arc;

use super::Exit;
use super::arguments::{Check, Selection};
use super::context::{CliError, Context, Failure};
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use crate::event::SystemClock;
use crate::manifest::Manifest;
use crate::process::Cancel;
use crate::publish::{PublishError, Verification};
use crate::ui::Verbosity;
use document::CheckDocument;

pub use document::check_schema;

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
    let text = serde_json::to_string_pretty(document).map_err(|error| CliError::Io(error.into()))?;
    context.print(&format!("{text}\n"))?;
    Ok(if document.is_sound() { Exit::Success } else { Exit::Failure })
}

/// What was looked at.
struct Checked {
    manifest: Arc<Manifest>,
    /// What the specs come to, where they are read.
    planned: Option<Planned>,
    /// Why a repository can't be where the manifest says.
    refused: Option<PublishError>,
}

impl Checked {
    fn check(arguments: &Check, context: &Context) -> Result<Self, Failure> {
        let project = Project::find(context)?;
        if arguments.manifest_only {
            let manifest = project.manifest(&arguments.profile, context)?;
            return Ok(Self { manifest, planned: None, refused: None });
        }
        let all = Selection { profile: arguments.profile.clone(), ..Selection::default() };
        let planned = runtime()?.block_on(plan(&project, &all, &Cancel::default(), context))?;
        let repositories = planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock));
        let refused = repositories.check_folders().err();
        Ok(Self { manifest: Arc::clone(&planned.manifest), planned: Some(planned), refused })
    }

    fn show(&mut self, context: &Context) -> Result<Exit, Failure> {
        let (packages, chroots) = (self.manifest.packages.len(), self.manifest.chroots.len());
        if let Some(planned) = &self.planned {
            if context.verbosity > Verbosity::Quiet {
                planned.show_notes(context);
                planned.show_warnings(context);
                planned.show_unsupported(context);
            }
            if let Some(refused) = self.refused.take() {
                return Err(refused.into());
            }
            if planned.show_impossible(context) > 0 {
                return Ok(Exit::Failure);
            }
        }
        if context.verbosity > Verbosity::Quiet {
            context.print(&format!("the manifest is sound: packages {packages}, chroots {chroots}\n"))?;
        }
        Ok(Exit::Success)
    }

    /// Removes source packages that nothing names any more.
    fn close(self) -> Result<(), Failure> {
        if let Some(planned) = self.planned {
            planned.unpacked.collect_unused()?;
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
        planned.unsupported_builds().into_iter().for_each(|why| document.add_unsupported(why));
        planned.notes().iter().for_each(|note| document.add_note(note));
        document
    }
}
