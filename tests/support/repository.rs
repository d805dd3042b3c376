//! A repository as its clients see it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// A repository, from its folder.
pub struct Repository {
    path: PathBuf,
}

/// A file that metadata name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Relative to the repository.
    pub href: String,
    pub sha256: String,
    pub size: u64,
}

impl Repository {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The three files of packages that `repomd.xml` names, and no others.
    pub fn metadata(&self) -> Result<Vec<Named>, String> {
        let files = self.named()?;
        if files.len() == 3 { Ok(files) } else { Err(format!("repomd.xml names {} files", files.len())) }
    }

    /// All files that `repomd.xml` names.
    pub fn named(&self) -> Result<Vec<Named>, String> {
        let repomd =
            String::from_utf8(self.read("repodata/repomd.xml")?).map_err(|error| error.to_string())?;
        Ok(repomd.split("<data ").skip(1).map(|data| named(data, "<size>", "<")).collect())
    }

    /// The packages that `metadata`, read before, name.
    pub fn packages(&self, metadata: &[Named]) -> Result<Vec<Named>, String> {
        let xml = self.read_primary(metadata)?;
        Ok(xml.split("<package ").skip(1).map(|package| named(package, "package=\"", "\"")).collect())
    }

    /// What its `primary.xml` says now.
    #[track_caller]
    pub fn primary(&self) -> String {
        self.read_primary(&self.metadata().unwrap()).unwrap()
    }

    fn read_primary(&self, metadata: &[Named]) -> Result<String, String> {
        let primary = metadata.iter().find(|file| file.href.contains("-primary.xml"));
        let primary = primary.ok_or("repomd.xml names no primary")?;
        Self::unpack(&primary.href, &self.read_checked(primary)?)
    }

    /// The text of a metadata file that is called so.
    pub fn unpack(name: &str, packed: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let mut packed: Box<dyn Read + '_> = match name {
            name if name.ends_with(".zst") => {
                Box::new(zstd::Decoder::new(packed).map_err(|error| error.to_string())?)
            }
            name if name.ends_with(".gz") => Box::new(MultiGzDecoder::new(packed)),
            _ => Box::new(packed),
        };
        packed.read_to_string(&mut text).map_err(|error| format!("{name}: {error}"))?;
        Ok(text)
    }

    /// Reads everything as a client does: `repomd.xml`, what it names, every package. Says what is missing or wrong.
    pub fn follow(&self) -> Result<Vec<Named>, String> {
        let metadata = self.metadata()?;
        let packages = self.packages(&metadata)?;
        metadata.iter().chain(&packages).try_for_each(|file| self.read_checked(file).map(drop))?;
        Ok(packages)
    }

    /// The names of the binary packages that clients see.
    #[track_caller]
    pub fn binaries(&self) -> Vec<String> {
        let packages = self.follow().unwrap();
        let names = packages.iter().map(|package| package.href.rsplit('/').next().unwrap().to_owned());
        names.filter(|name| !name.ends_with(".src.rpm")).collect()
    }

    fn read_checked(&self, file: &Named) -> Result<Vec<u8>, String> {
        let bytes = self.read(&file.href)?;
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if sha256 == file.sha256 && bytes.len() as u64 == file.size {
            Ok(bytes)
        } else {
            Err(format!("{} is {} bytes, {sha256}; not {file:?}", file.href, bytes.len()))
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(self.path.join(path)).map_err(|error| format!("{path}: {error}"))
    }
}

/// All repositories below a folder, the folder itself included.
pub fn repositories(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let all = below.chain([folder.to_owned()]);
    all.filter(|path| path.join("repodata/repomd.xml").exists()).collect()
}

fn named(text: &str, size_begins: &str, size_ends: &str) -> Named {
    let between = |begin: &str, end: &str| {
        let rest = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}")).1;
        rest.split(end).next().unwrap().to_owned()
    };
    let checksum = between("<checksum type=\"sha256\"", "</checksum>");
    Named {
        href: between("<location href=\"", "\""),
        sha256: checksum.rsplit('>').next().unwrap().to_owned(),
        size: between(size_begins, size_ends).parse().unwrap(),
    }
}
