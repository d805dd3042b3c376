//! Commits of other repositories within a commit, as `.gitmodules` names them (gitmodules(5)).

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::config_file::parse_config;
use super::error::GitError;
use super::limits::CONFIG_BYTES;
use super::repository::{CommitEntryKind, Repository};
use super::write_tree::find_entry;

/// Where the repositories of a commit's submodules are, by their paths in the commit.
pub(super) fn submodule_addresses(
    repository: &Repository,
    root: ObjectId,
    address: &GitAddress,
) -> Result<BTreeMap<PathBuf, GitAddress>, GitError> {
    let error = |path: &str, reason: String| GitError::Submodule {
        repository: repository.shown().to_owned(),
        path: path.escape_debug().to_string(),
        reason,
    };
    let Some(file) = find_entry(repository, root, Path::new(".gitmodules"))? else {
        return Ok(BTreeMap::new());
    };
    match file.kind {
        CommitEntryKind::File | CommitEntryKind::Executable => {}
        CommitEntryKind::Link | CommitEntryKind::Folder | CommitEntryKind::Submodule => {
            return Err(error(".gitmodules", "it is no file".to_owned()));
        }
    }
    if repository.blob_size(file.id)? > CONFIG_BYTES as u64 {
        return Err(error(".gitmodules", "it is too long".to_owned()));
    }
    let content = repository.blob(file.id)?;
    let text = String::from_utf8_lossy(&content);
    let values =
        parse_config(&text).map_err(|line| error(".gitmodules", format!("line {line} makes no sense")))?;
    let mut modules: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for value in values.into_iter().filter(|value| value.section == "submodule") {
        // What else it may say (`update = !program`) has no effect here.
        let module = modules.entry(value.subsection).or_default();
        match value.name.as_str() {
            "path" => module.0 = Some(value.value),
            "url" => module.1 = Some(value.value),
            _ => {}
        }
    }
    let mut addresses = BTreeMap::new();
    for (name, (path, url)) in modules {
        check_module_name(&name).map_err(|reason| error(&name, reason.to_owned()))?;
        let (Some(path), Some(url)) = (path, url) else { continue };
        check_module_path(&path).map_err(|reason| error(&path, reason.to_owned()))?;
        let url = address.join(&url).map_err(|reason| error(&path, reason.to_string()))?;
        addresses.insert(PathBuf::from(path), url);
    }
    Ok(addresses)
}

/// git makes a folder of that name, and so must not leave its own (CVE-2018-11235).
fn check_module_name(name: &str) -> Result<(), &'static str> {
    let parts = || name.split(['/', '\\']);
    match name {
        "" => Err("its name is empty"),
        _ if parts().any(|part| part == "..") => Err("its name leads elsewhere"),
        _ if name.chars().any(char::is_control) => Err("its name has control characters"),
        _ => Ok(()),
    }
}

fn check_module_path(path: &str) -> Result<(), &'static str> {
    if path.starts_with('-') {
        return Err("its path begins with `-`");
    }
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !is_plain || path.chars().any(char::is_control) {
        return Err("its path leads elsewhere");
    }
    Ok(())
}
