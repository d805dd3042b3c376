//! Mass rebuilds: the names in them.

use super::declaration::RebuildDecl;
use super::resolver::{Reference, Resolver};

impl Resolver<'_> {
    /// Reports names in mass rebuilds that nothing has.
    pub fn check_rebuilds(&mut self, rebuilds: &[RebuildDecl]) {
        for rebuild in rebuilds {
            let who = format!("mass-rebuild `{}`", rebuild.name.value);
            if let Some(selection) = &rebuild.chroots {
                self.select_chroots(&who, "is for", selection);
            }
            for name in &rebuild.change {
                self.find_package(&Reference { who: &who, relation: "changes", kind: "package", name });
            }
        }
    }
}
