//! What a person writes for packages: `name`, `name.arch`, `name-version`, `name-[epoch:]version-release.arch`, each with
//! the patterns of glob(7).

use globset::{GlobBuilder, GlobMatcher};

use super::index::{IndexedPackage, PackageIndex};

/// All that a text may mean, in dnf's order: the first that means any package counts.
#[derive(Clone, Debug)]
pub(super) struct PackagePattern {
    forms: Vec<PatternForm>,
}

/// One of the meanings of a text.
#[derive(Clone, Debug)]
pub(super) struct PatternForm {
    name: Part,
    epoch: Option<u32>,
    version: Option<Part>,
    release: Option<Part>,
    arch: Option<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Glob(GlobMatcher),
}

/// What separates the parts, and so is in none of them.
const SEPARATORS: [char; 7] = [':', '(', '/', '=', '<', '>', ' '];

impl Part {
    /// A part; `None` for what can't be one.
    fn new(text: &str, forbidden: &[char]) -> Option<Self> {
        if text.is_empty() || text.contains(SEPARATORS) || text.contains(forbidden) {
            return None;
        }
        let glob = GlobBuilder::new(text).backslash_escape(true).build();
        match glob {
            Ok(glob) if text.contains(['*', '?', '[']) => Some(Self::Glob(glob.compile_matcher())),
            _ => Some(Self::Text(text.to_owned())),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            Self::Glob(glob) => glob.is_match(text),
        }
    }
}

impl PackagePattern {
    pub fn new(text: &str) -> Self {
        let with_arch =
            text.rsplit_once('.').and_then(|(rest, arch)| Some((rest, Part::new(arch, &['-', '.'])?)));
        let nevra = || {
            let (rest, arch) = with_arch.clone()?;
            Some(PatternForm { arch: Some(arch), ..nevr(rest)? })
        };
        let name_arch = || {
            let (rest, arch) = with_arch.clone()?;
            Some(PatternForm { arch: Some(arch), ..name(rest)? })
        };
        let forms = [nevra(), name_arch(), name(text), nevr(text), nev(text)];
        Self { forms: forms.into_iter().flatten().collect() }
    }

    /// The first form that means any package.
    pub fn choose(self, means_any: impl Fn(&PatternForm) -> bool) -> Option<PatternForm> {
        self.forms.into_iter().find(means_any)
    }
}

fn name(text: &str) -> Option<PatternForm> {
    let name = Part::new(text, &[])?;
    Some(PatternForm { name, epoch: None, version: None, release: None, arch: None })
}

fn nev(text: &str) -> Option<PatternForm> {
    let (rest, version) = text.rsplit_once('-')?;
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, version)) => (Some(epoch.parse().ok()?), version),
        None => (None, version),
    };
    Some(PatternForm { epoch, version: Some(Part::new(version, &['-'])?), ..name(rest)? })
}

fn nevr(text: &str) -> Option<PatternForm> {
    let (rest, release) = text.rsplit_once('-')?;
    Some(PatternForm { release: Some(Part::new(release, &['-'])?), ..nev(rest)? })
}

impl PatternForm {
    /// Whether it says a name and nothing else.
    pub fn is_name_alone(&self) -> bool {
        self.version.is_none() && self.arch.is_none()
    }

    /// Whether it says an architecture.
    pub fn has_arch(&self) -> bool {
        self.arch.is_some()
    }

    /// Whether it means a package.
    pub fn matches(&self, index: &PackageIndex, package: &IndexedPackage) -> bool {
        let Self { name, epoch, version, release, arch } = self;
        let is = |part: &Option<Part>, text: &str| part.as_ref().is_none_or(|part| part.matches(text));
        if !name.matches(index.name(package)) || !is(arch, index.arch(package)) {
            return false;
        }
        let evr = index.evr(package);
        let (own_epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
        let (own_version, own_release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        epoch.is_none_or(|epoch| own_epoch.parse() == Ok(epoch))
            && is(version, own_version)
            && is(release, own_release)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{index, package};
    use super::*;

    #[test]
    fn the_first_meaning_that_has_packages_counts() {
        let index = index(&["a-1:2-3.x86_64", "a-b-1-1.noarch", "a.b-1-1.noarch"].map(package));
        let means = |text: &str| {
            let is_any =
                |form: &PatternForm| index.packages.iter().any(|package| form.matches(&index, package));
            let form = PackagePattern::new(text).choose(is_any);
            let matches =
                |package: &&IndexedPackage| form.as_ref().is_some_and(|form| form.matches(&index, package));
            let names = index.packages.iter().filter(matches).map(|package| index.name(package));
            names.collect::<Vec<_>>().join(" ")
        };
        let cases = [
            ("a", "a"),
            ("a*", "a a-b a.b"),
            ("a-2", "a"),
            ("a-1:2", "a"),
            ("a-0:2", ""),
            ("a-2-3", "a"),
            ("a-1:2-3.x86_64", "a"),
            ("a.x86_64", "a"),
            ("a.i686", ""),
            ("a.b", "a.b"),
            ("a-b", "a-b"),
            ("a*-2.*", ""),
            ("*.noarch", "a-b a.b"),
            ("/a", ""),
            ("[", ""),
        ];
        for (text, meant) in cases {
            assert_eq!(means(text), meant, "{text}");
        }
    }
}
