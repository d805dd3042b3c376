//! The macros that tune how packages are built: what each means, what holds where nobody says anything, and which values make sense.
//!
//! rpm-macros(7) and rpm-payloadflags(7) describe most of them; forge's own are described in `docs/policies.md`
//! and `docs/debuginfo.md`.

use schemars::JsonSchema;
use serde::Serialize;

use super::tunable_values::{NATIVE_GENERATORS, TunableValues};

/// A macro that tunes how packages are built.
#[derive(Clone, Copy, Debug)]
pub struct Tunable {
    /// Its name.
    pub name: &'static str,
    /// What it tunes.
    pub area: TunableArea,
    /// What it does, in a sentence.
    pub meaning: &'static str,
    /// What holds where nobody says anything, in words or as a macro body.
    pub default: &'static str,
    /// Which values it takes.
    pub values: TunableValues,
}

/// What macros tune.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TunableArea {
    /// How much is done at a time.
    Parallelism,
    /// What packages look like.
    Generation,
    /// Debugging information.
    Debuginfo,
    /// What is wrong enough to end a build.
    Hygiene,
    /// Whether the same comes out again.
    Reproducibility,
    /// What packages say of who made them.
    Vendor,
    /// What forge does itself.
    Forge,
}

impl TunableArea {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Parallelism => "Parallelism",
            Self::Generation => "What packages look like",
            Self::Debuginfo => "Debugging information",
            Self::Hygiene => "What ends a build",
            Self::Reproducibility => "Reproducibility",
            Self::Vendor => "Who made the packages",
            Self::Forge => "What forge does itself",
        }
    }
}

/// Finds one by its name.
pub fn find_tunable(name: &str) -> Option<&'static Tunable> {
    TUNABLES.iter().find(|tunable| tunable.name == name)
}

const fn tunable(
    name: &'static str,
    area: TunableArea,
    values: TunableValues,
    default: &'static str,
    meaning: &'static str,
) -> Tunable {
    Tunable { name, area, meaning, default, values }
}

use TunableArea::{Debuginfo, Forge, Generation, Hygiene, Parallelism, Reproducibility, Vendor};
use TunableValues::{Digest, Number, Payload, Presence, Switch, SwitchOrNames, Text, Word};

/// What holds where a macro is not defined.
const NOTHING: &str = "not defined";

/// All of them, by area.
pub const TUNABLES: &[Tunable] = &[
    tunable(
        "_smp_ncpus_max",
        Parallelism,
        Number,
        NOTHING,
        "How many processes `%{_smp_build_ncpus}` says at most; 0 is no limit.",
    ),
    tunable(
        "_smp_nthreads_max",
        Parallelism,
        Number,
        NOTHING,
        "How many threads `%{_smp_build_nthreads}` says at most; 0 is no limit.",
    ),
    tunable(
        "_smp_build_ncpus",
        Parallelism,
        Number,
        "as many as there are processors, and room for in memory",
        "How many processes a build starts: `%{_smp_mflags}` and `RPM_BUILD_NCPUS` say it to make(1) and others.",
    ),
    tunable(
        "_smp_build_nthreads",
        Parallelism,
        Number,
        "as many as there are processors, and room for in memory",
        "How many threads pack the packages.",
    ),
    tunable(
        "_smp_tasksize_proc",
        Parallelism,
        Number,
        "512",
        "How much memory a process takes, in MiB: fewer are started where there is not enough.",
    ),
    tunable(
        "_smp_tasksize_thread",
        Parallelism,
        Number,
        "%{_smp_tasksize_proc}",
        "How much memory a thread takes, in MiB.",
    ),
    tunable(
        "_binary_filedigest_algorithm",
        Generation,
        Digest,
        "8",
        "Which digest packages have of their files.",
    ),
    tunable(
        "_source_filedigest_algorithm",
        Generation,
        Digest,
        "8",
        "Which digest source packages have of their files.",
    ),
    tunable(
        "_binary_payload",
        Generation,
        Payload,
        "w19.zstdio",
        "How the payload of packages is compressed.",
    ),
    tunable(
        "_source_payload",
        Generation,
        Payload,
        "w19.zstdio",
        "How the payload of source packages is compressed.",
    ),
    tunable("_rpmformat", Generation, Word(&["4", "6"]), "4", "The version of the package format."),
    tunable(
        "_changelog_trimage",
        Generation,
        Number,
        NOTHING,
        "Entries of the changelog are left out that are older than this, in seconds, than the newest.",
    ),
    tunable(
        "_changelog_trimtime",
        Generation,
        Number,
        NOTHING,
        "Entries of the changelog are left out that are older than this time, in seconds since 1970.",
    ),
    tunable(
        "_docdir_fmt",
        Generation,
        Text,
        "%%{NAME}",
        "The folder of a package's documentation below `%{_docdir}`.",
    ),
    tunable(
        "__docdir_path",
        Generation,
        Text,
        "the folders of documentation, manual pages and the like",
        "Files below these folders are documentation without `%doc`.",
    ),
    tunable(
        "_buildhost",
        Generation,
        Text,
        "localhost",
        "The name of the machine that packages say they were built on.",
    ),
    tunable(
        "_buildtime",
        Generation,
        Number,
        NOTHING,
        "The time that packages say they were built at, in seconds since 1970.",
    ),
    tunable(
        "_rpmfilename",
        Generation,
        Text,
        "%%{ARCH}/%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "Where a package is written, below `%{_rpmdir}`.",
    ),
    tunable(
        "_use_internal_dependency_generator",
        Generation,
        Switch,
        "1",
        "Whether what packages depend on is found by generators (1), or by `%__find_provides` and `%__find_requires` as before them (0).",
    ),
    tunable(
        "_default_patch_fuzz",
        Generation,
        Number,
        "0",
        "How many lines of context patches may fail to find, where `%patch` and `%autosetup` don't say it.",
    ),
    tunable(
        "_default_patch_flags",
        Generation,
        Text,
        "--no-backup-if-mismatch -f",
        "What else patch(1) is told for every patch.",
    ),
    tunable(
        "_fixperms",
        Generation,
        Text,
        "%{__chmod} -Rf a+rX,u+w,g-w,o-w",
        "The command that sets the modes of what `%setup` has unpacked.",
    ),
    tunable(
        "_openpgp_autosign_id",
        Generation,
        Text,
        NOTHING,
        "The key that packages are signed with as they are built.",
    ),
    tunable(
        "_openpgp_sign",
        Generation,
        Text,
        "gpg",
        "The program that signs packages as they are built: `gpg`, `sq`, or a NAME for which `%__NAME_sign_cmd()` says how.",
    ),
    tunable(
        "__gpg_reserved_space",
        Generation,
        Number,
        "4096",
        "How many bytes packages keep free for signatures that are put in later.",
    ),
    tunable(
        "_enable_debug_packages",
        Debuginfo,
        Switch,
        NOTHING,
        "Whether packages of debugging information are made.",
    ),
    tunable(
        "_include_minidebuginfo",
        Debuginfo,
        Switch,
        NOTHING,
        "Whether programs keep a small table of symbols for backtraces (`.gnu_debugdata`).",
    ),
    tunable(
        "_include_gdb_index",
        Debuginfo,
        Switch,
        NOTHING,
        "Whether debugging information has an index for gdb.",
    ),
    tunable(
        "_build_id_links",
        Debuginfo,
        Word(&["none", "alldebug", "separate", "compat"]),
        "compat",
        "Where the links are that find programs and their debugging information by build-id.",
    ),
    tunable(
        "_unique_build_ids",
        Debuginfo,
        Switch,
        "1",
        "Whether build-ids depend on the package's version and release.",
    ),
    tunable(
        "_unique_debug_names",
        Debuginfo,
        Switch,
        "1",
        "Whether names of files of debugging information hold version, release and architecture.",
    ),
    tunable(
        "_unique_debug_srcs",
        Debuginfo,
        Switch,
        "1",
        "Whether the folder of sources for debuggers is called after version, release and architecture.",
    ),
    tunable(
        "_debugsource_packages",
        Debuginfo,
        Switch,
        NOTHING,
        "Whether the sources for debuggers are a package of their own.",
    ),
    tunable(
        "_debuginfo_subpackages",
        Debuginfo,
        Switch,
        NOTHING,
        "Whether each sub-package has debugging information of its own.",
    ),
    tunable(
        "_no_recompute_build_ids",
        Debuginfo,
        Presence,
        NOTHING,
        "Build-ids stay as the linker has made them.",
    ),
    tunable(
        "_unpackaged_files_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a file that was installed and that no package has ends the build.",
    ),
    tunable(
        "_duplicate_files_terminate_build",
        Hygiene,
        Switch,
        "0",
        "Whether a file that is listed twice ends the build.",
    ),
    tunable(
        "_missing_doc_files_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether documentation that is listed and not there ends the build.",
    ),
    tunable(
        "_empty_manifest_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a list of files (`%files -f`) that lists none ends the build.",
    ),
    tunable(
        "_binaries_in_noarch_packages_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a program of one architecture in a package for all ends the build.",
    ),
    tunable(
        "_invalid_encoding_terminates_build",
        Hygiene,
        Switch,
        "1",
        "Whether text in a package that is not UTF-8 ends the build.",
    ),
    tunable(
        "_wrong_version_format_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a version in a dependency that rpm can't compare ends the build.",
    ),
    tunable(
        "_missing_build_ids_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a program without a build-id ends the build.",
    ),
    tunable(
        "_nonzero_exit_pkgcheck_terminate_build",
        Hygiene,
        Switch,
        "1",
        "Whether a check of packages that fails ends the build.",
    ),
    tunable(
        "_build_pkgcheck",
        Hygiene,
        Text,
        NOTHING,
        "A program that checks each package that was written.",
    ),
    tunable(
        "_build_pkgcheck_set",
        Hygiene,
        Text,
        NOTHING,
        "A program that checks all packages of a build together.",
    ),
    tunable("_build_pkgcheck_srpm", Hygiene, Text, NOTHING, "A program that checks the source package."),
    tunable(
        "_use_weak_usergroup_deps",
        Hygiene,
        Switch,
        "0",
        "Whether packages recommend the users and groups that own their files, and don't require them.",
    ),
    tunable(
        "source_date_epoch_from_changelog",
        Reproducibility,
        Switch,
        "1",
        "Whether the newest entry of the changelog says the time that builds go by (`SOURCE_DATE_EPOCH`).",
    ),
    tunable(
        "use_source_date_epoch_as_buildtime",
        Reproducibility,
        Switch,
        "1 with forge, 0 with rpmbuild",
        "Whether packages say that they were built at that time.",
    ),
    tunable(
        "clamp_mtime_to_source_date_epoch",
        Reproducibility,
        Switch,
        "1 with forge, 0 with rpmbuild",
        "Whether files that are newer than that time get it (before rpm 4.20).",
    ),
    tunable(
        "build_mtime_policy",
        Reproducibility,
        Word(&["unset", "clamp_to_source_date_epoch", "clamp_to_buildtime"]),
        "clamp_to_source_date_epoch with forge",
        "Which files get another time in packages: those that are newer than `SOURCE_DATE_EPOCH`, or than the time of the build.",
    ),
    tunable("bugurl", Vendor, Text, NOTHING, "Where mistakes are reported."),
    tunable("distribution", Vendor, Text, NOTHING, "The distribution that packages are of."),
    tunable("disturl", Vendor, Text, NOTHING, "Where the distribution has the sources."),
    tunable("disttag", Vendor, Text, NOTHING, "What the distribution is told by in releases."),
    tunable("modularitylabel", Vendor, Text, NOTHING, "The module that packages are of."),
    tunable("packager", Vendor, Text, NOTHING, "Who packages."),
    tunable("translationurl", Vendor, Text, NOTHING, "Where translations are made."),
    tunable("upstreamreleases", Vendor, Text, NOTHING, "Where new versions are found."),
    tunable("vendor", Vendor, Text, NOTHING, "Who offers the packages."),
    tunable(
        "_forge_native_policies",
        Forge,
        Switch,
        "1",
        "Whether forge does itself what scripts of the buildroot policy do that it knows to the byte.",
    ),
    tunable(
        "_forge_native_debuginfo",
        Forge,
        Switch,
        NOTHING,
        "Whether forge takes debugging information out of programs itself (1), or the root's find-debuginfo does (0); where it is not said, forge does only if the root has none.",
    ),
    tunable(
        "_forge_whole_build_ids",
        Forge,
        Switch,
        "0",
        "Whether all bytes of build-ids are made anew where forge takes debugging information out of programs: find-debuginfo leaves what is behind the 16th, which depends on the folder of the build.",
    ),
    tunable(
        "_forge_native_dependencies",
        Forge,
        SwitchOrNames(NATIVE_GENERATORS),
        "1",
        "Which dependency generators that it knows forge does the work of itself: all, none with 0, or those that are named.",
    ),
    tunable(
        "_forge_failed_generators_terminate_build",
        Forge,
        Switch,
        "0",
        "Whether a dependency generator that fails or crashes ends the build; with rpmbuild it means nothing.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_one_name_and_takes_its_own_default() {
        let names: BTreeSet<&str> = TUNABLES.iter().map(|tunable| tunable.name).collect();
        assert_eq!(names.len(), TUNABLES.len());
        for tunable in
            TUNABLES.iter().filter(|tunable| tunable.default != NOTHING && !tunable.default.contains(' '))
        {
            assert!(tunable.values.takes(tunable.default), "{}", tunable.name);
        }
        assert!(TUNABLES.is_sorted_by_key(|tunable| tunable.area));
    }

    #[test]
    fn defaults_are_those_of_the_macros_that_forge_brings() {
        let text = include_str!("default/macros");
        for tunable in TUNABLES.iter().filter(|tunable| !tunable.default.contains(' ')) {
            let line = text
                .lines()
                .find(|line| line.split_whitespace().next() == Some(&format!("%{}", tunable.name)));
            if let Some(line) = line {
                assert_eq!(line.split_once(char::is_whitespace).unwrap().1.trim(), tunable.default);
            }
        }
    }
}
