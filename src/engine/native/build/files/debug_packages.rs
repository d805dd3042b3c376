//! Debug information of sub-packages in packages of its own (`%_debuginfo_subpackages`), and what packages of debug
//! information want of each other (rpmbuild-config(5), "Debuginfo").

use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};

use super::super::build_root::BuildRoot;
use super::super::package_draft::PackageDraft;
use super::super::problem::BuildProblem;
use super::super::workspace::Workspace;
use super::super::world::World;
use crate::files::Folder;
use crate::macros::Stop;
use crate::package::{Capability, Comparison, Header, Tag, Value};
use crate::spec::{Declared, Dependency, DependencyKind, FileLine, FileList, Package, Place, Spec};

const FOLDER: &str = "/usr/lib/debug";
const SOURCES: &str = "/usr/src/debug";
const SHARED: &str = "/usr/lib/debug/.dwz";
const END: &[u8] = b".debug";

/// What files of debug information are, whatever the disk says.
const DEFAULTS: &str = "%defattr(644,root,root,755)";

/// Where packages of debug information stand in a spec whose packages are worked out one by one.
pub(crate) struct DebugPackages<'d> {
    world: World<'d>,
    root: Option<Folder>,
    /// The package of the main package's, until all that are not of debug information are done; all others follow it.
    main: Option<BString>,
    sources: Option<(BString, BString)>,
    /// What is put before the end of the name of debug information.
    unique: BString,
    /// The package that all later ones require: it has what they share.
    shared: Option<BString>,
}

impl<'d> DebugPackages<'d> {
    /// Finds them; where each package is to have its own, the one that there is goes last, and without its files.
    pub(crate) fn begin(world: World<'d>, workspace: &Workspace, spec: &mut Spec) -> Result<Self, Stop> {
        let root = workspace.root.open(world.files);
        let mut found =
            Self { world, root, main: None, sources: None, unique: BString::default(), shared: None };
        let Some(name) =
            spec.main().map(|main| main.name.clone()).filter(|_| packages_debug_information(world))
        else {
            return Ok(found);
        };
        let index_of = |spec: &Spec, end: &str| {
            let wanted = [name.as_slice(), end.as_bytes()].concat();
            spec.packages.iter().position(|package| package.name == wanted && package.is_built())
        };
        let sources = index_of(spec, "-debugsource").and_then(|index| spec.packages.get(index));
        found.sources = sources.map(|package| (package.name.clone(), package.header.evr()));
        let Some(index) = index_of(spec, "-debuginfo") else {
            return Ok(found);
        };
        if !world.is_on("_debuginfo_subpackages") {
            if let Some(package) = spec.packages.get_mut(index) {
                found.recommend_sources(package)?;
            }
            return Ok(found);
        }
        let mut main = spec.packages.remove(index);
        main.files = None;
        found.main = Some(main.name.clone());
        spec.packages.push(main);
        if world.is_on("_unique_debug_names") {
            found.unique = world.expand("-%{VERSION}-%{RELEASE}.%{_arch}")?.into();
        }
        Ok(found)
    }

    /// Adds to a package of debug information, before it is worked out, what it shares with the others or needs of them.
    pub(crate) fn prepare_package(&mut self, spec: &mut Spec, index: usize) -> Result<(), Stop> {
        let Some(name) = spec.packages.get(index).map(|package| package.name.clone()) else {
            return Ok(());
        };
        if self.main.take_if(|main| *main == name).is_some() {
            self.add_shared(spec, index)?;
        }
        if self.main.is_some() || self.shared.as_ref().is_none_or(|shared| *shared == name) {
            return Ok(());
        }
        let shared = spec.packages.iter().find(|package| Some(&package.name) == self.shared.as_ref());
        let wanted = shared.map(|package| (package.name.clone(), package.header.evr()));
        if let (Some(wanted), Some(package)) = (wanted, spec.packages.get_mut(index)) {
            self.depend(package, DependencyKind::Requires, &wanted)?;
        }
        Ok(())
    }

    /// What all share goes into the one package of debug information, or else into the main package's.
    fn add_shared(&mut self, spec: &mut Spec, main: usize) -> Result<(), Stop> {
        let is_only_one = spec.packages.get(main).is_some_and(|package| package.files.is_none())
            && spec.packages.len() == main + 2;
        let index = if is_only_one { main + 1 } else { main };
        let mut lines = Vec::new();
        if self.root.as_ref().is_some_and(|root| root.is_folder(BuildRoot::relative(SHARED.as_bytes()))) {
            lines.push(format!("%dir %artifact {FOLDER}"));
            lines.push(format!("%artifact {SHARED}"));
        }
        if !self.world.is_on("_debugsource_packages") {
            let folder = self
                .root
                .as_ref()
                .and_then(|root| root.dir().read_dir(BuildRoot::relative(SOURCES.as_bytes())).ok());
            let names = folder.into_iter().flatten().flatten().map(|entry| entry.file_name());
            let mut names: Vec<_> =
                names.map(|name| format!("{SOURCES}/{}", name.to_string_lossy())).collect();
            names.sort();
            lines.append(&mut names);
        }
        let Some(package) = spec.packages.get_mut(index) else {
            return Ok(());
        };
        if !lines.is_empty() {
            self.shared = Some(package.name.clone());
            if package.files.is_none() {
                lines.insert(0, DEFAULTS.to_owned());
            } else {
                lines.retain(|line| !line.starts_with("%dir"));
            }
            add_lines(package, lines.into_iter().map(BString::from));
        }
        self.recommend_sources(package)
    }

    fn recommend_sources(&self, package: &mut Package) -> Result<(), Stop> {
        match &self.sources {
            Some(sources) => self.depend(package, DependencyKind::Recommends, sources),
            None => Ok(()),
        }
    }

    /// Adds a package for the debug information of a package that was worked out.
    pub(crate) fn add_package_for(
        &self,
        spec: &mut Spec,
        index: usize,
        draft: &PackageDraft,
    ) -> Result<(), Stop> {
        let is_noarch = draft.header.text(Tag::ARCH).is_some_and(|arch| arch == "noarch");
        let (Some(main), false) = (&self.main, is_noarch) else {
            return Ok(());
        };
        let lines = self.list_files(draft);
        let main_index = spec.packages.iter().position(|package| package.name == *main);
        let (Some(main_index), false) = (main_index, lines.is_empty()) else {
            return Ok(());
        };
        if index == 0 {
            if let Some(package) = spec.packages.get_mut(main_index) {
                add_lines(package, lines);
            }
            return Ok(());
        }
        let (Some(of), Some(main)) = (spec.packages.get(index), spec.packages.get(main_index)) else {
            return Ok(());
        };
        let name: BString = [of.name.as_slice(), b"-debuginfo"].concat().into();
        let recommended = self.sources.clone().unwrap_or_else(|| (main.name.clone(), main.header.evr()));
        let known = spec.packages.iter().position(|package| package.name == name);
        let made = match known {
            Some(known) => {
                self.world.tell(BuildProblem::PackageExists { name });
                known
            }
            None => {
                let old = spec.main().map(|main| main.name.clone()).unwrap_or_default();
                let package = make_package(of, main, name, &old);
                spec.packages.push(package);
                spec.packages.len() - 1
            }
        };
        let Some(package) = spec.packages.get_mut(made) else {
            return Ok(());
        };
        package.files = None;
        add_lines(package, lines);
        self.depend(package, DependencyKind::Recommends, &recommended)
    }

    /// The lines of `%files` for the debug information of a package.
    fn list_files(&self, draft: &PackageDraft) -> Vec<BString> {
        let debug_file = |name: &[u8]| -> Option<BString> {
            let path: BString = [FOLDER.as_bytes(), name, &self.unique, END].concat().into();
            self.root.as_ref()?.exists(BuildRoot::relative(&path)).then_some(path)
        };
        let mut lines = Vec::new();
        let mut folders: Vec<BString> = Vec::new();
        for entry in &draft.files {
            // Where the build has put it, whatever it is called in the package.
            let name = [b"/", entry.on_disk.as_os_str().as_bytes()].concat();
            let Some(path) = debug_file(name.strip_suffix(END).unwrap_or(&name)) else {
                continue;
            };
            if lines.is_empty() {
                lines.extend([BString::from(DEFAULTS), format!("%dir {FOLDER}").into()]);
            }
            // All folders below that of all debug information.
            let ends = path.find_iter("/").filter(|end| *end > FOLDER.len());
            folders.extend(ends.filter_map(|end| path.get(..end)).map(BString::from));
            lines.push(path);
        }
        let excluded = draft.excluded.iter().filter_map(|name| debug_file(name));
        lines.extend(excluded.map(|path| [b"%exclude ".as_slice(), &path].concat().into()));
        folders.sort();
        folders.dedup();
        lines.extend(folders.iter().map(|folder| [b"%dir ".as_slice(), folder].concat().into()));
        lines
    }

    /// Makes a package depend on the very version of another.
    fn depend(
        &self,
        package: &mut Package,
        kind: DependencyKind,
        (name, version): &(BString, BString),
    ) -> Result<(), Stop> {
        let architecture = self.world.expand("%{?_isa}")?;
        let capability = Capability {
            name: [name.as_slice(), &architecture].concat().into(),
            version: Some((Comparison::EQUAL, version.clone())),
        };
        let (dependency, place) = (Dependency::Plain(capability), package.place.clone());
        package.dependencies.push(Declared { kind, dependency, events: 0, place });
        Ok(())
    }
}

/// Whether debug information is packaged at all.
pub(crate) fn packages_debug_information(world: World<'_>) -> bool {
    world.is_on("__debug_package")
}

fn add_lines(package: &mut Package, lines: impl IntoIterator<Item = BString>) {
    let place: Place = package.place.clone();
    let list = package.files.get_or_insert_with(FileList::default);
    list.lines.extend(lines.into_iter().map(|text| FileLine { text, place: place.clone() }));
}

/// The package for the debug information of `of`: it says what the main package's says, but of that package.
fn make_package(of: &Package, main: &Package, name: BString, main_name: &BString) -> Package {
    let mut package = Package { name: name.clone(), dependencies: Vec::new(), ..main.clone() };
    package.scriptlets.clear();
    package.inherit(of);
    package.header.set_text(Tag::NAME, name);
    package.header.remove(Tag::I18N_TABLE);
    let (old, new) = (format!("package {main_name}"), format!("package {}", of.name));
    for tag in [Tag::SUMMARY, Tag::DESCRIPTION] {
        replace_in(&mut package.header, tag, &old, &new);
    }
    package
}

fn replace_in(header: &mut Header, tag: Tag, old: &str, new: &str) {
    let Some(Value::Localized(texts)) = header.get(tag) else {
        return;
    };
    let texts = texts.iter().map(|text| text.replacen(old, new, 1).into()).collect();
    header.set(tag, Value::Localized(texts));
}
