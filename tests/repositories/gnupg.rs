//! Keys that GnuPG makes, and packages that rpm signs with them: others than ours wrote these.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rpmforge::chroot::{DeclaredKey, KeyPlace, RepositoryRequest, RepositorySource, SignatureRule};
use rpmforge::files::HostPath;
use tempfile::TempDir;

use crate::keys::MADE;
use crate::site::{Site, User, from, locked};

/// A folder of GnuPG's with one key.
struct Gnupg {
    home: TempDir,
}

impl Gnupg {
    /// With a key that expires so many seconds after the others of these tests were made; 0 is never.
    fn new(kind: &str, expires: u32) -> Self {
        let gnupg = Self { home: TempDir::new().unwrap() };
        fs::set_permissions(gnupg.home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        // Also for rpmsign, which calls it without any of that.
        let settings = format!("pinentry-mode loopback\nfaked-system-time {MADE}!\n");
        fs::write(gnupg.home.path().join("gpg.conf"), settings).unwrap();
        let expires = if expires == 0 { "0".to_owned() } else { format!("seconds={expires}") };
        gnupg.run(&["--quick-gen-key", "Packager <packager@example.org>", kind, "sign", &expires]);
        gnupg
    }

    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let run = Command::new("gpg")
            .args([
                "--homedir",
                self.home.path().to_str().unwrap(),
                "--batch",
                "--yes",
                "--no-tty",
                "--passphrase",
                "",
            ])
            .args([
                "--passphrase",
                "",
                "--pinentry-mode",
                "loopback",
                "--faked-system-time",
                &format!("{MADE}!"),
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("gpg is installed by .ci/test");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }

    /// Takes the key back.
    fn revoke(&self) {
        let folder = self.home.path().join("openpgp-revocs.d");
        let made = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        // GnuPG keeps people from importing it by accident.
        let text = fs::read_to_string(&made).unwrap().replace(":-----BEGIN", "-----BEGIN");
        fs::write(&made, text).unwrap();
        self.run(&["--import", made.to_str().unwrap()]);
    }

    fn declared(&self) -> DeclaredKey {
        let path = self.home.path().join("key.asc");
        fs::write(&path, self.run(&["--armor", "--export"])).unwrap();
        DeclaredKey { place: KeyPlace::File(HostPath::new(path).unwrap()), fingerprints: Vec::new() }
    }

    fn sign(&self, path: &Path) {
        self.run(&["--armor", "--detach-sign", path.to_str().unwrap()]);
    }

    fn sign_package(&self, path: &Path) {
        let home = self.home.path().to_str().unwrap();
        let run = Command::new("rpmsign")
            .args(["--define", "_gpg_name packager@example.org", "--define", &format!("_gpg_path {home}")])
            .args(["--define", "__gpg /usr/bin/gpg", "--define", "_gpg_digest_algo sha256", "--addsign"])
            .arg(path)
            .env("GNUPGHOME", home)
            .output()
            .expect("rpmsign is installed by .ci/test");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let home = self.home.path();
        let _ = Command::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "all"]).output();
    }
}

fn request(site: &Site, key: DeclaredKey) -> RepositoryRequest {
    let mut request = from(RepositorySource::Folder(site.host_path()));
    (request.metadata_signature, request.package_signatures) =
        (SignatureRule::Required, SignatureRule::Required);
    request.keys = vec![key];
    request
}

#[test]
fn what_gnupg_and_rpm_sign_is_taken_until_the_key_expires_or_is_taken_back() {
    for kind in ["rsa2048", "ed25519"] {
        let gnupg = Gnupg::new(kind, 1000);
        let site = Site::new();
        gnupg.sign_package(&site.add("alpha", "1.0", None));
        site.index(&[]);
        gnupg.sign(&site.path().join("repodata/repomd.xml"));
        let mut user = User::new();
        let asked = request(&site, gnupg.declared());
        let packages: Vec<_> = user.packages(&asked).unwrap().iter().map(locked).collect();
        user.fetch(&packages, &asked).unwrap();
        user.assert_sound();
        user.time = 1000;
        user.refused(user.load(&asked), "forge::chroot::expired_key");
        user.refused(user.fetch(&packages, &asked), "forge::chroot::expired_key");
        user.time = 100;
        gnupg.revoke();
        let asked = request(&site, gnupg.declared());
        user.refused(user.load(&asked), "forge::chroot::revoked_key");
        user.refused(user.fetch(&packages, &asked), "forge::chroot::revoked_key");
    }
}
