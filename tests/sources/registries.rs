//! Specs that are made from registries: indexes with packages that the tests make.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256, Sha512};

use crate::server::Server;
use crate::support::Project;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        // As it is: the checked way refuses what some of these are for.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn tar_gz(files: &[(&str, &[u8])]) -> Vec<u8> {
    gzip(&tar(files))
}

/// Files of indexes, by their paths at the server.
#[derive(Default)]
struct Indexes(BTreeMap<String, Vec<u8>>);

impl Indexes {
    /// A source distribution, and the page that names it.
    fn add_sdist(&mut self, file: &str, content: Vec<u8>) {
        let project = file.rsplit_once('-').unwrap().0;
        let line =
            format!("<a href=\"../../files/{file}#sha256={}\">{file}</a>\n", hex(&Sha256::digest(&content)));
        self.0.entry(format!("simple/{project}/")).or_default().extend(line.into_bytes());
        self.0.insert(format!("files/{file}"), content);
    }

    fn add_gem(&mut self, name: &str, version: &str, metadata: &str, data: &[(&str, &[u8])]) {
        let gem = tar(&[("metadata.gz", &gzip(metadata.as_bytes())), ("data.tar.gz", &tar_gz(data))]);
        let line = format!("{version} |checksum:{}\n", hex(&Sha256::digest(&gem)));
        self.0.entry(format!("info/{name}")).or_insert_with(|| b"---\n".to_vec()).extend(line.into_bytes());
        self.0.insert(format!("gems/{name}-{version}.gem"), gem);
    }

    fn add_crate(&mut self, name: &str, version: &str, files: &[(&str, &[u8])]) -> String {
        let content = tar_gz(files);
        let checksum = hex(&Sha256::digest(&content));
        let line = format!(
            "{{\"name\":\"{name}\",\"vers\":\"{version}\",\"cksum\":\"{checksum}\",\"yanked\":false}}\n"
        );
        self.0.insert(format!("{}/{}/{name}", &name[..2], &name[2..4]), line.into_bytes());
        self.0.insert(format!("dl/{name}/{version}/download"), content);
        checksum
    }

    fn add_npm(&mut self, name: &str, version: &str, dependencies: &str, files: &[(&str, &[u8])]) {
        let package = format!(
            "{{\"name\":\"{name}\",\"version\":\"{version}\",\"license\":\"MIT\",\"description\":\"A thing\",\"bin\":\"cli.js\",\"dependencies\":{dependencies}}}"
        );
        let mut all: Vec<(&str, &[u8])> = vec![("package/package.json", package.as_bytes())];
        all.extend(files);
        let content = tar_gz(&all);
        let integrity = base64::prelude::BASE64_STANDARD.encode(Sha512::digest(&content));
        let path = format!("{name}/-/{name}-{version}.tgz");
        let document = serde_json::json!({
            "dist-tags": { "latest": version },
            "versions": { version: {
                "dependencies": serde_json::from_str::<serde_json::Value>(dependencies).unwrap(),
                "dist": { "tarball": format!("SERVER{path}"), "integrity": format!("sha512-{integrity}") },
            } },
        });
        self.0.insert(name.to_owned(), document.to_string().into_bytes());
        self.0.insert(path, content);
    }

    fn serve(self) -> Server {
        let files = self.0;
        Server::start(move |request| match files.get(request.path.trim_start_matches('/')) {
            Some(content) if content.starts_with(b"{") => {
                let server = format!("http://{}/", request.headers["host"]);
                let text = String::from_utf8(content.clone()).unwrap();
                crate::server::Answer::ok(text.replace("SERVER", &server))
            }
            Some(content) => crate::server::Answer::ok(content.clone()),
            None => crate::server::Answer::status(404),
        })
    }
}

const METADATA: &str = "Metadata-Version: 2.4\nName: Some.Thing\nVersion: 1.0rc1\nSummary: Does %{things}\nLicense-Expression: MIT\n\
    License-File: LICENSE\nHome-page: https://thing.example/\nProvides-Extra: fast\n";
const PYPROJECT: &str = "[build-system]\nrequires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"\n[project.scripts]\nthing = \"some_thing:main\"\n";

fn sdist() -> Vec<u8> {
    tar_gz(&[
        ("some_thing-1.0rc1/PKG-INFO", METADATA.as_bytes()),
        ("some_thing-1.0rc1/pyproject.toml", PYPROJECT.as_bytes()),
        ("some_thing-1.0rc1/some_thing/__init__.py", b"def main(): pass\n"),
        ("some_thing-1.0rc1/LICENSE", b"MIT\n"),
    ])
}

/// A project with one source of a registry at a server.
fn project(server: &Server, kind: &str, source: &str) -> Project {
    let index = server.url(if kind == "pypi" { "simple" } else { "" });
    Project::with(&format!("package x {{ source {kind} {source} registry=\"{index}\" }}\n"))
}

/// The specs that were made, by the names of their files.
fn specs(project: &Project) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![project.path().join(".forge/sources")];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "spec") {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// Fetches what the manifest needs; the made spec, whether this machine can build it or not.
fn made_spec(project: &Project) -> String {
    project.run(&["fetch"]);
    let mut specs = specs(project);
    assert_eq!(specs.len(), 1, "{specs:?}");
    specs.pop_first().unwrap().1
}

#[track_caller]
fn assert_has(spec: &str, lines: &[&str]) {
    for line in lines {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(spec.lines().any(|known| squeeze(known) == *line), "no line {line:?} in:\n{spec}");
    }
}

#[test]
fn a_spec_is_made_of_a_source_distribution() {
    let mut indexes = Indexes::default();
    indexes.add_sdist("some-thing-1.0rc1.tar.gz", sdist());
    let server = indexes.serve();
    let project = project(&server, "pypi", "\"some-thing\" version=\"1.0rc1\" extras=\"fast\"");
    assert_has(
        &made_spec(&project),
        &[
            "Name: python-some-thing",
            "Version: 1.0~rc1",
            "Summary: Does {things}",
            "License: MIT",
            "URL: https://thing.example/",
            "Source0: https://files.pythonhosted.org/packages/source/s/some-thing/some-thing-1.0rc1.tar.gz",
            "BuildArch: noarch",
            "%package -n python3-some-thing",
            "%pyproject_extras_subpkg -n python3-some-thing fast",
            "%autosetup -n some_thing-1.0rc1",
            "%pyproject_buildrequires -x fast",
            "%pyproject_save_files some_thing",
            "%license LICENSE",
            "%{_bindir}/thing",
        ],
    );
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("kind=\"pypi\"") && lock.contains("version=\"1.0rc1\""), "{lock}");
    assert!(lock.contains(&hex(&Sha256::digest(sdist()))), "{lock}");
}

#[test]
fn an_index_is_asked_for_json_and_a_zip_file_is_read() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (path, content) in [
        ("some_thing-1.0/PKG-INFO", "Metadata-Version: 2.1\nName: some-thing\nVersion: 1.0\n"),
        ("some_thing-1.0/setup.py", "from setuptools import setup\nsetup()\n"),
        ("some_thing-1.0/some_thing.py", ""),
    ] {
        zip.start_file(path, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let content = zip.finish().unwrap().into_inner();
    let page = serde_json::json!({
        "meta": { "api-version": "1.1" },
        "name": "some-thing",
        "files": [
            { "filename": "some-thing-1.0.zip", "url": "../../files/some-thing-1.0.zip", "size": content.len(),
              "hashes": { "sha256": hex(&Sha256::digest(&content)) } },
            { "filename": "some-thing-2.0.zip", "url": "../../files/gone", "hashes": {}, "yanked": "it was broken" },
        ],
    });
    let server = Server::start(move |request| match request.path.as_str() {
        "/simple/some-thing/"
            if request.headers["accept"].starts_with("application/vnd.pypi.simple.v1+json") =>
        {
            crate::server::Answer::ok(page.to_string())
        }
        "/simple/some-thing/" => crate::server::Answer::status(406),
        "/files/some-thing-1.0.zip" => crate::server::Answer::ok(content.clone()),
        _ => crate::server::Answer::status(404),
    });
    let project = project(&server, "pypi", "some-thing");
    assert_has(
        &made_spec(&project),
        &[
            "Name: python-some-thing",
            "Version: 1.0",
            "BuildRequires: unzip",
            "%pyproject_save_files some_thing",
        ],
    );
    assert!(project.read("Rpmforge.lock").contains("file \"some-thing-1.0.zip\""));
}

#[test]
fn a_spec_is_made_of_a_gem() {
    let metadata = "--- !ruby/object:Gem::Specification\nname: thing\nversion: !ruby/object:Gem::Version\n  version: 1.2.0\n\
        summary: Does things\nlicenses:\n- MIT\nhomepage: https://thing.example/\nexecutables:\n- thing\nbindir: exe\n\
        extensions:\n- ext/thing/extconf.rb\nfiles:\n- lib/thing.rb\n- exe/thing\n- LICENSE\n- README.md\n- ext/thing/extconf.rb\n";
    let mut indexes = Indexes::default();
    indexes.add_gem("thing", "1.2.0", metadata, &[("lib/thing.rb", b""), ("LICENSE", b"")]);
    let server = indexes.serve();
    assert_has(
        &made_spec(&project(&server, "rubygems", "thing")),
        &[
            "%global gem_name thing",
            "Name: rubygem-%{gem_name}",
            "Version: 1.2.0",
            "License: MIT",
            "BuildRequires: ruby-devel",
            "%gem_install",
            "%{gem_libdir}",
            "%license %{gem_instdir}/LICENSE",
            "%doc %{gem_instdir}/README.md",
            "%{gem_extdir_mri}",
            "%{_bindir}/thing",
        ],
    );
}

#[test]
fn a_spec_is_made_of_a_crate_and_the_crates_of_its_lock() {
    let mut indexes = Indexes::default();
    let checksum = indexes.add_crate(
        "part",
        "0.2.0",
        &[(
            "part-0.2.0/Cargo.toml",
            b"[package]\nname = \"part\"\nversion = \"0.2.0\"\nlicense = \"MIT/Apache-2.0\"\n",
        )],
    );
    let lock = format!(
        "version = 4\n[[package]]\nname = \"thing\"\nversion = \"1.0.0\"\n[[package]]\nname = \"part\"\nversion = \"0.2.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
    );
    indexes.add_crate(
        "thing",
        "1.0.0",
        &[
            ("thing-1.0.0/Cargo.toml", b"[package]\nname = \"thing\"\nversion = \"1.0.0\"\nlicense = \"ISC\"\ndescription = \"Does things\"\n"),
            ("thing-1.0.0/Cargo.lock", lock.as_bytes()),
            ("thing-1.0.0/src/main.rs", b"fn main() {}\n"),
        ],
    );
    indexes.0.insert("config.json".to_owned(), b"{\"dl\":\"SERVERdl\"}".to_vec());
    let server = indexes.serve();
    let project = project(&server, "crates", "thing");
    assert_has(
        &made_spec(&project),
        &[
            "Name: thing",
            "License: (Apache-2.0 OR MIT) AND ISC",
            "Source1: thing-1.0.0-vendor.tar.zst",
            "Provides: bundled(crate(part)) = 0.2.0",
            "%license thing-bundled-licenses.txt",
            "%{_bindir}/thing",
        ],
    );
    // The slash at the end of `registry` is not doubled.
    assert!(server.requests().iter().all(|request| !request.path.contains("//")));
}

#[test]
fn a_crate_that_is_larger_than_any_is_not_fetched_to_its_end() {
    let server = Server::start(|request| {
        let index = format!(
            "{{\"name\":\"thing\",\"vers\":\"1.0.0\",\"cksum\":\"{}\",\"yanked\":false}}\n",
            "ab".repeat(32)
        );
        match request.path.as_str() {
            "/config.json" => {
                let downloads = format!("{{\"dl\":\"http://{}/dl\"}}", request.headers["host"]);
                crate::server::Answer::ok(downloads)
            }
            "/th/in/thing" => crate::server::Answer::ok(index),
            _ => crate::server::Answer::ok("a crate").says_length(Some(200 << 20)),
        }
    });
    let run = project(&server, "crates", "thing").run(&["fetch"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("it is larger than the 167772160 bytes"), "{}", run.stderr);
}

#[test]
fn a_package_of_npm_is_built_with_what_it_needs() {
    let mut indexes = Indexes::default();
    indexes.add_npm("part", "2.1.0", "{}", &[("package/index.js", b"")]);
    indexes.add_npm(
        "thing",
        "1.0.0",
        "{\"part\":\"^2.0.0\"}",
        &[("package/cli.js", b"#!/usr/bin/env node\n"), ("package/LICENSE", b"MIT\n")],
    );
    let server = indexes.serve();
    let project = project(&server, "npm", "thing");
    assert_has(
        &made_spec(&project),
        &[
            "Name: nodejs-thing",
            "License: MIT",
            "Source0: https://registry.npmjs.org/thing/-/thing-1.0.0.tgz",
            "Source1: nodejs-thing-1.0.0-bundled.tar.zst",
            "Provides: bundled(npm(part)) = 2.1.0",
            "%{nodejs_sitelib}/thing",
            "%{_bindir}/thing",
        ],
    );
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("tree=\"node_modules/part part@2.1.0\"") && lock.contains("sha512:"), "{lock}");
}

#[test]
fn what_is_locked_is_made_again_without_asking_anyone() {
    let mut indexes = Indexes::default();
    indexes.add_npm("part", "2.1.0", "{}", &[("package/index.js", b"")]);
    indexes.add_npm("thing", "1.0.0", "{\"part\":\"^2.0.0\"}", &[("package/cli.js", b"")]);
    let server = indexes.serve();
    let project = project(&server, "npm", "thing");
    let first = made_spec(&project);
    let (lock, asked) = (project.read("Rpmforge.lock"), server.requests().len());
    fs::remove_dir_all(project.path().join(".forge/sources")).unwrap();
    project.run(&["plan", "--offline", "--locked"]);
    assert_eq!(specs(&project).into_values().collect::<Vec<_>>(), [first]);
    assert_eq!((project.read("Rpmforge.lock"), server.requests().len()), (lock, asked));
}

#[test]
fn what_is_not_as_the_index_says_is_not_taken() {
    let mut indexes = Indexes::default();
    indexes.add_sdist("some-thing-1.0rc1.tar.gz", sdist());
    indexes.0.insert("files/some-thing-1.0rc1.tar.gz".to_owned(), b"something else".to_vec());
    let server = indexes.serve();
    let project = project(&server, "pypi", "\"some-thing\" version=\"1.0rc1\"");
    let run = project.run(&["fetch"]);
    assert!(
        run.stderr.contains("forge::source::not_fetched") && run.stderr.contains("its checksum is"),
        "{}",
        run.stderr
    );
    assert!(specs(&project).is_empty());
}

/// What forge says where the only sdist of a project is this one.
fn refused(content: Vec<u8>) -> String {
    let mut indexes = Indexes::default();
    indexes.add_sdist("thing-1.tar.gz", content);
    let server = indexes.serve();
    let project = project(&server, "pypi", "thing");
    let run = project.run(&["fetch"]);
    assert!(specs(&project).is_empty(), "{}", run.stderr);
    run.stderr
}

#[test]
fn archives_that_could_do_harm_are_refused_by_name() {
    let info = ("thing-1/PKG-INFO", b"Name: thing\nVersion: 1\n".as_slice());
    let error = refused(tar_gz(&[info, ("../evil", b"")]));
    assert!(error.contains("forge::source::unsafe_entry") && error.contains("../evil"), "{error}");
    let error = refused(tar_gz(&[info, ("thing-1/zeros", &vec![0; 64 << 20])]));
    assert!(error.contains("forge::source::too_much"), "{error}");
    let error = refused(b"no archive at all".to_vec());
    assert!(error.contains("forge::source::unreadable"), "{error}");
    let error = refused(tar_gz(&[("thing-1/PKG-INFO", b"Name: th%(id)ing\nVersion: 1\n")]));
    assert!(error.contains("forge::source::odd_name"), "{error}");
}

#[test]
fn what_a_registry_does_not_have_is_said() {
    let mut indexes = Indexes::default();
    indexes.add_sdist("thing-1.tar.gz", sdist());
    indexes.add_crate(
        "library",
        "1.0.0",
        &[("library-1.0.0/Cargo.toml", b"[package]\nname = \"library\"\nversion = \"1.0.0\"\n")],
    );
    let files: [(&str, &[u8]); 2] = [
        ("program-1.0.0/Cargo.toml", b"[package]\nname = \"program\"\nversion = \"1.0.0\"\n"),
        ("program-1.0.0/src/main.rs", b""),
    ];
    indexes.add_crate("program", "1.0.0", &files);
    let with_lock = |name: &str, lock: &[u8]| {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        let path = |file: &str| format!("{name}-1.0.0/{file}");
        (path("Cargo.toml"), manifest, path("Cargo.lock"), lock.to_vec(), path("src/main.rs"))
    };
    let git =
        b"[[package]]\nname = \"part\"\nversion = \"1.0.0\"\nsource = \"git+https://part.example/x#1\"\n";
    indexes.add_npm("heavy", "1.0.0", "{\"native\":\"1\"}", &[]);
    let (toml, manifest, lock, text, main) = with_lock("gitted", git);
    indexes.add_crate("gitted", "1.0.0", &[(&toml, manifest.as_bytes()), (&lock, &text), (&main, b"")]);
    indexes.add_npm("needy", "1.0.0", "{\"thing\":\"^9\"}", &[]);
    indexes.add_npm("native", "1.0.0", "{}", &[("package/binding.gyp", b"{}")]);
    indexes.0.insert("config.json".to_owned(), b"{\"dl\":\"SERVERdl\"}".to_vec());
    indexes.0.insert("thing".to_owned(), b"{\"versions\":{}}".to_vec());
    let server = indexes.serve();
    for (kind, source, code) in [
        ("pypi", "nothing", "forge::source::no_project"),
        ("pypi", "thing version=\"7\"", "forge::source::no_version"),
        ("crates", "library", "forge::source::no_program"),
        ("crates", "program", "forge::source::no_cargo_lock"),
        ("crates", "gitted", "forge::source::cargo_source"),
        ("npm", "needy", "forge::source::unresolved"),
        ("npm", "native", "forge::source::npm_native"),
        ("npm", "heavy", "forge::source::npm_native"),
    ] {
        let run = project(&server, kind, source).run(&["fetch"]);
        assert!(run.stderr.contains(code), "{kind} {source}: {}", run.stderr);
    }
}

#[test]
fn without_a_lock_nothing_is_found_offline_or_locked() {
    let server = Indexes::default().serve();
    let project = project(&server, "pypi", "thing");
    let run = project.run(&["plan", "--offline"]);
    assert!(run.stderr.contains("forge::source::registry_offline"), "{}", run.stderr);
    let run = project.run(&["plan", "--locked"]);
    assert!(run.stderr.contains("forge::source::registry_not_locked"), "{}", run.stderr);
    assert!(server.requests().is_empty());
    let gone = Project::with("package x { source pypi thing registry=\"http://127.0.0.1:1/simple\" }\n");
    let run = gone.run(&["fetch"]);
    assert!(run.stderr.contains("forge::source::registry"), "{}", run.stderr);
}

#[test]
fn a_lock_that_lacks_a_file_says_which() {
    let mut indexes = Indexes::default();
    indexes.add_npm("thing", "1.0.0", "{}", &[("package/cli.js", b"")]);
    let server = indexes.serve();
    let project = project(&server, "npm", "thing");
    made_spec(&project);
    let lock = project.read("Rpmforge.lock");
    let file = lock.lines().find(|line| line.trim_start().starts_with("file \"thing-")).unwrap();
    project.write("Rpmforge.lock", &lock.replace(&format!("{file}\n"), ""));
    let run = project.run(&["plan", "--locked"]);
    assert!(run.stderr.contains("forge::source::lock_incomplete"), "{}", run.stderr);
}
