//! What tells clients of a repository, beside its metadata: its `.repo` file, and where something signs it the signatures and the keys.

use std::sync::Arc;

use super::PublishError;
use super::multilib::MultilibRepository;
use super::paths::{REPOMD, REPOMD_KEY, REPOMD_SIGNATURE, repo_file};
use super::record::SignedMetadata;
use super::section::{Section, in_section};
use super::signing::Signers;
use crate::digest::Digest;
use crate::event::Timestamp;

/// What clients of one repository are told.
pub(super) struct ClientFiles {
    /// What signs it, where something does.
    pub signers: Option<Arc<Signers>>,
    /// The name by which clients know it.
    pub id: String,
    /// What it holds, in words.
    pub title: String,
    /// Where clients find it.
    pub url: String,
    /// The sections that it has, the main one last.
    pub sections: Vec<Section>,
    /// The repository of the narrower architecture that they are told of as well.
    pub multilib: Option<MultilibRepository>,
}

/// A file's path in the repository, and its content.
pub(super) type NamedContent = (String, Vec<u8>);

impl ClientFiles {
    /// The files that stand beside metadata, with their contents, in the order in which they come to their places: keys and what tells
    /// clients of the repository, which are the same until keys change, then `repomd.xml` of each section behind its signature. That
    /// of the main section is left out: it comes last, right behind its signature.
    pub fn files(
        &self,
        repomds: &[(Section, &[u8])],
        now: Timestamp,
    ) -> Result<Vec<NamedContent>, PublishError> {
        let mut files = vec![(repo_file(&self.id), self.repo_file().into_bytes())];
        if let Some(signers) = &self.signers {
            let key = |section: &Section| in_section(*section, REPOMD_KEY);
            files.extend(self.sections.iter().map(|it| (key(it), signers.public_keys().into_bytes())));
        }
        for (section, repomd) in repomds {
            if let Some(signers) = &self.signers {
                files.push((in_section(*section, REPOMD_SIGNATURE), signers.sign_metadata(repomd, now)?));
            }
            if *section != Section::Main {
                files.push((in_section(*section, REPOMD), repomd.to_vec()));
            }
        }
        Ok(files)
    }

    /// The fingerprints of the keys that sign metadata.
    pub fn fingerprints(&self) -> Vec<String> {
        self.signers.as_ref().map(|signers| signers.metadata_fingerprints()).unwrap_or_default()
    }

    /// The fingerprints of the keys that sign packages.
    pub fn package_fingerprints(&self) -> Vec<String> {
        self.signers.as_ref().map(|signers| signers.package_fingerprints()).unwrap_or_default()
    }

    /// Whether what is on record was signed by the same keys, has the same sections, and tells clients the same. Signatures themselves
    /// are not looked at.
    pub fn are_on_record(&self, recorded: &SignedMetadata, has_foreign_repo_file: bool) -> bool {
        let has = |path: &str| recorded.files.iter().any(|file| file.path == path);
        let has_content = |path: &str, content: &str| {
            let digest = Digest::compute(content.as_bytes());
            recorded.files.iter().any(|file| file.path == path && file.blake3 == digest)
        };
        let keys = self.signers.as_ref().map(|signers| signers.public_keys());
        let is_known = |section: &Section| {
            keys.as_ref().is_none_or(|keys| has_content(&in_section(*section, REPOMD_KEY), keys))
        };
        let has_section = |section: Section| section == Section::Main || has(&in_section(section, REPOMD));
        let has_sections =
            Section::ALL.into_iter().all(|section| self.sections.contains(&section) == has_section(section));
        let repo_file = repo_file(&self.id);
        recorded.by == self.fingerprints()
            && self.sections.iter().all(is_known)
            && has_sections
            && (has_content(&repo_file, &self.repo_file()) || (has_foreign_repo_file && !has(&repo_file)))
    }

    /// What dnf and zypper read in `/etc/yum.repos.d` and `/etc/zypp/repos.d` (dnf.conf(5)).
    fn repo_file(&self) -> String {
        let checks = self.checks(&self.url);
        // The main one first: it is what a reader looks for.
        let mut sections = self.sections.clone();
        sections.sort();
        let mut text: String =
            sections.into_iter().map(|section| self.repo_section(section, &checks)).collect();
        if let Some(multilib) = &self.multilib {
            text.push_str(&multilib.repo_section(&self.id, &self.title));
            text.push_str(&self.checks(&multilib.url));
        }
        text
    }

    /// What clients check of a repository: that at `url` has its key beside its metadata.
    fn checks(&self, url: &str) -> String {
        let checks_packages = self.signers.as_ref().is_some_and(|signers| signers.signs_packages());
        let checks = format!("gpgcheck={}\n", u8::from(checks_packages));
        match &self.signers {
            Some(_) => format!("{checks}repo_gpgcheck=1\ngpgkey={url}/{REPOMD_KEY}\n"),
            None => checks,
        }
    }

    fn repo_section(&self, section: Section, checks: &str) -> String {
        let Self { id, title, url, .. } = self;
        let suffix = section.client_suffix();
        let (more, enabled) = match section {
            Section::Main => ("", 1),
            Section::Debuginfo => (": debuginfo", 0),
            Section::Source => (": source packages", 0),
        };
        let below = section.prefix().trim_end_matches('/');
        let baseurl = if below.is_empty() { url.clone() } else { format!("{url}/{below}") };
        format!("[{id}{suffix}]\nname={title}{more}\nbaseurl={baseurl}\nenabled={enabled}\n{checks}")
    }
}
