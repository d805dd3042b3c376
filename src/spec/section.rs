//! The sections of a spec (rpm-spec(5), "SECTIONS").

use serde::{Deserialize, Serialize};

use bstr::ByteSlice;

/// What lines are part of, which decides what of them counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Tags or text: comments and the blanks at the ends of lines do not count.
    Text,
    /// Files or changes: comments do not count.
    List,
    /// A script: everything counts.
    Script,
}

macro_rules! sections {
    ($($kind:ident $word:literal $reading:ident,)*) => {
        /// What a section is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum SectionKind {
            /// What stands before the first section.
            Preamble,
            $(#[doc = concat!("`%", $word, "`")] $kind,)*
        }

        const SECTIONS: &[(&str, SectionKind, Reading)] =
            &[$(($word, SectionKind::$kind, Reading::$reading),)*];
    };
}

sections! {
    Build "build" Script,
    Changelog "changelog" List,
    Check "check" Script,
    Clean "clean" Script,
    Conf "conf" Script,
    Description "description" Text,
    End "end" Text,
    Files "files" List,
    FileTriggerIn "filetriggerin" Script,
    FileTriggerPostUn "filetriggerpostun" Script,
    FileTriggerUn "filetriggerun" Script,
    GenerateBuildRequires "generate_buildrequires" Script,
    Install "install" Script,
    Package "package" Text,
    PatchList "patchlist" Text,
    Post "post" Script,
    PostTrans "posttrans" Script,
    PostUn "postun" Script,
    PostUnTrans "postuntrans" Script,
    Pre "pre" Script,
    PreTrans "pretrans" Script,
    PreUn "preun" Script,
    PreUnTrans "preuntrans" Script,
    Prep "prep" Script,
    Sepolicy "sepolicy" Text,
    SourceList "sourcelist" Text,
    TransFileTriggerIn "transfiletriggerin" Script,
    TransFileTriggerPostUn "transfiletriggerpostun" Script,
    TransFileTriggerUn "transfiletriggerun" Script,
    Trigger "trigger" Script,
    TriggerIn "triggerin" Script,
    TriggerPostUn "triggerpostun" Script,
    TriggerPreIn "triggerprein" Script,
    TriggerUn "triggerun" Script,
    VerifyScript "verifyscript" Script,
}

impl SectionKind {
    /// Its name, without `%`.
    pub fn word(self) -> &'static str {
        SECTIONS.iter().find(|section| section.1 == self).map_or("", |section| section.0)
    }

    /// Whether it is a script of the build.
    pub fn is_build_script(self) -> bool {
        matches!(
            self,
            Self::Prep
                | Self::GenerateBuildRequires
                | Self::Conf
                | Self::Build
                | Self::Install
                | Self::Check
                | Self::Clean
        )
    }

    /// Whether it is a script that other packages, or files, fire.
    pub fn is_trigger(self) -> bool {
        self.is_file_trigger()
            || matches!(
                self,
                Self::Trigger | Self::TriggerIn | Self::TriggerUn | Self::TriggerPreIn | Self::TriggerPostUn
            )
    }

    /// Whether it is a script that files fire.
    pub fn is_file_trigger(self) -> bool {
        matches!(
            self,
            Self::FileTriggerIn
                | Self::FileTriggerUn
                | Self::FileTriggerPostUn
                | Self::TransFileTriggerIn
                | Self::TransFileTriggerUn
                | Self::TransFileTriggerPostUn
        )
    }

    /// Whether it is a script that is run with all packages of a transaction.
    pub fn is_transaction_file_trigger(self) -> bool {
        matches!(self, Self::TransFileTriggerIn | Self::TransFileTriggerUn | Self::TransFileTriggerPostUn)
    }

    /// The section that a line begins, and what stands after its name. Only a line that begins with the `%` does.
    pub fn from_line(line: &[u8]) -> Option<(Self, &[u8])> {
        let (kind, _, rest) = read_section_line(line)?;
        Some((kind, rest))
    }
}

pub(super) fn read_section_line(line: &[u8]) -> Option<(SectionKind, Reading, &[u8])> {
    let text = line.strip_prefix(b"%")?;
    let length = text.find_byteset(b" \t\r\n").unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(length)?;
    let word = word.to_ascii_lowercase();
    let (_, kind, reading) = SECTIONS.iter().find(|section| section.0.as_bytes() == word)?;
    Some((*kind, *reading, rest.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_begins_with_its_name_at_the_front_of_a_line() {
        let begun = |line: &'static str| SectionKind::from_line(line.as_bytes());
        assert_eq!(begun("%prep\n"), Some((SectionKind::Prep, b"".as_slice())));
        assert_eq!(begun("%Files -n x\n"), Some((SectionKind::Files, b"-n x".as_slice())));
        assert_eq!(begun(" %prep\n"), None);
        assert_eq!(begun("%preps\n"), None);
        assert_eq!(begun("%prep#\n"), None);
    }
}
