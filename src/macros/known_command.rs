//! A command of the shell that every script of a build asks, and whose answer needs no shell.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

/// What `%_smp_build_ncpus` runs since rpm 4.16, in words. `N` stands for how many processors there are, `M` for how many count at
/// most, if somebody has said that.
const PROCESSORS: &str = r#"[ -z "$RPM_BUILD_NCPUS" ] && RPM_BUILD_NCPUS="N"; ncpus_max=M;
    if [ -n "$ncpus_max" ] && [ "$ncpus_max" -gt 0 ] && [ "$RPM_BUILD_NCPUS" -gt "$ncpus_max" ];
    then RPM_BUILD_NCPUS="$ncpus_max"; fi; echo "$RPM_BUILD_NCPUS";"#;

/// The longest number that is taken for one, in digits.
const MOST_DIGITS: usize = 9;

/// What a command writes, where that is known without running it.
pub(super) fn known_output(command: &[u8], environment: &BTreeMap<OsString, OsString>) -> Option<Vec<u8>> {
    let (there, most) = read_command(command)?;
    let said = environment.get(OsStr::new("RPM_BUILD_NCPUS")).map(|said| said.as_bytes());
    let count = said.filter(|said| !said.is_empty()).unwrap_or(there);
    let limit = if most.is_empty() { 0 } else { number(most)? };
    let count = if limit > 0 && number(count)? > limit { most } else { count };
    number(count)?;
    Some([count, b"\n"].concat())
}

/// The two numbers of the command, if it is that one.
fn read_command(command: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut given = command.trim().fields().filter(|word| *word != b"\\");
    let has_lines = command.trim().lines().rev().skip(1).any(|line| !line.ends_with(b"\\"));
    let (mut there, mut most) = (None, None);
    for known in PROCESSORS.as_bytes().fields() {
        let word = given.next()?;
        if let Some(start) = known.strip_suffix(b"N\";") {
            there = Some(word.strip_prefix(start)?.strip_suffix(b"\";")?);
        } else if let Some(start) = known.strip_suffix(b"M;") {
            most = Some(word.strip_prefix(start)?.strip_suffix(b";")?);
        } else if word != known {
            return None;
        }
    }
    if has_lines || given.next().is_some() { None } else { Some((there?, most?)) }
}

fn number(digits: &[u8]) -> Option<u32> {
    let is_number =
        !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.iter().all(u8::is_ascii_digit);
    if is_number { digits.to_str().ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As macro files have it.
    fn command(there: &str, most: &str) -> String {
        format!(
            "[ -z \"$RPM_BUILD_NCPUS\" ] \\\n\t&& RPM_BUILD_NCPUS=\"{there}\"; \\\n        ncpus_max={most}; \\\n        \
             if [ -n \"$ncpus_max\" ] && [ \"$ncpus_max\" -gt 0 ] && [ \"$RPM_BUILD_NCPUS\" -gt \"$ncpus_max\" ]; then \
             RPM_BUILD_NCPUS=\"$ncpus_max\"; fi; \\\n        echo \"$RPM_BUILD_NCPUS\";"
        )
    }

    fn environment(said: &str) -> BTreeMap<OsString, OsString> {
        BTreeMap::from([("RPM_BUILD_NCPUS".into(), said.into()), ("PATH".into(), "/usr/bin:/bin".into())])
    }

    #[test]
    fn the_answer_is_the_shells() {
        for (there, most, said) in [
            ("8", "", ""),
            ("8", "3", ""),
            ("8", "0", ""),
            ("2", "3", ""),
            ("8", "", "5"),
            ("8", "4", "5"),
            ("8", "16", "05"),
        ] {
            let (command, environment) = (command(there, most), environment(said));
            let limits = crate::process::ShellLimits { output_bytes: 100, time: None, is_quiet: false };
            let shell = crate::process::shell_output(command.as_bytes(), &environment, None, limits).unwrap();
            assert_eq!(known_output(command.as_bytes(), &environment), Some(shell), "{there} {most} {said}");
        }
    }

    #[test]
    fn other_commands_are_the_shells() {
        let plain = command("8", "3");
        for other in [
            plain.replace("\\\n", "\n"),
            plain.replace("echo", "printf"),
            format!("{plain} date"),
            plain.replace("\"8\"", "\"$(nproc)\""),
            plain.replace("max=3", "max=-3"),
            plain.replace("ncpus_max=3;", ""),
            String::new(),
        ] {
            assert_eq!(known_output(other.as_bytes(), &environment("")), None, "{other}");
        }
        for said in ["x", "1 2", "9999999999"] {
            assert_eq!(known_output(plain.as_bytes(), &environment(said)), None, "{said}");
        }
    }
}
