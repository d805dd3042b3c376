//! What is in a package and in the root that it was built in, as SPDX 2.3.

use serde_json::{Value, json};

use super::attested::{AttestedBuild, AttestedPackage};
use super::forms::{is_spdx_expression, package_url, to_second};
use super::material::{Material, MaterialKind};

/// An SPDX document (2.3, JSON) of a package: it, the spec and sources that it is made from, and the packages of its root.
pub fn spdx_document(build: &AttestedBuild, package: &AttestedPackage) -> Value {
    let record = &package.record;
    let declared = match is_spdx_expression(record.license()) {
        true => record.license(),
        false => "NOASSERTION",
    };
    let supplier = match record.vendor() {
        "" => "NOASSERTION".to_owned(),
        vendor => format!("Organization: {vendor}"),
    };
    let mut packages = vec![json!({
        "SPDXID": "SPDXRef-Package",
        "name": record.name,
        "versionInfo": record.evr(),
        "packageFileName": package.file,
        "supplier": supplier,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "homepage": if record.url().is_empty() { "NOASSERTION" } else { record.url() },
        "summary": record.summary(),
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": declared,
        "copyrightText": "NOASSERTION",
        "checksums": [{ "algorithm": "SHA256", "checksumValue": package.sha256 }],
        "externalRefs": [reference(&package_url(&record.name, &record.evr(), &record.arch))],
    })];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package")];
    for (number, material) in build.materials.iter().enumerate() {
        let id = format!("SPDXRef-Material-{number}");
        packages.push(material_package(&id, material));
        relationships.push(match material.kind {
            MaterialKind::Spec | MaterialKind::Source => {
                relationship("SPDXRef-Package", "GENERATED_FROM", &id)
            }
            MaterialKind::RootPackage | MaterialKind::OwnPackage => {
                relationship(&id, "BUILD_DEPENDENCY_OF", "SPDXRef-Package")
            }
        });
    }
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": package.file,
        "documentNamespace": format!("urn:rpmforge:spdx:{}:{}", build.record.key, package.sha256),
        "creationInfo": {
            "created": to_second(build.record.ended),
            "creators": [format!("Tool: forge-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    })
}

fn material_package(id: &str, material: &Material) -> Value {
    let purpose = match material.kind {
        MaterialKind::Spec | MaterialKind::Source => "SOURCE",
        MaterialKind::RootPackage | MaterialKind::OwnPackage => "INSTALL",
    };
    // Programs that read SPDX know BLAKE3 by its name, and take it for longer than it is.
    let is_shown = |algorithm: &str| algorithm != "blake3" || material.digests.len() == 1;
    let checksums = material.digests.iter().filter(|(algorithm, _)| is_shown(algorithm));
    let checksums = checksums
        .map(|(algorithm, digest)| json!({ "algorithm": algorithm.to_uppercase(), "checksumValue": digest }));
    let mut package = json!({
        "SPDXID": id,
        "name": material.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": purpose,
        "checksums": checksums.collect::<Vec<_>>(),
    });
    if let (Some(url), Some(package)) = (&material.url, package.as_object_mut()) {
        package.insert("externalRefs".to_owned(), json!([reference(url)]));
    }
    package
}

fn reference(url: &str) -> Value {
    json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url })
}

fn relationship(one: &str, what: &str, other: &str) -> Value {
    json!({ "spdxElementId": one, "relationshipType": what, "relatedSpdxElement": other })
}
