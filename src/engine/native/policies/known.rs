//! The scripts whose work is known: to the byte, by their digests.
//!
//! They were compared with what is done in their place over made trees (`tests/policies`), as they are part of the versions of rpm
//! or of the distributions that are named here; those of rpm 4.13, 4.15, 4.18.2 and 4.19, and of Fedora 32 to 34 and 36 to 39, differ from
//! compared ones in lines that change nothing here, and were only read. Debian's, and those of distributions that leave them as they are,
//! are the same files.

use crate::digest::{Checksum, ChecksumAlgorithm};

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Takes out of programs and libraries what packages don't need.
    Strip(StripPolicy),
    /// Compresses manual pages.
    Compress(CompressRule),
    /// Takes the permission to run from libraries that are no programs.
    ElfPermissions,
    /// Removes libtool's descriptions of libraries.
    RemoveLibtool(LibtoolRule),
    /// Fails where a file has the buildroot's path in it.
    CheckBuildroot,
    /// Fails where a program looks for libraries at a place where it should not.
    CheckRunPaths,
    /// Anything else of which it is known when it has nothing to do.
    Other(OtherPolicy),
}

/// What is taken out of programs and libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StripPolicy {
    /// Debug symbols, out of programs and libraries.
    Programs(StripRule),
    /// Debug symbols, out of static libraries.
    Archives {
        /// What a failure means.
        failures: Failures,
        /// How files are named to the programs.
        names: Names,
    },
    /// `.comment` and `.note`, out of what is stripped.
    Notes,
}

/// How manual pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CompressRule {
    /// Whether an argument says what stands for `/usr`.
    pub takes_prefix: bool,
    /// Whether pages of fish count.
    pub knows_fish: bool,
    /// Whether links lose the endings of Zstandard.
    pub knows_zstandard: bool,
    /// Whether it does its work only where `sh` is bash.
    pub needs_bash: bool,
}

/// Which of libtool's descriptions are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LibtoolRule {
    /// All files of that name.
    Named,
    /// Those that say what they are.
    Marked,
    /// Links to those as well.
    MarkedAndLinks,
}

/// A script that runs if there is anything for it to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherPolicy {
    /// Compiles modules of Python.
    PythonBytecompile {
        /// Whether it may be told to compile those outside of Python's own folders.
        takes_extra: bool,
    },
    /// Makes one file of equal compiled modules.
    PythonHardlink,
    /// Makes the links of shared libraries.
    LinkLibraries,
    /// Takes what is for the linker's optimizer out of objects and archives.
    StripLto,
    /// Names the interpreters of scripts as distributions have them.
    MangleShebangs,
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

/// Of rpm 4.16 and later, to 4.20.0.
const ARCHIVES: Policy =
    Policy::Strip(StripPolicy::Archives { failures: Failures::Fatal, names: Names::Absolute });

const NOTES: Policy = Policy::Strip(StripPolicy::Notes);

/// Of rpm 4.18.2, and of 4.19.1 and later.
const COMPRESS: CompressRule =
    CompressRule { takes_prefix: true, knows_fish: true, knows_zstandard: true, needs_bash: false };

const fn strip(rule: StripRule) -> Policy {
    Policy::Strip(StripPolicy::Programs(rule))
}

/// SHA-256 of the script, and what it does.
const KNOWN: &[(&str, Policy)] = &[
    // rpm 4.13, 4.14
    ("e09d2e41646276aeab8ff5a8e59bced50ada791ab5ac9ccd39fb4f3f86797668", strip(OF_PROGRAMS)),
    (
        "d40b7c625bf8e1e685f9130c7dbe3e2b9e8a144d2c3a4b52ab4a3c39afee712b",
        Policy::Strip(StripPolicy::Archives { failures: Failures::FatalOfTheLast, names: Names::Absolute }),
    ),
    ("5421e3752f08cb9d256c5e74b7ef92077c794b9a6ef205e17e1c04fe5257d09c", NOTES),
    ("238b0fa185a2b15b488c5e3d9348886d08a40c5293261840167d7a68f7e8b0d2", Policy::CheckBuildroot),
    ("0e613e74ef6692ae5e62e6ccfd9650921f69fdd0831254741b6c8b90f9be6695", Policy::CheckRunPaths),
    // rpm 4.13, 4.14.0
    (
        "6f6eba711be9bb66edaef9c4cd1e35b25411ca33984c72b3ac8a1efbf85fe166",
        Policy::Compress(CompressRule {
            takes_prefix: false,
            knows_fish: false,
            knows_zstandard: false,
            ..COMPRESS
        }),
    ),
    // rpm 4.14
    ("c56be31851c0f853730d31522b5f94da73bfcf3d106eb72f777431db40e76e35", other(OtherPolicy::PythonHardlink)),
    // rpm 4.14.1 to 4.14.3
    (
        "b1e27e6ee93f0116add358dbafdf04913f1f4c6778bc657971d0d08a83bd1385",
        Policy::Compress(CompressRule { takes_prefix: false, knows_zstandard: false, ..COMPRESS }),
    ),
    // rpm 4.14.2, 4.14.3
    ("8bff1481150a0de0e633c9c3c196460e6facfe123ef243525379aec2869b3abd", other(PYTHON)),
    // rpm 4.15
    ("f70bcdc864247a49ddec82cacb20b44e63ac134f5ae589dbf091443f634bc1e7", strip(OF_PROGRAMS)),
    ("2809e2be9a634877e6263bca9798d5c95d256bd28188675edc448da231bddbe0", ARCHIVES),
    (
        "22d21ec374c0423b1635bd300d4b8c7b72a59ba9ad40de1a28caabab789b9a56",
        Policy::Compress(CompressRule { knows_zstandard: false, ..COMPRESS }),
    ),
    ("229beb65f9589470c49ab16ce07efc82dd905f3d1399c45fa88f9ccedf4e55a8", other(PYTHON)),
    ("9434154433cec3a16d6731a6661f7dde566892814d8fc946efabdc0d9a75ded7", Policy::CheckRunPaths),
    // rpm 4.15 to 4.17
    ("79964a27960e2d11cb64d6d1596bc1a0205d52e43aae7ab616ef6e0e87065190", NOTES),
    // rpm 4.15 to 4.17.0
    ("014723686a0de96181159d0f4a67902477d000c775c5ab4d54e4fb4a4998b78f", Policy::CheckBuildroot),
    // rpm 4.15 and later
    ("8324040ce549c79e808e6889a7668bdf9463e4dd25ed0dbc92e592af0f0bbc94", other(OtherPolicy::PythonHardlink)),
    // rpm 4.16
    (
        "f07e92a3aa4b9e0a9c204989e4ad1e0204b59294237f1d2542df50d2093a7246",
        strip(StripRule { failures: Failures::Fatal, ..OF_PROGRAMS }),
    ),
    ("cfd5071b5c985ca01434494632b3d144dd847ee1c00e360d6625b183bd04613e", Policy::CheckRunPaths),
    // rpm 4.16, 4.17
    ("f70fe2e5aed706409ab59bc14f66bf15d797eb23b54dde6c5bcff0c66892b36f", Policy::Compress(COMPRESS)),
    // rpm 4.16 to 4.20.0
    ("5f15068894a23ec1d37bf7916caecbdef8bb235a683777de2ba3f029cea0a32c", ARCHIVES),
    // rpm 4.16, Debian's up to 6.1
    ("93fb0b64b1b45588ebe838df5605abb639d1209a77390decd8a6f363e3be58e8", other(PYTHON)),
    // rpm 4.17.0
    ("260d4478e23554855afc010bc34bd824d999e368d6d3fe8efff05a1252a9b368", strip(BUT_MODULES)),
    (
        "5a59e3f96ab28093fca39c00ba1e1d7e6a11342237608d062d6f004c907e27be",
        Policy::RemoveLibtool(LibtoolRule::Named),
    ),
    // rpm 4.17.1
    ("c4b07bc847b2eb6de5ca4691ace327b1c1fab7f46a2d9cf5be090b032bb8dff1", Policy::CheckBuildroot),
    // rpm 4.17.1, 4.18
    (
        "9eea35fe7f5bb674053f0eb24b3a91a0b20da8a428b874f47770dd4954b390d7",
        strip(StripRule { left_out: &[".go"], ..BUT_MODULES }),
    ),
    // rpm 4.17.1, 4.18.0
    (
        "39815b6096fcac740eb4df138353c76a7db51b83635e54f123a4cdab56a4a7a9",
        Policy::RemoveLibtool(LibtoolRule::Marked),
    ),
    // rpm 4.17 to 4.20
    ("bf67de3ecb4828097d94ed891b0b8dfded358590e8b07a6baa7d72d63bd6cd5c", Policy::ElfPermissions),
    // rpm 4.17 to 6.1
    ("f409ee2ffeed16ef044f707c2080c704d51125fac7265ad36a85356491d793cf", Policy::CheckRunPaths),
    // rpm 4.18.0, 4.18.1, 4.19.0
    (
        "ab79aee8d6a2669a59b0dc3705eb8acc9733a387deba565257a2a20f6f7f6fdc",
        Policy::Compress(CompressRule { needs_bash: true, ..COMPRESS }),
    ),
    // rpm 4.18
    ("33b3d1dcc66b1e6ff86627df56d826ea58c5d5e85a9f5fa501191af47c6cbc7d", Policy::CheckBuildroot),
    // rpm 4.18 to 4.20
    ("808dc4ea63ad9a2e5fbe0d1ca0311ad259fa14628cf6f72e80cc24e856f08aea", NOTES),
    // rpm 4.18.1 to 4.20.0
    (
        "b4977185b15b323b80bd6b053eac03e70a72721c8e3b45cdf1e2b2065f0aa967",
        Policy::RemoveLibtool(LibtoolRule::Marked),
    ),
    // rpm 4.18.2, 4.19.1 to 6.1
    ("b3a76ba42909fa0b5064634d6d316eaa56027795c6130cf2b1cff8b1186c8ca4", Policy::Compress(COMPRESS)),
    // rpm 4.19
    (
        "b25cebaa5218a71c52d0d90dd9d7c0cb04416250b60859c5a2c8f848a88db949",
        strip(StripRule { left_out: &[".go"], failures: Failures::FatalOfLinked, ..BUT_MODULES }),
    ),
    // rpm 4.19 to 6.1
    ("56d41a2231a5e45e7cab69790b84ef49201ea6fea880564da3550da008c30f4a", Policy::CheckBuildroot),
    // rpm 4.20.0
    ("82f297ff021d0d5d5eb6c2acacf8e569ca92c5c137ff919bf2c24bff097ce8e3", strip(BUT_SCRIPTS)),
    // rpm 4.20.1, 6.0, 6.1
    (
        "568a5adc0e3c2be44973b5d68d222ba64995284bf3737a2a38801a863c06b5e4",
        strip(StripRule { names: Names::Relative, ..BUT_SCRIPTS }),
    ),
    (
        "8b80a39a8e48e501798ab23c7dda900bcedb64304d5d039ae6365722563e27e9",
        Policy::Strip(StripPolicy::Archives { failures: Failures::Fatal, names: Names::Relative }),
    ),
    (
        "982d372628b5be69d40635fcb22339c46f0dae5c795076a8c67197ba52b9870b",
        Policy::RemoveLibtool(LibtoolRule::MarkedAndLinks),
    ),
    // rpm 6.0, 6.1
    ("f055187025b6c1c19ce4395bfbf0bafffe6c24148f4f916de075509480201826", NOTES),
    // Azure Linux 3
    (
        "cd95cdf6a3e0609632683c4c3de3801258ef1375271e093db80660df867967f1",
        other(OtherPolicy::PythonBytecompile { takes_extra: false }),
    ),
    // Enterprise Linux 9
    (
        "b5b04df66ce58c86e6324af2af04b8fb190262f30c605d21c4501eee5fc16467",
        other(OtherPolicy::PythonBytecompile { takes_extra: false }),
    ),
    // Fedora 30 to 41, Enterprise Linux 9
    ("2fee0a5d03853f4051745c330f26cda3e3f802eab6f27c9e6fd0f7c00395b385", other(OtherPolicy::LinkLibraries)),
    // Fedora 32 to 39, Enterprise Linux 9
    ("969c8474fbe1a6f8080d985e06241e846ca9b792d915f748da91ee46d480ed69", other(OtherPolicy::StripLto)),
    // Fedora 40, 41
    ("996ae9129b66d9a24a053f646b82f45296c1af32d2df94cafea058d11eb06314", other(OtherPolicy::StripLto)),
    // Fedora 32 to 34
    ("6af1321da28c1c3d18c450579a94bca03942de5cb5a7fdce1c299af27d82b53b", other(OtherPolicy::MangleShebangs)),
    ("51b2ca748d7b7f3e6a7d2318474bf400c15b0dc23adde619873215c00cb744b6", other(OtherPolicy::MangleShebangs)),
    // Fedora 36 to 39, Enterprise Linux 9
    ("237c6135cc8eb51e1afa8495b7eb49dea94137b0ae29272b2f26e254be373e1f", other(OtherPolicy::MangleShebangs)),
    // Fedora 40, 41
    ("0ec6f1dfb7be5e943e0be7e108407805004a10bf600c2ac9b88698fc93ebab7a", other(OtherPolicy::MangleShebangs)),
];

const PYTHON: OtherPolicy = OtherPolicy::PythonBytecompile { takes_extra: true };

const fn other(policy: OtherPolicy) -> Policy {
    Policy::Other(policy)
}

/// The scripts that look at the programs which `check-rpaths` gives them, of rpm 4.13 to 6.1.
const RUN_PATH_WORKERS: [&str; 4] = [
    "58112ff3081dfe2a8b64b5b5ba84b5c167f969a4fa36072eb40277b090594b5f",
    "ceb7a48a8bad326ca4953fd9bb90034c176e5165fd064de87f480891141eeb53",
    "1f6f7f0b34234a7885bbf6599f09e0ca9364abe7b7c468860a6fd6469719d5d4",
    "b3fe7a94c432946424d0b5d71e1b84cd7651e3310784bc37f31a330a6efd5313",
];

/// What the script of this text does, if it is known.
pub(super) fn known_policy(text: &[u8]) -> Option<Policy> {
    let sum = Checksum::compute(ChecksumAlgorithm::Sha256, text);
    KNOWN.iter().find(|(known, _)| *known == sum.hex()).map(|(_, policy)| *policy)
}

/// Whether this is the text of a script that looks at what programs say of where libraries are, and nothing else.
pub(super) fn is_run_path_worker(text: &[u8]) -> bool {
    let sum = Checksum::compute(ChecksumAlgorithm::Sha256, text);
    RUN_PATH_WORKERS.iter().any(|known| *known == sum.hex())
}
