//! Versions that a Python project asks for (PEP 440), and what they are for rpm.

use super::normal_version::NormalVersion;
use super::question::PythondistRules;
use super::text_cursor::TextCursor;

/// How a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VersionComparison {
    Compatible,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// A comparison and a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionSpecifier {
    comparison: VersionComparison,
    /// The version as it is written: the script takes two spellings for two versions.
    text: String,
    version: NormalVersion,
    /// Whether it is written with `.*` for whatever follows.
    is_prefix: bool,
}

impl VersionComparison {
    /// Longer signs stand before those that they begin with.
    const SIGNS: [(&str, Self); 7] = [
        ("~=", Self::Compatible),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    /// Goes past a sign, if one stands here.
    pub(super) fn take(cursor: &mut TextCursor<'_>) -> Option<Self> {
        Self::SIGNS.into_iter().find(|(sign, _)| cursor.take(sign)).map(|(_, comparison)| comparison)
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Compatible => "~=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::Greater => ">",
        }
    }
}

impl VersionSpecifier {
    /// Reads one whose comparison is read already; `None` if it is unusual.
    pub(super) fn read(comparison: VersionComparison, text: &str) -> Option<Self> {
        let (release, is_prefix) = text.strip_suffix(".*").map_or((text, false), |release| (release, true));
        let version = NormalVersion::read(release)?;
        let is_usual = match comparison {
            VersionComparison::Compatible => !is_prefix && version.release().len() > 1,
            VersionComparison::Equal | VersionComparison::NotEqual => !is_prefix || version.is_final(),
            VersionComparison::LessOrEqual
            | VersionComparison::GreaterOrEqual
            | VersionComparison::Less
            | VersionComparison::Greater => !is_prefix,
        };
        is_usual.then(|| Self { comparison, text: text.to_owned(), version, is_prefix })
    }

    /// What a project provides that is in one version.
    pub(super) fn equal(text: &str) -> Option<Self> {
        Self::read(VersionComparison::Equal, text).filter(|specifier| !specifier.is_prefix)
    }

    /// Whether versions of `packaging` differ in whether these are two: they say the same in other words.
    pub(super) fn is_doubtful_beside(&self, other: &Self) -> bool {
        self.comparison == other.comparison
            && self.text != other.text
            && self.is_prefix == other.is_prefix
            && self.version.is_same(&other.version)
    }

    /// The version.
    pub(super) fn version(&self) -> &NormalVersion {
        &self.version
    }

    /// The dependency of rpm that a name in these versions is.
    pub(super) fn to_dependency(&self, name: &str, rules: PythondistRules) -> String {
        let version = self.version.to_rpm();
        match (self.comparison, self.is_prefix) {
            (VersionComparison::Compatible, _) => between(name, &version, &self.version.series()),
            (VersionComparison::Equal, true) => between(name, &version, &self.version),
            (VersionComparison::NotEqual, is_prefix) => self.outside(name, is_prefix, rules),
            (comparison, _) => {
                let suffix = if self.version.is_final() { rules.suffix(comparison) } else { "" };
                format!("{name} {} {version}{suffix}", comparison.sign())
            }
        }
    }

    fn outside(&self, name: &str, is_prefix: bool, rules: PythondistRules) -> String {
        let version = self.version.to_rpm();
        if !is_prefix {
            return format!("({name} < {version} or {name} > {version})");
        }
        let next = self.version.next_release().to_rpm();
        match rules {
            PythondistRules::Early => format!("({name} < {version} or {name} > {next})"),
            PythondistRules::Late => format!("({name} < {version}~~ or {name} >= {next})"),
        }
    }
}

impl PythondistRules {
    /// What makes a comparison with a release leave out what comes before or after it.
    fn suffix(self, comparison: VersionComparison) -> &'static str {
        match (self, comparison) {
            (Self::Late, VersionComparison::Less) => "~~",
            (Self::Late, VersionComparison::Greater) => ".0",
            _ => "",
        }
    }
}

/// From a version on to the end of a series.
fn between(name: &str, version: &str, series: &NormalVersion) -> String {
    format!("({name} >= {version} with {name} < {})", series.next_release().to_rpm())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(text: &str, rules: PythondistRules) -> Option<String> {
        let mut cursor = TextCursor::new(text);
        let comparison = VersionComparison::take(&mut cursor)?;
        let specifier = VersionSpecifier::read(comparison, cursor.take_while(|_| true))?;
        Some(specifier.to_dependency("x", rules))
    }

    #[test]
    fn comparisons_are_told_to_rpm() {
        for (text, early, late) in [
            ("~=1.4.0", "(x >= 1.4 with x < 1.5)", None),
            ("==1.*", "(x >= 1 with x < 2)", None),
            ("==1.0.*", "(x >= 1 with x < 1.1)", None),
            ("==1.0", "x = 1", None),
            ("!=1.0", "(x < 1 or x > 1)", None),
            ("!=1.0.*", "(x < 1 or x > 1.1)", Some("(x < 1~~ or x >= 1.1)")),
            ("<2.0", "x < 2", Some("x < 2~~")),
            ("<2.0rc1", "x < 2~rc1", None),
            (">2", "x > 2", Some("x > 2.0")),
            (">=2.0", "x >= 2", None),
            ("<=2.0.post1", "x <= 2^post1", None),
        ] {
            assert_eq!(tell(text, PythondistRules::Early).unwrap(), early);
            assert_eq!(tell(text, PythondistRules::Late).unwrap(), late.unwrap_or(early));
        }
    }

    #[test]
    fn other_comparisons_are_unusual() {
        for text in ["===1", "~=1", "~=1.0.*", ">=1.*", "==1rc1.*", "==*", "=1", "1"] {
            assert_eq!(tell(text, PythondistRules::Late), None, "{text}");
        }
    }
}
