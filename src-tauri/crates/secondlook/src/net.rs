//! A net laid over a grid, for paper that is crumpled, rolled or wavy.
//!
//! Clearness alone cannot tell a shift of half a module from one of minus half, so a
//! net that is far off does not find its way by small steps. But near a finder pattern
//! the grid is right, and paper does not tear: node by node outwards, each is sought
//! near where its settled neighbours say that it is.

use std::time::Instant;

use crate::grid::{Fit, Grid};
use crate::projective::Point;
use crate::symbol::Module;

/// Shifts in modules at the nodes of a square net, with straight lines between.
#[derive(Clone)]
pub(crate) struct Net {
    /// Nodes in a row, at least 2.
    nodes: usize,
    shifts: Vec<Point>,
}

/// How much a known module counts against one that is merely clear.
const KNOWN: f32 = 1.5;

impl Net {
    /// The shift at a point, given from 0 to 1.
    #[inline]
    pub(crate) fn shift(&self, x: f32, y: f32) -> Point {
        let last = self.nodes - 2;
        let (x, y) = (x * (last + 1) as f32, y * (last + 1) as f32);
        let (i, j) = ((x as usize).min(last), (y as usize).min(last));
        let (u, v) = (x - i as f32, y - j as f32);
        let at = |i: usize, j: usize| self.shifts[j * self.nodes + i];
        let mix = |a: Point, b: Point, t: f32| (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t);
        mix(mix(at(i, j), at(i + 1, j), u), mix(at(i, j + 1), at(i + 1, j + 1), u), v)
    }
}

/// Where neighbours that are settled say a node is.
#[derive(Clone, Copy)]
struct Settled {
    shift: Point,
    clearness: f32,
}

impl Fit<'_> {
    /// The grid with a net over it, settled from the finder patterns outwards. `mesh`
    /// is the distance of the nodes in modules.
    pub(crate) fn draped(&self, grid: &Grid, mesh: usize) -> Option<Grid> {
        let flat = Grid { net: None, ..grid.clone() };
        let side = self.layout.side;
        let nodes = (side / mesh).max(3) + 1;
        let place = self.look(&flat)?;
        let spot = Spot { fit: self, nodes, place: &place };
        let mut settled: Vec<Option<Settled>> = vec![None; nodes * nodes];
        let node_at = |column: usize, row: usize| {
            let node = |at: usize| (at * (nodes - 1) + side / 2) / side;
            node(row) * nodes + node(column)
        };
        for (column, row) in [(3, 3), (side - 4, 3), (3, side - 4)] {
            let node = node_at(column, row);
            settled[node] = Some(spot.settle(node, (0.0, 0.0), 0.3));
        }
        for &(column, row) in &self.layout.alignment {
            let node = node_at(column, row);
            if settled[node].is_none()
                && let Some(shift) = spot.alignment_pattern(column, row)
            {
                settled[node] = Some(spot.settle(node, shift, 0.2));
            }
        }
        // The clearest ground is built on first, so that a stain is reached from all
        // sides and misleads nobody.
        while let Some((node, predicted)) = spot.next(&settled) {
            if Instant::now() >= self.until {
                return None;
            }
            settled[node] = Some(spot.settle(node, predicted, 0.6));
        }
        // What was settled early had few neighbours to go by.
        for _ in 0..2 {
            for node in 0..nodes * nodes {
                let predicted = spot.between_neighbours(node, &settled);
                settled[node] = Some(spot.settle(node, predicted, 0.6));
            }
        }
        let shifts = spot.smoothed(&settled);
        Some(Grid { net: Some(Net { nodes, shifts }), ..flat })
    }
}

/// The nodes of a net and the modules around each.
struct Spot<'a, P: Fn(Point) -> Point> {
    fit: &'a Fit<'a>,
    nodes: usize,
    place: &'a P,
}

impl<P: Fn(Point) -> Point> Spot<'_, P> {
    /// A node's neighbours to the four sides.
    fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> + use<P> {
        let nodes = self.nodes;
        let (i, j) = (node % nodes, node / nodes);
        [(0, 1), (2, 1), (1, 0), (1, 2)].into_iter().filter_map(move |(di, dj)| {
            let (i, j) = ((i + di).checked_sub(1)?, (j + dj).checked_sub(1)?);
            (i < nodes && j < nodes).then_some(j * nodes + i)
        })
    }

    /// The open node on the clearest ground, and where it should be.
    fn next(&self, settled: &[Option<Settled>]) -> Option<(usize, Point)> {
        (0..settled.len())
            .filter(|node| settled[*node].is_none())
            .filter_map(|node| {
                let (mut sum, mut weights, mut ground) = ((0.0, 0.0), 0.0, 0.0);
                for near in self.neighbours(node) {
                    let Some(Settled { shift, clearness }) = settled[near] else {
                        continue;
                    };
                    // A neighbour's own other side continues the slope.
                    let beyond = (2 * near).checked_sub(node).filter(|beyond| {
                        self.neighbours(near).any(|neighbour| neighbour == *beyond)
                    });
                    let slope = beyond
                        .and_then(|beyond| settled[beyond])
                        .map_or((0.0, 0.0), |far| (shift.0 - far.shift.0, shift.1 - far.shift.1));
                    let weight = clearness.max(1.0);
                    sum.0 += weight * (shift.0 + 0.7 * slope.0);
                    sum.1 += weight * (shift.1 + 0.7 * slope.1);
                    weights += weight;
                    ground += weight;
                }
                (weights > 0.0).then(|| (ground, node, (sum.0 / weights, sum.1 / weights)))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, node, predicted)| (node, predicted))
    }

    /// Where a node's settled neighbours are on the whole.
    fn between_neighbours(&self, node: usize, settled: &[Option<Settled>]) -> Point {
        let (mut sum, mut weights) = ((0.0, 0.0), 0.0);
        for Settled { shift, clearness } in self.neighbours(node).filter_map(|near| settled[near]) {
            let weight = clearness.max(1.0);
            sum = (sum.0 + weight * shift.0, sum.1 + weight * shift.1);
            weights += weight;
        }
        if weights > 0.0 { (sum.0 / weights, sum.1 / weights) } else { (0.0, 0.0) }
    }

    /// How far the alignment pattern with this centre is from where the grid has it,
    /// if one is plainly there.
    fn alignment_pattern(&self, column: usize, row: usize) -> Option<Point> {
        /// In modules; quarters of one are looked at.
        const FARTHEST: i32 = 10;
        /// The least mean value over its 25 modules.
        const PLAIN: f32 = 38.0;
        let merit = |(dx, dy): Point| {
            let mut sum = 0.0;
            for y in -2i32..=2 {
                for x in -2i32..=2 {
                    let point =
                        (column as f32 + x as f32 + 0.5 + dx, row as f32 + y as f32 + 0.5 + dy);
                    let value = self.fit.patch.smooth((self.place)(point));
                    sum += if x.abs().max(y.abs()) == 1 { -value } else { value };
                }
            }
            sum / 25.0 - dx.hypot(dy)
        };
        let shifts = (-FARTHEST..=FARTHEST)
            .flat_map(|i| (-FARTHEST..=FARTHEST).map(move |j| (i as f32 / 4.0, j as f32 / 4.0)));
        shifts
            .map(|shift| (merit(shift), shift))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(merit, _)| *merit >= PLAIN)
            .map(|(_, shift)| shift)
    }

    /// Seeks a node within `reach` modules of where it should be.
    fn settle(&self, node: usize, predicted: Point, reach: f32) -> Settled {
        /// What a module's distance from the prediction costs, squared.
        const STIFFNESS: f32 = 25.0;
        let merit = |shift: Point| {
            let off = (shift.0 - predicted.0).powi(2) + (shift.1 - predicted.1).powi(2);
            self.clearness(node, shift) - STIFFNESS * off
        };
        let mut best = (merit(predicted), predicted);
        let mut step = reach / 3.0;
        let mut around = predicted;
        let mut steps = 3;
        // A coarse look at all of the reach, then finer ones at the best of it.
        while step > 0.04 {
            for i in -steps..=steps {
                for j in -steps..=steps {
                    let shift = (around.0 + i as f32 * step, around.1 + j as f32 * step);
                    let merit = merit(shift);
                    if merit > best.0 {
                        best = (merit, shift);
                    }
                }
            }
            around = best.1;
            step /= 2.0;
            steps = 1;
        }
        Settled { shift: best.1, clearness: self.clearness(node, best.1) }
    }

    /// Mean clearness of the modules around a node when all are shifted alike.
    fn clearness(&self, node: usize, (dx, dy): Point) -> f32 {
        let side = self.fit.layout.side;
        let mesh = self.fit.side() / (self.nodes - 1) as f32;
        let reach = (mesh * 0.9).max(3.0);
        let range = |at: usize| {
            let at = at as f32 * mesh;
            (at - reach).max(0.0) as usize..((at + reach).ceil() as usize).min(side)
        };
        let (mut sum, mut count) = (0.0, 0.0);
        for row in range(node / self.nodes) {
            for column in range(node % self.nodes) {
                let point = (column as f32 + 0.5 + dx, row as f32 + 0.5 + dy);
                let value = self.fit.patch.smooth((self.place)(point));
                sum += match self.fit.layout.modules[row * side + column] {
                    Module::Dark => KNOWN * value,
                    Module::Light => -KNOWN * value,
                    Module::Data | Module::Format => value.abs(),
                };
                count += 1.0;
            }
        }
        sum / count
    }

    /// Each node drawn a little towards its neighbours, more where nothing was clear.
    fn smoothed(&self, settled: &[Option<Settled>]) -> Vec<Point> {
        let shift = |node: usize| settled[node].map_or((0.0, 0.0), |settled| settled.shift);
        let weight = |node: usize| settled[node].map_or(1.0, |s| s.clearness.max(1.0));
        (0..settled.len())
            .map(|node| {
                let own = 4.0 * weight(node);
                let (mut sum, mut weights) = ((own * shift(node).0, own * shift(node).1), own);
                for near in self.neighbours(node) {
                    let (weight, shift) = (0.5 * weight(near), shift(near));
                    sum = (sum.0 + weight * shift.0, sum.1 + weight * shift.1);
                    weights += weight;
                }
                (sum.0 / weights, sum.1 / weights)
            })
            .collect()
    }
}
