//! The graph of builds as DOT, Mermaid and SVG: builds with what they need of one another, batches as boxes around theirs.

mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;

pub use picture::GraphView;

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

/// Draws the graph of builds and batches.
pub fn draw(view: GraphView<'_>, format: GraphFormat) -> String {
    let picture = picture::make_picture(view);
    match format {
        GraphFormat::Dot => dot::write_dot(&picture),
        GraphFormat::Mermaid => mermaid::write_mermaid(&picture),
        GraphFormat::Svg => svg::write_svg(&picture),
    }
}
