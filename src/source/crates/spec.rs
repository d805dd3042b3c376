//! The spec of a program in Rust.

use super::manifest::CrateManifest;
use crate::source::made_spec::{
    BundledPackage, SpecWriter, join_licenses, license_list_name, vendor_name, write_bundled_provides,
    write_cargo_config,
};

/// Writes the spec of a crate with what is built into it.
pub fn write_spec(manifest: &CrateManifest, bundled: &[BundledPackage]) -> String {
    let mut spec = SpecWriter::default();
    write_preamble(&mut spec, manifest, bundled);
    write_build(&mut spec, manifest);
    spec.section("%files").line(&format!("%license {}", license_list_name(&manifest.name)));
    for (mark, paths) in [("%license", &manifest.license_files), ("%doc", &manifest.documents)] {
        if !paths.is_empty() {
            spec.line(&format!("{mark} {}", paths.join(" ")));
        }
    }
    for program in &manifest.programs {
        spec.line(&format!("%{{_bindir}}/{program}"));
    }
    spec.section("%changelog");
    spec.finish()
}

/// A version of a crate for RPM: a prerelease sorts before its release.
pub fn rpm_version(version: &str) -> String {
    let (version, build) = version.split_once('+').map_or((version, ""), |(version, build)| (version, build));
    let build = if build.is_empty() { String::new() } else { format!("+{}", build.replace('-', ".")) };
    match version.split_once('-') {
        Some((release, pre)) => format!("{release}~{}{build}", pre.replace('-', ".")),
        None => format!("{version}{build}"),
    }
}

fn write_preamble(spec: &mut SpecWriter, manifest: &CrateManifest, bundled: &[BundledPackage]) {
    let (name, version) = (&manifest.name, &manifest.version);
    let otherwise = format!("The program {name}");
    spec.tag("Name", name).tag("Version", &rpm_version(version)).tag("Release", "1%{?dist}");
    spec.summary(&manifest.summary, &otherwise).line("");
    let licenses =
        std::iter::once(manifest.license.clone()).chain(bundled.iter().map(BundledPackage::license));
    spec.tag("License", &join_licenses(licenses));
    if let Some(url) = &manifest.url {
        spec.tag("URL", url);
    }
    spec.tag("Source0", &format!("https://static.crates.io/crates/{name}/{name}-{version}.crate"));
    spec.tag("Source1", &vendor_name(name, &rpm_version(version)))
        .tag("Source2", &license_list_name(name))
        .line("");
    for needed in ["cargo", "gcc", "zstd"] {
        spec.tag("BuildRequires", needed);
    }
    write_bundled_provides(spec, "crate", bundled);
    spec.section("%description").description(&manifest.summary, &otherwise);
}

fn write_build(spec: &mut SpecWriter, manifest: &CrateManifest) {
    spec.section("%prep").line(&format!("%autosetup -n {}-{} -a 1", manifest.name, manifest.version));
    write_cargo_config(spec);
    spec.line("cp -p %{SOURCE2} .");
    spec.section("%build").line("export CARGO_HOME=\"$PWD/.cargo\" RUSTFLAGS=\"%{?build_rustflags}\"");
    // rpm takes debug information out of programs itself, and needs some to take.
    spec.line("export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=2");
    spec.line("cargo build --release --frozen %{?_smp_mflags}");
    spec.section("%install");
    for program in &manifest.programs {
        spec.line(&format!(
            "install -Dpm 0755 target/release/{program} %{{buildroot}}%{{_bindir}}/{program}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prerelease_sorts_before_its_release() {
        for (version, expected) in
            [("1.0.0", "1.0.0"), ("1.0.0-rc.1", "1.0.0~rc.1"), ("1.0.0-a-b+c-d", "1.0.0~a.b+c.d")]
        {
            assert_eq!(rpm_version(version), expected);
        }
    }
}
