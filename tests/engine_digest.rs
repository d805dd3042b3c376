//! The digest of the sources that packages depend on, which the build script makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use rpmforge::engine::{Engine, EngineIdentity, Native, Root};
use rpmforge::files::HostPath;
use rpmforge::process::Supervisor;

#[allow(dead_code, reason = "its `main` is for cargo")]
#[path = "../src/build.rs"]
mod build;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

async fn identity() -> EngineIdentity {
    let forge = HostPath::root().join("forge");
    let native = Native::new(
        &Supervisor::new(forge.clone()),
        &forge,
        &HostPath::root(),
        std::sync::Arc::new(rpmforge::sandbox::Namespaces::new(&forge)),
    );
    native.in_root(&Root::of_this_machine()).await.unwrap().identity().clone()
}

#[tokio::test]
async fn the_engines_identity_holds_the_digest_of_the_sources_that_it_was_built_from() {
    let sources = build::read_sources(repository()).unwrap();
    assert_eq!(identity().await.sources, build::digest_sources(&sources));
}

#[test]
fn one_changed_byte_makes_another_forge_and_so_does_a_new_file() {
    let sources = build::read_sources(repository()).unwrap();
    let digest = build::digest_sources(&sources);
    for path in [
        "Cargo.lock",
        "src/cli/rpm/rpmbuild.rs",
        "src/engine/native/build/write/header.rs",
        "src/execute/local.rs",
        "src/macros/default/macros",
        "src/macros/lua/prelude.lua",
        "src/package/write.rs",
        "src/spec/line_reader.rs",
    ] {
        let mut changed = sources.clone();
        changed.get_mut(path).unwrap_or_else(|| panic!("{path} is not in the list")).push(b' ');
        assert_ne!(build::digest_sources(&changed), digest, "{path}");
    }
    let mut more = sources.clone();
    more.insert("src/engine/new.rs".to_owned(), Vec::new());
    assert_ne!(build::digest_sources(&more), digest);
}

#[test]
fn what_only_shows_plans_or_publishes_makes_no_other_forge() {
    let sources = build::read_sources(repository()).unwrap();
    let counted: Vec<&str> = sources.keys().filter_map(|path| path.strip_prefix("src/")).collect();
    for folder in [
        "ui/",
        "publish/",
        "plan/",
        "manifest/",
        "event/",
        "text/",
        "chroot/repository/",
        "chroot/solve/",
        "source/",
    ] {
        assert!(repository().join("src").join(folder).is_dir(), "{folder}");
        assert!(!counted.iter().any(|path| path.starts_with(folder)), "{folder}");
    }
    assert!(
        counted.iter().filter(|path| path.starts_with("store/")).all(|path| path.starts_with("store/tree/"))
    );
    assert!(counted.iter().filter(|path| path.starts_with("cli/")).all(|path| path.starts_with("cli/rpm/")));
    assert!(!counted.iter().any(|path| path.ends_with("tests.rs")));
}

#[tokio::test]
async fn people_see_the_short_digest() {
    let identity = identity().await;
    let version = env!("CARGO_PKG_VERSION");
    let (begin, end) = (format!("native {version} of rpm "), format!(" ({})", &identity.sources[..8]));
    let shown = identity.to_string();
    assert!(shown.starts_with(&begin) && shown.ends_with(&end), "{shown}");
}
