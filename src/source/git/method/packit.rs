//! `method=packit`: what `packit srpm` makes, as far as it runs nothing of the project's: the archive is `git archive` of the commit,
//! the version that of the newest tag, and the release says which commit it is. packit puts the present time into the release; here
//! it is the commit's, so that a commit gives the same package on any day.

use std::path::Path;

use super::ancestry::{count_commits, read_ancestors};
use super::archive::ArchiveOrder;
use super::error::MethodError;
use super::input::MethodInput;
use super::packit_config::PackitConfig;
use super::prepared::PreparedSources;
use super::spec_text::{name_setup_folder, replace_lines, tag_line, tag_value};
use super::tags::{KnownTag, KnownTags};
use crate::source::SourceError;
use crate::source::git::error::GitError;
use crate::source::lock::is_file_name;

/// How many digits of a commit's id stand in releases.
const SHORT: usize = 8;

/// What packit takes out of versions.
const OFFENDERS: &str = "!@#$%&*()={[}]|\\'\":;<,>/?`";

/// How many changes a changelog's entry tells, at the most.
const MOST_CHANGES: usize = 500;

/// What the spec is to say.
struct SpecChanges {
    version: String,
    release: Option<String>,
    archive: String,
    top: String,
    entry: Option<String>,
}

/// The sources of a commit.
///
/// # Errors
/// The configuration asks for what forge doesn't do, or the history can't be read.
pub(super) fn prepare(
    input: &MethodInput<'_>,
    config: &PackitConfig,
) -> Result<PreparedSources, SourceError> {
    let tag = newest_tag(input, config)?;
    let said = |tag: &'static str| {
        let file = input.below.join(&input.spec).display().to_string();
        tag_value(&input.text, tag).ok_or(MethodError::SpecTag { file, tag })
    };
    let version = match &tag {
        Some((name, _)) => version_of_tag(input, config, name)?,
        None => said("Version")?,
    };
    let version: String = version.replace('-', ".").chars().filter(|c| !OFFENDERS.contains(*c)).collect();
    let name = config.upstream_name.clone().unwrap_or_else(|| input.repository_name());
    let top = format!("{name}-{version}");
    if !is_file_name(&top) {
        let reason = format!("`{}` is no name of an archive", top.escape_debug());
        return Err(packit_error(input, reason).into());
    }
    let mut used: KnownTags = tag.clone().into_iter().collect();
    let (release, entry) = match config.updates_release {
        false => (None, None),
        true => {
            let first = said("Release")?.split('.').next().unwrap_or("1").to_owned();
            let behind = match &config.release_suffix {
                Some(suffix) => suffix.clone(),
                None => {
                    let (behind, nearest) = snapshot(input)?;
                    used.extend(nearest);
                    behind
                }
            };
            let release = format!("{first}.{behind}");
            let changes = describe_changes(input, tag.as_ref().map(|(_, tag)| tag))?;
            let committer = input.place.repository.commit(input.place.commit)?.committer;
            let who = format!("{} <{}>", committer.name, committer.email);
            let entry = format!("* {} {who} - {version}-{release}\n{changes}", committer.day());
            (Some(release), Some(entry))
        }
    };
    let archive = format!("{top}.tar.gz");
    let changes = SpecChanges { version, release, archive: archive.clone(), top: top.clone(), entry };
    let text = change_spec(&input.text, &changes, &config.source)
        .ok_or_else(|| packit_error(input, format!("the spec has no `{}`", config.source)))?;
    Ok(PreparedSources {
        place: input.place.at(input.place.commit),
        spec: input.spec.clone(),
        text,
        beside: input.below.clone(),
        archives: vec![ArchiveOrder { file: archive, top, below: Path::new("").to_owned() }],
        tags: used,
    })
}

fn packit_error(input: &MethodInput<'_>, reason: String) -> MethodError {
    let repository = input.place.address.to_string();
    MethodError::PackitConfig { repository, file: "packit.yaml".to_owned(), reason }
}

/// The newest tag that counts, by when it was made.
fn newest_tag(
    input: &MethodInput<'_>,
    config: &PackitConfig,
) -> Result<Option<(String, KnownTag)>, GitError> {
    let mut newest: Option<(i64, String, KnownTag)> = None;
    for (name, tag) in counted_tags(input.tags, config) {
        let repository = &input.place.repository;
        let made = match tag.is_annotated() {
            true => repository.tag(tag.id)?.tagger.seconds,
            false => repository.commit(tag.commit)?.committer.seconds,
        };
        if newest.as_ref().is_none_or(|(seconds, ..)| *seconds < made) {
            newest = Some((made, name.clone(), *tag));
        }
    }
    Ok(newest.map(|(_, name, tag)| (name, tag)))
}

fn counted_tags<'a>(
    tags: &'a KnownTags,
    config: &'a PackitConfig,
) -> impl Iterator<Item = (&'a String, &'a KnownTag)> {
    tags.iter().filter(|(name, _)| {
        config.included.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && !config.excluded.as_ref().is_some_and(|pattern| pattern.is_match(name))
    })
}

fn version_of_tag(input: &MethodInput<'_>, config: &PackitConfig, tag: &str) -> Result<String, MethodError> {
    let found = config.tag_version.captures(tag).and_then(|found| found.name("version"));
    found.map(|version| version.as_str().to_owned()).ok_or_else(|| {
        packit_error(input, format!("the tag `{tag}` is none that `upstream_tag_template` makes"))
    })
}

/// `TIME.BRANCH.COUNT.gID`, and the tag that is counted from; the last two are there where there is any.
fn snapshot(input: &MethodInput<'_>) -> Result<(String, Option<(String, KnownTag)>), GitError> {
    let repository = &input.place.repository;
    let seconds = repository.commit(input.place.commit)?.committer.seconds;
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%d%H%M%S").to_string();
    let branch = input.reference.unwrap_or_default();
    let branch = branch.rsplit('/').next().unwrap_or_default();
    let branch: String = branch.replace('-', ".").chars().filter(|c| !OFFENDERS.contains(*c)).collect();
    let mut parts = vec![time];
    parts.extend(Some(branch).filter(|branch| !branch.is_empty()));
    // The nearest of all tags, as `git describe --tags` takes it.
    let mut nearest: Option<(usize, &String, &KnownTag)> = None;
    for (name, tag) in input.tags {
        let count = count_commits(repository, Some(tag.commit), input.before)?;
        if nearest.is_none_or(|(least, ..)| count < least) {
            nearest = Some((count, name, tag));
        }
    }
    if let Some((count, ..)) = nearest {
        parts.push(format!("{count}.g{}", input.short_id(SHORT)));
    }
    Ok((parts.join("."), nearest.map(|(_, name, tag)| (name.clone(), *tag))))
}

/// `- SUBJECT (AUTHOR)` for every commit since a tag, merges left out, the newest first.
fn describe_changes(input: &MethodInput<'_>, tag: Option<&KnownTag>) -> Result<String, GitError> {
    let repository = &input.place.repository;
    let nothing = || format!("- Development snapshot ({})", input.place.commit);
    let Some(tag) = tag else { return Ok(nothing()) };
    let before_tag = read_ancestors(repository, tag.commit)?;
    let mut changes = Vec::new();
    for id in input.before.difference(&before_tag) {
        let commit = repository.commit(*id)?;
        if commit.parents.len() < 2 {
            let subject = commit.message.trim_start().lines().next().unwrap_or_default().to_owned();
            let line = format!("- {subject} ({})", commit.author.name);
            // A macro in a changelog would be expanded.
            changes.push((commit.committer.seconds, *id, line.replace('%', "%%")));
        }
    }
    changes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let lines: Vec<String> = changes.into_iter().take(MOST_CHANGES).map(|(_, _, line)| line).collect();
    Ok(if lines.is_empty() { nothing() } else { lines.join("\n") })
}

/// The spec with what is changed; nothing where it has no such source.
fn change_spec(text: &str, changes: &SpecChanges, source: &str) -> Option<String> {
    let mut has_source = false;
    let is_source = |line: &str| {
        // `Source` and `Source0` are the same.
        let other = if source == "Source0" { Some("Source") } else { None };
        [Some(source), other].into_iter().flatten().any(|tag| tag_line(line, tag).is_some())
    };
    let mut is_preamble = true;
    let changed = replace_lines(text, |line| {
        is_preamble &= !line.starts_with("%description") && !line.starts_with("%package");
        if is_preamble && is_source(line) {
            has_source = true;
            return Some(format!("{source}: {}", changes.archive));
        }
        if is_preamble && tag_line(line, "Version").is_some() {
            return Some(format!("Version: {}", changes.version));
        }
        if let Some(release) = tag_line(line, "Release").and(changes.release.as_ref()).filter(|_| is_preamble)
        {
            return Some(format!("Release: {release}%{{?dist}}"));
        }
        match line.split_whitespace().any(|word| word.starts_with("-n")) {
            true => name_setup_folder(line, &changes.top),
            false => None,
        }
    });
    let entry = changes.entry.as_ref().filter(|_| !text.contains("%autochangelog"));
    let changed = match entry {
        None => changed,
        Some(entry) => replace_lines(&changed, |line| {
            (line.trim_end() == "%changelog").then(|| format!("%changelog\n{entry}\n"))
        }),
    };
    has_source.then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_says_version_release_archive_folder_and_what_has_changed() {
        let changes = SpecChanges {
            version: "2.0".to_owned(),
            release: Some("1.x".to_owned()),
            archive: "a-2.0.tar.gz".to_owned(),
            top: "a-2.0".to_owned(),
            entry: Some("* entry\n- one".to_owned()),
        };
        let text = "Version: 1\nRelease: 3%{?dist}\nSource: a.tar\n%description\nVersion: no\n%prep\n%autosetup -n %{name} -p1\n\
            %changelog\n* older\n";
        let expected = "Version: 2.0\nRelease: 1.x%{?dist}\nSource0: a-2.0.tar.gz\n%description\nVersion: no\n%prep\n\
            %autosetup -p1 -n a-2.0\n%changelog\n* entry\n- one\n\n* older\n";
        assert_eq!(change_spec(text, &changes, "Source0").as_deref(), Some(expected));
        assert_eq!(change_spec(text, &changes, "Source1"), None);
    }
}
