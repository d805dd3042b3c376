//! Where things stand in a picture: batches as boxes, within them their builds, each below what it needs.

use std::collections::HashMap;

use petgraph::stable_graph::StableDiGraph;

use super::picture::Picture;

/// The height of a build, in pixels; its width follows its text.
pub const HEIGHT: f64 = 44.0;
/// How much room there is around everything, and within a batch around its builds.
pub const MARGIN: f64 = 24.0;
const PADDING: f64 = 16.0;
/// How much room the title of a batch takes.
const BATCH_TITLE: f64 = 22.0;
/// How wide a character of 13 pixels is taken to be.
pub const CHARACTER: f64 = 7.6;
/// How far things are apart.
const SPACING: f64 = 36.0;
/// What has nothing to do with one another stands side by side, up to this width.
const WIDEST_ROW: f64 = 1200.0;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    /// The x of its middle.
    pub fn middle(self) -> f64 {
        self.left + self.width / 2.0
    }

    /// The y of its lower edge.
    pub fn bottom(self) -> f64 {
        self.top + self.height
    }

    fn moved(self, left: f64, top: f64) -> Self {
        Self { left: self.left + left, top: self.top + top, ..self }
    }
}

/// Where everything stands.
pub struct Layout {
    pub builds: Vec<Area>,
    pub batches: Vec<Area>,
    pub width: f64,
    pub height: f64,
}

/// How wide a text is.
pub fn width_of(text: &str) -> f64 {
    f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * CHARACTER
}

/// Lays out a picture, from its upper left corner on.
pub fn lay_out(picture: &Picture) -> Layout {
    let sizes: Vec<(f64, f64)> = picture
        .builds
        .iter()
        .map(|build| (width_of(&build.package).max(width_of(&build.chroot)) + 24.0, HEIGHT))
        .collect();
    let mut batch_of: HashMap<usize, usize> = HashMap::new();
    for (batch, drawn) in picture.batches.iter().enumerate() {
        batch_of.extend(drawn.members.iter().map(|member| (*member, batch)));
    }
    let inner: Vec<ArrangedAreas> =
        picture.batches.iter().map(|batch| within(&batch.members, &sizes, picture)).collect();
    // What is laid out on the outside: batches as one, and the builds of none.
    let alone: Vec<usize> = (0..sizes.len()).filter(|build| !batch_of.contains_key(build)).collect();
    let place_alone: HashMap<usize, usize> =
        alone.iter().enumerate().map(|(at, build)| (*build, inner.len() + at)).collect();
    let outer_of =
        |build: usize| batch_of.get(&build).or(place_alone.get(&build)).copied().unwrap_or_default();
    let boxes = inner.iter().zip(&picture.batches).map(|(placed, batch)| {
        let width = placed.width.max(width_of(&batch.title)) + 2.0 * PADDING;
        (width, placed.height + 2.0 * PADDING + BATCH_TITLE)
    });
    let outer_sizes: Vec<(f64, f64)> =
        boxes.chain(alone.iter().filter_map(|build| sizes.get(*build).copied())).collect();
    let arrows = picture.arrows.iter().map(|arrow| (outer_of(arrow.from), outer_of(arrow.to)));
    let arrows = arrows.chain(picture.batch_arrows.iter().map(|arrow| (arrow.from, arrow.to)));
    let outer = place(&outer_sizes, &arrows.collect::<Vec<_>>());
    let batches: Vec<Area> = outer.areas.iter().take(inner.len()).copied().collect();
    let mut builds = vec![Area::default(); sizes.len()];
    for (build, at) in &place_alone {
        builds[*build] = outer.areas[*at];
    }
    for ((batch, placed), around) in picture.batches.iter().zip(&inner).zip(&batches) {
        let left = around.left + (around.width - placed.width) / 2.0;
        for (member, area) in batch.members.iter().zip(&placed.areas) {
            builds[*member] = area.moved(left, around.top + PADDING + BATCH_TITLE);
        }
    }
    Layout { builds, batches, width: outer.width, height: outer.height }
}

/// Things that were laid out, from 0 on.
struct ArrangedAreas {
    areas: Vec<Area>,
    width: f64,
    height: f64,
}

/// Lays out the members of a batch.
fn within(members: &[usize], sizes: &[(f64, f64)], picture: &Picture) -> ArrangedAreas {
    let place_of: HashMap<usize, usize> =
        members.iter().enumerate().map(|(at, build)| (*build, at)).collect();
    let own: Vec<(f64, f64)> = members.iter().filter_map(|member| sizes.get(*member).copied()).collect();
    let arrows = picture.arrows.iter();
    let arrows = arrows.filter_map(|arrow| Some((*place_of.get(&arrow.from)?, *place_of.get(&arrow.to)?)));
    place(&own, &arrows.collect::<Vec<_>>())
}

/// Lays out things of these sizes, each below those that arrows to it come from.
fn place(sizes: &[(f64, f64)], arrows: &[(usize, usize)]) -> ArrangedAreas {
    let mut graph: StableDiGraph<usize, ()> = StableDiGraph::new();
    let ids: Vec<_> = (0..sizes.len()).map(|index| graph.add_node(index)).collect();
    for (from, to) in arrows.iter().filter(|(from, to)| from != to) {
        let edge = graph.update_edge(ids[*from], ids[*to], ());
        // Two boxes may need builds of each other.
        if petgraph::algo::has_path_connecting(&graph, ids[*to], ids[*from], None) {
            graph.remove_edge(edge);
        }
    }
    let config = rust_sugiyama::configure::Config { vertex_spacing: SPACING, ..Default::default() };
    let size = |_: petgraph::graph::NodeIndex, index: &usize| sizes[*index];
    let mut row = Row::default();
    let mut areas = vec![Area::default(); sizes.len()];
    for (component, _, _) in rust_sugiyama::from_graph(&graph, &size, &config) {
        let mut parts: Vec<(usize, Area)> =
            component.iter().map(|(node, at)| (node.index(), area(*at, sizes[node.index()]))).collect();
        turn_up(&mut parts, &graph);
        let bounds = bounds(&parts);
        let (left, top) = row.next(bounds);
        for (index, part) in parts {
            areas[index] = part.moved(left - bounds.left, top - bounds.top);
        }
    }
    ArrangedAreas { areas, width: row.widest, height: row.top + row.height }
}

fn area((x, y): (f64, f64), (width, height): (f64, f64)) -> Area {
    Area { left: x - width / 2.0, top: y - height / 2.0, width, height }
}

/// The library may put what comes first at the lower end: what is built first belongs to the top.
fn turn_up(parts: &mut [(usize, Area)], graph: &StableDiGraph<usize, ()>) {
    let tops: HashMap<usize, f64> = parts.iter().map(|(index, area)| (*index, area.top)).collect();
    let is_upside_down = graph.edge_indices().filter_map(|edge| graph.edge_endpoints(edge)).any(|(from, to)| {
        matches!((tops.get(&from.index()), tops.get(&to.index())), (Some(from), Some(to)) if from > to)
    });
    if is_upside_down {
        parts.iter_mut().for_each(|(_, area)| area.top = -area.bottom());
    }
}

fn bounds(parts: &[(usize, Area)]) -> Area {
    let areas = || parts.iter().map(|(_, area)| area);
    let left = areas().map(|area| area.left).fold(f64::INFINITY, f64::min);
    let top = areas().map(|area| area.top).fold(f64::INFINITY, f64::min);
    let right = areas().map(|area| area.left + area.width).fold(f64::NEG_INFINITY, f64::max);
    let bottom = areas().map(|area| area.bottom()).fold(f64::NEG_INFINITY, f64::max);
    Area { left, top, width: right - left, height: bottom - top }
}

/// Rows of things that have nothing to do with one another.
#[derive(Default)]
struct Row {
    left: f64,
    top: f64,
    height: f64,
    widest: f64,
}

impl Row {
    /// Gives the upper left corner of the next thing.
    fn next(&mut self, size: Area) -> (f64, f64) {
        if self.left > 0.0 && self.left + size.width > WIDEST_ROW {
            self.top += self.height + SPACING;
            (self.left, self.height) = (0.0, 0.0);
        }
        let corner = (self.left, self.top);
        self.widest = self.widest.max(self.left + size.width);
        self.left += size.width + MARGIN;
        self.height = self.height.max(size.height);
        corner
    }
}
