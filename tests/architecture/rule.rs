//! What is told of a rule that some of the code does not keep to.

/// Fails where a rule is broken: `found` has the module, what breaks the rule, and how.
#[track_caller]
pub fn check_rule(rule: &str, found: &[(String, String, String)]) {
    let broken: Vec<String> =
        found.iter().map(|(module, name, how)| format!("{module}: {name} {how}")).collect();
    assert!(broken.is_empty(), "{rule}: {broken:#?}");
}
