//! Parts of the spec that the build itself writes (rpmbuild(1), "Read dynamic spec parts").

use bstr::ByteSlice;

use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use crate::macros::Stop;
use crate::spec::{Mistakes, Parsing, Report, ReportListener, Spec, parse_part};

/// Reads all parts, in the order of their names.
pub(crate) fn read_parts(
    world: &World<'_>,
    workspace: &Workspace,
    mut spec: Spec,
    listener: &ReportListener,
) -> Result<Spec, Stop> {
    let Some(folder) = &workspace.parts else {
        tell_unfinished(world, &spec, listener)?;
        return Ok(spec);
    };
    let pattern = folder.join("*.specpart");
    for path in world.macros.glob(pattern.to_string().as_bytes()) {
        let file = path.to_str_lossy().into_owned();
        world.notice(format!("Reading {file}"));
        let text = world.macros.read_file(&path).map_err(|error| {
            world.fail(BuildProblem::Unreadable {
                path: path.clone().into(),
                reason: crate::files::reason(&error),
            })
        })?;
        let parsing = Parsing {
            file: &file,
            text,
            can_build: &|_| true,
            build_root: None,
            mistakes: Mistakes::First,
            listener: std::rc::Rc::clone(listener),
        };
        spec = parse_part(world.macros, spec, parsing).map_err(|Stop| world.fail(BuildProblem::Part))?;
    }
    tell_unfinished(world, &spec, listener)?;
    Ok(spec)
}

/// What packages lack after all: no part of the build has said it.
fn tell_unfinished(world: &World<'_>, spec: &Spec, listener: &ReportListener) -> Result<(), Stop> {
    for (problem, place) in &spec.unfinished {
        let (problem, file) = (problem.clone().into(), std::sync::Arc::clone(&place.file));
        listener(&Report { problem, file, line: place.line });
    }
    let is_error = spec.unfinished.iter().any(|(problem, _)| problem.is_error());
    if is_error { Err(world.fail(BuildProblem::Part)) } else { Ok(()) }
}
