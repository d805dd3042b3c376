//! `forge eject`

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::root_arguments::Eject;
use super::sources_here::gather_source;
use crate::manifest::declaration::SourceKind;
use crate::plan::PlanError;
use crate::source::eject;
use crate::text::suggestion;
use crate::ui::plain_text;

/// Writes the spec of a package that comes from elsewhere into the project, to be kept by hand.
pub fn run(arguments: &Eject, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let manifest = project.manifest(&arguments.profile, context)?;
    let Some(package) = manifest.packages.iter().find(|known| known.name.value == arguments.package) else {
        let known = manifest.packages.iter().map(|package| package.name.value.as_str());
        let help = suggestion(&arguments.package, "packages", known);
        return Err(PlanError::UnknownPackage { name: arguments.package.clone(), help }.into());
    };
    if matches!(package.source.kind, SourceKind::Path(_)) {
        return Err(CliError::InProject { package: arguments.package.clone() }.into());
    }
    let below = arguments.to.clone().unwrap_or_else(|| format!("specs/{}", arguments.package));
    if project.repository.exists(&below) {
        return Err(CliError::FolderExists { folder: below }.into());
    }
    let origin = gather_source(package, &manifest, (&project, context))?;
    let target = project.repository.create(&below).map_err(CliError::Io)?;
    let ejected = eject(&origin, &target).map_err(CliError::Io)?;
    let mut text = String::new();
    ejected.written.iter().for_each(|name| text.push_str(&format!("wrote {below}/{name}\n")));
    ejected.left.iter().for_each(|name| text.push_str(&format!("left  {name}\n")));
    let spec = &origin.spec.name;
    text.push_str(&format!("next: `source path \"{below}/{spec}\"` in `package {}`\n", arguments.package));
    context.print(&plain_text(&text))?;
    Ok(Exit::Success)
}
