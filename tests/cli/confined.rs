//! What a spec that nobody trusts may learn of the machine: its project, its sources and rpm's own files, nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use base64::Engine;

use crate::support::{Project, Run};

/// What must not be seen: the content of a file outside, the name of another, the value of a variable.
const CANARY: &str = "CANARY";

/// What a spec says, after its preamble's begin, and what the refusal says of it. `OUT` is a folder outside.
const ATTACKS: &[(&str, &str)] = &[
    ("%include OUT/secret", "%include may not look at OUT/secret here"),
    ("%include link", "%include may not look at link here"),
    ("%include BESIDE/link", "%include may not look at BESIDE/link here"),
    ("%include BESIDE/folder-link/secret", "%include may not look at BESIDE/folder-link/secret here"),
    (
        "%include BESIDE/hidden/../../outside/secret",
        "%include may not look at BESIDE/hidden/../../outside/secret here",
    ),
    ("%include BESIDE//./../outside/secret", "%include may not look at BESIDE//./../outside/secret here"),
    ("%include /proc/self/root/OUT/secret", "%include may not look at /proc/self/root/OUT/secret here"),
    ("%include /proc/self/environ", "%include may not look at /proc/self/environ here"),
    ("%include /dev/stdin", "%include may not look at /dev/stdin here"),
    ("%include BESIDE/.git/config", "%include may not look at BESIDE/.git/config here"),
    (
        "%define _rpmconfigdir OUT\n%{load:%{_rpmconfigdir}/secret}",
        "%{load:…} may not look at OUT/secret here",
    ),
    ("%define _sourcedir OUT\nIcon: secret", "Icon may not look at OUT/secret here"),
    ("%define inner() %{load:OUT/secret}\n%inner", "%{load:…} may not look at OUT/secret here"),
    ("%{exists:OUT/secret}", "%{exists:…} may not look at OUT/secret here"),
    ("%{exists:/}", "%{exists:…} may not look at / here"),
    ("%{expand:%%{lua:print(io.open('OUT/secret'):read('a'))}}", "io.open may not look at OUT/secret here"),
    ("%{lua:print(io.open('OUT/secret', 'rb'))}", "io.open may not look at OUT/secret here"),
    ("%{lua:print(io.open('BESIDE/link'))}", "io.open may not look at BESIDE/link here"),
    (
        "%{lua:for line in io.lines('OUT/secret') do print(line) end}",
        "io.lines may not look at OUT/secret here",
    ),
    ("%{lua:io.input('OUT/secret') print(io.read('a'))}", "io.input may not look at OUT/secret here"),
    ("%{lua:dofile('OUT/secret')}", "dofile may not look at OUT/secret here"),
    ("%{lua:print(loadfile('OUT/secret'))}", "loadfile may not look at OUT/secret here"),
    ("%{lua:package.path = 'OUT/?' require('secret')}", "require may not look at OUT/secret here"),
    (
        "%{lua:package.path = 'OUT/?' print(package.searchers[2]('secret'))}",
        "require may not look at OUT/secret here",
    ),
    (
        "%{lua:print(package.searchpath('secret', 'OUT/?'))}",
        "package.searchpath may not look at OUT/secret here",
    ),
    ("%{lua:local f = rpm.open('OUT/secret') print(f:read())}", "rpm.open may not look at OUT/secret here"),
    ("%{lua:print(table.concat(rpm.glob('OUT/*')))}", "rpm.glob may not look at OUT/* here"),
    ("%{lua:print(table.concat(rpm.glob('/*/../OUT/*', 'c')))}", "rpm.glob may not look at /*/../OUT/* here"),
    (
        "%{lua:print(table.concat(rpm.glob('BESIDE/folder-link/*')))}",
        "rpm.glob may not look at BESIDE/folder-link/* here",
    ),
    ("%{lua:rpm.load('OUT/secret')}", "rpm.load may not look at OUT/secret here"),
    ("%{lua:print(table.concat(posix.dir('OUT') or {}))}", "posix.dir may not look at OUT here"),
    ("%{lua:print(table.concat(posix.dir('/') or {}))}", "posix.dir may not look at / here"),
    ("%{lua:for name in posix.files('OUT') do print(name) end}", "posix.dir may not look at OUT here"),
    ("%{lua:print(posix.stat('OUT/secret', 'size'))}", "posix.stat may not look at OUT/secret here"),
    ("%{lua:print(posix.access('OUT/secret', 'r'))}", "posix.access may not look at OUT/secret here"),
    ("%{lua:print(posix.readlink('OUT/to-name'))}", "posix.readlink may not look at OUT/to-name here"),
    ("%{lua:print(posix.pathconf('OUT', 'name_max'))}", "posix.pathconf may not look at OUT here"),
    ("%{lua:print(posix.getpasswd('root', 'dir'))}", "posix.getpasswd may not look at /etc/passwd here"),
    ("%{lua:print(posix.getgroup('root').name)}", "posix.getgroup may not look at /etc/group here"),
];

/// A project with a folder outside that nobody may look at, and links to it; `attacks` are its packages.
fn project(attacks: &[String]) -> Project {
    let project = Project::new();
    let outside = project.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "root:CANARY-LINE:19000:0\n%define secret CANARY-MACRO\n").unwrap();
    fs::write(outside.join("CANARY-NAME"), "").unwrap();
    symlink("CANARY-NAME", outside.join("to-name")).unwrap();
    project.write(".git/config", "CANARY-TOKEN\n");
    project.write("hidden/empty", "");
    symlink("../outside/secret", project.path().join("link")).unwrap();
    symlink(&outside, project.path().join("folder-link")).unwrap();
    let mut manifest = "rpmforge version=1\nchroot host { root \"/\" }\n".to_owned();
    for (number, attack) in attacks.iter().enumerate() {
        manifest.push_str(&format!("package a{number} {{ source path \"a{number}.spec\" }}\n"));
        project.write(&format!("a{number}.spec"), &spec(number, attack));
    }
    project.write("Rpmforge.kdl", &manifest);
    project
}

fn spec(number: usize, attack: &str) -> String {
    format!(
        "Name: a{number}\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n{attack}\n\
         %description\n%{{?secret}}\n%files\n"
    )
}

/// With the folders of a project that is not made yet: its parent's name is not known, so relative names stand for it.
fn placed(text: &str, project: &Project) -> String {
    let text = text.replace("OUT", project.beside("outside").to_str().unwrap());
    text.replace("BESIDE", project.path().to_str().unwrap()).replace("root//", "root/")
}

/// The project of all attacks, and what each refusal says.
fn attacked() -> (Project, Vec<String>) {
    let project = project(&[]);
    let mut manifest = project.read("Rpmforge.kdl");
    for (number, (attack, _)) in ATTACKS.iter().enumerate() {
        project.write(&format!("a{number}.spec"), &spec(number, &placed(attack, &project)));
        manifest.push_str(&format!("package a{number} {{ source path \"a{number}.spec\" }}\n"));
    }
    project.write("Rpmforge.kdl", &manifest);
    let refusals = ATTACKS.iter().map(|(_, refusal)| placed(refusal, &project)).collect();
    (project, refusals)
}

fn run(project: &Project, arguments: &[&str]) -> Run {
    let mut command = project.forge(arguments);
    Run::from(command.env("TOKEN", "CANARY-VALUE").output().unwrap())
}

#[track_caller]
fn assert_unseen(run: &Run) {
    assert!(!run.stdout.contains(CANARY), "{}", run.stdout);
    assert!(!run.stderr.contains(CANARY), "{}", run.stderr);
}

#[test]
fn a_spec_that_is_shown_sees_nothing_outside_and_each_refusal_says_who_wanted_what() {
    let (project, refusals) = attacked();
    let names: Vec<String> = (0..ATTACKS.len()).map(|number| format!("a{number}.spec")).collect();
    let mut arguments = vec!["spec", "--restricted", "--json"];
    arguments.extend(names.iter().map(String::as_str));
    let shown = run(&project, &arguments);
    assert_unseen(&shown);
    assert_eq!(shown.code, Some(1));
    let documents: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    for ((document, refusal), (attack, _)) in documents.as_array().unwrap().iter().zip(&refusals).zip(ATTACKS)
    {
        let findings = document["findings"].as_array().unwrap();
        let refused = findings.iter().find(|finding| finding["code"] == "forge::macros::confined");
        let refused = refused.unwrap_or_else(|| panic!("{attack}: {findings:#?}"));
        assert_eq!(refused["title"], refusal.as_str(), "{attack}");
        assert_eq!(refused["weight"], "error", "{attack}");
    }
}

#[test]
fn a_package_that_is_read_in_a_sandbox_sees_nothing_outside_and_leaves_nothing_of_it_behind() {
    let (project, _) = attacked();
    for command in [&["check"][..], &["plan"], &["plan", "--json"], &["--json", "check"]] {
        assert_unseen(&run(&project, command));
    }
    for folder in [project.path().join(".forge"), project.cache()] {
        for path in files(&folder) {
            let kept = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!kept.contains(CANARY), "{}", path.display());
        }
    }
}

#[test]
fn what_a_spec_runs_in_a_sandbox_while_it_is_read_sees_nothing_outside() {
    let project = project(&[]);
    let outside = project.beside("outside");
    let commands = [
        format!("cat {}/secret", outside.display()),
        format!("ls {}", outside.display()),
        "cat link .git/config".to_owned(),
        "env".to_owned(),
        "ls -a .git".to_owned(),
        "cat /proc/1/environ".to_owned(),
    ];
    let mut manifest = project.read("Rpmforge.kdl");
    for (number, command) in commands.iter().enumerate() {
        let attack = format!("Epoch: 7\n%define seen %({command} 2>&1 | base64 -w0)");
        project.write(
            &format!("a{number}.spec"),
            &spec(number, &attack).replace("%files", "%build\necho '[%{seen}]'\n%files"),
        );
        manifest.push_str(&format!("package a{number} {{ source path \"a{number}.spec\" }}\n"));
    }
    project.write("Rpmforge.kdl", &manifest);
    let applied = run(&project, &["apply"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
    for (number, command) in commands.iter().enumerate() {
        let log = run(&project, &["log", &format!("a{number}")]).stdout;
        let seen = log.lines().find_map(|line| line.strip_prefix('[')?.strip_suffix(']')).unwrap();
        let seen = base64::engine::general_purpose::STANDARD.decode(seen).unwrap();
        let seen = String::from_utf8_lossy(&seen);
        assert!(!seen.contains(CANARY), "{command}: {seen}");
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_refusal_does_not_tell_whether_the_file_is_there() {
    let (project, _) = attacked();
    let told = |name: &str| {
        for (number, (attack, _)) in ATTACKS.iter().enumerate() {
            let attack = placed(attack, &project).replace("/secret", &format!("/{name}"));
            project.write(&format!("a{number}.spec"), &spec(number, &attack));
        }
        let shown: Vec<String> = (0..ATTACKS.len())
            .map(|number| {
                let shown = run(&project, &["spec", "--restricted", &format!("a{number}.spec")]);
                format!("{:?} {}{}", shown.code, shown.stdout, shown.stderr)
            })
            .collect();
        shown.iter().map(|shown| shown.replace(name, "secret")).collect::<Vec<_>>()
    };
    assert_eq!(told("secret"), told("nosuch"));
}

#[test]
fn the_environment_of_the_user_is_not_seen() {
    let project = project(&[]);
    let asks = [
        "%{getenv:TOKEN}",
        "%{lua:print(os.getenv('TOKEN'))}",
        "%{lua:print(posix.getenv('TOKEN'))}",
        "%{lua:print(posix.getlogin())}",
        "%{lua:print(posix.ttyname(0))}",
        "%{xdg:cache}",
    ];
    for ask in asks {
        project.write("a.spec", &spec(0, &format!("URL: [{ask}]")));
        let shown = run(&project, &["spec", "--restricted", "--json", "a.spec"]);
        assert_unseen(&shown);
        assert_unseen(&run(&project, &["eval", "--restricted", ask]));
        assert_unseen(&run(&project, &["eval", "--root", "/", ask]));
    }
}

#[test]
fn a_restricted_expansion_sees_the_folder_it_is_made_in_and_the_macro_files() {
    let project = project(&[]);
    project.write("macros", "%inside yes\n");
    let eval = |expression: &str| run(&project, &["eval", "--restricted", "--macros", "macros", expression]);
    assert_eq!(eval("%inside %{exists:macros} %{exists:nosuch}").stdout, "yes 1 0\n");
    let outside = project.beside("outside/secret");
    for expression in [format!("%{{exists:{}}}", outside.display()), "%{load:../outside/secret}".to_owned()] {
        let refused = eval(&expression);
        assert_unseen(&refused);
        assert_eq!((refused.stdout.as_str(), refused.code), ("", Some(1)));
        assert!(refused.stderr.contains("forge::macros::confined"), "{}", refused.stderr);
    }
}

#[test]
fn what_lies_within_reach_is_read_as_ever() {
    let project = project(&[]);
    project.write("sub/more.inc", "%define from_file 7\n");
    project.write("text", "first 12 0x1f\nsecond\n\nlast");
    project.write("code.lua", "#!/usr/bin/lua\nloaded = (loaded or 0) + 1 return 'loaded'\n");
    symlink("../text", project.path().join("sub/link")).unwrap();
    let here = project.path().display().to_string();
    let lua = |code: &str, expected: &str| {
        let attack = format!("%global secret %{{lua:{}}}", code.replace("HERE", &here));
        project.write("a.spec", &spec(0, &attack));
        let shown = run(&project, &["spec", "--restricted", "--json", "a.spec"]);
        let documents: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        let findings = &documents[0]["findings"];
        assert_eq!(findings.as_array().unwrap().len(), 0, "{code}: {findings:#}");
        let text = documents[0].to_string();
        assert!(text.contains(&format!("[{expected}]")), "{code}: {text}");
    };
    lua("print('[' .. io.open('HERE/text'):read('l') .. ']')", "first 12 0x1f");
    lua(
        "local f = io.open('HERE/text') f:seek('set', 6) print('[' .. f:read('n') + f:read('n') .. ']')",
        "43",
    );
    lua("local n = 0 for _ in io.lines('HERE/sub/link') do n = n + 1 end print('[' .. n .. ']')", "4");
    lua(
        "io.input('HERE/text') io.read() print('[' .. io.read('l') .. io.type(io.input()) .. ']')",
        "secondfile",
    );
    lua(
        "print('[' .. dofile('HERE/code.lua') .. loadfile('HERE/code.lua')() .. loaded .. ']')",
        "loadedloaded2",
    );
    lua("package.path = 'HERE/?.lua' print('[' .. require('code') .. ']')", "loaded");
    lua("print('[' .. rpm.open('HERE/text'):read(5) .. ']')", "first");
    lua("print('[' .. #rpm.glob('HERE/sub/*') .. ']')", "2");
    lua("print('[' .. #posix.dir('HERE/sub') .. ']')", "4");
    lua(
        "print('[' .. posix.stat('HERE/sub/link', 'type') .. posix.readlink('HERE/sub/link') .. ']')",
        "link../text",
    );
    lua(
        "print('[' .. posix.access('HERE/text', 'r') .. tostring(posix.access('HERE/text', 'w')) .. ']')",
        "0.0nil",
    );
    lua("print('[' .. tostring(io.open('HERE/nosuch')) .. ']')", "nil");
    lua("print('[' .. table.concat({1, 2}, ',') .. #table.move({1, 2}, 1, 2, 2) .. ']')", "1,23");
    lua("print('[' .. coroutine.wrap(function(a) return a + coroutine.yield(1) end)(3) .. ']')", "1");
    lua("local l = {3, 1, 2} table.sort(l) table.insert(l, 4) print('[' .. table.concat(l) .. ']')", "1234");
    lua("print('[' .. string.rep('ab', 2) .. string.rep('', 2^50) .. ']')", "abab");
    lua("print('[' .. macros.expand('%[1 + 1]') .. ']')", "2");
    let attack = format!("%include {here}/sub/more.inc\nEpoch: %from_file");
    project.write("a.spec", &spec(0, &attack));
    let shown = run(&project, &["spec", "--restricted", "a.spec"]);
    assert!(shown.code == Some(0) && shown.stdout.contains("7:1-1"), "{}{}", shown.stdout, shown.stderr);
}

#[test]
fn a_package_that_is_trusted_reads_what_it_wants() {
    let project = project(&[]);
    let attack = format!("%include {}", project.beside("more.inc").display());
    fs::write(project.beside("more.inc"), "Epoch: 3\n").unwrap();
    project.write("a0.spec", &spec(0, &attack));
    let manifest = project.read("Rpmforge.kdl");
    let package = "package a0 { isolation none; source path \"a0.spec\" }\n";
    project.write("Rpmforge.kdl", &format!("{manifest}{package}"));
    assert_eq!(run(&project, &["check"]).code, Some(0));
    assert!(run(&project, &["spec", "a0.spec"]).stdout.contains("3:1-1"));
}
