//! The dependencies of a package, as rpm lists them while it builds.

use super::super::world::World;
use crate::package::Header;
use crate::spec::{DependencyKind, DependencyRow};

/// What rpm lists of the dependencies of a package: a word, the kind, and the bits that count, if not all do.
pub(super) const LISTED_KINDS: [(&str, DependencyKind, Option<u32>); 20] = {
    use DependencyKind as K;
    [
        ("Provides", K::Provides, None),
        ("Requires(interp)", K::Requires, Some(1 << 8)),
        ("Requires(rpmlib)", K::Requires, Some(1 << 24)),
        ("Requires(verify)", K::Requires, Some(1 << 13)),
        ("Requires(pre)", K::Requires, Some(1 << 9)),
        ("Requires(post)", K::Requires, Some(1 << 10)),
        ("Requires(preun)", K::Requires, Some(1 << 11)),
        ("Requires(postun)", K::Requires, Some(1 << 12)),
        ("Requires(pretrans)", K::Requires, Some(1 << 7)),
        ("Requires(posttrans)", K::Requires, Some(1 << 5)),
        ("Requires(preuntrans)", K::Requires, Some(1 << 20)),
        ("Requires(postuntrans)", K::Requires, Some(1 << 21)),
        ("Requires", K::Requires, Some(1 << 14)),
        ("Conflicts", K::Conflicts, None),
        ("Obsoletes", K::Obsoletes, None),
        ("Recommends", K::Recommends, None),
        ("Suggests", K::Suggests, None),
        ("Supplements", K::Supplements, None),
        ("Enhances", K::Enhances, None),
        ("OrderWithRequires", K::OrderWithRequires, None),
    ]
};

/// Lists all dependencies of a package.
pub(crate) fn list_dependencies(world: World<'_>, header: &Header) {
    for (word, kind, bits) in LISTED_KINDS {
        let rows = DependencyRow::read_header(header, kind);
        let told: Vec<String> = rows
            .iter()
            .filter(|row| bits.is_none_or(|bits| row.flags & bits != 0))
            .map(ToString::to_string)
            .collect();
        if !told.is_empty() {
            world.notice(format!("{word}: {}", told.join(" ")));
        }
    }
}
