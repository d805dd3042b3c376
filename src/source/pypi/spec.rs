//! The spec of a project of Python's.

use std::collections::BTreeSet;

use super::metadata::PythonProject;
use crate::source::made_spec::{
    BundledPackage, SpecWriter, join_licenses, license_list_name, write_bundled_provides, write_cargo_config,
};

/// What of a spec is not the project's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonSpecSettings {
    /// The name of the source distribution's file.
    pub sdist: String,
    /// The extras that become subpackages.
    pub extras: BTreeSet<String>,
    /// The name of the archive of crates that it is built with.
    pub vendor: Option<String>,
    /// Those crates.
    pub bundled: Vec<BundledPackage>,
}

/// The name of the source package: `python-` before what doesn't begin so.
pub fn package_name(project: &str) -> String {
    match project.starts_with("python-") {
        true => project.to_owned(),
        false => format!("python-{project}"),
    }
}

/// The name of the package with the modules.
fn module_package_name(project: &str) -> String {
    format!("python3-{}", project.strip_prefix("python-").unwrap_or(project))
}

/// Writes the spec.
pub fn write_spec(project: &PythonProject, settings: &PythonSpecSettings) -> String {
    let mut spec = SpecWriter::default();
    write_preamble(&mut spec, project, settings);
    write_packages(&mut spec, project, settings);
    write_build(&mut spec, project, settings);
    write_files(&mut spec, project, settings);
    spec.section("%changelog");
    spec.finish()
}

fn write_preamble(spec: &mut SpecWriter, project: &PythonProject, settings: &PythonSpecSettings) {
    spec.tag("Name", &package_name(&project.name));
    if let Some(epoch) = project.rpm_version.epoch {
        spec.tag("Epoch", &epoch.to_string());
    }
    spec.tag("Version", &project.rpm_version.version).tag("Release", "1%{?dist}");
    spec.summary(&project.summary, &format!("The Python project {}", project.name));
    let licenses =
        std::iter::once(project.license.clone()).chain(settings.bundled.iter().map(BundledPackage::license));
    spec.line("").tag("License", &join_licenses(licenses));
    if let Some(url) = &project.url {
        spec.tag("URL", url);
    }
    spec.tag("Source0", &sdist_url(&project.name, &settings.sdist));
    if let Some(vendor) = &settings.vendor {
        spec.tag("Source1", vendor).tag("Source2", &license_list_name(&package_name(&project.name)));
    }
    spec.line("");
    if !project.native.is_native {
        spec.tag("BuildArch", "noarch");
    }
    spec.tag("BuildRequires", "python3-devel").tag("BuildRequires", "pyproject-rpm-macros");
    for (is_needed, name) in [
        (project.native.is_native, "gcc"),
        (project.native.has_cpp, "gcc-c++"),
        (project.native.has_rust, "cargo"),
        (settings.vendor.is_some(), "zstd"),
        (settings.sdist.ends_with(".zip"), "unzip"),
    ] {
        if is_needed {
            spec.tag("BuildRequires", name);
        }
    }
    write_description(spec, "%description", project);
}

fn write_description(spec: &mut SpecWriter, head: &str, project: &PythonProject) {
    spec.section(head).description(&project.summary, &format!("The Python project {}", project.name));
}

/// Where everybody finds the file.
pub fn sdist_url(name: &str, file: &str) -> String {
    let first: String = name.chars().take(1).collect();
    format!("https://files.pythonhosted.org/packages/source/{first}/{name}/{file}")
}

fn write_packages(spec: &mut SpecWriter, project: &PythonProject, settings: &PythonSpecSettings) {
    let name = module_package_name(&project.name);
    spec.section(&format!("%package -n {name}"))
        .summary(&project.summary, &format!("The Python project {}", project.name));
    // Generators find it, too, once it is built: what is planned before that reads it here.
    spec.tag("Provides", &format!("python3dist({}) = {}", project.name, project.rpm_version.version));
    write_bundled_provides(spec, "crate", &settings.bundled);
    write_description(spec, &format!("%description -n {name}"), project);
    let extras: Vec<&str> = settings.extras.intersection(&project.extras).map(String::as_str).collect();
    if !extras.is_empty() {
        spec.line("").line(&format!("%pyproject_extras_subpkg -n {name} {}", extras.join(" ")));
    }
}

fn write_build(spec: &mut SpecWriter, project: &PythonProject, settings: &PythonSpecSettings) {
    let unpack = if settings.vendor.is_some() { " -a 1" } else { "" };
    spec.section("%prep").line(&format!("%autosetup -n {}{unpack}", project.top));
    if settings.vendor.is_some() {
        write_cargo_config(spec);
        spec.line("cp -p %{SOURCE2} .");
    }
    let extras: Vec<&str> = settings.extras.intersection(&project.extras).map(String::as_str).collect();
    let asked = if extras.is_empty() { String::new() } else { format!(" -x {}", extras.join(",")) };
    spec.section("%generate_buildrequires").line(&format!("%pyproject_buildrequires{asked}"));
    spec.section("%build").line("%pyproject_wheel");
    spec.section("%install").line("%pyproject_install");
    let modules = match project.modules.iter().map(String::as_str).collect::<Vec<&str>>() {
        unknown if unknown.is_empty() => "'*'".to_owned(),
        known => known.join(" "),
    };
    let others = if has_unknown_files(project) { " +auto" } else { "" };
    spec.line(&format!("%pyproject_save_files {modules}{others}"));
    spec.section("%check").line("%pyproject_check_import -t");
}

fn has_unknown_files(project: &PythonProject) -> bool {
    project.installs_other_files || project.modules.is_empty()
}

fn write_files(spec: &mut SpecWriter, project: &PythonProject, settings: &PythonSpecSettings) {
    spec.section(&format!("%files -n {} -f %{{pyproject_files}}", module_package_name(&project.name)));
    for (mark, paths) in [("%license", &project.license_files), ("%doc", &project.documents)] {
        if !paths.is_empty() {
            spec.line(&format!("{mark} {}", paths.join(" ")));
        }
    }
    if settings.vendor.is_some() {
        spec.line(&format!("%license {}", license_list_name(&package_name(&project.name))));
    }
    if !has_unknown_files(project) {
        for script in &project.scripts {
            spec.line(&format!("%{{_bindir}}/{script}"));
        }
    }
}
