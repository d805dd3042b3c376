use proptest::prelude::*;

use super::*;
use crate::event::Timestamp;
use crate::publish::owner::Owner;
use crate::publish::paths::REPOMD;
use crate::publish::record::{FileTimes, Incoming, Keeping, PublishedFile, Superseded};

fn record() -> RepositoryRecord {
    let owner = Owner::new(Some("acme"), Path::new("/srv/acme"), Path::new("/srv/acme/public/host"));
    let mut record = RepositoryRecord::empty(owner, "host");
    record.superseded.push(Superseded {
        file: PublishedFile {
            path: "a-0123456789ab/a.rpm".to_owned(),
            size: 7,
            sha256: "0".repeat(64),
            blake3: Digest::compute(b"a"),
            nevra: Some("a-1-1.noarch".to_owned()),
            times: Some(FileTimes { modified: 1, changed: 2 }),
        },
        since: Timestamp(9),
        is_spent: false,
    });
    record
}

#[test]
fn a_record_that_changes_between_two_reads_is_decoded_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
    let decoded = DecodedRecords::default();
    let chroot = || match decoded.read(&folder, RECORD) {
        ReadRecord::Intact(record) => Some(record.chroot),
        ReadRecord::Missing | ReadRecord::Damaged | ReadRecord::Newer(_) => None,
    };
    let write = |chroot: &str| {
        let record = RepositoryRecord { chroot: chroot.to_owned(), ..record() };
        folder.write_atomic(RECORD, &encode(&record).unwrap()).unwrap();
    };
    write("one");
    assert_eq!([chroot(), chroot()], [Some("one".to_owned()), Some("one".to_owned())]);
    write("two");
    assert_eq!(chroot().as_deref(), Some("two"));
    folder.write_atomic(RECORD, b"{\"version\":").unwrap();
    assert_eq!(chroot(), None);
    folder.remove_file(RECORD).unwrap();
    assert_eq!(chroot(), None);
}

#[test]
fn two_records_claim_the_same_by_their_digests_and_sizes() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
    let other = RepositoryRecord { chroot: "else".to_owned(), ..record() };
    folder.write_atomic("one", &encode(&record()).unwrap()).unwrap();
    folder.write_atomic("same", &encode(&record()).unwrap()).unwrap();
    folder.write_atomic("other", &encode(&other).unwrap()).unwrap();
    folder.write_atomic("none", b"x").unwrap();
    let claim =
        |one: &str, other: &str| claim_the_same((&folder, Path::new(one)), (&folder, Path::new(other)));
    assert_eq!([claim("one", "same"), claim("one", "other")], [true, false]);
    assert_eq!([claim("one", "missing"), claim("missing", "missing"), claim("none", "none")], [false; 3]);
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let record = record();
    assert_eq!(decode(encode(&record).unwrap()), Some(Ok(record)));
}

#[test]
fn no_bit_of_a_record_can_change_without_being_noticed() {
    let bytes = encode(&record()).unwrap();
    for place in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        assert!(decode(flipped).is_none(), "bit {place}");
    }
}

fn is_believed(record: &RepositoryRecord) -> bool {
    recorded_paths(&encode(record).unwrap()).is_some()
}

/// A record that names a file of the package `a` at `path`, in each of its lists in turn.
fn records_with(path: &str, nevra: Option<&str>) -> Vec<RepositoryRecord> {
    let mut file = record().superseded.remove(0).file;
    (file.path, file.nevra) = (path.to_owned(), nevra.map(str::to_owned));
    let package = PublishedPackage {
        package: "a".to_owned(),
        key: None,
        files: vec![file.clone()].into(),
        signed: None,
        keeping: Keeping::default(),
    };
    let (packages, metadata, repomd) = (SharedList::default(), Vec::new(), None);
    let incoming = Incoming { packages, metadata, repomd, signed: None, revision: 1 };
    let incoming = |change: &dyn Fn(&mut Incoming)| {
        let mut incoming = incoming.clone();
        change(&mut incoming);
        Some(incoming)
    };
    let superseded = Superseded { file: file.clone(), since: Timestamp(0), is_spent: false };
    let other = || RepositoryRecord { superseded: Vec::new(), ..record() };
    vec![
        RepositoryRecord { packages: vec![package.clone()].into(), ..other() },
        RepositoryRecord { metadata: vec![file.clone()], ..other() },
        RepositoryRecord { repomd: Some(file.clone()), ..other() },
        RepositoryRecord { superseded: vec![superseded], ..other() },
        RepositoryRecord {
            incoming: incoming(&|it| it.packages.make_mut().push(package.clone())),
            ..other()
        },
        RepositoryRecord { incoming: incoming(&|it| it.metadata.push(file.clone())), ..other() },
        RepositoryRecord { incoming: incoming(&|it| it.repomd = Some(file.clone())), ..other() },
    ]
}

#[test]
fn a_forged_record_that_names_other_files_is_not_believed() {
    let others = [
        "../a-0123456789ab/a.rpm",
        "/a-0123456789ab/a.rpm",
        "a-0123456789ab/../../a.rpm",
        "a-0123456789ab/b/../a.rpm",
        "a-0123456789ab",
        "Rpmforge.kdl",
        ".git/config",
        "theirs/a.rpm",
        "repodata/primary.xml.gz",
        ".forge-repository",
        "",
    ];
    for (path, nevra) in others.iter().flat_map(|path| [(path, None), (path, Some("a-1-1.noarch"))]) {
        let believed = records_with(path, nevra).iter().position(is_believed);
        assert_eq!(believed, None, "{path}");
    }
}

#[test]
fn each_list_of_a_record_names_files_of_its_own_kind() {
    let believed = |path: &str, nevra: Option<&str>| -> Vec<usize> {
        let records = records_with(path, nevra).into_iter().enumerate();
        records.filter(|(_, record)| is_believed(record)).map(|(list, _)| list).collect()
    };
    let metadata = format!("repodata/{}-primary.xml.gz", "0".repeat(64));
    assert_eq!(believed("a-0123456789ab/a.rpm", Some("a-1-1.noarch")), [0, 3, 4]);
    assert_eq!(believed("b-0123456789ab/b.rpm", Some("b-1-1.noarch")), [3]);
    assert_eq!(believed(&metadata, None), [1, 3, 5]);
    assert_eq!(believed(REPOMD, None), [2, 6]);
}

#[test]
fn a_record_that_names_a_file_or_a_package_twice_is_not_believed() {
    let record = records_with("a-0123456789ab/a.rpm", Some("a-1-1.noarch")).remove(0);
    let mut two_files = record.clone();
    two_files.packages.make_mut()[0].files.make_mut().push(record.packages[0].files[0].clone());
    let mut two_packages = record.clone();
    two_packages
        .packages
        .make_mut()
        .push(PublishedPackage { files: Vec::new().into(), ..record.packages[0].clone() });
    assert_eq!([&record, &two_files, &two_packages].map(is_believed), [true, false, false]);
}

#[test]
fn what_is_no_file_of_a_record_is_damaged() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::open_ambient(&crate::files::HostPath::new(temp.path()).unwrap()).unwrap();
    folder.create(RECORD).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, RECORD), ReadRecord::Damaged));
    folder.remove_folder(RECORD).unwrap();
    let pipe = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(folder.dir(), RECORD, pipe, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, RECORD), ReadRecord::Damaged));
}

#[test]
fn a_record_of_a_later_form_is_not_taken_for_a_damaged_one() {
    assert_eq!(decode(with_head(5, b"[]")), Some(Err(5)));
}

#[test]
fn what_is_too_large_for_a_record_is_damaged() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::open_ambient(&crate::files::HostPath::new(temp.path()).unwrap()).unwrap();
    folder.dir().write("record", encode(&record()).unwrap()).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, "record"), ReadRecord::Intact(_)));
    let file = folder.dir().open_with("record", cap_std::fs::OpenOptions::new().write(true)).unwrap();
    file.set_len(LARGEST_RECORD + 1).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, "record"), ReadRecord::Damaged));
}

/// A build of the package `number`, `version` of it.
fn build(number: usize, version: u64) -> PublishedPackage {
    let file = |name: &str| PublishedFile {
        path: format!("p{number:04}-{version:012}/{name}.rpm"),
        size: version,
        sha256: "0".repeat(64),
        blake3: Digest::compute(format!("{number} {version}").as_bytes()),
        nevra: Some(format!("p{number}-{version}-1.noarch")),
        times: Some(FileTimes::default()),
    };
    PublishedPackage {
        package: format!("p{number:04}"),
        key: None,
        files: vec![file("a"), file("b")].into(),
        signed: None,
        keeping: Keeping::default(),
    }
}

fn long_record() -> RepositoryRecord {
    RepositoryRecord { packages: (0..MANY_FILES / 2).map(|number| build(number, 1)).collect(), ..record() }
}

/// A folder with a record in it.
struct Kept {
    _temp: tempfile::TempDir,
    folder: Folder,
    decoded: DecodedRecords,
}

impl Kept {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        Self { _temp: temp, folder, decoded: DecodedRecords::default() }
    }

    /// Writes a record; gives how many bytes that took, and whether it was the whole.
    fn write(&self, record: &RepositoryRecord) -> (usize, bool) {
        let encoded = self.decoded.encode(&self.folder, RECORD, record).unwrap();
        let (path, bytes, is_whole) = match &encoded {
            EncodedRecord::Whole(bytes) => (RECORD, bytes, true),
            EncodedRecord::Changes(bytes) => (RECORD_CHANGES, bytes, false),
        };
        self.folder.write_atomic(path, bytes).unwrap();
        self.decoded.note_written(&self.folder, RECORD, (&encoded, record));
        (bytes.len(), is_whole)
    }

    /// What another process reads; and what this one does.
    fn read(&self) -> Option<RepositoryRecord> {
        let read = |decoded: &DecodedRecords| match decoded.read(&self.folder, RECORD) {
            ReadRecord::Intact(record) => Some(*record),
            ReadRecord::Missing | ReadRecord::Damaged | ReadRecord::Newer(_) => None,
        };
        let other = read(&DecodedRecords::default());
        assert_eq!(read(&self.decoded), other);
        other
    }
}

#[test]
fn what_has_changed_of_a_long_record_is_written_beside_it() {
    let kept = Kept::new();
    let mut record = long_record();
    let (whole, is_whole) = kept.write(&record);
    assert!(is_whole && kept.read().as_ref() == Some(&record));
    for version in 2..5 {
        let mut incoming = record.packages.clone();
        incoming.make_mut()[7] = build(7, version);
        let (packages, metadata, repomd) = (incoming.clone(), Vec::new(), None);
        record.incoming = Some(Incoming { packages, metadata, repomd, signed: None, revision: version });
        let (announced, is_whole) = kept.write(&record);
        assert!(!is_whole && announced < whole / 50, "{announced} of {whole} bytes");
        assert_eq!(kept.read().as_ref(), Some(&record));
        let file = record.packages[7].files[0].clone();
        record.superseded.push(Superseded { file, since: Timestamp(version), is_spent: false });
        (record.packages, record.incoming) = (incoming, None);
        assert!(!kept.write(&record).1);
        assert_eq!(kept.read().as_ref(), Some(&record));
    }
    // Much that has changed is written as a whole again, and what was beside it is of no record then.
    for number in 0..record.packages.len() / 3 {
        record.packages.make_mut()[number] = build(number, 9);
    }
    assert!(kept.write(&record).1 && kept.folder.exists(RECORD_CHANGES));
    assert_eq!(kept.read().as_ref(), Some(&record));
    record.packages.make_mut().truncate(3);
    assert!(kept.write(&record).1);
    assert_eq!(kept.read().as_ref(), Some(&record));
    assert!(kept.folder.read(RECORD).unwrap().starts_with(b"{\"version\":1,"));
}

#[test]
fn nothing_is_written_beside_a_record_that_is_not_there_as_it_was_read() {
    let kept = Kept::new();
    let damages: [&dyn Fn(); 3] = [
        &|| kept.folder.remove_file(RECORD).unwrap(),
        &|| kept.folder.write_atomic(RECORD, b"{\"version\":4").unwrap(),
        &|| kept.folder.write_atomic(RECORD_CHANGES, b"").unwrap(),
    ];
    for damage in damages {
        kept.write(&long_record());
        assert!(!kept.write(&long_record()).1);
        damage();
        assert_eq!(kept.read(), None);
        assert!(kept.write(&long_record()).1);
    }
    kept.folder.remove_file(RECORD).unwrap();
    assert!(kept.write(&long_record()).1, "without another look");
}

#[test]
fn no_bit_of_what_has_changed_can_change_without_being_noticed() {
    let kept = Kept::new();
    let mut record = long_record();
    kept.write(&record);
    record.packages.make_mut()[3] = build(3, 2);
    kept.write(&record);
    let changes = kept.folder.read(RECORD_CHANGES).unwrap();
    for place in (0..changes.len() * 8).step_by(7) {
        let mut flipped = changes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        kept.folder.write_atomic(RECORD_CHANGES, &flipped).unwrap();
        assert!(matches!(kept.decoded.read(&kept.folder, RECORD), ReadRecord::Damaged), "bit {place}");
    }
    kept.folder.write_atomic(RECORD_CHANGES, &changes).unwrap();
    assert_eq!(kept.read(), Some(record));
    kept.folder.remove_file(RECORD_CHANGES).unwrap();
    assert_eq!(kept.read(), Some(long_record()));
}

#[test]
fn forged_changes_stand_for_no_list_without_end_and_name_no_other_files() {
    let kept = Kept::new();
    kept.write(&long_record());
    let head = format!("{{\"of\":\"{}\"", head_digest(&kept.folder.read(RECORD).unwrap()).unwrap());
    let mut other = long_record();
    other.packages.make_mut()[0].files.make_mut()[0].path = "Rpmforge.kdl".to_owned();
    let changes = |record: &RepositoryRecord| {
        let base = RecordBase { packages: long_record().packages, superseded: record.superseded.clone() };
        serde_json::to_string(&RecordChanges::new(record, &base)).unwrap()
    };
    let same = changes(&long_record());
    let run = format!("{{\"same\":[0,{}]}}", MANY_FILES / 2);
    assert!(same.contains(&run));
    let is_read = |changes: &str| {
        let content = format!("{head},\"changes\":{changes}}}");
        kept.folder.write_atomic(RECORD_CHANGES, &with_head(VERSION_IN_PARTS, content.as_bytes())).unwrap();
        kept.read().is_some()
    };
    assert!(is_read(&same));
    let forged = [
        changes(&other),
        same.replace(&run, &format!("{run},{run}")),
        same.replace(&run, &format!("{{\"same\":[1,{}]}}", MANY_FILES / 2)),
        same.replace(&run, &format!("{{\"same\":[{},1]}}", usize::MAX)),
        "{}".to_owned(),
    ];
    assert_eq!(forged.map(|changes| is_read(&changes)), [false; 5]);
}

#[test]
fn who_does_not_know_records_in_parts_sees_that_they_are_of_a_later_form() {
    let bytes = encode(&long_record()).unwrap();
    // As forge has read records before there were any in parts.
    let content = bytes.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(b"}\n")).unwrap();
    let content = content.strip_prefix(b"4,\"blake3\":\"").unwrap();
    let (digest, content) = content.split_at(64);
    let content = content.strip_prefix(b"\",\"repository\":").unwrap();
    assert_eq!(digest_of(4, content).to_string().as_bytes(), digest);
}

#[test]
fn records_of_plain_layouts_are_of_the_third_form_and_long_ones_in_parts_as_all_are() {
    let plain = |count: usize| {
        let mut record = record();
        record.packages = (0..count).map(|number| build(number, 1)).collect();
        for package in record.packages.make_mut() {
            let name = package.package.clone();
            for file in package.files.make_mut() {
                file.path = format!("Packages/p/{name}-{}", file.name());
            }
        }
        record
    };
    for (count, head) in [(1, "{\"version\":3,"), (MANY_FILES / 2, "{\"version\":4,")] {
        let bytes = encode(&plain(count)).unwrap();
        assert!(bytes.starts_with(head.as_bytes()));
        assert_eq!(decode(bytes), Some(Ok(plain(count))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is updated, and wherever forge is killed, what is read is what was written last.
    #[test]
    fn a_long_record_is_read_as_it_was_written_last(
        updates in prop::collection::vec((prop::collection::vec(0..300_usize, 0..60), any::<bool>(), 1..9_u64), 1..12),
    ) {
        let mut kept = Kept::new();
        let mut record = long_record();
        for (changed, is_new_process, version) in updates {
            for number in changed {
                let place = record.packages.binary_search_by_key(&format!("p{number:04}"), |it| it.package.clone());
                match place {
                    // One in a few leaves.
                    Ok(place) if number % 5 == 0 && version % 2 == 0 => drop(record.packages.make_mut().remove(place)),
                    Ok(place) => record.packages.make_mut()[place] = build(number, version),
                    Err(place) => record.packages.make_mut().insert(place, build(number, version)),
                }
            }
            record.revision += 1;
            if is_new_process {
                kept.decoded = DecodedRecords::default();
                kept.read();
            }
            kept.write(&record);
            prop_assert_eq!(kept.read(), Some(record.clone()));
        }
    }
}
