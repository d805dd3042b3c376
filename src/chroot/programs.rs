//! The programs that builds find in a root.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use super::RootRequest;
use super::view::{RootFile, View};
use crate::engine::SYSTEM_PATH;

/// Folders of programs that others call, which are in no `PATH`: patterns of glob(7).
const INNER_FOLDERS: &[&str] = &[
    // cc1, collect2, lto1, lto-wrapper
    "/usr/lib/gcc/*/*",
    "/usr/lib64/gcc/*/*",
    "/usr/libexec/gcc/*/*",
    // clang, lld and their like: `/usr/bin/clang` may be a script or a link
    "/usr/lib/llvm*/bin",
    "/usr/lib64/llvm*/bin",
    // binutils under the names that gcc calls them by
    "/usr/*-linux-*/bin",
    // compile, link, asm
    "/usr/lib/go*/pkg/tool/*",
    "/usr/lib64/go*/pkg/tool/*",
];

/// Every program in the `PATH` of builds and of compilers, but for forge's own binary.
pub(super) fn find_programs(view: &View, request: &RootRequest<'_>) -> io::Result<Vec<RootFile>> {
    let inner = INNER_FOLDERS.iter().flat_map(|pattern| view.glob(pattern));
    let inner = inner.map(|path| path.to_string_lossy().into_owned());
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let own = request.own_binary.as_path().strip_prefix(request.path.as_path()).ok();
    let mut programs = Vec::new();
    for folder in SYSTEM_PATH.split(':').map(str::to_owned).chain(inner) {
        // `/bin` is `/usr/bin` on most systems.
        let is_new = view.resolve(&folder).is_ok_and(|path| seen.insert(path));
        if is_new {
            programs.extend(view.files(&folder)?);
        }
    }
    programs.retain(|program| program.is_program && Some(program.path.as_path()) != own);
    Ok(programs)
}
