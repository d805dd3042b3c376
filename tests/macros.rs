//! The macro language as a library: limits, provenance, levels.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::cell::RefCell;
use std::rc::Rc;

use miette::Diagnostic;
use rpmforge::macros::{
    Configuration, Level, Limits, Macros, NoHost, Origin, Report, Stop, SystemHost, Table,
};

/// Macros of a text, with little room.
fn macros(text: &str) -> (Macros, Rc<NoHost>) {
    let limits =
        Limits { output_bytes: 1 << 16, steps: 1_000, lua_memory_bytes: 8 << 20, lua_instructions: 100_000 };
    let host = Rc::new(NoHost::default());
    let macros = Macros::new(Table::new(), host.clone(), limits);
    macros.load_text(text.as_bytes(), "macros", Level::MACRO_FILES).unwrap();
    (macros, host)
}

fn codes(host: &NoHost) -> Vec<String> {
    host.reports().iter().map(|report| report.problem.code().unwrap().to_string()).collect()
}

#[test]
fn text_that_grows_without_bound_ends() {
    let (macros, host) = macros("%double() %1%1\n%many %{lua:print(string.rep('x', 2^17))}\n");
    assert_eq!(macros.expand(b"%many"), Err(Stop));
    assert_eq!(codes(&host), ["forge::macros::too_long"]);
}

#[test]
fn work_that_grows_without_bound_ends() {
    let lines: String = (1..40).map(|number| format!("%m{number} %m{0}%m{0}\n", number - 1)).collect();
    let (macros, host) = macros(&format!("%m0 %nil\n{lines}"));
    assert_eq!(macros.expand(b"%m39"), Err(Stop));
    assert_eq!(codes(&host), ["forge::macros::too_much_work"]);
    // The next text has all the work to itself.
    assert!(macros.expand(b"%m3").is_ok());
}

#[test]
fn lua_has_its_own_limits() {
    let (macros, host) = macros("");
    assert_eq!(macros.expand(b"%{lua:while true do end}"), Err(Stop));
    assert_eq!(macros.expand(b"%{lua:return string.rep('x', 2^24)}"), Err(Stop));
    assert_eq!(macros.expand(b"%{lua:return #string.rep('x', 2^20)}").unwrap(), b"1048576");
    let told: Vec<String> = host.reports().iter().map(|report| report.problem.to_string()).collect();
    assert_eq!(
        told,
        ["lua script failed: more than 100000 instructions", "lua script failed: not enough memory"]
    );
}

#[test]
fn a_report_knows_the_text_and_the_macros_on_the_way() {
    let (macros, host) = macros("%one %two\n%two() %{error:%1}\n");
    macros.set_place(Origin::named("hello.spec"));
    assert_eq!(macros.expand(b"%{one}"), Err(Stop));
    let reports = host.reports();
    assert_eq!(reports[0].place.to_string(), "hello.spec");
    let way: Vec<_> =
        reports[0].stack.iter().map(|open| (open.name(), open.origin().map(ToString::to_string))).collect();
    let place = |line: u32| Some(format!("macros:{line}"));
    assert_eq!(way, [(b"one".as_slice(), place(1)), (b"two", place(2)), (b"error", None)]);
}

#[test]
fn definitions_stack_and_know_where_they_are() {
    let (macros, _) = macros("%name 1\n\n%name 2\n");
    macros.define(b"name 3", Level::COMMAND_LINE, Origin::named("-D")).unwrap();
    macros.set_place(Origin { name: "hello.spec".into(), line: 7 });
    assert_eq!(macros.expand(b"%global name 4\n%name").unwrap(), b"4");
    let table = macros.table();
    let stack: Vec<_> = table.stack(b"name").map(|one| (one.level.0, one.origin.to_string())).collect();
    let expected = [(0, "hello.spec:7"), (-7, "-D"), (-13, "macros:3"), (-13, "macros:1")]
        .map(|(level, place)| (level, place.to_owned()));
    assert_eq!(stack, expected);
    for value in ["3", "2", "1", "%name"] {
        assert_eq!(macros.expand(b"%undefine name\n%name").unwrap(), [b"\n", value.as_bytes()].concat());
    }
}

#[test]
fn a_table_can_be_taken_to_another_thread() {
    let (macros, _) = macros("%name value\n");
    let table = macros.table();
    let expanded = std::thread::spawn(move || {
        let macros = Macros::new(table, Rc::new(NoHost::default()), Limits::default());
        macros.expand(b"%name").unwrap()
    });
    assert_eq!(expanded.join().unwrap(), b"value");
}

#[test]
fn dump_shows_levels_options_and_use() {
    let (macros, host) = macros("%name value\n%call(a:) %1\n");
    macros.expand(b"%name%dump").unwrap();
    let shown = String::from_utf8(host.printed()).unwrap();
    assert!(shown.contains("-13= name\tvalue\n"), "{shown}");
    assert!(shown.contains("-13: call(a:)\t%1\n"), "{shown}");
    assert!(shown.contains("-20: lua\t<builtin>\n"), "{shown}");
}

#[test]
fn rpmrc_files_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpmrc");
    std::fs::write(&path, "bogus: x\n").unwrap();
    let reports: Rc<RefCell<Vec<Report>>> = Rc::default();
    let told = Rc::clone(&reports);
    let host = SystemHost::new([], move |report| told.borrow_mut().push(report)).unwrap();
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    let rc_path = path.to_str().map(|path| path.as_bytes().to_vec());
    let mut configuration = Configuration { rc_path, macro_path: Some(Vec::new()), target: None };
    assert!(macros.configure(&configuration).is_ok());
    configuration.rc_path = Some(b"/nosuch".to_vec());
    assert!(macros.configure(&configuration).is_err());
    let codes: Vec<_> =
        reports.borrow().iter().map(|report| report.problem.code().unwrap().to_string()).collect();
    assert_eq!(codes, ["forge::macros::rcfile", "forge::macros::no_rcfile"]);
}
