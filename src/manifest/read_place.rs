//! `to` in `publish`: places that repositories are sent to.

use kdl::KdlNode;

use super::place_address::{PlaceAddress, PlaceDecl};
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, named};
use super::values::entry_place;
use crate::fetch::{Address, without_login};
use crate::text::{Located, Spanned};

/// The properties that say something of buckets; the first of them of registries, too.
const OF_BUCKETS: [&str; 3] = ["endpoint", "region", "profile"];

impl DeclarationReader<'_> {
    /// All places of a `publish`.
    pub(super) fn read_places(&mut self, publish: &KdlNode) -> Vec<PlaceDecl> {
        named(publish, "to").filter_map(|node| self.read_destination(node)).collect()
    }

    fn read_destination(&mut self, node: &KdlNode) -> Option<PlaceDecl> {
        let written = self.values.argument(node, 0)?;
        let address = match PlaceAddress::parse(&written) {
            Ok(address) => Spanned::new(address, written.place),
            Err(found) => {
                let problem = ManifestProblem::WrongValue {
                    what: "the place of `to`".to_owned(),
                    wanted: "`s3://BUCKET/PREFIX`, `oci://REGISTRY/NAME:TAG`, `rsync://HOST/MODULE/PATH` or \
                             `USER@HOST:/PATH`"
                        .to_owned(),
                    written: without_login(&written),
                    help: format!("there is {found}; credentials come from the environment or the machine"),
                };
                self.values.errors.push(Located::new(problem, "this place", written.place));
                return None;
            }
        };
        match address.value {
            PlaceAddress::S3 { .. } => {}
            PlaceAddress::Oci { .. } => self.refuse_of_buckets(
                node,
                &["region", "profile"],
                ("a registry", "logins are those of `docker login`, `podman login` or `oras login`"),
            ),
            PlaceAddress::Rsync(_) => self.refuse_of_buckets(
                node,
                &OF_BUCKETS,
                ("one of rsync", "rsync and ssh have settings of their own: ~/.ssh/config, RSYNC_PASSWORD"),
            ),
        }
        let endpoint = self.values.property(node, "endpoint");
        if let Some(endpoint) = &endpoint {
            self.check_endpoint(endpoint);
        }
        let mut property = |name: &str| self.values.property(node, name).map(|value| value.value);
        let (region, profile) = (property("region"), property("profile"));
        Some(PlaceDecl { address, endpoint: endpoint.map(|endpoint| endpoint.value), region, profile })
    }

    fn refuse_of_buckets(&mut self, node: &KdlNode, names: &[&str], (written, help): (&str, &str)) {
        for (name, entry) in names.iter().filter_map(|name| Some((name, node.entry(*name)?))) {
            let problem = ManifestProblem::WrongValue {
                what: "the place of `to`".to_owned(),
                wanted: format!("a bucket, where there is `{name}`"),
                written: written.to_owned(),
                help: help.to_owned(),
            };
            let place = entry_place(self.values.source, entry);
            self.values.errors.push(Located::new(problem, "only for s3", place));
        }
    }

    fn check_endpoint(&mut self, endpoint: &Spanned<String>) {
        let is_service = |address: &Address| {
            let text = address.secret_text();
            address.local_path().is_none() && !text.contains(['?', '#', '@'])
        };
        if Address::parse(endpoint).is_ok_and(|address| is_service(&address)) {
            return;
        }
        let problem = ManifestProblem::WrongValue {
            what: "`endpoint` of `to`".to_owned(),
            wanted: "the URL of a service, without a login".to_owned(),
            written: without_login(endpoint),
            help: "for example \"https://s3.example.org\"".to_owned(),
        };
        self.values.errors.push(Located::new(problem, "this endpoint", endpoint.place.clone()));
    }
}
