//! Makes a distribution of RPM packages out of Debian's: real packages, with all that real packages have.
//!
//! Debian's archive is reached through apt (`archive`); a package is opened (`deb`, `file`), its relations are translated
//! (`relation`, `version`), its files tell what they need and give (`generated`, `elf`), and what a distribution of RPM packages
//! has that Debian keeps elsewhere is added (`base`, `scriptlet`, `languages`). Then all are made to fit together (`closed`), and written
//! (`write`, `comps`, `metadata`).

mod archive;
mod base;
mod closed;
mod comps;
mod deb;
mod elf;
mod file;
mod generated;
mod languages;
mod metadata;
mod package;
mod relation;
mod scriptlet;
mod version;
mod write;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use archive::run;
pub use elf::read_elf;
pub use relation::{read_relations, translate_alternatives};
pub use version::{compare_debian, translate_version};

use archive::Archive;
use deb::Deb;
use package::Package;
use relation::Relation;

/// What the distribution is for: building programs in C and C++, with Python, Perl, git and rpm itself; [`languages`] has more.
const WANTED: &str = "autoconf automake bash bison bzip2 cmake cpio createrepo-c dash debianutils debugedit elfutils file flex g++ gawk gcc \
    gettext git gzip hostname iputils-ping jq less libbz2-dev libc6-dev libcap2-bin libelf-dev libexpat1-dev libffi-dev \
    liblz4-dev liblzma-dev libncurses-dev libonig-dev libpng-dev libreadline-dev libsqlite3-dev libssl-dev libtool libxml2-dev \
    libzstd-dev login m4 make mawk meson mount ninja-build openssh-client openssl passwd patch perl pkgconf procps psmisc python3 \
    python3-dev python3-setuptools python3-wheel quilt rpm strace time tree tzdata unzip util-linux uuid-runtime xz-utils zip \
    zlib1g-dev zstd";

/// What no root of RPM packages has: Debian's own package management, and what starts services.
const LEFT_OUT: &[&str] = &[
    "adduser",
    "apt",
    "cdebconf",
    "debconf",
    "dpkg",
    "init-system-helpers",
    "install-info",
    "libdebconfclient0",
    "sensible-utils",
    "systemd",
    "systemd-standalone-sysusers",
    "ucf",
];

/// The package that `update-alternatives` is taken from.
const ALTERNATIVES_OF: &str = "dpkg";

/// What the distribution is made by: where this differs, it is made anew.
const MADE_BY: &[&str] = &[
    include_str!("archive.rs"),
    include_str!("base.rs"),
    include_str!("closed.rs"),
    include_str!("comps.rs"),
    include_str!("deb.rs"),
    include_str!("elf.rs"),
    include_str!("file.rs"),
    include_str!("generated.rs"),
    include_str!("metadata.rs"),
    include_str!("mod.rs"),
    include_str!("package.rs"),
    include_str!("relation.rs"),
    include_str!("scriptlet.rs"),
    include_str!("version.rs"),
    include_str!("write.rs"),
];

/// The folder of the repository, which is made where it is not there yet: `$FORGE_TEST_DISTRO`, or a place below `target`.
///
/// Beside the repository are Debian's files, and a stamp that names what it was made by and of. With the stamp of this program,
/// nothing is asked of anyone.
pub fn repository() -> PathBuf {
    let chosen = std::env::var_os("FORGE_TEST_DISTRO").map(PathBuf::from);
    let folder = chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/distro"));
    let folder = std::path::absolute(folder).unwrap();
    fs::create_dir_all(&folder).unwrap();
    // Tests that want it at the same time make it once.
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (repository, stamp) = (folder.join("repository"), folder.join("stamp"));
    let made_by = stamp_of_program();
    let is_current =
        fs::read_to_string(&stamp).is_ok_and(|text| text.lines().next() == Some(made_by.as_str()));
    if !is_current {
        let fresh = folder.join("scratch/repository");
        let made_of = make(&folder, &fresh);
        let _ = fs::remove_file(&stamp);
        let _ = fs::remove_dir_all(&repository);
        fs::rename(&fresh, &repository).unwrap();
        fs::remove_dir_all(folder.join("scratch")).unwrap();
        fs::write(&stamp, format!("{made_by}\n{made_of}")).unwrap();
    }
    repository
}

fn stamp_of_program() -> String {
    let mut digest = blake3::Hasher::new();
    for text in MADE_BY.iter().chain(languages::MADE_BY) {
        digest.update(text.as_bytes());
    }
    format!("made by {}", digest.finalize())
}

/// Makes the repository; gives the names of Debian's files.
fn make(folder: &Path, repository: &Path) -> String {
    let scratch = folder.join("scratch");
    let _ = fs::remove_dir_all(&scratch);
    let archive = Archive::open(&scratch);
    let wanted = WANTED.split_whitespace().chain(languages::WANTED.split_whitespace());
    let named = wanted.chain(comps::grouped()).map(str::to_owned);
    let wanted = named.filter(|name| archive.has(name)).chain(archive.essential()).collect::<Vec<String>>();
    let mut names = archive.close(&wanted, LEFT_OUT);
    names.insert(ALTERNATIVES_OF.to_owned());
    check_order(&archive, &names);
    let debs = archive.download(&names, &folder.join("debs"));
    let mut packages: Vec<Package> = debs.par_iter().map(|path| read_package(&archive, path)).collect();
    base::add_own_packages(&mut packages);
    closed::close_relations(&mut packages);
    let known: BTreeSet<String> = packages.iter().map(|package| package.name.clone()).collect();
    packages.par_iter().for_each(|package| write::write(package, &repository.join("Packages")));
    metadata::write_metadata(repository, &packages, &comps::write_groups(&known), &scratch);
    debs.iter().map(|path| format!("{}\n", path.file_name().unwrap().display())).collect()
}

/// Makes sure that versions that are compared with each other, those of packages and those that relations name, are in the same
/// order for Debian and for RPM.
fn check_order(archive: &Archive, names: &BTreeSet<String>) {
    let mut wrong = Vec::new();
    for (name, versions) in archive.versions(names) {
        for (a, b) in versions.iter().flat_map(|a| versions.iter().map(move |b| (a, b))) {
            if compare_debian(a, b) != translate_version(a).cmp(&translate_version(b)) {
                wrong.push(format!("{name}: {a} and {b}"));
            }
        }
    }
    assert!(wrong.is_empty(), "RPM sorts these otherwise than Debian: {wrong:#?}");
}

fn read_package(archive: &Archive, path: &Path) -> Package {
    let deb = Deb::open(path);
    let is_left_out =
        |group: &[Relation]| group.iter().any(|relation| LEFT_OUT.contains(&relation.name.as_str()));
    let is_gone = |name: &str| !archive.has(name);
    let mut package = Package::from_deb(&deb, base::adapt_files(&deb), &is_left_out, &is_gone);
    package.deb = Some(path.to_owned());
    if package.name == ALTERNATIVES_OF {
        let own = Package::new("update-alternatives", "", "Chooses which of several programs a name is for");
        package = Package {
            evr: package.evr,
            is_noarch: false,
            license: package.license,
            source: package.source,
            built: package.built,
            files: package.files,
            deb: package.deb,
            generated: package.generated,
            ..own
        };
    }
    package
}
