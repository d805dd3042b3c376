//! What stands in the place of a large file (git-lfs, `docs/spec.md`).

use crate::digest::{Checksum, ChecksumAlgorithm};

/// What stands in the place of a large file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeFilePointer {
    /// The SHA-256 of the large file, in hexadecimal digits.
    pub id: String,
    /// Its size in bytes.
    pub size: u64,
}

/// How long a pointer may be, in bytes.
const LONGEST: usize = 1024;

impl LargeFilePointer {
    /// Reads a pointer, if that is one.
    pub fn parse(content: &[u8]) -> Option<Self> {
        if content.len() > LONGEST {
            return None;
        }
        let mut lines = std::str::from_utf8(content).ok()?.lines();
        if lines.next()? != "version https://git-lfs.github.com/spec/v1" {
            return None;
        }
        let (mut id, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => id = value.strip_prefix("sha256:").map(str::to_owned),
                ("size", value) => size = value.parse().ok(),
                _ => {}
            }
        }
        let id = id.filter(|id| {
            id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && id.len() == 64
        })?;
        Some(Self { id, size: size? })
    }

    /// The checksum that the large file must have.
    pub fn checksum(&self) -> Option<Checksum> {
        Checksum::new(ChecksumAlgorithm::Sha256.name(), &self.id).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pointer_is_taken_for_one() {
        let id = "ab".repeat(32);
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize 12\n");
        assert_eq!(LargeFilePointer::parse(text.as_bytes()), Some(LargeFilePointer { id, size: 12 }));
        for other in [
            text.replace("sha256", "md5"),
            text.replace("size 12", "size -1"),
            text.replace("v1", "v2"),
            String::new(),
        ] {
            assert_eq!(LargeFilePointer::parse(other.as_bytes()), None);
        }
        assert_eq!(LargeFilePointer::parse(text.replace("ab", "/.").as_bytes()), None);
    }
}
