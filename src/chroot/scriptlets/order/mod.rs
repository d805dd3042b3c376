//! The order in which rpm installs packages that are given to it in one go (its `rpmtsOrder`, as of version 6).
//!
//! What a package needs comes before it. Where packages need each other in a circle, rpm takes the circle as one
//! (Tarjan's strongly connected components) and begins where it does the least harm: with the package that is farthest
//! from any that is needed by a scriptlet. Of packages that are ready, the one that most others need comes first. Where
//! nothing of this decides, the order is that in which the packages were given: give them sorted.

mod circles;
mod colors;
mod providers;
mod queue;
mod relations;

use crate::package::Header;

/// The numbers of packages in the order in which rpm installs them. `colors` are the kinds of ELF files that are welcome,
/// as in [`InstallTransaction`](crate::chroot::database::InstallTransaction).
pub fn install_order(packages: &[&Header], colors: u32) -> Vec<usize> {
    queue::sort(relations::record(packages, colors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{Tag, Value};

    /// `RPMSENSE_SCRIPT_PRE`
    const PRE: u64 = 1 << 9;

    fn package(name: &str, requires: &[(&str, u64)]) -> Header {
        let mut header = Header::default();
        header.set_text(Tag::NAME, name);
        header.add_texts(Tag::PROVIDENAME, [name.into()]);
        header.add_texts(Tag::REQUIRENAME, requires.iter().map(|(name, _)| (*name).into()));
        header.set(Tag::REQUIREFLAGS, Value::Numbers(requires.iter().map(|(_, flags)| *flags).collect()));
        header
    }

    fn order(packages: &[Header]) -> Vec<String> {
        let packages: Vec<&Header> = packages.iter().collect();
        let order = install_order(&packages, 0);
        order.iter().map(|number| packages[*number].text(Tag::NAME).unwrap().to_string()).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_what_most_need_before_that() {
        let packages = [
            package("a", &[("d", 0), ("c", 0)]),
            package("b", &[("d", 0)]),
            package("c", &[]),
            package("d", &[]),
        ];
        assert_eq!(order(&packages), ["d", "c", "a", "b"]);
    }

    #[test]
    fn a_circle_is_broken_where_no_scriptlet_needs_what_comes_later() {
        let circle = [package("a", &[("b", 0)]), package("b", &[("c", PRE)]), package("c", &[("a", 0)])];
        let order = order(&circle);
        let place = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(place("c") < place("b"), "{order:?}");
    }

    #[test]
    fn rich_requirements_count_by_what_must_be_there_before() {
        let packages = [
            package("a", &[("(c or d)", 0)]),
            package("b", &[("(d if c)", 0)]),
            package("c", &[]),
            package("d", &[]),
        ];
        let order = order(&packages);
        let place = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(place("c") < place("a") && place("d") < place("a") && place("d") < place("b"), "{order:?}");
    }

    #[test]
    fn circles_of_any_length_come_to_an_end() {
        let names: Vec<String> = (0..20_000).map(|number| format!("p{number}")).collect();
        let next = names.iter().skip(1).chain(names.first());
        let packages: Vec<Header> =
            names.iter().zip(next).map(|(name, next)| package(name, &[(next, 0)])).collect();
        assert_eq!(order(&packages).len(), names.len());
    }
}
