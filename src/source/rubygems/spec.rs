//! The spec of a gem.

use std::collections::BTreeSet;

use super::index::is_prerelease;
use super::metadata::Gem;
use crate::source::made_spec::{SpecWriter, is_plain_path};

/// What a file or folder of a gem is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is used.
    Code,
    /// It is its license.
    License,
    /// It is read by people, or was used to make and test it.
    Document,
    /// It is in no package.
    LeftOut,
}

/// The name of the source package.
pub fn package_name(gem: &str) -> String {
    format!("rubygem-{gem}")
}

/// Writes the spec.
pub fn write_spec(gem: &Gem) -> String {
    let mut spec = SpecWriter::default();
    write_preamble(&mut spec, gem);
    write_build(&mut spec, gem);
    write_files(&mut spec, gem);
    spec.section("%changelog");
    spec.finish()
}

/// `1.0.0` and `.rc1` of `1.0.0.rc1`: what stands before the first word, and the rest.
fn split_version(version: &str) -> (String, String) {
    if !is_prerelease(version) {
        return (version.to_owned(), String::new());
    }
    let parts: Vec<&str> = version.split('.').collect();
    let release = parts.iter().take_while(|part| !is_prerelease(part)).count();
    let (release, rest) = parts.split_at(release);
    (release.join("."), rest.iter().map(|part| format!(".{part}")).collect())
}

fn write_preamble(spec: &mut SpecWriter, gem: &Gem) {
    let (version, prerelease) = split_version(&gem.version);
    let otherwise = format!("The gem {}", gem.name);
    spec.line(&format!("%global gem_name {}", gem.name));
    if !prerelease.is_empty() {
        spec.line(&format!("%global prerelease {prerelease}"));
    }
    spec.line("").tag("Name", "rubygem-%{gem_name}").tag("Version", &version);
    spec.tag("Release", if prerelease.is_empty() { "1%{?dist}" } else { "0.1%{?prerelease}%{?dist}" });
    spec.summary(&gem.summary, &otherwise).line("").tag("License", &gem.license);
    if let Some(url) = &gem.url {
        spec.tag("URL", url);
    }
    spec.tag("Source0", "https://rubygems.org/gems/%{gem_name}-%{version}%{?prerelease}.gem").line("");
    if !gem.has_extensions {
        spec.tag("BuildArch", "noarch");
    }
    spec.tag("BuildRequires", "ruby(release)").tag("BuildRequires", "rubygems-devel");
    for (operator, version) in &gem.ruby {
        spec.tag("BuildRequires", &format!("ruby(release) {operator} {}", without_prerelease(version)));
    }
    if gem.has_extensions {
        spec.tag("BuildRequires", "ruby-devel").tag("BuildRequires", "gcc").tag("BuildRequires", "make");
    }
    // Generators find it, too, once it is built: what is planned before that reads it here.
    spec.tag("Provides", "rubygem(%{gem_name}) = %{version}");
    let long = if gem.description.is_empty() { &gem.summary } else { &gem.description };
    spec.section("%description").description(long, &otherwise);
    spec.section("%package doc").tag("Summary", &format!("Documentation for rubygem-{}", gem.name));
    spec.tag("Requires", "%{name} = %{version}-%{release}").tag("BuildArch", "noarch");
    spec.section("%description doc").line(&format!("Documentation for rubygem-{}.", gem.name));
}

fn without_prerelease(version: &str) -> String {
    split_version(version).0
}

fn write_build(spec: &mut SpecWriter, gem: &Gem) {
    spec.section("%prep").line("%setup -q -n %{gem_name}-%{version}%{?prerelease}");
    spec.section("%build")
        .line("gem build ../%{gem_name}-%{version}%{?prerelease}.gemspec")
        .line("%gem_install");
    spec.section("%install").line("mkdir -p %{buildroot}%{gem_dir}");
    spec.line("cp -a .%{gem_dir}/* %{buildroot}%{gem_dir}/");
    if gem.has_extensions {
        spec.line("mkdir -p %{buildroot}%{gem_extdir_mri}");
        spec.line("cp -a .%{gem_extdir_mri}/* %{buildroot}%{gem_extdir_mri}/");
        spec.line("rm -rf %{buildroot}%{gem_instdir}/ext");
        spec.line("rm -f %{buildroot}%{gem_extdir_mri}/gem_make.out %{buildroot}%{gem_extdir_mri}/mkmf.log");
    }
    if !gem.executables.is_empty() {
        spec.line("mkdir -p %{buildroot}%{_bindir}").line("cp -a .%{_bindir}/* %{buildroot}%{_bindir}/");
        spec.line(&format!("chmod -R a+x %{{buildroot}}%{{gem_instdir}}/{}", gem.executable_folder));
    }
}

/// The files and folders that lie topmost in a gem.
fn top_entries(gem: &Gem) -> BTreeSet<String> {
    let top = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
    gem.files.iter().filter(|path| is_plain_path(path)).map(top).collect()
}

fn role(name: &str, gem: &Gem) -> Role {
    let upper = name.to_uppercase();
    let begins = |words: &[&str]| words.iter().any(|word| upper.starts_with(word));
    let is_code = name == "lib" || name == gem.executable_folder || gem.files.is_empty();
    let documents = [
        "README",
        "CHANGE",
        "HISTORY",
        "NEWS",
        "CONTRIB",
        "CODE_OF_CONDUCT",
        "SECURITY",
        "TODO",
        "UPGRADING",
        "RAKEFILE",
        "GEMFILE",
        "TEST",
        "SPEC",
        "DOC",
        "SAMPLE",
        "EXAMPLE",
        "BENCHMARK",
        "APPRAISALS",
    ];
    match name {
        _ if name.starts_with('.') => Role::LeftOut,
        "ext" if gem.has_extensions => Role::LeftOut,
        _ if is_code => Role::Code,
        _ if begins(&["LICENSE", "LICENCE", "COPYING", "MIT-LICENSE", "BSDL", "LEGAL"]) => Role::License,
        _ if begins(&documents)
            || name.ends_with(".gemspec")
            || name.ends_with(".md")
            || name.ends_with(".rdoc") =>
        {
            Role::Document
        }
        _ => Role::Code,
    }
}

fn write_files(spec: &mut SpecWriter, gem: &Gem) {
    let entries: Vec<(String, Role)> = top_entries(gem)
        .into_iter()
        .map(|name| (role(&name, gem), name))
        .map(|(role, name)| (name, role))
        .collect();
    let of_role =
        |wanted: Role| entries.iter().filter(move |(_, role)| *role == wanted).map(|(name, _)| name);
    spec.section("%files").line("%dir %{gem_instdir}");
    for script in &gem.executables {
        spec.line(&format!("%{{_bindir}}/{script}"));
    }
    if gem.has_extensions {
        spec.line("%{gem_extdir_mri}");
    }
    for name in of_role(Role::License) {
        spec.line(&format!("%license %{{gem_instdir}}/{name}"));
    }
    for name in of_role(Role::Code) {
        spec.line(&if name == "lib" {
            "%{gem_libdir}".to_owned()
        } else {
            format!("%{{gem_instdir}}/{name}")
        });
    }
    // `gem install` leaves nothing of what is compiled from.
    for name in of_role(Role::LeftOut).filter(|name| *name != "ext") {
        spec.line(&format!("%exclude %{{gem_instdir}}/{name}"));
    }
    spec.line("%exclude %{gem_cache}").line("%{gem_spec}");
    spec.section("%files doc").line("%doc %{gem_docdir}");
    for name in of_role(Role::Document) {
        spec.line(&format!("%doc %{{gem_instdir}}/{name}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prerelease_is_no_part_of_the_version() {
        for (version, expected) in
            [("1.0.0", ("1.0.0", "")), ("1.0.0.rc1", ("1.0.0", ".rc1")), ("2.0.pre.3", ("2.0", ".pre.3"))]
        {
            assert_eq!(split_version(version), (expected.0.to_owned(), expected.1.to_owned()));
        }
    }
}
