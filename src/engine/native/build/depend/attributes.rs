//! File attributes: which generators look at which files (rpm-dependency-generators(7), "FILE ATTRIBUTES").

use bstr::{BString, ByteSlice};

use super::super::classify::Class;
use super::super::files::PackagedFile;
use super::super::generator_problem::GeneratorProblem;
use super::super::problem::BuildProblem;
use super::super::world::World;
use super::regular_expression::RegularExpression;

/// A file attribute.
pub(crate) struct FileAttribute {
    pub(crate) name: String,
    includes: AttributeRules,
    excludes: AttributeRules,
}

/// What files are like that have an attribute, or don't.
#[derive(Default)]
struct AttributeRules {
    path: Option<RegularExpression>,
    magic: Option<RegularExpression>,
    mime: Option<RegularExpression>,
    /// Only what can be run.
    needs_program: bool,
    /// Both path and class.
    needs_both: bool,
}

/// Reads all attributes: those that have a file, and those of the spec.
pub(crate) fn read_attributes(world: World<'_>) -> Vec<FileAttribute> {
    let pattern = world.expand("%{_fileattrsdir}/*.attr").unwrap_or_default();
    let found = world.macros.glob(&pattern);
    let mut names: Vec<String> = found
        .iter()
        .filter_map(|path| {
            let name = path.rsplit_once_str("/").map_or(path.as_slice(), |(_, name)| name);
            Some(name.strip_suffix(b".attr")?.to_str_lossy().into_owned())
        })
        .collect();
    if names.is_empty() {
        // The root has none: forge's own macros have these.
        names.extend(["elf", "pkgconfig", "script"].map(str::to_owned));
    }
    let local = world.setting("_local_file_attrs");
    names.extend(local.split(':').filter(|name| !name.is_empty()).map(str::to_owned));
    names.into_iter().map(|name| FileAttribute::read(world, name)).collect()
}

impl FileAttribute {
    fn read(world: World<'_>, name: String) -> Self {
        let includes = AttributeRules::read(world, &name, "");
        let excludes = AttributeRules::read(world, &name, "exclude_");
        Self { name, includes, excludes }
    }

    /// Whether it goes by MIME types.
    pub(crate) fn uses_mime(&self) -> bool {
        self.includes.mime.is_some() || self.excludes.mime.is_some()
    }

    /// Tells of rules that took too much work to be of use.
    pub(crate) fn tell_given_up(&self, world: World<'_>) {
        for rules in [&self.includes, &self.excludes] {
            tell_given_up(world, [&rules.path, &rules.magic, &rules.mime].into_iter().flatten());
        }
    }

    /// Whether a file has it.
    pub(crate) fn matches(&self, entry: &PackagedFile, class: &Class) -> bool {
        entry.is_there && self.includes.hold(entry, class) && !self.excludes.hold(entry, class)
    }
}

impl AttributeRules {
    fn read(world: World<'_>, name: &str, prefix: &str) -> Self {
        let regex = |what: &str| read_regex(world, &format!("__{name}_{prefix}{what}"));
        let flags = world.setting(&format!("__{name}_{prefix}flags"));
        let has = |flag: &str| flags.split(',').any(|word| word.trim() == flag);
        let (path, magic, mime) = (regex("path"), regex("magic"), regex("mime"));
        if magic.is_some() && mime.is_some() {
            world.tell(GeneratorProblem::MimeAndMagic { name: name.to_owned() }.into());
        }
        Self { path, magic, mime, needs_program: has("exeonly"), needs_both: has("magic_and_path") }
    }

    fn hold(&self, entry: &PackagedFile, class: &Class) -> bool {
        if self.needs_program && entry.is_regular() && !entry.mode.permissions.can_run() {
            return false;
        }
        let path = self.path.as_ref().is_some_and(|regex| regex.is_match(&entry.path));
        // Of both, the MIME type counts.
        let kind = match (&self.mime, &self.magic) {
            (Some(regex), _) => regex.is_match(&class.mime),
            (None, Some(regex)) => regex.is_match(&class.description),
            (None, None) => false,
        };
        if self.needs_both { path && kind } else { path || kind }
    }
}

/// Reads a macro's value as a regular expression (regex(7), the extended ones). What is none is told, and left out.
pub(crate) fn read_regex(world: World<'_>, name: &str) -> Option<RegularExpression> {
    let text = world.expand(format!("%{{?{name}}}")).ok()?;
    let text = BString::from(text).to_str_lossy().into_owned();
    if text.is_empty() {
        return None;
    }
    let compiled = RegularExpression::new(&text);
    compiled
        .map_err(|problem| world.tell(BuildProblem::InvalidRegex { text, reason: problem.to_string() }))
        .ok()
}

/// Tells of expressions that took too much work to be of use.
pub(crate) fn tell_given_up<'e>(world: World<'_>, expressions: impl Iterator<Item = &'e RegularExpression>) {
    for text in expressions.filter_map(RegularExpression::given_up) {
        let reason = "Matching takes too much work".to_owned();
        world.tell(BuildProblem::InvalidRegex { text: text.to_owned(), reason });
    }
}
