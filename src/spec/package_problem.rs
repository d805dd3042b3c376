//! What can be wrong with the packages of a spec, in the words of rpm.

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::dialect::{OldForm, advice, advice_on_patch};

/// One thing that is wrong. The words are rpm's; the help is ours.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum PackageProblem {
    /// A tag without which nothing can be built.
    #[error("{tag} field must be present before build in package: {package}")]
    #[diagnostic(code(forge::spec::missing_field), help("the preamble needs `{tag}:`"))]
    MissingBeforeBuild {
        /// The tag.
        tag: &'static str,
        /// The package.
        package: BString,
    },
    /// A tag that every package has.
    #[error("{tag} field must be present in package: {package}")]
    #[diagnostic(code(forge::spec::missing_tag), help("a package can't be built without `{tag}:`"))]
    Missing {
        /// The tag.
        tag: &'static str,
        /// The package.
        package: BString,
    },
    /// A package that nothing is said of.
    #[error("Package has no %description: {package}")]
    #[diagnostic(code(forge::spec::no_description), help("every package has its own %description"))]
    NoDescription {
        /// The package.
        package: BString,
    },
    /// A tag that is given twice.
    #[error("Duplicate {tag} entries in package: {package}")]
    #[diagnostic(code(forge::spec::duplicate_tag), help("take one of the lines out"))]
    Duplicate {
        /// The tag, as rpm shows it.
        tag: String,
        /// The package.
        package: BString,
    },
    /// A tag that is given twice, of those that rpm speaks of at once.
    #[error("second {tag}")]
    #[diagnostic(severity(Warning), code(forge::spec::second_tag), help("take one of the lines out"))]
    Second {
        /// The tag, as rpm shows it.
        tag: String,
    },
    /// A character that a name or version can't have.
    #[error("Illegal char '{shown}' (0x{byte:x}) in: {text}")]
    #[diagnostic(
        code(forge::spec::illegal_character),
        help(
            "letters, digits and `.`, `_` and `+` can be used; in names `-` as well, in versions `~` and `^`"
        )
    )]
    IllegalCharacter {
        /// The character.
        shown: char,
        /// Its byte, as a C `char` that may be negative.
        byte: u32,
        /// The line.
        text: BString,
    },
    /// A character that a name can't begin with.
    #[error("Illegal char '{shown}' (0x{byte:x}) in: {text}")]
    #[diagnostic(code(forge::spec::illegal_start), help("{}", advice(OldForm::NameStart)))]
    IllegalStart {
        /// The character.
        shown: char,
        /// Its byte, as a C `char` that may be negative.
        byte: u32,
        /// The line.
        text: BString,
    },
    /// Two dots in a version.
    #[error("Illegal sequence \"..\" in: {text}")]
    #[diagnostic(
        code(forge::spec::illegal_sequence),
        help("a part of the version is missing between the dots")
    )]
    IllegalSequence {
        /// The line.
        text: BString,
    },
    /// A percent sign that no macro took away.
    #[error("Possible unexpanded macro in: {text}")]
    #[diagnostic(
        severity(Warning),
        code(forge::spec::unexpanded),
        help("the macro is not defined here: define it, or write `%{{?name}}`")
    )]
    Unexpanded {
        /// The line.
        text: BString,
    },
    /// An epoch that is none.
    #[error("Epoch field must be an unsigned number: {text}")]
    #[diagnostic(code(forge::spec::bad_epoch), help("an epoch is a number from 0 to 4294967295"))]
    Epoch {
        /// The line.
        text: BString,
    },
    /// A prefix with a slash at its end.
    #[error("Prefixes must not end with \"/\": {text}")]
    #[diagnostic(code(forge::spec::prefix), help("take the slash away"))]
    Prefix {
        /// The line.
        text: BString,
    },
    /// A sub-package for another architecture.
    #[error("Only noarch subpackages are supported: {text}")]
    #[diagnostic(
        code(forge::spec::sub_architecture),
        help("a sub-package has the main package's architecture, or `noarch`")
    )]
    SubArchitecture {
        /// The line.
        text: BString,
    },
    /// `BuildArch` twice.
    #[error("Duplicate BuildArch entry: {text}")]
    #[diagnostic(code(forge::spec::second_build_arch), help("name all architectures in one line"))]
    SecondBuildArch {
        /// The line.
        text: BString,
    },
    /// A `BuildArch` that can't be built here.
    #[error("No compatible architectures found for build")]
    #[diagnostic(
        code(forge::spec::build_arch),
        help("none of `BuildArch` can be built on this architecture: build elsewhere, or with --target")
    )]
    NoCompatibleArchitecture,
    /// A tag that rpm knows and can't store.
    #[error("Internal error: Bogus tag {number}")]
    #[diagnostic(
        code(forge::spec::bogus_tag),
        help("rpm takes no such line: define the macro `disturl` instead")
    )]
    BogusTag {
        /// The tag's number.
        number: u32,
    },
    /// A build system that no macros are there for.
    #[error("Unknown buildsystem: {name}")]
    #[diagnostic(
        code(forge::spec::build_system),
        help("macros called buildsystem_{name}_build and so on carry a build system out: none are defined")
    )]
    BuildSystem {
        /// The name.
        name: BString,
    },
    /// A build system that lacks a macro.
    #[error("Required parametric macro %buildsystem_{name}_{section} not defined for buildsystem {name}")]
    #[diagnostic(code(forge::spec::build_system_macro), help("define it, with parentheses after its name"))]
    BuildSystemMacro {
        /// The script that it writes.
        section: &'static str,
        /// The build system.
        name: BString,
    },
    /// An option of a script that there is not.
    #[error("Unknown section in BuildOption: {section}")]
    #[diagnostic(
        code(forge::spec::build_option),
        help("there are prep, generate_buildrequires, conf, build, install, check and clean")
    )]
    BuildOption {
        /// What was written.
        section: BString,
    },
    /// Something that should be a number.
    #[error("Bad number: {text}")]
    #[diagnostic(code(forge::spec::bad_number), help("one line names one source by its number"))]
    BadNumber {
        /// What was written.
        text: BString,
    },
    /// A source that is to be left out and is not there.
    #[error("Bad no{kind} number: {number}")]
    #[diagnostic(code(forge::spec::no_such_source), help("it has to be declared before it is left out"))]
    NoSuchSource {
        /// `source`, `patch`.
        kind: &'static str,
        /// The number.
        number: u32,
    },
    /// Two sources with one number.
    #[error("{kind} {number} defined multiple times")]
    #[diagnostic(
        code(forge::spec::source_twice),
        help("give one of them another number, or none; {}", advice(OldForm::NoNumbering))
    )]
    SourceTwice {
        /// `source`, `patch`.
        kind: &'static str,
        /// The number.
        number: u32,
    },
    /// More sources than a spec may have.
    #[error("more than {most} sources and patches")]
    #[diagnostic(
        code(forge::spec::too_many_sources),
        help("rpm has no such limit, forge has: put files into an archive that the spec names once")
    )]
    TooManySources {
        /// How many there may be.
        most: usize,
    },
    /// An icon that is not there.
    #[error("Unable to open icon {path}: {reason}")]
    #[diagnostic(code(forge::spec::icon), help("an icon is a file among the sources"))]
    Icon {
        /// The file.
        path: BString,
        /// Why.
        reason: String,
    },
    /// An icon that is no picture.
    #[error("Unknown icon type: {path}")]
    #[diagnostic(code(forge::spec::icon_type), help("an icon is a GIF or XPM file"))]
    IconType {
        /// The file.
        path: BString,
    },
    /// An old tag.
    #[error("{tag} is deprecated: {text}")]
    #[diagnostic(
        severity(Warning),
        code(forge::spec::deprecated),
        help("write `Requires(pre,postun):` or `BuildRequires:`")
    )]
    Deprecated {
        /// The tag in small letters.
        tag: &'static str,
        /// The line.
        text: BString,
    },
    /// `Obsoletes` without a version.
    #[error("It's not recommended to have unversioned Obsoletes: {text}")]
    #[diagnostic(
        severity(Warning),
        code(forge::spec::unversioned_obsoletes),
        help("say up to which version: `Obsoletes: name < 2.0`; or the package can never come back")
    )]
    UnversionedObsoletes {
        /// The line.
        text: BString,
    },
    /// Text that is not encoded as all text is.
    #[error("Package {package}: invalid utf-8 encoding in {tag}: {text} - Invalid argument")]
    #[diagnostic(code(forge::spec::encoding), help("save the spec as UTF-8"))]
    Encoding {
        /// The package.
        package: BString,
        /// The tag.
        tag: String,
        /// The text.
        text: BString,
        /// Whether it can't be taken.
        is_error: bool,
    },
    /// A package that nobody has declared.
    #[error("{line}: package {package} does not exist")]
    #[diagnostic(code(forge::spec::unknown_package), help("declare it before with %package"))]
    UnknownPackage {
        /// The section's line.
        line: BString,
        /// The package.
        package: BString,
    },
    /// A package that has been declared.
    #[error("{line}: package {package} already exists")]
    #[diagnostic(code(forge::spec::package_exists), help("one %package declares it; the others can go"))]
    PackageExists {
        /// The section's line.
        line: BString,
        /// The package.
        package: BString,
    },
    /// A description after another.
    #[error("second Description")]
    #[diagnostic(severity(Warning), code(forge::spec::second_description), help("take one of them out"))]
    SecondDescription,
    /// A section that there can be one of.
    #[error("second {section}")]
    #[diagnostic(
        code(forge::spec::second_section),
        help("put them together, or append with `%{section} -a`")
    )]
    SecondSection {
        /// Its name.
        section: &'static str,
    },
    /// A second changelog.
    #[error("second %changelog")]
    #[diagnostic(code(forge::spec::second_changelog), help("put them together"))]
    SecondChangelog,
    /// A second script of one kind for one package.
    #[error("Second %{section}")]
    #[diagnostic(code(forge::spec::second_script), help("put them together"))]
    SecondScript {
        /// Its name.
        section: &'static str,
    },
    /// More files of a package.
    #[error("multiple %files for package '{package}'")]
    #[diagnostic(severity(Warning), code(forge::spec::second_files), help("put them together"))]
    SecondFiles {
        /// The package.
        package: BString,
    },
    /// An option that a script of the build does not have.
    #[error("Bad %{section} option {option}: unknown option")]
    #[diagnostic(
        code(forge::spec::script_option),
        help("`-a` appends to the script, `-p` prepends; {}", advice(OldForm::ScriptOptions))
    )]
    ScriptOption {
        /// The section.
        section: &'static str,
        /// The option.
        option: BString,
    },
    /// Both at once.
    #[error("append and prepend specified: {line}")]
    #[diagnostic(code(forge::spec::append_and_prepend), help("write two sections"))]
    AppendAndPrepend {
        /// The section's line.
        line: BString,
    },
    /// A trigger whose program has options.
    #[error("interpreter arguments not allowed in triggers: {program}")]
    #[diagnostic(
        code(forge::spec::trigger_arguments),
        help("name the program alone; set options in the script")
    )]
    TriggerArguments {
        /// The program with its options.
        program: BString,
    },
    /// A format of packages that there is not.
    #[error("invalid rpm format {format} requested, using 4")]
    #[diagnostic(code(forge::spec::rpm_format), help("`%_rpmformat` is 4 or 6"))]
    Format {
        /// What the macro says.
        format: BString,
    },
    /// A program that rpm does not have within itself.
    #[error("unsupported internal script: {program}")]
    #[diagnostic(code(forge::spec::internal_script), help("there is `<lua>`, and no other"))]
    InternalScript {
        /// The program.
        program: BString,
    },
    /// A Lua script that can't be understood.
    #[error("invalid syntax in lua scriptlet: {message}")]
    #[diagnostic(code(forge::spec::lua_script), help("the script is Lua 5.4"))]
    LuaScript {
        /// What Lua says.
        message: BString,
    },
    /// A priority where there is no order.
    #[error("Priorities are allowed only for file triggers : {program}")]
    #[diagnostic(code(forge::spec::priority), help("take `-P` away"))]
    Priority {
        /// The program.
        program: BString,
    },
    /// A trigger without conditions.
    #[error("triggers must have --: {line}")]
    #[diagnostic(code(forge::spec::trigger_condition), help("`%triggerin -- package` says what fires it"))]
    NoCondition {
        /// The section's line.
        line: BString,
    },
    /// A condition of a file trigger that is no path.
    #[error("file trigger conditions must begin with '/': {condition}")]
    #[diagnostic(code(forge::spec::file_condition), help("write whole paths"))]
    FileCondition {
        /// What was written.
        condition: BString,
    },
    /// Two triggers for one package.
    #[error("Trigger fired by the same package is already defined in spec file: {condition}")]
    #[diagnostic(code(forge::spec::trigger_twice), help("put the scripts together"))]
    TriggerTwice {
        /// The condition.
        condition: BString,
    },
    /// A condition that is no dependency.
    #[error("{problem}: {condition}")]
    #[diagnostic(
        code(forge::spec::trigger_dependency),
        help("a condition is written as a dependency: `name > 1.0`")
    )]
    TriggerDependency {
        /// What is wrong with it, in rpm's words.
        problem: String,
        /// The conditions.
        condition: BString,
    },
    /// Text after `%end`.
    #[error("line {number} doesn't belong to any section: {text}")]
    #[diagnostic(code(forge::spec::outside), help("begin a section, or take `%end` away"))]
    Outside {
        /// The line's number.
        number: u32,
        /// The line.
        text: BString,
    },
    /// A tag in a part that comes too late for it.
    #[error("Tag not allowed after build is done: {text}")]
    #[diagnostic(code(forge::spec::late_tag), help("write it in the spec itself"))]
    LateTag {
        /// The line.
        text: BString,
    },
    /// A section in a part that comes too late for it.
    #[error("Section %{section} is not allowed after build is done!")]
    #[diagnostic(code(forge::spec::late_section), help("write it in the spec itself"))]
    LateSection {
        /// Its name.
        section: &'static str,
    },
    /// The older way to apply a patch.
    #[error("%patchN is obsolete, use %patch N (or %patch -P N): {text}")]
    #[diagnostic(code(forge::spec::patch_n), help("{}", advice_on_patch(text.as_ref())))]
    PatchN {
        /// The line.
        text: BString,
    },
    /// A patch without a number, where an older rpm is spoken.
    #[error("Patch number not specified: {text}")]
    #[diagnostic(code(forge::spec::bare_patch), help("{}", advice(OldForm::BarePatch)))]
    BarePatch {
        /// The line.
        text: BString,
        /// Whether it can't be taken.
        is_error: bool,
    },
    /// What is wrong with a line of `%prep`, where an older rpm is spoken.
    #[error("{message}")]
    #[diagnostic(
        code(forge::spec::prep_line),
        help("rpm-spec-macros(7) says what `%setup` and `%patch` take")
    )]
    PrepLine {
        /// In rpm's words.
        message: BString,
    },
}

impl PackageProblem {
    /// Whether rpm refuses the spec for it. It goes on where only a build would be impossible.
    pub fn is_error(&self) -> bool {
        !matches!(
            self,
            Self::Second { .. }
                | Self::Unexpanded { .. }
                | Self::Deprecated { .. }
                | Self::UnversionedObsoletes { .. }
                | Self::SecondDescription
                | Self::SecondFiles { .. }
                | Self::BarePatch { is_error: false, .. }
                | Self::Encoding { is_error: false, .. }
                | Self::Format { .. }
        )
    }

    /// Whether rpm writes the line's number before it.
    pub fn names_its_line(&self) -> bool {
        !matches!(
            self,
            Self::MissingBeforeBuild { .. }
                | Self::Missing { .. }
                | Self::NoDescription { .. }
                | Self::Duplicate { .. }
                | Self::NoCompatibleArchitecture
                | Self::BogusTag { .. }
                | Self::SourceTwice { .. }
                | Self::Icon { .. }
                | Self::IconType { .. }
                | Self::Encoding { .. }
                | Self::LuaScript { .. }
                | Self::FileCondition { .. }
                | Self::TriggerTwice { .. }
                | Self::TriggerDependency { .. }
                | Self::Outside { .. }
                | Self::LateSection { .. }
                | Self::PatchN { .. }
                | Self::BarePatch { .. }
                | Self::PrepLine { .. }
                | Self::Format { .. }
        )
    }
}
