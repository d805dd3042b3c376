//! Our repository metadata against those that createrepo_c writes of the same packages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use support::Project;

/// A spec with everything that metadata tell of.
const RICH: &str = "Name: rich\nEpoch: 3\nVersion: 1.0~rc1\nRelease: 2%{?dist}\nSummary: A <rich> \"package\" & more\n\
License: MIT\nURL: https://example.org/?a=1&b=2\nGroup: Testing\nVendor: Acme\nPackager: Me <me@example.org>\nBuildArch: noarch\n\
Requires: one >= 1:2.0-3, two < 4\nRequires(post): three\nRequires: /bin/sh\nProvides: virtual = 7\nConflicts: four\n\
Obsoletes: five <= 2\nRecommends: six\nSuggests: seven\nSupplements: eight\nEnhances: nine = 1\nRequires: (ten or eleven)\n\
%description\nLines\nof <text>.\n\n%install\nmkdir -p %{buildroot}/usr/bin %{buildroot}/etc/rich %{buildroot}/usr/share/rich\n\
echo x > %{buildroot}/usr/bin/rich\necho x > %{buildroot}/etc/rich/rich.conf\necho y > %{buildroot}/usr/share/rich/data\n\
ln -s data %{buildroot}/usr/share/rich/link\n\n%post\ntrue\n\n%files\n/usr/bin/rich\n%dir /etc/rich\n%config /etc/rich/rich.conf\n\
/usr/share/rich\n%ghost /usr/share/rich.cache\n\n%changelog\n* Mon Jun 02 2025 A B <a@b.example> - 3:1.0~rc1-2\n- Second & last\n\n\
* Sun Jun 01 2025 A B <a@b.example> - 3:1.0~rc1-1\n- First\n";

/// What a package's entry says: `path@attribute=value` and `path=text`, by its checksum.
type Entries = BTreeMap<String, BTreeSet<String>>;

fn entries(repository: &Path, kind: &str) -> Entries {
    let repodata = fs::read_dir(repository.join("repodata")).unwrap().flatten().map(|entry| entry.path());
    let file = repodata
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(&format!("-{kind}.xml.gz")))
        .unwrap();
    let mut xml = String::new();
    flate2::read::GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut xml).unwrap();
    let mut reader = Reader::from_str(&xml);
    let (mut path, mut entry, mut all) = (Vec::new(), BTreeSet::new(), Entries::new());
    let (mut key, mut text) = (String::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                begin(&element, &mut path, &mut entry, &mut key);
                text.clear();
            }
            Event::Empty(element) => {
                begin(&element, &mut path, &mut entry, &mut key);
                path.pop();
            }
            Event::Text(part) => text.push_str(part.as_ref()),
            Event::GeneralRef(reference) => text.push_str(&format!("&{};", reference.as_ref())),
            Event::End(_) => {
                let name = path.join("/");
                if name.ends_with("/checksum") {
                    key = text.clone();
                }
                if !text.trim().is_empty() {
                    // A quotation mark in a text may be written in two ways that mean the same.
                    entry.insert(format!(
                        "{name}={}",
                        text.trim().replace("&quot;", "\"").replace("&apos;", "'")
                    ));
                }
                text.clear();
                path.pop();
                if path.len() == 1 && !entry.is_empty() {
                    all.insert(key.clone(), std::mem::take(&mut entry));
                }
            }
            Event::Eof => return all,
            _ => {}
        }
    }
}

fn begin(element: &BytesStart<'_>, path: &mut Vec<String>, entry: &mut BTreeSet<String>, key: &mut String) {
    path.push(element.name().as_ref().to_owned());
    if path.len() < 2 {
        return;
    }
    let attributes: Vec<(String, String)> = element
        .attributes()
        .map(|attribute| attribute.unwrap())
        .map(|attribute| {
            let name = attribute.key.as_ref().to_owned();
            (name, attribute.value.into_owned())
        })
        .collect();
    for (name, value) in &attributes {
        if name == "pkgid" && value.len() == 64 {
            key.clone_from(value);
        }
    }
    let mut sorted: Vec<String> =
        attributes.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    sorted.sort();
    if !sorted.is_empty() {
        entry.insert(format!("{}@{}", path.join("/"), sorted.join(",")));
    }
}

/// Differences that are meant, with their reasons.
fn is_accepted(line: &str) -> bool {
    // The time of a file differs from checkout to checkout; ours is the build's, which does not.
    line.starts_with("metadata/package/time@")
        // createrepo_c keeps only the newest of the C library's versions; ours keeps what the package says.
        || line.contains("rpm:requires/rpm:entry@name=libc.so.6(")
}

#[test]
fn metadata_say_what_createrepo_c_says() {
    let project = Project::example("libraries");
    project.write("rich/rich.spec", RICH);
    project.succeed(&["apply"]);
    let ours = project.path().join("public/host");
    let theirs = project.beside("theirs");
    fs::create_dir(&theirs).unwrap();
    let output = Command::new("createrepo_c")
        .args(["--quiet", "--no-database", "--compress-type=gz", "--outputdir"])
        .args([&theirs, &ours])
        .output()
        .expect("createrepo_c is installed by .ci/test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for kind in ["primary", "filelists", "other"] {
        let (ours, theirs) = (entries(&ours, kind), entries(&theirs, kind));
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        assert_eq!(ours.len(), 13);
        for (package, entry) in &ours {
            let different: Vec<&String> =
                entry.symmetric_difference(&theirs[package]).filter(|line| !is_accepted(line)).collect();
            assert!(different.is_empty(), "{kind}: {different:#?}");
        }
    }
}
