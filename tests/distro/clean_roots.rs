//! Builds in roots that forge makes of the distribution, from outside: what is in them, what is locked, and what killed runs leave.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::make;
use super::site::{COMPILE, Site, contents_of, published, spec};
use crate::support::Run;

/// What a build prints of where it is; a line of what it must not see begins with `leak`.
const LOOK: &str = r#"
set +x
show() { sed "s|^|leak: $1: |"; }
find / -xdev \( -path /proc -o -path /usr \) -prune -o -print | grep CANARY | show files
for folder in /tmp /var/tmp /home /root /mnt /srv /run /dev/shm; do
    grep -rl CANARY $folder --exclude-dir=SPECS --exclude='rpm-tmp*' 2>/dev/null | show "content of files"
done
env | grep CANARY | show environment
for process in /proc/[0-9]* /proc/self; do
    for file in cmdline environ status maps cgroup; do
        tr '\0' '\n' < $process/$file 2>/dev/null | grep -a CANARY | show $file
    done
    # The fourth field is a place on the disk that the kernel names for whatever of it is mounted.
    awk '{ $4 = ""; print }' $process/mountinfo 2>/dev/null | grep -a CANARY | show mountinfo
    ls -l $process/fd $process/cwd $process/root 2>/dev/null | grep CANARY | show descriptors
done
cat /proc/keys 2>/dev/null | show keys
timeout 1 cat /dev/kmsg 2>/dev/null | head -n 1 | show "the kernel's log"
cat /proc/net/* 2>/dev/null | grep -a CANARY | show network
tail -n +3 /proc/net/dev | grep -v ' lo:' | show "network devices"
tail -n +2 /proc/net/unix | show sockets
tail -n +2 /proc/net/route | show routes
cat /proc/sys/kernel/hostname | grep -vx localhost | show "host name"
awk -F: '$3 >= 1000 && $1 != "builder" && $1 != "nobody" && $1 != "nogroup"' /etc/passwd /etc/group | show people
for descriptor in /proc/self/fd/*; do
    case $descriptor in */0|*/1|*/2|*/3) ;; *) [ ! -e $descriptor ] || readlink $descriptor | show descriptors ;; esac
done
ls /dev | grep -vxE 'fd|full|null|ptmx|pts|random|shm|stderr|stdin|stdout|tty|urandom|zero' | show devices
rpm -qa --qf 'installed: %%{nevra}\n'
rpm -q --whatprovides 'pkgconfig(zlib)' --qf 'provides zlib: %%{name}\n'
echo "looked: all"
set -x
"#;

#[test]
fn both_engines_build_the_same_in_a_root_that_has_what_is_locked_and_nothing_of_the_machine() {
    let mut contents = Vec::new();
    for engine in ["native", "rpmbuild"] {
        let site = Site::new(&format!(
            "defaults {{ engine {engine} }}\npackage one {{ source path \"one.spec\" }}\n"
        ));
        let temp = site.0.beside("");
        let canary = temp.file_name().unwrap().to_str().unwrap();
        // What the grep is given is in the spec: it looks for the word in two parts.
        let (first, rest) = canary.split_at(4);
        let look = LOOK.replace("CANARY", &format!("{first}[{}]{}", &rest[..1], &rest[1..]));
        site.0.write("one.spec", &spec("one", "BuildRequires: gcc pkgconfig(zlib)", &(look + COMPILE)));
        let seen_by_machine = format!("/var/tmp/{}", canary.trim_start_matches('.'));
        fs::write(&seen_by_machine, canary).unwrap();
        let output = site.forge(&["apply"]).env("TOKEN", canary).output().unwrap();
        fs::remove_file(seen_by_machine).unwrap();
        let run = Run::from(output);
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        let log = site.log("one");
        let said = |begin: &str| -> BTreeSet<String> {
            log.lines().filter_map(|line| line.strip_prefix(begin)).map(str::to_owned).collect()
        };
        assert!(said("looked: ").contains("all"), "{log}");
        assert_eq!(said("leak: "), BTreeSet::new(), "{engine}");
        assert_eq!(said("installed: "), site.locked(), "{engine}");
        assert_eq!(said("provides zlib: "), BTreeSet::from(["zlib1g-dev".to_owned()]));
        let mut built = contents_of(&site.0);
        // It holds the spec, which names this site's own word.
        assert!(built.remove("one-1-1.src.rpm").is_some());
        contents.push(built);
    }
    assert_eq!(contents[0].len(), 2, "the program and its debuginfo: {contents:?}");
    assert_eq!(contents[0], contents[1]);
}

#[test]
fn what_a_package_of_the_manifest_needs_of_the_repository_is_in_the_root_of_those_that_need_it() {
    let site = Site::new(
        "defaults { engine native }\npackage library { source path \"library.spec\" }\npackage user { source path \"user.spec\" }\n",
    );
    let devel = "BuildArch: noarch\n%package devel\nSummary: What is built with it\nRequires: zlib1g-dev tree\n%description devel\nA test.";
    let library = spec("library", devel, "echo '#define ANSWER 42' > made");
    let library = library.replace("%files\n", "install -D made %{buildroot}/usr/include/library.h\n%files\n");
    site.0.write("library.spec", &(library + "%files devel\n/usr/include/library.h\n"));
    let look = "rpm -q library-devel tree\ntree --version\nrpm -V library-devel\n";
    let program = "printf '#include <library.h>\\n#include <zlib.h>\\nint main(void) { return ANSWER - 42; }' > made.c\ngcc -o made made.c\n./made";
    site.0.write("user.spec", &spec("user", "BuildRequires: gcc library-devel", &format!("{look}{program}")));
    site.succeed(&["apply"]);
    let log = site.log("user");
    for line in ["library-devel-1-1.noarch", "tree-2.2.1-1.x86_64"] {
        assert!(log.lines().any(|said| said == line), "{log}");
    }
}

#[test]
fn root_and_an_ordinary_user_build_the_same_packages() {
    let site = || {
        let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
        site.0.write("one.spec", &spec("one", "BuildRequires: gcc zlib1g-dev", COMPILE));
        site
    };
    let (of_root, of_other) = (site(), site());
    of_root.succeed(&["apply"]);
    of_other.succeed_as_ordinary_user(&["apply"]);
    let (one, other) = (published(&of_root.0), published(&of_other.0));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert!(one == other, "they have other bytes");
    assert_eq!(of_root.0.read("Rpmforge.lock"), of_other.0.read("Rpmforge.lock"));
}

#[test]
fn a_lock_that_must_not_change_refuses_what_it_does_not_have_by_name() {
    let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
    site.0.write("one.spec", &spec("one", "BuildArch: noarch", "echo > made"));
    site.succeed(&["apply"]);
    let lock = site.0.read("Rpmforge.lock");
    site.succeed(&["apply", "--locked"]);
    site.0.edit("one.spec", "BuildArch: noarch", "BuildArch: noarch\nBuildRequires: tree");
    for command in ["plan", "apply"] {
        let run = site.run(&[command, "--locked"]);
        assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
        let said = run.stderr.replace("│", "").split_whitespace().collect::<Vec<_>>().join(" ");
        let words = "what `one` is built with in chroot `clean` is not in Rpmforge.lock";
        assert!(said.contains(words), "{}", run.stderr);
    }
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
    site.succeed(&["apply"]);
    let added: Vec<String> = site.locked().into_iter().filter(|nevra| !lock.contains(nevra)).collect();
    assert_eq!(added, ["tree-2.2.1-1.x86_64"]);
    site.succeed(&["apply", "--locked"]);
}

#[test]
fn what_was_fetched_is_built_with_when_the_repository_is_gone() {
    let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
    let there = site.0.beside("repository");
    crate::support::copy(&make::repository(), &there);
    site.0.edit("Rpmforge.kdl", &make::repository().display().to_string(), &there.display().to_string());
    site.0.write("one.spec", &spec("one", "BuildArch: noarch\nBuildRequires: tree", "tree --version > made"));
    site.0.succeed(&["fetch"]);
    fs::remove_dir_all(&there).unwrap();
    site.0.succeed(&["apply", "--offline", "--locked"]);
    assert!(published(&site.0).contains_key("one-1-1.noarch.rpm"));
    // What nobody has fetched is refused by its name.
    let run = site.0.run(&["shell", "--chroot", "clean", "--with", "git", "--", "git", "--version"]);
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("git-2"), "{}", run.stderr);
}

/// Makes packages of one file each, from their names, versions and what they require.
fn write_repository(folder: &Path, packages: &[(&str, &str, &str)]) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for (name, version, requires) in packages {
        let text = spec(name, "BuildArch: noarch", "echo > made")
            .replace("Version: 1", &format!("Version: {version}"));
        let requires = if requires.is_empty() { String::new() } else { format!("Requires: {requires}\n") };
        let path = scratch.path().join(format!("{name}.spec"));
        fs::write(&path, text.replace("License: MIT\n", &format!("License: MIT\n{requires}"))).unwrap();
        let define = |name: &str, path: &Path| format!("{name} {}", path.display());
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet", "--define", &define("_topdir", scratch.path())]);
        make::run(command.args(["--define", &define("_rpmdir", folder)]).arg(path));
    }
    make::run(Command::new("createrepo_c").arg("--quiet").arg(folder));
}

#[test]
fn an_update_tells_what_is_up_new_and_gone() {
    let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
    let extra = site.0.beside("extra");
    site.0.edit(
        "Rpmforge.kdl",
        "chroot clean {",
        &format!("chroot clean {{ repo extra baseurl=\"{}\"\n", extra.display()),
    );
    site.0.write(
        "one.spec",
        &spec("one", "BuildArch: noarch\nBuildRequires: tool", "rpm -q tool > made\ncat made"),
    );
    write_repository(&extra, &[("tool", "1", "old-part"), ("old-part", "1", "")]);
    site.succeed(&["apply"]);
    assert!(site.log("one").contains("tool-1-1.noarch"));
    write_repository(&extra, &[("tool", "2", "new-part"), ("new-part", "1", "")]);
    // Until somebody asks for what is new, builds have what is locked.
    let lock = site.0.read("Rpmforge.lock");
    site.succeed(&["apply"]);
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
    let told = "clean\n  repository extra changed\n  new   new-part.noarch 1-1 (extra)\n  gone  old-part.noarch 1-1\n  up    tool.noarch 1-1 → 2-1\n";
    assert_eq!(site.succeed(&["update", "--dry-run"]).stdout, told);
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
    assert_eq!(site.succeed(&["update"]).stdout, told);
    assert_eq!(site.succeed(&["update"]).stdout, "nothing has changed\n");
    site.succeed(&["apply"]);
    assert!(site.log("one").contains("tool-2-1.noarch"));
}

#[test]
fn what_no_repository_has_fails_the_build_that_needs_it_alone() {
    let site = Site::new(
        "defaults { engine native }\npackage good { source path \"good.spec\" }\npackage poor { source path \"poor.spec\" }\n",
    );
    site.0.write("good.spec", &spec("good", "BuildArch: noarch", "echo > made"));
    site.0.write(
        "poor.spec",
        &spec("poor", "BuildArch: noarch\nBuildRequires: no-such-thing >= 2", "echo > made"),
    );
    let run = site.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.states()["good"], "succeeded");
    assert_eq!(run.states()["poor"], "skipped");
    let said = site.run(&["apply"]).stderr;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in
        ["forge::plan::root_packages", "BuildRequires of `poor`: no-such-thing >= 2", "no repository has it"]
    {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn shells_have_clean_roots_and_those_of_failed_builds() {
    let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
    site.0.write(
        "one.spec",
        &spec("one", "BuildArch: noarch\nBuildRequires: tree", "rpm -qa | sort | sha256sum\nfalse"),
    );
    let version = site.succeed(&["shell", "--chroot", "clean", "--with", "git", "--", "git", "--version"]);
    assert!(version.stdout.starts_with("git version 2."), "{}", version.stdout);
    let without = site.run(&["shell", "--chroot", "clean", "--", "git", "--version"]);
    assert_ne!(without.code, Some(0), "{}", without.stdout);
    assert_eq!(site.run(&["apply"]).code, Some(1));
    let there = site
        .succeed(&["shell", "one", "--", "sh", "-c", "rpm -qa | sort | sha256sum; tree --version"])
        .stdout;
    let digest = there.lines().next().unwrap();
    assert!(there.contains("tree v2") && site.log("one").contains(digest), "{there}");
}

/// The folders of a store that something is half made in.
fn half_made(cache: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let farms = cache.join("rpmforge/farms");
    let entries = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    for folder in ["farms/incoming", "trees/incoming", "incoming", "downloads"] {
        found.extend(entries(&cache.join("rpmforge").join(folder)));
    }
    for farm in entries(&farms) {
        let is_new = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("new-");
        found.extend(entries(&farm.join("effects")).into_iter().filter(is_new));
    }
    found
}

#[test]
fn runs_that_are_killed_at_any_moment_leave_nothing_that_is_believed() {
    let site = Site::new("defaults { engine native }\npackage one { source path \"one.spec\" }\n");
    site.0.write("one.spec", &spec("one", "BuildRequires: gcc zlib1g-dev", COMPILE));
    site.succeed(&["apply"]);
    let (expected, lock) = (published(&site.0), site.0.read("Rpmforge.lock"));
    let forget = || {
        for folder in [site.0.path().join(".forge"), site.0.path().join("public"), site.0.cache()] {
            let _ = fs::remove_dir_all(folder);
        }
        let _ = fs::remove_file(site.0.path().join("Rpmforge.lock"));
    };
    forget();
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let (mut random, mut killed) = (u64::from(seed) | 1, 0);
    while killed < 50 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut command = site.0.forge(&["apply"]);
        let mut forge =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + random % 2000));
        match forge.try_wait().unwrap() {
            // It came to its end: the next one begins with nothing.
            Some(status) => {
                assert!(status.success(), "seed {seed}, after {killed} kills");
                assert!(published(&site.0) == expected, "seed {seed}, after {killed} kills");
                forget();
            }
            None => {
                forge.kill().unwrap();
                forge.wait().unwrap();
                killed += 1;
            }
        }
    }
    site.0.succeed(&["apply"]);
    assert!(published(&site.0) == expected, "seed {seed}: they have other bytes");
    assert_eq!(site.0.read("Rpmforge.lock"), lock);
    site.0.succeed(&["gc"]);
    assert_eq!(half_made(&site.0.cache()), Vec::<PathBuf>::new(), "seed {seed}");
    // What is left is used, and is sound.
    site.0.succeed(&["apply", "--force", "one"]);
    assert!(published(&site.0) == expected, "seed {seed}: they have other bytes");
}
