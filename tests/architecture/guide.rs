//! What `docs/contributing.md` says about where things are.

use std::fs;

use super::sources::repository;

/// The rows of the table: a name to search for, and the file that it stands in.
fn rows(guide: &str) -> Vec<(String, String)> {
    let table = guide.lines().skip_while(|line| !line.starts_with("| question |")).skip(2);
    let first_code = |cell: &str| cell.split('`').nth(1).unwrap_or_default().to_owned();
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| (first_code(cells[2]), first_code(cells[3])))
        .collect()
}

#[test]
fn every_name_in_the_guide_stands_in_its_file() {
    let guide = fs::read_to_string(repository().join("docs/contributing.md")).unwrap();
    let rows = rows(&guide);
    assert!(rows.len() > 5, "the table was not found: {rows:?}");
    let wrong: Vec<&(String, String)> = rows
        .iter()
        .filter(|(name, file)| {
            let text = fs::read_to_string(repository().join(file)).unwrap_or_default();
            name.is_empty() || !text.contains(name)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
