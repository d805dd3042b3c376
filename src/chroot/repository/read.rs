//! What a repository has, read from its metadata as a stream.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::error::RepositoryError;
use super::filelists::FilelistsReader;
use super::groups::Groups;
use super::limits::LARGEST_UNPACKED;
use super::load::{Repository, RepositoryContents};
use super::primary::PrimaryReader;
use super::problem::{FileOf, MetadataProblem};
use super::repomd::MetadataFile;
use super::request::RepositoryAccess;
use super::unpack::unpacked;
use crate::chroot::AvailablePackage;
use crate::digest::Checksum;

/// Which files of packages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLists {
    /// Those that `primary` names: programs and configuration, which packages most often depend on.
    OnlyPrimary,
    /// All.
    All,
}

impl Repository {
    /// Gives all packages to `take`, source packages too, one after the other: nothing of them is kept here. Those that
    /// `exclude` names are among them; the [filter](super::RepositoryRequest::filter) tells them.
    ///
    /// # Errors
    /// What is wrong with the metadata. What was given by then is to be thrown away.
    pub fn read_packages(
        &self,
        access: &RepositoryAccess<'_>,
        lists: FileLists,
        mut take: impl FnMut(AvailablePackage),
    ) -> Result<(), RepositoryError> {
        let mut seen = SeenPackages::default();
        match &self.contents {
            RepositoryContents::Packages(packages) => {
                packages.iter().cloned().for_each(take);
                return Ok(());
            }
            RepositoryContents::Metadata { .. } => {}
        }
        let Some((primary, file)) = self.metadata("primary", access)? else { return Ok(()) };
        let all_files = match lists {
            FileLists::OnlyPrimary => None,
            FileLists::All => self.metadata("filelists", access)?,
        };
        let place = self.place(file);
        access.store.read_blob(&primary, |reader| {
            let mut packages = open_primary(reader, file).map_err(|problem| problem.of(place))?;
            let Some((blob, lists_file)) = all_files else {
                return each_package(&mut packages, |package| {
                    seen.note(&package).map(|is_new| {
                        if is_new {
                            take(package)
                        }
                    })
                })
                .and_then(|()| check_size(packages.position(), file))
                .map_err(|problem| problem.of(place));
            };
            let lists_place = self.place(lists_file);
            access.store.read_blob(&blob, |reader| {
                let mut lists =
                    open_filelists(reader, lists_file).map_err(|problem| problem.of(lists_place))?;
                while let Some(mut package) = packages.next_package().map_err(|problem| problem.of(place))? {
                    let files =
                        lists.files_of(package.checksum.hex()).map_err(|problem| problem.of(lists_place))?;
                    package.files = files.unwrap_or(package.files);
                    if seen.note(&package).map_err(|problem| problem.of(place))? {
                        take(package);
                    }
                }
                check_size(packages.position(), file).map_err(|problem| problem.of(place))
            })
        })
    }

    /// The groups of packages that it names.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read_groups(&self, access: &RepositoryAccess<'_>) -> Result<Groups, RepositoryError> {
        let Some((blob, file)) = self.metadata("group", access)? else { return Ok(Groups::default()) };
        let place = self.place(file);
        access.store.read_blob(&blob, |reader| {
            let content = unpacked(reader).map_err(|error| unreadable(&error).of(place))?;
            Groups::read(content).map_err(|problem| problem.of(place))
        })
    }

    fn place<'a>(&'a self, file: &'a MetadataFile) -> FileOf<'a> {
        FileOf { repository: &self.name, file: &file.href }
    }
}

/// The packages that were given out, with their checksums.
#[derive(Default)]
struct SeenPackages(HashMap<String, Checksum>);

impl SeenPackages {
    /// Whether a package is new; an error where another file was given out for it.
    fn note(&mut self, package: &AvailablePackage) -> Result<bool, MetadataProblem> {
        let nevra = format!("{}-{}.{}", package.name, package.evr, package.arch);
        match self.0.get(&nevra) {
            None => {
                self.0.insert(nevra, package.checksum.clone());
                Ok(true)
            }
            Some(checksum) if *checksum == package.checksum => Ok(false),
            Some(_) => Err(MetadataProblem::Twice(nevra)),
        }
    }
}

fn each_package(
    packages: &mut PrimaryReader<impl BufRead>,
    mut take: impl FnMut(AvailablePackage) -> Result<(), MetadataProblem>,
) -> Result<(), MetadataProblem> {
    while let Some(package) = packages.next_package()? {
        take(package)?;
    }
    Ok(())
}

fn open_primary<'r>(
    reader: impl Read + 'r,
    file: &MetadataFile,
) -> Result<PrimaryReader<Box<dyn BufRead + 'r>>, MetadataProblem> {
    PrimaryReader::new(unpacked(reader).map_err(|error| unreadable(&error))?, most_unpacked(file)?)
}

fn open_filelists<'r>(
    reader: impl Read + 'r,
    file: &MetadataFile,
) -> Result<FilelistsReader<Box<dyn BufRead + 'r>>, MetadataProblem> {
    FilelistsReader::new(unpacked(reader).map_err(|error| unreadable(&error))?, most_unpacked(file)?)
}

/// How many bytes are read of a file: what was said of it, but no more than any may have.
fn most_unpacked(file: &MetadataFile) -> Result<u64, MetadataProblem> {
    match file.open_size {
        Some(size) if size > LARGEST_UNPACKED => Err(MetadataProblem::TooLarge {
            what: "it is larger, unpacked".to_owned(),
            most: LARGEST_UNPACKED,
        }),
        Some(size) => Ok(size),
        None => Ok(LARGEST_UNPACKED),
    }
}

fn check_size(found: u64, file: &MetadataFile) -> Result<(), MetadataProblem> {
    match file.open_size.filter(|size| *size != found) {
        Some(size) => {
            Err(MetadataProblem::Malformed(format!("it has {found} bytes, unpacked, and should have {size}")))
        }
        None => Ok(()),
    }
}

fn unreadable(error: &std::io::Error) -> MetadataProblem {
    MetadataProblem::Malformed(crate::files::reason(error))
}
