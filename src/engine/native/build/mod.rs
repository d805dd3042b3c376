//! The package build process, carried out here (rpmbuild(1), "BUILD PROCESS").
//!
//! [`build`] goes through the [`Step`]s of an order. Around the scripts of the spec a package goes this way, each station a
//! folder of this module:
//!
//! | station | what it does |
//! | --- | --- |
//! | `read` | reads the input, what the root has, and the parts of the spec that the build writes |
//! | `files` | finds the files of each package in the buildroot, and reads them |
//! | `classify` | finds out what each file is |
//! | `depend` | finds out what packages provide and require because of their files |
//! | `write` | writes headers, payloads and signatures |
//!
//! `binary_package.rs` and `source_package.rs` send packages along it; a [`PackageDraft`] is one that is not written yet.

mod autosign_problem;
mod binary_package;
mod build_root;
mod classify;
mod command_line;
mod depend;
mod files;
mod generator_problem;
mod order;
mod package_draft;
mod problem;
mod read;
mod root_files;
mod script;
mod settings;
mod source_package;
mod temporary_file;
mod times;
mod workspace;
mod world;
mod write;

use bstr::BString;

pub use autosign_problem::AutosignProblem;
pub use generator_problem::GeneratorProblem;
pub use order::{Goal, Order, Step};
pub use problem::BuildProblem;
pub use read::{extract_spec, install_source_package};
pub use root_files::RootFiles;
pub use script::SHELL_BEGINNING;
pub use world::BuildListener;

pub(super) use read::find_installed;

use crate::files::{HostPath, reason};
use crate::macros::{Definition, Macros, RpmVersion, Stop};
use crate::package::{Format, Tag};
use crate::spec::{DependencyKind, ReportListener, SectionKind, Spec, add_dependencies};
use binary_package::Packager;
use depend::require_feature;
use files::{DebugPackages, check_unpackaged};
use package_draft::PackageDraft;
use read::{add_generated, find_missing, read_parts};
use script::{Script, template_name};
use settings::Settings;
use source_package::{SourceKind, draft_source_package};
use workspace::Workspace;
use world::World;
use write::{BuildMarks, read_signature_digest, write_binaries, write_source};

/// A build that is asked for.
pub struct BuildRequest<'b> {
    /// The macros that the spec was read with.
    pub macros: &'b Macros,
    /// The files of the root that it works in.
    pub files: &'b RootFiles,
    /// The spec, read for the target.
    pub spec: Spec,
    /// What is asked of the build.
    pub order: &'b Order,
    /// Receives the build's messages.
    pub listener: &'b dyn BuildListener,
    /// Receives what is wrong with parts of the spec that the build writes.
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

/// Builds what is asked for.
///
/// # Errors
/// Why it could not be; the listeners have been told.
pub fn build(request: BuildRequest<'_>) -> Result<(), Unbuilt> {
    let world = World::new(request.macros, request.files, request.listener);
    if let Some(problem) = request.order.ruled_out(&request.spec) {
        return Err(world.fail(problem).into());
    }
    make_folders(world)?;
    times::set_epoch(world, &request.spec);
    times::set_build_time(world);
    rule_out_debug_packages(world, &request.spec);
    let order = &settle_place(world, request.order);
    let needs_nothing = matches!(order.goal, None | Some(Goal::Source));
    if !order.no_dependencies && !needs_nothing {
        let missing = find_missing(&world, &request.spec, &order.staged)?;
        if !missing.is_empty() {
            world.tell(BuildProblem::BuildRequires { missing });
            return Err(Unbuilt::MissingBuildRequires);
        }
    }
    let has_generator = request.spec.script(SectionKind::GenerateBuildRequires).is_some();
    let steps = order.steps(has_generator);
    let mut build = Build {
        world,
        workspace: Workspace::expand(&world)?,
        spec: request.spec,
        order,
        spec_listener: request.spec_listener,
        folder: request.folder,
        settings: None,
        binaries: Vec::new(),
        source: None,
        has_source_and_binaries: steps.contains(&Step::Binary) && steps.contains(&Step::Source),
        source_digest: None,
        has_read_parts: false,
    };
    if let Some(kind) = order.only_beginning_of {
        return Ok(world.write_beginning(kind)?);
    }
    if order.no_build {
        build.workspace.write_environment(&world)?;
        return Ok(());
    }
    write_source_first(steps).into_iter().try_for_each(|step| build.run_step(step))?;
    build.remove_inputs();
    Ok(())
}

/// Puts the source package before the binary ones: they may repeat its digest.
fn write_source_first(mut steps: Vec<Step>) -> Vec<Step> {
    if let Some(at) = steps.iter().position(|step| *step == Step::Source) {
        steps.remove(at);
        let before = steps.iter().position(|step| *step == Step::Binary).unwrap_or(at);
        steps.insert(before, Step::Source);
    }
    steps
}

/// Settles whether the order builds in place; where it does, the folder of the sources is called after the package, whatever %setup says.
fn settle_place(world: World<'_>, order: &Order) -> Order {
    let in_place = order.in_place || world.is_on("_build_in_place");
    if in_place {
        let folder = world.expand("%{NAME}-%{VERSION}").unwrap_or_default();
        world.macros.push(Definition::literal_of_spec(b"buildsubdir", &folder));
    }
    Order { in_place, ..order.clone() }
}

/// A spec without an architecture has no debug information, from rpm 4.20 on: its `%install` writes no part about it either.
fn rule_out_debug_packages(world: World<'_>, spec: &Spec) {
    let said = spec.main().and_then(|main| main.header.text(Tag::ARCH));
    let is_noarch = said.unwrap_or(spec.target.arch.as_ref()) == "noarch";
    let version = world.macros.spoken_version().unwrap_or(RpmVersion::NEWEST);
    if is_noarch && version.branch() >= (4, 20) {
        world.macros.push(Definition::literal_of_spec(b"_enable_debug_packages", b"0"));
    }
}

/// Makes the folders that builds work in.
fn make_folders(world: World<'_>) -> Result<(), Stop> {
    for name in ["_topdir", "_sourcedir", "_top_builddir", "_rpmdir", "_srcrpmdir"] {
        if let Some(path) = HostPath::new(world.setting(name))
            && let Err(error) = world.files.create_folder(&path)
        {
            let reason = reason(&error);
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
    binaries: Vec<PackageDraft>,
    source: Option<PackageDraft>,
    /// Whether source and binary packages come of it.
    has_source_and_binaries: bool,
    source_digest: Option<Vec<u8>>,
    /// Whether parts of the spec that the build writes have been read.
    has_read_parts: bool,
}

impl Build<'_> {
    fn run_step(&mut self, step: Step) -> Result<(), Unbuilt> {
        match step {
            Step::MakeFolder => self.make_folder()?,
            Step::Prep => self.run_section(SectionKind::Prep)?,
            Step::BuildRequires => self.generate_requires(false)?,
            Step::DumpBuildRequires => self.generate_requires(true)?,
            Step::Conf => self.run_section(SectionKind::Conf)?,
            Step::Build => self.run_section(SectionKind::Build)?,
            Step::Install => self.install()?,
            Step::Check => self.run_section(SectionKind::Check)?,
            Step::Sources => self.draft_source(SourceKind::Whole)?,
            Step::Files => self.draft_binaries()?,
            Step::Binary => self.write_binaries()?,
            Step::Source => self.write_source(SourceKind::Whole)?,
            Step::Clean => self.run_section(SectionKind::Clean)?,
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
    fn run_section(&self, kind: SectionKind) -> Result<(), Stop> {
        let Some(script) = self.spec.script(kind) else {
            return Ok(());
        };
        let name = format!("%{}", kind.word());
        self.world.run_script(&Script {
            name: &name,
            template: Some(template_name(kind)),
            body: &script.body,
            in_sources: kind != SectionKind::Prep,
        })
    }

    fn install(&mut self) -> Result<(), Stop> {
        self.run_section(SectionKind::Install)?;
        self.read_parts()
    }

    /// Reads the parts of the spec that the build has written, once.
    fn read_parts(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.has_read_parts, true) {
            return Ok(());
        }
        let placeholder = Spec { packages: Vec::new(), text: Vec::new(), ..self.spec.clone() };
        let spec = std::mem::replace(&mut self.spec, placeholder);
        self.spec = read_parts(&self.world, &self.workspace, spec, &self.spec_listener)?;
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
        add_generated(&self.world, &output, &mut self.spec);
        let is_checked = !self.order.no_dependencies;
        let missing =
            if is_checked { find_missing(&self.world, &self.spec, &self.order.staged)? } else { Vec::new() };
        let is_missing = !missing.is_empty();
        if is_missing {
            self.world.tell(BuildProblem::BuildRequires { missing });
        }
        if is_missing || dumps && !is_checked {
            self.draft_source(SourceKind::BuildRequires)?;
            self.has_source_and_binaries = true;
            self.write_source(SourceKind::BuildRequires)?;
            return Err(Unbuilt::MissingBuildRequires);
        }
        Ok(())
    }

    /// Works the source package out.
    fn draft_source(&mut self, kind: SourceKind) -> Result<(), Stop> {
        self.source =
            Some(draft_source_package(self.world, &self.folder, &self.spec, kind, &mut self.settings)?);
        Ok(())
    }

    /// Works all binary packages out, and looks for files that none of them has.
    fn draft_binaries(&mut self) -> Result<(), Stop> {
        self.read_parts()?;
        let mut handled: Vec<BString> = Vec::new();
        let mut packager = Packager::new(self.world, &self.workspace, self.order.shows_classes);
        let mut debug = DebugPackages::begin(self.world, &self.workspace, &mut self.spec)?;
        // Packages of debug information are added on the way.
        let mut index = 0;
        while index < self.spec.packages.len() {
            debug.prepare_package(&mut self.spec, index)?;
            let package = self.spec.packages.get(index).filter(|package| package.is_built());
            if let Some(package) = package {
                let mut draft = packager.draft_package(&self.spec, package, &mut self.settings)?;
                if self.order.short_circuit {
                    let row = require_feature("ShortCircuited", "4.9.0-1");
                    add_dependencies(&mut draft.header, DependencyKind::Requires, [row]);
                }
                debug.add_package_for(&mut self.spec, index, &draft)?;
                handled.append(&mut draft.handled);
                self.binaries.push(draft);
            }
            index += 1;
        }
        if self.spec.packages.iter().any(crate::spec::Package::is_built) {
            check_unpackaged(self.world, &self.workspace, &handled)?;
        }
        Ok(())
    }

    /// What all packages of the build say.
    fn marks(&mut self) -> Result<BuildMarks, Stop> {
        let settings = Settings::read_once(self.world, &mut self.settings)?;
        Ok(BuildMarks {
            cookie: format!("{} {}", settings.host, settings.times.build),
            has_source_and_binaries: self.has_source_and_binaries,
            source_digest: self.source_digest.clone(),
        })
    }

    fn write_binaries(&mut self) -> Result<(), Stop> {
        let marks = self.marks()?;
        let packages = std::mem::take(&mut self.binaries);
        let settings = self.settings.as_ref().ok_or(Stop)?;
        write_binaries(self.world, &self.workspace.root, packages, settings, &marks)
    }

    fn write_source(&mut self, kind: SourceKind) -> Result<(), Stop> {
        let marks = self.marks()?;
        let source = self.source.take().ok_or(Stop)?;
        let settings = self.settings.as_ref().ok_or(Stop)?;
        let path = write_source(self.world, source, kind, settings, &marks)?;
        if settings.format == Format::V4 && self.has_source_and_binaries {
            self.source_digest = read_signature_digest(self.world, &path);
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
            self.world.files.remove_file(&path);
        }
    }
}
