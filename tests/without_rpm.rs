//! `forge apply` on a machine without any program, macro file or database of rpm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

mod support;

use std::process::Command;

use support::Project;

/// Hides all of rpm from what follows, and fails if something of it is left.
const HIDE: &str = "for folder in /usr/lib/rpm /etc/rpm /var/lib/rpm /usr/lib/sysimage/rpm; do \
    if [ -d $folder ]; then mount -t tmpfs none $folder; fi; done; \
    mkdir /usr/lib/rpm/.none; \
    for program in /usr/bin/rpm*; do mount --bind /usr/lib/rpm/.none $program 2>/dev/null || \
    { : > /usr/lib/rpm/.file; mount --bind /usr/lib/rpm/.file $program; }; done; \
    if rpm --version; then exit 99; fi; rmdir /usr/lib/rpm/.none; ";

/// Runs `forge apply` where rpm is hidden: in a mount namespace, which root can make, and others in one of users.
fn apply(project: &Project) -> std::process::Output {
    let root = project.beside("root");
    std::fs::create_dir(&root).unwrap();
    let hidden =
        format!("{HIDE} cd {}; exec {} apply", project.path().display(), env!("CARGO_BIN_EXE_forge"));
    // What is mounted here may not be seen outside. A root that is no mount, as that of a plain chroot, can't be told so:
    // there a copy of its mounts is.
    let script = format!(
        "root={}; if mount --make-rprivate / 2>/dev/null; then root=/; \
         else mount --rbind / $root && mount --make-rprivate $root || exit 98; fi; exec chroot $root /bin/sh -c \"$0\"",
        root.display()
    );
    let is_root = rustix::process::geteuid().is_root();
    let own: &[&str] = if is_root { &[] } else { &["--user", "--map-root-user"] };
    let mut command = Command::new("unshare");
    command.args(own).args(["--mount", "--propagation", "unchanged", "/bin/sh", "-c", &script, &hidden]);
    command.current_dir(project.path()).env("XDG_CACHE_HOME", project.cache());
    command.output().unwrap()
}

#[test]
fn examples_are_built_in_a_root_without_rpm() {
    for (example, packages) in [("hello", 1), ("libraries", 4)] {
        let project = Project::example(example);
        let output = apply(&project);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{packages} built")), "{said}");
        // rpm, which is there once more, finds nothing wrong with them.
        let published = project.published();
        for package in published.keys().filter(|path| path.extension().is_some_and(|end| end == "rpm")) {
            let status = Command::new("rpm")
                .args(["-K", "--nosignature"])
                .arg(project.path().join(package))
                .output()
                .unwrap();
            assert!(status.status.success(), "{}: {status:?}", package.display());
        }
    }
}

#[test]
fn debug_information_is_packaged_in_a_root_without_rpm() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let spec = "%global _forge_native_debuginfo 1\n%global _enable_debug_packages 1\n%global _debugsource_packages 1\n\
        Name: a\nVersion: 1\nRelease: 1\nSummary: A\nLicense: MIT\n%description\nA.\n\
        %prep\n%setup -q -c -T\necho 'int main(void) { return 0; }' >a.c\n\
        %install\nmkdir -p %{buildroot}/usr/bin\ngcc -g -Wl,--build-id=sha1 -o %{buildroot}/usr/bin/a a.c\n\
        %files\n/usr/bin/a\n";
    project.write("a.spec", spec);
    let output = apply(&project);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let published = project.published();
    let names: Vec<String> = published
        .keys()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".x86_64.rpm"))
        .collect();
    for package in ["a-1-1", "a-debuginfo-1-1", "a-debugsource-1-1"] {
        assert!(names.iter().any(|name| name.starts_with(package)), "{package} of {names:?}\n{said}");
    }
}
