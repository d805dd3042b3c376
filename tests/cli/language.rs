//! What a manifest says in few words.

use crate::support::Project;

#[test]
fn a_file_is_included_from_outside_of_project_as_well() {
    let project = Project::with("include \"more/*.kdl\"\n");
    project.write("more/a.kdl", "package a { source path \"a.spec\" }\n");
    project.write("more/a.spec", &crate::support::spec("a", "", "true"));
    assert_eq!(project.actions().keys().collect::<Vec<_>>(), ["a"]);
}

/// What the plan says that a package is built with.
fn explained(project: &Project, package: &str) -> String {
    let plan = project.succeed(&["plan", "--explain", "--all"]).stdout;
    let from = plan.find(&format!("\n{package} in ")).unwrap_or_else(|| panic!("{plan}"));
    let rest = &plan[from + 1..];
    rest[..rest.find("\n\n").unwrap_or(rest.len())].to_owned()
}

fn specs(project: &Project, names: &[&str]) {
    for name in names {
        project.write(
            &format!("specs/{name}/{name}.spec"),
            &crate::support::spec(name, "%bcond docs 0", "true"),
        );
    }
}

#[test]
fn a_package_without_a_source_adds_to_the_one_that_a_pattern_finds() {
    let project = Project::with(
        "packages \"specs/*/*.spec\" { macros { dist .all; vendor Acme } }\n\
         package bargen { with docs; macros { dist .one }; after other }\n",
    );
    specs(&project, &["bargen", "other"]);
    assert_eq!(project.actions().keys().collect::<Vec<_>>(), ["bargen", "other"]);
    let said = explained(&project, "bargen");
    for line in ["macro dist = .one", "macro vendor = Acme", "with docs"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(explained(&project, "other").contains("macro dist = .all"));
}

#[test]
fn specs_that_a_pattern_finds_are_left_out_by_another() {
    let project = Project::with("packages \"specs/*/*.spec\" { exclude \"specs/old-*/*.spec\" }\n");
    specs(&project, &["new", "old-one"]);
    assert_eq!(project.actions().keys().collect::<Vec<_>>(), ["new"]);
}

#[test]
fn a_package_is_called_by_the_name_in_its_spec_where_no_package_has_that_name() {
    let project = Project::with(
        "packages \"*.spec\"\npackage python-thing { with docs }\npackage later { after python-thing }\n\
         batch one { members python-thing }\nbatch two after=one { members \"late*\" }\n",
    );
    let named = "%global src thing\n%bcond docs 0\n";
    let text = crate::support::spec("python-%{src}", "", "true");
    project.write("file.spec", &format!("{named}{text}"));
    project.spec("later", "", "true");
    assert!(explained(&project, "file").contains("with docs"));
    let order: Vec<String> = project
        .succeed(&["apply", "--json", "--jobs", "2"])
        .events("build-ended")
        .iter()
        .map(|event| event["package"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(order, ["file", "later"]);
}
