//! The names in rich dependencies, as rpm's indices have them.

use crate::package::{Operator, Rich};
use crate::spec::{Allows, Dependency, read_dependencies};

/// Reads a rich dependency of a header. What `if` and `unless` may stand in was looked at when its package was built.
pub(crate) fn read_rich(text: &[u8]) -> Option<Rich> {
    let read = |allows| match read_dependencies(text, allows).ok()?.pop()? {
        Dependency::Rich(rich) => Some(rich),
        Dependency::Plain(_) => None,
    };
    read(Allows::Everything).or_else(|| read(Allows::Conflicts))
}

/// The names that a rich dependency mentions, sorted and each once; one that matters when it is not there begins with `!`:
/// `(a if b)` gives `a` and `!b`. rpm looks these up when packages come and go (its `updateRichDep`).
pub(super) fn rich_names(text: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    if let Some(rich) = read_rich(text) {
        collect(&rich, Sense::There, &mut names);
    }
    names.sort();
    names.dedup();
    names.into_iter().map(|(sense, name)| [sense.prefix(), &name].concat()).collect()
}

/// Whether a name matters when it is there, or when it isn't.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sense {
    There,
    NotThere,
}

impl Sense {
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::There => b"",
            Self::NotThere => b"!",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::There => Self::NotThere,
            Self::NotThere => Self::There,
        }
    }
}

fn collect(rich: &Rich, sense: Sense, names: &mut Vec<(Sense, Vec<u8>)>) {
    let (first, further) = match rich {
        Rich::Capability(capability) => {
            if !capability.name.starts_with(b"rpmlib(") {
                names.push((sense, capability.name.to_vec()));
            }
            return;
        }
        Rich::Group(first, further) => (first, further),
    };
    let mut condition_at = names.len();
    collect(first, sense, names);
    let mut sense = sense;
    for (operator, part) in further {
        match operator {
            Operator::If | Operator::Unless => {
                condition_at = names.len();
                sense = sense.other();
            }
            Operator::Else => {
                // The condition counts both ways.
                let condition = names.get(condition_at..).unwrap_or_default().to_vec();
                names.extend(condition.into_iter().map(|(sense, name)| (sense.other(), name)));
                sense = sense.other();
            }
            Operator::And | Operator::Or | Operator::With | Operator::Without => {}
        }
        collect(part, sense, names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        rich_names(text.as_bytes()).iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    #[test]
    fn conditions_count_where_they_do_not_hold_and_alternatives_both_ways() {
        assert_eq!(names("(b or a >= 1)"), ["a", "b"]);
        assert_eq!(names("(a if b)"), ["a", "!b"]);
        assert_eq!(names("(a if b else c)"), ["a", "b", "c", "!b"]);
        assert_eq!(names("(a unless (b and b))"), ["a", "!b"]);
        assert_eq!(names("(a nor b)"), Vec::<String>::new());
    }
}
