//! The nodes of the language. See [`grammar`](super::grammar) for what the fields mean.

use super::grammar::{ArgumentRule, Block, NodeRule, Occurs, PropertyRule, ValueKind};

use Occurs::{Often, Once};
use ValueKind::{Boolean, Count, Duration, Glob, Name, OneOf, Path, RpmVersion, Sha256, Spelling, Text};

/// Engines that build packages.
pub const ENGINES: &[&str] = &["native", "rpmbuild"];
/// How a build is kept apart from the machine.
pub const ISOLATIONS: &[&str] = &["namespaces", "none"];
/// What builds wait for what.
pub const PRIORITIES: &[&str] = &["normal", "background"];
/// What a failure does to the other builds.
pub const ON_FAILURE: &[&str] = &["continue", "stop"];
/// How the first packages get into an empty root.
pub const BOOTSTRAPS: &[&str] = &["auto", "native", "image"];
/// What else lets a batch start.
pub const EVEN_IF: &[&str] = &["failed"];
/// Kinds of source.
pub const SOURCE_KINDS: &[&str] = &["path", "url", "git", "svn", "distgit", "pypi", "rubygems", "custom"];

const fn one(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (1, Some(1)) }
}

const fn maybe(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (0, Some(1)) }
}

const fn some(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (1, None) }
}

const fn property(name: &'static str, kind: ValueKind, doc: &'static str) -> PropertyRule {
    PropertyRule { name, kind, required: false, doc }
}

const fn required(name: &'static str, kind: ValueKind, doc: &'static str) -> PropertyRule {
    PropertyRule { name, kind, required: true, doc }
}

const fn node(
    name: &'static str,
    occurs: Occurs,
    arguments: &'static [ArgumentRule],
    properties: &'static [PropertyRule],
    block: Block,
    doc: &'static str,
) -> NodeRule {
    NodeRule { name, doc, occurs, arguments, properties, block }
}

const fn leaf(
    name: &'static str,
    occurs: Occurs,
    arguments: &'static [ArgumentRule],
    doc: &'static str,
) -> NodeRule {
    node(name, occurs, arguments, &[], Block::None, doc)
}

const MACRO: NodeRule = leaf(
    "NAME",
    Once,
    &[one("value", Spelling)],
    "The macro's body, kept as it is spelt; `#null` undefines it, and `(env)\"NAME\"` is kept secret. Options stand in the name: `\"configure_flag(n:)\"`.",
);

const VARIABLE: NodeRule = leaf(
    "NAME",
    Once,
    &[one("value", Spelling)],
    "The variable's value, kept as it is spelt; `(env)\"NAME\"` is kept secret.",
);

const MACROS: NodeRule = node(
    "macros",
    Once,
    &[],
    &[],
    Block::Free(&MACRO),
    "Macros that override those of the root. A nearer level wins: project, chroot, batch, package, `-D`.",
);

const ENV: NodeRule =
    node("env", Once, &[], &[], Block::Free(&VARIABLE), "Environment variables of the builds.");

const EXCLUDE: NodeRule = leaf("exclude", Often, &[some("chroot", Glob)], "Chroots to leave out after all.");

const CHROOTS: NodeRule = node(
    "chroots",
    Once,
    &[some("chroot", Glob)],
    &[],
    Block::Nodes(&[EXCLUDE]),
    "The chroots to build for, by patterns.",
);

const ENGINE: NodeRule = leaf(
    "engine",
    Once,
    &[one("engine", OneOf(ENGINES))],
    "Who builds: forge's own engine, or the `rpmbuild` that the root has.",
);
const ISOLATION: NodeRule = leaf(
    "isolation",
    Once,
    &[one("isolation", OneOf(ISOLATIONS))],
    "How builds are kept apart from the machine. `none` trusts the specs with everything that forge may do.",
);
const NETWORK: NodeRule =
    leaf("network", Once, &[one("value", Boolean)], "Whether builds may reach the network.");
const TIMEOUT: NodeRule =
    leaf("timeout", Once, &[one("limit", Duration)], "How long a build may take; then all of it is ended.");
const RETRIES: NodeRule =
    leaf("retries", Once, &[one("number", Count)], "How often a failed build is tried again.");
const PRIORITY: NodeRule = leaf(
    "priority",
    Once,
    &[one("priority", OneOf(PRIORITIES))],
    "Background builds wait for all normal ones that could run.",
);
const ON_FAILURE_NODE: NodeRule = leaf(
    "on-failure",
    Once,
    &[one("what", OneOf(ON_FAILURE))],
    "Whether builds that do not depend on a failed one go on.",
);
const BOOTSTRAP: NodeRule = leaf(
    "bootstrap",
    Once,
    &[one("how", OneOf(BOOTSTRAPS))],
    "How the first packages get into an empty root.",
);

const WITH: NodeRule =
    leaf("with", Often, &[some("condition", Name)], "Build conditions to switch on (`%bcond`).");
const WITHOUT: NodeRule =
    leaf("without", Often, &[some("condition", Name)], "Build conditions to switch off (`%bcond`).");
const AFTER: NodeRule = leaf(
    "after",
    Often,
    &[some("package", Name)],
    "Packages to build before this one; what specs require of each other needs no `after`.",
);

const FILE: NodeRule = node(
    "file",
    Often,
    &[some("file", Glob)],
    &[property("sha256", Sha256, "The checksum that the file must have.")],
    Block::None,
    "Files that the spec names as sources and that do not lie beside it.",
);

const SOURCE_PROPERTIES: &[PropertyRule] = &[
    property("sha256", Sha256, "`url`: the checksum that the download must have."),
    property("rev", Spelling, "`git`, `svn`, `distgit`: the commit, tag, branch or revision."),
    property("subdir", Path, "`git`, `svn`: the folder in the repository that holds the spec."),
    property("spec", Path, "`git`, `svn`: the spec in that folder."),
    property(
        "method",
        OneOf(&["rpkg", "tito", "make-srpm"]),
        "`git`: how the repository makes its source package.",
    ),
    property("from", Text, "`distgit`: `fedora`, `centos-stream` or a URL pattern."),
    property("version", Spelling, "`pypi`, `rubygems`: the release; the newest where it is left out."),
    property("script", Path, "`custom`: the script that makes spec and sources."),
    property("chroot", Name, "`custom`: the chroot that the script runs in."),
];

const NEEDS: NodeRule =
    leaf("needs", Often, &[some("package", Text)], "`custom`: packages that the script needs.");

const SOURCE: NodeRule = node(
    "source",
    Once,
    &[one("kind", Name), maybe("what", Text)],
    SOURCE_PROPERTIES,
    Block::Nodes(&[FILE, NEEDS]),
    "Where the package comes from: `path` (a spec, a folder with one spec, a .src.rpm), `url`, `git`, `svn`, \
     `distgit`, `pypi`, `rubygems`, `custom`, or the name of a `source` of the manifest.",
);

const fn source_kind(name: &'static str, argument: &'static [ArgumentRule], doc: &'static str) -> NodeRule {
    node(name, Once, argument, SOURCE_PROPERTIES, Block::Nodes(&[FILE, NEEDS]), doc)
}

const NAMED_SOURCE: NodeRule = node(
    "source",
    Often,
    &[one("name", Name)],
    &[],
    Block::Nodes(&[
        source_kind("path", &[one("path", Path)], "A spec, a folder with one spec, or a .src.rpm."),
        source_kind("url", &[one("url", Text)], "A spec or .src.rpm to download."),
        source_kind("git", &[one("url", Text)], "A git repository."),
        source_kind("svn", &[one("url", Text)], "A Subversion repository."),
        source_kind("distgit", &[one("package", Name)], "A distribution's package repository."),
        source_kind(
            "pypi",
            &[one("project", Name)],
            "A project of PyPI; its spec is made from its metadata.",
        ),
        source_kind("rubygems", &[one("gem", Name)], "A gem; its spec is made from its metadata."),
        source_kind("custom", &[], "A script that makes spec and sources."),
    ]),
    "A source under a name, for packages that share it.",
);

const PROJECT: NodeRule = node(
    "project",
    Once,
    &[one("name", Name)],
    &[],
    Block::Nodes(&[
        leaf("description", Once, &[one("text", Text)], "What the project is, in a sentence."),
        leaf("include", Often, &[some("file", Glob)], "More files of the manifest."),
    ]),
    "What the repository ships, and what else belongs to its manifest.",
);

const REPO: NodeRule = node(
    "repo",
    Often,
    &[one("name", Name)],
    &[
        property("baseurl", Text, "Where the repository is; `$basearch` and `$arch` are replaced."),
        property("metalink", Text, "Where the list of its mirrors is, as a metalink."),
        property("mirrorlist", Text, "Where the list of its mirrors is, one a line."),
        property("gpgkey", Path, "The key that its metadata and packages are signed with."),
        property("priority", Count, "Repositories of a lower number come first; 99 where it is left out."),
        property("exclude", Glob, "Packages to leave out."),
    ],
    Block::None,
    "A repository that the root's packages come from.",
);

const CHROOT: NodeRule = node(
    "chroot",
    Often,
    &[one("name", Name)],
    &[],
    Block::Nodes(&[
        leaf("arch", Once, &[one("arch", Name)], "The architecture; the machine's own where it is left out."),
        leaf(
            "rpm",
            Once,
            &[one("version", RpmVersion)],
            "The rpm whose language specs are in, `engine native` only: what that version took and newer ones refuse, such \
             as `%patch0`, is taken. The root's own where it is left out.",
        ),
        REPO,
        leaf(
            "install",
            Often,
            &[some("package", Text)],
            "The minimal build root: packages, `@groups`, files, capabilities.",
        ),
        ENV,
        MACROS,
        leaf("overlays", Once, &[one("chroot", Name)], "The chroot whose declaration this one starts from."),
        leaf("root", Once, &[one("folder", Path)], "A root that exists: `/` is this machine's own."),
        leaf(
            "image",
            Once,
            &[one("image", Text)],
            "A root that somebody else made: `oci:FOLDER`, a tar, a folder.",
        ),
    ]),
    "A root to build in.",
);

const DEFAULTS: NodeRule = node(
    "defaults",
    Once,
    &[],
    &[],
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
    ]),
    "What holds for every package that does not say otherwise.",
);

const PACKAGE_NODES: &[NodeRule] = &[
    SOURCE, CHROOTS, WITH, WITHOUT, TIMEOUT, ENV, MACROS, AFTER, ENGINE, ISOLATION, NETWORK, RETRIES,
    PRIORITY,
];

const PACKAGE: NodeRule =
    node("package", Often, &[one("name", Name)], &[], Block::Nodes(PACKAGE_NODES), "A package to build.");

const PACKAGES: NodeRule = node(
    "packages",
    Often,
    &[some("spec", Glob)],
    &[],
    Block::Nodes(&[
        CHROOTS, WITH, WITHOUT, TIMEOUT, ENV, MACROS, AFTER, ENGINE, ISOLATION, NETWORK, RETRIES, PRIORITY,
    ]),
    "One package for each spec that matches, named after the file.",
);

const BATCH: NodeRule = node(
    "batch",
    Often,
    &[one("name", Name)],
    &[
        property("after", Name, "The batch that must have ended well before this one starts."),
        property("even-if", OneOf(EVEN_IF), "Start even if builds of that batch have failed."),
    ],
    Block::Nodes(&[
        leaf(
            "members",
            Often,
            &[some("package", Glob)],
            "Its packages, less those that earlier batches took.",
        ),
        node(
            "after",
            Often,
            &[one("batch", Name)],
            &[property("even-if", OneOf(EVEN_IF), "Start even if builds of that batch have failed.")],
            Block::None,
            "One more batch that comes before.",
        ),
        PRIORITY,
        MACROS,
    ]),
    "Packages that are built together, and what they wait for.",
);

const PUBLISH: NodeRule = node(
    "publish",
    Once,
    &[one("folder", Path)],
    &[],
    Block::Nodes(&[
        node(
            "sign",
            Once,
            &[],
            &[
                property("key", Path, "The file that holds the key."),
                property("env", Name, "The environment variable that holds the key."),
                property("command", Text, "The command that signs."),
            ],
            Block::None,
            "How packages and metadata are signed.",
        ),
        node(
            "keep",
            Once,
            &[],
            &[
                property("builds", Count, "How many good builds of a package are kept."),
                property("failed", Duration, "How long failed builds are kept."),
            ],
            Block::None,
            "What is kept of older results.",
        ),
        node(
            "debuginfo",
            Once,
            &[],
            &[required("separate", Boolean, "Whether debuginfo packages get a repository of their own.")],
            Block::None,
            "Where debuginfo packages go.",
        ),
        leaf(
            "adopt",
            Once,
            &[one("value", Boolean)],
            "Whether a folder is taken over that another project publishes to, or that holds a repository which \
             forge has no record of. Such a folder is refused otherwise, and nothing in it is touched.",
        ),
        leaf(
            "links",
            Once,
            &[one("value", Boolean)],
            "Whether packages in the repository are hard links to the store's files where both are on one file \
             system. Otherwise they share nothing with the store that a change in place could spoil.",
        ),
    ]),
    "Where repositories are written; `{chroot}` stands for each chroot's name.",
);

const CACHE: NodeRule = node(
    "cache",
    Once,
    &[one("url", Text)],
    &[property("write", OneOf(&["always", "ci", "never"]), "Who may write.")],
    Block::None,
    "Results shared with others.",
);

const REMOTE: NodeRule = node(
    "remote",
    Once,
    &[one("url", Text)],
    &[],
    Block::Nodes(&[
        leaf("instance", Once, &[one("name", Text)], "The instance of the service."),
        node("platform", Once, &[], &[], Block::Free(&VARIABLE), "What a worker must be."),
    ]),
    "Machines that build, by the Remote Execution API.",
);

const REBUILD: NodeRule = node(
    "rebuild",
    Often,
    &[one("name", Name)],
    &[],
    Block::Nodes(&[
        CHROOTS,
        leaf("change", Often, &[some("package", Name)], "Packages of this manifest that are new."),
        node(
            "select",
            Often,
            &[],
            &[
                required("whatrequires", Glob, "What the packages to rebuild require."),
                property("depth", Count, "How many steps of requiring are followed; 1 where it is left out."),
                property("from", Text, "Where the packages come from."),
            ],
            Block::None,
            "Which packages are rebuilt.",
        ),
        node(
            "sample",
            Once,
            &[one("number", Count)],
            &[property("seed", Count, "Decides which packages the sample takes.")],
            Block::None,
            "Only so many of them.",
        ),
        leaf(
            "baseline",
            Once,
            &[one("value", Boolean)],
            "Whether to build without the change too: what fails there as well is not the change's fault.",
        ),
    ]),
    "A mass rebuild, as data.",
);

/// The nodes of a file.
pub const DOCUMENT: &[NodeRule] = &[
    node(
        "rpmforge",
        Once,
        &[],
        &[required("version", Count, "The version of the language: 1.")],
        Block::None,
        "Says that this is a manifest; the first node of the manifest's main file.",
    ),
    PROJECT,
    NodeRule { occurs: Often, ..MACROS },
    CHROOT,
    DEFAULTS,
    NAMED_SOURCE,
    PACKAGE,
    PACKAGES,
    BATCH,
    PUBLISH,
    CACHE,
    REMOTE,
    REBUILD,
];
