//! The expanded text of a spec, as far as no query of `rpmspec` gives it: `Source` references and `%files`.

use std::collections::HashMap;

use crate::engine::SourceReference;
use crate::engine::listed::paths;

/// What was found in the text.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// Values of `Source` and `Patch` tags.
    pub sources: Vec<SourceReference>,
    /// The plain paths in `%files`, by package, but for those of `%dir`.
    pub files: HashMap<String, Vec<String>>,
    /// The paths of `%dir`, by package.
    pub folders: HashMap<String, Vec<String>>,
    /// Whether there is a `%generate_buildrequires`.
    pub generates_requires: bool,
}

/// Sections that end a preamble or a file list (rpm-spec(5)).
const SECTIONS: &[&str] = &[
    "package",
    "description",
    "prep",
    "generate_buildrequires",
    "conf",
    "build",
    "install",
    "check",
    "clean",
    "pre",
    "post",
    "preun",
    "postun",
    "pretrans",
    "posttrans",
    "preuntrans",
    "postuntrans",
    "verifyscript",
    "triggerprein",
    "triggerin",
    "triggerun",
    "triggerpostun",
    "filetriggerin",
    "filetriggerun",
    "filetriggerpostun",
    "transfiletriggerin",
    "transfiletriggerun",
    "transfiletriggerpostun",
    "changelog",
    "sourcelist",
    "patchlist",
    "sepolicy",
];

enum Section {
    Preamble,
    Files(String),
    Other,
}

/// Reads the expanded text of the spec whose `Name` is `name`.
pub(super) fn read(text: &str, name: &str) -> Expanded {
    let mut found = Expanded::default();
    let mut section = Section::Preamble;
    for line in text.lines() {
        if let Some(next) = begins_section(line, name) {
            found.generates_requires |= line.trim_end() == "%generate_buildrequires";
            section = next;
            continue;
        }
        match &section {
            Section::Preamble => found.sources.extend(source(line)),
            Section::Files(package) => {
                let is_folder = line.split_whitespace().any(|word| word == "%dir");
                let listed = if is_folder { &mut found.folders } else { &mut found.files };
                listed.entry(package.clone()).or_default().extend(paths(line));
            }
            Section::Other => {}
        }
    }
    found
}

fn begins_section(line: &str, name: &str) -> Option<Section> {
    let mut words = line.strip_prefix('%')?.split_whitespace();
    let word = words.next()?;
    match word {
        "files" => Some(Section::Files(files_of(words, name))),
        "package" => Some(Section::Preamble),
        _ => SECTIONS.contains(&word).then_some(Section::Other),
    }
}

/// The package that `%files [-n NAME | SUFFIX] [-f LIST]…` is of.
fn files_of<'a>(mut words: impl Iterator<Item = &'a str>, name: &str) -> String {
    let mut package = name.to_owned();
    while let Some(word) = words.next() {
        match word {
            "-n" => words.next().unwrap_or_default().clone_into(&mut package),
            "-f" => drop(words.next()),
            suffix => package = format!("{name}-{suffix}"),
        }
    }
    package
}

fn source(line: &str) -> Option<SourceReference> {
    let (tag, value) = line.split_once(':')?;
    let tag = tag.trim().to_ascii_lowercase();
    let number = tag.strip_prefix("source").or_else(|| tag.strip_prefix("patch"))?;
    number.chars().all(|c| c.is_ascii_digit()).then(|| SourceReference::new(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name: zlib\nSource0: https://example.org/zlib-1.3.tar.gz\n%package devel\nSummary: x\n\
        %build\n/not/a/file\n%files\n%license COPYING\n/usr/lib64/libz.so.*\n%files devel\n%dir /usr/include/z\n\
        %attr(644,root,root) /usr/lib64/pkgconfig/zlib.pc\n%exclude /usr/share/x\n%files -n other -f list\n/opt/o\n";

    #[test]
    fn files_go_to_the_package_that_their_section_names() {
        let found = read(TEXT, "zlib");
        assert_eq!(found.files["zlib"], ["/usr/lib64/libz.so.*"]);
        assert_eq!(found.files["zlib-devel"], ["/usr/lib64/pkgconfig/zlib.pc"]);
        assert_eq!(found.folders["zlib-devel"], ["/usr/include/z"]);
        assert_eq!(found.files["other"], ["/opt/o"]);
    }

    #[test]
    fn a_source_keeps_its_url_beside_its_file_name() {
        let found = read(TEXT, "zlib");
        assert_eq!(found.sources, [SourceReference::new("https://example.org/zlib-1.3.tar.gz")]);
        assert_eq!(found.sources[0].file_name, "zlib-1.3.tar.gz");
    }
}
