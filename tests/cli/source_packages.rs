//! Packages that come from source packages: what is unpacked of them, how far it is believed, and when it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Project, spec};

/// Makes a source package of a spec with sources, in the project, with further options of rpmbuild.
fn source_package(project: &Project, text: &str, files: &[(&str, &[u8])], options: &[&str]) -> PathBuf {
    let folder = project.beside("making");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.spec"), text).unwrap();
    files.iter().for_each(|(name, content)| fs::write(folder.join(name), content).unwrap());
    let define = |name: &str| format!("{name} {}", folder.display());
    let defines = ["_topdir", "_sourcedir", "_srcrpmdir"].map(define);
    let mut arguments = vec!["rpmbuild", "-bs"];
    defines.iter().for_each(|define| arguments.extend(["-D", define.as_str()]));
    arguments.extend(options);
    let path = folder.join("a.spec").display().to_string();
    arguments.push(&path);
    project.succeed(&arguments);
    let is_package = |path: &PathBuf| path.to_string_lossy().ends_with(".src.rpm");
    let made = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(is_package).unwrap();
    fs::copy(made, project.path().join("a.src.rpm")).unwrap();
    project.path().join("a.src.rpm")
}

fn project() -> Project {
    Project::with("package a { source path \"a.src.rpm\" }\n")
}

fn plain(project: &Project) -> PathBuf {
    let text = spec("a", "Source0: data", "cat %{SOURCE0}");
    source_package(project, &text, &[("data", b"data")], &[])
}

/// What lies where source packages are unpacked, the lock aside.
fn unpacked(project: &Project) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(project.path().join(".forge/sources")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap() != "lock").collect()
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { size_of(&entry.path()) } else { entry.metadata().unwrap().len() }
            },
        )
        .sum()
}

/// Replaces the first of some bytes in a file.
fn patch(file: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the bytes are there");
    bytes[at..at + from.len()].copy_from_slice(to);
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_was_unpacked_and_damaged_is_unpacked_again() {
    let project = project();
    plain(&project);
    project.succeed(&["check"]);
    let files = unpacked(&project)[0].join("files");
    let whole = fs::read(files.join("a.spec")).unwrap();
    let damages: [&dyn Fn(); 5] = [
        &|| fs::write(files.join("a.spec"), "").unwrap(),
        &|| fs::write(files.join("data"), "dasa").unwrap(),
        &|| fs::remove_file(files.join("data")).unwrap(),
        &|| fs::write(files.join("more.inc"), "").unwrap(),
        &|| fs::set_permissions(files.join("data"), fs::Permissions::from_mode(0o755)).unwrap(),
    ];
    for damage in damages {
        damage();
        project.succeed(&["check"]);
        assert_eq!(fs::read(files.join("a.spec")).unwrap(), whole);
        assert_eq!(fs::read(files.join("data")).unwrap(), b"data");
        assert!(!files.join("more.inc").exists());
        assert_eq!(fs::metadata(files.join("data")).unwrap().permissions().mode() & 0o111, 0);
    }
    assert_eq!(unpacked(&project).len(), 1);
}

#[test]
fn a_damaged_record_is_not_believed() {
    let project = project();
    plain(&project);
    project.succeed(&["check"]);
    let folder = unpacked(&project).remove(0);
    let record = fs::read_to_string(folder.join("record")).unwrap();
    fs::write(folder.join("files/a.spec"), "").unwrap();
    for text in ["", "{}", &record.replace("a.spec", "b.spec"), &record.replace("data", "dasa")] {
        fs::write(folder.join("record"), text).unwrap();
        project.succeed(&["check"]);
    }
}

#[test]
fn what_the_manifest_no_longer_names_is_collected() {
    let project = project();
    plain(&project);
    project.succeed(&["apply"]);
    let old = unpacked(&project);
    fs::create_dir_all(project.path().join(".forge/sources/.forge-tmp-1-0/files")).unwrap();
    fs::create_dir_all(project.path().join(".forge/sources/").join("0".repeat(64))).unwrap();
    project.write(".forge/sources/not-ours", "");
    source_package(&project, &spec("a", "", "true"), &[], &[]);
    project.succeed(&["apply"]);
    fs::remove_file(project.path().join(".forge/sources/not-ours")).unwrap();
    let new = unpacked(&project);
    assert_eq!((old.len(), new.len()), (1, 1));
    assert_ne!(old, new);
    project.write("a.spec", &spec("a", "", "true"));
    project.edit("Rpmforge.kdl", "a.src.rpm", "a.spec");
    project.succeed(&["gc", "--older", "1d"]);
    assert!(unpacked(&project).is_empty());
}

#[test]
fn nothing_is_collected_while_another_forge_reads() {
    let project = project();
    plain(&project);
    project.succeed(&["check"]);
    let lock = fs::File::open(project.path().join(".forge/sources/lock")).unwrap();
    lock.lock_shared().unwrap();
    source_package(&project, &spec("a", "", "true"), &[], &[]);
    project.succeed(&["check"]);
    assert_eq!(unpacked(&project).len(), 2);
    drop(lock);
    project.succeed(&["check"]);
    assert_eq!(unpacked(&project).len(), 1);
}

#[test]
fn a_source_package_of_two_specs_is_refused_by_name() {
    let project = project();
    let other = spec("b", "", "true");
    source_package(&project, &spec("a", "Source0: b.spec", "true"), &[("b.spec", other.as_bytes())], &[]);
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("two_specs", run.stderr);
    assert!(unpacked(&project).is_empty());
}

#[test]
fn a_folder_elsewhere_with_two_specs_is_refused_by_name() {
    let project = Project::new();
    let folder = project.beside("two");
    fs::create_dir(&folder).unwrap();
    for name in ["a", "b"] {
        fs::write(folder.join(format!("{name}.spec")), spec(name, "", "true")).unwrap();
    }
    let text = format!("{}package a {{ source path \"{}\" }}\n", crate::support::host(), folder.display());
    project.write("Rpmforge.kdl", &text);
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::source::many_specs"), "{}", run.stderr);
    assert!(run.stderr.contains("`a.spec`, `b.spec`"), "{}", run.stderr);
}

#[test]
fn a_small_package_that_would_fill_the_disk_is_refused_before_a_byte_is_written() {
    let project = project();
    let zeros = vec![0; 20 << 20];
    let package = source_package(&project, &spec("a", "Source0: zeros", "true"), &[("zeros", &zeros)], &[]);
    assert!(fs::metadata(package).unwrap().len() < 100_000);
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::too_compressed"), "{}", run.stderr);
    assert!(run.stderr.contains("more than 200 times as many"), "{}", run.stderr);
    assert!(unpacked(&project).is_empty());
    assert!(size_of(&project.path().join(".forge")) < 1 << 20);
}

#[test]
fn a_payload_that_is_larger_than_its_header_says_is_stopped() {
    let project = project();
    let zeros = vec![0; 20 << 20];
    let options = ["-D", "_rpmformat 4"];
    let package =
        source_package(&project, &spec("a", "Source0: zeros", "true"), &[("zeros", &zeros)], &options);
    patch(&package, &(20_u32 << 20).to_be_bytes(), &10_u32.to_be_bytes());
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::package::too_much"), "{}", run.stderr);
    assert!(unpacked(&project).is_empty());
}

#[test]
fn a_package_larger_than_any_is_refused_by_what_its_header_says() {
    let project = project();
    let text = spec("a", "Source0: zeros", "true");
    let options = ["-D", "_rpmformat 6"];
    let package = source_package(&project, &text, &[("zeros", &vec![0; 77_777])], &options);
    patch(&package, &77_777_u64.to_be_bytes(), &(9_u64 << 30).to_be_bytes());
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::source::too_large"), "{}", run.stderr);
    assert!(run.stderr.contains("more than the 8 GiB"), "{}", run.stderr);
    assert!(unpacked(&project).is_empty());
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let project = project();
    let text = spec("a", "Source0: harmless", "true");
    let package = source_package(&project, &text, &[("harmless", b"data")], &[]);
    // The list of sources comes before the names of the files.
    patch(&package, b"harmless\0", b"../../up\0");
    patch(&package, b"harmless\0", b"../../up\0");
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::source::unsafe_file"), "{}", run.stderr);
    assert!(unpacked(&project).is_empty());
}

#[test]
fn a_package_that_is_cut_short_leaves_nothing_behind() {
    let project = project();
    let package = plain(&project);
    let bytes = fs::read(&package).unwrap();
    fs::write(&package, &bytes[..bytes.len() - 60]).unwrap();
    assert_eq!(project.run(&["check"]).code, Some(1));
    assert!(unpacked(&project).is_empty());
}

#[test]
fn a_spec_that_is_too_large_is_refused() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let file = fs::File::create(project.path().join("a.spec")).unwrap();
    file.set_len((32 << 20) + 1).unwrap();
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("forge::source::spec_too_large"), "{}", run.stderr);
}

#[test]
fn a_spec_of_very_many_sources_is_refused_at_a_limit() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let many: String = (0..20_001).map(|number| format!("Source{number}: f{number}\n")).collect();
    project.write("a.spec", &spec("a", &many, "true"));
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::spec::too_many_sources"), "{}", run.stderr);
    assert!(run.stderr.contains("more than 20000 sources and patches"), "{}", run.stderr);
}

#[test]
fn of_many_missing_sources_the_first_are_told() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    let many: String = (0..300).map(|number| format!("Source{number}: f{number}\n")).collect();
    project.write("a.spec", &spec("a", &many, "true"));
    let run = project.run(&["check"]);
    assert_eq!(run.stderr.matches("forge::source::missing").count(), 20);
    assert!(run.stderr.contains("forge::source::and_more"), "{}", run.stderr);
    assert!(run.stderr.contains("280 more sources"), "{}", run.stderr);
}
