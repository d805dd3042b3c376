//! What a line of `%files` says of all its files.

use bstr::BString;

use super::capabilities::Capabilities;
use super::mode::{FileType, Permissions};
use super::packaged_file::{Precedence, flag};
use crate::spec::{FileDirective, FileItem, Ownership, SimpleDirective};

/// What `%defattr` said last.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    ownership: Ownership,
    folder_permissions: Option<Permissions>,
}

/// A device file that a line makes (`%dev`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceFile {
    /// Of blocks or of characters.
    pub(super) file_type: FileType,
    /// The major and the minor number of the device.
    pub(super) numbers: (u32, u32),
}

/// Capabilities that libcap would refuse, as the line has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidCapabilities(pub(super) BString);

/// What holds for the files of a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    /// rpm's flags.
    pub(super) flags: u32,
    /// The permissions of files, and where they come from.
    pub(super) permissions: Option<(Permissions, Precedence)>,
    /// The permissions of folders.
    pub(super) folder_permissions: Option<(Permissions, Precedence)>,
    /// The user.
    pub(super) user: Option<(BString, Precedence)>,
    /// The group.
    pub(super) group: Option<(BString, Precedence)>,
    /// What is verified.
    pub(super) verifies: Option<u32>,
    /// Languages.
    pub(super) languages: Vec<BString>,
    /// Capabilities.
    pub(super) capabilities: Option<Capabilities>,
    /// The device file that it makes.
    pub(super) device: Option<DeviceFile>,
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
    /// Reads those of a line; `%defattr` changes the defaults of the lines after it, whatever else is wrong with its own.
    pub(super) fn read(item: &FileItem, defaults: &mut Defaults) -> Result<Self, InvalidCapabilities> {
        let mut attributes = Self::default();
        let mut own = Ownership::default();
        let mut capabilities: Option<&BString> = None;
        for directive in &item.directives {
            match directive {
                FileDirective::DefAttr(ownership, folder_mode) => {
                    let folder_permissions = folder_mode.map(Permissions::from_bits);
                    *defaults = Defaults { ownership: ownership.clone(), folder_permissions };
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
                FileDirective::Caps(text) => capabilities = Some(text),
                FileDirective::Dev { kind, major, minor } => {
                    let file_type = if *kind == b'b' { FileType::Block } else { FileType::Character };
                    attributes.device = Some(DeviceFile { file_type, numbers: (*major, *minor) });
                }
                FileDirective::Lang(languages) => attributes.languages.extend(languages.iter().cloned()),
                FileDirective::Simple(simple) => attributes.add_simple(*simple),
            }
        }
        attributes.set_ownership(own, defaults);
        if let Some(text) = capabilities.filter(|text| !text.is_empty()) {
            let read = Capabilities::read(text.as_ref());
            attributes.capabilities = Some(read.ok_or_else(|| InvalidCapabilities(text.clone()))?);
        }
        Ok(attributes)
    }

    fn add_simple(&mut self, directive: SimpleDirective) {
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

    fn set_ownership(&mut self, own: Ownership, defaults: &Defaults) {
        let default = &defaults.ownership;
        let permissions = |mode: Option<u32>| mode.map(Permissions::from_bits);
        let has_own_mode = own.mode.is_some();
        self.permissions = choose(permissions(own.mode), permissions(default.mode));
        // An explicit mode is for folders as well; the one of %defattr has a word of its own for them.
        self.folder_permissions =
            if has_own_mode { self.permissions } else { choose(None, defaults.folder_permissions) };
        self.user = choose(own.user, default.user.clone());
        self.group = choose(own.group, default.group.clone());
    }
}

/// What the line itself says, or else what `%defattr` does.
fn choose<T>(own: Option<T>, default: Option<T>) -> Option<(T, Precedence)> {
    let own = own.map(|own| (own, Precedence::OwnLine));
    own.or_else(|| default.map(|default| (default, Precedence::Default)))
}
