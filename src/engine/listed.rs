//! What a line of `%files` gives away before anything is built.

use crate::package::Dependency;

/// The paths of a line, without directives.
pub(super) fn paths(line: &str) -> impl Iterator<Item = String> {
    let excluded = line.trim_start().starts_with("%exclude");
    let words = line.split_whitespace().filter(move |word| !excluded && word.starts_with('/'));
    words.map(str::to_owned)
}

/// The provide that rpm's generators will make of a file: `pkgconfig(x)` and `cmake(x)`.
pub(super) fn implied_provide(path: &str) -> Option<Dependency> {
    let (folder, file) = path.rsplit_once('/')?;
    let name = match file.strip_suffix(".pc") {
        Some(module) if folder.ends_with("/pkgconfig") => format!("pkgconfig({module})"),
        _ if folder.contains("/cmake/") => {
            let module = file.strip_suffix("Config.cmake").or_else(|| file.strip_suffix("-config.cmake"))?;
            format!("cmake({module})")
        }
        _ => return None,
    };
    (!name.contains(['*', '?', '['])).then(|| Dependency::any(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pkgconfig_file_gives_its_provide_away() {
        assert_eq!(implied_provide("/usr/lib64/pkgconfig/zlib.pc"), Some(Dependency::any("pkgconfig(zlib)")));
        assert_eq!(
            implied_provide("/usr/lib64/cmake/Foo/FooConfig.cmake"),
            Some(Dependency::any("cmake(Foo)"))
        );
        assert_eq!(implied_provide("/usr/lib64/pkgconfig/*.pc"), None);
    }
}
