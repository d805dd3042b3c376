//! Repositories: what they have, and the packages themselves.
//!
//! A repository is a folder somewhere with packages and with metadata in `repodata/`: `repomd.xml` names the other files with
//! their checksums, `primary` says what each package needs and gives, `filelists` names all files, `comps` groups. It is at
//! a URL, at several that have the same, or at mirrors that a list or a metalink names. Nothing that comes from one is
//! believed before it has been checked: `repomd.xml` against its signature and the metalink, all else against the checksums
//! there; and whatever size, depth, number and name strangers can choose has a limit.
//!
//! [`Repository::load`] looks which metadata there are, [`Repository::read_packages`] gives them out as a stream, and
//! [`fetch_packages`] brings packages into the store.

mod error;
mod filelists;
mod filter;
pub(in crate::chroot) mod folder;
mod folder_checksums;
mod groups;
mod keys;
mod limits;
mod load;
mod metalink;
mod mirrors;
mod names;
mod packages;
mod primary;
mod problem;
mod read;
mod repomd;
mod request;
mod signed_package;
mod stored;
mod unpack;
mod variables;
mod xml;

pub use error::RepositoryError;
pub use filter::PackageFilter;
pub use groups::{Environment, GroupMember, Groups, Membership, PackageGroup};
pub use load::Repository;
pub use packages::fetch_packages;
pub use primary::named_in_primary;
pub use read::FileLists;
pub use repomd::{MetadataFile, Repomd};
pub use request::{
    Connection, DeclaredKey, KeyPlace, OlderMetadata, RepositoryAccess, RepositoryRequest, RepositorySource,
    RepositoryState, SignatureRule,
};
pub use unpack::unpacked;
