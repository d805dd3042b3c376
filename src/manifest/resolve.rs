//! Declarations → [`Manifest`]: names, patterns and levels applied.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::declaration::{
    Bootstrap, ChrootSelection, Declarations, EngineChoice, Isolation, MacroDecl, NamedSourceDecl, Network,
    OnFailure, OptionsDecl, PackageDecl, PackagesDecl, Priority, SourceDecl, SourceKind, VariableDecl,
};
use super::manifest_path::ManifestPath;
use super::problem::{ManifestError, Problem};
use super::resolve_batch::resolve_batches;
use super::resolve_root::{custom_chroot, resolve_chroots};
use super::resolved::{Chroot, ChrootId, Manifest, Package, PackageId, Source, macro_setting};
use crate::engine::{MacroLevel, MacroSetting, Value};
use crate::files::Folder;
use crate::text::{Located, Place, SourceText, Spanned, suggestion};

/// How long a build may take where nothing else is said (Copr's default).
const TIMEOUT: Duration = Duration::from_secs(5 * 3600);

/// What all steps of resolving share.
pub(super) struct Resolver<'a> {
    /// The repository, for patterns and paths.
    pub repository: &'a Folder,
    /// Where mistakes go.
    pub errors: &'a mut Vec<ManifestError>,
}

/// Resolves all declarations; every mistake goes to `errors`, and what is given then is of no use.
pub(super) fn resolve(
    declarations: Declarations,
    repository: &Folder,
    files: &[Arc<SourceText>],
    errors: &mut Vec<ManifestError>,
) -> Manifest {
    let mut resolver = Resolver { repository, errors };
    let Declarations {
        projects,
        macros,
        defaults,
        chroots,
        sources,
        packages,
        patterns,
        batches,
        publish,
        caches,
        remotes,
        rebuilds,
    } = declarations;
    resolver.only_one("publish", publish.iter().map(|decl| &decl.folder.place));
    resolver.only_one("cache", caches.iter().map(|decl| &decl.url.place));
    resolver.only_one("remote", remotes.iter().map(|decl| &decl.url.place));
    resolver.same_name(&projects.iter().map(|project| &project.name).collect::<Vec<_>>());
    let defaults = resolver.defaults(defaults);
    let macros = resolver.project_macros(&macros);
    let chroots = resolve_chroots(&mut resolver, chroots);
    let mut packages = resolver.packages(packages, patterns, &sources, &chroots, &defaults);
    let batches = resolve_batches(&mut resolver, &batches, &mut packages, &defaults);
    resolver.rebuild_names(&rebuilds, &packages, &chroots);
    if let Some(publish) = publish.first() {
        resolver.publish_folder(&publish.folder, chroots.len());
    }
    let packages = packages.into_iter().map(|package| package.resolved).collect();
    let first = projects.into_iter().next();
    Manifest {
        description: first.as_ref().and_then(|project| project.description.clone()).map(|text| text.value),
        name: first.map(|project| project.name.value),
        files: files.iter().map(|file| file.name().to_owned()).collect(),
        macros,
        packages,
        chroots,
        batches,
        on_failure: defaults.on_failure.as_ref().map_or(OnFailure::Continue, |choice| choice.value),
        bootstrap: defaults.bootstrap.as_ref().map_or(Bootstrap::Auto, |choice| choice.value),
        publish: publish.into_iter().next(),
        cache: caches.into_iter().next(),
        remote: remotes.into_iter().next(),
        rebuilds,
    }
}

/// A package, with what batches may still add to it.
pub(super) struct Draft {
    /// The package so far.
    pub resolved: Package,
    /// The priority that it states itself.
    pub own_priority: Option<Priority>,
}

impl Resolver<'_> {
    /// Reports a problem at a place.
    pub fn report(&mut self, problem: Problem, label: &str, place: &Place) {
        self.errors.push(Located::new(problem, label, place.clone()));
    }

    /// Reports every name that is declared more than once.
    pub fn unique<'b>(&mut self, kind: &'static str, names: impl Iterator<Item = &'b Spanned<String>>) {
        let mut first: HashMap<&str, &Place> = HashMap::new();
        for name in names {
            if let Some(earlier) = first.insert(&name.value, &name.place) {
                let problem = Problem::Duplicate { kind, name: name.value.clone() };
                let error = Located::new(problem, "declared again here", name.place.clone());
                self.errors.push(error.with_note("declared first here", earlier.clone()));
            }
        }
    }

    fn only_one<'b>(&mut self, what: &str, mut places: impl Iterator<Item = &'b Place>) {
        let Some(first) = places.next() else { return };
        for place in places.filter(|place| !place.same_source(first)) {
            let problem = Problem::Repeated { name: what.to_owned(), place: "the manifest".to_owned() };
            let error = Located::new(problem, "again here", place.clone());
            self.errors.push(error.with_note("first here", first.clone()));
        }
    }

    fn same_name(&mut self, names: &[&Spanned<String>]) {
        let Some((first, rest)) = names.split_first() else {
            return;
        };
        for name in rest.iter().filter(|name| name.value != first.value) {
            self.contradiction(
                "the name of `project`",
                (&first.value, &first.place),
                (&name.value, &name.place),
            );
        }
    }

    fn contradiction(&mut self, what: &str, one: (&str, &Place), other: (&str, &Place)) {
        let (what, one_says, other_says) = (what.to_owned(), one.0.to_owned(), other.0.to_owned());
        let problem = Problem::Contradiction { what, one: one_says, other: other_says };
        let error = Located::new(problem, "this contradicts", other.1.clone());
        self.errors.push(error.with_note("what is said here", one.1.clone()));
    }

    /// The macros of the project, which several files may state together.
    fn project_macros(&mut self, decls: &[MacroDecl]) -> Vec<MacroSetting> {
        let mut first: HashMap<&str, &MacroDecl> = HashMap::new();
        for decl in decls {
            let earlier = *first.entry(&decl.name.value).or_insert(decl);
            if earlier.body != decl.body && !self.is_reported(&decl.name.place) {
                let text = |decl: &MacroDecl| decl.body.as_ref().map_or("#null", Value::shown).to_owned();
                let (one, other) = (text(earlier), text(decl));
                let what = format!("the macro `{}`", decl.name.value);
                self.contradiction(&what, (&one, &earlier.name.place), (&other, &decl.name.place));
            }
        }
        macro_settings(decls, MacroLevel::Project)
    }

    /// Whether a mistake has been reported at this very place.
    fn is_reported(&self, place: &Place) -> bool {
        self.errors
            .iter()
            .any(|error| error.place().same_source(place) && error.place().span() == place.span())
    }

    /// The defaults of all files together.
    fn defaults(&mut self, decls: Vec<OptionsDecl>) -> OptionsDecl {
        let mut all = OptionsDecl::default();
        for decl in decls {
            self.join("`engine`", &mut all.engine, decl.engine);
            self.join("`isolation`", &mut all.isolation, decl.isolation);
            self.join("`network`", &mut all.network, decl.network);
            self.join("`timeout`", &mut all.timeout, decl.timeout);
            self.join("`retries`", &mut all.retries, decl.retries);
            self.join("`priority`", &mut all.priority, decl.priority);
            self.join("`on-failure`", &mut all.on_failure, decl.on_failure);
            self.join("`bootstrap`", &mut all.bootstrap, decl.bootstrap);
            all.chroots = all.chroots.or(decl.chroots);
        }
        all
    }

    fn join<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        all: &mut Option<Spanned<T>>,
        new: Option<Spanned<T>>,
    ) {
        let (Some(known), Some(added)) = (&*all, &new) else {
            *all = all.take().or(new);
            return;
        };
        if known.value != added.value {
            let text = |said: &Spanned<T>| {
                let span = said.place.span();
                said.place.source().text().get(span).unwrap_or_default().to_owned()
            };
            let (one, other) = (text(known), text(added));
            self.contradiction(
                &format!("{what} in `defaults`"),
                (&one, &known.place),
                (&other, &added.place),
            );
        }
    }

    fn packages(
        &mut self,
        decls: Vec<PackageDecl>,
        patterns: Vec<PackagesDecl>,
        sources: &[NamedSourceDecl],
        chroots: &[Chroot],
        defaults: &OptionsDecl,
    ) -> Vec<Draft> {
        self.unique("source", sources.iter().map(|source| &source.name));
        let decls = self.with_patterns(decls, patterns);
        self.unique("package", decls.iter().map(|decl| &decl.name));
        let ids: HashMap<String, PackageId> = decls
            .iter()
            .enumerate()
            .map(|(index, decl)| (decl.name.value.clone(), PackageId(index)))
            .collect();
        let default_chroots = self.default_chroots(defaults, chroots);
        let mut drafts = Vec::with_capacity(decls.len());
        for decl in decls {
            let PackageDecl { name, source, options } = decl;
            let source = source.and_then(|source| self.package_source(&name, source, sources));
            if let Some(chroot) = source.as_ref().and_then(|source| custom_chroot(&source.kind)) {
                let known = ChrootSelection { take: vec![chroot.clone()], exclude: Vec::new() };
                self.select(&format!("the script of package `{}`", name.value), &known, chroots);
            }
            // A package whose source is of no use has been reported; it stays, so that its name is known.
            let source = source.unwrap_or_else(|| no_source(&name));
            let mut take_default = default_chroots.clone();
            let chroots = match &options.chroots {
                Some(selection) => self.select(&format!("package `{}`", name.value), selection, chroots),
                None => std::mem::take(&mut take_default),
            };
            if chroots.is_empty() {
                self.no_chroot(&name, options.chroots.is_some());
            }
            let after = self.after(&name, &options.after, &ids);
            drafts.push(draft(name, source, chroots, after, options, defaults));
        }
        drafts
    }

    fn no_chroot(&mut self, package: &Spanned<String>, selects: bool) {
        let help = if selects {
            "its `exclude` leaves nothing of what its `chroots` take"
        } else {
            "declare a chroot, for this machine's own root: chroot host { root \"/\" }"
        };
        let already = self.errors.iter().any(|error| {
            matches!(error.error(), Problem::UnknownChroot { .. } | Problem::NoMatch { kind: "chroot", .. })
                || (!selects && matches!(error.error(), Problem::NoChroot { .. }))
        });
        if !already {
            self.report(
                Problem::NoChroot { package: package.value.clone(), help },
                "this package",
                &package.place,
            );
        }
    }

    /// The declared packages, and one for each spec that a pattern matches and no declared package has.
    fn with_patterns(
        &mut self,
        mut decls: Vec<PackageDecl>,
        patterns: Vec<PackagesDecl>,
    ) -> Vec<PackageDecl> {
        let path_of = |decl: &PackageDecl| match decl.source.as_ref().map(|source| &source.kind) {
            Some(SourceKind::Path(path)) => Some(path.value.clone()),
            _ => None,
        };
        let mut taken: BTreeMap<ManifestPath, ()> =
            decls.iter().filter_map(path_of).map(|path| (path, ())).collect();
        for decl in patterns {
            for pattern in &decl.patterns {
                for path in self.matching_specs(&decl, pattern) {
                    let path = ManifestPath::Repository(path);
                    if taken.insert(path.clone(), ()).is_none() {
                        decls.push(from_pattern(path, pattern, &decl.options));
                    }
                }
            }
        }
        decls
    }

    fn matching_specs(&mut self, decl: &PackagesDecl, pattern: &Spanned<String>) -> Vec<PathBuf> {
        if self.is_reported(&pattern.place) {
            return Vec::new();
        }
        let problem = match self.repository.search(&decl.folder, pattern) {
            Ok(Some(found)) if !found.is_empty() => return found,
            Ok(Some(_)) => Problem::NoMatch {
                kind: "spec",
                pattern: pattern.value.clone(),
                help: "patterns are relative to the file that says them; `**` goes through folders"
                    .to_owned(),
            },
            Ok(None) => Problem::PathLeaves { path: pattern.value.clone() },
            Err(error) => {
                Problem::Unreadable { path: pattern.value.clone(), reason: crate::files::reason(&error) }
            }
        };
        self.report(problem, "this pattern", &pattern.place);
        Vec::new()
    }

    fn default_chroots(&mut self, defaults: &OptionsDecl, chroots: &[Chroot]) -> Vec<ChrootId> {
        match &defaults.chroots {
            Some(selection) => self.select("`defaults`", selection, chroots),
            None => (0..chroots.len()).map(ChrootId).collect(),
        }
    }

    /// The chroots that a selection comes to, in the order of their declaration.
    pub fn select(&mut self, who: &str, selection: &ChrootSelection, chroots: &[Chroot]) -> Vec<ChrootId> {
        let mut chosen = vec![false; chroots.len()];
        for (patterns, choose) in [(&selection.take, true), (&selection.exclude, false)] {
            for pattern in patterns {
                let matched = matching(pattern, chroots.iter().map(|chroot| chroot.name.value.as_str()));
                if matched.is_empty() {
                    self.unmatched_chroot(who, pattern, chroots);
                }
                matched.into_iter().for_each(|index| chosen[index] = choose);
            }
        }
        chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(index, _)| ChrootId(index)).collect()
    }

    fn unmatched_chroot(&mut self, who: &str, pattern: &Spanned<String>, chroots: &[Chroot]) {
        if self.is_reported(&pattern.place) {
            return;
        }
        let names = || chroots.iter().map(|chroot| chroot.name.value.as_str());
        let help = suggestion(pattern, "declared chroots", names());
        let problem = if is_pattern(pattern) {
            Problem::NoMatch { kind: "chroot", pattern: pattern.value.clone(), help }
        } else {
            Problem::UnknownChroot { who: who.to_owned(), name: pattern.value.clone(), help }
        };
        self.report(problem, "no such chroot", &pattern.place);
    }

    fn after(
        &mut self,
        package: &Spanned<String>,
        after: &[Spanned<String>],
        ids: &HashMap<String, PackageId>,
    ) -> Vec<Spanned<PackageId>> {
        let mut found = Vec::new();
        for name in after {
            match ids.get(&name.value) {
                Some(id) => found.push(Spanned::new(*id, name.place.clone())),
                None => {
                    let who = format!("package `{}`", package.value);
                    let known = ids.keys().map(String::as_str);
                    self.undeclared(who, "comes after", "package", name, known);
                }
            }
        }
        found
    }

    /// Reports a name that nothing has.
    pub fn undeclared<'b>(
        &mut self,
        who: String,
        relation: &'static str,
        kind: &'static str,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'b str>,
    ) {
        let help = suggestion(
            name,
            &format!("declared {kind}{}", if kind.ends_with("ch") { "es" } else { "s" }),
            known,
        );
        let problem = Problem::Undeclared { who, relation, kind, name: name.value.clone(), help };
        self.report(problem, &format!("no such {kind}"), &name.place);
    }

    fn publish_folder(&mut self, folder: &Spanned<ManifestPath>, chroots: usize) {
        if chroots > 1 && !folder.value.to_string().contains("{chroot}") {
            let problem = Problem::WrongValue {
                what: "the folder of `publish`".to_owned(),
                wanted: format!("one for each of {chroots} chroots"),
                written: folder.value.to_string(),
                help: format!("say where the chroot's name goes: \"{}/{{chroot}}\"", folder.value),
            };
            self.report(problem, "one folder for all", &folder.place);
        }
        if let Some(what) = taken_folder(folder.value.as_path()) {
            let problem = Problem::WrongValue {
                what: "the folder of `publish`".to_owned(),
                wanted: "one for packages".to_owned(),
                written: folder.value.to_string(),
                help: "publish to a folder of its own, \"public/{chroot}\" for example".to_owned(),
            };
            self.report(problem, what, &folder.place);
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

/// Which of `names` match a pattern.
pub(super) fn matching<'a>(pattern: &str, names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let Ok(glob) = globset::GlobBuilder::new(pattern).build() else {
        return Vec::new();
    };
    let matcher = glob.compile_matcher();
    names.enumerate().filter(|(_, name)| matcher.is_match(name)).map(|(index, _)| index).collect()
}

/// Whether it has characters that only a pattern has.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Macros of one level.
pub(super) fn macro_settings(decls: &[MacroDecl], level: MacroLevel) -> Vec<MacroSetting> {
    decls.iter().map(|decl| macro_setting(&decl.name, decl.body.clone(), level)).collect()
}

/// Variables by name.
pub(super) fn variables(decls: &[VariableDecl]) -> BTreeMap<String, Value> {
    decls.iter().map(|decl| (decl.name.value.clone(), decl.value.clone())).collect()
}

fn from_pattern(path: ManifestPath, pattern: &Spanned<String>, options: &OptionsDecl) -> PackageDecl {
    let name = path.as_path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let kind = SourceKind::Path(Spanned::new(path, pattern.place.clone()));
    let source = SourceDecl { kind, files: Vec::new(), place: pattern.place.clone() };
    let name = Spanned::new(name, pattern.place.clone());
    PackageDecl { name, source: Some(source), options: options.clone() }
}

fn no_source(name: &Spanned<String>) -> Source {
    let path = Spanned::new(ManifestPath::Repository(PathBuf::new()), name.place.clone());
    Source { kind: SourceKind::Path(path), files: Vec::new(), place: name.place.clone() }
}

fn draft(
    name: Spanned<String>,
    source: Source,
    chroots: Vec<ChrootId>,
    after: Vec<Spanned<PackageId>>,
    options: OptionsDecl,
    defaults: &OptionsDecl,
) -> Draft {
    fn chosen<T: Copy>(own: Option<&Spanned<T>>, default: Option<&Spanned<T>>, otherwise: T) -> T {
        own.or(default).map_or(otherwise, |choice| choice.value)
    }
    let resolved = Package {
        name,
        source,
        chroots,
        after,
        batch: None,
        engine: chosen(options.engine.as_ref(), defaults.engine.as_ref(), EngineChoice::Native),
        isolation: chosen(options.isolation.as_ref(), defaults.isolation.as_ref(), Isolation::Namespaces),
        network: chosen(options.network.as_ref(), defaults.network.as_ref(), Network::Denied),
        timeout: chosen(options.timeout.as_ref(), defaults.timeout.as_ref(), TIMEOUT),
        retries: chosen(options.retries.as_ref(), defaults.retries.as_ref(), 0),
        priority: chosen(options.priority.as_ref(), defaults.priority.as_ref(), Priority::Normal),
        macros: macro_settings(&options.macros, MacroLevel::Package),
        conditions: options.conditions,
        environment: variables(&options.environment),
    };
    Draft { resolved, own_priority: options.priority.map(|choice| choice.value) }
}
