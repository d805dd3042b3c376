//! Nodes → declarations: what a program that makes a source is run with.

use kdl::{KdlDocument, KdlNode};

use super::declaration::{MAKE_SRPM, MakingDecl, Network};
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, child, named};
use crate::text::Located;

/// What may stand in the blocks of sources that programs make, and in no others.
const NODES: &[&str] = &["needs", "arguments", "network", "timeout", "env"];

impl DeclarationReader<'_> {
    /// What stands in the block of a source of a program that makes it.
    pub(super) fn read_making(&mut self, node: &KdlNode) -> MakingDecl {
        let network = child(node, "network").and_then(|node| self.values.boolean(node));
        MakingDecl {
            chroot: self.values.property(node, "chroot"),
            needs: named(node, "needs").flat_map(|node| self.read_requirements(node)).collect(),
            network: network.map(|allowed| if allowed { Network::Allowed } else { Network::Denied }),
            timeout: child(node, "timeout").and_then(|node| self.values.duration(node)),
            environment: child(node, "env").map(|node| self.read_variables(node)).unwrap_or_default(),
        }
    }

    /// Reports what stands in the block of a source that no program makes. A node that is named after its kind has rules of its
    /// own, and `has_own_rules`.
    pub(super) fn report_foreign_making(&mut self, node: &KdlNode, word: &str, has_own_rules: bool) {
        let method = node.get("method").and_then(|method| method.as_string());
        let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
        for child in children {
            let name = child.name().value();
            let is_known = NODES.contains(&name);
            let problem = match word {
                "pypi" | "rubygems" | "crates" | "npm" if name == "keyring" && !has_own_rules => {
                    ManifestProblem::UnknownNode {
                        name: name.to_owned(),
                        place: format!("`source {word}`"),
                        help: "its checksums come from the registry: no spec names a signature".to_owned(),
                    }
                }
                "custom" => continue,
                _ if !is_known => continue,
                "git" if name != "arguments" && method == Some(MAKE_SRPM) => continue,
                "git" if name != "arguments" => ManifestProblem::Missing {
                    node: format!("`{name}` of `source git`"),
                    what: format!("`method={MAKE_SRPM}`: without it no program makes the source"),
                    example: format!("source git \"…\" method={MAKE_SRPM} {{ {name} … }}"),
                },
                _ if has_own_rules => continue,
                _ => ManifestProblem::UnknownNode {
                    name: name.to_owned(),
                    place: format!("`source {word}`"),
                    help: match word {
                        "git" => "only `source custom` takes it".to_owned(),
                        _ => format!(
                            "no program makes this source: `source custom` and `source git … method={MAKE_SRPM}` take it"
                        ),
                    },
                },
            };
            let error = Located::new(problem, "belongs to another kind of source", self.place(child));
            self.values.errors.push(error);
        }
    }
}
