//! A .deb file (deb(5)): an `ar` archive of what a package says of itself, and a tar archive of its files.

use std::io::Read;
use std::path::Path;

use super::archive::Record;
use super::file::{DistroFile, read_tar};

/// A package of Debian's, opened.
pub struct Deb {
    /// What it says of itself.
    pub control: Record,
    /// The paths of its configuration files.
    pub configuration: Vec<String>,
    /// Its files; what they hold lies in `data`.
    pub files: Vec<DistroFile>,
    /// The tar archive of its files.
    pub data: Vec<u8>,
    /// When it was built: seconds since 1970.
    pub built: u64,
}

impl Deb {
    /// Opens a file.
    pub fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (control, built) = member(&bytes, "control.tar");
        let (data, _) = member(&bytes, "data.tar");
        let control_files = read_tar(&control);
        let text = |name: &str| {
            let file = control_files.iter().find(|file| file.path == name);
            file.map(|file| String::from_utf8_lossy(file.bytes(&control)).into_owned()).unwrap_or_default()
        };
        let configuration = text("/conffiles");
        let configuration = configuration.lines().filter(|line| line.starts_with('/')).map(str::to_owned);
        Self {
            control: Record::read(&text("/control")),
            configuration: configuration.collect(),
            files: read_tar(&data),
            data,
            built,
        }
    }

    /// The name of the package.
    pub fn name(&self) -> &str {
        self.control.field("Package")
    }
}

/// The member whose name begins so, decompressed, and when it was made.
fn member(archive: &[u8], begins: &str) -> (Vec<u8>, u64) {
    const HEAD: usize = 60;
    let mut rest = archive.strip_prefix(b"!<arch>\n").expect("a .deb file");
    loop {
        let (head, after) = rest.split_at(HEAD);
        let field = |from: usize, to: usize| std::str::from_utf8(&head[from..to]).unwrap().trim();
        let size: usize = field(48, 58).parse().unwrap();
        if let Some(kind) = field(0, 16).trim_end_matches('/').strip_prefix(begins) {
            return (decompress(kind, &after[..size]), field(16, 28).parse().unwrap());
        }
        rest = &after[size.next_multiple_of(2)..];
    }
}

fn decompress(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match kind {
        "" => plain.extend_from_slice(bytes),
        ".gz" => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
        ".xz" => drop(liblzma::read::XzDecoder::new(bytes).read_to_end(&mut plain).unwrap()),
        ".zst" => plain = zstd::decode_all(bytes).unwrap(),
        other => panic!("an archive of the kind {other}"),
    }
    plain
}
