//! `forge fmt`

use super::Exit;
use super::arguments::Fmt;
use super::context::{CliError, Context, Failure};
use super::project::Project;
use crate::manifest::{ManifestErrors, format, manifest_files};
use crate::text::SourceText;

/// Lays out the manifest's files.
pub fn run(arguments: &Fmt, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let mut errors = Vec::new();
    let mut changed = Vec::new();
    for file in manifest_files(&project.repository).map_err(Failure::Manifest)? {
        let text = project.repository.read_text(&file).map_err(CliError::Io)?;
        let source = SourceText::new(file.as_str(), text);
        match format(&source) {
            Ok(text) if text != source.text() => changed.push((file, text)),
            Ok(_) => {}
            Err(mistakes) => errors.extend(mistakes),
        }
    }
    if !errors.is_empty() {
        return Err(Failure::Manifest(ManifestErrors(errors)));
    }
    for (file, text) in &changed {
        if arguments.check {
            context.print(&format!("{file} is not in the usual form\n"))?;
        } else {
            project.repository.rewrite(file, text.as_bytes()).map_err(CliError::Io)?;
            context.print(&format!("laid out {file}\n"))?;
        }
    }
    Ok(if arguments.check && !changed.is_empty() { Exit::Failure } else { Exit::Success })
}
