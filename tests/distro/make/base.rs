//! What a distribution of RPM packages has that Debian keeps elsewhere: who owns `/`, users, alternatives, configuration that
//! maintainer scripts write, names that others know packages by.

use std::collections::{BTreeMap, BTreeSet};

use rpmforge::package::{Comparison, Dependency};

use super::deb::Deb;
use super::file::{Content, DistroFile, flag};
use super::languages::macro_packages;
use super::package::{BEFORE, Package};

/// The version of what the distribution makes itself.
const VERSION: &str = "13";

/// What no root needs.
const NOT_TAKEN: &[&str] =
    &["/usr/share/lintian", "/usr/share/bug", "/usr/share/doc-base", "/usr/share/menu"];

/// Folders that everybody has belong to `filesystem`: those of this many packages.
const SHARED_BY: usize = 8;

/// Names that other distributions have for packages.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("debianutils", "which"),
    ("g++", "gcc-c++"),
    ("gettext", "gettext-devel"),
    ("iputils-ping", "iputils"),
    ("libbz2-dev", "bzip2-devel"),
    ("libc-bin", "glibc-common"),
    ("libc6", "glibc"),
    ("libc6-dev", "glibc-devel"),
    ("libelf-dev", "elfutils-libelf-devel"),
    ("liblz4-dev", "lz4-devel"),
    ("liblzma-dev", "xz-devel"),
    ("libncurses-dev", "ncurses-devel"),
    ("libonig-dev", "oniguruma-devel"),
    ("libreadline-dev", "readline-devel"),
    ("libsqlite3-dev", "sqlite-devel"),
    ("libssl-dev", "openssl-devel"),
    ("libstdc++-14-dev", "libstdc++-devel"),
    ("linux-libc-dev", "kernel-headers"),
    ("ninja-build", "ninja"),
    ("openssh-client", "openssh-clients"),
    ("passwd", "shadow-utils"),
    ("procps", "procps-ng"),
    ("rpm", "rpm-build"),
    ("xz-utils", "xz"),
    ("zlib1g", "zlib"),
    ("zlib1g-dev", "zlib-devel"),
];

/// The files of a package of Debian's as the distribution has them.
pub fn adapt_files(deb: &Deb) -> Vec<DistroFile> {
    let name = deb.name();
    let lies_below = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_taken = |file: &DistroFile| {
        !NOT_TAKEN.iter().any(|folder| lies_below(&file.path, folder)) && is_taken_of(name, file)
    };
    let mut files: Vec<DistroFile> = deb.files.iter().filter(|file| is_taken(file)).cloned().collect();
    for file in &mut files {
        if deb.configuration.contains(&file.path) && file.is_regular() {
            file.flags |= flag::CONFIGURATION | flag::NO_REPLACE;
        } else if !file.is_folder() && lies_below(&file.path, "/usr/share/doc") {
            let is_license = file.path.ends_with("/copyright");
            file.flags |= if is_license { flag::LICENSE } else { flag::DOCUMENTATION };
        } else if !file.is_folder()
            && (lies_below(&file.path, "/usr/share/man") || lies_below(&file.path, "/usr/share/info"))
        {
            file.flags |= flag::DOCUMENTATION;
        }
        if name == "iputils-ping" && file.path == "/usr/bin/ping" {
            file.capabilities = "cap_net_raw=ep";
        }
        if name == "openssh-client" && file.path == "/usr/bin/ssh-agent" {
            (file.permissions, file.owners.1) = (0o2755, "_ssh".to_owned());
        }
    }
    files.extend(made_files(deb));
    files
}

/// Whether a file of a package is one that the distribution takes from it.
fn is_taken_of(name: &str, file: &DistroFile) -> bool {
    match name {
        // `filesystem` has these.
        "base-files" => {
            file.is_regular() || file.path == "/etc/os-release" || file.path.starts_with("/usr/share/")
        }
        "base-passwd" => !file.path.contains("update-passwd"),
        // The shell that scripts are run by is bash, as everywhere where RPM packages are built.
        "dash" => file.path != "/usr/bin/sh" && !file.path.ends_with("/sh.1.gz"),
        "dpkg" => file.path.contains("alternatives"),
        // rpm's plugins are packages of their own elsewhere, and in no build root: `unshare` fails in a mere chroot.
        "rpm-common" => !file.path.contains("/macros.transaction_"),
        _ => true,
    }
}

/// What maintainer scripts of Debian's make.
fn made_files(deb: &Deb) -> Vec<DistroFile> {
    let copy = |from: &str, to: &str| {
        let file = deb.files.iter().find(|file| file.path == from);
        let text = file.map(|file| String::from_utf8_lossy(file.bytes(&deb.data)).into_owned());
        DistroFile::configuration(
            to,
            0o644,
            &text.unwrap_or_else(|| panic!("{}: no file {from}", deb.name())),
        )
    };
    let link = |path: &str, to: &str| DistroFile::new(path, 0o777, Content::Link(to.to_owned()));
    let folder = |path: &str, mode: u32| DistroFile::new(path, mode, Content::Folder);
    match deb.name() {
        "base-files" => vec![
            copy("/usr/share/base-files/profile", "/etc/profile"),
            copy("/usr/share/base-files/motd", "/etc/motd"),
            copy("/usr/share/base-files/dot.profile", "/root/.profile"),
            copy("/usr/share/base-files/dot.bashrc", "/root/.bashrc"),
        ],
        "base-passwd" => account_files(&text_of(deb, "passwd.master"), &text_of(deb, "group.master")),
        "bash" => vec![link("/usr/bin/sh", "bash")],
        "libc-bin" => vec![
            copy("/usr/share/libc-bin/nsswitch.conf", "/etc/nsswitch.conf"),
            // Where packages of RPM have their libraries, Debian's loader does not look by itself.
            DistroFile::configuration("/etc/ld.so.conf.d/lib64.conf", 0o644, "/usr/lib64\n"),
        ],
        "libpam-runtime" => pam_files(),
        "readline-common" => vec![copy("/usr/share/readline/inputrc", "/etc/inputrc")],
        "rpm-common" => vec![folder("/var/lib/rpm", 0o755)],
        "tzdata" => vec![
            link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
            DistroFile::configuration("/etc/timezone", 0o644, "Etc/UTC\n"),
        ],
        "uuid-runtime" => vec![folder("/var/lib/libuuid", 0o2775).owned_by("uuidd", "uuidd")],
        _ => Vec::new(),
    }
}

fn text_of(deb: &Deb, name: &str) -> String {
    let file = deb.files.iter().find(|file| file.path.ends_with(name)).unwrap();
    String::from_utf8_lossy(file.bytes(&deb.data)).into_owned()
}

/// Users and groups, from Debian's list of those that every system has.
fn account_files(users: &str, groups: &str) -> Vec<DistroFile> {
    let (mut passwd, mut shadow, mut group, mut gshadow) = Default::default();
    let append = |text: &mut String, line: String| text.extend([line.as_str(), "\n"]);
    for line in users.lines() {
        let name = line.split(':').next().unwrap_or_default();
        append(&mut passwd, line.replacen(":*:", ":x:", 1));
        append(&mut shadow, format!("{name}:*:20000:0:99999:7:::"));
    }
    for line in groups.lines() {
        let name = line.split(':').next().unwrap_or_default();
        append(&mut group, line.replacen(":*:", ":x:", 1));
        append(&mut gshadow, format!("{name}:*::"));
    }
    let hosts = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n";
    vec![
        DistroFile::configuration("/etc/passwd", 0o644, &passwd),
        DistroFile::configuration("/etc/group", 0o644, &group),
        DistroFile::configuration("/etc/shadow", 0, &shadow),
        DistroFile::configuration("/etc/gshadow", 0, &gshadow),
        DistroFile::configuration("/etc/subuid", 0o644, ""),
        DistroFile::configuration("/etc/subgid", 0o644, ""),
        DistroFile::configuration("/etc/hosts", 0o644, hosts),
        DistroFile::configuration(
            "/etc/shells",
            0o644,
            "/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n/bin/dash\n/usr/bin/dash\n",
        ),
    ]
}

/// What `pam-auth-update` writes where there are only the users of `/etc/passwd`.
fn pam_files() -> Vec<DistroFile> {
    let permit = |kind: &str| format!("{kind}\trequisite\tpam_deny.so\n{kind}\trequired\tpam_permit.so\n");
    let session = "session\t[default=1]\tpam_permit.so\nsession\trequisite\tpam_deny.so\nsession\trequired\tpam_permit.so\nsession\trequired\tpam_unix.so\n";
    let texts = [
        ("common-auth", format!("auth\t[success=1 default=ignore]\tpam_unix.so nullok\n{}", permit("auth"))),
        (
            "common-account",
            format!(
                "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so\n{}",
                permit("account")
            ),
        ),
        (
            "common-password",
            format!(
                "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n{}",
                permit("password")
            ),
        ),
        ("common-session", session.to_owned()),
        ("common-session-noninteractive", session.to_owned()),
    ];
    texts
        .iter()
        .map(|(name, text)| DistroFile::configuration(&format!("/etc/pam.d/{name}"), 0o644, text))
        .collect()
}

/// The packages that the distribution makes itself, and takes the folders away from others that are theirs.
pub fn add_own_packages(packages: &mut Vec<Package>) {
    let filesystem = make_filesystem(packages);
    let owned: BTreeSet<String> = filesystem.files.iter().map(|file| file.path.clone()).collect();
    for package in packages.iter_mut() {
        package.files.retain(|file| !file.is_folder() || !owned.contains(&file.path));
    }
    let mut basesystem = Package::new("basesystem", VERSION, "What every root has");
    basesystem.requires = [("setup", BEFORE), ("filesystem", BEFORE), ("base-files", 0)]
        .map(|(name, sense)| (Dependency::any(name), sense))
        .into();
    let mut macros = Package::new("debian-rpm-config", VERSION, "How this distribution builds packages");
    let text = "%dist .deb13\n%distribution Debian as RPM packages\n%vendor rpmforge\n%_vendor debian\n";
    macros.files = vec![DistroFile::new(
        "/usr/lib/rpm/macros.d/macros.debian",
        0o644,
        Content::Made(text.as_bytes().to_vec()),
    )];
    macros.provides.insert(Dependency::any("system-rpm-config"));
    let newest = packages.iter().map(|package| package.built).max().unwrap_or_default();
    let own = [filesystem, basesystem, macros].into_iter().chain(macro_packages(VERSION));
    packages.extend(own.map(|package| Package { built: newest, ..package }));
    for package in packages.iter_mut() {
        adapt_relations(package);
        require_owners(package);
        own_alternatives(package);
    }
}

/// The folders of every system (hier(7)).
const FOLDERS: &str = "/boot /dev /etc /etc/opt /etc/profile.d /etc/skel /home /media /mnt /opt /run /srv /usr /usr/bin /usr/games \
        /usr/include /usr/lib /usr/lib/locale /usr/lib64 /usr/libexec /usr/local /usr/local/bin /usr/local/etc /usr/local/games \
        /usr/local/include /usr/local/lib /usr/local/libexec /usr/local/sbin /usr/local/share /usr/local/share/man \
        /usr/local/src /usr/sbin /usr/share /usr/share/dict /usr/share/info /usr/share/man /usr/share/misc /usr/src /var \
        /var/backups /var/cache /var/lib /var/lib/misc /var/local /var/log /var/opt /var/spool";

/// Those that not everybody may read, or everybody may write.
const OTHER_MODES: [(&str, u32); 6] = [
    ("/tmp", 0o1777),
    ("/var/tmp", 0o1777),
    ("/run/lock", 0o1777),
    ("/root", 0o700),
    ("/proc", 0o555),
    ("/sys", 0o555),
];

/// /usr is merged; old places lead to new ones.
const LINKS: [(&str, &str); 8] = [
    ("/bin", "usr/bin"),
    ("/lib", "usr/lib"),
    ("/lib64", "usr/lib64"),
    ("/sbin", "usr/sbin"),
    ("/usr/local/man", "share/man"),
    ("/var/lock", "../run/lock"),
    ("/var/run", "../run"),
    ("/var/spool/mail", "../mail"),
];

/// `/` and what everybody has in it.
fn make_filesystem(packages: &[Package]) -> Package {
    let mut filesystem = Package::new("filesystem", VERSION, "The folders that everybody has");
    filesystem.is_noarch = false;
    filesystem.requires.insert((Dependency::any("setup"), BEFORE));
    let mut folders: BTreeMap<&str, (usize, &DistroFile)> = BTreeMap::new();
    for file in packages.iter().flat_map(|package| &package.files).filter(|file| file.is_folder()) {
        folders.entry(&file.path).or_insert((0, file)).0 += 1;
    }
    let shared = folders.values().filter(|(count, _)| *count >= SHARED_BY);
    let mut files: BTreeMap<String, DistroFile> = shared
        .map(|(_, file)| (file.path.clone(), DistroFile::new(&file.path, 0o755, Content::Folder)))
        .collect();
    for (path, mode) in FOLDERS.split_whitespace().map(|path| (path, 0o755)).chain(OTHER_MODES) {
        files.insert(path.to_owned(), DistroFile::new(path, mode, Content::Folder));
    }
    let mail = DistroFile::new("/var/mail", 0o2775, Content::Folder).owned_by("root", "mail");
    files.insert(mail.path.clone(), mail);
    for (path, target) in LINKS {
        files.insert(path.to_owned(), DistroFile::new(path, 0o777, Content::Link(target.to_owned())));
    }
    filesystem.files = files.into_values().collect();
    filesystem
}

/// What packages need and give here, beyond what Debian says.
fn adapt_relations(package: &mut Package) {
    let name = package.name.clone();
    let version = Some((Comparison::EQUAL, package.evr.to_string()));
    let known_as = |name: &str| Dependency { name: name.to_owned(), version: version.clone() };
    let others = OTHER_NAMES.iter().filter(|(own, _)| *own == name).map(|(_, other)| known_as(other));
    package.provides.extend(others);
    if let Some(library) = name.strip_suffix("-dev") {
        package.provides.insert(known_as(&format!("{library}-devel")));
    }
    let plain = |name: &str| (Dependency::any(name), 0);
    match name.as_str() {
        // The locale C.UTF-8, `ldconfig` and `getent` are essential to Debian.
        "libc6" => {
            package.requires.extend(["basesystem", "libc-bin"].map(plain));
            // Its loader can read that; `elfdeps` finds no file that says so.
            package.provides.insert(Dependency::any("rtld(GNU_HASH)"));
        }
        "rpm" => package.requires.extend([plain("system-rpm-config")]),
        // `find-debuginfo` calls `eu-strip`.
        "debugedit" => package.requires.extend([plain("elfutils")]),
        // Debian wants it for scripts that are not run here; its own would then run before there is a shell.
        "bash" | "dash" => package.requires.retain(|(needed, _)| needed.name != "debianutils"),
        // Debian wants awk there for a script that is not run here.
        "base-files" => {
            package.requires.clear();
            let release = Some((Comparison::EQUAL, VERSION.to_owned()));
            for name in ["system-release", "system-release(releasever)"] {
                package.provides.insert(Dependency { name: name.to_owned(), version: release.clone() });
            }
        }
        "setup" => {
            package.requires.clear();
            package.provides.extend(account_names(package));
        }
        "openssh-client" => package.provides.extend([Dependency::any("group(_ssh)")]),
        "uuid-runtime" => {
            package.provides.extend(["user(uuidd)", "group(uuidd)"].map(Dependency::any));
        }
        _ => {}
    }
}

/// `user(x)` and `group(x)` of those that every system has.
fn account_names(setup: &Package) -> Vec<Dependency> {
    let mut accounts = Vec::new();
    for (path, kind) in [("/etc/passwd", "user"), ("/etc/group", "group")] {
        let file = setup.files.iter().find(|file| file.path == path).unwrap();
        let text = String::from_utf8_lossy(file.bytes(&[]));
        let names = text.lines().filter_map(|line| line.split(':').next());
        accounts.extend(names.map(|name| Dependency::any(format!("{kind}({name})"))));
    }
    accounts
}

/// Files of others than root need these others first.
fn require_owners(package: &mut Package) {
    for (user, group) in package.files.iter().map(|file| &file.owners) {
        for (kind, name) in [("user", user), ("group", group)].into_iter().filter(|(_, name)| *name != "root")
        {
            package.requires.insert((Dependency::any(format!("{kind}({name})")), BEFORE));
        }
    }
}

/// The links that `update-alternatives` sets belong to those who ask for them.
fn own_alternatives(package: &mut Package) {
    let mut links = BTreeMap::new();
    for text in package.scriptlets.iter().map(|scriptlet| scriptlet.text.as_str()) {
        for line in text.lines().filter_map(|line| line.strip_prefix("update-alternatives ")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let asked = words.iter().enumerate().filter(|(_, word)| ["--install", "--slave"].contains(word));
            links.extend(
                asked.map(|(at, _)| {
                    (words[at + 1].to_owned(), format!("/etc/alternatives/{}", words[at + 2]))
                }),
            );
        }
    }
    for (link, target) in links {
        let file = DistroFile::new(&link, 0o777, Content::Link(target));
        package.files.push(DistroFile { flags: flag::GHOST, ..file });
    }
}
