//! `rpmdb.sqlite` as forge writes it, beside that of the machine's rpm.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rpmforge::chroot::database::{
    DatabaseError, InstallTransaction, InstalledPackage, file_states, read_database, write_database,
    write_header_list,
};
use rpmforge::chroot::scriptlets::plan_scriptlets;
use rpmforge::package::{Header, Headers, Tag, decode_header};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::packages::{HEAD, RpmRoot, build, headers, run};

/// What each index has of each kind of thing that rpm looks packages up by.
fn specs() -> Vec<(&'static str, String)> {
    let rich = "Requires: (alpha or beta >= 2)\nRequires: (gamma if delta else epsilon)\nRecommends: (zeta and eta)\n\
        Suggests: theta\nSupplements: (iota with kappa)\nEnhances: lambda\nConflicts: (mu unless nu)\nObsoletes: xi < 1\n\
        Requires(pre): omicron\nRequires(postun): pi\nRequires(pre,preun): rho\nOrderWithRequires: sigma\n\
        Provides: tau = 2:3-4\nGroup: Applications/Text\n";
    let files = "%install\nmkdir -p %{buildroot}/opt/files/sub %{buildroot}/usr/share/doc/files; cd %{buildroot}/opt/files\n\
        echo 1 > one; ln one two; ln -s one three; echo c > conf; echo ä > 'with blank'; echo > ä\n\
        %files\n%dir /opt/files\n/opt/files/sub\n/opt/files/one\n/opt/files/two\n/opt/files/three\n\
        %config(noreplace) /opt/files/conf\n/opt/files/with?blank\n/opt/files/ä\n%ghost /opt/files/later\n\
        %changelog\n* Mon Jan 05 2026 A B <a@b> - 1-1\n- First\n";
    let scripts = "%pre\n:\n%post -p /sbin/ldconfig\n%posttrans -p <lua>\nprint(1)\n%triggerin -- files, rich > 0\n:\n\
        %triggerun -- empty\n:\n%filetriggerin -- /opt /usr/share\ncat\n%filetriggerin -P 20000 -- /etc\ncat\n\
        %transfiletriggerin -- /opt/files /usr/lib\ncat\n%files\n";
    vec![
        ("empty", format!("{HEAD}%files\n")),
        ("files", format!("Prefix: /opt/files\n{HEAD}{files}")),
        ("rich", format!("{rich}{HEAD}%files\n")),
        ("scripts", format!("{HEAD}{scripts}")),
    ]
}

fn build_all(folder: &Path, options: &[&str]) -> Vec<PathBuf> {
    let specs = specs();
    let specs: Vec<(&str, &str)> = specs.iter().map(|(name, text)| (*name, text.as_str())).collect();
    build(folder, &specs, options)
}

fn write(base: Option<&[u8]>, headers: &[Headers], transaction: InstallTransaction) -> Vec<u8> {
    let installed: Vec<InstalledPackage<'_>> = headers.iter().map(InstalledPackage::new).collect();
    write_database(base, &installed, &transaction).unwrap()
}

const TRANSACTION: InstallTransaction = InstallTransaction { time: 1_700_000_000, colors: 0 };

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The headers of a database by name; what tells of the time of installation is the same in all of them.
fn read_packages(database: &Connection) -> BTreeMap<String, Vec<u8>> {
    let mut statement = database.prepare("SELECT blob FROM Packages").unwrap();
    let blobs = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    blobs.map(|blob| without_times(blob.unwrap())).collect()
}

fn without_times(mut blob: Vec<u8>) -> (String, Vec<u8>) {
    let header = decode_header(&blob).unwrap();
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let entries = number(&blob, 0);
    for entry in 0..entries {
        let at = 8 + 16 * entry;
        if [Tag::INSTALLTIME, Tag::INSTALLTID].contains(&Tag(number(&blob, at) as u32)) {
            let data = 8 + 16 * entries + number(&blob, at + 8);
            blob[data..data + 4].fill(0);
        }
    }
    (header.text(Tag::NAME).unwrap().to_string(), blob)
}

/// The rows of all indices, with the names of packages for their numbers.
fn read_indices(database: &Connection) -> BTreeMap<String, Vec<String>> {
    let tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let mut tables = tables;
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    let names: Vec<String> = names
        .filter(|name| name != "Packages" && !name.starts_with("sqlite") && name != "Installtid")
        .collect();
    let rows = |table: &String| {
        let sql =
            format!("SELECT t.key, Name.key, t.idx FROM '{table}' AS t JOIN Name ON Name.hnum = t.hnum");
        let mut statement = database.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(format!(
                "{:?} {:?} {:?}",
                row.get::<_, Value>(0)?,
                row.get::<_, Value>(1)?,
                row.get::<_, i64>(2)?
            ))
        });
        let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        rows.sort();
        rows
    };
    names.iter().map(|table| (table.clone(), rows(table))).collect()
}

/// How tables and indices are declared. What rpm gathers about their sizes is not among them.
fn read_schema(database: &Connection) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'";
    let mut statement = database.prepare(sql).unwrap();
    let mut all: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    all.sort();
    all
}

#[test]
fn headers_indices_and_tables_are_those_of_real_rpm() {
    for options in [&[][..], &["_rpmformat 6"]] {
        let temp = tempfile::tempdir().unwrap();
        let packages = build_all(temp.path(), options);
        let theirs = RpmRoot::new(temp.path().join("theirs"));
        theirs.install(&["--noscripts"], &packages);
        let colors = theirs.rpm(&["-q", "empty", "--qf", "%{INSTALLCOLOR}"]).parse().unwrap();
        let ours = RpmRoot::new(temp.path().join("ours"));
        ours.set_database(&write(None, &headers(&packages), InstallTransaction { colors, ..TRANSACTION }));
        let (ours, theirs) = (open(&ours.database()), open(&theirs.database()));
        assert_eq!(read_schema(&ours), read_schema(&theirs));
        assert_eq!(read_indices(&ours), read_indices(&theirs));
        let (ours, theirs) = (read_packages(&ours), read_packages(&theirs));
        assert!(ours.keys().eq(theirs.keys()));
        for (name, ours) in &ours {
            let (known, all) = (known_to_all(ours), known_to_all(&theirs[name]));
            assert_eq!(known, all, "{name}");
            if known.len() == count_tags(ours) && known.len() == count_tags(&theirs[name]) {
                assert_eq!(ours, &theirs[name], "{name}");
            }
        }
    }
}

/// What all versions of rpm store: those before 6 don't know one of its signature tags, and it adds digests of the files that
/// it has read.
fn known_to_all(blob: &[u8]) -> Vec<String> {
    let new = [Tag::SHA3_256HEADER, Tag::PACKAGEDIGESTS, Tag::PACKAGEDIGESTALGOS];
    let header = decode_header(blob).unwrap();
    let known = header.iter().filter(|(tag, _)| !new.contains(tag));
    known.map(|(tag, value)| format!("{tag} {value:?}")).collect()
}

fn count_tags(blob: &[u8]) -> usize {
    decode_header(blob).unwrap().iter().count()
}

#[test]
fn rpm_says_of_a_written_database_what_it_says_of_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let packages = build_all(temp.path(), &[]);
    let root = RpmRoot::new(temp.path().join("root"));
    root.install(&["--noscripts"], &packages);
    let questions: [&[&str]; 12] = [
        &["-qa", "--qf", "%{NEVRA} %{SIGMD5} %{SHA256HEADER} %{DBINSTANCE}\n"],
        &["-Va"],
        &["-ql", "files"],
        &["-qi", "--noartifact", "empty"],
        &["-q", "--whatprovides", "tau", "rich", "/opt/files/one"],
        &["-q", "--whatrequires", "alpha", "rho", "delta"],
        &["-q", "--whatrequires", "omicron"],
        &["-q", "--whatrecommends", "zeta"],
        &["-q", "--triggeredby", "files"],
        &["-qf", "/opt/files/conf"],
        &["-q", "--filetriggers", "scripts"],
        &["-q", "--qf", "[%{FILENAMES} %{FILESTATES}\n]", "files"],
    ];
    let ask = |root: &RpmRoot| -> Vec<(bool, String)> {
        let mut answers: Vec<_> = questions.iter().map(|question| root.try_rpm("rpm", question)).collect();
        let mut lines: Vec<&str> = answers[0].1.lines().collect();
        lines.sort_unstable();
        answers[0].1 = lines.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
        // When it was installed.
        answers[3].1 = answers[3].1.lines().filter(|line| !line.starts_with("Install Date")).collect();
        answers
    };
    let before = ask(&root);
    root.set_database(&write(None, &in_order_of(&root, headers(&packages)), TRANSACTION));
    assert_eq!(ask(&root), before);
    assert_eq!(root.try_rpm("rpmdb", &["--verifydb"]), (true, String::new()));
    assert_eq!(root.rpm(&["-q", "--qf", "%{INSTALLTIME} %{INSTALLTID}", "empty"]), "1700000000 1700000000");
    // It goes on with it: what is removed is gone, and what is added can be found.
    root.rpm(&["-e", "--noscripts", "files", "scripts"]);
    assert!(!root.path.join("opt/files/one").exists());
    root.install(&["--noscripts"], &packages[1..2]);
    assert_eq!(root.rpm(&["-qf", "/opt/files/one", "--qf", "%{NAME}\n"]), "files\n");
    assert_eq!(root.try_rpm("rpmdb", &["--verifydb"]), (true, String::new()));
    root.rpm(&["--rebuilddb"]);
    assert_eq!(root.rpm(&["-qa", "--qf", "%{NAME}\n"]).lines().count(), 3);
}

/// Packages in the order in which a root's rpm has installed them.
fn in_order_of(root: &RpmRoot, mut packages: Vec<Headers>) -> Vec<Headers> {
    let order = root.rpm(&["-qa", "--qf", "%{NEVRA}\n"]);
    packages.sort_by_key(|package| order.lines().position(|line| line == package.header.nevra()).unwrap());
    packages
}

#[test]
fn packages_added_to_a_base_are_found_beside_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let packages = headers(&build_all(temp.path(), &[]));
    let base = write(None, &packages[..2], TRANSACTION);
    let whole = write(Some(&base), &packages[2..], TRANSACTION);
    assert_eq!(whole, write(Some(&base), &packages[2..], TRANSACTION));
    assert_eq!(base, write(None, &packages[..2], TRANSACTION));
    let root = RpmRoot::new(temp.path().join("root"));
    let read = read_database(&whole).unwrap();
    let names =
        |packages: &[Headers]| packages.iter().map(|package| package.header.nevra()).collect::<Vec<_>>();
    assert_eq!(names(&read), names(&packages));
    assert_eq!(plan_scriptlets(&[], &read.iter().collect::<Vec<_>>()), []);
    root.set_database(&whole);
    assert_eq!(
        root.rpm(&["-qa", "--qf", "%{NAME} %{DBINSTANCE}\n"]),
        "empty 1\nfiles 2\nrich 3\nscripts 4\n"
    );
    assert_eq!(root.rpm(&["-q", "--whatprovides", "tau", "--qf", "%{NAME}\n"]), "rich\n");
    assert_eq!(root.try_rpm("rpmdb", &["--verifydb"]), (true, String::new()));
    // One that real rpm has written in the meantime, write-ahead log and all, is a base as well.
    root.rpm(&["-e", "--noscripts", "scripts"]);
    let theirs = fs::read(root.database()).unwrap();
    root.set_database(&write(Some(&theirs), &packages[3..], TRANSACTION));
    assert_eq!(
        root.rpm(&["-qa", "--qf", "%{NAME} %{DBINSTANCE}\n"]),
        "empty 1\nfiles 2\nrich 3\nscripts 5\n"
    );
}

#[test]
fn the_root_s_rpm_makes_a_database_of_the_list_of_headers() {
    let temp = tempfile::tempdir().unwrap();
    let packages = headers(&build_all(temp.path(), &[]));
    let installed: Vec<InstalledPackage<'_>> = packages.iter().map(InstalledPackage::new).collect();
    let list = write_header_list(&installed, &TRANSACTION).unwrap();
    fs::write(temp.path().join("list"), list).unwrap();
    let script = "rpmdb --dbpath \"$PWD/db\" --importdb < list &&\n\
        rpm --dbpath \"$PWD/db\" -qa --qf '%{NAME} %{INSTALLTIME}\\n'";
    let output = run(temp.path(), "/bin/sh", &["-ec", script]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        said,
        "empty 1700000000\nfiles 1700000000\nrich 1700000000\nscripts 1700000000\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_package_without_immutable_header_and_a_base_that_is_none_are_told() {
    let temp = tempfile::tempdir().unwrap();
    let mut packages = headers(&build_all(temp.path(), &[]));
    let not_a_base = b"SQLite format 3\0 but not really".repeat(100);
    let error = write_database(Some(&not_a_base), &[InstalledPackage::new(&packages[0])], &TRANSACTION);
    assert_eq!(code(error.unwrap_err()), "forge::chroot::database_write");
    packages[0].header_bytes[19] = 61;
    let error = write_database(None, &[InstalledPackage::new(&packages[0])], &TRANSACTION).unwrap_err();
    assert!(error.to_string().starts_with("empty-1-1.noarch has no immutable header"), "{error}");
    assert_eq!(code(error), "forge::chroot::database_header");
}

fn code(error: DatabaseError) -> String {
    error.code().unwrap().to_string()
}

#[test]
fn files_of_the_other_word_size_are_marked_as_rpm_marks_them() {
    let temp = tempfile::tempdir().unwrap();
    let packages = headers(&build_all(temp.path(), &[]));
    let all: Vec<&Header> = packages.iter().map(|package| &package.header).collect();
    let states = file_states(&all, 3);
    assert_eq!(states.iter().map(Vec::len).collect::<Vec<_>>(), [0, 9, 0, 0]);
}
