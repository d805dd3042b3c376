//! What the manifest says of metadata: how they are packed, and the files of package groups and advisories that go with them.

use std::io;
use std::path::Path;

use super::PublishError;
use super::error::WrongMetadata;
use super::limits::LARGEST_DECLARED;
use super::metadata_file::MetadataFile;
use super::metadata_text::check_metadata;
use super::packing::ending;
use super::record::PublishedFile;
use super::section::{Parting, Section};
use crate::files::{Folder, HostPath};
use crate::manifest::ManifestPath;
use crate::manifest::declaration::{MetadataPacking, PublishDecl};
use crate::package::RepositoryKind;
use crate::text::{Located, Spanned};

/// See the [module](self).
#[derive(Default)]
pub(super) struct DeclaredMetadata {
    pub packing: MetadataPacking,
    parting: Parting,
    /// The declared files, as they are published.
    pub files: Vec<MetadataFile>,
}

impl DeclaredMetadata {
    /// What the manifest of the project in this folder says.
    ///
    /// # Errors
    /// [`PublishError::WrongMetadata`] where a file is not what it should be.
    pub fn read(
        publish: Option<&PublishDecl>,
        parting: Parting,
        project: &HostPath,
    ) -> Result<Self, PublishError> {
        let Some(publish) = publish else { return Ok(Self::default()) };
        let packing = publish.packing;
        let mut files = Vec::new();
        if let Some(path) = &publish.comps {
            files.extend(pack_groups(&read_declared(path, project, "comps")?, packing)?);
        }
        if let Some(path) = &publish.updateinfo {
            let text = read_declared(path, project, "updates")?;
            files.push(MetadataFile::packed("updateinfo", "updateinfo", &text, packing)?);
        }
        Ok(Self { packing, parting, files })
    }

    /// The sections that have metadata, the main one last.
    pub fn sections(&self) -> Vec<Section> {
        self.parting.sections()
    }

    /// Whether these metadata are packed as declared, and have the declared files and no others.
    pub fn are_in(&self, metadata: &[PublishedFile]) -> bool {
        let sections = self.sections();
        let has = |section: Section, end: &str| {
            let parts = metadata.iter().map(|file| Section::of_path(&file.path));
            parts.into_iter().any(|(there, path)| there == section && path.ends_with(end))
        };
        let has_kinds = |section: &Section| {
            let kinds = RepositoryKind::ALL.iter();
            kinds
                .into_iter()
                .all(|kind| has(*section, &format!("-{}.xml{}", kind.name(), ending(self.packing))))
        };
        let count = sections.len().saturating_mul(RepositoryKind::ALL.len()).saturating_add(self.files.len());
        metadata.len() == count
            && sections.iter().all(has_kinds)
            && self.files.iter().all(|declared| has(Section::Main, &declared.file.path))
    }
}

/// yum of EL 7 reads groups that are not packed, so that with gzip they are there in both ways, as createrepo_c writes them.
fn pack_groups(text: &[u8], packing: MetadataPacking) -> Result<Vec<MetadataFile>, PublishError> {
    Ok(match packing {
        MetadataPacking::Zstd => vec![MetadataFile::packed("group", "comps", text, packing)?],
        MetadataPacking::Gzip => vec![
            MetadataFile::plain("group", "comps", text),
            MetadataFile::packed("group_gz", "comps", text, packing)?,
        ],
    })
}

fn read_declared(
    path: &Spanned<ManifestPath>,
    project: &HostPath,
    root: &'static str,
) -> Result<Vec<u8>, PublishError> {
    let wrong = |reason: String| {
        let error = WrongMetadata { path: path.value.to_string(), reason };
        PublishError::WrongMetadata(Located::new(error, "declared here", path.place.clone()))
    };
    let text =
        read_file(&path.value.on_host(project)).map_err(|error| wrong(crate::files::reason(&error)))?;
    check_metadata(&text, root).map_err(wrong)?;
    Ok(text.into_bytes())
}

fn read_file(path: &HostPath) -> io::Result<String> {
    let parent = path.as_path().parent().and_then(HostPath::new);
    let (Some(parent), Some(name)) = (parent, path.as_path().file_name()) else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    Folder::open_ambient(&parent)?.read_text_up_to(Path::new(name), LARGEST_DECLARED)
}
