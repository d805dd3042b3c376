//! The metadata of the repository, by `createrepo_c`: that of the distribution itself, since the machine's may be too old for zstd.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::run;
use super::package::Package;

/// Makes the metadata of a folder of packages. `scratch` is where the program is unpacked.
pub fn write_metadata(repository: &Path, packages: &[Package], groups: &str, scratch: &Path) {
    let tools = scratch.join("tools");
    fs::create_dir_all(&tools).unwrap();
    for deb in program_with_libraries(packages, "createrepo-c") {
        run(Command::new("dpkg-deb").arg("--extract").arg(deb).arg(&tools));
    }
    let groups_file = scratch.join("comps.xml");
    fs::write(&groups_file, groups).unwrap();
    let newest = packages.iter().map(|package| package.built).max().unwrap_or_default().to_string();
    // Run by its own loader, with its own libraries: nothing needs to be mounted, or root's.
    let mut command = Command::new(tools.join("usr/lib64/ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(tools.join("usr/lib/x86_64-linux-gnu"));
    command.arg(tools.join("usr/bin/createrepo_c")).env("RPM_CONFIGDIR", tools.join("usr/lib/rpm"));
    command.args(["--quiet", "--no-database", "--general-compress-type", "zstd", "--revision", &newest]);
    command.args(["--set-timestamp-to-revision", "--groupfile"]).arg(groups_file).arg(repository);
    run(command.env("LC_ALL", "C.UTF-8"));
    fs::remove_dir_all(&tools).unwrap();
}

/// The files of a package's Debian counterpart, and of all that its programs are linked with.
fn program_with_libraries(packages: &[Package], name: &str) -> BTreeSet<PathBuf> {
    let (mut taken, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        let package = packages.iter().find(|package| package.name == name).unwrap();
        if !taken.insert(package.deb.clone().unwrap()) {
            continue;
        }
        let needed =
            package.requires.iter().map(|(needed, _)| &needed.name).filter(|name| name.ends_with("(64bit)"));
        for needed in needed {
            let gives = |package: &&Package| package.provides.iter().any(|provided| provided.name == *needed);
            open.extend(packages.iter().find(gives).map(|package| package.name.clone()));
        }
    }
    let configuration = packages.iter().find(|package| package.name == "rpm-common");
    taken.extend(configuration.and_then(|package| package.deb.clone()));
    taken
}
