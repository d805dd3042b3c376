//! The project itself: what several files may say of it, as long as they agree.

use std::collections::HashMap;

use super::declaration::{MacroDecl, SettingsDecl};
use super::layer::BuildSettings;
use super::mistakes::Mistakes;
use super::problem::ManifestProblem;

use crate::engine::{MacroLevel, Value};
use crate::text::{Located, Place, Spanned};

impl Mistakes<'_> {
    /// Reports a node that may stand once and stands in several files.
    pub fn check_only_one<'b>(&mut self, what: &str, mut places: impl Iterator<Item = &'b Place>) {
        let Some(first) = places.next() else { return };
        for place in places.filter(|place| !place.same_source(first)) {
            let problem =
                ManifestProblem::Repeated { name: what.to_owned(), place: "the manifest".to_owned() };
            let error = Located::new(problem, "again here", place.clone());
            self.errors.push(error.with_note("first here", first.clone()));
        }
    }

    /// Reports names of the project that differ.
    pub fn check_project_names(&mut self, names: &[&Spanned<String>]) {
        let Some((first, rest)) = names.split_first() else {
            return;
        };
        for name in rest.iter().filter(|name| name.value != first.value) {
            self.report_contradiction(
                "the name of `project`",
                (&first.value, &first.place),
                (&name.value, &name.place),
            );
        }
    }

    /// The macros of the project, which several files may state together.
    pub fn resolve_project_macros(&mut self, decls: Vec<MacroDecl>) -> BuildSettings {
        let mut first: HashMap<&str, &MacroDecl> = HashMap::new();
        for decl in &decls {
            let earlier = *first.entry(&decl.name.value).or_insert(decl);
            if earlier.body != decl.body && !self.is_reported(&decl.name.place) {
                let text = |decl: &MacroDecl| decl.body.as_ref().map_or("#null", Value::shown).to_owned();
                let (one, other) = (text(earlier), text(decl));
                let what = format!("the macro `{}`", decl.name.value);
                self.report_contradiction(&what, (&one, &earlier.name.place), (&other, &decl.name.place));
            }
        }
        let settings = SettingsDecl { macros: decls, ..SettingsDecl::default() };
        BuildSettings::new(settings, MacroLevel::Project)
    }
}
