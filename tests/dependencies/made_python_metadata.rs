//! Metadata of Python projects that is made up: what is usual, what seldom is, and what never should be.

use std::fs;
use std::path::{Path, PathBuf};

use super::numbers::Numbers;

const NAMES: [&str; 12] =
    ["a", "b.c", "D_e", "f--g", "setuptools", "a", "h2o", "_x", "x.", "python", "A.-b", "zope.interface"];

const VERSIONS: [&str; 26] = [
    "1",
    "1.0",
    "1.0.0",
    "1.2.3",
    "0",
    "0.0",
    "2.0.10",
    "1.0rc1",
    "1.0a0",
    "1.2b3",
    "1.0.post1",
    "2.dev0",
    "1.0.dev3",
    "1.0rc1.post2.dev3",
    "01.02",
    "2023.7.22",
    "1.0-1",
    "v1.0",
    "1!1.0",
    "1.0+x",
    "1.0RC1",
    "1.0.rc1",
    "x",
    "1.0.*",
    "1.*",
    "999999999999",
];

const COMPARISONS: [&str; 9] = [">=", "<", "==", "!=", "~=", "<=", ">", "===", "="];

const EXTRAS: [&str; 6] = ["[x]", "[X,y_z]", "[ x , y ]", "[]", "[x", "[x-y.z]"];

const VARIABLES: [&str; 15] = [
    "python_version",
    "python_version",
    "python_full_version",
    "extra",
    "extra",
    "os_name",
    "sys_platform",
    "platform_system",
    "implementation_name",
    "platform_python_implementation",
    "platform_machine",
    "platform_release",
    "implementation_version",
    "os.name",
    "python_implementation",
];

const MARKER_VERSIONS: [&str; 16] = [
    "3",
    "3.8",
    "3.11",
    "3.11.0",
    "3.12",
    "2.7",
    "4",
    "3.10",
    "3.11.0rc1",
    "3.7.1",
    "3.*",
    "3.11.*",
    "3.11.post1",
    "3.8.dev1",
    "",
    "abc",
];

const MARKER_WORDS: [&str; 14] = [
    "x", "X", "win32", "linux", "Linux", "posix", "nt", "CPython", "cpython", "v2", "2", "y_z", "", "Windows",
];

/// One of some texts, mostly of their first half.
pub(crate) fn pick<'t>(numbers: &mut Numbers, all: &[&'t str]) -> &'t str {
    let likely = if numbers.below(16) > 0 { all.len().div_ceil(2) } else { all.len() };
    all[numbers.below(likely)]
}

fn make_condition(numbers: &mut Numbers, depth: usize) -> String {
    if depth < 3 && numbers.below(4) == 0 {
        let inner = make_marker(numbers, depth + 1);
        return if numbers.below(40) > 0 { format!("({inner})") } else { format!("( {inner}") };
    }
    let variable = pick(numbers, &VARIABLES);
    let is_version = variable.ends_with("version") && numbers.below(20) > 0;
    let text = if is_version { pick(numbers, &MARKER_VERSIONS) } else { pick(numbers, &MARKER_WORDS) };
    let signs = if is_version { &COMPARISONS[..] } else { &["==", "!=", " in ", "<"] };
    let (sign, blank) = (pick(numbers, signs), ["", " "][numbers.below(2)]);
    let quote = ["'", "\""][numbers.below(2)];
    match numbers.below(10) {
        0 => format!("{quote}{text}{quote}{blank}{sign}{blank}{variable}"),
        _ => format!("{variable}{blank}{sign}{blank}{quote}{text}{quote}"),
    }
}

fn make_marker(numbers: &mut Numbers, depth: usize) -> String {
    let mut marker = make_condition(numbers, depth);
    while numbers.below(3) == 0 {
        let word = [" and ", " or ", " or ", "and "][numbers.below(4)];
        marker += word;
        marker += &make_condition(numbers, depth);
    }
    marker
}

fn make_requirement(numbers: &mut Numbers) -> String {
    let mut text = pick(numbers, &NAMES).to_owned();
    if numbers.below(4) == 0 {
        text += pick(numbers, &EXTRAS);
    }
    let blank = ["", " "][numbers.below(2)];
    let comma = [",", ", ", " , "][numbers.below(3)];
    let specifiers: Vec<String> = (0..numbers.below(4))
        .map(|_| {
            let is_prefix = numbers.below(6) == 0;
            let signs = if is_prefix { &COMPARISONS[2..4] } else { &COMPARISONS[..] };
            let end = if is_prefix { ".*" } else { "" };
            format!("{}{blank}{}{end}", pick(numbers, signs), pick(numbers, &VERSIONS))
        })
        .collect();
    let specifiers = specifiers.join(comma);
    text += &match numbers.below(6) {
        0 => format!(" ({specifiers})"),
        1 => format!("({specifiers})"),
        _ => format!("{blank}{specifiers}"),
    };
    if numbers.below(3) == 0 {
        text += [";", "; ", " ; ", " ;"][numbers.below(4)];
        text += &make_marker(numbers, 0);
    }
    if numbers.below(40) == 0 {
        text += [" ", ",", ";", " # x", "@ https://x", "\u{e9}"][numbers.below(6)];
    }
    text
}

fn make_fields(numbers: &mut Numbers, requirements: usize) -> String {
    let mut lines = vec!["Metadata-Version: 2.1".to_owned()];
    if numbers.below(50) > 0 {
        lines.push(format!("Name: {}", pick(numbers, &NAMES)));
    }
    if numbers.below(50) > 0 {
        lines.push(format!("Version: {}", pick(numbers, &VERSIONS[..24])));
    }
    for _ in 0..requirements {
        let key = if numbers.below(20) > 0 { "Requires-Dist" } else { "requires-dist" };
        lines.push(format!("{key}: {}", make_requirement(numbers)));
    }
    if numbers.below(8) == 0 {
        let odd = [
            "License: a\n  b\n \n\tc",
            "Provides-Extra: x",
            "Summary: \u{e9}\u{2028}\u{85}x",
            "Description-Content-Type: text/x",
            "Content-Type: multipart/mixed; boundary=x",
            "Name : x",
            "no field",
            "Requires-Dist: a\n  (>=1)",
            "X: \r",
            " goes on",
            "From: x",
            "Version: 7",
        ];
        let place = numbers.below(lines.len() + 1);
        lines.insert(place, pick(numbers, &odd).to_owned());
    }
    let end = ["\n", "\n\nName: other\nA description.\r\n", ""][numbers.below(3)];
    lines.join("\n") + end
}

fn make_requires_text(numbers: &mut Numbers) -> String {
    let mut text = String::new();
    for _ in 0..numbers.below(3) {
        text += &format!("{}\n", make_requirement(numbers));
    }
    for section in 0..numbers.below(3) {
        text += &match numbers.below(8) {
            0 | 1 => format!("\n[:{}]\n", make_marker(numbers, 1)),
            2 | 3 => format!("\n[x{section}:{}]\n", make_marker(numbers, 1)),
            4 => "[x]\n".to_owned(),
            5 => ["[]\n", "[x", " [x]\n", "[[x]]\n", "[x:]\n", "[:]\n"][numbers.below(6)].to_owned(),
            _ => format!("\n[x{section}]\n"),
        };
        text += &format!("{}\n", make_requirement(numbers));
    }
    text
}

fn make_entry_points(numbers: &mut Numbers) -> String {
    let lines = [
        "[console_scripts]",
        "a = b:c",
        "[gui_scripts]",
        "d=e.f:g.h",
        "[x.y]",
        "z = b",
        "",
        "# a comment",
        "i = j:k [x]",
        " l = m",
        "n",
        "; o",
        "p = %q",
        "[]",
    ];
    let picked: Vec<&str> = (0..numbers.below(6)).map(|_| pick(numbers, &lines)).collect();
    format!("{}{}\n", ["[console_scripts]\n", "[x]\n", ""][numbers.below(3)], picked.join("\n"))
}

/// Makes metadata of one of the kinds that there are.
pub(crate) fn make_metadata(numbers: &mut Numbers, site: &Path) -> PathBuf {
    let name = ["x-1.dist-info", "x-1.egg-info", "x.egg-info", "x-1-py3.11.egg-info"][numbers.below(4)];
    let path = site.join(name);
    let requirements = numbers.below(5);
    if name.ends_with("py3.11.egg-info") {
        fs::create_dir_all(site).unwrap();
        fs::write(&path, make_fields(numbers, requirements)).unwrap();
        return path;
    }
    fs::create_dir_all(&path).unwrap();
    let (fields, other) =
        if name.ends_with("dist-info") { ("METADATA", "PKG-INFO") } else { ("PKG-INFO", "METADATA") };
    let requirements = if fields == "METADATA" || numbers.below(4) == 0 { requirements } else { 0 };
    fs::write(path.join(fields), make_fields(numbers, requirements)).unwrap();
    if numbers.below(20) == 0 {
        fs::write(
            path.join(other),
            if numbers.below(2) == 0 { String::new() } else { make_fields(numbers, 0) },
        )
        .unwrap();
    }
    if fields == "PKG-INFO" || numbers.below(10) == 0 {
        fs::write(path.join("requires.txt"), make_requires_text(numbers)).unwrap();
    }
    if numbers.below(2) == 0 {
        fs::write(path.join("entry_points.txt"), make_entry_points(numbers)).unwrap();
    }
    path
}
