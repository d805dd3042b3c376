//! `forge keys`

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::site::{field, new_key, public_key};
use crate::support::{Project, Run};

#[test]
fn a_key_is_kept_where_nobody_else_can_read_it() {
    let project = Project::new();
    let fingerprint = new_key(&project, "acme", "ed25519");
    let folder = project.beside(".config/rpmforge/keys");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("acme.asc"))), (0o700, 0o600));
    assert_eq!(field(&project.succeed(&["keys", "show", "acme"]), "fingerprint"), fingerprint);
    let listed: serde_json::Value =
        serde_json::from_str(&project.succeed(&["keys", "list", "--json"]).stdout).unwrap();
    assert_eq!(listed[0]["fingerprint"], fingerprint.as_str());
    std::fs::set_permissions(folder.join("acme.asc"), PermissionsExt::from_mode(0o640)).unwrap();
    let refused = project.run(&["keys", "show", "acme"]);
    assert!(
        refused.stderr.contains("forge::package::key") && refused.stderr.contains("others may read it"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_name_is_taken_once() {
    let project = Project::new();
    new_key(&project, "acme", "ed25519");
    let again = project.run(&["keys", "new", "acme", "--user", "b", "--kind", "ed25519", "--no-passphrase"]);
    assert!(again.stderr.contains("there is a key of that name already"), "{}", again.stderr);
    let bad = project.run(&["keys", "new", "../acme", "--user", "b", "--kind", "ed25519", "--no-passphrase"]);
    assert!(bad.stderr.contains("its name has to consist of"), "{}", bad.stderr);
}

#[test]
fn a_key_goes_out_and_comes_in_again() {
    let project = Project::new();
    let fingerprint = new_key(&project, "acme", "ed25519");
    let public = std::fs::read_to_string(public_key(&project, "acme")).unwrap();
    assert!(public.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "{public}");
    let secret = project.beside("secret.asc");
    project.succeed(&["keys", "export", "acme", "--secret", "--output", secret.to_str().unwrap()]);
    let mode = std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let imported = project.succeed(&["keys", "import", "again", secret.to_str().unwrap()]);
    assert_eq!(field(&imported, "fingerprint"), fingerprint);
    let public_again = public_key(&project, "acme");
    let refused = project.run(&["keys", "import", "public", public_again.to_str().unwrap()]);
    assert!(refused.stderr.contains("it is a public key"), "{}", refused.stderr);
}

/// Signs a file with the key `acme`; the passphrase comes as said.
fn sign_with_passphrase(project: &Project, variable: &str, value: &str) -> Run {
    project.write("file", "content\n");
    let mut command = project.forge(&["sign", "--name", "acme", "file"]);
    Run::from(command.env(variable, value).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_passphrase_comes_from_a_variable_or_a_descriptor_and_is_never_shown() {
    let project = Project::new();
    let mut make = project.forge(&["keys", "new", "acme", "--user", "a", "--kind", "ed25519"]);
    assert!(make.env("RPMFORGE_PASSPHRASE", "hush hush").status().unwrap().success());
    let right = sign_with_passphrase(&project, "RPMFORGE_PASSPHRASE", "hush hush");
    assert_eq!(right.code, Some(0), "{}", right.stderr);
    let wrong = sign_with_passphrase(&project, "RPMFORGE_PASSPHRASE", "hush hash");
    assert!(wrong.stderr.contains("forge::package::wrong_passphrase"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("hash"), "{}", wrong.stderr);
    project.write("passphrase", "hush hush\n");
    let script = format!("exec {} sign --name acme file 7<passphrase", env!("CARGO_BIN_EXE_forge"));
    let mut by_descriptor = project.forge(&[]);
    let environment: Vec<_> =
        by_descriptor.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
    let said = Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(project.path())
        .env_clear()
        .envs(environment)
        .env("RPMFORGE_PASSPHRASE_FD", "7")
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    // Where there is no terminal, nobody is asked.
    let mut nobody = Command::new("setsid");
    nobody.arg(env!("CARGO_BIN_EXE_forge")).args(["sign", "--name", "acme", "file"]);
    nobody
        .current_dir(project.path())
        .envs(by_descriptor.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let nobody = Run::from(nobody.stdin(Stdio::null()).output().unwrap());
    assert!(nobody.stderr.contains("forge::package::no_passphrase"), "{}", nobody.stderr);
    by_descriptor.env_clear();
}

#[test]
fn a_key_that_is_rotated_leaves_in_two_steps() {
    let project = Project::new();
    let first = new_key(&project, "acme", "ed25519");
    let rotated = project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    assert_eq!(field(&rotated, "previous"), first);
    let public = std::fs::read_to_string(public_key(&project, "acme")).unwrap();
    assert_eq!(public.matches("BEGIN PGP PUBLIC KEY BLOCK").count(), 2);
    let twice = project.run(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    assert!(twice.stderr.contains("it has a previous key still"), "{}", twice.stderr);
    project.succeed(&["keys", "rotate", "acme", "--finish"]);
    let none = project.run(&["keys", "rotate", "acme", "--finish"]);
    assert!(none.stderr.contains("it has no previous key"), "{}", none.stderr);
}

/// A secret key of the year 2020 that was good for a day, as a file.
fn ended_key(project: &Project) -> Vec<u8> {
    let home = project.beside("old");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", &home).args(["--batch", "--passphrase", "", "--pinentry-mode", "loopback"]);
        command.args(["--faked-system-time", "20200101T000000"]).args(arguments).output().unwrap()
    };
    let made = gpg(&["--quick-gen-key", "Old <old@example.org>", "ed25519", "sign", "1d"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = gpg(&["--armor", "--export-secret-keys"]).stdout;
    let _ = Command::new("gpgconf").env("GNUPGHOME", &home).args(["--kill", "gpg-agent"]).status();
    key
}

#[test]
fn a_key_whose_time_is_over_is_rotated_and_hinders_nothing() {
    let project = Project::new();
    new_key(&project, "acme", "ed25519");
    let file = project.beside(".config/rpmforge/keys/acme.asc");
    std::fs::write(&file, ended_key(&project)).unwrap();
    let refused = project.run(&["keys", "show", "acme"]);
    assert!(refused.stderr.contains("it has expired on 2020-01-02"), "{}", refused.stderr);
    // Files that others have signed are verified all the same.
    new_key(&project, "other", "ed25519");
    project.write("file", "content\n");
    project.succeed(&["sign", "--name", "other", "file"]);
    project.succeed(&["verify-signatures", "file"]);
    let rotated = project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    assert!(rotated.stdout.contains("its time is over"), "{}", rotated.stdout);
    assert_eq!(field(&rotated, "user"), "Old");
    project.succeed(&["sign", "--name", "acme", "file"]);
    project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    project.succeed(&["keys", "rotate", "acme", "--finish"]);
}

#[test]
fn a_rotation_that_was_killed_is_done_again() {
    let project = Project::new();
    let first = new_key(&project, "acme", "ed25519");
    let folder = project.beside(".config/rpmforge/keys");
    std::fs::hard_link(folder.join("acme.asc"), folder.join("acme.previous.asc")).unwrap();
    let rotated = project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    assert_eq!(field(&rotated, "previous"), first);
    assert_ne!(field(&rotated, "fingerprint"), first);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside them");
}

#[test]
fn what_is_no_key_and_no_name_is_refused() {
    let project = Project::new();
    for (user, name) in
        [("", "a"), (" ", "a"), ("two\nlines", "a"), ("b", ""), ("b", ".a"), ("b", "a.previous")]
    {
        let run = project.run(&["keys", "new", name, "--user", user, "--kind", "ed25519", "--no-passphrase"]);
        assert!(
            run.code == Some(1) && run.stderr.contains("forge::package::key"),
            "{user:?}: {}",
            run.stderr
        );
    }
    new_key(&project, "acme", "ed25519");
    let secret = project.beside("secret.asc");
    project.succeed(&["keys", "export", "acme", "--secret", "--output", secret.to_str().unwrap()]);
    let whole = std::fs::read(&secret).unwrap();
    let mut wrong: Vec<Vec<u8>> = vec![Vec::new(), b"text".to_vec(), [&whole[..], &whole[..]].concat()];
    wrong.extend((1..8).map(|part| whole[..whole.len() * part / 8].to_vec()));
    for content in wrong {
        std::fs::write(&secret, &content).unwrap();
        let run = project.run(&["keys", "import", "again", secret.to_str().unwrap()]);
        assert_eq!(run.code, Some(1), "{} bytes: {}{}", content.len(), run.stdout, run.stderr);
        assert!(run.stderr.contains("forge::package::key"), "{} bytes: {}", content.len(), run.stderr);
    }
    assert!(!project.beside(".config/rpmforge/keys/again.asc").exists());
}
