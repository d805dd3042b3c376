//! `forge tunables`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::context::{Context, Failure};
use super::document::print_document;
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use super::root_arguments::LockArguments;
use super::selection::{is_matched, patterns};
use super::selection_arguments::Selection;
use super::tunables_arguments::Tunables;
use crate::engine::{RootMacros, Value};
use crate::macros::{TUNABLES, Tunable, TunableArea};
use crate::manifest::ChrootId;
use crate::plan::PlanError;
use crate::process::Cancel;
use crate::ui::{Column, plain_text, table};

/// Shows the macros that tune builds: what they mean, and what they are in each chroot.
pub fn run(arguments: &Tunables, context: &Context) -> Result<Exit, Failure> {
    let wanted = wanted(&arguments.names)?;
    let mut values = BTreeMap::new();
    if let Some(project) = Project::find_if_there(context)? {
        values = runtime()?.block_on(find_values(&project, arguments, &wanted, context))?;
    }
    let describe = |tunable: &&Tunable| TunableDocument {
        name: tunable.name,
        area: tunable.area,
        meaning: tunable.meaning,
        values: tunable.values.describe(),
        default: tunable.default,
        found: values.remove(tunable.name).unwrap_or_default(),
    };
    let tunables: Vec<TunableDocument> = wanted.iter().map(describe).collect();
    if arguments.json {
        print_document(&TunablesDocument { version: 1, tunables }, context)?;
    } else if arguments.names.is_empty() {
        context.print(&list(&tunables))?;
    } else {
        let text: Vec<String> = tunables.iter().map(TunableDocument::screen).collect();
        context.print(&plain_text(&text.join("\n")))?;
    }
    Ok(Exit::Success)
}

/// Those that are named.
fn wanted(names: &[String]) -> Result<Vec<&'static Tunable>, Failure> {
    let names: Vec<String> = names.iter().map(|name| name.trim_start_matches('%').to_owned()).collect();
    let known = TUNABLES.iter().map(|tunable| tunable.name);
    let patterns = patterns("macro", "macros that tune builds", &names, known)?;
    let is_wanted = |tunable: &&Tunable| names.is_empty() || is_matched(&patterns, tunable.name);
    Ok(TUNABLES.iter().filter(is_wanted).collect())
}

/// What `forge tunables --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TunablesDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The macros.
    tunables: Vec<TunableDocument>,
}

/// A macro that tunes builds.
#[derive(Debug, Serialize, JsonSchema)]
struct TunableDocument {
    name: &'static str,
    /// What it tunes.
    area: TunableArea,
    meaning: &'static str,
    /// Which values it takes, in words.
    values: String,
    /// What holds where nobody says anything.
    default: &'static str,
    /// What it is in chroots, as far as somebody says so.
    found: Vec<FoundValue>,
}

/// A value that somebody says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
struct FoundValue {
    chroot: String,
    /// The value; nothing where the macro is undefined.
    value: Option<String>,
    /// Who says so: `root`, or a level of the manifest.
    level: String,
    /// Where: file and line.
    place: String,
    /// The packages that it holds for; all of the chroot, where nothing is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    packages: Vec<String>,
}

/// What macros are in the chroots of the manifest, by their names.
async fn find_values(
    project: &Project,
    arguments: &Tunables,
    wanted: &[&Tunable],
    context: &Context,
) -> Result<BTreeMap<String, Vec<FoundValue>>, Failure> {
    let selection = Selection {
        lock: LockArguments { locked: false, offline: arguments.offline },
        profile: arguments.profile.clone(),
        chroot: arguments.chroot.clone(),
        ..Selection::default()
    };
    let planned = plan(project, &selection, &Cancel::default(), context).await?;
    planned.show_impossible(context);
    let names: BTreeSet<String> = wanted.iter().map(|tunable| tunable.name.to_owned()).collect();
    let mut found: BTreeMap<String, Vec<FoundValue>> = BTreeMap::new();
    for (index, chroot) in planned.manifest.chroots.iter().enumerate() {
        let (id, chroot_name) = (ChrootId(index), &chroot.name.value);
        let target = chroot.arch.as_deref();
        let of_root: RootMacros = match planned.roots.of(id) {
            Some(open) => {
                let of_root = open.engines.native.macros_in_root(target, &names, &Cancel::default()).await;
                of_root.map_err(PlanError::from)?
            }
            None => {
                if planned.plan.builds.iter().any(|build| build.chroot == id) {
                    context.tell(&format!("note: what the root of {chroot_name} says is not known\n"));
                }
                RootMacros::new()
            }
        };
        for (name, defined) in of_root {
            let value = Some(defined.body.trim().to_owned());
            let (chroot, level) = (chroot_name.clone(), "root".to_owned());
            let said = FoundValue { chroot, value, level, place: defined.origin, packages: Vec::new() };
            found.entry(name).or_default().push(said);
        }
        for name in &names {
            found.entry(name.clone()).or_default().extend(said_in_manifest(&planned, id, name));
        }
    }
    Ok(found)
}

/// What the manifest says of a macro in a chroot, each value with the packages that it holds for.
fn said_in_manifest(planned: &Planned, chroot: ChrootId, name: &str) -> Vec<FoundValue> {
    let manifest = &planned.manifest;
    let mut said: BTreeMap<FoundValue, Vec<String>> = BTreeMap::new();
    let mut of_chroot = 0;
    for build in planned.plan.builds.iter().filter(|build| build.chroot == chroot) {
        of_chroot += 1;
        let Some(setting) = build.settings.macros.iter().find(|setting| setting.name == name) else {
            continue;
        };
        let value = setting.body.as_ref().map(|body| match body {
            Value::Written(text) => text.clone(),
            Value::Secret(_) | Value::Digested(_) => "(secret)".to_owned(),
        });
        let place = manifest.macro_place(build.package, chroot, name);
        let place = place.map(|(_, place)| place.to_string()).unwrap_or_default();
        let (chroot, level) = (build.name.chroot.clone(), setting.level.to_string());
        let found = FoundValue { chroot, value, level, place, packages: Vec::new() };
        said.entry(found).or_default().push(build.name.package.clone());
    }
    let with_packages = said.into_iter().map(|(found, packages)| match packages.len() == of_chroot {
        true => found,
        false => FoundValue { packages, ..found },
    });
    let mut found: Vec<FoundValue> = with_packages.collect();
    found.sort_by(|one, other| one.packages.cmp(&other.packages));
    found
}

/// All of them in a table, by area.
fn list(tunables: &[TunableDocument]) -> String {
    let areas: BTreeSet<TunableArea> = tunables.iter().map(|tunable| tunable.area).collect();
    let mut text = String::new();
    for area in areas {
        let rows = tunables.iter().filter(|tunable| tunable.area == area).map(|tunable| {
            let here: Vec<String> = tunable.found.iter().map(FoundValue::short).collect();
            vec![tunable.name.to_owned(), tunable.default.to_owned(), here.join(", ")]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let columns = [Column::Left("macro"), Column::Left("default"), Column::Left("here")];
        let before = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{before}{}\n{}", area.title(), table(&columns, &rows));
    }
    text + "\n`forge tunables NAME` says what one means, and where its values are set.\n"
}

impl FoundValue {
    /// In a few words.
    fn short(&self) -> String {
        const LONGEST: usize = 40;
        let value = self.value.as_deref().unwrap_or("undefined");
        let line = value.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(LONGEST).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        format!("{}: {shown}{more}", self.of())
    }

    /// What it holds for.
    fn of(&self) -> String {
        match self.packages.as_slice() {
            [] => self.chroot.clone(),
            [package] => format!("{package} in {}", self.chroot),
            [package, others @ ..] => format!("{package} and {} more in {}", others.len(), self.chroot),
        }
    }
}

impl TunableDocument {
    /// To be read.
    fn screen(&self) -> String {
        let Self { name, area: _, meaning, values, default, found } = self;
        let mut text = format!("%{name}: {meaning}\n  takes    {values}\n  default  {default}\n");
        for said in found {
            let value = said.value.as_deref().unwrap_or("undefined");
            let _ = writeln!(text, "  {}: {value}\n    {} ({})", said.of(), said.place, said.level);
        }
        text
    }
}
