//! A package of the manifest in one of its chroots, as commands name it that look at one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::roots::root_of;
use super::selection::{batch_members, is_matched, matcher, patterns};
use super::selection_arguments::PackageChoice;
use super::sources_here::gather_source;
use crate::engine::{FactsRequest, MacroSetting, Mask, Root, Settings};
use crate::event::BuildName;
use crate::files::{HostPath, RootPath};
use crate::manifest::declaration::Isolation;
use crate::manifest::{ChrootId, Manifest, Package, PackageId, RootBase, find_spec_name};
use crate::plan::PlanError;
use crate::process::SandboxLimits;
use crate::text::suggestion;
use crate::ui::plain_text;

/// A package in a chroot, with what it is built with there.
pub struct NamedPackage {
    manifest: Arc<Manifest>,
    id: PackageId,
    /// The package and the chroot.
    pub build: BuildName,
    /// What it is built with.
    pub settings: Settings,
    /// How much its build may take.
    pub limits: SandboxLimits,
    /// The root that it is built in.
    pub root: Root,
}

/// The spec of a package.
pub struct NamedSpec {
    /// As the project calls it.
    pub name: String,
    /// Where it is.
    pub path: HostPath,
    /// What is asked of it.
    pub request: FactsRequest,
}

/// Which packages of the manifest are asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Their names, or patterns; all those of the batches where none is given.
    pub names: &'a [String],
    /// Chroots, batches, profiles.
    pub choice: &'a PackageChoice,
    /// Macros above what the manifest says.
    pub over: &'a [MacroSetting],
}

impl NamedPackage {
    /// The packages that are asked for, each in the chroots that are named, or in the first of those that it is built in.
    pub fn find(project: &Project, wanted: Wanted<'_>, context: &Context) -> Result<Vec<Self>, Failure> {
        let Wanted { names, choice, over } = wanted;
        let manifest = project.manifest(&choice.profile, context)?;
        let mut ids: Vec<PackageId> = (0..manifest.packages.len()).map(PackageId).collect();
        if !names.is_empty() {
            ids = names
                .iter()
                .map(|name| find_packages(&manifest, project, name))
                .collect::<Result<Vec<_>, _>>()?
                .concat();
        }
        if !choice.batch.is_empty() {
            let members = batch_members(&manifest, &choice.batch)?;
            ids.retain(|id| members.contains(id));
        }
        let mut known = BTreeSet::new();
        ids.retain(|id| known.insert(*id));
        let builds = find_chroots(&manifest, &ids, &choice.chroot, context)?;
        let named = |(id, chroot): (PackageId, ChrootId)| {
            let manifest = Arc::clone(&manifest);
            let build = BuildName {
                package: manifest.package(id).name.value.clone(),
                chroot: manifest.chroot(chroot).name.value.clone(),
            };
            let settings = manifest.settings(id, chroot, over);
            let limits = manifest.limits(id, chroot).into();
            let root = root_of(manifest.chroot(chroot), &project.repository);
            Self { manifest, id, build, settings, limits, root }
        };
        Ok(builds.into_iter().map(named).collect())
    }

    /// What it says in the manifest.
    fn package(&self) -> &Package {
        self.manifest.package(self.id)
    }

    /// Whether its spec may run programs.
    pub fn is_trusted(&self) -> bool {
        match self.package().isolation {
            Isolation::None => true,
            Isolation::Namespaces => false,
        }
    }

    /// Says that a command goes by this machine's macros where the package is built with those of a root that is made first:
    /// they may say something else.
    pub fn tell_of_own_macros(&self, command: &str, context: &Context) {
        let chroot = &self.build.chroot;
        let declared = self.manifest.chroots.iter().find(|declared| declared.name.value == *chroot);
        match declared.map(|declared| &declared.base) {
            Some(RootBase::Repositories(_) | RootBase::Image(_)) => {
                context.tell(&plain_text(&format!(
                    "note: `{command}` goes by the macros of this machine, not by those of the root of chroot `{chroot}`; \
                     `forge plan` reads specs there, and `forge shell --chroot {chroot} -- rpm --eval '%MACRO'` \
                     asks a root that has rpm\n"
                )));
            }
            Some(RootBase::Folder(_)) | None => {}
        }
    }

    /// What takes its secrets out of all that is shown.
    pub fn mask(&self) -> Mask {
        self.settings.mask()
    }

    /// Its spec, and what is to be asked of that with `settings`.
    pub fn spec(
        &self,
        project: &Project,
        settings: Settings,
        context: &Context,
    ) -> Result<NamedSpec, Failure> {
        let origin = gather_source(self.package(), &self.manifest, (project, context))?;
        let path = origin.spec_path();
        let is_in_project = origin.root == *project.repository.path();
        let name = match is_in_project {
            true => origin.folder.join(&origin.spec.name).to_string_lossy().into_owned(),
            false => path.to_string(),
        };
        let request = FactsRequest {
            spec: in_root(&path)?,
            sources: in_root(&origin.folder_path())?,
            settings,
            may_run: self.is_trusted(),
            readable: vec![in_root(project.repository.path())?],
        };
        Ok(NamedSpec { name, path, request })
    }
}

/// The packages that a name or a pattern stands for: by the manifest's names or, where none matches, by `Name` of their specs.
fn find_packages(manifest: &Manifest, project: &Project, name: &str) -> Result<Vec<PackageId>, Failure> {
    let matcher = matcher(name)?;
    let find = |is_meant: &dyn Fn(&Package) -> bool| -> Vec<PackageId> {
        let packages = manifest.packages.iter().enumerate().filter(|(_, package)| is_meant(package));
        packages.map(|(index, _)| PackageId(index)).collect()
    };
    let spec_name = |package: &Package| find_spec_name(package, &project.repository);
    let mut found = find(&|package| matcher.is_match(&package.name.value));
    if found.is_empty() {
        found = find(&|package| spec_name(package).is_some_and(|known| matcher.is_match(known)));
    }
    if found.is_empty() {
        let in_specs: Vec<String> = manifest.packages.iter().filter_map(spec_name).collect();
        let known = manifest.packages.iter().map(|package| package.name.value.as_str());
        let help = suggestion(name, "packages", known.chain(in_specs.iter().map(String::as_str)));
        return Err(PlanError::UnknownPackage { name: name.to_owned(), help }.into());
    }
    Ok(found)
}

/// Packages in the chroots that are named, or each in the first of its own, with a word of what others there are.
fn find_chroots(
    manifest: &Manifest,
    packages: &[PackageId],
    wanted: &[String],
    context: &Context,
) -> Result<Vec<(PackageId, ChrootId)>, Failure> {
    let name = |id: &ChrootId| manifest.chroot(*id).name.value.as_str();
    let chroots = |id: &PackageId| manifest.package(*id).chroots.as_slice();
    if wanted.is_empty() {
        if let [only] = packages
            && let [first, others @ ..] = chroots(only)
            && !others.is_empty()
        {
            let (first, others) = (name(first), others.iter().map(name).collect::<Vec<_>>().join(", "));
            context.tell(&plain_text(&format!("note: this is for {first}; `--chroot` takes {others}\n")));
        }
        return Ok(packages.iter().filter_map(|id| Some((*id, *chroots(id).first()?))).collect());
    }
    let known = packages.iter().flat_map(|id| chroots(id).iter().map(name));
    let patterns = patterns("chroot", "chroots of it", wanted, known)?;
    let in_chroots = |id: &PackageId| {
        let meant = chroots(id).iter().filter(|chroot| is_matched(&patterns, name(chroot)));
        meant.map(|chroot| (*id, *chroot)).collect::<Vec<_>>()
    };
    Ok(packages.iter().flat_map(in_chroots).collect())
}

/// A path of this machine, as its own root has it.
pub fn in_root(path: &HostPath) -> Result<RootPath, Failure> {
    // A path that still climbs was followed as far as there was something to follow.
    let path = RootPath::in_own_root(path).ok_or(std::io::ErrorKind::NotFound);
    Ok(path.map_err(|kind| CliError::Io(kind.into()))?)
}

/// Whether an argument is the path of a spec, and not the name of a package.
pub fn is_path(argument: &Path, context: &Context) -> bool {
    let text = argument.to_string_lossy();
    text.contains('/')
        || text.ends_with(".spec")
        || context.named(argument).is_ok_and(|path| path.as_path().is_file())
}
