//! One arrangement of finder patterns, examined: which version, which grid, which text.
//!
//! From cheap to dear, and only as far as needed: a flat grid of the likely versions, a
//! bent one, a crumpled one. After each the modules are read in several ways and handed
//! to the decoder, whose word is final.

use std::rc::Rc;
use std::time::Instant;

use zeroize::Zeroizing;

use crate::arrangement::Arrangement;
use crate::codewords::SoftModules;
use crate::equalise::Halves;
use crate::grey::Grey;
use crate::grid::{Fit, Grid, Merit};
use crate::patch::Patch;
use crate::projective::Point;
use crate::segments;
use crate::symbol::{Layout, Version};

/// A flat grid must meet the known modules this well to be worth a climb.
const WORTH_A_CLIMB: f32 = 12.0;
/// And have this merit after it to be worth reading.
const WORTH_READING: f32 = 30.0;
/// A grid that meets them this well is one, so its symbol is worth any effort at once.
const PLAIN: f32 = 40.0;

/// What a grid has to show for a text to be believed: noise meets half of the known
/// modules, a symbol nearly all, however blurred.
const BELIEVED: f32 = 10.0;

/// The text of a symbol and its corners in pixels of the picture examined.
pub(crate) struct Read {
    pub(crate) text: Zeroizing<String>,
    pub(crate) corners: [Point; 4],
}

/// A grid that may be one, for when there is time.
pub(crate) struct Promising {
    patch: Rc<Patch>,
    layout: &'static Layout,
    grid: Grid,
    /// How well the known modules are met.
    pub(crate) landmarks: f32,
}

/// Reads the symbol of an arrangement, if there is one that is easily read or plainly
/// there; else adds what could become one to `promising`.
pub(crate) fn examine(
    grey: &Grey,
    arrangement: &Arrangement,
    inverted: bool,
    until: Instant,
    promising: &mut Vec<Promising>,
) -> Option<Read> {
    let patch = Rc::new(Patch::cut(grey, arrangement, inverted)?);
    let mut fits: Vec<(f32, Fit<'_>)> = likely_versions(arrangement)
        .map(|version| {
            let fit = Fit { patch: &patch, layout: version.layout(), until };
            (timing(&fit, arrangement), fit)
        })
        .collect();
    // The timing patterns tell most versions apart before the fourth corner is sought.
    fits.sort_by(|a, b| b.0.total_cmp(&a.0));
    fits.truncate(3);
    let mut candidates: Vec<(f32, Fit<'_>, Grid)> = fits
        .into_iter()
        .filter_map(|(_, fit)| {
            let (merit, grid) = fourth_corner(&fit, arrangement)?;
            Some((merit, fit, grid))
        })
        .collect();
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    // A second version is worth it where the first does not stand out.
    let least = candidates.first()?.0.max(WORTH_A_CLIMB / 0.7) * 0.7;
    let worth = candidates.into_iter().take(2).take_while(|(merit, ..)| *merit >= least);
    for (_, fit, mut grid) in worth {
        let merit = Merit { landmarks: 1.0, clearness: 0.6 };
        if fit.climb(&mut grid, merit, &[0.7, 0.35, 0.17]) < WORTH_READING {
            continue;
        }
        if let Some(read) = read(&fit, &grid) {
            return Some(read);
        }
        let landmarks = fit.landmarks(&grid);
        let patch = Rc::clone(&patch);
        let left = Promising { patch, layout: fit.layout, grid, landmarks };
        if landmarks < PLAIN {
            promising.push(left);
        } else if let Some(read) = left.bend_and_read(until) {
            return Some(read);
        }
    }
    None
}

impl Promising {
    pub(crate) fn new(patch: &Rc<Patch>, layout: &'static Layout, grid: Grid) -> Self {
        Self { patch: Rc::clone(patch), layout, grid, landmarks: 0.0 }
    }

    /// Lets the grid bend and crumple.
    pub(crate) fn bend_and_read(&self, until: Instant) -> Option<Read> {
        let fit = Fit { patch: &self.patch, layout: self.layout, until };
        drape_and_read(&fit, &self.grid).or_else(|| {
            let mut bent = self.grid.clone().bendable();
            let merit = Merit { landmarks: 1.0, clearness: 1.2 };
            fit.climb(&mut bent, merit, &[1.0, 0.5, 0.25, 0.12]);
            read(&fit, &bent).or_else(|| drape_and_read(&fit, &bent))
        })
    }
}

/// The version that the distances speak for, and its neighbours.
fn likely_versions(arrangement: &Arrangement) -> impl Iterator<Item = Version> {
    let side = arrangement.modules() + 7.0;
    let number = ((side - 17.0) / 4.0).round().clamp(1.0, 40.0) as isize;
    // The larger the symbol, the more modules a small error of the module's length is.
    let wide = [0, -1, 1, -2, 2, -3, 3].into_iter().take(if number > 8 { 7 } else { 5 });
    wide.filter_map(move |off| Version::new(usize::try_from(number + off).ok()?))
}

/// How well the timing patterns are met where they run between the finder patterns,
/// the better of no perspective and the patterns' own.
fn timing(fit: &Fit<'_>, arrangement: &Arrangement) -> f32 {
    let [a, b, c] = arrangement.centres().map(|point| fit.patch.inwards(point));
    [arrangement.fourth(), arrangement.fourth_in_perspective()]
        .map(|fourth| {
            let grid = Grid::flat([a, b, fit.patch.inwards(fourth), c]);
            fit.meets(&grid, &fit.layout.timing)
        })
        .into_iter()
        .fold(f32::MIN, f32::max)
}

/// Tries places for the lower right corner around where it would be without
/// perspective and with that of the patterns' sizes, and gives the best by the known
/// modules alone.
fn fourth_corner(fit: &Fit<'_>, arrangement: &Arrangement) -> Option<(f32, Grid)> {
    let [a, b, c] = arrangement.centres().map(|point| fit.patch.inwards(point));
    let (u, v) = ((b.0 - a.0, b.1 - a.1), (c.0 - a.0, c.1 - a.1));
    // A module, for large symbols one and a half: their patterns are found from there.
    let modules = if fit.layout.side > 60 { 1.5 } else { 1.0 };
    let step = modules / (fit.layout.side as f32 - 7.0);
    // As shares of the arms.
    let around = |(x, y): Point, farthest: f32| {
        let steps = (farthest / step) as i32;
        let places = (-steps..=steps).flat_map(move |i| (-steps..=steps).map(move |j| (i, j)));
        places
            .map(|(i, j)| {
                let (i, j) = (i as f32 * step, j as f32 * step);
                let corner = (x + i * u.0 + j * v.0, y + i * u.1 + j * v.1);
                let grid = Grid::flat([a, b, corner, c]);
                (fit.meets(&grid, &fit.layout.far) - 8.0 * (i.abs() + j.abs()), grid)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let flat = fit.patch.inwards(arrangement.fourth());
    let deep = fit.patch.inwards(arrangement.fourth_in_perspective());
    let off = (flat.0 - deep.0).hypot(flat.1 - deep.1) / u.0.hypot(u.1).max(v.0.hypot(v.1));
    let near = around(flat, 0.24)?;
    let best = if off < 0.1 {
        near
    } else {
        let far = around(deep, 0.2)?;
        if far.0 > near.0 { far } else { near }
    };
    Some((fit.landmarks(&best.1), best.1))
}

fn drape_and_read(fit: &Fit<'_>, grid: &Grid) -> Option<Read> {
    [5, 3].into_iter().find_map(|mesh| {
        let draped = fit.draped(grid, mesh)?;
        read(fit, &draped)
    })
}

/// Reads the modules of a grid in several ways.
pub(crate) fn read(fit: &Fit<'_>, grid: &Grid) -> Option<Read> {
    if fit.landmarks(grid) < BELIEVED {
        return None;
    }
    let values = sampled(fit, grid)?;
    let ways: [(f32, f32); 5] = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.15), (0.0, -0.15), (1.0, 0.0)];
    let text = ways
        .iter()
        .find_map(|&(sharpness, bias)| {
            decoded(fit.layout, thresholded(fit.layout, &values, sharpness, bias))
        })
        .or_else(|| decoded(fit.layout, Halves::of(fit, grid)?.equalised()?))?;
    let corners = fit.corners(grid)?.map(|corner| fit.patch.outwards(corner));
    Some(Read { text, corners })
}

/// The text of modules as they are, or as a mirror shows them.
fn decoded(layout: &Layout, values: Vec<f32>) -> Option<Zeroizing<String>> {
    let modules = SoftModules::new(layout.version, values)?;
    let mirrored = modules.mirrored();
    let text = |modules: &SoftModules| segments::text(&modules.data()?, layout.version);
    // The format information mostly says which of the two it is.
    let (plain, mirror) = (modules.support(), mirrored.support());
    let (first, second) =
        if plain >= mirror { (&modules, &mirrored) } else { (&mirrored, &modules) };
    let close = plain.min(mirror) > 0.7 * plain.max(mirror);
    text(first).or_else(|| if close { text(second) } else { None })
}

/// The value of each module: mostly its centre, a little what lies around it.
fn sampled(fit: &Fit<'_>, grid: &Grid) -> Option<Vec<f32>> {
    let place = fit.look(grid)?;
    let side = fit.layout.side;
    let value = |index: usize| {
        let (x, y) = place(((index % side) as f32 + 0.5, (index / side) as f32 + 0.5));
        let at = |dx: f32, dy: f32| fit.patch.smooth((x + dx, y + dy));
        let cross = at(1.0, 0.0) + at(-1.0, 0.0) + at(0.0, 1.0) + at(0.0, -1.0);
        (2.0 * at(0.0, 0.0) + cross) / 6.0 / 64.0
    };
    Some((0..side * side).map(value).collect())
}

/// Sharpens the modules against their neighbours and takes off the middle between the
/// dark and the light ones around, so that 0 parts dark from light everywhere.
fn thresholded(layout: &Layout, values: &[f32], sharpness: f32, bias: f32) -> Vec<f32> {
    const RADIUS: usize = 4;
    let side = layout.side;
    let sharp: Vec<f32> = if sharpness == 0.0 {
        values.to_vec()
    } else {
        let at =
            |column: usize, row: usize| values[row.min(side - 1) * side + column.min(side - 1)];
        (0..side * side)
            .map(|index| {
                let (column, row) = (index % side, index / side);
                let around = at(column.saturating_sub(1), row)
                    + at(column + 1, row)
                    + at(column, row.saturating_sub(1))
                    + at(column, row + 1);
                values[index] + sharpness * (values[index] - around / 4.0)
            })
            .collect()
    };
    // Sums of dark and of light values down each column of the window, then across.
    let window = |at: usize| at.saturating_sub(RADIUS)..(at + RADIUS + 1).min(side);
    let middle = |column: usize, row: usize| {
        let (mut dark, mut darks, mut light, mut lights) = (0.0, 0.0, 0.0, 0.0);
        for row in window(row) {
            for &value in &sharp[row * side..][window(column)] {
                if value > 0.0 {
                    dark += value;
                    darks += 1.0;
                } else {
                    light += value;
                    lights += 1.0;
                }
            }
        }
        // A window of one kind alone has no middle.
        if darks > 3.0 && lights > 3.0 { (dark / darks + light / lights) / 2.0 } else { 0.0 }
    };
    (0..side * side)
        .map(|index| sharp[index] - 0.8 * middle(index % side, index / side) + bias)
        .collect()
}
