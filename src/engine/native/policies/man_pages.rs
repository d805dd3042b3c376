//! Compressed manual pages and info texts: what `brp-compress` does.
//!
//! The pages are given to the same gzip(1), so that they are the same bytes. Whatever is compressed in another
//! way already, or would be in the way of what comes out, is left to the script.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::{BStr, BString, ByteSlice};
use cap_std::fs::Dir;

use super::buildroot::{FoundFile, Unusual, has_ordinary_name};
use super::known::CompressRule;
use super::programs::{PolicyVariables, run_silently};
use super::situation::{Done, Situation, variable};
use crate::files::{HostPath, Tree};

/// The folders that pages are looked for in, below the prefix.
const PLACES: [&str; 11] = [
    "man/man*",
    "man/*/man*",
    "info",
    "share/man/man*",
    "share/man/*/man*",
    "share/info",
    "kerberos/man",
    "X11R6/man/man*",
    "lib/perl5/man/man*",
    "share/doc/*/man/man*",
    "lib/*/man/man*",
];

/// One more of them.
const FISH: &str = "share/fish/man/man*";

/// What takes the place of the prefix where nothing else is said.
const PREFIX: &str = "/usr";

/// What is added to the name of a compressed page.
const ENDING: &[u8] = b".gz";

/// How pages end that are compressed already.
const COMPRESSED: [&[u8]; 7] = [b".gz", b".Z", b".bz2", b".xz", b".lzma", b".zst", b".zstd"];

/// How names end, whatever the case, that gzip(1) takes for compressed files.
const REFUSED: [&[u8]; 7] = [b".gz", b".z", b".taz", b".tgz", b"-gz", b"-z", b"_z"];

/// The list of info texts, which stays as it is.
const DIRECTORY: &[u8] = b"dir";

/// How many pages one gunzip(1) gets. gzip(1) gets one: of several the later ones can come out as other bytes.
const UNPACKED_TOGETHER: usize = 64;

/// What permissions gzip(1) refuses files for.
const REFUSED_MODES: u32 = 0o7000;

/// Whether a script does here what is known of it.
pub(super) fn understands(environment: &PolicyVariables) -> bool {
    ["COMPRESS", "COMPRESS_EXT"].iter().all(|name| variable(environment, name).is_none())
}

/// The pages of a buildroot.
struct Pages<'s> {
    /// Those that have one name, with the name without `.gz`.
    single: Vec<(&'s FoundFile, BString)>,
    /// Those that have several, by their folder and by what they are.
    linked: BTreeMap<(&'s BStr, (u64, u64)), Vec<&'s BStr>>,
    /// Links: what they are called, and what they will be called and lead to.
    links: Vec<(&'s BStr, BString, BString)>,
}

/// Compresses the pages of a buildroot.
pub(super) fn compress(situation: &Situation<'_>, rule: CompressRule) -> Result<Done, Unusual> {
    let folders = page_folders(situation, rule)?;
    if folders.is_empty() {
        return Ok(Done::UNCHANGED);
    }
    let pages = Pages::find(situation, &folders, rule)?;
    if pages.single.is_empty() && pages.linked.is_empty() && pages.links.is_empty() {
        return Ok(Done::UNCHANGED);
    }
    if rule.needs_bash {
        return Err(Unusual);
    }
    pages.check(situation)?;
    pages.compress(situation)?;
    Ok(Done::CHANGED)
}

/// The folders that pages are in.
fn page_folders<'s>(situation: &'s Situation<'_>, rule: CompressRule) -> Result<Vec<&'s BStr>, Unusual> {
    let prefix = match situation.arguments.first().filter(|word| rule.takes_prefix && !word.is_empty()) {
        Some(word) => word.as_bytes(),
        None => PREFIX.as_bytes(),
    };
    let below = prefix.strip_prefix(b"/").ok_or(Unusual)?;
    let mut parts = below.split_str("/");
    if !has_ordinary_name(below) || parts.any(|part| [b"".as_slice(), b".", b".."].contains(&part)) {
        return Err(Unusual);
    }
    let places = PLACES.into_iter().chain(rule.knows_fish.then_some(FISH));
    let patterns: Vec<Vec<u8>> = places.map(|place| [below, b"/", place.as_bytes()].concat()).collect();
    let is_way = |path: &BString| patterns.iter().any(|pattern| matches(pattern, path) != Match::No);
    // A link to a folder is a folder to the script, unless it leads nowhere.
    let mut links = situation.found.links.iter().filter(|path| is_way(path)).peekable();
    if links.peek().is_some() {
        let tree = Tree::open(&HostPath::root()).map_err(|_| Unusual)?;
        if links.any(|path| tree.folder(Path::new(OsStr::from_bytes(&situation.absolute(path)))).is_ok()) {
            return Err(Unusual);
        }
    }
    let is_meant = |path: &&BString| patterns.iter().any(|pattern| matches(pattern, path) == Match::Whole);
    let folders: Vec<&BStr> =
        situation.found.folders.iter().filter(is_meant).map(|path| path.as_bstr()).collect();
    // Others are several words to the script, or patterns.
    if folders.iter().all(|path| has_ordinary_name(path)) { Ok(folders) } else { Err(Unusual) }
}

/// How a path fits a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    No,
    /// It is a folder on the way.
    Way,
    Whole,
}

/// Whether a path fits a pattern, whose parts are names that may end in a star, as shells have it.
fn matches(pattern: &[u8], path: &[u8]) -> Match {
    let mut wanted = pattern.split_str("/");
    for part in path.split_str("/") {
        let fits = match wanted.next() {
            None => false,
            Some(wanted) => match wanted.strip_suffix(b"*") {
                Some(b"") => !part.starts_with(b"."),
                Some(start) => part.starts_with(start),
                None => wanted == part,
            },
        };
        if !fits {
            return Match::No;
        }
    }
    if wanted.next().is_some() { Match::Way } else { Match::Whole }
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"))
}

impl<'s> Pages<'s> {
    /// Finds them in the folders.
    fn find(situation: &'s Situation<'_>, folders: &[&'s BStr], rule: CompressRule) -> Result<Self, Unusual> {
        let folder_of = |path: &[u8]| folders.iter().copied().find(|folder| is_below(path, folder));
        let mut pages = Self { single: Vec::new(), linked: BTreeMap::new(), links: Vec::new() };
        for file in &situation.found.files {
            let Some(folder) = folder_of(&file.path) else { continue };
            if file.name() == DIRECTORY {
                // It is left out by its name, and taken by its number where it has another one.
                if file.links > 1 {
                    return Err(Unusual);
                }
                continue;
            }
            let plain = file.path.strip_suffix(ENDING);
            if file.links == 1 {
                pages.single.push((file, plain.unwrap_or(&file.path).into()));
                continue;
            }
            let is_deeper = |other: &&BStr| is_below(folder, other) || is_below(other, folder);
            if plain.is_some() || folders.iter().any(is_deeper) {
                return Err(Unusual);
            }
            pages.linked.entry((folder, file.identity)).or_default().push(file.path.as_ref());
        }
        let is_known = |ending: &&&[u8]| rule.knows_zstandard || !ending.starts_with(b".zst");
        let without = |path: &[u8]| {
            let mut endings = COMPRESSED.iter().filter(is_known);
            BString::from(endings.find_map(|ending| path.strip_suffix(*ending)).unwrap_or(path))
        };
        for path in situation.found.links.iter().filter(|path| folder_of(path).is_some()) {
            let target = read_link(situation.found.folder.dir(), path).ok_or(Unusual)?;
            let name = |path: &[u8]| BString::from([without(path).as_slice(), ENDING].concat());
            pages.links.push((path.as_ref(), name(path), name(&target)));
        }
        Ok(pages)
    }

    /// Refuses what the script would do in an order of its own, or gzip(1) not at all.
    fn check(&self, situation: &Situation<'_>) -> Result<(), Unusual> {
        let found = situation.found;
        let mut there: BTreeSet<&[u8]> =
            found.links.iter().chain(&found.folders).map(|path| path.as_slice()).collect();
        there.extend(found.files.iter().map(|file| file.path.as_slice()));
        let mut coming: BTreeSet<BString> = BTreeSet::new();
        // What is made must be new, unless it takes the place of what it is made of.
        let mut comes = |own: &[u8], new: Vec<u8>| {
            let is_free = new == own || !there.contains(new.as_slice());
            coming.insert(new.into()) && is_free
        };
        let is_refused = |path: &[u8]| {
            let lower = path.to_ascii_lowercase();
            !has_ordinary_name(path)
                || path.ends_with(b"/")
                || COMPRESSED.iter().any(|ending| path.ends_with(ending))
                || REFUSED.iter().any(|ending| lower.ends_with(ending))
        };
        for (file, plain) in &self.single {
            // What is taken out of a compressed one must be new, too.
            let is_out = *plain == file.path || comes(b"", plain.to_vec());
            let is_new = comes(&file.path, [plain, ENDING].concat());
            if is_refused(plain) || file.mode & REFUSED_MODES != 0 || !is_out || !is_new {
                return Err(Unusual);
            }
        }
        for names in self.linked.values() {
            for path in names {
                if is_refused(path) || !comes(path, [path.as_bytes(), ENDING].concat()) {
                    return Err(Unusual);
                }
            }
        }
        for (path, new, target) in &self.links {
            let is_ordinary = has_ordinary_name(path) && has_ordinary_name(target);
            if !is_ordinary || !comes(path, new.to_vec()) {
                return Err(Unusual);
            }
        }
        let is_linked =
            |file: &&FoundFile| self.linked.keys().any(|(_, identity)| *identity == file.identity);
        let mut linked = situation.found.files.iter().filter(is_linked);
        if linked.any(|file| file.mode & REFUSED_MODES != 0) { Err(Unusual) } else { Ok(()) }
    }

    /// Compresses them. Where a program fails the script does the rest.
    fn compress(&self, situation: &Situation<'_>) -> Result<(), Unusual> {
        let folder = situation.found.folder.path().as_path();
        let run = |words: &[Vec<u8>]| run_silently(words, situation.environment, folder);
        let named = |path: &[u8]| [b"./", path].concat();
        let all = |start: &[&str], paths: &[Vec<u8>], together: usize| {
            let has_failed = AtomicBool::new(false);
            let chunks: Vec<&[Vec<u8>]> = paths.chunks(together).collect();
            situation.in_parallel(&chunks, |chunk| {
                let start = start.iter().map(|word| word.as_bytes().to_vec());
                if !run(&start.chain(chunk.iter().cloned()).collect::<Vec<_>>()) {
                    has_failed.store(true, Ordering::Relaxed);
                }
            });
            if has_failed.into_inner() { Err(Unusual) } else { Ok(()) }
        };
        let packed = self.single.iter().filter(|(file, plain)| *plain != file.path);
        let packed: Vec<Vec<u8>> = packed.map(|(file, _)| named(&file.path)).collect();
        all(&["gunzip", "-f"], &packed, UNPACKED_TOGETHER)?;
        let plain: Vec<Vec<u8>> = self.single.iter().map(|(_, plain)| named(plain)).collect();
        all(&["gzip", "-9", "-n"], &plain, 1)?;
        let dir = situation.found.folder.dir();
        let path = |path: &[u8]| Path::new(OsStr::from_bytes(path)).to_path_buf();
        for names in self.linked.values() {
            let Some((first, others)) = names.split_first() else { continue };
            for other in others {
                dir.remove_file(path(other)).map_err(|_| Unusual)?;
            }
            all(&["gzip", "-9", "-n", "-f"], &[named(first)], 1)?;
            let first = path(&[first.as_bytes(), ENDING].concat());
            for other in others {
                let other = path(&[other.as_bytes(), ENDING].concat());
                dir.hard_link(&first, dir, other).map_err(|_| Unusual)?;
            }
        }
        for (old, new, target) in &self.links {
            // Where this fails half-way the script must find the link still.
            if old.as_bytes() == new.as_bytes() {
                dir.remove_file(path(old)).map_err(|_| Unusual)?;
            }
            dir.symlink_contents(path(target), path(new)).map_err(|_| Unusual)?;
            if old.as_bytes() != new.as_bytes() {
                dir.remove_file(path(old)).map_err(|_| Unusual)?;
            }
        }
        Ok(())
    }
}

fn read_link(folder: &Dir, path: &[u8]) -> Option<Vec<u8>> {
    let target = folder.read_link_contents(Path::new(OsStr::from_bytes(path))).ok()?;
    Some(target.as_os_str().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_what_shells_say() {
        for (pattern, path, expected) in [
            ("usr/man/man*", "usr/man/man1", Match::Whole),
            ("usr/man/man*", "usr/man", Match::Way),
            ("usr/man/man*", "usr/man/man1/a", Match::No),
            ("usr/lib/*/man/man*", "usr/lib/.a", Match::No),
            ("usr/lib/*/man/man*", "usr/lib/a", Match::Way),
            ("usr/info", "usr/info", Match::Whole),
            ("usr/info", "usr/infos", Match::No),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }
}
