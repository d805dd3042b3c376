//! Sending the repositories of a manifest to the places that it names.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use miette::Diagnostic;

use super::PlaceError;
use super::aws_settings::AwsSettings;
use super::oci_logins::OciLogins;
use super::oci_place::OciPlace;
use super::oci_registry::OciRegistry;
use super::place::PublishPlace;
use super::programs::PlacePrograms;
use super::rsync_place::RsyncPlace;
use super::s3_place::S3Place;
use super::send_repository::{Shipment, Shipped};
use super::sending::Sending;
use super::snapshot::Snapshot;
use crate::digest::Digest;
use crate::event::What;
use crate::fetch::Client;
use crate::files::Folder;
use crate::manifest::{PlaceAddress, PlaceDecl, is_oci_name, is_oci_tag};
use crate::process::Cancel;
use crate::publish::Repositories;
use crate::publish::repositories::RepositoryPlace;

/// What repositories are sent with.
pub struct PlaceTools<'a> {
    /// What speaks HTTP.
    pub client: &'a Client,
    /// What this machine says of buckets.
    pub aws: &'a AwsSettings,
    /// Who asks registries.
    pub logins: &'a OciLogins,
    /// What runs programs.
    pub programs: PlacePrograms<'a>,
    /// Calls it off.
    pub cancel: &'a Cancel,
    /// Is told what happens.
    pub tell: &'a (dyn Fn(What) + Sync),
}

/// Which places are meant.
#[derive(Clone, Debug, Default)]
pub struct PlaceRequest {
    /// The place as the manifest says it, or what it is for a chroot; all where it is left out.
    pub only: Option<String>,
}

/// The tag where the manifest says none.
const LATEST: &str = "latest";

/// Docker's own registry, and the machine that answers for it.
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// The folder, in the project's state, of small files on their way.
const SCRATCH: &str = "sending";

/// How often it is told how far it is.
const BETWEEN_REPORTS: Duration = Duration::from_millis(200);

impl Repositories {
    /// Sends the repository of each chroot to each place that the manifest names; gives how many of those there were.
    ///
    /// What can't be sent is told, and hinders nothing else.
    pub fn send_to_places(&self, request: &PlaceRequest, tools: &PlaceTools<'_>) -> usize {
        let Some(publish) = &self.manifest.publish else { return 0 };
        let mut met = 0;
        for repository in self.declared_places() {
            for place in &publish.places {
                let address = place.address.value.with_chroot(&repository.chroot);
                let shown = address.to_string();
                let is_meant = request
                    .only
                    .as_ref()
                    .is_none_or(|only| *only == shown || *only == place.address.value.to_string());
                if is_meant && !tools.cancel.is_canceled() {
                    met += 1;
                    self.send_to_place(&repository, (place, &address), tools);
                }
            }
        }
        met
    }

    fn send_to_place(
        &self,
        repository: &RepositoryPlace,
        (place, address): (&PlaceDecl, &PlaceAddress),
        tools: &PlaceTools<'_>,
    ) {
        let (chroot, shown) = (repository.chroot.clone(), address.to_string());
        match self.try_to_send(repository, (place, address), tools) {
            Ok(None | Some(Shipped { files: 0, removed: 0, .. })) => {}
            Ok(Some(Shipped { files, bytes, removed })) => {
                (tools.tell)(What::Sent { chroot, place: shown, files, bytes, removed });
            }
            Err(error) => {
                let (code, help) =
                    (error.code().map(|code| code.to_string()), error.help().map(|help| help.to_string()));
                (tools.tell)(What::NotSent { chroot, place: shown, cause: error.to_string(), code, help });
            }
        }
    }

    fn try_to_send(
        &self,
        repository: &RepositoryPlace,
        (place, address): (&PlaceDecl, &PlaceAddress),
        tools: &PlaceTools<'_>,
    ) -> Result<Option<Shipped>, PlaceError> {
        let Some(folder) = self.open(&repository.path)? else { return Ok(None) };
        let shown = repository.path.to_string();
        let Some(snapshot) = Snapshot::read(&folder, &shown, (&self.decoded, self.clock.now()))? else {
            return Ok(None);
        };
        let reporter = Reporter::new(&repository.chroot, &address.to_string(), tools.tell);
        let shipment = Shipment {
            snapshot: &snapshot,
            chroot: &repository.chroot,
            adopts: self.manifest.publish.as_ref().is_some_and(|publish| publish.adopts),
            clock: &*self.clock,
            announce: &|bytes| reporter.announce(bytes),
        };
        let count = |bytes| reporter.count(bytes);
        let from = Sending { folder: &folder, shown: &shown, count: &count };
        let shipped = match open_place((place, address), (tools, &self.state))? {
            OpenPlace::Files(place) => shipment.deliver(&*place, &from),
            OpenPlace::Artifact(place) => place.deliver(&shipment, &from),
        };
        shipped.map(Some).map_err(|error| match tools.cancel.is_canceled() {
            true => PlaceError::Canceled,
            false => error,
        })
    }
}

/// A place, ready to be sent to.
enum OpenPlace<'a> {
    /// One that has files, of which each is replaced by itself.
    Files(Box<dyn PublishPlace + 'a>),
    /// One that has the repository as a whole.
    Artifact(Box<OciPlace<'a>>),
}

fn open_place<'a>(
    (place, address): (&PlaceDecl, &PlaceAddress),
    (tools, state): (&'a PlaceTools<'a>, &Folder),
) -> Result<OpenPlace<'a>, PlaceError> {
    let scratch = || {
        let name = Digest::compute(address.to_string().as_bytes());
        state.create(SCRATCH)?.create(name.short(16))
    };
    match address {
        PlaceAddress::S3 { bucket, prefix } => {
            let opened = S3Place::open((bucket, prefix), place, (tools.client, tools.cancel), tools.aws)?;
            Ok(OpenPlace::Files(Box::new(opened)))
        }
        PlaceAddress::Oci { registry, name, tag } => {
            let tag = tag.as_deref().unwrap_or(LATEST);
            let scratch = scratch()?;
            let registry = open_registry((place, registry), (name, tag), (tools, &scratch))?;
            Ok(OpenPlace::Artifact(Box::new(OciPlace { registry, tag: tag.to_owned(), scratch })))
        }
        PlaceAddress::Rsync(address) => Ok(OpenPlace::Files(Box::new(RsyncPlace {
            address: address.clone(),
            programs: &tools.programs,
            cancel: tools.cancel,
            scratch: scratch()?,
        }))),
    }
}

fn open_registry<'a>(
    (place, registry): (&PlaceDecl, &str),
    (name, tag): (&str, &str),
    (tools, scratch): (&'a PlaceTools<'a>, &Folder),
) -> Result<OciRegistry<'a>, PlaceError> {
    // Chroots may have names that registries can't have.
    if !is_oci_name(name) || !is_oci_tag(tag) {
        let reason = format!("no registry can have `{name}:{tag}`");
        return Err(PlaceError::Address { reason });
    }
    let host = if registry == DOCKER_HUB { DOCKER_HUB_HOST } else { registry };
    let usual = || format!("https://{host}");
    let base = place.endpoint.clone().unwrap_or_else(usual).trim_end_matches('/').to_owned();
    let login = tools.logins.find((registry, name), (&tools.programs, scratch, tools.cancel));
    Ok(OciRegistry {
        base,
        name: name.to_owned(),
        login,
        client: tools.client,
        cancel: tools.cancel,
        authorization: Mutex::default(),
    })
}

/// Tells how far it is, and not too often.
struct Reporter<'a> {
    chroot: &'a str,
    place: String,
    tell: &'a (dyn Fn(What) + Sync),
    sent: AtomicU64,
    total: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl<'a> Reporter<'a> {
    fn new(chroot: &'a str, place: &str, tell: &'a (dyn Fn(What) + Sync)) -> Self {
        let (sent, total) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { chroot, place: place.to_owned(), tell, sent, total, last: Mutex::default() }
    }

    fn announce(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
        if bytes > 0 {
            self.count(0);
        }
    }

    fn count(&self, bytes: u64) {
        let sent = self.sent.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < BETWEEN_REPORTS) {
            return;
        }
        *last = Some(Instant::now());
        let (chroot, place) = (self.chroot.to_owned(), self.place.clone());
        (self.tell)(What::Sending {
            chroot,
            place,
            bytes: sent,
            total_bytes: self.total.load(Ordering::Relaxed),
        });
    }
}
