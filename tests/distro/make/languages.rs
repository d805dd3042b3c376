//! What languages other than C are packaged with: the macros and scripts that other distributions have for it, under the names that
//! specs know them by, written for this one.

use rpmforge::package::{Comparison, Dependency};

use super::file::{Content, DistroFile};
use super::package::Package;

/// What is built with packages of Python's, Ruby's, Rust's and Node's.
pub const WANTED: &str = "cargo cython3 flit nodejs python3-cffi python3-hatch-fancy-pypi-readme python3-hatch-vcs python3-hatchling \
    python3-installer python3-maturin python3-packaging python3-pathspec python3-pbr python3-pdm-backend python3-pluggy \
    python3-poetry-core python3-pyproject-hooks python3-setuptools-rust python3-setuptools-scm rake ruby ruby-dev ruby-rubygems rustc";

/// The names of files, and what they hold.
const PYTHON: &[(&str, u32, &str)] = &[
    ("/usr/lib/rpm/macros.d/macros.pyproject", 0o644, include_str!("language_files/macros.pyproject")),
    ("/usr/lib/rpm/pyproject/buildrequires.py", 0o644, include_str!("language_files/buildrequires.py")),
    ("/usr/lib/rpm/pyproject/check_import.py", 0o644, include_str!("language_files/check_import.py")),
    ("/usr/lib/rpm/pyproject/dist_relations.py", 0o755, include_str!("language_files/dist_relations.py")),
    ("/usr/lib/rpm/pyproject/install.py", 0o644, include_str!("language_files/install.py")),
    ("/usr/lib/rpm/pyproject/save_files.py", 0o644, include_str!("language_files/save_files.py")),
    ("/usr/lib/rpm/pyproject/wheel.py", 0o644, include_str!("language_files/wheel.py")),
    ("/usr/lib/rpm/fileattrs/pyprojectdist.attr", 0o644, include_str!("language_files/pyprojectdist.attr")),
];

const RUBY: &[(&str, u32, &str)] = &[
    ("/usr/lib/rpm/macros.d/macros.rubygems", 0o644, include_str!("language_files/macros.rubygems")),
    ("/usr/lib/rpm/fileattrs/rubygems.attr", 0o644, include_str!("language_files/rubygems.attr")),
    ("/usr/lib/rpm/rubygems.rb", 0o755, include_str!("language_files/rubygems.rb")),
];

const NODE: &[(&str, u32, &str)] =
    &[("/usr/lib/rpm/macros.d/macros.nodejs", 0o644, include_str!("language_files/macros.nodejs"))];

/// What the stamp of the distribution covers of this.
pub const MADE_BY: &[&str] = &[
    include_str!("languages.rs"),
    PYTHON[0].2,
    PYTHON[1].2,
    PYTHON[2].2,
    PYTHON[3].2,
    PYTHON[4].2,
    PYTHON[5].2,
    PYTHON[6].2,
    PYTHON[7].2,
    RUBY[0].2,
    RUBY[1].2,
    RUBY[2].2,
    NODE[0].2,
];

/// The packages with macros.
pub fn macro_packages(version: &str) -> [Package; 3] {
    let package = |name: &str, summary: &str, files: &[(&str, u32, &str)], needs: &[&str]| {
        let mut package = Package::new(name, version, summary);
        let made = |(path, mode, text): &(&str, u32, &str)| {
            DistroFile::new(path, *mode, Content::Made(text.as_bytes().to_vec()))
        };
        package.files = files.iter().map(made).collect();
        package.requires = needs.iter().map(|needed| (Dependency::any(*needed), 0)).collect();
        package
    };
    let python = ["python3", "python3-installer", "python3-packaging", "python3-pyproject-hooks"];
    let mut rubygems =
        package("rubygems-devel", "How this distribution builds gems", RUBY, &["ruby", "ruby-rubygems"]);
    let release = Some((Comparison::EQUAL, "3.3".to_owned()));
    rubygems.provides.insert(Dependency { name: "ruby(release)".to_owned(), version: release });
    rubygems.provides.insert(Dependency::any("ruby(rubygems)"));
    [
        package("pyproject-rpm-macros", "How this distribution builds packages of Python's", PYTHON, &python),
        rubygems,
        package("nodejs-packaging", "Where packages of Node.js lie", NODE, &["nodejs"]),
    ]
}
