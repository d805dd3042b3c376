//! Platforms of OCI images, and the architectures of packages that run there.
//!
//! An index says of each image which machine it is for (image-index.md of the image-spec): the architecture as Go calls it, and a variant
//! where there are several of one.

use std::fmt;

use serde::Deserialize;

/// What an image is for, as an index says it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct OciPlatform {
    pub architecture: String,
    pub os: String,
    #[serde(default)]
    pub variant: Option<String>,
}

/// What is wanted: the architecture, and the variants of it that will do, the best first. An empty one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedPlatform {
    architecture: String,
    variants: Vec<&'static str>,
}

/// Architectures of packages, as rpm calls them, and what images for them say.
const PLATFORMS: &[(&str, &str, &[&str])] = &[
    ("x86_64", "amd64", &["", "v1"]),
    ("x86_64_v2", "amd64", &["v2", "", "v1"]),
    ("x86_64_v3", "amd64", &["v3", "v2", "", "v1"]),
    ("x86_64_v4", "amd64", &["v4", "v3", "v2", "", "v1"]),
    ("i386", "386", &[""]),
    ("i486", "386", &[""]),
    ("i586", "386", &[""]),
    ("i686", "386", &[""]),
    ("aarch64", "arm64", &["v8", ""]),
    ("armv5tel", "arm", &["v5"]),
    ("armv6hl", "arm", &["v6", "v5"]),
    ("armv7hl", "arm", &["v7", "", "v6", "v5"]),
    ("armv7hnl", "arm", &["v7", "", "v6", "v5"]),
    ("armv8hl", "arm", &["v8", "v7", "", "v6", "v5"]),
    ("loongarch64", "loong64", &[""]),
    ("mips64el", "mips64le", &[""]),
    ("mipsel", "mipsle", &[""]),
];

impl WantedPlatform {
    /// That of an architecture of packages; of the machine's, where none is said.
    pub fn for_architecture(arch: Option<&str>) -> Self {
        let arch = arch.unwrap_or(std::env::consts::ARCH);
        match PLATFORMS.iter().find(|(known, _, _)| *known == arch) {
            Some((_, architecture, variants)) => {
                Self { architecture: (*architecture).to_owned(), variants: variants.to_vec() }
            }
            // `ppc64le`, `s390x`, `riscv64` are called so everywhere.
            None => Self { architecture: arch.to_owned(), variants: vec![""] },
        }
    }

    /// How well an image for that platform will do: the lower, the better; nothing if it won't.
    pub fn rank(&self, platform: &OciPlatform) -> Option<usize> {
        if platform.os != "linux" || platform.architecture != self.architecture {
            return None;
        }
        let variant = platform.variant.as_deref().unwrap_or_default();
        self.variants.iter().position(|known| *known == variant)
    }
}

impl fmt::Display for WantedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture)?;
        match self.variants.first().filter(|variant| !variant.is_empty()) {
            // What is meant without a word is not said.
            Some(variant) if self.architecture != "arm64" => write!(f, "/{variant}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Display for OciPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, architecture, variant } = self;
        write!(f, "{}/{}", os.escape_debug(), architecture.escape_debug())?;
        variant.iter().try_for_each(|variant| write!(f, "/{}", variant.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(arch: &str, there: &[&str]) -> Option<usize> {
        let wanted = WantedPlatform::for_architecture(Some(arch));
        let platform = |text: &&str| {
            let parts: Vec<&str> = text.split('/').collect();
            let variant = parts.get(2).map(|variant| (*variant).to_owned());
            OciPlatform { os: parts[0].to_owned(), architecture: parts[1].to_owned(), variant }
        };
        let ranked = there.iter().map(platform).enumerate();
        let ranked = ranked.filter_map(|(index, platform)| Some((wanted.rank(&platform)?, index)));
        ranked.min().map(|(_, index)| index)
    }

    #[test]
    fn the_nearest_variant_that_an_architecture_runs_is_taken() {
        let arms = ["linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "linux/amd64", "linux/386"];
        assert_eq!(best("armv7hl", &arms), Some(1));
        assert_eq!(best("armv6hl", &arms), Some(0));
        assert_eq!(best("aarch64", &arms), Some(2));
        assert_eq!(best("x86_64_v3", &arms), Some(3));
        assert_eq!(best("i686", &arms), Some(4));
        assert_eq!(best("s390x", &arms), None);
        assert_eq!(best("s390x", &["linux/s390x"]), Some(0));
        // Programs of a newer machine don't run on an older one, and those of another system nowhere here.
        assert_eq!(best("x86_64", &["linux/amd64/v3", "windows/amd64"]), None);
        assert_eq!(best("x86_64_v3", &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"]), Some(1));
    }
}
