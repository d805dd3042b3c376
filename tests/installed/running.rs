//! Steps of a plan, carried out by a worker in a root that has nothing but accounts: all scripts are Lua.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use rpmforge::chroot::database::{InstallTransaction, InstalledPackage, plan_import};
use rpmforge::chroot::scriptlets::plan_scriptlets;
use rpmforge::engine::{
    Asked, FilesLaid, OwnedFile, ScriptletKind, ScriptletOrder, ScriptletRun, ScriptletWeight, ScriptletWork,
};
use tempfile::TempDir;

use super::packages::{HEAD, build, headers, succeed};

/// What a worker says of a plan.
pub struct Ran {
    pub log: String,
    /// Its messages, in order.
    pub messages: Vec<serde_json::Value>,
}

impl Ran {
    /// How it ended.
    pub fn end(&self) -> &serde_json::Value {
        self.messages.last().unwrap()
    }
}

/// Runs a plan in a root, as a worker there.
pub fn run_in_root(root: &Path, runs: Vec<ScriptletRun>) -> Ran {
    fs::copy(env!("CARGO_BIN_EXE_forge"), root.join("forge")).unwrap();
    let asked = serde_json::to_value(Asked::Scriptlets(ScriptletOrder::new(runs))).unwrap();
    let request = serde_json::json!({ "protocol": 1, "token": "t", "secrets": [], "asked": asked });
    let mut worker = Command::new("/usr/sbin/chroot");
    worker.arg(root).args(["/forge", "worker"]).env_clear();
    worker.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut worker = worker.spawn().unwrap();
    worker.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = worker.wait_with_output().unwrap();
    fs::remove_file(root.join("forge")).unwrap();
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let messages = messages.lines().filter_map(|line| line.strip_prefix("t "));
    let messages: Vec<_> = messages.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!messages.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ran { log: String::from_utf8_lossy(&output.stdout).into_owned(), messages }
}

/// Makes the one device that programs can't do without.
pub fn make_null(root: &Path) {
    succeed(root, "/bin/sh", &["-ec", "mkdir -p dev; mknod -m 666 dev/null c 1 3"]);
}

fn new_root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    make_null(root.path());
    fs::create_dir(root.path().join("etc")).unwrap();
    fs::write(root.path().join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(root.path().join("etc/group"), "root:x:0:\n").unwrap();
    root
}

/// The plan of one package with this spec.
fn plan(spec: &str) -> Vec<ScriptletRun> {
    let temp = tempfile::tempdir().unwrap();
    let packages = headers(&build(temp.path(), &[("a", &format!("{HEAD}{spec}"))], &[]));
    plan_scriptlets(&packages.iter().collect::<Vec<_>>(), &[])
}

#[test]
fn a_failing_post_is_a_warning_and_a_failing_pre_ends_it_by_name() {
    let root = new_root();
    let text = "%post -p <lua>\nerror('no')\n%posttrans -p <lua>\nprint('after')\n%files\n";
    let ran = run_in_root(root.path(), plan(text));
    assert_eq!(ran.end()["how"], "answered");
    assert_eq!(ran.messages[1]["end"]["how"], "broken", "{:?}", ran.messages);
    assert!(
        ran.log.starts_with("%post(a-1-1.noarch)\nwarning: %post(a-1-1.noarch) scriptlet failed: "),
        "{}",
        ran.log
    );
    assert!(ran.log.ends_with("%posttrans(a-1-1.noarch)\nafter\n"), "{}", ran.log);
    let ran = run_in_root(root.path(), plan(&text.replace("%post -p", "%pre -p")));
    assert_eq!(
        (&ran.end()["how"], &ran.end()["script"]["name"]),
        (&"failed".into(), &"%pre(a-1-1.noarch)".into())
    );
    assert!(!ran.log.contains("after"), "{}", ran.log);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let root = new_root();
    let ran = run_in_root(root.path(), plan("%post -p /sbin/ldconfig\n%pre\n:\n%files\n"));
    assert!(
        ran.log.contains("error: %pre(a-1-1.noarch) scriptlet failed: /bin/sh: No such file"),
        "{}",
        ran.log
    );
    let ran = run_in_root(root.path(), plan("%post -p /sbin/ldconfig\n%files\n"));
    assert_eq!(ran.end()["how"], "answered");
    assert!(ran.log.contains("scriptlet failed: /sbin/ldconfig: No such file"), "{}", ran.log);
}

#[test]
fn macros_and_tags_in_scriptlets_are_those_of_the_root_and_the_package() {
    let root = new_root();
    fs::create_dir_all(root.path().join("usr/lib/rpm")).unwrap();
    fs::write(root.path().join("usr/lib/rpm/macros"), "%where here\n").unwrap();
    let text = "%post -p <lua> -e\nprint('%%{where}')\n%posttrans -p <lua> -q\nprint('%%{NAME} %{VERSION}')\n%files\n";
    let ran = run_in_root(root.path(), plan(text));
    assert!(ran.log.contains("\nhere\n") && ran.log.contains("\na 1\n"), "{}", ran.log);
}

#[test]
fn headers_go_to_the_rpm_of_the_root() {
    let root = new_root();
    let temp = tempfile::tempdir().unwrap();
    let packages = headers(&build(temp.path(), &[("a", &format!("{HEAD}%files\n"))], &[]));
    let transaction = InstallTransaction { time: 1, colors: 0 };
    let import = plan_import(&[InstalledPackage::new(&packages[0])], &transaction).unwrap();
    let ran = run_in_root(root.path(), vec![import]);
    assert_eq!(ran.end()["how"], "failed");
    let wanted =
        "%rpmdb(1 packages)\nerror: %rpmdb(1 packages) scriptlet failed: /usr/bin/rpmdb: No such file";
    assert!(ran.log.starts_with(wanted), "{}", ran.log);
}

fn step(kind: ScriptletKind, work: ScriptletWork) -> ScriptletRun {
    ScriptletRun { package: "a-1-1.noarch".to_owned(), kind, weight: ScriptletWeight::Error, work }
}

#[test]
fn accounts_are_made_and_files_given_to_them_with_all_their_bits() {
    let root = new_root();
    fs::write(root.path().join("tool"), "t").unwrap();
    succeed(root.path(), "setcap", &["cap_net_raw=p", "tool"]);
    fs::set_permissions(root.path().join("tool"), fs::Permissions::from_mode(0o2755)).unwrap();
    let lines = vec!["u web 33 - /srv".to_owned()];
    let owned =
        |user: &str| OwnedFile { path: "/tool".into(), user: user.into(), group: "web".into(), mode: 0o2755 };
    let files = FilesLaid { present: vec!["/tool".into()], owned: vec![owned("nobody-at-all")] };
    let steps = vec![
        step(ScriptletKind::Sysusers, ScriptletWork::Accounts { lines: lines.clone() }),
        step(ScriptletKind::Sysusers, ScriptletWork::Accounts { lines }),
        step(ScriptletKind::Files, ScriptletWork::Files(files)),
    ];
    let ran = run_in_root(root.path(), steps);
    assert_eq!(ran.end()["how"], "answered", "{}", ran.log);
    assert!(ran.log.contains("warning: user nobody-at-all does not exist - using root\n"), "{}", ran.log);
    let passwd = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    assert_eq!(passwd, "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/srv:/usr/sbin/nologin\n");
    let tool = fs::metadata(root.path().join("tool")).unwrap();
    assert_eq!((tool.uid(), tool.gid(), tool.mode() & 0o7777), (0, 33, 0o2755));
    let capabilities = succeed(root.path(), "getcap", &["tool"]);
    assert!(capabilities.contains("cap_net_raw=p"), "{capabilities}");
}

#[test]
fn a_pre_that_takes_a_file_away_which_would_come_later_is_an_error() {
    let root = new_root();
    fs::create_dir(root.path().join("opt")).unwrap();
    fs::write(root.path().join("opt/a"), "a").unwrap();
    let text = "%pre -p <lua>\nos.remove('/opt/a')\n%install\ninstall -D /dev/null %{buildroot}/opt/a\n%files\n/opt/a\n";
    let ran = run_in_root(root.path(), plan(text));
    assert_eq!(ran.end()["script"]["name"], "%files(a-1-1.noarch)");
    assert!(ran.log.contains("/opt/a is gone after it: "), "{}", ran.log);
}
