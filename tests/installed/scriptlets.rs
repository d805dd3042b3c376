//! What is run for packages, beside what the machine's rpm runs.

use std::fs;

use rpmforge::chroot::database::{InstallTransaction, InstalledPackage, read_database, write_database};
use rpmforge::chroot::scriptlets::{install_order, plan_digest, plan_scriptlets};
use rpmforge::engine::{ScriptletKind, ScriptletRun, ScriptletWeight, ScriptletWork};
use rpmforge::package::{Header, Headers};

use super::packages::{HEAD, RpmRoot, build, headers, succeed};

/// A scriptlet that writes down what it is, its numbers, and the files that it is given.
fn note(what: &str) -> String {
    format!(
        "local f = io.open('/log', 'a')\nf:write('{what} ', tostring(arg[2]), ' ', tostring(arg[3]))\n\
         while rpm.next_file do local n = rpm.next_file(); if not n then break end; f:write(' ', n) end\n\
         f:write('\\n')\nf:close()\n"
    )
}

/// A package: what it requires, its scriptlets (what stands after `%`, and the name that they note), its files.
fn spec(requires: &str, scriptlets: &[&str], files: &[&str]) -> String {
    let mut text = format!("{requires}{HEAD}");
    for scriptlet in scriptlets {
        let (head, target) =
            scriptlet.split_once(" -- ").map_or((*scriptlet, None), |(head, target)| (head, Some(target)));
        let target = target.map_or_else(String::new, |target| format!(" -- {target}"));
        let what = scriptlet.replace(' ', "_");
        text.push_str(&format!("%{head} -p <lua>{target}\n{}", note(&what)));
    }
    text.push_str("%install\n");
    for file in files {
        text.push_str(&format!("install -D /dev/null %{{buildroot}}{file}\n"));
    }
    text.push_str("%files\n");
    files.iter().for_each(|file| text.push_str(&format!("{file}\n")));
    text
}

fn packages() -> Vec<(&'static str, String)> {
    let all = ["pretrans", "pre", "post", "posttrans"];
    vec![
        (
            "alpha",
            spec(
                "",
                &[
                    all.as_slice(),
                    &[
                        "triggerin -- beta, gamma",
                        "triggerprein -- gamma",
                        "filetriggerin -- /usr/share/x /opt",
                    ],
                ]
                .concat(),
                &["/opt/alpha", "/usr/lib/alpha"],
            ),
        ),
        (
            "beta",
            spec(
                "Requires: alpha\n",
                &[
                    "post",
                    "triggerin -- beta",
                    "triggerin -- gamma >= 2",
                    "filetriggerin -P 500 -- /usr/lib",
                    "filetriggerin -P 2000000 -- /usr",
                ],
                &["/usr/share/x/beta", "/usr/lib/beta"],
            ),
        ),
        (
            "gamma",
            spec(
                "Requires(pre): beta\n",
                &[
                    "pre",
                    "triggerprein -- alpha",
                    "triggerin -- alpha < 2",
                    "transfiletriggerin -- /usr/lib /opt",
                    "transfiletriggerun -- /usr/lib",
                    "transfiletriggerin -P 5 -- /opt/alpha",
                ],
                &["/usr/share/x/gamma", "/opt/gamma"],
            ),
        ),
        (
            "delta",
            spec("", &["posttrans", "transfiletriggerin -- /nowhere", "filetriggerin -- /opt/gam"], &[]),
        ),
    ]
}

/// A line of the log for each script of a plan.
fn plan_lines(runs: &[ScriptletRun]) -> Vec<String> {
    let line = |run: &ScriptletRun| match &run.work {
        ScriptletWork::Script(script) => {
            let body = script.body.as_ref().unwrap().to_text();
            let what = body.split("f:write('").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            let number = |at: usize| script.arguments.get(at).map_or("nil".to_owned(), u32::to_string);
            let files: String = script.input.iter().map(|file| format!(" {}", file.to_text())).collect();
            Some(format!("{what} {} {}{files}", number(0), number(1)))
        }
        ScriptletWork::Accounts { .. } | ScriptletWork::Files(_) | ScriptletWork::Import { .. } => None,
    };
    runs.iter().filter_map(line).collect()
}

fn in_order(packages: &[Headers]) -> Vec<&Headers> {
    let all: Vec<&Header> = packages.iter().map(|package| &package.header).collect();
    install_order(&all, 3).into_iter().map(|number| &packages[number]).collect()
}

/// rpm before version 6 gave file triggers other numbers.
fn without_numbers(lines: Vec<String>, is_old: bool) -> Vec<String> {
    let line = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        match is_old && words[0].contains("file") {
            true => [&words[..1], &words[3..]].concat().join(" "),
            false => line,
        }
    };
    lines.into_iter().map(line).collect()
}

#[test]
fn scriptlets_and_triggers_run_as_real_rpm_runs_them() {
    let temp = tempfile::tempdir().unwrap();
    let is_old = succeed(temp.path(), "rpm", &["--version"]).starts_with("RPM version 4.");
    let specs = packages();
    let specs: Vec<(&str, &str)> = specs.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let files = build(temp.path(), &specs, &[]);
    let packages = headers(&files);
    let root = RpmRoot::new(temp.path().join("root"));
    let log = |root: &RpmRoot| {
        let text = fs::read_to_string(root.path.join("log")).unwrap_or_default();
        let _ = fs::remove_file(root.path.join("log"));
        without_numbers(text.lines().map(str::to_owned).collect(), is_old)
    };
    // All in one go.
    root.install(&[], &files);
    let plan = plan_scriptlets(&in_order(&packages), &[]);
    assert_eq!(without_numbers(plan_lines(&plan), is_old), log(&root));
    // Some as a base, and the others afterwards.
    let root = RpmRoot::new(temp.path().join("other"));
    let is_base = |at: usize| at == 0 || at == 3;
    let (base, new): (Vec<usize>, Vec<usize>) = (0..packages.len()).partition(|at| is_base(*at));
    let pick = |numbers: &[usize]| numbers.iter().map(|at| files[*at].clone()).collect::<Vec<_>>();
    root.install(&[], &pick(&base));
    log(&root);
    root.install(&[], &pick(&new));
    let pick = |numbers: &[usize]| numbers.iter().map(|at| packages[*at].clone()).collect::<Vec<_>>();
    let (base, new) = (pick(&base), pick(&new));
    let plan = plan_scriptlets(&in_order(&new), &in_order(&base));
    // What the database says of the base is enough.
    let transaction = InstallTransaction { time: 1, colors: 3 };
    let installed: Vec<InstalledPackage<'_>> = base.iter().map(InstalledPackage::new).collect();
    let known = read_database(&write_database(None, &installed, &transaction).unwrap()).unwrap();
    let base: Vec<Headers> = in_order(&base).into_iter().cloned().collect();
    let of_base =
        |package: &&Headers| base.iter().position(|other| other.header.nevra() == package.header.nevra());
    let mut known: Vec<&Headers> = known.iter().collect();
    known.sort_by_key(of_base);
    assert_eq!(plan_scriptlets(&in_order(&new), &known), plan);
    assert_eq!(without_numbers(plan_lines(&plan), is_old), log(&root));
}

#[test]
fn a_plan_says_whose_files_are_whose_and_what_may_fail() {
    let temp = tempfile::tempdir().unwrap();
    let text = format!(
        "{HEAD}%pre\nuseradd web\n%post -p /sbin/ldconfig\n%package -n other\nSummary: s\nPrefix: /opt\nProvides: user(db) = dSBkYiAtICJEYXRhIEJhc2Ui\n\
         %description -n other\nd\n%post -n other\n:\n%install\nmkdir -p %{{buildroot}}/srv/web; touch %{{buildroot}}/srv/web/page\n\
         %files\n%attr(2750,web,adm) /srv/web\n%files -n other\n"
    );
    let packages = headers(&build(temp.path(), &[("web", &text)], &[]));
    let plan = plan_scriptlets(&packages.iter().collect::<Vec<_>>(), &[]);
    let kinds: Vec<(ScriptletKind, ScriptletWeight)> =
        plan.iter().map(|run| (run.kind, run.weight)).collect();
    let (error, warning) = (ScriptletWeight::Error, ScriptletWeight::Warning);
    let wanted = [
        (ScriptletKind::Sysusers, error),
        (ScriptletKind::Post, warning),
        (ScriptletKind::Pre, error),
        (ScriptletKind::Files, error),
        (ScriptletKind::Post, warning),
    ];
    assert_eq!(kinds, wanted, "{plan:#?}");
    let ScriptletWork::Accounts { lines } = &plan[0].work else { panic!("{:?}", plan[0]) };
    assert_eq!(lines, &["u db - \"Data Base\""]);
    let ScriptletWork::Script(other) = &plan[1].work else { panic!("{:?}", plan[1]) };
    assert_eq!((other.prefixes[0].to_text().as_str(), other.arguments.as_slice()), ("/opt", [1].as_slice()));
    let ScriptletWork::Files(files) = &plan[3].work else { panic!("{:?}", plan[3]) };
    assert_eq!(files.present.len(), 2);
    let owned = &files.owned[0];
    assert_eq!(
        (owned.path.to_text().as_str(), owned.user.as_str(), owned.group.as_str()),
        ("/srv/web", "web", "adm")
    );
    assert_eq!(owned.mode, 0o2750);
    let ScriptletWork::Script(ldconfig) = &plan[4].work else { panic!("{:?}", plan[4]) };
    assert_eq!((ldconfig.interpreter[0].to_text().as_str(), &ldconfig.body), ("/sbin/ldconfig", &None));
    // Written and read, it is the same, and known by what is in it.
    let read: Vec<ScriptletRun> = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!((&read, plan_digest(&read)), (&plan, plan_digest(&plan)));
    assert_ne!(plan_digest(&plan), plan_digest(&plan[1..]));
}

#[test]
fn the_cache_of_libraries_is_brought_up_to_date_only_where_something_is_new() {
    let temp = tempfile::tempdir().unwrap();
    let spec = |name: &str, post: &str| {
        format!("{HEAD}%post{post}\n%install\nmkdir -p %{{buildroot}}/opt/{name}\n%files\n/opt/{name}\n")
    };
    let names = ["one", "other", "three", "two"];
    let specs = names.map(|name| spec(name, if name == "other" { "\n:" } else { " -p /sbin/ldconfig" }));
    let specs: Vec<(&str, &str)> = names.into_iter().zip(specs.iter().map(String::as_str)).collect();
    let built = headers(&build(temp.path(), &specs, &[]));
    let planned = |wanted: &[&str]| {
        let packages =
            wanted.iter().map(|name| &built[names.iter().position(|known| known == name).unwrap()]);
        let plan = plan_scriptlets(&packages.collect::<Vec<_>>(), &[]);
        let name_of = |run: &ScriptletRun| run.package.split('-').next().unwrap().to_owned();
        plan.iter().map(name_of).collect::<Vec<_>>()
    };
    // With nothing between the first and the last, one is enough.
    assert_eq!(planned(&["one", "two", "three"]), ["one"]);
    // What runs in between may change what there is to find.
    assert_eq!(planned(&["one", "two", "other", "three"]), ["one", "other", "three"]);
    assert_eq!(planned(&["other", "one", "two"]), ["other", "one"]);
}
