//! `forge outdated`

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::context::{Context, Failure};
use super::document::print_document;
use super::project::Project;
use super::selection::{batch_members, is_matched, patterns};
use super::source_arguments::{Outdated, SourceChoice};
use super::sources_here::look_for_news;
use crate::manifest::{Manifest, Package, PackageId};
use crate::process::Cancel;
use crate::source::newer::{KnownPages, NewsMover, NewsScope, NewsVerdict, SourceNews};
use crate::ui::{Column, Verbosity, count, plain_text, short_commit, table};

/// What `forge outdated --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutdatedDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// Whether something newer was found.
    outdated: bool,
    /// The sources that were looked at, one for each package.
    sources: Vec<SourceDocument>,
}

/// The source of a package.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceDocument {
    /// The package.
    package: String,
    /// The kind of its source: `git`.
    kind: String,
    /// What follows.
    state: SourceWord,
    /// What is built from now: a version, a tag or a commit.
    current: Option<String>,
    /// The newest that there is.
    newest: Option<String>,
    /// What takes the newer one; null where there is none.
    by: Option<MoverWord>,
    /// Why it is not known, where it is not.
    reason: Option<String>,
}

/// What follows from what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SourceWord {
    /// There is nothing newer.
    Current,
    /// There is something newer.
    Outdated,
    /// What is built from now is not known: nothing is locked.
    NotLocked,
    /// It was not looked for.
    NotLooked,
    /// It could not be found out.
    Failed,
}

/// What takes the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MoverWord {
    /// `forge update`.
    Update,
    /// A change of the manifest or the spec.
    Edit,
}

/// Shows what has newer versions.
pub fn run(arguments: &Outdated, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let manifest = project.manifest(&arguments.choice.profile, context)?;
    let packages = choose_packages(&manifest, &arguments.choice)?;
    let pages = KnownPages::default();
    let news = look_for_news(
        (&manifest, &packages),
        (&project, context),
        (NewsScope::All, &pages),
        &Cancel::default(),
    )?;
    let document = OutdatedDocument::new(&news);
    if arguments.json {
        print_document(&document, context)?;
    } else {
        for one in &news {
            if let NewsVerdict::Failed(error) = &one.verdict {
                context.tell(&plain_text(&format!("{}:\n", one.package)));
                context.show(&**error);
                context.tell("\n");
            }
        }
        context.print(&screen(&document, context.verbosity))?;
    }
    let has_failed = document.sources.iter().any(|source| source.state == SourceWord::Failed);
    Ok(match (has_failed, document.outdated) {
        (true, _) => Exit::Failure,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Success,
    })
}

/// The packages that are meant.
pub fn choose_packages<'m>(
    manifest: &'m Manifest,
    choice: &SourceChoice,
) -> Result<Vec<&'m Package>, Failure> {
    let known = manifest.packages.iter().map(|package| package.name.value.as_str());
    let patterns = patterns("package", "packages", &choice.packages, known)?;
    let members = match choice.batch.as_slice() {
        [] => None,
        batches => Some(batch_members(manifest, batches)?),
    };
    let is_meant = |(index, package): &(usize, &Package)| {
        (patterns.is_empty() || is_matched(&patterns, &package.name.value))
            && members.as_ref().is_none_or(|members| members.contains(&PackageId(*index)))
    };
    Ok(manifest.packages.iter().enumerate().filter(is_meant).map(|(_, package)| package).collect())
}

impl OutdatedDocument {
    fn new(news: &[SourceNews]) -> Self {
        let sources: Vec<SourceDocument> = news.iter().map(SourceDocument::new).collect();
        let outdated = sources.iter().any(|source| source.state == SourceWord::Outdated);
        Self { version: 1, outdated, sources }
    }
}

impl SourceDocument {
    fn new(news: &SourceNews) -> Self {
        let SourceNews { package, kind, current, newest, verdict } = news;
        let (state, by, reason) = match verdict {
            NewsVerdict::Current => (SourceWord::Current, None, None),
            NewsVerdict::Newer(NewsMover::Update) => (SourceWord::Outdated, Some(MoverWord::Update), None),
            NewsVerdict::Newer(NewsMover::Edit) => (SourceWord::Outdated, Some(MoverWord::Edit), None),
            NewsVerdict::NotLocked => (SourceWord::NotLocked, None, None),
            NewsVerdict::NotLooked(why) => (SourceWord::NotLooked, None, Some((*why).to_owned())),
            NewsVerdict::Failed(error) => (SourceWord::Failed, None, Some(error.to_string())),
        };
        let (package, kind) = (package.clone(), kind.clone());
        Self { package, kind, state, current: current.clone(), newest: newest.clone(), by, reason }
    }

    fn row(&self) -> Vec<String> {
        let shown = |value: &Option<String>| value.as_deref().map_or("-", short_commit).to_owned();
        let what = match (self.state, self.by) {
            (SourceWord::Outdated, Some(MoverWord::Update)) => format!("forge update {}", self.package),
            (SourceWord::Outdated, _) => "change the manifest or the spec".to_owned(),
            (SourceWord::Current, _) => "up to date".to_owned(),
            (SourceWord::NotLocked, _) => "nothing is locked yet".to_owned(),
            (SourceWord::NotLooked | SourceWord::Failed, _) => self.reason.clone().unwrap_or_default(),
        };
        vec![self.package.clone(), self.kind.clone(), shown(&self.current), shown(&self.newest), what]
    }
}

/// A table of what is outdated or not known, with `-v` of all; and what that comes to.
fn screen(document: &OutdatedDocument, verbosity: Verbosity) -> String {
    let is_shown = |source: &&SourceDocument| match source.state {
        SourceWord::Outdated => true,
        SourceWord::NotLocked => verbosity > Verbosity::Quiet,
        SourceWord::Current | SourceWord::NotLooked => verbosity >= Verbosity::Verbose,
        // Its error stands above.
        SourceWord::Failed => false,
    };
    let rows: Vec<Vec<String>> = document.sources.iter().filter(is_shown).map(SourceDocument::row).collect();
    let columns = [
        Column::Left("package"),
        Column::Left("source"),
        Column::Left("current"),
        Column::Left("newest"),
        Column::Left("what to do"),
    ];
    let shown = if rows.is_empty() { String::new() } else { table(&columns, &rows) + "\n" };
    let number = |word| document.sources.iter().filter(|source| source.state == word).count();
    let mut parts = vec![format!("{} outdated", number(SourceWord::Outdated))];
    for (word, text) in [
        (SourceWord::Current, "up to date"),
        (SourceWord::NotLocked, "not locked"),
        (SourceWord::NotLooked, "not looked at"),
        (SourceWord::Failed, "failed"),
    ] {
        parts
            .extend(Some(number(word)).filter(|number| *number > 0).map(|number| format!("{number} {text}")));
    }
    match verbosity {
        Verbosity::Quiet => shown.trim_end_matches('\n').to_owned() + if rows.is_empty() { "" } else { "\n" },
        Verbosity::Normal | Verbosity::Verbose => {
            format!("{shown}{}: {}\n", count(document.sources.len(), "source"), parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(package: &str, versions: (&str, &str), verdict: NewsVerdict) -> SourceNews {
        let (current, newest) = (Some(versions.0.to_owned()), Some(versions.1.to_owned()));
        SourceNews { package: package.to_owned(), kind: "git".to_owned(), current, newest, verdict }
    }

    #[test]
    fn a_person_reads_what_is_outdated_and_what_to_do() {
        let document = OutdatedDocument::new(&[
            news("a", (&"1".repeat(40), &"2".repeat(40)), NewsVerdict::Newer(NewsMover::Update)),
            news("b", ("v1", "v2"), NewsVerdict::Newer(NewsMover::Edit)),
            news("c", ("v1", "v1"), NewsVerdict::Current),
            news("d", ("v1", "v1"), NewsVerdict::NotLooked("the manifest names a commit")),
        ]);
        assert!(document.outdated);
        let shown = anstream::adapter::strip_str(&screen(&document, Verbosity::Normal)).to_string();
        insta::assert_snapshot!(shown, @r"
        PACKAGE  SOURCE  CURRENT       NEWEST        WHAT TO DO
        a        git     111111111111  222222222222  forge update a
        b        git     v1            v2            change the manifest or the spec

        4 sources: 2 outdated, 1 up to date, 1 not looked at
        ");
    }
}
