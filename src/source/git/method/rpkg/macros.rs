//! rpkg's macros, worked out of a commit and what lies before it (rpkg-macros(1)).
//!
//! `git_…` and `git_repo_…` are of the whole repository, `git_dir_…` of the spec's folder, `git_cwd_…` of the one that the manifest
//! says. Tags are annotated ones of the form NAME-VERSION-RELEASE.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::ancestry::count_commits;
use super::super::archive::ArchiveOrder;
use super::super::error::MethodError;
use super::super::input::MethodInput;
use super::super::tags::{KnownTag, KnownTags};
use super::words::{MacroCall, ValuePart};
use crate::files::normalize;
use crate::package::Evr;
use crate::source::SourceError;
use crate::source::git::error::GitError;
use crate::source::git::repository::CommitEntryKind;
use crate::source::lock::is_file_name;

/// How many digits of a commit's id stand in versions and names.
const SHORT: usize = 8;

/// Why a call gives nothing.
pub(super) enum ExpandError {
    /// It asks for what there isn't, in words for a person.
    Call(String),
    /// The history can't be read.
    Git(GitError),
}

impl ExpandError {
    /// With the place where the call stands.
    pub fn place(self, template: impl FnOnce(String) -> MethodError) -> SourceError {
        match self {
            Self::Call(reason) => template(reason).into(),
            Self::Git(error) => error.into(),
        }
    }
}

impl From<String> for ExpandError {
    fn from(reason: String) -> Self {
        Self::Call(reason)
    }
}

impl From<GitError> for ExpandError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// The folder that a macro is of.
#[derive(Clone, Copy)]
enum Scope {
    Repository,
    SpecFolder,
    WorkingFolder,
}

/// A tag of a release.
struct ReleaseTag {
    name: String,
    tag: KnownTag,
    version: String,
    release: String,
}

/// The macros, with what those before have given.
pub(super) struct RpkgMacros<'a> {
    input: &'a MethodInput<'a>,
    /// What each macro has given last, by its name without its scope.
    given: BTreeMap<String, String>,
    archives: Vec<ArchiveOrder>,
    used: KnownTags,
}

/// The arguments of a call, worked out.
struct MacroArguments(BTreeMap<String, String>);

impl MacroArguments {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<'a> RpkgMacros<'a> {
    pub fn new(input: &'a MethodInput<'a>) -> Self {
        Self { input, given: BTreeMap::new(), archives: Vec::new(), used: KnownTags::new() }
    }

    /// What is to be packed, and the tags that had an effect.
    pub fn into_results(self) -> (Vec<ArchiveOrder>, KnownTags) {
        (self.archives, self.used)
    }

    /// What a call gives.
    ///
    /// # Errors
    /// There is no such macro or argument, or the history can't be read.
    pub fn expand(&mut self, call: &MacroCall) -> Result<String, ExpandError> {
        let name = call.name.as_str();
        if name == "cached" {
            return self.cached(call);
        }
        if name == "cached_git_name_version" {
            let given = |name: &str| self.given.get(name).cloned().unwrap_or_default();
            return Ok(format!("{}-{}", given("name"), given("version")));
        }
        let (scope, verb) = split_name(name).ok_or_else(|| unknown_macro(name))?;
        let known: &[&str] = match verb {
            "name" => &["name", "prepend", "append"],
            "version" | "release" => &["name", "lead", "follow"],
            "changelog" => &["name", "since_tag", "until_tag"],
            "vcs" => &["subtree"],
            "pack" | "archive" => &["path", "dir_name", "source_name"],
            "setup_macro" => &["dir_name"],
            "head" | "branch" => &[],
            _ => return Err(unknown_macro(name).into()),
        };
        let arguments = self.arguments(call, known)?;
        let given = match verb {
            "name" => self.name(scope, &arguments),
            "version" => self.version(scope, &arguments, |tag| &tag.version)?,
            "release" => self.version(scope, &arguments, |tag| &tag.release)?,
            "changelog" => self.changelog(scope, &arguments)?,
            "vcs" => self.vcs(scope, &arguments),
            "pack" | "archive" => self.pack(scope, &arguments)?,
            "setup_macro" => self.setup_macro(scope, &arguments),
            "head" => self.input.place.commit.to_string(),
            _ => self.branch(),
        };
        self.given.insert(verb.to_owned(), given.clone());
        Ok(given)
    }

    fn arguments(&mut self, call: &MacroCall, known: &[&str]) -> Result<MacroArguments, ExpandError> {
        if let Some(plain) = call.plain.first() {
            return Err(format!("`{plain}` is no `NAME=VALUE`").into());
        }
        let mut arguments = BTreeMap::new();
        for (name, parts) in &call.arguments {
            if !known.contains(&name.as_str()) {
                let takes = match known {
                    [] => "nothing".to_owned(),
                    known => format!("`{}=`", known.join("=`, `")),
                };
                return Err(format!("`{}` takes {takes}, and no `{name}=`", call.name).into());
            }
            let mut value = String::new();
            for part in parts {
                match part {
                    ValuePart::Text(text) => value.push_str(text),
                    ValuePart::Call(inner) => value.push_str(&self.expand(inner)?),
                }
            }
            arguments.insert(name.clone(), value);
        }
        Ok(MacroArguments(arguments))
    }

    fn cached(&self, call: &MacroCall) -> Result<String, ExpandError> {
        let [name] = call.plain.as_slice() else {
            return Err("`cached` takes the name of a macro".to_owned().into());
        };
        let (_, verb) = split_name(name).ok_or_else(|| unknown_macro(name))?;
        Ok(self.given.get(verb).cloned().unwrap_or_default())
    }

    fn folder(&self, scope: Scope) -> &Path {
        match scope {
            Scope::Repository => Path::new(""),
            Scope::SpecFolder => &self.input.below,
            Scope::WorkingFolder => &self.input.folder,
        }
    }

    fn own_name(&self, scope: Scope) -> String {
        let repository = self.input.repository_name();
        match self.folder(scope).file_name() {
            None => repository,
            Some(folder) => format!("{repository}-{}", folder.to_string_lossy()),
        }
    }

    /// The name that was given before, or that of the scope.
    fn name_so_far(&self, scope: Scope) -> String {
        self.given.get("name").cloned().unwrap_or_else(|| self.own_name(scope))
    }

    fn name(&self, scope: Scope, arguments: &MacroArguments) -> String {
        let name = arguments.get("name").map_or_else(|| self.own_name(scope), str::to_owned);
        let around = |name: &str| arguments.get(name).unwrap_or_default().to_owned();
        format!("{}{name}{}", around("prepend"), around("append"))
    }

    /// The tags of a package, the newest first.
    fn release_tags(&self, name: &str) -> Vec<ReleaseTag> {
        let read = |(tag_name, tag): (&String, &KnownTag)| {
            let (version, release) = tag_name.strip_prefix(name)?.strip_prefix('-')?.rsplit_once('-')?;
            let is_one = tag.is_annotated() && !version.is_empty() && !release.is_empty();
            is_one.then(|| ReleaseTag {
                name: tag_name.clone(),
                tag: *tag,
                version: version.to_owned(),
                release: release.to_owned(),
            })
        };
        let mut tags: Vec<ReleaseTag> = self.input.tags.iter().filter_map(read).collect();
        let evr = |tag: &ReleaseTag| Evr::parse(&format!("{}-{}", tag.version, tag.release));
        tags.sort_by(|a, b| evr(b).compare(&evr(a)).then_with(|| b.name.cmp(&a.name)));
        tags
    }

    /// `LEAD.FOLLOW`, of the newest tag where nothing else is said, and how many commits there are since.
    fn version(
        &mut self,
        scope: Scope,
        arguments: &MacroArguments,
        part: impl Fn(&ReleaseTag) -> &String,
    ) -> Result<String, ExpandError> {
        let name = arguments.get("name").map_or_else(|| self.name_so_far(scope), str::to_owned);
        let (lead, follow) = (arguments.get("lead"), arguments.get("follow"));
        let is_meant = |tag: &ReleaseTag| match (lead, follow) {
            (None, None) => true,
            (None, Some(follow)) => *part(tag) == format!("0.{follow}"),
            (Some(lead), Some(follow)) => *part(tag) == format!("{lead}.{follow}"),
            (Some(lead), None) => {
                let follow = part(tag).strip_prefix(lead).and_then(|rest| rest.strip_prefix('.'));
                follow.is_some_and(|follow| follow.bytes().all(|byte| byte.is_ascii_digit()))
            }
        };
        let tag = self.release_tags(&name).into_iter().find(is_meant);
        let base = match &tag {
            Some(tag) => part(tag).clone(),
            None => format!("{}.{}", lead.unwrap_or("0"), follow.unwrap_or("0")),
        };
        let since = tag.as_ref().map(|tag| tag.tag.commit);
        self.used.extend(tag.map(|tag| (tag.name, tag.tag)));
        let input = self.input;
        Ok(match count_commits(&input.place.repository, since, input.before)? {
            0 => base,
            count => format!("{base}.git.{count}.{}", input.short_id(SHORT)),
        })
    }

    /// An entry for each tag, with what the tag says.
    fn changelog(&mut self, scope: Scope, arguments: &MacroArguments) -> Result<String, ExpandError> {
        let name = arguments.get("name").map_or_else(|| self.name_so_far(scope), str::to_owned);
        let tags = self.release_tags(&name);
        let position = |wanted: &str| {
            let found = tags.iter().position(|tag| tag.name == wanted);
            found
                .ok_or_else(|| format!("there is no annotated tag `{wanted}` of `{name}` before this commit"))
        };
        let newest = arguments.get("until_tag").map(position).transpose()?.unwrap_or(0);
        let oldest = match arguments.get("since_tag") {
            Some(tag) => position(tag)?,
            None => tags.len().saturating_sub(1),
        };
        let mut entries = Vec::new();
        for tag in tags.into_iter().take(oldest + 1).skip(newest) {
            let said = self.input.place.repository.tag(tag.tag.id)?;
            let who = format!("{} <{}>", said.tagger.name, said.tagger.email);
            let head = format!("* {} {who} {}-{}", said.tagger.day(), tag.version, tag.release);
            entries.push(escape_percents(&format!("{head}\n{}", said.message.trim())));
            self.used.insert(tag.name, tag.tag);
        }
        Ok(entries.join("\n\n"))
    }

    fn vcs(&self, scope: Scope, arguments: &MacroArguments) -> String {
        let folder = self.folder(scope).to_string_lossy().into_owned();
        let subtree = arguments.get("subtree").map_or(folder, str::to_owned);
        format!("git+{}#{}:{subtree}", self.input.place.address, self.input.place.commit)
    }

    fn pack(&mut self, scope: Scope, arguments: &MacroArguments) -> Result<String, ExpandError> {
        let folder = self.folder(scope).to_owned();
        let below = match arguments.get("path") {
            None => folder.clone(),
            Some(path) => normalize(&folder, Path::new(path))
                .ok_or_else(|| format!("`{path}` leads out of the repository"))?,
        };
        let (own_name, id) = self.packed_name(scope, (&folder, &below))?;
        let top = arguments.get("dir_name").map_or(own_name, str::to_owned);
        let file = arguments.get("source_name").map_or_else(|| format!("{top}-{id}.tar.gz"), str::to_owned);
        for name in [&top, &file] {
            if !is_file_name(name) {
                return Err(format!("`{name}` is no name of a file").into());
            }
        }
        match self.archives.iter().find(|archive| archive.file == file) {
            Some(archive) if (&archive.top, &archive.below) != (&top, &below) => {
                return Err(format!("another `{file}` is packed before: say `source_name=`").into());
            }
            Some(_) => {}
            None => self.archives.push(ArchiveOrder { file: file.clone(), top, below }),
        }
        Ok(file)
    }

    /// What is packed under which name, and the first digits of its commit.
    fn packed_name(
        &self,
        scope: Scope,
        (folder, below): (&Path, &PathBuf),
    ) -> Result<(String, String), ExpandError> {
        let own = || (self.own_name(scope), self.input.short_id(SHORT));
        if below == folder || below.as_os_str().is_empty() {
            return Ok(own());
        }
        let last = below.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self.input.place.entry(below)?.map(|entry| (entry.kind, entry.id)) {
            Some((CommitEntryKind::Folder, _)) => {
                Ok((format!("{}-{last}", self.input.repository_name()), own().1))
            }
            Some((CommitEntryKind::Submodule, id)) if self.input.has_submodules => {
                Ok((last, id.to_string().chars().take(SHORT).collect()))
            }
            Some((CommitEntryKind::Submodule, _)) => {
                Err(format!("`{last}` is a submodule: `submodules=#true` in the manifest takes it in").into())
            }
            Some(_) | None => Err(format!("there is no folder `{}`", below.display()).into()),
        }
    }

    fn setup_macro(&self, scope: Scope, arguments: &MacroArguments) -> String {
        let packed = self.archives.first().map(|archive| archive.top.clone());
        let folder = arguments.get("dir_name").map(str::to_owned).or(packed);
        format!("%setup -T -b 0 -q -n {}", folder.unwrap_or_else(|| self.own_name(scope)))
    }

    fn branch(&self) -> String {
        let reference = self.input.reference.unwrap_or_default();
        reference.strip_prefix("refs/heads/").unwrap_or_default().to_owned()
    }
}

fn split_name(name: &str) -> Option<(Scope, &str)> {
    let rest = name.strip_prefix("git_")?;
    let scopes = [("dir_", Scope::SpecFolder), ("cwd_", Scope::WorkingFolder), ("repo_", Scope::Repository)];
    let scoped = scopes.into_iter().find_map(|(word, scope)| Some((scope, rest.strip_prefix(word)?)));
    Some(scoped.unwrap_or((Scope::Repository, rest)))
}

fn unknown_macro(name: &str) -> String {
    format!("`{name}` is no macro of rpkg's that forge has")
}

/// What a tag says must not become a macro of rpm's.
fn escape_percents(text: &str) -> String {
    text.replace("%%", "%").replace('%', "%%")
}
