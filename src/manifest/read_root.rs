//! Nodes → declarations: chroots and sources.

use kdl::KdlNode;

use super::declaration::{ChrootDecl, FileDecl, RepositoryDecl, RepositoryLocation, SourceDecl, SourceKind};
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, child, named};
use super::rules::SOURCE_KINDS;
use super::values::entry_place;
use crate::spec::check_dialect;
use crate::text::{Located, suggestion};

/// The properties that each kind of source takes.
const PROPERTIES: &[(&str, &[&str])] = &[
    ("path", &[]),
    ("url", &["sha256"]),
    ("git", &["rev", "subdir", "spec", "method"]),
    ("svn", &["rev", "subdir", "spec"]),
    ("distgit", &["from", "rev"]),
    ("pypi", &["version"]),
    ("rubygems", &["version"]),
    ("custom", &["script", "chroot"]),
];

/// The priority of a repository that does not say one, as in dnf.
const REPOSITORY_PRIORITY: u32 = 99;

/// The kind of source that is meant where only the place of one is written.
fn guess_source(written: &str) -> Option<&'static str> {
    match written {
        url if url.contains("://") && url.ends_with(".git") => Some("git"),
        url if url.contains("://") => Some("url"),
        path if path.contains('/') || path.ends_with(".spec") || path.ends_with(".src.rpm") => Some("path"),
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
            install: named(node, "install")
                .flat_map(|node| self.values.texts(node))
                .map(|text| text.value)
                .collect(),
            settings: self.read_settings(node),
            extends: text(self, "extends"),
            root,
            image: text(self, "image"),
            name: self.values.argument(node, 0)?,
        })
    }

    fn read_repository(&mut self, node: &KdlNode) -> Option<RepositoryDecl> {
        self.check_one_of_properties(node, &["baseurl", "metalink", "mirrorlist"]);
        let mut property = |name| self.values.property(node, name);
        let base = property("baseurl").map(|url| RepositoryLocation::BaseUrl(url.value));
        let location = base
            .or_else(|| property("metalink").map(|url| RepositoryLocation::Metalink(url.value)))
            .or_else(|| property("mirrorlist").map(|url| RepositoryLocation::Mirrorlist(url.value)));
        let exclude = property("exclude").map(|pattern| pattern.value);
        let gpgkey = property("gpgkey").and_then(|written| self.read_path(written));
        Some(RepositoryDecl {
            name: self.values.argument(node, 0)?,
            location: location?,
            gpgkey,
            priority: self.values.property_count(node, "priority").unwrap_or(REPOSITORY_PRIORITY),
            exclude,
        })
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
        Some(SourceDecl { files: self.read_files(node), kind: SourceKind::Named(kind), place })
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
        }
        let place = self.place(node);
        let files = self.read_files(node);
        let kind = match word {
            "custom" => Some(self.read_custom_source(node)),
            _ => match self.values.argument(node, index) {
                Some(what) => self.read_kind(node, word, what),
                None => {
                    self.report_missing_argument(node, word, index);
                    None
                }
            },
        };
        Some(SourceDecl { kind: kind?, files, place })
    }

    fn read_kind(
        &mut self,
        node: &KdlNode,
        word: &str,
        what: crate::text::Spanned<String>,
    ) -> Option<SourceKind> {
        if word == "path" {
            return self.read_path(what).map(SourceKind::Path);
        }
        let what = what.value;
        let mut property = |name| self.values.property(node, name).map(|value| value.value);
        let kind = match word {
            "url" => SourceKind::Url { url: what, sha256: property("sha256") },
            "git" | "svn" => SourceKind::Repository {
                system: if word == "git" { "git" } else { "svn" },
                url: what,
                revision: property("rev"),
                folder: property("subdir"),
                spec: property("spec"),
                method: property("method"),
            },
            "distgit" => {
                SourceKind::Distgit { package: what, from: property("from"), revision: property("rev") }
            }
            _ => SourceKind::Registry {
                registry: if word == "pypi" { "pypi" } else { "rubygems" },
                project: what,
                version: property("version"),
            },
        };
        Some(kind)
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
        let script = script.and_then(|written| self.read_path(written));
        let chroot = self.values.property(node, "chroot");
        let needs =
            named(node, "needs").flat_map(|node| self.values.texts(node)).map(|text| text.value).collect();
        SourceKind::Custom { script, chroot, needs }
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

    fn read_files(&mut self, node: &KdlNode) -> Vec<FileDecl> {
        let mut files = Vec::new();
        for node in named(node, "file") {
            let sha256 = self.values.property(node, "sha256");
            for written in self.values.texts(node) {
                let path = self.read_path(written);
                files.extend(path.map(|path| FileDecl { path, sha256: sha256.clone() }));
            }
        }
        files
    }
}
