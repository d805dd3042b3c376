//! Spec files: what every program does that reads one.

use std::io;

use bstr::{BStr, ByteSlice};
use thiserror::Error;

use super::line_reader::ReportListener;
use super::package::Spec;
use super::parser::{Mistakes, Parsing, parse, parse_for_build};
use crate::macros::{Compatibility, Macros, RpmRc, Stop};

/// A spec file that is to be read.
pub struct SpecFile<'f> {
    /// Its path.
    pub path: &'f [u8],
    /// What rpmrc files say of architectures: packages are built for those that this machine runs.
    pub rc: &'f RpmRc,
    /// The buildroot, where somebody says it: elsewhere it lies in the folder of the build.
    pub build_root: Option<&'f [u8]>,
    /// How many of its mistakes are reported.
    pub mistakes: Mistakes,
    /// When it is reported what packages lack.
    pub checks: PackageChecks,
    /// Receives what is wrong.
    pub listener: ReportListener,
}

/// When it is reported what packages lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageChecks {
    /// At once.
    AtOnce,
    /// When a build looks at their files: parts that it writes may add what they lack.
    WithFiles,
}

/// Why a file gives no spec.
#[derive(Debug, Error)]
pub enum UnreadSpec {
    /// Its text is out of reach.
    #[error("{}", crate::files::reason(.0))]
    Unopened(io::Error),
    /// rpm would refuse it; the listener or the macros' host has been told why.
    #[error("it is wrong")]
    Refused,
}

impl SpecFile<'_> {
    /// Reads it with the macros that are defined; what it defines, they keep.
    ///
    /// # Errors
    /// There is no such file, or rpm would refuse it.
    pub fn read(self, macros: &Macros) -> Result<Spec, UnreadSpec> {
        let text = macros.read_file(self.path).map_err(UnreadSpec::Unopened)?;
        let machine = macros.expand(b"%{_host_cpu}").map_err(|Stop| UnreadSpec::Refused)?;
        let compatible = self.rc.compatible(Compatibility::Build, &machine.to_str_lossy());
        let can_build = |wanted: &BStr| compatible.iter().any(|arch| wanted == arch.as_str());
        let parsing = Parsing {
            file: &self.path.to_str_lossy(),
            text,
            can_build: &can_build,
            build_root: self.build_root,
            mistakes: self.mistakes,
            listener: self.listener,
        };
        let parsed = match self.checks {
            PackageChecks::AtOnce => parse(macros, parsing),
            PackageChecks::WithFiles => parse_for_build(macros, parsing),
        };
        parsed.map_err(|Stop| UnreadSpec::Refused)
    }
}
