//! The graph for Markdown that knows Mermaid.

use std::fmt::Write as _;

use super::picture::Picture;

/// Writes the graph as a Mermaid flowchart: batches are subgraphs.
pub fn write_mermaid(picture: &Picture) -> String {
    let title = picture.title.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    let mut text = format!("---\ntitle: \"{title}\"\n---\nflowchart LR\n");
    for (index, build) in picture.builds.iter().enumerate() {
        let (package, chroot) = (escaped(&build.package), escaped(&build.chroot));
        let _ = writeln!(text, "  n{index}[\"{package}<br/>{chroot}\"]:::{}", build.state.class());
    }
    for (index, batch) in picture.batches.iter().enumerate() {
        let members: String = batch.members.iter().map(|member| format!("    n{member}\n")).collect();
        let _ = write!(text, "  subgraph b{index}[\"{}\"]\n{members}  end\n", escaped(&batch.title));
    }
    for arrow in &picture.arrows {
        let (line, label) = match arrow.label.as_str() {
            "" => ("-.->", String::new()),
            label => ("-->", format!("|\"{}\"|", escaped(label))),
        };
        let _ = writeln!(text, "  n{} {line}{label} n{}", arrow.from, arrow.to);
    }
    for arrow in &picture.batch_arrows {
        let label = if arrow.even_if_failed { "|\"even if it failed\"|" } else { "" };
        let _ = writeln!(text, "  b{} ==>{label} b{}", arrow.from, arrow.to);
    }
    let states = picture.states();
    let legend =
        states.iter().map(|state| format!("    {0}_legend[\"{1}\"]:::{0}\n", state.class(), state.words()));
    let _ = write!(text, "  subgraph legend\n{}  end\n", legend.collect::<String>());
    for state in states {
        let _ =
            writeln!(text, "  classDef {} fill:{},stroke:#777,color:#1a1a1a", state.class(), state.color());
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;").replace('\n', " ")
}
