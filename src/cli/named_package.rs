//! A package of the manifest in one of its chroots, as commands name it that look at one.

use std::path::Path;
use std::sync::Arc;

use super::context::{CliError, Context, Failure};
use super::project::Project;
use crate::engine::{FactsRequest, MacroSetting, Mask, Settings};
use crate::files::{HostPath, RootPath};
use crate::manifest::declaration::Isolation;
use crate::manifest::{ChrootId, Manifest, Package, PackageId};
use crate::plan::PlanError;
use crate::source::{Neighbours, locate};
use crate::text::{Located, suggestion};
use crate::ui::plain_text;

/// A package in a chroot, with what it is built with there.
pub struct NamedPackage {
    manifest: Arc<Manifest>,
    id: PackageId,
    /// What it is built with.
    pub settings: Settings,
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

impl NamedPackage {
    /// The package of this name: in this chroot, or in the first of those that it is built in. `over` are macros above what
    /// the manifest says.
    pub fn find(
        project: &Project,
        name: &str,
        chroot: Option<&str>,
        over: &[MacroSetting],
        context: &Context,
    ) -> Result<Self, Failure> {
        let manifest = project.manifest(&[], context)?;
        let Some(index) = manifest.packages.iter().position(|package| package.name.value == name) else {
            let known = manifest.packages.iter().map(|package| package.name.value.as_str());
            let help = suggestion(name, "packages", known);
            return Err(PlanError::UnknownPackage { name: name.to_owned(), help }.into());
        };
        let id = PackageId(index);
        let chroot = find_chroot(&manifest, id, chroot, context)?;
        let settings = manifest.settings(id, chroot, over);
        Ok(Self { manifest, id, settings })
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

    /// What takes its secrets out of all that is shown.
    pub fn mask(&self) -> Mask {
        self.settings.mask()
    }

    /// Its spec, and what is to be asked of that with `settings`.
    pub fn spec(&self, project: &Project, settings: Settings) -> Result<NamedSpec, Failure> {
        let package = self.package();
        let unpacked = project.unpacked()?;
        let origin =
            locate(package, &project.repository, &unpacked, &Neighbours::default()).map_err(|error| {
                Located::new(PlanError::Source(error), "this source", package.source.place.clone())
            })?;
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

/// The chroot that is named, or the first, with a word of what others there are.
fn find_chroot(
    manifest: &Manifest,
    id: PackageId,
    wanted: Option<&str>,
    context: &Context,
) -> Result<ChrootId, Failure> {
    let chroots = &manifest.package(id).chroots;
    let name = |id: &ChrootId| manifest.chroot(*id).name.value.as_str();
    match (wanted, chroots.as_slice()) {
        (None, [only]) => Ok(*only),
        (None, [first, others @ ..]) => {
            let others: Vec<&str> = others.iter().map(name).collect();
            let (first_name, others) = (name(first), others.join(", "));
            context
                .tell(&plain_text(&format!("note: this is for {first_name}; `--chroot` takes {others}\n")));
            Ok(*first)
        }
        (wanted, _) => {
            let wanted = wanted.unwrap_or_default();
            let found = chroots.iter().find(|id| name(id) == wanted);
            let help = || suggestion(wanted, "chroots of it", chroots.iter().map(name));
            let error =
                || CliError::NothingSelected { kind: "chroot", name: wanted.to_owned(), help: help() };
            Ok(*found.ok_or_else(error)?)
        }
    }
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
