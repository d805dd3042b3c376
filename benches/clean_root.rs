//! What clean roots cost, beside what others take for the same: `FORGE_TEST_DISTRO=DIR cargo bench --bench clean_root`.
//!
//! `DIR/repository` holds a distribution, as `tests/distro` makes it. Without it nothing is measured; nor is what the programs of
//! others take that are not there (`mock`, `dnf`, `rpm2cpio`). All that is compared is measured in turns, so that what else the
//! machine does falls on both alike. What is shown is the middle one of all rounds, the best, and how long processors were at work
//! for one, which other programs don't change.
//!
//! Nothing is removed between rounds: ext4 gives no inode of a file that was just removed to a new one, and passing over those
//! takes longer than what is measured.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "benchmarks set up the machine that forge works on, and stop by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rpmforge::chroot::compose::compose;
use rpmforge::chroot::making::{
    BuildWish, ChosenSet, ChrootRequest, LockRule, MadeRoot, PackageRoots, RootTools,
};
use rpmforge::chroot::solve::WeakDependencies;
use rpmforge::chroot::{
    Connection, LockedChroot, OlderMetadata, RepositoryRequest, RepositorySource, SignatureRule,
};
use rpmforge::engine::ScriptletWorker;
use rpmforge::event::SystemClock;
use rpmforge::fetch::{Client, ClientSettings, Proxies};
use rpmforge::files::{HostPath, RootPath};
use rpmforge::package::Dependency;
use rpmforge::process::{
    Cancel, Circumstances, Command, Exit, InsideUser, LayeredRoot, Personality, Sandbox, SandboxLimits,
    Supervisor, Surroundings,
};
use rpmforge::sandbox::Namespaces;
use rpmforge::store::Store;

/// A spec of one file.
const SPEC: &str = "Name: hello\nVersion: 1\nRelease: RELEASE\nSummary: One file\nLicense: MIT\nBuildArch: noarch\n\
    %description\nOne file.\n%prep\n%build\n%install\nmkdir -p %{buildroot}/usr/share\n\
    echo hello > %{buildroot}/usr/share/hello\n%files\n/usr/share/hello\n";

/// How often something is done that takes a moment, and something that takes seconds.
const MANY: usize = 15;
const FEW: usize = 5;

/// How long several rounds took.
struct Times {
    what: String,
    all: Vec<Duration>,
    /// What processors were at work for all of them together, in their own and in programs that they started.
    processors: Duration,
}

impl Times {
    fn new(what: &str) -> Self {
        Self { what: what.to_owned(), all: Vec::new(), processors: Duration::ZERO }
    }

    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (begun, before) = (Instant::now(), processor_time());
        let done = work();
        self.all.push(begun.elapsed());
        self.processors += processor_time().saturating_sub(before);
        done
    }

    fn middle(&self) -> Duration {
        let mut sorted = self.all.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    fn best(&self) -> Duration {
        self.all.iter().min().copied().unwrap_or_default()
    }

    fn show(&self, bound: &str) {
        let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        let (middle, best) = (milliseconds(self.middle()), milliseconds(self.best()));
        let processors = milliseconds(self.processors / u32::try_from(self.all.len()).unwrap());
        println!("{:<58} {middle:>12} {best:>12} {processors:>12}   {bound}", self.what);
    }

    /// How many times as long it took as something else did.
    fn show_beside(&self, other: &Self, bound: &str) {
        let ratio = |time: fn(&Self) -> Duration| time(self).as_secs_f64() / time(other).as_secs_f64();
        let ratios = format!("1/{:.1}, best 1/{:.1}", 1.0 / ratio(Self::middle), 1.0 / ratio(Self::best));
        println!("  {:.2} of `{}` ({ratios})   {bound}", ratio(Self::middle), other.what);
    }
}

/// The time that processors were at work for this program and those that it has started, in steps of 10 ms (proc(5)).
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = text.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// A folder for all that is made here, and what roots are made with.
struct Site {
    temp: tempfile::TempDir,
    repository: PathBuf,
    tools: RootTools,
    supervisor: Supervisor,
    sandbox: Arc<dyn Sandbox>,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new(repository: &Path) -> Self {
        // Where programs are built, and not in a file system in memory: stores lie on disks.
        let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let forge = HostPath::new(env!("CARGO_BIN_EXE_forge")).unwrap();
        let supervisor = Supervisor::new(forge.clone());
        let sandbox: Arc<dyn Sandbox> = Arc::new(Namespaces::new(&forge));
        let store = Store::open(&HostPath::new(temp.path().join("cache/rpmforge")).unwrap()).unwrap();
        let proxies = Proxies::from_environment(|_| None);
        let tools = RootTools {
            store: Arc::new(store),
            client: Arc::new(Client::new(ClientSettings::default(), proxies).unwrap()),
            connection: Connection::Online,
            clock: Arc::new(SystemClock),
            cancel: Cancel::default(),
            scriptlets: ScriptletWorker::new(&supervisor, &forge, Arc::clone(&sandbox)),
            progress: Arc::new(|_| ()),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { temp, repository: repository.to_owned(), tools, supervisor, sandbox, runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn new_folder(&self) -> PathBuf {
        tempfile::tempdir_in(self.temp.path()).unwrap().keep()
    }

    /// Puts what is in the store of packages and roots out of the way.
    fn forget_roots(&self) {
        let old = self.new_folder();
        for name in ["trees", "farms"] {
            fs::rename(self.path("cache/rpmforge").join(name), old.join(name)).unwrap();
        }
    }

    fn request(&self) -> ChrootRequest {
        let repository = RepositoryRequest {
            name: "distro".to_owned(),
            source: RepositorySource::Folder(HostPath::new(&self.repository).unwrap()),
            variables: BTreeMap::new(),
            priority: 99,
            cost: 1000,
            exclude: Vec::new(),
            include: Vec::new(),
            keys: Vec::new(),
            metadata_signature: SignatureRule::NotAsked,
            package_signatures: SignatureRule::NotAsked,
            older_metadata: OlderMetadata::Refused,
            locked: None,
        };
        ChrootRequest {
            name: "clean".to_owned(),
            arch: "x86_64".to_owned(),
            repositories: vec![repository],
            install: vec!["@buildsys-build".to_owned()],
            weak: WeakDependencies::default(),
        }
    }

    /// What chooses and makes roots, as a new forge has it: it knows nothing but what is locked, and what is in the store.
    fn roots(&self, locked: &LockedChroot) -> PackageRoots {
        let roots =
            PackageRoots::new(self.request(), locked.clone(), LockRule::MayChange, self.tools.clone());
        roots.unwrap_or_else(|error| panic!("{error}"))
    }

    fn choose(&self, roots: &PackageRoots, wish: &BuildWish) -> ChosenSet {
        let chosen = roots.chooser.choose_for_builds(std::slice::from_ref(wish));
        chosen.and_then(|mut chosen| chosen.remove(0)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn make(&self, roots: &PackageRoots, chosen: &ChosenSet) -> Arc<MadeRoot> {
        let _inside = self.runtime.enter();
        roots.maker.make_for_build(chosen, Vec::new()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a program in a root that does nothing.
    fn enter(&self, root: &MadeRoot) {
        let folder = HostPath::new(self.temp.path()).unwrap();
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]);
        let surroundings = Surroundings {
            root: Some(LayeredRoot { folders: root.layers(), changes: None }),
            user: InsideUser::Builder,
            mounts: Vec::new(),
            hidden: Vec::new(),
            layers: Vec::new(),
            private: None,
            personality: Personality::Own,
            folder: RootPath::root(),
            network: false,
            terminal: false,
            limits: SandboxLimits::default(),
            circumstances: Circumstances::default(),
        };
        let command = Command::new("true", &folder, environment, Duration::from_secs(60));
        let command = self.sandbox.enclose(command, &surroundings);
        let mut unheard = |_, _: &[u8]| ();
        let run = command.run(&self.supervisor, &self.tools.cancel, &mut unheard);
        assert_eq!(self.runtime.block_on(run).unwrap(), Exit::Code(0));
    }

    /// The names of packages of the repository that are not among those of a set, and can be there beside it.
    fn further_names(&self, roots: &PackageRoots, minimal: &ChosenSet) -> Vec<String> {
        let mut names: Vec<String> =
            package_files(&self.repository).iter().map(|file| name_of(file)).collect();
        names.sort();
        names.retain(|name| {
            let is_new = !minimal.minimal.iter().any(|package| package.name == *name);
            is_new
                && roots.chooser.choose_for_builds(&[wish(name, [name])]).is_ok_and(|found| found[0].is_ok())
        });
        names
    }
}

fn wish<'n>(package: &str, names: impl IntoIterator<Item = &'n String>) -> BuildWish {
    BuildWish {
        package: package.to_owned(),
        requires: names.into_iter().map(Dependency::any).collect(),
        before: Vec::new(),
        conflicts: Vec::new(),
        asked_with: None,
    }
}

fn package_files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|extension| extension == "rpm") => found.push(path),
                false => {}
            }
        }
    }
    found
}

fn count_entries(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| 1 + if entry.file_type().unwrap().is_dir() { count_entries(&entry.path()) } else { 0 })
        .sum()
}

/// The name of a package, as that of its file has it.
fn name_of(file: &Path) -> String {
    let stem = file.file_name().unwrap().to_str().unwrap();
    stem.rsplitn(3, '-').last().unwrap().to_owned()
}

/// Roots, as the library makes them.
fn measure_roots(site: &Site) {
    let nothing = wish("hello", []);
    let first = site.roots(&LockedChroot::default());
    let mut cold = Times::new("minimal root, nothing in the store (from the repository's files)");
    let (minimal, root) = cold.measure(|| {
        let minimal = site.choose(&first, &nothing);
        let root = site.make(&first, &minimal);
        (minimal, root)
    });
    println!("{} packages in the minimal root", root.all_packages().len());
    cold.show("");
    let locked = first.chooser.locked();

    let (mut found, mut entered) = (Times::new("a root found again"), Times::new("found again, and entered"));
    for _ in 0..MANY {
        let root = found.measure(|| {
            let roots = site.roots(&locked);
            site.make(&roots, &site.choose(&roots, &nothing))
        });
        entered.measure(|| {
            let roots = site.roots(&locked);
            site.enter(&site.make(&roots, &site.choose(&roots, &nothing)));
        });
        drop(root);
    }
    found.show("");
    entered.show("< 30 ms");

    let names = site.further_names(&first, &minimal);
    let needed = 50;
    assert!(names.len() > needed + 2 * MANY, "{} names are too few", names.len());
    // So that all that they are made of is in the store.
    site.make(&first, &site.choose(&first, &wish("all", &names)));
    let titles =
        ["50 new BuildRequires: chosen", "50 new BuildRequires: root made", "50 new BuildRequires: ready"];
    let [mut chosen, mut made, mut ready] = titles.map(Times::new);
    // What the file system takes for links alone, which no way of making a root can be without.
    let mut linked = Times::new("the added files alone, linked by `cp -al`");
    let (mut packages, mut files) = (0, 0);
    for round in 0..2 * MANY {
        // Each time other ones, so that there is no such root yet.
        let wish = wish("hello", &names[round..round + needed]);
        let mut root = None;
        ready.measure(|| {
            let roots = site.roots(&locked);
            let set = chosen.measure(|| site.choose(&roots, &wish));
            packages = set.added.len();
            root = Some(made.measure(|| site.make(&roots, &set)));
        });
        // Below what scriptlets have changed lies what was added.
        let layers = root.map(|root| root.layers()).unwrap_or_default();
        if let Some(added) = layers.get(1).filter(|_| round % 4 == 0) {
            files = count_entries(added.as_path());
            let mut copy = Program::new("cp");
            copy.args(["-al"]).arg(added.as_path()).arg(site.new_folder().join("linked"));
            linked.measure(|| run(&mut copy));
        }
    }
    println!("{packages} packages come with the last 50 of {}, up to {files} files and folders", names.len());
    chosen.show("");
    made.show("");
    ready.show("< 150 ms");
    linked.show("");
}

/// Roots of downloaded packages of which nothing was ever unpacked, beside rpm's own programs.
fn measure_unpacking(site: &Site) {
    let roots = site.roots(&LockedChroot::default());
    let chosen = site.choose(&roots, &wish("hello", []));
    let packages = roots.maker.fetch(&chosen.minimal).unwrap_or_else(|error| panic!("{error}"));
    let list: String = chosen
        .minimal
        .iter()
        .map(|package| format!("{}\n", site.repository.join(&package.href).display()))
        .collect();
    fs::write(site.path("list"), list).unwrap();
    let mut composed = Times::new("unpacked and composed, cold");
    let mut whole = Times::new("the same with its database and scriptlets");
    let mut beside = Times::new("2 × rpm2cpio | cpio");
    let has_programs = ["rpm2cpio", "cpio"].into_iter().all(is_there);
    for _ in 0..FEW {
        site.forget_roots();
        let farm = composed.measure(|| compose(&site.tools.store, &packages, None, &|_| ()).unwrap());
        drop(farm);
        if has_programs {
            let script = "xargs -a ../list -P2 -I{} sh -c 'rpm2cpio {} | cpio -idmu --quiet 2>/dev/null'";
            let mut program = Program::new("sh");
            program.args(["-c", script]).current_dir(site.new_folder());
            beside.measure(|| program.status().unwrap());
        }
        site.forget_roots();
        let roots = site.roots(&roots.chooser.locked());
        whole.measure(|| site.make(&roots, &chosen));
    }
    composed.show("");
    whole.show("");
    if has_programs {
        beside.show("");
        composed.show_beside(&beside, "≤ 1.2");
    } else {
        println!("not measured: `rpm2cpio` and `cpio` are not there");
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// A project whose package is built in a clean root by whole commands.
struct Project {
    folder: PathBuf,
    cache: PathBuf,
    release: usize,
}

impl Project {
    fn new(site: &Site, name: &str) -> Self {
        let folder = site.path(name);
        fs::create_dir(&folder).unwrap();
        let chroot = format!("chroot clean {{ repo distro baseurl=\"{}\" }}", site.repository.display());
        let manifest =
            format!("rpmforge version=1\n{chroot}\npackage hello {{ source path \"hello.spec\" }}\n");
        fs::write(folder.join("Rpmforge.kdl"), manifest).unwrap();
        let mut project = Self { folder, cache: site.path("cache"), release: 0 };
        project.change();
        project
    }

    /// Makes it another package.
    fn change(&mut self) {
        self.release += 1;
        fs::write(self.folder.join("hello.spec"), SPEC.replace("RELEASE", &self.release.to_string()))
            .unwrap();
    }

    fn forge(&self, command: &str) {
        let mut forge = Program::new(env!("CARGO_BIN_EXE_forge"));
        forge.arg(command).current_dir(&self.folder).env("XDG_CACHE_HOME", &self.cache);
        run(&mut forge);
    }
}

fn run(program: &mut Program) {
    let output = program.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program:?}\n{}", String::from_utf8_lossy(&said));
}

/// Whole commands, as people type them.
fn measure_commands(site: &Site) {
    let mut first = Times::new("forge apply: new project, all in the store");
    for round in 0..FEW {
        let project = Project::new(site, &format!("new{round}"));
        first.measure(|| project.forge("apply"));
    }
    first.show("");
    let project = Project::new(site, "same");
    project.forge("apply");
    let (mut plan, mut apply) =
        (Times::new("forge plan: nothing to do"), Times::new("forge apply: nothing to do"));
    for _ in 0..MANY {
        plan.measure(|| project.forge("plan"));
        apply.measure(|| project.forge("apply"));
    }
    plan.show("");
    apply.show("");
}

/// mock's configuration of the same chroot.
fn mock_configuration(site: &Site) -> String {
    let folder = |name: &str| site.path(name).display().to_string();
    format!(
        "config_opts['root'] = 'clean'\nconfig_opts['target_arch'] = 'x86_64'\n\
         config_opts['legal_host_arches'] = ('x86_64',)\nconfig_opts['releasever'] = '13'\n\
         config_opts['chroot_setup_cmd'] = 'install @buildsys-build'\nconfig_opts['package_manager'] = 'dnf4'\n\
         config_opts['use_bootstrap'] = False\nconfig_opts['isolation'] = 'simple'\n\
         config_opts['basedir'] = '{}'\nconfig_opts['cache_topdir'] = '{}'\n\
         config_opts['plugin_conf']['ccache_enable'] = False\n\
         config_opts['dnf.conf'] = '''\n[main]\nkeepcache=1\nassumeyes=1\nreposdir=/dev/null\ngpgcheck=0\n\
         install_weak_deps=0\n[distro]\nname=distro\nbaseurl=file://{}\n'''\n",
        folder("mock"),
        folder("mock-cache"),
        site.repository.display()
    )
}

/// What others take to make a package of its source package in a clean root.
struct Others {
    srpm: PathBuf,
    has_mock: bool,
    has_dnf: bool,
}

impl Others {
    fn prepare(site: &Site) -> Self {
        let home = site.path("home");
        fs::create_dir(&home).unwrap();
        // Where databases are, the machine's rpm says, and not the root's.
        fs::write(home.join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
        let (spec, top) = (home.join("hello.spec"), home.join("rpmbuild"));
        fs::write(&spec, SPEC.replace("RELEASE", "1")).unwrap();
        let others = Self {
            srpm: top.join("SRPMS/hello-1-1.src.rpm"),
            has_mock: is_there("mock"),
            has_dnf: is_there("dnf") && rustix::process::geteuid().is_root(),
        };
        if is_there("rpmbuild") {
            run(Program::new("rpmbuild").arg("-bs").arg(&spec).arg(format!("-D_topdir {}", top.display())));
        }
        for (name, can_be_run) in [("mock", others.has_mock), ("dnf", others.has_dnf)] {
            if !can_be_run {
                println!("not measured: `{name}` is not there, or can't be run");
            }
        }
        if others.has_mock {
            use std::os::unix::fs::PermissionsExt;
            for name in ["mock", "mock-cache", "mock-results"] {
                fs::create_dir(site.path(name)).unwrap();
                fs::set_permissions(site.path(name), fs::Permissions::from_mode(0o777)).unwrap();
            }
            fs::set_permissions(site.temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::write(site.path("clean.cfg"), mock_configuration(site)).unwrap();
            // It makes its root cache.
            others.build_with_mock(site);
        }
        if others.has_dnf {
            fs::create_dir(site.path("dnf-log")).unwrap();
            // It reads the repository's metadata.
            others.build_with_dnf(site);
        }
        others
    }

    fn build_with_mock(&self, site: &Site) {
        let mut mock = Program::new("mock");
        mock.arg("-r").arg(site.path("clean.cfg")).arg("--rebuild").arg(&self.srpm);
        run(mock.arg(format!("--resultdir={}", site.path("mock-results").display())));
    }

    fn build_with_dnf(&self, site: &Site) {
        let (home, root) = (site.path("home"), site.new_folder());
        let mut dnf = Program::new("dnf");
        dnf.args(["--assumeyes", "--nogpgcheck", "--releasever=13", "--repo=distro"]);
        dnf.arg(format!("--installroot={}", root.display()));
        dnf.arg(format!("--repofrompath=distro,file://{}", site.repository.display()));
        for (option, name) in [("cachedir", "dnf-cache"), ("logdir", "dnf-log"), ("reposdir", "none")] {
            dnf.arg(format!("--setopt={option}={}", site.path(name).display()));
        }
        dnf.args(["--setopt=install_weak_deps=False", "install", "@buildsys-build"]).env("HOME", &home);
        run(dnf.env("LC_ALL", "C.UTF-8"));
        fs::copy(&self.srpm, root.join("hello.src.rpm")).unwrap();
        let mut build = Program::new("unshare");
        build.args(["--mount", "chroot"]).arg(&root).args([
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin",
            "HOME=/root",
        ]);
        run(build.args(["rpmbuild", "--rebuild", "/hello.src.rpm"]));
    }
}

/// A package of one file, from its spec to its published package, beside what others take from its source package on.
fn measure_builds(site: &Site) {
    let others = Others::prepare(site);
    let mut project = Project::new(site, "changing");
    project.forge("apply");
    let mut forge = Times::new("a one-file package: forge apply");
    let (mut mock, mut dnf) =
        (Times::new("a one-file package: mock --rebuild"), Times::new("a one-file package: dnf, rpmbuild"));
    for _ in 0..FEW {
        for _ in 0..3 {
            project.change();
            forge.measure(|| project.forge("apply"));
        }
        if others.has_mock {
            mock.measure(|| others.build_with_mock(site));
        }
        if others.has_dnf {
            dnf.measure(|| others.build_with_dnf(site));
        }
    }
    forge.show("");
    for (other, bound) in [(&mock, "≤ 1/40"), (&dnf, "≤ 1/15")] {
        if !other.all.is_empty() {
            other.show("");
            forge.show_beside(other, bound);
        }
    }
}

fn main() {
    let repository =
        std::env::var_os("FORGE_TEST_DISTRO").map(|folder| Path::new(&folder).join("repository"));
    let Some(repository) = repository.filter(|folder| folder.is_dir()) else {
        println!("nothing is measured: FORGE_TEST_DISTRO names no folder with a `repository`");
        return;
    };
    let load = || fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned();
    println!("load: {}\n{:<58} {:>12} {:>12} {:>12}   must be", load(), "", "middle", "best", "processors");
    let site = Site::new(&repository);
    measure_roots(&site);
    measure_unpacking(&site);
    measure_commands(&site);
    measure_builds(&site);
    println!("load: {}", load());
}
