//! Which packages of a repository count: `exclude` and `includepkgs`.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::error::RepositoryError;

/// Patterns of packages, as dnf.conf(5) has them: names, `name.arch`, `name-version`, whole NEVRAs.
#[derive(Clone, Debug)]
pub struct PackageFilter {
    excluded: GlobSet,
    included: Option<GlobSet>,
}

impl PackageFilter {
    /// The filter of a repository.
    ///
    /// # Errors
    /// [`RepositoryError::Pattern`]
    pub fn new(repository: &str, exclude: &[String], include: &[String]) -> Result<Self, RepositoryError> {
        let included = if include.is_empty() { None } else { Some(globs(repository, include)?) };
        Ok(Self { excluded: globs(repository, exclude)?, included })
    }

    /// Whether a package counts; `evr` is `[epoch:]version-release`.
    pub fn takes(&self, name: &str, evr: &str, arch: &str) -> bool {
        let without_epoch = evr.split_once(':').map_or(evr, |(_, rest)| rest);
        let version = without_epoch.rsplit_once('-').map_or(without_epoch, |(version, _)| version);
        let forms = [
            name.to_owned(),
            format!("{name}.{arch}"),
            format!("{name}-{version}"),
            format!("{name}-{without_epoch}"),
            format!("{name}-{without_epoch}.{arch}"),
            format!("{name}-{evr}"),
            format!("{name}-{evr}.{arch}"),
        ];
        let matches =
            |patterns: &GlobSet| !patterns.is_empty() && forms.iter().any(|form| patterns.is_match(form));
        !matches(&self.excluded) && self.included.as_ref().is_none_or(matches)
    }
}

fn globs(repository: &str, patterns: &[String]) -> Result<GlobSet, RepositoryError> {
    let error = |pattern: &str, error: globset::Error| RepositoryError::Pattern {
        repository: repository.to_owned(),
        pattern: pattern.to_owned(),
        reason: error.kind().to_string(),
    };
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).map_err(|reason| error(pattern, reason))?);
    }
    builder.build().map_err(|reason| error(&patterns.join(" "), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(exclude: &[&str], include: &[&str]) -> PackageFilter {
        let texts = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        PackageFilter::new("r", &texts(exclude), &texts(include)).unwrap()
    }

    #[test]
    fn packages_are_left_out_by_name_and_by_version() {
        let all = filter(&["kernel*", "zlib.i686", "bash-5.1", "gcc-1:14-2.x86_64"], &[]);
        assert!(!all.takes("kernel-core", "6.1-1", "x86_64"));
        assert!(!all.takes("zlib", "1.3-1", "i686") && all.takes("zlib", "1.3-1", "x86_64"));
        assert!(!all.takes("bash", "5.1-9", "x86_64") && all.takes("bash", "5.2-9", "x86_64"));
        assert!(!all.takes("gcc", "1:14-2", "x86_64") && all.takes("gcc", "1:14-3", "x86_64"));
        let few = filter(&["lib-b"], &["lib-*"]);
        assert!(few.takes("lib-a", "1-1", "noarch"));
        assert!(!few.takes("lib-b", "1-1", "noarch") && !few.takes("other", "1-1", "noarch"));
        assert!(PackageFilter::new("r", &["[".to_owned()], &[]).is_err());
    }
}
