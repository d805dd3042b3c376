//! Where packages come from → verified files.
//!
//! A package's [`Origin`] is its spec and the folder that the spec lies in; its [inputs](InputFile) are the files that
//! the spec names. Source packages are [unpacked](SourceFolders) first, within [limits]. What is not in the project is
//! [gathered](Gathering): fetched, checked, kept in the store, and locked; so are files that specs name by URL.

pub mod autospec;
mod checksum_lines;
pub mod crates;
mod distgit;
mod eject;
mod gather;
pub mod git;
#[cfg(test)]
mod hostile_metadata;
mod input;
mod input_file;
mod limits;
mod lock;
mod made_in_root;
pub mod made_spec;
mod mirrors;
mod neighbours;
pub mod newer;
pub mod npm;
mod origin;
pub mod pypi;
mod reach;
mod rebuilt;
mod registry;
mod remote;
pub mod rubygems;
mod source_folders;
mod source_package;
mod svn;
mod tarball;
mod tools;
mod url;

pub use distgit::DistgitError;
pub use eject::{Ejected, eject};
pub use gather::{GatheredSource, Gathering};
pub use input::inputs;
pub use input_file::InputFile;
pub use limits::{
    MISTAKES_TOLD, NAME_BYTES, PACKAGE_FILES, SOURCE_BYTES, SPEC_BYTES, UNPACKED_BYTES,
    UNPACKED_BYTES_OF_ANY, UNPACKED_RATIO,
};
pub use lock::{LockedFile, LockedSource, SourceLock};
pub use made_in_root::{MakingError, RefusedRoot, SourceMaking, SourceRoot, SourceRoots, wish_name};
pub use mirrors::Mirrors;
pub use neighbours::Neighbours;
pub use origin::{Origin, source_packages};
pub use rebuilt::{BuiltSource, BuiltSources, ChrootRepository, RebuiltError, SourceShelves};
pub use remote::{
    FetchedSource, NamedSources, RemoteError, RemoteFile, RemoteSource, SourceSignatureError, StoredFile,
    fetch_remote_sources,
};
pub use source_folders::SourceFolders;
pub use svn::SvnError;
pub use tools::{FetchPrograms, Gathered, SourceProgress, SourceTools};

use std::io;

use crate::package::PackageError;
use crate::store::StoreError;

/// Why a package's source is of no use.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    /// A kind of source that this forge can't take yet.
    #[error("`source {kind}` is not supported yet")]
    #[diagnostic(
        code(forge::source::not_yet),
        help("put spec and sources into the repository and use `source path`")
    )]
    NotYet {
        /// The kind.
        kind: String,
    },
    /// A file that the spec names is nowhere.
    #[error("the spec of package `{package}` needs `{file}`, which is not there")]
    #[diagnostic(code(forge::source::missing))]
    Missing {
        /// The package.
        package: String,
        /// The file.
        file: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A file has another checksum than the manifest says.
    #[error("`{file}` is not the file that the manifest means: its SHA-256 is {found}")]
    #[diagnostic(
        code(forge::source::checksum),
        help("was it damaged on its way, or replaced? the manifest says {wanted}")
    )]
    Checksum {
        /// The file.
        file: String,
        /// What the manifest says.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A `file` pattern that nothing matches.
    #[error("no file matches `{pattern}`")]
    #[diagnostic(
        code(forge::source::no_file),
        help(
            "it is relative to the file of the manifest that says it; what makes the file: a build, a download?"
        )
    )]
    NoFile {
        /// The pattern.
        pattern: String,
    },
    /// Two files of one name.
    #[error("both `{one}` and `{other}` would be the source `{name}`")]
    #[diagnostic(
        code(forge::source::ambiguous),
        help("a spec knows its sources by their file names: keep one of the two")
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// A source package without a spec.
    #[error("`{file}` holds no spec")]
    #[diagnostic(
        code(forge::source::no_spec),
        help(
            "a source package has one spec, and so has a tarball that a package is made of; `rpm -qpl FILE` or `tar -tf FILE` lists what is in it"
        )
    )]
    NoSpec {
        /// The file.
        file: String,
    },
    /// A source package or a folder with more than one spec.
    #[error("`{file}` holds {count} specs: {names}")]
    #[diagnostic(
        code(forge::source::many_specs),
        help("which one is meant? unpack it into a folder, and say `source path \"FOLDER/NAME.spec\"`")
    )]
    ManySpecs {
        /// The file or folder.
        file: String,
        /// How many.
        count: usize,
        /// Their names.
        names: String,
    },
    /// A file in a source package that could do harm where it is unpacked.
    #[error("`{file}` holds `{name}`, which is not unpacked: {reason}")]
    #[diagnostic(
        code(forge::source::unsafe_file),
        help("rpmbuild makes no such source packages; where does this one come from?")
    )]
    UnsafeFile {
        /// The source package.
        file: String,
        /// The file in it.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A source package with too many files.
    #[error("`{file}` holds {files} files; forge unpacks no more than {most}")]
    #[diagnostic(
        code(forge::source::too_many_files),
        help("unpack it yourself, and name the spec: `source path \"FOLDER/NAME.spec\"`")
    )]
    TooManyFiles {
        /// The source package.
        file: String,
        /// How many.
        files: usize,
        /// How many there may be.
        most: usize,
    },
    /// A source package that would take too much room.
    #[error("`{file}` would unpack to {bytes} bytes, more than the {} GiB that forge unpacks", most >> 30)]
    #[diagnostic(
        code(forge::source::too_large),
        help("unpack it yourself, and name the spec: `source path \"FOLDER/NAME.spec\"`")
    )]
    TooLarge {
        /// The source package.
        file: String,
        /// To how many bytes.
        bytes: u64,
        /// How many there may be.
        most: u64,
    },
    /// A source package that is small, and would take much room.
    #[error("`{file}` has {packed_bytes} bytes and would unpack to {bytes}, more than {ratio} times as many")]
    #[diagnostic(
        code(forge::source::too_compressed),
        help(
            "sources are rarely like that, attacks are; if this one is sound, unpack it yourself and name the spec: \
             `source path \"FOLDER/NAME.spec\"`"
        )
    )]
    TooCompressed {
        /// The source package.
        file: String,
        /// To how many bytes.
        bytes: u64,
        /// How many bytes it has.
        packed_bytes: u64,
        /// How many times as many there may be.
        ratio: u64,
    },
    /// A spec that is no spec, by its size.
    #[error("the spec `{file}` has {bytes} bytes; forge reads no more than {} MiB", most >> 20)]
    #[diagnostic(code(forge::source::spec_too_large), help("is it a spec? put data into files of their own"))]
    SpecTooLarge {
        /// The spec.
        file: String,
        /// How many bytes it has.
        bytes: u64,
        /// How many there may be.
        most: u64,
    },
    /// A link that leads elsewhere.
    #[error("`{link}` is a link to `{target}`, which is outside of {folder}")]
    #[diagnostic(
        code(forge::source::link_leaves),
        help(
            "what packages are made from lies in the project: copy the file, or name it by its absolute path"
        )
    )]
    LinkLeaves {
        /// The link.
        link: String,
        /// Where it leads.
        target: String,
        /// What it leads out of.
        folder: String,
    },
    /// A folder, a pipe or a device in the place of a file.
    #[error("`{file}` is no regular file")]
    #[diagnostic(
        code(forge::source::not_a_file),
        help("a spec and its sources are regular files, or links to such")
    )]
    NotAFile {
        /// The file.
        file: String,
    },
    /// A source package that was written to while it was read.
    #[error("`{file}` was changed while it was unpacked")]
    #[diagnostic(code(forge::source::changed), help("run forge again once it is complete"))]
    Changed {
        /// The source package.
        file: String,
    },
    /// Too many mistakes to tell them all.
    #[error("{count} more sources of this package are of no use")]
    #[diagnostic(code(forge::source::and_more), help("put those right that are named, and run forge again"))]
    AndMore {
        /// How many.
        count: usize,
    },
    /// A package of a distribution can't be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Distgit(#[from] DistgitError),
    /// A git repository is of no use.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Git(Box<git::GitError>),
    /// A Subversion repository is of no use.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Svn(Box<SvnError>),
    /// A repository doesn't make its sources as it says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Method(Box<git::MethodError>),
    /// A file from elsewhere can't be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Remote(Box<RemoteError>),
    /// A file is not signed as it should be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Signature(Box<SourceSignatureError>),
    /// A page of releases says nothing.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Upstream(#[from] newer::UpstreamError),
    /// No spec can be made of what a registry has.
    #[error(transparent)]
    #[diagnostic(transparent)]
    MadeSpec(#[from] made_spec::MadeSpecError),
    /// What was made before can't be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rebuilt(Box<RebuiltError>),
    /// No program can make it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Making(Box<MakingError>),
    /// A package that can't be unpacked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::source::io), help("may forge read it?"))]
    Io(#[from] io::Error),
}

impl From<RemoteError> for SourceError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(Box::new(error))
    }
}

impl From<SourceSignatureError> for SourceError {
    fn from(error: SourceSignatureError) -> Self {
        Self::Signature(Box::new(error))
    }
}

impl From<git::GitError> for SourceError {
    fn from(error: git::GitError) -> Self {
        Self::Git(Box::new(error))
    }
}

impl From<git::MethodError> for SourceError {
    fn from(error: git::MethodError) -> Self {
        Self::Method(Box::new(error))
    }
}

impl From<SvnError> for SourceError {
    fn from(error: SvnError) -> Self {
        Self::Svn(Box::new(error))
    }
}
