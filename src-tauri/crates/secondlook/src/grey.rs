//! Grey pictures and the operations that readers need: sizes, blur, thresholds.

use zeroize::Zeroizing;

/// One byte a pixel, row by row, 0 is black. Wiped when dropped: a picture of a secret
/// holds it as much as its text does.
pub struct Grey {
    width: usize,
    height: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl Grey {
    /// `None` when the number of pixels is not width times height.
    pub fn new(width: u32, height: u32, pixels: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        (width.checked_mul(height)? == pixels.len()).then_some(Self { width, height, pixels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Number of pixels.
    pub fn area(&self) -> usize {
        self.pixels.len()
    }

    /// Dark to light, light to dark.
    #[must_use]
    pub fn inverted(&self) -> Self {
        self.map(|pixel| 255 - pixel)
    }

    /// Brightness times `factor`, cut at white: a dark surround stays dark and a light
    /// code on it stands out.
    #[must_use]
    pub fn brightened(&self, factor: u8) -> Self {
        self.map(|pixel| pixel.saturating_mul(factor))
    }

    fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        let pixels = self.pixels.iter().map(|&pixel| change(pixel)).collect();
        self.like(pixels)
    }

    fn like(&self, pixels: Vec<u8>) -> Self {
        Self { width: self.width, height: self.height, pixels: Zeroizing::new(pixels) }
    }

    /// The part from `left` and `top` on, as far as there are pixels.
    #[must_use]
    pub fn cropped(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        let width = width.min(self.width.saturating_sub(left));
        let height = height.min(self.height.saturating_sub(top));
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for y in top..top + height {
            let start = y * self.width + left;
            pixels.extend_from_slice(&self.pixels[start..start + width]);
        }
        Self { width, height, pixels }
    }

    /// Half the width and half the height, each pixel the mean of four.
    #[must_use]
    pub fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Zeroizing::new(vec![0; width * height]);
        let pairs = self.pixels.chunks_exact(self.width.max(1) * 2);
        for (to, rows) in pixels.chunks_exact_mut(width.max(1)).zip(pairs) {
            let (upper, lower) = rows.split_at(self.width);
            let squares = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            for (to, (above, below)) in to.iter_mut().zip(squares) {
                let [a, b, c, d] = [above[0], above[1], below[0], below[1]].map(u16::from);
                *to = ((a + b + c + d + 2) / 4) as u8;
            }
        }
        Self { width, height, pixels }
    }

    /// Half the width only: for pictures of codes that lean back or lie on their side.
    #[must_use]
    pub fn narrowed(&self) -> Self {
        let width = self.width / 2;
        let rows = self.pixels.chunks_exact(self.width.max(1));
        let pixels = rows
            .flat_map(|row| row.chunks_exact(2).map(|pair| mean(pair[0], pair[1])))
            .collect::<Vec<_>>();
        Self { width, height: self.height, pixels: Zeroizing::new(pixels) }
    }

    /// Half the height only.
    #[must_use]
    pub fn flattened(&self) -> Self {
        let pairs = self.pixels.chunks_exact(self.width.max(1) * 2);
        let pixels = pairs
            .flat_map(|rows| {
                let (upper, lower) = rows.split_at(self.width);
                upper.iter().zip(lower).map(|(&a, &b)| mean(a, b))
            })
            .collect::<Vec<_>>();
        Self { width: self.width, height: self.height / 2, pixels: Zeroizing::new(pixels) }
    }

    /// Any other size, by cubic convolution (R. Keys, 1981); widened where the picture
    /// shrinks, so that nothing aliases.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        self.resize(width, height, |row| pixels.extend(row.iter().map(|v| (v + 0.5) as u8)));
        Self { width, height, pixels }
    }

    /// Hands the rows of the picture at another size over, unrounded.
    pub(crate) fn resize(&self, width: usize, height: usize, mut to: impl FnMut(&[f32])) {
        let (across, down) = (Taps::new(self.width, width), Taps::new(self.height, height));
        let mut sums = vec![0.0; width];
        if self.area() == 0 {
            (0..height).for_each(|_| to(&sums));
            return;
        }
        let mut rows = Zeroizing::new(Vec::with_capacity(width * self.height));
        for row in self.pixels.chunks_exact(self.width) {
            for (start, weights) in across.iter() {
                let pixels = row[start..start + weights.len()].iter();
                rows.push(pixels.zip(weights).map(|(&p, w)| f32::from(p) * w).sum::<f32>());
            }
        }
        for (start, weights) in down.iter() {
            sums.fill(0.0);
            for (i, weight) in weights.iter().enumerate() {
                let row = &rows[(start + i) * width..(start + i + 1) * width];
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value * weight;
                }
            }
            to(&sums);
        }
    }

    /// With a white frame of `margin` pixels, for codes without a quiet zone.
    #[must_use]
    pub fn framed(&self, margin: usize) -> Self {
        let (width, height) = (self.width + 2 * margin, self.height + 2 * margin);
        let mut pixels = Zeroizing::new(vec![u8::MAX; width * height]);
        let rows = pixels.chunks_exact_mut(width).skip(margin);
        for (to, from) in rows.zip(self.pixels.chunks_exact(self.width.max(1))) {
            to[margin..margin + self.width].copy_from_slice(from);
        }
        Self { width, height, pixels }
    }

    /// Black where a pixel is darker by more than `offset` than the mean of the square
    /// of `radius` around it, else white.
    #[must_use]
    pub fn thresholded(&self, radius: usize, offset: u8) -> Self {
        let means = self.blurred(radius);
        let pixels = self.pixels.iter().zip(means.pixels.iter());
        self.like(
            pixels
                .map(|(&pixel, &mean)| if pixel < mean.saturating_sub(offset) { 0 } else { 255 })
                .collect(),
        )
    }

    /// What stands out from the square of `radius` around it, stronger by `sixteenths`.
    #[must_use]
    pub fn sharpened(&self, radius: usize, sixteenths: i32) -> Self {
        let soft = self.blurred(radius).blurred(radius);
        let pixels = self.pixels.iter().zip(soft.pixels.iter());
        self.like(
            pixels
                .map(|(&pixel, &mean)| {
                    let (pixel, mean) = (i32::from(pixel), i32::from(mean));
                    (pixel + (pixel - mean) * sixteenths / 16).clamp(0, 255) as u8
                })
                .collect(),
        )
    }

    /// The same contrast everywhere: each pixel by its distance from the mean of the
    /// square of `radius` around it, in units of the mean distance there.
    #[must_use]
    pub fn levelled(&self, radius: usize) -> Self {
        let means = self.blurred(radius);
        let pairs = || self.pixels.iter().zip(means.pixels.iter());
        let distances = self.like(pairs().map(|(a, b)| a.abs_diff(*b)).collect()).blurred(radius);
        let pixels = pairs().zip(distances.pixels.iter()).map(|((&pixel, &mean), &distance)| {
            let unit = i32::from(distance).max(3);
            (128 + (i32::from(pixel) - i32::from(mean)) * 90 / unit).clamp(0, 255) as u8
        });
        self.like(pixels.collect())
    }

    /// The middle between the darkest and the lightest pixel around each, and how far
    /// those are apart; blocks of `side` pixels and their eight neighbours are around.
    #[must_use]
    pub fn middles(&self, side: usize) -> (Self, Self) {
        let side = side.max(1);
        let (columns, rows) = (self.width.div_ceil(side), self.height.div_ceil(side));
        let mut extremes = vec![(u8::MAX, 0u8); columns * rows];
        for (y, row) in self.pixels.chunks_exact(self.width.max(1)).enumerate() {
            let blocks = &mut extremes[y / side * columns..][..columns];
            for (block, pixels) in blocks.iter_mut().zip(row.chunks(side)) {
                for &pixel in pixels {
                    *block = (block.0.min(pixel), block.1.max(pixel));
                }
            }
        }
        let around = |column: usize, row: usize| {
            let mut all = (u8::MAX, 0u8);
            for y in row.saturating_sub(1)..(row + 2).min(rows) {
                for block in
                    &extremes[y * columns..][column.saturating_sub(1)..(column + 2).min(columns)]
                {
                    all = (all.0.min(block.0), all.1.max(block.1));
                }
            }
            all
        };
        let (mut middles, mut contrasts) = (vec![], vec![]);
        for row in 0..rows {
            let line: Vec<(u8, u8)> = (0..columns)
                .map(|column| {
                    let (darkest, lightest) = around(column, row);
                    (mean(darkest, lightest), lightest - darkest)
                })
                .collect();
            for _ in row * side..((row + 1) * side).min(self.height) {
                middles.extend((0..self.width).map(|x| line[x / side].0));
                contrasts.extend((0..self.width).map(|x| line[x / side].1));
            }
        }
        (self.like(middles), self.like(contrasts))
    }

    /// The mean of the square of `radius` around each pixel; edge pixels count again
    /// for what lies outside.
    #[must_use]
    pub fn blurred(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        if self.area() == 0 || radius == 0 {
            return self.like(self.pixels.to_vec());
        }
        let window = u32::try_from(2 * radius + 1).unwrap_or(u32::MAX);
        // Rounded up, so that a flat area keeps its value; exact enough below 2^24.
        let share = (1u32 << 24) / window + 1;
        let divided = |sum: u32| ((u64::from(sum) * u64::from(share)) >> 24).min(255) as u8;
        let mut rows = Zeroizing::new(vec![0; width * height]);
        for (to, row) in rows.chunks_exact_mut(width).zip(self.pixels.chunks_exact(width)) {
            let at = |x: usize| u32::from(row[x.min(width - 1)]);
            let mut sum = at(0) * u32::try_from(radius).unwrap_or(0);
            sum += (0..=radius).map(at).sum::<u32>();
            for (x, to) in to.iter_mut().enumerate() {
                *to = divided(sum);
                sum = sum + at(x + radius + 1) - at(x.saturating_sub(radius));
            }
        }
        let row = |y: usize| {
            let start = y.min(height - 1) * width;
            &rows[start..start + width]
        };
        let mut sums = vec![0u32; width];
        for y in 0..=2 * radius {
            for (sum, &pixel) in sums.iter_mut().zip(row(y.saturating_sub(radius))) {
                *sum += u32::from(pixel);
            }
        }
        let mut pixels = Zeroizing::new(vec![0; width * height]);
        for (y, to) in pixels.chunks_exact_mut(width).enumerate() {
            let (entering, leaving) = (row(y + radius + 1), row(y.saturating_sub(radius)));
            for (((to, sum), &enters), &leaves) in
                to.iter_mut().zip(&mut sums).zip(entering).zip(leaving)
            {
                *to = divided(*sum);
                *sum = *sum + u32::from(enters) - u32::from(leaves);
            }
        }
        Self { width, height, pixels }
    }
}

fn mean(a: u8, b: u8) -> u8 {
    (u16::from(a) + u16::from(b)).div_ceil(2) as u8
}

/// For each pixel of the new size, the first old pixel it is made of and the weights.
struct Taps {
    starts: Vec<usize>,
    weights: Vec<f32>,
    each: usize,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let ratio = from as f32 / to.max(1) as f32;
        let stretch = ratio.max(1.0);
        let each = ((4.0 * stretch).ceil() as usize).min(from.max(1));
        let (mut starts, mut weights) = (Vec::with_capacity(to), Vec::with_capacity(to * each));
        for i in 0..to {
            let centre = (i as f32 + 0.5) * ratio - 0.5;
            let first = (centre - 2.0 * stretch).floor() as isize + 1;
            let start = first.clamp(0, from.saturating_sub(each) as isize) as usize;
            let begin = weights.len();
            weights.resize(begin + each, 0.0);
            let mut sum = 0.0;
            // Pixels outside are those of the edge again.
            for tap in first..first + each as isize {
                let weight = cubic((tap as f32 - centre) / stretch);
                let inside = tap.clamp(start as isize, (start + each - 1) as isize) as usize;
                weights[begin + inside - start] += weight;
                sum += weight;
            }
            for weight in &mut weights[begin..] {
                *weight /= sum;
            }
            starts.push(start);
        }
        Self { starts, weights, each }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.starts.iter().copied().zip(self.weights.chunks_exact(self.each.max(1)))
    }
}

/// The kernel of cubic convolution with a = -1/2.
fn cubic(distance: f32) -> f32 {
    let x = distance.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, pixels: &[u8]) -> Grey {
        Grey::new(width, height, Zeroizing::new(pixels.to_vec())).expect("sizes agree")
    }

    #[test]
    fn sizes_must_agree() {
        assert!(Grey::new(2, 2, Zeroizing::new(vec![0; 3])).is_none());
    }

    #[test]
    fn halving_takes_the_mean_and_drops_the_odd_rest() {
        let half = grey(3, 3, &[0, 4, 9, 8, 12, 9, 9, 9, 9]).halved();
        assert_eq!((half.width(), half.height(), half.pixels()), (1, 1, &[6u8][..]));
        assert_eq!(grey(1, 1, &[7]).halved().area(), 0);
        assert_eq!(grey(3, 1, &[2, 4, 9]).narrowed().pixels(), &[3]);
        assert_eq!(grey(1, 3, &[2, 4, 9]).flattened().pixels(), &[3]);
    }

    #[test]
    fn flat_areas_stay_flat_at_every_size() {
        for (width, height) in [(1, 1), (3, 5), (13, 2), (40, 40)] {
            let resized = grey(5, 4, &[77; 20]).resized(width, height);
            assert_eq!((resized.width(), resized.height()), (width, height));
            assert!(resized.pixels().iter().all(|pixel| *pixel == 77), "{width} {height}");
        }
        for radius in [0, 1, 3, 9, 70] {
            let blurred = grey(5, 4, &[77; 20]).blurred(radius);
            assert_eq!(blurred.pixels(), &[77; 20], "radius {radius}");
        }
    }

    #[test]
    fn doubling_and_halving_again_is_nearly_the_same() {
        let pixels: Vec<u8> = (0..64).map(|i| (i % 8 * 30) as u8).collect();
        let picture = grey(8, 8, &pixels);
        let again = picture.resized(16, 16).halved();
        for (a, b) in picture.pixels().iter().zip(again.pixels()) {
            assert!(a.abs_diff(*b) < 12, "{a} {b}");
        }
    }

    #[test]
    fn parts_are_cut_at_the_edge() {
        let part = grey(3, 3, &[0, 1, 2, 3, 4, 5, 6, 7, 8]).cropped(1, 1, 9, 1);
        assert_eq!((part.width(), part.height(), part.pixels()), (2, 1, &[4u8, 5][..]));
        assert_eq!(grey(1, 1, &[0]).cropped(4, 4, 2, 2).area(), 0);
    }

    #[test]
    fn middles_are_those_of_a_block_and_its_neighbours() {
        let pixels: Vec<u8> = (0..17 * 9).map(|i: u32| (i * 7919 % 251) as u8).collect();
        let (middles, contrasts) = grey(17, 9, &pixels).middles(3);
        for i in 0..17 * 9usize {
            let near = (0..17 * 9).filter(|j| {
                (i % 17 / 3).abs_diff(j % 17 / 3) <= 1 && (i / 17 / 3).abs_diff(j / 17 / 3) <= 1
            });
            let near: Vec<u8> = near.map(|j| pixels[j]).collect();
            let (low, high) = (*near.iter().min().expect("i"), *near.iter().max().expect("i"));
            assert_eq!(middles.pixels()[i], mean(low, high));
            assert_eq!(contrasts.pixels()[i], high - low);
        }
        assert_eq!(grey(0, 0, &[]).middles(3).0.area(), 0);
    }

    #[test]
    fn a_frame_is_white_and_all_around() {
        let framed = grey(1, 1, &[0]).framed(1);
        assert_eq!(framed.pixels(), &[255, 255, 255, 255, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn levelling_brings_a_faint_step_out() {
        let levelled = grey(4, 1, &[100, 100, 110, 110]).levelled(2);
        let pixels = levelled.pixels();
        assert!(pixels[0] < 90 && pixels[3] > 166, "{pixels:?}");
    }
}
