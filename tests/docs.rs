//! Every page of docs/ for users is run: its files are written, its manifests checked, its commands run in order, and
//! what it shows of their output is looked for in what they print.
//!
//! How a fence says what it is:
//!
//! - `title=PATH`: the block is that file, written when its turn comes.
//! - `kdl` without a title: a manifest, or a part of one, that `forge check` finds sound; with `fetches`, as far as it can be
//!   checked without what is elsewhere.
//! - `console`: lines with `$ ` are commands; the lines below one are printed by it, in that order, with others
//!   between them; one that ends with `…` says how a line begins. `exit=N` is the exit code of the block's last command; the others end with 0.
//! - all else (`yaml`, `text`, …): the command lines of forge in it are understood.
//!
//! A block within an HTML comment is run as well, and not seen by readers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "docs/fields.rs"]
mod fields;
#[path = "docs/manual.rs"]
mod manual;
#[path = "docs/page.rs"]
mod page;
mod support;

use std::path::Path;
use std::process::Command;

use page::{Block, blocks, code_spans, commands_of_forge, console};
use support::{Project, Run, repository};

fn text_of(page: &str) -> String {
    std::fs::read_to_string(repository().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// Runs a page from its first block to its last, in a new folder.
fn run_page(page: &str) -> Project {
    let project = Project::new();
    for block in blocks(&text_of(page)) {
        let place = format!("{page}:{}", block.line);
        match (block.attribute("title"), block.language.as_str()) {
            (Some(path), _) => project.write(path, &block.text),
            (None, "kdl") => check_manifest(&project, &block, &place),
            (None, "console" | "sh") => run_console(&project, &block, &place),
            (None, _) => {}
        }
    }
    project
}

/// Runs a command as a reader types it, with forge in `PATH` and what it writes to both streams together.
fn run_in_shell(project: &Project, command: &str) -> Run {
    let forge = project.forge(&[]);
    let folder = Path::new(forge.get_program()).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(project.path()).env_clear();
    for (name, value) in forge.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", folder.display()));
    shell.env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
        shell.env(format!("{who}_NAME"), "A").env(format!("{who}_EMAIL"), "a@example.org");
    }
    Run::from(shell.output().unwrap())
}

fn run_console(project: &Project, block: &Block, place: &str) {
    let steps = console(&block.text);
    assert!(!steps.is_empty(), "{place}: a console block without a line that begins with `$ `");
    let last = steps.len() - 1;
    for (number, step) in steps.iter().enumerate() {
        let run = run_in_shell(project, &step.command);
        let said = block.attribute("exit").filter(|_| number == last).unwrap_or("0");
        assert_eq!(
            run.code.map(|code| code.to_string()).as_deref(),
            Some(said),
            "{place}: $ {}\n{}",
            step.command,
            run.stdout
        );
        let mut printed = run.stdout.lines().map(page::normalize);
        for shown in &step.shown {
            let wanted = page::normalize(shown);
            assert!(
                printed.any(|line| page::is_shown(&line, &wanted)),
                "{place}: $ {}\ndoes not print (any more, or not there): {wanted}\nbut\n{}",
                step.command,
                run.stdout
            );
        }
    }
}

/// Checks a manifest. A part of one gets what is missing around it: chroots, and the specs of the page.
fn check_manifest(project: &Project, block: &Block, place: &str) {
    let says = |node: &str| block.text.lines().any(|line| line.starts_with(node));
    let mut manifest = String::new();
    if !says("rpmforge ") {
        manifest.push_str("rpmforge version=1\n");
        if !says("chroot ") {
            for name in ["host", "el9", "f42"] {
                manifest.push_str(&format!("chroot {name} {{ root \"/\" }}\n"));
            }
        }
        if !says("defaults") {
            manifest.push_str("defaults { isolation none }\n");
        }
        if !says("packages ") {
            manifest.push_str("packages \"specs/*.spec\"\n");
        }
    }
    manifest.push_str(&block.text);
    let folder = project.beside("checked");
    support::copy(&project.path(), &folder);
    std::fs::write(folder.join("Rpmforge.kdl"), &manifest).unwrap();
    // What is elsewhere can't be had here: such a manifest is only read.
    let only_read: &[&str] = if block.attribute("fetches").is_some() { &["--manifest-only"] } else { &[] };
    let mut command = project.forge(&["-C", folder.to_str().unwrap(), "check"]);
    command.args(only_read);
    let run = Run::from(command.env("ACME_TOKEN", "a-secret").output().unwrap());
    assert_eq!(run.code, Some(0), "{place}: {manifest}\n{}{}", run.stdout, run.stderr);
    let may_warn = block.attribute("warns").is_some();
    assert_eq!(run.stderr.contains("not_yet"), may_warn, "{place}: {}", run.stderr);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_first_repository_is_made_as_the_page_says() {
    let project = run_page("docs/first-repository.md");
    assert!(project.path().join("public/host/repodata/repomd.xml").exists());
}

#[test]
fn each_recipe_works() {
    run_page("docs/recipes.md");
}

#[test]
fn each_step_of_a_migration_works() {
    run_page("docs/migration.md");
}

#[test]
fn clean_roots_are_made_as_the_page_says() {
    run_page("docs/roots.md");
}

#[test]
fn what_the_page_of_the_sandbox_says_works() {
    run_page("docs/sandbox.md");
}

#[test]
fn each_manifest_of_the_language_page_is_sound() {
    run_page("docs/manifest.md");
}

#[test]
fn each_manifest_of_the_pages_of_sources_is_sound() {
    run_page("docs/sources.md");
    run_page("docs/registries.md");
}

#[test]
fn each_manifest_of_the_page_of_publishing_is_sound() {
    run_page("docs/publishing.md");
}

#[test]
fn what_the_page_of_retention_says_works() {
    run_page("docs/retention.md");
}

#[test]
fn what_the_page_of_signing_says_works() {
    run_page("docs/signing.md");
}

#[test]
fn what_the_page_for_editors_says_works() {
    run_page("docs/editors.md");
}

#[test]
fn each_manifest_of_the_page_of_dependencies_is_sound() {
    run_page("docs/dependencies.md");
}

/// Every page, and the README, whose command lines must be understood.
const PAGES: &[&str] = &[
    "README.md",
    "docs/debuginfo.md",
    "docs/dependencies.md",
    "docs/editors.md",
    "docs/first-repository.md",
    "docs/json.md",
    "docs/manifest.md",
    "docs/migration.md",
    "docs/publishing.md",
    "docs/recipes.md",
    "docs/registries.md",
    "docs/retention.md",
    "docs/roots.md",
    "docs/sandbox.md",
    "docs/signing.md",
    "docs/sources.md",
];

#[test]
fn every_command_line_of_the_pages_is_understood() {
    let mut count = 0;
    for page in PAGES {
        let text = text_of(page);
        let in_blocks = blocks(&text).into_iter().flat_map(|block| commands_of_forge(&block.text));
        for words in in_blocks.chain(code_spans(&text).iter().flat_map(|span| commands_of_forge(span))) {
            count += 1;
            // What is for rpm's own command lines is parsed by rpm's rules.
            if matches!(words.get(1).map(String::as_str), Some("rpmbuild" | "rpmspec" | "eval")) {
                continue;
            }
            // A command that is only named is told from one that isn't there.
            let alone = words.len() == 2;
            if let Err(error) = rpmforge::cli::command_line().try_get_matches_from(&words) {
                use clap::error::ErrorKind::{
                    DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
                    MissingRequiredArgument, MissingSubcommand,
                };
                let only_named = match error.kind() {
                    MissingRequiredArgument | MissingSubcommand => alone,
                    DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => true,
                    _ => false,
                };
                assert!(only_named, "{page}: {words:?}\n{error}");
            }
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn every_link_of_the_pages_leads_to_a_file() {
    for page in PAGES {
        let folder = repository().join(page).parent().unwrap().to_owned();
        let text = text_of(page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(folder.join(path).exists(), "{page}: {target}");
        }
    }
}
