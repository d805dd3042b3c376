//! The spec of a package of npm's.

use super::package::NpmPackage;
use crate::source::made_spec::{
    BundledPackage, NPM, SpecWriter, UNKNOWN_LICENSE, join_licenses, license_list_name,
    write_bundled_provides,
};

/// What of a spec is not the package's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NpmSpecSettings {
    /// The name of the archive of what is built in, where anything is.
    pub bundle: Option<String>,
    /// What is built in.
    pub bundled: Vec<BundledPackage>,
}

/// The name of the source package.
pub fn package_name(name: &str) -> String {
    format!("nodejs-{}", name.trim_start_matches('@').replace('/', "-"))
}

/// Where packages of Node's lie.
const MODULES: &str = "%{nodejs_sitelib}";

/// Writes the spec.
pub fn write_spec(package: &NpmPackage, settings: &NpmSpecSettings) -> String {
    let mut spec = SpecWriter::default();
    write_preamble(&mut spec, package, settings);
    write_build(&mut spec, package, settings);
    write_files(&mut spec, package, settings);
    spec.section("%changelog");
    spec.finish()
}

fn write_preamble(spec: &mut SpecWriter, package: &NpmPackage, settings: &NpmSpecSettings) {
    let otherwise = format!("The npm package {}", package.name.trim_start_matches('@'));
    let version = package.version.replacen('-', "~", 1).replace('-', ".");
    spec.tag("Name", &package_name(&package.name)).tag("Version", &version).tag("Release", "1%{?dist}");
    spec.summary(&package.summary, &otherwise).line("");
    let own = package.license.clone().unwrap_or_else(|| UNKNOWN_LICENSE.to_owned());
    let licenses = std::iter::once(own).chain(settings.bundled.iter().map(BundledPackage::license));
    spec.tag("License", &join_licenses(licenses));
    if let Some(url) = &package.url {
        spec.tag("URL", url);
    }
    spec.tag("Source0", &source_url(package));
    if let Some(bundle) = &settings.bundle {
        spec.tag("Source1", bundle).tag("Source2", &license_list_name(&package_name(&package.name)));
    }
    spec.line("").tag("BuildArch", "noarch").tag("BuildRequires", "nodejs-packaging");
    if settings.bundle.is_some() {
        spec.tag("BuildRequires", "zstd");
    }
    spec.tag("Requires", "nodejs").tag("Provides", &format!("npm({}) = {version}", package.name));
    write_bundled_provides(spec, "npm", &settings.bundled);
    spec.section("%description").description(&package.summary, &otherwise);
}

/// Where everybody finds the file; behind the `#` stands the name that it has here.
fn source_url(package: &NpmPackage) -> String {
    let file = super::registry::file_name(&package.name, &package.version);
    let url = super::registry::file_url(NPM, &package.name, &package.version);
    if url.ends_with(&format!("/{file}")) { url } else { format!("{url}#/{file}") }
}

fn write_build(spec: &mut SpecWriter, package: &NpmPackage, settings: &NpmSpecSettings) {
    let unpack = if settings.bundle.is_some() { " -a 1" } else { "" };
    spec.section("%prep").line(&format!("%setup -q -n {}{unpack}", package.top));
    if settings.bundle.is_some() {
        spec.line("cp -p %{SOURCE2} .");
    }
    spec.section("%build").line("# Nothing is compiled.");
    let folder = format!("%{{buildroot}}{MODULES}/{}", package.name);
    spec.section("%install").line(&format!("mkdir -p {folder}")).line(&format!("cp -pr . {folder}/"));
    // What people read lies elsewhere.
    for path in read_by_people(package, settings) {
        spec.line(&format!("rm -f {folder}/{path}"));
    }
    if !package.programs.is_empty() {
        spec.line("mkdir -p %{buildroot}%{_bindir}");
    }
    for (name, path) in &package.programs {
        spec.line(&format!("chmod 0755 {folder}/{path}"));
        spec.line(&format!(
            "ln -s ../lib/node_modules/{}/{path} %{{buildroot}}%{{_bindir}}/{name}",
            package.name
        ));
    }
}

fn read_by_people(package: &NpmPackage, settings: &NpmSpecSettings) -> Vec<String> {
    let list = settings.bundle.is_some().then(|| license_list_name(&package_name(&package.name)));
    package.license_files.iter().chain(&package.documents).cloned().chain(list).collect()
}

fn write_files(spec: &mut SpecWriter, package: &NpmPackage, settings: &NpmSpecSettings) {
    spec.section("%files");
    if settings.bundle.is_some() {
        spec.line(&format!("%license {}", license_list_name(&package_name(&package.name))));
    }
    for (mark, paths) in [("%license", &package.license_files), ("%doc", &package.documents)] {
        if !paths.is_empty() {
            spec.line(&format!("{mark} {}", paths.join(" ")));
        }
    }
    if let Some((scope, _)) = package.name.split_once('/') {
        spec.line(&format!("%dir {MODULES}/{scope}"));
    }
    spec.line(&format!("{MODULES}/{}", package.name));
    for name in package.programs.keys() {
        spec.line(&format!("%{{_bindir}}/{name}"));
    }
}
