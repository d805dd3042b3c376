//! The tags of a package's header: their numbers, names and kinds of value.

use std::fmt;

/// The number of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// What a tag's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// Texts.
    Texts,
    /// A text in several languages.
    Localized,
    /// Numbers of 8 bits.
    Int8,
    /// Numbers of 16 bits.
    Int16,
    /// Numbers of 32 bits.
    Int32,
    /// Numbers of 64 bits.
    Int64,
    /// Bytes.
    Bytes,
}

macro_rules! constants {
    ($($constant:ident $name:literal,)*) => {
        impl Tag {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self(number($name));)*
        }
    };
}

constants! {
    ARCH "ARCH",
    BUG_URL "BUGURL",
    BUILD_ARCHS "BUILDARCHS",
    BUILD_HOST "BUILDHOST",
    BUILD_TIME "BUILDTIME",
    CHANGELOG_NAME "CHANGELOGNAME",
    CHANGELOG_TEXT "CHANGELOGTEXT",
    CHANGELOG_TIME "CHANGELOGTIME",
    COOKIE "COOKIE",
    DESCRIPTION "DESCRIPTION",
    DISTRIBUTION "DISTRIBUTION",
    DIST_TAG "DISTTAG",
    DIST_URL "DISTURL",
    ENCODING "ENCODING",
    EPOCH "EPOCH",
    EXCLUDE_ARCH "EXCLUDEARCH",
    EXCLUDE_OS "EXCLUDEOS",
    EXCLUSIVE_ARCH "EXCLUSIVEARCH",
    EXCLUSIVE_OS "EXCLUSIVEOS",
    GROUP "GROUP",
    I18N_TABLE "HEADERI18NTABLE",
    LICENSE "LICENSE",
    LONG_SIZE "LONGSIZE",
    MODULARITY_LABEL "MODULARITYLABEL",
    NAME "NAME",
    NO_PATCH "NOPATCH",
    NO_SOURCE "NOSOURCE",
    OPT_FLAGS "OPTFLAGS",
    OS "OS",
    PACKAGER "PACKAGER",
    PATCH "PATCH",
    PAYLOAD_COMPRESSOR "PAYLOADCOMPRESSOR",
    PAYLOAD_FLAGS "PAYLOADFLAGS",
    PAYLOAD_FORMAT "PAYLOADFORMAT",
    PAYLOAD_SHA256 "PAYLOADSHA256",
    PAYLOAD_SHA256_ALGORITHM "PAYLOADSHA256ALGO",
    PAYLOAD_SHA256_ALT "PAYLOADSHA256ALT",
    PAYLOAD_SHA3_256 "PAYLOADSHA3_256",
    PAYLOAD_SHA3_256_ALT "PAYLOADSHA3_256ALT",
    PAYLOAD_SHA512 "PAYLOADSHA512",
    PAYLOAD_SHA512_ALT "PAYLOADSHA512ALT",
    PAYLOAD_SIZE "PAYLOADSIZE",
    PAYLOAD_SIZE_ALT "PAYLOADSIZEALT",
    PLATFORM "PLATFORM",
    PREFIXES "PREFIXES",
    RELEASE "RELEASE",
    RPM_FORMAT "RPMFORMAT",
    RPM_VERSION "RPMVERSION",
    SIZE "SIZE",
    SOURCE "SOURCE",
    SOURCE_DIGEST "SOURCESIGMD5",
    SOURCE_NEVR "SOURCENEVR",
    SOURCE_PACKAGE "SOURCEPACKAGE",
    SOURCE_RPM "SOURCERPM",
    SPEC "SPEC",
    SUMMARY "SUMMARY",
    TRANSLATION_URL "TRANSLATIONURL",
    UPSTREAM_RELEASES "UPSTREAMRELEASES",
    URL "URL",
    VCS "VCS",
    VENDOR "VENDOR",
    VERSION "VERSION",
}

/// Tags that are not rpm's: theirs begin at 1000000 (`RPMTAG_EXTERNAL_TAG`), which rpm leaves to others.
const OWN_TAGS: &[(&str, u32, Kind)] = &[("FORGEVERSION", 1_036_743, Kind::Text)];

impl Tag {
    /// The forge that built a package: `rpmforge 0.1.0`. RPMVERSION says whose language its spec is in.
    #[expect(clippy::indexing_slicing, reason = "carried out while forge is compiled")]
    pub const FORGE_VERSION: Self = Self(OWN_TAGS[0].1);

    /// The tag of that name, in letters of any size, with `RPMTAG_` before it or not.
    pub fn named(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix(b"RPMTAG_").unwrap_or(&name);
        let rows = TAGS.iter().chain(OWN_TAGS);
        let known = rows.map(|row| (row.0, row.1)).chain(ALIASES.iter().copied());
        known.into_iter().find(|row| row.0.as_bytes() == name).map(|row| Self(row.1))
    }

    /// The tag of that name. Only for names that stand in the table.
    pub(crate) const fn known(name: &str) -> Self {
        Self(number(name))
    }

    /// Its name, in capital letters; nothing where nobody knows it.
    pub fn name(self) -> Option<&'static str> {
        TAGS.iter().chain(OWN_TAGS).find(|row| row.1 == self.0).map(|row| row.0)
    }

    /// What its value is; numbers, where nobody knows it.
    pub fn kind(self) -> Kind {
        TAGS.iter().chain(OWN_TAGS).find(|row| row.1 == self.0).map_or(Kind::Int32, |row| row.2)
    }

    /// All tags of rpm with their numbers and kinds, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = (&'static str, Self, Kind)> {
        TAGS.iter().map(|row| (row.0, Self(row.1), row.2))
    }
}

impl fmt::Display for Tag {
    /// As rpm shows a tag: `Requirename`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = self.name() else {
            return f.write_str("(unknown)");
        };
        let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
        write!(f, "{first}{}", rest.to_ascii_lowercase())
    }
}

/// The number of a name in the table; a name that does not stand there does not compile as a constant.
#[expect(clippy::indexing_slicing, reason = "carried out while forge is compiled")]
const fn number(name: &str) -> u32 {
    let mut row = 0;
    while !is_same(TAGS[row].0.as_bytes(), name.as_bytes()) {
        row += 1;
    }
    TAGS[row].1
}

#[expect(clippy::indexing_slicing, reason = "carried out while forge is compiled")]
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// Other names of tags.
const ALIASES: &[(&str, u32)] = &[
    ("C", 1054),
    ("CONFLICTS", 1054),
    ("E", 1003),
    ("ENHANCES", 5055),
    ("FILEMD5S", 1035),
    ("N", 1000),
    ("O", 1090),
    ("OBSOLETES", 1090),
    ("OLDENHANCES", 1159),
    ("OLDSUGGESTS", 1156),
    ("P", 1047),
    ("PROVIDES", 1047),
    ("R", 1002),
    ("RECOMMENDS", 5046),
    ("REQUIRES", 1049),
    ("SUGGESTS", 5049),
    ("SUPPLEMENTS", 5052),
    ("V", 1001),
];

/// Name, number and kind, as `rpm --querytags -v` lists them.
const TAGS: &[(&str, u32, Kind)] = &[
    ("HEADERIMMUTABLE", 63, Kind::Bytes),
    ("HEADERI18NTABLE", 100, Kind::Texts),
    ("SIGSIZE", 257, Kind::Int32),
    ("SIGPGP", 259, Kind::Bytes),
    ("SIGMD5", 261, Kind::Bytes),
    ("SIGGPG", 262, Kind::Bytes),
    ("PUBKEYS", 266, Kind::Texts),
    ("DSAHEADER", 267, Kind::Bytes),
    ("RSAHEADER", 268, Kind::Bytes),
    ("SHA1HEADER", 269, Kind::Text),
    ("LONGSIGSIZE", 270, Kind::Int64),
    ("LONGARCHIVESIZE", 271, Kind::Int64),
    ("SHA256HEADER", 273, Kind::Text),
    ("VERITYSIGNATURES", 276, Kind::Texts),
    ("VERITYSIGNATUREALGO", 277, Kind::Int32),
    ("OPENPGP", 278, Kind::Texts),
    ("SHA3_256HEADER", 279, Kind::Text),
    ("NAME", 1000, Kind::Text),
    ("VERSION", 1001, Kind::Text),
    ("RELEASE", 1002, Kind::Text),
    ("EPOCH", 1003, Kind::Int32),
    ("SUMMARY", 1004, Kind::Localized),
    ("DESCRIPTION", 1005, Kind::Localized),
    ("BUILDTIME", 1006, Kind::Int32),
    ("BUILDHOST", 1007, Kind::Text),
    ("INSTALLTIME", 1008, Kind::Int32),
    ("SIZE", 1009, Kind::Int32),
    ("DISTRIBUTION", 1010, Kind::Text),
    ("VENDOR", 1011, Kind::Text),
    ("GIF", 1012, Kind::Bytes),
    ("XPM", 1013, Kind::Bytes),
    ("LICENSE", 1014, Kind::Text),
    ("PACKAGER", 1015, Kind::Text),
    ("GROUP", 1016, Kind::Localized),
    ("SOURCE", 1018, Kind::Texts),
    ("PATCH", 1019, Kind::Texts),
    ("URL", 1020, Kind::Text),
    ("OS", 1021, Kind::Text),
    ("ARCH", 1022, Kind::Text),
    ("PREIN", 1023, Kind::Text),
    ("POSTIN", 1024, Kind::Text),
    ("PREUN", 1025, Kind::Text),
    ("POSTUN", 1026, Kind::Text),
    ("OLDFILENAMES", 1027, Kind::Texts),
    ("FILESIZES", 1028, Kind::Int32),
    ("FILESTATES", 1029, Kind::Int8),
    ("FILEMODES", 1030, Kind::Int16),
    ("FILERDEVS", 1033, Kind::Int16),
    ("FILEMTIMES", 1034, Kind::Int32),
    ("FILEDIGESTS", 1035, Kind::Texts),
    ("FILELINKTOS", 1036, Kind::Texts),
    ("FILEFLAGS", 1037, Kind::Int32),
    ("FILEUSERNAME", 1039, Kind::Texts),
    ("FILEGROUPNAME", 1040, Kind::Texts),
    ("ICON", 1043, Kind::Bytes),
    ("SOURCERPM", 1044, Kind::Text),
    ("FILEVERIFYFLAGS", 1045, Kind::Int32),
    ("ARCHIVESIZE", 1046, Kind::Int32),
    ("PROVIDENAME", 1047, Kind::Texts),
    ("REQUIREFLAGS", 1048, Kind::Int32),
    ("REQUIRENAME", 1049, Kind::Texts),
    ("REQUIREVERSION", 1050, Kind::Texts),
    ("NOSOURCE", 1051, Kind::Int32),
    ("NOPATCH", 1052, Kind::Int32),
    ("CONFLICTFLAGS", 1053, Kind::Int32),
    ("CONFLICTNAME", 1054, Kind::Texts),
    ("CONFLICTVERSION", 1055, Kind::Texts),
    ("EXCLUDEARCH", 1059, Kind::Texts),
    ("EXCLUDEOS", 1060, Kind::Texts),
    ("EXCLUSIVEARCH", 1061, Kind::Texts),
    ("EXCLUSIVEOS", 1062, Kind::Texts),
    ("RPMVERSION", 1064, Kind::Text),
    ("TRIGGERSCRIPTS", 1065, Kind::Texts),
    ("TRIGGERNAME", 1066, Kind::Texts),
    ("TRIGGERVERSION", 1067, Kind::Texts),
    ("TRIGGERFLAGS", 1068, Kind::Int32),
    ("TRIGGERINDEX", 1069, Kind::Int32),
    ("VERIFYSCRIPT", 1079, Kind::Text),
    ("CHANGELOGTIME", 1080, Kind::Int32),
    ("CHANGELOGNAME", 1081, Kind::Texts),
    ("CHANGELOGTEXT", 1082, Kind::Texts),
    ("PREINPROG", 1085, Kind::Texts),
    ("POSTINPROG", 1086, Kind::Texts),
    ("PREUNPROG", 1087, Kind::Texts),
    ("POSTUNPROG", 1088, Kind::Texts),
    ("BUILDARCHS", 1089, Kind::Texts),
    ("OBSOLETENAME", 1090, Kind::Texts),
    ("VERIFYSCRIPTPROG", 1091, Kind::Texts),
    ("TRIGGERSCRIPTPROG", 1092, Kind::Texts),
    ("COOKIE", 1094, Kind::Text),
    ("FILEDEVICES", 1095, Kind::Int32),
    ("FILEINODES", 1096, Kind::Int32),
    ("FILELANGS", 1097, Kind::Texts),
    ("PREFIXES", 1098, Kind::Texts),
    ("INSTPREFIXES", 1099, Kind::Texts),
    ("SOURCEPACKAGE", 1106, Kind::Int32),
    ("PROVIDEFLAGS", 1112, Kind::Int32),
    ("PROVIDEVERSION", 1113, Kind::Texts),
    ("OBSOLETEFLAGS", 1114, Kind::Int32),
    ("OBSOLETEVERSION", 1115, Kind::Texts),
    ("DIRINDEXES", 1116, Kind::Int32),
    ("BASENAMES", 1117, Kind::Texts),
    ("DIRNAMES", 1118, Kind::Texts),
    ("ORIGDIRINDEXES", 1119, Kind::Int32),
    ("ORIGBASENAMES", 1120, Kind::Texts),
    ("ORIGDIRNAMES", 1121, Kind::Texts),
    ("OPTFLAGS", 1122, Kind::Text),
    ("DISTURL", 1123, Kind::Text),
    ("PAYLOADFORMAT", 1124, Kind::Text),
    ("PAYLOADCOMPRESSOR", 1125, Kind::Text),
    ("PAYLOADFLAGS", 1126, Kind::Text),
    ("INSTALLCOLOR", 1127, Kind::Int32),
    ("INSTALLTID", 1128, Kind::Int32),
    ("REMOVETID", 1129, Kind::Int32),
    ("PLATFORM", 1132, Kind::Text),
    ("PATCHESNAME", 1133, Kind::Texts),
    ("PATCHESFLAGS", 1134, Kind::Int32),
    ("PATCHESVERSION", 1135, Kind::Texts),
    ("FILECOLORS", 1140, Kind::Int32),
    ("FILECLASS", 1141, Kind::Int32),
    ("CLASSDICT", 1142, Kind::Texts),
    ("FILEDEPENDSX", 1143, Kind::Int32),
    ("FILEDEPENDSN", 1144, Kind::Int32),
    ("DEPENDSDICT", 1145, Kind::Int32),
    ("SOURCESIGMD5", 1146, Kind::Bytes),
    ("FILECONTEXTS", 1147, Kind::Texts),
    ("FSCONTEXTS", 1148, Kind::Texts),
    ("RECONTEXTS", 1149, Kind::Texts),
    ("POLICIES", 1150, Kind::Texts),
    ("PRETRANS", 1151, Kind::Text),
    ("POSTTRANS", 1152, Kind::Text),
    ("PRETRANSPROG", 1153, Kind::Texts),
    ("POSTTRANSPROG", 1154, Kind::Texts),
    ("DISTTAG", 1155, Kind::Text),
    ("OLDSUGGESTSNAME", 1156, Kind::Texts),
    ("OLDSUGGESTSVERSION", 1157, Kind::Texts),
    ("OLDSUGGESTSFLAGS", 1158, Kind::Int32),
    ("OLDENHANCESNAME", 1159, Kind::Texts),
    ("OLDENHANCESVERSION", 1160, Kind::Texts),
    ("OLDENHANCESFLAGS", 1161, Kind::Int32),
    ("DBINSTANCE", 1195, Kind::Int32),
    ("NVRA", 1196, Kind::Text),
    ("FILENAMES", 5000, Kind::Texts),
    ("FILEPROVIDE", 5001, Kind::Texts),
    ("FILEREQUIRE", 5002, Kind::Texts),
    ("TRIGGERCONDS", 5005, Kind::Texts),
    ("TRIGGERTYPE", 5006, Kind::Texts),
    ("ORIGFILENAMES", 5007, Kind::Texts),
    ("LONGFILESIZES", 5008, Kind::Int64),
    ("LONGSIZE", 5009, Kind::Int64),
    ("FILECAPS", 5010, Kind::Texts),
    ("FILEDIGESTALGO", 5011, Kind::Int32),
    ("BUGURL", 5012, Kind::Text),
    ("EVR", 5013, Kind::Text),
    ("NVR", 5014, Kind::Text),
    ("NEVR", 5015, Kind::Text),
    ("NEVRA", 5016, Kind::Text),
    ("HEADERCOLOR", 5017, Kind::Int32),
    ("VERBOSE", 5018, Kind::Int32),
    ("EPOCHNUM", 5019, Kind::Int32),
    ("PREINFLAGS", 5020, Kind::Int32),
    ("POSTINFLAGS", 5021, Kind::Int32),
    ("PREUNFLAGS", 5022, Kind::Int32),
    ("POSTUNFLAGS", 5023, Kind::Int32),
    ("PRETRANSFLAGS", 5024, Kind::Int32),
    ("POSTTRANSFLAGS", 5025, Kind::Int32),
    ("VERIFYSCRIPTFLAGS", 5026, Kind::Int32),
    ("TRIGGERSCRIPTFLAGS", 5027, Kind::Int32),
    ("POLICYNAMES", 5030, Kind::Texts),
    ("POLICYTYPES", 5031, Kind::Texts),
    ("POLICYTYPESINDEXES", 5032, Kind::Int32),
    ("POLICYFLAGS", 5033, Kind::Int32),
    ("VCS", 5034, Kind::Text),
    ("ORDERNAME", 5035, Kind::Texts),
    ("ORDERVERSION", 5036, Kind::Texts),
    ("ORDERFLAGS", 5037, Kind::Int32),
    ("INSTFILENAMES", 5040, Kind::Texts),
    ("REQUIRENEVRS", 5041, Kind::Texts),
    ("PROVIDENEVRS", 5042, Kind::Texts),
    ("OBSOLETENEVRS", 5043, Kind::Texts),
    ("CONFLICTNEVRS", 5044, Kind::Texts),
    ("FILENLINKS", 5045, Kind::Int32),
    ("RECOMMENDNAME", 5046, Kind::Texts),
    ("RECOMMENDVERSION", 5047, Kind::Texts),
    ("RECOMMENDFLAGS", 5048, Kind::Int32),
    ("SUGGESTNAME", 5049, Kind::Texts),
    ("SUGGESTVERSION", 5050, Kind::Texts),
    ("SUGGESTFLAGS", 5051, Kind::Int32),
    ("SUPPLEMENTNAME", 5052, Kind::Texts),
    ("SUPPLEMENTVERSION", 5053, Kind::Texts),
    ("SUPPLEMENTFLAGS", 5054, Kind::Int32),
    ("ENHANCENAME", 5055, Kind::Texts),
    ("ENHANCEVERSION", 5056, Kind::Texts),
    ("ENHANCEFLAGS", 5057, Kind::Int32),
    ("RECOMMENDNEVRS", 5058, Kind::Texts),
    ("SUGGESTNEVRS", 5059, Kind::Texts),
    ("SUPPLEMENTNEVRS", 5060, Kind::Texts),
    ("ENHANCENEVRS", 5061, Kind::Texts),
    ("ENCODING", 5062, Kind::Text),
    ("FILETRIGGERSCRIPTS", 5066, Kind::Texts),
    ("FILETRIGGERSCRIPTPROG", 5067, Kind::Texts),
    ("FILETRIGGERSCRIPTFLAGS", 5068, Kind::Int32),
    ("FILETRIGGERNAME", 5069, Kind::Texts),
    ("FILETRIGGERINDEX", 5070, Kind::Int32),
    ("FILETRIGGERVERSION", 5071, Kind::Texts),
    ("FILETRIGGERFLAGS", 5072, Kind::Int32),
    ("TRANSFILETRIGGERSCRIPTS", 5076, Kind::Texts),
    ("TRANSFILETRIGGERSCRIPTPROG", 5077, Kind::Texts),
    ("TRANSFILETRIGGERSCRIPTFLAGS", 5078, Kind::Int32),
    ("TRANSFILETRIGGERNAME", 5079, Kind::Texts),
    ("TRANSFILETRIGGERINDEX", 5080, Kind::Int32),
    ("TRANSFILETRIGGERVERSION", 5081, Kind::Texts),
    ("TRANSFILETRIGGERFLAGS", 5082, Kind::Int32),
    ("FILETRIGGERPRIORITIES", 5084, Kind::Int32),
    ("TRANSFILETRIGGERPRIORITIES", 5085, Kind::Int32),
    ("FILETRIGGERCONDS", 5086, Kind::Texts),
    ("FILETRIGGERTYPE", 5087, Kind::Texts),
    ("TRANSFILETRIGGERCONDS", 5088, Kind::Texts),
    ("TRANSFILETRIGGERTYPE", 5089, Kind::Texts),
    ("FILESIGNATURES", 5090, Kind::Texts),
    ("FILESIGNATURELENGTH", 5091, Kind::Int32),
    ("PAYLOADSHA256", 5092, Kind::Texts),
    ("PAYLOADSHA256ALGO", 5093, Kind::Int32),
    ("MODULARITYLABEL", 5096, Kind::Text),
    ("PAYLOADSHA256ALT", 5097, Kind::Texts),
    ("ARCHSUFFIX", 5098, Kind::Text),
    ("SPEC", 5099, Kind::Text),
    ("TRANSLATIONURL", 5100, Kind::Text),
    ("UPSTREAMRELEASES", 5101, Kind::Text),
    ("PREUNTRANS", 5103, Kind::Text),
    ("POSTUNTRANS", 5104, Kind::Text),
    ("PREUNTRANSPROG", 5105, Kind::Texts),
    ("POSTUNTRANSPROG", 5106, Kind::Texts),
    ("PREUNTRANSFLAGS", 5107, Kind::Int32),
    ("POSTUNTRANSFLAGS", 5108, Kind::Int32),
    ("SYSUSERS", 5109, Kind::Texts),
    ("PAYLOADSIZE", 5112, Kind::Int64),
    ("PAYLOADSIZEALT", 5113, Kind::Int64),
    ("RPMFORMAT", 5114, Kind::Int32),
    ("FILEMIMEINDEX", 5115, Kind::Int32),
    ("MIMEDICT", 5116, Kind::Texts),
    ("FILEMIMES", 5117, Kind::Texts),
    ("PACKAGEDIGESTS", 5118, Kind::Texts),
    ("PACKAGEDIGESTALGOS", 5119, Kind::Int32),
    ("SOURCENEVR", 5120, Kind::Text),
    ("PAYLOADSHA512", 5121, Kind::Text),
    ("PAYLOADSHA512ALT", 5122, Kind::Text),
    ("PAYLOADSHA3_256", 5123, Kind::Text),
    ("PAYLOADSHA3_256ALT", 5124, Kind::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_belong_together() {
        assert_eq!(Tag::named(b"name"), Some(Tag(1000)));
        assert_eq!(Tag::named(b"RpmTag_Requires"), Some(Tag(1049)));
        assert_eq!(Tag(1049).to_string(), "Requirename");
        assert_eq!(Tag::named(b"nosuch"), None);
        assert_eq!(Tag::PREFIXES.kind(), Kind::Texts);
    }
}
