//! What a forge that was killed has left.

use std::path::{Component, Path};

use super::ExecuteError;
use super::open_shells::spare_open_shell;
use super::results::work_folder;
use crate::event::Timestamp;
use crate::files::Folder;
use crate::store::History;

/// Marks builds that an earlier forge left running as canceled, and removes their work folders: nobody has taken the
/// secrets out of what their scripts wrote, and which these were is forgotten.
///
/// # Errors
/// The history can't be used, or a folder not be removed.
pub fn clear_abandoned(history: &History, state: &Folder, now: Timestamp) -> Result<(), ExecuteError> {
    let abandoned = history.abandoned()?;
    // A row that was damaged must not take other folders along.
    for build in abandoned.iter().filter(|build| is_name(&build.package) && is_name(&build.chroot)) {
        spare_open_shell(&state.path().join(work_folder(build)))?;
        state.remove_folder(work_folder(build))?;
    }
    if !abandoned.is_empty() {
        history.close_abandoned(now)?;
    }
    Ok(())
}

/// Whether a text is the name of one folder.
fn is_name(text: &str) -> bool {
    let mut components = Path::new(text).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::BuildName;
    use crate::files::HostPath;

    fn build(package: &str, chroot: &str) -> BuildName {
        BuildName { package: package.to_owned(), chroot: chroot.to_owned() }
    }

    #[test]
    fn only_the_work_folders_of_builds_that_were_left_running_go() {
        let temp = tempfile::tempdir().unwrap();
        let state = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let history = History::in_memory().unwrap();
        for kept in ["work/host/failed/BUILD", "work/host/left/BUILD", "results/host"] {
            state.create(kept).unwrap();
        }
        for (package, chroot) in [("left", "host"), ("..", ".."), ("results/host", "..")] {
            history.begin(&build(package, chroot), Timestamp(1)).unwrap();
        }
        clear_abandoned(&history, &state, Timestamp(2)).unwrap();
        assert!(!state.exists("work/host/left"));
        assert!(state.exists("work/host/failed/BUILD") && state.exists("results/host"));
        assert!(history.abandoned().unwrap().is_empty());
    }
}
