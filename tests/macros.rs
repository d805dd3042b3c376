//! The macro language as a library: limits, provenance, levels.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use miette::Diagnostic;
use rpmforge::macros::{
    Configuration, Host, Level, Limits, Macros, NoHost, Origin, Report, Stop, SystemHost, Table,
};

/// Macros of a text, with little room.
fn macros(text: &str) -> (Macros, Rc<NoHost>) {
    let limits = Limits {
        output_bytes: 1 << 16,
        steps: 1_000,
        lua_memory_bytes: 8 << 20,
        lua_instructions: 100_000,
        ..Limits::default()
    };
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
fn definitions_take_no_more_room_than_is_allowed() {
    for text in [
        "%{lua:for i = 1, 100 do rpm.define('a' .. i .. ' ' .. ('x'):rep(1000)) end}",
        "%{lua:for i = 1, 100 do rpm.expand('%global a ' .. ('x'):rep(1000)) end}",
        "%{lua:for i = 1, 100 do macros['a' .. i] = ('x'):rep(1000) end}",
        "%{lua:for i = 1, 100 do rpm.define('a' .. i .. '<o> ' .. ('x'):rep(400)) rpm.expand('%a' .. i) end}",
    ] {
        let host = Rc::new(NoHost::default());
        let limits = Limits { defined_bytes: 60_000, ..Limits::default() };
        let macros = Macros::new(Table::new(), host.clone(), limits);
        let _ = macros.expand(text.as_bytes());
        assert!(codes(&host).contains(&"forge::macros::too_much_defined".to_owned()), "{text}");
    }
}

#[test]
fn definitions_that_have_gone_take_no_room() {
    let limits = Limits { defined_bytes: 20_000, ..Limits::default() };
    let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), limits);
    let local = b"%define local() %{lua:rpm.expand('%define a ' .. ('x'):rep(1000))}\n";
    let (define, again) = (b"%global b y\n%undefine b\n".repeat(100), b"%local\n".repeat(100));
    assert!(macros.expand(&[local.as_slice(), &define, &again].concat()).is_ok());
}

#[test]
fn steps_within_a_pattern_of_lua_are_instructions() {
    let (macros, host) = macros("");
    for code in ["('a'):rep(2000):match('.-.-.-b')", "('a'):rep(2000):gsub('.-.-.-b', '')"] {
        assert_eq!(macros.expand(format!("%{{lua:print(({code}))}}").as_bytes()), Err(Stop));
    }
    for report in host.reports() {
        assert!(report.problem.to_string().contains("more than 100000 instructions"), "{:?}", report.problem);
    }
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

/// Code that has no end, or takes for ever to get there.
const ENDLESS: &[&str] = &[
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(error, function() while true do end end) end",
    "coroutine.wrap(function() while true do end end)()",
    "setmetatable({}, {__gc = function() while true do end end}) collectgarbage() while true do end",
    "getmetatable(io.stdout).__gc = function() while true do end end",
    "table.insert(setmetatable({}, {__len = function() return 2^53 end}), 1, 'x')",
    "table.remove(setmetatable({}, {__len = function() return 2^53 end}), 1)",
    "table.move({}, 1, 2^53, 2)",
    "getmetatable('').__index = string.rep getmetatable('').__len = function() return 2^53 end table.concat('', '')",
    "table.sort(setmetatable({}, {__len = function() return 2^31 - 2 end, __index = function() return 1 end}))",
    "string.find(string.rep('a', 100000), '.-.-.-.-.-.-.-b')",
    "string.gsub(string.rep('a', 100000), '(a*)*(a*)*(a*)*b', '')",
    "string.match(string.rep('a', 100000), 'a*a*a*a*a*b')",
    "for _ in string.gmatch(string.rep('a', 100000), 'a*a*a*a*a*b') do end",
    "while true do string.find(string.rep('a', 2^20), string.rep('a', 2^19) .. 'b', 1, true) end",
    "while true do string.rep('x', 2^20) end",
    "rpm.register('x', function() while true do end end) while true do rpm.call('x') end",
    "local t = {} while true do t[#t + 1] = string.rep('x', 2^20) end",
    "assert(load(function() return ' ' end))",
    "posix.sleep(1000000) error('not slept')",
    "io.read('a') error('not read')",
    "assert(load('local x <--[[]]close--[[]]> = nil'))",
    "assert(load(coroutine.wrap(function() coroutine.yield('local x <clo') coroutine.yield('se> = nil') end)))",
    "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
    "coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) \
     while true do end end)()",
    "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() while true do end \
     end}) while true do end end) coroutine.resume(c) coroutine.close(c)",
];

#[test]
fn lua_that_nobody_trusts_comes_to_an_end() {
    for code in ENDLESS {
        let host = Rc::new(NoHost::default());
        let limits = Limits { reading_time: Duration::from_millis(200), ..Limits::default() };
        let macros = Macros::new(Table::new(), host.clone(), limits);
        let ended = macros.expand(format!("%{{lua:{code}}}").as_bytes());
        assert_eq!(ended, Err(Stop), "{code}: {:?}", host.reports());
    }
}

#[test]
fn text_that_nobody_trusts_has_an_end_to_its_time() {
    let host = Rc::new(NoHost::default());
    let limits = Limits { reading_time: Duration::ZERO, ..Limits::default() };
    let macros = Macros::new(Table::new(), host.clone(), limits);
    assert_eq!(macros.expand(&b"%{len:x}".repeat(100)), Err(Stop));
    assert_eq!(codes(&host), ["forge::macros::too_long_busy"]);
}

/// Code whose value is the same where macros may only read.
const SAME: &[&str] = &[
    "('a.b.c'):gsub('%.', '/')",
    "('hello world'):gsub('o', '0', 1)",
    "('hello world'):gsub('(%w+) (%w+)', '%2 %1 %0 %%')",
    "('abc'):gsub('%w', {a = 1, b = false})",
    "('abc'):gsub('()', function(at) return at end)",
    "('abc'):gsub('', '-')",
    "('abc'):gsub('^a', 'x')",
    "('aaa'):gsub('^a', 'x')",
    "('abc'):gsub('b*', '-')",
    "('x'):gsub('x', '%9')",
    "('x'):gsub('x', '%q')",
    "('x'):gsub('x', {x = {}})",
    "('x'):gsub('[', '')",
    "string.gsub('x', 'x')",
    "xpcall(error, function(message) return message .. '!' end, 'wrong')",
    "xpcall(function(...) return ... end, print, 1, 2)",
    "('abc'):find('b', 1, true)",
    "('a+c'):find('+', 1, true)",
    "('abc'):find('')",
    "('abc'):find('', 4)",
    "('abc'):find('', 5)",
    "('abc'):find('c', -1)",
    "('abc'):find('(b)(c)')",
    "('abc'):find('b', 0)",
    "('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
    "('  x '):match('^%s*(.-)%s*$')",
    "('f(a(b)c)d'):match('%b()')",
    "('THE (quick) fox'):find('%f[%a]%a+%f[%A]')",
    "('abab'):match('(ab)%1')",
    "('abc'):match('()b()')",
    "('1,2,,3'):gsub('[^,]*', 'x')",
    "string.match(12, '1')",
    "string.match({}, '1')",
    "(function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w)=(%w)') do t[#t + 1] = k .. v end \
     return table.concat(t, ';') end)()",
    "(function() local n = 0 for w in ('one two'):gmatch('%a*') do n = n + 1 end return n end)()",
    "(function() local t = {} for w in ('^a^b'):gmatch('^%a') do t[#t + 1] = w end return table.concat(t) end)()",
    "table.concat(table.move({1, 2, 3}, 2, 3, 1), ',')",
    "table.concat(table.move({1, 2, 3}, 1, 3, 2), ',')",
    "string.rep('ab', 3, ',')",
    "string.rep('', 3, ',')",
    "select('#', table.unpack({1, 2, 3}))",
    "coroutine.resume(coroutine.create(function(...) return ... end), 1, 2)",
    "coroutine.resume(coroutine.create(function() error('wrong') end))",
    "coroutine.wrap(function() return coroutine.isyieldable() end)()",
    "io.type(io.stdout), io.type(1)",
    "os.setlocale()",
];

#[test]
fn lua_means_the_same_where_macros_may_only_read() {
    let expanded = |host: Rc<dyn Host>, code: &str| {
        let macros = Macros::new(Table::new(), host, Limits::default());
        let code = format!(
            "%{{lua:local r = table.pack(pcall(function() local v = table.pack({code}) return table.unpack(v, 1, v.n) \
             end)) for at = 1, r.n do print(tostring(r[at]) .. ';') end}}"
        );
        String::from_utf8(macros.expand(code.as_bytes()).unwrap_or_default()).unwrap()
    };
    for code in SAME {
        let open = expanded(Rc::new(SystemHost::new([], |_| {}).unwrap()), code);
        let closed = expanded(Rc::new(NoHost::default()), code);
        assert_eq!(closed, open, "{code}");
    }
}

#[test]
fn lua_that_nobody_trusts_finds_no_way_out() {
    let gone = [
        "package.loadlib",
        "debug.getregistry",
        "debug.getupvalue",
        "debug.sethook",
        "debug.setmetatable",
        "package.searchers[3]",
        "load(string.dump(function() end))",
        "load('\\27Lua')",
        "getmetatable(io.stdout) or nil",
        "native",
        "io.popen('true')",
        "io.tmpfile()",
        "os.tmpname()",
        "os.setlocale('C')",
        "os.execute('true')",
    ];
    for code in gone {
        let (macros, _) = macros("");
        let value = macros.expand(format!("%{{lua:print((tostring({code})))}}").as_bytes());
        assert_eq!(value.as_deref(), Ok(b"nil".as_slice()), "{code}");
    }
}

#[test]
fn hooks_hand_over_integers_numbers_texts_and_pointers() {
    let (macros, host) = macros("");
    let code = br#"%{lua:
        local handle = rpm.register("hook", function(given)
            for at = 1, 4 do print(math.type(given[at]) or type(given[at]), " ") end
        end)
        rpm.call("hook", 3.0, 3000000000, "text", nil)
        rpm.unregister("hook", handle)
        rpm.call("hook", 1)
        print(pcall(rpm.call, "hook", {}) and "taken" or "refused")
    }"#;
    assert_eq!(macros.expand(code).unwrap(), b"integer\t float\t string\t userdata\t refused");
    assert_eq!(codes(&host), Vec::<String>::new());
}

#[test]
fn a_hook_that_fails_is_told_and_the_next_one_is_called() {
    let (macros, host) = macros("");
    let code = br#"%{lua:
        rpm.register("hook", function() error("bad", 0) end)
        rpm.register("hook", function() print("second") return 1 end)
        rpm.register("hook", function() print("third") end)
        rpm.call("hook")
    }"#;
    assert_eq!(macros.expand(code).unwrap(), b"second");
    assert_eq!(codes(&host), ["forge::macros::lua_hook_failed"]);
    assert_eq!(host.reports()[0].problem.to_string(), "lua hook failed: bad");
}

/// What functions of rpm's Lua library give, or how they fail, as rpm 6.1 does it.
const RPM_FUNCTIONS: &[(&str, &str)] = &[
    ("type(posix.version)", "string"),
    ("posix.getgroup()", "bad argument #1 to 'getgroup' (string or number expected, got no value)"),
    ("posix.kill(posix.getprocessid('pid'), 0)", "0.0"),
    ("posix.link()", "bad argument #1 to 'link' (string expected, got no value)"),
    ("posix.mkstemp()", "bad argument #1 to 'mkstemp' (string expected, got no value)"),
    ("posix.chmod('FOLDER/text', 'u=rws') and posix.stat('FOLDER/text', 'mode')", "rwS------"),
    ("posix.umask('nonsense')", "nil"),
    ("posix.uname('%x')", "bad argument #2 to 'uname' (unknown format option `x')"),
    ("io.lines('/nosuch')", "cannot open file '/nosuch' (No such file or directory)"),
    ("rpm.interactive()", "not a tty"),
    ("rpm.register()", "bad argument #1 to 'register' (hook name expected)"),
    ("rpm.register('a', 1)", "bad argument #2 to 'register' (function expected)"),
    ("rpm.unregister('a')", "bad argument #2 to 'unregister' (hook information expected)"),
    ("rpm.call()", "bad argument #1 to 'call' (hook name expected)"),
    ("rpm.spawn({{}})", "bad argument #-1 to 'spawn' (string expected, got table)"),
    ("rpm.unsplitargs({{}})", "bad argument #-1 to 'unsplitargs' (string expected, got table)"),
    ("'1' < rpm.ver('2')", "bad argument #1 to 'lt' (rpm.ver expected, got string)"),
    ("rpm.ver('2') <= '2'", "bad argument #2 to 'le' (rpm.ver expected, got string)"),
    ("rpm.ver('1.0') == rpm.ver('1')", "false"),
    ("macros[nil]", "bad argument #2 to 'index' (string expected, got nil)"),
    ("tostring(macros):sub(1, 7)", "rpm.mc:"),
    ("macros.verbose('x')", ""),
    ("rpm.glob('~/t*')[1]", "FOLDER/text"),
    ("#rpm.glob('~nobody-of-that-name')", "0"),
    ("tostring(rpm.open('FOLDER/text'))", "FOLDER/text"),
    ("rpm.open('FOLDER/text'):read(-1)", "one two"),
    ("rpm.open('FOLDER/text'):read(3)", "one"),
    ("rpm.open('FOLDER'):read(1)", "error reading FOLDER: Is a directory"),
    ("rpm.open('FOLDER/text', 'r'):write('x')", "error writing FOLDER/text: Bad file descriptor"),
    ("rpm.open('FOLDER/text'):seek('no')", "bad argument #1 to 'seek' (invalid option 'no')"),
    ("rpm.open('FOLDER/text'):seek('set', -1)", "FOLDER/text: seek failed: Invalid argument"),
    ("rpm.open('FOLDER/text'):seek('end')", "7"),
    ("rpm.open('FOLDER/text'):reopen('q')", "FOLDER/text stream reopen failed (invalid mode?)"),
    ("rpm.open('FOLDER/new', 'w'):write()", "bad argument #1 to 'write' (string expected, got no value)"),
    ("rpm.open('FOLDER/new', 'w'):write('text', 2)", "2"),
    ("(function(f) return f:close() .. f:close() end)(rpm.open('FOLDER/text'))", "0-1"),
    (
        "(function(f) f:close() return f:read() end)(rpm.open('FOLDER/text'))",
        "error reading [none]: Bad file descriptor",
    ),
];

#[test]
fn functions_of_the_library_fail_in_the_words_of_rpm() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), "one two").unwrap();
    let place = folder.path().to_str().unwrap();
    let home = [("HOME".into(), place.into())];
    let macros =
        Macros::new(Table::new(), Rc::new(SystemHost::new(home, |_| {}).unwrap()), Limits::default());
    for (code, said) in RPM_FUNCTIONS {
        let code = code.replace("FOLDER", place);
        let call = format!(
            "%{{lua:print((tostring(select(2, pcall(function() return {code} end))):gsub('^[^ ]+ \"<lua>\".:1: ', '')))}}"
        );
        let printed = macros.expand(call.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), said.replace("FOLDER", place), "{code}");
    }
}

/// What `%trace` shows of a text, and what the text comes to, as rpm 6.1 has both.
#[track_caller]
fn check_trace(text: &str, shown: &str, result: &str) {
    let (macros, host) = macros("");
    let expanded = macros.expand(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(host.printed()).unwrap(), shown);
    assert_eq!(String::from_utf8(expanded).unwrap(), result);
}

#[test]
fn a_trace_shows_calls_and_what_comes_of_each_text() {
    check_trace(
        "%trace%{upper:%{lower:A}} tail",
        "  1>   %{upper:%{lower:A}}^tail\n  2>     %{lower:A}^\n  2<      (%)\nA\n  1<    (%lower)\na\n  0<  (%upper)\n\
         A tail\n",
        "A tail",
    );
    check_trace(
        "%trace%define foo bar\n%foo baz\n%%%{?nosuch}%?foo\n%nosuch",
        "  1>   %define^foo bar\n  1>   %foo^baz\n  1<    (%)\nbar\n  1>   %{?nosuch}^?foo\n  1>   %foo^\n  1<    (%)\nbar\n  \
         1>   %nosuch^\n  0<  (%)\nbar baz\n%bar\n%nosuch\n",
        "bar baz\n%bar\n%nosuch",
    );
}

#[test]
fn a_trace_shows_the_last_line_of_what_a_macro_comes_to() {
    check_trace(
        "%trace%global two %{expand:a\n%{lower:B}}\n%two",
        "  1>   %global^two %{expand:a\n  2>     %{expand:a\n%{lower:B}}^\n  3>       %{lower:B}^\n  3<        (%)\nB\n  \
         2<      (%lower)\nb\n  2<      (%)\nb\n  1<    (%expand)\nb\n  1>   %two^\n  1<    (%)\nb\n  \
         0<  (%two)\na\nb\n",
        "a\nb",
    );
}

#[test]
fn a_trace_of_an_inner_text_ends_with_it() {
    check_trace(
        "%{expand:%%trace%%{upper:a}} %{lower:B}",
        "  2>     %{upper:a}^\n  2<      (%)\na\n  1<    (%upper)\nA\n",
        "A b",
    );
}

#[test]
fn lua_finds_the_whole_environment() {
    let variables = [("A", "1"), ("B", "x=y")].map(|(name, value)| (name.into(), value.into()));
    let host = Rc::new(SystemHost::new(variables, |_| {}).unwrap());
    let macros = Macros::new(Table::new(), host, Limits::default());
    let all = b"%{lua:local all = posix.getenv() print(all.A, all.B, all.C, posix.getenv('B'))}";
    assert_eq!(macros.expand(all).unwrap(), b"1\tx=y\tnil\tx=y");
}
