//! Packages that nobody should trust.

use std::path::Path;

use miette::Diagnostic;
use rpmforge::chroot::compose::ComposeError;
use rpmforge::package::Archive;

use super::made_package::{Archived, MadeFile, MadePackage, file, folder, link, package};
use super::scratch::Scratch;

/// What is said of a package with these files; nothing may be left of it.
fn refusal(made: &MadePackage) -> String {
    let scratch = Scratch::new();
    let error: ComposeError = scratch.compose(std::slice::from_ref(made)).unwrap_err();
    let left: Vec<String> = scratch
        .names("trees")
        .into_iter()
        .filter(|name| name.starts_with("packages") || name.contains("incoming/"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(scratch.names("farms").iter().all(|name| ["incoming", "lock"].contains(&name.as_str())));
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    assert!(help.len() > 20, "{error}");
    format!("{}: {error}", error.code().unwrap())
}

fn refused(files: impl IntoIterator<Item = MadeFile>) -> String {
    let said = refusal(&package("bad", files));
    said.strip_prefix("forge::store::refused_file: bad-1-1.noarch: ").unwrap_or(&said).to_owned()
}

#[test]
fn names_that_lead_out_of_a_root_are_refused() {
    let said = refused([file("/usr/../../etc/passwd", "x")]);
    assert_eq!(said, "`/usr/../../etc/passwd` has `..` in its path");
    assert_eq!(refused([file("etc/passwd", "x")]), "`etc/passwd` is no path that begins with `/`");
    assert_eq!(refused([file("//etc/passwd", "x")]), "`//etc/passwd` has `` in its path");
    for path in ["./../../etc/passwd", "/../etc/passwd", "../etc/passwd", "./etc/shadow"] {
        let archived = Archived::Path(path.as_bytes().to_vec());
        let said = refused([MadeFile { archived, ..file("/etc/passwd", "x") }]);
        let expected = "forge::store::broken_archive: bad-1-1.noarch: its archive has a file";
        assert_eq!(said, format!("{expected} `{path}` that its header doesn't list"));
    }
}

#[test]
fn names_that_deceive_are_refused() {
    assert_eq!(refused([file("/usr/a\nb", "x")]), "`/usr/a\\nb` has a control character in its name");
    let said = refused([file("/usr/\u{1b}[2Jb", "x")]);
    assert_eq!(said, "`/usr/\\u{1b}[2Jb` has a control character in its name");
    let long = "a".repeat(256);
    assert!(
        refused([file(&format!("/{long}"), "x")]).contains("has a path of more than 4095 bytes or 128 parts")
    );
    assert!(refused([file(&"/a".repeat(200), "x")]).contains("128 parts"));
    assert_eq!(refused([link("/a", "b\nc")]), "`/a` is a link to nothing that a link can point to");
    assert_eq!(refused([link("/a", "")]), "`/a` is a link to nothing that a link can point to");
}

#[test]
fn what_lies_below_a_link_or_file_of_the_same_package_is_refused() {
    let said = refused([link("/usr/lib", "/etc"), file("/usr/lib/passwd", "x")]);
    assert_eq!(said, "`/usr/lib/passwd` lies below `/usr/lib`, a link that comes with it");
    // In whichever order it lists them.
    let said = refused([file("/a/b/c/d", "x"), link("/a/b", "../..")]);
    assert_eq!(said, "`/a/b/c/d` lies below `/a/b`, a link that comes with it");
    let said = refused([file("/a", "x"), folder("/a/b")]);
    assert_eq!(said, "`/a/b` lies below `/a`, which is no folder");
}

#[test]
fn the_same_path_twice_is_refused() {
    assert_eq!(refused([file("/a", "x"), file("/a", "y")]), "`/a` is there twice");
    assert_eq!(refused([file("/a", "x"), folder("/a")]), "`/a` is there twice");
    assert_eq!(refused([file("/a", "x"), link("/a", "b")]), "`/a` is there twice");
}

#[test]
fn devices_pipes_and_sockets_are_refused() {
    for (kind, name) in
        [(0o020_000, "device"), (0o060_000, "device"), (0o010_000, "pipe"), (0o140_000, "socket")]
    {
        let said = refused([MadeFile { mode: kind | 0o666, ..file("/dev/sda", "") }]);
        assert_eq!(said, format!("`/dev/sda` is a {name}"));
    }
}

#[test]
fn an_archive_that_has_something_else_than_the_header_says_is_refused() {
    let archived = |content: &str| Archived::Content(content.as_bytes().to_vec());
    let more = MadeFile { archived: archived("xxxx"), ..file("/a", "x") };
    assert_eq!(refused([more]), "`/a` has 4 bytes, and 1 by the package's header");
    let less = MadeFile { archived: archived(""), ..file("/a", "x") };
    assert_eq!(refused([less]), "`/a` has 0 bytes, and 1 by the package's header");
    let other = MadeFile { archived: archived("y"), ..file("/a", "x") };
    assert_eq!(refused([other]), "`/a` has other content than the package's header says");
    let elsewhere = MadeFile { archived: archived("/etc"), ..link("/a", "/usr") };
    assert_eq!(refused([elsewhere]), "`/a` points elsewhere than the package's header says");
    let nothing = MadeFile { archived: Archived::Nothing, ..file("/a", "x") };
    assert_eq!(refused([nothing]), "`/a` is missing in the package's archive");
    let large = MadeFile {
        content: vec![0; 5 << 20],
        archived: Archived::Content(vec![1; 5 << 20]),
        ..file("/a", "")
    };
    assert_eq!(refused([large]), "`/a` has other content than the package's header says");
}

#[test]
fn hard_links_to_other_files_are_refused() {
    let one = MadeFile { inode: Some(9), ..file("/a", "same") };
    let other = MadeFile { mode: 0o104_755, path: b"/b".to_vec(), ..one.clone() };
    let said = refused([one, other]);
    assert_eq!(said, "`/b` is a hard link to `/a`, which is another file by all that is said of it");
}

#[test]
fn an_archive_that_is_cut_short_or_changed_is_refused_wherever_that_is() {
    let files =
        [file("/a", "some content"), link("/b", "a"), MadeFile { inode: Some(9), ..file("/c", "more") }];
    let scratch = Scratch::new();
    let folder = rpmforge::files::HostPath::new(scratch.temp.path().join("packages")).unwrap();
    for archive in [Archive::Whole, Archive::Stripped] {
        let made = MadePackage { archive, payload: "w.ufdio", ..package("bad", files.clone()) };
        let whole = std::fs::read(folder.join(made.write(&folder)).as_path()).unwrap();
        let payload = rpmforge::package::read_headers(&mut whole.as_slice()).unwrap().payload_offset as usize;
        let step = (whole.len() - payload) / 12;
        for at in (payload..whole.len() - 3).step_by(step) {
            assert!(unpack(&scratch, &whole[..at]).is_err(), "{at} bytes are enough");
            let mut changed = whole.clone();
            changed[at] ^= 1;
            // What changed is content, or means nothing; it is enough that nothing breaks.
            let _ = unpack(&scratch, &changed);
        }
    }
}

/// Takes these bytes for a package.
fn unpack(scratch: &Scratch, bytes: &[u8]) -> Result<(), String> {
    let folder = scratch.temp.path().join("packages");
    std::fs::write(folder.join("bytes"), bytes).unwrap();
    let folder = rpmforge::files::HostPath::new(folder).unwrap();
    let folder = rpmforge::files::Folder::open_ambient(&folder).unwrap();
    let (blob, _) = scratch.store.take_in(&folder, Path::new("bytes")).unwrap();
    let boot = rpmforge::store::Boot::read().unwrap();
    scratch.store.package_trees(&boot).unwrap().get("bad", &blob).map(drop).map_err(|error| error.to_string())
}
