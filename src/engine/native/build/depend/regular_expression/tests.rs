//! Hundreds of expressions are put to regcomp(3), by way of bash's `=~`, and to us; those that it takes to `grep -E` as well.

#![allow(clippy::disallowed_methods, reason = "a test may")]

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use super::{Malformed, RegularExpression};

/// Expressions that were thought of: what specs write, and the corners of the language.
const WRITTEN: &str = r"
^libfoo\.so.*$
^(libfoo|libbar)\.so
^perl\(.*\)$
perl\(Foo::Bar\)|perl\(Baz\)
^/usr/lib(64)?/foo/.*\.so(\..*)?$
^python3\.[0-9]+dist\([Ff]oo\)
[.]so\.[[:digit:]]+
^%.*
a{2}
a{2,}
a{,2}
a{,}
a{0}
a{0,0}b
a{1,2}{2}
(ab){2,3}
a{32767}
a{32768}
a{2,1}
a{x}
a{
a{1
a{1,
a{1,2
a{,x}
a{1,x}
{
{1}
{a
a|{
x{1}y
}
a}
a{1}}
*
*a
+a
?a
^*
^*a
$*
(*a)
(+)
a|*b
(|a)
(a|)
a||b
|
|a
a|
()
()*
(()|a)
((a)(b))
a**
a*+?
a+*
(a*)*
(a|b)*c
(a
a)
)
(a))
((a)
[
[]
[^]
[]a]
[^]a]
[a
[a-
[a-z
[a-z]
[z-a]
[a-]
[-a]
[--a]
[a--]
[%--]
[a-c-e]
[a-c-]
[]-a]
[a\]
[\n]
[\]]
[a^]
[^^]
[[]
[[a]
[[:alpha:]]
[[:alpha:][:digit:]_]
[^[:space:]]
[[:foo:]]
[[:alpha:]
[[:alpha]
[:alpha:]
[[:alpha:]-z]
[a-[:alpha:]]
[[=a=]]
[[=ab=]]
[[=a=]-z]
[[.a.]]
[[.-.]]
[[.a.]-c]
[a-[.c.]]
[[.hyphen.]]
[[.space.]
[[:upper:]]|[[:punct:]]
[[:blank:]][[:print:]][[:graph:]]
[[:xdigit:]]+$
[[:cntrl:]]
[[:alnum:]]+\.[[:lower:]]
\
a\
\a
\.
\*
\{
\}a
\|
\(\)
\[a\]
\^a
\$
\/
\<foo
foo\>
\<foo\>
\bfoo\b
\Boo
o\B
\<*
\b+
\w+
\W
\s
\S+
\`foo
foo\'
\w{3}\s?\w
(a)\1
(a*)\1b
(.)\1
(.*)\1$
^(.+)\1\1$
(a)(b)\2\1
(a|b)\1
(\1)
\1
(a)\2
((a)\2)
(a)*\1
(a\1)
(x|(a))\2
(a?)b\1
(foo|bar).*\1
\10
(a)\10
^$
^
$
^^a
a$$
a^b
a$b
(^a)
(a$)
(^|/)foo
foo($|/)
x*
.
.*
..
a.c
a.*c
é
[é]
[éü]+
é{2}
.é
\wé
[[:alpha:]]é
[^a-z]
[.]
[*]+
a\{2\}
a\+b
\-
a-b
a,b
#
&
~
'
!
<a>
a/b
=
:
;
\d
\n
\t
(a|ab)(c|bcd)(d*)
(a+|b+)*c
(([a-z]+)\.)+[a-z]{2,3}
^(lib.+|.*plugin)\.so
";

/// What is matched.
const SUBJECTS: &str = "
a
aa
aaa
aaaa
ab
abab
ababab
abc
abcd
abba
b
bb
c
aac
abcabc
foo
foo bar
foobar
foofoo
 foo
foo.so
libfoo.so.1()(64bit)
libbar.so
/usr/lib64/foo/x.so
/usr/lib/foo/plugin.so.1
perl(Foo::Bar)
perl(Foo::Bar) >= 1.0
python3.11dist(foo)
python3.11dist(Foo) = 1
a{2}
a{x}
a{1
{
}
a)
(a
()
a|b
*a
a*
^a
a$
a.c
a-c
-
]
[
\\
a\\b
%foo
#
é
éé
aé
ñandú
x y
_
A1
a10
~
";

/// Parts that are put together in every way.
const ATOMS: [&str; 9] = ["a", ".", "(a)", "(a|b)", "[ab]", "[^a]", "\\<", "\\w", "(a)\\1"];
const SIGNS: [&str; 9] = ["", "*", "+", "?", "{2}", "{1,}", "{,2}", "{2,1}", "*?"];

fn expressions() -> Vec<String> {
    let mut all: Vec<String> = WRITTEN.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    for atom in ATOMS {
        for sign in SIGNS {
            all.extend(["", "^", "b", "b|"].map(|before| format!("{before}{atom}{sign}c*$")));
        }
    }
    all
}

fn subjects() -> Vec<&'static str> {
    SUBJECTS.lines().filter(|line| !line.is_empty()).collect()
}

/// 0, 1 or 2 for every subject: found, not found, no expression.
fn ours(expression: &str) -> String {
    let compiled = RegularExpression::new(expression);
    let answer = |subject: &str| match &compiled {
        Ok(regex) if regex.is_match(subject.as_bytes()) => '0',
        Ok(_) => '1',
        Err(_) => '2',
    };
    subjects().into_iter().map(answer).collect()
}

#[test]
fn expressions_mean_what_they_mean_to_regcomp() {
    let folder = tempfile::tempdir().unwrap();
    let expressions = expressions();
    assert!(expressions.len() > 450, "{}", expressions.len());
    std::fs::write(folder.path().join("expressions"), expressions.join("\n") + "\n").unwrap();
    std::fs::write(folder.path().join("subjects"), subjects().join("\n") + "\n").unwrap();
    let script = "mapfile -t subjects < subjects\nwhile IFS= read -r e; do answers=\n\
                  for s in \"${subjects[@]}\"; do [[ $s =~ $e ]]; answers+=$?; done\necho \"$answers\"\ndone < expressions";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(folder.path()).env("LC_ALL", "C.UTF-8");
    let output = bash.stdin(Stdio::null()).output().unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), expressions.len());
    let mut wrong = String::new();
    for (expression, theirs) in expressions.iter().zip(theirs.lines()) {
        let ours = ours(expression);
        if ours != theirs {
            let differs = subjects().into_iter().zip(ours.chars().zip(theirs.chars()));
            let first = differs.clone().find(|(_, (ours, theirs))| ours != theirs);
            writeln!(wrong, "{expression}: {first:?}, {:?}", RegularExpression::new(expression).err())
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn expressions_that_regcomp_takes_find_what_grep_finds() {
    let mut wrong = String::new();
    let subjects = subjects();
    // grep takes what regcomp refuses, and refuses one that is most often a mistake.
    let is_sound =
        |expression: &&String| *expression != "[:alpha:]" && RegularExpression::new(expression).is_ok();
    for expression in expressions().iter().filter(is_sound).step_by(2) {
        let mut grep = Command::new("grep");
        grep.args(["-E", "-n", "-a", "-e", expression]).env("LC_ALL", "C.UTF-8").stderr(Stdio::null());
        let mut child = grep.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = subjects.join("\n") + "\n";
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let regex = RegularExpression::new(expression).unwrap();
        let found = subjects.iter().enumerate().filter(|(_, subject)| regex.is_match(subject.as_bytes()));
        let found = found.fold(String::new(), |mut all, (index, subject)| {
            writeln!(all, "{}:{subject}", index + 1).unwrap();
            all
        });
        if found != output {
            writeln!(wrong, "{expression}:\n  {found:?}\n  {output:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_too_large_is_refused_and_what_takes_too_long_is_known() {
    let deep = "(".repeat(100_000);
    assert_eq!(RegularExpression::new(&deep).err(), Some(Malformed::TooBig));
    assert_eq!(RegularExpression::new(&format!("a{}", "*".repeat(100_000))).err(), Some(Malformed::TooBig));
    assert_eq!(RegularExpression::new("((a{1000}){1000}){1000}").err(), Some(Malformed::TooBig));
    let slow = RegularExpression::new("^(a*)*(a*)*(a*)*(b)\\1c").unwrap();
    assert!(slow.given_up().is_none());
    assert!(!slow.is_match("a".repeat(200).as_bytes()));
    assert_eq!(slow.given_up(), Some("^(a*)*(a*)*(a*)*(b)\\1c"));
}
