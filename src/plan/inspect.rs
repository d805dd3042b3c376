//! What the manifest's packages are: specs located, read by the engine, their sources digested.
//!
//! What an engine has said of a spec is remembered by everything that its answer depends on, and asked again only where that
//! has changed: files are looked at here, commands are run again by the worker that reads specs, if there are any.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use super::observed::{beside_sources, by_name};
use super::questions::{Questions, ReadSpec, Unread};
use super::requirements::names_asked;
use super::spec_texts::SpecTexts;
use super::{Build, Fate, Ingredients, Inputs, Observed, PlanError};
use crate::chroot::{RootIdentity, RootRequest};
use crate::digest::{Digest, Encoder};
use crate::engine::{
    EngineIdentity, EngineInRoot, Facts, FactsRequest, Installed, MacroSetting, Read, Reading, Settings,
    SpecOrder, Validity,
};
use crate::event::{BuildName, Timestamp};
use crate::files::{Folder, HostPath, RootPath, reason};
use crate::macros::Observation;
use crate::manifest::declaration::{EngineChoice, Isolation};
use crate::manifest::{Chroot, ChrootId, Manifest, ManifestPath, Package, PackageId, RootBase};
use crate::package::Dependency;
use crate::process::Cancel;
use crate::source::{InputFile, Neighbours, Origin, SourceError, Unpacked, inputs, locate};
use crate::spec::{Finding, Weight};
use crate::store::{RecordKind, Store};
use crate::text::Located;
use rayon::prelude::*;

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
    pub rpmbuild: Arc<dyn EngineInRoot>,
    /// Who reads the specs of `engine native`.
    pub native: Arc<dyn EngineInRoot>,
    /// Macros of the command line.
    pub over: &'a [MacroSetting],
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
    Read(Box<FactsRequest>, Read),
    /// The engine has to be asked.
    Unread(Box<Unread>),
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
    for engine in [EngineChoice::Native, EngineChoice::Rpmbuild] {
        inspector.read_specs(engine, &mut drafts, cancel).await?;
    }
    let groups = grouped(drafts);
    let packages: Vec<Vec<Build>> = groups
        .into_par_iter()
        .map(|(package, drafts)| inspector.builds(package, drafts, &origins[package.0], &roots))
        .collect();
    let builds: Vec<Build> = packages.into_iter().flatten().collect();
    let installed = inspector.installed(&builds, cancel).await?;
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
    async fn installed(
        &self,
        builds: &[Build],
        cancel: &Cancel,
    ) -> Result<HashMap<ChrootId, Installed>, PlanError> {
        let mut by_chroot: HashMap<ChrootId, Vec<(&Settings, &Inputs)>> = HashMap::new();
        for build in builds {
            if let Fate::Buildable(inputs) = &build.fate {
                by_chroot.entry(build.chroot).or_default().push((&build.settings, inputs));
            }
        }
        let mut installed = HashMap::new();
        for (chroot, builds) in by_chroot {
            let names = names_asked(builds.iter().map(|(_, inputs)| *inputs));
            if let Some((settings, _)) = builds.first().filter(|_| !names.is_empty()) {
                installed.insert(chroot, self.native.installed(settings, &names, cancel).await?);
            }
        }
        Ok(installed)
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
        let request = match request(package, origin, settings, self.repository) {
            Ok(request) => request,
            Err(error) => {
                let error = PlanError::Source(SourceError::Io(error));
                let error = Located::new(error, "this source", package.source.place.clone());
                return DraftState::Settled(Fate::Impossible(vec![Arc::new(error)]));
            }
        };
        let engine = self.engine(package.engine);
        let mut encoder = Encoder::new("rpmforge facts v5");
        let EngineIdentity { name, sources } = engine.identity();
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
        encoder.text("programs", if request.may_run { "run" } else { "withheld" });
        let key = encoder.key();
        let known = self.store.record::<Read>(RecordKind::Facts, &key);
        let validity = known.as_ref().map(|known| engine.check_validity(&request, &known.observations));
        let unread = |request: FactsRequest, commands: Option<Vec<Observation>>, earlier: Option<Read>| {
            let order = SpecOrder { request, earlier: commands };
            DraftState::Unread(Box::new(Unread { key, order, earlier }))
        };
        match (known, validity) {
            (Some(known), Some(Validity::Valid)) => DraftState::Read(Box::new(request), known),
            (Some(known), Some(Validity::DependsOn(commands))) => {
                unread(request, Some(commands), Some(known))
            }
            (_, Some(Validity::Changed) | None) | (None, Some(_)) => unread(request, None, None),
        }
    }

    fn engine(&self, engine: EngineChoice) -> &Arc<dyn EngineInRoot> {
        match engine {
            EngineChoice::Native => &self.native,
            EngineChoice::Rpmbuild => &self.rpmbuild,
        }
    }

    /// Asks an engine about every spec of its packages that has to be read.
    async fn read_specs(
        &self,
        engine: EngineChoice,
        drafts: &mut [Draft],
        cancel: &Cancel,
    ) -> Result<(), PlanError> {
        let mut questions = Questions::default();
        let is_of_engine = |draft: &Draft| self.manifest.package(draft.package).engine == engine;
        for (number, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| is_of_engine(draft)) {
            let unread = DraftState::Settled(Fate::Impossible(Vec::new()));
            match std::mem::replace(&mut draft.state, unread) {
                DraftState::Unread(unread) => questions.add(number, *unread),
                known @ (DraftState::Settled(_) | DraftState::Read(..)) => draft.state = known,
            }
        }
        for ReadSpec { draft, request, read } in
            questions.ask(self.engine(engine).as_ref(), self.store, cancel).await?
        {
            drafts[draft].state = DraftState::Read(Box::new(request), read);
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
                (DraftState::Read(_, Read { reading: Reading::Facts(facts), .. }), Ok(origin)) => {
                    facts.warnings.iter().map(|warning| texts.located(warning, origin)).collect()
                }
                (DraftState::Read(_, Read { reading: Reading::Withheld(refused), .. }), Ok(origin)) => {
                    refused.iter().map(|refusal| texts.located(refusal, origin)).collect()
                }
                _ => Vec::new(),
            };
            let warnings = warnings.into_iter().chain(origin.iter().filter_map(|origin| {
                carriage_returns(origin).map(|warning| texts.located(&warning, origin))
            }));
            let warnings = warnings.collect();
            let spec_name = match &draft.state {
                DraftState::Read(_, Read { reading: Reading::Facts(facts), .. }) => Some(facts.name.clone()),
                DraftState::Read(..) | DraftState::Settled(_) | DraftState::Unread(_) => None,
            };
            let fate = match (draft.state, origin) {
                (DraftState::Settled(Fate::NotYet(what)), _) => Fate::NotYet(what),
                (_, Err(error)) => no_origin(error),
                (DraftState::Settled(fate), Ok(_)) => fate,
                (DraftState::Unread(_), Ok(_)) => Fate::Impossible(Vec::new()),
                (DraftState::Read(request, read), Ok(origin)) => match (read.reading, draft.not_yet) {
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
                            request: *request,
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
                let engine = self.engine(package.engine).identity().clone();
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

/// What an engine is asked of a spec.
fn request(
    package: &Package,
    origin: &Origin,
    settings: &Settings,
    repository: &Folder,
) -> io::Result<FactsRequest> {
    let in_root = |path: &HostPath| {
        let path = path.without_climbing()?;
        RootPath::in_own_root(&path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))
    };
    Ok(FactsRequest {
        spec: in_root(&origin.spec_path())?,
        sources: in_root(&origin.folder_path())?,
        settings: settings.clone(),
        may_run: package.isolation == Isolation::None,
        readable: vec![in_root(repository.path())?],
    })
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
