//! What `forge log` shows of logs that programs of others wrote.

use crate::support::Project;

/// Sets a title, clears the screen, is red, hides what it wrote, and answers for the user.
const NASTY: &str = r"printf 'A\033]0;title\007B\033[2J\033[31mC\033[0m\302\233HD\b\033[6nE\rF\n'";

#[test]
fn a_log_can_not_steer_the_terminal() {
    let project = Project::with("package nasty { source path \"nasty.spec\" }\n");
    project.spec("nasty", "", NASTY);
    project.succeed(&["apply"]);
    for arguments in [&["log", "nasty"] as &[&str], &["log", "nasty", "--stage", "build"]] {
        let shown = project.succeed(arguments).stdout;
        assert!(shown.contains("\nABCDE\nF\n"), "{shown:?}");
        assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{shown:?}");
    }
}
