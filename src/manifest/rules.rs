//! The nodes of the language. See [`grammar`](super::grammar) for what the fields mean.

use super::grammar::{
    Block, NodeRule, Occurs, PropertyRule, Support, ValueKind, node, one, property, required, some,
};
use super::source_rules::{MIRROR, NAMED_SOURCE, SOURCE, UPSTREAM, VARIABLE};

use Occurs::{Often, Once};
use ValueKind::{
    Age, Arch, Boolean, Count, Duration, Glob, Name, Number, OneOf, Path, RpmVersion, Size, Spelling, Text,
};

/// Engines that build packages.
pub const ENGINES: &[&str] = &["native", "rpmbuild"];
/// How a build is kept apart from the machine.
pub const ISOLATIONS: &[&str] = &["namespaces", "none"];
/// What builds wait for what.
pub const PRIORITIES: &[&str] = &["normal", "background"];
/// What a failure does to the other builds.
pub const ON_FAILURE: &[&str] = &["continue", "stop"];
/// How the first packages get into an empty root.
pub const BOOTSTRAPS: &[&str] = &["auto", "native"];
/// Kinds of source.
pub const SOURCE_KINDS: &[&str] =
    &["path", "url", "git", "svn", "distgit", "pypi", "rubygems", "crates", "npm", "custom", "repo", "build"];

const MACRO: NodeRule = node(
    "NAME",
    Once,
    &[one("value", Spelling)],
    "The macro's body, kept as it is spelt; `#null` undefines it, and `(env)\"NAME\"` is kept secret. Options stand in the name: `\"configure_flag(n:)\"`.",
);

const MACROS: NodeRule = node(
    "macros",
    Once,
    &[],
    "Macros that override those of the root. A nearer level wins: project, `defaults`, chroot, batch, package, profile, `-D`.",
)
.with_block(Block::Free(&MACRO));

const ENV: NodeRule =
    node("env", Once, &[], "Environment variables of the builds.").with_block(Block::Free(&VARIABLE));

const EXCLUDE: NodeRule = node("exclude", Often, &[some("chroot", Glob)], "Chroots to leave out after all.");

const CHROOTS: NodeRule =
    node("chroots", Once, &[some("chroot", Glob)], "The chroots to build for, by patterns.")
        .with_block(Block::Nodes(&[EXCLUDE]));

const ENGINE: NodeRule = node(
    "engine",
    Once,
    &[one("engine", OneOf(ENGINES))],
    "Who builds: forge's own engine, or the `rpmbuild` that the root has.",
);
const ISOLATION: NodeRule = node(
    "isolation",
    Once,
    &[one("isolation", OneOf(ISOLATIONS))],
    "How builds are kept apart from the machine. `none` trusts the specs with everything that forge may do.",
);
const NETWORK: NodeRule =
    node("network", Once, &[one("value", Boolean)], "Whether builds may reach the network.");
const TIMEOUT: NodeRule =
    node("timeout", Once, &[one("limit", Duration)], "How long a build may take; then all of it is ended.");
const RETRIES: NodeRule =
    node("retries", Once, &[one("number", Count)], "How often a failed build is tried again.");
const PRIORITY: NodeRule = node(
    "priority",
    Once,
    &[one("priority", OneOf(PRIORITIES))],
    "Background builds wait for all normal ones that could run.",
);
const ON_FAILURE_NODE: NodeRule = node(
    "on-failure",
    Once,
    &[one("what", OneOf(ON_FAILURE))],
    "Whether builds that do not depend on a failed one go on.",
);
const BOOTSTRAP: NodeRule = node(
    "bootstrap",
    Once,
    &[one("how", OneOf(BOOTSTRAPS))],
    "How the first packages get into an empty root: forge unpacks them itself (`native`), and needs nothing of the machine and no \
     package manager in the root. `auto` is that, too.",
);

const WITH: NodeRule =
    node("with", Often, &[some("condition", Name)], "Build conditions to switch on (`%bcond`).");
const WITHOUT: NodeRule =
    node("without", Often, &[some("condition", Name)], "Build conditions to switch off (`%bcond`).");
const BUILD_REQUIRES: NodeRule = node(
    "build-requires",
    Often,
    &[some("capability", Text)],
    "What is needed to build it beside the `BuildRequires` of the spec, written as there: `build-requires \"cmake >= 3.20\"`.",
);

const LIMITS: NodeRule = node(
    "limits",
    Once,
    &[],
    "How much a build may take: what passes a limit is ended. With `isolation none` only `log` holds. A nearer level wins, \
     each limit by itself.",
)
.with_block(Block::Nodes(&[
    node("memory", Once, &[one("size", Size)], "Memory of all its processes together."),
    node("processes", Once, &[one("number", Number)], "Processes and threads at a time."),
    node("disk", Once, &[one("size", Size)], "What it writes to disk."),
    node("open-files", Once, &[one("number", Number)], "Files that one process has open at a time."),
    node("log", Once, &[one("size", Size)], "What it prints: its `build.log` keeps the begin and the newest lines then."),
]));

const ON: NodeRule = node(
    "on",
    Often,
    &[some("chroot", Glob)],
    "Settings for some chroots, above those for all: `on \"el9*\" { without docs }`. Where two `on` take the same chroot, the later one wins.",
)
.with_block(Block::Nodes(&[WITH, WITHOUT, MACROS, ENV, BUILD_REQUIRES, LIMITS]));

const AFTER: NodeRule = node(
    "after",
    Often,
    &[some("package", Name)],
    "Packages to build before this one; what specs require of each other needs no `after`.",
);

const INCLUDE: NodeRule = node("include", Often, &[some("file", Glob)], "More files of the manifest.");

const PROJECT: NodeRule = node(
    "project",
    Once,
    &[one("name", Name)],
    "What the repository ships, and what else belongs to its manifest.",
)
.with_block(Block::Nodes(&[
    node("description", Once, &[one("text", Text)], "What the project is, in a sentence."),
    INCLUDE,
]));

const REPO: NodeRule =
    node("repo", Often, &[one("name", Name)], "A repository that the root's packages come from.")
        .with_properties(&[
            property(
                "baseurl",
                Text,
                "Where the repository is: a URL, or a folder. `$basearch`, `$arch`, `$releasever` and variables of `vars` are replaced.",
            ),
            property("metalink", Text, "Where the list of its mirrors is, as a metalink."),
            property("mirrorlist", Text, "Where the list of its mirrors is, one a line."),
            property("gpgkey", Text, "The key that its packages are signed with: a file, or a URL with `fingerprint`."),
            property("fingerprint", Text, "The fingerprint of the key: no other is taken from `gpgkey`."),
            property("gpgcheck", Boolean, "Whether packages have to be signed; `#true` where there is a `gpgkey`."),
            property("repo-gpgcheck", Boolean, "Whether metadata have to be signed; `#false` where it is left out."),
            property(
                "priority",
                Count,
                "Repositories of a lower number come first; 99 where it is left out.",
            ),
            property("cost", Count, "Of two that have the same package, that of the lower number gives it; 1000 where it is left out."),
            property("exclude", Glob, "Packages to leave out."),
            property("includepkgs", Glob, "The packages to take: no others are."),
            property(
                "bearer",
                Text,
                "A token that says who asks, `(env)\"NAME\"`: it is sent over https, or on this machine, to what lies below `baseurl` \
                 and to nothing else.",
            ),
        ])
        .with_block(Block::Nodes(&[
            node("baseurl", Once, &[some("url", Text)], "Where the repository is: one place and its mirrors."),
            node("gpgkey", Once, &[some("key", Text)], "The keys that its packages may be signed with."),
            node("fingerprint", Once, &[some("fingerprint", Text)], "The fingerprints of its keys."),
            node("exclude", Once, &[some("pattern", Glob)], "Packages to leave out."),
            node("includepkgs", Once, &[some("pattern", Glob)], "The packages to take: no others are."),
        ]));

const VARS: NodeRule = node("vars", Once, &[], "Variables of repositories' addresses.")
    .with_block(Block::Free(&node("NAME", Once, &[one("value", Text)], "A variable, `$NAME` in addresses.")));

const CHROOT: NodeRule =
    node("chroot", Often, &[one("name", Name)], "A root to build in.").with_block(Block::Nodes(&[
        node(
            "arch",
            Once,
            &[one("arch", Arch)],
            "The architecture; the machine's where it is left out. One that the machine can't run itself needs an emulator: \
             qemu-user, registered in binfmt_misc with the flag F. With one of 32 bits that it runs itself (`i686` on x86_64), \
             `uname -m` says so too.",
        ),
        node(
            "rpm",
            Once,
            &[one("version", RpmVersion)],
            "The rpm whose language specs are in, `engine native` only: what that version took and newer ones refuse, such \
             as `%patch0`, is taken.",
        ),
        REPO,
        node(
            "install",
            Often,
            &[some("package", Text)],
            "The minimal build root: packages, `@groups`, files, capabilities.",
        ),
        node(
            "weak-dependencies",
            Once,
            &[one("value", Boolean)],
            "Whether packages bring what they recommend, as on a desktop; `#false` where it is left out, as in mock.",
        ),
        node("releasever", Once, &[one("version", Text)], "The value of `$releasever` in addresses of repositories."),
        VARS,
        WITH,
        WITHOUT,
        ENV,
        MACROS,
        BUILD_REQUIRES,
        LIMITS,
        node("extends", Once, &[one("chroot", Name)], "The chroot whose declaration this one starts from."),
        node("root", Once, &[one("folder", Path)], "A root that exists: `/` is this machine's own."),
        node(
            "image",
            Once,
            &[one("image", Text)],
            "A root that somebody else made: a folder or an archive in OCI's image layout (`oci:PLACE`), a tarball, or a folder \
             that is copied. BuildRequires are met by what it has.",
        ).with_properties(&[property(
            "digest",
            Text,
            "What it must be, `sha256:` and 64 digits: the SHA-256 of a tarball, or the digest of an OCI image, which also says \
             which one is meant where a layout has several; otherwise that is the one for the chroot's `arch`.",
        )]),
    ]));

const DEFAULTS: NodeRule =
    node("defaults", Once, &[], "What holds for every package that does not say otherwise.").with_block(
        Block::Nodes(&[
            CHROOTS,
            ENGINE,
            ISOLATION,
            BOOTSTRAP,
            NETWORK,
            TIMEOUT,
            RETRIES,
            PRIORITY,
            ON_FAILURE_NODE,
            WITH,
            WITHOUT,
            ENV,
            MACROS,
            BUILD_REQUIRES,
            LIMITS,
            ON,
        ]),
    );

const PROFILE: NodeRule = node(
    "profile",
    Often,
    &[one("name", Name)],
    "What holds where `--profile NAME` is given, above all that packages say: `profile ci { isolation none }`.",
)
.with_block(Block::Nodes(&[
    ENGINE,
    ISOLATION,
    BOOTSTRAP,
    NETWORK,
    TIMEOUT,
    RETRIES,
    ON_FAILURE_NODE,
    WITH,
    WITHOUT,
    ENV,
    MACROS,
    BUILD_REQUIRES,
    LIMITS,
    ON,
]));

const PACKAGE_NODES: &[NodeRule] = &[
    SOURCE,
    UPSTREAM,
    CHROOTS,
    WITH,
    WITHOUT,
    TIMEOUT,
    ENV,
    MACROS,
    BUILD_REQUIRES,
    LIMITS,
    ON,
    AFTER,
    ENGINE,
    ISOLATION,
    NETWORK,
    RETRIES,
    PRIORITY,
];

const PACKAGE: NodeRule = node(
    "package",
    Often,
    &[one("name", Name)],
    "A package to build. Without a `source` it adds to the package of that name which a `packages` pattern finds. In `after`, in \
     `members` and on the command line a package can be called by the `Name` in its spec as well, where no package of the manifest has that name.",
)
    .with_properties(&[property("like", Name, "The package whose settings it begins with: all but `source`, `upstream` and `after`.")])
.with_block(Block::Nodes(PACKAGE_NODES));

const PACKAGES: NodeRule = node(
    "packages",
    Often,
    &[some("spec", Glob)],
    "One package for each spec that matches, named after the file. A `package` of the same name without a `source` adds to it.",
)
.with_block(Block::Nodes(&[
    node("exclude", Often, &[some("spec", Glob)], "Specs to leave out after all."),
    CHROOTS,
    WITH,
    WITHOUT,
    TIMEOUT,
    ENV,
    MACROS,
    BUILD_REQUIRES,
    LIMITS,
    ON,
    AFTER,
    ENGINE,
    ISOLATION,
    NETWORK,
    RETRIES,
    PRIORITY,
]));

const EVEN_IF_FAILED: PropertyRule =
    property("even-if-failed", Boolean, "Start even if builds of that batch have failed.");

const ACROSS: PropertyRule = property(
    "across",
    OneOf(&["chroots"]),
    "What is waited for: `chroots` waits for that batch in all chroots. Without it each chroot goes on as soon as the batch has ended there.",
);

const BATCH: NodeRule =
    node("batch", Often, &[one("name", Name)], "Packages that are built together, and what they wait for.")
        .with_properties(&[
            property(
                "after",
                Name,
                "The batch that must have ended well, in a chroot, before this one starts there.",
            ),
            EVEN_IF_FAILED,
            ACROSS,
        ])
        .with_block(Block::Nodes(&[
            node(
                "members",
                Often,
                &[some("package", Glob)],
                "Its packages, less those that earlier batches took.",
            ),
            node("after", Often, &[one("batch", Name)], "One more batch that comes before.")
                .with_properties(&[EVEN_IF_FAILED, ACROSS]),
            PRIORITY,
            WITH,
            WITHOUT,
            ENV,
            MACROS,
            BUILD_REQUIRES,
            LIMITS,
            ON,
        ]));

/// What a key may sign.
const SIGNED: &[&str] = &["all", "metadata"];

const PUBLISH: NodeRule = node(
    "publish",
    Once,
    &[one("folder", Path)],
    "Where repositories are written; `{chroot}` stands for each chroot's name.",
)
.with_block(Block::Nodes(&[
    node(
        "sign",
        Often,
        &[],
        "A key that signs packages and metadata. Several each make a signature of their own. A passphrase never stands here: it is \
             asked for, or said by RPMFORGE_PASSPHRASE or RPMFORGE_PASSPHRASE_FD.",
    )
    .with_properties(&[
        property("name", Name, "The key of `forge keys` with this name."),
        property("key", Path, "The file that holds the secret key."),
        property("env", Name, "The environment variable that holds the secret key, in armor."),
        property("gpg", Text, "The fingerprint of a key that gpg's agent keeps."),
        property(
            "command",
            Text,
            "A command of the shell that reads what is to be signed and writes a detached signature.",
        ),
        property("public", Path, "The file that holds the public key of `command`."),
        property("what", OneOf(SIGNED), "What it signs."),
    ]),
    node(
        "url",
        Once,
        &[one("url", Text)],
        "Where clients find the folder, for the `.repo` file that is published with it; `{chroot}` stands for each chroot's name.",
    ),
    node(
        "to",
        Often,
        &[one("place", Text)],
        "A place that the folder is sent to once it is whole: `s3://BUCKET/PREFIX`, `oci://REGISTRY/NAME:TAG`, \
             `rsync://HOST/MODULE/PATH`, or `USER@HOST:/PATH` by ssh; `{chroot}` stands for each chroot's name. No credentials stand here: they come from the \
             environment or the machine.",
    )
    .with_properties(&[
        property("endpoint", Text, "The URL of the service that has the bucket, where that is not Amazon's, or of the registry, where that is not its name over https."),
        property("region", Text, "The region of the bucket."),
        property("profile", Text, "The profile of `~/.aws/credentials` to use."),
    ]),
    node(
        "keep",
        Once,
        &[],
        "What is kept of older builds, of each package in each chroot. What another kept package requires stays in any case, and so \
             does what `forge pin` pins.",
    )
    .with_properties(&[
        property(
            "newest",
            Age,
            "How long the newest good build stays, `forever` if not said: a package that was not built for longer leaves.",
        ),
        property(
            "builds",
            Number,
            "How many good builds of a package stay in the repository side by side, the newest among them.",
        ),
        property(
            "superseded",
            Age,
            "How long other builds stay in the repository once a newer one has come, and the files of those that a build of the \
                 same version has replaced.",
        ),
        property("failed", Age, "How long results and logs of builds stay that failed."),
    ]),
    node("debuginfo", Once, &[], "Where debuginfo and source packages go.")
        .with_properties(&[required(
            "separate",
            Boolean,
            "Whether they get repositories of their own, in the folders `debug` and `source` of the repository.",
        )]),
    node(
        "multilib",
        Once,
        &[one("value", Boolean)],
        "Whether the `.repo` file of a chroot's repository names that of the narrower architecture, too: of `fedora-42-i686` for \
             `fedora-42-x86_64`. What is in both comes from their own.",
    ),
    node(
        "adopt",
        Once,
        &[one("value", Boolean)],
        "Whether a folder is taken over that another project publishes to, or that holds a repository which \
             forge has no record of. Such a folder is refused otherwise, and nothing in it is touched.",
    ),
    node(
        "broken",
        Once,
        &[one("value", OneOf(&["hold", "warn", "allow"]))],
        "What becomes of an update that would leave a published package without what it needs. `hold`, which is what is done where \
             nothing is said: it waits, and what needs it with it, until an apply has built what is missing. `warn`: it is published, \
             and said. `allow`: it is published. Provided is what the repository has, and what the repositories of its chroot have.",
    ),
    node(
        "metadata",
        Once,
        &[one("packing", OneOf(&["zstd", "gz"]))],
        "How the metadata are packed. `zstd`, which is what is done where nothing is said, is read by dnf since EL 8, dnf5 and zypper since \
             Leap 15; `gz` is read by yum of EL 7, too.",
    ),
    node(
        "layout",
        Once,
        &[one("value", OneOf(&["builds", "plain"]))],
        "Where packages lie. `builds`, which is what is done where nothing is said: those of each build in a folder of their own, \
             `hello-0123456789ab/hello-1-1.noarch.rpm`. `plain`: by the first letter, as mirrors have them, \
             `Packages/h/hello-1-1.noarch.rpm`; a package that would replace another one of the same name and version lies in a folder of \
             its own there, so that no client gets one for the other.",
    ),
    node(
        "comps",
        Once,
        &[one("file", Path)],
        "A file of package groups (`comps.xml`), which every repository offers: `dnf group list` shows them.",
    ),
    node(
        "updateinfo",
        Once,
        &[one("file", Path)],
        "A file of advisories (`updateinfo.xml`), which every repository offers: `dnf updateinfo list` shows them.",
    ),
    node(
        "links",
        Once,
        &[one("value", Boolean)],
        "Whether packages in the repository are hard links to the store's files where both are on one file \
             system. Otherwise they share nothing with the store that a change in place could spoil.",
    ),
]));

const CACHE: NodeRule = node("cache", Once, &[one("url", Text)], "Results shared with others.")
    .with_support(Support::NotYet)
    .with_properties(&[property("write", OneOf(&["always", "ci", "never"]), "Who may write.")]);

const REMOTE: NodeRule =
    node("remote", Once, &[one("url", Text)], "Machines that build, by the Remote Execution API.")
        .with_support(Support::NotYet)
        .with_block(Block::Nodes(&[
            node("instance", Once, &[one("name", Text)], "The instance of the service."),
            node("platform", Once, &[], "What a worker must be.").with_block(Block::Free(&VARIABLE)),
        ]));

const MASS_REBUILD: NodeRule = node("mass-rebuild", Often, &[one("name", Name)], "A mass rebuild, as data.")
    .with_support(Support::NotYet)
    .with_block(Block::Nodes(&[
        CHROOTS,
        node("change", Often, &[some("package", Name)], "Packages of this manifest that are new."),
        node("select", Often, &[], "Which packages are rebuilt.").with_properties(&[
            required("whatrequires", Glob, "What the packages to rebuild require."),
            property("depth", Count, "How many steps of requiring are followed; 1 where it is left out."),
            property("from", Text, "Where the packages come from."),
        ]),
        node("sample", Once, &[one("number", Count)], "Only so many of them.").with_properties(&[property(
            "seed",
            Count,
            "Decides which packages the sample takes.",
        )]),
        node(
            "baseline",
            Once,
            &[one("value", Boolean)],
            "Whether to build without the change too: what fails there as well is not the change's fault.",
        ),
    ]));

/// The nodes of a file.
pub const DOCUMENT: &[NodeRule] = &[
    node("rpmforge", Once, &[], "Says that this is a manifest; the first node of the manifest's main file.")
        .with_properties(&[required("version", Count, "The version of the language: 1.")]),
    PROJECT,
    INCLUDE,
    NodeRule { occurs: Often, ..MACROS },
    CHROOT,
    DEFAULTS,
    PROFILE,
    NAMED_SOURCE,
    MIRROR,
    PACKAGE,
    PACKAGES,
    BATCH,
    PUBLISH,
    CACHE,
    REMOTE,
    MASS_REBUILD,
];

/// Words that people write, and what they are called here.
pub const OTHER_WORDS: &[(&str, &str)] =
    &[("overlays", "extends"), ("even-if", "even-if-failed"), ("rebuild", "mass-rebuild"), ("chroot", "on")];
