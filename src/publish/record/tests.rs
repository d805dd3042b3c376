use super::*;

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
        folder.write_atomic(RECORD, &record.encode().unwrap()).unwrap();
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
    folder.write_atomic("one", &record().encode().unwrap()).unwrap();
    folder.write_atomic("same", &record().encode().unwrap()).unwrap();
    folder.write_atomic("other", &other.encode().unwrap()).unwrap();
    folder.write_atomic("none", b"x").unwrap();
    let claim =
        |one: &str, other: &str| claim_the_same((&folder, Path::new(one)), (&folder, Path::new(other)));
    assert_eq!([claim("one", "same"), claim("one", "other")], [true, false]);
    assert_eq!([claim("one", "missing"), claim("missing", "missing"), claim("none", "none")], [false; 3]);
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let record = record();
    let read = decode(&record.encode().unwrap());
    assert!(matches!(read, Some(ReadRecord::Intact(read)) if *read == record));
}

#[test]
fn no_bit_of_a_record_can_change_without_being_noticed() {
    let bytes = record().encode().unwrap();
    for place in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        assert!(decode(&flipped).is_none(), "bit {place}");
    }
}

fn is_believed(record: &RepositoryRecord) -> bool {
    recorded_paths(&record.encode().unwrap()).is_some()
}

/// A record that names a file of the package `a` at `path`, in each of its lists in turn.
fn records_with(path: &str, nevra: Option<&str>) -> Vec<RepositoryRecord> {
    let mut file = record().superseded.remove(0).file;
    (file.path, file.nevra) = (path.to_owned(), nevra.map(str::to_owned));
    let package = PublishedPackage {
        package: "a".to_owned(),
        key: None,
        files: vec![file.clone()],
        signed: None,
        keeping: Keeping::default(),
    };
    let (packages, metadata, repomd) = (Vec::new(), Vec::new(), None);
    let incoming = Incoming { packages, metadata, repomd, signed: None, revision: 1 };
    let incoming = |change: &dyn Fn(&mut Incoming)| {
        let mut incoming = incoming.clone();
        change(&mut incoming);
        Some(incoming)
    };
    let superseded = Superseded { file: file.clone(), since: Timestamp(0), is_spent: false };
    let other = || RepositoryRecord { superseded: Vec::new(), ..record() };
    vec![
        RepositoryRecord { packages: vec![package.clone()], ..other() },
        RepositoryRecord { metadata: vec![file.clone()], ..other() },
        RepositoryRecord { repomd: Some(file.clone()), ..other() },
        RepositoryRecord { superseded: vec![superseded], ..other() },
        RepositoryRecord { incoming: incoming(&|it| it.packages.push(package.clone())), ..other() },
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
    two_files.packages[0].files.push(record.packages[0].files[0].clone());
    let mut two_packages = record.clone();
    two_packages.packages.push(PublishedPackage { files: Vec::new(), ..record.packages[0].clone() });
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
    let digest = digest_of(4, b"[]");
    let bytes = format!("{{\"version\":4,\"blake3\":\"{digest}\",\"repository\":[]}}\n");
    assert!(matches!(decode(bytes.as_bytes()), Some(ReadRecord::Newer(4))));
}

#[test]
fn what_is_too_large_for_a_record_is_damaged() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::open_ambient(&crate::files::HostPath::new(temp.path()).unwrap()).unwrap();
    folder.dir().write("record", record().encode().unwrap()).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, "record"), ReadRecord::Intact(_)));
    let file = folder.dir().open_with("record", cap_std::fs::OpenOptions::new().write(true)).unwrap();
    file.set_len(LARGEST_RECORD + 1).unwrap();
    assert!(matches!(DecodedRecords::default().read(&folder, "record"), ReadRecord::Damaged));
}
