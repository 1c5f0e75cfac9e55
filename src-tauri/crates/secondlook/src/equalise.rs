//! Undoing blur by what is known: the symbol itself teaches how it was blurred.
//!
//! Blur mixes each module with its neighbours, and nobody knows how: out of focus, in
//! motion, or shrunk to little more than a pixel a module. But a few hundred modules
//! are known beforehand. First a linear equaliser: the weights that make those come out
//! right from the values around them are applied to all, and what comes out clearly
//! serves as known in the next round, as decision-directed equalisers in modems do
//! (J. Proakis, Digital Communications, chapter 10). Flipping modules until they explain
//! the blurred values was tried as well and made more errors than it mended.

use crate::grid::{Fit, Grid};
use crate::least_squares::least_squares;
use crate::symbol::{Layout, Module};

/// Values in half-module steps around a module that its own is made of.
const REACH: usize = 3;
const TAPS: usize = (2 * REACH + 1) * (2 * REACH + 1) + 1;

/// The values of a symbol in steps of half a module.
pub(crate) struct Halves {
    layout: &'static Layout,
    /// Points in a row: from `REACH` steps before the first module's centre to as many
    /// behind the last's.
    row: usize,
    values: Vec<f32>,
}

impl Halves {
    pub(crate) fn of(fit: &Fit<'_>, grid: &Grid) -> Option<Self> {
        let place = fit.look(grid)?;
        let row = 2 * fit.layout.side - 1 + 2 * REACH;
        let at = |step: usize| (step as f32 - REACH as f32 + 1.0) / 2.0;
        let values = (0..row * row)
            .map(|index| fit.patch.sharp(place((at(index % row), at(index / row)))) / 64.0)
            .collect();
        Some(Self { layout: fit.layout, row, values })
    }

    /// The value at a module's centre moved by half modules.
    fn at(&self, module: usize, dx: usize, dy: usize) -> f32 {
        let side = self.layout.side;
        let (column, row) = (2 * (module % side) + dx, 2 * (module / side) + dy);
        self.values[row * self.row + column]
    }

    /// The modules by a linear equaliser, 1 for dark.
    pub(crate) fn equalised(&self) -> Option<Vec<f32>> {
        /// How often the clear modules teach the others.
        const ROUNDS: usize = 3;
        let around: Vec<[f32; TAPS]> =
            (0..self.layout.modules.len()).map(|module| self.around(module)).collect();
        let known = known(self.layout);
        let mut targets = known.clone();
        let mut outcome = vec![0.0; known.len()];
        for round in 0..=ROUNDS {
            let taught = around.iter().zip(targets.iter().copied());
            let weights = least_squares(taught.filter(|(_, target)| *target != 0.0))?;
            for (value, around) in outcome.iter_mut().zip(&around) {
                *value = around.iter().zip(&weights).map(|(a, w)| a * w).sum::<f32>();
            }
            // Later rounds believe more of what they said.
            let clear = 0.5 - 0.15 * round as f32;
            for ((target, known), value) in targets.iter_mut().zip(&known).zip(&outcome) {
                *target = match (*known != 0.0, value.abs() > clear) {
                    (true, _) => *known,
                    (false, true) => value.signum(),
                    (false, false) => 0.0,
                };
            }
        }
        Some(outcome)
    }

    /// The values at and around a module's centre, and a one for the offset.
    fn around(&self, module: usize) -> [f32; TAPS] {
        let mut values = [1.0; TAPS];
        for (index, value) in values[..TAPS - 1].iter_mut().enumerate() {
            *value = self.at(module, index % (2 * REACH + 1), index / (2 * REACH + 1));
        }
        values
    }
}

/// 1 for dark modules, -1 for light ones, 0 for those that carry content.
fn known(layout: &Layout) -> Vec<f32> {
    let value = |module: &Module| match module {
        Module::Dark => 1.0,
        Module::Light => -1.0,
        Module::Data | Module::Format => 0.0,
    };
    layout.modules.iter().map(value).collect()
}
