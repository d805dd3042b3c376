//! Facts of a spec, asked of `rpmspec`.
//!
//! Three questions: the source package's header, the binary packages' headers, and the expanded text, whose
//! `%files` sections give away what no header holds before a build.

use std::sync::Arc;

use super::options::with_options;
use super::sections::{self, Expanded};
use crate::digest::Digest;
use crate::engine::environment::{environment_at_home, no_home};
use crate::engine::limits::{ANSWER_TIME, MOST_OUTPUT};
use crate::engine::listed::implied_provide;
use crate::engine::native::placeholders;
use crate::engine::surroundings::of_reading;
use crate::engine::{
    ArchLimits, EngineError, Facts, FactsRequest, Reading, Root, SourceReference, SubpackageFacts,
};
use crate::files::RootPath;
use crate::package::Dependency;
use crate::process::{Cancel, Command, Exit, Sandbox, Stream, Supervisor};
use crate::spec::Finding;

/// A line a value, begun by what it is; dependencies in three fields.
const SOURCE_FORMAT: &str = "name\\t%{NAME}\\nevr\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n\
    [exclusive\\t%{EXCLUSIVEARCH}\\n][excluded\\t%{EXCLUDEARCH}\\n][arch\\t%{BUILDARCHS}\\n]\
    [source\\t%{SOURCE}\\n][patch\\t%{PATCH}\\n][changed\\t%{CHANGELOGTIME}\\n]\
    [requires\\t%{REQUIRENAME}\\t%{REQUIREFLAGS}\\t%{REQUIREVERSION}\\n]\
    [conflicts\\t%{CONFLICTNAME}\\t%{CONFLICTFLAGS}\\t%{CONFLICTVERSION}\\n]";

const BINARY_FORMAT: &str = "package\\t%{NAME}\\t%{ARCH}\\n\
    [provides\\t%{PROVIDENAME}\\t%{PROVIDEFLAGS}\\t%{PROVIDEVERSION}\\n]\
    [requires\\t%{REQUIRENAME}\\t%{REQUIREFLAGS}\\t%{REQUIREVERSION}\\n]";

/// What rpm says of a spec that the target is ruled out for.
const RULED_OUT: [&str; 4] =
    ["Architecture is not included", "Architecture is excluded", "OS is not included", "OS is excluded"];

/// The root's rpmspec.
#[derive(Clone, Debug)]
pub(super) struct Rpmspec {
    pub supervisor: Supervisor,
    pub sandbox: Arc<dyn Sandbox>,
    pub root: Root,
    /// The architecture that rpm builds for where no other is asked for.
    pub own_arch: String,
}

struct Answer {
    output: String,
    errors: Vec<String>,
    exit: Exit,
}

/// What a spec says, and the digest of the text that it expands to.
pub(super) async fn facts(
    rpmspec: &Rpmspec,
    request: &FactsRequest,
    cancel: &Cancel,
) -> Result<(Reading, Option<Digest>), EngineError> {
    let source = ask(rpmspec, request, cancel, &["-q", "--srpm", "--qf", SOURCE_FORMAT]).await?;
    if source.exit != Exit::Code(0) {
        return Ok((not_read(&source, &request.spec), None));
    }
    let binary = ask(rpmspec, request, cancel, &["-q", "--rpms", "--qf", BINARY_FORMAT]).await?;
    if binary.exit != Exit::Code(0) {
        return Ok((not_read(&binary, &request.spec), None));
    }
    let text = ask(rpmspec, request, cancel, &["-P"]).await?;
    if text.exit != Exit::Code(0) {
        return Ok((not_read(&text, &request.spec), None));
    }
    let mut facts = source_facts(&source.output);
    let target = request.settings.target.as_ref().unwrap_or(&rpmspec.own_arch);
    if let Some(words) = facts.arch.ruled_out(target.split('-').next().unwrap_or(target)) {
        return Ok((Reading::RuledOut(words), None));
    }
    facts.subpackages = binary_facts(&binary.output);
    let expanded = sections::read(&text.output, &facts.name);
    add_text(&mut facts, &expanded);
    let placeholders = placeholders(request);
    let digest = placeholders.digest(&placeholders.hide(text.output.as_bytes()));
    Ok((Reading::Facts(Box::new(facts)), Some(digest)))
}

async fn ask(
    rpmspec: &Rpmspec,
    request: &FactsRequest,
    cancel: &Cancel,
    question: &[&str],
) -> Result<Answer, EngineError> {
    let environment = environment_at_home(&request.settings, no_home());
    let command =
        Command::new("rpmspec", &request.sources.on_host(), environment, ANSWER_TIME).arguments(question);
    let command = with_options(command, &request.settings, &request.sources)
        .argument("--")
        .argument(request.spec.as_path());
    let folder = request.sources.on_host();
    let command = match of_reading([request].into_iter(), &folder, request.settings.isolation, &rpmspec.root)
    {
        Some(surroundings) => rpmspec.sandbox.enclose(command, &surroundings),
        None => command,
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut keep = |stream: Stream, chunk: &[u8]| {
        let kept = if stream == Stream::Output { &mut output } else { &mut errors };
        let room = MOST_OUTPUT.saturating_sub(kept.len());
        kept.extend(chunk.iter().take(room));
    };
    let exit = command.run(&rpmspec.supervisor, cancel, &mut keep).await?;
    let errors = String::from_utf8_lossy(&errors).lines().map(str::to_owned).collect();
    Ok(Answer { output: String::from_utf8_lossy(&output).into_owned(), errors, exit })
}

fn not_read(answer: &Answer, spec: &RootPath) -> Reading {
    let ruled_out = answer.errors.iter().find(|line| RULED_OUT.iter().any(|words| line.contains(words)));
    if let Some(line) = ruled_out {
        return Reading::RuledOut(line.trim_start_matches("error: ").to_owned());
    }
    let file = spec.to_string();
    // Its last line only says that something was wrong.
    let told = answer.errors.iter().filter(|line| !line.ends_with("failed, can't parse"));
    let mut errors: Vec<Finding> = told.map(|line| Finding::told(line, &file)).collect();
    let mut add = |line: String| errors.push(Finding::told(&line, &file));
    match answer.exit {
        Exit::TimedOut => add(format!("rpmspec gave no answer in {} s", ANSWER_TIME.as_secs())),
        Exit::Canceled => add("canceled".to_owned()),
        Exit::PassedLimit(_) => add("rpmspec took more than it may".to_owned()),
        Exit::Code(code) if answer.errors.is_empty() => add(format!("rpmspec ended with exit code {code}")),
        Exit::Code(_) => {}
    }
    Reading::Broken(errors)
}

fn source_facts(output: &str) -> Facts {
    let mut facts = Facts::default();
    for line in output.lines() {
        let (kind, value) = line.split_once('\t').unwrap_or((line, ""));
        match kind {
            "name" => value.clone_into(&mut facts.name),
            "evr" => value.clone_into(&mut facts.evr),
            "exclusive" => facts.arch.exclusive.push(value.to_owned()),
            "excluded" => facts.arch.excluded.push(value.to_owned()),
            "arch" => facts.arch.build.push(value.to_owned()),
            "source" | "patch" => facts.sources.push(SourceReference::new(value)),
            // The newest entry stands first.
            "changed" => facts.changelog_time = facts.changelog_time.or(value.parse().ok()),
            "requires" => facts.build_requires.extend(dependency(value)),
            "conflicts" => facts.build_conflicts.extend(dependency(value)),
            _ => {}
        }
    }
    let ArchLimits { exclusive, excluded, build } = &mut facts.arch;
    [exclusive, excluded, build].into_iter().for_each(|list| list.sort());
    facts
}

fn binary_facts(output: &str) -> Vec<SubpackageFacts> {
    let mut packages: Vec<SubpackageFacts> = Vec::new();
    for line in output.lines() {
        let (kind, value) = line.split_once('\t').unwrap_or((line, ""));
        match (kind, packages.last_mut()) {
            ("package", _) => {
                let (name, arch) = value.split_once('\t').unwrap_or((value, ""));
                let package =
                    SubpackageFacts { name: name.to_owned(), arch: arch.to_owned(), ..Default::default() };
                packages.push(package);
            }
            ("provides", Some(package)) => package.provides.extend(dependency(value)),
            ("requires", Some(package)) => package.requires.extend(dependency(value)),
            _ => {}
        }
    }
    packages
}

fn dependency(fields: &str) -> Option<Dependency> {
    let mut fields = fields.split('\t');
    let name = fields.next()?;
    let flags = fields.next()?.parse().ok()?;
    let dependency = Dependency::from_fields(name, flags, fields.next().unwrap_or_default());
    (!dependency.is_rpmlib()).then_some(dependency)
}

/// What only the expanded text tells: whole references of sources, and the files of packages.
fn add_text(facts: &mut Facts, text: &Expanded) {
    facts.generates_requires = text.generates_requires;
    for source in &mut facts.sources {
        let whole = text.sources.iter().find(|whole| whole.file_name == source.file_name);
        source.reference = whole.map_or_else(|| source.reference.clone(), |whole| whole.reference.clone());
    }
    for package in &mut facts.subpackages {
        package.folders = text.folders.get(&package.name).cloned().unwrap_or_default();
        let Some(files) = text.files.get(&package.name) else {
            continue;
        };
        package.provides.extend(files.iter().filter_map(|file| implied_provide(file)));
        package.files.clone_from(files);
    }
}
