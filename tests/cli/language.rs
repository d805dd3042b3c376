//! What a manifest says in few words.

use crate::support::Project;

#[test]
fn a_file_is_included_from_outside_of_project_as_well() {
    let project = Project::with("include \"more/*.kdl\"\n");
    project.write("more/a.kdl", "package a { source path \"a.spec\" }\n");
    project.write("more/a.spec", &crate::support::spec("a", "", "true"));
    assert_eq!(project.actions().keys().collect::<Vec<_>>(), ["a"]);
}
