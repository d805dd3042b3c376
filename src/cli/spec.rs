//! `forge spec`

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::named_package::{NamedPackage, NamedSpec, Wanted, in_root, is_path};
use super::project::Project;
use super::spec_arguments::Spec;
use crate::engine::{Condition, FactsRequest, Mask, NativeReader, Settings, SpecReading};
use crate::event::BuildName;
use crate::files::{HostPath, Tree};
use crate::spec::Finding;
use crate::text::{Located, Place, SourceText};
use crate::ui::{SpecDocument, Verbosity, plain_text, spec_screen};

/// A spec that is asked for.
struct Asked {
    spec: NamedSpec,
    /// What takes the secrets of its package out of what is shown.
    mask: Mask,
    /// The package of the manifest, where it is one's.
    build: Option<BuildName>,
}

/// A spec as programs read it, with the package that it was read for.
#[derive(Serialize)]
struct ReadSpec {
    #[serde(flatten)]
    build: Option<BuildName>,
    #[serde(flatten)]
    document: SpecDocument,
}

/// Shows specs: files, or those of the manifest's packages.
pub fn run(arguments: &Spec, context: &Context) -> Result<Exit, Failure> {
    let asked = ask_all(arguments, context)?;
    let reader = NativeReader::default();
    let read: Vec<_> = asked.par_iter().map(|asked| reader.read(&asked.spec.request)).collect();
    let mut is_sound = true;
    let mut documents = Vec::new();
    for (Asked { spec: NamedSpec { name, path, .. }, mask, build }, reading) in asked.iter().zip(read) {
        let reading = masked(named(reading?, name, path), mask);
        is_sound &= reading.is_sound();
        let document = SpecDocument::new(name, &reading);
        if arguments.json {
            documents.push(ReadSpec { build: build.clone(), document });
            continue;
        }
        tell(&document, path, context);
        if let Some(build) = build.as_ref().filter(|_| asked.len() > 1) {
            context.print(&plain_text(&format!("# {build}\n")))?;
        }
        if let Some(spec) = &document.spec {
            context.print(&mask.text(&spec_screen(spec, name)))?;
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&documents).map_err(|error| CliError::Io(error.into()))?;
        let text = asked.iter().fold(text, |text, asked| asked.mask.text(&text).into_owned());
        context.print(&format!("{text}\n"))?;
    }
    Ok(if is_sound { Exit::Success } else { Exit::Failure })
}

/// What is asked of the specs that arguments name, in their order.
fn ask_all(arguments: &Spec, context: &Context) -> Result<Vec<Asked>, Failure> {
    if arguments.specs.is_empty() {
        return ask_packages(&[], arguments, context);
    }
    let mut asked = Vec::new();
    for argument in &arguments.specs {
        if is_path(argument, context) {
            let (name, path) = (argument.to_string_lossy().into_owned(), context.named(argument)?);
            let request = request(&path, settings(arguments), arguments)?;
            asked.push(Asked { spec: NamedSpec { name, path, request }, mask: Mask::new([]), build: None });
        } else {
            asked.extend(ask_packages(&[argument.to_string_lossy().into_owned()], arguments, context)?);
        }
    }
    Ok(asked)
}

/// What is asked of the specs of packages of the manifest.
fn ask_packages(names: &[String], arguments: &Spec, context: &Context) -> Result<Vec<Asked>, Failure> {
    let project = Project::find(context)?;
    let wanted = Wanted { names, choice: &arguments.choice, over: &arguments.define };
    let packages = NamedPackage::find(&project, wanted, context)?;
    packages.iter().for_each(|package| package.tell_of_own_macros("forge spec", context));
    let ask = |package: &NamedPackage| {
        let Settings { target, conditions, .. } = settings(arguments);
        let mut settings = package.settings.clone();
        settings.target = target.or(settings.target);
        settings.conditions.retain(|condition| !conditions.iter().any(|own| own.name() == condition.name()));
        settings.conditions.extend(conditions);
        let mut spec = package.spec(&project, settings, context)?;
        spec.request.may_run &= !arguments.restricted;
        Ok(Asked { spec, mask: package.mask(), build: Some(package.build.clone()) })
    };
    packages.iter().map(ask).collect()
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
fn request(path: &HostPath, settings: Settings, arguments: &Spec) -> Result<FactsRequest, Failure> {
    let folder = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let (spec, sources) = (in_root(path)?, in_root(&folder)?);
    Ok(FactsRequest { spec, sources, settings, may_run: !arguments.restricted, readable: Vec::new() })
}

/// The reading without secrets in what is said of it.
fn masked(mut reading: SpecReading, mask: &Mask) -> SpecReading {
    for finding in &mut reading.findings {
        let json = serde_json::to_string(finding).unwrap_or_default();
        if let Cow::Owned(json) = mask.text(&json)
            && let Ok(masked) = serde_json::from_str(&json)
        {
            *finding = masked;
        }
    }
    reading
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
