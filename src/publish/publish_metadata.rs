//! Metadata, brought into a repository: after its packages, each file under a name of its own, `repomd.xml` last.

use std::io;

use rayon::prelude::*;

use super::PublishError;
use super::client_files::NamedContent;
use super::groups::split_all;
use super::inspect::{FileState, InspectedPackage};
use super::metadata::{JoinedMetadata, Metadata, Revision, join_metadata};
use super::metadata_file::described;
use super::paths::REPOMD;
use super::record::{
    Incoming, PublishedFile, PublishedPackage, RepositoryRecord, SignedMetadata, Superseded,
    have_same_listing,
};
use super::section::Section;
use super::shared_list::SharedList;
use super::staging::{PreparedFile, Staging};
use super::superseded::{remove_expired, supersede};
use super::told::Damaged;
use super::update::Publish;
use crate::event::DamagedFile;

/// Metadata as they were written.
struct WrittenMetadata {
    metadata: Vec<PublishedFile>,
    repomd: Option<PublishedFile>,
    revision: u64,
    signed: Option<SignedMetadata>,
}

/// Metadata that are safe on the disk, and have no places yet.
struct PreparedMetadata {
    files: Vec<(PublishedFile, Option<PreparedFile>)>,
    /// Those that get their places one behind the other.
    together: Vec<PreparedFile>,
}

/// Writes the metadata files that are not there, and those that are to come `together`: all are safe on the disk before the first gets its
/// place, so that there is as little time as can be in which one is new and another is not.
fn prepare_metadata(
    staging: &Staging<'_>,
    files: impl IndexedParallelIterator<Item = ((PublishedFile, Vec<u8>), FileState)>,
    together: &[NamedContent],
) -> io::Result<PreparedMetadata> {
    let prepare = |((mut file, content), state): ((PublishedFile, Vec<u8>), FileState)| match state {
        FileState::Right(times) | FileState::Shared(times) => {
            file.times = Some(times);
            Ok((file, None))
        }
        FileState::ToBring(_) => Ok((file, Some(staging.prepare(&content)?))),
    };
    let (files, together) = rayon::join(
        || files.map(prepare).collect::<io::Result<Vec<_>>>(),
        || together.par_iter().map(|(_, content)| staging.prepare(content)).collect::<io::Result<Vec<_>>>(),
    );
    Ok(PreparedMetadata { files: files?, together: together? })
}

impl Publish<'_> {
    /// Joins the metadata of what packages are once all that is to come has come; nothing where that can't be done yet.
    pub fn join_ahead(&self, packages: &[InspectedPackage]) -> Option<JoinedMetadata> {
        let packages: Vec<PublishedPackage> = packages.iter().map(InspectedPackage::when_brought).collect();
        let published = self.published.groups();
        let split = split_all(&packages, self.declared.packing, published);
        join_metadata(&self.target.folder, self.groups, self.declared, (&split, published)).ok()
    }

    /// Writes the metadata where they are not what they should be; gives the record as it is now. What was joined `ahead` is taken where
    /// it is of these packages.
    pub fn publish_metadata(
        &self,
        packages: Vec<PublishedPackage>,
        ahead: Option<JoinedMetadata>,
        damaged: &mut Damaged,
    ) -> Result<RepositoryRecord, PublishError> {
        let record = self.inspector.record;
        let packages = SharedList::from(packages);
        let mut metadata = record.metadata.clone();
        let mut repomd = record.repomd.clone();
        let mut signed = record.signed.clone();
        let mut is_right = repomd.is_some()
            && self.target.is_signed_as_wanted(record)
            && self.declared.are_in(&record.metadata)
            && have_same_listing(&record.packages, &packages);
        let signing = signed.iter_mut().flat_map(|signed| &mut signed.files);
        for file in metadata.iter_mut().chain(&mut repomd).chain(signing) {
            match self.inspector.file(file)? {
                FileState::Right(times) | FileState::Shared(times) => file.times = Some(times),
                FileState::ToBring(damage) => {
                    is_right = false;
                    damaged.repaired.extend(damage.map(|damage| {
                        let path = file.path.clone();
                        DamagedFile::new(path, None, damage)
                    }));
                }
            }
        }
        let mut revision = record.revision;
        if !is_right {
            WrittenMetadata { metadata, repomd, revision, signed } = self.write_metadata(&packages, ahead)?;
        }
        let mut superseded = supersede(record, &packages, &metadata, self.now);
        let abandoned = damaged.abandoned.drain(..);
        superseded.extend(abandoned.map(|file| Superseded { file, since: self.now, is_spent: true }));
        let replaced = self.target.keep.replaced();
        let superseded = remove_expired(&self.target.folder, superseded, replaced, self.now)?;
        Ok(RepositoryRecord {
            owner: record.owner.clone(),
            chroot: record.chroot.clone(),
            links: self.target.links,
            packages,
            retired: self.retired.clone(),
            metadata,
            repomd,
            signed,
            revision,
            incoming: None,
            superseded,
        })
    }

    fn write_metadata(
        &self,
        packages: &SharedList<PublishedPackage>,
        ahead: Option<JoinedMetadata>,
    ) -> Result<WrittenMetadata, PublishError> {
        let record = self.inspector.record;
        // None are on record where it was recovered from them.
        let says_the_same = record.revision > 0
            && have_same_listing(&record.packages, packages)
            && (record.metadata.is_empty() || self.declared.are_in(&record.metadata));
        let revision = match says_the_same {
            true => Revision::Kept(record.revision),
            false => Revision::Above(record.revision),
        };
        let published = self.published.groups();
        let split = split_all(packages, self.declared.packing, published);
        let joined = match ahead.filter(|ahead| ahead.is_of(&split)) {
            Some(ahead) => ahead,
            None => join_metadata(&self.target.folder, self.groups, self.declared, (&split, published))?,
        };
        let Metadata { files, repomds, revision } = joined.with_revision(revision);
        let repomd_text = repomds.last().map(|(_, text)| text.clone()).unwrap_or_default();
        let mut repomd = described(REPOMD.to_owned(), &repomd_text);
        let states: Vec<FileState> =
            files.iter().map(|(file, _)| self.inspector.file(file)).collect::<Result<_, _>>()?;
        let metadata = files.iter().map(|(file, _)| file.clone()).collect();
        let (mut signed, beside) = self.write_client_files(&repomds)?;
        let incoming = Incoming {
            packages: packages.clone(),
            metadata,
            repomd: Some(repomd.clone()),
            signed: Some(signed.clone()),
            revision,
        };
        let staging = Staging::open(&self.target.folder)?;
        let path = repomd.path.clone();
        // The signature stands last among those: between it and what it is of comes nothing.
        let together: Vec<NamedContent> = beside.into_iter().chain([(path.clone(), repomd_text)]).collect();
        // Each waits for the disk: together they wait once.
        let (announced, prepared) = rayon::join(
            || self.announce(&staging, incoming),
            || prepare_metadata(&staging, files.into_par_iter().zip(states), &together),
        );
        announced?;
        let PreparedMetadata { files: prepared, together: prepared_together } = prepared?;
        let mut metadata = Vec::new();
        for (mut file, prepared) in prepared {
            if let Some(prepared) = prepared {
                file.times = Some(staging.put(prepared, &file.path)?);
            }
            metadata.push(file);
        }
        // A publish that was killed may have brought in packages whose names are not on the disk yet.
        let left_over = packages.iter().filter(|_| self.inspector.record.incoming.is_some());
        let names = left_over.flat_map(|package| &package.files).map(|file| file.path.as_str());
        let written = metadata.iter().map(|file: &PublishedFile| file.path.as_str());
        staging.sync_names(names.chain(written))?;
        let paths = together.iter().map(|(path, _)| path.as_str());
        let times =
            prepared_together.into_iter().zip(paths).map(|(prepared, path)| staging.put(prepared, path));
        let mut times = times.collect::<io::Result<Vec<_>>>()?.into_iter();
        for file in signed.files.iter_mut().chain([&mut repomd]) {
            file.times = times.next();
        }
        self.remove_client_files(&signed)?;
        staging.sync_names(signed.files.iter().map(|file| file.path.as_str()).chain([path.as_str()]))?;
        staging.close()?;
        self.groups.forget(published, &split);
        Ok(WrittenMetadata { metadata, repomd: Some(repomd), revision, signed: Some(signed) })
    }

    /// The files that stand beside the main `repomd.xml`, and their contents.
    fn write_client_files(
        &self,
        repomds: &[(Section, Vec<u8>)],
    ) -> Result<(SignedMetadata, Vec<NamedContent>), PublishError> {
        let repomds: Vec<(Section, &[u8])> =
            repomds.iter().map(|(section, text)| (*section, text.as_slice())).collect();
        let mut contents = self.target.clients.files(&repomds, self.now)?;
        if self.target.has_foreign_repo_file(self.inspector.record) {
            contents.retain(|(path, _)| *path != self.target.repo_file());
        }
        let mut files = Vec::new();
        for (path, content) in &contents {
            let file = described(path.clone(), content);
            if !path.contains('/') {
                // What others have put there is theirs.
                self.inspector.file(&file)?;
            }
            files.push(file);
        }
        Ok((SignedMetadata { by: self.target.clients.fingerprints(), files }, contents))
    }

    /// Removes the files beside metadata that are on record and no longer wanted: a signature of something else would have clients
    /// refuse the repository.
    fn remove_client_files(&self, wanted: &SignedMetadata) -> io::Result<()> {
        let own = self.target.repo_file();
        let is_wanted = |path: &str| wanted.files.iter().any(|file| file.path == path);
        // What another chroot's clients are told is not its own.
        let removable = |path: &str| path.contains('/') || path == own;
        let recorded = self.inspector.record.signing_files().map(|file| file.path.as_str());
        for path in recorded.filter(|path| removable(path) && !is_wanted(path)) {
            self.target.folder.remove_file(path)?;
        }
        Ok(())
    }
}
