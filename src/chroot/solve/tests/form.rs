//! The written form of an index.

use super::*;

fn some_index() -> PackageIndex {
    index(&[
        package("a-1:1-1.x86_64")
            .requires(&["b >= 0:2", "(c or (d and e >= 3))", "/usr/bin/f"])
            .files(&["/usr/bin/a"]),
        package("b-2-1.noarch").conflicts(&["(x unless y)"]).obsoletes(&["z < 1"]).files(&["/etc/b", "/b"]),
    ])
}

#[test]
fn an_index_is_read_as_it_was_written() {
    let index = some_index();
    let read = PackageIndex::from_bytes(&index.to_bytes()).unwrap();
    assert_eq!(read, index);
    let locked = read.locked(0, "fedora").unwrap();
    assert_eq!((locked.nevra().as_str(), locked.size), ("a-1:1-1.x86_64", 1000));
    assert_eq!((locked.href.as_str(), locked.repository.as_str()), ("a-1:1-1.x86_64.rpm", "fedora"));
    assert_eq!(
        PackageIndex::from_bytes(&PackageIndex::default().to_bytes()).unwrap(),
        PackageIndex::default()
    );
}

#[test]
fn a_damaged_index_is_refused() {
    let bytes = some_index().to_bytes();
    assert_eq!(PackageIndex::from_bytes(b"<xml>"), Err(IndexFormError::Heading));
    for cut in [16, 40, 48, bytes.len() - 1] {
        assert_eq!(PackageIndex::from_bytes(&bytes[..cut]), Err(IndexFormError::Digest), "{cut}");
    }
    for place in (16..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 4;
        assert_eq!(PackageIndex::from_bytes(&damaged), Err(IndexFormError::Digest), "{place}");
    }
}

/// With a digest that fits, so that only what the parts say of each other can be wrong.
#[test]
fn a_forged_index_is_refused_or_leads_nowhere_but_into_itself() {
    let bytes = some_index().to_bytes();
    let mut refused = 0;
    for place in 48..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut forged = bytes.clone();
            forged[place] = value;
            let digest = *crate::digest::Digest::compute(&forged[48..]).as_bytes();
            forged[16..48].copy_from_slice(&digest);
            match PackageIndex::from_bytes(&forged) {
                Err(error) => {
                    assert_eq!(error, IndexFormError::Contents);
                    refused += 1;
                }
                Ok(index) => {
                    let _ = solve_all(vec![SolveRepository::new("forged", &index)], &request(&["a", "b"]));
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}
