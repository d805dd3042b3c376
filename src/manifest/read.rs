//! Nodes → declarations. What the [checker](super::check) has refused is left out without another word.

use std::path::{Path, PathBuf};

use kdl::{KdlDocument, KdlNode};

use super::declaration::{
    Across, BatchAfter, BatchDecl, CacheDecl, Declarations, MetadataPacking, NamedSourceDecl, OnBroken,
    PackageDecl, PackagesDecl, ProfileDecl, ProjectDecl, PublishDecl, RebuildDecl, RemoteDecl,
    RepositoryLayout, SelectDecl, SignDecl, SignKey, SignedPart,
};
use super::keep::{Age, KeepDecl};
use super::manifest_path::ManifestPath;
use super::problem::ManifestProblem;
use super::values::{Values, entry_place, node_place};
use crate::text::{Located, Place, Spanned};

/// Reads one file's nodes into `into`.
pub(super) struct DeclarationReader<'a> {
    /// Values of the file.
    pub values: Values<'a>,
    /// The file's folder, relative to the repository.
    pub folder: PathBuf,
    /// Patterns of further files.
    pub includes: Vec<Spanned<String>>,
}

impl DeclarationReader<'_> {
    /// Reads all nodes of a file.
    pub fn read_document(&mut self, document: &KdlDocument, into: &mut Declarations) {
        for node in document.nodes() {
            match node.name().value() {
                "rpmforge" => self.read_version(node),
                "project" => into.projects.extend(self.read_project(node)),
                "macros" => into.macros.extend(self.read_macros(node)),
                "defaults" => into.defaults.push(self.read_options(node)),
                "chroot" => into.chroots.extend(self.read_chroot(node)),
                "source" => into.sources.extend(self.read_named_source(node)),
                "package" => into.packages.extend(self.read_package(node)),
                "packages" => into.patterns.push(self.read_packages(node)),
                "batch" => into.batches.extend(self.read_batch(node)),
                "profile" => into.profiles.extend(self.read_profile(node)),
                "publish" => into.publish.extend(self.read_publish(node)),
                "mirror" => into.mirrors.extend(self.read_mirror(node)),
                "cache" => into.caches.extend(self.read_cache(node)),
                "remote" => into.remotes.extend(self.read_remote(node)),
                "include" => {
                    let patterns = self.values.texts(node);
                    self.includes.extend(patterns);
                }
                "mass-rebuild" => into.rebuilds.extend(self.read_rebuild(node)),
                _ => {}
            }
        }
    }

    fn read_version(&mut self, node: &KdlNode) {
        let Some(entry) = node.entry("version") else {
            return;
        };
        if entry.value().as_integer().is_some_and(|version| version != 1) {
            let problem = ManifestProblem::Version { version: super::values::spelling(entry) };
            self.values.errors.push(Located::new(
                problem,
                "not known",
                entry_place(self.values.source, entry),
            ));
        }
    }

    fn read_project(&mut self, node: &KdlNode) -> Option<ProjectDecl> {
        for include in named(node, "include") {
            let patterns = self.values.texts(include);
            self.includes.extend(patterns);
        }
        let description = child(node, "description").and_then(|node| self.values.argument(node, 0));
        Some(ProjectDecl { name: self.values.argument(node, 0)?, description })
    }

    /// The place of a node's name.
    pub(super) fn place(&self, node: &KdlNode) -> Place {
        node_place(self.values.source, node)
    }

    fn read_package(&mut self, node: &KdlNode) -> Option<PackageDecl> {
        let source = child(node, "source").map(|node| self.read_source(node));
        let options = self.read_options(node);
        Some(PackageDecl {
            name: self.values.argument(node, 0)?,
            names_source: source.is_some(),
            like: self.values.property(node, "like"),
            own_conditions: options.layer.conditions().cloned().collect(),
            upstream: child(node, "upstream").and_then(|node| self.read_upstream(node)),
            source: source.flatten(),
            options,
        })
    }

    fn read_packages(&mut self, node: &KdlNode) -> PackagesDecl {
        let options = self.read_options(node);
        PackagesDecl {
            patterns: self.values.texts(node),
            exclude: named(node, "exclude").flat_map(|node| self.values.texts(node)).collect(),
            folder: self.folder.clone(),
            options,
        }
    }

    fn read_named_source(&mut self, node: &KdlNode) -> Option<NamedSourceDecl> {
        let kinds = node.children().map(KdlDocument::nodes).unwrap_or_default();
        if let [first, second, ..] = kinds {
            let problem = ManifestProblem::Exclusive {
                who: format!("source `{}`", self.values.argument(node, 0)?.value),
                one: format!("`{}`", first.name().value()),
                other: format!("`{}`", second.name().value()),
            };
            let error = Located::new(problem, "and this", self.place(second));
            self.values.errors.push(error.with_note("this", self.place(first)));
        }
        let source = kinds.first().and_then(|kind| self.read_source_kind(kind, kind.name().value(), 0));
        if kinds.is_empty() {
            let problem = ManifestProblem::Missing {
                node: "`source`".to_owned(),
                what: "a block that says what it is".to_owned(),
                example: "source NAME { git \"https://…\" }".to_owned(),
            };
            self.values.errors.push(Located::new(problem, "it has none", self.place(node)));
        }
        Some(NamedSourceDecl { name: self.values.argument(node, 0)?, source })
    }

    fn read_batch(&mut self, node: &KdlNode) -> Option<BatchDecl> {
        let mut after: Vec<BatchAfter> =
            self.read_batch_after(node, self.after_property(node)).into_iter().collect();
        for node in named(node, "after") {
            let batch = self.values.argument(node, 0);
            after.extend(self.read_batch_after(node, batch));
        }
        Some(BatchDecl {
            name: self.values.argument(node, 0)?,
            members: named(node, "members").flat_map(|node| self.values.texts(node)).collect(),
            after,
            priority: child(node, "priority")
                .and_then(|node| self.read_choice(node))
                .map(|choice| choice.value),
            layer: self.read_layer(node),
        })
    }

    fn read_profile(&mut self, node: &KdlNode) -> Option<ProfileDecl> {
        Some(ProfileDecl { name: self.values.argument(node, 0)?, options: self.read_options(node) })
    }

    fn after_property(&self, node: &KdlNode) -> Option<Spanned<String>> {
        let entry = node.entry("after")?;
        Some(Spanned::new(super::values::spelling(entry), entry_place(self.values.source, entry)))
    }

    fn read_batch_after(&self, node: &KdlNode, batch: Option<Spanned<String>>) -> Option<BatchAfter> {
        let even_if_failed = node.get("even-if-failed").and_then(|value| value.as_bool()).unwrap_or(false);
        let across = match node.get("across").and_then(|value| value.as_string()) {
            Some("chroots") => Across::Chroots,
            _ => Across::Nothing,
        };
        batch.map(|batch| BatchAfter { batch, even_if_failed, across })
    }

    fn read_publish(&mut self, node: &KdlNode) -> Option<PublishDecl> {
        let folder = self.values.argument(node, 0).and_then(|written| self.read_path(written));
        let signs = node.children().map(|children| children.nodes()).unwrap_or_default();
        let signs = signs.iter().filter(|node| node.name().value() == "sign");
        let sign =
            signs.filter_map(|node| Some(Spanned::new(self.read_sign(node)?, self.place(node)))).collect();
        let url = child(node, "url").and_then(|node| self.values.argument(node, 0));
        let url = url.and_then(|url| self.read_clients_url(url));
        let keep = child(node, "keep").map(|node| {
            let mut age = |name: &str| Age::parse(&self.values.property(node, name)?.value);
            let (newest, superseded, failed) = (age("newest"), age("superseded"), age("failed"));
            let builds = self.values.property_count(node, "builds");
            let keep = KeepDecl { newest: newest.unwrap_or(Age::Forever), builds, superseded, failed };
            Spanned::new(keep, self.place(node))
        });
        let separate_debuginfo = child(node, "debuginfo").and_then(|node| {
            let separate = node.get("separate")?.as_bool()?;
            Some(Spanned::new(separate, self.place(node)))
        });
        let multilib = child(node, "multilib").and_then(|node| {
            let value = self.values.boolean(node)?;
            Some(Spanned::new(value, self.place(node)))
        });
        let says = |name: &str| child(node, name).and_then(|node| self.values.boolean(node)).unwrap_or(false);
        let (adopts, links) = (says("adopt"), says("links"));
        let broken = child(node, "broken").and_then(|node| self.read_choice::<OnBroken>(node));
        let broken = broken.map(|broken| broken.value).unwrap_or_default();
        let packing = child(node, "metadata").and_then(|node| self.read_choice::<MetadataPacking>(node));
        let packing = packing.map(|packing| packing.value).unwrap_or_default();
        let layout = child(node, "layout").and_then(|node| self.read_choice::<RepositoryLayout>(node));
        let layout = layout.map(|layout| layout.value).unwrap_or_default();
        let [comps, updateinfo] = ["comps", "updateinfo"].map(|name| {
            let path = child(node, name).and_then(|node| self.values.argument(node, 0))?;
            self.read_path(path)
        });
        let places = self.read_places(node);
        Some(PublishDecl {
            folder: folder?,
            sign,
            url,
            keep,
            separate_debuginfo,
            multilib,
            adopts,
            links,
            broken,
            packing,
            layout,
            comps,
            updateinfo,
            places,
        })
    }

    fn read_sign(&mut self, node: &KdlNode) -> Option<SignDecl> {
        self.check_one_of_properties(node, &["name", "key", "env", "gpg", "command"]);
        let what = match node.get("what").and_then(|value| value.as_string()) {
            Some("metadata") => SignedPart::Metadata,
            _ => SignedPart::Everything,
        };
        Some(SignDecl { key: self.read_sign_key(node)?, what })
    }

    fn read_sign_key(&mut self, node: &KdlNode) -> Option<SignKey> {
        let mut property = |name: &str| self.values.property(node, name);
        if let Some(name) = property("name") {
            return Some(SignKey::Kept(name.value));
        }
        if let Some(variable) = property("env") {
            return Some(SignKey::Variable(variable.value));
        }
        if let Some(id) = property("gpg") {
            return Some(SignKey::Gpg(id.value));
        }
        if let Some(path) = property("key") {
            return self.read_path(path).map(|path| SignKey::File(path.value));
        }
        let (command, public) = (property("command")?.value, property("public"));
        let Some(public) = public else {
            let (who, what) = ("`sign command=`".to_owned(), "the file of its public key".to_owned());
            let example = "sign command=\"…\" public=\"keys/acme.asc\"".to_owned();
            let problem = ManifestProblem::Missing { node: who, what, example };
            self.values.errors.push(Located::new(problem, "it has none", self.place(node)));
            return None;
        };
        let public = self.read_path(public)?.value;
        Some(SignKey::Command { command, public })
    }

    /// Reports where not just one of `names` is among a node's properties.
    pub(super) fn check_one_of_properties(&mut self, node: &KdlNode, names: &[&str]) {
        let given: Vec<_> = names.iter().filter_map(|name| node.entry(*name)).collect();
        let who = format!("`{}`", node.name().value());
        match given.as_slice() {
            [] => {
                let what = format!("one of the properties {}", names.join(", "));
                let example = format!("{} {}=\"…\"", node.name().value(), names.first().unwrap_or(&""));
                let problem = ManifestProblem::Missing { node: who, what, example };
                self.values.errors.push(Located::new(problem, "it has none", self.place(node)));
            }
            [_] => {}
            [first, second, ..] => {
                let name = |entry: &kdl::KdlEntry| {
                    format!("`{}`", entry.name().map(|name| name.value()).unwrap_or_default())
                };
                let problem = ManifestProblem::Exclusive { who, one: name(first), other: name(second) };
                let error = Located::new(problem, "and this", entry_place(self.values.source, second));
                self.values.errors.push(error.with_note("this", entry_place(self.values.source, first)));
            }
        }
    }

    fn read_cache(&mut self, node: &KdlNode) -> Option<CacheDecl> {
        let write = self.values.property(node, "write").map(|write| write.value);
        Some(CacheDecl { url: self.values.argument(node, 0)?, write })
    }

    fn read_remote(&mut self, node: &KdlNode) -> Option<RemoteDecl> {
        let instance = child(node, "instance").and_then(|node| self.values.argument(node, 0));
        let platform = child(node, "platform").map(|node| self.read_variables(node)).unwrap_or_default();
        let instance = instance.map(|instance| instance.value);
        Some(RemoteDecl { url: self.values.argument(node, 0)?, instance, platform })
    }

    fn read_rebuild(&mut self, node: &KdlNode) -> Option<RebuildDecl> {
        let mut select = Vec::new();
        for node in named(node, "select") {
            let Some(whatrequires) = self.values.property(node, "whatrequires") else {
                continue;
            };
            let depth = self.values.property_count(node, "depth").unwrap_or(1);
            let from = self.values.property(node, "from").map(|from| from.value);
            select.push(SelectDecl { whatrequires, depth, from });
        }
        let sample = child(node, "sample")
            .and_then(|node| Some((self.values.count(node)?, self.values.property_count(node, "seed"))));
        Some(RebuildDecl {
            name: self.values.argument(node, 0)?,
            chroots: child(node, "chroots").map(|node| self.read_selection(node)),
            change: named(node, "change").flat_map(|node| self.values.texts(node)).collect(),
            select,
            sample,
            baseline: child(node, "baseline").and_then(|node| self.values.boolean(node)).unwrap_or(false),
        })
    }

    /// A path as written, worked out; one that leaves the repository is reported.
    pub(super) fn read_path(&mut self, written: Spanned<String>) -> Option<Spanned<ManifestPath>> {
        match ManifestPath::new(&self.folder, &written) {
            Some(path) => Some(Spanned::new(path, written.place)),
            None => {
                let problem = ManifestProblem::PathLeaves { path: written.value };
                self.values.errors.push(Located::new(problem, "this path", written.place));
                None
            }
        }
    }
}

/// The first child of that name.
pub(super) fn child<'a>(node: &'a KdlNode, name: &str) -> Option<&'a KdlNode> {
    node.children()?.get(name)
}

/// All children of that name.
pub(super) fn named<'a>(node: &'a KdlNode, name: &'a str) -> impl Iterator<Item = &'a KdlNode> {
    let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
    children.iter().filter(move |node| node.name().value() == name)
}

/// The folder that holds `file`, relative to the repository.
pub(super) fn folder_of(file: &str) -> PathBuf {
    Path::new(file).parent().map(Path::to_owned).unwrap_or_default()
}
