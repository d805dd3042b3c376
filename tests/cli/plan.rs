//! `forge plan` and `forge graph`.

use crate::support::Project;

#[test]
fn the_exit_code_tells_whether_there_is_something_to_do() {
    let project = Project::example("hello");
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(2));
    assert_eq!(project.run(&["plan"]).code, Some(0));
    project.succeed(&["apply"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_plan_builds_and_writes_nothing_into_the_repository() {
    let project = Project::example("hello");
    project.succeed(&["plan"]);
    assert!(!project.path().join("public").exists());
    assert!(!project.path().join(".forge/results").exists());
}

#[test]
fn explain_says_who_set_a_macro() {
    let project = Project::with(
        "macros { vendor Acme; __make gmake }\npackage a { source path \"a.spec\"; macros { dist .a }; with x }\n",
    );
    project.spec("a", "%bcond x 0", "true");
    let plan = project.succeed(&["plan", "--explain", "-D", "packager me"]).stdout;
    for line in [
        "macro dist = .a (package, Rpmforge.kdl:5)",
        "macro vendor = Acme (project, Rpmforge.kdl:4)",
        "macro packager = me (command line)",
        "with x",
        "macro __make = gmake (project, Rpmforge.kdl:4), instead of `/usr/bin/make` (/usr/lib/rpm/macros:",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
}

#[test]
fn a_package_that_is_not_declared_suggests_the_nearest() {
    let project = Project::example("libraries");
    let run = project.run(&["plan", "libtxt"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("forge::plan::unknown_package") && run.stderr.contains("did you mean `libtext`?")
    );
}

#[test]
fn the_graph_is_drawn_in_three_ways() {
    let project = Project::example("libraries");
    let dot = project.succeed(&["graph"]).stdout;
    assert!(dot.starts_with("digraph forge {") && dot.contains("label=\"pkgconfig(greet)\""), "{dot}");
    let mermaid = project.succeed(&["graph", "--format", "mermaid"]).stdout;
    assert!(mermaid.contains("\nflowchart LR\n") && mermaid.contains("|\"pkgconfig(base)\"|"), "{mermaid}");
    project.succeed(&["graph", "--format", "svg", "--output", "graph.svg"]);
    let svg = project.read("graph.svg");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert_eq!(svg.matches("<tspan font-weight").count(), 4);
    assert!(svg.contains("prefers-color-scheme: dark") && svg.contains(">to build</text>"), "{svg}");
}

#[test]
fn a_batch_is_a_box_around_its_builds() {
    let project = Project::with(
        "packages \"*.spec\"\nbatch first { members a b }\nbatch second after=first { members c }\n",
    );
    ["a", "b", "c", "alone"].iter().for_each(|name| project.spec(name, "", "true"));
    let draw = |format: &str| project.succeed(&["graph", "--format", format]).stdout;
    let dot = draw("dot");
    assert!(
        dot.contains("label=\"batch first\"") && dot.contains("ltail=cluster_b0 lhead=cluster_b1"),
        "{dot}"
    );
    let mermaid = draw("mermaid");
    assert!(mermaid.contains("  subgraph b0[\"batch first\"]\n"), "{mermaid}");
    assert!(mermaid.contains("  b0 ==> b1\n"), "{mermaid}");
    let svg = draw("svg");
    assert_eq!(
        (svg.matches("<rect class=\"batch\"").count(), svg.matches("<path class=\"line\"").count()),
        (2, 1)
    );
    assert!(svg.contains(">batch second</text>") && !svg.contains("end of batch"), "{svg}");
}

#[test]
fn a_batch_after_another_is_one_arrow_however_many_members_it_has() {
    let mut manifest = String::from("batch one { members \"a*\" }\nbatch two after=one { members \"b*\" }\n");
    let project = Project::new();
    for number in 0..30 {
        for name in [format!("a{number}"), format!("b{number}")] {
            manifest.push_str(&format!("package {name} {{ source path \"{name}.spec\" }}\n"));
            project.spec(&name, "", "true");
        }
    }
    project.write("Rpmforge.kdl", &format!("{}{manifest}", crate::support::host()));
    let dot = project.succeed(&["graph"]).stdout;
    assert_eq!(dot.matches(" -> ").count(), 1, "one batch after the other");
}

#[test]
fn the_picture_says_which_batch_starts_even_if_the_one_before_failed() {
    let svg = Project::example("batches").succeed(&["graph", "--format", "svg"]).stdout;
    assert_eq!(svg.matches(">even if it failed</text>").count(), 1, "{svg}");
    let (arrows, titles) = (svg.rfind("marker-end").unwrap(), svg.find(">batch reports").unwrap());
    assert!(arrows < titles, "arrows may cross titles, which stand above them: {svg}");
}

#[test]
fn a_reader_that_leaves_early_ends_the_output_quietly() {
    let project = Project::example("libraries");
    let forge = env!("CARGO_BIN_EXE_forge");
    let line = format!("{forge} schema | head -n 1; echo \"codes ${{PIPESTATUS[0]}}\"");
    let output = project
        .forge(&[])
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
        .collect::<Vec<_>>();
    let output = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(project.path())
        .env_clear()
        .envs(output)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("codes 0\n"));
}
