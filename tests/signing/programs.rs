//! Keys that forge does not have: gpg's agent and commands.

use std::process::Command;

use crate::packages::built;
use crate::site::{new_key, public_key, run};

#[test]
fn a_command_signs_and_what_it_gives_is_checked() {
    let (project, _) = built();
    new_key(&project, "acme", "ed25519");
    let public = public_key(&project, "acme");
    let forge = env!("CARGO_BIN_EXE_forge");
    // Stands for a program that asks a hardware module.
    let command = format!("cat > in.$$ && {forge} sign --name acme in.$$ >&2 && cat in.$$.asc");
    let sign = |command: &str| {
        project.run(&["sign", "--command", command, "--public", public.to_str().unwrap(), "a.rpm"])
    };
    let signed = sign(&command);
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    project.succeed(&["verify-signatures", "a.rpm"]);
    for (wrong, why) in [
        ("exit 3", "it ended with code 3"),
        ("true", "it is no OpenPGP signature"),
        (
            &*format!("head -c 9 > in && {forge} sign --name acme in >&2 && cat in.asc"),
            "is not one of what it was given",
        ),
    ] {
        let failed = sign(wrong);
        assert_eq!(failed.code, Some(1));
        assert!(
            failed.stderr.contains("forge::package::signing_program")
                && failed.stderr.replace("\n  │ ", " ").contains(why),
            "{}",
            failed.stderr
        );
    }
}

#[test]
fn gpg_signs_with_a_key_that_its_agent_keeps() {
    let (project, _) = built();
    let home = project.beside(".gnupg");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        run(command.env("HOME", project.beside("")).args(["--batch", "--passphrase", ""]).args(arguments))
    };
    let (made, said) = gpg(&["--quick-gen-key", "Packager <packager@example.org>", "rsa2048", "sign", "0"]);
    assert!(made, "{said}");
    project.succeed(&["sign", "--gpg", "packager@example.org", "a.rpm"]);
    let public = project.beside("gpg.asc");
    assert!(gpg(&["--armor", "--output", public.to_str().unwrap(), "--export"]).0);
    project.succeed(&["verify-signatures", "--key", public.to_str().unwrap(), "a.rpm"]);
    let unknown = project.run(&["sign", "--gpg", "nobody@example.org", "a.rpm"]);
    assert!(unknown.stderr.contains("gpg has no such public key"), "{}", unknown.stderr);
    let mut end = Command::new("gpgconf");
    run(end.env("HOME", project.beside("")).args(["--kill", "gpg-agent"]));
}
