//! What differs between two packages: what their headers say, their dependencies, scripts and files, and the payload itself.

mod contents;
mod files;
mod members;
mod unified;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};

use bstr::ByteSlice;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::header::Value;
use super::payload::PayloadReader;
use super::tag::Tag;
use super::write::hex;
use super::{Compression, Dependency, Header, HeaderError, Headers, decompressed, read_headers};

use contents::compare_contents;

pub use contents::ContentChange;
pub use files::{AttributeChange, FileChange, FileChanges};

/// Why packages can't be compared.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DifferenceError {
    /// Its headers break rpm's limits.
    #[error("{file}: {source}")]
    #[diagnostic(
        code(forge::package::compared_header),
        help("the file is damaged or not an RPM package; build or fetch it again")
    )]
    Header {
        /// The package file.
        file: String,
        /// What is wrong.
        source: HeaderError,
    },
    /// Its payload is compressed in a way that nobody knows.
    #[error("{file}: its payload is compressed with `{name}`, which is not known")]
    #[diagnostic(code(forge::package::unknown_compression), help("was it written by a newer rpm?"))]
    Compression {
        /// The package file.
        file: String,
        /// What its header says.
        name: String,
    },
    /// Its payload is not the one that its header is of.
    #[error("{file}: its payload is not the one that its header is of")]
    #[diagnostic(
        code(forge::package::other_payload),
        help("the file is damaged, or somebody has changed it; build or fetch it again")
    )]
    OtherPayload {
        /// The package file.
        file: String,
    },
    /// Its payload can't be read.
    #[error("{file}: its payload can't be read: {}", crate::files::reason(source))]
    #[diagnostic(
        code(forge::package::compared_payload),
        help("the file is damaged; build or fetch it again")
    )]
    Payload {
        /// The package file.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// A package, as far as it is compared.
pub struct Compared {
    headers: Headers,
    /// SHA-256 of the payload, uncompressed.
    payload: String,
}

impl Compared {
    /// Reads a package to its end.
    ///
    /// # Errors
    /// It is damaged, or no package.
    pub fn read(file: &str, mut reader: impl BufRead) -> Result<Self, DifferenceError> {
        let headers = read_headers(&mut reader)
            .map_err(|source| DifferenceError::Header { file: file.to_owned(), source })?;
        let name = headers.header.text(Tag::PAYLOAD_COMPRESSOR).unwrap_or_default();
        let compression = Compression::named(name).ok_or_else(|| DifferenceError::Compression {
            file: file.to_owned(),
            name: name.to_str_lossy().into_owned(),
        })?;
        let payload = payload_digest(compression, reader)
            .map_err(|source| DifferenceError::Payload { file: file.to_owned(), source })?;
        // What is compared are the header's digests of files: a payload of other ones would go unseen.
        let said = headers.header.text(Tag::PAYLOAD_SHA256_ALT);
        if said.is_some_and(|said| said != payload.as_str()) {
            return Err(DifferenceError::OtherPayload { file: file.to_owned() });
        }
        Ok(Self { headers, payload })
    }
}

fn payload_digest(compression: Compression, reader: impl BufRead) -> io::Result<String> {
    let mut payload = decompressed(compression, reader)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 128 * 1024];
    loop {
        match payload.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// A tag that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TagChange {
    /// Its name.
    pub tag: String,
    /// Whether it tells when, where or by what the package was built, and not what it is.
    pub volatile: bool,
    /// What the first package says; nothing where it does not have it.
    pub before: Option<Vec<String>>,
    /// What the second one says.
    pub after: Option<Vec<String>>,
}

/// Dependencies of one kind that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DependencyChange {
    /// `requires`, `provides` …
    pub kind: String,
    /// Those that only the first package has.
    pub removed: Vec<String>,
    /// Those that only the second one has.
    pub added: Vec<String>,
}

/// A script that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScriptChange {
    /// Its tag: `postin`.
    pub script: String,
    /// The first package's.
    pub before: Option<String>,
    /// The second one's.
    pub after: Option<String>,
}

/// The payloads' digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PayloadChange {
    /// SHA-256 of the first package's, uncompressed.
    pub before: String,
    /// SHA-256 of the second one's.
    pub after: String,
}

/// Everything that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// What the packages say of themselves.
    pub tags: Vec<TagChange>,
    /// What they depend on.
    pub dependencies: Vec<DependencyChange>,
    /// Their scripts.
    pub scripts: Vec<ScriptChange>,
    /// Their files.
    pub files: FileChanges,
    /// Their payloads, if these differ.
    pub payload: Option<PayloadChange>,
}

impl Difference {
    /// Whether they are the same but for when, where and by what they were built.
    pub fn is_volatile(&self) -> bool {
        let Self { tags, dependencies, scripts, files, payload } = self;
        tags.iter().all(|change| change.volatile)
            && dependencies.is_empty()
            && scripts.is_empty()
            && files.is_volatile()
            // A payload holds the times of its files.
            && (payload.is_none() || files.has_other_times())
    }

    /// Whether nothing differs at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Tags that tell when, where and by what a package was built, or are digests of what does.
const VOLATILE: [Tag; 16] = [
    Tag::BUILD_HOST,
    Tag::BUILD_TIME,
    Tag::COOKIE,
    Tag::FORGE_VERSION,
    Tag::RPM_VERSION,
    Tag::SOURCE_DIGEST,
    Tag::PAYLOAD_SHA256,
    Tag::PAYLOAD_SHA256_ALT,
    Tag::PAYLOAD_SHA512,
    Tag::PAYLOAD_SHA512_ALT,
    Tag::PAYLOAD_SHA3_256,
    Tag::PAYLOAD_SHA3_256_ALT,
    Tag::PAYLOAD_SIZE,
    Tag::PAYLOAD_SIZE_ALT,
    Tag::ARCHIVESIZE,
    Tag::LONGARCHIVESIZE,
];

/// The kinds of dependencies, and the tags that hold their names, versions and flags.
const DEPENDENCIES: [(&str, [Tag; 3]); 9] = [
    ("requires", [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS]),
    ("provides", [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS]),
    ("conflicts", [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS]),
    ("obsoletes", [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS]),
    ("recommends", [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS]),
    ("suggests", [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS]),
    ("supplements", [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS]),
    ("enhances", [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS]),
    ("orders", [Tag::ORDERNAME, Tag::ORDERVERSION, Tag::ORDERFLAGS]),
];

/// Scripts, and the tags that hold their text and their program.
const SCRIPTS: [(&str, Tag, Tag); 9] = [
    ("prein", Tag::PREIN, Tag::PREINPROG),
    ("postin", Tag::POSTIN, Tag::POSTINPROG),
    ("preun", Tag::PREUN, Tag::PREUNPROG),
    ("postun", Tag::POSTUN, Tag::POSTUNPROG),
    ("pretrans", Tag::PRETRANS, Tag::PRETRANSPROG),
    ("posttrans", Tag::POSTTRANS, Tag::POSTTRANSPROG),
    ("preuntrans", Tag::PREUNTRANS, Tag::PREUNTRANSPROG),
    ("postuntrans", Tag::POSTUNTRANS, Tag::POSTUNTRANSPROG),
    ("verifyscript", Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG),
];

/// Compares two packages.
pub fn difference(before: &Compared, after: &Compared) -> Difference {
    let (old, new) = (&before.headers.header, &after.headers.header);
    let mut seen: BTreeSet<Tag> = BTreeSet::new();
    let dependencies = DEPENDENCIES.iter().filter_map(|(kind, tags)| {
        seen.extend(tags);
        dependency_change(kind, *tags, old, new)
    });
    let dependencies: Vec<DependencyChange> = dependencies.collect();
    let scripts: Vec<ScriptChange> = SCRIPTS
        .iter()
        .filter_map(|(name, body, program)| {
            seen.extend([body, program]);
            script_change(name, (*body, *program), old, new)
        })
        .collect();
    let files = files::changes(old, new, &mut seen);
    let tags: BTreeSet<Tag> = old.iter().chain(new.iter()).map(|(tag, _)| tag).collect();
    let mut changes: Vec<TagChange> =
        tags.difference(&seen).filter_map(|tag| tag_change(*tag, old, new)).collect();
    changes.extend(compare_types(&before.headers, &after.headers));
    let payload = (before.payload != after.payload)
        .then(|| PayloadChange { before: before.payload.clone(), after: after.payload.clone() });
    Difference { tags: changes, dependencies, scripts, files, payload }
}

/// How much of all files of a package is kept to be compared.
const LARGEST_SUM: u64 = 512 << 20;

/// How much of a file is compared, in bytes: of larger ones only sizes and digests are told.
const LARGEST_FILE: u64 = 64 << 20;

/// The packages' contents, compared: finds out what differs within the files that both have.
///
/// # Errors
/// A package can't be read any more, in words.
pub fn add_contents(
    difference: &mut Difference,
    before: impl BufRead,
    after: impl BufRead,
) -> Result<(), String> {
    let has_other_content =
        |change: &&mut FileChange| change.attributes.iter().any(|change| change.attribute == "digest");
    let mut changed: Vec<_> = difference.files.changed.iter_mut().filter(has_other_content).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let wanted: BTreeSet<String> = changed.iter().map(|change| change.path.clone()).collect();
    let (old, new) = (read_contents(before, &wanted)?, read_contents(after, &wanted)?);
    for change in &mut changed {
        if let (Some(old), Some(new)) = (old.get(&change.path), new.get(&change.path)) {
            change.contents = compare_contents(old, new);
        }
    }
    Ok(())
}

/// The contents of files of a package, by path, as far as they are not too large.
fn read_contents(
    mut reader: impl BufRead,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let headers = read_headers(&mut reader).map_err(|error| error.to_string())?;
    let mut payload = PayloadReader::open(&headers, reader).map_err(|error| error.to_string())?;
    let (mut contents, mut sum) = (BTreeMap::new(), 0_u64);
    while let Some(file) = payload.next_file().map_err(|error| error.to_string())? {
        let path =
            payload.files().get(file.index).map(|file| String::from_utf8_lossy(&file.path).into_owned());
        let Some(path) = path.filter(|path| wanted.contains(path)) else { continue };
        sum = sum.saturating_add(file.size);
        if file.size == 0 || file.size > LARGEST_FILE || sum > LARGEST_SUM {
            continue;
        }
        let mut content = Vec::new();
        payload.content().take(file.size).read_to_end(&mut content).map_err(|error| error.to_string())?;
        contents.insert(path, content);
    }
    Ok(contents)
}

fn tag_change(tag: Tag, old: &Header, new: &Header) -> Option<TagChange> {
    let (before, after) = (old.get(tag), new.get(tag));
    if before == after {
        return None;
    }
    let name = tag.name().map_or_else(|| format!("tag {}", tag.0), str::to_owned);
    let volatile = VOLATILE.contains(&tag);
    Some(TagChange {
        tag: name.to_ascii_lowercase(),
        volatile,
        before: before.map(show_items),
        after: after.map(show_items),
    })
}

/// Values of the same tags that stand in the header as different types.
fn compare_types(before: &Headers, after: &Headers) -> Vec<TagChange> {
    let kinds = &after.types;
    let differs = |(tag, kind): &(&u32, &u32)| kinds.get(tag).is_some_and(|other| other != *kind);
    let change = |(tag, kind): (&u32, &u32)| TagChange {
        tag: format!("{} (its type)", Tag(*tag)).to_ascii_lowercase(),
        volatile: false,
        before: Some(vec![kind.to_string()]),
        after: kinds.get(tag).map(|kind| vec![kind.to_string()]),
    };
    before.types.iter().filter(differs).map(change).collect()
}

/// The items of a value, as people read them.
fn show_items(value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.to_str_lossy().into_owned()],
        Value::Texts(texts) | Value::Localized(texts) => {
            texts.iter().map(|text| text.to_str_lossy().into_owned()).collect()
        }
        Value::Numbers(numbers) => numbers.iter().map(u64::to_string).collect(),
        Value::Bytes(bytes) => vec![hex(bytes)],
    }
}

fn dependency_change(
    kind: &str,
    [name, version, flags]: [Tag; 3],
    old: &Header,
    new: &Header,
) -> Option<DependencyChange> {
    let rows = |header: &Header| -> BTreeSet<String> {
        let rows = header.texts(name).iter().zip(header.texts(version)).zip(header.numbers(flags));
        rows.map(|((name, version), flags)| {
            let flags = u32::try_from(*flags).unwrap_or(0);
            let dependency = Dependency::from_fields(&name.to_str_lossy(), flags, &version.to_str_lossy());
            match events(flags).as_str() {
                "" => dependency.to_string(),
                events => format!("{dependency} ({events})"),
            }
        })
        .collect()
    };
    let (before, after) = (rows(old), rows(new));
    let removed: Vec<String> = before.difference(&after).cloned().collect();
    let added: Vec<String> = after.difference(&before).cloned().collect();
    let kind = kind.to_owned();
    (!removed.is_empty() || !added.is_empty()).then_some(DependencyChange { kind, removed, added })
}

/// When a dependency counts, and who found it, in rpm's words.
fn events(flags: u32) -> String {
    const WORDS: [(u32, &str); 16] = [
        (5, "posttrans"),
        (6, "prereq"),
        (7, "pretrans"),
        (8, "interp"),
        (9, "pre"),
        (10, "post"),
        (11, "preun"),
        (12, "postun"),
        (13, "verify"),
        (14, "auto"),
        (15, "auto"),
        (19, "missingok"),
        (20, "preuntrans"),
        (21, "postuntrans"),
        (24, "rpmlib"),
        (28, "config"),
    ];
    let words = WORDS.iter().filter(|(bit, _)| flags & (1 << bit) != 0).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(",")
}

fn script_change(
    name: &str,
    (body, program): (Tag, Tag),
    old: &Header,
    new: &Header,
) -> Option<ScriptChange> {
    let script = |header: &Header| {
        let programs: Vec<String> =
            header.texts(program).iter().map(|word| word.to_str_lossy().into_owned()).collect();
        let text = header.text(body).map(|text| text.to_str_lossy().into_owned());
        let is_there = text.is_some() || !programs.is_empty();
        is_there.then(|| format!("#!{}\n{}\n", programs.join(" "), text.unwrap_or_default()))
    };
    let (before, after) = (script(old), script(new));
    let script = name.to_owned();
    (before != after).then_some(ScriptChange { script, before, after })
}
