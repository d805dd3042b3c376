//! The graph as a picture.

use std::fmt::Write as _;

use super::layout::{Area, HEIGHT, Layout, MARGIN, lay_out, width_of};
use super::picture::{Arrow, BuildState, DrawnBatch, DrawnBuild, Picture};

/// How much room the title takes, and the legend.
const TITLE: f64 = 36.0;
const LEGEND: f64 = 40.0;
/// The side of a colour's square in the legend.
const SQUARE: f64 = 14.0;

const STATES: [BuildState; 5] = [
    BuildState::UpToDate,
    BuildState::ToBuild,
    BuildState::Maybe,
    BuildState::Skipped,
    BuildState::Impossible,
];

/// Writes the graph as SVG, for light and dark grounds.
pub fn write_svg(picture: &Picture) -> String {
    let layout = lay_out(picture);
    let legend_width: f64 = picture.states().into_iter().map(legend_step).sum();
    let width = layout.width.max(legend_width).max(width_of(&picture.title) * 1.3) + 2.0 * MARGIN;
    let left = (width - layout.width) / 2.0;
    let height = layout.height + TITLE + LEGEND + MARGIN;
    let title = escaped(&picture.title);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" \
         orient=\"auto\"><path class=\"tip\" d=\"M0 0 10 5 0 10z\"/></marker></defs>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n\
         <text x=\"{MARGIN}\" y=\"26\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n\
         <g transform=\"translate({left:.1} {TITLE})\">\n",
        style()
    );
    layout.batches.iter().for_each(|area| draw_batch(&mut text, *area));
    draw_arrows(&mut text, picture, &layout);
    // Above the arrows, which may cross them.
    for (batch, area) in picture.batches.iter().zip(&layout.batches) {
        draw_batch_title(&mut text, batch, *area);
    }
    for (build, area) in picture.builds.iter().zip(&layout.builds) {
        draw_build(&mut text, build, *area);
    }
    text.push_str("</g>\n");
    draw_legend(&mut text, picture, height - LEGEND / 2.0);
    text.push_str("</svg>\n");
    text
}

fn style() -> String {
    let fills = |color: fn(BuildState) -> &'static str| {
        STATES.map(|state| format!(".{}{{fill:{}}}\n", state.class(), color(state))).concat()
    };
    format!(
        ".ground{{fill:#fff}}\ntext{{fill:#1a1a1a}}\n.faint{{fill:#555}}\n.box{{stroke:#777}}\n\
         .batch{{fill:#f4f4f5;stroke:#999}}\n.line{{fill:none;stroke:#666}}\n.tip{{fill:#666}}\n\
         .title{{paint-order:stroke;stroke:#f4f4f5;stroke-width:5px}}\n{}\
         @media (prefers-color-scheme: dark){{\n.ground{{fill:#16181c}}\ntext{{fill:#ececec}}\n.faint{{fill:#b4b4b4}}\n\
         .box{{stroke:#8a8a8a}}\n.batch{{fill:#22252b;stroke:#6a6a6a}}\n.line{{stroke:#a5a5a5}}\n.tip{{fill:#a5a5a5}}\n\
         .title{{stroke:#22252b}}\n{}}}\n",
        fills(BuildState::color),
        fills(BuildState::dark_color)
    )
}

fn draw_batch(text: &mut String, area: Area) {
    let Area { left, top, width, height } = area;
    let _ = writeln!(
        text,
        "<rect class=\"batch\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"10\"/>"
    );
}

fn draw_batch_title(text: &mut String, batch: &DrawnBatch, area: Area) {
    let (x, y, title) = (area.left + 14.0, area.top + 21.0, escaped(&batch.title));
    let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"faint title\">{title}</text>");
}

fn draw_arrows(text: &mut String, picture: &Picture, layout: &Layout) {
    for Arrow { from, to, label } in &picture.arrows {
        if let (Some(from), Some(to)) = (layout.builds.get(*from), layout.builds.get(*to)) {
            let dash = if label.is_empty() { " stroke-dasharray=\"4 3\"" } else { "" };
            let title = if label.is_empty() { "comes after it" } else { label };
            draw_arrow(text, (*from, *to), dash, title);
        }
    }
    for arrow in &picture.batch_arrows {
        if let (Some(from), Some(to)) = (layout.batches.get(arrow.from), layout.batches.get(arrow.to)) {
            let title =
                if arrow.even_if_failed { "after the batch, even if it failed" } else { "after the batch" };
            draw_arrow(text, (*from, *to), " stroke-width=\"2.5\"", title);
            if arrow.even_if_failed {
                let (x, y) =
                    (f64::midpoint(from.middle(), to.middle()), f64::midpoint(from.bottom(), to.top));
                let (x, y) = (x + 8.0, y + 3.0);
                let _ = writeln!(
                    text,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"faint\">even if it failed</text>"
                );
            }
        }
    }
}

fn draw_arrow(text: &mut String, (from, to): (Area, Area), style: &str, title: &str) {
    let (from_x, start, to_x, end) = (from.middle(), from.bottom(), to.middle(), to.top);
    let middle = f64::midpoint(start, end);
    let _ = writeln!(
        text,
        "<path class=\"line\" d=\"M{from_x:.1} {start:.1}C{from_x:.1} {middle:.1} {to_x:.1} {middle:.1} {to_x:.1} \
         {end:.1}\"{style} marker-end=\"url(#tip)\"><title>{}</title></path>",
        escaped(title)
    );
}

fn draw_build(text: &mut String, build: &DrawnBuild, area: Area) {
    let Area { left, top, width, height } = area;
    let (x, y) = (area.middle(), top + HEIGHT / 2.0);
    let why = if build.why.is_empty() { String::new() } else { format!(": {}", build.why) };
    let title = format!("{} in {}, {}{why}", build.package, build.chroot, build.state.words());
    let _ = writeln!(
        text,
        "<g><title>{}</title><rect class=\"box {}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
         height=\"{height}\" rx=\"6\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"><tspan \
         font-weight=\"bold\">{}</tspan><tspan class=\"faint\" x=\"{x:.1}\" dy=\"16\">{}</tspan></text></g>",
        escaped(&title),
        build.state.class(),
        y - 3.0,
        escaped(&build.package),
        escaped(&build.chroot)
    );
}

/// How much of the legend's width a state takes.
fn legend_step(state: BuildState) -> f64 {
    SQUARE + 6.0 + width_of(state.words()) + 18.0
}

fn draw_legend(text: &mut String, picture: &Picture, middle: f64) {
    let mut left = MARGIN;
    for state in picture.states() {
        let _ = writeln!(
            text,
            "<rect class=\"box {}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{SQUARE}\" height=\"{SQUARE}\" rx=\"3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            state.class(),
            middle - SQUARE / 2.0,
            left + SQUARE + 6.0,
            middle + 4.5,
            state.words()
        );
        left += legend_step(state);
    }
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
