//! Nodes → declarations: settings, and where they hold.

use kdl::{KdlDocument, KdlNode};

use super::declaration::{
    Bootstrap, Choice, ChrootSelection, EngineChoice, Isolation, LayerDecl, LimitsDecl, MacroDecl, Network,
    OnDecl, OnFailure, OptionsDecl, Priority, SettingsDecl, VariableDecl,
};
use super::problem::ManifestProblem;
use super::read::{DeclarationReader, named};
use super::size::parse_size;
use super::values::entry_place;
use crate::engine::{Condition, Value};
use crate::macros::find_tunable;
use crate::package::Dependency;
use crate::spec::{self, Allows, read_dependencies};
use crate::text::{Located, Spanned};

impl DeclarationReader<'_> {
    /// `macros` as written.
    pub(super) fn read_macros(&mut self, node: &KdlNode) -> Vec<MacroDecl> {
        let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
        let mut macros = Vec::new();
        for node in children {
            let name = Spanned::new(node.name().value().to_owned(), self.place(node));
            if !is_macro_name(&name) {
                self.report_macro_name(name);
                continue;
            }
            let undefines = node.entries().first().is_some_and(|entry| entry.value().is_null());
            let body = self.values.value(node);
            self.check_tunable(&name, node, body.as_ref());
            if undefines || body.is_some() {
                macros.push(MacroDecl { name, body: body.filter(|_| !undefines) });
            }
        }
        macros
    }

    /// A macro whose values are known has one of these.
    fn check_tunable(&mut self, name: &Spanned<String>, node: &KdlNode, body: Option<&Value>) {
        let (Some(tunable), Some(entry)) = (find_tunable(&name.value), node.entries().first()) else {
            return;
        };
        let written = match body {
            Some(Value::Written(text)) if !tunable.values.takes(text) => text.clone(),
            Some(_) | None => return,
        };
        let problem = ManifestProblem::WrongValue {
            what: format!("`{}`", name.value),
            wanted: tunable.values.describe(),
            written,
            help: format!("{} `forge tunables {}` says more", tunable.meaning, name.value),
        };
        let place = entry_place(self.values.source, entry);
        self.values.errors.push(Located::new(problem, "this value", place));
    }

    fn report_macro_name(&mut self, name: Spanned<String>) {
        let problem = ManifestProblem::WrongValue {
            what: "a macro".to_owned(),
            wanted: "named by two or more letters, digits or underscores, not a digit first".to_owned(),
            written: name.value,
            help: "options stand in parentheses behind the name: `\"configure_flag(n:)\"`".to_owned(),
        };
        self.values.errors.push(Located::new(problem, "this name", name.place));
    }

    /// Name-value pairs of a free block.
    pub(super) fn read_variables(&mut self, node: &KdlNode) -> Vec<VariableDecl> {
        let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
        let mut variables = Vec::new();
        for node in children {
            let name = Spanned::new(node.name().value().to_owned(), self.place(node));
            let value = self.values.value(node);
            variables.extend(value.map(|value| VariableDecl { name, value }));
        }
        variables
    }

    /// What `package`, `packages`, `profile` and `defaults` share.
    pub(super) fn read_options(&mut self, node: &KdlNode) -> OptionsDecl {
        let mut options = OptionsDecl { layer: self.read_layer(node), ..OptionsDecl::default() };
        for node in node.children().map(KdlDocument::nodes).unwrap_or_default() {
            let place = node.entries().first().map(|entry| entry_place(self.values.source, entry));
            let place = place.unwrap_or_else(|| self.place(node));
            match node.name().value() {
                "chroots" => options.chroots = Some(self.read_selection(node)),
                "after" => options.after.extend(self.values.texts(node)),
                "engine" => options.engine = self.read_choice::<EngineChoice>(node),
                "isolation" => options.isolation = self.read_choice::<Isolation>(node),
                "priority" => options.priority = self.read_choice::<Priority>(node),
                "on-failure" => options.on_failure = self.read_choice::<OnFailure>(node),
                "bootstrap" => options.bootstrap = self.read_choice::<Bootstrap>(node),
                "timeout" => {
                    options.timeout = self.values.duration(node).map(|value| Spanned::new(value, place))
                }
                "retries" => {
                    options.retries = self.values.count(node).map(|value| Spanned::new(value, place))
                }
                "network" => {
                    let allowed = self.values.boolean(node);
                    let network =
                        allowed.map(|allowed| if allowed { Network::Allowed } else { Network::Denied });
                    options.network = network.map(|network| Spanned::new(network, place));
                }
                _ => {}
            }
        }
        options
    }

    /// Settings, and those of some chroots.
    pub(super) fn read_layer(&mut self, node: &KdlNode) -> LayerDecl {
        let settings = self.read_settings(node);
        let on = named(node, "on").map(|node| OnDecl {
            chroots: self.values.texts(node),
            settings: self.read_settings(node),
            place: self.place(node),
        });
        LayerDecl { settings, on: on.collect() }
    }

    /// What is built with.
    pub(super) fn read_settings(&mut self, node: &KdlNode) -> SettingsDecl {
        let mut settings = SettingsDecl::default();
        for node in node.children().map(KdlDocument::nodes).unwrap_or_default() {
            match node.name().value() {
                "with" => settings.conditions.extend(self.read_conditions(node, Condition::With)),
                "without" => settings.conditions.extend(self.read_conditions(node, Condition::Without)),
                "env" => settings.environment = self.read_variables(node),
                "macros" => settings.macros = self.read_macros(node),
                "build-requires" => settings.build_requires.extend(self.read_requirements(node)),
                "limits" => settings.limits = self.read_limits(node),
                _ => {}
            }
        }
        settings
    }

    fn read_limits(&mut self, node: &KdlNode) -> LimitsDecl {
        let mut limits = LimitsDecl::default();
        for node in node.children().map(KdlDocument::nodes).unwrap_or_default() {
            match node.name().value() {
                "memory" => limits.memory = self.read_size(node),
                "processes" => limits.processes = self.read_number(node),
                "disk" => limits.disk = self.read_size(node),
                "log" => limits.log = self.read_size(node),
                "open-files" => limits.open_files = self.read_number(node),
                _ => {}
            }
        }
        limits
    }

    fn read_size(&mut self, node: &KdlNode) -> Option<Spanned<u64>> {
        let written = self.values.argument(node, 0)?;
        Some(Spanned::new(parse_size(&written).ok()?, written.place))
    }

    fn read_number(&mut self, node: &KdlNode) -> Option<Spanned<u32>> {
        let place = entry_place(self.values.source, node.entries().first()?);
        Some(Spanned::new(self.values.count(node)?, place))
    }

    /// Dependencies as `BuildRequires` has them.
    pub(super) fn read_requirements(&mut self, node: &KdlNode) -> Vec<Dependency> {
        let mut found = Vec::new();
        for text in self.values.texts(node) {
            match read_dependencies(text.as_bytes(), Allows::Everything) {
                Ok(read) => found.extend(read.iter().map(|dependency| match dependency {
                    spec::Dependency::Plain(capability) => capability.into(),
                    spec::Dependency::Rich(rich) => Dependency::any(rich.to_string()),
                })),
                Err(problems) => {
                    let problem = ManifestProblem::WrongValue {
                        what: "what is required".to_owned(),
                        wanted: "written as in `BuildRequires`".to_owned(),
                        written: text.value.clone(),
                        help: problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
                    };
                    self.values.errors.push(Located::new(problem, "this", text.place));
                }
            }
        }
        found
    }

    pub(super) fn read_choice<C: Choice>(&mut self, node: &KdlNode) -> Option<Spanned<C>> {
        let word = self.values.argument(node, 0)?;
        Some(Spanned::new(C::from_word(&word)?, word.place))
    }

    fn read_conditions(&mut self, node: &KdlNode, make: fn(String) -> Condition) -> Vec<Spanned<Condition>> {
        let names = self.values.texts(node).into_iter();
        names.map(|name| Spanned::new(make(name.value), name.place)).collect()
    }

    /// `chroots` as written.
    pub(super) fn read_selection(&mut self, node: &KdlNode) -> ChrootSelection {
        let take = self.values.texts(node);
        let exclude = named(node, "exclude").flat_map(|node| self.values.texts(node)).collect();
        ChrootSelection { take, exclude }
    }
}

/// Whether rpm takes it as the name of a macro (rpm-macros(7)): at least two letters, digits or underscores, not a
/// digit first; options in parentheses may follow.
fn is_macro_name(written: &str) -> bool {
    let name = written.split_once('(').map_or(written, |(name, _)| name);
    let options_closed = !written.contains('(') || written.ends_with(')');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first && options_closed && name.len() >= 2 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
