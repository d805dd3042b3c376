//! The scripts whose work is known: to the byte, by their digests.
//!
//! Each was compared with what is done in its place over made trees (`tests/policies`), as it is part of the versions of rpm
//! that are named here. Debian's, and those of distributions that leave them as they are, are the same files.

use crate::digest::{Checksum, ChecksumAlgorithm};

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Takes debug symbols out of programs and libraries.
    Strip(StripRule),
    /// Takes debug symbols out of static libraries.
    StripArchives {
        /// What a failure means.
        failures: Failures,
        /// How files are named to the programs.
        names: Names,
    },
    /// Takes `.comment` and `.note` out of what is stripped.
    StripNotes,
}

/// Which files have their symbols taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StripRule {
    /// Whether only what somebody may run counts.
    pub only_programs: bool,
    /// Whether what file(1) calls a shared object is left alone.
    pub leaves_shared: bool,
    /// How names end that are left alone.
    pub left_out: &'static [&'static str],
    /// What a failure means.
    pub failures: Failures,
    /// How files are named to the programs.
    pub names: Names,
}

/// What it means that strip(1) fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failures {
    /// Nothing.
    Ignored,
    /// The policy fails.
    Fatal,
    /// The policy fails where the file has several names.
    FatalOfLinked,
    /// The policy fails if the file is the last one, in the file system's own order.
    FatalOfTheLast,
}

/// How files are named to file(1) and strip(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// With the path of the buildroot.
    Absolute,
    /// From the buildroot on, where the programs run.
    Relative,
}

/// Of rpm 4.13 to 4.15.
const OF_PROGRAMS: StripRule = StripRule {
    only_programs: true,
    leaves_shared: true,
    left_out: &[],
    failures: Failures::Ignored,
    names: Names::Absolute,
};

/// Of rpm 4.17.0.
const BUT_MODULES: StripRule = StripRule {
    only_programs: false,
    leaves_shared: false,
    left_out: &[".ko"],
    failures: Failures::Fatal,
    names: Names::Absolute,
};

/// Of rpm 4.20.0.
const BUT_SCRIPTS: StripRule =
    StripRule { left_out: &[".py", ".js", ".rb", ".go"], failures: Failures::FatalOfLinked, ..BUT_MODULES };

const ARCHIVES: Policy = Policy::StripArchives { failures: Failures::Fatal, names: Names::Absolute };

/// SHA-256 of the script, and what it does.
const KNOWN: &[(&str, Policy)] = &[
    // rpm 4.13, 4.14
    ("e09d2e41646276aeab8ff5a8e59bced50ada791ab5ac9ccd39fb4f3f86797668", Policy::Strip(OF_PROGRAMS)),
    (
        "d40b7c625bf8e1e685f9130c7dbe3e2b9e8a144d2c3a4b52ab4a3c39afee712b",
        Policy::StripArchives { failures: Failures::FatalOfTheLast, names: Names::Absolute },
    ),
    ("5421e3752f08cb9d256c5e74b7ef92077c794b9a6ef205e17e1c04fe5257d09c", Policy::StripNotes),
    // rpm 4.15
    ("f70bcdc864247a49ddec82cacb20b44e63ac134f5ae589dbf091443f634bc1e7", Policy::Strip(OF_PROGRAMS)),
    ("2809e2be9a634877e6263bca9798d5c95d256bd28188675edc448da231bddbe0", ARCHIVES),
    // rpm 4.15 to 4.17
    ("79964a27960e2d11cb64d6d1596bc1a0205d52e43aae7ab616ef6e0e87065190", Policy::StripNotes),
    // rpm 4.16
    (
        "f07e92a3aa4b9e0a9c204989e4ad1e0204b59294237f1d2542df50d2093a7246",
        Policy::Strip(StripRule { failures: Failures::Fatal, ..OF_PROGRAMS }),
    ),
    // rpm 4.16 to 4.20.0
    ("5f15068894a23ec1d37bf7916caecbdef8bb235a683777de2ba3f029cea0a32c", ARCHIVES),
    // rpm 4.17.0
    ("260d4478e23554855afc010bc34bd824d999e368d6d3fe8efff05a1252a9b368", Policy::Strip(BUT_MODULES)),
    // rpm 4.17.1, 4.18
    (
        "9eea35fe7f5bb674053f0eb24b3a91a0b20da8a428b874f47770dd4954b390d7",
        Policy::Strip(StripRule { left_out: &[".go"], ..BUT_MODULES }),
    ),
    // rpm 4.18 to 4.20
    ("808dc4ea63ad9a2e5fbe0d1ca0311ad259fa14628cf6f72e80cc24e856f08aea", Policy::StripNotes),
    // rpm 4.19
    (
        "b25cebaa5218a71c52d0d90dd9d7c0cb04416250b60859c5a2c8f848a88db949",
        Policy::Strip(StripRule { left_out: &[".go"], failures: Failures::FatalOfLinked, ..BUT_MODULES }),
    ),
    // rpm 4.20.0
    ("82f297ff021d0d5d5eb6c2acacf8e569ca92c5c137ff919bf2c24bff097ce8e3", Policy::Strip(BUT_SCRIPTS)),
    // rpm 4.20.1, 6.0, 6.1
    (
        "568a5adc0e3c2be44973b5d68d222ba64995284bf3737a2a38801a863c06b5e4",
        Policy::Strip(StripRule { names: Names::Relative, ..BUT_SCRIPTS }),
    ),
    (
        "8b80a39a8e48e501798ab23c7dda900bcedb64304d5d039ae6365722563e27e9",
        Policy::StripArchives { failures: Failures::Fatal, names: Names::Relative },
    ),
    // rpm 6.0, 6.1
    ("f055187025b6c1c19ce4395bfbf0bafffe6c24148f4f916de075509480201826", Policy::StripNotes),
];

/// What the script of this text does, if it is known.
pub(super) fn known_policy(text: &[u8]) -> Option<Policy> {
    let sum = Checksum::compute(ChecksumAlgorithm::Sha256, text);
    KNOWN.iter().find(|(known, _)| *known == sum.hex()).map(|(_, policy)| *policy)
}
