//! `forge man`

use std::fmt::Write as _;
use std::io;

use super::Exit;
use super::arguments::{Man, command_line};
use super::context::{CliError, Context, Failure};
use crate::files::Folder;

/// Writes a manual page for the program and one for each command.
pub fn run(arguments: &Man, context: &Context) -> Result<Exit, Failure> {
    let folder = Folder::create_ambient(&context.named(&arguments.folder)?).map_err(CliError::Io)?;
    let mut program = command_line().disable_help_subcommand(true);
    program.build();
    write_pages(&program, &folder).map_err(CliError::Io)?;
    Ok(Exit::Success)
}

/// Writes the page of a command and those of the commands in it.
fn write_pages(command: &clap::Command, folder: &Folder) -> io::Result<()> {
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write_pages(below, folder)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut command = command.clone();
    if matches!(name, "forge" | "forge-diff" | "forge-store-verify") {
        // What `--help` says at its end is the exit codes, which have a section of their own here.
        command = command.after_help(None::<&str>);
    }
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    text.extend(more_sections(name).into_bytes());
    folder.write_atomic(page.get_filename(), &text)
}

/// What a page says beside the command line.
struct Sections {
    page: &'static str,
    exit: Exits,
    files: &'static [File],
    examples: &'static [(&'static str, &'static str)],
}

/// Exit codes, as their pages tell them.
#[derive(Clone, Copy)]
enum Exits {
    /// Those of forge.
    Usual,
    /// Those of forge, and 2.
    Detailed,
    /// Those of diff(1).
    Diff,
    /// Those of rpm's program of the same name.
    Rpm,
}

/// A file that a command reads or writes: its name and what it is.
type File = (&'static str, &'static str);

const MANIFEST: File =
    ("Rpmforge.kdl", "The manifest. It is looked for in this folder and in the folders above.");
const STATE: File = (
    ".forge/",
    "What belongs to the project: history.db, results/CHROOT/NUMBER-PACKAGE/ (packages, build.log, root.log, result.json), \
     published/, work/.",
);
const REPOSITORY: File =
    ("public/CHROOT/", "The repository of a chroot, where the manifest names no other folder.");
const STORE: File = (
    "$XDG_CACHE_HOME/rpmforge/",
    "The store of results, shared by all projects of a user; ~/.cache/rpmforge/ where the variable is not set.",
);
const SECRET_KEY: File = (
    "$XDG_DATA_HOME/rpmforge/secret-key",
    "The key that digests of secrets are made with; in ~/.local/share/rpmforge/ where the variable is not set.",
);
const RPM_MACROS: File =
    ("/usr/lib/rpm/macros", "The first of rpm's macro files; where there is none, forge brings its own.");
const RPM_FOLDERS: File =
    ("~/rpmbuild/", "SPECS, SOURCES, BUILD, RPMS and SRPMS, as the macro %_topdir says.");
const SPEC: File = ("NAME.spec", "The spec. Its sources lie beside it.");
const PACKAGE: File = ("NAME.rpm", "A package, of binaries or of sources.");
const PAGES: File = ("forge*.1", "The pages. A folder man1 below one of MANPATH is where man(1) finds them.");
const COMPLETION: File = (
    "~/.local/share/bash-completion/completions/forge",
    "Where bash finds its completions; other shells have their own places.",
);

const ALL: &[File] = &[MANIFEST, STATE, REPOSITORY, STORE, SECRET_KEY];
const READ: &[File] = &[MANIFEST, STATE, STORE];
const PAST: &[File] = &[MANIFEST, STATE];

const SECTIONS: &[Sections] = &[
    Sections {
        page: "forge",
        exit: Exits::Detailed,
        files: ALL,
        examples: &[
            ("forge init", "writes a first manifest for the specs below this folder"),
            ("forge plan", "shows what would be built, and why"),
            ("forge apply", "builds it and brings the repositories up to date"),
        ],
    },
    Sections {
        page: "forge-apply",
        exit: Exits::Usual,
        files: ALL,
        examples: &[
            ("forge apply", "builds everything that has changed"),
            ("forge apply curl 'lib*' --chroot 'el*'", "only these, and what they need, in some chroots"),
            ("forge apply --failed", "tries again what failed"),
            (
                "forge apply libfoo --dependents --force",
                "builds libfoo and everything that needs it once more",
            ),
            ("forge apply --changed-since origin/main", "builds what a branch touches"),
        ],
    },
    Sections {
        page: "forge-plan",
        exit: Exits::Detailed,
        files: READ,
        examples: &[
            ("forge plan", "shows what would be built, in that order, and why"),
            (
                "forge plan --explain curl",
                "shows with which macros, conditions and variables, and who says so",
            ),
            ("forge plan --detailed-exitcode", "ends with 2 when there is something to do"),
        ],
    },
    Sections {
        page: "forge-graph",
        exit: Exits::Usual,
        files: READ,
        examples: &[
            ("forge graph --format svg > graph.svg", "a picture"),
            ("forge graph --format mermaid curl", "what curl needs, for a page in Markdown"),
        ],
    },
    Sections {
        page: "forge-check",
        exit: Exits::Usual,
        files: &[MANIFEST],
        examples: &[
            ("forge check", "tells every mistake of the manifest and of its specs"),
            ("forge check --manifest-only", "reads no spec"),
        ],
    },
    Sections {
        page: "forge-fmt",
        exit: Exits::Usual,
        files: &[MANIFEST],
        examples: &[
            ("forge fmt", "lays out the manifest and the files that it includes"),
            ("forge fmt --check", "changes nothing, and ends with 1 where something would be changed"),
        ],
    },
    Sections {
        page: "forge-init",
        exit: Exits::Usual,
        files: &[MANIFEST],
        examples: &[("forge init --name acme", "writes a manifest for the specs below this folder")],
    },
    Sections {
        page: "forge-status",
        exit: Exits::Usual,
        files: READ,
        examples: &[
            ("forge status", "shows what is not up to date, and why"),
            ("forge status --all --chroot host", "shows every build of a chroot"),
        ],
    },
    Sections {
        page: "forge-why",
        exit: Exits::Usual,
        files: READ,
        examples: &[("forge why curl", "names the change that curl was, or would be, built for")],
    },
    Sections {
        page: "forge-history",
        exit: Exits::Usual,
        files: PAST,
        examples: &[
            ("forge history curl", "shows the newest builds of curl"),
            ("forge history --failed -n 5", "shows the last five that failed"),
        ],
    },
    Sections {
        page: "forge-log",
        exit: Exits::Usual,
        files: PAST,
        examples: &[
            ("forge log curl --stage check", "what curl's tests printed"),
            ("forge log '#12'", "the log of build number 12"),
            ("forge log -f curl", "follows a build that runs"),
        ],
    },
    Sections {
        page: "forge-results",
        exit: Exits::Usual,
        files: PAST,
        examples: &[("forge results curl --chroot host", "names the folder of curl's newest results")],
    },
    Sections {
        page: "forge-gc",
        exit: Exits::Usual,
        files: READ,
        examples: &[
            ("forge gc --older 30d", "removes results that nobody has used for 30 days"),
            ("forge gc --size 20G", "removes those used longest ago until the store holds 20 GiB"),
        ],
    },
    Sections {
        page: "forge-store",
        exit: Exits::Usual,
        files: &[STORE],
        examples: &[("forge store verify", "reads all that the store holds")],
    },
    Sections {
        page: "forge-store-verify",
        exit: Exits::Usual,
        files: &[STORE],
        examples: &[
            ("forge store verify", "names what is damaged"),
            ("forge store verify --repair", "removes it, so that it is built again"),
        ],
    },
    Sections {
        page: "forge-eval",
        exit: Exits::Usual,
        files: &[RPM_MACROS],
        examples: &[
            ("forge eval '%{_libdir}'", "expands a macro"),
            ("forge eval --json '%configure'", "says as well where each macro comes from"),
        ],
    },
    Sections {
        page: "forge-spec",
        exit: Exits::Usual,
        files: &[SPEC, RPM_MACROS],
        examples: &[
            ("forge spec hello.spec", "shows what a spec says, and what is wrong with it"),
            ("forge spec --with docs --json hello.spec", "the same as JSON, with a condition switched on"),
        ],
    },
    Sections {
        page: "forge-diff",
        exit: Exits::Diff,
        files: &[PACKAGE],
        examples: &[("forge diff before.rpm after.rpm", "shows what differs between two packages")],
    },
    Sections {
        page: "forge-rpmbuild",
        exit: Exits::Rpm,
        files: &[RPM_FOLDERS, RPM_MACROS],
        examples: &[("forge rpmbuild -ba hello.spec", "builds packages and source package of a spec")],
    },
    Sections {
        page: "forge-rpmspec",
        exit: Exits::Rpm,
        files: &[SPEC, RPM_MACROS],
        examples: &[("forge rpmspec -q --qf '%{name}\\n' hello.spec", "names the packages of a spec")],
    },
    Sections {
        page: "forge-schema",
        exit: Exits::Usual,
        files: &[MANIFEST],
        examples: &[
            ("forge schema > rpmforge.kdl", "the language as a KDL schema, for editors"),
            ("forge schema --form markdown", "the reference of the language"),
            ("forge schema --form events", "the JSON Schema of what `forge apply --json` prints"),
        ],
    },
    Sections {
        page: "forge-completions",
        exit: Exits::Usual,
        files: &[COMPLETION],
        examples: &[("forge completions bash", "prints what bash needs to complete forge's command lines")],
    },
    Sections {
        page: "forge-man",
        exit: Exits::Usual,
        files: &[PAGES],
        examples: &[("forge man ~/.local/share/man/man1", "writes these pages where man(1) finds them")],
    },
];

/// EXIT STATUS, FILES and EXAMPLES of a page.
fn more_sections(page: &str) -> String {
    let mut text = String::new();
    if let Some(sections) = SECTIONS.iter().find(|sections| sections.page == page) {
        write_section(&mut text, "EXIT STATUS", exit_codes(sections.exit));
        write_section(&mut text, "FILES", sections.files);
        text.push_str(".SH EXAMPLES\n");
        for (command, meaning) in sections.examples {
            // Writing to a String can't fail, here and below.
            let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escape(command), escape(meaning));
        }
    }
    text
}

fn write_section(text: &mut String, title: &str, entries: &[(&str, &str)]) {
    let title = if title.contains(' ') { format!("\"{title}\"") } else { title.to_owned() };
    let _ = writeln!(text, ".SH {title}");
    for (name, meaning) in entries {
        let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escape(name), escape(meaning));
    }
}

fn exit_codes(exits: Exits) -> &'static [(&'static str, &'static str)] {
    const USUAL: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("1", "Something is wrong, or a build failed; a message says what."),
        ("64", "The command line can't be understood."),
        ("130", "Interrupted."),
    ];
    const DETAILED: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("1", "Something is wrong, or a build failed; a message says what."),
        ("2", "There is something to do: `forge plan --detailed-exitcode` only."),
        ("64", "The command line can't be understood."),
        ("130", "Interrupted."),
    ];
    const DIFF: &[(&str, &str)] =
        &[("0", "The packages are the same."), ("1", "They differ."), ("2", "They can't be compared.")];
    const RPM: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("other", "Something went wrong; the code is the one that rpm ends with."),
    ];
    match exits {
        Exits::Usual => USUAL,
        Exits::Detailed => DETAILED,
        Exits::Diff => DIFF,
        Exits::Rpm => RPM,
    }
}

/// A text as roff takes it.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\*(Aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
