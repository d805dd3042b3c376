//! Repositories of debuginfo and source packages, and the file that tells clients of all of them.

use crate::support::{Project, Repository};

const MORE: &str = "%package debugsource\nSummary: Sources for debuggers\n%description debugsource\nThey are.\n%files debugsource\n";

fn project(publish: &str) -> Project {
    let project = Project::with(&format!(
        "package a {{ source path \"a.spec\" }}\npackage b {{ source path \"b.spec\" }}\n{publish}"
    ));
    project.spec("a", "", "true");
    let spec = project.read("a.spec");
    project.write("a.spec", &format!("{spec}\n{MORE}"));
    project.spec("b", "Requires: a-debugsource", "true");
    project
}

/// The names of the package files that the repository at a path has.
fn packages(project: &Project, path: &str) -> Vec<String> {
    let packages = Repository::new(project.path().join(path)).follow().unwrap();
    let mut names: Vec<String> =
        packages.iter().map(|package| package.href.rsplit('/').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

const SEPARATE: &str = "publish \"public/{chroot}\" { debuginfo separate=#true }\n";

#[test]
fn debuginfo_and_source_packages_have_repositories_of_their_own_where_the_manifest_says_so() {
    let project = project(SEPARATE);
    project.succeed(&["apply"]);
    assert_eq!(packages(&project, "public/host"), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
    assert_eq!(packages(&project, "public/host/debug"), ["a-debugsource-1.0-1.noarch.rpm"]);
    assert_eq!(packages(&project, "public/host/source"), ["a-1.0-1.src.rpm", "b-1.0-1.src.rpm"]);
    let repo = project.read("public/host/host.repo");
    let sections: Vec<&str> = repo.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections, ["[host]", "[host-debuginfo]", "[host-source]"]);
    assert_eq!(repo.matches("enabled=1\n").count(), 1);
    let url = format!("baseurl=file://{}/debug\n", project.path().join("public/host").display());
    assert!(repo.contains(&url), "{repo}");
    let before = project.published();
    assert!(project.succeed(&["apply", "--json", "--verify-published"]).events("published").is_empty());
    assert_eq!(project.published(), before);
    // What is damaged in them is put right.
    std::fs::write(project.path().join("public/host/debug/repodata/repomd.xml"), "x").unwrap();
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains("put right  public/host/debug/repodata/repomd.xml"), "{}", run.stderr);
    assert_eq!(packages(&project, "public/host/debug"), ["a-debugsource-1.0-1.noarch.rpm"]);
    // And together again.
    project.edit("Rpmforge.kdl", "separate=#true", "separate=#false");
    project.succeed(&["apply"]);
    assert_eq!(packages(&project, "public/host").len(), 5);
    for gone in ["debug/repodata/repomd.xml", "source/repodata/repomd.xml"] {
        assert!(!project.path().join("public/host").join(gone).exists(), "{gone}");
    }
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_chroot_that_is_called_as_a_section_of_another_is_known_by_another_name() {
    let chroots = "chroot host { root \"/\" }\nchroot \"host-debuginfo\" { root \"/\" }\n";
    let project = Project::with("");
    let package = "package a { chroots host host-debuginfo; source path \"a.spec\" }\n";
    let manifest = |publish: &str| format!("rpmforge version=1\n{chroots}{publish}{package}");
    project.write("Rpmforge.kdl", &manifest(SEPARATE));
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let repo_files = |chroot: &str| -> Vec<String> {
        let files = std::fs::read_dir(project.path().join("public").join(chroot)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".repo")).collect()
    };
    assert_eq!(repo_files("host"), ["host.repo"]);
    let [name] = &repo_files("host-debuginfo")[..] else { panic!("{:?}", repo_files("host-debuginfo")) };
    let id = name.strip_suffix(".repo").unwrap();
    assert!(id.starts_with("host-debuginfo-"), "{id}");
    let repo = project.read(&format!("public/host-debuginfo/{name}"));
    assert!(repo.starts_with(&format!("[{id}]\n")) && !repo.contains("[host-debuginfo]"), "{repo}");
    // Where there are no sections, nothing else has its name.
    project.write("Rpmforge.kdl", &manifest(""));
    project.succeed(&["apply"]);
    assert!(repo_files("host-debuginfo").iter().any(|name| name == "host-debuginfo.repo"));
}

#[test]
fn what_leaves_one_of_the_repositories_is_missed_in_another() {
    let project = project(SEPARATE);
    project.succeed(&["apply"]);
    project.spec("a", "", "true");
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("b-1.0-1.noarch needs a-debugsource, which would be gone"), "{}", run.stderr);
    assert_eq!(packages(&project, "public/host/debug"), ["a-debugsource-1.0-1.noarch.rpm"]);
}

#[test]
fn a_link_in_the_place_of_a_repository_is_not_followed() {
    let project = project(SEPARATE);
    std::fs::create_dir_all(project.path().join("public/host")).unwrap();
    std::fs::create_dir(project.path().join("public/host/theirs")).unwrap();
    std::os::unix::fs::symlink("theirs", project.path().join("public/host/debug")).unwrap();
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("public/host` is not forge's"), "{}", run.stderr);
    assert!(run.stderr.contains("not published: host: `debug` in the repository"), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(project.path().join("public/host/theirs")).unwrap().count(), 0);
}

#[test]
fn an_unsigned_repository_tells_clients_of_itself_and_lets_the_file_of_others_be() {
    let project =
        project("publish \"public/{chroot}\" { url \"https://packages.acme.example/{chroot}/\" }\n");
    project.succeed(&["apply"]);
    assert_eq!(
        project.read("public/host/host.repo"),
        "[host]\nname=Packages for host\nbaseurl=https://packages.acme.example/host\nenabled=1\ngpgcheck=0\n"
    );
    let other = self::project("");
    other.write("public/host/host.repo", "theirs");
    for _ in 0..2 {
        other.succeed(&["apply"]);
        assert_eq!(other.read("public/host/host.repo"), "theirs");
    }
    let again = other.succeed(&["apply", "--json"]);
    assert!(again.events("published").is_empty(), "{}", again.stdout);
}

#[test]
fn clients_of_a_wide_architecture_are_told_of_the_narrow_one_beside_it() {
    let project = Project::new();
    let manifest = |publish: &str| {
        let chroots = "chroot el9-x86_64 { root \"/\" }\nchroot el9-i686 { root \"/\" }\nchroot el8-i686 { root \"/\" }\n";
        format!(
            "rpmforge version=1\n{chroots}package a {{ source path \"a.spec\" }}\npublish \"public/{{chroot}}\" {{ {publish} }}\n"
        )
    };
    project.write("Rpmforge.kdl", &manifest("multilib #true"));
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let repo = |chroot: &str| project.read(&format!("public/{chroot}/{chroot}.repo"));
    let wide = repo("el9-x86_64");
    let folder = project.path().join("public/el9-i686");
    let expected = format!(
        "[el9-x86_64-i686]\nname=Packages for el9-x86_64: i686\nbaseurl=file://{}\nenabled=1\ncost=1100\nskip_if_unavailable=1\ngpgcheck=0\n",
        folder.display()
    );
    assert!(wide.ends_with(&expected) && wide.starts_with("[el9-x86_64]\n"), "{wide}");
    for narrow in ["el9-i686", "el8-i686"] {
        assert_eq!(repo(narrow).matches('[').count(), 1);
    }
    // By its URL where there is one, with its own key.
    project.succeed(&["keys", "new", "acme", "--user", "a", "--kind", "ed25519", "--no-passphrase"]);
    project.write(
        "Rpmforge.kdl",
        &manifest("multilib #true; sign name=acme; url \"https://example.org/{chroot}/\""),
    );
    project.succeed(&["apply"]);
    let expected = "baseurl=https://example.org/el9-i686\nenabled=1\ncost=1100\nskip_if_unavailable=1\ngpgcheck=1\nrepo_gpgcheck=1\n\
        gpgkey=https://example.org/el9-i686/repodata/repomd.xml.key\n";
    assert!(repo("el9-x86_64").ends_with(expected), "{}", repo("el9-x86_64"));
    project.write("Rpmforge.kdl", &manifest(""));
    project.succeed(&["apply"]);
    assert_eq!(repo("el9-x86_64").matches('[').count(), 1);
}
