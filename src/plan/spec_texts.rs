//! The places in specs that findings are about.

use std::collections::HashMap;
use std::sync::Arc;

use super::PlanError;
use crate::files::Folder;
use crate::manifest::Package;
use crate::source::Origin;
use crate::spec::Finding;
use crate::text::{Located, Place, SourceText};

/// The texts of a package's spec and of what it includes, each read once.
pub(super) struct SpecTexts<'a> {
    package: &'a Package,
    repository: &'a Folder,
    known: HashMap<String, Option<Arc<SourceText>>>,
}

impl<'a> SpecTexts<'a> {
    pub fn new(package: &'a Package, repository: &'a Folder) -> Self {
        Self { package, repository, known: HashMap::new() }
    }

    /// A finding at its line of the spec. Where there is no such place, it points at the package in the manifest.
    pub fn located(&mut self, finding: &Finding, origin: &Origin) -> Located<PlanError> {
        let text = self.text(finding, origin);
        let mut finding = finding.clone();
        finding.rename(&origin.spec_path().to_string(), &self.shown_path(origin));
        let line = finding.line;
        let error = PlanError::Spec(Box::new(finding));
        match text {
            Some(text) if line > 0 => {
                let line = usize::try_from(line).unwrap_or(usize::MAX);
                Located::new(error, "here", Place::line(&text, line))
            }
            _ => Located::new(error, "its spec", self.package.source.place.clone()),
        }
    }

    /// The spec's text; of other files only the place in the manifest is shown.
    fn text(&mut self, finding: &Finding, origin: &Origin) -> Option<Arc<SourceText>> {
        let path = origin.spec_path().to_string();
        if finding.file != path {
            return None;
        }
        let shown = self.shown_path(origin);
        let read = || {
            let text = origin.read_spec().ok()?;
            Some(SourceText::new(shown.as_str(), String::from_utf8_lossy(&text)))
        };
        self.known.entry(path.clone()).or_insert_with(read).clone()
    }

    /// The spec's path as messages show it: within the repository, from there.
    fn shown_path(&self, origin: &Origin) -> String {
        let (path, root) = (origin.spec_path().to_string(), self.repository.path().to_string());
        path.strip_prefix(&root).map_or(path.as_str(), |rest| rest.trim_start_matches('/')).to_owned()
    }
}
