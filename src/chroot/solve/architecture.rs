//! Which packages a machine can run.

use std::ffi::{CStr, CString};

/// Architectures whose packages can be installed together, the best first, as dnf has them (`rpm --showrc` says the same of
/// the machine that it runs on).
const COMPATIBLE: &[(&str, &str)] = &[
    ("x86_64_v4", "x86_64_v4:x86_64_v3:x86_64_v2:x86_64:athlon:i686:i586:i486:i386"),
    ("x86_64_v3", "x86_64_v3:x86_64_v2:x86_64:athlon:i686:i586:i486:i386"),
    ("x86_64_v2", "x86_64_v2:x86_64:athlon:i686:i586:i486:i386"),
    ("x86_64", "x86_64:athlon:i686:i586:i486:i386"),
    ("i686", "i686:i586:i486:i386"),
    ("i586", "i586:i486:i386"),
    ("i486", "i486:i386"),
    ("i386", "i386"),
    ("aarch64", "aarch64"),
    ("armv7hnl", "armv7hnl:armv7hl:armv6hl"),
    ("armv7hl", "armv7hl:armv6hl"),
    ("ppc64le", "ppc64le"),
    ("ppc64", "ppc64:ppc"),
    ("s390x", "s390x:s390"),
    ("riscv64", "riscv64"),
    ("loongarch64", "loongarch64"),
];

/// The architecture of a root, and those of the packages that it can have beside `noarch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    name: String,
    policy: CString,
}

impl Architecture {
    /// An architecture by its name; one that isn't known goes with itself alone. `None` for what can be no name of one.
    pub fn new(name: &str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        let known = COMPATIBLE.iter().find(|(known, _)| *known == name);
        let policy = CString::new(known.map_or(name, |(_, policy)| policy)).ok()?;
        Some(Self { name: name.to_owned(), policy })
    }

    /// The names of those that something is known of.
    pub fn known() -> impl Iterator<Item = &'static str> {
        COMPATIBLE.iter().map(|(name, _)| *name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a package of this architecture can be installed.
    pub fn takes(&self, arch: &str) -> bool {
        let policy = self.policy.to_str().unwrap_or_default();
        arch == "noarch" || policy.split(':').any(|known| known == arch)
    }

    /// As libsolv takes it.
    pub(super) fn policy(&self) -> &CStr {
        &self.policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_takes_packages_of_those_before_it_and_of_none() {
        let x86_64 = Architecture::new("x86_64").unwrap();
        let taken =
            ["x86_64", "i686", "noarch", "x86_64_v3", "aarch64", "src"].map(|arch| x86_64.takes(arch));
        assert_eq!(taken, [true, true, true, false, false, false]);
        assert!(Architecture::new("riscv64").unwrap().takes("riscv64"));
        assert!(Architecture::new("mine").unwrap().takes("noarch"));
        assert_eq!(Architecture::new("a:b"), None);
    }
}
