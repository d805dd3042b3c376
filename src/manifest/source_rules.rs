//! The nodes of sources. See [`grammar`](super::grammar) for what the fields mean.

use super::grammar::{
    Block, NodeRule, Occurs, PropertyRule, ValueKind, any, node, one, property, required, some,
};

use Occurs::{Often, Once};
use ValueKind::{Boolean, Glob, Name, OneOf, Path, Sha256, Spelling, Text};

/// A variable in `env`.
pub(super) const VARIABLE: NodeRule = node(
    "NAME",
    Once,
    &[one("value", Spelling)],
    "The variable's value, kept as it is spelt; `(env)\"NAME\"` is kept secret.",
);

/// `file` in a source.
pub(super) const FILE: NodeRule = node(
    "file",
    Often,
    &[some("file", Glob)],
    "Files that the spec names as sources and that do not lie beside it: paths, patterns, or URLs. A URL's file has the name at the \
     end of its path, or that of a fragment `#/NAME`.",
)
.with_properties(&[property("sha256", Sha256, "The checksum that the file must have.")]);

/// `keyring` in a source.
const KEYRING: NodeRule = node(
    "keyring",
    Often,
    &[some("file", Path)],
    "Files with OpenPGP public keys, in armor or not. The sources whose signatures the spec names beside them (`NAME.asc`, `.sig`, \
     `.sign`) have to be signed with one of these, whatever keys the spec brings along.",
);

const CHECKSUM: PropertyRule = property("sha256", Sha256, "The checksum that the download must have.");
const BEARER: PropertyRule = property(
    "bearer",
    Text,
    "A token that says who asks, `(env)\"NAME\"`: it is sent over https, or on this machine, to the addresses of this source and to no \
     others.",
);
const REVISION: PropertyRule = property("rev", Spelling, "The commit, tag, branch or revision.");
const SUBDIR: PropertyRule = property("subdir", Path, "The folder in the repository that holds the spec.");
const SPEC: PropertyRule = property("spec", Path, "The spec in that folder.");
const METHOD: PropertyRule = property(
    "method",
    OneOf(&["plain", "rpkg", "tito", "tito-test", "packit", "make-srpm"]),
    "How the repository makes its source package: as it lies there (`plain`), or as rpkg, tito or packit does.",
);
const SUBMODULES: PropertyRule =
    property("submodules", Boolean, "Whether the files of submodules come too: the spec may lie in one.");
const LARGE_FILES: PropertyRule =
    property("lfs", Boolean, "Whether large files (git-lfs) take the place of their pointers.");
const FROM: PropertyRule = property("from", Text, "`fedora`, `centos-stream` or a URL pattern.");
const LOOKASIDE: PropertyRule = property(
    "lookaside",
    Text,
    "The URL of a file in the lookaside cache, with `{package}`, `{file}`, `{algorithm}` and `{checksum}` in it.",
);
const INDEX: PropertyRule = property(
    "registry",
    Text,
    "The URL of the index; the one that pip, gem, cargo or npm is set up with where it is left out.",
);
const EXTRAS: PropertyRule =
    property("extras", Text, "Extras that become packages: `\"socks,http2\"`, or `*` for all.");
const CARGO_LOCK: PropertyRule = property("lock", Path, "The `Cargo.lock` of a crate that has none itself.");
const RELEASE: PropertyRule = property("version", Spelling, "The release; the newest where it is left out.");
const PUBLISHED_NAME: PropertyRule =
    property("name", Text, "The source package there; the one with the package's name where it is left out.");
const SCRIPT: PropertyRule = property("script", Path, "The script that makes spec and sources.");
const SCRIPT_CHROOT: PropertyRule = property(
    "chroot",
    Name,
    "The chroot that the script, or make, runs in; the first of the package's where it is left out.",
);
const RESULTS: PropertyRule = property(
    "results",
    Path,
    "The folder that the script leaves the sources in, from the one that it begins in; that one where it is left out.",
);
const REFRESH: PropertyRule = property(
    "refresh",
    ValueKind::Duration,
    "After how long the script is run anew: `1d`; never where it is left out.",
);

/// What the kinds of source take together. Each takes its own: see [`NAMED_SOURCE`].
const SOURCE_PROPERTIES: &[PropertyRule] = &[
    CHECKSUM,
    BEARER,
    REVISION,
    SUBDIR,
    SPEC,
    METHOD,
    SUBMODULES,
    LARGE_FILES,
    FROM,
    LOOKASIDE,
    RELEASE,
    INDEX,
    EXTRAS,
    CARGO_LOCK,
    SCRIPT,
    SCRIPT_CHROOT,
    RESULTS,
    REFRESH,
    PUBLISHED_NAME,
];

const NEEDS: NodeRule = node(
    "needs",
    Often,
    &[some("package", Text)],
    "Packages that the script of `custom` needs, or `.copr/Makefile`: as in `BuildRequires`.",
);
const ARGUMENTS: NodeRule =
    node("arguments", Once, &[some("argument", Text)], "What the script of `custom` is called with.");
const MAKING_NETWORK: NodeRule = node(
    "network",
    Once,
    &[one("allowed", Boolean)],
    "Whether what makes the source may reach the network; it may not.",
);
const MAKING_TIMEOUT: NodeRule = node(
    "timeout",
    Once,
    &[one("duration", ValueKind::Duration)],
    "How long making the source may take; `1h` where nothing is said.",
);

const MAKING_ENV: NodeRule = node("env", Once, &[], "Environment variables of what makes the source.")
    .with_block(Block::Free(&VARIABLE));

/// What may stand in the block of a source that a script makes.
const MADE_NODES: &[NodeRule] =
    &[FILE, KEYRING, NEEDS, ARGUMENTS, MAKING_NETWORK, MAKING_TIMEOUT, MAKING_ENV];

/// `source` of a package.
pub(super) const SOURCE: NodeRule = node(
    "source",
    Once,
    &[one("kind", Text), any("what", Spelling)],
    "Where the package comes from: `path` (a spec, a folder with one spec, a .src.rpm, a tarball with a spec in it), `url`, `git`, `svn`, \
     `distgit`, `pypi`, `rubygems`, `crates`, `npm`, `custom`, `repo`, `build`, or the name of a `source` of the manifest.",
)
.with_properties(SOURCE_PROPERTIES)
.with_block(Block::Nodes(MADE_NODES));

/// `mirror`.
pub(super) const MIRROR: NodeRule = node(
    "mirror",
    Often,
    &[one("url", Text)],
    "Another place for files of sources whose address begins so: it is tried first, then the address itself. What a file must be stays \
     the same, and so does the lock.",
)
.with_properties(&[required("to", Text, "What such an address begins with there.")]);

/// `upstream` of a package.
pub(super) const UPSTREAM: NodeRule = node(
    "upstream",
    Once,
    &[one("page", Text)],
    "A page that names the releases of the package's authors, for `forge outdated`: a listing of files, a page of downloads, JSON.",
)
.with_properties(&[required(
    "pattern",
    Text,
    "A regular expression that is looked for in the names and links of the page; what its first group stands for is a version.",
)]);

/// `source` under a name.
pub(super) const NAMED_SOURCE: NodeRule =
    node("source", Often, &[one("name", Name)], "A source under a name, for packages that share it.")
        .with_block(Block::Nodes(&[
            node("path", Once, &[one("path", Path)], "A spec, a folder with one spec, a .src.rpm, or a tarball with a spec in it.")
                .with_block(Block::Nodes(&[FILE, KEYRING])),
            node(
                "url",
                Once,
                &[some("url", Text)],
                "A spec or a .src.rpm to download; beside a spec, files that it names.",
            )
            .with_properties(&[CHECKSUM, BEARER])
            .with_block(Block::Nodes(&[FILE, KEYRING])),
            node("git", Once, &[one("url", Text)], "A git repository.")
                .with_properties(&[REVISION, SUBDIR, SPEC, METHOD, SUBMODULES, LARGE_FILES, SCRIPT_CHROOT, BEARER])
                .with_block(Block::Nodes(&[FILE, KEYRING, NEEDS, MAKING_NETWORK, MAKING_TIMEOUT, MAKING_ENV])),
            node("svn", Once, &[one("url", Text)], "A folder of a Subversion repository.")
                .with_properties(&[REVISION, SUBDIR, SPEC])
                .with_block(Block::Nodes(&[FILE, KEYRING])),
            node("distgit", Once, &[one("package", Name)], "A distribution's package repository.")
                .with_properties(&[REVISION, FROM, LOOKASIDE])
                .with_block(Block::Nodes(&[FILE, KEYRING])),
            node("pypi", Once, &[one("project", Name)], "A project of PyPI; its spec is made from its metadata.")
                .with_properties(&[RELEASE, INDEX, EXTRAS])
                .with_block(Block::Nodes(&[FILE])),
            node("rubygems", Once, &[one("gem", Name)], "A gem; its spec is made from its metadata.")
                .with_properties(&[RELEASE, INDEX])
                .with_block(Block::Nodes(&[FILE])),
            node(
                "crates",
                Once,
                &[one("crate", Name)],
                "A program in Rust; its spec is made from its manifest, and the crates of its `Cargo.lock` are built in.",
            )
            .with_properties(&[RELEASE, INDEX, CARGO_LOCK])
            .with_block(Block::Nodes(&[FILE])),
            node(
                "npm",
                Once,
                &[one("package", Text)],
                "A package of npm's; its spec is made from its `package.json`, and what it needs is built in.",
            )
            .with_properties(&[RELEASE, INDEX])
            .with_block(Block::Nodes(&[FILE])),
            node("custom", Once, &[], "A script that makes spec and sources.")
                .with_properties(&[SCRIPT, SCRIPT_CHROOT, RESULTS, SPEC, REFRESH])
                .with_block(Block::Nodes(MADE_NODES)),
            node("repo", Once, &[one("repository", Name)], "A source package that a `repo` of a chroot ships.")
                .with_properties(&[PUBLISHED_NAME, RELEASE])
                .with_block(Block::Nodes(&[FILE, KEYRING])),
            node("build", Once, &[one("number", Spelling)], "The sources of an earlier build of this project.")
                .with_block(Block::Nodes(&[FILE, KEYRING])),
        ]));
