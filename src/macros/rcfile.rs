//! rpmrc files: what architectures are called, what they can run, and how code is compiled for them.

use std::collections::HashMap;
use std::io;

use bstr::ByteSlice;

use super::host::{Host, NoHost};
use super::limits::DEEPEST_RCFILE;
use super::problem::RcMistake;

/// Which list of compatible names is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compatibility {
    /// What a machine can install.
    Install,
    /// What a machine can build.
    Build,
}

/// The tables of all rpmrc files; of two lines about one name the last one counts.
#[derive(Clone, Debug, Default)]
pub struct RpmRc {
    canonical: HashMap<String, String>,
    translated: HashMap<String, String>,
    compatible: HashMap<(Compatibility, String), Vec<String>>,
    compiler_flags: HashMap<String, Vec<u8>>,
}

impl RpmRc {
    /// Reads a file and what it includes; mistakes go to `report`.
    pub(super) fn read(&mut self, host: &dyn Host, path: &[u8], report: &mut dyn FnMut(RcMistake)) -> bool {
        let Ok(text) = host.read_file(path) else {
            return false;
        };
        RcReader { rc: self, host, report }.read_text(&text, path, 0);
        true
    }

    /// Reads our own tables.
    pub(super) fn read_own(&mut self, text: &str) {
        let (host, mut report) = (NoHost::default(), |_| {});
        let mut reader = RcReader { rc: self, host: &host, report: &mut report };
        reader.read_text(text.as_bytes(), b"forge/rpmrc", 0);
    }

    fn read_entry(&mut self, line: &RcLine<'_>) -> Result<(), String> {
        let key = line.key.to_str_lossy().into_owned();
        match key.as_str() {
            "arch_canon" => {
                let (name, rest) = line.split_name()?;
                let short = rest.split_whitespace().next();
                self.canonical.insert(name, short.ok_or("Incomplete data line")?.to_owned());
            }
            "buildarchtranslate" => {
                let (name, rest) = line.split_name()?;
                self.translated.insert(name, rest);
            }
            "arch_compat" | "buildarch_compat" => {
                let kind = if key == "arch_compat" { Compatibility::Install } else { Compatibility::Build };
                let (name, rest) = line.split_name()?;
                let names = rest.split_whitespace().map(str::to_owned).collect();
                self.compatible.insert((kind, name), names);
            }
            "optflags" => {
                let (name, flags) =
                    line.value.split_at(line.value.find_byteset(b" \t").unwrap_or(line.value.len()));
                if name.is_empty() {
                    return Err("missing argument for optflags".to_owned());
                } else if flags.is_empty() {
                    return Err("missing architecture for optflags".to_owned());
                }
                let name = name.to_str_lossy().into_owned();
                self.compiler_flags.insert(name, flags.trim_ascii().to_vec());
            }
            // Colours of architectures are known by their names; systems other than Linux are not built for.
            "archcolor" | "os_canon" | "os_compat" | "buildos_compat" | "buildostranslate" => {}
            _ => return Err(format!("bad option '{key}'")),
        }
        Ok(())
    }

    /// What packages call the architecture that a machine calls `machine`.
    pub fn canonical(&self, machine: &str) -> String {
        self.canonical.get(machine).cloned().unwrap_or_else(|| machine.to_owned())
    }

    /// What is built on an architecture where nobody says otherwise.
    pub fn build_architecture(&self, architecture: &str) -> String {
        self.translated.get(architecture).cloned().unwrap_or_else(|| architecture.to_owned())
    }

    /// How code is compiled for an architecture.
    pub fn compiler_flags(&self, architecture: &str) -> Option<&[u8]> {
        self.compiler_flags.get(architecture).map(Vec::as_slice)
    }

    /// An architecture and all that it can take as well, the nearest first; `noarch` is among them.
    pub fn compatible(&self, kind: Compatibility, architecture: &str) -> Vec<String> {
        let mut found = vec![architecture.to_owned()];
        let mut at = 0;
        while let Some(name) = found.get(at).cloned() {
            for next in self.compatible.get(&(kind, name)).into_iter().flatten() {
                if !found.contains(next) {
                    found.push(next.clone());
                }
            }
            at += 1;
        }
        found
    }
}

/// Reads files into tables.
struct RcReader<'a> {
    rc: &'a mut RpmRc,
    host: &'a dyn Host,
    report: &'a mut dyn FnMut(RcMistake),
}

impl RcReader<'_> {
    fn read_text(&mut self, text: &[u8], path: &[u8], depth: usize) {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let place = format!("at {}:{}", path.as_bstr(), number + 1);
            let (message, is_warning) = match RcLine::read(line) {
                Ok(RcLine { key: b"include", value }) if depth < DEEPEST_RCFILE => {
                    let Err(error) = self.include(value, depth) else { continue };
                    let reason = crate::files::reason(&error);
                    (format!("cannot open {} {place}: {reason}", value.as_bstr()), false)
                }
                Ok(RcLine { key: b"macrofiles", .. }) => (format!("Ignoring macrofiles {place}"), true),
                read => {
                    let Err(message) = read.and_then(|line| self.rc.read_entry(&line)) else { continue };
                    (format!("{message} {place}"), false)
                }
            };
            (self.report)(RcMistake { message, is_warning });
        }
    }

    fn include(&mut self, path: &[u8], depth: usize) -> io::Result<()> {
        let text = self.host.read_file(path)?;
        self.read_text(&text, path, depth + 1);
        Ok(())
    }
}

/// A line: `key: value`.
struct RcLine<'t> {
    key: &'t [u8],
    value: &'t [u8],
}

impl<'t> RcLine<'t> {
    fn read(line: &'t [u8]) -> Result<Self, String> {
        let end = line.find_byteset(b": \t").unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        match rest.trim_ascii_start().split_first() {
            Some((b':', value)) => Ok(Self { key, value: value.trim_ascii() }),
            found => {
                let found = found.map_or(0, |(byte, _)| *byte);
                Err(format!("missing ':' (found 0x{found:02x})"))
            }
        }
    }

    /// The value of a table's line: `name: rest`.
    fn split_name(&self) -> Result<(String, String), String> {
        let (name, rest) = self.value.split_once_str(":").ok_or("Incomplete data line")?;
        Ok((name.trim_ascii().to_str_lossy().into_owned(), rest.trim_ascii().to_str_lossy().into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (RpmRc, Vec<String>) {
        let mut rc = RpmRc::default();
        let mut told = Vec::new();
        let mut report = |mistake: RcMistake| told.push(mistake.message);
        RcReader { rc: &mut rc, host: &NoHost::default(), report: &mut report }.read_text(
            text.as_bytes(),
            b"rpmrc",
            0,
        );
        (rc, told)
    }

    #[test]
    fn compatible_architectures_lead_on() {
        let (rc, told) = read("arch_compat: x86_64: amd64 noarch\narch_compat: amd64: i686\n# c\n");
        assert_eq!(rc.compatible(Compatibility::Install, "x86_64"), ["x86_64", "amd64", "noarch", "i686"]);
        assert!(told.is_empty());
    }

    #[test]
    fn names_are_translated_twice() {
        let (rc, _) = read(
            "arch_canon: amd64: x86_64 1\nbuildarchtranslate: x86_64_v3: x86_64\noptflags: x86_64  -O2 -g \n",
        );
        assert_eq!(rc.canonical("amd64"), "x86_64");
        assert_eq!(rc.build_architecture("x86_64_v3"), "x86_64");
        assert_eq!(rc.compiler_flags("x86_64"), Some(b"-O2 -g".as_slice()));
    }

    #[test]
    fn mistakes_have_a_place() {
        let (_, told) = read("bogus: x\nnothing\noptflags: x86_64\narch_canon: x86_64\n");
        let expected = [
            "bad option 'bogus' at rpmrc:1",
            "missing ':' (found 0x00) at rpmrc:2",
            "missing architecture for optflags at rpmrc:3",
            "Incomplete data line at rpmrc:4",
        ];
        assert_eq!(told, expected);
    }
}
