//! What a repository would no longer have that its packages need, known before anything is written.
//!
//! An update that takes away what a package needs that stays waits, and so does every update that needs what waits; all others come
//! in. What nothing in the repository ever provided is for the distribution that it stands beside: nothing is said of that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use crate::chroot::database::read_rich;
use crate::package::{Dependency, PackageRecord, Rich};

/// What is installable beside a repository: the packages of its chroot's own repositories.
pub trait Beside: Send + Sync {
    /// What the packages there provide of these names, a file as itself; none where it can't be known.
    fn provided(&self, chroot: &str, names: &BTreeSet<String>) -> Option<Vec<Dependency>>;
}

/// A package of the manifest: the binary packages that it has in the repository, and those that it would have.
pub(super) struct Change {
    pub package: String,
    pub before: Vec<Needs>,
    pub after: Vec<Needs>,
    /// Whether it would change at all.
    pub is_update: bool,
}

/// What a binary package gives and needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Needs {
    pub nevra: String,
    pub provides: Vec<Dependency>,
    pub requires: Vec<Dependency>,
}

impl Needs {
    /// Those of a package.
    pub fn of(record: &PackageRecord) -> Self {
        let files = record.primary_files().chain(record.other_files()).map(Dependency::any);
        Self {
            nevra: record.nevra(),
            provides: record.provides().cloned().chain(files).collect(),
            requires: record.requires().filter(|wanted| !wanted.is_rpmlib()).cloned().collect(),
        }
    }
}

/// Why an update would leave something without what it needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Broken {
    /// The package whose update is to blame, or goes with one that is.
    pub package: String,
    /// What would be without.
    pub needs: String,
    /// What it would be without.
    pub wanted: String,
    /// How it comes to that.
    pub because: Because,
}

/// How something comes to be without what it needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Because {
    /// The update takes it away.
    ItLeaves,
    /// It comes with another update, which waits: with this package.
    ThatWaits(String),
    /// Nothing has it, here or beside the repository.
    NothingHasIt,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needs, wanted, because, .. } = self;
        write!(f, "{needs} needs {wanted}, which ")?;
        match because {
            Because::ItLeaves => write!(f, "would be gone"),
            Because::ThatWaits(with) => write!(f, "comes with {with}, and that waits"),
            Because::NothingHasIt => write!(f, "nothing provides"),
        }
    }
}

/// Which of two states of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// All states of all packages, and who provides what in which.
struct Closure<'a> {
    changes: &'a [Change],
    /// What is provided under a name: by a binary package of a change, in a state.
    by_name: HashMap<&'a str, Vec<Provider<'a>>>,
    /// The updates that wait.
    waiting: HashSet<usize>,
}

#[derive(Clone, Copy)]
struct Provider<'a> {
    change: usize,
    side: Side,
    needs: &'a Needs,
    provided: &'a Dependency,
}

/// A requirement, read once.
pub(super) enum ReadRequirement<'a> {
    Plain(&'a Dependency),
    Rich(&'a Dependency, Box<Rich>),
}

/// The updates that would leave something without what it needs, each with what. With `holds` they wait, and those that need
/// what waits are among them.
pub(super) fn find_broken(
    changes: &[Change],
    beside: &dyn Fn(&BTreeSet<String>) -> Option<Vec<Dependency>>,
    holds: bool,
) -> Vec<Broken> {
    let mut closure = Closure::new(changes);
    let mut found: BTreeMap<usize, Broken> = BTreeMap::new();
    let mut elsewhere: HashMap<String, Vec<Dependency>> = HashMap::new();
    let mut is_known = true;
    loop {
        let unmet = closure.unmet();
        let names: BTreeSet<String> = unmet.iter().flat_map(|(_, _, wanted)| wanted.names()).collect();
        let new: BTreeSet<String> = names.into_iter().filter(|name| !elsewhere.contains_key(name)).collect();
        if !new.is_empty() {
            let provided = beside(&new);
            is_known &= provided.is_some();
            elsewhere.extend(new.into_iter().map(|name| (name, Vec::new())));
            for provided in provided.into_iter().flatten() {
                elsewhere.entry(provided.name.clone()).or_default().push(provided);
            }
        }
        let mut blamed = BTreeMap::new();
        for (change, needs, wanted) in &unmet {
            if !closure.is_met_with(wanted, &elsewhere) {
                for (guilty, broken) in closure.blame((*change, needs), wanted, is_known) {
                    blamed.entry(guilty).or_insert(broken);
                }
            }
        }
        blamed.retain(|change, _| !closure.waiting.contains(change));
        if blamed.is_empty() {
            break;
        }
        closure.waiting.extend(blamed.keys());
        found.extend(blamed);
        if !holds {
            break;
        }
    }
    found.into_values().collect()
}

/// The names of what can meet a requirement: several where it is rich, none where it makes no sense.
pub(super) fn required_names(wanted: &Dependency) -> Vec<String> {
    ReadRequirement::new(wanted).map(|wanted| wanted.names()).unwrap_or_default()
}

impl<'a> ReadRequirement<'a> {
    /// Reads it; nothing where it is a rich dependency that can't be read.
    pub fn new(dependency: &'a Dependency) -> Option<Self> {
        if !dependency.is_rich() {
            return Some(Self::Plain(dependency));
        }
        let rich = read_rich(dependency.name.as_bytes())?;
        Some(Self::Rich(dependency, Box::new(rich)))
    }

    /// The names that it asks for.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Plain(dependency) => vec![dependency.name.clone()],
            Self::Rich(_, rich) => {
                rich.capabilities().into_iter().map(|capability| capability.name.to_string()).collect()
            }
        }
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let (Self::Plain(dependency) | Self::Rich(dependency, _)) = self;
        dependency.to_string()
    }
}

impl<'a> Closure<'a> {
    fn new(changes: &'a [Change]) -> Self {
        let mut by_name: HashMap<&str, Vec<Provider<'_>>> = HashMap::new();
        for (number, change) in changes.iter().enumerate() {
            for side in [Side::Before, Side::After] {
                for needs in change.packages(side) {
                    for provided in &needs.provides {
                        let provider = Provider { change: number, side, needs, provided };
                        by_name.entry(&provided.name).or_default().push(provider);
                    }
                }
            }
        }
        Self { changes, by_name, waiting: HashSet::new() }
    }

    /// The state that a change would be in.
    fn side_of(&self, change: usize) -> Side {
        if self.waiting.contains(&change) { Side::Before } else { Side::After }
    }

    /// What packages would need that no package would provide.
    fn unmet(&self) -> Vec<(usize, &'a Needs, ReadRequirement<'a>)> {
        let mut unmet = Vec::new();
        for (number, change) in self.changes.iter().enumerate() {
            for needs in change.packages(self.side_of(number)) {
                let wanted = needs.requires.iter().filter_map(ReadRequirement::new);
                let wanted = wanted.filter(|wanted| !self.is_met(wanted, |it| self.is_there(it)));
                unmet.extend(wanted.map(|wanted| (number, needs, wanted)));
            }
        }
        unmet
    }

    fn is_there(&self, provider: &Provider<'_>) -> bool {
        provider.side == self.side_of(provider.change)
    }

    /// Whether those providers that are meant meet a requirement.
    fn is_met(&self, wanted: &ReadRequirement<'_>, is_meant: impl Fn(&Provider<'_>) -> bool) -> bool {
        self.is_met_beside(wanted, is_meant, &HashMap::new())
    }

    /// Whether what would be there meets a requirement, with what is beside the repository.
    fn is_met_with(
        &self,
        wanted: &ReadRequirement<'_>,
        elsewhere: &HashMap<String, Vec<Dependency>>,
    ) -> bool {
        self.is_met_beside(wanted, |provider| self.is_there(provider), elsewhere)
    }

    fn is_met_beside(
        &self,
        wanted: &ReadRequirement<'_>,
        is_meant: impl Fn(&Provider<'_>) -> bool,
        elsewhere: &HashMap<String, Vec<Dependency>>,
    ) -> bool {
        match wanted {
            ReadRequirement::Plain(wanted) => {
                let own = self.by_name.get(wanted.name.as_str()).into_iter().flatten();
                let mut own = own.filter(|provider| is_meant(provider)).map(|provider| provider.provided);
                let mut others = elsewhere.get(&wanted.name).into_iter().flatten();
                own.any(|provided| wanted.is_met_by(provided))
                    || others.any(|provided| wanted.is_met_by(provided))
            }
            ReadRequirement::Rich(_, rich) => {
                let names = wanted.names();
                let own = names.iter().flat_map(|name| self.by_name.get(name.as_str()).into_iter().flatten());
                let own = own.filter(|provider| is_meant(provider));
                let own = own.map(|provider| provider.needs.provides.as_slice());
                // What is known of others is not which package has it.
                let others = names.iter().filter_map(|name| elsewhere.get(name)).flatten();
                let packages: Vec<&[Dependency]> = own.chain(others.map(std::slice::from_ref)).collect();
                rich.is_met_by(&packages)
            }
        }
    }

    /// The updates that leave a package without what it needs. Nobody, if it has never been there, and may be elsewhere.
    fn blame(
        &self,
        (change, needs): (usize, &Needs),
        wanted: &ReadRequirement<'_>,
        is_known: bool,
    ) -> Vec<(usize, Broken)> {
        let is_update = |number: usize| self.changes.get(number).is_some_and(|change| change.is_update);
        let broken = |number: usize, because: Because| {
            let package = self.changes.get(number).map(|change| change.package.clone()).unwrap_or_default();
            (number, Broken { package, needs: needs.nevra.clone(), wanted: wanted.text(), because })
        };
        let open = |number: &usize| is_update(*number) && !self.waiting.contains(number);
        let providers: Vec<&Provider<'_>> = {
            let names = wanted.names();
            let named = names.iter().filter_map(|name| self.by_name.get(name.as_str()));
            named.flatten().filter(|provider| is_update(provider.change)).collect()
        };
        // What would bring it waits: then this one waits for it.
        let later = providers.iter().find(|provider| {
            provider.side == Side::After
                && self.waiting.contains(&provider.change)
                && self.is_met(wanted, |it| self.is_there(it) || it.change == provider.change)
        });
        if let Some(later) = later.filter(|_| open(&change)) {
            return vec![broken(change, Because::ThatWaits(later.needs.nevra.clone()))];
        }
        if !self.is_met(wanted, |provider| provider.side == Side::Before) {
            // What an earlier version did without as well is no worse than before, and of a new package nobody has one.
            let lacked = |before: &Needs| before.requires.iter().any(|it| it.to_string() == wanted.text());
            let before = self.changes.get(change).map(|change| change.before.as_slice()).unwrap_or_default();
            let is_guilty = is_known && open(&change) && !before.is_empty() && !before.iter().any(lacked);
            return is_guilty.then(|| broken(change, Because::NothingHasIt)).into_iter().collect();
        }
        let left = providers.iter().map(|provider| provider.change).filter(open);
        let guilty: BTreeSet<usize> = left.collect();
        match guilty.is_empty() {
            // A condition that has come to hold: what brought it is not among the names that are asked for.
            true if open(&change) => vec![broken(change, Because::ItLeaves)],
            _ => guilty.into_iter().map(|number| broken(number, Because::ItLeaves)).collect(),
        }
    }
}

impl Change {
    fn packages(&self, side: Side) -> &[Needs] {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needs(nevra: &str, provides: &[&str], requires: &[&str]) -> Needs {
        let all = |names: &[&str]| names.iter().map(|name| Dependency::any(*name)).collect();
        Needs { nevra: nevra.to_owned(), provides: all(provides), requires: all(requires) }
    }

    fn change(package: &str, before: Vec<Needs>, after: Vec<Needs>) -> Change {
        let is_update = before != after;
        Change { package: package.to_owned(), before, after, is_update }
    }

    /// What waits, if that is beside the repository; nobody knows what is, if nothing is said.
    fn waiting(changes: &[Change], beside: &[&str]) -> Vec<String> {
        let beside = beside.iter().map(|name| Dependency::any(*name)).collect::<Vec<_>>();
        let beside = (!beside.is_empty()).then_some(beside);
        let found = find_broken(changes, &|_| beside.clone(), true);
        found.into_iter().map(|broken| broken.package).collect()
    }

    fn library(package: &str) -> Change {
        change(
            package,
            vec![needs("lib-1", &["lib", "so.1"], &[])],
            vec![needs("lib-2", &["lib", "so.2"], &[])],
        )
    }

    #[test]
    fn an_update_that_takes_what_another_package_needs_waits_with_what_needs_the_update() {
        let tool = || vec![needs("tool-1", &["tool"], &["so.1"])];
        let app = |requires| vec![needs("app-2", &["app"], &[requires])];
        let other = change(
            "other",
            vec![needs("other-0", &["other"], &[])],
            vec![needs("other-1", &["other"], &["nobody"])],
        );
        let changes = [
            change("app", vec![needs("app-1", &["app"], &["so.1"])], app("so.2")),
            library("lib"),
            other,
            change("tool", tool(), tool()),
        ];
        assert_eq!(waiting(&changes, &[]), ["app", "lib"]);
        // The distribution has the old one as well, and nobody has what the other needs.
        assert_eq!(waiting(&changes, &["so.1"]), ["other"]);
        assert_eq!(waiting(&changes, &["so.1", "nobody"]), Vec::<String>::new());
        let new = [change("other", Vec::new(), vec![needs("other-1", &["other"], &["nobody"])])];
        assert_eq!(waiting(&new, &["so.1"]), Vec::<String>::new());
        let rebuilt = vec![needs("tool-2", &["tool"], &["so.2"])];
        let changes = [library("lib"), change("tool", tool(), rebuilt)];
        assert_eq!(waiting(&changes, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_leaves_and_is_needed_stays() {
        let user = || vec![needs("user-1", &["user"], &["lib"])];
        let gone = change("lib", vec![needs("lib-1", &["lib"], &[])], Vec::new());
        let changes = [gone, change("user", user(), user())];
        let found = find_broken(&changes, &|_| None, true);
        let broken = Broken {
            package: "lib".to_owned(),
            needs: "user-1".to_owned(),
            wanted: "lib".to_owned(),
            because: Because::ItLeaves,
        };
        assert_eq!(found, [broken]);
    }

    #[test]
    fn rich_requirements_are_followed() {
        let user = || vec![needs("user-1", &["user"], &["(so.1 or so.3)"])];
        let changes = [library("lib"), change("user", user(), user())];
        assert_eq!(waiting(&changes, &[]), ["lib"]);
        let user = || vec![needs("user-1", &["user"], &["(so.1 or so.2)"])];
        let changes = [library("lib"), change("user", user(), user())];
        assert_eq!(waiting(&changes, &[]), Vec::<String>::new());
    }

    /// The requirements that packages have and none of them meets.
    fn unmet(packages: &[Needs]) -> BTreeSet<(String, String)> {
        let provided: HashSet<&str> =
            packages.iter().flat_map(|it| &it.provides).map(|it| it.name.as_str()).collect();
        let wanted = packages.iter().flat_map(|it| it.requires.iter().map(move |wanted| (it, wanted)));
        let unmet = wanted.filter(|(_, wanted)| !provided.contains(wanted.name.as_str()));
        unmet.map(|(it, wanted)| (it.nevra.clone(), wanted.name.clone())).collect()
    }

    proptest! {
        #[test]
        fn a_repository_that_was_whole_stays_whole(
            rounds in prop::collection::vec(
                prop::collection::vec((0..8_usize, 0..4_usize, prop::collection::vec((0..8_usize, 0..4_usize), 0..3)), 1..6),
                1..12,
            )
        ) {
            // Package `n` of version `v` provides `cap-n-v` and needs what the newest of others are thought to have.
            let mut published: BTreeMap<usize, Vec<Needs>> = BTreeMap::new();
            for (round, updates) in rounds.into_iter().enumerate() {
                let mut wanted = published.clone();
                for (package, version, requires) in updates {
                    let provides = [format!("cap-{package}"), format!("cap-{package}-{version}")];
                    let known: Vec<String> = requires.into_iter().map(|(on, version)| format!("cap-{on}-{version}")).collect();
                    let all = |names: &[String]| names.iter().map(Dependency::any).collect::<Vec<_>>();
                    let built = Needs {
                        nevra: format!("p{package}-{round}"),
                        provides: all(&provides),
                        requires: all(&known),
                    };
                    wanted.insert(package, vec![built]);
                }
                let changes: Vec<Change> = (0..8).map(|package| change(
                    &package.to_string(),
                    published.get(&package).cloned().unwrap_or_default(),
                    wanted.get(&package).cloned().unwrap_or_default(),
                )).collect();
                let waiting: HashSet<String> =
                    find_broken(&changes, &|_| None, true).into_iter().map(|it| it.package).collect();
                let before: Vec<Needs> = published.values().flatten().cloned().collect();
                let new: BTreeMap<usize, Vec<Needs>> = (0..8).filter_map(|package| {
                    let from = if waiting.contains(&package.to_string()) { &published } else { &wanted };
                    Some((package, from.get(&package)?.clone()))
                }).collect();
                let after: Vec<Needs> = new.values().flatten().cloned().collect();
                // What was whole is whole; what came in may lack what was never there, and nothing else.
                for (nevra, wanted) in unmet(&after) {
                    let was_there = before.iter().flat_map(|it| &it.provides).any(|it| it.name == wanted);
                    prop_assert!(!was_there, "{} needs {}", nevra, wanted);
                }
                published = new;
            }
        }
    }
}
