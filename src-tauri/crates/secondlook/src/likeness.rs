//! How much three places of a picture look like the finder patterns of one symbol.
//!
//! Noise makes finder patterns by the dozen, and each combination of three costs
//! milliseconds to examine. But where the arms point and how long they are says where
//! each of the 49 modules of a pattern is, and the correlation of what lies there with
//! what should is next to nothing for noise, and above one half for blurred, faint and
//! stained patterns alike.

use crate::arrangement::Arrangement;
use crate::finder::Finder;
use crate::grey::Grey;
use crate::projective::Point;

/// What less is not worth examining.
pub(crate) const WORTH_EXAMINING: f32 = 0.4;

/// The mean correlation of the three patterns, from -1 to 1. With `inverted` light
/// counts as dark.
pub(crate) fn likeness(grey: &Grey, arrangement: &Arrangement, inverted: bool) -> f32 {
    let [corner, right, below] = arrangement.centres();
    let mean = arrangement.mean_module();
    // The arms' lengths in modules are uncertain by a few per cent.
    let best = [0.88, 1.0, 1.13]
        .map(|share| {
            let modules = arrangement.modules() * share;
            let u = ((right.0 - corner.0) / modules, (right.1 - corner.1) / modules);
            let v = ((below.0 - corner.0) / modules, (below.1 - corner.1) / modules);
            let correlations = arrangement.finders().map(|finder| {
                // What is nearer is larger.
                let size = finder.module() / mean;
                correlation(grey, &finder, (u.0 * size, u.1 * size), (v.0 * size, v.1 * size))
            });
            let sum = correlations.iter().sum::<f32>() / 3.0;
            if inverted { -sum } else { sum }
        })
        .into_iter()
        .fold(-1.0, f32::max);
    // What is not a number is not like anything.
    if best.is_nan() { -1.0 } else { best }
}

/// The correlation of darkness with a finder pattern whose modules lie along `u`, `v`.
pub(crate) fn correlation(grey: &Grey, finder: &Finder, u: Point, v: Point) -> f32 {
    let (mut product, mut values, mut squares, mut expected) = (0.0, 0.0, 0.0, 0.0);
    for row in -3i8..=3 {
        for column in -3i8..=3 {
            let (i, j) = (f32::from(column), f32::from(row));
            let value = -pixel(grey, finder.x + i * u.0 + j * v.0, finder.y + i * u.1 + j * v.1);
            let dark = if column.abs().max(row.abs()) == 2 { -1.0 } else { 1.0 };
            product += value * dark;
            values += value;
            squares += value * value;
            expected += dark;
        }
    }
    // Of 49 modules 33 are dark.
    let variance = squares - values * values / 49.0;
    let spread = 49.0 - expected * expected / 49.0;
    if variance < 49.0 {
        0.0
    } else {
        (product - values * expected / 49.0) / (variance * spread).sqrt()
    }
}

/// The pixel at a point; outside, the one at the edge.
fn pixel(grey: &Grey, x: f32, y: f32) -> f32 {
    let column = (x as usize).min(grey.width() - 1);
    let row = (y as usize).min(grey.height() - 1);
    f32::from(grey.pixels()[row * grey.width() + column])
}
