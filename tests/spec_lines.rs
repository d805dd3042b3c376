//! The lines of specs, beside those that the rpmspec of this machine gives (`rpmspec --parse`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use miette::Diagnostic;
use rpmforge::macros::{Configuration, Limits, Macros, SystemHost, Table};
use rpmforge::spec::{LineReader, Mistakes, Parsing, Reading, parse};

const PREAMBLE: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n";

/// Specs after their preamble, one behaviour each. (rpmspec 4.18 loses the line after a `%prep`: it stands in none.)
const SPECS: &[(&str, &str)] = &[
    ("nothing but text", "%description\ntext\n\n  more\n"),
    ("no line feed at the end", "%description\ntext"),
    ("a macro that spans lines", "%description\n%{expand:one\ntwo\n}three\n"),
    ("a shell command that spans lines", "%description\n%(echo a;\necho b)\n"),
    ("a definition that spans lines", "%description\n%define x one \\\n  two\n[%x]\n"),
    ("a backslash at the end of text", "%description\na \\\nb\n"),
    ("a test that spans lines", "%{?nosuch:\n}URL: http://example.org\n%description\n"),
    ("a branch that holds", "%if 1\nURL: x\n%endif\n%description\n"),
    ("a branch that does not", "%if 0\nURL: x\nVendor: y\n%endif\n%description\n"),
    ("the other branch", "%if 0\nURL: x\n%else\nURL: y\n%endif\n%description\n"),
    (
        "one of several branches",
        "%if 0\nURL: x\n%elif 1\nURL: y\n%elif 1\nURL: z\n%else\nURL: 0\n%endif\n%description\n",
    ),
    (
        "branches within branches",
        "%if 1\n%if 0\nURL: x\n%else\nURL: y\n%endif\n%else\n%if 1\nURL: z\n%endif\n%endif\n%description\n",
    ),
    (
        "nothing in a dead branch is expanded",
        "%if 0\n%{error:no}\n%{open\n%if %{error:no}\n%endif\n%endif\n%description\n",
    ),
    ("a backslash in a dead branch", "%description\n%if 0\na \\\n%endif\nb\n"),
    (
        "an expression with macros",
        "%define x 3\n%if %{x} > 2 && \"%{name}\" == \"a\"\nURL: x\n%endif\n%description\n",
    ),
    ("an expression that spans lines", "%if 1 && \\\n 1\nURL: x\n%endif\n%description\n"),
    ("indented directives", "%description\n\t%if 1\nx\n  %endif\n"),
    (
        "an architecture",
        "%ifarch %{ix86} noarch\nURL: x\n%endif\n%ifnarch noarch\nURL: y\n%endif\n%description\n",
    ),
    ("a system", "%ifos linux\nURL: x\n%endif\n%ifnos linux hurd\nURL: y\n%endif\n%description\n"),
    ("comments in the preamble", "# a comment\n  # another one\n%description\n"),
    ("comments in a description", "%description\n# a comment\ntext\n"),
    ("comments in scripts", "%description\n%build\n# a comment\n  # another of %{name}\n:\n"),
    (
        "blanks at the ends of lines",
        "URL: x  \n\t\n%description\n  text  \n%build\n  :  \n%files\n  /x  \n%changelog\n",
    ),
    (
        "comments in every section",
        "%description\n  # c\n%package x\nSummary: s\n # c\n%description x\n# c\n%build\n  # c\n%install\n  # c\n%check\n  # c\n%clean\n  # c\n%pre\n  # c\n%post\n  # c\n%preun\n  # c\n%postun\n  # c\n%pretrans\n  # c\n%posttrans\n  # c\n%verifyscript\n  # c\n%triggerin -- b\n  # c\n%filetriggerin -- /b\n  # c\n%transfiletriggerun -- /b\n  # c\n%files\n  # c\n%files x\n# c\n%changelog\n  # c\n",
    ),
    ("sections in capital letters", "%DESCRIPTION\n# c\n%Build\n  # c\n"),
    ("a section's name that is not at the front", "%description\n %build\n# c\n%builds\n# c\n"),
    ("a definition in a script", "%description\n%build\n  %define x 1\n a %{x}\n"),
    ("a macro in a comment", "# %{name} is %%{expanded}\n%description\n"),
    ("comments that are not read", "%dnl %{error:no}\n%description\ntext%dnl nothing\nmore\n"),
    ("macros that expand to lines", "URL: %{expand:x\nVCS: y}\n%description\n"),
    ("lua code", "%description\n%{lua:\nfor i = 1, 3 do\n  print(i .. '\\n')\nend\n}\n"),
    ("a parametric macro that spans lines", "%define f() %{lua:\nprint(arg[1])\n}\n%description\n%f word\n"),
    ("definitions in text", "%description\n%define x 1\n  %global y 2\nx%{x}%{y}\n"),
    ("carriage returns", "%if 1\r\nURL: x\r\n%endif\r\n%description\r\n"),
    ("bytes that are no text", "%description\n\u{e4} \u{1}\n"),
    ("an unclosed conditional", "%if 1\n%description\n"),
    ("else without if", "%else\n%description\n"),
    ("elif without if", "%elif 1\n%description\n"),
    ("endif without if", "%endif\n%description\n"),
    ("else after else", "%if 1\n%else\n%else\n%endif\n%description\n"),
    ("elif after else", "%if 1\n%else\n%elif 1\n%endif\n%description\n"),
    ("a condition that is none", "%if 1 0\n%endif\n%description\n"),
    ("a bare word as condition", "%if a b\n%endif\n%description\n"),
    ("a condition of two types", "%if \"a\" == 1\n%endif\n%description\n"),
    ("an error in a condition", "%if \"%{error:no}\"\n%endif\n%description\n"),
    ("an unclosed macro", "%description\n%{nosuch\n"),
    ("an unclosed definition", "%define x %{\n%description\n"),
    ("an error in the text", "%description\n%{error:no}\n"),
    ("a definition without a body", "%define x\n%description\n"),
    ("a file that is not there", "%include /nosuch\n%description\n"),
];

fn rpmspec(path: &Path) -> (String, Vec<String>, bool) {
    let run = Command::new("rpmspec").arg("--parse").arg(path).env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&run.stderr).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    (text(&run.stdout), told, run.status.success())
}

/// What our reader gives: the lines, what is told, and whether it came to the end.
fn ours(path: &Path) -> (String, Vec<String>, bool) {
    let told: Rc<RefCell<Vec<String>>> = Rc::default();
    let listener = Rc::clone(&told);
    let tell = move |report: rpmforge::macros::Report| {
        let lines = String::from_utf8(report.as_rpm()).unwrap();
        listener.borrow_mut().extend(lines.lines().map(str::to_owned));
    };
    let host = SystemHost::new(std::env::vars_os(), tell).unwrap();
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    let noarch = Configuration { target: Some("noarch".to_owned()), ..Configuration::default() };
    macros.configure(&noarch).unwrap();
    macros.load_text(b"%name a\n", "tags", rpmforge::macros::Level::SPEC).unwrap();
    let listener = Rc::clone(&told);
    let parsing = Parsing {
        file: path.to_str().unwrap(),
        text: std::fs::read(path).unwrap(),
        can_build: &|arch| arch == "noarch",
        build_root: None,
        mistakes: Mistakes::First,
        listener: Rc::new(move |report| listener.borrow_mut().push(report.as_rpm().trim_end().to_owned())),
    };
    let spec = parse(&macros, parsing);
    let is_whole = spec.is_ok();
    let text = spec.map(|spec| spec.text).unwrap_or_default();
    (String::from_utf8_lossy(&text).into_owned(), told.take(), is_whole)
}

#[test]
fn lines_are_those_of_rpmspec() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (number, (behaviour, text)) in SPECS.iter().enumerate() {
        let path = folder.path().join(format!("{number}.spec"));
        std::fs::write(&path, format!("{PREAMBLE}{text}")).unwrap();
        let (their_text, their_words, is_accepted) = rpmspec(&path);
        let (our_text, our_words, is_whole) = ours(&path);
        let is_same_text =
            !is_accepted || their_text.trim_end_matches('\n') == our_text.trim_end_matches('\n');
        // A spec that BuildArch sends round again is told of twice.
        let are_same_words =
            our_words.iter().all(|word| their_words.iter().any(|told| told.trim_end() == word))
                && their_words.iter().all(|told| our_words.contains(&told.trim_end().to_owned()));
        if !(is_same_text && are_same_words && is_accepted == is_whole) {
            wrong.push(format!(
                "{behaviour}\n  rpmspec: {their_text:?} {their_words:?}\n  forge:   {our_text:?} {our_words:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), SPECS.len(), wrong.join("\n"));
}

/// All that can be wrong with lines, and the codes for it.
#[test]
fn mistakes_have_codes() {
    let folder = tempfile::tempdir().unwrap();
    let circle = folder.path().join("circle.spec");
    std::fs::write(&circle, format!("%include {}\n", circle.display())).unwrap();
    let circle = format!("%include {}\n", circle.display());
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let many = format!("%include {}\n", folder.path().join("empty").display()).repeat(1_001);
    let long = "x".repeat(1 << 21);
    for (text, code) in [
        ("%if 1\n", "forge::spec::unclosed_if"),
        ("%endif\n", "forge::spec::no_if"),
        ("%if 1\n%else\n%else\n%endif\n", "forge::spec::after_else"),
        ("%if 1\n%endif x\n", "forge::spec::extra_tokens"),
        ("%if a\n%endif\n", "forge::spec::bad_condition"),
        ("%include /nosuch\n", "forge::spec::no_include"),
        (circle.as_str(), "forge::spec::include_depth"),
        (many.as_str(), "forge::spec::many_includes"),
        (long.as_str(), "forge::spec::long_line"),
        ("%{x\n", "forge::spec::unclosed_macro"),
        ("# %[1]\n", "forge::spec::macro_in_comment"),
    ] {
        let host = SystemHost::new([], |_| {}).unwrap();
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        let mut reader = LineReader::new(macros, "a.spec", text.as_bytes().to_vec());
        while let Ok(Some(_)) = reader.next(Reading::Text) {}
        let codes: Vec<String> =
            reader.reports().iter().map(|report| report.problem.code().unwrap().to_string()).collect();
        assert_eq!(codes, [code], "{text}");
        assert!(reader.reports().iter().all(|report| report.problem.help().is_some()));
    }
}

/// Macros without a machine around them.
fn reader(text: Vec<u8>) -> LineReader {
    let limits = Limits { steps: 1_000_000, ..Limits::default() };
    let macros = Macros::new(Table::new(), Rc::new(rpmforge::macros::NoHost::default()), limits);
    LineReader::new(macros, "a.spec", text)
}

/// How many lines there are.
fn count(text: Vec<u8>) -> Result<usize, rpmforge::macros::Stop> {
    let mut reader = reader(text);
    let mut count = 0;
    while reader.next(Reading::Text)?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[test]
fn great_and_broken_specs_have_an_end() {
    let deep = [b"%if 1\n".repeat(100_000), b"%endif\n".repeat(100_000)].concat();
    assert_eq!(count(deep), Ok(200_000));
    let wide = b"%if 0\nx\n%else\ny\n%endif\n".repeat(100_000);
    assert_eq!(count(wide), Ok(500_000));
    assert_eq!(count(vec![b'x'; 1 << 20]), Ok(1));
    assert!(count(vec![b'x'; 10 << 20]).is_err());
    for broken in [b"%{".repeat(1 << 20), b"%if 1\n%{\n".repeat(1 << 10), b"\\\n".repeat(1 << 20)] {
        assert!(count(broken).is_err());
    }
    // All lines together have one budget: each of these takes a tenth of it.
    let doubling: String =
        (1..16).map(|number| format!("%define m{number} %m{0}%m{0}\n", number - 1)).collect();
    let costly = format!("%define m0 %{{!?x}}\n{doubling}{}", "%m15\n".repeat(20));
    assert!(count(costly.into_bytes()).is_err());
}
