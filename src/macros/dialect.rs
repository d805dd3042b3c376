//! Which version's language macros speak.

use super::language::Macros;
use super::rpm_version::{OldMacros, RpmVersion};
use super::table::{Level, Origin};

impl Macros {
    /// The version of rpm whose language is spoken; where what says so is no version, that text.
    ///
    /// # Errors
    /// The text of the macro that says it, where it is no version.
    pub fn spoken_version(&self) -> Result<RpmVersion, Vec<u8>> {
        self.language.spoken_version()
    }

    /// Takes from now on what an older rpm takes. The version stays, whatever a spec defines.
    pub fn set_dialect(&self, version: RpmVersion, old: OldMacros) {
        *self.language.spoken.borrow_mut() = Some((version, old));
    }

    /// Says which language is to be spoken.
    pub fn set_version(&self, version: RpmVersion) {
        let definition = format!("{} {version}", RpmVersion::MACRO);
        // What is well formed can be defined.
        let _ = self.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("the manifest"));
    }

    /// Says which language is to be spoken, unless a macro says so already.
    pub fn propose_version(&self, version: RpmVersion) {
        if !self.is_defined(RpmVersion::MACRO.as_bytes()) {
            self.set_version(version);
        }
    }
}
