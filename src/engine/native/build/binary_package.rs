//! Binary packages, worked out: their files, what those are, what they depend on.

use bstr::{BString, ByteSlice};

use super::ahead::{self, Packing};
use super::assemble;
use super::attributes::{self, FileAttribute};
use super::classify::{self, Class, Wants};
use super::debuginfo;
use super::digests::{self, Contents};
use super::external;
use super::files::{self, PackagedFile};
use super::generators::{self, ClassifiedFiles, Generated, Looks};
use super::problem::BuildProblem;
use super::settings::Settings;
use super::shown;
use super::times::Times;
use super::workspace::Workspace;
use super::world::World;
use crate::files::Folder;
use crate::macros::Stop;
use crate::package::{Format, Header, Tag, Value};
use crate::spec::{DependencyKind, DependencyRow, Package, Spec, add_dependencies};

/// A package that can be written.
pub(super) struct Assembled {
    pub(super) header: Header,
    pub(super) entries: Vec<PackagedFile>,
    pub(super) is_source: bool,
    /// Paths of the buildroot that are dealt with.
    pub(super) handled: Vec<BString>,
    /// Files that were listed to be left out.
    pub(super) excluded: Vec<BString>,
    /// What small files hold, where it was kept.
    pub(super) contents: Contents,
    /// Its payload, where it is packed already, or nearly.
    pub(super) packed: Option<Packing>,
}

/// What rpm tells of the dependencies of a package: a word, the kind, and the bits that count, if not all do.
pub(super) const TOLD: [(&str, DependencyKind, Option<u32>); 20] = {
    use DependencyKind as K;
    [
        ("Provides", K::Provides, None),
        ("Requires(interp)", K::Requires, Some(1 << 8)),
        ("Requires(rpmlib)", K::Requires, Some(1 << 24)),
        ("Requires(verify)", K::Requires, Some(1 << 13)),
        ("Requires(pre)", K::Requires, Some(1 << 9)),
        ("Requires(post)", K::Requires, Some(1 << 10)),
        ("Requires(preun)", K::Requires, Some(1 << 11)),
        ("Requires(postun)", K::Requires, Some(1 << 12)),
        ("Requires(pretrans)", K::Requires, Some(1 << 7)),
        ("Requires(posttrans)", K::Requires, Some(1 << 5)),
        ("Requires(preuntrans)", K::Requires, Some(1 << 20)),
        ("Requires(postuntrans)", K::Requires, Some(1 << 21)),
        ("Requires", K::Requires, Some(1 << 14)),
        ("Conflicts", K::Conflicts, None),
        ("Obsoletes", K::Obsoletes, None),
        ("Recommends", K::Recommends, None),
        ("Suggests", K::Suggests, None),
        ("Supplements", K::Supplements, None),
        ("Enhances", K::Enhances, None),
        ("OrderWithRequires", K::OrderWithRequires, None),
    ]
};

/// Public keys that a package carries.
const PUBLIC_KEYS: Tag = Tag::known("PUBKEYS");

/// The bit of dependencies on configuration files.
const CONFIG: u32 = 1 << 28;

/// Works a package out. What its small files hold is kept as far as there is `room` for so many bytes.
pub(super) fn assemble(
    world: World<'_>,
    workspace: &Workspace,
    spec: &Spec,
    package: &Package,
    settings: &mut Option<Settings>,
    is_shown: bool,
    room: &mut u64,
) -> Result<Assembled, Stop> {
    let mut header = spec.binary_header(package);
    let name = full_name(&header);
    world.begin_stage("files");
    world.notice(format!("Processing files: {name}"));
    let is_noarch = header.text(Tag::ARCH).is_some_and(|arch| arch == "noarch");
    let links = files::Links { is_on: debuginfo::is_on(world) && !is_noarch };
    let settings = match settings {
        Some(settings) => settings,
        none => none.insert(Settings::of(world)?),
    };
    if package.files.is_some() {
        Times::doubt_policy(world);
    }
    let mut files = files::of(world, workspace, package, &header, &settings.times, links)?;
    let mut contents = Contents::default();
    if let Some(root) = Folder::open_ambient(&workspace.root).ok().filter(|_| !files.entries.is_empty()) {
        contents = digests::set(world, &root, &mut files.entries, settings.digests(false))?;
    }
    let packed = ahead::pack(&files.entries, &contents, settings);
    super::scripts::set(world, workspace, package, &mut header)?;
    if !files.keys.is_empty() {
        header.set(PUBLIC_KEYS, Value::Texts(std::mem::take(&mut files.keys)));
    }
    let entries = &files.entries;
    let attributes = attributes::all(world);
    let needs_mime = settings.format == Format::V6 || attributes.iter().any(FileAttribute::uses_mime);
    let wants = if needs_mime { Wants::MimeToo } else { Wants::Description };
    let classes = classify::classify(world, workspace, entries, &contents, settings.threads, wants);
    let contents = contents.within(room);
    attributes.iter().for_each(|attribute| attribute.tell_given_up(world));
    let features = assemble::features(entries, settings, false);
    add_dependencies(&mut header, DependencyKind::Requires, features);
    let wrong = binaries_in_noarch(world, &header, &name, entries, &classes);
    let found = ClassifiedFiles { entries, classes: &classes, attributes: &attributes };
    let generated = dependencies(world, workspace, package, &mut header, &found, settings);
    if generated.is_err() {
        tell_dependencies(world, &header);
    }
    let generated = generated?;
    assemble::set_files(&mut header, entries, settings, false);
    assemble::set_classes(&mut header, &classes, settings.format);
    // Files point at places among the dependencies that are known by now, as with rpm; the next ones move some of them.
    assemble::set_generated(&mut header, entries, &generated);
    if !entries.is_empty() {
        tell_dependencies(world, &header);
    }
    let mut features = assemble::of_dependencies(&header, false);
    features.extend(assemble::compression_feature(settings.payload(false)));
    add_dependencies(&mut header, DependencyKind::Requires, features);
    if is_shown && !entries.is_empty() {
        world.detail(shown::text(workspace, &found, &generated));
    }
    wrong?;
    Ok(Assembled {
        header,
        entries: files.entries,
        is_source: false,
        handled: files.handled,
        excluded: files.excluded,
        contents,
        packed,
    })
}

/// `name-version-release.arch`, as rpm's messages have it.
pub(super) fn full_name(header: &Header) -> String {
    let text = |tag| header.text(tag).unwrap_or_default().to_str_lossy();
    format!("{}-{}.{}", text(Tag::NAME), header.version_release(), text(Tag::ARCH))
}

/// Adds all dependencies that files make.
fn dependencies(
    world: World<'_>,
    workspace: &Workspace,
    package: &Package,
    header: &mut Header,
    found: &ClassifiedFiles<'_>,
    settings: &Settings,
) -> Result<Vec<Generated>, Stop> {
    let looks = Looks { for_provides: package.finds_provides, for_requires: package.finds_requires };
    if assemble::has_config(found.entries) {
        let name: BString = [b"config(".as_slice(), &package.name, b")"].concat().into();
        let config = DependencyRow { flags: CONFIG | 8, ..DependencyRow::equal(name, header.evr()) };
        if looks.for_provides {
            add_dependencies(header, DependencyKind::Provides, [config.clone()]);
        }
        if looks.for_requires {
            add_dependencies(header, DependencyKind::Requires, [config]);
        }
    }
    let kind = if world.is_on("_use_weak_usergroup_deps") {
        DependencyKind::Recommends
    } else {
        DependencyKind::Requires
    };
    if looks.for_requires {
        add_dependencies(header, kind, assemble::owners(found.entries));
    }
    if found.entries.is_empty() {
        return Ok(Vec::new());
    }
    if !world.is_on("_use_internal_dependency_generator") {
        external::find(world, workspace, header, looks, (found.entries, settings.format))?;
        return Ok(Vec::new());
    }
    let generated = generators::generate(world, workspace, header, looks, found, settings.threads)?;
    assemble::add_generated(header, &generated);
    Ok(generated)
}

fn tell_dependencies(world: World<'_>, header: &Header) {
    for (word, kind, bits) in TOLD {
        let rows = DependencyRow::in_header(header, kind);
        let told: Vec<String> = rows
            .iter()
            .filter(|row| bits.is_none_or(|bits| row.flags & bits != 0))
            .map(ToString::to_string)
            .collect();
        if !told.is_empty() {
            world.notice(format!("{word}: {}", told.join(" ")));
        }
    }
}

/// Programs of an architecture have no place in a package for all of them.
fn binaries_in_noarch(
    world: World<'_>,
    header: &Header,
    name: &str,
    entries: &[PackagedFile],
    classes: &[Class],
) -> Result<(), Stop> {
    let is_noarch = header.text(Tag::ARCH).is_some_and(|arch| arch == "noarch");
    let own_color = match world.setting("__isa_bits").as_str() {
        _ if is_noarch => 0,
        "32" => 1,
        "64" => 2,
        _ => return Ok(()),
    };
    // One that fits makes the others libraries for other programs (rpm's `rpmfcCheckPackageColor`).
    let all = classes.iter().fold(0, |all, class| all | class.color);
    if !is_noarch && all & own_color != 0 {
        return Ok(());
    }
    let is_odd = |color: u32| color != 0 && color != own_color;
    let colored = entries.iter().zip(classes).filter(|(_, class)| is_odd(class.color));
    let files: Vec<BString> = colored
        .map(|(entry, class)| {
            let words: Vec<&[u8]> = class.description.split(|byte| *byte == b' ').take(2).collect();
            [entry.path.as_slice(), b" (", &words.join(b" ".as_slice()), b")"].concat().into()
        })
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    if !is_noarch {
        world.tell(BuildProblem::BinariesOfOtherArch { package: name.to_owned(), files });
        return Ok(());
    }
    let is_error = world.is_on("_binaries_in_noarch_packages_terminate_build");
    world.tell(BuildProblem::BinariesInNoarch { package: name.to_owned(), files, is_error });
    if is_error { Err(Stop) } else { Ok(()) }
}
