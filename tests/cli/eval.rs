//! `forge eval`: expansion, provenance, and what is said of mistakes.

use std::fs;

use crate::support::Project;

/// A macro file of the project, which takes the place of the machine's own.
const MACROS: &str = "\
%_libdir /usr/lib64
%plain text
%greet() Hello, %1!
%flag(ab:) %{-a}%{-b*}
%fails %{error:it fails}
%through %fails
%again %{again}
%quotient %[10 / %1]
%local() %{define unused 1}
";

fn project() -> Project {
    let project = Project::new();
    project.write("macros", MACROS);
    project
}

fn eval(project: &Project, arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut all = vec!["eval", "--macros", "macros"];
    all.extend(arguments);
    let run = project.run(&all);
    (run.stdout, run.stderr, run.code)
}

#[test]
fn each_expression_gives_a_line() {
    let project = project();
    let (stdout, stderr, code) =
        eval(&project, &["%{greet world}", "%[1 + 2]", "%{lua:print(1 + 2)}", "%(echo out)"]);
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("Hello, world!\n3\n3\nout\n", "", Some(0)));
}

#[test]
fn files_come_first_then_definitions_then_what_is_taken_away() {
    let project = project();
    project.write("more", "%plain more\n%own 1\n");
    let arguments = ["--load", "more", "-D", "plain said", "--undefine", "own", "%plain %{?own}"];
    assert_eq!(eval(&project, &arguments).0, "said \n");
    assert_eq!(eval(&project, &["--load", "more", "%plain%own"]).0, "more1\n");
}

#[test]
fn the_language_of_a_package_is_the_one_that_its_spec_is_read_in() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.edit("a.spec", "Version: 1.0", "Version: %{rpmversion}");
    let read: serde_json::Value =
        serde_json::from_str(&project.succeed(&["spec", "--json", "a"]).stdout).unwrap();
    let version = project.succeed(&["eval", "--package", "a", "%{rpmversion}"]).stdout;
    let evr = format!("{}-1", version.trim());
    assert_eq!(read[0]["spec"]["evr"], evr);
}

#[test]
fn a_target_brings_its_own_macros() {
    let project = project();
    let (stdout, ..) = eval(&project, &["--target", "i686", "%_target %_target_cpu %optflags"]);
    assert!(stdout.starts_with("i686-linux i686 -O2 -g"), "{stdout}");
}

#[test]
fn json_says_which_macros_had_a_part_in_it_and_where_they_are() {
    let project = project();
    let (stdout, stderr, code) = eval(&project, &["--json", "-D", "who you", "%{greet %who}", "%{nosuch}"]);
    assert_eq!((stderr.as_str(), code), ("", Some(0)));
    insta::assert_snapshot!(stdout, @r#"
    [
      {
        "expression": "%{greet %who}",
        "value": "Hello, you!",
        "macros": [
          {
            "name": "greet",
            "options": "",
            "body": "Hello, %1!",
            "level": -13,
            "file": "macros",
            "line": 3
          },
          {
            "name": "who",
            "body": "you",
            "level": -7,
            "file": "--define"
          }
        ],
        "diagnostics": []
      },
      {
        "expression": "%{nosuch}",
        "value": "%{nosuch}",
        "macros": [],
        "diagnostics": []
      }
    ]
    "#);
}

#[test]
fn a_root_is_read_and_nothing_of_it_is_run() {
    let project = project();
    let root = project.beside("root");
    fs::create_dir_all(root.join("usr/lib/rpm/platform/x86_64-linux")).unwrap();
    fs::create_dir_all(root.join("real")).unwrap();
    fs::write(root.join("usr/lib/rpm/macros"), "%where %{getconfdir}\n%here %(pwd)\n").unwrap();
    fs::write(root.join("real/macros"), "%linked yes\n").unwrap();
    std::os::unix::fs::symlink("/real", root.join("etc")).unwrap();
    fs::create_dir_all(root.join("real/rpm")).unwrap();
    fs::write(root.join("real/rpm/macros.linked"), "%linked yes\n").unwrap();
    let run = project.run(&[
        "eval",
        "--root",
        root.to_str().unwrap(),
        "%where %linked",
        "%{exists:/etc/passwd}",
        "[%here]",
    ]);
    assert_eq!(run.stdout, "/usr/lib/rpm yes\n0\n[]\n");
    assert!(run.stderr.contains("forge::macros::closed"), "{}", run.stderr);
    assert!(run.stderr.contains("%(…) is not allowed here: pwd"), "{}", run.stderr);
    assert!(run.stderr.contains("in %here, defined at /usr/lib/rpm/macros:2"), "{}", run.stderr);
}

#[test]
fn a_restricted_expansion_changes_nothing_and_says_who_wanted_to() {
    let project = project();
    let wishes = [
        "%(touch made)",
        "%{lua:os.execute('touch made')}",
        "%{lua:io.open('made', 'w')}",
        "%{lua:io.popen('touch made')}",
        "%{lua:os.remove('macros')}",
        "%{lua:os.rename('macros', 'made')}",
        "%{lua:io.output('made')}",
        "%{lua:rpm.execute('touch', 'made')}",
        "%{lua:rpm.spawn({'touch', 'made'})}",
        "%{lua:pcall(rpm.open, 'made', 'w')}",
        "%{lua:posix.mkdir('made')}",
        "%{lua:posix.symlink('macros', 'made')}",
        "%{lua:posix.chmod('macros', '000')}",
        "%{lua:posix.unlink('macros')}",
        "%{lua:posix.mkfifo('made')}",
        "%{lua:posix.chdir('/')}",
        "%{lua:posix.kill(posix.getprocessid('pid'))}",
        "%{lua:load(string.dump(function() end))}",
    ];
    for wish in wishes {
        let (_, stderr, code) = eval(&project, &["--restricted", wish]);
        let is_told = stderr.contains("is not allowed here") || wish.contains("string.dump");
        assert!(is_told && code == Some(0), "{wish}: {code:?} {stderr}");
        assert_eq!(project.read("macros"), MACROS, "{wish}");
        assert!(!project.path().join("made").exists(), "{wish}");
    }
    let (stdout, ..) = eval(
        &project,
        &["--restricted", "%{lua:print(io.open('macros'):read('l'), posix.stat('macros', 'type'))}"],
    );
    assert_eq!(stdout, "%_libdir /usr/lib64\tregular\n");
}

#[test]
fn lua_is_held_to_its_limits_even_where_it_catches_errors() {
    let project = project();
    let code =
        "%{lua:local t = {} while true do pcall(function() t[#t + 1] = string.rep('x', 2^24) end) end}";
    let (stdout, stderr, code) = eval(&project, &[code]);
    assert_eq!((stdout.as_str(), code), ("", Some(1)));
    assert!(stderr.contains("forge::macros::lua_failed"), "{stderr}");
}

#[test]
fn a_temporary_file_comes_open_and_with_its_name() {
    let project = project();
    let code = "%{lua:local file, path = posix.mkstemp('newXXXXXX') file:write('x') file:close() \
                print(#path, io.open(path):read('a'), (posix.mkstemp('nosuch/XXXXXX')))}";
    assert_eq!(eval(&project, &[code]).0, "9\tx\tnil\n");
}

#[test]
fn compiled_lua_code_is_not_run() {
    let project = project();
    let (stdout, ..) = eval(&project, &["%{lua:print((load(string.dump(function() return 1 end))))}"]);
    assert_eq!(stdout, "nil\n");
}

/// Every mistake that a macro can have, with the arguments that bring it about.
const MISTAKES: &[&[&str]] = &[
    &["a %{plain"],
    &["%again"],
    &["%define 1st x"],
    &["%define len x"],
    &["%define foo"],
    &["%define foo %{x"],
    &["%define foo(a x"],
    &["%define foo<l x"],
    &["%define foo<z> x"],
    &["%define foo()<l> x"],
    &["%define foo<lo> x"],
    &["%define -z foo x"],
    &["%define - foo x"],
    &["%define foo{x}"],
    &["%local"],
    &["%flag -z"],
    &["%flag -b"],
    &["%len"],
    &["%{rpmversion:x}"],
    &["%{plain:x}"],
    &["%{xdg:nosuch}"],
    &["%{macrobody:nosuch}"],
    &["%{load:nosuch}"],
    &["%{lua:x =}"],
    &["%{lua:error('told')}"],
    &["%[1 + \"a\"]"],
    &["%[(1 + 2]"],
    &["%[one]"],
    &["%[1 / 0]"],
    &["%[lua:nosuch()]"],
    &["%through"],
    &["%{warn:careful}"],
    &["%global x %fails"],
    &["--restricted", "%(date)"],
];

#[test]
fn mistakes_are_told_with_the_way_that_leads_to_them() {
    let project = project();
    let mut told = String::new();
    for arguments in MISTAKES {
        let (stdout, stderr, code) = eval(&project, arguments);
        assert!(!stderr.is_empty(), "{arguments:?} is not wrong");
        told.push_str(&format!(
            "$ forge eval {}\n{stdout}{stderr}[{}]\n\n",
            arguments.join(" "),
            code.unwrap()
        ));
    }
    insta::assert_snapshot!("macro_mistakes", told);
}

#[test]
fn rpm_s_own_command_line_is_understood() {
    let project = project();
    let rpm = |arguments: &[&str]| {
        let mut all = vec!["eval", "--rpm", "--macros", "macros"];
        all.extend(arguments);
        let run = project.run(&all);
        (run.stdout, run.stderr, run.code)
    };
    let gave = |stdout: &str, stderr: &str, code| (stdout.to_owned(), stderr.to_owned(), Some(code));
    assert_eq!(rpm(&["-D", "x-y 1", "-E", "%x_y", "--eval=%plain"]), gave("1\ntext\n", "", 0));
    assert_eq!(rpm(&["-E", "%x", "-Dx 1", "-E%x"]), gave("%x\n1\n", "", 0));
    assert_eq!(rpm(&["-D", "x 1", "--define", "x 2", "--undefine", "x", "-E", "%x"]), gave("1\n", "", 0));
    assert_eq!(rpm(&["-E", "%nil", "-E", "1"]), gave("%nil\n1\n", "", 0));
    assert_eq!(rpm(&["-D", "n %{nil}", "-D", "nil %{!?nil}", "-E", "%n", "-E", "1"]), gave("1\n", "", 0));
    assert_eq!(rpm(&["-E", "1", "-E", "%{error:x}", "-E", "2"]), gave("1\n", "error: x\n", 1));
    assert_eq!(rpm(&["-D", "x", "-E", "1"]), gave("", "error: Macro %x has empty body\n", 1));
    assert_eq!(rpm(&["-E", "1", "--load", "nosuch"]), gave("1\n", "failed to load macro file nosuch\n", 1));
    assert_eq!(rpm(&["-E"]), gave("", "rpm: -E: missing argument\n", 1));
    assert_eq!(rpm(&["--nosuch", "-E", "1"]), gave("", "rpm: --nosuch: unknown option\n", 1));
    let (shown, ..) = rpm(&["-D", "x<o> 2", "-E", "%x", "--showrc"]);
    assert!(shown.starts_with("2\nARCHITECTURE AND OS:\n") && shown.contains("\n -7: x<l>\t2\n"), "{shown}");
    assert_eq!(rpm(&["-v", "-E", "%verbose"]), gave("1\n", "", 0));
    assert_eq!(rpm(&["--target", "i686", "-E", "%_target_cpu"]), gave("i686\n", "", 0));
    let no_file = "error: Unable to open nosuch for reading: No such file or directory.\n";
    assert_eq!(rpm(&["--rcfile", "nosuch", "-E", "1"]), gave("", no_file, 1));
    project.write("wrong", "%fine 1\n%wrong(\n%more %{\n");
    let (stdout, stderr, code) = rpm(&["--load", "wrong", "-E", "1"]);
    assert_eq!((stdout.as_str(), code), ("", Some(1)));
    let told = "error: wrong: line 2: Macro %wrong has unterminated opts\n\
                error: wrong: line 3: Macro %more has unterminated body\n\
                failed to load macro file wrong\n";
    assert_eq!(stderr, told);
}

#[test]
fn rpmrc_files_are_checked_line_by_line() {
    let project = project();
    project.write("rpmrc", "bogus: x\nnothing\noptflags: x86_64\nmacrofiles: x\ninclude: nosuch\n");
    let run = project.run(&["eval", "--rpm", "--rcfile", "rpmrc", "--macros", "macros", "-E", "%plain"]);
    assert_eq!((run.stdout.as_str(), run.code), ("text\n", Some(0)));
    let told = "error: bad option 'bogus' at rpmrc:1\n\
                error: missing ':' (found 0x00) at rpmrc:2\n\
                error: missing architecture for optflags at rpmrc:3\n\
                warning: Ignoring macrofiles at rpmrc:4\n\
                error: cannot open nosuch at rpmrc:5: No such file or directory\n";
    assert_eq!(run.stderr, told);
}
