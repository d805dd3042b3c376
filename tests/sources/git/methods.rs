//! `source git method=…`: what rpkg and tito make of a repository, without either.

use std::process::Command;

use tempfile::TempDir;

use super::http_server::publish;
use super::made_git::MadeGit;
use crate::support::Project;

/// A repository that is published under a name, and a project with one package of it.
struct Published {
    root: TempDir,
    made: MadeGit,
}

impl Published {
    fn new(made: MadeGit) -> Self {
        let published = Self { root: TempDir::new().unwrap(), made };
        published.again();
        published
    }

    /// Publishes what was committed since.
    fn again(&self) {
        publish(self.root.path(), "hello.git", &self.made);
    }

    fn url(&self) -> String {
        format!("file://{}/hello.git", self.root.path().display())
    }

    fn project(&self, properties: &str) -> Project {
        Project::with(&format!("package a {{ source git \"{}\" {properties} }}\n", self.url()))
    }
}

/// The files and folders of the archive that the source package of `name` has, and the spec in it.
fn source_package(project: &Project, name: &str, archive: &str) -> (Vec<String>, String) {
    let folder = TempDir::new().unwrap();
    let found = walk(&project.path().join("public/host"));
    let package = found.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("{found:?}"));
    let unpack = format!("rpm2cpio '{package}' | cpio -id --quiet && tar -tzf '{archive}'");
    let output = Command::new("sh").args(["-ec", &unpack]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let spec = std::fs::read_dir(folder.path())
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with(".spec"))
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    (names, std::fs::read_to_string(spec.path()).unwrap())
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path().display().to_string()),
        }
    }
    found
}

/// What `git archive` packs.
fn git_archive(made: &MadeGit, top: &str, tree: &str) -> Vec<String> {
    let listed = Command::new("sh")
        .args(["-ec", &format!("git archive --format=tar --prefix={top}/ {tree} | tar -t")])
        .current_dir(made.path())
        .output()
        .unwrap();
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}

const TEMPLATE: &str = "Name: {{{ git_dir_name }}}\nVersion: {{{ git_dir_version }}}\nRelease: 1\nSummary: a\nLicense: MIT\n\
    BuildArch: noarch\nVCS: {{{ git_dir_vcs }}}\nSource0: {{{ git_dir_pack }}}\nSource1: extra.conf\n%description\na\n%prep\n\
    {{{ git_dir_setup_macro }}}\n%build\ngrep one data\ngrep set %{SOURCE1}\ntest ! -e secret\n%files\n%changelog\n\
    {{{ git_dir_changelog }}}\n";

fn template_repository() -> Published {
    let made = MadeGit::new();
    made.commit(
        "Begin",
        &[
            ("hello.spec.rpkg", TEMPLATE),
            ("data", "one\n"),
            ("extra.conf", "set\n"),
            ("secret", ""),
            ("deep/er/x", ""),
            (".gitattributes", "secret export-ignore\n"),
        ],
    );
    Published::new(made)
}

#[test]
fn a_template_without_any_tag_counts_all_commits() {
    let published = template_repository();
    published.made.commit("Go on", &[("data", "one more\n")]);
    published.again();
    let head = published.made.git(&["rev-parse", "HEAD"]);
    let project = published.project("method=rpkg");
    project.succeed(&["apply"]);
    let (version, short) = (format!("0.0.git.2.{}", &head[..8]), &head[..8]);
    let (names, spec) =
        source_package(&project, &format!("hello-{version}-1.src.rpm"), &format!("hello-{short}.tar.gz"));
    assert_eq!(names, git_archive(&published.made, "hello", "HEAD"));
    assert!(spec.contains(&format!("VCS: git+{}#{head}:\n", published.url())), "{spec}");
    assert!(spec.contains("%setup -T -b 0 -q -n hello\n") && spec.ends_with("%changelog\n\n"), "{spec}");
}

#[test]
fn annotated_tags_give_version_and_changelog_and_later_ones_change_nothing_that_is_locked() {
    let published = template_repository();
    let made = &published.made;
    let tag = |name: &str, text: &str| made.git(&["tag", "--annotate", name, "--message", text]);
    tag("hello-1.9-1", "- first, 100% done");
    made.commit("Go on", &[("more", "1")]);
    tag("hello-1.10-1", "- second");
    made.git(&["tag", "hello-2.0-1"]);
    made.git(&["tag", "--annotate", "other-3.0-1", "--message", "- another package's"]);
    made.commit("Go on", &[("more", "2")]);
    published.again();
    let head = made.git(&["rev-parse", "HEAD"]);
    let project = published.project("method=rpkg");
    project.succeed(&["apply"]);
    let version = format!("1.10.git.1.{}", &head[..8]);
    let package = format!("hello-{version}-1.src.rpm");
    let (_, spec) = source_package(&project, &package, &format!("hello-{}.tar.gz", &head[..8]));
    let changes = spec.split("%changelog\n").nth(1).unwrap();
    let expected = "* Thu Nov 16 2023 Ada <ada@example.org> 1.10-1\n- second\n\n\
        * Wed Nov 15 2023 Ada <ada@example.org> 1.9-1\n- first, 100%% done\n";
    assert_eq!(changes, expected);

    // What is tagged later, on the same commit too, doesn't count until `forge update`.
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("tags=\"hello-1.10-1@") && lock.contains(" hello-1.9-1@"), "{lock}");
    tag("hello-1.11-1", "- third");
    published.again();
    std::fs::remove_dir_all(project.cache()).unwrap();
    project.succeed(&["apply", "--locked"]);
    assert!(project.succeed(&["results", "a"]).stdout.contains(&version));
    project.succeed(&["update", "a"]);
    project.succeed(&["apply"]);
    assert!(project.succeed(&["results", "a"]).stdout.contains("hello-1.11-1"));

    // One that is locked and was moved is told.
    made.git(&["tag", "--force", "--annotate", "hello-1.9-1", "--message", "moved", "HEAD"]);
    published.again();
    std::fs::remove_dir_all(project.cache()).unwrap();
    let run = project.run(&["apply", "--locked"]);
    assert!(run.stderr.contains("forge::source::git_moved_tag"), "{}", run.stderr);
}

#[test]
fn a_template_in_a_folder_is_of_that_folder_and_arguments_count() {
    let made = MadeGit::new();
    let template = TEMPLATE
        .replace("git_dir_version", "git_dir_version lead=2 follow='7'")
        .replace("{{{ git_dir_pack }}}", "{{{ git_dir_pack dir_name=\"x-$(git_repo_name append=-y)\" }}}")
        .replace("{{{ git_dir_name }}}", "{{{git_dir_name prepend=lib}}}");
    made.commit(
        "Begin",
        &[
            ("pkg/a.spec", template.as_str()),
            ("pkg/data", "one\n"),
            ("pkg/extra.conf", "set\n"),
            ("README", ""),
        ],
    );
    let published = Published::new(made);
    let head = published.made.git(&["rev-parse", "HEAD"]);
    let project = published.project("subdir=pkg method=rpkg");
    project.succeed(&["apply"]);
    let short = &head[..8];
    let package = format!("libhello-pkg-2.7.git.1.{short}-1.src.rpm");
    let (names, spec) = source_package(&project, &package, &format!("x-hello-y-{short}.tar.gz"));
    assert_eq!(names, git_archive(&published.made, "x-hello-y", "HEAD:pkg"));
    assert!(spec.contains(&format!("#{head}:pkg\n")), "{spec}");
}

#[test]
fn other_bash_in_a_template_is_refused_with_its_place() {
    for (call, words) in [
        ("git_dir_name | tr a b", "`|` is more than a call of a macro"),
        ("date +%s", "`date` is no macro of rpkg's that forge has"),
        ("git_dir_version leed=1", "takes `name=`, `lead=`, `follow=`, and no `leed=`"),
        ("git_dir_version lead=$(git describe)", "`git` is no macro of rpkg's"),
        ("git_dir_changelog since_tag=nowhere", "there is no annotated tag `nowhere`"),
        ("git_dir_pack path=../..", "leads out of the repository"),
    ] {
        let made = MadeGit::new();
        made.commit("Begin", &[("a.spec", format!("Name: a\nVersion: {{{{{{ {call} }}}}}}\n").as_str())]);
        let run = Published::new(made).project("method=rpkg").run(&["apply"]);
        assert!(run.stderr.contains("forge::source::rpkg_template"), "{call}: {}", run.stderr);
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        assert!(said.contains(words) && said.contains("a.spec, line 2"), "{call}: {said}");
    }
}

const TITO_SPEC: &str = "Name: hello\nVersion: 1.1\nRelease: 2%{?dist}\nSummary: a\nLicense: MIT\nBuildArch: noarch\n\
    Source0: %{name}-%{version}.tar.gz\n%description\na\n%prep\n%setup -q\n%build\ngrep one data\n%files\n";

fn tito_repository() -> Published {
    let made = MadeGit::new();
    made.commit(
        "Begin",
        &[
            ("hello.spec", TITO_SPEC),
            ("data", "one\n"),
            (".tito/tito.props", "[buildconfig]\nbuilder = tito.builder.Builder\n"),
            (".tito/packages/hello", "1.1-2 ./\n"),
        ],
    );
    made.git(&["tag", "--annotate", "hello-1.1-2", "--message", "release"]);
    made.commit("Break", &[("data", "two\n")]);
    Published::new(made)
}

#[test]
fn tito_builds_the_last_tag_and_not_what_came_after() {
    let published = tito_repository();
    let project = published.project("method=tito");
    project.succeed(&["apply"]);
    let (names, _) = source_package(&project, "hello-1.1-2.src.rpm", "hello-1.1.tar.gz");
    assert_eq!(names, git_archive(&published.made, "hello-1.1", "hello-1.1-2"));
    assert!(project.read("Rpmforge.lock").contains("tags=\"hello-1.1-2@"));

    published.made.commit("Mend", &[(".tito/packages/hello", "1.2-1 ./\n")]);
    published.again();
    project.succeed(&["apply", "--locked"]);
    let run = project.run(&["update", "a"]);
    assert!(run.stderr.contains("forge::source::method_tag"), "{}", run.stderr);
}

#[test]
fn a_test_build_of_tito_is_of_the_newest_commit_and_says_so() {
    let published = tito_repository();
    published.made.commit("Mend", &[("data", "one again\n")]);
    published.again();
    let head = published.made.git(&["rev-parse", "HEAD"]);
    let project = published.project("method=tito-test");
    project.succeed(&["apply"]);
    let (short, top) = (&head[..7], format!("hello-git-2.{}", &head[..7]));
    let package = format!("hello-1.1-2.git.2.{short}.src.rpm");
    let (names, spec) = source_package(&project, &package, &format!("{top}.tar.gz"));
    assert_eq!(names, git_archive(&published.made, &top, "HEAD"));
    assert!(spec.contains(&format!("%setup -q -n {top}\n")), "{spec}");
}

#[test]
fn what_tito_would_need_more_for_is_refused_by_its_name() {
    let published = tito_repository();
    let told = |files: &[(&str, &str)], code: &str| {
        published.made.commit("Change", files);
        published.again();
        let run = published.project("method=tito").run(&["apply"]);
        assert!(run.stderr.contains(code), "{code}: {}", run.stderr);
    };
    let custom = "[buildconfig]\nbuilder = custom.MyBuilder\nlib_dir = .tito/custom\n";
    told(&[(".tito/tito.props", custom)], "forge::source::tito_builder");
    told(&[(".tito/tito.props", ""), (".tito/packages/hello", "")], "forge::source::tito_package");
    let spec = TITO_SPEC.replace("Name: hello", "Name: %(echo hello)");
    told(&[("hello.spec", spec.as_str())], "forge::source::method_spec_tag");
}

const PACKIT_SPEC: &str = "Name: hello\nVersion: 0\nRelease: 1%{?dist}\nSummary: a\nLicense: MIT\nBuildArch: noarch\n\
    Source0: https://example.org/%{name}-%{version}.tar.gz\n%description\na\n%prep\n%autosetup -n %{name}-%{version}\n%build\n\
    grep one data\n%files\n%changelog\n* Mon Nov 13 2023 Ada <ada@example.org> - 0-1\n- older\n";

fn packit_repository(config: &str) -> Published {
    let made = MadeGit::new();
    made.commit("Begin", &[("rpm/hello.spec", PACKIT_SPEC), ("data", "one\n"), (".packit.yaml", config)]);
    made.git(&["tag", "v2.0-rc1"]);
    made.commit("Add 50% more", &[("more", "1")]);
    made.git(&["tag", "nightly"]);
    made.commit("Go on", &[("more", "2")]);
    Published::new(made)
}

#[test]
fn packit_packs_the_commit_and_says_which_it_is() {
    let published = packit_repository(
        "specfile_path: rpm/hello.spec\nupstream_package_name: greeting\nupstream_tag_template: v{version}\n\
         upstream_tag_include: v.+\nactions:\n  commit-message: [true]\njobs: []\n",
    );
    let head = published.made.git(&["rev-parse", "HEAD"]);
    let project = published.project("method=packit");
    project.succeed(&["apply"]);
    let release = format!("1.20231117221320.main.1.g{}", &head[..8]);
    let package = format!("hello-2.0.rc1-{release}.src.rpm");
    let (names, spec) = source_package(&project, &package, "greeting-2.0.rc1.tar.gz");
    assert_eq!(names, git_archive(&published.made, "greeting-2.0.rc1", "HEAD"));
    let entry = format!(
        "%changelog\n* Fri Nov 17 2023 Ada <ada@example.org> - 2.0.rc1-{release}\n- Go on (Ada)\n- Add 50%% more (Ada)\n\n* Mon"
    );
    assert!(spec.contains(&entry) && spec.contains("%autosetup -n greeting-2.0.rc1\n"), "{spec}");
    assert!(project.read("Rpmforge.lock").contains("v2.0-rc1@"));
}

#[test]
fn the_changes_of_a_spec_come_from_its_history_with_a_method_too() {
    let published = packit_repository("specfile_path: rpm/hello.spec\nupdate_release: false\n");
    let spec = PACKIT_SPEC.replace("Release: 1%{?dist}", "Release: %autorelease");
    let spec = format!("{}%autochangelog\n", spec.split("* Mon").next().unwrap());
    published.made.commit("Leave it to the history", &[("rpm/hello.spec", spec.as_str())]);
    published.again();
    let project = published.project("method=packit");
    project.succeed(&["apply"]);
    let (_, spec) = source_package(&project, "hello-nightly-4.src.rpm", "hello-nightly.tar.gz");
    assert!(spec.contains("- Leave it to the history") && !spec.contains("%autochangelog\n"), "{spec}");
}

#[test]
fn packit_without_a_tag_takes_the_version_of_the_spec() {
    let published = packit_repository(
        "specfile_path: rpm/hello.spec\nupdate_release: false\nupstream_tag_include: none\n",
    );
    let project = published.project("method=packit");
    project.succeed(&["apply"]);
    source_package(&project, "hello-0-1.src.rpm", "hello-0.tar.gz");
}

#[test]
fn what_packit_would_run_or_what_makes_no_sense_is_told() {
    let told = |config: &str, code: &str, words: &str| {
        let run = packit_repository(config).project("subdir=rpm method=packit").run(&["apply"]);
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        assert!(said.contains(code) && said.contains(words), "{config}: {said}");
    };
    let (action, config) = ("forge::source::packit_action", "forge::source::packit_config");
    told("actions:\n  create-archive:\n  - make dist\n", action, "the action `create-archive` runs commands");
    told(
        "packages:\n  x:\n    actions:\n      get-current-version: cat VERSION\n",
        action,
        "`get-current-version`",
    );
    told("a: [", config, ".packit.yaml");
    told("upstream_ref: main\n", config, "source-git");
    told("upstream_tag_template: release-{version}\n", config, "the tag `nightly` is none");
    told("packages:\n  x: {}\n  y: {}\n", config, "it has the packages x, y");
    told("spec_source_id: 7\nupstream_tag_template: \"{version}\"\n", config, "the spec has no `Source7`");
}
