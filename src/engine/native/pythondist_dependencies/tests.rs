use std::collections::HashMap;

use super::*;

const PATH: &[u8] = b"/b/usr/lib/python3.11/site-packages/x-1.0.egg-info";

const METADATA: &str = "Metadata-Version: 2.1\nName: X.y_Z\nVersion: 1.0\n\n";

fn ask(options: &str, files: &[(&str, &str)]) -> Result<Vec<String>, UnusualPythondist> {
    let options: Vec<&str> = options.split(' ').collect();
    let question = PythondistQuestion::read(PythondistRules::Late, &options).unwrap();
    let files: HashMap<&str, &str> = files.iter().copied().collect();
    let open = |name: &str| Ok(files.get(name).map(|text| text.as_bytes()));
    let lines = read_pythondist_dependencies(&question, PATH, open)?;
    Ok(lines.iter().map(ToString::to_string).collect())
}

#[test]
fn projects_provide_their_names() {
    let files = [("METADATA", METADATA)];
    let both = ["python3.11dist(x-y-z) = 1", "python3.11dist(x.y-z) = 1"];
    let major = ["python3dist(x-y-z) = 1", "python3dist(x.y-z) = 1"];
    assert_eq!(ask("-P", &files).unwrap(), [both[1]]);
    assert_eq!(ask("-P -n pep503", &files).unwrap(), [both[0]]);
    let all = ask("-P -M --normalized-names-provide-both", &files).unwrap();
    assert_eq!(all, [both, major].concat());
    assert_eq!(ask("-P --majorver-provides-versions 3.10", &files).unwrap(), [both[1]]);
    assert_eq!(ask("-P --majorver-provides-versions 3.10,3.11", &files).unwrap(), [both[1], major[1]]);
    assert_eq!(ask("-P --namespace n", &files).unwrap(), ["n(python3.11dist(x.y-z)) = 1"]);
    assert_eq!(ask("-P --fail-if-zero", &[("METADATA", "Name: x\nVersion: 0.0\n")]), Err(UnusualPythondist));
}

#[test]
fn requirements_of_one_name_are_one_line() {
    let text = "Name: x\nVersion: 1\nRequires-Dist: b>=1\nRequires-Dist: A_a[C] (>=1.0)\nRequires-Dist: b<2,>=1\n\
        Requires-Dist: b>=1.0; os_name == 'posix'\nRequires-Dist: d; extra == 'd'\n";
    let b = "(python3.11dist(b) < 2~~ with python3.11dist(b) >= 1 with python3.11dist(b) >= 1)";
    let a = "python3.11dist(a-a) >= 1";
    assert_eq!(ask("-R", &[("METADATA", text)]).unwrap(), ["python(abi) = 3.11", a, b]);
    let extra = "python3.11dist(a-a[c]) >= 1";
    let all = ask("-R --require-extras-subpackages", &[("METADATA", text)]).unwrap();
    assert_eq!(all, ["python(abi) = 3.11", a, extra, b]);
}

#[test]
fn eggs_have_requirements_and_scripts_in_files_of_their_own() {
    let files = [
        ("PKG-INFO", METADATA),
        ("requires.txt", "a\n[:python_version < '3']\nb\n[x]\nc\n"),
        ("entry_points.txt", "[console_scripts]\na = b:c\n"),
    ];
    let lines = ask("-R", &files).unwrap();
    assert_eq!(lines, ["python(abi) = 3.11", "python3.11dist(a)", "python3.11dist(setuptools)"]);
    for (since, expected) in [("3.11", 2), ("3.12", 3)] {
        let options = format!("-R --console-scripts-nodep-setuptools-since {since}");
        assert_eq!(ask(&options, &files).unwrap().len(), expected);
    }
}

#[test]
fn the_first_file_with_fields_counts() {
    let (one, other) = (METADATA, "Name: other\nVersion: 2\n");
    assert_eq!(ask("-P", &[("PKG-INFO", one), ("", other)]).unwrap(), ["python3.11dist(x.y-z) = 1"]);
    assert_eq!(ask("-P", &[("METADATA", ""), ("PKG-INFO", other)]).unwrap(), ["python3.11dist(other) = 2"]);
    assert_eq!(ask("-P", &[("", other)]).unwrap(), ["python3.11dist(other) = 2"]);
    assert_eq!(ask("-P", &[]), Err(UnusualPythondist));
    assert_eq!(ask("-P", &[("METADATA", "")]), Err(UnusualPythondist));
}

#[test]
fn large_answers_are_unusual() {
    let line = format!("Requires-Dist: {}>=1,>=2,>=3\n", "a".repeat(200));
    let text = |count: usize| format!("Name: x\nVersion: 1\n{}", line.repeat(count));
    assert!(ask("-R", &[("METADATA", &text(100))]).is_ok());
    assert!(ask("-R", &[("METADATA", &text(1900))]).is_err(), "too many versions");
    assert!(ask("-P", &[("METADATA", &text(2001))]).is_err(), "too many requirements");
    let long = format!("{METADATA}{}", " ".repeat(1 << 20));
    assert!(ask("-P", &[("METADATA", &long)]).is_err(), "too long");
}

#[test]
fn python_itself_is_unusual() {
    assert_eq!(ask("-P", &[("METADATA", "Name: Python\nVersion: 3.11\n")]), Err(UnusualPythondist));
    assert_eq!(ask("-P", &[("METADATA", "Name: x \nVersion: 3.11\n")]), Err(UnusualPythondist));
}
