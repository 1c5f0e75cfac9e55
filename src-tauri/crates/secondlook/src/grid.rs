//! The grid of a symbol's modules in a patch, and its fit.
//!
//! A grid begins as the projective map that the finder patterns give. It is moved
//! where the modules that every symbol of the version has (finder, timing, alignment
//! patterns, version information) are found, and where all modules are clearly dark or
//! clearly light: a grid that lies half a module off sees grey. Then it may bend as a
//! label on a bottle does, by polynomials of the third degree. Only ever the better of
//! two grids is kept, so the fit ends.

use std::time::Instant;

use crate::net::Net;
use crate::patch::Patch;
use crate::projective::{Point, Projective};
use crate::symbol::{Landmark, Layout};

/// Where the modules lie.
#[derive(Clone)]
pub(crate) struct Grid {
    /// The centres of the three finder patterns and of the place opposite, in pixels
    /// of the patch: upper left, upper right, lower right, lower left.
    pub(crate) quad: [Point; 4],
    pub(crate) bend: Option<[Point; BENDS]>,
    pub(crate) net: Option<Net>,
}

/// Polynomials that are 0 at the corners or turn the whole, so that they bend only.
const BENDS: usize = 7;

/// What makes a grid good.
#[derive(Clone, Copy)]
pub(crate) struct Merit {
    /// Weight of the known modules.
    pub(crate) landmarks: f32,
    /// Weight of the clearness of all modules.
    pub(crate) clearness: f32,
}

/// A patch and the layout that is fitted to it.
pub(crate) struct Fit<'a> {
    pub(crate) patch: &'a Patch,
    pub(crate) layout: &'static Layout,
    /// Past this the fit stays as it is.
    pub(crate) until: Instant,
}

impl Grid {
    /// A flat grid.
    pub(crate) fn flat(quad: [Point; 4]) -> Self {
        Self { quad, bend: None, net: None }
    }

    /// Lets the grid bend from now on.
    pub(crate) fn bendable(mut self) -> Self {
        self.bend.get_or_insert([(0.0, 0.0); BENDS]);
        self
    }
}

impl Fit<'_> {
    pub(crate) fn side(&self) -> f32 {
        self.layout.side as f32
    }

    /// The map of the flat grid.
    fn projective(&self, grid: &Grid) -> Option<Projective> {
        Projective::of_square(3.5, self.side() - 3.5, &grid.quad)
    }

    /// Where a point of the symbol, in modules, lies before the projective map.
    #[inline]
    fn bent(&self, grid: &Grid, (x, y): Point) -> Point {
        let (mut to_x, mut to_y) = (x, y);
        if let Some(bend) = &grid.bend {
            let (t, s) = (2.0 * x / self.side() - 1.0, 2.0 * y / self.side() - 1.0);
            let (t2, s2) = (t * t - 1.0, s * s - 1.0);
            let basis = [t2, s2, t * s, t * t2, s * s2, t * t * s, t * s * s];
            for (value, (dx, dy)) in basis.iter().zip(bend) {
                to_x += value * dx;
                to_y += value * dy;
            }
        }
        if let Some(net) = &grid.net {
            let (dx, dy) = net.shift(x / self.side(), y / self.side());
            to_x += dx;
            to_y += dy;
        }
        (to_x, to_y)
    }

    /// The corners of the whole symbol, in pixels of the patch.
    pub(crate) fn corners(&self, grid: &Grid) -> Option<[Point; 4]> {
        let map = self.projective(grid)?;
        let side = self.side();
        let square = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        Some(square.map(|corner| map.map(self.bent(grid, corner))))
    }

    /// The values at points given in modules.
    pub(crate) fn look<'b>(&'b self, grid: &'b Grid) -> Option<impl Fn(Point) -> Point + use<'b>> {
        let map = self.projective(grid)?;
        Some(move |point| map.map(self.bent(grid, point)))
    }

    /// How well the known modules are met, from -110 to 110.
    pub(crate) fn landmarks(&self, grid: &Grid) -> f32 {
        self.meets(grid, &self.layout.landmarks)
    }

    /// The same for some of them.
    pub(crate) fn meets(&self, grid: &Grid, landmarks: &[Landmark]) -> f32 {
        let Some(place) = self.look(grid) else {
            return f32::MIN;
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for &Landmark { column, row, weight } in landmarks {
            let point = (column as f32 + 0.5, row as f32 + 0.5);
            sum += weight * self.patch.smooth(place(point));
            weights += weight.abs();
        }
        sum / weights
    }

    fn clearness(&self, grid: &Grid) -> f32 {
        let Some(place) = self.look(grid) else {
            return f32::MIN;
        };
        let side = self.layout.side;
        let mut sum = 0.0;
        for row in 0..side {
            for column in 0..side {
                let point = (column as f32 + 0.5, row as f32 + 0.5);
                sum += self.patch.smooth(place(point)).abs();
            }
        }
        sum / (side * side) as f32
    }

    fn merit(&self, grid: &Grid, merit: Merit) -> f32 {
        merit.landmarks * self.landmarks(grid) + merit.clearness * self.clearness(grid)
    }

    /// Moves corners and bends one by one while that makes the grid better. `steps` are
    /// in modules, from coarse to fine.
    pub(crate) fn climb(&self, grid: &mut Grid, merit: Merit, steps: &[f32]) -> f32 {
        /// Rounds at each step.
        const ROUNDS: usize = 4;
        let mut best = self.merit(grid, merit);
        for &step in steps {
            for _ in 0..ROUNDS {
                let mut moved = false;
                for handle in 0..8 + if grid.bend.is_some() { 2 * BENDS } else { 0 } {
                    let length = if handle < 8 { step * self.patch.module() } else { step };
                    for change in [length, -length] {
                        let before = *grid.handle(handle);
                        *grid.handle(handle) += change;
                        let merit = self.merit(grid, merit);
                        if merit > best + 1e-3 {
                            best = merit;
                            moved = true;
                            break;
                        }
                        *grid.handle(handle) = before;
                    }
                    if Instant::now() >= self.until {
                        return best;
                    }
                }
                if !moved {
                    break;
                }
            }
        }
        best
    }
}

impl Grid {
    /// The coordinates of the corners, then those of the bends.
    fn handle(&mut self, number: usize) -> &mut f32 {
        let points = &mut self.quad;
        let point = match &mut self.bend {
            Some(bend) if number >= 8 => &mut bend[(number - 8) / 2],
            _ => &mut points[number / 2 % 4],
        };
        if number.is_multiple_of(2) { &mut point.0 } else { &mut point.1 }
    }
}
