//! The package build process, carried out here (rpmbuild(1), "BUILD PROCESS").

mod ahead;
mod assemble;
mod attributes;
mod binary_package;
mod classify;
mod database;
mod debuginfo;
mod digests;
mod external;
mod files;
mod generators;
mod input;
mod order;
mod packages;
mod parts;
mod problem;
mod regular_expression;
mod requirements;
mod scriptlet;
mod scripts;
mod settings;
mod shown;
mod sign;
mod source_package;
mod times;
mod workspace;
mod world;

use std::cell::RefCell;
use std::collections::BTreeSet;

use bstr::BString;

pub use input::{install_source_package, spec_of_archive};
pub use order::{Goal, Order, Step};
pub use problem::BuildProblem;
pub use world::BuildListener;

use crate::engine::Installed;
use crate::files::HostPath;
use crate::macros::{Definition, Expansion, Level, Macros, Origin, Stop};
use crate::package::{Capability, Format, read_headers};
use crate::spec::{ReportListener, SectionKind, Spec};
use binary_package::Assembled;
use debuginfo::DebugPackages;
use packages::Common;
use scriptlet::Script;
use settings::Settings;
use source_package::SourceKind;
use workspace::Workspace;
use world::World;

/// Keeps what is wrong with a root's database.
#[derive(Default)]
struct Complaint(RefCell<Option<String>>);

impl BuildListener for Complaint {
    fn notice(&self, _text: &[u8]) {}
    fn stage(&self, _name: &str) {}
    fn wrote(&self, _path: &HostPath) {}
    fn problem(&self, problem: &BuildProblem) {
        self.0.replace(Some(problem.to_string()));
    }
    fn is_quiet(&self) -> bool {
        true
    }
    fn detail(&self, _text: &[u8]) {}
}

/// The packages of the root that macros see, which provide one of these names or have such a file.
pub(super) fn installed(macros: &Macros, names: &BTreeSet<String>) -> Installed {
    let complaint = Complaint::default();
    let world = World::new(macros, &complaint);
    let found = providers(&world, names);
    found.unwrap_or_else(|Stop| Installed::Unknown(complaint.0.take().unwrap_or_default()))
}

fn providers(world: &World<'_>, names: &BTreeSet<String>) -> Result<Installed, Stop> {
    let database = database::Database::open(world)?;
    if !database.has_packages(world)? {
        return Ok(Installed::NoPackages);
    }
    let wanted = names.iter().map(|name| Capability { name: name.as_str().into(), version: None });
    let wanted: Vec<Capability> = wanted.collect();
    Ok(Installed::Packages(database.providers(world, &wanted.iter().collect::<Vec<_>>())?))
}

/// A build to carry out.
pub struct BuildRequest<'b> {
    /// The macros that the spec was read with.
    pub macros: &'b Macros,
    /// The spec, read for the target.
    pub spec: Spec,
    /// What is asked of the build.
    pub order: &'b Order,
    /// Who hears what it says.
    pub listener: &'b dyn BuildListener,
    /// Who hears what is wrong with parts of the spec that the build writes.
    pub spec_listener: ReportListener,
    /// The folder that this runs in: what is built with `--build-in-place`.
    pub folder: HostPath,
}

/// Why there are no packages. What is wrong has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbuilt {
    /// Something is wrong.
    #[error("the build failed")]
    Failed,
    /// What it needs is not there.
    #[error("what the build needs is missing")]
    MissingBuildRequires,
}

impl From<Stop> for Unbuilt {
    fn from(Stop: Stop) -> Self {
        Self::Failed
    }
}

/// Carries a build out.
///
/// # Errors
/// Why it could not be; the listeners have been told.
pub fn build(request: BuildRequest<'_>) -> Result<(), Unbuilt> {
    let world = World::new(request.macros, request.listener);
    if let Some(problem) = request.order.ruled_out(&request.spec) {
        return Err(world.fail(problem).into());
    }
    make_folders(world)?;
    times::set_epoch(world, &request.spec);
    times::set_build_time(world);
    let order = &in_place(world, request.order);
    let needs_nothing = matches!(order.goal, None | Some(Goal::Source));
    if !order.no_dependencies && !needs_nothing {
        let missing = requirements::missing(&world, &request.spec, &order.staged)?;
        if !missing.is_empty() {
            world.tell(BuildProblem::BuildRequires { missing });
            return Err(Unbuilt::MissingBuildRequires);
        }
    }
    let has_generator = request.spec.script(SectionKind::GenerateBuildRequires).is_some();
    let steps = order.steps(has_generator);
    let mut build = Build {
        world,
        workspace: Workspace::of(&world)?,
        spec: request.spec,
        order,
        spec_listener: request.spec_listener,
        folder: request.folder,
        settings: None,
        binaries: Vec::new(),
        source: None,
        has_both: steps.contains(&Step::Binary) && steps.contains(&Step::Source),
        source_digest: None,
        has_parts: false,
    };
    if order.no_build {
        build.workspace.write_environment(&world)?;
        return Ok(());
    }
    // The source package comes first: others may repeat its digest.
    let mut steps = steps;
    if let Some(at) = steps.iter().position(|step| *step == Step::Source) {
        steps.remove(at);
        let before = steps.iter().position(|step| *step == Step::Binary).unwrap_or(at);
        steps.insert(before, Step::Source);
    }
    steps.into_iter().try_for_each(|step| build.step(step))?;
    build.remove_inputs();
    Ok(())
}

/// The order; where it builds in place, the folder of the sources is called after the package, whatever %setup says.
fn in_place(world: World<'_>, order: &Order) -> Order {
    let in_place = order.in_place || world.is_on("_build_in_place");
    if in_place {
        world.macros.push(Definition {
            name: b"buildsubdir".as_slice().into(),
            options: None,
            body: world.expand("%{NAME}-%{VERSION}").unwrap_or_default().into(),
            expansion: Expansion::Never,
            level: Level::SPEC,
            origin: Origin::named("<spec>"),
        });
    }
    Order { in_place, ..order.clone() }
}

/// Makes the folders that builds work in.
fn make_folders(world: World<'_>) -> Result<(), Stop> {
    for name in ["_topdir", "_sourcedir", "_top_builddir", "_rpmdir", "_srcrpmdir"] {
        if let Some(path) = HostPath::new(world.setting(name))
            && let Err(error) = crate::files::Folder::create_scratch(&path)
        {
            let reason = crate::files::reason(&error);
            return Err(world.fail(BuildProblem::Folder { name, reason }));
        }
    }
    Ok(())
}

/// A build on its way.
struct Build<'b> {
    world: World<'b>,
    workspace: Workspace,
    spec: Spec,
    order: &'b Order,
    spec_listener: ReportListener,
    folder: HostPath,
    settings: Option<Settings>,
    binaries: Vec<Assembled>,
    source: Option<Assembled>,
    /// Whether source and binary packages come of it.
    has_both: bool,
    source_digest: Option<Vec<u8>>,
    /// Whether parts of the spec that the build writes have been read.
    has_parts: bool,
}

impl Build<'_> {
    fn step(&mut self, step: Step) -> Result<(), Unbuilt> {
        match step {
            Step::MakeFolder => self.make_folder()?,
            Step::Prep => self.script(SectionKind::Prep)?,
            Step::BuildRequires => self.generate_requires(false)?,
            Step::DumpBuildRequires => self.generate_requires(true)?,
            Step::Conf => self.script(SectionKind::Conf)?,
            Step::Build => self.script(SectionKind::Build)?,
            Step::Install => self.install()?,
            Step::Check => self.script(SectionKind::Check)?,
            Step::Sources => {
                let source =
                    source_package::assemble(self.world, &self.spec, SourceKind::Whole, &mut self.settings)?;
                self.source = Some(source);
            }
            Step::Files => self.files()?,
            Step::Binary => self.write_binaries()?,
            Step::Source => self.write_source(SourceKind::Whole)?,
            Step::Clean => self.script(SectionKind::Clean)?,
            Step::RemoveFolder => self.workspace.remove(&self.world)?,
        }
        Ok(())
    }

    fn make_folder(&self) -> Result<(), Stop> {
        self.workspace.make(&self.world)?;
        self.workspace.write_environment(&self.world)?;
        if self.order.in_place { self.workspace.link_sources(&self.world, &self.folder) } else { Ok(()) }
    }

    /// Runs a script of the spec, if there is one.
    fn script(&self, kind: SectionKind) -> Result<(), Stop> {
        let Some(script) = self.spec.script(kind) else {
            return Ok(());
        };
        let name = format!("%{}", kind.word());
        self.world.run_script(&Script {
            name: &name,
            template: Some(scriptlet::template(kind)),
            body: &script.body,
            in_sources: kind != SectionKind::Prep,
        })
    }

    fn install(&mut self) -> Result<(), Stop> {
        self.script(SectionKind::Install)?;
        self.read_parts()
    }

    /// Reads the parts of the spec that the build has written, once.
    fn read_parts(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.has_parts, true) {
            return Ok(());
        }
        let empty = empty(&self.spec);
        let spec = std::mem::replace(&mut self.spec, empty);
        self.spec = parts::read(&self.world, &self.workspace, spec, &self.spec_listener)?;
        Ok(())
    }

    /// Works out what the build needs, and whether it is there.
    fn generate_requires(&mut self, dumps: bool) -> Result<(), Unbuilt> {
        let Some(script) = self.spec.script(SectionKind::GenerateBuildRequires) else {
            return Ok(());
        };
        let output = self.world.script_output(&Script {
            name: "%generate_buildrequires",
            template: Some("buildrequires"),
            body: &script.body.clone(),
            in_sources: true,
        })?;
        requirements::generated(&self.world, &output, &mut self.spec);
        let is_checked = !self.order.no_dependencies;
        let missing = if is_checked {
            requirements::missing(&self.world, &self.spec, &self.order.staged)?
        } else {
            Vec::new()
        };
        let is_missing = !missing.is_empty();
        if is_missing {
            self.world.tell(BuildProblem::BuildRequires { missing });
        }
        if is_missing || dumps && !is_checked {
            let package = source_package::assemble(
                self.world,
                &self.spec,
                SourceKind::BuildRequires,
                &mut self.settings,
            )?;
            self.source = Some(package);
            self.has_both = true;
            self.write_source(SourceKind::BuildRequires)?;
            return Err(Unbuilt::MissingBuildRequires);
        }
        Ok(())
    }

    /// Works out all packages, and looks for files that none of them has.
    fn files(&mut self) -> Result<(), Stop> {
        self.read_parts()?;
        let mut handled: Vec<BString> = Vec::new();
        let mut room = digests::MOST_KEPT;
        let mut debug = DebugPackages::begin(self.world, &self.workspace, &mut self.spec)?;
        // Packages of debug information are added on the way.
        let mut index = 0;
        while index < self.spec.packages.len() {
            debug.before(&mut self.spec, index)?;
            let package = self.spec.packages.get(index).filter(|package| package.is_built());
            if let Some(package) = package {
                let mut assembled = binary_package::assemble(
                    self.world,
                    &self.workspace,
                    &self.spec,
                    package,
                    &mut self.settings,
                    self.order.shows_classes,
                    &mut room,
                )?;
                if self.order.short_circuit {
                    let row = assemble::rpmlib("ShortCircuited", "4.9.0-1");
                    let kind = crate::spec::DependencyKind::Requires;
                    crate::spec::add_dependencies(&mut assembled.header, kind, [row]);
                }
                debug.after(&mut self.spec, index, &assembled)?;
                handled.append(&mut assembled.handled);
                self.binaries.push(assembled);
            }
            index += 1;
        }
        if self.spec.packages.iter().any(crate::spec::Package::is_built) {
            files::unpackaged::check(self.world, &self.workspace, &handled)?;
        }
        Ok(())
    }

    fn settings(&mut self) -> Result<&Settings, Stop> {
        if self.settings.is_none() {
            self.settings = Some(Settings::of(self.world)?);
        }
        self.settings.as_ref().ok_or(Stop)
    }

    fn common(&mut self) -> Result<Common, Stop> {
        let (has_both, source_digest) = (self.has_both, self.source_digest.clone());
        let settings = self.settings()?;
        let cookie = Some(format!("{} {}", settings.host, settings.times.build));
        Ok(Common { cookie, is_of_both: has_both, source_digest })
    }

    fn write_binaries(&mut self) -> Result<(), Stop> {
        let common = self.common()?;
        let packages = std::mem::take(&mut self.binaries);
        let settings = self.settings.as_ref().ok_or(Stop)?;
        packages::write_binaries(self.world, &self.workspace, packages, settings, &common)
    }

    fn write_source(&mut self, kind: SourceKind) -> Result<(), Stop> {
        let common = self.common()?;
        let source = self.source.take().ok_or(Stop)?;
        let settings = self.settings.as_ref().ok_or(Stop)?;
        let path = packages::write_source(self.world, source, kind, settings, &common)?;
        if settings.format == Format::V4 && self.has_both {
            self.source_digest = signature_digest(&path);
        }
        Ok(())
    }

    /// `--rmsource` and `--rmspec`.
    fn remove_inputs(&self) {
        let mut paths = Vec::new();
        if self.order.remove_sources {
            let folder = self.world.setting("_sourcedir");
            let sources = self.spec.sources.iter().filter(|source| !source.is_left_out);
            paths.extend(sources.map(|source| format!("{folder}/{}", source.file_name)));
        }
        if self.order.remove_spec {
            paths.push(self.spec.file.to_string());
        }
        for path in paths {
            let path = HostPath::new(&path).unwrap_or_else(|| self.folder.join(&path));
            scriptlet::remove(&path);
        }
    }
}

/// The MD5 of a package of format 4, as its signature header says it.
fn signature_digest(path: &HostPath) -> Option<Vec<u8>> {
    let parent = HostPath::new(path.as_path().parent()?)?;
    let folder = crate::files::Folder::open_ambient(&parent).ok()?;
    let mut file = folder.open(path.as_path().file_name()?).ok()?;
    let headers = read_headers(&mut file).ok()?;
    headers.signatures.into_iter().find_map(|(tag, value)| match value {
        crate::package::Value::Bytes(bytes) if tag == 1004 => Some(bytes),
        _ => None,
    })
}

/// Something to stand for a spec while it is worked on.
fn empty(spec: &Spec) -> Spec {
    Spec { packages: Vec::new(), text: Vec::new(), ..spec.clone() }
}
