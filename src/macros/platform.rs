//! What is built for: `--target`, and the macros that say it.

/// An architecture and a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `_target_cpu`: `x86_64`.
    pub architecture: String,
    /// `_target_os`: `linux`.
    pub system: String,
}

impl Platform {
    /// Reads `CPU[-VENDOR][-OS[-gnu]]`; the vendor is what the platform's macros say.
    pub fn parse(target: &str) -> Self {
        let target = target.strip_suffix("-gnu").unwrap_or(target);
        let (architecture, rest) = target.split_once('-').unwrap_or((target, "linux"));
        let system = rest.rsplit('-').next().unwrap_or(rest);
        Self { architecture: architecture.to_owned(), system: system.to_lowercase() }
    }

    /// Linux on an architecture.
    pub fn linux(architecture: String) -> Self {
        Self { architecture, system: "linux".to_owned() }
    }

    /// `_target`: `x86_64-linux`, the name of the folder of its macros.
    pub fn name(&self) -> String {
        format!("{}-{}", self.architecture, self.system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_two_to_four_parts() {
        for (written, name) in [
            ("i686", "i686-linux"),
            ("i686-foo-Linux", "i686-linux"),
            ("x86_64-redhat-linux-gnu", "x86_64-linux"),
            ("i686-suse", "i686-suse"),
        ] {
            assert_eq!(Platform::parse(written).name(), name);
        }
    }
}
