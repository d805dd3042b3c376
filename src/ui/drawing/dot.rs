//! The graph for Graphviz.

use std::fmt::Write as _;

use super::picture::{DrawnBuild, Picture};

/// Writes the graph as DOT: batches are clusters.
pub fn write_dot(picture: &Picture) -> String {
    let mut text = format!(
        "digraph forge {{\n  rankdir=LR;\n  compound=true;\n  label=\"{}\";\n  labelloc=t;\n  fontname=\"sans-serif\";\n  \
         node [shape=box style=\"rounded,filled\" fontname=\"sans-serif\" fontcolor=\"#1a1a1a\"];\n  edge \
         [fontname=\"sans-serif\" color=\"#777777\" fontcolor=\"#777777\"];\n",
        quoted(&picture.title)
    );
    for (index, build) in picture.builds.iter().enumerate() {
        text.push_str(&build_line(index, build));
    }
    for (index, batch) in picture.batches.iter().enumerate() {
        let title = quoted(&batch.title);
        let members: String = batch.members.iter().map(|member| format!(" n{member};")).collect();
        let _ = writeln!(
            text,
            "  subgraph cluster_b{index} {{ label=\"{title}\"; style=rounded; color=\"#777777\";{members} }}"
        );
    }
    for arrow in &picture.arrows {
        let style = if arrow.label.is_empty() { " style=dashed" } else { "" };
        let _ =
            writeln!(text, "  n{} -> n{} [label=\"{}\"{style}];", arrow.from, arrow.to, quoted(&arrow.label));
    }
    for arrow in &picture.batch_arrows {
        // Graphviz has no arrows between clusters: this one ends at their borders.
        let member = |batch: usize| picture.batches.get(batch).and_then(|batch| batch.members.first());
        if let (Some(from), Some(to)) = (member(arrow.from), member(arrow.to)) {
            let label = if arrow.even_if_failed { " label=\"even if it failed\"" } else { "" };
            let _ = writeln!(
                text,
                "  n{from} -> n{to} [ltail=cluster_b{} lhead=cluster_b{} style=bold{label}];",
                arrow.from, arrow.to
            );
        }
    }
    text.push_str(&legend(picture));
    text.push_str("}\n");
    text
}

fn build_line(index: usize, build: &DrawnBuild) -> String {
    let label = format!("{}\\n{}", quoted(&build.package), quoted(&build.chroot));
    let tooltip = [build.state.words(), build.why.as_str()].join("; ");
    let tooltip = quoted(tooltip.trim_end_matches("; "));
    format!("  n{index} [label=\"{label}\" fillcolor=\"{}\" tooltip=\"{tooltip}\"];\n", build.state.color())
}

fn legend(picture: &Picture) -> String {
    let mut text = "  subgraph cluster_legend { label=\"\"; style=invis;\n".to_owned();
    for state in picture.states() {
        let (class, words, color) = (state.class(), state.words(), state.color());
        let _ =
            writeln!(text, "    legend_{class} [label=\"{words}\" fillcolor=\"{color}\" shape=plaintext];");
    }
    text.push_str("  }\n");
    text
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
