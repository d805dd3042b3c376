//! What forge makes of a repository.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use rpmforge::fetch::{Client, ClientSettings, Proxies};
use rpmforge::files::{Folder, HostPath};
use rpmforge::process::Cancel;
use rpmforge::source::git::{
    Checkout, CheckoutOptions, ChosenCommit, CommitChooser, CommitLock, CommitReach, GitAddress, GitError,
    GitTools, Repository, Revision, Subfolders,
};
use tempfile::TempDir;

/// A reader of repositories with a cache of its own.
pub struct Reader {
    pub cache: TempDir,
    pub client: Client,
    pub environment: BTreeMap<OsString, OsString>,
    pub cancel: Cancel,
    pub is_offline: bool,
    pub options: CheckoutOptions,
}

impl Reader {
    pub fn new() -> Self {
        let settings =
            ClientSettings { first_pause: std::time::Duration::from_millis(5), ..ClientSettings::default() };
        let path = std::env::var_os("PATH").unwrap();
        let environment = [("PATH", path), ("GIT_CONFIG_GLOBAL", "/dev/null".into())];
        Self {
            cache: TempDir::new().unwrap(),
            client: Client::new(settings, Proxies::default()).unwrap(),
            environment: environment.map(|(name, value)| (name.into(), value)).into(),
            cancel: Cancel::default(),
            is_offline: false,
            options: CheckoutOptions::default(),
        }
    }

    pub fn tools(&self) -> GitTools<'_> {
        GitTools { client: &self.client, environment: &self.environment, cancel: &self.cancel }
    }

    pub fn cache(&self) -> Folder {
        Folder::open_ambient(&HostPath::new(self.cache.path()).unwrap()).unwrap()
    }

    pub fn repository(&self, url: &str) -> Repository {
        Repository::open(&self.cache(), &GitAddress::parse(url).unwrap()).unwrap()
    }

    pub fn choose(
        &self,
        url: &str,
        revision: Option<&str>,
        lock: CommitLock<'_>,
    ) -> Result<ChosenCommit, GitError> {
        self.choose_reaching(url, revision, lock, CommitReach::Commit)
    }

    pub fn choose_reaching(
        &self,
        url: &str,
        revision: Option<&str>,
        lock: CommitLock<'_>,
        reach: CommitReach,
    ) -> Result<ChosenCommit, GitError> {
        let address = GitAddress::parse(url)?;
        let repository = Repository::open(&self.cache(), &address)?;
        let tools = Some(self.tools()).filter(|_| !self.is_offline);
        let chooser = CommitChooser { repository: &repository, address: &address, tools, reach };
        chooser.choose(&Revision::parse(revision)?, lock)
    }

    /// Fetches a revision and writes it; gives the files by their paths: their contents, or where they lead.
    pub fn checkout(&self, url: &str, revision: Option<&str>) -> Result<BTreeMap<String, String>, GitError> {
        self.checkout_below(url, revision, ("", Subfolders::Written))
    }

    pub fn checkout_below(
        &self,
        url: &str,
        revision: Option<&str>,
        (below, subfolders): (&str, Subfolders),
    ) -> Result<BTreeMap<String, String>, GitError> {
        let chosen = self.choose(url, revision, CommitLock::Open)?;
        let address = GitAddress::parse(url)?;
        let tools = Some(self.tools()).filter(|_| !self.is_offline);
        let (into, cache) = (TempDir::new().unwrap(), self.cache());
        let folder = Folder::open_ambient(&HostPath::new(into.path()).unwrap()).unwrap();
        let checkout = Checkout { cache: &cache, tools, options: self.options };
        let repository = self.repository(url);
        checkout.write(&repository, (&address, chosen.commit), (Path::new(below), subfolders), &folder)?;
        Ok(files(into.path()))
    }
}

/// The files below a folder, by their paths.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                found.insert(name, format!("→ {}", fs::read_link(entry.path()).unwrap().display()));
            } else if kind.is_dir() {
                open.push(entry.path());
            } else {
                found.insert(name, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
    found
}
