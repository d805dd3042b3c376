//! The line of a script that runs find-debuginfo(1).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

use crate::files::HostPath;
use crate::process::shell_quoted;

/// The word after this program's name by which it does the work.
const COMMAND: &str = " find-debuginfo";

/// What the program is called, and was before debugedit had it.
const NAMES: [&[u8]; 2] = [b"find-debuginfo", b"find-debuginfo.sh"];

/// Where it is when only its name is said.
const USUAL: &str = "/usr/bin/find-debuginfo";

/// Puts `own find-debuginfo`, with `options` of its own, in the place of the root's program where a line begins with that, if `is_wanted`
/// says so of it.
pub(in super::super) fn stand_in_for_find_debuginfo(
    text: Vec<u8>,
    own: &OsStr,
    options: &str,
    is_wanted: impl Fn(&HostPath) -> bool,
) -> Vec<u8> {
    let mut new = Vec::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.lines_with_terminator() {
        let program = line.fields().next().filter(|_| !goes_on);
        goes_on = line.trim_end().ends_with(b"\\");
        match program.filter(|program| is_find_debuginfo(program) && is_wanted(&path_of(program))) {
            Some(program) => {
                let indent = line.find(program).unwrap_or_default();
                new.extend_from_slice(line.get(..indent).unwrap_or_default());
                new.extend(shell_quoted(own.as_bytes()));
                new.extend_from_slice(COMMAND.as_bytes());
                new.extend_from_slice(options.as_bytes());
                new.extend_from_slice(line.get(indent + program.len()..).unwrap_or_default());
            }
            None => new.extend_from_slice(line),
        }
    }
    new
}

fn is_find_debuginfo(program: &[u8]) -> bool {
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    NAMES.contains(&name) && (program.starts_with(b"/") || program == name)
}

fn path_of(program: &[u8]) -> HostPath {
    let named = HostPath::new(OsStr::from_bytes(program));
    named.unwrap_or_else(|| HostPath::root().join(USUAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_replaced(text: &str, expected: &str) {
        let is_wanted = |path: &HostPath| !path.to_string().starts_with("/there/");
        let new = stand_in_for_find_debuginfo(
            text.as_bytes().to_vec(),
            OsStr::new("/run/my forge"),
            " --x",
            is_wanted,
        );
        assert_eq!(String::from_utf8(new).unwrap(), expected);
    }

    #[test]
    fn the_program_is_replaced_where_a_command_begins_with_it() {
        let own = "'/run/my forge' find-debuginfo --x";
        assert_replaced(
            "\n  /usr/bin/find-debuginfo \\\n    -j2 \\\n    \"/b/x\"\n",
            &format!("\n  {own} \\\n    -j2 \\\n    \"/b/x\"\n"),
        );
        assert_replaced("/usr/lib/rpm/find-debuginfo.sh -m /b", &format!("{own} -m /b"));
        assert_replaced("find-debuginfo /b\n", &format!("{own} /b\n"));
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "/there/find-debuginfo /b\n",
            "echo \\\n/usr/bin/find-debuginfo\n",
            "/usr/bin/find-debuginfo-x /b\n",
            "x/find-debuginfo /b\n",
            "echo find-debuginfo\n",
            "",
        ] {
            assert_replaced(text, text);
        }
    }
}
