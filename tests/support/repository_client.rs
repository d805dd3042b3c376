//! A client of a repository: reads `repomd.xml`, and everything that it leads to.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

/// What the metadata name, by path: the SHA-256 of files that are there and right.
pub type Listed = BTreeMap<String, String>;

/// A file that the metadata name, as they describe it.
struct Named {
    path: String,
    sha256: String,
    size: u64,
}

/// Follows `repomd.xml` to every metadata file and every package. `read` gives the content of a file of the
/// repository, by its path there.
///
/// # Errors
/// What a client would trip over: a file that is not there, or has another size or digest than the metadata say.
pub fn follow(read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Listed, String> {
    let Some(repomd) = read("repodata/repomd.xml") else {
        return Ok(Listed::new());
    };
    let repomd = String::from_utf8(repomd).map_err(|_| "repomd.xml is no text".to_owned())?;
    let kinds = elements(&repomd, "data");
    if kinds.len() < 3 || !repomd.trim_end().ends_with("</repomd>") {
        return Err(format!("repomd.xml is not whole: {} bytes", repomd.len()));
    }
    let mut listed = Listed::new();
    for kind in kinds {
        let size = inner(kind, "size").unwrap_or_default().parse().unwrap_or(u64::MAX);
        let named = named(kind, size)?;
        let packed = check(read, &named, &mut listed)?;
        let mut xml = String::new();
        let mut unpacked: Box<dyn std::io::Read + '_> = match named.path.ends_with(".zst") {
            true => Box::new(zstd::Decoder::new(packed.as_slice()).map_err(|e| e.to_string())?),
            false => Box::new(MultiGzDecoder::new(packed.as_slice())),
        };
        unpacked.read_to_string(&mut xml).map_err(|e| format!("{}: {e}", named.path))?;
        if kind.starts_with("<data type=\"primary\"") {
            for package in elements(&xml, "package") {
                let size = attribute(package, "package", "size").unwrap_or_default();
                check(read, &self::named(package, size.parse().unwrap_or(u64::MAX))?, &mut listed)?;
            }
        }
    }
    Ok(listed)
}

/// As [`follow`], of a repository in a folder.
pub fn follow_folder(folder: &Path) -> Result<Listed, String> {
    follow(&|path| std::fs::read(folder.join(path)).ok())
}

fn check(
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    named: &Named,
    listed: &mut Listed,
) -> Result<Vec<u8>, String> {
    let Named { path, sha256, size } = named;
    let content = read(path).ok_or_else(|| format!("{path} is named and not there"))?;
    if content.len() as u64 != *size {
        return Err(format!("{path} has {} bytes, should have {size}", content.len()));
    }
    let found: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != *sha256 {
        return Err(format!("{path} has the right size and the wrong content"));
    }
    listed.insert(path.clone(), found);
    Ok(content)
}

fn named(element: &str, size: u64) -> Result<Named, String> {
    let path = attribute(element, "href", "location").ok_or("an entry without its place")?;
    let sha256 = inner(element, "checksum").ok_or("an entry without its checksum")?;
    Ok(Named { path: path.to_owned(), sha256: sha256.to_owned(), size })
}

/// The elements of this name, each with its tags; none lies in another of the same name.
fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (begin, end) = (format!("<{name} "), format!("</{name}>"));
    let starts = xml.match_indices(&begin).map(|(at, _)| at);
    starts.filter_map(|at| Some(&xml[at..at + xml[at..].find(&end)?])).collect()
}

/// The text of the first element of this name.
fn inner<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let tag = &xml[xml.find(&format!("<{name}>")).or_else(|| xml.find(&format!("<{name} ")))?..];
    let text = &tag[tag.find('>')? + 1..];
    Some(&text[..text.find('<')?])
}

/// An attribute of the first element of this name.
fn attribute<'a>(xml: &'a str, attribute: &str, element: &str) -> Option<&'a str> {
    let tag = &xml[xml.find(&format!("<{element} "))?..];
    let tag = &tag[..tag.find('>')?];
    let value = &tag[tag.find(&format!(" {attribute}=\""))? + attribute.len() + 3..];
    Some(&value[..value.find('"')?])
}
