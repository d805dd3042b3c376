//! What the metadata of Python projects (`*.dist-info`, `*.egg-info`) provides and requires, as rpm's `pythondistdeps.py` says it.
//!
//! That script has Python's `importlib.metadata` and `packaging` read the metadata, of which there are many versions. All of them
//! read in the same way what tools for packaging write: [`read_pythondist_dependencies`] does so too. What they may take in
//! different ways, or don't take at all, is [`UnusualPythondist`]: a version that is not spelled as PEP 440 has it, a requirement
//! with an address, a condition that goes by the machine, fields that stand there twice, and the like.

mod distribution_path;
mod entry_points;
mod header_fields;
mod marker;
mod normal_version;
mod question;
mod requirement;
mod requires_text;
mod text_cursor;
mod unusual;
mod version_specifier;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use bstr::BString;

use distribution_path::DistributionPath;
use entry_points::has_scripts;
use header_fields::HeaderFields;
use question::{MajorProvides, PythondistSide};
pub use question::{PythondistQuestion, PythondistRules};
use requirement::{PythonRequirement, is_in_name};
use requires_text::read_requires_text;
pub use unusual::UnusualPythondist;
use version_specifier::VersionSpecifier;

/// Longer files are for the script, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// More requirements as well.
const MOST_REQUIREMENTS: usize = 2000;

/// More versions of names as well.
const MOST_SPECIFIERS: usize = 5000;

/// Files in which a project's fields stand, the first of them that is there and not empty. One without a name is the metadata
/// itself, where that is a file.
const FIELDS_FILES: [&str; 3] = ["METADATA", "PKG-INFO", ""];

/// What each project requires of Python itself.
const PYTHON_ABI: &str = "python(abi)";

/// What scripts that setuptools makes may need.
const SETUPTOOLS: &str = "setuptools";

/// What is known of a project.
struct PythonDistribution<'t> {
    path: DistributionPath<'t>,
    name: &'t str,
    version: VersionSpecifier,
    requirements: Vec<PythonRequirement>,
    has_scripts: bool,
}

/// Names, and the versions in which they are provided or required.
#[derive(Default)]
struct NamesInVersions {
    names: BTreeMap<String, BTreeSet<VersionSpecifier>>,
    specifiers: usize,
}

/// Answers a question about a project whose metadata lies in `path`: the lines that the script would write, in its order. A file below
/// that path is opened by `open`, which gives none where nothing of its name is there; what has no name is the path itself, if that is
/// a file.
///
/// # Errors
/// The metadata, or its path, is not such that all versions of Python agree about it, or it can't be read.
pub fn read_pythondist_dependencies<R: Read>(
    question: &PythondistQuestion,
    path: &[u8],
    open: impl Fn(&str) -> Result<Option<R>, UnusualPythondist>,
) -> Result<Vec<BString>, UnusualPythondist> {
    let Some(path) = DistributionPath::read(path)? else {
        return Ok(Vec::new());
    };
    let read = |name: &str| open(name)?.map(read_text).transpose();
    let text = read_fields_text(read)?;
    let fields = HeaderFields::read(&text)?;
    let requirements = if fields.requirements.is_empty() {
        read_requires_text(&read("requires.txt")?.unwrap_or_default())?
    } else {
        fields.requirements.iter().map(|text| (*text).to_owned()).collect()
    };
    if requirements.len() > MOST_REQUIREMENTS || !is_usual_name(fields.name) {
        return Err(UnusualPythondist);
    }
    let has_scripts = match question.needs_entry_points(&path)? {
        true => has_scripts(&read("entry_points.txt")?.unwrap_or_default())? && path.is_egg,
        false => false,
    };
    let distribution = PythonDistribution {
        path,
        name: fields.name,
        version: VersionSpecifier::equal(fields.version).ok_or(UnusualPythondist)?,
        requirements: requirements
            .iter()
            .map(|text| PythonRequirement::read(text))
            .collect::<Result<_, _>>()?,
        has_scripts,
    };
    let found = match question.side {
        PythondistSide::Provides => question.list_provides(&distribution)?,
        PythondistSide::Requires => question.list_requires(&distribution)?,
    };
    Ok(found.to_lines(question.rules))
}

impl PythondistQuestion {
    /// Whether the script looks at the scripts of projects.
    fn needs_entry_points(&self, path: &DistributionPath<'_>) -> Result<bool, UnusualPythondist> {
        let python = path.python_version()?;
        let is_free = |since: u32| python.release() >= [3, u64::from(since)].as_slice();
        Ok(self.side == PythondistSide::Requires && !self.setuptools_free_since.is_some_and(is_free))
    }

    fn list_provides(
        &self,
        distribution: &PythonDistribution<'_>,
    ) -> Result<NamesInVersions, UnusualPythondist> {
        let path = &distribution.path;
        if self.fails_if_zero && distribution.version.version().to_rpm() == "0" {
            return Err(UnusualPythondist);
        }
        let has_major = match &self.major {
            MajorProvides::None => false,
            MajorProvides::All => true,
            MajorProvides::Some(versions) => versions.iter().any(|version| version == path.python),
        };
        let pythons = std::iter::once(path.python).chain(has_major.then_some(path.python_major()));
        let has_legacy_names = !self.has_pep503_names || self.provides_both_names;
        let has_pep503_names = self.has_pep503_names || self.provides_both_names;
        let names = [
            has_legacy_names.then(|| normalize_legacy_name(distribution.name)),
            has_pep503_names.then(|| normalize_name(distribution.name)),
        ];
        let mut found = NamesInVersions::default();
        for python in pythons {
            for name in names.iter().flatten() {
                found
                    .add(self.name_project(python, name, ""), std::slice::from_ref(&distribution.version))?;
            }
        }
        Ok(found)
    }

    fn list_requires(
        &self,
        distribution: &PythonDistribution<'_>,
    ) -> Result<NamesInVersions, UnusualPythondist> {
        let (mut found, path) = (NamesInVersions::default(), &distribution.path);
        let (python, version) = (path.python_version()?, VersionSpecifier::equal(path.python));
        found.add(self.put_in_namespace(PYTHON_ABI.to_owned()), version.as_slice())?;
        let setuptools = distribution.has_scripts.then(|| PythonRequirement::any(SETUPTOOLS));
        for requirement in setuptools.iter().chain(&distribution.requirements) {
            if let Some(marker) = &requirement.marker
                && !marker.holds(&python)?
            {
                continue;
            }
            let normalize = if self.has_pep503_names { normalize_name } else { normalize_legacy_name };
            let name = normalize(&requirement.name);
            found.add(self.name_project(path.python, &name, ""), &requirement.specifiers)?;
            for extra in requirement.extras.iter().filter(|_| self.requires_extras) {
                let extra = format!("[{}]", extra.to_ascii_lowercase());
                found.add(self.name_project(path.python, &name, &extra), &requirement.specifiers)?;
            }
        }
        Ok(found)
    }

    fn name_project(&self, python: &str, name: &str, extra: &str) -> String {
        self.put_in_namespace(format!("python{python}dist({name}{extra})"))
    }

    fn put_in_namespace(&self, name: String) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}({name})"),
            None => name,
        }
    }
}

impl NamesInVersions {
    fn add(&mut self, name: String, specifiers: &[VersionSpecifier]) -> Result<(), UnusualPythondist> {
        self.names.entry(name).or_default().extend(specifiers.iter().cloned());
        self.specifiers += specifiers.len();
        if self.specifiers > MOST_SPECIFIERS { Err(UnusualPythondist) } else { Ok(()) }
    }

    /// As the script writes them: a line for each name, sorted as its versions are.
    fn to_lines(&self, rules: PythondistRules) -> Vec<BString> {
        let line = |(name, specifiers): (&String, &BTreeSet<VersionSpecifier>)| {
            let told = specifiers.iter().map(|specifier| specifier.to_dependency(name, rules));
            let mut told: Vec<String> = told.collect();
            told.sort();
            match told.as_slice() {
                [] => name.as_str().into(),
                [one] => one.as_str().into(),
                all => format!("({})", all.join(" with ")).into(),
            }
        };
        self.names.iter().map(line).collect()
    }
}

/// The text that a project's fields stand in.
fn read_fields_text(
    read: impl Fn(&str) -> Result<Option<String>, UnusualPythondist>,
) -> Result<String, UnusualPythondist> {
    for name in FIELDS_FILES {
        if let Some(text) = read(name)?.filter(|text| !text.is_empty()) {
            return Ok(text);
        }
    }
    Err(UnusualPythondist)
}

fn read_text(file: impl Read) -> Result<String, UnusualPythondist> {
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|_| UnusualPythondist)?;
    let is_usual = bytes.len() as u64 <= LARGEST_FILE;
    String::from_utf8(bytes).ok().filter(|_| is_usual).ok_or(UnusualPythondist)
}

/// Whether a project's name is plain; that of Python itself means something else.
fn is_usual_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_in_name) && normalize_name(name) != "python"
}

/// A name as indexes compare it (PEP 503).
fn normalize_name(name: &str) -> String {
    replace_runs(name, &['-', '_', '.'])
}

/// A name as setuptools compared it.
fn normalize_legacy_name(name: &str) -> String {
    replace_runs(name, &['-', '_'])
}

/// Puts a dash in the place of each run of some signs, and takes small letters.
fn replace_runs(name: &str, signs: &[char]) -> String {
    let mut replaced = String::new();
    for sign in name.chars() {
        if !signs.contains(&sign) {
            replaced.push(sign.to_ascii_lowercase());
        } else if !replaced.ends_with('-') {
            replaced.push('-');
        }
    }
    replaced
}

#[cfg(test)]
mod tests;
