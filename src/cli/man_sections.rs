//! What manual pages say beside the command line: exit codes, files and examples.

/// What a page says beside the command line.
pub struct Sections {
    pub page: &'static str,
    pub exit: Exits,
    pub files: &'static [File],
    pub examples: &'static [(&'static str, &'static str)],
}

/// Exit codes, as their pages tell them.
#[derive(Clone, Copy)]
pub enum Exits {
    /// Those of forge.
    Usual,
    /// Those of forge, and 2.
    Detailed,
    /// Those of `forge outdated`.
    Outdated,
    /// Those of diff(1).
    Diff,
    /// Those of rpm's program of the same name.
    Rpm,
    /// Those of a program that is run.
    Program,
}

/// A file that a command reads or writes: its name and what it is.
pub type File = (&'static str, &'static str);

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
const LOCK: File =
    ("Rpmforge.lock", "The packages of chroots that are made from repositories. Only forge writes it.");
const SPEC: File = ("NAME.spec", "The spec. Its sources lie beside it.");
const PACKAGE: File = ("NAME.rpm", "A package, of binaries or of sources.");
const GITIGNORE: File =
    (".gitignore", "What git is not to keep: /.forge/ and /public/ are added where they are missing.");
const PAGES: File = ("forge*.1", "The pages. A folder man1 below one of MANPATH is where man(1) finds them.");
const COMPLETION: File = (
    "~/.local/share/bash-completion/completions/forge",
    "Where bash finds its completions; other shells have their own places.",
);

const MOCK: &[File] = &[(
    "/etc/mock",
    "configurations of mock that are called by their names, and the templates that they include",
)];
const ALL: &[File] = &[MANIFEST, LOCK, STATE, REPOSITORY, STORE, SECRET_KEY];
const READ: &[File] = &[MANIFEST, STATE, STORE];
const ROOTS: &[File] = &[MANIFEST, LOCK, STORE];
const PAST: &[File] = &[MANIFEST, STATE];

const KEYS: &[File] = &[(
    "$XDG_CONFIG_HOME/rpmforge/keys/NAME.asc",
    "A secret key, which only its owner may read; NAME.previous.asc is the one before it. In ~/.config/rpmforge/keys/ where the variable is not set.",
)];

const fn usual(
    page: &'static str,
    files: &'static [File],
    examples: &'static [(&'static str, &'static str)],
) -> Sections {
    Sections { page, exit: Exits::Usual, files, examples }
}

/// What the pages say, in the order of their commands.
pub const SECTIONS: &[Sections] = &[
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
    usual(
        "forge-apply",
        ALL,
        &[
            ("forge apply", "builds everything that has changed"),
            ("forge apply curl 'lib*' --chroot 'el*'", "only these, and what they need, in some chroots"),
            ("forge apply --failed", "tries again what failed"),
            (
                "forge apply libfoo --dependents --force",
                "builds libfoo and everything that needs it once more",
            ),
            ("forge apply --changed-since origin/main", "builds what a branch touches"),
        ],
    ),
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
    usual(
        "forge-publish",
        ALL,
        &[
            ("forge publish", "sends every repository to every place that the manifest names"),
            ("forge publish --to 's3://packages/{chroot}'", "to one of them"),
        ],
    ),
    usual(
        "forge-serve",
        &[],
        &[(
            "forge serve --repo public --listen 127.0.0.1:8080",
            "all repositories of a project, until it is interrupted",
        )],
    ),
    usual(
        "forge-graph",
        READ,
        &[
            ("forge graph --format svg > graph.svg", "a picture"),
            ("forge graph --format mermaid curl", "what curl needs, for a page in Markdown"),
        ],
    ),
    usual(
        "forge-check",
        &[MANIFEST],
        &[
            ("forge check", "shows every mistake of the manifest and of its specs"),
            ("forge check --manifest-only", "reads no spec"),
            ("forge check --json", "each finding with its code, file and line, for programs"),
        ],
    ),
    Sections {
        page: "forge-doctor",
        exit: Exits::Usual,
        files: &[],
        examples: &[("forge doctor", "tells what this machine lacks that builds need, and what to do")],
    },
    usual(
        "forge-fmt",
        &[MANIFEST],
        &[
            ("forge fmt", "lays out the manifest and the files that it includes"),
            ("forge fmt --check", "changes nothing, and ends with 1 where something would be changed"),
        ],
    ),
    usual(
        "forge-init",
        &[MANIFEST, GITIGNORE],
        &[(
            "forge init --name acme",
            "writes a manifest with a pattern that finds the specs below this folder, and a .gitignore",
        )],
    ),
    usual(
        "forge-import",
        MOCK,
        &[
            (
                "forge import mock fedora-42-x86_64",
                "shows the chroot that mock's configuration of that name is",
            ),
            (
                "forge import repo acme.repo -o chroots/acme.kdl",
                "writes a chroot of the repositories of a file",
            ),
        ],
    ),
    usual(
        "forge-import-mock",
        MOCK,
        &[(
            "forge import mock ./acme-9-x86_64.cfg -o chroots/acme.kdl",
            "writes the chroot; what has no counterpart stands in comments",
        )],
    ),
    Sections {
        page: "forge-import-repo",
        exit: Exits::Usual,
        files: &[],
        examples: &[("forge import repo acme.repo --chroot acme-9", "shows the chroot of that name")],
    },
    Sections {
        page: "forge-import-anda",
        exit: Exits::Usual,
        files: &[],
        examples: &[(
            "forge import anda . -o packages.kdl",
            "writes a package for each rpm of all anda.hcl below this folder",
        )],
    },
    usual(
        "forge-status",
        READ,
        &[
            ("forge status", "shows what is not up to date, and why"),
            ("forge status --all --chroot host", "shows every build of a chroot"),
        ],
    ),
    usual("forge-why", READ, &[("forge why curl", "names the change that curl was, or would be, built for")]),
    usual(
        "forge-history",
        PAST,
        &[
            ("forge history curl", "shows the newest builds of curl, and what each was made for"),
            ("forge history --failed -n 5", "shows the last five that failed"),
        ],
    ),
    usual(
        "forge-log",
        PAST,
        &[
            ("forge log curl --stage check", "what curl's tests printed"),
            ("forge log '#12'", "the log of build number 12"),
            ("forge log --failed", "the log of the newest build that failed"),
            ("forge log -f curl", "follows a build that runs"),
        ],
    ),
    Sections {
        page: "forge-shell",
        exit: Exits::Program,
        files: PAST,
        examples: &[
            ("forge shell curl", "a shell where curl's build failed"),
            ("forge shell curl --stage check -- make check", "runs the tests once more by hand"),
            ("forge shell --chroot host --with zlib", "a clean root with zlib's packages laid over it"),
            (
                "forge shell --chroot f42 --with zlib-devel",
                "a clean root of repositories, with a package of theirs",
            ),
        ],
    },
    usual(
        "forge-update",
        ROOTS,
        &[
            ("forge update", "chooses the packages of all roots anew, and shows what changes"),
            ("forge update f42 gcc --dry-run", "says what would change in f42 if only gcc may"),
        ],
    ),
    usual(
        "forge-fetch",
        ROOTS,
        &[
            ("forge fetch", "brings all sources, and all packages of roots, into the store"),
            ("forge apply --locked --offline", "builds with them afterwards, and fetches nothing"),
        ],
    ),
    Sections {
        page: "forge-outdated",
        exit: Exits::Outdated,
        files: ROOTS,
        examples: &[
            ("forge outdated", "shows which packages have newer versions, and what takes them"),
            ("forge outdated --batch base --json", "says it of the packages of a batch, for programs"),
        ],
    },
    usual(
        "forge-watch",
        ALL,
        &[
            ("forge watch --every 10m", "builds what has moved, every ten minutes"),
            ("forge watch --once", "looks once, for cron and CI"),
        ],
    ),
    usual(
        "forge-rebuild",
        ALL,
        &[
            ("forge rebuild '#12'", "makes build #12 again, as it was, and compares the packages"),
            ("forge rebuild 12 --with-current-root", "makes it in the root that an apply would use today"),
        ],
    ),
    usual(
        "forge-tunables",
        ALL,
        &[
            (
                "forge tunables",
                "lists all, with their defaults and what they are in the chroots of the manifest",
            ),
            (
                "forge tunables _binary_payload",
                "says what it means, which values it takes, and where these are set",
            ),
        ],
    ),
    usual(
        "forge-verify",
        ALL,
        &[
            (
                "forge verify zlib",
                "makes the newest good build of zlib again with all varied, and compares the packages",
            ),
            (
                "forge verify --vary folder,locale '#12'",
                "varies the folder and the locale alone for build #12",
            ),
            ("forge verify --vary none", "makes everything again as it was"),
        ],
    ),
    usual(
        "forge-srpm",
        ALL,
        &[
            ("forge srpm curl", "makes the source package of curl in this folder"),
            ("forge srpm --output srpms", "makes those of all packages"),
        ],
    ),
    usual(
        "forge-eject",
        ROOTS,
        &[
            ("forge eject requests", "writes the spec that was made of PyPI's requests into specs/requests"),
            ("forge eject zlib --to rpm/zlib", "writes that of zlib, and its patches, into rpm/zlib"),
        ],
    ),
    usual(
        "forge-chroot",
        ROOTS,
        &[
            ("forge chroot list", "says what each chroot is made from"),
            ("forge chroot show f42", "lists the packages of f42's roots"),
            ("forge chroot why f42 zlib", "says why zlib is there"),
            ("forge chroot diff f41 f42", "compares the packages of two chroots"),
            ("forge chroot clean f41", "removes from the store what only f41's roots need"),
        ],
    ),
    usual("forge-chroot-list", ROOTS, &[("forge chroot list", "says what each chroot is made from")]),
    usual("forge-chroot-show", ROOTS, &[("forge chroot show f42", "lists the packages of f42's roots")]),
    usual(
        "forge-chroot-why",
        ROOTS,
        &[("forge chroot why f42 zlib", "says what asks for zlib in f42's roots, and what requires it")],
    ),
    usual(
        "forge-chroot-clean",
        ROOTS,
        &[
            ("forge chroot clean f41", "removes from the store what only f41's roots need"),
            ("forge chroot clean --dry-run", "says what that would free, of all chroots"),
        ],
    ),
    usual(
        "forge-chroot-diff",
        ROOTS,
        &[("forge chroot diff f41 f42", "compares the packages of two chroots")],
    ),
    usual(
        "forge-results",
        PAST,
        &[("forge results curl --chroot host", "names the folder of curl's newest results")],
    ),
    usual(
        "forge-gc",
        READ,
        &[
            ("forge gc --dry-run", "says what would go, how much that frees, and what stays and why"),
            ("forge gc --older 30d", "removes results that nobody has used for 30 days"),
            ("forge gc --size 20G", "removes those used longest ago until the store holds 20 GiB"),
        ],
    ),
    usual(
        "forge-prune",
        READ,
        &[
            ("forge prune --dry-run", "says which builds would leave repositories, and by which rule"),
            ("forge prune", "lets them go"),
        ],
    ),
    usual("forge-pin", READ, &[("forge pin '#12'", "keeps build #12 in its repository and in the store")]),
    usual("forge-unpin", READ, &[("forge unpin '#12'", "lets it go as others do")]),
    Sections {
        page: "forge-compare",
        exit: Exits::Diff,
        files: PAST,
        examples: &[("forge compare '#3' '#12'", "says what two builds were made of, and what they made")],
    },
    usual("forge-store", &[STORE], &[("forge store verify", "reads all that the store holds")]),
    usual(
        "forge-store-verify",
        &[STORE],
        &[
            ("forge store verify", "names what is damaged"),
            ("forge store verify --repair", "removes it, so that it is built again"),
        ],
    ),
    Sections {
        page: "forge-eval",
        exit: Exits::Usual,
        files: &[MANIFEST, RPM_MACROS],
        examples: &[
            ("forge eval '%{_libdir}'", "expands a macro"),
            ("forge eval -p curl --chroot el9 '%{dist}'", "with what the manifest says for curl in el9"),
            ("forge eval -p '*' --chroot 'el*' '%{dist}'", "for each package, in each of these chroots"),
            ("forge eval --json '%configure'", "says as well where each macro comes from"),
        ],
    },
    Sections {
        page: "forge-spec",
        exit: Exits::Usual,
        files: &[MANIFEST, SPEC, RPM_MACROS],
        examples: &[
            ("forge spec hello.spec", "shows what a spec says, and what is wrong with it"),
            (
                "forge spec curl --chroot el9",
                "what the spec of the package curl says with the manifest's settings for el9",
            ),
            ("forge spec --with docs --json hello.spec", "the same as JSON, with a condition switched on"),
        ],
    },
    Sections {
        page: "forge-diff",
        exit: Exits::Diff,
        files: &[MANIFEST, STATE, PACKAGE],
        examples: &[
            ("forge diff before.rpm after.rpm", "shows what differs between two packages"),
            ("forge diff curl", "compares what the newest good build of curl made with the one before"),
            ("forge diff --batch base --json", "all packages of a batch, for programs"),
        ],
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
    usual(
        "forge-schema",
        &[MANIFEST],
        &[
            ("forge schema > rpmforge.kdl", "the language as a KDL schema, for editors"),
            ("forge schema --form markdown", "the reference of the language"),
            ("forge schema --form events", "the JSON Schema of what `forge apply --json` prints"),
            ("forge schema --form plan", "the JSON Schema of what `forge plan --json` prints"),
        ],
    ),
    usual(
        "forge-completions",
        &[COMPLETION],
        &[("forge completions bash", "prints what bash needs to complete forge's command lines")],
    ),
    usual(
        "forge-man",
        &[PAGES],
        &[("forge man ~/.local/share/man/man1", "writes these pages where man(1) finds them")],
    ),
    usual(
        "forge-keys",
        KEYS,
        &[
            ("forge keys new acme --user 'Acme <packages@acme.example>'", "makes a key"),
            ("forge keys list", "shows which keys there are"),
        ],
    ),
    usual(
        "forge-keys-new",
        KEYS,
        &[(
            "forge keys new acme --user 'Acme <packages@acme.example>' --kind ed25519",
            "makes a key that rpm reads since 4.16",
        )],
    ),
    usual("forge-keys-list", KEYS, &[("forge keys list", "shows which keys there are")]),
    usual("forge-keys-show", KEYS, &[("forge keys show acme", "shows its fingerprint, and where it is")]),
    usual("forge-keys-export", KEYS, &[("forge keys export acme -o acme.asc", "writes the public key")]),
    usual(
        "forge-keys-import",
        KEYS,
        &[("forge keys import acme secret.asc", "keeps a key that gpg has written")],
    ),
    usual(
        "forge-keys-rotate",
        KEYS,
        &[
            ("forge keys rotate acme", "makes a new key; the old one signs metadata beside it"),
            ("forge keys rotate acme --finish", "ends the time of both"),
        ],
    ),
    usual("forge-attest", PAST, &[("forge attest show 12", "says what the packages of build #12 come from")]),
    usual(
        "forge-attest-show",
        PAST,
        &[("forge attest show 12 --form spdx", "says what is in them, as SPDX")],
    ),
    usual("forge-attest-write", PAST, &[("forge attest write 12 --to attestations --name acme", "signs it")]),
    usual(
        "forge-attest-verify",
        KEYS,
        &[("forge attest verify *.rpm --key acme.asc", "checks what was signed")],
    ),
    usual(
        "forge-sign",
        KEYS,
        &[
            ("forge sign --name acme *.rpm", "puts a signature into each package"),
            ("forge sign --gpg 0123ABCD repodata/repomd.xml", "writes repomd.xml.asc, with gpg's agent"),
        ],
    ),
    usual(
        "forge-verify-signatures",
        KEYS,
        &[(
            "forge verify-signatures --key acme.asc public/host",
            "says whether a repository is as it was signed",
        )],
    ),
];
