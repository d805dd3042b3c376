//! Packages: where they come from, where they are built, what they come after, and what they are built with.

use std::path::PathBuf;
use std::time::Duration;

use super::declaration::{
    EngineChoice, Isolation, NamedSourceDecl, Network, OptionsDecl, PackageDecl, Priority, SourceKind,
};
use super::manifest_path::ManifestPath;
use super::names::read_spec;
use super::problem::ManifestProblem;
use super::resolve_source::resolve_source;
use super::resolved::{ChrootId, Making, Package, PackageId, Source};
use super::resolver::{Reference, Resolver};
use super::spec_text::find_conditions;
use crate::engine::{Condition, MacroLevel};
use crate::text::{Spanned, suggestion};

/// How long a build may take where nothing else is said (Copr's default).
const TIMEOUT: Duration = Duration::from_secs(5 * 3600);

/// A package, with what batches may still add to it.
pub(super) struct PackageDraft {
    /// The package so far.
    pub resolved: Package,
    /// The priority that it states itself.
    pub own_priority: Option<Priority>,
}

/// What holds for all packages that say nothing else.
struct PackageDefaults<'a> {
    options: &'a OptionsDecl,
    chroots: Vec<ChrootId>,
}

/// Resolves packages, in the order of their declaration.
pub(super) fn resolve_packages(
    resolver: &mut Resolver<'_>,
    decls: Vec<PackageDecl>,
    sources: &[NamedSourceDecl],
    defaults: &OptionsDecl,
) -> Vec<PackageDraft> {
    let chroots = match &defaults.chroots {
        Some(selection) => resolver.select_chroots("`defaults`", "builds for", selection),
        None => (0..resolver.names.chroots.len()).map(ChrootId).collect(),
    };
    let defaults = PackageDefaults { options: defaults, chroots };
    decls.into_iter().map(|decl| resolve_package(resolver, decl, sources, &defaults)).collect()
}

fn resolve_package(
    resolver: &mut Resolver<'_>,
    decl: PackageDecl,
    sources: &[NamedSourceDecl],
    defaults: &PackageDefaults<'_>,
) -> PackageDraft {
    let PackageDecl { name, source, options, own_conditions, upstream, .. } = decl;
    let source = source.and_then(|source| resolve_source(resolver, &name, source, sources));
    if let Some(source) = &source {
        check_conditions(resolver, &name, &source.kind, &own_conditions);
    }
    // A package whose source is of no use has been reported; it stays, so that its name is known.
    let source = source.unwrap_or_else(|| empty_source(&name));
    let chroots = match &options.chroots {
        Some(selection) => {
            resolver.select_chroots(&format!("package `{}`", name.value), "builds for", selection)
        }
        None => defaults.chroots.clone(),
    };
    if chroots.is_empty() {
        resolver.report_no_chroot(&name, options.chroots.is_some());
    }
    let after = resolver.packages_before(&name, &options.after);
    let layer =
        resolver.resolve_layer(options.layer, MacroLevel::Package, &format!("package `{}`", name.value));
    let own_priority = options.priority.as_ref().map(|choice| choice.value);
    let default = defaults.options;
    let resolved = Package {
        name,
        source,
        upstream,
        chroots,
        after,
        batch: None,
        engine: choose(options.engine.as_ref(), default.engine.as_ref(), EngineChoice::Native),
        isolation: choose(options.isolation.as_ref(), default.isolation.as_ref(), Isolation::Namespaces),
        is_denied_network: options
            .network
            .as_ref()
            .or(default.network.as_ref())
            .is_some_and(|said| said.value == Network::Denied),
        network: choose(options.network.as_ref(), default.network.as_ref(), Network::Denied),
        timeout: choose(options.timeout.as_ref(), default.timeout.as_ref(), TIMEOUT),
        retries: choose(options.retries.as_ref(), default.retries.as_ref(), 0),
        priority: choose(options.priority.as_ref(), default.priority.as_ref(), Priority::Normal),
        layer,
    };
    PackageDraft { resolved, own_priority }
}

/// Reports build conditions that a spec does not have, as far as its text tells.
fn check_conditions(
    resolver: &mut Resolver<'_>,
    package: &Spanned<String>,
    source: &SourceKind,
    conditions: &[Spanned<Condition>],
) {
    if conditions.is_empty() {
        return;
    }
    let Some(text) = read_spec(source, resolver.repository) else { return };
    let Some(known) = find_conditions(&text) else { return };
    for condition in conditions.iter().filter(|condition| !known.contains(condition.value.name())) {
        let name = condition.value.name();
        let help = suggestion(name, "build conditions of the spec", known.iter().copied());
        let problem =
            ManifestProblem::UnknownCondition { package: package.value.clone(), name: name.to_owned(), help };
        resolver.mistakes.report(problem, "no such `%bcond`", &condition.place);
    }
}

/// What a package says itself, else what `defaults` say.
fn choose<T: Copy>(own: Option<&Spanned<T>>, default: Option<&Spanned<T>>, otherwise: T) -> T {
    own.or(default).map_or(otherwise, |choice| choice.value)
}

fn empty_source(name: &Spanned<String>) -> Source {
    let path = Spanned::new(ManifestPath::Repository(PathBuf::new()), name.place.clone());
    let making = Making::default();
    Source {
        kind: SourceKind::Path(path),
        files: Vec::new(),
        keyrings: Vec::new(),
        tokens: Vec::new(),
        making,
        place: name.place.clone(),
    }
}

impl Resolver<'_> {
    fn report_no_chroot(&mut self, package: &Spanned<String>, selects: bool) {
        let help = if selects {
            "its `exclude` leaves nothing of what its `chroots` take"
        } else {
            "declare a chroot, for this machine's own root: chroot host { root \"/\" }"
        };
        let already = self.mistakes.errors.iter().any(|error| {
            matches!(
                error.error(),
                ManifestProblem::UnknownChroot { .. } | ManifestProblem::NoMatch { kind: "chroot", .. }
            ) || (!selects && matches!(error.error(), ManifestProblem::NoChroot { .. }))
        });
        if !already {
            self.mistakes.report(
                ManifestProblem::NoChroot { package: package.value.clone(), help },
                "this package",
                &package.place,
            );
        }
    }

    /// The packages that a package comes after.
    fn packages_before(
        &mut self,
        package: &Spanned<String>,
        after: &[Spanned<String>],
    ) -> Vec<Spanned<PackageId>> {
        let mut found = Vec::new();
        for name in after {
            let who = format!("package `{}`", package.value);
            let reference = Reference { who: &who, relation: "comes after", kind: "package", name };
            let id = self.find_package(&reference);
            found.extend(id.map(|id| Spanned::new(id, name.place.clone())));
        }
        found
    }
}
