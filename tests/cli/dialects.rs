//! Specs in the language of an older rpm.

use crate::support::{Project, spec};

/// A project with one spec that applies a patch as rpm up to 4.19 does.
fn project(chroots: &str, defaults: &str) -> Project {
    let project = Project::new();
    project.write(
        "Rpmforge.kdl",
        &format!(
            "rpmforge version=1\n{chroots}\ndefaults {{ engine native; isolation none; {defaults} }}\npackages \"*.spec\"\n"
        ),
    );
    let text = spec("old", "Patch0: hello.patch", "true");
    project.write("old.spec", &text.replace("%build\n", "%prep\n%patch0 -p1\n%build\ncat hello\n"));
    project.write("hello.patch", "--- a/hello\n+++ b/hello\n@@ -0,0 +1 @@\n+hello\n");
    project
}

fn chroot(rpm: &str) -> String {
    format!("chroot host {{ root \"/\"; rpm \"{rpm}\" }}")
}

/// What rpm's own program reads in the binary package.
fn read_by_rpm(project: &Project, format: &str) -> String {
    let name = project.repository().binaries().pop().unwrap();
    let (path, _) = project.published().into_iter().find(|(path, _)| path.ends_with(&name)).unwrap();
    let path = project.path().join(path);
    let rpm = |arguments: &[&str]| {
        let output = std::process::Command::new("rpm").args(arguments).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "rpm {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(rpm(&["-K", "--nosignature"]).contains("digests OK"));
    assert!(rpm(&["-qip"]).contains("Name        : old"));
    rpm(&["-qp", "--qf", format])
}

#[test]
fn a_spec_builds_where_its_chroot_says_the_older_rpm_and_its_package_says_so_too() {
    let project = project(&chroot("4.18"), "");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(read_by_rpm(&project, "%{NAME} %{RPMVERSION}"), "old 4.18.0");
    let shown = project.succeed(&["plan"]).stdout;
    project.edit("Rpmforge.kdl", "4.18", "4.17");
    let changed = project.succeed(&["plan", "--json"]).stdout;
    assert!(
        changed.contains("\"was\":\"4.18.0\"") || changed.contains("\"was\": \"4.18.0\""),
        "{shown}{changed}"
    );
    assert_eq!(project.actions()["old"], "build");
}

#[test]
fn elsewhere_the_old_form_is_refused_with_what_to_write_instead() {
    let project = project(&chroot("6.1"), "");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for part in ["forge::spec::patch_n", "old.spec:12", "`%patch -P 0 -p1`", "rpm 4.19 and older took it"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn an_overlay_speaks_what_the_chroot_below_it_does_unless_it_says_otherwise() {
    let chroots = format!("{}\nchroot above {{ extends \"host\" }}", chroot("4.18"));
    let project = project(&chroots, "chroots \"above\"");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    project.edit("Rpmforge.kdl", "extends \"host\"", "extends \"host\"; rpm \"4.20\"");
    assert!(project.run(&["check"]).stderr.contains("forge::spec::patch_n"));
}

#[test]
fn a_root_of_an_older_rpm_needs_no_word_of_it() {
    let project = project("chroot host { root \"/\" }", "");
    let told = std::process::Command::new("rpm").arg("--version").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let own = told.trim().rsplit(' ').next().unwrap();
    let run = project.run(&["apply"]);
    let is_old = rpm_version::Evr::parse(own) < rpm_version::Evr::parse("4.20");
    assert_eq!(run.code, Some(i32::from(!is_old)), "{}", run.stderr);
    if is_old {
        assert_eq!(read_by_rpm(&project, "%{RPMVERSION}"), own);
    }
}

#[test]
fn a_package_says_which_forge_built_it() {
    let project = project(&chroot("4.18"), "");
    project.succeed(&["apply"]);
    let own = concat!("rpmforge ", env!("CARGO_PKG_VERSION"), "\0").as_bytes();
    let files = project.published().into_iter();
    let packages: Vec<_> =
        files.filter(|(path, _)| path.extension().is_some_and(|end| end == "rpm")).collect();
    assert_eq!(packages.len(), 2);
    assert!(packages.iter().all(|(_, bytes)| bytes.windows(own.len()).any(|part| part == own)));
}
