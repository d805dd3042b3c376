//! All that is to be run for packages that come in one go (rpm's `rpmtsRun`, `rpmPackageInstall`, `runTriggers`,
//! `runFileTriggers` and their neighbours, as of version 6).

use super::packages::{FileTrigger, ScriptedPackage, TRIGGERIN, TRIGGERPREIN, Trigger};
use super::scripts::ScriptTags;
use super::{laid, scripts};
use crate::engine::{ScriptletKind, ScriptletRun, ScriptletWork};
use crate::package::Headers;

/// Which file triggers: those that run before a package's `%post`, or after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    BeforePost,
    AfterPost,
}

/// Triggers of this priority and above run before `%post`.
const PRIORITY_BOUND: u64 = 10_000;

/// Plans what is to be run when `packages`, in the order of their installation, come to those of `base`, whose own scriptlets
/// have run before.
pub fn plan_scriptlets(packages: &[&Headers], base: &[&Headers]) -> Vec<ScriptletRun> {
    let all: Vec<ScriptedPackage<'_>> =
        base.iter().chain(packages).map(|headers| ScriptedPackage::new(headers)).collect();
    let mut planner = Planner { all: &all, installed: base.len(), base: base.len(), runs: Vec::new() };
    planner.plan();
    without_repeated_ldconfig(planner.runs)
}

struct Planner<'p, 'h> {
    /// The packages of the base, and the new ones.
    all: &'p [ScriptedPackage<'h>],
    /// How many of them rpm's database would hold by now.
    installed: usize,
    base: usize,
    runs: Vec<ScriptletRun>,
}

impl<'p, 'h> Planner<'p, 'h> {
    fn plan(&mut self) {
        let new = self.all.get(self.base..).unwrap_or_default();
        for package in new {
            self.add(scripts::PRETRANS.own_script(package, self.count(&package.name) + 1));
        }
        for package in new {
            self.install(package);
        }
        for package in new {
            self.add(scripts::POSTTRANS.own_script(package, self.count(&package.name)));
        }
        self.base_transaction_triggers();
        for package in new {
            self.own_file_triggers(package, &package.trans_file_triggers, &scripts::TRANSFILETRIGGERIN);
        }
    }

    fn install(&mut self, package: &'p ScriptedPackage<'h>) {
        let count = self.count(&package.name) + 1;
        self.add(laid::accounts(package));
        self.others_triggers(package, TRIGGERPREIN, &scripts::TRIGGERPREIN);
        self.own_triggers(package, TRIGGERPREIN, &scripts::TRIGGERPREIN);
        let before = scripts::PRE.own_script(package, count);
        let had_script = before.is_some();
        self.add(before);
        self.add(laid::files(package, had_script));
        self.installed += 1;
        self.file_triggers(package, count, Turn::BeforePost);
        self.add(scripts::POST.own_script(package, count));
        self.others_triggers(package, TRIGGERIN, &scripts::TRIGGERIN);
        self.own_triggers(package, TRIGGERIN, &scripts::TRIGGERIN);
        self.file_triggers(package, count, Turn::AfterPost);
    }

    fn add(&mut self, run: Option<ScriptletRun>) {
        self.runs.extend(run);
    }

    fn installed(&self) -> &'p [ScriptedPackage<'h>] {
        self.all.get(..self.installed).unwrap_or_default()
    }

    fn count(&self, name: &[u8]) -> usize {
        self.installed().iter().filter(|package| package.name == name).count()
    }

    /// Triggers of other packages that a package sets off.
    fn others_triggers(&mut self, package: &ScriptedPackage<'h>, sense: u64, tags: &ScriptTags) {
        let count = self.count(&package.name);
        for other in self.installed() {
            if let Some(trigger) = find_trigger(other, package, sense) {
                let counts = [self.count(&other.name), count];
                self.add(tags.trigger_script(other, trigger.script, &counts, Vec::new()));
            }
        }
    }

    /// Triggers of a package that packages set off which are there already. Each script runs once.
    fn own_triggers(&mut self, package: &ScriptedPackage<'h>, sense: u64, tags: &ScriptTags) {
        let mut done = Vec::new();
        for named in &package.triggers {
            if done.contains(&named.script) {
                continue;
            }
            let name = named.dependency.name.as_bytes();
            let count = self.count(name);
            for source in self.installed().iter().filter(|source| source.name == name) {
                let trigger = find_trigger(package, source, sense);
                if let Some(trigger) = trigger.filter(|trigger| !done.contains(&trigger.script)) {
                    done.push(trigger.script);
                    let counts = [self.count(&package.name), count];
                    self.add(tags.trigger_script(package, trigger.script, &counts, Vec::new()));
                }
            }
        }
    }

    /// File triggers that a package sets off, and its own.
    fn file_triggers(&mut self, package: &ScriptedPackage<'h>, count: usize, turn: Turn) {
        let is_due = |trigger: &FileTrigger| trigger.turn() == turn && trigger.is_for_installing;
        let mut due: Vec<(&ScriptedPackage<'h>, &FileTrigger)> = Vec::new();
        for other in self.installed() {
            let triggers = other.file_triggers.iter().filter(|trigger| is_due(trigger));
            due.extend(triggers.map(|trigger| (other, trigger)));
        }
        due.retain(|(_, trigger)| trigger.prefixes.iter().any(|prefix| package.has_file_below(prefix)));
        // The order among equals stays that of their packages.
        due.sort_by_key(|(_, trigger)| std::cmp::Reverse(trigger.priority));
        for (other, trigger) in due {
            let input = package.files_below(&trigger.prefixes).map(<[u8]>::to_vec).collect();
            let counts = [self.count(&other.name), count];
            self.add(scripts::FILETRIGGERIN.trigger_script(other, trigger.script, &counts, input));
        }
        let own = package.file_triggers.iter().filter(|trigger| trigger.turn() == turn);
        self.own_file_triggers(package, own, &scripts::FILETRIGGERIN);
    }

    /// File triggers of a package, for all files that there are. To those of one package its own files are not there yet:
    /// they have set the trigger off before.
    fn own_file_triggers<'t>(
        &mut self,
        package: &ScriptedPackage<'h>,
        triggers: impl IntoIterator<Item = &'t FileTrigger>,
        tags: &ScriptTags,
    ) {
        let mut triggers: Vec<&FileTrigger> =
            triggers.into_iter().filter(|trigger| trigger.is_for_installing).collect();
        triggers.sort_by_key(|trigger| std::cmp::Reverse(trigger.priority));
        let is_for_all = tags.kind == ScriptletKind::TransFileTriggerin;
        for trigger in triggers {
            let sources =
                self.installed().iter().filter(|source| is_for_all || !std::ptr::eq(*source, package));
            let (input, first) = files_of_packages(sources, &trigger.prefixes);
            let Some(first) = first else { continue };
            let mut counts = vec![self.count(&package.name)];
            if !is_for_all {
                counts.push(self.count(&first.name));
            }
            self.add(tags.trigger_script(package, trigger.script, &counts, input));
        }
    }

    /// Triggers of the base for all files of the new packages.
    fn base_transaction_triggers(&mut self) {
        let (base, new) = self.all.split_at(self.base.min(self.all.len()));
        let mut due: Vec<(&ScriptedPackage<'h>, &FileTrigger)> = Vec::new();
        for package in base {
            let triggers = package.trans_file_triggers.iter().filter(|trigger| trigger.is_for_installing);
            due.extend(triggers.map(|trigger| (package, trigger)));
        }
        due.sort_by_key(|(_, trigger)| std::cmp::Reverse(trigger.priority));
        for (package, trigger) in due {
            let (input, first) = files_of_packages(new.iter(), &trigger.prefixes);
            if first.is_some() {
                let counts = [self.count(&package.name)];
                self.add(scripts::TRANSFILETRIGGERIN.trigger_script(package, trigger.script, &counts, input));
            }
        }
    }
}

impl FileTrigger {
    fn turn(&self) -> Turn {
        if self.priority >= PRIORITY_BOUND { Turn::BeforePost } else { Turn::AfterPost }
    }
}

/// The trigger of a package that another one sets off: the first of that name whose version is right.
fn find_trigger<'t>(
    package: &'t ScriptedPackage<'_>,
    source: &ScriptedPackage<'_>,
    sense: u64,
) -> Option<&'t Trigger> {
    package.triggers.iter().find(|trigger| {
        let is_named = trigger.flags & sense != 0 && trigger.dependency.name.as_bytes() == source.name;
        is_named && (trigger.dependency.version.is_none() || source.provides(&trigger.dependency))
    })
}

/// The files of packages below prefixes, prefix by prefix, and the first package that has some.
fn files_of_packages<'p, 'h: 'p>(
    packages: impl Iterator<Item = &'p ScriptedPackage<'h>> + Clone,
    prefixes: &[Vec<u8>],
) -> (Vec<Vec<u8>>, Option<&'p ScriptedPackage<'h>>) {
    let (mut files, mut first) = (Vec::new(), None);
    for prefix in prefixes {
        for package in packages.clone().filter(|package| package.has_folder_below(prefix)) {
            let before = files.len();
            files.extend(package.paths().iter().filter(|path| path.starts_with(prefix)).cloned());
            if files.len() > before {
                first.get_or_insert(package);
            }
        }
    }
    (files, first)
}

/// Programs that bring the cache of shared libraries up to date.
const LDCONFIG: [&[u8]; 2] = [b"/sbin/ldconfig", b"/usr/sbin/ldconfig"];

/// Leaves out `%post -p /sbin/ldconfig` between the first and the last: all libraries lie there before the first, so those in
/// between have nothing to find that is new, nor has the last when nothing has run since the first.
fn without_repeated_ldconfig(mut runs: Vec<ScriptletRun>) -> Vec<ScriptletRun> {
    let is_ldconfig = |run: &ScriptletRun| match &run.work {
        ScriptletWork::Script(script) => {
            let [program] = script.interpreter.as_slice() else { return false };
            script.body.is_none() && LDCONFIG.contains(&program.0.as_slice())
        }
        ScriptletWork::Accounts { .. } | ScriptletWork::Files(_) | ScriptletWork::Import { .. } => false,
    };
    let (first, last) = (runs.iter().position(is_ldconfig), runs.iter().rposition(is_ldconfig));
    let mut at = 0;
    runs.retain(|run| {
        let place = Some(at);
        at += 1;
        !is_ldconfig(run) || place == first || place == last
    });
    if let Some(first) = runs.windows(2).position(|two| two.iter().all(is_ldconfig)) {
        runs.remove(first + 1);
    }
    runs
}
