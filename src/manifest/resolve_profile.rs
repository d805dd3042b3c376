//! Profiles: resolved, and chosen by name.

use super::declaration::{Network, ProfileDecl};
use super::problem::{ManifestError, ManifestProblem};
use super::profile::Profile;
use super::resolved::Manifest;
use super::resolver::Resolver;
use crate::engine::MacroLevel;
use crate::text::{Located, Place, Spanned, suggestion};

/// Resolves profiles.
pub(super) fn resolve_profiles(resolver: &mut Resolver<'_>, decls: Vec<ProfileDecl>) -> Vec<Profile> {
    let resolve = |decl: ProfileDecl| {
        let ProfileDecl { name, options } = decl;
        Profile {
            layer: resolver.resolve_layer(
                options.layer,
                MacroLevel::Profile,
                &format!("profile `{}`", name.value),
            ),
            name,
            engine: said(options.engine),
            isolation: said(options.isolation),
            network: said(options.network),
            timeout: said(options.timeout),
            retries: said(options.retries),
            on_failure: said(options.on_failure),
            bootstrap: said(options.bootstrap),
        }
    };
    decls.into_iter().map(resolve).collect()
}

fn said<T>(choice: Option<Spanned<T>>) -> Option<T> {
    choice.map(|choice| choice.value)
}

impl Manifest {
    /// Lets profiles hold, the last one above the others.
    ///
    /// # Errors
    /// A name that no profile has.
    pub fn choose_profiles(&mut self, names: &[String]) -> Result<(), ManifestError> {
        for name in names {
            let Some(index) = self.profiles.iter().position(|profile| profile.name.value == *name) else {
                let known = self.profiles.iter().map(|profile| profile.name.value.as_str());
                let help = suggestion(name, "profiles", known);
                let problem = ManifestProblem::UnknownProfile { name: name.clone(), help };
                return Err(Located::new(problem, "here", Place::outside("command line")));
            };
            self.chosen_profiles.push(index);
            self.apply_choices(index);
        }
        Ok(())
    }

    /// Lets those of these profiles hold that there are: of a manifest as it was before one of them came in.
    pub fn choose_known_profiles(&mut self, names: &[String]) {
        let is_known = |name: &&String| self.profiles.iter().any(|profile| profile.name.value == **name);
        let known: Vec<String> = names.iter().filter(is_known).cloned().collect();
        // All of them are known.
        let _ = self.choose_profiles(&known);
    }

    fn apply_choices(&mut self, index: usize) {
        let Some(profile) = self.profiles.get(index) else { return };
        for package in &mut self.packages {
            package.engine = profile.engine.unwrap_or(package.engine);
            package.isolation = profile.isolation.unwrap_or(package.isolation);
            package.network = profile.network.unwrap_or(package.network);
            if let Some(network) = profile.network {
                package.is_denied_network = network == Network::Denied;
            }
            package.timeout = profile.timeout.unwrap_or(package.timeout);
            package.retries = profile.retries.unwrap_or(package.retries);
        }
        self.on_failure = profile.on_failure.unwrap_or(self.on_failure);
        self.bootstrap = profile.bootstrap.unwrap_or(self.bootstrap);
    }
}
