//! Packages, written with the library's own writer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rpmforge::files::{Folder, HostPath};
use rpmforge::package::{
    Archive, ArchiveEntry, Comparison, Dependency, Format, Header, Payload, PayloadContent, PayloadFile,
    PayloadFlags, Tag, Unwritten, Value, hex, write_package,
};
use sha2::{Digest as _, Sha256};

use super::deb::Deb;
use super::file::{Content, DistroFile, flag};
use super::package::{Package, Row};
use super::scriptlet::{Moment, Scriptlet};

/// How packages are compressed: as fast as it gets, since they are made anew all the time.
const PAYLOAD: &str = "w3.zstdio";

/// Writes a package into a folder.
pub fn write(package: &Package, path: &Path) {
    let data = package.deb.as_ref().map(|path| Deb::open(path).data).unwrap_or_default();
    let mut files: Vec<&DistroFile> = package.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let inodes = number_inodes(&files);
    let flags = PayloadFlags::read(PAYLOAD).unwrap();
    let mut header = describe(package, &flags);
    set_files(&mut header, &files, &inodes, &data, package);
    set_relations(&mut header, package, &files, &inodes);
    set_scriptlets(&mut header, &package.scriptlets);
    let payload_files = list_payload(&files, &inodes, package);
    let open = |index: u32| -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(Cursor::new(files[index as usize].bytes(&data))))
    };
    let payload = Payload {
        format: Format::V4,
        archive: Archive::Whole,
        files: &payload_files,
        open: &open,
        flags,
        threads: 1,
    };
    let lead_name =
        package.file_name().trim_end_matches(&format!(".{}.rpm", package.arch())).as_bytes().to_vec();
    let unwritten = Unwritten { header, is_source: false, lead_name, payload, packed: None, reserved: 4096 };
    let folder = Folder::create_scratch(&HostPath::new(path).unwrap()).unwrap();
    write_package(&folder, Path::new(&package.file_name()), unwritten)
        .unwrap_or_else(|error| panic!("{}: {error}", package.name));
    // The metadata say it: the same packages make the same repository.
    let built = SystemTime::UNIX_EPOCH + Duration::from_secs(package.built);
    let file = fs::File::open(path.join(package.file_name())).unwrap();
    file.set_modified(built).unwrap();
}

/// What a package says of itself.
fn describe(package: &Package, flags: &PayloadFlags) -> Header {
    let mut header = Header::default();
    header.set(Tag::I18N_TABLE, Value::Texts(vec!["C".into()]));
    let localized = |text: &str| Value::Localized(vec![text.into()]);
    header.set(Tag::SUMMARY, localized(&package.summary));
    header.set(Tag::DESCRIPTION, localized(&package.description));
    header.set(Tag::GROUP, localized("Unspecified"));
    let texts = [
        (Tag::NAME, package.name.as_str()),
        (Tag::VERSION, &package.evr.version),
        (Tag::RELEASE, package.evr.release.as_deref().unwrap_or_default()),
        (Tag::LICENSE, &package.license),
        (Tag::URL, &package.url),
        (Tag::VENDOR, "rpmforge"),
        (Tag::DISTRIBUTION, "Debian as RPM packages"),
        (Tag::OS, "linux"),
        (Tag::ARCH, package.arch()),
        (Tag::PLATFORM, "x86_64-linux"),
        (Tag::SOURCE_RPM, &package.source),
        (Tag::RPM_VERSION, "4.20.1"),
        (Tag::BUILD_HOST, "localhost"),
        (Tag::ENCODING, "utf-8"),
        (Tag::PAYLOAD_FORMAT, "cpio"),
        (Tag::PAYLOAD_COMPRESSOR, flags.compression.name()),
        (Tag::PAYLOAD_FLAGS, &flags.flags),
    ];
    texts.iter().filter(|(_, text)| !text.is_empty()).for_each(|(tag, text)| header.set_text(*tag, *text));
    header.set_number(Tag::BUILD_TIME, package.built);
    if let Some(epoch) = package.evr.epoch {
        header.set_number(Tag::EPOCH, epoch.into());
    }
    header
}

/// The inode of each file: hard links share one.
fn number_inodes(files: &[&DistroFile]) -> Vec<u32> {
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    let numbered = (1..).zip(files).map(|(number, file)| {
        let key = file.linked_to.as_deref().unwrap_or(&file.path);
        *first.entry(key).or_insert(number)
    });
    numbered.collect()
}

fn count_links(inodes: &[u32], inode: u32) -> usize {
    inodes.iter().filter(|other| **other == inode).count()
}

/// How long a file is, as its header says.
fn size_of(file: &DistroFile) -> u64 {
    match &file.content {
        Content::Folder => 0,
        Content::Link(target) => target.len() as u64,
        Content::Stored(_, size) => *size as u64,
        Content::Made(bytes) => bytes.len() as u64,
    }
}

/// When a file was changed: what the distribution makes is as old as its package.
fn modified(file: &DistroFile, package: &Package) -> u64 {
    if file.modified == 0 { package.built } else { file.modified }
}

fn set_files(header: &mut Header, files: &[&DistroFile], inodes: &[u32], data: &[u8], package: &Package) {
    let is_first = |at: usize| inodes[..at].iter().all(|other| *other != inodes[at]);
    let total = files.iter().enumerate().filter(|(at, _)| is_first(*at)).map(|(_, file)| size_of(file)).sum();
    header.set_number(Tag::SIZE, total);
    header.set_number(Tag::FILEDIGESTALGO, 8);
    if files.is_empty() {
        return;
    }
    let mut numbers = |tag: Tag, number: &dyn Fn(&DistroFile) -> u64| {
        header.set(tag, Value::Numbers(files.iter().map(|file| number(file)).collect()));
    };
    numbers(Tag::FILESIZES, &size_of);
    numbers(Tag::FILEMODES, &|file| file.mode().into());
    numbers(Tag::FILERDEVS, &|_| 0);
    numbers(Tag::FILEMTIMES, &|file| modified(file, package));
    numbers(Tag::FILEFLAGS, &|file| file.flags);
    numbers(Tag::FILEVERIFYFLAGS, &|_| u32::MAX.into());
    numbers(Tag::FILEDEVICES, &|_| 1);
    numbers(Tag::FILECOLORS, &|file| if package.generated.elf.contains(&file.path) { 2 } else { 0 });
    header.set(Tag::FILEINODES, Value::Numbers(inodes.iter().map(|inode| u64::from(*inode)).collect()));
    let mut texts = |tag: Tag, text: &dyn Fn(&DistroFile) -> String| {
        header.set(tag, Value::Texts(files.iter().map(|file| text(file).into()).collect()));
    };
    texts(Tag::FILEDIGESTS, &|file| {
        if file.is_regular() { hex(&Sha256::digest(file.bytes(data))) } else { String::new() }
    });
    texts(Tag::FILELINKTOS, &|file| match &file.content {
        Content::Link(target) => target.clone(),
        Content::Folder | Content::Stored(..) | Content::Made(_) => String::new(),
    });
    texts(Tag::FILEUSERNAME, &|file| file.owners.0.clone());
    texts(Tag::FILEGROUPNAME, &|file| file.owners.1.clone());
    texts(Tag::FILELANGS, &|_| String::new());
    if files.iter().any(|file| !file.capabilities.is_empty()) {
        texts(Tag::FILECAPS, &|file| file.capabilities.to_owned());
    }
    let mut folders: Vec<String> = Vec::new();
    let mut indexes = Vec::new();
    for file in files {
        let folder = &file.path[..=file.path.rfind('/').unwrap()];
        let known = folders.iter().rposition(|known| known == folder);
        indexes.push(known.unwrap_or(folders.len()) as u64);
        if known.is_none() {
            folders.push(folder.to_owned());
        }
    }
    let names = files.iter().map(|file| file.path.rsplit('/').next().unwrap_or_default().into());
    header.set(Tag::BASENAMES, Value::Texts(names.collect()));
    header.set(Tag::DIRINDEXES, Value::Numbers(indexes));
    header.set(Tag::DIRNAMES, Value::Texts(folders.into_iter().map(Into::into).collect()));
}

/// The payload: files with several names come last, and only the last name has the content.
fn list_payload(files: &[&DistroFile], inodes: &[u32], package: &Package) -> Vec<PayloadFile> {
    let mut order: Vec<usize> = (0..files.len()).filter(|at| files[*at].flags & flag::GHOST == 0).collect();
    order.sort_by_key(|at| match count_links(inodes, inodes[*at]) {
        1 => (0, 0),
        _ => (1, inodes[*at]),
    });
    let is_last = |at: usize| inodes[at + 1..].iter().all(|other| *other != inodes[at]);
    let made = order.iter().map(|at| {
        let (file, inode) = (files[*at], inodes[*at]);
        let content = match &file.content {
            Content::Folder => PayloadContent::Nothing,
            Content::Link(target) => PayloadContent::Link(target.as_bytes().to_vec()),
            Content::Stored(..) | Content::Made(_) if is_last(*at) => PayloadContent::File(size_of(file)),
            Content::Stored(..) | Content::Made(_) => PayloadContent::Nothing,
        };
        let size = if content == PayloadContent::Nothing { 0 } else { u32::try_from(size_of(file)).unwrap() };
        let entry = ArchiveEntry {
            path: format!(".{}", file.path).into_bytes(),
            inode,
            mode: file.mode(),
            links: u32::try_from(count_links(inodes, inode)).unwrap(),
            modified: u32::try_from(modified(file, package)).unwrap(),
            size,
            device: (0, 0),
        };
        PayloadFile { index: u32::try_from(*at).unwrap(), entry, content }
    });
    made.collect()
}

/// What a package asks of the rpm that installs it, where it has one of these.
fn features(package: &Package, files: &[&DistroFile], inodes: &[u32]) -> Vec<Row> {
    let needed: Vec<&Dependency> = package.requires.iter().map(|(needed, _)| needed).collect();
    let weak = package.recommends.iter().chain(&package.suggests).chain(&package.enhances);
    let others = package.provides.iter().chain(&package.conflicts).chain(&package.obsoletes);
    let all: Vec<String> = needed.into_iter().chain(weak).chain(others).map(ToString::to_string).collect();
    let any = |sign: char| all.iter().any(|text| text.contains(sign));
    let uses = |moment: fn(&Scriptlet) -> bool| package.scriptlets.iter().any(moment);
    let features = [
        (true, "CompressedFileNames", "3.0.4-1"),
        (true, "FileDigests", "4.6.0-1"),
        (true, "PayloadFilesHavePrefix", "4.0-1"),
        (true, "PayloadIsZstd", "5.4.18-1"),
        (all.iter().any(|text| text.starts_with('(')), "RichDependencies", "4.12.0-1"),
        (any('~'), "TildeInVersions", "4.10.0-1"),
        (any('^'), "CaretInVersions", "4.15.0-1"),
        (files.iter().any(|file| !file.capabilities.is_empty()), "FileCaps", "4.6.1-1"),
        (inodes.iter().any(|inode| count_links(inodes, *inode) > 1), "PartialHardlinkSets", "4.0.4-1"),
        (uses(|scriptlet| scriptlet.program == "<lua>"), "BuiltinLuaScripts", "4.2.2-1"),
    ];
    let used = features.iter().filter(|(is_used, ..)| *is_used);
    let at_most = Comparison::read(b"<=").unwrap();
    let row = |name: &str, version: &str| Dependency {
        name: format!("rpmlib({name})"),
        version: Some((at_most, version.to_owned())),
    };
    used.map(|(_, name, version)| (row(name, version), 1 << 24)).collect()
}

fn set_relations(header: &mut Header, package: &Package, files: &[&DistroFile], inodes: &[u32]) {
    let mut requires: Vec<Row> = package.requires.iter().cloned().collect();
    requires.extend(features(package, files, inodes));
    if package.has_configuration() {
        let version = Some((Comparison::EQUAL, package.evr.to_string()));
        requires.push((Dependency { name: format!("config({})", package.name), version }, 1 << 28));
    }
    let plain = |all: &BTreeSet<Dependency>| -> Vec<Row> { all.iter().map(|one| (one.clone(), 0)).collect() };
    let kinds = [
        (requires, [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS]),
        (plain(&package.provides), [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS]),
        (plain(&package.conflicts), [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS]),
        (plain(&package.obsoletes), [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS]),
        (plain(&package.recommends), [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS]),
        (plain(&package.suggests), [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS]),
        (plain(&package.enhances), [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS]),
    ];
    for (mut rows, [names, versions, flags]) in kinds {
        if rows.is_empty() {
            continue;
        }
        rows.sort();
        rows.dedup();
        let version =
            |row: &Row| row.0.version.as_ref().map(|(_, version)| version.clone()).unwrap_or_default();
        let sense = |row: &Row| {
            row.1 | row.0.version.as_ref().map_or(0, |(comparison, _)| u32::from(*comparison).into())
        };
        header.set(names, Value::Texts(rows.iter().map(|row| row.0.name.as_str().into()).collect()));
        header.set(versions, Value::Texts(rows.iter().map(|row| version(row).into()).collect()));
        header.set(flags, Value::Numbers(rows.iter().map(sense).collect()));
    }
}

fn set_scriptlets(header: &mut Header, scriptlets: &[Scriptlet]) {
    for scriptlet in scriptlets {
        let Some((text, program)) = scriptlet.moment.tags() else { continue };
        if !scriptlet.text.is_empty() {
            header.set_text(text, scriptlet.text.as_str());
        }
        header.set_text(program, scriptlet.program);
    }
    let triggers: Vec<&Scriptlet> =
        scriptlets.iter().filter(|scriptlet| !scriptlet.folders.is_empty()).collect();
    if triggers.is_empty() {
        return;
    }
    // Before those that need what it sets up: the priority of glibc's own trigger.
    const PRIORITY: u64 = 2_000_000;
    let texts = |text: &dyn Fn(&Scriptlet) -> String| {
        Value::Texts(triggers.iter().map(|trigger| text(trigger).into()).collect())
    };
    let ranks =
        triggers.iter().map(|trigger| if trigger.text.contains("ldconfig") { PRIORITY } else { 1_000_000 });
    header.set(Tag::TRANSFILETRIGGERPRIORITIES, Value::Numbers(ranks.collect()));
    header.set(Tag::TRANSFILETRIGGERSCRIPTS, texts(&|trigger| trigger.text.clone()));
    header.set(Tag::TRANSFILETRIGGERSCRIPTPROG, texts(&|trigger| trigger.program.to_owned()));
    let mut conditions: Vec<(&str, Moment, u64)> = (0..)
        .zip(&triggers)
        .flat_map(|(index, trigger)| {
            trigger.folders.iter().map(move |folder| (*folder, trigger.moment, index))
        })
        .collect();
    conditions.sort_by_key(|(folder, moment, _)| (*folder, moment.trigger_sense()));
    let names = conditions.iter().map(|(folder, ..)| (*folder).into());
    header.set(Tag::TRANSFILETRIGGERNAME, Value::Texts(names.collect()));
    header.set(Tag::TRANSFILETRIGGERVERSION, Value::Texts(vec!["".into(); conditions.len()]));
    let senses = conditions.iter().map(|(_, moment, _)| moment.trigger_sense());
    header.set(Tag::TRANSFILETRIGGERFLAGS, Value::Numbers(senses.collect()));
    header.set(
        Tag::TRANSFILETRIGGERINDEX,
        Value::Numbers(conditions.iter().map(|(.., index)| *index).collect()),
    );
}
