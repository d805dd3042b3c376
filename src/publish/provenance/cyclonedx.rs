//! What is in a package and in the root that it was built in, as CycloneDX 1.6.

use serde_json::{Value, json};

use super::attested::{AttestedBuild, AttestedPackage};
use super::forms::{is_spdx_expression, package_url, to_second};
use super::material::{Material, MaterialKind};
use crate::digest::Digest;

/// A CycloneDX document (1.6, JSON) of a package: it, the spec and sources that it is made from, and the packages of its root.
pub fn cyclonedx_document(build: &AttestedBuild, package: &AttestedPackage) -> Value {
    let record = &package.record;
    let url = package_url(&record.name, &record.evr(), &record.arch);
    let licenses = match (is_spdx_expression(record.license()), record.license()) {
        (_, "") => json!([]),
        (true, license) => json!([{ "expression": license }]),
        (false, license) => json!([{ "license": { "name": license } }]),
    };
    let mut described = json!({
        "type": "application",
        "bom-ref": url,
        "name": record.name,
        "version": record.evr(),
        "description": record.summary(),
        "hashes": [{ "alg": "SHA-256", "content": package.sha256 }],
        "licenses": licenses,
        "purl": url,
    });
    if let (false, Some(described)) = (record.vendor().is_empty(), described.as_object_mut()) {
        described.insert("supplier".to_owned(), json!({ "name": record.vendor() }));
    }
    let components: Vec<Value> = build.materials.iter().enumerate().map(component).collect();
    let references: Vec<&Value> =
        components.iter().filter_map(|component| component.get("bom-ref")).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(&format!("{}:{}", build.record.key, package.sha256)),
        "version": 1,
        "metadata": {
            "timestamp": to_second(build.record.ended),
            "tools": { "components": [{
                "type": "application", "name": "forge", "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": described,
        },
        "dependencies": [{ "ref": url, "dependsOn": references }],
        "components": components,
    })
}

fn component((number, material): (usize, &Material)) -> Value {
    let (kind, scope) = match material.kind {
        MaterialKind::Spec | MaterialKind::Source => ("file", "required"),
        // They are not in it.
        MaterialKind::RootPackage | MaterialKind::OwnPackage => ("application", "excluded"),
    };
    let hashes = material.digests.iter().filter_map(|(algorithm, digest)| {
        let algorithm = match algorithm.as_str() {
            "blake3" => "BLAKE3",
            "sha256" => "SHA-256",
            "sha384" => "SHA-384",
            "sha512" => "SHA-512",
            _ => return None,
        };
        Some(json!({ "alg": algorithm, "content": digest }))
    });
    let mut component = json!({
        "type": kind,
        "bom-ref": format!("material-{number}"),
        "name": material.name,
        "scope": scope,
        "hashes": hashes.collect::<Vec<_>>(),
    });
    if let (Some(url), Some(component)) = (&material.url, component.as_object_mut()) {
        component.insert("purl".to_owned(), json!(url));
    }
    component
}

/// A number of its own for each content: a UUID of version 8 (RFC 9562).
fn serial_number(content: &str) -> String {
    let digits = Digest::compute(content.as_bytes()).to_string();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_uuids_of_version_8() {
        let number = serial_number("a");
        assert_eq!(number.len(), "urn:uuid:".len() + 36);
        assert_eq!(number.as_bytes().get(9 + 14), Some(&b'8'));
        assert_ne!(number, serial_number("b"));
    }
}
