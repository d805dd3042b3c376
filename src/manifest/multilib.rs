//! Chroots of the narrower architectures that a machine runs beside its own (multilib).

/// Architectures, and those whose packages machines of them run as well, the usual one first.
const NARROWER: [(&str, &[&str]); 4] = [
    ("x86_64", &["i686", "i586", "i386"]),
    ("ppc64", &["ppc"]),
    ("s390x", &["s390"]),
    ("sparc64", &["sparcv9", "sparc"]),
];

/// The chroot of the same name but for its architecture, at the end, which is narrower; and that architecture.
pub fn find_narrower<'a>(
    chroot: &str,
    all: impl Iterator<Item = &'a str> + Clone,
) -> Option<(&'a str, &'static str)> {
    let (of_name, narrower) =
        NARROWER.iter().find_map(|(arch, narrower)| Some((chroot.strip_suffix(arch)?, narrower)))?;
    narrower.iter().find_map(|arch| {
        let is_it = |other: &&str| other.strip_suffix(arch) == Some(of_name);
        Some((all.clone().find(is_it)?, *arch))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroots_are_paired_by_their_names() {
        let all = ["f42-x86_64", "f42-i386", "f42-i686", "f43-x86_64", "el9-i686", "f44-ppc", "f42-aarch64"];
        let find = |chroot: &str| find_narrower(chroot, all.into_iter());
        assert_eq!(find("f42-x86_64"), Some(("f42-i686", "i686")));
        assert_eq!(find("f44-ppc64"), Some(("f44-ppc", "ppc")));
        for alone in ["f43-x86_64", "f42-aarch64", "f42-i686", "f44-ppc64le", "host"] {
            assert_eq!(find(alone), None, "{alone}");
        }
    }
}
