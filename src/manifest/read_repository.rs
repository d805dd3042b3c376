//! Nodes → declarations: repositories.

use std::collections::BTreeMap;

use kdl::{KdlDocument, KdlNode};

use super::declaration::{KeyDecl, RepositoryDecl, RepositoryLocation, RepositoryPlace};
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, child};
use crate::fetch::{BearerToken, TokenScope};
use crate::text::{Located, Spanned};

/// The priority of a repository that does not say one, as in dnf.
const PRIORITY: u32 = 99;

/// The cost of one that does not say it, as in dnf.
const COST: u32 = 1000;

impl DeclarationReader<'_> {
    /// `repo` as written.
    pub(super) fn read_repository(&mut self, node: &KdlNode) -> Option<RepositoryDecl> {
        let bases = self.said_of(node, "baseurl");
        if bases.is_empty() || node.entry("metalink").is_some() || node.entry("mirrorlist").is_some() {
            self.check_one_of_properties(node, &["baseurl", "metalink", "mirrorlist"]);
        }
        let location = if bases.is_empty() {
            let metalink = self.values.property(node, "metalink");
            let metalink = metalink.map(|url| RepositoryLocation::Metalink(url.value));
            let mirrors = self.values.property(node, "mirrorlist");
            metalink.or_else(|| mirrors.map(|url| RepositoryLocation::Mirrorlist(url.value)))?
        } else {
            let places = bases.into_iter().filter_map(|base| self.read_place(base));
            RepositoryLocation::Base(places.collect())
        };
        let tokens = self.read_repository_tokens(node, &location);
        let keys: Vec<Spanned<KeyDecl>> =
            self.said_of(node, "gpgkey").into_iter().filter_map(|key| self.read_key(key)).collect();
        let fingerprints: Vec<String> = self
            .said_of(node, "fingerprint")
            .into_iter()
            .map(|said| said.value.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase())
            .collect();
        let flag = |name: &str| node.entry(name).and_then(|entry| entry.value().as_bool());
        let packages_signed = flag("gpgcheck");
        let named: Option<Spanned<String>> = self.values.argument(node, 0);
        self.check_keys(node, &location, &keys, (packages_signed, !fingerprints.is_empty()));
        let texts = |said: Vec<Spanned<String>>| said.into_iter().map(|text| text.value).collect();
        Some(RepositoryDecl {
            name: named?,
            location,
            packages_signed: packages_signed.unwrap_or(!keys.is_empty()),
            metadata_signed: flag("repo-gpgcheck").unwrap_or(false),
            keys,
            fingerprints,
            priority: self.values.property_count(node, "priority").unwrap_or(PRIORITY),
            cost: self.values.property_count(node, "cost").unwrap_or(COST),
            exclude: texts(self.said_of(node, "exclude")),
            include: texts(self.said_of(node, "includepkgs")),
            tokens,
        })
    }

    /// `bearer` of a repository, for the places that it names itself: nobody knows where a list of mirrors leads.
    fn read_repository_tokens(&mut self, node: &KdlNode, location: &RepositoryLocation) -> Vec<BearerToken> {
        let url = |place: &RepositoryPlace| match place {
            RepositoryPlace::Url(url) => Some(url.clone()),
            RepositoryPlace::Folder(_) => None,
        };
        let urls: Vec<String> = match location {
            RepositoryLocation::Base(places) => places.iter().filter_map(url).collect(),
            RepositoryLocation::Metalink(_) | RepositoryLocation::Mirrorlist(_) => Vec::new(),
        };
        if urls.is_empty() && node.entry("bearer").is_some() {
            let problem = ManifestProblem::Missing {
                node: "`repo` with `bearer`".to_owned(),
                what: "a `baseurl` over https that the token is for".to_owned(),
                example: "baseurl=\"https://…/\"".to_owned(),
            };
            self.values.errors.push(Located::new(problem, "it has none", self.place(node)));
        }
        self.read_tokens(node, &urls, TokenScope::Below)
    }

    /// `vars` as written.
    pub(super) fn read_repository_variables(&mut self, node: &KdlNode) -> BTreeMap<String, String> {
        let said = node.children().map(KdlDocument::nodes).unwrap_or_default().iter();
        said.filter_map(|node| {
            let value = self.values.argument(node, 0)?;
            Some((node.name().value().to_owned(), value.value))
        })
        .collect()
    }

    /// What is said by the property of a name, and by the node of that name in the block.
    fn said_of(&mut self, node: &KdlNode, name: &str) -> Vec<Spanned<String>> {
        let property = self.values.property(node, name);
        let further = child(node, name).map(|node| self.values.texts(node)).unwrap_or_default();
        property.into_iter().chain(further).collect()
    }

    fn read_place(&mut self, base: Spanned<String>) -> Option<RepositoryPlace> {
        match base.value.contains("://") {
            true => Some(RepositoryPlace::Url(base.value)),
            false => self.read_path(base).map(|path| RepositoryPlace::Folder(path.value)),
        }
    }

    fn read_key(&mut self, key: Spanned<String>) -> Option<Spanned<KeyDecl>> {
        match key.value.contains("://") {
            true => Some(Spanned::new(KeyDecl::Url(key.value), key.place)),
            false => {
                let path = self.read_path(key)?;
                Some(Spanned::new(KeyDecl::File(path.value), path.place))
            }
        }
    }

    /// What comes over a network is checked by a key, unless it is said that it is not.
    fn check_keys(
        &mut self,
        node: &KdlNode,
        location: &RepositoryLocation,
        keys: &[Spanned<KeyDecl>],
        (packages_signed, has_fingerprint): (Option<bool>, bool),
    ) {
        let is_remote = |place: &RepositoryPlace| match place {
            RepositoryPlace::Url(url) => !url.starts_with("file:"),
            RepositoryPlace::Folder(_) => false,
        };
        let is_remote = match location {
            RepositoryLocation::Base(places) => places.iter().any(is_remote),
            RepositoryLocation::Metalink(_) | RepositoryLocation::Mirrorlist(_) => true,
        };
        let missing = |what: &str, example: &str| ManifestProblem::Missing {
            node: "`repo`".to_owned(),
            what: what.to_owned(),
            example: example.to_owned(),
        };
        if keys.is_empty() && is_remote && packages_signed != Some(false) {
            let what = "the key that its packages are signed with, or `gpgcheck=#false`";
            let problem = missing(what, "gpgkey=\"keys/base.asc\"");
            self.values.errors.push(Located::new(problem, "it has none", self.place(node)));
        }
        let fetched = keys.iter().find(|key| matches!(key.value, KeyDecl::Url(_)));
        if let Some(key) = fetched.filter(|_| !has_fingerprint) {
            let problem = missing("the fingerprint of a key that is fetched", "fingerprint=\"0123 4567 …\"");
            self.values.errors.push(Located::new(problem, "this key", key.place.clone()));
        }
    }
}
