//! What a `source path` may be, by its name.

/// How tarballs end that a spec may be in, as `rpmbuild -ta` takes them.
const TARBALLS: [&str; 10] =
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".tar.zst", ".tzst"];

/// The name of a tarball without its end; nothing where it is none.
pub fn tarball_stem(name: &str) -> Option<&str> {
    TARBALLS.iter().find_map(|end| name.strip_suffix(end)).filter(|stem| !stem.is_empty())
}

/// Whether a file is one that a package can be made of: a spec, a source package, or a tarball with a spec in it.
pub fn is_source_file(name: &str) -> bool {
    name.ends_with(".spec") || name.ends_with(".src.rpm") || tarball_stem(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_source_packages_and_tarballs_are_what_packages_are_made_of() {
        for name in ["a.spec", "a-1-1.src.rpm", "a-1.tar.gz", "a.tgz", "a.tar"] {
            assert!(is_source_file(name), "{name}");
        }
        for name in ["a", "a.zip", "a.rpm", "a.gz", ".tar.gz"] {
            assert!(!is_source_file(name), "{name}");
        }
        assert_eq!(tarball_stem("dl/a-1.2.tar.xz"), Some("dl/a-1.2"));
    }
}
