//! In-toto statements (version 1) with SLSA provenance (version 1).

use serde_json::{Value, json};

use super::attested::{AttestedBuild, AttestedPackage};
use super::material::{Material, MaterialKind};

/// The type of the payload in an envelope.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// How forge builds: what the parameters of a statement mean. Raised when they mean something else.
const BUILD_TYPE: &str = "urn:rpmforge:build:1";

/// Says how a package came to be.
pub fn provenance_statement(build: &AttestedBuild, package: &AttestedPackage) -> Value {
    let AttestedBuild { record, inputs, materials } = build;
    let ingredients = &inputs.ingredients;
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "name": package.file,
            "digest": { "sha256": package.sha256, "rpmHeaderSha256": package.header_sha256 },
        }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "package": record.build.package,
                    "chroot": record.build.chroot,
                    "spec": ingredients.spec_name,
                    "settings": ingredients.settings,
                },
                "internalParameters": {
                    "engine": ingredients.engine,
                    "root": ingredients.root,
                    "observed": ingredients.observed,
                    "key": record.key,
                },
                "resolvedDependencies": materials.iter().map(descriptor).collect::<Vec<_>>(),
            },
            "runDetails": {
                "builder": {
                    "id": "urn:rpmforge:forge",
                    "version": { "forge": env!("CARGO_PKG_VERSION"), "sources": crate::engine::FORGE_SOURCES },
                },
                "metadata": {
                    "invocationId": format!("{}#{}", record.build, record.number),
                    "startedOn": record.started,
                    "finishedOn": record.ended,
                },
            },
        },
    })
}

/// A material as a resource descriptor.
fn descriptor(material: &Material) -> Value {
    let kind = match material.kind {
        MaterialKind::Spec => "spec",
        MaterialKind::Source => "source",
        MaterialKind::RootPackage => "package of the root",
        MaterialKind::OwnPackage => "package of the manifest",
    };
    let mut descriptor = json!({
        "name": material.name,
        "digest": material.digests,
        "annotations": { "kind": kind },
    });
    if let (Some(url), Some(descriptor)) = (&material.url, descriptor.as_object_mut()) {
        descriptor.insert("uri".to_owned(), json!(url));
    }
    descriptor
}
