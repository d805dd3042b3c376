//! Parts of the spec that the build itself writes (rpmbuild(1), "Read dynamic spec parts").

use bstr::ByteSlice;

use super::workspace::Workspace;
use super::world::World;
use crate::macros::Stop;
use crate::spec::{Listener, Parsing, Spec, parse_part};

/// Reads all parts, in the order of their names.
pub(super) fn read(
    world: &World<'_>,
    workspace: &Workspace,
    mut spec: Spec,
    listener: &Listener,
) -> Result<Spec, Stop> {
    let Some(folder) = &workspace.parts else {
        return Ok(spec);
    };
    let pattern = folder.join("*.specpart");
    for path in world.macros.glob(pattern.to_string().as_bytes()) {
        let file = path.to_str_lossy().into_owned();
        world.notice(format!("Reading {file}"));
        let text = world.macros.read_file(&path).map_err(|error| {
            world.fail(super::BuildProblem::Unreadable {
                path: path.clone().into(),
                reason: crate::files::reason(&error),
            })
        })?;
        let parsing = Parsing {
            file: &file,
            text,
            can_build: &|_| true,
            build_root: None,
            listener: std::rc::Rc::clone(listener),
        };
        spec =
            parse_part(world.macros, spec, parsing).map_err(|Stop| world.fail(super::BuildProblem::Part))?;
        if spec.lacks_fields {
            return Err(world.fail(super::BuildProblem::Part));
        }
    }
    Ok(spec)
}
