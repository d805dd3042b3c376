//! Repository metadata as createrepo_c writes them, for dnf to read.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rpmforge::chroot::{AvailablePackage, Relations};
use rpmforge::package::Dependency;
use sha2::{Digest as _, Sha256};

use super::made_repository::is_in_primary;

/// Writes `repodata/` of some packages.
pub fn write_repodata(folder: &Path, packages: &[AvailablePackage]) {
    let repodata = folder.join("repodata");
    fs::create_dir_all(&repodata).unwrap();
    let mut primary = format!(
        "<?xml version=\"1.0\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{}\">\n",
        packages.len()
    );
    let mut filelists = format!(
        "<?xml version=\"1.0\"?>\n<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"{}\">\n",
        packages.len()
    );
    for package in packages {
        write_primary(&mut primary, package);
        write_filelists(&mut filelists, package);
    }
    primary.push_str("</metadata>\n");
    filelists.push_str("</filelists>\n");
    let mut repomd = String::from(
        "<?xml version=\"1.0\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n<revision>1</revision>\n",
    );
    for (kind, text) in [("primary", primary), ("filelists", filelists)] {
        let file = format!("{kind}.xml");
        fs::write(repodata.join(&file), &text).unwrap();
        let sum: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(
            repomd,
            "<data type=\"{kind}\"><checksum type=\"sha256\">{sum}</checksum><location href=\"repodata/{file}\"/>\
             <timestamp>1</timestamp><size>{}</size></data>",
            text.len()
        )
        .unwrap();
    }
    repomd.push_str("</repomd>\n");
    fs::write(repodata.join("repomd.xml"), repomd).unwrap();
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `epoch="0" ver="1" rel="2"`
fn evr_attributes(text: &str) -> String {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    match rest.rsplit_once('-') {
        Some((version, release)) => format!("epoch=\"{epoch}\" ver=\"{version}\" rel=\"{release}\""),
        None => format!("epoch=\"{epoch}\" ver=\"{rest}\""),
    }
}

fn version_element(package: &AvailablePackage) -> String {
    format!("<version {}/>", evr_attributes(&package.evr.to_string()))
}

fn write_primary(xml: &mut String, package: &AvailablePackage) {
    let AvailablePackage { name, arch, checksum, href, size, installed_size, build_time, .. } = package;
    writeln!(
        xml,
        "<package type=\"rpm\"><name>{name}</name><arch>{arch}</arch>{}\
         <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum><summary>Made</summary><description>Made.</description>\
         <packager/><url/><time file=\"{build_time}\" build=\"{build_time}\"/>\
         <size package=\"{size}\" installed=\"{installed_size}\" archive=\"{installed_size}\"/><location href=\"{href}\"/>\
         <format><rpm:license>MIT</rpm:license><rpm:vendor>{}</rpm:vendor><rpm:group>Made</rpm:group>\
         <rpm:buildhost>made</rpm:buildhost><rpm:sourcerpm>{}</rpm:sourcerpm><rpm:header-range start=\"1\" end=\"2\"/>",
        version_element(package),
        checksum.hex(),
        package.vendor,
        package.source_package
    )
    .unwrap();
    let Relations { provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances } =
        &package.relations;
    let required: Vec<Dependency> =
        requires.iter().map(|requirement| requirement.dependency.clone()).collect();
    let lists = [
        ("provides", provides),
        ("requires", &required),
        ("conflicts", conflicts),
        ("obsoletes", obsoletes),
        ("recommends", recommends),
        ("suggests", suggests),
        ("supplements", supplements),
        ("enhances", enhances),
    ];
    for (kind, list) in lists {
        if list.is_empty() {
            continue;
        }
        writeln!(xml, "<rpm:{kind}>").unwrap();
        for dependency in list {
            let name = escape(&dependency.name);
            match &dependency.version {
                None => writeln!(xml, "<rpm:entry name=\"{name}\"/>").unwrap(),
                Some((comparison, version)) => writeln!(
                    xml,
                    "<rpm:entry name=\"{name}\" flags=\"{}\" {}/>",
                    comparison.metadata_name(),
                    evr_attributes(version)
                )
                .unwrap(),
            }
        }
        writeln!(xml, "</rpm:{kind}>").unwrap();
    }
    for path in package.files.iter().filter(|path| is_in_primary(path)) {
        writeln!(xml, "<file>{path}</file>").unwrap();
    }
    xml.push_str("</format></package>\n");
}

fn write_filelists(xml: &mut String, package: &AvailablePackage) {
    let AvailablePackage { name, arch, checksum, .. } = package;
    writeln!(
        xml,
        "<package pkgid=\"{}\" name=\"{name}\" arch=\"{arch}\">{}",
        checksum.hex(),
        version_element(package)
    )
    .unwrap();
    for path in &package.files {
        writeln!(xml, "<file>{path}</file>").unwrap();
    }
    xml.push_str("</package>\n");
}
