//! Grey pictures and the few operations that the ladder needs.

use zeroize::Zeroizing;

/// One byte a pixel, row by row, 0 is black. Wiped when dropped: it holds a secret as
/// much as the text does.
pub(crate) struct Grey {
    width: usize,
    height: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl Grey {
    /// `None` when the number of pixels is not width times height.
    pub(crate) fn new(width: u32, height: u32, pixels: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
        (width.checked_mul(height)? == pixels.len()).then_some(Self { width, height, pixels })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Number of pixels.
    pub(crate) fn area(&self) -> usize {
        self.pixels.len()
    }

    /// Dark to light, light to dark.
    pub(crate) fn inverted(&self) -> Self {
        self.map(|pixel| 255 - pixel)
    }

    /// Brightness times `factor`, cut at white: a dark surround stays dark and a light
    /// code on it stands out.
    pub(crate) fn brightened(&self, factor: u8) -> Self {
        self.map(|pixel| pixel.saturating_mul(factor))
    }

    fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        let pixels = self.pixels.iter().map(|&pixel| change(pixel)).collect();
        Self { width: self.width, height: self.height, pixels: Zeroizing::new(pixels) }
    }

    /// Half the width and half the height, each pixel the mean of four.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for rows in self.pixels.chunks_exact(self.width.max(1) * 2).take(height) {
            let (upper, lower) = rows.split_at(self.width);
            for (above, below) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                let sum: u16 = above.iter().chain(below).map(|&pixel| u16::from(pixel)).sum();
                pixels.push(u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX));
            }
        }
        Self { width, height, pixels }
    }

    /// Twice the width and twice the height, with straight lines between the pixels.
    pub(crate) fn doubled(&self) -> Self {
        let mut wide = Zeroizing::new(Vec::with_capacity(self.area() * 2));
        for row in self.pixels.chunks_exact(self.width.max(1)) {
            for (x, &pixel) in row.iter().enumerate() {
                let left = row[x.saturating_sub(1)];
                let right = *row.get(x + 1).unwrap_or(&pixel);
                wide.push(three_to_one(pixel, left));
                wide.push(three_to_one(pixel, right));
            }
        }
        let width = self.width * 2;
        let mut pixels = Zeroizing::new(Vec::with_capacity(self.area() * 4));
        let rows: Vec<&[u8]> = wide.chunks_exact(width.max(1)).collect();
        for (y, row) in rows.iter().enumerate() {
            let above = rows[y.saturating_sub(1)];
            let below = rows.get(y + 1).unwrap_or(row);
            pixels.extend(row.iter().zip(above).map(|(&near, &far)| three_to_one(near, far)));
            pixels.extend(row.iter().zip(*below).map(|(&near, &far)| three_to_one(near, far)));
        }
        Self { width, height: self.height * 2, pixels }
    }

    /// With a white frame of `margin` pixels, for codes without a quiet zone.
    pub(crate) fn framed(&self, margin: usize) -> Self {
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
    pub(crate) fn thresholded(&self, radius: usize, offset: u8) -> Self {
        let mean = self.blurred(radius);
        let pixels = self
            .pixels
            .iter()
            .zip(mean.pixels.iter())
            .map(|(&pixel, &mean)| if pixel < mean.saturating_sub(offset) { 0 } else { u8::MAX })
            .collect();
        Self { width: self.width, height: self.height, pixels: Zeroizing::new(pixels) }
    }

    /// The mean of the square of `radius` around each pixel; edge pixels count again
    /// for what lies outside.
    pub(crate) fn blurred(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Self { width, height, pixels: self.pixels.clone() };
        }
        let window = u32::try_from(2 * radius + 1).unwrap_or(u32::MAX);
        let mut rows = Zeroizing::new(Vec::with_capacity(width * height));
        for row in self.pixels.chunks_exact(width) {
            let at = |x: usize| u32::from(row[x.min(width - 1)]);
            let mut sum = at(0) * u32::try_from(radius).unwrap_or(0);
            sum += (0..=radius).map(at).sum::<u32>();
            for x in 0..width {
                rows.push(u8::try_from(sum / window).unwrap_or(u8::MAX));
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
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for y in 0..height {
            let (entering, leaving) = (row(y + radius + 1), row(y.saturating_sub(radius)));
            for ((sum, &enters), &leaves) in sums.iter_mut().zip(entering).zip(leaving) {
                pixels.push(u8::try_from(*sum / window).unwrap_or(u8::MAX));
                *sum = *sum + u32::from(enters) - u32::from(leaves);
            }
        }
        Self { width, height, pixels }
    }
}

fn three_to_one(near: u8, far: u8) -> u8 {
    u8::try_from((u16::from(near) * 3 + u16::from(far) + 2) / 4).unwrap_or(u8::MAX)
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
    }

    #[test]
    fn doubling_keeps_flat_areas_flat() {
        let double = grey(2, 1, &[100, 200]).doubled();
        assert_eq!((double.width(), double.height()), (4, 2));
        assert_eq!(double.pixels()[..4], [100, 125, 175, 200]);
    }

    #[test]
    fn blurring_a_flat_picture_changes_nothing() {
        for radius in [0, 1, 3, 9] {
            let blurred = grey(5, 4, &[77; 20]).blurred(radius);
            assert_eq!(blurred.pixels(), &[77; 20], "radius {radius}");
        }
    }

    #[test]
    fn a_frame_is_white_and_all_around() {
        let framed = grey(1, 1, &[0]).framed(1);
        assert_eq!(framed.pixels(), &[255, 255, 255, 255, 0, 255, 255, 255, 255]);
    }
}
