//! What a line of `%files` says of all its files.

use bstr::BString;

use super::packaged_file::{Said, flag};
use crate::spec::{FileDirective, FileItem, Ownership, SimpleDirective};

/// What `%defattr` said last.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    ownership: Ownership,
    folder_mode: Option<u32>,
}

/// What holds for the files of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    /// rpm's flags.
    pub(super) flags: u32,
    /// The mode of files, and how firmly it was said.
    pub(super) mode: Option<(u32, Said)>,
    /// The mode of folders.
    pub(super) folder_mode: Option<(u32, Said)>,
    /// The user.
    pub(super) user: Option<(BString, Said)>,
    /// The group.
    pub(super) group: Option<(BString, Said)>,
    /// What is verified.
    pub(super) verifies: Option<u32>,
    /// Languages.
    pub(super) languages: Vec<BString>,
    /// Capabilities.
    pub(super) capabilities: BString,
    /// The device that it stands for: `b` or `c`, major, minor.
    pub(super) device: Option<(u8, u32, u32)>,
    /// `%dir`
    pub(super) is_folder: bool,
    /// `%exclude`
    pub(super) is_excluded: bool,
    /// `%docdir`
    pub(super) is_doc_folder: bool,
    /// `%doc` or `%license`, which may name files of the build.
    pub(super) special: Option<SimpleDirective>,
}

impl Attributes {
    /// Those of a line; `%defattr` changes the defaults of the lines after it.
    pub(super) fn of(item: &FileItem, defaults: &mut Defaults) -> Self {
        let mut attributes = Self::default();
        let mut own = Ownership::default();
        for directive in &item.directives {
            match directive {
                FileDirective::DefAttr(ownership, folder_mode) => {
                    *defaults = Defaults { ownership: ownership.clone(), folder_mode: *folder_mode };
                }
                FileDirective::Attr(ownership) => own = ownership.clone(),
                FileDirective::Config { keeps_own, may_be_missing } => {
                    let bits = [
                        (true, flag::CONFIG),
                        (*keeps_own, flag::NO_REPLACE),
                        (*may_be_missing, flag::MISSING_OK),
                    ];
                    attributes.flags |=
                        bits.iter().filter(|(said, _)| *said).fold(0, |all, (_, bit)| all | bit);
                }
                FileDirective::Verify { is_negated, bits } => {
                    attributes.verifies = Some(if *is_negated { !bits } else { *bits });
                }
                FileDirective::Caps(text) => attributes.capabilities = text.clone(),
                FileDirective::Dev { kind, major, minor } => {
                    attributes.device = Some((*kind, *major, *minor))
                }
                FileDirective::Lang(languages) => attributes.languages.extend(languages.iter().cloned()),
                FileDirective::Simple(simple) => attributes.simple(*simple),
            }
        }
        attributes.own(own, defaults);
        attributes
    }

    fn simple(&mut self, directive: SimpleDirective) {
        match directive {
            SimpleDirective::Artifact => self.flags |= flag::ARTIFACT,
            SimpleDirective::Dir => self.is_folder = true,
            SimpleDirective::Doc => {
                self.flags |= flag::DOC;
                self.special.get_or_insert(SimpleDirective::Doc);
            }
            SimpleDirective::DocDir => self.is_doc_folder = true,
            SimpleDirective::Exclude => self.is_excluded = true,
            SimpleDirective::Ghost => self.flags |= flag::GHOST,
            SimpleDirective::License => {
                self.flags |= flag::LICENSE;
                self.special.get_or_insert(SimpleDirective::License);
            }
            SimpleDirective::MissingOk => self.flags |= flag::MISSING_OK,
            SimpleDirective::PubKey => self.flags |= flag::PUBKEY,
            SimpleDirective::Readme => self.flags |= flag::README,
        }
    }

    fn own(&mut self, own: Ownership, defaults: &Defaults) {
        fn either<T: Clone>(own: Option<T>, default: Option<&T>) -> Option<(T, Said)> {
            own.map(|own| (own, Said::ForThis)).or(default.map(|default| (default.clone(), Said::ForAll)))
        }
        let has_own_mode = own.mode.is_some();
        self.mode = either(own.mode, defaults.ownership.mode.as_ref());
        // An explicit mode is for folders as well; the one of %defattr has a word of its own for them.
        let for_folders = defaults.folder_mode.map(|mode| (mode, Said::ForAll));
        self.folder_mode = if has_own_mode { self.mode } else { for_folders };
        self.user = either(own.user, defaults.ownership.user.as_ref());
        self.group = either(own.group, defaults.ownership.group.as_ref());
    }
}
