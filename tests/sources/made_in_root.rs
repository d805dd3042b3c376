//! Sources that a program makes in a root.

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process};

use crate::git::made_git::MadeGit;
use crate::support::{Project, Run, spec};

/// The beginning of a script that leaves a spec with one source, `data`.
fn script(more: &str) -> String {
    let spec = spec("a", "Source0: data", "grep one %{SOURCE0}");
    format!("#!/bin/sh\nset -e\ncat > a.spec <<'END'\n{spec}END\necho one > data\n{more}\n")
}

fn project(source: &str, text: &str) -> Project {
    let project = Project::with(&format!("package a {{ source custom script=\"make-a.sh\" {source} }}\n"));
    project.write("make-a.sh", text);
    project
}

#[track_caller]
fn refused(run: &Run, code: &str, words: &str) {
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(shown.contains(code) && shown.contains(words), "{}", run.stderr);
}

fn has_run(run: &Run) -> bool {
    run.stderr.contains("running make-a.sh")
}

/// A source package, as a shell can write it.
fn packed(name: &str) -> String {
    let project = Project::with(&format!("package {name} {{ source path \"{name}.spec\" }}\n"));
    project.spec(name, "", "true");
    project.succeed(&["apply", "--quiet"]);
    let published = project.published();
    let (_, content) =
        published.iter().find(|(path, _)| path.to_string_lossy().ends_with(".src.rpm")).unwrap();
    base64::engine::general_purpose::STANDARD.encode(content)
}

#[test]
fn a_script_runs_once_and_what_it_makes_is_locked() {
    let project = project(
        "results=\"out\" { arguments \"1\" \"two words\"; env { WHO me }; timeout \"5m\" }",
        &script(
            "mkdir -p out/sub; mv a.spec data out; touch out/run; chmod +x out/run; test \"$1/$2/$WHO\" = \"1/two words/me\"",
        ),
    );
    assert!(has_run(&project.succeed(&["apply"])));
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("source \"a\" kind=\"custom\"") && lock.contains("executable=\"run\""), "{lock}");
    assert!(lock.contains("file \"data\" checksum=\"sha256:") && !lock.contains("sub"), "{lock}");
    let again = project.succeed(&["apply", "--locked", "--offline"]);
    assert!(!has_run(&again) && again.stdout.contains("1 up to date"), "{}{}", again.stdout, again.stderr);
    std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
    std::fs::remove_file(project.path().join("Rpmforge.lock")).unwrap();
    assert!(!has_run(&project.succeed(&["plan"])), "the store has what it makes");
    // Without the store it runs again, and has to make the same.
    std::fs::remove_dir_all(project.cache()).unwrap();
    project.write("Rpmforge.lock", &lock);
    assert!(has_run(&project.succeed(&["plan", "--locked"])));
    project.edit("make-a.sh", "echo one", "echo one more");
    refused(
        &project.run(&["plan", "--locked"]),
        "forge::source::making_not_locked",
        "what `make-a.sh` makes for package `a`",
    );
    project.edit("make-a.sh", "echo one more", "echo one");
    project.succeed(&["plan", "--locked"]);
}

#[test]
fn a_script_that_makes_something_else_each_time_is_told_and_update_takes_what_it_makes_now() {
    let project = project("", &script("date +%N >> data"));
    project.succeed(&["apply"]);
    let lock = project.read("Rpmforge.lock");
    std::fs::remove_dir_all(project.cache()).unwrap();
    refused(&project.run(&["plan"]), "forge::source::making_changed", "than are in Rpmforge.lock: `data`");
    assert_eq!(project.read("Rpmforge.lock"), lock);
    let update = project.succeed(&["update", "a"]);
    assert!(update.stdout.contains("other data: sha256:"), "{}", update.stdout);
    assert_ne!(project.read("Rpmforge.lock"), lock);
    assert!(!has_run(&project.succeed(&["plan", "--locked", "--offline"])));
}

#[test]
fn with_refresh_it_runs_anew_on_another_day_unless_the_lock_is_to_stay() {
    let project = project("refresh=\"365d\"", &script("date +%N >> data"));
    assert!(has_run(&project.succeed(&["apply"])));
    let lock = project.read("Rpmforge.lock");
    let since = lock.split("since=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!has_run(&project.succeed(&["plan"])));
    std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
    project.edit("Rpmforge.lock", since, "1960-01-01T00:00:00Z");
    assert!(!has_run(&project.succeed(&["plan", "--locked"])));
    // What was made at that time is in the store already.
    project.succeed(&["apply"]);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn with_refresh_it_runs_anew_as_soon_as_its_time_is_over() {
    let project = project("refresh=\"1s\"", &script("date +%N >> data"));
    assert!(has_run(&project.succeed(&["fetch"])));
    let lock = project.read("Rpmforge.lock");
    std::thread::sleep(Duration::from_millis(1100));
    assert!(!has_run(&project.succeed(&["plan", "--locked"])));
    assert_eq!(project.read("Rpmforge.lock"), lock);
    assert!(has_run(&project.succeed(&["fetch"])));
    let now = project.read("Rpmforge.lock");
    let since = |lock: &str| lock.split("since=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(since(&lock) < since(&now), "{lock}\n{now}");
}

#[test]
fn a_failure_says_what_is_wrong_and_where_all_stands_that_was_printed() {
    let project = project("", "#!/bin/sh\necho hello\necho 'x.c:1: error: no such thing' >&2\nexit 3\n");
    let run = project.run(&["apply"]);
    refused(&run, "forge::source::making_failed", "it ended with exit code 3: x.c:1: error: no such thing");
    assert!(run.stderr.contains("source-logs/a.log"), "{}", run.stderr);
    assert!(project.read(".forge/source-logs/a.log").contains("hello\n"));
    project.write("make-a.sh", "echo 'fatal: unable to access: Could not resolve host: x'; exit 1\n");
    refused(
        &project.run(&["plan"]),
        "forge::source::making_failed",
        "`network #true` in the block of the source",
    );
    project.write("make-a.sh", "sleep 600\n");
    project.edit("Rpmforge.kdl", "make-a.sh\"", "make-a.sh\" { timeout \"1s\" }");
    refused(&project.run(&["plan"]), "forge::source::making_failed", "it took more than 1s");
}

#[test]
fn one_spec_or_one_source_package_of_regular_files_is_taken_in() {
    let project = project("", "true\n");
    refused(&project.run(&["plan"]), "forge::source::making_not_one_spec", "left no spec");
    project.write("make-a.sh", "touch a.spec b.spec\n");
    refused(&project.run(&["plan"]), "forge::source::making_not_one_spec", "left `a.spec`, `b.spec`");
    project.write("make-a.sh", &script("ln -s /etc/passwd link"));
    refused(
        &project.run(&["plan"]),
        "forge::source::unsafe_file",
        "holds `link`, which is not unpacked: it is no regular file",
    );
    project.edit("Rpmforge.kdl", "make-a.sh\"", "make-a.sh\" results=\"out\"");
    refused(&project.run(&["plan"]), "forge::source::making_no_results", "left no folder `out`");
    project.edit("Rpmforge.kdl", "results=\"out\"", "results=\"../..\"");
    refused(&project.run(&["plan"]), "forge::source::making_no_results", "left no folder `../..`");
    project.edit("Rpmforge.kdl", " results=\"../..\"", " spec=\"a.spec\"");
    project.write("make-a.sh", &script("touch b.spec"));
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", " spec=\"a.spec\"", "");
    let packed = packed("b");
    project.write("make-a.sh", &format!("base64 -d > b.src.rpm <<END\n{packed}\nEND\n"));
    project.succeed(&["apply"]);
    assert!(project.succeed(&["results", "a"]).stdout.contains("b-1.0-1"));
    project.edit("Rpmforge.kdl", "make-a.sh", "make-b.sh");
    refused(&project.run(&["plan"]), "forge::source::making_script", "the script `make-b.sh` can't be read");
}

#[test]
fn what_may_reach_the_network_is_not_run_offline() {
    let project = project("{ network #true }", &script(""));
    refused(&project.run(&["plan", "--offline"]), "forge::source::making_offline", "forge is offline");
    project.succeed(&["fetch"]);
    project.succeed(&["apply", "--offline", "--locked"]);
}

#[test]
fn a_secret_is_neither_in_the_log_nor_taken_in() {
    let project = project("{ env { TOKEN (env)\"TOKEN\" } }", &script("echo \"it is $TOKEN\""));
    let run = |project: &Project| {
        Run::from(project.forge(&["apply"]).env("TOKEN", "hunter2-hunter2").output().unwrap())
    };
    assert_eq!(run(&project).code, Some(0));
    let log = project.read(".forge/source-logs/a.log");
    assert!(log.contains("it is ") && !log.contains("hunter2"), "{log}");
    assert!(!project.read("Rpmforge.lock").contains("hunter2"));
    project.write("make-a.sh", &script("echo \"it is $TOKEN\" > notes"));
    refused(
        &run(&project),
        "forge::source::making_secret",
        "left the value of the environment variable `TOKEN` in `notes`",
    );
}

#[test]
fn an_interrupt_ends_the_script() {
    let project = project("", "echo begun\nexec sleep 4711\n");
    let mut command = project.forge(&["apply"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    let log = project.path().join(".forge/source-logs/a.log");
    let patience = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(!child.wait().unwrap().success());
    let sleeps = || {
        std::fs::read_dir("/proc").unwrap().any(|entry| {
            let command = std::fs::read(entry.unwrap().path().join("cmdline")).unwrap_or_default();
            command == b"sleep\x004711\x00"
        })
    };
    while sleeps() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!sleeps());
}

/// A repository with a shell for roots of packages, and a tool that is a file.
fn distribution() -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    let install = "for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ :]*'); do install -D $(readlink -f $file) %{buildroot}$file; done";
    project.write(
        "shell.spec",
        &format!(
            "%global debug_package %{{nil}}\n%global __os_install_post %{{nil}}\nName: shell\nVersion: 1\nRelease: 1\nSummary: A\n\
             License: MIT\nAutoReqProv: no\n%description\nA.\n%install\n{install}\n%files\n/bin/*\n/lib*\n"
        ),
    );
    project.spec("tool", "", "true");
    project.succeed(&["apply", "--quiet"]);
    project
}

#[test]
fn a_script_has_what_it_needs_in_the_root_of_its_chroot() {
    let distribution = distribution();
    let project = Project::new();
    let manifest = "rpmforge version=1\nchroot f {\n    repo made baseurl=\"URL\"\n    install shell\n}\nchroot host { root \"/\" }\n\
        defaults { isolation none }\npackage a {\n    chroots host\n    source custom script=\"make-a.sh\" chroot=f { needs tool }\n}\n";
    let url = distribution.path().join("public/host").display().to_string();
    project.write("Rpmforge.kdl", &manifest.replace("URL", &url));
    let text = spec("a", "Source0: data", "grep tool %{SOURCE0}");
    let script = format!(
        "read word < /usr/share/tool\necho $word > data\nwhile IFS= read -r line; do printf '%s\\n' \"$line\"; done > a.spec <<'END'\n{text}END\n"
    );
    project.write("make-a.sh", &script);
    assert!(has_run(&project.succeed(&["apply"])));
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("build \"a (source)\""), "{lock}");
    let again = project.succeed(&["apply", "--locked", "--offline"]);
    assert!(!has_run(&again), "{}", again.stderr);
    project.edit("Rpmforge.kdl", "needs tool", "needs tol");
    refused(&project.run(&["plan"]), "forge::source::making_root", "did you mean `tool`");
    project.edit("Rpmforge.kdl", "needs tol", "needs tool");
    project.edit("Rpmforge.kdl", "install shell", "install shel");
    refused(&project.run(&["plan"]), "forge::source::making_root", "the root of chroot `f` can't be had");
}

/// A folder that is a root with a shell, and nothing else.
fn make_shell_root(folder: &std::path::Path) {
    let copy = "for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ :]*'); do install -D $(readlink -f $file) \"$0$file\"; done";
    let made = std::process::Command::new("sh").args(["-c", copy]).arg(folder).status().unwrap();
    assert!(made.success());
    std::fs::create_dir_all(folder.join("usr/share")).unwrap();
    std::fs::write(folder.join("usr/share/word"), "one of the image\n").unwrap();
}

#[test]
fn a_script_runs_in_an_image_and_sees_what_that_has() {
    let project = Project::new();
    make_shell_root(&project.path().join("golden"));
    let manifest = "rpmforge version=1\nchroot f { image \"golden\" }\nchroot host { root \"/\" }\n\
        defaults { isolation none }\npackage a {\n    chroots host\n    source custom script=\"make-a.sh\" chroot=f\n}\n";
    project.write("Rpmforge.kdl", manifest);
    let text = spec("a", "Source0: data", "grep 'one of the image' %{SOURCE0}");
    let script = format!(
        "test ! -e /usr/bin/env || exit 1\nread words < /usr/share/word\necho $words > data\n\
         while IFS= read -r line; do printf '%s\\n' \"$line\"; done > a.spec <<'END'\n{text}END\n"
    );
    project.write("make-a.sh", &script);
    assert!(has_run(&project.succeed(&["apply"])));
    assert!(!has_run(&project.succeed(&["apply", "--locked", "--offline"])));
    // Another image may make something else.
    std::fs::write(project.path().join("golden/usr/share/word"), "one of the image, again\n").unwrap();
    let lock = project.read("Rpmforge.lock");
    project.succeed(&["update"]);
    project.succeed(&["apply"]);
    assert_ne!(project.read("Rpmforge.lock"), lock);
}

/// A repository whose makefile checks what make is told, and asks git.
fn with_makefile() -> MadeGit {
    let made = MadeGit::new();
    made.commit("First", &[("README", "")]);
    made.git(&["tag", "v1"]);
    let makefile = "srpm:\n\ttest \"$(notdir $(CURDIR))\" = pkg\n\ttest -e \"$(spec)\"\n\
        \ttest \"$$(git describe --tags HEAD~1)\" = v1\n\ttest \"$$(git log --oneline | wc -l)\" = 2\n\
        \tgit archive HEAD | tar t | grep packed\n\tbase64 -d packed > $(outdir)/b-1.0-1.src.rpm\n";
    made.commit(
        "Second",
        &[(".copr/Makefile", makefile), ("pkg/packed", &packed("b")), ("pkg/b.spec", "Name: b\n")],
    );
    made
}

#[test]
fn make_makes_the_source_package_in_a_checkout_with_its_history() {
    let made = with_makefile();
    let source = |more: &str| {
        Project::with(&format!("package b {{ source git \"{}\" method=make-srpm {more} }}\n", made.url()))
    };
    let project = source("subdir=pkg { needs git tar }");
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains("running .copr/Makefile in chroot host for b"), "{}", run.stderr);
    let lock = project.read("Rpmforge.lock");
    let head = made.git(&["rev-parse", "HEAD"]);
    assert!(lock.contains(&format!("commit=\"{head}\"")) && lock.contains("b-1.0-1.src.rpm"), "{lock}");
    made.commit("Third", &[("README", "more")]);
    let again = project.succeed(&["apply", "--locked", "--offline"]);
    assert!(!again.stderr.contains("running"), "{}", again.stderr);
    refused(
        &source("subdir=less").run(&["plan"]),
        "forge::source::making_folder",
        "has no folder `less` at ",
    );
    made.git(&["rm", "--quiet", "-r", ".copr"]);
    made.commit("Fourth", &[]);
    refused(&source("").run(&["plan"]), "forge::source::making_makefile", "has no `.copr/Makefile` at ");
}
