//! `forge fetch`

use super::Exit;
use super::context::{Context, Failure};
use super::planning::{plan, runtime};
use super::project::Project;
use super::root_arguments::Fetch;
use super::selection::{is_matched, patterns};
use super::selection_arguments::Selection;
use crate::plan::PlanError;
use crate::process::Cancel;
use crate::ui::count;

/// Brings all packages that roots are made of into the store.
pub fn run(arguments: &Fetch, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let selection = Selection {
        chroot: arguments.chroot.clone(),
        profile: arguments.profile.clone(),
        ..Selection::default()
    };
    let planned = runtime()?.block_on(plan(&project, &selection, &Cancel::default(), context))?;
    let impossible = planned.show_impossible(context);
    planned.write_lock(&project.repository)?;
    let known = planned.manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
    let patterns = patterns("chroot", "chroots", &arguments.chroot, known)?;
    let is_wanted = |name: &str| patterns.is_empty() || is_matched(&patterns, name);
    let roots = planned.roots_by_chroot();
    let mut fetched = 0;
    for packages in
        roots.iter().filter(|(name, _)| is_wanted(name)).filter_map(|(_, root)| root.packages.as_ref())
    {
        let locked = packages.chooser.locked();
        let all: Vec<_> = locked.packages.into_values().collect();
        packages.maker.fetch(&all).map_err(PlanError::from)?;
        fetched += all.len();
    }
    context.tell(&format!("{} of roots in the store\n", count(fetched, "package")));
    planned.leave();
    Ok(if impossible == 0 { Exit::Success } else { Exit::Failure })
}
