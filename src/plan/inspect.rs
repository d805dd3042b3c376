//! What the manifest's packages are: specs located, read by the engine, their sources digested.
//!
//! Reading a spec costs three processes, so what an engine has said of a spec is remembered by everything that its
//! answer depends on, and asked again only where that has changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::observed::{beside_sources, by_name};
use super::requirements::names_asked;
use super::spec_texts::SpecTexts;
use super::{Build, Fate, Ingredients, Inputs, Observed, PlanError};
use crate::chroot::{RootIdentity, RootRequest};
use crate::digest::{Digest, Encoder, Key};
use crate::engine::{
    EngineError, EngineIdentity, Facts, FactsRequest, Installed, MacroSetting, Read, Reading, Settings,
    SpecReader,
};
use crate::event::{BuildName, Timestamp};
use crate::files::{Folder, HostPath, reason};
use crate::macros::Observation;
use crate::manifest::declaration::{EngineChoice, Isolation};
use crate::manifest::{Chroot, ChrootId, Manifest, ManifestPath, Package, PackageId, RootBase};
use crate::package::Dependency;
use crate::process::Cancel;
use crate::source::{InputFile, Neighbours, Origin, SourceError, Unpacked, inputs, locate};
use crate::spec::{Finding, Weight};
use crate::store::{RecordKind, Store};
use crate::text::Located;

/// What inspecting needs.
pub struct Inspector<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The repository.
    pub repository: &'a Folder,
    /// Where source packages are unpacked.
    pub unpacked: &'a Unpacked,
    /// Where answers are remembered.
    pub store: &'a Store,
    /// Who reads the specs of `engine rpmbuild`.
    pub rpmbuild: Arc<dyn SpecReader>,
    /// Who reads the specs of `engine native`.
    pub native: Arc<dyn SpecReader>,
    /// Macros of the command line.
    pub over: &'a [MacroSetting],
    /// How many specs are read at a time.
    pub jobs: usize,
    /// Forge's own binary, which is no part of a root that it lies in.
    pub own_binary: &'a HostPath,
    /// The moment that it is now.
    pub now: Timestamp,
}

/// What inspecting came to.
pub struct Inspection {
    /// All builds.
    pub builds: Vec<Build>,
    /// What the roots have of what the builds need.
    pub installed: HashMap<ChrootId, Installed>,
}

/// A build on its way.
struct Draft {
    package: PackageId,
    chroot: ChrootId,
    settings: Settings,
    /// What keeps it from being built, and not from being read.
    not_yet: Option<String>,
    state: DraftState,
}

enum DraftState {
    /// Its end is known.
    Settled(Fate),
    /// The spec has been read.
    Read(Read),
    /// The engine has to be asked.
    Unread(Key),
}

/// Where a package comes from, or why that is of no use; the same for all of its builds.
type Found = Result<Origin, Arc<Located<PlanError>>>;

/// Inspects all packages in all of their chroots.
///
/// # Errors
/// What stops all work: an engine that is missing, a root or store that can't be used.
pub async fn inspect(inspector: &Inspector<'_>, cancel: &Cancel) -> Result<Inspection, PlanError> {
    let roots = inspector.roots()?;
    let neighbours = Neighbours::default();
    let find = |package: &Package| {
        locate(package, inspector.repository, inspector.unpacked, &neighbours).map_err(|error| {
            Arc::new(Located::new(error.into(), "this source", package.source.place.clone()))
        })
    };
    let origins: Vec<Found> = inspector.manifest.packages.par_iter().map(find).collect();
    let mut drafts = inspector.drafts(&origins, &roots);
    inspector.read_specs(&mut drafts, &origins, cancel).await?;
    let groups = grouped(drafts);
    let packages: Vec<Vec<Build>> = groups
        .into_par_iter()
        .map(|(package, drafts)| inspector.builds(package, drafts, &origins[package.0], &roots))
        .collect();
    let builds: Vec<Build> = packages.into_iter().flatten().collect();
    let installed = inspector.installed(&builds);
    Ok(Inspection { builds, installed })
}

/// The drafts of each package together, so that its sources are digested once.
fn grouped(drafts: Vec<Draft>) -> Vec<(PackageId, Vec<Draft>)> {
    let mut groups: Vec<(PackageId, Vec<Draft>)> = Vec::new();
    for draft in drafts {
        match groups.last_mut() {
            Some((package, group)) if *package == draft.package => group.push(draft),
            _ => groups.push((draft.package, vec![draft])),
        }
    }
    groups
}

type Roots = HashMap<ChrootId, RootIdentity>;

impl Inspector<'_> {
    /// The identities of the roots that forge can build in.
    fn roots(&self) -> Result<Roots, PlanError> {
        let mut known: HashMap<HostPath, RootIdentity> = HashMap::new();
        let mut roots = HashMap::new();
        for (index, chroot) in self.manifest.chroots.iter().enumerate() {
            let Some(path) = own_root(chroot) else { continue };
            let identity = match known.get(&path) {
                Some(identity) => *identity,
                None => {
                    let request = RootRequest { path: &path, own_binary: self.own_binary, now: self.now };
                    RootIdentity::read(&request, self.store).map_err(|error| PlanError::Root {
                        chroot: chroot.name.value.clone(),
                        reason: reason(&error),
                    })?
                }
            };
            known.insert(path, identity);
            roots.insert(ChrootId(index), identity);
        }
        Ok(roots)
    }

    /// What the roots have of what the builds need. Builds of a chroot share its root.
    fn installed(&self, builds: &[Build]) -> HashMap<ChrootId, Installed> {
        let mut by_chroot: HashMap<ChrootId, Vec<(&Settings, &Inputs)>> = HashMap::new();
        for build in builds {
            if let Fate::Buildable(inputs) = &build.fate {
                by_chroot.entry(build.chroot).or_default().push((&build.settings, inputs));
            }
        }
        let installed = by_chroot.into_iter().filter_map(|(chroot, builds)| {
            let names = names_asked(builds.iter().map(|(_, inputs)| *inputs));
            let (settings, _) = builds.first().filter(|_| !names.is_empty())?;
            Some((chroot, self.native.installed(settings, &names)))
        });
        installed.collect()
    }

    fn drafts(&self, origins: &[Found], roots: &Roots) -> Vec<Draft> {
        let pairs: Vec<(PackageId, ChrootId)> = (0..self.manifest.packages.len())
            .map(PackageId)
            .flat_map(|id| self.manifest.package(id).chroots.iter().map(move |chroot| (id, *chroot)))
            .collect();
        let draft = |(package, chroot): (PackageId, ChrootId)| {
            let settings = self.manifest.settings(
                self.manifest.package(package),
                self.manifest.chroot(chroot),
                self.over,
            );
            let not_yet = not_yet(self.manifest.package(package), self.manifest.chroot(chroot));
            let state = self.draft_state(package, chroot, &settings, &origins[package.0], roots);
            Draft { package, chroot, settings, not_yet, state }
        };
        pairs.into_par_iter().map(draft).collect()
    }

    fn draft_state(
        &self,
        package: PackageId,
        chroot: ChrootId,
        settings: &Settings,
        origin: &Found,
        roots: &Roots,
    ) -> DraftState {
        let package = self.manifest.package(package);
        // What this forge does not build can be read all the same, where its root is at hand.
        let is_read = package.engine == EngineChoice::Native && roots.contains_key(&chroot);
        match not_yet(package, self.manifest.chroot(chroot)) {
            Some(what) if !is_read => return DraftState::Settled(Fate::NotYet(what)),
            _ => {}
        }
        let (Ok(origin), Some(root)) = (origin, roots.get(&chroot)) else {
            // Why the origin is of no use is said once, where the builds are made.
            return DraftState::Settled(Fate::Impossible(Vec::new()));
        };
        let reader = self.reader(package);
        let mut encoder = Encoder::new("rpmforge facts v5");
        let EngineIdentity { name, sources } = reader.identity();
        encoder.text("engine", name).text("forge", sources).digest_field("spec", &origin.spec.blob.digest);
        encoder.digest_field("configuration", &root.configuration);
        if let Some(neighbours) = &origin.neighbours {
            encoder.digest_field("neighbours", neighbours);
        }
        // What rpmspec and other programs answer depends on all of the root.
        if origin.runs_programs || package.engine == EngineChoice::Rpmbuild {
            encoder.digest_field("root", &root.digest());
        }
        settings.encode(&mut encoder);
        let request = request(package, origin, settings, self.repository);
        encoder.text("programs", if request.may_run { "run" } else { "withheld" });
        let key = encoder.key();
        let known = self.store.record::<Read>(RecordKind::Facts, &key);
        match known.filter(|known| reader.would_learn_again(&request, &known.observations)) {
            Some(known) => DraftState::Read(known),
            None => DraftState::Unread(key),
        }
    }

    fn reader(&self, package: &Package) -> &Arc<dyn SpecReader> {
        match package.engine {
            EngineChoice::Native => &self.native,
            EngineChoice::Rpmbuild => &self.rpmbuild,
        }
    }

    /// Asks the engine for every spec that is not known yet, several at a time.
    async fn read_specs(
        &self,
        drafts: &mut [Draft],
        origins: &[Found],
        cancel: &Cancel,
    ) -> Result<(), PlanError> {
        let places = Arc::new(Semaphore::new(self.jobs.max(1)));
        let mut tasks: JoinSet<(usize, Key, Result<Read, EngineError>)> = JoinSet::new();
        for (index, draft) in drafts.iter().enumerate() {
            let (DraftState::Unread(key), Ok(origin)) = (&draft.state, &origins[draft.package.0]) else {
                continue;
            };
            let package = self.manifest.package(draft.package);
            let request = request(package, origin, &draft.settings, self.repository);
            let (reader, places, cancel, key) =
                (Arc::clone(self.reader(package)), Arc::clone(&places), cancel.clone(), *key);
            tasks.spawn(async move {
                // The semaphore is never closed.
                let _place = places.acquire().await;
                (index, key, reader.facts(&request, &cancel).await)
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (index, key, reading) =
                done.map_err(|error| EngineError::Io(std::io::Error::other(error)))?;
            let read = reading?;
            // Why a spec can't be read may be gone the next time: a program that hung, a folder that was locked.
            if !matches!(read.reading, Reading::Broken(_)) {
                self.store.remember(RecordKind::Facts, &key, &read)?;
            }
            drafts[index].state = DraftState::Read(read);
        }
        Ok(())
    }

    fn builds(&self, package: PackageId, drafts: Vec<Draft>, origin: &Found, roots: &Roots) -> Vec<Build> {
        let mut files: HashMap<Vec<String>, Vec<InputFile>> = HashMap::new();
        let mut texts = SpecTexts::new(self.manifest.package(package), self.repository);
        let mut builds = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let chroot = draft.chroot;
            let warnings: Vec<Located<PlanError>> = match (&draft.state, origin) {
                (DraftState::Read(Read { reading: Reading::Facts(facts), .. }), Ok(origin)) => {
                    facts.warnings.iter().map(|warning| texts.located(warning, origin)).collect()
                }
                (DraftState::Read(Read { reading: Reading::Withheld(refused), .. }), Ok(origin)) => {
                    refused.iter().map(|refusal| texts.located(refusal, origin)).collect()
                }
                _ => Vec::new(),
            };
            let warnings = warnings.into_iter().chain(origin.iter().filter_map(|origin| {
                carriage_returns(origin).map(|warning| texts.located(&warning, origin))
            }));
            let warnings = warnings.collect();
            let spec_name = match &draft.state {
                DraftState::Read(Read { reading: Reading::Facts(facts), .. }) => Some(facts.name.clone()),
                DraftState::Read(_) | DraftState::Settled(_) | DraftState::Unread(_) => None,
            };
            let fate = match (draft.state, origin) {
                (DraftState::Settled(Fate::NotYet(what)), _) => Fate::NotYet(what),
                (_, Err(error)) => no_origin(error),
                (DraftState::Settled(fate), Ok(_)) => fate,
                (DraftState::Unread(_), Ok(_)) => Fate::Impossible(Vec::new()),
                (DraftState::Read(read), Ok(origin)) => match (read.reading, draft.not_yet) {
                    (Reading::Broken(findings), _) => {
                        let errors = findings.iter().map(|finding| Arc::new(texts.located(finding, origin)));
                        Fate::Impossible(errors.collect())
                    }
                    (Reading::RuledOut(words), _) => Fate::RuledOut(words),
                    (Reading::Withheld(_), what) => {
                        Fate::NotYet(what.unwrap_or_else(|| "its spec runs programs".to_owned()))
                    }
                    (Reading::Facts(_), Some(what)) => Fate::NotYet(what),
                    (Reading::Facts(facts), None) => {
                        let said = Said {
                            facts: *facts,
                            request: request(
                                self.manifest.package(package),
                                origin,
                                &draft.settings,
                                self.repository,
                            ),
                            observations: read.observations,
                            expanded: read.expanded,
                        };
                        self.fate(package, said, origin, roots.get(&chroot), &mut files)
                    }
                },
            };
            let name = BuildName {
                package: self.manifest.package(package).name.value.clone(),
                chroot: self.manifest.chroot(chroot).name.value.clone(),
            };
            builds.push(Build { name, package, chroot, settings: draft.settings, fate, spec_name, warnings });
        }
        builds
    }

    fn fate(
        &self,
        package: PackageId,
        said: Said,
        origin: &Origin,
        root: Option<&RootIdentity>,
        files: &mut HashMap<Vec<String>, Vec<InputFile>>,
    ) -> Fate {
        let package = self.manifest.package(package);
        let Some(root) = root else {
            return Fate::Impossible(Vec::new());
        };
        let spec = origin.spec.clone();
        match self.sources(package, &said.facts, origin, files) {
            Ok(sources) => {
                let engine = self.reader(package).identity().clone();
                let observed = said.observed(&spec, &sources);
                let (facts, generated) = (said.facts, Vec::new());
                let mut inputs = Inputs { facts, generated, spec, sources, observed, root: *root, engine };
                inputs.generated = self.generated(&inputs, &said.request.settings);
                Fate::Buildable(Arc::new(inputs))
            }
            Err(errors) => Fate::Impossible(errors),
        }
    }

    /// What a `%generate_buildrequires` named when it was asked last.
    fn generated(&self, inputs: &Inputs, settings: &Settings) -> Vec<Dependency> {
        if !inputs.facts.generates_requires {
            return Vec::new();
        }
        let key = Ingredients::new(inputs, settings, BTreeMap::new()).generated_key();
        self.store.record(RecordKind::Facts, &key).unwrap_or_default()
    }

    fn sources(
        &self,
        package: &Package,
        facts: &Facts,
        origin: &Origin,
        files: &mut HashMap<Vec<String>, Vec<InputFile>>,
    ) -> Result<Vec<InputFile>, Vec<Arc<Located<PlanError>>>> {
        let names: Vec<String> = facts.sources.iter().map(|source| source.file_name.clone()).collect();
        if let Some(known) = files.get(&names) {
            return Ok(known.clone());
        }
        let found = inputs(package, origin, &facts.sources, self.repository).map_err(|errors| {
            errors.into_iter().map(|error| Arc::new(error.map(PlanError::Source))).collect::<Vec<_>>()
        })?;
        files.insert(names, found.clone());
        Ok(found)
    }
}

/// What becomes of a build without a spec.
fn no_origin(error: &Arc<Located<PlanError>>) -> Fate {
    match error.error() {
        PlanError::Source(SourceError::NotYet { kind }) => {
            Fate::NotYet(format!("`source {kind}` is not carried out by this version of forge"))
        }
        _ => Fate::Impossible(vec![Arc::clone(error)]),
    }
}

/// The code of what is said of a spec whose lines end as on Windows.
pub const CARRIAGE_RETURNS: &str = "forge::plan::carriage_returns";

/// Says that a spec's lines end with CR LF: rpm takes the CR for a part of them, and shells and compilers do too.
fn carriage_returns(origin: &Origin) -> Option<Finding> {
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
struct Said {
    facts: Facts,
    request: FactsRequest,
    observations: Vec<Observation>,
    expanded: Option<Digest>,
}

impl Said {
    /// What was seen beside the spec and the sources.
    fn observed(&self, spec: &InputFile, sources: &[InputFile]) -> Observed {
        let files = std::iter::once(spec).chain(sources);
        let names: Vec<&str> = files.map(|file| file.name.as_str()).collect();
        let observations = beside_sources(&self.observations, &names);
        Observed {
            request: self.request.clone(),
            by_name: by_name(&observations),
            observations,
            facts: self.facts.digest(),
            expanded: self.expanded,
        }
    }
}

fn request(package: &Package, origin: &Origin, settings: &Settings, repository: &Folder) -> FactsRequest {
    FactsRequest {
        spec: origin.spec_path(),
        sources: origin.folder_path(),
        settings: settings.clone(),
        may_run: package.isolation == Isolation::None,
        readable: vec![repository.path().clone()],
    }
}

/// The root that a chroot is, if it is the one that forge runs in.
fn own_root(chroot: &Chroot) -> Option<HostPath> {
    match &chroot.base {
        RootBase::Folder(path) => match &path.value {
            ManifestPath::Absolute(path) if path.as_path() == std::path::Path::new("/") => Some(path.clone()),
            ManifestPath::Absolute(_) | ManifestPath::Repository(_) => None,
        },
        RootBase::Repositories(_) | RootBase::Image(_) => None,
    }
}

/// What a build asks for that this forge does not carry out.
fn not_yet(package: &Package, chroot: &Chroot) -> Option<String> {
    let later = |what: &str| Some(format!("{what} is not carried out by this version of forge"));
    match &chroot.base {
        RootBase::Repositories(_) => return later("a root made from `repo`s"),
        RootBase::Image(_) => return later("`image`"),
        RootBase::Folder(_) if own_root(chroot).is_none() => return later("a `root` other than \"/\""),
        RootBase::Folder(_) => {}
    }
    match package.isolation {
        Isolation::Namespaces => {
            later("`isolation namespaces` (`isolation none` is, for specs that you trust)")
        }
        Isolation::None => None,
    }
}
