//! A repository that is not as forge has left it: found and put right, or said by name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::publication::{change, two};
use crate::publication_ownership::rewrite_record;
use crate::support::Project;

type Damage = fn(&Path);

/// What can happen to a file.
const DAMAGES: [Damage; 4] = [
    |path| fs::remove_file(path).unwrap(),
    |path| write(path, b""),
    |path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        write(path, &bytes);
    },
    |path| {
        let bytes = [&fs::read(path).unwrap()[..], b"signed by hand"].concat();
        write(path, &bytes);
    },
];

/// Writes a file in place, even one that may only be read.
fn write(path: &Path, bytes: &[u8]) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of the test's own")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
    fs::write(path, bytes).unwrap();
}

fn published_paths(project: &Project) -> Vec<PathBuf> {
    project.published().into_keys().collect()
}

/// The store's file of a published one.
fn blob(project: &Project, published: &Path) -> PathBuf {
    let digest =
        rpmforge::digest::Digest::compute(&fs::read(project.path().join(published)).unwrap()).to_string();
    project.cache().join("rpmforge/blobs").join(&digest[..2]).join(digest)
}

fn first_package(project: &Project) -> PathBuf {
    let paths = published_paths(project);
    paths.into_iter().find(|path| path.to_string_lossy().ends_with("a-1.0-1.noarch.rpm")).unwrap()
}

#[test]
fn a_published_file_that_was_deleted_emptied_or_changed_is_found_and_put_right() {
    let project = two();
    project.succeed(&["apply"]);
    let before = project.published();
    for path in before.keys() {
        for (number, damage) in DAMAGES.into_iter().enumerate() {
            damage(&project.path().join(path));
            let plan = project.run(&["plan", "--detailed-exitcode"]);
            assert!(plan.stdout.contains(&format!("{} is ", path.display())), "{}", plan.stdout);
            assert_eq!(plan.code, Some(2));
            let run = project.succeed(&["apply"]);
            assert!(
                run.stderr.contains(&format!("put right  {}", path.display())),
                "{number}, {path:?}: {}",
                run.stderr
            );
            assert_eq!(project.published(), before, "{number}, {path:?}");
        }
    }
    assert!(!project.succeed(&["apply"]).stderr.contains("put right"));
}

#[test]
fn a_whole_repository_that_was_deleted_is_put_back() {
    let project = two();
    project.succeed(&["apply"]);
    let before = project.published();
    fs::remove_dir_all(project.path().join("public")).unwrap();
    let plan = project.succeed(&["plan"]);
    assert!(plan.stdout.contains("public/host/.forge-repository is missing"), "{}", plan.stdout);
    project.spec("b", "", "exit 1");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.published(), before);
}

#[test]
fn a_damaged_file_is_put_right_where_something_else_changes_too() {
    let project = two();
    project.succeed(&["apply"]);
    let path = project.path().join(first_package(&project));
    write(&path, b"");
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries().len(), 2);
}

/// As after a disk has lost a bit: the times on record are those of the file as it is now.
fn record_times_of(project: &Project, published: &Path) {
    let metadata = fs::metadata(project.path().join(published)).unwrap();
    let href = published.strip_prefix("public/host").unwrap().to_str().unwrap();
    rewrite_record(&project.path().join("public/host/.forge-repository"), 1, |record| {
        let packages = record["packages"].as_array_mut().unwrap().iter_mut();
        for file in packages.flat_map(|package| package["files"].as_array_mut().unwrap()) {
            if file["path"] == href {
                let nanoseconds = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
                file["times"]["modified"] = nanoseconds(metadata.mtime(), metadata.mtime_nsec()).into();
                file["times"]["changed"] = nanoseconds(metadata.ctime(), metadata.ctime_nsec()).into();
            }
        }
    });
}

#[test]
fn every_digest_is_read_with_verify_published() {
    let project = two();
    project.succeed(&["apply"]);
    let before = project.published();
    let package = first_package(&project);
    DAMAGES[2](&project.path().join(&package));
    record_times_of(&project, &package);
    assert!(!project.succeed(&["apply"]).stderr.contains("put right"));
    let run = project.succeed(&["apply", "--verify-published"]);
    assert!(run.stderr.contains(&format!("put right  {}: changed", package.display())), "{}", run.stderr);
    assert_eq!(project.published(), before);
}

/// A published package whose bytes are all gone, though its size and times are those on record.
fn wipe_unseen(project: &Project) -> PathBuf {
    let package = first_package(project);
    let size = fs::metadata(project.path().join(&package)).unwrap().len();
    write(&project.path().join(&package), &vec![0; usize::try_from(size).unwrap()]);
    record_times_of(project, &package);
    package
}

#[test]
fn a_package_that_can_no_longer_be_read_is_put_right_where_the_store_does_not_know_what_it_says() {
    let project = two();
    project.succeed(&["apply"]);
    let package = wipe_unseen(&project);
    // Neither by itself nor among its neighbours.
    for known in ["packages", "metadata"] {
        fs::remove_dir_all(project.cache().join("rpmforge").join(known)).unwrap();
    }
    change(&project, "b", 1);
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains(&format!("put right  {}: changed", package.display())), "{}", run.stderr);
    assert_eq!(project.repository().binaries().len(), 2);
}

#[test]
fn packages_are_listed_by_what_was_remembered_of_them_when_they_were_built() {
    let project = two();
    project.succeed(&["apply"]);
    let package = wipe_unseen(&project);
    change(&project, "b", 1);
    let run = project.succeed(&["apply"]);
    assert!(
        run.stderr
            .contains("published  host: public/host (1 package new or changed; 4 package files in all)"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("put right"), "{}", run.stderr);
    let run = project.succeed(&["apply", "--verify-published"]);
    assert!(run.stderr.contains(&format!("put right  {}: changed", package.display())), "{}", run.stderr);
    assert_eq!(project.repository().binaries().len(), 2);
}

#[test]
fn what_the_store_has_no_more_is_named_and_no_longer_in_the_metadata() {
    let project = two();
    project.succeed(&["apply"]);
    let package = first_package(&project);
    fs::remove_dir_all(project.cache()).unwrap();
    project.spec("a", "", "exit 1");
    write(&project.path().join(&package), b"no package");
    // The result folder of the build has it still.
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.repository().binaries().len(), 2);
    fs::remove_dir_all(project.path().join(".forge/results")).unwrap();
    fs::remove_dir_all(project.cache()).unwrap();
    write(&project.path().join(&package), b"no package");
    for _ in 0..2 {
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1));
        let lost = format!("lost       {}: changed", package.display());
        let still = format!("lost       {}: missing", package.display());
        assert!(run.stderr.contains(&lost) || run.stderr.contains(&still), "{}", run.stderr);
        assert_eq!(project.repository().binaries(), ["b-1.0-1.noarch.rpm"]);
    }
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries().len(), 2);
}

#[test]
fn a_damaged_blob_is_never_published_and_its_build_is_done_again() {
    for damage in DAMAGES {
        let project = two();
        project.succeed(&["apply"]);
        let before = project.published();
        damage(&blob(&project, &first_package(&project)));
        for folder in [".forge", "public"] {
            fs::remove_dir_all(project.path().join(folder)).unwrap();
        }
        project.succeed(&["apply"]);
        assert_eq!(project.repository().binaries().len(), 2);
        assert_eq!(published_paths(&project), before.into_keys().collect::<Vec<_>>());
    }
}

#[test]
fn a_new_result_that_was_damaged_leaves_the_old_one_published() {
    let project = two();
    project.succeed(&["apply"]);
    let old = published_paths(&project);
    change(&project, "a", 1);
    project.succeed(&["apply"]);
    let blob = blob(&project, &first_package(&project));
    // Back to the first state, then to the second again, whose blob is damaged by now.
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    assert_eq!(published_paths(&project), old);
    DAMAGES[2](&blob);
    change(&project, "a", 1);
    let run = project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries().len(), 2);
    assert_ne!(published_paths(&project), old, "{}", run.stderr);
}

#[test]
fn a_damaged_record_is_put_right_from_its_copy() {
    for damage in DAMAGES {
        let project = two();
        project.succeed(&["apply"]);
        let before = project.published();
        damage(&project.path().join("public/host/.forge-repository"));
        project.spec("b", "", "exit 1");
        let run = project.run(&["apply"]);
        assert!(run.stderr.contains("put right  public/host/.forge-repository"), "{}", run.stderr);
        assert_eq!(project.published(), before);
        assert!(!project.run(&["apply"]).stderr.contains("put right"));
    }
}

#[test]
fn a_damaged_copy_of_the_record_is_written_anew() {
    for damage in DAMAGES {
        let project = two();
        project.succeed(&["apply"]);
        let copies = project.path().join(".forge/published");
        let copy = fs::read_dir(&copies).unwrap().next().unwrap().unwrap().path();
        damage(&copy);
        project.succeed(&["apply"]);
        let record = project.path().join("public/host/.forge-repository");
        assert_eq!(fs::read(copy).unwrap(), fs::read(record).unwrap());
    }
}

#[test]
fn a_copy_of_the_record_that_tells_of_another_time_is_not_believed() {
    let project = two();
    project.succeed(&["apply"]);
    let copies = project.path().join(".forge/published");
    let copy = fs::read_dir(&copies).unwrap().next().unwrap().unwrap().path();
    let old = fs::read(&copy).unwrap();
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    let before = project.published();
    fs::write(&copy, old).unwrap();
    fs::write(project.path().join("public/host/.forge-repository"), "").unwrap();
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::publish::damaged_record"), "{}", run.stderr);
    assert_eq!(project.published(), before);
}

#[test]
fn published_packages_share_nothing_with_the_store_unless_links_are_asked_for() {
    let project = two();
    project.succeed(&["apply"]);
    let package = project.path().join(first_package(&project));
    let blob = blob(&project, &first_package(&project));
    let is_shared = || fs::metadata(&package).unwrap().ino() == fs::metadata(&blob).unwrap().ino();
    assert!(!is_shared());
    fs::remove_dir_all(project.path().join("public")).unwrap();
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}publish \"public/{{chroot}}\" {{ links #true }}\n"));
    project.succeed(&["apply"]);
    assert!(is_shared());
    project.edit("Rpmforge.kdl", "links #true", "links #false");
    project.succeed(&["apply"]);
    assert!(!is_shared());
    assert_eq!(project.repository().binaries().len(), 2);
}

fn record(project: &Project) -> PathBuf {
    project.path().join("public/host/.forge-repository")
}

/// Publishes `b` twice and puts the record of the first time back; `forget` is what is lost besides.
fn with_older_record(forget: &[&str]) -> Project {
    let project = two();
    project.succeed(&["apply"]);
    let old = fs::read(record(&project)).unwrap();
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    fs::write(record(&project), old).unwrap();
    for folder in forget {
        fs::remove_dir_all(project.beside(folder)).unwrap();
    }
    project
}

#[test]
fn an_older_record_that_was_put_back_is_not_believed() {
    for forget in [[].as_slice(), &["project/.forge"], &["project/.forge", "cache"]] {
        let project = with_older_record(forget);
        let before = project.published();
        project.spec("b", "", "exit 1");
        let plan = project.run(&["plan"]);
        assert!(plan.stdout.contains(".forge-repository is changed"), "{forget:?}: {}", plan.stdout);
        for packages in [["apply", "a"].as_slice(), &["apply"]] {
            project.run(packages);
            assert_eq!(project.published(), before, "{forget:?}, {packages:?}");
        }
        assert!(!project.run(&["apply"]).stderr.contains("put right"));
    }
}

#[test]
fn an_older_record_is_not_believed_where_the_copy_was_put_back_too() {
    let project = with_older_record(&[]);
    let before = project.published();
    let copy = fs::read_dir(project.path().join(".forge/published")).unwrap().next().unwrap();
    fs::copy(record(&project), copy.unwrap().path()).unwrap();
    project.spec("b", "", "exit 1");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.published(), before);
}

#[test]
fn what_an_older_record_does_not_know_and_metadata_name_in_vain_is_said() {
    let project = with_older_record(&["project/.forge", "cache"]);
    project.spec("b", "", "exit 1");
    let repository = project.repository();
    let of_b = repository.follow().unwrap().into_iter().find(|file| file.href.starts_with("b-")).unwrap();
    fs::remove_file(project.path().join("public/host").join(&of_b.href)).unwrap();
    let repomd = project.read("public/host/repodata/repomd.xml");
    for command in ["plan", "apply"] {
        let run = project.run(&[command]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("forge::publish::outdated_record"), "{}", run.stderr);
        assert!(run.stderr.contains(&of_b.href), "{}", run.stderr);
    }
    assert_eq!(project.read("public/host/repodata/repomd.xml"), repomd);
}

#[test]
fn an_older_repomd_that_was_put_back_is_replaced_by_the_newer() {
    let project = two();
    project.succeed(&["apply"]);
    let repomd = "public/host/repodata/repomd.xml";
    let old = project.read(repomd);
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    let now = project.published();
    project.write(repomd, &old);
    project.spec("b", "", "exit 1");
    project.run(&["apply"]);
    assert_eq!(project.published(), now);
}

/// How often metadata name packages called `a` and `b`.
fn count_names(project: &Project) -> [usize; 2] {
    let primary = project.repository().primary();
    ["<name>a</name>", "<name>b</name>"].map(|name| primary.matches(name).count())
}

#[test]
fn metadata_say_nothing_of_what_lies_in_the_place_of_a_package() {
    for (broken, is_changed_at_once) in [("allow", true), ("allow", false), ("hold", true), ("hold", false)] {
        let project = two();
        let manifest = project.read("Rpmforge.kdl");
        let publish = format!("publish \"public/{{chroot}}\" {{ broken {broken} }}\n");
        project.write("Rpmforge.kdl", &format!("{manifest}{publish}"));
        project.succeed(&["apply"]);
        let names = count_names(&project);
        let package = first_package(&project);
        let other = published_paths(&project).into_iter();
        let other = other.into_iter().find(|path| path.to_string_lossy().ends_with("b-1.0-1.noarch.rpm"));
        write(&project.path().join(&package), &fs::read(project.path().join(other.unwrap())).unwrap());
        for known in ["packages", "metadata"] {
            fs::remove_dir_all(project.cache().join("rpmforge").join(known)).unwrap();
        }
        if !is_changed_at_once {
            project.succeed(&["apply"]);
        }
        change(&project, "b", 1);
        project.succeed(&["apply"]);
        assert_eq!(count_names(&project), names, "{broken} {is_changed_at_once}");
        assert_eq!(project.repository().binaries().len(), 2);
    }
}
