//! Binary packages, worked out: their files, what those are, and what they depend on.

use std::sync::Mutex;

use bstr::{BString, ByteSlice};

use super::classify::{Class, Classifier, Question};
use super::depend::{
    ClassifiedFiles, FileAttribute, add_file_dependencies, feature_of_compression, feature_of_hard_links,
    features_of_dependencies, features_of_files, list_dependencies, read_attributes, report_files,
};
use super::files::{Contents, MOST_KEPT, PackagedFile, find_files, read_contents};
use super::package_draft::PackageDraft;
use super::problem::BuildProblem;
use super::settings::Settings;
use super::times::Times;
use super::workspace::Workspace;
use super::world::World;
use super::write::{set_classes, set_file_dependencies, set_files, set_scripts, start_packing};
use crate::macros::Stop;
use crate::package::{Format, Header, Tag, Value};
use crate::spec::{DependencyKind, Package, Spec, add_dependencies};

/// Public keys that a package carries.
const PUBLIC_KEYS: Tag = Tag::PUBKEYS;

/// Works out the binary packages of a build, one after the other.
pub(super) struct Packager<'b> {
    world: World<'b>,
    workspace: &'b Workspace,
    /// Whether what is found out of each file is told.
    reports_files: bool,
    /// How many bytes of small files may still be kept until they are written.
    room: u64,
}

impl<'b> Packager<'b> {
    /// A packager of what a build has installed.
    pub(super) fn new(world: World<'b>, workspace: &'b Workspace, reports_files: bool) -> Self {
        Self { world, workspace, reports_files, room: MOST_KEPT }
    }

    /// Works a package out. The first one reads the settings of all.
    pub(super) fn draft_package(
        &mut self,
        spec: &Spec,
        package: &Package,
        settings: &mut Option<Settings>,
    ) -> Result<PackageDraft, Stop> {
        let (world, workspace) = (self.world, self.workspace);
        let mut header = spec.binary_header(package);
        world.begin_stage("files");
        world.notice(format!("Processing files: {}", full_name(&header)));
        let settings = Settings::read_once(world, settings)?;
        if package.files.is_some() {
            Times::check_policy(world);
        }

        let mut found = find_files(world, workspace, package, &header, &settings.times)?;
        let root = workspace.root.open(self.world.files).filter(|_| !found.files.is_empty());
        let contents = match root {
            Some(root) => read_contents(world, &root, &mut found.files, settings.digests(false))?,
            None => Contents::default(),
        };
        let packing = start_packing(&found.files, &contents, settings);
        set_scripts(world, workspace, package, &mut header)?;
        if !found.keys.is_empty() {
            header.set(PUBLIC_KEYS, Value::Texts(std::mem::take(&mut found.keys)));
        }

        let files = &found.files;
        let attributes = read_attributes(world);
        let needs_mime = settings.format == Format::V6 || attributes.iter().any(FileAttribute::uses_mime);
        let question = if needs_mime { Question::DescriptionAndType } else { Question::Description };
        let classifier = Classifier::new(world, &workspace.root, question, settings.threads);
        let classes = classifier.classify_files(files, &contents);
        let contents = contents.limit_to(&mut self.room);
        attributes.iter().for_each(|attribute| attribute.tell_given_up(world));

        let mut features = features_of_files(files, settings, false);
        features.extend(feature_of_hard_links(settings.format).filter(|_| found.has_hard_links));
        add_dependencies(&mut header, DependencyKind::Requires, features);
        let checked = check_architecture(world, &header, files, &classes);
        let root = &workspace.root;
        let classified = ClassifiedFiles { root, files, classes: &classes, attributes: &attributes };
        let generated = add_file_dependencies(world, package, &mut header, &classified, settings)
            .inspect_err(|Stop| list_dependencies(world, &header))?;
        set_files(&mut header, files, settings, false);
        set_classes(&mut header, &classes, settings.format);
        // Files point at places among the dependencies that are known by now, as with rpm; the next ones move some of them.
        set_file_dependencies(&mut header, files, &generated);
        if !files.is_empty() {
            list_dependencies(world, &header);
        }
        let mut features = features_of_dependencies(&header, false);
        features.extend(feature_of_compression(settings.payload(false)));
        add_dependencies(&mut header, DependencyKind::Requires, features);
        if self.reports_files && !files.is_empty() {
            world.detail(report_files(&classified, &generated));
        }
        checked?;
        Ok(PackageDraft {
            header,
            files: found.files,
            is_source: false,
            handled: found.handled,
            excluded: found.excluded,
            contents,
            packing: Mutex::new(packing),
        })
    }
}

/// `name-version-release.arch`, as rpm's messages have it.
fn full_name(header: &Header) -> String {
    let text = |tag| header.text(tag).unwrap_or_default().to_str_lossy();
    format!("{}-{}.{}", text(Tag::NAME), header.version_release(), text(Tag::ARCH))
}

/// Checks that no program is of another architecture than its package: none has a place in one for all of them.
fn check_architecture(
    world: World<'_>,
    header: &Header,
    files: &[PackagedFile],
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
    let colored = files.iter().zip(classes).filter(|(_, class)| is_odd(class.color));
    let wrong: Vec<BString> = colored
        .map(|(entry, class)| {
            let words: Vec<&[u8]> = class.description.split(|byte| *byte == b' ').take(2).collect();
            [entry.path.as_slice(), b" (", &words.join(b" ".as_slice()), b")"].concat().into()
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    if !is_noarch {
        world.tell(BuildProblem::BinariesOfOtherArch { package: full_name(header), files: wrong });
        return Ok(());
    }
    let is_error = world.is_on("_binaries_in_noarch_packages_terminate_build");
    world.tell(BuildProblem::BinariesInNoarch { package: full_name(header), files: wrong, is_error });
    if is_error { Err(Stop) } else { Ok(()) }
}
