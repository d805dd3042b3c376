//! Debug information of programs, put where debuggers find it: what find-debuginfo(1) does, for roots that have none, and where
//! `%_forge_native_debuginfo` says so.
//!
//! | file | what it does |
//! | --- | --- |
//! | `options` | reads the command line, which is find-debuginfo's |
//! | `programs` | finds the programs and libraries of a buildroot |
//! | `elf`, `write` | take ELF files apart, and put them together |
//! | `dwarf` | changes paths in debug information, and collects the sources |
//! | `build_id` | makes new build-ids |
//! | `split` | splits a program |
//! | `backtrace_symbols`, `objcopy_layout` | put together the symbols that stay in it for backtraces |
//! | `symbols` | reads the symbols of programs |
//! | `merged_strings` | arranges names as binutils does |
//! | `extract` | does all of that for one program of the buildroot |
//! | `stand_in` | puts it into scripts |
//! | `sources`, `lists` | copy the sources, and list what belongs to packages |
//!
//! Programs are worked on as many at a time as `-j` says. What can't be split is left as it is, and told.

mod backtrace_symbols;
mod build_id;
mod dwarf;
mod elf;
mod extract;
mod lists;
mod merged_strings;
mod objcopy_layout;
mod options;
mod programs;
mod refused;
mod sources;
mod split;
mod stand_in;
mod string_table;
mod symbols;
mod write;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::files::{Folder, HostPath};
use crate::process::{Redirections, run_plain};
use extract::{Extracted, Extraction};
use lists::{DebugLinks, SOURCES, absolute, write_lists};
use options::DebugOptions;
use programs::{DEBUG, END, FoundPrograms, find_programs};
use refused::{DebugVariables, Refused, tell};
use sources::copy_sources;

pub(super) use options::WHOLE_BUILD_IDS;
pub(super) use stand_in::stand_in_for_find_debuginfo;

/// Does what find-debuginfo(1) does with these words, to the buildroot that the environment names, and gives the exit code.
pub fn find_debuginfo(
    words: &[OsString],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> i32 {
    let environment: DebugVariables = environment.into_iter().collect();
    match run(words, &environment) {
        Ok(()) => 0,
        Err(refused) => {
            tell(&refused.message);
            refused.code
        }
    }
}

fn run(words: &[OsString], environment: &DebugVariables) -> Result<(), Refused> {
    let options = DebugOptions::read(words)?;
    let variable = |name: &str| {
        let value = environment.get(OsStr::new(name)).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refused { message: format!("{name} is not set"), code: 1 })
    };
    let root = host_path(variable("RPM_BUILD_ROOT")?)?;
    let build = host_path(variable("RPM_BUILD_DIR")?)?;
    variable("RPM_PACKAGE_NAME")?;
    let folder = host_path(OsStr::from_bytes(&options.folder))?;
    let root = Folder::open_ambient(&root).map_err(|error| Refused::unreadable(root.as_path(), &error))?;
    let root = root.without_sync();
    let (base, destination) = match &options.source_base {
        Some(name) => (folder.clone(), Path::new(SOURCES).join(OsStr::from_bytes(name))),
        None => (build, PathBuf::from(SOURCES)),
    };
    let found = find_programs(&root)?;
    let extraction =
        Extraction { root: &root, environment, options: &options, base: &base, destination: &destination };
    let extracted = extract_all(&found, &extraction)?;
    if options.dwz.is_wanted && root.is_folder(DEBUG) {
        run_dwz(&root, &options, environment)?;
        extracted.iter().try_for_each(|program| extraction.renew_link(program))?;
    }
    let links = link_debug(&root, &found)?;
    let sources: BTreeSet<Vec<u8>> = extracted.into_iter().flat_map(|program| program.sources).collect();
    if !sources.is_empty() {
        copy_sources(&sources, &base, &root, &destination)?;
    }
    write_lists(&options, &root, &folder, &links)
}

/// A path, from the folder that this runs in.
fn host_path(path: &OsStr) -> Result<HostPath, Refused> {
    let wrong = || Refused::wrong(&format!("{} is no path", path.display()));
    if let Some(path) = HostPath::new(path) {
        return Ok(path);
    }
    let here = std::env::current_dir().ok().and_then(HostPath::new).ok_or_else(wrong)?;
    Ok(if path == "." { here } else { here.join(path) })
}

fn extract_all(found: &FoundPrograms, extraction: &Extraction<'_>) -> Result<Vec<Extracted>, Refused> {
    tell(&format!("extracting debug info from {} files", found.programs.len()));
    let all = || -> Vec<Result<Option<Extracted>, Refused>> {
        found.programs.par_iter().with_max_len(1).map(|program| extraction.extract(program)).collect()
    };
    let results = match rayon::ThreadPoolBuilder::new().num_threads(extraction.options.jobs).build() {
        Ok(pool) => pool.install(all),
        Err(_) => all(),
    };
    let mut extracted = Vec::new();
    for result in results {
        extracted.extend(result?);
    }
    Ok(extracted)
}

/// Runs dwz(1) over all debug information. What it says is shown; that it did not find anything to do is no mistake.
fn run_dwz(root: &Folder, options: &DebugOptions, environment: &DebugVariables) -> Result<(), Refused> {
    let folder = root.folder(DEBUG).map_err(|error| Refused::unreadable(Path::new(DEBUG), &error))?;
    let mut files = Vec::new();
    let mut open = vec![PathBuf::from(".")];
    while let Some(path) = open.pop() {
        for entry in folder.dir().read_dir(&path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let place = path.join(&name);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(place),
                Ok(kind) if kind.is_file() && name.as_bytes().ends_with(END.as_bytes()) => {
                    files.push(place.as_os_str().as_bytes().to_vec());
                }
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    files.sort();
    let variable = |name: &str| {
        environment.get(OsStr::new(name)).map(|value| value.as_bytes().to_vec()).unwrap_or_default()
    };
    let [name, version, release, arch] =
        ["RPM_PACKAGE_NAME", "RPM_PACKAGE_VERSION", "RPM_PACKAGE_RELEASE", "RPM_ARCH"].map(variable);
    let shared = [name.as_slice(), b"-", &version, b"-", &release, b".", &arch].concat();
    let mut words: Vec<Vec<u8>> = ["dwz", "-h", "-q", "-r"].map(|word| word.as_bytes().to_vec()).into();
    if files.len() > 1 && !options.dwz.is_single {
        words.extend([b"-m".to_vec(), [b".dwz/".as_slice(), &shared].concat()]);
    }
    for (flag, value) in [("-l", &options.dwz.low_memory_limit), ("-L", &options.dwz.limit)] {
        words.extend(value.iter().flat_map(|value| [flag.as_bytes().to_vec(), value.clone()]));
    }
    words.extend(files);
    let shared_folder = Path::new(".dwz");
    folder.create(shared_folder).map_err(|error| Refused::unreadable(shared_folder, &error))?;
    let ran = run_plain(&words, environment, Some(folder.path().as_path()), Redirections::default());
    // It stays only if there is something in it.
    let _ = folder.dir().remove_dir(shared_folder);
    match ran {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Refused::wrong("DWARF compression requested, but no dwz installed"))
        }
        Err(error) => Err(Refused::unreadable(Path::new("dwz"), &error)),
    }
}

/// Gives each link to a program one in the debug information, to that of the program.
fn link_debug(root: &Folder, found: &FoundPrograms) -> Result<DebugLinks, Refused> {
    let mut links = DebugLinks::new();
    for link in &found.links {
        let Some(target) = follow(root, link) else {
            continue;
        };
        let with_end = |path: &Path| Path::new(DEBUG).join(OsStr::from_bytes(&add_end(path)));
        let (target, name) = (with_end(&target), with_end(link));
        if target == name || !root.dir().symlink_metadata(&target).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let refused = |error: io::Error| Refused::unreadable(&name, &error);
        let parent = name.parent().unwrap_or(Path::new(DEBUG));
        root.create(parent).map_err(refused)?;
        root.remove_file(&name).map_err(refused)?;
        root.dir().symlink_contents(relative(parent, &target), &name).map_err(refused)?;
        links.push((absolute(&name), absolute(&target)));
    }
    Ok(links)
}

fn add_end(path: &Path) -> Vec<u8> {
    [path.as_os_str().as_bytes(), END.as_bytes()].concat()
}

/// Where a link of the buildroot leads, as it will where packages are installed.
fn follow(root: &Folder, link: &Path) -> Option<PathBuf> {
    let tree = crate::files::Tree::open(root.path()).ok()?;
    tree.resolve(link).ok().filter(|path| path != Path::new("."))
}

/// The path from a folder to something; both are below the same.
fn relative(folder: &Path, target: &Path) -> PathBuf {
    let same = folder.components().zip(target.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(same).map(|_| Path::new(".."));
    up.chain(target.components().skip(same).map(|part| Path::new(part.as_os_str()))).collect()
}
