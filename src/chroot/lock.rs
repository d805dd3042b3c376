//! `Rpmforge.lock`: the exact packages of every root, so that it is the same root next year.
//!
//! It is KDL, written by forge alone: a line for each repository and each package, all in order, so that two branches' changes merge.
//! Each package stands once for its chroot; the sets of the minimal root and of the builds name those that are in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kdl::{KdlDocument, KdlNode};
use serde::{Deserialize, Serialize};

use super::{Checksum, LockedPackage};
use crate::digest::{Digest, Encoder};
use crate::text::quote_kdl as quoted;

/// Its name, beside the manifest.
pub const LOCK_FILE: &str = "Rpmforge.lock";

/// The property of a chroot that its repositories are checked by.
const REPOSITORIES: &str = "repositories";

/// How deep its blocks are.
const DEPTH: usize = 2;

/// What it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// By the names of the chroots.
    pub chroots: BTreeMap<String, LockedChroot>,
}

/// What it holds of a chroot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedChroot {
    /// What its image is known by, where it is made from one.
    pub image: Option<Digest>,
    /// The state of its repositories, by name.
    pub repositories: BTreeMap<String, LockedRepository>,
    /// Every package of one of the sets, by NEVRA.
    pub packages: BTreeMap<String, LockedPackage>,
    /// The minimal root.
    pub minimal: Option<LockedSet>,
    /// What builds have beside it, by the names of the packages. Where a build finds out what it needs while it runs
    /// (`%generate_buildrequires`) it has a set for each time that its root was extended, the first without all that.
    pub builds: BTreeMap<String, Vec<LockedSet>>,
}

/// The state of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedRepository {
    /// Where it was read.
    pub url: String,
    /// The checksum of its `repomd.xml`; a folder of packages has none.
    pub repomd: Option<Checksum>,
    /// What `repomd.xml` says of when it was made, in seconds since 1970.
    pub time: u64,
}

/// The packages that something was solved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedSet {
    /// The digest of what was asked.
    pub asked: Digest,
    /// The packages, by NEVRA; of a build, those that it has beside the minimal root.
    pub packages: BTreeSet<String>,
    /// Of a build, packages of the minimal root that it can't have, as others take their places.
    pub without: BTreeSet<String>,
}

/// Why a lock can't be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{LOCK_FILE}:{line}: {problem}")]
#[diagnostic(code(forge::chroot::lock), help("{help}"))]
pub struct LockError {
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
    /// What can be done.
    pub help: String,
}

/// What can be done where a block is wrong.
const HELP: &str = "forge writes this file: take it back from git, or delete the block that is wrong and run `forge apply`, which chooses again what that held and keeps to the rest";

impl LockError {
    /// What is wrong in a line of a block that can be taken out.
    pub fn new(line: usize, problem: String) -> Self {
        Self { line, problem, help: HELP.to_owned() }
    }
}

impl Lock {
    /// Reads it.
    ///
    /// # Errors
    /// It is not what forge writes: a merge went wrong, say.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        Self::parse_renewing(text, |_| false)
    }

    /// As [`Lock::parse`], for who chooses the packages of some chroots anew: where the lines of the repositories are wrong in
    /// one of these, all of them are left out, and nothing is said.
    ///
    /// # Errors
    /// As there.
    pub fn parse_renewing(text: &str, is_renewed: impl Fn(&str) -> bool) -> Result<Self, LockError> {
        if let Some(line) = text.lines().position(is_mark_of_conflict) {
            return Err(LockError::new(line + 1, "two changes were not merged here".to_owned()));
        }
        let reader = LockReader { text };
        reader.check_depth()?;
        let document = KdlDocument::parse(text).map_err(|error| {
            let first = error.diagnostics.first();
            let offset = first.map_or(0, |problem| problem.span.offset());
            let problem = first.and_then(|problem| problem.message.clone());
            reader.error_at(offset, problem.unwrap_or_else(|| "this is no KDL".to_owned()))
        })?;
        let mut lock = Self::default();
        for node in document.nodes() {
            match node.name().value() {
                "rpmforge-lock" if reader.number(node, "version")? == 1 => {}
                "rpmforge-lock" => {
                    return Err(reader.error(node, "this form of it is a newer forge's"));
                }
                "chroot" => {
                    let name = reader.argument(node)?;
                    let mut chroot = reader.read_chroot(node)?;
                    match reader.check_repositories(node, &name, &chroot) {
                        Err(_) if is_renewed(&name) => chroot.repositories.clear(),
                        checked => checked?,
                    }
                    if lock.chroots.insert(name.clone(), chroot).is_some() {
                        return Err(reader.error(node, &format!("chroot `{name}` stands here twice")));
                    }
                }
                // What is locked of sources is read where sources are known.
                "source" => {}
                _ => return Err(reader.error(node, "nothing of that name is known")),
            }
        }
        Ok(lock)
    }

    /// As it is written.
    pub fn to_text(&self) -> String {
        let mut text = "// Written by forge: the exact packages of every root. `forge update` changes it.\n\
                        rpmforge-lock version=1\n"
            .to_owned();
        for (name, chroot) in &self.chroots {
            let holds = match chroot.repositories.is_empty() {
                true => String::new(),
                false => format!(" {REPOSITORIES}={}", quoted(&chroot.digest_of_repositories().to_string())),
            };
            let _ = writeln!(text, "\nchroot {}{holds} {{", quoted(name));
            chroot.write(&mut text);
            text.push_str("}\n");
        }
        text
    }
}

impl LockedChroot {
    /// The packages of a set; nothing where one of them isn't known.
    pub fn packages_of(&self, set: &LockedSet) -> Option<Vec<LockedPackage>> {
        set.packages.iter().map(|nevra| self.packages.get(nevra).cloned()).collect()
    }

    /// Makes a set of packages, and knows them.
    pub fn set(&mut self, asked: Digest, packages: &[LockedPackage]) -> LockedSet {
        self.packages.extend(packages.iter().map(|package| (package.nevra(), package.clone())));
        let packages = packages.iter().map(LockedPackage::nevra).collect();
        LockedSet { asked, packages, without: BTreeSet::new() }
    }

    /// The set of a build that was asked for so.
    pub fn set_of_build(&self, package: &str, asked: &Digest) -> Option<&LockedSet> {
        self.builds.get(package)?.iter().find(|set| set.asked == *asked)
    }

    /// Forgets packages that no set names.
    pub fn forget_unused(&mut self) {
        let sets = self.builds.values().flatten().chain(&self.minimal);
        let used: BTreeSet<&String> = sets.flat_map(|set| &set.packages).collect();
        self.packages.retain(|nevra, _| used.contains(nevra));
    }

    /// The digest of what a set holds: a line that is lost or doubled when changes are merged makes another one.
    fn digest_of(&self, set: &LockedSet) -> Digest {
        let mut encoder = Encoder::new("rpmforge locked set v1");
        encoder.list("packages", set.packages.iter(), |encoder, nevra| {
            let checksum = self.packages.get(nevra).map(|package| package.checksum.to_string());
            encoder.text("package", nevra).option("checksum", checksum.as_deref());
        });
        encoder.list("without", set.without.iter(), |encoder, nevra| {
            encoder.text("package", nevra);
        });
        encoder.digest()
    }

    /// The digest of what is said of the repositories, for the same reason.
    fn digest_of_repositories(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge locked repositories v1");
        encoder.list("repositories", self.repositories.iter(), |encoder, (name, repository)| {
            let LockedRepository { url, repomd, time } = repository;
            let repomd = repomd.as_ref().map(ToString::to_string);
            encoder.text("name", name).text("url", url).option("repomd", repomd.as_deref());
            encoder.text("time", &time.to_string());
        });
        encoder.digest()
    }

    fn write(&self, text: &mut String) {
        if let Some(image) = &self.image {
            let _ = writeln!(text, "    image {}", quoted(&image.to_string()));
        }
        for (name, LockedRepository { url, repomd, time }) in &self.repositories {
            let (name, url) = (quoted(name), quoted(url));
            let repomd = repomd.as_ref().map(|sum| format!(" repomd={}", quoted(&sum.to_string())));
            let _ = writeln!(text, "    repo {name} url={url}{} time={time}", repomd.unwrap_or_default());
        }
        for (nevra, package) in &self.packages {
            let LockedPackage { repository, href, checksum, size, .. } = package;
            let (nevra, repository, href) = (quoted(nevra), quoted(repository), quoted(href));
            let checksum = quoted(&checksum.to_string());
            let _ = writeln!(
                text,
                "    package {nevra} repo={repository} checksum={checksum} size={size} href={href}"
            );
        }
        let sets = self.minimal.iter().map(|set| ("minimal".to_owned(), set));
        let builds = self.builds.iter().flat_map(|(name, sets)| {
            sets.iter().enumerate().map(move |(index, set)| {
                let extended = if index == 0 { String::new() } else { format!(" extended={index}") };
                (format!("build {}{extended}", quoted(name)), set)
            })
        });
        for (head, set) in sets.chain(builds) {
            let LockedSet { asked, packages, without } = set;
            let holds = quoted(&self.digest_of(set).to_string());
            let _ = writeln!(text, "    {head} asked={} holds={holds} {{", quoted(&asked.to_string()));
            for nevra in packages {
                let _ = writeln!(text, "        {}", quoted(nevra));
            }
            for nevra in without {
                let _ = writeln!(text, "        without {}", quoted(nevra));
            }
            text.push_str("    }\n");
        }
    }
}

struct LockReader<'a> {
    text: &'a str,
}

impl LockReader<'_> {
    /// The parser goes down with every block: a file of a thousand would end the process.
    fn check_depth(&self) -> Result<(), LockError> {
        let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
        for (offset, byte) in self.text.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = in_text,
                b'"' => in_text = !in_text,
                b'{' if !in_text => depth += 1,
                b'}' if !in_text => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH {
                return Err(
                    self.error_at(offset, "blocks are nested deeper than forge writes them".to_owned())
                );
            }
        }
        Ok(())
    }

    fn read_chroot(&self, node: &KdlNode) -> Result<LockedChroot, LockError> {
        let mut chroot = LockedChroot::default();
        let mut sets = Vec::new();
        for node in nodes(node) {
            match node.name().value() {
                "image" => {
                    let image = self.argument(node)?.parse();
                    let image = image.map_err(|_| self.error(node, "this is no digest of an image"))?;
                    chroot.image = Some(image);
                }
                "repo" => {
                    let repository = LockedRepository {
                        url: self.text(node, "url")?,
                        repomd: node.entry("repomd").map(|_| self.checksum(node, "repomd")).transpose()?,
                        time: self.number(node, "time")?,
                    };
                    chroot.repositories.insert(self.argument(node)?, repository);
                }
                "package" => {
                    let package = self.read_package(node)?;
                    chroot.packages.insert(package.nevra(), package);
                }
                "minimal" => {
                    let set = self.read_set(node)?;
                    sets.push((node, set.clone()));
                    if chroot.minimal.replace(set).is_some() {
                        return Err(self.error(node, "the minimal root stands here twice"));
                    }
                }
                "build" => {
                    let set = self.read_set(node)?;
                    sets.push((node, set.clone()));
                    let of_build = chroot.builds.entry(self.argument(node)?).or_default();
                    let number = node.entry("extended").map_or(Ok(0), |_| self.number(node, "extended"))?;
                    if u64::try_from(of_build.len()).ok() != Some(number) {
                        return Err(self.error(node, "a set of this build is missing, or stands here twice"));
                    }
                    of_build.push(set);
                }
                _ => return Err(self.error(node, "nothing of that name is known")),
            }
        }
        sets.iter().try_for_each(|(node, set)| self.check_set(&chroot, node, set))?;
        Ok(chroot)
    }

    /// Refuses a set that doesn't hold what was chosen.
    fn check_set(&self, chroot: &LockedChroot, node: &KdlNode, set: &LockedSet) -> Result<(), LockError> {
        if let Some(nevra) = set.packages.iter().find(|nevra| !chroot.packages.contains_key(*nevra)) {
            return Err(self.error(node, &format!("no line says what `{nevra}` is")));
        }
        match self.text(node, "holds")? == chroot.digest_of(set).to_string() {
            true => Ok(()),
            false => {
                Err(self
                    .error(node, "this block holds other packages than were chosen: was it merged badly?"))
            }
        }
    }

    /// Refuses a chroot whose repositories are not those that were locked. One that an earlier forge has locked has no digest
    /// of them, and its packages name those that must be there.
    fn check_repositories(&self, node: &KdlNode, name: &str, chroot: &LockedChroot) -> Result<(), LockError> {
        let refused = |node: &KdlNode, problem: String| LockError {
            help: format!(
                "`forge update {name}` locks its repositories and packages anew; or take the file back from git"
            ),
            ..self.error(node, &problem)
        };
        let mut lines = BTreeSet::new();
        for line in nodes(node).iter().filter(|line| line.name().value() == "repo") {
            let repository = self.argument(line)?;
            if !lines.insert(repository.clone()) {
                return Err(refused(
                    line,
                    format!("repository `{repository}` of chroot `{name}` stands here twice"),
                ));
            }
        }
        let is_of_package = |line: &&KdlNode| line.name().value() == "package";
        for line in nodes(node).iter().filter(is_of_package) {
            let repository = self.text(line, "repo")?;
            if !chroot.repositories.contains_key(&repository) {
                let problem = format!("no line of chroot `{name}` says what repository `{repository}` is");
                return Err(refused(line, problem));
            }
        }
        let Some(holds) = node.get(REPOSITORIES) else { return Ok(()) };
        match holds.as_string() == Some(chroot.digest_of_repositories().to_string().as_str()) {
            true => Ok(()),
            false => Err(refused(
                node,
                format!(
                    "the repositories of chroot `{name}` are not those that were locked: was a line lost when changes were merged?"
                ),
            )),
        }
    }

    fn read_package(&self, node: &KdlNode) -> Result<LockedPackage, LockError> {
        let nevra = self.argument(node)?;
        let parts = nevra.rsplit_once('.').and_then(|(rest, arch)| {
            let mut parts = rest.rsplitn(3, '-');
            let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
            Some((name.to_owned(), format!("{version}-{release}"), arch.to_owned()))
        });
        let no_nevra = || self.error(node, "this is no `name-[epoch:]version-release.arch`");
        let (name, evr, arch) = parts.ok_or_else(no_nevra)?;
        Ok(LockedPackage {
            name,
            evr,
            arch,
            repository: self.text(node, "repo")?,
            href: self.text(node, "href")?,
            checksum: self.checksum(node, "checksum")?,
            size: self.number(node, "size")?,
        })
    }

    fn read_set(&self, node: &KdlNode) -> Result<LockedSet, LockError> {
        let asked = self.text(node, "asked")?;
        let asked = asked.parse().map_err(|_| self.error(node, "`asked` is no digest"))?;
        let (mut packages, mut without) = (BTreeSet::new(), BTreeSet::new());
        for node in nodes(node) {
            match node.name().value() {
                "without" => drop(without.insert(self.argument(node)?)),
                nevra => drop(packages.insert(nevra.to_owned())),
            }
        }
        Ok(LockedSet { asked, packages, without })
    }

    fn argument(&self, node: &KdlNode) -> Result<String, LockError> {
        let text = node.get(0).and_then(|value| value.as_string());
        text.map(str::to_owned).ok_or_else(|| self.error(node, "a name is missing"))
    }

    fn text(&self, node: &KdlNode, name: &str) -> Result<String, LockError> {
        let text = node.get(name).and_then(|value| value.as_string());
        text.map(str::to_owned).ok_or_else(|| self.error(node, &format!("`{name}` is missing")))
    }

    fn number(&self, node: &KdlNode, name: &str) -> Result<u64, LockError> {
        let number = node.get(name).and_then(|value| u64::try_from(value.as_integer()?).ok());
        number.ok_or_else(|| self.error(node, &format!("`{name}` is missing")))
    }

    fn checksum(&self, node: &KdlNode, name: &str) -> Result<Checksum, LockError> {
        self.text(node, name)?.parse().map_err(|error| self.error(node, &format!("{error}")))
    }

    fn error(&self, node: &KdlNode, problem: &str) -> LockError {
        self.error_at(node.span().offset(), problem.to_owned())
    }

    fn error_at(&self, offset: usize, problem: String) -> LockError {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        LockError::new(line, problem)
    }
}

fn nodes(node: &KdlNode) -> &[KdlNode] {
    node.children().map(KdlDocument::nodes).unwrap_or_default()
}

fn is_mark_of_conflict(line: &str) -> bool {
    ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, arch: &str) -> LockedPackage {
        LockedPackage {
            name: name.to_owned(),
            evr: "2:1.0~rc1-3.el9".to_owned(),
            arch: arch.to_owned(),
            repository: "base \"9\"".to_owned(),
            href: format!("Packages/{name}.rpm"),
            checksum: Checksum::new("sha256", &"ab".repeat(32)).unwrap(),
            size: 12345,
        }
    }

    fn lock() -> Lock {
        let repository = LockedRepository {
            url: "https://example.org/9/\\x".to_owned(),
            repomd: Some(Checksum::new("sha512", &"01".repeat(64)).unwrap()),
            time: 1_795_000_000,
        };
        let mut chroot = LockedChroot { image: Some(Digest::compute(b"i")), ..LockedChroot::default() };
        chroot.repositories.insert("base \"9\"".to_owned(), repository);
        let minimal =
            chroot.set(Digest::compute(b"a"), &[package("gcc-c++", "x86_64"), package("bash", "x86_64")]);
        chroot.minimal = Some(minimal);
        let mut build = chroot.set(Digest::compute(b"b"), &[package("zlib-devel", "i686")]);
        build.without.insert("bash-2:1.0~rc1-3.el9.x86_64".to_owned());
        let extended =
            chroot.set(Digest::compute(b"c"), &[package("zlib-devel", "i686"), package("m4", "noarch")]);
        chroot.builds.insert("hello".to_owned(), vec![build, extended]);
        Lock { chroots: BTreeMap::from([("el9".to_owned(), chroot)]) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = lock().to_text();
        assert_eq!(Lock::parse(&text).unwrap(), lock());
        assert_eq!(Lock::parse(&text).unwrap().to_text(), text);
    }

    #[test]
    fn a_set_knows_its_packages_and_unused_ones_are_forgotten() {
        let mut chroot = lock().chroots.remove("el9").unwrap();
        assert_eq!(chroot.set_of_build("hello", &Digest::compute(b"x")), None);
        let set = chroot.set_of_build("hello", &Digest::compute(b"b")).unwrap().clone();
        assert_eq!(chroot.packages_of(&set).unwrap(), [package("zlib-devel", "i686")]);
        chroot.builds.clear();
        chroot.forget_unused();
        assert_eq!(chroot.packages_of(&set), None);
        assert_eq!(chroot.packages.len(), 2);
    }

    #[test]
    fn a_line_of_a_repository_that_is_lost_changed_or_doubled_is_told_but_to_who_renews_the_chroot() {
        let mut lock = lock();
        let chroot = lock.chroots.get_mut("el9").unwrap();
        // No package is of it.
        let unused = LockedRepository { time: 1, ..chroot.repositories.values().next().unwrap().clone() };
        chroot.repositories.insert("updates".to_owned(), unused);
        let text = lock.to_text();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("    repo ")).collect();
        let [used, unused] = lines[..] else { panic!("{text}") };
        let of_digest = format!(" repositories=\"{}\"", lock.chroots["el9"].digest_of_repositories());
        let both = format!("chroot \"el9\"{of_digest} {{");
        assert!(text.contains(&both), "{text}");
        let wrong = [
            (text.replace(&format!("{unused}\n"), ""), "4: the repositories of chroot `el9` are not those"),
            (text.replace("time=1\n", "time=2\n"), "4: the repositories of chroot `el9` are not those"),
            (
                text.replace(unused, &format!("{unused}\n{unused}")),
                "8: repository `updates` of chroot `el9` stands",
            ),
            (text.replace(&format!("{used}\n"), ""), "7: no line of chroot `el9` says what repository `base"),
            // As an earlier forge has written it.
            (
                text.replace(&format!("{used}\n"), "").replace(&of_digest, ""),
                "7: no line of chroot `el9` says",
            ),
        ];
        for (text, words) in wrong {
            let error = Lock::parse(&text).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert!(error.help.contains("`forge update el9`"), "{}", error.help);
            assert!(Lock::parse_renewing(&text, |name| name == "el8").is_err());
            let renewed = Lock::parse_renewing(&text, |name| name == "el9").unwrap();
            let renewed = &renewed.chroots["el9"];
            assert!(renewed.repositories.is_empty() && renewed.packages == lock.chroots["el9"].packages);
        }
        assert_eq!(Lock::parse(&text.replace(&of_digest, "")).unwrap(), lock);
        let doubled = text.replacen("rpmforge-lock version=1\n", "", 1);
        let error = Lock::parse(&format!("{text}{doubled}")).unwrap_err();
        assert!(error.to_string().contains("chroot `el9` stands here twice"), "{error}");
    }

    #[test]
    fn a_lock_that_is_wrong_says_where() {
        let text = lock().to_text();
        let errors = [
            (text.replace("size=12345 href=\"Packages/bash.rpm\"", "href=\"x\""), "7: `size` is missing"),
            (text.replace("version=1\n", "version=2\n"), "2: this form of it is a newer forge's"),
            (format!("<<<<<<< HEAD\n{text}"), "1: two changes were not merged here"),
            (text.replace("sha256:abab", "md5:abab"), "no SHA-224"),
            (text.replace("        \"zlib-devel", "        \"zlib"), "no line says what `zlib-"),
            (
                text.replace("        \"bash-2:1.0~rc1-3.el9.x86_64\"\n", ""),
                "11: this block holds other packages",
            ),
            (text.replace("sha256:abab", "sha256:acab"), "11: this block holds other packages"),
            (text.replace("        without \"bash-2:1.0~rc1-3.el9.x86_64\"\n", ""), "this block holds other"),
            (text.replace(" holds=", " held="), "`holds` is missing"),
            (text.replace(" extended=1", ""), "a set of this build is missing, or stands here twice"),
            (text.replace("    repo \"base", "    rep \"base"), "nothing of that name is known"),
            ("chroot a { ".repeat(1000), "nested deeper"),
            (text.replace("chroot \"el9\" ", "chroot \"el9 "), ""),
        ];
        for (text, words) in errors {
            let error = Lock::parse(&text).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }
}
