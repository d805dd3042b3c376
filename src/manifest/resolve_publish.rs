//! `publish`: the folders that repositories are written to.

use std::path::Path;

use super::manifest_path::ManifestPath;
use super::multilib::find_narrower;
use super::place_address::PlaceDecl;
use super::problem::ManifestProblem;
use super::resolver::Resolver;
use crate::text::Spanned;

impl Resolver<'_> {
    /// Reports a folder that nothing can be published to.
    pub fn check_publish_folder(&mut self, folder: &Spanned<ManifestPath>) {
        let chroots = self.names.chroots.len();
        if chroots > 1 && !folder.value.to_string().contains("{chroot}") {
            let problem = ManifestProblem::WrongValue {
                what: "the folder of `publish`".to_owned(),
                wanted: format!("one for each of {chroots} chroots"),
                written: folder.value.to_string(),
                help: format!("say where the chroot's name goes: \"{}/{{chroot}}\"", folder.value),
            };
            self.mistakes.report(problem, "one folder for all", &folder.place);
        }
        if let Some(what) = taken_folder(folder.value.as_path()) {
            let problem = ManifestProblem::WrongValue {
                what: "the folder of `publish`".to_owned(),
                wanted: "one for packages".to_owned(),
                written: folder.value.to_string(),
                help: "publish to a folder of its own, \"public/{chroot}\" for example".to_owned(),
            };
            self.mistakes.report(problem, what, &folder.place);
        }
    }

    /// Reports `multilib` where no two chroots belong together so.
    pub fn check_multilib(&mut self, multilib: &Spanned<bool>) {
        let names: Vec<&str> = self.names.chroots.iter().collect();
        let has_pair = names.iter().any(|name| find_narrower(name, names.iter().copied()).is_some());
        if multilib.value && !has_pair {
            self.mistakes.report(ManifestProblem::NoMultilibPair, "for nothing", &multilib.place);
        }
    }

    /// Reports a place that several repositories would be sent to.
    pub fn check_place(&mut self, place: &PlaceDecl) {
        let chroots = self.names.chroots.len();
        let written = place.address.value.to_string();
        if chroots > 1 && !written.contains("{chroot}") {
            let problem = ManifestProblem::WrongValue {
                what: "the place of `to`".to_owned(),
                wanted: format!("one for each of {chroots} chroots"),
                help: format!("say where the chroot's name goes: \"{written}/{{chroot}}\""),
                written,
            };
            self.mistakes.report(problem, "one place for all", &place.address.place);
        }
    }
}

/// What a folder is that nothing can be published to, by its name. Where links lead is seen when it is published to.
fn taken_folder(path: &Path) -> Option<&'static str> {
    let has = |name: &str| path.components().any(|component| component.as_os_str() == name);
    match path.parent() {
        None if path.has_root() => Some("the root of all folders"),
        _ if has(".git") => Some("git's"),
        _ if has(".forge") => Some("the state of a project"),
        _ => None,
    }
}
