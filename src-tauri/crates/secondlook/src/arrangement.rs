//! Three finder patterns that could be those of one symbol.
//!
//! ISO/IEC 18004 section 12 c): the pattern opposite the longest side is the upper left
//! one, the turn from one arm to the other tells upper right from lower left. A mirrored
//! symbol comes out transposed, which the decoder tries as well.

use crate::finder::Finder;

/// Finder patterns at upper left, upper right and lower left, and how odd they look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrangement {
    pub(crate) upper_left: Finder,
    pub(crate) upper_right: Finder,
    pub(crate) lower_left: Finder,
    /// 0 for a square seen from the front; it only orders arrangements.
    oddity: f32,
}

/// Neighbours of like size that a finder pattern is combined with. A symbol's own
/// patterns may lie behind those of its neighbours on a sheet.
const NEIGHBOURS: usize = 12;

/// The most finder patterns that are combined.
const MOST_FINDERS: usize = 240;

/// All plausible arrangements, the most plausible first.
pub(crate) fn arrangements(finders: &[Finder]) -> Vec<Arrangement> {
    let finders = &finders[..finders.len().min(MOST_FINDERS)];
    let mut all = Vec::new();
    for (corner, finder) in finders.iter().enumerate() {
        let mut others: Vec<(f32, &Finder)> = finders
            .iter()
            .enumerate()
            .filter(|(index, other)| {
                *index != corner && (0.45..2.2).contains(&(other.module() / finder.module()))
            })
            .map(|(_, other)| (distance(finder, other), other))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        others.truncate(NEIGHBOURS);
        for (i, (_, first)) in others.iter().enumerate() {
            for (_, second) in &others[i + 1..] {
                all.extend(Arrangement::of(*finder, **first, **second));
            }
        }
    }
    all.sort_by(|a, b| a.oddity.total_cmp(&b.oddity));
    all
}

impl Arrangement {
    fn of(corner: Finder, first: Finder, second: Finder) -> Option<Self> {
        let (a, b) = (distance(&corner, &first), distance(&corner, &second));
        let across = distance(&first, &second);
        // The corner is opposite the longest side, but perspective may lengthen an arm.
        if across < a.max(b) * 0.9 || a / b > 2.6 || b / a > 2.6 {
            return None;
        }
        let modules = [corner.module(), first.module(), second.module()];
        let least = modules.iter().fold(f32::MAX, |least, module| least.min(*module));
        let most = modules.iter().fold(0.0f32, |most, module| most.max(*module));
        let mean = modules.iter().sum::<f32>() / 3.0;
        let arm = (a + b) / 2.0 / mean;
        if most / least > 2.2 || !(9.0..190.0).contains(&arm) {
            return None;
        }
        let (ux, uy) = (first.x - corner.x, first.y - corner.y);
        let (vx, vy) = (second.x - corner.x, second.y - corner.y);
        let cosine = (ux * vx + uy * vy) / (a * b);
        if cosine.abs() > 0.7 {
            return None;
        }
        let clockwise = ux * vy - uy * vx > 0.0;
        let (upper_right, lower_left) = if clockwise { (first, second) } else { (second, first) };
        // Three rows a module cross the middle of a real pattern, and of noise hardly two.
        let seen = [corner, first, second]
            .iter()
            .map(|finder| (finder.rows as f32 / (3.0 * finder.module())).min(1.0))
            .fold(1.0, f32::min);
        let oddity = 1.2 * cosine.abs()
            + 1.2 * (a / b).ln().abs()
            + 0.8 * (most / least).ln()
            + arm / 160.0
            + 1.0 * (1.0 - seen);
        Some(Self { upper_left: corner, upper_right, lower_left, oddity })
    }

    /// Pixels a module along the arms, with the lengthening of turned patterns taken off.
    pub(crate) fn module(&self) -> f32 {
        (self.module_towards(&self.upper_right) + self.module_towards(&self.lower_left)) / 2.0
    }

    /// Modules between the patterns, the mean of both arms.
    pub(crate) fn modules(&self) -> f32 {
        let modules = |to: &Finder| distance(&self.upper_left, to) / self.module_towards(to);
        (modules(&self.upper_right) + modules(&self.lower_left)) / 2.0
    }

    /// Between a near and a far end of an arm the geometric mean is right.
    fn module_towards(&self, to: &Finder) -> f32 {
        let length = distance(&self.upper_left, to);
        let x = (to.x - self.upper_left.x) / length;
        let y = (to.y - self.upper_left.y) / length;
        let along = |finder: &Finder| finder.wide * x * x + finder.tall * y * y;
        (along(&self.upper_left) * along(to)).sqrt() * x.abs().max(y.abs())
    }

    /// Mean distance in pixels from the upper left pattern to the two others.
    pub(crate) fn arm(&self) -> f32 {
        let a = distance(&self.upper_left, &self.upper_right);
        (a + distance(&self.upper_left, &self.lower_left)) / 2.0
    }

    /// Where the fourth corner's pattern would be if there were one and no perspective.
    pub(crate) fn fourth(&self) -> (f32, f32) {
        let (corner, a, b) = (self.upper_left, self.upper_right, self.lower_left);
        (a.x + b.x - corner.x, a.y + b.y - corner.y)
    }

    /// The same with the perspective that the sizes of the patterns speak of: what is
    /// nearer is larger.
    pub(crate) fn fourth_in_perspective(&self) -> (f32, f32) {
        let (corner, a, b) = (self.upper_left, self.upper_right, self.lower_left);
        // A plane's distance changes evenly, and sizes go down with it: across by the
        // distance, in depth by its square.
        let [far, far_a, far_b] = [corner, a, b].map(|finder| finder.module().powf(-0.75));
        let fourth = far_a + far_b - far;
        if fourth < 0.4 * far {
            return self.fourth();
        }
        let mean =
            |of: fn(&Finder) -> f32| (of(&a) * far_a + of(&b) * far_b - of(&corner) * far) / fourth;
        (mean(|finder| finder.x), mean(|finder| finder.y))
    }

    /// The corners of the symbol, without perspective.
    pub(crate) fn outline(&self) -> [(f32, f32); 4] {
        let [corner, a, b] = self.centres();
        // The patterns' centres lie three and a half modules inside.
        let share = 3.5 / self.modules();
        let out = |i: f32, j: f32| {
            let x = corner.0 + i * (a.0 - corner.0) + j * (b.0 - corner.0);
            (x, corner.1 + i * (a.1 - corner.1) + j * (b.1 - corner.1))
        };
        let (low, high) = (-share, 1.0 + share);
        [out(low, low), out(high, low), out(high, high), out(low, high)]
    }

    /// Upper left, upper right and lower left.
    pub(crate) fn finders(&self) -> [Finder; 3] {
        [self.upper_left, self.upper_right, self.lower_left]
    }

    /// Pixels a module of the three patterns, turned as they are.
    pub(crate) fn mean_module(&self) -> f32 {
        self.finders().iter().map(Finder::module).sum::<f32>() / 3.0
    }

    /// The centres of the three patterns.
    pub(crate) fn centres(&self) -> [(f32, f32); 3] {
        self.finders().map(|finder| (finder.x, finder.y))
    }

    /// The same arrangement in a picture that is `scale` times as large.
    pub(crate) fn scaled(&self, scale: f32) -> Self {
        Self {
            upper_left: self.upper_left.scaled(scale),
            upper_right: self.upper_right.scaled(scale),
            lower_left: self.lower_left.scaled(scale),
            oddity: self.oddity,
        }
    }

    /// Whether this is the other arrangement again, up to a module's length.
    pub(crate) fn resembles(&self, other: &Self) -> bool {
        let near = self.upper_left.module();
        self.centres()
            .iter()
            .zip(other.centres())
            .all(|(a, b)| (a.0 - b.0).abs() < near && (a.1 - b.1).abs() < near)
    }
}

fn distance(a: &Finder, b: &Finder) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(x: f32, y: f32) -> Finder {
        Finder { x, y, wide: 4.0, tall: 4.0, rows: 9 }
    }

    #[test]
    fn corners_are_told_apart_however_they_come() {
        let corners = [finder(10.0, 10.0), finder(110.0, 12.0), finder(8.0, 110.0)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let best = arrangements(&order.map(|i| corners[i]))[0];
            assert_eq!(best.centres(), [(10.0, 10.0), (110.0, 12.0), (8.0, 110.0)]);
            assert_eq!(best.fourth(), (108.0, 112.0));
        }
    }

    #[test]
    fn the_corners_of_a_sheet_are_all_combined() {
        let mut finders = vec![];
        for row in 0..5 {
            for column in 0..6 {
                let (x, y) = (column as f32 * 200.0, row as f32 * 200.0);
                finders.extend([finder(x, y), finder(x + 120.0, y), finder(x, y + 120.0)]);
            }
        }
        let found = arrangements(&finders);
        for row in 0..5 {
            for column in 0..6 {
                let corner = (column as f32 * 200.0, row as f32 * 200.0);
                let right = found.iter().any(|arrangement| {
                    let [a, b, c] = arrangement.centres();
                    a == corner
                        && b == (corner.0 + 120.0, corner.1)
                        && c == (corner.0, corner.1 + 120.0)
                });
                assert!(right, "{corner:?}");
            }
        }
    }

    #[test]
    fn what_lies_in_a_line_is_no_symbol() {
        let finders = [finder(0.0, 0.0), finder(100.0, 0.0), finder(200.0, 5.0)];
        assert!(arrangements(&finders).is_empty());
    }
}
