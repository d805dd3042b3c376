//! What can go wrong in a build, in rpm's words.

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::autosign_problem::AutosignProblem;
use super::files::KeyProblem;
use super::generator_problem::GeneratorProblem;
use crate::engine::Unmet;
use crate::spec::{DependencyProblem, FileProblem, Finding, Weight};

/// What can go wrong in a build, or may not be meant.
#[derive(Debug, Error, Diagnostic)]
pub enum BuildProblem {
    /// A script failed.
    #[error("Bad exit status from {script} ({name})")]
    #[diagnostic(
        code(forge::engine::bad_exit),
        help("its last lines say why; the script is kept where the message says")
    )]
    BadExit {
        /// The file of the script, which is kept.
        script: String,
        /// The stage: `%build`.
        name: String,
        /// Its exit code; minus a signal.
        code: i32,
    },
    /// A script can't be written or started.
    #[error("Unable to open temp file: {reason}")]
    #[diagnostic(code(forge::engine::temporary), help("`%_tmppath` names the folder for temporary files"))]
    Temporary {
        /// Why.
        reason: String,
    },
    /// A program can't be run.
    #[error("Couldn't exec {program}: {reason}")]
    #[diagnostic(code(forge::engine::unable_to_run), help("is it there, and is it a program?"))]
    NotRun {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// What a build needs is not there.
    #[error("Failed build dependencies:{}", .missing.iter().map(|line| format!("\n\t{line}")).collect::<String>())]
    #[diagnostic(
        code(forge::engine::build_requires),
        help("install what is missing, or say `--nodeps` if it is there in another way")
    )]
    BuildRequires {
        /// What is missing, and what needs it.
        missing: Vec<Unmet>,
    },
    /// A line that `%generate_buildrequires` wrote.
    #[error("{problem}: {line}")]
    #[diagnostic(code(forge::engine::generated_requires), help("one dependency stands on a line"))]
    GeneratedRequires {
        /// What is wrong with it.
        problem: DependencyProblem,
        /// The line.
        line: BString,
    },
    /// Dependencies of files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Generator(#[from] GeneratorProblem),
    /// A source is missing.
    #[error("Bad file: {path}: {reason}")]
    #[diagnostic(code(forge::engine::bad_source), help("sources and patches lie in `%_sourcedir`"))]
    BadSource {
        /// The source.
        path: BString,
        /// Why.
        reason: String,
    },
    /// A line of `%files`.
    #[error("{problem}{}", if matches!(problem, FileProblem::Quote { .. } | FileProblem::Backslash { .. }) { "\n" } else { "" })]
    #[diagnostic(code(forge::engine::file_line), help("rpm-spec(5) says how files are listed"))]
    FileLine {
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// A file that is listed is not there.
    #[error("File not found: {path}")]
    #[diagnostic(code(forge::engine::file_not_found), help("`%install` did not put it there"))]
    FileNotFound {
        /// The file.
        path: BString,
    },
    /// A folder that is listed is not there.
    #[error("Directory not found: {path}")]
    #[diagnostic(code(forge::engine::folder_not_found), help("`%install` did not make it"))]
    FolderNotFound {
        /// The folder.
        path: BString,
    },
    /// `%dir` on something else.
    #[error("Not a directory: {path}")]
    #[diagnostic(code(forge::engine::not_a_folder), help("`%dir` is for folders only"))]
    NotAFolder {
        /// The file.
        path: BString,
    },
    /// A link into the buildroot.
    #[error("Symlink points to BuildRoot: {path} -> {target}")]
    #[diagnostic(code(forge::engine::link_to_buildroot), help("there is no buildroot where it is installed"))]
    LinkToBuildRoot {
        /// The link.
        path: BString,
        /// Where it points.
        target: BString,
    },
    /// A link with a whole path.
    #[error("absolute symlink: {path} -> {target}")]
    #[diagnostic(
        code(forge::engine::absolute_link),
        help("a relative one works in every root"),
        severity(Warning)
    )]
    AbsoluteLink {
        /// The link.
        path: BString,
        /// Where it points.
        target: BString,
    },
    /// `%doc` and `%license` name something that the build does not have.
    #[error("{}: {path}", if *is_folder { "Directory not found" } else { "File not found" })]
    #[diagnostic(
        code(forge::engine::document_not_found),
        help("`%_missing_doc_files_terminate_build` decides whether this ends the build"),
        severity(Warning)
    )]
    DocumentNotFound {
        /// The file.
        path: BString,
        /// Whether it is the folder of all of them.
        is_folder: bool,
    },
    /// `-f` names a file that is not there.
    #[error("Could not open %files file {path}: {reason}")]
    #[diagnostic(
        code(forge::engine::no_manifest),
        help("the build writes it; relative names begin in its folder")
    )]
    NoManifest {
        /// The file.
        path: BString,
        /// Why.
        reason: String,
    },
    /// `-f` names an empty file.
    #[error("Empty %files file {path}")]
    #[diagnostic(
        code(forge::engine::empty_manifest),
        help("`%_empty_manifest_terminate_build` decides whether this ends the build")
    )]
    EmptyManifest {
        /// The file.
        path: BString,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// A program that was linked without a build-id.
    #[error("Missing build-id in {path}")]
    #[diagnostic(
        code(forge::engine::no_build_id),
        help(
            "link it with `-Wl,--build-id`; `%_missing_build_ids_terminate_build` decides whether this ends the build"
        )
    )]
    NoBuildId {
        /// The file.
        path: BString,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// Two programs with one build-id.
    #[error("Duplicate build-ids {first} and {second}")]
    #[diagnostic(
        code(forge::engine::same_build_id),
        help("is one of them a copy of the other?"),
        severity(Warning)
    )]
    SameBuildId {
        /// One file.
        first: BString,
        /// The other.
        second: BString,
    },
    /// A package for debug information is there already: it gets the files.
    #[error("package {name} already exists")]
    #[diagnostic(
        code(forge::engine::package_exists),
        help("the build makes it, for `%_debuginfo_subpackages` is set: don't declare it"),
        severity(Warning)
    )]
    PackageExists {
        /// The package.
        name: BString,
    },
    /// A part of the spec that the build has written is wrong.
    #[error("parsing failed")]
    #[diagnostic(code(forge::engine::part), help("what is wrong with it was said before"))]
    Part,
    /// A public key that is none, or not as rpm wants it.
    #[error("{path}: {problem}")]
    #[diagnostic(
        code(forge::engine::public_key),
        help("%pubkey takes a key in ASCII armour: `gpg --armor --export`")
    )]
    PublicKey {
        /// The key.
        path: BString,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// Capabilities that there are not.
    #[error("Invalid capability: {text}")]
    #[diagnostic(
        code(forge::engine::capability),
        help("capabilities(7) lists them, cap_from_text(3) how they are written")
    )]
    Capability {
        /// What was written.
        text: BString,
    },
    /// What is left out is not there anyway.
    #[error("File not found: {path}")]
    #[diagnostic(
        code(forge::engine::nothing_excluded),
        help("this %exclude has no effect"),
        severity(Warning)
    )]
    NothingExcluded {
        /// The file.
        path: BString,
    },
    /// A mode for a link.
    #[error("Explicit %attr() mode not applicable to symlink: {path}")]
    #[diagnostic(code(forge::engine::mode_of_link), help("a link has no mode of its own"), severity(Warning))]
    ModeOfLink {
        /// The link.
        path: BString,
    },
    /// A file is listed twice.
    #[error("File listed twice: {path}")]
    #[diagnostic(
        code(forge::engine::listed_twice),
        help("`%_duplicate_files_terminate_build` decides whether this ends the build")
    )]
    ListedTwice {
        /// The file.
        path: BString,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// Files that no package has.
    #[error("Installed (but unpackaged) file(s) found:{}", .files.iter().map(|file| format!("\n   {file}")).collect::<String>())]
    #[diagnostic(
        code(forge::engine::unpackaged),
        help("list them in %files, remove them in %install, or say %exclude")
    )]
    Unpackaged {
        /// The files.
        files: Vec<BString>,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// Programs of an architecture in a package of none.
    #[error("Arch dependent binaries in noarch package ({package}):{}", .files.iter().map(|file| format!("\n    {file}")).collect::<String>())]
    #[diagnostic(
        code(forge::engine::binaries_in_noarch),
        help("`%_binaries_in_noarch_packages_terminate_build` decides whether this ends the build")
    )]
    BinariesInNoarch {
        /// The package.
        package: String,
        /// The files, with what they are.
        files: Vec<BString>,
        /// Whether the build ends with it.
        is_error: bool,
    },
    /// A file can't be read.
    #[error("open of {path} failed: {reason}")]
    #[diagnostic(code(forge::engine::unreadable_file), help("may this user read it?"))]
    Unreadable {
        /// The file.
        path: BString,
        /// Why.
        reason: String,
    },
    /// A macro says something that can't be.
    #[error("{problem}: {value}")]
    #[diagnostic(
        code(forge::engine::bad_setting),
        help("rpmbuild-config(5) says what macros of the build can be")
    )]
    Setting {
        /// What is wrong: `Unknown payload compression`.
        problem: &'static str,
        /// What the macro says.
        value: String,
    },
    /// A number that no digest has.
    #[error("Unknown file digest algorithm {algorithm}, falling back to {instead}")]
    #[diagnostic(
        code(forge::engine::digest_algorithm),
        help("1 is MD5, 2 SHA-1, 8 SHA-256, 9 SHA-384, 10 SHA-512, 11 SHA-224, 12 SHA3-256, 14 SHA3-512"),
        severity(Warning)
    )]
    DigestAlgorithm {
        /// What the macro says.
        algorithm: String,
        /// The one that is used.
        instead: u32,
    },
    /// Programs of another architecture.
    #[error("Binaries not matching package arch ({package}):{}", .files.iter().map(|file| format!("\n    {file}")).collect::<String>())]
    #[diagnostic(
        code(forge::engine::other_arch),
        help("was it compiled for another target?"),
        severity(Warning)
    )]
    BinariesOfOtherArch {
        /// The package.
        package: String,
        /// The files, with what they are.
        files: Vec<BString>,
    },
    /// A script of a package lies in a file that is not there.
    #[error("Could not open {tag} file {path}: {reason}")]
    #[diagnostic(
        code(forge::engine::no_script),
        help("the build writes it; relative names begin in its folder")
    )]
    NoScript {
        /// The tag that it becomes.
        tag: String,
        /// The file.
        path: BString,
        /// Why.
        reason: String,
    },
    /// A name with a character that no package takes.
    #[error("Illegal character (0x{character:x}) in filename: {path}")]
    #[diagnostic(code(forge::engine::file_character), help("rename the file in %install"))]
    Character {
        /// The character.
        character: u8,
        /// The file.
        path: BString,
    },
    /// A time of the build that is no time; the build goes on with 1970.
    #[error("unable to parse {what}")]
    #[diagnostic(
        code(forge::engine::build_time),
        help("`%_buildtime` and SOURCE_DATE_EPOCH are numbers: seconds since 1970")
    )]
    BuildTime {
        /// What says it: `_buildtime macro`, `SOURCE_DATE_EPOCH`.
        what: &'static str,
    },
    /// The time of the newest change is asked for, and there is no change.
    #[error("%source_date_epoch_from_changelog is set, but %changelog has no entries to take a date from")]
    #[diagnostic(
        code(forge::engine::no_change),
        help("add an entry to %changelog, or set SOURCE_DATE_EPOCH"),
        severity(Warning)
    )]
    NoChange,
    /// What is to be done with the times of files.
    #[error("Unknown mtime policy '{policy}'")]
    #[diagnostic(
        code(forge::engine::mtime_policy),
        help("`%build_mtime_policy` is clamp_to_buildtime or clamp_to_source_date_epoch"),
        severity(Warning)
    )]
    MtimePolicy {
        /// What the macro says.
        policy: String,
    },
    /// A pattern that is no regular expression.
    #[error("Ignoring invalid regex {text}")]
    #[diagnostic(
        code(forge::engine::invalid_regex),
        help(
            "{reason}: regex(7) says what extended regular expressions are, and where a backslash is needed"
        ),
        severity(Warning)
    )]
    InvalidRegex {
        /// The pattern.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A macro of before.
    #[error("%{old} is deprecated, please use %{new}")]
    #[diagnostic(code(forge::engine::deprecated), help("use the newer one"), severity(Warning))]
    Deprecated {
        /// The macro.
        old: &'static str,
        /// What there is now.
        new: &'static str,
    },
    /// A package can't be written.
    #[error("{} {path}: {reason}", if *.is_begun { "failed to create package" } else { "Could not open" })]
    #[diagnostic(
        code(forge::engine::not_written),
        help("is there room on the disk, and may forge write there?")
    )]
    NotWritten {
        /// The package.
        path: String,
        /// Whether some of it was written.
        is_begun: bool,
        /// Why.
        reason: String,
    },
    /// The folder that a build works in can't be made.
    #[error("failed to create package build directory {folder}: {reason}")]
    #[diagnostic(
        code(forge::engine::build_folder),
        help("the message before says why; `%_builddir` names the folder above it")
    )]
    BuildFolder {
        /// The folder.
        folder: String,
        /// Why.
        reason: String,
    },
    /// The package's file name can't be worked out.
    #[error("Could not generate output filename for package {package}: {reason}")]
    #[diagnostic(
        code(forge::engine::file_name),
        help("`%_rpmfilename` is a query format: rpm-queryformat(7)")
    )]
    FileName {
        /// The package.
        package: BString,
        /// Why.
        reason: String,
    },
    /// A package can't be signed.
    #[error("{problem}")]
    #[diagnostic(code(forge::engine::not_signed), help("{}", problem.help()))]
    NotSigned {
        /// What is wrong.
        problem: AutosignProblem,
    },
    /// A checker of packages failed.
    #[error("Package check \"{command}\" failed.")]
    #[diagnostic(
        code(forge::engine::package_check),
        help("`%_nonzero_exit_pkgcheck_terminate_build` decides whether this ends the build")
    )]
    PackageCheck {
        /// The command.
        command: String,
    },
    /// A folder that packages, or builds, need.
    #[error("failed to create directory %{{{name}}}: {reason}")]
    #[diagnostic(
        code(forge::engine::no_folder),
        help("may forge write there? another folder can be set with the macro")
    )]
    Folder {
        /// The macro that names it.
        name: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// The spec can't be built here.
    #[error("{text}")]
    #[diagnostic(code(forge::engine::ruled_out), help("the spec says where it can be built"))]
    RuledOut {
        /// Why, in rpm's words.
        text: String,
    },
    /// A package that is to be built from can't be used.
    #[error("{file} cannot be installed")]
    #[diagnostic(code(forge::engine::source_package), help("is it a whole source package? {reason}"))]
    SourcePackage {
        /// The package.
        file: String,
        /// Why.
        reason: String,
    },
    /// A package that is to be built from can't be opened.
    #[error("cannot open {file}: {reason}")]
    #[diagnostic(code(forge::engine::cannot_open), help("is it there, and may this user read it?"))]
    CannotOpen {
        /// The package.
        file: String,
        /// Why.
        reason: String,
    },
    /// An archive can't be read, or what is in it can't be written.
    #[error("File {file}: {reason}")]
    #[diagnostic(code(forge::engine::archive), help("is it there, and is there room for what is in it?"))]
    Archive {
        /// The archive.
        file: String,
        /// Why.
        reason: String,
    },
    /// An archive without a spec.
    #[error("Failed to read spec file from {file}")]
    #[diagnostic(
        code(forge::engine::no_spec),
        help("it has to hold a file called Specfile, or one that ends with .spec")
    )]
    NoSpecInArchive {
        /// The archive.
        file: String,
    },
    /// The root's database of packages can't be read.
    #[error("cannot open Packages database in {path}: {reason}")]
    #[diagnostic(code(forge::engine::database), help("`--nodeps` builds without it"))]
    Database {
        /// Where it is.
        path: String,
        /// Why.
        reason: String,
    },
}

impl BuildProblem {
    /// Whether the build can't go on.
    pub fn is_error(&self) -> bool {
        if let Self::EmptyManifest { is_error, .. }
        | Self::NoBuildId { is_error, .. }
        | Self::ListedTwice { is_error, .. }
        | Self::Unpackaged { is_error, .. }
        | Self::BinariesInNoarch { is_error, .. } = self
        {
            return *is_error;
        }
        if let Self::Generator(problem) = self {
            return problem.is_error();
        }
        self.severity() != Some(miette::Severity::Warning)
    }
}

impl From<&BuildProblem> for Finding {
    fn from(problem: &BuildProblem) -> Self {
        Self {
            weight: if problem.is_error() { Weight::Error } else { Weight::Warning },
            code: problem.code().map(|code| code.to_string()).unwrap_or_default(),
            title: problem.to_string().trim_end().to_owned(),
            help: problem.help().map(|help| help.to_string()),
            file: String::new(),
            line: 0,
            through: None,
        }
    }
}
