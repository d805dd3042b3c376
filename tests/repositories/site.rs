//! Repositories, made for a test; and whoever uses them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::Diagnostic;
use rpmforge::chroot::{
    AvailablePackage, Checksum, ChecksumAlgorithm, Connection, FileLists, LockedPackage, OlderMetadata,
    Repository, RepositoryAccess, RepositoryError, RepositoryRequest, RepositorySource, SignatureRule,
    fetch_packages,
};
use rpmforge::event::Timestamp;
use rpmforge::fetch::{Client, Proxies};
use rpmforge::files::HostPath;
use rpmforge::process::Cancel;
use rpmforge::store::{Blob, Repair, Store};
use tempfile::TempDir;

use crate::downloads::impatient;
use crate::keys::{MADE, TestKey};

/// A repository in a folder.
pub struct Site {
    temp: TempDir,
}

impl Site {
    pub fn new() -> Self {
        Self { temp: TempDir::new().unwrap() }
    }

    /// One with two packages, indexed.
    pub fn with_packages() -> Self {
        let site = Self::new();
        site.add("alpha", "1.0", None);
        site.add("beta", "2.0", None);
        site.index(&[]);
        site
    }

    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    pub fn host_path(&self) -> HostPath {
        HostPath::new(self.path()).unwrap()
    }

    /// Adds a package, signed or not, and gives its path.
    pub fn add(&self, name: &str, version: &str, signer: Option<&TestKey>) -> PathBuf {
        let folder = self.path().join("Packages");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}-{version}-1.noarch.rpm"));
        fs::write(&path, package(name, version, signer)).unwrap();
        path
    }

    /// Has createrepo_c write metadata.
    pub fn index(&self, arguments: &[&str]) {
        let run = Command::new("createrepo_c").arg("--quiet").args(arguments).arg(self.path()).output();
        let run = run.expect("createrepo_c is installed where tests run");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }

    /// Signs `repomd.xml`.
    pub fn sign(&self, key: &TestKey) {
        let repomd = self.path().join("repodata/repomd.xml");
        let signature = key.sign(&fs::read(&repomd).unwrap());
        fs::write(self.path().join("repodata/repomd.xml.asc"), signature).unwrap();
    }

    /// All files, by their paths.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => open.push(path),
                    false => {
                        let below = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                        files.insert(below, fs::read(&path).unwrap());
                    }
                }
            }
        }
        files
    }
}

/// The bytes of a package.
pub fn package(name: &str, version: &str, signer: Option<&TestKey>) -> Vec<u8> {
    let mut builder = rpm::PackageBuilder::new(name, version, "MIT", "noarch", "For a test");
    builder
        .using_config(rpm::BuildConfig::v4().source_date(MADE))
        .release("1")
        .vendor("Acme")
        .requires(rpm::Dependency::greater_eq("gamma", "1:3.0"))
        .requires(rpm::Dependency::any("/bin/sh"))
        .with_file_contents(
            format!("this is {name}"),
            rpm::FileOptions::new(format!("/usr/share/{name}/readme")),
        )
        .unwrap()
        .with_file_contents("#!/bin/sh\n", rpm::FileOptions::new(format!("/usr/bin/{name}")).mode(0o100_755))
        .unwrap();
    let built = match signer {
        Some(key) => builder.build_and_sign(rpm::signature::pgp::Signer::from_asc(&key.secret()).unwrap()),
        None => builder.build(),
    };
    let mut bytes = Vec::new();
    built.unwrap().write(&mut bytes).unwrap();
    bytes
}

pub fn sha256(content: &[u8]) -> Checksum {
    Checksum::compute(ChecksumAlgorithm::Sha256, content)
}

/// A repository whose metadata a test writes itself: `repomd.xml` and what it names, with right checksums and sizes.
pub fn made(files: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    let mut repomd =
        "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><revision>5</revision>".to_owned();
    let mut all = BTreeMap::new();
    for (kind, content) in files {
        let href = format!("repodata/{kind}.xml");
        let (checksum, size) = (sha256(content), content.len());
        write!(
            repomd,
            "<data type=\"{kind}\"><checksum type=\"sha256\">{}</checksum><location href=\"{href}\"/>\
             <timestamp>5</timestamp><size>{size}</size></data>",
            checksum.hex()
        )
        .unwrap();
        all.insert(href, content.to_vec());
    }
    all.insert("repodata/repomd.xml".to_owned(), format!("{repomd}</repomd>").into_bytes());
    all
}

/// `primary` with packages that a test writes.
pub fn primary(packages: &[String]) -> String {
    format!(
        "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">{}</metadata>",
        packages.concat()
    )
}

/// A package of `primary`.
pub fn entry(name: &str, href: &str) -> String {
    let checksum = sha256(href.as_bytes());
    format!(
        "<package type=\"rpm\"><name>{name}</name><arch>noarch</arch><version epoch=\"0\" ver=\"1\" rel=\"1\"/>\
         <checksum type=\"sha256\" pkgid=\"YES\">{}</checksum><size package=\"1\" installed=\"2\" archive=\"3\"/>\
         <location href=\"{href}\"/><format><rpm:vendor/></format></package>",
        checksum.hex()
    )
}

/// Somebody who uses repositories: a store and a client.
pub struct User {
    _temp: TempDir,
    pub store: Store,
    client: Client,
    cancel: Cancel,
    pub connection: Connection,
    /// Seconds after keys were made.
    pub time: u32,
}

impl User {
    pub fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let store = Store::open(&HostPath::new(temp.path().join("store")).unwrap()).unwrap();
        let client = Client::new(impatient(), Proxies::default()).unwrap();
        let (cancel, connection) = (Cancel::default(), Connection::Online);
        Self { _temp: temp, store, client, cancel, connection, time: 100 }
    }

    pub fn access(&self) -> RepositoryAccess<'_> {
        let now = Timestamp(u64::from(MADE + self.time) * 1000);
        RepositoryAccess {
            store: &self.store,
            client: &self.client,
            connection: self.connection,
            now,
            keys_at: now,
            cancel: &self.cancel,
            progress: &|_| {},
        }
    }

    pub fn load(&self, request: &RepositoryRequest) -> Result<Repository, RepositoryError> {
        Repository::load(request, &self.access())
    }

    /// All packages that a repository has, with all files.
    pub fn packages(&self, request: &RepositoryRequest) -> Result<Vec<AvailablePackage>, RepositoryError> {
        let mut packages = Vec::new();
        self.load(request)?
            .read_packages(&self.access(), FileLists::All, |package| packages.push(package))?;
        Ok(packages)
    }

    pub fn fetch(
        &self,
        packages: &[LockedPackage],
        request: &RepositoryRequest,
    ) -> Result<Vec<Blob>, RepositoryError> {
        fetch_packages(packages, std::slice::from_ref(request), &self.access())
    }

    /// The error of a repository that is refused, with its code; it has a help, and nothing in the store is wrong.
    #[track_caller]
    pub fn refused<T>(&self, result: Result<T, RepositoryError>, code: &str) -> String {
        let Err(error) = result else { panic!("it was taken") };
        let shown = format!("{error}");
        assert_eq!(error.code().map(|code| code.to_string()).as_deref(), Some(code), "{shown}: {error:?}");
        assert!(error.help().is_some(), "{shown}");
        self.assert_sound();
        shown
    }

    /// Nothing in the store is wrong, and nothing lies about.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert_eq!(self.store.verify(Repair::Nothing).unwrap().wrong, []);
        for folder in ["downloads", "incoming"] {
            let left = self
                .store
                .folder()
                .folder(folder)
                .map(|folder| folder.entries().unwrap())
                .unwrap_or_default();
            assert!(left.is_empty(), "{folder}: {left:?}");
        }
    }

    pub fn blobs(&self) -> usize {
        self.store.verify(Repair::Nothing).unwrap().blobs
    }
}

/// A request for what is at a URL.
pub fn at(url: String) -> RepositoryRequest {
    from(RepositorySource::BaseUrls(vec![url]))
}

pub fn from(source: RepositorySource) -> RepositoryRequest {
    RepositoryRequest {
        name: "updates".to_owned(),
        source,
        variables: BTreeMap::new(),
        priority: 99,
        cost: 1000,
        exclude: Vec::new(),
        include: Vec::new(),
        keys: Vec::new(),
        metadata_signature: SignatureRule::NotAsked,
        package_signatures: SignatureRule::NotAsked,
        older_metadata: OlderMetadata::Refused,
        locked: None,
    }
}

/// A package as a lock holds it.
pub fn locked(package: &AvailablePackage) -> LockedPackage {
    LockedPackage {
        name: package.name.clone(),
        evr: package.evr.to_string(),
        arch: package.arch.clone(),
        repository: "updates".to_owned(),
        href: package.href.clone(),
        checksum: package.checksum.clone(),
        size: package.size,
    }
}
