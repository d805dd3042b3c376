//! Where a repository is: its addresses as they are declared, and as mirror lists and metalinks give them.

use std::io::BufReader;

use super::error::RepositoryError;
use super::limits::MOST_LISTED;
use super::metalink::Metalink;
use super::problem::{FileOf, MetadataProblem};
use super::request::{Connection, RepositoryAccess, RepositoryRequest, RepositorySource};
use super::stored::not_fetched;
use crate::digest::{Checksum, Digest, Encoder, Key};
use crate::fetch::Address;

/// Where a repository is, as it is declared, with the values of variables.
pub(super) enum SourceText {
    BaseUrls(Vec<Address>),
    MirrorList(Address),
    Metalink(Address),
}

/// Where its files can be had.
#[derive(Clone, Debug, Default)]
pub(super) struct Mirrors {
    /// The repositories that have the same.
    pub addresses: Vec<Address>,
    /// What `repomd.xml` must be, where that is known: one of these.
    pub checksums: Vec<Checksum>,
    /// The checksum of `repomd.xml` as it is now, where that is known.
    pub current: Option<Checksum>,
}

impl SourceText {
    /// Reads what is declared.
    pub fn new(request: &RepositoryRequest) -> Result<Self, RepositoryError> {
        let address = |text: &str| {
            let url = request.substitute(text)?;
            let place = FileOf { repository: &request.name, file: "its metadata" };
            Address::parse(&url).map_err(|source| not_fetched(place, source))
        };
        Ok(match &request.source {
            RepositorySource::BaseUrls(urls) => {
                Self::BaseUrls(urls.iter().map(|url| address(url)).collect::<Result<_, _>>()?)
            }
            RepositorySource::MirrorList(url) => Self::MirrorList(address(url)?),
            RepositorySource::Metalink(url) => Self::Metalink(address(url)?),
            RepositorySource::Folder(path) => Self::BaseUrls(Address::from_path(path).into_iter().collect()),
        })
    }

    fn addresses(&self) -> &[Address] {
        match self {
            Self::BaseUrls(addresses) => addresses,
            Self::MirrorList(address) | Self::Metalink(address) => std::slice::from_ref(address),
        }
    }

    /// Whether all of it is on this machine.
    pub fn is_local(&self) -> bool {
        self.addresses().iter().all(|address| address.local_path().is_some())
    }

    /// What what was seen of it is remembered under.
    pub fn record_key(&self) -> Key {
        let mut encoder = Encoder::new("rpmforge repository v1");
        encoder.list("addresses", self.addresses().iter(), |encoder, address| {
            encoder.digest_field("address", &Digest::compute(address.secret_text().as_bytes()));
        });
        encoder.key()
    }

    /// As a lock says it.
    pub fn shown(&self) -> String {
        self.addresses().first().map(ToString::to_string).unwrap_or_default()
    }

    /// The mirrors that there are.
    pub fn mirrors(
        &self,
        request: &RepositoryRequest,
        access: &RepositoryAccess<'_>,
    ) -> Result<Mirrors, RepositoryError> {
        let list = match self {
            Self::BaseUrls(addresses) => {
                return Ok(Mirrors { addresses: addresses.clone(), ..Mirrors::default() });
            }
            Self::MirrorList(address) | Self::Metalink(address) => address,
        };
        if access.connection == Connection::Offline && list.local_path().is_none() {
            return Ok(Mirrors::default());
        }
        let shown = list.to_string();
        let place = FileOf { repository: &request.name, file: &shown };
        let file = access.small_file(place, vec![list.clone()], (Vec::new(), None))?;
        let content = file.map(|file| file.content).unwrap_or_default();
        let mirrors = match self {
            Self::Metalink(_) => from_metalink(&content),
            // Servers answer with a metalink at times where a list was asked for, as dnf knows.
            Self::MirrorList(_) if content.trim_ascii_start().starts_with(b"<") => from_metalink(&content),
            Self::BaseUrls(_) | Self::MirrorList(_) => read_mirror_list(request, &content),
        };
        mirrors.map_err(|problem| problem.of(place))
    }
}

fn from_metalink(content: &[u8]) -> Result<Mirrors, MetadataProblem> {
    let Metalink { repositories, checksums, current } = Metalink::read(BufReader::new(content))?;
    Ok(Mirrors { addresses: repositories, checksums, current })
}

/// A list of mirrors: a URL a line; lines that begin with `#` say something to people.
fn read_mirror_list(request: &RepositoryRequest, content: &[u8]) -> Result<Mirrors, MetadataProblem> {
    let text = std::str::from_utf8(content).map_err(|_| MetadataProblem::malformed("it is no text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut addresses = Vec::new();
    for line in lines.take(MOST_LISTED) {
        let url = super::variables::substitute(line, &request.variables).unwrap_or_else(|_| line.to_owned());
        // Of rsync mirrors others may make use.
        let address = Address::parse(&url).ok();
        addresses.extend(address.filter(|address| address.local_path().is_none()));
    }
    match addresses.is_empty() {
        true => Err(MetadataProblem::malformed("it lists no mirror to fetch from")),
        false => Ok(Mirrors { addresses, ..Mirrors::default() }),
    }
}
