//! Repository metadata as createrepo_c lays them out, one element a line, read without forge's own reader: what is compared
//! with dnf comes in another way than forge takes.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use rpmforge::chroot::{AvailablePackage, Checksum, Relations, Requirement};
use rpmforge::package::{Comparison, Dependency, Evr};

/// The packages of a repository, with all their files.
pub fn read_repodata(repository: &Path) -> Vec<AvailablePackage> {
    let mut files = files(&metadata(repository, "filelists.xml.zst"));
    let primary = metadata(repository, "primary.xml.zst");
    let mut packages: Vec<AvailablePackage> =
        primary.split("<package type=\"rpm\">").skip(1).map(read_package).collect();
    for package in &mut packages {
        package.files = files.remove(package.checksum.hex()).unwrap();
    }
    packages
}

/// The names of the packages of a group.
pub fn read_group(repository: &Path, id: &str) -> Vec<String> {
    let comps = metadata(repository, "comps.xml.zst");
    let group = comps.split("<group>").find(|group| group.contains(&format!("<id>{id}</id>"))).unwrap();
    let lines = group.lines().filter(|line| line.contains("<packagereq"));
    lines.map(|line| text(line).to_owned()).collect()
}

fn metadata(repository: &Path, end: &str) -> String {
    let entries = fs::read_dir(repository.join("repodata")).unwrap().map(|entry| entry.unwrap().path());
    let path = entries.into_iter().find(|path| path.to_string_lossy().ends_with(end)).unwrap();
    String::from_utf8(zstd::decode_all(fs::File::open(path).unwrap()).unwrap()).unwrap()
}

fn files(filelists: &str) -> HashMap<String, Vec<String>> {
    let packages = filelists.split("<package ").skip(1);
    packages
        .map(|package| {
            let lines = package.lines().filter(|line| line.trim_start().starts_with("<file"));
            (attribute(package, "pkgid").unwrap(), lines.map(|line| unescape(text(line))).collect())
        })
        .collect()
}

fn read_package(xml: &str) -> AvailablePackage {
    let line =
        |start: &str| xml.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_default();
    let number = |line: &str, name: &str| attribute(line, name).unwrap_or_default().parse().unwrap_or(0);
    let list = |kind: &str| {
        let begin = format!("<rpm:{kind}>");
        let inner = xml.split(&begin).nth(1).and_then(|rest| rest.split("</rpm:").next()).unwrap_or_default();
        inner.lines().filter(|line| line.contains("<rpm:entry")).map(read_dependency).collect::<Vec<_>>()
    };
    let required = list("requires").into_iter();
    AvailablePackage {
        name: text(line("<name>")).to_owned(),
        evr: Evr::parse(&evr(line("<version"))),
        arch: text(line("<arch>")).to_owned(),
        relations: Relations {
            provides: list("provides"),
            requires: required.map(|dependency| Requirement { dependency, before: false }).collect(),
            conflicts: list("conflicts"),
            obsoletes: list("obsoletes"),
            recommends: list("recommends"),
            suggests: list("suggests"),
            supplements: list("supplements"),
            enhances: list("enhances"),
        },
        files: Vec::new(),
        href: attribute(line("<location"), "href").unwrap(),
        checksum: Checksum::new("sha256", text(line("<checksum"))).unwrap(),
        size: number(line("<size"), "package"),
        installed_size: number(line("<size"), "installed"),
        build_time: 0,
        vendor: String::new(),
        source_package: String::new(),
    }
}

fn read_dependency(line: &str) -> Dependency {
    let operator = match attribute(line, "flags").as_deref() {
        Some("LT") => "<",
        Some("LE") => "<=",
        Some("EQ") => "=",
        Some("GE") => ">=",
        Some("GT") => ">",
        _ => return Dependency::any(attribute(line, "name").unwrap()),
    };
    let version = Some((Comparison::read(operator.as_bytes()).unwrap(), evr(line)));
    Dependency { name: attribute(line, "name").unwrap(), version }
}

/// `epoch="0" ver="1" rel="2"`
fn evr(line: &str) -> String {
    let epoch = attribute(line, "epoch").filter(|epoch| epoch != "0").map(|epoch| epoch + ":");
    let release = attribute(line, "rel").map(|release| format!("-{release}"));
    format!("{}{}{}", epoch.unwrap_or_default(), attribute(line, "ver").unwrap(), release.unwrap_or_default())
}

fn text(line: &str) -> &str {
    line.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</")).map_or("", |(text, _)| text)
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let (_, rest) = element
        .split_once(&format!(" {name}=\""))
        .or_else(|| element.strip_prefix(&format!("{name}=\"")).map(|rest| ("", rest)))?;
    Some(unescape(rest.split('"').next()?))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
