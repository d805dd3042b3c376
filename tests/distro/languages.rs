//! Real packages of PyPI, RubyGems, crates.io and npm become source packages, and are built in roots of the distribution.
//!
//! `.ci/language-packages` brings them with the machine's ordinary clients; here they are served as if by the registries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use sha2::{Digest, Sha256, Sha512};

use super::make;
use crate::server::{Answer, Server};
use crate::support::{Project, Run};

/// The folder of the packages: `$FORGE_TEST_LANGUAGES`, or one below `target`, which is filled then.
fn packages() -> PathBuf {
    if let Some(folder) = std::env::var_os("FORGE_TEST_LANGUAGES") {
        return folder.into();
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = repository.join("target/languages");
    make::run(Command::new(repository.join(".ci/language-packages")).arg(&folder));
    folder
}

/// Whether packages of a registry are built: of all, or of those that `$FORGE_TEST_REGISTRIES` names.
fn is_chosen(registry: &str) -> bool {
    let chosen = std::env::var("FORGE_TEST_REGISTRIES");
    chosen.map_or(true, |chosen| chosen.split(',').any(|name| name == registry))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files below a folder that end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false if path.to_string_lossy().ends_with(end) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// What the registries have: small files, and where the others lie.
#[derive(Default)]
struct Mirror {
    texts: BTreeMap<String, String>,
    files: BTreeMap<String, PathBuf>,
    /// The names of packages, by their registries.
    projects: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Mirror {
    fn new(folder: &Path) -> Self {
        let mut mirror = Self::default();
        for end in [".tar.gz", ".zip"] {
            files(&folder.join("pypi"), end).iter().for_each(|path| mirror.add_sdist(path));
        }
        files(&folder.join("gems"), ".gem").iter().for_each(|path| mirror.add_gem(path));
        files(&folder.join("crates"), ".crate").iter().for_each(|path| mirror.add_crate(path));
        for packs in fs::read_dir(folder.join("npm")).unwrap().map(|entry| entry.unwrap().path()) {
            mirror.projects.entry("npm").or_default().insert(name_of(&packs));
            files(&packs, ".tgz").iter().for_each(|path| mirror.add_npm(path));
        }
        mirror.projects.retain(|registry, _| is_chosen(registry));
        mirror.texts.insert(
            "crates/config.json".to_owned(),
            "{\"dl\":\"SERVERdl/{crate}-{version}.crate\"}".to_owned(),
        );
        mirror
    }

    fn add_sdist(&mut self, path: &Path) {
        let file = name_of(path);
        let stem = file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip")).unwrap();
        let project = stem.rsplit_once('-').unwrap().0.to_lowercase().replace(['_', '.'], "-");
        let sum = hex(&Sha256::digest(fs::read(path).unwrap()));
        let link = format!("<a href=\"/files/{file}#sha256={sum}\">{file}</a>\n");
        self.texts.entry(format!("simple/{project}/")).or_default().push_str(&link);
        self.files.insert(format!("files/{file}"), path.to_owned());
        self.projects.entry("pypi").or_default().insert(project);
    }

    fn add_gem(&mut self, path: &Path) {
        let file = name_of(path);
        let (name, version) = file.strip_suffix(".gem").unwrap().rsplit_once('-').unwrap();
        let sum = hex(&Sha256::digest(fs::read(path).unwrap()));
        let line = format!("{version} |checksum:{sum}\n");
        self.texts
            .entry(format!("rubygems/info/{name}"))
            .or_insert_with(|| "---\n".to_owned())
            .push_str(&line);
        self.files.insert(format!("rubygems/gems/{file}"), path.to_owned());
        self.projects.entry("rubygems").or_default().insert(name.to_owned());
    }

    fn add_crate(&mut self, path: &Path) {
        const PROGRAMS: [&str; 5] =
            ["hexyl-0.16.0", "sd-1.0.0", "b3sum-1.5.5", "fd-find-10.2.0", "ripgrep-14.1.1"];
        let file = name_of(path);
        let stem = file.strip_suffix(".crate").unwrap();
        self.files.insert(format!("dl/{file}"), path.to_owned());
        if !PROGRAMS.contains(&stem) {
            return;
        }
        let (name, version) = stem.rsplit_once('-').unwrap();
        let folder = if name.len() == 2 { "2".to_owned() } else { format!("{}/{}", &name[..2], &name[2..4]) };
        let sum = hex(&Sha256::digest(fs::read(path).unwrap()));
        let line = format!("{{\"name\":\"{name}\",\"vers\":\"{version}\",\"cksum\":\"{sum}\"}}\n");
        self.texts.insert(format!("crates/{folder}/{name}"), line);
        self.projects.entry("crates").or_default().insert(name.to_owned());
    }

    fn add_npm(&mut self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let is_manifest = |path: &Path| path.components().count() == 2 && path.ends_with("package.json");
        let entry =
            archive.entries().unwrap().map(Result::unwrap).find(|entry| is_manifest(&entry.path().unwrap()));
        let mut package: serde_json::Value = serde_json::from_reader(entry.unwrap()).unwrap();
        let (name, version) =
            (package["name"].as_str().unwrap().to_owned(), package["version"].as_str().unwrap().to_owned());
        let base = name.rsplit('/').next().unwrap();
        let at = format!("npm/{name}/-/{base}-{version}.tgz");
        let integrity = base64::prelude::BASE64_STANDARD.encode(Sha512::digest(&bytes));
        package["dist"] = serde_json::json!({ "tarball": format!("SERVER{at}"), "integrity": format!("sha512-{integrity}") });
        let known = self.texts.get(&format!("npm/{name}")).map(|text| serde_json::from_str(text).unwrap());
        let mut document: serde_json::Value =
            known.unwrap_or_else(|| serde_json::json!({ "dist-tags": {}, "versions": {} }));
        document["dist-tags"]["latest"] = version.clone().into();
        document["versions"][version] = package;
        self.texts.insert(format!("npm/{name}"), document.to_string());
        self.files.insert(at, path.to_owned());
    }

    fn serve(&self) -> Server {
        let (texts, files) = (self.texts.clone(), self.files.clone());
        Server::start(move |request| {
            let path = request.path.trim_start_matches('/').replace("%2f", "/");
            let server = format!("http://{}/", request.headers["host"]);
            match (texts.get(&path), files.get(&path)) {
                (Some(text), _) => Answer::ok(text.replace("SERVER", &server)),
                (None, Some(path)) => Answer::ok(fs::read(path).unwrap()),
                (None, None) => Answer::status(404),
            }
        })
    }
}

/// A project whose machine has clients that are set up for a mirror.
fn project(mirror: &Mirror, server: &Server) -> Project {
    let project = Project::new();
    let mut text = format!(
        "rpmforge version=1\nchroot clean {{ repo distro baseurl=\"{}\"\n}}\ndefaults {{ engine native }}\n",
        make::repository().display()
    );
    for (registry, names) in &mirror.projects {
        for name in names {
            text += &format!("package \"{registry}-{name}\" {{ source {registry} \"{name}\" }}\n");
        }
    }
    project.write("Rpmforge.kdl", &text);
    let home = project.beside("");
    fs::create_dir_all(home.join(".cargo")).unwrap();
    let cargo = format!(
        "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+{}\"\n",
        server.url("crates/")
    );
    fs::write(home.join(".cargo/config.toml"), cargo).unwrap();
    fs::write(home.join(".npmrc"), format!("registry={}\n", server.url("npm/"))).unwrap();
    fs::write(home.join(".gemrc"), format!("---\n:sources:\n- {}\n", server.url("rubygems/"))).unwrap();
    fs::create_dir_all(home.join(".config/pip")).unwrap();
    fs::write(home.join(".config/pip/pip.conf"), format!("[global]\nindex-url = {}\n", server.url("simple")))
        .unwrap();
    project
}

/// How many of each registry ended so.
fn count(states: &BTreeMap<String, String>, state: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (package, _) in states.iter().filter(|(_, found)| *found == state) {
        *counts.entry(package.split('-').next().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
#[ignore = "it brings and builds fifty real packages, which takes the better part of an hour"]
fn real_packages_of_registries_are_built() {
    let mirror = Mirror::new(&packages());
    let server = mirror.serve();
    let project = project(&mirror, &server);
    let output = project.forge(&["apply", "--json"]).output().unwrap();
    let run = Run::from(output);
    let specs = files(&project.path().join(".forge/sources"), ".spec");
    let of = |begin: &str| specs.iter().filter(|path| name_of(path).starts_with(begin)).count();
    let others = specs.len() - of("python-") - of("rubygem-") - of("nodejs-");
    let made = [
        ("pypi", of("python-"), 20),
        ("rubygems", of("rubygem-"), 10),
        ("npm", of("nodejs-"), 5),
        ("crates", others, 5),
    ];
    for (registry, made, least) in made.into_iter().filter(|(registry, ..)| is_chosen(registry)) {
        assert!(made >= least, "{registry}: {made} source packages\n{}", run.stderr);
    }
    let states = run.states();
    // The store was empty: what is found in it at the end was built before others were planned anew that needed it.
    let mut built = count(&states, "succeeded");
    for (registry, found) in count(&states, "cached") {
        *built.entry(registry).or_default() += found;
    }
    let at_least = [("pypi", 15), ("rubygems", 5), ("crates", 5), ("npm", 5)];
    for (registry, least) in at_least.into_iter().filter(|(registry, _)| is_chosen(registry)) {
        assert!(built.get(registry).is_some_and(|count| *count >= least), "{states:#?}\n{}", run.stderr);
    }
    for spec in &specs {
        let output = Command::new("rpmlint").arg(spec).output().expect("rpmlint is installed by .ci/test");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors: Vec<&str> = text.lines().filter(|line| line.contains(": E: ")).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", spec.display());
    }
}
