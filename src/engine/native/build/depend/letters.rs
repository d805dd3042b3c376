//! The letters of dependencies in the dictionary of a header that files point into.

use crate::spec::DependencyKind;

/// The letters of dependencies in the dictionary that files point into.
pub(crate) const DICTIONARY_LETTERS: [(DependencyKind, u8); 9] = [
    (DependencyKind::Provides, b'P'),
    (DependencyKind::Requires, b'R'),
    (DependencyKind::Recommends, b'r'),
    (DependencyKind::Suggests, b's'),
    (DependencyKind::Supplements, b'S'),
    (DependencyKind::Enhances, b'e'),
    (DependencyKind::Conflicts, b'C'),
    (DependencyKind::Obsoletes, b'O'),
    (DependencyKind::OrderWithRequires, b'o'),
];

/// The letter of a kind of dependencies there.
pub(crate) fn dictionary_letter(kind: DependencyKind) -> u8 {
    DICTIONARY_LETTERS.iter().find(|(known, _)| *known == kind).map_or(b' ', |(_, letter)| *letter)
}
