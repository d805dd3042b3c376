//! The manifest's files: the main one, and those that it includes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::ErrorKind;
use std::sync::Arc;

use kdl::KdlDocument;

use super::declaration::Declarations;
use super::environment::Environment;
use super::problem::{ManifestError, ManifestProblem};
use super::read::{DeclarationReader, folder_of};
use super::resolve::resolve;
use super::resolved::Manifest;
use super::syntax::{LostNode, Parsed};
use super::values::Values;
use super::{check, limits, syntax};
use crate::files::{Folder, reason};
use crate::text::{Located, Place, SourceText, Spanned};

/// The name of the manifest's main file.
pub const MANIFEST_FILE: &str = "Rpmforge.kdl";

/// Every mistake of a manifest, in the order of its files and lines.
#[derive(Debug)]
pub struct ManifestErrors(pub Vec<ManifestError>);

/// Reads the manifest of the repository `repository`: its file `main`, all that it includes, every name resolved.
///
/// `environment` is what `(env)` values read.
///
/// # Errors
/// All mistakes of all files.
pub fn load(
    repository: &Folder,
    main: &str,
    environment: &dyn Environment,
) -> Result<Manifest, ManifestErrors> {
    load_with(Loader::new(repository, environment), main)
}

/// As [`load`], where the main file is not on the disk: its text is `text`, and messages call it `main`.
///
/// # Errors
/// All mistakes of all files.
pub fn load_text(
    repository: &Folder,
    (main, text): (&str, &str),
    environment: &dyn Environment,
) -> Result<Manifest, ManifestErrors> {
    load_with(Loader { given: Some(text), ..Loader::new(repository, environment) }, main)
}

fn load_with(mut loader: Loader<'_>, main: &str) -> Result<Manifest, ManifestErrors> {
    let repository = loader.repository;
    let declarations = loader.load_files(main);
    let Loader { files, mut errors, lost, .. } = loader;
    let resolved = resolve(declarations, repository, &files, &mut errors);
    errors.retain(|error| !follows_from_lost(error.error(), &lost));
    if errors.is_empty() {
        return Ok(resolved);
    }
    let order = |error: &ManifestError| {
        let place = error.place();
        let file = files.iter().position(|file| Arc::ptr_eq(file, place.source()));
        (file, place.span().start)
    };
    errors.sort_by_cached_key(order);
    Err(ManifestErrors(syntax::only_the_first(errors)))
}

/// The files of a manifest that can be parsed, relative to the repository; the main one first. What else is wrong with
/// them does not matter here.
///
/// # Errors
/// Files that can't be read or parsed.
pub fn manifest_files(repository: &Folder) -> Result<Vec<String>, ManifestErrors> {
    let environment = BTreeMap::<String, String>::new();
    let mut loader = Loader::new(repository, &environment);
    loader.load_files(MANIFEST_FILE);
    let is_fatal = |error: &ManifestError| {
        matches!(
            error.error(),
            ManifestProblem::Syntax { .. }
                | ManifestProblem::TooDeep { .. }
                | ManifestProblem::TooMuchText { .. }
                | ManifestProblem::ManyMistakes { .. }
                | ManifestProblem::Unreadable { .. }
        )
    };
    let fatal: Vec<ManifestError> = loader.errors.into_iter().filter(is_fatal).collect();
    if !fatal.is_empty() {
        return Err(ManifestErrors(fatal));
    }
    Ok(loader.files.iter().map(|file| file.name().to_owned()).collect())
}

struct Loader<'a> {
    repository: &'a Folder,
    environment: &'a dyn Environment,
    /// The text of the main file, where that is not on the disk.
    given: Option<&'a str>,
    files: Vec<Arc<SourceText>>,
    errors: Vec<ManifestError>,
    lost: Vec<LostNode>,
}

/// Whether something may only be missing because its node could not be read.
fn follows_from_lost(problem: &ManifestProblem, lost: &[LostNode]) -> bool {
    let is_lost = |kind: &str, name: &str| lost.iter().any(|lost| lost.word == kind && lost.name == name);
    let has_lost = |words: &[&str]| lost.iter().any(|lost| words.contains(&lost.word.as_str()));
    let may_be_included = has_lost(&["include", "project"]);
    match problem {
        ManifestProblem::Undeclared { kind, name, .. } => {
            may_be_included || is_lost(kind, name) || (*kind == "package" && has_lost(&["packages"]))
        }
        ManifestProblem::UnknownChroot { name, .. } => may_be_included || is_lost("chroot", name),
        ManifestProblem::NoMatch { kind: kind @ ("chroot" | "package"), .. } => {
            may_be_included || has_lost(&[*kind, "packages"])
        }
        ManifestProblem::NoChroot { .. } => may_be_included || has_lost(&["chroot", "defaults"]),
        ManifestProblem::NothingToAmend { .. } => may_be_included || has_lost(&["packages"]),
        ManifestProblem::Missing { what, .. } => {
            what == "a `source`" && (may_be_included || has_lost(&["packages"]))
        }
        ManifestProblem::Syntax { .. }
        | ManifestProblem::TooDeep { .. }
        | ManifestProblem::TooMuchText { .. }
        | ManifestProblem::ManyMistakes { .. }
        | ManifestProblem::Unreadable { .. }
        | ManifestProblem::NoVersion
        | ManifestProblem::Version { .. }
        | ManifestProblem::UnknownNode { .. }
        | ManifestProblem::InstallInMade { .. }
        | ManifestProblem::UnknownProperty { .. }
        | ManifestProblem::TooMuch { .. }
        | ManifestProblem::WrongValue { .. }
        | ManifestProblem::BadDuration { .. }
        | ManifestProblem::BadSize { .. }
        | ManifestProblem::BadGlob { .. }
        | ManifestProblem::Repeated { .. }
        | ManifestProblem::Duplicate { .. }
        | ManifestProblem::Contradiction { .. }
        | ManifestProblem::Ambiguous { .. }
        | ManifestProblem::UnknownProfile { .. }
        | ManifestProblem::UnknownCondition { .. }
        | ManifestProblem::NoMatch { .. }
        | ManifestProblem::PathLeaves { .. }
        | ManifestProblem::NothingThere { .. }
        | ManifestProblem::NotOneSpec { .. }
        | ManifestProblem::UnsetVariable { .. }
        | ManifestProblem::NoMultilibPair
        | ManifestProblem::SecretKey { .. }
        | ManifestProblem::Annotation { .. }
        | ManifestProblem::Cycle { .. }
        | ManifestProblem::Exclusive { .. } => false,
    }
}

impl<'a> Loader<'a> {
    fn new(repository: &'a Folder, environment: &'a dyn Environment) -> Self {
        let (files, errors, lost) = (Vec::new(), Vec::new(), Vec::new());
        Self { repository, environment, given: None, files, errors, lost }
    }
}

impl Loader<'_> {
    fn load_files(&mut self, main: &str) -> Declarations {
        let mut declarations = Declarations::default();
        let mut queue = VecDeque::from([(main.to_owned(), None)]);
        let mut seen = BTreeSet::from([main.to_owned()]);
        while let Some((file, included_by)) = queue.pop_front() {
            let is_main = included_by.is_none();
            let Some(includes) = self.load_file(&file, included_by, is_main, &mut declarations) else {
                continue;
            };
            for pattern in includes {
                for found in self.find_included(&file, &pattern) {
                    if seen.insert(found.clone()) {
                        queue.push_back((found, Some(pattern.place.clone())));
                    }
                }
            }
        }
        declarations
    }

    /// Reads one file; gives the patterns of those that it includes.
    fn load_file(
        &mut self,
        file: &str,
        included_by: Option<Place>,
        is_main: bool,
        into: &mut Declarations,
    ) -> Option<Vec<Spanned<String>>> {
        let read = match self.given.filter(|_| is_main) {
            Some(text) => Ok(text.to_owned()),
            None => self.repository.read_text_up_to(file, limits::LARGEST_FILE),
        };
        let text = match read {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                let problem =
                    ManifestProblem::TooMuchText { what: format!("{} bytes", limits::LARGEST_FILE) };
                let place = included_by.unwrap_or_else(|| Place::outside(file));
                self.errors.push(Located::new(problem, "included here", place));
                return None;
            }
            Err(error) => {
                let reason = self.strip_path(file, &reason(&error));
                let place = included_by.unwrap_or_else(|| Place::outside(file));
                let problem = ManifestProblem::Unreadable { path: file.to_owned(), reason };
                self.errors.push(Located::new(problem, "included here", place));
                return None;
            }
        };
        let source = SourceText::new(file, text);
        self.files.push(Arc::clone(&source));
        let Parsed { document, errors, lost } = syntax::parse(&source);
        self.errors.extend(errors);
        self.lost.extend(lost);
        let Some(document) = document else {
            // Whatever stands in it may be missed elsewhere.
            self.lost.push(LostNode { word: "include".to_owned(), name: String::new() });
            return None;
        };
        let not_yet = check::check(&source, &document, &mut self.errors);
        into.not_yet.extend(not_yet);
        if is_main {
            self.expect_version(&source, &document);
        }
        let values = Values { source: &source, environment: self.environment, errors: Vec::new() };
        let mut reader = DeclarationReader { values, folder: folder_of(file), includes: Vec::new() };
        reader.read_document(&document, into);
        self.errors.append(&mut reader.values.errors);
        Some(reader.includes)
    }

    fn strip_path(&self, file: &str, reason: &str) -> String {
        let path = self.repository.path().join(file).to_string();
        reason.trim_start_matches(&path).trim_start_matches(": ").to_owned()
    }

    fn expect_version(&mut self, source: &Arc<SourceText>, document: &KdlDocument) {
        if document.get("rpmforge").is_none() && self.lost.is_empty() {
            let end = source.text().lines().next().map_or(0, str::len);
            self.errors.push(Located::new(
                ManifestProblem::NoVersion,
                "before this",
                Place::new(source, 0..end),
            ));
        }
    }

    fn find_included(&mut self, file: &str, pattern: &Spanned<String>) -> Vec<String> {
        let problem = match self.repository.search(&folder_of(file), pattern) {
            Ok(Some(found)) if !found.is_empty() => {
                return found.iter().filter_map(|path| path.to_str().map(str::to_owned)).collect();
            }
            Ok(Some(_)) => ManifestProblem::NoMatch {
                kind: "file",
                pattern: pattern.value.clone(),
                help: "patterns are relative to the file that says them; `**` goes through folders"
                    .to_owned(),
            },
            Ok(None) => ManifestProblem::PathLeaves { path: pattern.value.clone() },
            Err(error) => ManifestProblem::Unreadable { path: pattern.value.clone(), reason: reason(&error) },
        };
        self.errors.push(Located::new(problem, "this pattern", pattern.place.clone()));
        Vec::new()
    }
}
