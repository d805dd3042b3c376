//! What becomes of drafts whose specs have been read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::draft::{Draft, DraftState};
use super::gathered::RemoteSources;
use super::inspector::{Inspector, LocatedOrigin, OpenRoot};
use super::observed::{digest_by_name, exclude_sources};
use super::spec_texts::SpecTexts;
use super::{Build, Fate, Ingredients, Inputs, Observed, PlanError};
use crate::digest::Digest;
use crate::engine::{Facts, FactsRequest, Read, Reading, Settings};
use crate::event::BuildName;
use crate::macros::Observation;
use crate::manifest::{Package, PackageId, not_yet};
use crate::package::Dependency;
use crate::source::{InputFile, Origin, SourceError, inputs};
use crate::spec::{Finding, Weight};
use crate::store::RecordKind;
use crate::text::Located;

/// Makes the builds of a package of its drafts.
pub(super) struct BuildMaker<'i> {
    inspector: &'i Inspector<'i>,
    id: PackageId,
    package: &'i Package,
    origin: &'i LocatedOrigin,
    remote: &'i RemoteSources,
    texts: SpecTexts<'i>,
    /// Sources that have been digested, by the names that the spec gives them.
    digested: HashMap<Vec<String>, Vec<InputFile>>,
}

impl<'i> BuildMaker<'i> {
    /// Its origin, and the files that were fetched for its spec, come beside it.
    pub fn new(
        inspector: &'i Inspector<'i>,
        id: PackageId,
        (origin, remote): (&'i LocatedOrigin, &'i RemoteSources),
    ) -> Self {
        let package = inspector.manifest.package(id);
        let texts = SpecTexts::new(package, inspector.repository);
        Self { inspector, id, package, origin, remote, texts, digested: HashMap::new() }
    }

    pub fn make_builds(mut self, drafts: Vec<Draft>) -> Vec<Build> {
        drafts.into_iter().map(|draft| self.make_build(draft)).collect()
    }

    fn make_build(&mut self, draft: Draft) -> Build {
        let warnings = self.list_warnings(&draft.state);
        let spec_name = match &draft.state {
            DraftState::Read(_, Read { reading: Reading::Facts(facts), .. }) => Some(facts.name.clone()),
            DraftState::Read(..) | DraftState::Settled(_) | DraftState::Unread(_) => None,
        };
        let Draft { chroot, settings, state, .. } = draft;
        let root = self.inspector.roots.of(chroot);
        let fate = match (state, self.origin) {
            (_, Err(error)) => fate_without_origin(error),
            (DraftState::Settled(fate), Ok(_)) => fate,
            (DraftState::Unread(_), Ok(_)) => Fate::Impossible(Vec::new()),
            (DraftState::Read(request, read), Ok(origin)) => match read.reading {
                Reading::Broken(findings) => {
                    let errors = findings.iter().map(|finding| Arc::new(self.texts.located(finding, origin)));
                    Fate::Impossible(errors.collect())
                }
                Reading::RuledOut(words) => Fate::RuledOut(words),
                Reading::Withheld(_) => Fate::NotYet("its spec runs programs".to_owned()),
                Reading::Facts(facts) => {
                    let reading = BuildableReading {
                        facts: *facts,
                        request: *request,
                        observations: read.observations,
                        expanded: read.expanded,
                    };
                    self.fate_of_reading(reading, origin, root)
                }
            },
        };
        let name = BuildName {
            package: self.package.name.value.clone(),
            chroot: self.inspector.manifest.chroot(chroot).name.value.clone(),
        };
        Build { name, package: self.id, chroot, settings, fate, unbuilt: None, spec_name, warnings }
    }

    fn list_warnings(&mut self, state: &DraftState) -> Vec<Located<PlanError>> {
        let Ok(origin) = self.origin else { return Vec::new() };
        let findings = match state {
            DraftState::Read(_, Read { reading: Reading::Facts(facts), .. }) => facts.warnings.as_slice(),
            DraftState::Read(_, Read { reading: Reading::Withheld(refused), .. }) => refused.as_slice(),
            DraftState::Read(..) | DraftState::Settled(_) | DraftState::Unread(_) => &[],
        };
        let of_lines = warn_of_carriage_returns(origin);
        findings.iter().chain(&of_lines).map(|finding| self.texts.located(finding, origin)).collect()
    }

    fn fate_of_reading(
        &mut self,
        reading: BuildableReading,
        origin: &Origin,
        root: Option<&OpenRoot>,
    ) -> Fate {
        let Some(root) = root else {
            return Fate::Impossible(Vec::new());
        };
        let spec = origin.spec.clone();
        match self.digest_sources(&reading.facts, origin) {
            Ok(sources) => {
                let engine = root.engine(self.package.engine).identity().clone();
                let root = root.identity;
                let observed = reading.observed(&spec, &sources);
                let (facts, generated) = (reading.facts, Vec::new());
                let (wish, rebuild) = (None, self.inspector.rebuild.clone());
                let mut inputs =
                    Inputs { facts, generated, spec, sources, observed, root, engine, wish, rebuild };
                inputs.generated = self.last_generated(&inputs, &reading.request.settings);
                Fate::Buildable(Arc::new(inputs))
            }
            Err(errors) => Fate::Impossible(errors),
        }
    }

    /// What a `%generate_buildrequires` named when it was asked last.
    fn last_generated(&self, inputs: &Inputs, settings: &Settings) -> Vec<Vec<Dependency>> {
        if !inputs.facts.generates_requires {
            return Vec::new();
        }
        let key = Ingredients::new(inputs, settings, BTreeMap::new()).generated_key();
        self.inspector.store.record(RecordKind::Facts, &key).unwrap_or_default()
    }

    fn digest_sources(
        &mut self,
        facts: &Facts,
        origin: &Origin,
    ) -> Result<Vec<InputFile>, Vec<Arc<Located<PlanError>>>> {
        let names: Vec<String> = facts.sources.iter().map(|source| source.file_name.clone()).collect();
        if let Some(known) = self.digested.get(&names) {
            return Ok(known.clone());
        }
        let (mut fetched, mut beside) = (Vec::new(), Vec::new());
        let mut errors: Vec<Arc<Located<PlanError>>> = Vec::new();
        for reference in &facts.sources {
            match self.remote.get(self.id, &reference.file_name) {
                Some(Ok(remote)) => fetched.push(remote.file.clone()),
                // What is wrong with two of its files together is told once.
                Some(Err(error)) if errors.iter().any(|known| known.to_string() == error.to_string()) => {}
                Some(Err(error)) => errors.push(Arc::clone(error)),
                None => beside.push(reference.clone()),
            }
        }
        let found = inputs(self.package, origin, &beside, self.inspector.repository);
        let found = match found {
            Ok(found) if errors.is_empty() => found,
            found => {
                let others = found.err().unwrap_or_default().into_iter();
                errors.extend(others.map(|error| Arc::new(error.map(PlanError::Source))));
                return Err(errors);
            }
        };
        let mut found: Vec<InputFile> = found.into_iter().chain(fetched).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        self.digested.insert(names, found.clone());
        Ok(found)
    }
}

/// What becomes of a build without a spec.
fn fate_without_origin(error: &Arc<Located<PlanError>>) -> Fate {
    if let PlanError::Source(SourceError::NotYet { kind }) = error.error() {
        return Fate::NotYet(not_yet(&format!("`source {kind}`")));
    }
    Fate::Impossible(vec![Arc::clone(error)])
}

/// The code of what is said of a spec whose lines end as on Windows.
pub const CARRIAGE_RETURNS: &str = "forge::plan::carriage_returns";

/// Says that a spec's lines end with CR LF: rpm takes the CR for a part of them, and shells and compilers do too.
fn warn_of_carriage_returns(origin: &Origin) -> Option<Finding> {
    let line = origin.carriage_return?;
    Some(Finding {
        weight: Weight::Warning,
        code: CARRIAGE_RETURNS.to_owned(),
        title:
            "the lines of this spec end with CR LF, as on Windows: its scripts will not find what they name"
                .to_owned(),
        help: Some("convert it with `dos2unix`, or with `sed -i 's/\\r$//'`".to_owned()),
        file: origin.spec_path().to_string(),
        line,
        through: None,
    })
}

/// What a reading came to that can be built.
struct BuildableReading {
    facts: Facts,
    request: FactsRequest,
    observations: Vec<Observation>,
    expanded: Option<Digest>,
}

impl BuildableReading {
    /// What was seen beside the spec and the sources.
    fn observed(&self, spec: &InputFile, sources: &[InputFile]) -> Observed {
        let files = std::iter::once(spec).chain(sources);
        let names: Vec<&str> = files.map(|file| file.name.as_str()).collect();
        let observations = exclude_sources(&self.observations, &names);
        Observed {
            request: self.request.clone(),
            by_name: digest_by_name(&observations),
            observations,
            facts: self.facts.digest(),
            expanded: self.expanded,
        }
    }
}
