//! Symbols of which only two finder patterns can be seen.
//!
//! A thumb, a stain or the reflection of a lamp takes the third. Two patterns are two
//! corners of one side, or two opposite ones; the others follow up to the perspective.
//! All of these places are tried for a few versions, on the known modules alone, and
//! the best are climbed from.

use std::rc::Rc;
use std::time::Instant;

use crate::examine::{Promising, Read, read};
use crate::finder::Finder;
use crate::grey::Grey;
use crate::grid::{Fit, Grid, Merit};
use crate::likeness::correlation;
use crate::patch::Patch;
use crate::projective::Point;
use crate::symbol::Version;

/// Quadrilaterals that are climbed from.
const CLIMBED: usize = 6;

/// The least correlation of the patterns with what a guess makes of them.
const ALIKE: f32 = 0.55;

/// Reads the symbol that two finder patterns belong to, if there is one.
pub(crate) fn examine_pair(
    grey: &Grey,
    a: &Finder,
    b: &Finder,
    inverted: bool,
    until: Instant,
) -> Option<Read> {
    let (points, mean) = ([(a.x, a.y), (b.x, b.y)], (a.module() + b.module()) / 2.0);
    let distance = (a.x - b.x).hypot(a.y - b.y);
    if !(10.0..200.0).contains(&(distance / mean)) {
        return None;
    }
    let patch = Patch::around(grey, &points, 1.2 * distance + 6.0 * mean, mean, inverted)?;
    let patch = Rc::new(patch);
    let mut candidates: Vec<(f32, Fit<'_>, Grid)> = Vec::new();
    let [first, second] = points;
    for Guess { quad, open, side } in guesses(first, second) {
        let module = module_along(quad[0], quad[1], a, b);
        // The patterns that are there say which way the modules lie.
        let along =
            |to: Point| ((to.0 - quad[0].0) * module / side, (to.1 - quad[0].1) * module / side);
        let alike = [a, b].map(|finder| correlation(grey, finder, along(quad[1]), along(quad[3])));
        let alike = (alike[0] + alike[1]) / 2.0 * if inverted { -1.0 } else { 1.0 };
        // A folded guess is not a number.
        if alike.is_nan() || alike < ALIKE {
            continue;
        }
        let modules = (side / module + 7.0 - 17.0) / 4.0;
        let quad = quad.map(|corner| patch.inwards(corner));
        let side = side * patch.module() / mean;
        for off in [0, -1, 1] {
            let version = usize::try_from(modules.round() as isize + off).ok();
            let Some(version) = version.and_then(Version::new) else {
                continue;
            };
            let fit = Fit { patch: &patch, layout: version.layout(), until };
            let best = skewed(quad, open, side)
                .map(|quad| (fit.landmarks(&Grid::flat(quad)), quad))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((merit, quad)) = best {
                candidates.push((merit, fit, Grid::flat(quad)));
            }
            if Instant::now() >= until {
                return None;
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut climbed: Vec<(f32, &Fit<'_>, Grid)> = candidates
        .iter()
        .take(CLIMBED)
        .map(|(_, fit, grid)| {
            let mut grid = grid.clone();
            let merit = Merit { landmarks: 1.0, clearness: 0.3 };
            let merit = fit.climb(&mut grid, merit, &[1.4, 0.7, 0.35, 0.17]);
            (merit, fit, grid)
        })
        .collect();
    climbed.sort_by(|a, b| b.0.total_cmp(&a.0));
    climbed.into_iter().take(2).find_map(|(_, fit, grid)| {
        read(fit, &grid).or_else(|| Promising::new(&patch, fit.layout, grid).bend_and_read(until))
    })
}

/// Pixels a module along a side of the square, with the lengthening of turned patterns
/// taken off. Between a near and a far pattern the geometric mean is right.
fn module_along(from: Point, to: Point, a: &Finder, b: &Finder) -> f32 {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    let (x, y) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    let along = |finder: &Finder| finder.wide * x * x + finder.tall * y * y;
    (along(a) * along(b)).sqrt() * x.abs().max(y.abs())
}

/// A square that has the two patterns at two of its first, second and fourth corner.
struct Guess {
    quad: [Point; 4],
    /// The corners that are not patterns.
    open: [usize; 2],
    /// Pixels.
    side: f32,
}

fn guesses(a: Point, b: Point) -> [Guess; 6] {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let side = dx.hypot(dy);
    let across = |(x, y): Point| (x - dy, y + dx);
    let back = |(x, y): Point| (x + dy, y - dx);
    let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    let (left, right) =
        ((middle.0 + dy / 2.0, middle.1 - dx / 2.0), (middle.0 - dy / 2.0, middle.1 + dx / 2.0));
    let diagonal = side / std::f32::consts::SQRT_2;
    let guess = |quad, open, side| Guess { quad, open, side };
    [
        // Along the top, and along the left, with either pattern first.
        guess([a, b, across(b), across(a)], [2, 3], side),
        guess([b, a, back(a), back(b)], [2, 3], side),
        guess([a, back(a), back(b), b], [1, 2], side),
        guess([b, across(b), across(a), a], [1, 2], side),
        // From the upper right to the lower left.
        guess([left, b, right, a], [0, 2], diagonal),
        guess([right, a, left, b], [0, 2], diagonal),
    ]
}

/// The square, and what perspective makes of it: the open corners moved together, and
/// nearer to each other or apart.
fn skewed(quad: [Point; 4], open: [usize; 2], side: f32) -> impl Iterator<Item = [Point; 4]> {
    const STEPS: i32 = 3;
    let step = 0.05 * side;
    let [first, second] = open;
    let between = (quad[second].0 - quad[first].0, quad[second].1 - quad[first].1);
    let moves = (-STEPS..=STEPS).flat_map(|i| (-STEPS..=STEPS).map(move |j| (i, j)));
    moves.flat_map(move |(i, j)| {
        [-0.06, 0.0, 0.06].map(|spread| {
            let mut quad = quad;
            for (corner, spread) in [(first, -spread), (second, spread)] {
                quad[corner].0 += i as f32 * step + spread * between.0;
                quad[corner].1 += j as f32 * step + spread * between.1;
            }
            quad
        })
    })
}
