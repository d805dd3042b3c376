//! `forge spec`

use std::sync::Arc;

use rayon::prelude::*;

use super::Exit;
use super::arguments::Spec;
use super::context::{CliError, Context, Failure};
use crate::engine::{Condition, EngineError, FactsRequest, NativeReader, Settings, SpecReading};
use crate::files::{HostPath, RootPath, Tree};
use crate::spec::Finding;
use crate::text::{Located, Place, SourceText};
use crate::ui::{SpecDocument, Verbosity, spec_screen};

/// Shows specs.
pub fn run(arguments: &Spec, context: &Context) -> Result<Exit, Failure> {
    let reader = NativeReader::default();
    let paths: Vec<(String, HostPath)> = arguments
        .specs
        .iter()
        .map(|path| Ok((path.to_string_lossy().into_owned(), context.named(path)?)))
        .collect::<Result<_, Failure>>()?;
    let settings = settings(arguments);
    let read: Vec<Result<SpecReading, EngineError>> =
        paths.par_iter().map(|(_, path)| reader.read(&request(path, &settings, arguments)?)).collect();
    let mut is_sound = true;
    let mut documents = Vec::new();
    for ((name, path), reading) in paths.iter().zip(read) {
        let reading = reading?;
        is_sound &= reading.is_sound();
        let document = SpecDocument::new(name, &named(reading, name, path));
        if arguments.json {
            documents.push(document);
            continue;
        }
        tell(&document, path, context);
        if let Some(spec) = &document.spec {
            context.print(&spec_screen(spec, name))?;
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&documents).map_err(|error| CliError::Io(error.into()))?;
        context.print(&format!("{text}\n"))?;
    }
    Ok(if is_sound { Exit::Success } else { Exit::Failure })
}

fn settings(arguments: &Spec) -> Settings {
    let with = arguments.with.iter().cloned().map(Condition::With);
    let without = arguments.without.iter().cloned().map(Condition::Without);
    Settings {
        target: arguments.target.clone(),
        macros: arguments.define.clone(),
        conditions: with.chain(without).collect(),
        ..Settings::default()
    }
}

/// The sources of a spec are looked for beside it.
fn request(path: &HostPath, settings: &Settings, arguments: &Spec) -> Result<FactsRequest, EngineError> {
    let folder = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    // A path that still climbs was followed as far as there was something to follow.
    let in_root = |path: &HostPath| RootPath::in_own_root(path).ok_or(std::io::ErrorKind::NotFound);
    Ok(FactsRequest {
        spec: in_root(path).map_err(std::io::Error::from)?,
        sources: in_root(&folder).map_err(std::io::Error::from)?,
        settings: settings.clone(),
        may_run: !arguments.restricted,
        readable: Vec::new(),
    })
}

/// The reading, with the file called as the user calls it.
fn named(mut reading: SpecReading, name: &str, path: &HostPath) -> SpecReading {
    let path = path.to_string();
    reading.findings.iter_mut().for_each(|finding| finding.rename(&path, name));
    let called: Arc<str> = name.into();
    if let Some(spec) = &mut reading.spec {
        spec.rename(&path, &called);
    }
    reading
}

/// Tells what is wrong, each at its place.
fn tell(document: &SpecDocument, path: &HostPath, context: &Context) {
    let wanted = |finding: &&Finding| finding.is_error() || context.verbosity > Verbosity::Quiet;
    let mut findings = document.findings.iter().filter(wanted).peekable();
    if findings.peek().is_none() {
        return;
    }
    let text = text(path).map(|text| SourceText::new(document.file.as_str(), text));
    for finding in findings {
        match &text {
            Some(text) if finding.line > 0 && finding.file == document.file => {
                let line = usize::try_from(finding.line).unwrap_or(usize::MAX);
                context.show(&Located::new(finding.clone(), "here", Place::line(text, line)));
            }
            _ => context.show(finding),
        }
        context.tell("\n");
    }
}

fn text(path: &HostPath) -> Option<String> {
    let tree = Tree::open(&HostPath::root()).ok()?;
    let text = tree.read(path.as_path()).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}
