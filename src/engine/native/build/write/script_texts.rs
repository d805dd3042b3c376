//! Scripts of packages whose text lies in files that the build has written (`%post -f`).

use bstr::BString;

use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use crate::files::reason;
use crate::macros::Stop;
use crate::package::{Header, Tag};
use crate::spec::{Package, Scriptlet, set_script_texts};

/// Sets the texts of a package's scripts.
pub(crate) fn set_scripts(
    world: World<'_>,
    workspace: &Workspace,
    package: &Package,
    header: &mut Header,
) -> Result<(), Stop> {
    set_script_texts(header, &package.scriptlets, &|script, tag| read_text(world, workspace, script, tag))
}

/// The text of a script: what the spec says, and then what the file does.
fn read_text(world: World<'_>, workspace: &Workspace, script: &Scriptlet, tag: Tag) -> Result<BString, Stop> {
    let Some(file) = &script.file else {
        return Ok(script.body.clone());
    };
    let path = workspace.in_sources(&world, file)?;
    let path = BString::from(path.as_os_str().as_encoded_bytes());
    let content = world.macros.read_file(&path).map_err(|error| {
        let (tag, reason) = (tag.to_string(), reason(&error));
        world.fail(BuildProblem::NoScript { tag, path: path.clone(), reason })
    })?;
    let end: &[u8] = if script.body.is_empty() { b"" } else { b"\n" };
    Ok([script.body.as_slice(), end, &content].concat().into())
}
