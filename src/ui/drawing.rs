//! The graph of builds as DOT, Mermaid and SVG.

use std::collections::HashMap;
use std::fmt::Write as _;

use petgraph::stable_graph::StableDiGraph;

use crate::manifest::ChrootId;
use crate::plan::{Decision, Decisions, Edge, Plan, Step};

/// How the graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Markdown that knows Mermaid.
    Mermaid,
    /// A picture, laid out here.
    Svg,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct GraphView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The states that colour it.
    pub decisions: &'a Decisions,
    /// Names of batches, by their place.
    pub batches: &'a [String],
}

struct DrawnNode {
    label: String,
    color: &'static str,
    is_batch: bool,
}

struct Arrow {
    from: usize,
    to: usize,
    label: String,
    dashed: bool,
}

struct Picture {
    nodes: Vec<DrawnNode>,
    arrows: Vec<Arrow>,
}

/// Green for what is there, blue for what will be built, yellow for skipped, red for what can't be.
const CACHED: &str = "#d3f0d8";
const BUILD: &str = "#cfe3ff";
const SKIPPED: &str = "#fff1c2";
const FAILED: &str = "#ffd4d0";
const BATCH: &str = "#eeeeee";

/// Draws the graph of builds and batches.
pub fn draw(view: GraphView<'_>, format: GraphFormat) -> String {
    let picture = picture(view);
    match format {
        GraphFormat::Dot => dot(&picture),
        GraphFormat::Mermaid => mermaid(&picture),
        GraphFormat::Svg => svg(&picture),
    }
}

/// Builds and the ends of batches; the steps of one build are one node.
fn picture(view: GraphView<'_>) -> Picture {
    let GraphView { plan, decisions, batches } = view;
    let mut nodes = Vec::new();
    let mut index_of = HashMap::new();
    let chroots: HashMap<ChrootId, &str> =
        plan.builds.iter().map(|build| (build.chroot, build.name.chroot.as_str())).collect();
    for node in plan.graph.node_indices() {
        let drawn = match plan.graph[node] {
            Step::Build(id) => {
                if matches!(decisions.decision(id), Decision::NotChosen) {
                    continue;
                }
                let build = plan.build(id);
                let label = format!("{}\n{}", build.name.package, build.name.chroot);
                DrawnNode { label, color: color(decisions.decision(id)), is_batch: false }
            }
            Step::BatchStart(id) | Step::BatchEnd(id) => {
                let is_start = matches!(plan.graph[node], Step::BatchStart(_));
                let which = if is_start { "batch" } else { "end of batch" };
                let Some(chroot) = chroots.get(&id.chroot) else { continue };
                let place = if chroots.len() > 1 { format!("\n{chroot}") } else { String::new() };
                let name = batches.get(id.batch.0).map(String::as_str).unwrap_or_default();
                DrawnNode { label: format!("{which}\n{name}{place}"), color: BATCH, is_batch: true }
            }
            Step::Fetch(_) | Step::SourcePackage(_) | Step::Publish(_) => continue,
        };
        index_of.insert(node, nodes.len());
        nodes.push(drawn);
    }
    let arrows = plan.graph.edge_indices().filter_map(|edge| {
        let (from, to) = plan.graph.edge_endpoints(edge)?;
        // The way past a batch's members says nothing where there are members.
        let passes_by =
            matches!((plan.graph[from], plan.graph[to]), (Step::BatchStart(_), Step::BatchEnd(_)));
        if passes_by && plan.graph.neighbors(from).count() > 1 {
            return None;
        }
        let (from, to) = (*index_of.get(&from)?, *index_of.get(&to)?);
        let (label, dashed) = match &plan.graph[edge] {
            Edge::Requires(dependency) => (dependency.to_string(), false),
            Edge::After(_) => ("after".to_owned(), true),
            Edge::Batch { .. } | Edge::Member => (String::new(), true),
            Edge::Next => return None,
        };
        Some(Arrow { from, to, label, dashed })
    });
    let arrows = arrows.collect();
    Picture { nodes, arrows }
}

fn color(decision: &Decision) -> &'static str {
    match decision {
        Decision::Cached { .. } => CACHED,
        Decision::Build { .. } => BUILD,
        Decision::Skip { failed: false, .. } | Decision::NotChosen => SKIPPED,
        Decision::Skip { failed: true, .. } => FAILED,
    }
}

fn dot(picture: &Picture) -> String {
    let mut text = "digraph forge {\n  rankdir=LR;\n  node [shape=box style=\"rounded,filled\" fontname=\"sans-serif\"];\n".to_owned();
    for (index, node) in picture.nodes.iter().enumerate() {
        let label = node.label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = writeln!(text, "  n{index} [label=\"{label}\" fillcolor=\"{}\"];", node.color);
    }
    for arrow in &picture.arrows {
        let style = if arrow.dashed { " style=dashed" } else { "" };
        let label = arrow.label.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(text, "  n{} -> n{} [label=\"{label}\"{style}];", arrow.from, arrow.to);
    }
    text.push_str("}\n");
    text
}

fn mermaid(picture: &Picture) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let escape = |label: &str| label.replace('"', "#quot;").replace('\n', "<br/>");
    for (index, node) in picture.nodes.iter().enumerate() {
        let (open, close) = if node.is_batch { ("([", "])") } else { ("[", "]") };
        let _ = writeln!(text, "  n{index}{open}\"{}\"{close}", escape(&node.label));
        let _ = writeln!(text, "  style n{index} fill:{}", node.color);
    }
    for arrow in &picture.arrows {
        let line = if arrow.dashed { "-.->" } else { "-->" };
        let label =
            if arrow.label.is_empty() { String::new() } else { format!("|\"{}\"|", escape(&arrow.label)) };
        let _ = writeln!(text, "  n{} {line}{label} n{}", arrow.from, arrow.to);
    }
    text
}

/// The height of a box, in pixels; its width follows its text.
const HEIGHT: f64 = 44.0;
const MARGIN: f64 = 24.0;
/// How wide a character of 13 pixels is thought to be.
const CHARACTER: f64 = 7.6;

fn width(node: &DrawnNode) -> f64 {
    let longest = node.label.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    let longest = u32::try_from(longest).unwrap_or(u32::MAX);
    f64::from(longest) * CHARACTER + 24.0
}

/// Where each node's middle is, and how large the picture is.
fn layout(picture: &Picture) -> (Vec<(f64, f64)>, f64, f64) {
    let mut graph: StableDiGraph<usize, ()> = StableDiGraph::new();
    let ids: Vec<_> = (0..picture.nodes.len()).map(|index| graph.add_node(index)).collect();
    for arrow in &picture.arrows {
        graph.update_edge(ids[arrow.from], ids[arrow.to], ());
    }
    let config = rust_sugiyama::configure::Config { vertex_spacing: 36.0, ..Default::default() };
    let size = |_: petgraph::graph::NodeIndex, index: &usize| (width(&picture.nodes[*index]), HEIGHT);
    let mut places = vec![(0.0, 0.0); picture.nodes.len()];
    let (mut left, mut height) = (MARGIN, 0.0_f64);
    for (component, _, _) in rust_sugiyama::from_graph(&graph, &size, &config) {
        let edge = |pick: fn(f64, f64) -> f64, start: f64, part: &dyn Fn(usize, (f64, f64)) -> f64| {
            component.iter().map(|(node, at)| part(node.index(), *at)).fold(start, pick)
        };
        let half = |index: usize| width(&picture.nodes[index]) / 2.0;
        let min_x = edge(f64::min, f64::INFINITY, &|index, (x, _)| x - half(index));
        let max_x = edge(f64::max, f64::NEG_INFINITY, &|index, (x, _)| x + half(index));
        let min_y = edge(f64::min, f64::INFINITY, &|_, (_, y)| y);
        let max_y = edge(f64::max, f64::NEG_INFINITY, &|_, (_, y)| y);
        for (node, (x, y)) in &component {
            places[node.index()] = (left + x - min_x, MARGIN + HEIGHT / 2.0 + (max_y - y));
        }
        left += max_x - min_x + MARGIN;
        height = height.max(max_y - min_y);
    }
    // The library puts what has no arrow before it at the lower end: what is built first belongs to the top.
    let is_upside_down = picture.arrows.iter().any(|arrow| places[arrow.from].1 > places[arrow.to].1);
    if is_upside_down {
        let bottom = places.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        let top = places.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
        places.iter_mut().for_each(|(_, y)| *y = bottom - *y + top);
    }
    (places, left, height + HEIGHT + 2.0 * MARGIN)
}

fn svg(picture: &Picture) -> String {
    let (places, width_all, height) = layout(picture);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width_all:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width_all:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0 10 5 0 10z\" fill=\"#555\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for arrow in &picture.arrows {
        let ((from_x, from_y), (to_x, to_y)) = (places[arrow.from], places[arrow.to]);
        let (start, end) = (from_y + HEIGHT / 2.0, to_y - HEIGHT / 2.0);
        let middle = f64::midpoint(start, end);
        let dash = if arrow.dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"M{from_x:.1} {start:.1}C{from_x:.1} {middle:.1} {to_x:.1} {middle:.1} {to_x:.1} {end:.1}\" \
             fill=\"none\" stroke=\"#555\"{dash} marker-end=\"url(#tip)\"><title>{}</title></path>",
            escape(&arrow.label)
        );
    }
    for (node, place) in picture.nodes.iter().zip(&places) {
        svg_node(&mut text, node, *place);
    }
    text.push_str("</svg>\n");
    text
}

fn svg_node(text: &mut String, node: &DrawnNode, (x, y): (f64, f64)) {
    let width = width(node);
    let (left, top) = (x - width / 2.0, y - HEIGHT / 2.0);
    let round = if node.is_batch { HEIGHT / 2.0 } else { 6.0 };
    let _ = writeln!(
        text,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" rx=\"{round}\" fill=\"{}\" \
         stroke=\"#555\"/>",
        node.color
    );
    let (first, second) = node.label.split_once('\n').unwrap_or((&node.label, ""));
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"><tspan font-weight=\"bold\">{}</tspan>\
         <tspan x=\"{x:.1}\" dy=\"16\" fill=\"#555\">{}</tspan></text>",
        y - 3.0,
        escape(first),
        escape(second)
    );
}

fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
