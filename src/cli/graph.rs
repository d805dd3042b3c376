//! `forge graph`

use super::Exit;
use super::arguments::{Graph, GraphFormat};
use super::context::{CliError, Context, Failure};
use super::planning::{plan, runtime};
use super::project::{Project, project_name};
use crate::files::{Folder, HostPath};
use crate::process::Cancel;
use crate::ui::{GraphView, draw};

/// Draws the graph of builds.
pub fn run(arguments: &Graph, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let planned = runtime()?.block_on(plan(&project, &arguments.selection, &Cancel::default(), context))?;
    let batches = planned.batch_names();
    let (batch_of, folder) = (planned.batch_of(), project.repository.path().to_string());
    let view = GraphView {
        title: project_name(planned.manifest.name.as_deref(), &folder),
        plan: &planned.plan,
        decisions: &planned.decisions,
        batches: &batches,
        batch_of: &batch_of,
    };
    let format = match arguments.format {
        GraphFormat::Dot => crate::ui::GraphFormat::Dot,
        GraphFormat::Mermaid => crate::ui::GraphFormat::Mermaid,
        GraphFormat::Svg => crate::ui::GraphFormat::Svg,
    };
    let text = draw(view, format);
    let Some(output) = &arguments.output else {
        context.print(&text)?;
        return Ok(Exit::Success);
    };
    let path = context.named(output)?;
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.as_path().file_name().unwrap_or_default();
    let folder = Folder::open_ambient(&parent).map_err(CliError::Io)?;
    folder.write_atomic(name, text.as_bytes()).map_err(CliError::Io)?;
    Ok(Exit::Success)
}
