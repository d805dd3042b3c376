//! `forge srpm`: source packages, and nothing built.

use std::path::{Path, PathBuf};

use rpmforge::package::{Tag, read_headers};

use crate::support::{Project, spec};

#[test]
fn source_packages_are_those_of_an_apply_and_nothing_is_built() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    // Its build would fail.
    project.write("a.spec", &spec("a", "Source0: data", "exit 3"));
    project.write("data", "data");
    project.spec("b", "", "true");
    let run = project.succeed(&["srpm", "--output", "made"]);
    let made = |name: &str| std::fs::read(project.path().join("made").join(name)).unwrap();
    assert!(run.stdout.contains("/made/a-1.0-1.src.rpm\n"), "{}", run.stdout);
    let header = read_headers(&mut made("a-1.0-1.src.rpm").as_slice()).unwrap().header;
    let names: Vec<String> = header.texts(Tag(1117)).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a.spec", "data"]);
    assert!(project.succeed(&["history"]).stdout.lines().all(|line| !line.contains("host")));
    assert!(!project.path().join("public").exists());
    // It is the one that an apply publishes, and found where it was made.
    project.succeed(&["apply", "b"]);
    let published = project.published();
    let (_, bytes) = published.iter().find(|(path, _)| path.ends_with("b-1.0-1.src.rpm")).unwrap();
    assert_eq!(*bytes, made("b-1.0-1.src.rpm"));
    project.succeed(&["srpm", "b"]);
    assert_eq!(std::fs::read(project.path().join("b-1.0-1.src.rpm")).unwrap(), *bytes);
}

#[test]
fn a_source_package_that_can_not_be_made_is_told_and_others_are_made() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "Source0: missing", "true");
    project.spec("b", "", "true");
    let run = project.run(&["srpm"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::missing"), "{}", run.stderr);
    assert!(project.path().join("b-1.0-1.src.rpm").exists());
}

#[test]
fn a_source_package_needs_nothing_of_what_its_build_needs() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "BuildRequires: what-nobody-has >= 3\nBuildConflicts: sh", "true");
    project.spec("b", "BuildRequires: what-nobody-has", "true");
    project.succeed(&["srpm"]);
    for name in ["a-1.0-1.src.rpm", "b-1.0-1.src.rpm"] {
        let bytes = std::fs::read(project.path().join(name)).unwrap();
        let header = read_headers(&mut bytes.as_slice()).unwrap().header;
        assert!(header.texts(Tag(1049)).iter().any(|name| *name == "what-nobody-has"), "{name}");
    }
}

#[test]
fn a_source_package_is_made_where_no_root_has_what_its_build_needs() {
    let distribution = Project::with("packages \"*.spec\"\n");
    distribution.spec("base", "", "true");
    distribution.succeed(&["apply", "--quiet"]);
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        &format!(
            "rpmforge version=1\nchroot f {{ repo made baseurl=\"{}\"; install base }}\npackage a {{ source path \"a.spec\" }}\n",
            distribution.path().join("public/host").display()
        ),
    );
    project.spec("a", "BuildRequires: what-nobody-has", "true");
    let plan = project.run(&["plan"]);
    assert!(plan.stderr.contains("forge::plan::root_packages"), "{}", plan.stderr);
    let run = project.succeed(&["srpm"]);
    assert!(run.stdout.contains("/a-1.0-1.src.rpm\n"), "{}", run.stdout);
}

/// A source package below a folder.
fn find_source_package(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().find_map(|path| match path.is_dir() {
        true => find_source_package(&path),
        false => Some(path).filter(|path| path.to_string_lossy().ends_with(".src.rpm")),
    })
}

#[test]
fn source_packages_alone_are_results_of_their_own_and_nothing_is_built() {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "exit 3");
    project.spec("b", "BuildRequires: what-nobody-has", "true");
    let run = project.succeed(&["apply", "--only", "sources"]);
    assert!(run.stderr.contains("built      a in host"), "{}", run.stderr);
    let history = project.succeed(&["history"]).stdout;
    assert_eq!(history.matches("its source package alone").count(), 2, "{history}");
    assert!(project.succeed(&["results", "#1"]).stdout.contains("-1.0-1.src.rpm"));
    assert!(!project.path().join("public").exists());
    // They are found again, and no new builds for it.
    let again = project.succeed(&["apply", "--only", "sources"]);
    assert!(!again.stdout.contains("not needed"), "{}", again.stdout);
    assert_eq!(project.succeed(&["history"]).stdout, history);
    // A damaged one is told, and made again.
    let made = std::fs::read(find_source_package(&project.path().join(".forge")).unwrap()).unwrap();
    let (mut other, made) = (made.clone(), rpmforge::digest::Digest::compute(&made).to_string());
    let blob = project.cache().join("rpmforge/blobs").join(&made[..2]).join(&made);
    std::fs::remove_file(&blob).unwrap();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&blob, &other).unwrap();
    let run = project.succeed(&["apply", "--only", "sources"]);
    assert!(
        run.stderr.contains("-1.0-1.src.rpm of ") && run.stderr.contains("damaged    "),
        "{}",
        run.stderr
    );
    assert_eq!(rpmforge::digest::Digest::compute(&std::fs::read(&blob).unwrap()).to_string(), made);
    // What the manifest means has not been tried yet.
    assert!(project.run(&["plan", "a"]).stdout.contains("never built"));
    project.spec("a", "Source0: missing", "true");
    let run = project.run(&["apply", "--only", "sources", "a"]);
    assert!(run.code == Some(1) && run.stderr.contains("forge::source::missing"), "{}", run.stderr);
    // An earlier one is a source like those of other builds.
    let is_first = project.succeed(&["results", "#1"]).stdout.contains("a-1.0-1.src.rpm");
    let number = if is_first { "source build 1" } else { "source build 2" };
    project.edit("Rpmforge.kdl", "source path \"a.spec\"", number);
    project.succeed(&["plan", "a"]);
}
