//! The manual pages: one a command, each with what a reader looks for.

use super::support::Project;

#[test]
fn each_manual_page_has_exit_status_files_and_examples() {
    let project = Project::new();
    project.succeed(&["man", "pages"]);
    let mut count = 0;
    for entry in std::fs::read_dir(project.path().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        count += 1;
        for heading in [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH FILES", ".SH EXAMPLES"] {
            assert_eq!(text.matches(heading).count(), 1, "{}: {heading}", path.display());
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn each_example_of_the_manual_pages_is_understood() {
    let project = Project::new();
    project.succeed(&["man", "pages"]);
    for entry in std::fs::read_dir(project.path().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace("\\-", "-").replace("\\*(Aq", "'");
        let text = text.replace("\\fB", "").replace("\\fR", "");
        let examples = text.split(".SH EXAMPLES").nth(1).unwrap().split(".SH").next().unwrap().to_owned();
        let commands = super::page::commands_of_forge(&examples);
        assert!(!commands.is_empty(), "{}: {examples}", path.display());
        for words in commands {
            let is_rpms = matches!(words[1].as_str(), "rpmbuild" | "rpmspec");
            if !is_rpms && let Err(error) = rpmforge::cli::command_line().try_get_matches_from(&words) {
                panic!("{}: {words:?}\n{error}", path.display());
            }
        }
    }
}
