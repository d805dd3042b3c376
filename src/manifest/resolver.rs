//! What the kinds of declarations share while they are resolved: the repository, the names that are known, and where
//! mistakes go.

use super::declaration::{ChrootSelection, LayerDecl};
use super::layer::Layer;
use super::mistakes::Mistakes;
use super::names::{FoundPackage, Names, is_pattern};
use super::problem::ManifestProblem;
use super::resolved::{ChrootId, PackageId};
use crate::engine::MacroLevel;
use crate::files::Folder;
use crate::text::{Spanned, suggestion};

/// What all kinds share.
pub(super) struct Resolver<'a> {
    /// The repository, for paths.
    pub repository: &'a Folder,
    /// What can be referred to.
    pub names: &'a Names<'a>,
    /// Where mistakes go.
    pub mistakes: Mistakes<'a>,
}

/// A name that stands for something that is declared elsewhere.
pub(super) struct Reference<'a> {
    /// What names it: "package `curl`".
    pub who: &'a str,
    /// What that has to do with it: "comes after".
    pub relation: &'static str,
    /// What it would be: "batch".
    pub kind: &'static str,
    /// The name.
    pub name: &'a Spanned<String>,
}

impl Resolver<'_> {
    /// Reports a name that nothing has; `known` are those that could have been meant.
    pub fn report_undeclared<'b>(&mut self, reference: &Reference<'_>, known: impl Iterator<Item = &'b str>) {
        let Reference { who, relation, kind, name } = *reference;
        let declared = format!("declared {kind}{}", if kind.ends_with("ch") { "es" } else { "s" });
        let help = suggestion(name, &declared, known);
        let (who, written) = (who.to_owned(), name.value.clone());
        let problem = ManifestProblem::Undeclared { who, relation, kind, name: written, help };
        self.mistakes.report(problem, &format!("no such {kind}"), &name.place);
    }

    /// The package that a name stands for; one that is of no use is reported.
    pub fn find_package(&mut self, reference: &Reference<'_>) -> Option<PackageId> {
        match self.names.packages.find(reference.name) {
            FoundPackage::One(index) => return Some(PackageId(index)),
            FoundPackage::Nothing => self.report_undeclared(reference, self.names.packages.iter()),
            FoundPackage::Several(found) => {
                let found = found.iter().map(|index| format!("`{}`", self.names.packages.name(*index)));
                let problem = ManifestProblem::Ambiguous {
                    name: reference.name.value.clone(),
                    packages: found.collect::<Vec<_>>().join(", "),
                };
                self.mistakes.report(problem, "which one?", &reference.name.place);
            }
        }
        None
    }

    /// The chroots that a selection stands for, in the order of their declaration.
    ///
    /// `who` and `relation` begin what is said of an unknown one: "package `a`", "builds for".
    pub fn select_chroots(
        &mut self,
        who: &str,
        relation: &'static str,
        selection: &ChrootSelection,
    ) -> Vec<ChrootId> {
        let mut chosen = vec![false; self.names.chroots.len()];
        let parts = [(&selection.take, relation, true), (&selection.exclude, "excludes", false)];
        for (patterns, relation, choose) in parts {
            for pattern in patterns {
                let matched = self.names.chroots.matching(pattern);
                if matched.is_empty() {
                    self.report_unmatched_chroot(who, relation, pattern);
                }
                matched.into_iter().for_each(|index| chosen[index] = choose);
            }
        }
        chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(index, _)| ChrootId(index)).collect()
    }

    /// Settings, with the chroots that they are for.
    pub fn resolve_layer(&mut self, decl: LayerDecl, level: MacroLevel, who: &str) -> Layer {
        Layer::new(decl, level, |patterns| {
            let selection = ChrootSelection { take: patterns.to_vec(), exclude: Vec::new() };
            self.select_chroots(who, "has settings for", &selection)
        })
    }

    fn report_unmatched_chroot(&mut self, who: &str, relation: &'static str, pattern: &Spanned<String>) {
        if self.mistakes.is_reported(&pattern.place) {
            return;
        }
        let help = suggestion(pattern, "declared chroots", self.names.chroots.iter());
        let problem = if is_pattern(pattern) {
            ManifestProblem::NoMatch { kind: "chroot", pattern: pattern.value.clone(), help }
        } else {
            ManifestProblem::UnknownChroot {
                who: who.to_owned(),
                relation,
                name: pattern.value.clone(),
                help,
            }
        };
        self.mistakes.report(problem, "no such chroot", &pattern.place);
    }
}
