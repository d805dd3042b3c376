//! An earlier build with all that it was made of, for who makes it again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::fs::{Permissions, PermissionsExt};

use super::context::{CliError, Context, Failure};
use super::past_builds::build_by_number;
use super::planning::Planned;
use super::project::{Project, store};
use super::rebuild_error::RebuildError;
use super::rebuild_order::RebuildOrder;
use super::result_record::read_record;
use crate::chroot::making::GivenRoot;
use crate::engine::{Settings, Value, Variations};
use crate::execute::{InputsRecord, KeptPackage, ResultRecord, read_root_record};
use crate::files::{Folder, HostPath, Sharing};
use crate::manifest::declaration::{EngineChoice, Isolation, Network};
use crate::manifest::{Chroot, ChrootId, Manifest, PackageId, RootBase, load_text};
use crate::package::{PackageRecord, content_digest};
use crate::plan::{Fate, Reason, Rebuild};
use crate::store::{BuildRow, History, LastBuild, PackageSummary, RecordKind, ResultFile, Store};
use crate::text::quote_kdl;

/// Where its sources are laid out, below the project's state.
const SOURCES: &str = "rebuild";

/// What messages call the manifest of it alone.
const MADE_UP: &str = "(what is built again)";

/// How an earlier build is made again.
#[derive(Clone, Debug, Default)]
pub struct RebuildWays {
    /// In the root that an apply would use now.
    pub with_current_root: bool,
    /// Profiles of the manifest, as far as they say something of the root.
    pub profile: Vec<String>,
    /// What about it is another than it was then.
    pub variations: Variations,
    /// The folder that it works in, where that is not the usual one.
    pub work: Option<HostPath>,
}

/// An earlier build with all that it was made of.
pub struct EarlierBuild<'a> {
    project: &'a Project,
    ways: &'a RebuildWays,
    context: &'a Context,
    /// The store.
    pub store: Arc<Store>,
    state: Folder,
    row: BuildRow,
    result: ResultRecord,
    inputs: InputsRecord,
    /// The packages of its root, where that was made of packages.
    root: Option<GivenRoot>,
}

/// What is written down of a build that was made.
pub struct RecordedBuild {
    row: BuildRow,
    /// Its result folder.
    pub folder: Folder,
    /// How it ended.
    pub record: ResultRecord,
    /// What it was made of.
    pub inputs: InputsRecord,
    /// The packages of its root, where that was made of packages.
    pub root: Option<GivenRoot>,
}

impl RecordedBuild {
    /// Finds a build; says why it is not known what it was made of, where that is so.
    ///
    /// # Errors
    /// There was no such build.
    pub fn find(project: &Project, number: u64) -> Result<Result<Self, &'static str>, Failure> {
        let (history, state) = (project.history()?, project.state()?);
        let row = build_by_number(&history, number)?;
        let Some((record, folder)) = read_record(&state, &row).zip(results_of(&state, &row)) else {
            return Ok(Err("its result folder is gone"));
        };
        let Some(inputs) = InputsRecord::read(&folder) else {
            return Ok(Err("its result folder does not say it"));
        };
        let root = read_root_record(&folder).or_else(|| root_of_maker(&history, &state, &record));
        Ok(Ok(Self { row, folder, record, inputs, root }))
    }
}

impl<'a> EarlierBuild<'a> {
    /// Finds a build with what is written down of it.
    ///
    /// # Errors
    /// There was no such build, or it is not known any more what it was made of.
    pub fn find(
        project: &'a Project,
        number: u64,
        ways: &'a RebuildWays,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        let found = RecordedBuild::find(project, number)?;
        let unknown = |reason: &str| RebuildError::Unknown { number, reason: reason.to_owned() };
        let RecordedBuild { row, record: result, inputs, root, .. } = found.map_err(unknown)?;
        let state = project.state()?;
        let store = Arc::new(store(context)?);
        Ok(Self { project, ways, context, store, state, row, result, inputs, root })
    }

    /// What is to be planned. `run` tells what this makes from what others make.
    ///
    /// # Errors
    /// Something that it was made of is gone.
    pub fn order(&self, run: &str) -> Result<RebuildOrder, Failure> {
        let number = self.row.number;
        let declared = self.declared_manifest()?;
        let settings = self.settings(declared.as_ref())?;
        let dependencies: Result<Vec<ResultFile>, Failure> =
            self.inputs.dependencies.iter().map(|package| self.dependency(package)).collect();
        let packages =
            self.result.packages.iter().map(|package| (package.file.clone(), package.sha256.clone()));
        let rebuild = Rebuild {
            number,
            run: run.to_owned(),
            settings,
            limits: self.inputs.limits,
            dependencies: dependencies?,
            packages: packages.collect(),
            variations: self.ways.variations.clone(),
            work: self.ways.work.clone(),
        };
        let manifest = self.made_up_manifest(declared)?;
        Ok(RebuildOrder {
            manifest: Arc::new(manifest),
            rebuild: Arc::new(rebuild),
            root: self.given_root().cloned(),
            reason: self.reason(),
        })
    }

    /// Why it is made.
    fn reason(&self) -> Reason {
        let build = self.row.number;
        let RebuildWays { with_current_root, variations, .. } = self.ways;
        match variations.is_empty() {
            true => Reason::Rebuild { build, with_current_root: *with_current_root },
            false => Reason::Verification { build, varied: variations.clone() },
        }
    }

    /// Sees to it that what was planned is what was built then; gives what differs, in sentences, where it may.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self, planned: &Planned) -> Result<Vec<String>, Failure> {
        let number = self.row.number;
        let before = &self.inputs.ingredients;
        let mut notes = Vec::new();
        for id in planned.plan.ids() {
            let build = planned.plan.build(id);
            let Fate::Buildable(inputs) = &build.fate else { continue };
            let rebuilt = inputs.rebuild.iter().flat_map(|rebuild| &rebuild.dependencies);
            let contents = rebuilt.map(|file| (file.package.nevra.clone(), file.package.content));
            let now = planned.plan.ingredients_with(id, inputs, contents.collect());
            let names: BTreeSet<&String> = before.sources.keys().chain(now.sources.keys()).collect();
            let is_other = |name: &&&String| before.sources.get(**name) != now.sources.get(**name);
            let other = names.iter().find(is_other).map(|name| (*name).clone());
            let other = other.or_else(|| (before.spec != now.spec).then(|| now.spec_name.clone()));
            if let Some(file) = other {
                return Err(RebuildError::Source { number, file }.into());
            }
            let last = LastBuild {
                key: before.key(),
                ingredients: serde_json::to_string(before).unwrap_or_default(),
                duration: Duration::ZERO,
                results: None,
            };
            let reasons = planned.plan.reasons_to_build(&self.store, Some(&last), &now);
            let is_same_engine = before.engine == now.engine;
            let (changed, noted): (Vec<Reason>, Vec<Reason>) = reasons
                .into_iter()
                .filter(|reason| !self.is_expected(reason))
                .partition(|reason| self.is_of_root(reason, is_same_engine));
            if !changed.is_empty() {
                let changes = changed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let chroot = self.row.build.chroot.clone();
                return Err(RebuildError::RootChanged { number, chroot, changes }.into());
            }
            notes.extend(noted.iter().map(|reason| format!("not as for build #{number}: {reason}")));
        }
        Ok(notes)
    }

    /// Whether a difference says nothing: the key is another one by itself, and a root that is given is identified anew.
    fn is_expected(&self, reason: &Reason) -> bool {
        matches!(reason, Reason::OtherForge | Reason::ResultGone)
            || matches!(reason, Reason::Root { .. }) && self.given_root().is_some()
    }

    /// Whether a difference means that the root is not what it was.
    fn is_of_root(&self, reason: &Reason, is_same_engine: bool) -> bool {
        // Another forge may look at other things.
        let is_of_reading = matches!(reason, Reason::Observed { .. } | Reason::Facts) && is_same_engine;
        (is_of_reading || matches!(reason, Reason::Root { .. })) && !self.ways.with_current_root
    }

    /// The packages of its root, where it is made again of them.
    fn given_root(&self) -> Option<&GivenRoot> {
        self.root.as_ref().filter(|_| !self.ways.with_current_root)
    }

    /// The manifest as it is now, which may have forgotten the package. Of a root of packages all else is written down.
    fn declared_manifest(&self) -> Result<Option<Manifest>, Failure> {
        match self.project.manifest(&self.ways.profile, self.context) {
            Ok(manifest) => Ok(Arc::into_inner(manifest)),
            Err(_) if self.given_root().is_some() => {
                self.context
                    .tell("note: the manifest can't be read: the repositories of the root are not known\n");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What it was built with. Secrets are taken from the manifest as it is now, where they are the same.
    fn settings(&self, declared: Option<&Manifest>) -> Result<Settings, Failure> {
        let mut settings = self.inputs.ingredients.settings.clone();
        let now = declared.and_then(|manifest| self.settings_now(manifest)).unwrap_or_default();
        let gone = |of: String| RebuildError::Secret { number: self.row.number, of };
        for setting in &mut settings.macros {
            let Some(body @ Value::Digested(_)) = &mut setting.body else { continue };
            let known = now.macros.iter().filter(|known| known.name == setting.name);
            let known = known.filter_map(|known| known.body.as_ref()).find(|known| *known == body);
            *body = known.cloned().ok_or_else(|| gone(format!("the macro `{}`", setting.name)))?;
        }
        for (name, value) in &mut settings.environment {
            let Value::Digested(_) = value else { continue };
            let known = now.environment.get(name).filter(|known| *known == value);
            *value = known.cloned().ok_or_else(|| gone(format!("the environment variable `{name}`")))?;
        }
        Ok(settings)
    }

    /// What the package is built with now.
    fn settings_now(&self, manifest: &Manifest) -> Option<Settings> {
        let build = &self.row.build;
        let package = manifest.packages.iter().position(|package| package.name.value == build.package)?;
        let chroot = manifest.chroots.iter().position(|chroot| chroot.name.value == build.chroot)?;
        Some(manifest.settings(PackageId(package), ChrootId(chroot), &[]))
    }

    /// A package of the manifest that was in its root.
    fn dependency(&self, package: &KeptPackage) -> Result<ResultFile, Failure> {
        let KeptPackage { file, nevra, blob, sha256 } = package;
        let gone = || RebuildError::Gone { number: self.row.number, file: file.clone() };
        if !self.store.has_sound(blob) {
            return Err(gone().into());
        }
        let headers = self.store.package_headers(nevra, blob).map_err(|_| gone())?;
        let record = PackageRecord::read(file, &headers)?;
        self.store.remember(RecordKind::Package, &blob.record_key(), &record)?;
        let package = PackageSummary::new(&record, content_digest(&headers));
        Ok(ResultFile { name: file.clone(), blob: *blob, sha256: sha256.clone(), package })
    }

    /// A manifest of this build alone.
    fn made_up_manifest(&self, declared: Option<Manifest>) -> Result<Manifest, Failure> {
        let build = &self.row.build;
        let source = self.lay_out_sources()?;
        let [package, chroot, source] = [&build.package, &build.chroot, &source].map(|text| quote_kdl(text));
        let text = format!(
            "rpmforge version=1\nchroot {chroot} {{ root \"/\" }}\npackage {package} {{ source path {source} }}\n"
        );
        let made_up = load_text(&self.project.repository, (MADE_UP, &text), self.context);
        let mut manifest = made_up.map_err(Failure::Manifest)?;
        let settings = &self.inputs.ingredients.settings;
        let engine = &self.inputs.ingredients.engine.name;
        for package in &mut manifest.packages {
            package.engine =
                if engine.starts_with("rpmbuild") { EngineChoice::Rpmbuild } else { EngineChoice::Native };
            (package.isolation, package.network) = match settings.isolation {
                crate::engine::Isolation::None => (Isolation::None, Network::Denied),
                crate::engine::Isolation::Sandbox => (Isolation::Namespaces, Network::Denied),
                crate::engine::Isolation::SandboxWithNetwork => (Isolation::Namespaces, Network::Allowed),
            };
            package.timeout = self.inputs.timeout();
        }
        let mut chroots = declared.into_iter().flat_map(|manifest| manifest.chroots);
        let declared = chroots.find(|declared| declared.name.value == build.chroot);
        for chroot in &mut manifest.chroots {
            self.take_root(chroot)?;
        }
        match declared {
            Some(declared) if self.is_as_declared(&declared) => manifest.chroots = vec![declared],
            Some(_) => {}
            None if self.given_root().is_some() => {}
            None => {
                let (number, chroot) = (self.row.number, build.chroot.clone());
                return Err(RebuildError::NoChroot { number, chroot }.into());
            }
        }
        Ok(manifest)
    }

    /// Whether its root is made as the manifest says it now.
    fn is_as_declared(&self, declared: &Chroot) -> bool {
        self.given_root().is_none() || matches!(declared.base, RootBase::Repositories(_))
    }

    /// A chroot of which nothing but the packages is known.
    fn take_root(&self, chroot: &mut Chroot) -> Result<(), Failure> {
        let ingredients = &self.inputs.ingredients;
        if self.given_root().is_some() {
            chroot.base = RootBase::Repositories(Vec::new());
            chroot.arch.clone_from(&ingredients.settings.target);
        } else if ingredients.extends_minimal_root && !self.ways.with_current_root {
            let reason = "it ended before its root was made, or another project has made what it found";
            return Err(
                RebuildError::RootUnknown { number: self.row.number, reason: reason.to_owned() }.into()
            );
        }
        Ok(())
    }

    /// Lays out its source package or, where that was not made, its spec and sources; gives the path.
    fn lay_out_sources(&self) -> Result<String, Failure> {
        let folder = self.state.create(SOURCES).map_err(CliError::Io)?;
        folder.clear().map_err(CliError::Io)?;
        let keys = [self.inputs.ingredients.source_key(), self.result.key];
        let mut results = keys.iter().filter_map(|key| self.store.result(key));
        let source =
            results.find_map(|result| result.files.into_iter().find(|file| file.package.is_source()));
        if let Some(file) = source.filter(|file| self.store.has_sound(&file.blob)) {
            self.store.place(&file.blob, &folder, Path::new(&file.name), Sharing::Nothing)?;
            return Ok(folder.path().join(&file.name).to_string());
        }
        for file in std::iter::once(&self.inputs.spec).chain(&self.inputs.sources) {
            let gone = || RebuildError::Gone { number: self.row.number, file: file.name.clone() };
            let placed = self.store.place(&file.blob, &folder, Path::new(&file.name), Sharing::Nothing);
            placed.map_err(|_| gone())?;
            let mode = Permissions::from_mode(if file.is_executable { 0o755 } else { 0o644 });
            folder.dir().set_permissions(&file.name, mode).map_err(CliError::Io)?;
        }
        Ok(folder.path().join(&self.inputs.spec.name).to_string())
    }
}

/// The result folder of a build.
fn results_of(state: &Folder, row: &BuildRow) -> Option<Folder> {
    state.folder(row.results.as_deref()?).ok()
}

/// The root of the build that has made what this one found.
fn root_of_maker(history: &History, state: &Folder, found: &ResultRecord) -> Option<GivenRoot> {
    let rows = history.builds(Some(&found.build.package), usize::MAX).ok()?;
    let of_same_chroot = rows.iter().filter(|row| row.build.chroot == found.build.chroot);
    let records = of_same_chroot.filter_map(|row| Some((row, read_record(state, row)?)));
    let mut makers = records.filter(|(_, record)| record.key == found.key);
    makers.find_map(|(row, _)| read_root_record(&results_of(state, row)?))
}
