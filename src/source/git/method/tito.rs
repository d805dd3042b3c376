//! `method=tito` and `method=tito-test`: what `tito build --srpm` makes, of the last tag or (with `--test`) of the newest commit.
//!
//! `.tito/packages/NAME` says `VERSION-RELEASE FOLDER/`; the tag is called NAME-VERSION-RELEASE, or what `tag_format` in
//! `.tito/tito.props` says. The archive is that of the tag's commit, and so is the spec.

use std::path::{Path, PathBuf};

use super::ancestry::{count_commits, last_change, read_ancestors};
use super::archive::ArchiveOrder;
use super::error::MethodError;
use super::input::{MethodInput, read_text};
use super::prepared::PreparedSources;
use super::spec_text::{name_setup_folder, replace_lines, tag_line, tag_value};
use super::tags::KnownTags;
use crate::files::normalize;
use crate::source::SourceError;
use crate::source::git::commit_place::CommitPlace;
use crate::source::lock::is_file_name;
use crate::source::made_spec::{ini_value, read_ini};
use crate::source::source_package::only_spec;

/// Where a project keeps what tito is to know, today and before 2015.
const FOLDERS: [&str; 2] = [".tito", "rel-eng"];

/// How many digits of a commit's id stand in the names of test builds.
const SHORT: usize = 7;

/// What makes the archive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TitoBuilder {
    /// `tito.builder.Builder`.
    Archive,
    /// `tito.builder.NoTgzBuilder`: archives lie in the repository.
    NoArchive,
}

/// What the project says.
struct TitoProject {
    /// Where it says so.
    folder: &'static str,
    builder: TitoBuilder,
    tag_format: String,
    version_suffix: String,
}

/// What `.tito/packages/NAME` says.
struct TaggedPackage {
    version: String,
    release: String,
    folder: PathBuf,
}

/// The sources of the last tag of a package.
///
/// # Errors
/// There is none, or the project asks for what forge doesn't do.
pub(super) fn prepare_tagged(input: &MethodInput<'_>) -> Result<PreparedSources, SourceError> {
    let project = TitoProject::read(input)?;
    let name = spec_name(input)?;
    let record = project.record(input, &name)?.ok_or_else(|| project.no_package(input, &name))?;
    let tag_name = project.tag_name(&name, &record);
    let tag = input.tags.get(&tag_name).copied();
    let repository = input.place.repository.shown().to_owned();
    let tag = tag.ok_or_else(|| MethodError::NoTag { repository, tag: tag_name.clone() })?;
    let at_tag = input.place.at(tag.commit);
    // The folder may have been another one then.
    let path = project.record_path(&name);
    let then = read_text(&at_tag, &path)?.as_deref().and_then(read_record);
    let folder = then.map_or(record.folder, |then| then.folder);
    let spec = find_only_spec(&at_tag, &folder)?;
    let text = read_text(&at_tag, &folder.join(&spec))?.unwrap_or_default();
    let top = format!("{name}-{}", record.version);
    let archives = match project.builder {
        TitoBuilder::Archive => {
            vec![ArchiveOrder { file: format!("{top}.tar.gz"), top, below: folder.clone() }]
        }
        TitoBuilder::NoArchive => Vec::new(),
    };
    let tags = KnownTags::from([(tag_name, tag)]);
    Ok(PreparedSources { place: at_tag, spec, text, beside: folder, archives, tags })
}

/// The sources of a commit that has no tag: release and archive are called after it.
///
/// # Errors
/// The project asks for what forge doesn't do.
pub(super) fn prepare_test(input: &MethodInput<'_>) -> Result<PreparedSources, SourceError> {
    let project = TitoProject::read(input)?;
    let name = spec_name(input)?;
    let record = project.record(input, &name)?;
    let tag_name = record.as_ref().map(|record| project.tag_name(&name, record));
    let tag = tag_name.and_then(|tag_name| Some((input.tags.get(&tag_name).copied()?, tag_name)));
    let repository = &input.place.repository;
    let commit = last_change(repository, input.place.commit, &input.below)?;
    let short: String = commit.to_string().chars().take(SHORT).collect();
    let before = read_ancestors(repository, commit)?;
    let since = tag.as_ref().map(|(tag, _)| tag.commit);
    let count = match count_commits(repository, since, &before)? {
        // Without a tag tito counts from the first commit on.
        all if tag.is_none() => all.saturating_sub(1),
        count => count,
    };
    let top = format!("{name}-git-{count}.{short}");
    let file = format!("{top}.tar.gz");
    let is_packed = project.builder == TitoBuilder::Archive;
    let archive = is_packed.then_some((file.as_str(), top.as_str()));
    let text = mark_as_test(&input.text, (count, &short), &project.version_suffix, archive);
    let archives = match project.builder {
        TitoBuilder::Archive => vec![ArchiveOrder { file, top, below: input.below.clone() }],
        TitoBuilder::NoArchive => Vec::new(),
    };
    let tags = tag.map(|(tag, name)| (name, tag)).into_iter().collect();
    let (spec, beside) = (input.spec.clone(), input.below.clone());
    Ok(PreparedSources { place: input.place.at(commit), spec, text, beside, archives, tags })
}

/// The spec with `.git.COUNT.ID` behind its release, and with the archive and its folder that were made.
fn mark_as_test(
    text: &str,
    (count, short): (usize, &str),
    suffix: &str,
    archive: Option<(&str, &str)>,
) -> String {
    replace_lines(text, |line| {
        if let Some(release) = tag_line(line, "Release") {
            let (release, dist) = match release.strip_suffix("%{?dist}") {
                Some(release) => (release, "%{?dist}"),
                None => (release, ""),
            };
            return Some(format!("Release: {release}.git.{count}.{short}{dist}"));
        }
        if let Some(version) = tag_line(line, "Version").filter(|_| !suffix.is_empty()) {
            return Some(format!("Version: {version}{suffix}"));
        }
        let (file, top) = archive?;
        for tag in ["Source", "Source0"] {
            if tag_line(line, tag).is_some() {
                return Some(format!("{tag}: {file}"));
            }
        }
        name_setup_folder(line, top)
    })
}

impl TitoProject {
    fn read(input: &MethodInput<'_>) -> Result<Self, SourceError> {
        let (mut found, mut folder) = (None, FOLDERS[0]);
        for known in FOLDERS {
            let path = Path::new(known).join("tito.props");
            if let Some(text) = input.read(&path)? {
                (found, folder) = (Some((path, text)), known);
                break;
            }
        }
        let of_package = input.below.join("tito.props");
        let of_package = input.read(&of_package)?.map(|text| (of_package, text));
        let mut project = Self {
            folder,
            builder: TitoBuilder::Archive,
            tag_format: "{component}-{version}-{release}".to_owned(),
            version_suffix: String::new(),
        };
        // What a package says itself counts more.
        for (path, text) in found.into_iter().chain(of_package) {
            project.take_settings(&path, &text)?;
        }
        Ok(project)
    }

    fn take_settings(&mut self, path: &Path, text: &str) -> Result<(), SourceError> {
        let values = read_ini(text);
        let value = |name: &str| {
            let of = |section: &str| ini_value(&values, section, name).map(str::to_owned);
            // `globalconfig` and `default_builder` are what it was called at first.
            of("buildconfig").or_else(|| of("globalconfig"))
        };
        if let Some(builder) = value("builder").or_else(|| value("default-builder")) {
            self.builder = match builder.rsplit('.').next() {
                Some("Builder") if builder.contains("tito.") || builder.contains("spacewalk.") => {
                    TitoBuilder::Archive
                }
                Some("NoTgzBuilder") => TitoBuilder::NoArchive,
                _ => {
                    let file = path.display().to_string();
                    return Err(MethodError::TitoBuilder { file, builder }.into());
                }
            };
        }
        if let Some(format) = value("tag-format") {
            self.tag_format = format;
        }
        if let Some(suffix) = value("test-version-suffix") {
            self.version_suffix = suffix;
        }
        Ok(())
    }

    fn record_path(&self, name: &str) -> PathBuf {
        Path::new(self.folder).join("packages").join(name)
    }

    fn record(&self, input: &MethodInput<'_>, name: &str) -> Result<Option<TaggedPackage>, SourceError> {
        Ok(input.read(&self.record_path(name))?.as_deref().and_then(read_record))
    }

    fn no_package(&self, input: &MethodInput<'_>, name: &str) -> MethodError {
        MethodError::TitoPackage {
            repository: input.place.address.to_string(),
            path: self.record_path(name).display().to_string(),
            commit: input.place.commit.to_string(),
        }
    }

    fn tag_name(&self, name: &str, record: &TaggedPackage) -> String {
        let tag = self.tag_format.replace("{component}", name).replace("{version}", &record.version);
        tag.replace("{release}", &record.release).trim_matches('-').to_owned()
    }
}

/// `VERSION-RELEASE FOLDER/`
fn read_record(text: &str) -> Option<TaggedPackage> {
    let mut words = text.split_whitespace();
    let (version, release) = words.next()?.split_once('-')?;
    let release = release.rsplit('-').next().unwrap_or(release);
    let folder = words.next().unwrap_or("./").trim_start_matches('/');
    let folder = normalize(Path::new(""), Path::new(folder))?;
    Some(TaggedPackage { version: version.to_owned(), release: release.to_owned(), folder })
}

fn spec_name(input: &MethodInput<'_>) -> Result<String, SourceError> {
    let file = input.below.join(&input.spec).display().to_string();
    let name = tag_value(&input.text, "Name").filter(|name| is_file_name(name));
    Ok(name.ok_or(MethodError::SpecTag { file, tag: "Name" })?)
}

fn find_only_spec(place: &CommitPlace, folder: &Path) -> Result<String, SourceError> {
    let names = place.file_names(folder)?.ok_or_else(|| place.no_path("folder", folder))?;
    let shown = format!("{} at {}", place.address, place.commit);
    let specs = names.into_iter().filter(|name| name.ends_with(".spec")).collect();
    only_spec(&shown, specs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_version_release_and_folder() {
        let record = read_record("1.2.3-4 backend/server/\n").unwrap();
        assert_eq!((record.version.as_str(), record.release.as_str()), ("1.2.3", "4"));
        assert_eq!(record.folder, Path::new("backend/server"));
        assert_eq!(read_record("1-1 ./").unwrap().folder, Path::new(""));
        assert!(read_record("1-1 ../../etc").is_none() && read_record("1").is_none());
    }

    #[test]
    fn a_test_build_is_marked_in_release_source_and_setup() {
        let text = "Version: 1\nRelease:\t2%{?dist}\nSource0: a.tar.gz\nSource1: b\n%prep\n%setup -q\n";
        let marked =
            mark_as_test(text, (3, "1234567"), "", Some(("a-git-3.1234567.tar.gz", "a-git-3.1234567")));
        assert_eq!(
            marked,
            "Version: 1\nRelease: 2.git.3.1234567%{?dist}\nSource0: a-git-3.1234567.tar.gz\nSource1: b\n%prep\n\
             %setup -q -n a-git-3.1234567\n"
        );
        let plain = mark_as_test("Version: 1\nSource: x\n", (0, "1"), ".post", None);
        assert_eq!(plain, "Version: 1.post\nSource: x\n");
    }
}
