//! Everything that can be wrong with a manifest.

use miette::Diagnostic;
use thiserror::Error;

use crate::text::Located;

/// A mistake of the manifest, at its place.
pub type ManifestError = Located<ManifestProblem>;

/// What is wrong. Each has a code, and a help that says what to do.
#[derive(Debug, Error, Diagnostic)]
pub enum ManifestProblem {
    /// Not KDL.
    #[error("{message}")]
    #[diagnostic(code(forge::manifest::syntax))]
    Syntax {
        /// The KDL parser's words.
        message: String,
        /// And its advice.
        #[help]
        help: String,
    },
    /// Blocks or comments nested too deeply to be read.
    #[error("{what} are nested more than {limit} deep")]
    #[diagnostic(code(forge::manifest::too_deep), help("{help}"))]
    TooDeep {
        /// What is nested.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What to do.
        help: &'static str,
    },
    /// A file with more in it than is read.
    #[error("the file has more than {what}")]
    #[diagnostic(
        code(forge::manifest::too_much_text),
        help("divide it into several, and `include` them; or is it no manifest at all?")
    )]
    TooMuchText {
        /// How much there may be, and of what.
        what: String,
    },
    /// More mistakes than anybody reads.
    #[error("there are more than {limit} mistakes")]
    #[diagnostic(
        code(forge::manifest::many_mistakes),
        help("correct those above first: the others may follow from them")
    )]
    ManyMistakes {
        /// How many are reported.
        limit: usize,
    },
    /// A file that can't be read.
    #[error("`{path}` can't be read: {reason}")]
    #[diagnostic(
        code(forge::manifest::unreadable),
        help("does it exist, may forge read it, and is it UTF-8 text?")
    )]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// `rpmforge version=1` is missing.
    #[error("the manifest does not say which version of the language it is in")]
    #[diagnostic(code(forge::manifest::no_version), help("begin it with the line `rpmforge version=1`"))]
    NoVersion,
    /// A version that this forge does not know.
    #[error("version {version} of the language is not known to this forge")]
    #[diagnostic(
        code(forge::manifest::version),
        help("this forge reads version 1; a newer forge may know version {version}")
    )]
    Version {
        /// What was written.
        version: String,
    },
    /// A node that is not of the language.
    #[error("`{name}` is not a node of {place}")]
    #[diagnostic(code(forge::manifest::unknown_node))]
    UnknownNode {
        /// What was written.
        name: String,
        /// The block.
        place: String,
        /// What is known.
        #[help]
        help: String,
    },
    /// A property that a node does not have.
    #[error("`{node}` has no property `{name}`")]
    #[diagnostic(code(forge::manifest::unknown_property))]
    UnknownProperty {
        /// What was written.
        name: String,
        /// The node.
        node: String,
        /// What is known.
        #[help]
        help: String,
    },
    /// Something that must be there is not.
    #[error("{node} needs {what}")]
    #[diagnostic(code(forge::manifest::missing), help("write `{example}`"))]
    Missing {
        /// The node.
        node: String,
        /// What is missing.
        what: String,
        /// What it could look like.
        example: String,
    },
    /// Something that a node does not take.
    #[error("`{node}` takes {limit}")]
    #[diagnostic(code(forge::manifest::too_much), help("{help}"))]
    TooMuch {
        /// The node.
        node: String,
        /// What it does take.
        limit: String,
        /// What to do.
        help: String,
    },
    /// A value of the wrong kind.
    #[error("{what} must be {wanted}, not `{written}`")]
    #[diagnostic(code(forge::manifest::wrong_value))]
    WrongValue {
        /// Of what.
        what: String,
        /// What it must be.
        wanted: String,
        /// What was written.
        written: String,
        /// What to write.
        #[help]
        help: String,
    },
    /// A duration that is none.
    #[error("`{written}` is not a duration: {reason}")]
    #[diagnostic(
        code(forge::manifest::bad_duration),
        help("a number and its unit, in quotes: \"90s\", \"45m\", \"5h\", \"14d\", \"1h 30m\"")
    )]
    BadDuration {
        /// What was written.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A size that is none.
    #[error("`{written}` is not a size: {reason}")]
    #[diagnostic(
        code(forge::manifest::bad_size),
        help("a number and its unit, in quotes: \"500MB\" counts in 1000, \"8GiB\" and \"8G\" in 1024")
    )]
    BadSize {
        /// What was written.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pattern that is none.
    #[error("`{written}` is not a pattern: {reason}")]
    #[diagnostic(
        code(forge::manifest::bad_glob),
        help("`*`, `?`, `[a-z]`, `{{a,b}}` and `**` have their usual meanings; `\\` takes it from them")
    )]
    BadGlob {
        /// What was written.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A node that may stand only once.
    #[error("`{name}` stands twice in {place}")]
    #[diagnostic(code(forge::manifest::repeated), help("keep one of them"))]
    Repeated {
        /// The node.
        name: String,
        /// The block.
        place: String,
    },
    /// Two declarations of one name.
    #[error("{kind} `{name}` is declared twice")]
    #[diagnostic(code(forge::manifest::duplicate), help("rename one of them, or delete it"))]
    Duplicate {
        /// `package`, `chroot` …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Two files that say different things of what there is one of.
    #[error("{what} is said twice, and not the same: `{one}` and `{other}`")]
    #[diagnostic(
        code(forge::manifest::contradiction),
        help("keep one of them: neither of the two is nearer than the other")
    )]
    Contradiction {
        /// Of what.
        what: String,
        /// What one place says.
        one: String,
        /// What the other says.
        other: String,
    },
    /// A name that nothing has.
    #[error("{who} {relation} {kind} `{name}`, which is not declared")]
    #[diagnostic(code(forge::manifest::undeclared))]
    Undeclared {
        /// What names it.
        who: String,
        /// How.
        relation: &'static str,
        /// What it should be.
        kind: &'static str,
        /// The name.
        name: String,
        /// What is declared.
        #[help]
        help: String,
    },
    /// A name that several specs have.
    #[error("`{name}` is the `Name` of several specs: those of packages {packages}")]
    #[diagnostic(code(forge::manifest::ambiguous), help("say which by the manifest's name of the package"))]
    Ambiguous {
        /// The name.
        name: String,
        /// The packages that it could be.
        packages: String,
    },
    /// A package without a source that no pattern has found.
    #[error("package `{name}` has no `source`, and no `packages` pattern finds a spec of that name")]
    #[diagnostic(code(forge::manifest::nothing_to_amend))]
    NothingToAmend {
        /// The package.
        name: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// A profile that is not declared.
    #[error("there is no profile `{name}` in this manifest")]
    #[diagnostic(code(forge::manifest::unknown_profile))]
    UnknownProfile {
        /// What was named.
        name: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// A build condition that a spec does not have.
    #[error("the spec of package `{package}` has no build condition `{name}`")]
    #[diagnostic(code(forge::manifest::unknown_condition))]
    UnknownCondition {
        /// The package.
        package: String,
        /// The condition.
        name: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// A chroot that is not declared.
    #[error("{who} {relation} chroot `{name}`, which is not declared")]
    #[diagnostic(code(forge::manifest::unknown_chroot))]
    UnknownChroot {
        /// What names it.
        who: String,
        /// What it does with it: `builds for`.
        relation: &'static str,
        /// The name.
        name: String,
        /// What is declared.
        #[help]
        help: String,
    },
    /// A pattern that nothing matches.
    #[error("no {kind} matches `{pattern}`")]
    #[diagnostic(code(forge::manifest::no_match))]
    NoMatch {
        /// What should match.
        kind: &'static str,
        /// The pattern.
        pattern: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// A path that leaves the repository.
    #[error("`{path}` leaves the repository")]
    #[diagnostic(
        code(forge::manifest::path_leaves),
        help(
            "paths are relative to the file that says them and stay in the repository; one from elsewhere is written whole, from `/` on"
        )
    )]
    PathLeaves {
        /// What was written.
        path: String,
    },
    /// A path where nothing is.
    #[error("there is no {what} at `{path}`")]
    #[diagnostic(code(forge::manifest::nothing_there))]
    NothingThere {
        /// What should be there.
        what: &'static str,
        /// What was written.
        path: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A folder without one spec.
    #[error("folder `{path}` holds {count} specs, and a package has one")]
    #[diagnostic(
        code(forge::manifest::one_spec),
        help("name the spec itself: `source path \"{path}/NAME.spec\"`")
    )]
    NotOneSpec {
        /// The folder.
        path: String,
        /// How many specs it holds.
        count: usize,
    },
    /// An environment variable that is not set.
    #[error("the environment variable `{name}` is not set")]
    #[diagnostic(
        code(forge::manifest::unset_variable),
        help("set it where forge is started, or write the value without `(env)`")
    )]
    UnsetVariable {
        /// The variable.
        name: String,
    },
    /// The key that digests of secrets are made with can't be had.
    #[error("the key that stands between secrets and their digests can't be used: {reason}")]
    #[diagnostic(
        code(forge::manifest::secret_key),
        help(
            "values from the environment are secrets, and only a digest made with your own key is written down: set \
             XDG_DATA_HOME to a folder of yours where there is none, as in CI jobs; give the file to yourself alone \
             (`chmod 600`), or delete it, and a new one is made and what has secrets is built again"
        )
    )]
    SecretKey {
        /// Why not.
        reason: String,
    },
    /// A type annotation that means nothing.
    #[error("`({name})` means nothing here")]
    #[diagnostic(
        code(forge::manifest::annotation),
        help("the one annotation is `(env)\"NAME\"`, which takes a text from the environment")
    )]
    Annotation {
        /// What was written.
        name: String,
    },
    /// Declarations that wait for each other.
    #[error("{kind} wait for each other: {path}")]
    #[diagnostic(code(forge::manifest::cycle), help("take one of these away"))]
    Cycle {
        /// What goes in a circle.
        kind: &'static str,
        /// The circle.
        path: String,
    },
    /// Two things of which only one can be.
    #[error("{who} has both {one} and {other}")]
    #[diagnostic(code(forge::manifest::exclusive), help("keep one of them"))]
    Exclusive {
        /// Who.
        who: String,
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// Packages to install into a root that is there already.
    #[error(
        "chroot `{chroot}` has both {made} and `install`: nothing is installed into a root that is there already"
    )]
    #[diagnostic(
        code(forge::manifest::install_in_made),
        help(
            "make the root with these packages in it, or make it of packages: `repo` in the place of {made}"
        )
    )]
    InstallInMade {
        /// The chroot.
        chroot: String,
        /// What makes it one that is there.
        made: &'static str,
    },
    /// `multilib` without two chroots of a distribution.
    #[error("no chroot has another one of a narrower architecture beside it")]
    #[diagnostic(
        code(forge::manifest::no_multilib_pair),
        help(
            "declare both, with names that differ in their architecture alone: `fedora-42-x86_64` and `fedora-42-i686`"
        )
    )]
    NoMultilibPair,
    /// A package without chroots.
    #[error("package `{package}` builds for no chroot")]
    #[diagnostic(code(forge::manifest::no_chroot))]
    NoChroot {
        /// The package.
        package: String,
        /// What to do.
        #[help]
        help: &'static str,
    },
}
