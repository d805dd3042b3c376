//! What a chroot of packages says of its builds, in builds.

use std::net::TcpListener;

use super::site::{Site, spec};

#[test]
fn what_a_chroot_and_those_that_it_extends_say_holds_in_its_root() {
    let site = Site::with(
        "install \"@buildsys-build\"; env { FIRST base; SECOND base }; macros { one base; two base }",
        "chroot other { extends clean; install tree; env { SECOND other }; macros { two other } }\n\
         defaults { engine native }\npackage one { source path \"one.spec\"; chroots other }\n",
    );
    let look = "echo \"said: $FIRST $SECOND %{one} %{two}\"\ntree --version\necho > made";
    site.0.write("one.spec", &spec("one", "BuildArch: noarch", look));
    site.succeed(&["apply"]);
    let log = site.log("one");
    assert!(log.lines().any(|line| line == "said: base other base other"), "{log}");
    assert!(log.contains("tree v2"), "{log}");
}

#[test]
fn a_build_in_a_clean_root_ends_where_its_time_does() {
    let site =
        Site::new("defaults { engine native }\npackage one { source path \"one.spec\"; timeout \"2s\" }\n");
    site.0.write("one.spec", &spec("one", "BuildArch: noarch", "sleep 3000\necho > made"));
    let run = site.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!((run.stdout.clone() + &run.stderr).contains("2s"), "{}\n{}", run.stdout, run.stderr);
}

#[test]
fn only_a_build_that_may_reaches_the_network_from_a_clean_root() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(
        "defaults { engine native }\npackage near { source path \"near.spec\" }\npackage far { source path \"far.spec\"; network #true }\n",
    );
    for name in ["near", "far"] {
        let look =
            format!("if (exec 3<>/dev/tcp/127.0.0.1/{port}); then echo 'it is reached'; fi\necho > made");
        site.0.write(&format!("{name}.spec"), &spec(name, "BuildArch: noarch", &look));
    }
    site.succeed(&["apply"]);
    let is_reached = |name: &str| site.log(name).lines().any(|line| line == "it is reached");
    assert_eq!((is_reached("near"), is_reached("far")), (false, true));
}

#[test]
fn a_clean_root_needs_a_sandbox_around_it() {
    let site =
        Site::new("defaults { engine native; isolation none }\npackage one { source path \"one.spec\" }\n");
    site.0.write("one.spec", &spec("one", "BuildArch: noarch", "echo > made"));
    let run = site.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    let said = (run.stdout + &run.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("isolation none") || said.contains("isolation namespaces"), "{said}");
}
