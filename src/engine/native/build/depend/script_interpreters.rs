//! The programs that scripts are run with, as rpm's `script.req` says it: what it has sed(1) print of a file's first line.

use std::io::Read;

use bstr::ByteSlice;

use super::not_known::NotKnown;

/// Longer first lines are for the script itself, in bytes.
const LONGEST_LINE: usize = 4096;

/// Writes what the script would write about a file.
pub(crate) fn read_interpreters(file: impl Read) -> Result<Vec<u8>, NotKnown> {
    let mut start = Vec::new();
    file.take(LONGEST_LINE as u64).read_to_end(&mut start).map_err(|_| NotKnown)?;
    let end = start.find_byte(b'\n');
    let line = start.get(..end.unwrap_or(start.len())).unwrap_or_default();
    // What is no plain text is another thing in each language, and a line that ends with the file has no end in what is printed.
    let is_plain = line.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if end.is_none() || !is_plain {
        return Err(NotKnown);
    }
    let words = line.strip_prefix(b"#!").unwrap_or_default().trim_ascii_start();
    let program = words.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let rest = words.strip_prefix(program).unwrap_or_default().trim_ascii_start();
    let mut written = Vec::new();
    for found in [
        Some(program).filter(|program| is_absolute(program)),
        // With all that follows it.
        Some(rest).filter(|rest| program.ends_with(b"/bin/env") && is_absolute(rest)),
    ]
    .into_iter()
    .flatten()
    {
        written.extend_from_slice(found);
        written.push(b'\n');
    }
    Ok(written)
}

/// Whether a text begins with an absolute path that has a name.
fn is_absolute(text: &[u8]) -> bool {
    matches!(text, [b'/', next, ..] if !next.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "a test may")]

    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// What the machine's script says, where it is the one that is known.
    fn ask_script(content: &[u8]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut child = Command::new("/usr/lib/rpm/script.req")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{}", file.path().display()).unwrap();
        child.wait_with_output().unwrap().stdout
    }

    #[test]
    fn the_script_says_the_same() {
        let lines = [
            "#!/bin/sh",
            "#! /bin/sh -e",
            "#!/usr/bin/env bash",
            "#!/usr/bin/env /opt/x",
            "#!  /usr/bin/env   /opt/x -f  g ",
            "#!\t/bin/sh\t-x",
            "#!/",
            "#!/ x",
            "#!bin/sh",
            "#!",
            "",
            "text",
            " #!/bin/sh",
            "#!/bin/env",
            "#!/bin/env ",
            "#!/bin/env  ",
            "#!x/bin/env /y",
            "#!/xbin/env /y",
            "#!/bin/env/ /y",
            "#!/bin/env /",
            "#!/bin/env / x",
            "#!//bin//sh",
            "#!/bin/env x /y",
            "#!/a,b:c",
            "#!bin/env /y",
            "#!/bin/envx /y",
        ];
        let mut compared = 0;
        for line in lines {
            for rest in ["\n", "\n#!/bin/other\n", "\ntext"] {
                let content = [line, rest].concat();
                let own = read_interpreters(content.as_bytes()).unwrap();
                assert_eq!(own.as_bstr(), ask_script(content.as_bytes()).as_bstr(), "{content:?}");
                compared += 1;
            }
        }
        assert_eq!(compared, 3 * lines.len());
    }

    #[test]
    fn what_is_unusual_is_left_to_the_script() {
        let long = ["#!/bin/sh ", &"x".repeat(5000), "\n"].concat();
        for content in ["", "#!/bin/sh", "#!/bin/sh \u{e9}\n", "#!/bin/\0sh\n", "#!/bin/sh\r\n", &long] {
            assert_eq!(read_interpreters(content.as_bytes()), Err(NotKnown), "{content:?}");
        }
    }
}
