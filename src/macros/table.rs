//! The macro table: every name with its stack of definitions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;

/// Who defined a macro, as rpm counts it: a number that `%dump` and `--showrc` show.
///
/// Above [`Level::GLOBAL`] a level is the depth of the parametric macro whose call defined it; such a definition
/// goes when the call ends (rpm-macros(7), "Scope and visibility").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i32);

impl Level {
    /// What the language itself brings.
    pub const BUILTIN: Self = Self(-20);
    /// What the program sets before it reads any file: `_target_cpu` and the like.
    pub const DEFAULT: Self = Self(-15);
    /// Macro files.
    pub const MACRO_FILES: Self = Self(-13);
    /// rpmrc: `optflags`, `_arch`.
    pub const RPMRC: Self = Self(-11);
    /// The command line: `--define`.
    pub const COMMAND_LINE: Self = Self(-7);
    /// The macro file that a tarball build brings.
    pub const TARBALL: Self = Self(-5);
    /// The spec: what its tags define, such as `name` and `version`.
    pub const SPEC: Self = Self(-3);
    /// `%define` and `%global` outside any parametric macro.
    pub const GLOBAL: Self = Self(0);

    /// Whether definitions of this level end with the call that made them.
    pub fn is_local(self) -> bool {
        self > Self::GLOBAL
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a definition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, or what stands for one: `--define`, `<lua>`.
    pub name: Arc<str>,
    /// The line, counted from 1; 0 where there are no lines.
    pub line: u32,
}

impl Origin {
    /// A place that has no lines.
    pub fn named(name: &str) -> Self {
        Self { name: Arc::from(name), line: 0 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.name),
            line => write!(f, "{}:{line}", self.name),
        }
    }
}

/// What happens with a body when its macro is used (rpm-macros(7), modifiers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// It is expanded each time.
    Always,
    /// `<o>`: it is expanded once, and the result stands for it from then on.
    Once,
    /// `<l>`: it stands for itself.
    Never,
    /// The program itself says what it stands for: an [`Extension`](super::Extension).
    Extension,
}

/// One definition of a macro.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name, without `%`.
    pub name: Box<[u8]>,
    /// What stands between the parentheses of a parametric macro, in the form of getopt(3).
    pub options: Option<Box<[u8]>>,
    /// The body.
    pub body: Box<[u8]>,
    /// When the body is expanded.
    pub expansion: Expansion,
    /// Who defined it.
    pub level: Level,
    /// Where.
    pub origin: Origin,
}

impl Expansion {
    /// As it is written after the name.
    pub fn modifier(self) -> &'static str {
        match self {
            Self::Always | Self::Extension => "",
            Self::Once => "<o>",
            Self::Never => "<l>",
        }
    }
}

/// A definition on the stack of its name.
#[derive(Debug)]
struct StackEntry {
    definition: Arc<Definition>,
    was_used: AtomicBool,
}

impl Clone for StackEntry {
    fn clone(&self) -> Self {
        let was_used = AtomicBool::new(self.was_used.load(Ordering::Relaxed));
        Self { definition: Arc::clone(&self.definition), was_used }
    }
}

/// A name's definitions, the newest last.
type Stack = Vec<StackEntry>;

/// All macros, each with its stack of definitions.
///
/// A table has no effects and can be copied at no cost: load a root's files once, and give each spec a copy.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What all copies share.
    shared: Arc<HashMap<Box<[u8]>, Stack>>,
    /// What this one has of its own, instead of what is shared; a stack without definitions hides the shared one.
    own: HashMap<Box<[u8]>, Stack>,
    /// How much the definitions take that were made in this one.
    own_bytes: usize,
}

impl Definition {
    /// A macro that a spec has and that stands for its body as it is.
    pub fn literal_of_spec(name: &[u8], body: &[u8]) -> Self {
        Self {
            name: name.into(),
            options: None,
            body: body.into(),
            expansion: Expansion::Never,
            level: Level::SPEC,
            origin: Origin::named("<spec>"),
        }
    }

    /// How many bytes it takes in a table, without the space between.
    fn size_bytes(&self) -> usize {
        let options = self.options.as_ref().map_or(0, |options| options.len());
        size_of::<Self>() + size_of::<StackEntry>() + 2 * self.name.len() + self.body.len() + options
    }
}

impl Table {
    /// A table without macros.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes copies share all that is defined now.
    pub fn share(&mut self) {
        self.own_bytes = 0;
        let mut all = HashMap::clone(&self.shared);
        all.extend(self.own.drain());
        all.retain(|_, stack| !stack.is_empty());
        self.shared = Arc::new(all);
    }

    fn entries(&self, name: &[u8]) -> &[StackEntry] {
        let stack = self.own.get(name).or_else(|| self.shared.get(name));
        stack.map(Vec::as_slice).unwrap_or_default()
    }

    /// A stack that can be changed.
    fn own_stack(&mut self, name: &[u8]) -> &mut Stack {
        let shared = &self.shared;
        self.own.entry(name.into()).or_insert_with(|| shared.get(name).cloned().unwrap_or_default())
    }

    fn names(&self) -> impl Iterator<Item = (&Box<[u8]>, &Stack)> {
        let shared = self.shared.iter().filter(|(name, _)| !self.own.contains_key(*name));
        self.own.iter().chain(shared).filter(|(_, stack)| !stack.is_empty())
    }

    /// What `name` stands for.
    pub fn get(&self, name: &[u8]) -> Option<&Arc<Definition>> {
        self.entries(name).last().map(|entry| &entry.definition)
    }

    /// What `name` stands for, for one who uses it: a definition that nobody uses within its scope is warned about.
    pub(super) fn use_definition(&self, name: &[u8]) -> Option<&Arc<Definition>> {
        let entry = self.entries(name).last()?;
        entry.was_used.store(true, Ordering::Relaxed);
        Some(&entry.definition)
    }

    /// Whether the newest definition of `name` has been used, by whatever copy shares it.
    pub fn was_used(&self, name: &[u8]) -> bool {
        self.entries(name).last().is_some_and(|entry| entry.was_used.load(Ordering::Relaxed))
    }

    /// Puts a definition on the stack of its name.
    pub fn push(&mut self, definition: Definition) {
        self.own_bytes = self.own_bytes.saturating_add(definition.size_bytes());
        let definition = Arc::new(definition);
        let entry = StackEntry { definition: Arc::clone(&definition), was_used: AtomicBool::new(false) };
        self.own_stack(&definition.name).push(entry);
    }

    /// Takes the newest definition of `name` off its stack.
    pub fn pop(&mut self, name: &[u8]) -> Option<Arc<Definition>> {
        if self.entries(name).is_empty() {
            return None;
        }
        let popped = self.own_stack(name).pop().map(|entry| entry.definition);
        let freed = popped.as_ref().map_or(0, |definition| definition.size_bytes());
        self.own_bytes = self.own_bytes.saturating_sub(freed);
        popped
    }

    /// Puts `body`, as it is, above a definition: what `<o>` does with its first use. `%undefine` brings the
    /// definition back.
    pub(super) fn replace_expanded(&mut self, definition: &Definition, body: &[u8]) {
        self.push(Definition { body: body.into(), expansion: Expansion::Never, ..definition.clone() });
    }

    /// Takes off what calls of depth `level` and deeper defined under `name`; gives how many of them nobody used.
    pub(super) fn end_scope(&mut self, name: &[u8], level: Level) -> usize {
        if self.entries(name).is_empty() {
            return 0;
        }
        let (mut unused, mut freed) = (0, 0_usize);
        self.own_stack(name).retain(|entry| {
            let is_kept = entry.definition.level < level || !entry.definition.level.is_local();
            unused += usize::from(!is_kept && !entry.was_used.load(Ordering::Relaxed));
            freed += if is_kept { 0 } else { entry.definition.size_bytes() };
            is_kept
        });
        self.own_bytes = self.own_bytes.saturating_sub(freed);
        unused
    }

    /// The newest definitions, in the order of their names.
    pub fn sorted(&self) -> Vec<&Arc<Definition>> {
        let newest = self.names().filter_map(|(_, stack)| stack.last());
        let mut newest: Vec<_> = newest.map(|entry| &entry.definition).collect();
        newest.sort_by(|a, b| a.name.cmp(&b.name));
        newest
    }

    /// All definitions of `name`, the newest first.
    pub fn stack(&self, name: &[u8]) -> impl Iterator<Item = &Arc<Definition>> {
        self.entries(name).iter().rev().map(|entry| &entry.definition)
    }

    /// How many names are defined.
    pub fn len(&self) -> usize {
        self.names().count()
    }

    /// Whether nothing is defined.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes names, options and bodies take, without the space between them.
    pub fn size_bytes(&self) -> usize {
        self.names().flat_map(|(_, stack)| stack).map(|entry| entry.definition.size_bytes()).sum()
    }

    /// How many bytes of it were defined since it was copied or last [shared](Self::share).
    pub(super) fn own_bytes(&self) -> usize {
        self.own_bytes
    }
}
