//! Files that nothing names any more: they stay for a while, for clients that have read an earlier `repomd.xml`.

use std::io;
use std::path::Path;
use std::time::Duration;

use hashbrown::HashSet;

use super::inspect::is_link;
use super::record::{PublishedFile, PublishedPackage, RepositoryRecord, Superseded, changed_parts, files};
use crate::event::Timestamp;
use crate::files::Folder;
use crate::manifest::Age;

/// How long they stay: longer than a client takes from reading `repomd.xml` to the last package of a large update that it
/// downloads with several connections. An apply after that removes them.
pub(super) const GRACE: Duration = Duration::from_secs(15 * 60);

/// What is superseded once a repository holds `packages` and `metadata`.
pub(super) fn supersede(
    record: &RepositoryRecord,
    packages: &[PublishedPackage],
    metadata: &[PublishedFile],
    now: Timestamp,
) -> Vec<Superseded> {
    let (earlier, later) = changed_parts(&record.packages, packages);
    let names: HashSet<&str> = earlier.iter().map(|it| it.package.as_str()).collect();
    let is_newest_of_them = |it: &&PublishedPackage| it.is_newest() && names.contains(it.package.as_str());
    let newest = packages.iter().filter(is_newest_of_them).map(|it| it.package.as_str());
    let newest: HashSet<&str> = newest.collect();
    // What was kept as an older build, or has left for its age, has been there for as long as it should.
    let is_spent =
        |package: &&PublishedPackage| !package.is_newest() || !newest.contains(package.package.as_str());
    let spent = earlier.iter().filter(is_spent).flat_map(|package| &package.files);
    let spent: HashSet<&str> = spent.map(|file| file.path.as_str()).collect();
    let mut superseded = still_superseded(record, packages, metadata, now);
    let mut known: HashSet<&str> = files(later).chain(metadata).map(|file| file.path.as_str()).collect();
    known.extend(record.superseded.iter().map(|superseded| superseded.file.path.as_str()));
    let mut gone: Vec<&PublishedFile> = files(earlier).chain(&record.metadata).collect();
    if let Some(incoming) = &record.incoming {
        let (earlier, later) = changed_parts(&incoming.packages, packages);
        known.extend(files(later).map(|file| file.path.as_str()));
        gone.extend(files(earlier).chain(&incoming.metadata));
    }
    for file in gone.into_iter().filter(|file| known.insert(file.path.as_str())) {
        let is_spent = spent.contains(file.path.as_str());
        superseded.push(Superseded { file: file.clone(), since: now, is_spent });
    }
    superseded
}

/// What was superseded before, and has not come back.
fn still_superseded(
    record: &RepositoryRecord,
    packages: &[PublishedPackage],
    metadata: &[PublishedFile],
    now: Timestamp,
) -> Vec<Superseded> {
    let mut gone: HashSet<&str> = record.superseded.iter().map(|it| it.file.path.as_str()).collect();
    if !gone.is_empty() {
        for file in files(packages).chain(metadata) {
            gone.remove(file.path.as_str());
        }
    }
    let before = record.superseded.iter().filter(|superseded| gone.contains(superseded.file.path.as_str()));
    // A clock that has been put back must not keep files for ever.
    before.map(|it| Superseded { since: it.since.min(now), ..it.clone() }).collect()
}

/// Whether a file goes. `replaced` is how long the files stay of builds that another of the same version has replaced, where that is said:
/// clients that have read metadata days ago still ask for those. Metadata are read anew by who finds them gone.
pub(super) fn is_expired(superseded: &Superseded, replaced: Option<Age>, now: Timestamp) -> bool {
    let Superseded { file, since, is_spent } = superseded;
    let age = now.since(*since);
    let is_of_build = file.nevra.is_some() && !is_spent;
    age >= GRACE && replaced.filter(|_| is_of_build).is_none_or(|replaced| replaced.is_over(age))
}

/// Removes what is [expired](is_expired); gives what stays.
pub(super) fn remove_expired(
    folder: &Folder,
    superseded: Vec<Superseded>,
    replaced: Option<Age>,
    now: Timestamp,
) -> io::Result<Vec<Superseded>> {
    let (expired, staying): (Vec<Superseded>, Vec<Superseded>) =
        superseded.into_iter().partition(|superseded| is_expired(superseded, replaced, now));
    for Superseded { file, .. } in expired {
        let parent = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        // What a link leads to is not forge's.
        if is_link(folder, parent) {
            continue;
        }
        folder.remove_file(&file.path)?;
        if file.nevra.is_some() {
            // Not where somebody else has put a file there too.
            let _ = folder.dir().remove_dir(parent);
        }
    }
    Ok(staying)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::files::HostPath;
    use crate::publish::owner::Owner;
    use crate::publish::record::Keeping;

    fn file(path: &str) -> PublishedFile {
        let (sha256, blake3, nevra) = (String::new(), Digest::compute(b""), Some("a".to_owned()));
        PublishedFile { path: path.to_owned(), size: 0, sha256, blake3, nevra, times: None }
    }

    fn record_of(path: &str) -> RepositoryRecord {
        let mut record = RepositoryRecord::empty(Owner::new(None, Path::new("/a"), Path::new("/b")), "host");
        record.packages.make_mut().push(PublishedPackage {
            package: "a".to_owned(),
            key: None,
            files: vec![file(path)].into(),
            signed: None,
            keeping: Keeping::default(),
        });
        record
    }

    #[test]
    fn what_comes_back_is_no_longer_superseded() {
        let mut record = record_of("a-1/a.rpm");
        record.superseded = supersede(&record, &[], &[], Timestamp(5));
        assert_eq!(record.superseded.len(), 1);
        let packages = std::mem::take(&mut record.packages);
        assert!(supersede(&record, &packages, &[], Timestamp(6)).is_empty());
        assert_eq!(supersede(&record, &[], &[], Timestamp(6))[0].since, Timestamp(5));
    }

    #[test]
    fn what_is_superseded_goes_after_the_grace_period_with_its_folder() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("a-1").unwrap().write_atomic("a.rpm", b"").unwrap();
        let superseded = supersede(&record_of("a-1/a.rpm"), &[], &[], Timestamp(0));
        let grace = u64::try_from(GRACE.as_millis()).unwrap();
        let superseded = remove_expired(&folder, superseded, None, Timestamp(grace - 1)).unwrap();
        assert!(folder.exists("a-1/a.rpm") && superseded.len() == 1);
        assert!(remove_expired(&folder, superseded, None, Timestamp(grace)).unwrap().is_empty());
        assert!(!folder.exists("a-1"));
    }

    #[test]
    fn nothing_is_removed_from_where_a_link_leads() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("theirs").unwrap().write_atomic("a.rpm", b"").unwrap();
        folder.dir().symlink_contents("theirs", "a-1").unwrap();
        let superseded = supersede(&record_of("a-1/a.rpm"), &[], &[], Timestamp(0));
        let grace = u64::try_from(GRACE.as_millis()).unwrap();
        assert!(remove_expired(&folder, superseded, None, Timestamp(grace)).unwrap().is_empty());
        assert!(folder.exists("theirs/a.rpm"));
    }

    #[test]
    fn the_files_of_replaced_builds_stay_for_longer_where_that_is_said() {
        let day = Duration::from_secs(86400);
        let superseded =
            |path: &str, is_spent| Superseded { file: file(path), since: Timestamp(0), is_spent };
        let (replaced, spent) = (superseded("a-1/a.rpm", false), superseded("a-2/a.rpm", true));
        let mut metadata = superseded("repodata/primary.xml.gz", false);
        metadata.file.nevra = None;
        let expire =
            |replaced: &Superseded, at: Timestamp| is_expired(replaced, Some(Age::Limited(14 * day)), at);
        let later = Timestamp(0).after(2 * GRACE);
        assert_eq!([&replaced, &spent, &metadata].map(|it| expire(it, later)), [false, true, true]);
        assert!(expire(&replaced, Timestamp(0).after(14 * day)));
        assert!(!is_expired(&replaced, Some(Age::Forever), Timestamp(u64::MAX)));
    }
}
