//! What is said of where packages come from, and whether it is believed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::site::{new_key, packages, public_key, signed_project};
use crate::support::{Project, repository};

/// A project with two builds, of which one is made with the other's package, and the folder of their attestations.
fn attested() -> (Project, PathBuf) {
    let project = signed_project("ed25519");
    project.write("Rpmforge.kdl", &(project.read("Rpmforge.kdl") + "package b { source path \"b.spec\" }\n"));
    project.write("text.txt", "a text\n");
    project.spec("b", "BuildRequires: a\nSource0: text.txt\nURL: https://example.org/b\nEpoch: 1", "true");
    project.succeed(&["apply"]);
    let folder = project.beside("attestations");
    project.succeed(&["attest", "write", "1", "#2", "--to", folder.to_str().unwrap(), "--name", "acme"]);
    (project, folder)
}

fn verify(project: &Project, package: &Path, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut arguments =
        vec!["attest", "verify", package.to_str().unwrap(), "--from", folder.to_str().unwrap()];
    arguments.extend(more);
    let run = project.run(&arguments);
    (run.code, run.stdout)
}

/// The result folder of `b`, and the number of the build: which of two begins first is not said.
fn result(project: &Project) -> (PathBuf, String) {
    let folders =
        fs::read_dir(project.path().join(".forge/results/host")).unwrap().map(|it| it.unwrap().path());
    let mut folders = folders.filter(|path| path.to_str().unwrap().ends_with("-b"));
    let folder = folders.next().unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap();
    let number: u64 = name.split('-').next().unwrap().parse().unwrap();
    (folder.clone(), number.to_string())
}

/// The package `b` in its result folder.
fn built(project: &Project) -> PathBuf {
    result(project).0.join("b-1.0-1.noarch.rpm")
}

#[test]
fn a_statement_says_what_a_package_was_made_of() {
    let (project, _) = attested();
    let (results, number) = result(&project);
    let shown = project.succeed(&["attest", "show", &number]).stdout;
    let statements: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = statements.iter().map(|it| it["subject"][0]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["b-1.0-1.noarch.rpm", "b-1.0-1.src.rpm"]);
    let predicate = &statements[0]["predicate"];
    let materials = predicate["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let named = |name: &str| {
        materials.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}: {materials:#?}"))
    };
    assert_eq!(named("text.txt")["annotations"]["kind"], "source");
    assert_eq!(named("text.txt")["digest"]["sha256"], sha256(b"a text\n"));
    assert_eq!(named("b.spec")["annotations"]["kind"], "spec");
    assert_eq!(named("a-1.0-1.noarch")["uri"], "pkg:rpm/a@1.0-1?arch=noarch");
    assert_eq!(predicate["buildDefinition"]["externalParameters"]["package"], "b");
    assert!(predicate["runDetails"]["metadata"]["finishedOn"].as_str().unwrap().ends_with('Z'));
    let unknown = project.run(&["attest", "show", "99"]);
    assert_eq!(unknown.code, Some(1));
    fs::remove_file(results.join("inputs.json")).unwrap();
    let unknown = project.run(&["attest", "show", &number]);
    assert!(unknown.stderr.contains("forge::publish::unknown_materials"), "{}", unknown.stderr);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_makers_of_the_forms_take_what_is_written() {
    let (_project, folder) = attested();
    let root = repository();
    let validators = root.join("target/attestation");
    let installed = Command::new(root.join(".ci/attestation-validators")).arg(&validators).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let mut command = Command::new(validators.join("bin/python"));
    command.arg(root.join("tests/signing/validate.py"));
    for file in ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm", "b-1.0-1.src.rpm"] {
        for (kind, ending) in [("spdx", "spdx.json"), ("cyclonedx", "cdx.json")] {
            command.arg(format!("{kind}={}", folder.join(format!("{file}.{ending}")).display()));
        }
        let envelope: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join(format!("{file}.intoto.json"))).unwrap()).unwrap();
        let payload = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            envelope["payload"].as_str().unwrap(),
        );
        let statement = folder.join(format!("{file}.statement.json"));
        fs::write(&statement, payload.unwrap()).unwrap();
        command.arg(format!("statement={}", statement.display()));
    }
    let run = command.output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&said));
    // What is wrong is found.
    let wrong = folder.join("wrong.json");
    fs::write(&wrong, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":\"one\"}").unwrap();
    let mut command = Command::new(validators.join("bin/python"));
    command.arg(root.join("tests/signing/validate.py")).arg(format!("cyclonedx={}", wrong.display()));
    assert!(!command.output().unwrap().status.success());
}

#[test]
fn a_changed_package_statement_or_key_is_found() {
    let (project, folder) = attested();
    let package = built(&project);
    assert_eq!(
        verify(&project, &package, &folder, &[]),
        (Some(0), format!("good   {}\n", package.display()))
    );
    // The published one is the same, with a signature.
    let published = packages(&project).into_iter().find(|path| path.ends_with("b-1.0-1.noarch.rpm")).unwrap();
    assert_ne!(fs::read(&published).unwrap(), fs::read(&package).unwrap());
    assert_eq!(verify(&project, &published, &folder, &[]).0, Some(0));
    // Any byte of the package.
    let bytes = fs::read(&package).unwrap();
    let copy = project.beside("b-1.0-1.noarch.rpm");
    for position in (0..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        fs::write(&copy, changed).unwrap();
        let (code, said) = verify(&project, &copy, &folder, &[]);
        assert!(
            code == Some(1) && said.contains("it is not the package that the statement is of"),
            "{position}: {said}"
        );
    }
    // Any bit of the statement's file, whatever it is of.
    let of_package = folder.join("b-1.0-1.noarch.rpm.intoto.json");
    let whole = fs::read(&of_package).unwrap();
    let ends = (0..40).chain(whole.len() - 400..whole.len());
    for position in ends.step_by(3).chain((40..whole.len() - 400).step_by(997)) {
        let mut changed = whole.clone();
        changed[position] ^= 1 << (position % 8);
        fs::write(&of_package, changed).unwrap();
        assert_eq!(verify(&project, &package, &folder, &[]).0, Some(1), "{position}");
    }
    fs::write(&of_package, whole).unwrap();
    // The statement of another package.
    let of_b = folder.join("b-1.0-1.noarch.rpm.intoto.json");
    let right = fs::read(&of_b).unwrap();
    fs::copy(folder.join("a-1.0-1.noarch.rpm.intoto.json"), &of_b).unwrap();
    assert!(
        verify(&project, &package, &folder, &[]).1.contains("it is not the package that the statement is of")
    );
    // A statement that was changed.
    let mut envelope: serde_json::Value = serde_json::from_slice(&right).unwrap();
    let engine = base64::engine::general_purpose::STANDARD;
    let payload = base64::Engine::decode(&engine, envelope["payload"].as_str().unwrap()).unwrap();
    let changed = String::from_utf8(payload).unwrap().replace("\"chroot\":\"host\"", "\"chroot\":\"hosT\"");
    envelope["payload"] = base64::Engine::encode(&engine, changed).into();
    fs::write(&of_b, envelope.to_string()).unwrap();
    let (code, said) = verify(&project, &package, &folder, &[]);
    assert!(code == Some(1) && said.contains("the signature by ") && said.contains(" is wrong"), "{said}");
    // No signature at all, nothing readable, nothing there.
    envelope["signatures"] = serde_json::json!([]);
    fs::write(&of_b, envelope.to_string()).unwrap();
    assert!(verify(&project, &package, &folder, &[]).1.contains("is not signed"));
    fs::write(&of_b, "{").unwrap();
    assert!(verify(&project, &package, &folder, &[]).1.contains("is no signed statement"));
    fs::remove_file(&of_b).unwrap();
    assert!(
        verify(&project, &package, &folder, &[]).1.contains("there is no b-1.0-1.noarch.rpm.intoto.json")
    );
    // A key that nobody knows.
    fs::write(&of_b, right).unwrap();
    new_key(&project, "other", "ed25519");
    let other = public_key(&project, "other");
    let (code, said) = verify(&project, &package, &folder, &["--key", other.to_str().unwrap()]);
    assert!(code == Some(1) && said.contains("which is not known"), "{said}");
}

#[test]
fn a_package_that_was_changed_is_not_attested() {
    let (project, folder) = attested();
    let package = built(&project);
    let mut bytes = fs::read(&package).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::remove_file(&package).unwrap();
    fs::write(&package, bytes).unwrap();
    let run = project.run(&[
        "attest",
        "write",
        &result(&project).1,
        "--to",
        folder.to_str().unwrap(),
        "--name",
        "acme",
    ]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::publish::changed_package"), "{}", run.stderr);
}
