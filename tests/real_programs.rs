//! Packages that `forge rpmbuild` writes, in the hands of programs that others wrote: rpm, dnf, rpm2cpio, cpio.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SPEC: &str = "Name: real\nVersion: 1\nRelease: 1\nSummary: Used by real programs\nLicense: MIT\nBuildArch: noarch\n\
    URL: https://example.org/\n%description\nA package for real programs.\n%prep\n%setup -q -c -T\n%build\necho r > README\n\
    %install\nmkdir -p %{buildroot}/opt/real; cd %{buildroot}/opt/real\n\
    echo one > plain; ln plain linked; ln -s plain symbolic; echo conf > real.conf; echo caps > able\n\
    echo quiet > secret; chmod 600 secret\n\
    %post -p <lua>\nlocal f = io.open('/opt/real/made-by-post', 'w'); f:write('post'); f:close()\n\
    %preun -p <lua>\nos.remove('/opt/real/made-by-post')\n\
    %files\n%doc README\n%dir /opt/real\n/opt/real/plain\n/opt/real/linked\n/opt/real/symbolic\n\
    %config(noreplace) /opt/real/real.conf\n%caps(cap_net_raw=p) /opt/real/able\n%attr(600,root,root) /opt/real/secret\n\
    %ghost %attr(644,root,root) /opt/real/made-by-post\n%changelog\n* Mon Jan 05 2026 A B <a@b> - 1-1\n- First\n";

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("HOME", folder).env("LC_ALL", "C.UTF-8");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn succeed(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = run(folder, program, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {out}{err}");
    out.into_owned()
}

/// Builds the package; `options` are settings.
fn built(folder: &Path, options: &[&str]) -> PathBuf {
    fs::write(folder.join("real.spec"), SPEC).unwrap();
    let top = format!("_topdir {}/top", folder.display());
    let mut arguments = vec!["rpmbuild", "-bb", "--nodeps", "-D", &top];
    options.iter().for_each(|option| arguments.extend(["-D", option]));
    arguments.push("real.spec");
    succeed(folder, env!("CARGO_BIN_EXE_forge"), &arguments);
    folder.join("top/RPMS/noarch/real-1-1.noarch.rpm")
}

const PAYLOADS: [&str; 6] = ["w9.gzdio", "w.ufdio", "w9.bzdio", "w2.xzdio", "w2T2.xzdio", "w3.zstdio"];

#[test]
fn rpm_finds_every_digest_right() {
    let temp = tempfile::tempdir().unwrap();
    for payload in PAYLOADS {
        let package = built(temp.path(), &[&format!("_binary_payload {payload}")]);
        let said = succeed(temp.path(), "rpm", &["-Kv", "--nosignature", package.to_str().unwrap()]);
        for what in [
            "Header SHA256 digest: OK",
            "Header SHA1 digest: OK",
            "Payload SHA256 digest: OK",
            "MD5 digest: OK",
        ] {
            assert!(said.contains(what), "{payload}: {said}");
        }
    }
}

#[test]
fn rpm_sees_one_changed_byte() {
    let temp = tempfile::tempdir().unwrap();
    let package = built(temp.path(), &[]);
    let mut bytes = fs::read(&package).unwrap();
    let last = bytes.len() - 30;
    bytes[last] ^= 1;
    fs::write(&package, bytes).unwrap();
    assert!(!run(temp.path(), "rpm", &["-K", "--nosignature", package.to_str().unwrap()]).status.success());
}

#[test]
fn rpm_installs_verifies_and_removes_it() {
    let temp = tempfile::tempdir().unwrap();
    for options in [&["_binary_payload w9.gzdio"][..], &["_binary_payload w3.zstdio", "_rpmformat 6"]] {
        let package = built(temp.path(), options);
        let root = temp.path().join("root");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).unwrap();
        let root_option = root.to_str().unwrap();
        let rpm = |arguments: &[&str]| {
            let all = [&["--root", root_option, "--dbpath", "/var/lib/rpm"], arguments].concat();
            succeed(temp.path(), "rpm", &all)
        };
        rpm(&["-i", "--nodeps", "--nosignature", package.to_str().unwrap()]);
        let inside = |name: &str| root.join("opt/real").join(name);
        assert_eq!(fs::read_to_string(inside("linked")).unwrap(), "one\n");
        assert_eq!(
            fs::metadata(inside("plain")).unwrap().ino(),
            fs::metadata(inside("linked")).unwrap().ino()
        );
        assert_eq!(fs::read_link(inside("symbolic")).unwrap(), Path::new("plain"));
        assert_eq!(fs::metadata(inside("secret")).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_to_string(inside("made-by-post")).unwrap(), "post");
        let capabilities = succeed(temp.path(), "getcap", &[inside("able").to_str().unwrap()]);
        assert!(capabilities.contains("cap_net_raw=p"), "{capabilities}");
        rpm(&["-V", "--nodeps", "real"]);
        fs::write(inside("real.conf"), "changed\n").unwrap();
        rpm(&["-e", "real"]);
        assert!(!inside("plain").exists() && !inside("made-by-post").exists());
        assert_eq!(fs::read_to_string(inside("real.conf.rpmsave")).unwrap(), "changed\n");
    }
}

#[test]
fn cpio_unpacks_what_rpm2cpio_gives_it() {
    let temp = tempfile::tempdir().unwrap();
    let package = built(temp.path(), &["_binary_payload w9.gzdio"]);
    let script = format!("mkdir out && cd out && rpm2cpio {} | cpio -idm --quiet", package.display());
    succeed(temp.path(), "/bin/sh", &["-ec", &script]);
    assert_eq!(fs::read_to_string(temp.path().join("out/opt/real/linked")).unwrap(), "one\n");
    let list = succeed(
        temp.path(),
        "/bin/sh",
        &["-ec", &format!("rpm2cpio {} | cpio -it --quiet", package.display())],
    );
    assert!(list.lines().any(|line| line == "./opt/real/secret"), "{list}");
}

#[test]
fn dnf_installs_it_from_a_repository() {
    let temp = tempfile::tempdir().unwrap();
    let package = built(temp.path(), &[]);
    let repository = package.parent().unwrap();
    succeed(temp.path(), "createrepo_c", &["-q", repository.to_str().unwrap()]);
    let root = temp.path().join("root");
    let path = format!("--repofrompath=real,file://{}", repository.display());
    let installroot = format!("--installroot={}", root.display());
    let arguments = [
        "-y",
        "-q",
        &installroot,
        &path,
        "--repo=real",
        "--releasever=1",
        "--setopt=cachedir=/cache",
        "--setopt=pluginpath=/nonexistent",
        "--nogpgcheck",
        "install",
        "real",
    ];
    // Nothing in that root provides the shell that no script of this package needs.
    succeed(temp.path(), "dnf", &arguments);
    assert_eq!(fs::read_to_string(root.join("opt/real/plain")).unwrap(), "one\n");
}

#[test]
fn rpm_tells_of_files_what_the_spec_said() {
    let temp = tempfile::tempdir().unwrap();
    let package = built(temp.path(), &[]);
    let dump = succeed(temp.path(), "rpm", &["-qp", "--nosignature", "--dump", package.to_str().unwrap()]);
    let line = |name: &str| dump.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let fields = |name: &str| line(name).split(' ').map(str::to_owned).collect::<Vec<_>>();
    // path size mtime digest mode owner group isconfig isdoc rdev symlink
    assert_eq!(fields("/opt/real/real.conf")[4..9], ["0100644", "root", "root", "1", "0"]);
    assert_eq!(fields("/opt/real/secret")[4], "0100600");
    assert_eq!(fields("/opt/real/symbolic")[10], "plain");
    assert_eq!(fields("/usr/share/doc/real-1/README")[8], "1");
}
