//! Nodes → declarations: chroots and sources.

use kdl::KdlNode;

use super::declaration::{
    ChrootDecl, FileDecl, FilePlace, ImageDecl, ImageKind, Registry, SourceDecl, SourceKind,
};
use super::manifest_path::ManifestPath;
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, child, named};
use super::rules::SOURCE_KINDS;
use super::source_files::is_source_file;
use super::values::entry_place;
use crate::digest::{Checksum, ChecksumAlgorithm};
use crate::fetch::TokenScope;
use crate::spec::check_dialect;
use crate::text::{Located, Spanned, suggestion};

/// The properties that each kind of source takes.
const PROPERTIES: &[(&str, &[&str])] = &[
    ("path", &[]),
    ("url", &["sha256", "bearer"]),
    ("git", &["rev", "subdir", "spec", "method", "submodules", "lfs", "chroot", "bearer"]),
    ("svn", &["rev", "subdir", "spec"]),
    ("distgit", &["from", "lookaside", "rev"]),
    ("pypi", &["version", "registry", "extras"]),
    ("rubygems", &["version", "registry"]),
    ("crates", &["version", "registry", "lock"]),
    ("npm", &["version", "registry"]),
    ("custom", &["script", "chroot", "results", "spec", "refresh"]),
    ("repo", &["name", "version"]),
    ("build", &[]),
];

/// The kind of source that is meant where only the place of one is written.
fn guess_source(written: &str) -> Option<&'static str> {
    match written {
        url if url.contains("://") && url.ends_with(".git") => Some("git"),
        url if url.contains("://") => Some("url"),
        path if path.contains('/') || is_source_file(path) => Some("path"),
        _ => None,
    }
}

impl DeclarationReader<'_> {
    /// `chroot` as written.
    pub(super) fn read_chroot(&mut self, node: &KdlNode) -> Option<ChrootDecl> {
        let text =
            |reader: &mut Self, name| child(node, name).and_then(|node| reader.values.argument(node, 0));
        let root = text(self, "root").and_then(|written| self.read_path(written));
        Some(ChrootDecl {
            arch: text(self, "arch").map(|arch| arch.value),
            rpm: text(self, "rpm").and_then(|rpm| check_dialect(&rpm).ok()),
            names_repositories: named(node, "repo").next().is_some(),
            repositories: named(node, "repo").filter_map(|node| self.read_repository(node)).collect(),
            install: named(node, "install").flat_map(|node| self.values.texts(node)).collect(),
            weak_dependencies: child(node, "weak-dependencies").and_then(|node| self.values.boolean(node)),
            releasever: text(self, "releasever").map(|release| release.value),
            variables: child(node, "vars")
                .map(|node| self.read_repository_variables(node))
                .unwrap_or_default(),
            settings: self.read_settings(node),
            extends: text(self, "extends"),
            root,
            names_image: child(node, "image").is_some(),
            image: child(node, "image").and_then(|node| self.read_image(node)),
            name: self.values.argument(node, 0)?,
        })
    }

    /// `image` as written.
    fn read_image(&mut self, node: &KdlNode) -> Option<Spanned<ImageDecl>> {
        let written = self.values.argument(node, 0)?;
        let digest = self.values.property(node, "digest").and_then(|digest| self.read_digest(&digest));
        let (kind, path) = match written.value.strip_prefix("oci:") {
            Some(path) => (ImageKind::Oci, path.to_owned()),
            None => (ImageKind::Plain, written.value.clone()),
        };
        let path = self.read_path(Spanned::new(path, written.place))?;
        Some(Spanned::new(ImageDecl { kind, path: path.value, digest }, path.place))
    }

    fn read_digest(&mut self, written: &Spanned<String>) -> Option<Checksum> {
        let digest: Option<Checksum> = written.value.parse().ok();
        let digest = digest.filter(|digest| digest.algorithm() == ChecksumAlgorithm::Sha256);
        if digest.is_none() {
            let problem = ManifestProblem::WrongValue {
                what: "the digest of an image".to_owned(),
                wanted: "`sha256:` and 64 hexadecimal digits".to_owned(),
                written: written.value.clone(),
                help: "`sha256sum` of a tarball, or what `skopeo inspect --format '{{.Digest}}'` says of an OCI image"
                    .to_owned(),
            };
            self.values.errors.push(Located::new(problem, "this value", written.place.clone()));
        }
        digest
    }

    /// `source` in a package.
    pub(super) fn read_source(&mut self, node: &KdlNode) -> Option<SourceDecl> {
        let kind = self.values.argument(node, 0)?;
        if SOURCE_KINDS.contains(&kind.as_str()) {
            return self.read_source_kind(node, &kind, 1);
        }
        if let Some(meant) = guess_source(&kind) {
            let problem = ManifestProblem::WrongValue {
                what: "the kind of a source".to_owned(),
                wanted: format!("one of {}, or the name of a declared source", SOURCE_KINDS.join(", ")),
                written: kind.value.clone(),
                help: format!("write `source {meant} \"{}\"`", kind.value),
            };
            // The checker may have found that it is no name: this says what to write.
            self.values.errors.push(Located::new(problem, "a kind is missing before it", kind.place));
            return None;
        }
        if let Some(second) = self.values.argument(node, 1) {
            let problem = ManifestProblem::WrongValue {
                what: "the kind of a source".to_owned(),
                wanted: format!("one of {}", SOURCE_KINDS.join(", ")),
                written: kind.value.clone(),
                help: suggestion(&kind, "kinds", SOURCE_KINDS.iter().copied()),
            };
            let error = Located::new(problem, "not a kind", kind.place);
            self.values.errors.push(error.with_note("a declared source has no argument", second.place));
            return None;
        }
        let place = self.place(node);
        let making = self.read_making(node);
        let keyrings = self.read_keyrings(node);
        Some(SourceDecl {
            files: self.read_files(node),
            keyrings,
            tokens: Vec::new(),
            making,
            kind: SourceKind::Named(kind),
            place,
        })
    }

    /// A source of the kind `word`, whose own argument is the one at `index`.
    pub(super) fn read_source_kind(
        &mut self,
        node: &KdlNode,
        word: &str,
        index: usize,
    ) -> Option<SourceDecl> {
        // A node that is named after its kind has rules of its own; `source KIND` has those of all kinds.
        if index > 0 {
            self.report_foreign_properties(node, word);
            if word != "url" {
                self.report_second_argument(node, word);
            }
        }
        let place = self.place(node);
        let (files, making) = (self.read_files(node), self.read_making(node));
        let keyrings = self.read_keyrings(node);
        self.report_foreign_making(node, word, index == 0);
        let kind = match word {
            "custom" => Some(self.read_custom_source(node)),
            _ => match self.values.argument(node, index) {
                Some(what) => self.read_kind(node, (word, index), what),
                None => {
                    self.report_missing_argument(node, word, index);
                    None
                }
            },
        };
        let kind = kind?;
        let tokens = match &kind {
            SourceKind::Url { urls, .. } => self.read_tokens(node, urls, TokenScope::Exactly),
            SourceKind::Repository { system: "git", url, .. } => {
                self.read_tokens(node, std::slice::from_ref(url), TokenScope::Repository)
            }
            SourceKind::Path(_)
            | SourceKind::Repository { .. }
            | SourceKind::Distgit { .. }
            | SourceKind::Registry { .. }
            | SourceKind::Custom { .. }
            | SourceKind::Published { .. }
            | SourceKind::Build(_)
            | SourceKind::Named(_) => Vec::new(),
        };
        Some(SourceDecl { kind, files, keyrings, tokens, making, place })
    }

    fn read_kind(
        &mut self,
        node: &KdlNode,
        (word, index): (&str, usize),
        what: Spanned<String>,
    ) -> Option<SourceKind> {
        if word == "path" {
            return self.read_path(what).map(SourceKind::Path);
        }
        if word == "build" {
            return self.read_build_number(what).map(SourceKind::Build);
        }
        let what = what.value;
        let mut property = |name| self.values.property(node, name).map(|value| value.value);
        let kind = match word {
            "url" => {
                let sha256 = property("sha256");
                let all = self.values.texts(node).into_iter().skip(index).map(|url| url.value);
                SourceKind::Url { urls: all.collect(), sha256 }
            }
            "git" | "svn" => SourceKind::Repository {
                system: if word == "git" { "git" } else { "svn" },
                url: what,
                revision: property("rev"),
                folder: property("subdir"),
                spec: property("spec"),
                method: property("method"),
                submodules: self.values.property_flag(node, "submodules"),
                large_files: self.values.property_flag(node, "lfs"),
            },
            "repo" => {
                let (name, version) = (property("name"), property("version"));
                SourceKind::Published { repository: what, name, version }
            }
            "distgit" => {
                let (from, lookaside) = (property("from"), property("lookaside"));
                SourceKind::Distgit { package: what, from, lookaside, revision: property("rev") }
            }
            _ => {
                let (version, index) = (property("version"), property("registry"));
                // What lies below it is named with a slash of its own.
                let index = index.map(|index| index.trim_end_matches('/').to_owned());
                let extras = property("extras").unwrap_or_default();
                let extras = extras.split([',', ' ']).filter(|extra| !extra.is_empty()).map(str::to_owned);
                let registry = Registry::ALL.into_iter().find(|registry| registry.word() == word)?;
                let lock = self.values.property(node, "lock").and_then(|written| self.read_path(written));
                SourceKind::Registry {
                    registry,
                    project: what,
                    version,
                    index,
                    extras: extras.collect(),
                    lock,
                }
            }
        };
        Some(kind)
    }

    fn read_build_number(&mut self, written: Spanned<String>) -> Option<u64> {
        let number = written.value.strip_prefix('#').unwrap_or(&written.value).parse().ok();
        if number.is_none() {
            let problem = ManifestProblem::WrongValue {
                what: "the build of a source".to_owned(),
                wanted: "a number, as `forge history` has it".to_owned(),
                written: written.value,
                help: "write `source build 123`".to_owned(),
            };
            self.values.errors.push(Located::new(problem, "this value", written.place));
        }
        number
    }

    fn read_custom_source(&mut self, node: &KdlNode) -> SourceKind {
        let script = self.values.property(node, "script");
        if script.is_none() {
            let problem = ManifestProblem::Missing {
                node: "`source custom`".to_owned(),
                what: "the property `script` (a path)".to_owned(),
                example: "source custom script=\"make-it.sh\"".to_owned(),
            };
            self.values.errors.push(Located::new(problem, "it is missing here", self.place(node)));
        }
        let arguments = named(node, "arguments").flat_map(|node| self.values.texts(node));
        let arguments = arguments.map(|argument| argument.value).collect();
        let refresh = self.values.property(node, "refresh");
        let refresh = refresh.and_then(|written| humantime::parse_duration(&written).ok());
        let text = |reader: &mut Self, name| reader.values.property(node, name).map(|text| text.value);
        let (results, spec) = (text(self, "results"), text(self, "spec"));
        let script = script.and_then(|written| self.read_path(written));
        SourceKind::Custom { script, arguments, results, spec, refresh }
    }

    fn report_missing_argument(&mut self, node: &KdlNode, word: &str, index: usize) {
        // In a block of its own the checker has seen it already.
        if index > 0 {
            let example = if word == "path" { "specs/hello.spec" } else { "…" };
            let problem = ManifestProblem::Missing {
                node: format!("`source {word}`"),
                what: "an argument that says which".to_owned(),
                example: format!("source {word} \"{example}\""),
            };
            self.values.errors.push(Located::new(problem, "it is missing here", self.place(node)));
        }
    }

    fn report_second_argument(&mut self, node: &KdlNode, word: &str) {
        let count = if word == "custom" { 1 } else { 2 };
        if let Some(second) = node.entries().iter().filter(|entry| entry.name().is_none()).nth(count) {
            let problem = ManifestProblem::TooMuch {
                node: format!("`source {word}`"),
                limit: if word == "custom" {
                    "no argument".to_owned()
                } else {
                    "only one argument".to_owned()
                },
                help: "take it away, or is a property's name missing before it?".to_owned(),
            };
            let place = entry_place(self.values.source, second);
            self.values.errors.push(Located::new(problem, "this is too much", place));
        }
    }

    fn report_foreign_properties(&mut self, node: &KdlNode, word: &str) {
        let own = PROPERTIES.iter().find(|(kind, _)| *kind == word).map_or(&[][..], |(_, own)| *own);
        let known: Vec<&str> = PROPERTIES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for entry in node.entries() {
            let Some(name) = entry.name().map(|name| name.value()) else {
                continue;
            };
            if known.contains(&name) && !own.contains(&name) {
                let help = match own {
                    [] => format!("`source {word}` takes no properties"),
                    own => suggestion(name, "its properties", own.iter().copied()),
                };
                let problem = ManifestProblem::UnknownProperty {
                    name: name.to_owned(),
                    node: format!("source {word}"),
                    help,
                };
                self.values.errors.push(Located::new(
                    problem,
                    "belongs to another kind of source",
                    entry_place(self.values.source, entry),
                ));
            }
        }
    }

    fn read_keyrings(&mut self, node: &KdlNode) -> Vec<Spanned<ManifestPath>> {
        let written: Vec<_> = named(node, "keyring").flat_map(|node| self.values.texts(node)).collect();
        written.into_iter().filter_map(|written| self.read_path(written)).collect()
    }

    fn read_files(&mut self, node: &KdlNode) -> Vec<FileDecl> {
        let mut files = Vec::new();
        for node in named(node, "file") {
            let sha256 = self.values.property(node, "sha256");
            for written in self.values.texts(node) {
                let place = match written.contains("://") {
                    true => Some(FilePlace::Url(written)),
                    false => self.read_path(written).map(FilePlace::Path),
                };
                files.extend(place.map(|place| FileDecl { place, sha256: sha256.clone() }));
            }
        }
        files
    }
}
