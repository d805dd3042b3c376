//! What of packages matters to scriptlets: names, files, triggers.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::package::{Dependency, Headers, Tag};

/// A package whose scriptlets are planned, or set off by others'.
pub(super) struct ScriptedPackage<'h> {
    pub headers: &'h Headers,
    pub name: Vec<u8>,
    pub nevra: String,
    /// The paths of its files, once they are asked for: of most packages of a base nobody does.
    paths: OnceCell<Vec<Vec<u8>>>,
    pub triggers: Vec<Trigger>,
    pub file_triggers: Vec<FileTrigger>,
    pub trans_file_triggers: Vec<FileTrigger>,
}

/// What sets a trigger off: one of possibly several dependencies of one script.
pub(super) struct Trigger {
    pub dependency: Dependency,
    /// rpm's bits of it: when it is set off.
    pub flags: u64,
    /// The number of its script.
    pub script: usize,
}

/// A trigger for files.
pub(super) struct FileTrigger {
    /// The number of its script.
    pub script: usize,
    /// Those of a higher one run first.
    pub priority: u64,
    /// Whether it is set off when files come.
    pub is_for_installing: bool,
    /// Where its files lie.
    pub prefixes: Vec<Vec<u8>>,
}

/// Triggers that are set off when a package has come, and before it comes (`RPMSENSE_TRIGGERIN`, `_TRIGGERPREIN`).
pub(super) const TRIGGERIN: u64 = 1 << 16;
pub(super) const TRIGGERPREIN: u64 = 1 << 25;

/// The priority of a trigger that says none.
const DEFAULT_PRIORITY: u64 = 1_000_000;

/// The tags of a kind of file triggers.
struct FileTriggerTags {
    prefixes: Tag,
    scripts: Tag,
    flags: Tag,
    priorities: Tag,
}

const FILE_TRIGGERS: FileTriggerTags = FileTriggerTags {
    prefixes: Tag::FILETRIGGERNAME,
    scripts: Tag::FILETRIGGERINDEX,
    flags: Tag::FILETRIGGERFLAGS,
    priorities: Tag::FILETRIGGERPRIORITIES,
};

const TRANS_FILE_TRIGGERS: FileTriggerTags = FileTriggerTags {
    prefixes: Tag::TRANSFILETRIGGERNAME,
    scripts: Tag::TRANSFILETRIGGERINDEX,
    flags: Tag::TRANSFILETRIGGERFLAGS,
    priorities: Tag::TRANSFILETRIGGERPRIORITIES,
};

impl<'h> ScriptedPackage<'h> {
    pub fn new(headers: &'h Headers) -> Self {
        let header = &headers.header;
        Self {
            headers,
            name: header.text(Tag::NAME).unwrap_or_default().to_vec(),
            nevra: header.nevra(),
            paths: OnceCell::new(),
            triggers: read_triggers(headers),
            file_triggers: read_file_triggers(headers, &FILE_TRIGGERS),
            trans_file_triggers: read_file_triggers(headers, &TRANS_FILE_TRIGGERS),
        }
    }

    /// The paths of its files.
    pub fn paths(&self) -> &[Vec<u8>] {
        self.paths.get_or_init(|| self.headers.header.file_paths().map(Vec::from).collect())
    }

    /// Whether any of its files begins with a prefix.
    pub fn has_file_below(&self, prefix: &[u8]) -> bool {
        self.paths().iter().any(|path| path.starts_with(prefix))
    }

    /// Whether any of the folders that it has files in begins with a prefix: so rpm looks for packages in its database. A
    /// prefix that is the path of a file finds none.
    pub fn has_folder_below(&self, prefix: &[u8]) -> bool {
        self.headers.header.texts(Tag::DIRNAMES).iter().any(|folder| folder.starts_with(prefix))
    }

    /// Its files below any of the prefixes, prefix by prefix.
    pub fn files_below<'a>(&'a self, prefixes: &'a [Vec<u8>]) -> impl Iterator<Item = &'a [u8]> {
        prefixes.iter().flat_map(|prefix| {
            let files = self.paths().iter().filter(move |path| path.starts_with(prefix));
            files.map(Vec::as_slice)
        })
    }

    /// Whether it meets a dependency.
    pub fn provides(&self, wanted: &Dependency) -> bool {
        let header = &self.headers.header;
        let (flags, versions) = (header.numbers(Tag::PROVIDEFLAGS), header.texts(Tag::PROVIDEVERSION));
        let mut names = header.texts(Tag::PROVIDENAME).iter().enumerate();
        names.any(|(at, name)| {
            name.as_slice() == wanted.name.as_bytes() && {
                let flags = flags.get(at).and_then(|flags| u32::try_from(*flags).ok()).unwrap_or_default();
                let version = versions.get(at).map(|version| String::from_utf8_lossy(version));
                wanted.is_met_by(&Dependency::from_fields(&wanted.name, flags, &version.unwrap_or_default()))
            }
        })
    }
}

fn read_triggers(headers: &Headers) -> Vec<Trigger> {
    let header = &headers.header;
    let (flags, scripts) = (header.numbers(Tag::TRIGGERFLAGS), header.numbers(Tag::TRIGGERINDEX));
    let versions = header.texts(Tag::TRIGGERVERSION);
    let names = header.texts(Tag::TRIGGERNAME).iter().enumerate();
    let trigger = |(at, name): (usize, &bstr::BString)| {
        let flags = flags.get(at).copied().unwrap_or_default();
        let version = versions.get(at).map(|version| String::from_utf8_lossy(version)).unwrap_or_default();
        let bits = u32::try_from(flags).unwrap_or_default();
        Trigger {
            dependency: Dependency::from_fields(&String::from_utf8_lossy(name), bits, &version),
            flags,
            script: number_at(scripts, at),
        }
    };
    names.map(trigger).collect()
}

fn read_file_triggers(headers: &Headers, tags: &FileTriggerTags) -> Vec<FileTrigger> {
    let header = &headers.header;
    let (scripts, flags) = (header.numbers(tags.scripts), header.numbers(tags.flags));
    let priorities = header.numbers(tags.priorities);
    let mut triggers: BTreeMap<usize, FileTrigger> = BTreeMap::new();
    for (at, prefix) in header.texts(tags.prefixes).iter().enumerate() {
        let script = number_at(scripts, at);
        let trigger = triggers.entry(script).or_insert_with(|| FileTrigger {
            script,
            priority: priorities.get(script).copied().unwrap_or(DEFAULT_PRIORITY),
            // That of the first prefix counts for all of them.
            is_for_installing: flags.get(at).is_some_and(|flags| flags & TRIGGERIN != 0),
            prefixes: Vec::new(),
        });
        trigger.prefixes.push(prefix.to_vec());
    }
    triggers.into_values().collect()
}

fn number_at(numbers: &[u64], at: usize) -> usize {
    numbers.get(at).and_then(|number| usize::try_from(*number).ok()).unwrap_or_default()
}
