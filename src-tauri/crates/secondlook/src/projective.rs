//! Projective maps of a square onto any quadrilateral.
//!
//! The closed form of P. Heckbert (Fundamentals of Texture Mapping, 1989, section
//! 2.2.3): a flat symbol seen from any side is one of these.

/// A point in pixels or modules.
pub(crate) type Point = (f32, f32);

/// (x, y) to ((ax + by + c) / w, (dx + ey + f) / w) with w = gx + hy + 1, x and y in
/// modules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projective {
    a: f32,
    b: f32,
    c: f32,
    d: f32,
    e: f32,
    f: f32,
    g: f32,
    h: f32,
    low: f32,
    scale: f32,
}

impl Projective {
    /// Maps the square from `low` to `high` in both directions onto `quad`, which goes
    /// round from the image of (low, low) by way of (high, low). `None` when the
    /// quadrilateral is folded or flat.
    pub(crate) fn of_square(low: f32, high: f32, quad: &[Point; 4]) -> Option<Self> {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = *quad;
        let (dx1, dy1, dx2, dy2) = (x1 - x2, y1 - y2, x3 - x2, y3 - y2);
        let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let area = dx1 * dy2 - dy1 * dx2;
        let g = (sx * dy2 - sy * dx2) / area;
        let h = (dx1 * sy - dy1 * sx) / area;
        // The line that would be at infinity must not cross the symbol, nor come near.
        let nearest = [1.0 + g, 1.0 + h, 1.0 + g + h].into_iter().fold(1.0f32, f32::min);
        (area.is_normal() && nearest > 0.1).then(|| Self {
            a: x1 - x0 + g * x1,
            b: x3 - x0 + h * x3,
            c: x0,
            d: y1 - y0 + g * y1,
            e: y3 - y0 + h * y3,
            f: y0,
            g,
            h,
            low,
            scale: 1.0 / (high - low),
        })
    }

    /// The image of a point.
    #[inline]
    pub(crate) fn map(&self, (x, y): Point) -> Point {
        let (x, y) = ((x - self.low) * self.scale, (y - self.low) * self.scale);
        let w = 1.0 / (self.g * x + self.h * y + 1.0);
        ((self.a * x + self.b * y + self.c) * w, (self.d * x + self.e * y + self.f) * w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_go_to_corners_and_diagonals_to_their_crossing() {
        let quad = [(10.0, 12.0), (90.0, 20.0), (80.0, 95.0), (5.0, 70.0)];
        let map = Projective::of_square(3.5, 17.5, &quad).expect("a proper quadrilateral");
        let square = [(3.5, 3.5), (17.5, 3.5), (17.5, 17.5), (3.5, 17.5)];
        for (from, to) in square.into_iter().zip(quad) {
            let (x, y) = map.map(from);
            assert!((x - to.0).abs() < 1e-3 && (y - to.1).abs() < 1e-3);
        }
        // The crossing lies on both diagonals.
        let (x, y) = map.map((10.5, 10.5));
        let off = |(ax, ay): Point, (bx, by): Point| {
            ((bx - ax) * (y - ay) - (by - ay) * (x - ax)).abs() / (bx - ax).hypot(by - ay)
        };
        assert!(off(quad[0], quad[2]) < 1e-3 && off(quad[1], quad[3]) < 1e-3);
    }

    #[test]
    fn folded_and_flat_quadrilaterals_are_none() {
        let folded = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0), (10.0, 10.0)];
        let flat = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0)];
        assert!(Projective::of_square(0.0, 1.0, &folded).is_none());
        assert!(Projective::of_square(0.0, 1.0, &flat).is_none());
    }
}
