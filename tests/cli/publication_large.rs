//! Repositories of many files: what changed is written beside the record, and nothing hangs on either of the two.

use std::fs;

use crate::support::{Project, Repository};

/// So many packages of the manifest, and so many that each of them builds.
const PACKAGES: usize = 44;
const PARTS: usize = 10;

/// A spec with many packages in it.
fn write_spec(project: &Project, name: &str, version: &str) {
    let part =
        |number| format!("%package {number}\nSummary: a\n%description {number}\nA.\n%files {number}\n");
    let parts: String = (0..PARTS).map(part).collect();
    project.write(
        &format!("{name}.spec"),
        &format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: a\nLicense: MIT\nBuildArch: noarch\n\
             %description\nA.\n%files\n{parts}"
        ),
    );
}

/// The files of the packages that the repository names, which are all there and whole.
fn packages(project: &Project) -> Vec<String> {
    let packages = Repository::new(project.path().join("public/host")).follow().unwrap();
    let mut names: Vec<String> =
        packages.iter().map(|package| package.href.rsplit('/').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_large_repository_is_updated_beside_its_record_and_healed_without_it() {
    let names: Vec<String> = (0..PACKAGES).map(|number| format!("p{number}")).collect();
    let declared: String =
        names.iter().map(|name| format!("package {name} {{ source path \"{name}.spec\" }}\n")).collect();
    let project = Project::with(&declared);
    names.iter().for_each(|name| write_spec(&project, name, "1.0"));
    project.succeed(&["apply"]);
    assert_eq!(packages(&project).len(), PACKAGES * (PARTS + 2));
    let [record, changes] = [".forge-repository", ".forge-repository.changes"]
        .map(|name| project.path().join("public/host").join(name));
    let mut beside = 0;
    for changed in ["p7", "p3"] {
        let whole = fs::read(&record).unwrap();
        write_spec(&project, changed, "2.0");
        project.succeed(&["apply"]);
        if fs::read(&record).unwrap() == whole {
            let size = fs::metadata(&changes).unwrap().len();
            assert!(size > 0 && size < whole.len() as u64 / 4, "{size} of {}", whole.len());
            beside += 1;
        }
    }
    assert!(beside > 0, "the whole record was written each time");
    let now = packages(&project);
    assert_eq!(now.len(), PACKAGES * (PARTS + 2));
    assert_eq!(now.iter().filter(|name| name.contains("-2.0-1.")).count(), 2 * (PARTS + 2));
    assert!(!now.iter().any(|name| name.starts_with("p3-") && name.contains("-1.0-1.")));
    let again = project.succeed(&["apply", "--json", "--verify-published"]);
    assert!(again.events("published").is_empty());

    let garble = |path: &std::path::Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::write(path, bytes).unwrap();
    };
    let damages: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&changes).unwrap(),
        &|| {
            write_spec(&project, "p4", "2.0");
            project.succeed(&["apply"]);
            garble(&changes);
        },
        &|| garble(&record),
        &|| {
            fs::remove_file(&record).unwrap();
            let _ = fs::remove_file(&changes);
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        damage();
        project.succeed(&["apply"]);
        let healed = packages(&project);
        let expected = PARTS + 2;
        for name in &names {
            let prefix = format!("{name}-");
            let own = healed.iter().filter(|file| file.starts_with(&prefix));
            assert_eq!(own.count(), expected, "{name} after damage {number}");
        }
        assert!(healed.iter().any(|name| name.starts_with("p3-2.0-1.")));
    }
    let again = project.succeed(&["apply", "--json"]);
    assert!(again.events("published").is_empty());
}
