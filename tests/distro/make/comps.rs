//! Groups of packages, as `createrepo_c --groupfile` takes them.

use std::collections::BTreeSet;

/// A group: its name, what it is for, and its packages. The first one is what a build root begins with.
const GROUPS: &[(&str, &str, &str)] = &[
    (
        "buildsys-build",
        "What a build root begins with",
        "base-files basesystem bash bzip2 coreutils cpio diffutils file filesystem findutils g++ gawk gcc grep gzip libc6-dev make \
         patch rpm sed setup tar unzip util-linux debianutils xz-utils zstd",
    ),
    (
        "core",
        "A system",
        "basesystem bash coreutils findutils grep gzip hostname libc-bin login passwd procps rpm sed tar util-linux",
    ),
    (
        "c-development",
        "Programs in C and C++",
        "autoconf automake binutils bison cmake flex g++ gcc gettext git libtool m4 make meson ninja-build pkgconf strace",
    ),
    ("python-development", "Programs in Python", "python3 python3-dev python3-setuptools python3-wheel"),
];

/// The packages that groups name.
pub fn grouped() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|(.., packages)| packages.split_whitespace())
}

/// The file; all packages of groups must be among `known`.
pub fn write_groups(known: &BTreeSet<String>) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \
                    \"comps.dtd\">\n<comps>\n"
        .to_owned();
    for (id, name, packages) in GROUPS {
        text.push_str(&format!(
            "  <group>\n    <id>{id}</id>\n    <name>{name}</name>\n    <description>{name}</description>\n    \
             <default>false</default>\n    <uservisible>true</uservisible>\n    <packagelist>\n"
        ));
        for package in packages.split_whitespace() {
            assert!(known.contains(package), "the group {id} has a package {package} that is not there");
            text.push_str(&format!("      <packagereq type=\"mandatory\">{package}</packagereq>\n"));
        }
        text.push_str("    </packagelist>\n  </group>\n");
    }
    text.push_str("</comps>\n");
    text
}
