//! Lines of files with checksums: `sources` of package repositories.

use super::lock::is_file_name;
use crate::digest::Checksum;

/// A file with its checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its name.
    pub name: String,
    /// `sha512`, `md5`, …
    pub algorithm: &'static str,
    /// In hexadecimal digits.
    pub checksum: String,
}

/// The algorithm of old lines.
pub const MD5: &str = "md5";

/// Reads a file `sources`; an error is the line that makes no sense, counted from 1.
pub fn read_checksum_lines(text: &str) -> Result<Vec<ListedFile>, usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| read_line(line.trim()).ok_or(index + 1)).collect()
}

/// `SHA512 (FILE) = CHECKSUM`, or `MD5  FILE`.
fn read_line(line: &str) -> Option<ListedFile> {
    let (name, algorithm, checksum) = match line.split_once(" (") {
        Some((algorithm, rest)) => {
            let (name, checksum) = rest.rsplit_once(") = ")?;
            let algorithms = ["sha512", "sha384", "sha256", MD5];
            (name, *algorithms.iter().find(|known| algorithm.eq_ignore_ascii_case(known))?, checksum)
        }
        None => {
            let (checksum, name) = line.split_once(char::is_whitespace)?;
            (name.trim_start().trim_start_matches('*'), MD5, checksum)
        }
    };
    let checksum = checksum.to_ascii_lowercase();
    let is_md5 = checksum.len() == 32 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_checksum = if algorithm == MD5 { is_md5 } else { Checksum::new(algorithm, &checksum).is_ok() };
    (is_checksum && is_file_name(name)).then(|| ListedFile { name: name.to_owned(), algorithm, checksum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_new_and_old_are_read_and_others_are_told_by_their_numbers() {
        let (long, short) = ("a1".repeat(64), "b2".repeat(16));
        let files =
            read_checksum_lines(&format!("SHA512 (a (1).tar.gz) = {long}\n\n{short}  b.tar.gz\n")).unwrap();
        let shown: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.algorithm)).collect();
        assert_eq!(shown, [("a (1).tar.gz", "sha512"), ("b.tar.gz", "md5")]);
        for line in [
            format!("SHA512 (../a) = {long}"),
            format!("SHA512 (a) = {short}"),
            "x".to_owned(),
            format!("{short}  a/b"),
        ] {
            assert_eq!(read_checksum_lines(&format!("\n{line}")), Err(2), "{line}");
        }
    }
}
