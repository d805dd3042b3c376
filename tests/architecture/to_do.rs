//! What does not keep to the rules yet.

use std::collections::BTreeSet;

use Rule::{Circle, Parameters, TypeName};

/// A rule that some of the code does not keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No two files need each other. The list has the imports to cut.
    Circle,
    /// At most five parameters. The list has functions, by file.
    Parameters,
    /// A type's name stands in at most two modules. The list has types that should have another name.
    TypeName,
}

/// What is still to do, by module. It only gets shorter: what is mended must go from here, too.
const TO_DO: &[(&str, Rule, &[&str])] = &[
    (
        "spec",
        Circle,
        &[
            "dependency → rich",
            "parser/mod → parser/build_system",
            "parser/mod → parser/macros",
            "parser/mod → parser/scripts",
            "parser/prep → parser/macros",
            "problem → header",
        ],
    ),
    ("plan", Parameters, &["inspect::draft_state", "inspect::fate"]),
    (
        "spec",
        Parameters,
        &["parser/dependencies::dependencies", "parser/scripts::needs", "parser/scripts::scriptlet"],
    ),
    ("execute", TypeName, &["Place"]),
    ("spec", TypeName, &["Value"]),
];

/// What the list has for a rule, with its module.
pub fn listed(rule: Rule) -> BTreeSet<(&'static str, &'static str)> {
    TO_DO
        .iter()
        .filter(|(_, broken, _)| *broken == rule)
        .flat_map(|(module, _, names)| names.iter().map(move |name| (*module, *name)))
        .collect()
}

/// Fails where a rule is broken by what is not in the list, and where the list has what keeps to the rule.
///
/// `found` has the module, what breaks the rule, and how.
pub fn check_to_do(rule: Rule, found: &[(String, String, String)]) {
    let listed = listed(rule);
    let is_listed = |module: &str, name: &str| match rule {
        Circle | Parameters => listed.contains(&(module, name)),
        // Of the modules that have a type of that name, the list has those that should give it up.
        TypeName => listed.iter().any(|(_, listed)| *listed == name),
    };
    let new: Vec<String> = found
        .iter()
        .filter(|(module, name, _)| !is_listed(module, name))
        .map(|(module, name, how)| format!("{module}: {name} {how}"))
        .collect();
    assert!(new.is_empty(), "{rule:?}: {new:#?}");
    let still: BTreeSet<(&str, &str)> =
        found.iter().map(|(module, name, _)| (module.as_str(), name.as_str())).collect();
    let done: Vec<_> = listed.difference(&still).collect();
    assert!(done.is_empty(), "{rule:?}: take off the list in tests/architecture/to_do.rs: {done:?}");
}
