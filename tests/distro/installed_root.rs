//! A root that Debian's dnf installs from the distribution.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::make;

/// A root, gone when this is dropped.
pub struct InstalledRoot {
    temp: TempDir,
    /// What dnf said.
    pub said: String,
}

impl InstalledRoot {
    /// Installs packages and groups (`@name`), without what is only recommended.
    #[track_caller]
    pub fn install(wanted: &[&str]) -> Self {
        assert!(rustix::process::geteuid().is_root(), "dnf installs roots as root only");
        let temp = tempfile::tempdir().unwrap();
        // Where the database is, the machine's rpm says, and not the root's.
        fs::write(temp.path().join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
        fs::create_dir(temp.path().join("log")).unwrap();
        let at = |name: &str| temp.path().join(name).display().to_string();
        let mut command = Command::new("dnf");
        command.args(["--assumeyes", "--nogpgcheck", "--releasever=13", "--repo=distro"]);
        command.arg(format!("--installroot={}", at("root")));
        command.arg(format!("--repofrompath=distro,file://{}", make::repository().display()));
        for (option, value) in [("cachedir", at("cache")), ("logdir", at("log")), ("reposdir", at("none"))] {
            command.arg(format!("--setopt={option}={value}"));
        }
        command.args(["--setopt=install_weak_deps=False", "install"]).args(wanted);
        let said = make::run(command.env("HOME", temp.path()).env("LC_ALL", "C.UTF-8"));
        Self { temp, said }
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    /// Runs a shell script in it, which must succeed, and gives what it says.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let root = self.path().display().to_string();
        let enter = "mount --rbind /dev $0/dev; mount -t proc proc $0/proc; exec chroot $0 env -i \
                     PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -euc \"$1\"";
        make::run(Command::new("unshare").args(["--mount", "sh", "-ec", enter, &root, script]))
    }
}
