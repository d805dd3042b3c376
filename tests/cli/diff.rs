//! What `forge diff` is given that is no package.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::Project;

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let project = Project::new();
    let pipe = project.path().join("pipe.rpm");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(project.path().join("socket.rpm")).unwrap();
    let cases = [("pipe.rpm", "a pipe"), (".", "a folder"), ("/dev/zero", "a device")];
    for (path, what) in cases {
        let run = project.run(&["diff", path, path]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("forge::cli::io"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("it is {what}, not a regular file")), "{}", run.stderr);
    }
    assert_eq!(project.run(&["diff", "socket.rpm", "socket.rpm"]).code, Some(2));
}
