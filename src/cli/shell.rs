//! `forge shell`

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use super::Exit;
use super::arguments::{Shell, ShellStage};
use super::context::{CliError, Context, Failure};
use super::image_root::ImageOpener;
use super::named_package::{NamedPackage, Wanted};
use super::planning::runtime;
use super::project::{Project, store};
use super::roots::{RootOpener, root_of};
use super::selection::{is_matched, patterns};
use super::selection_arguments::PackageChoice;
use super::tools_here::{NativeHere, native_engine, read_lock, root_tools, supervisor};
use crate::chroot::OlderMetadata;
use crate::chroot::compose::Farm;
use crate::chroot::making::{BuildWish, LockRule, MadeRoot};
use crate::engine::{
    Engine, Isolation, Job, Root, SHELL_BEGINNING, Settings, environment, surroundings_of_root,
};
use crate::event::BuildName;
use crate::execute::{HeldFolder, ResultRecord, StagingPlace, kept_job, result_folder, unpack_packages};
use crate::files::{EntryKind, Folder, HostPath, RootPath};
use crate::manifest::declaration::ImageDecl;
use crate::manifest::{Chroot, Manifest, RootBase};
use crate::package::Dependency;
use crate::process::{Cancel, Command, Sandbox, Surroundings};
use crate::spec::SectionKind;
use crate::store::History;
use crate::text::suggestion;

/// Reads the beginning of a script, and goes on as what is asked for.
const BEGIN: &str = ". \"$0\"; exec \"$@\"";

/// Opens the shell, or runs a command in its place; gives its exit code.
pub fn run(arguments: &Shell, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let runtime = runtime()?;
    let code = match &arguments.package {
        Some(package) => runtime.block_on(open_tree(package, arguments, &project, context))?,
        None => runtime.block_on(open_clean_root(arguments, &project, context))?,
    };
    Ok(Exit::Program(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Opens a shell where a build failed.
async fn open_tree(
    package: &str,
    arguments: &Shell,
    project: &Project,
    context: &Context,
) -> Result<i32, Failure> {
    let choice = PackageChoice {
        chroot: arguments.chroot.iter().cloned().collect(),
        profile: arguments.profile.clone(),
        ..PackageChoice::default()
    };
    let names = [package.to_owned()];
    let wanted = Wanted { names: &names, choice: &choice, over: &[] };
    let Some(named) = NamedPackage::find(project, wanted, context)?.into_iter().next() else {
        return Ok(0);
    };
    let (build, state) = (named.build, project.state()?);
    let root = named.root;
    let Some(mut job) = kept_job(&state, &build, named.settings, named.limits, &root)? else {
        return Err(CliError::NoTree { build }.into());
    };
    // An apply that builds the package leaves the tree to the shell.
    let held = HeldFolder::hold_tree(&state, &build)?;
    let over = PackagesOver::lay(&arguments.with, &build.chroot, &job.root, project, context)?;
    job.layers.splice(0..0, over.iter().map(|over| over.layer.path().clone()));
    let NativeHere { engine: native, sandbox } =
        native_engine(project.repository.path(), &Arc::new(store(context)?))?;
    let engine = native.in_root(&job.root).await?;
    let section = arguments.stage.map(section).or_else(|| failed_section(&build, project).ok().flatten());
    let section = section.unwrap_or(SectionKind::Build);
    let refused = engine.write_shell_beginning(&job, section, &Cancel::default()).await?;
    if let Some(why) = &refused {
        context.tell(&format!("warning: the environment of %{} is not known: {why}\n", section.word()));
    }
    let beginning = refused.is_none().then(|| job.spec.top.join("tmp").join(SHELL_BEGINNING));
    if arguments.command.is_empty() {
        context.tell(&introduce(&build, section, &job));
    }
    let environment = job.spec.environment();
    let surroundings = job.surroundings();
    let folder = job.mounts.first().map_or_else(HostPath::root, |mount| mount.host.clone());
    let place = ShellPlace { surroundings, sandbox: &sandbox, folder: &folder, environment };
    let code = place.open(&build.to_string(), beginning.as_ref(), &arguments.command, context).await;
    over.map_or(Ok(()), PackagesOver::remove)?;
    held.release()?;
    Ok(code?)
}

/// Opens a shell in a clean root.
async fn open_clean_root(arguments: &Shell, project: &Project, context: &Context) -> Result<i32, Failure> {
    let manifest = project.manifest(&arguments.profile, context)?;
    let wanted: Vec<String> = arguments.chroot.iter().cloned().collect();
    let known = manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
    let patterns = patterns("chroot", "chroots", &wanted, known)?;
    let mut chroots = manifest.chroots.iter();
    let Some(chroot) = chroots.find(|chroot| is_matched(&patterns, &chroot.name.value)) else {
        return Ok(0);
    };
    let name = chroot.name.value.as_str();
    let NativeHere { engine, sandbox } =
        native_engine(project.repository.path(), &Arc::new(store(context)?))?;
    let is_own = |name: &&String| manifest.packages.iter().any(|package| package.name.value == **name);
    let is_of_packages = matches!(chroot.base, RootBase::Repositories(_));
    let (own, others): (Vec<&String>, Vec<&String>) =
        arguments.with.iter().partition(|name| !is_of_packages || is_own(name));
    // Held until the shell has ended, so that no collection takes it.
    let made = match is_of_packages {
        true => Some(make_root(project, &manifest, chroot, (&others, engine, &sandbox, context)).await?),
        false => None,
    };
    let image = match &chroot.base {
        RootBase::Image(image) => Some(compose_image(project, chroot, image, context)?),
        RootBase::Repositories(_) | RootBase::Folder(_) => None,
    };
    let made_layers = made.as_ref().map(|made| made.layers());
    let layers = made_layers.or_else(|| image.as_ref().map(|image| image.layers()));
    let root = layers.map(Root::of_folders);
    let root = root.unwrap_or_else(|| root_of(chroot, &project.repository));
    let own: Vec<String> = own.into_iter().cloned().collect();
    let over = PackagesOver::lay(&own, name, &root, project, context)?;
    let settings =
        Settings { target: chroot.arch.clone(), isolation: Isolation::Sandbox, ..Settings::default() };
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables = environment(&settings).into_iter();
    let mut variables: BTreeMap<String, String> =
        variables.map(|(name, value)| (text(name), text(value))).collect();
    variables.insert("HOME".to_owned(), "/home".to_owned());
    let layers = over.iter().map(|over| over.layer.path().clone()).collect();
    let home = RootPath::root().join("home");
    let surroundings = surroundings_of_root(&settings, &root);
    let surroundings = surroundings.map(|own| Surroundings { layers, folder: home, ..own });
    let folder = project.repository.path();
    let place = ShellPlace { surroundings, sandbox: &sandbox, folder, environment: variables };
    let code = place.open(name, None, &arguments.command, context).await;
    over.map_or(Ok(()), PackagesOver::remove)?;
    Ok(code?)
}

/// Composes the root that an image is.
fn compose_image(
    project: &Project,
    chroot: &Chroot,
    image: &ImageDecl,
    context: &Context,
) -> Result<Arc<Farm>, Failure> {
    let (store, lock) = (store(context)?, read_lock(&project.repository)?);
    let rule = LockRule::MayChange;
    let opener = ImageOpener { repository: &project.repository, store: &store, lock: &lock, rule };
    Ok(opener.compose(chroot, image)?)
}

/// Makes the root of a chroot that consists of packages, with `others` in it.
async fn make_root(
    project: &Project,
    manifest: &Manifest,
    chroot: &Chroot,
    (others, native, sandbox, context): (&[&String], Arc<dyn Engine>, &Arc<dyn Sandbox>, &Context),
) -> Result<Arc<MadeRoot>, Failure> {
    let (store, state, supervisor) = (Arc::new(store(context)?), project.state()?, supervisor()?);
    let lock = read_lock(&project.repository)?;
    let opener = RootOpener {
        manifest,
        repository: &project.repository,
        store: &store,
        state: state.path(),
        supervisor: &supervisor,
        native,
        sandbox: Arc::clone(sandbox),
        lock: &lock,
        rule: LockRule::MayChange,
        given: None,
        older_metadata: OlderMetadata::Refused,
        tools: root_tools(&store, sandbox, (manifest, &Cancel::default()), context)?,
    };
    let wish = BuildWish {
        package: "forge shell --with".to_owned(),
        requires: others.iter().map(|name| Dependency::any(name.as_str())).collect(),
        before: Vec::new(),
        asked_with: Some("`--with`"),
        conflicts: Vec::new(),
    };
    opener.make_root(chroot, &wish)
}

/// Packages that are laid over a shell's root while it is open.
struct PackagesOver {
    held: HeldFolder,
    layer: Folder,
}

impl PackagesOver {
    /// Unpacks packages; nothing where none are wanted.
    fn lay(
        packages: &[String],
        chroot: &str,
        root: &Root,
        project: &Project,
        context: &Context,
    ) -> Result<Option<Self>, Failure> {
        if packages.is_empty() {
            return Ok(None);
        }
        let (held, folder) = HeldFolder::make(&project.state()?)?;
        let layer = folder.create("over").map_err(CliError::Io)?;
        let over = Self { held, layer };
        match over.unpack(packages, chroot, root, (project, context)) {
            Ok(()) => Ok(Some(over)),
            Err(failure) => {
                over.remove()?;
                Err(failure)
            }
        }
    }

    /// Unpacks the newest packages of packages of the manifest.
    fn unpack(
        &self,
        packages: &[String],
        chroot: &str,
        root: &Root,
        (project, context): (&Project, &Context),
    ) -> Result<(), Failure> {
        let (history, store) = (project.history()?, store(context)?);
        let good = history.last_good()?;
        for package in packages {
            let build = BuildName { package: package.clone(), chroot: chroot.to_owned() };
            let result = good.get(&build).and_then(|last| store.result(&last.key));
            let Some(result) = result else {
                let known = good.keys().filter(|known| known.chroot == chroot);
                let help = suggestion(package, "packages", known.map(|known| known.package.as_str()));
                return Err(CliError::NotBuilt { package: build.to_string(), help }.into());
            };
            let binaries = result.files.into_iter().filter(|file| file.package.arch != "src");
            let binaries: Vec<_> = binaries.collect();
            unpack_packages(
                &store,
                &binaries,
                &self.layer,
                StagingPlace { root, isolation: Isolation::Sandbox },
            )?;
        }
        Ok(())
    }

    fn remove(self) -> Result<(), Failure> {
        Ok(self.held.release()?)
    }
}

/// What a shell has around it.
struct ShellPlace<'a> {
    surroundings: Option<Surroundings>,
    sandbox: &'a Arc<dyn Sandbox>,
    /// Where it begins, on the machine.
    folder: &'a HostPath,
    environment: BTreeMap<String, String>,
}

impl ShellPlace<'_> {
    /// Opens it; gives its exit code. `of` is what its prompt says.
    async fn open(
        self,
        of: &str,
        beginning: Option<&RootPath>,
        words: &[OsString],
        context: &Context,
    ) -> Result<i32, crate::process::ProcessError> {
        let Self { surroundings, sandbox, folder, mut environment } = self;
        if let Some(terminal) = context.environment.get("TERM") {
            environment.insert("TERM".to_owned(), terminal.clone());
        }
        environment.insert("PS1".to_owned(), format!("[{of}] \\w \\$ "));
        let shell = shell_of_root(surroundings.as_ref());
        let words: Vec<&OsStr> = match words.is_empty() {
            true => shell.iter().map(OsStr::new).collect(),
            false => words.iter().map(OsString::as_os_str).collect(),
        };
        let command = match beginning {
            None => {
                let mut words = words.into_iter();
                let program = words.next().unwrap_or(OsStr::new("/bin/sh"));
                Command::new(program, folder, environment, Duration::MAX).arguments(words)
            }
            Some(beginning) => Command::new("/bin/sh", folder, environment, Duration::MAX)
                .argument("-c")
                .argument(BEGIN)
                .argument(beginning.as_path())
                .arguments(words),
        };
        let command = match surroundings {
            None => command,
            Some(own) => sandbox.enclose(command, &Surroundings { terminal: true, ..own }),
        };
        command.run_in_terminal().await
    }
}

/// The shell that a person is given, with what makes it one.
fn shell_of_root(surroundings: Option<&Surroundings>) -> Vec<&'static str> {
    let layered = surroundings.and_then(|around| around.root.as_ref());
    let folders = layered.map_or_else(|| vec![HostPath::root()], |root| root.folders.clone());
    let has_bash = |folder: &HostPath| {
        Folder::open_ambient(folder)
            .is_ok_and(|root| ["bin/bash", "usr/bin/bash"].iter().any(|path| root.exists(path)))
    };
    let has_bash = folders.iter().any(has_bash);
    if has_bash { vec!["/bin/bash", "--norc", "--noprofile", "-i"] } else { vec!["/bin/sh", "-i"] }
}

/// The section that a build failed in, as its result says.
fn failed_section(build: &BuildName, project: &Project) -> Result<Option<SectionKind>, Failure> {
    let history: History = project.history()?;
    let Some(row) = history.newest_attempts()?.remove(build) else { return Ok(None) };
    let folder = project.state()?.folder(result_folder(build, row.number)).map_err(CliError::Io)?;
    let mut text = Vec::new();
    folder
        .open_regular("result.json")
        .and_then(|mut file| file.read_to_end(&mut text))
        .map_err(CliError::Io)?;
    let record: Option<ResultRecord> = serde_json::from_slice(&text).ok();
    let stage = record.and_then(|record| record.stages.last().map(|stage| stage.name.clone()));
    let stages = [
        SectionKind::Prep,
        SectionKind::GenerateBuildRequires,
        SectionKind::Conf,
        SectionKind::Build,
        SectionKind::Install,
        SectionKind::Check,
    ];
    Ok(stages.into_iter().find(|section| stage.as_deref() == Some(section.word())))
}

fn section(stage: ShellStage) -> SectionKind {
    match stage {
        ShellStage::Prep => SectionKind::Prep,
        ShellStage::GenerateBuildrequires => SectionKind::GenerateBuildRequires,
        ShellStage::Conf => SectionKind::Conf,
        ShellStage::Build => SectionKind::Build,
        ShellStage::Install => SectionKind::Install,
        ShellStage::Check => SectionKind::Check,
    }
}

/// What somebody should know who comes there.
fn introduce(build: &BuildName, section: SectionKind, job: &Job) -> String {
    let mut words = format!("{build}, as %{} is run; `exit` leaves it\n", section.word());
    let folder = job.mounts.first().and_then(|mount| Folder::open_ambient(&mount.host.join("tmp")).ok());
    let entries = folder.and_then(|folder| folder.entries().ok()).unwrap_or_default();
    let mut scripts = entries.into_iter().filter(|entry| entry.kind == EntryKind::File);
    if let Some(script) = scripts.find(|entry| entry.name.starts_with("rpm-tmp.")) {
        let path = job.spec.top.join("tmp").join(&script.name);
        words += &format!("the script that failed: sh -e {path}\n");
    }
    words
}
