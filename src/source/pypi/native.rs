//! Whether a project has something to compile.

use super::sdist_files::{SdistFiles, strings_at, text_at, value_at};

/// What a project has to compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NativeCode {
    /// Something that is different on each kind of machine.
    pub is_native: bool,
    /// With a compiler for C++.
    pub has_cpp: bool,
    /// With Rust.
    pub has_rust: bool,
}

/// Build backends that are there to compile.
const NATIVE_BACKENDS: &[&str] =
    &["maturin", "mesonpy", "scikit_build_core", "sipbuild", "py_build_cmake", "enscons"];
/// What compiles for another backend.
const NATIVE_REQUIREMENTS: &[&str] =
    &["cython", "cffi", "setuptools-rust", "setuptools_rust", "pybind11", "hatch-cython", "mypyc", "mypy"];
/// What `setup.py` says where it has something to compile.
const NATIVE_WORDS: &[&str] =
    &["ext_modules", "Extension(", "cffi_modules", "rust_extensions", "cythonize", "ext_package"];
/// Folders of what is not built.
const NOT_BUILT: &[&str] = &["test", "tests", "testing", "doc", "docs", "example", "examples", "benchmarks"];

/// What there is to compile.
pub fn find_native_code(files: &SdistFiles<'_>, pyproject: &toml::Table) -> NativeCode {
    let backend = text_at(pyproject, &["build-system", "build-backend"]).unwrap_or_default();
    let required: Vec<String> = strings_at(pyproject, &["build-system", "requires"])
        .into_iter()
        .map(|text| requirement_name(&text))
        .collect();
    let has_file = |ends: &[&str]| {
        files.paths().any(|path| {
            let is_built = !path.split('/').any(|part| NOT_BUILT.contains(&part));
            is_built && ends.iter().any(|end| path.ends_with(end))
        })
    };
    let has_c = has_file(&[".c", ".pyx", ".f90", ".S"]);
    let has_cpp = has_file(&[".cpp", ".cc", ".cxx"]);
    let has_rust = has_file(&["Cargo.toml"])
        && (backend == "maturin" || required.iter().any(|name| name == "setuptools-rust"));
    let setup = files.text("setup.py").unwrap_or_default() + &files.text("build.py").unwrap_or_default();
    let says_so = NATIVE_WORDS.iter().any(|word| setup.contains(word))
        || value_at(pyproject, &["tool", "setuptools", "ext-modules"]).is_some();
    let is_required = required.iter().any(|name| NATIVE_REQUIREMENTS.contains(&name.as_str()));
    let is_backend = NATIVE_BACKENDS.iter().any(|name| backend.starts_with(name));
    let is_native =
        is_backend || has_rust || says_so || (is_required && (has_c || has_cpp || has_file(&[".py"])));
    NativeCode { is_native, has_cpp: is_native && has_cpp, has_rust }
}

/// `foo` of `foo[bar] >= 1`.
fn requirement_name(requirement: &str) -> String {
    let end = requirement.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
    requirement.get(..end.unwrap_or(requirement.len())).unwrap_or_default().to_lowercase().replace('_', "-")
}
