//! The part of a picture that holds one symbol, at one size and one contrast.
//!
//! Whatever the picture was, a patch has about 6.5 pixels a module, and its values say
//! how much darker a pixel is than what lies around it, in units of the mean distance
//! there. Light that falls off, shadows and faint prints are gone then, and the fit of
//! the grid needs no settings. Where there is hardly any contrast (a thumb, glare, a
//! logo) values stay small, so that the modules there are doubted.

use crate::arrangement::Arrangement;
use crate::fine::Fine;
use crate::grey::Grey;
use crate::projective::Point;

/// Pixels a module that a patch is brought to.
const MODULE: f32 = 6.5;

/// A larger patch is that of no symbol that could be read in the time.
const MOST_PIXELS: f32 = 4_000_000.0;

/// A mean distance of this much is one.
const UNIT: i32 = 64;

/// One symbol and some of its surround.
pub(crate) struct Patch {
    width: usize,
    height: usize,
    /// Row by row, positive for dark, smoothed over half a module.
    smooth: Vec<i8>,
    /// The same without smoothing.
    sharp: Vec<i8>,
    left: f32,
    top: f32,
    /// Pixels of the patch for one of the picture.
    scale: (f32, f32),
    /// Pixels a module, as the arrangement has it.
    module: f32,
}

impl Patch {
    /// Cuts out what surrounds the arrangement. With `inverted` light becomes dark.
    pub(crate) fn cut(grey: &Grey, arrangement: &Arrangement, inverted: bool) -> Option<Self> {
        let module = arrangement.module();
        let [a, b, c] = arrangement.centres();
        let points = [a, b, c, arrangement.fourth(), arrangement.fourth_in_perspective()];
        let margin = 6.0 * module + 0.25 * arrangement.arm();
        Self::around(grey, &points, margin, module, inverted)
    }

    /// Cuts out what lies within `margin` pixels of the points; a module has `module`.
    pub(crate) fn around(
        grey: &Grey,
        points: &[Point],
        margin: f32,
        module: f32,
        inverted: bool,
    ) -> Option<Self> {
        let bounds = |coordinate: fn(&Point) -> f32, most: usize| {
            let coordinates = || points.iter().map(coordinate);
            let low = coordinates().fold(f32::MAX, f32::min) - margin;
            let high = coordinates().fold(0.0, f32::max) + margin;
            (low.max(0.0) as usize, (high as usize + 1).min(most))
        };
        let (left, right) = bounds(|point| point.0, grey.width());
        let (top, bottom) = bounds(|point| point.1, grey.height());
        if right < left + 20 || bottom < top + 20 {
            return None;
        }
        let mut cut = grey.cropped(left, top, right - left, bottom - top);
        let (columns, rows) = (cut.width() as f32, cut.height() as f32);
        let factor = (MODULE / module).min(6.0);
        let (width, height) = ((columns * factor).round(), (rows * factor).round());
        if width < 30.0 || height < 30.0 || width * height > MOST_PIXELS {
            return None;
        }
        // Large pictures are halved first: the same, and much cheaper.
        while cut.width() as f32 > 2.0 * width {
            cut = cut.halved();
        }
        let fine = if (0.85..1.15).contains(&(width / cut.width() as f32)) {
            Fine::of(&cut)
        } else {
            Fine::resized(&cut, width as usize, height as usize)
        };
        let scale = (fine.width() as f32 / columns, fine.height() as f32 / rows);
        let module = module * (scale.0 + scale.1) / 2.0;
        let (smooth, sharp) = level(&fine, module, inverted);
        let (width, height) = (fine.width(), fine.height());
        Some(Self {
            width,
            height,
            smooth,
            sharp,
            left: left as f32,
            top: top as f32,
            scale,
            module,
        })
    }

    /// Pixels of the patch a module, roughly.
    pub(crate) fn module(&self) -> f32 {
        self.module
    }

    /// A point of the picture in the patch.
    pub(crate) fn inwards(&self, (x, y): (f32, f32)) -> (f32, f32) {
        ((x - self.left) * self.scale.0, (y - self.top) * self.scale.1)
    }

    /// A point of the patch in the picture.
    pub(crate) fn outwards(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (x / self.scale.0 + self.left, y / self.scale.1 + self.top)
    }

    /// The smoothed value at a point; 0 outside.
    #[inline]
    pub(crate) fn smooth(&self, (x, y): (f32, f32)) -> f32 {
        self.at(&self.smooth, x, y)
    }

    /// The value at a point, unsmoothed; 0 outside.
    #[inline]
    pub(crate) fn sharp(&self, (x, y): (f32, f32)) -> f32 {
        self.at(&self.sharp, x, y)
    }

    #[inline]
    fn at(&self, values: &[i8], x: f32, y: f32) -> f32 {
        // Points before the first pixel become huge; so does what is not a number.
        if x >= 0.0 && y >= 0.0 {
            let (column, row) = (x as usize, y as usize);
            if column < self.width && row < self.height {
                return f32::from(values[row * self.width + column]);
            }
        }
        0.0
    }
}

/// Distances from the local mean in units of the mean distance, smoothed and not.
fn level(fine: &Fine, module: f32, inverted: bool) -> (Vec<i8>, Vec<i8>) {
    let radius = (module * 4.5) as usize;
    let means = fine.blurred(radius);
    let distances = fine.distances(&means).blurred(radius);
    // Below a fifth of what is usual, and below half a grey level, there is no contrast.
    let least = distances.quantile(0.75) / 5;
    let least = i32::from(least.max(Fine::LEVEL / 2));
    let soft = fine.blurred(((module * 0.22).round() as usize).max(1));
    let unit = if inverted { -UNIT } else { UNIT };
    let levelled = |fine: &Fine| {
        let all = fine.values().iter().zip(means.values()).zip(distances.values());
        all.map(|((&value, &mean), &distance)| {
            let distance = i32::from(distance).max(least);
            ((i32::from(mean) - i32::from(value)) * unit / distance).clamp(-110, 110) as i8
        })
        .collect()
    };
    (levelled(&soft), levelled(fine))
}
