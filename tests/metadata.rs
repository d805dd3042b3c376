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
use std::path::Path;
use std::process::Command;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rpmforge::package::{Location, PackageRecord, RepositoryKind, read_headers};
use support::{Project, Repository};

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
    let file =
        repodata.into_iter().find(|path| path.to_string_lossy().contains(&format!("-{kind}.xml"))).unwrap();
    entries_of(&Repository::unpack(&file.to_string_lossy(), &fs::read(&file).unwrap()).unwrap())
}

fn entries_of(xml: &str) -> Entries {
    let mut reader = Reader::from_str(xml);
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
    compare_with_createrepo_c(&project, 13);
}

/// Compares what ours and those of createrepo_c say of so many packages.
fn compare_with_createrepo_c(project: &Project, packages: usize) {
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
        assert_eq!(ours.len(), packages);
        for (package, entry) in &ours {
            let different: Vec<&String> =
                entry.symmetric_difference(&theirs[package]).filter(|line| !is_accepted(line)).collect();
            assert!(different.is_empty(), "{kind}: {different:#?}");
        }
    }
}

#[test]
#[ignore = "reads the packages of `.ci/distro`, or of the folder in FORGE_TEST_PACKAGES: half a minute"]
fn records_of_real_packages_say_what_createrepo_c_says() {
    let distro = support::repository().join("target/distro/repository");
    let folder = std::env::var_os("FORGE_TEST_PACKAGES").map_or(distro, Into::into);
    let theirs = tempfile::tempdir().unwrap();
    let mut createrepo = Command::new("createrepo_c");
    createrepo.args(["--quiet", "--no-database", "--compress-type=gz", "--outputdir"]);
    assert!(createrepo.arg(theirs.path()).arg(&folder).status().unwrap().success());
    let primary = entries(theirs.path(), "primary");
    let location = |entry: &BTreeSet<String>| {
        let line = entry.iter().find_map(|line| line.strip_prefix("metadata/package/location@href="));
        line.unwrap().to_owned()
    };
    let hrefs: Vec<(String, String)> =
        primary.iter().map(|(sha256, entry)| (sha256.clone(), location(entry))).collect();
    assert!(hrefs.len() >= 200, "{}", hrefs.len());
    let records: Vec<_> = hrefs
        .iter()
        .map(|(_, href)| {
            let mut file = std::io::BufReader::new(fs::File::open(folder.join(href)).unwrap());
            PackageRecord::read(href, &read_headers(&mut file).unwrap()).unwrap()
        })
        .collect();
    for kind in RepositoryKind::ALL {
        let mut xml = b"<metadata>\n".to_vec();
        for (record, (sha256, href)) in records.iter().zip(&hrefs) {
            let size = fs::metadata(folder.join(href)).unwrap().len();
            record.write(kind, Location { href, sha256, size }, &mut xml).unwrap();
        }
        xml.extend(b"</metadata>");
        // Only the names of the outermost elements differ.
        let outermost = |entries: Entries| -> Entries {
            let rest = |line: &String| line.split_once('/').map_or(line.clone(), |(_, rest)| rest.to_owned());
            entries.into_iter().map(|(key, entry)| (key, entry.iter().map(rest).collect())).collect()
        };
        let ours = outermost(entries_of(std::str::from_utf8(&xml).unwrap()));
        let theirs = outermost(entries(theirs.path(), kind.name()));
        assert_eq!(ours.len(), theirs.len());
        for (package, entry) in &ours {
            let is_meant = |line: &str| is_accepted(&format!("metadata/{line}"));
            let different: Vec<&String> =
                entry.symmetric_difference(&theirs[package]).filter(|line| !is_meant(line)).collect();
            assert!(different.is_empty(), "{} {package}: {different:#?}", kind.name());
        }
    }
    println!("{} packages", hrefs.len());
}

/// A spec of so many packages, each of which says other things.
fn many(packages: usize) -> String {
    let mut text = "Name: many\nVersion: 2.5^git1\nRelease: 1\nSummary: Many\nLicense: MIT\nBuildArch: noarch\n\
                    %description\nMany.\n%install\nmkdir -p %{buildroot}/usr/share/many %{buildroot}/etc/many\n"
        .to_owned();
    let mut rest = String::new();
    for number in 0..packages {
        let file = format!("/usr/share/many/{number} of & <many>");
        text.push_str(&format!("echo {number} > '%{{buildroot}}{file}'\n"));
        rest.push_str(&format!(
            "%package -n p{number}+x\nSummary: The \"{number}th\" & <last>\nVersion: {number}~rc1\n"
        ));
        if number % 3 == 0 {
            rest.push_str(&format!(
                "Epoch: {number}\nRequires(pre): /bin/sh\nRequires: p{} < 1:{number}\n",
                number + 1
            ));
        }
        if number % 5 == 0 {
            rest.push_str(&format!(
                "Provides: virtual({number}) = {number}-1\nConflicts: p{}\nRequires: (a if b)\n",
                number + 2
            ));
        }
        if number % 7 == 0 {
            rest.push_str("Obsoletes: old <= 1.0\nRecommends: more\nSuggests: yet >= 3\nSupplements: that\nEnhances: those\n");
        }
        rest.push_str(&format!(
            "%description -n p{number}+x\nLines of {number},\n\n  with blanks & <signs>.\n"
        ));
        if number % 4 == 0 {
            rest.push_str(&format!("%post -n p{number}+x -p /bin/sh\ntrue\n"));
        }
        rest.push_str(&format!("%files -n p{number}+x\n\"{file}\"\n%dir /etc/many\n"));
        if number % 6 == 0 {
            rest.push_str("%ghost /etc/many/ghost\n/usr/share/many\n");
        }
    }
    format!("{text}{rest}%changelog\n* Mon Jun 02 2025 A B <a@b.example> - 2\n- Second & last\n")
}

#[test]
fn metadata_of_300_packages_say_what_createrepo_c_says() {
    let project = Project::with("package many { source path \"many.spec\" }\n");
    project.write("many.spec", &many(300));
    project.succeed(&["apply"]);
    compare_with_createrepo_c(&project, 301);
}

fn dnf(project: &Project, arguments: &[&str]) -> String {
    let folders = project.beside("dnf");
    let repository = project.path().join("public/host");
    let mut dnf = Command::new("dnf");
    dnf.arg(format!("--repofrompath=acme,file://{}", repository.display()))
        .args(["--disablerepo=*", "--enablerepo=acme"]);
    dnf.arg("--setopt=acme.gpgcheck=0").arg("--releasever=1").arg("--assumeyes");
    dnf.arg(format!("--setopt=cachedir={}", folders.join("cache").display()));
    dnf.arg(format!("--installroot={}", folders.join("root").display()));
    let output = dnf.args(["--refresh"]).args(arguments).output().expect("dnf is installed by .ci/test");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

const COMPS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n<comps>\n <group>\n  <id>acme-tools</id>\n  \
<name>Tools of Acme</name>\n  <description>All of them</description>\n  <default>true</default>\n  <uservisible>true</uservisible>\n  \
<packagelist>\n   <packagereq type=\"mandatory\">a</packagereq>\n  </packagelist>\n </group>\n</comps>\n";

const ADVISORIES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n <update from=\"acme@example.org\" status=\"final\" \
type=\"security\" version=\"1\">\n  <id>ACME-2026-1</id>\n  <title>a is mended</title>\n  <severity>Important</severity>\n  \
<issued date=\"2026-11-01 10:00:00\"/>\n  <description>It was broken.</description>\n  <pkglist>\n   <collection short=\"acme\">\n    \
<name>acme</name>\n    <package name=\"a\" version=\"1.0\" release=\"2\" epoch=\"0\" arch=\"noarch\">\n     \
<filename>a-1.0-2.noarch.rpm</filename>\n    </package>\n   </collection>\n  </pkglist>\n </update>\n</updates>\n";

#[test]
fn dnf_and_zypper_show_groups_and_advisories_however_metadata_are_packed() {
    for packing in ["zstd", "gz"] {
        let project = Project::with(&format!(
            "package a {{ source path \"a.spec\" }}\npackage b {{ source path \"b.spec\" }}\n\
             publish \"public/{{chroot}}\" {{ metadata {packing}; comps \"comps.xml\"; updateinfo \"updateinfo.xml\" }}\n"
        ));
        project.write("comps.xml", COMPS);
        project.write("updateinfo.xml", ADVISORIES);
        project.spec("a", "", "true");
        project.spec("b", "Requires: /usr/share/a", "true");
        project.succeed(&["apply"]);
        let groups = dnf(&project, &["group", "list"]);
        assert!(groups.contains("Tools of Acme"), "{groups}");
        // The file is in filelists only.
        let installed = dnf(&project, &["install", "b"]);
        assert!(installed.contains("a-1.0-1.noarch"), "{installed}");
        project.edit("a.spec", "Release: 1", "Release: 2");
        project.succeed(&["apply"]);
        let advisories = dnf(&project, &["updateinfo", "list"]);
        assert!(advisories.contains("ACME-2026-1") && advisories.contains("a-1.0-2.noarch"), "{advisories}");
        let zypper = |arguments: &[&str]| {
            let mut zypper = Command::new("zypper");
            zypper.args(["--non-interactive", "--no-gpg-checks", "--root"]).arg(project.beside("dnf/root"));
            let output = zypper.args(arguments).output().expect("zypper is installed by .ci/test");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            said
        };
        let folder = format!("file://{}", project.path().join("public/host").display());
        zypper(&["addrepo", "--no-gpgcheck", &folder, "acme"]);
        zypper(&["refresh"]);
        let patches = zypper(&["list-patches", "--all"]);
        assert!(patches.contains("ACME-2026-1"), "{patches}");
    }
}
