//! Pictures with parts of a grey level, for what is too faint for whole ones.
//!
//! A code that differs from its ground by three levels of 255 is read like any other
//! once means and differences of its pixels keep their fractions.

use zeroize::Zeroizing;

use crate::grey::Grey;

/// Grey levels in units of 1/128, row by row.
pub(crate) struct Fine {
    width: usize,
    height: usize,
    values: Zeroizing<Vec<u16>>,
}

impl Fine {
    /// One grey level.
    pub(crate) const LEVEL: u16 = 128;

    pub(crate) fn of(grey: &Grey) -> Self {
        let values = grey.pixels().iter().map(|&pixel| u16::from(pixel) * Self::LEVEL).collect();
        Self { width: grey.width(), height: grey.height(), values: Zeroizing::new(values) }
    }

    /// The picture at another size.
    pub(crate) fn resized(grey: &Grey, width: usize, height: usize) -> Self {
        let mut values = Zeroizing::new(Vec::with_capacity(width * height));
        grey.resize(width, height, |row| {
            let fine = |value: &f32| (value.clamp(0.0, 255.0) * f32::from(Self::LEVEL)) as u16;
            values.extend(row.iter().map(fine));
        });
        Self { width, height, values }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn values(&self) -> &[u16] {
        &self.values
    }

    /// How far each value is from the other picture's.
    pub(crate) fn distances(&self, other: &Self) -> Self {
        let pairs = self.values.iter().zip(other.values.iter());
        let values = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
        Self { width: self.width, height: self.height, values: Zeroizing::new(values) }
    }

    /// The value that a share of all do not exceed, to a quarter of a level.
    pub(crate) fn quantile(&self, share: f32) -> u16 {
        const STEP: u16 = Fine::LEVEL / 4;
        let mut counts = [0usize; u16::MAX as usize / STEP as usize + 1];
        for value in self.values.iter() {
            counts[usize::from(value / STEP)] += 1;
        }
        let mut left = (self.values.len() as f32 * share) as usize;
        for (step, count) in (0u16..).zip(counts) {
            if count > left {
                return step * STEP;
            }
            left -= count;
        }
        u16::MAX
    }

    /// The mean of the square of `radius` around each value; those of the edge count
    /// again for what lies outside.
    pub(crate) fn blurred(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        if self.values.is_empty() || radius == 0 {
            return Self { width, height, values: self.values.clone() };
        }
        let share = 1.0 / (2 * radius + 1) as f32;
        let mut rows = Zeroizing::new(vec![0; width * height]);
        for (to, row) in rows.chunks_exact_mut(width).zip(self.values.chunks_exact(width)) {
            let at = |x: usize| u32::from(row[x.min(width - 1)]);
            let mut sum = at(0) * u32::try_from(radius).unwrap_or(0);
            sum += (0..=radius).map(at).sum::<u32>();
            for (x, to) in to.iter_mut().enumerate() {
                *to = (sum as f32 * share + 0.5) as u16;
                sum = sum + at(x + radius + 1) - at(x.saturating_sub(radius));
            }
        }
        let row = |y: usize| {
            let start = y.min(height - 1) * width;
            &rows[start..start + width]
        };
        let mut sums = vec![0u32; width];
        for y in 0..=2 * radius {
            for (sum, &value) in sums.iter_mut().zip(row(y.saturating_sub(radius))) {
                *sum += u32::from(value);
            }
        }
        let mut values = Zeroizing::new(vec![0; width * height]);
        for (y, to) in values.chunks_exact_mut(width).enumerate() {
            let (entering, leaving) = (row(y + radius + 1), row(y.saturating_sub(radius)));
            let lines = to.iter_mut().zip(&mut sums).zip(entering).zip(leaving);
            for (((to, sum), &enters), &leaves) in lines {
                *to = (*sum as f32 * share + 0.5) as u16;
                *sum = *sum + u32::from(enters) - u32::from(leaves);
            }
        }
        Self { width, height, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, pixels: Vec<u8>) -> Grey {
        Grey::new(width, height, Zeroizing::new(pixels)).expect("sizes agree")
    }

    #[test]
    fn means_keep_their_fractions() {
        let fine = Fine::of(&grey(3, 1, vec![10, 11, 10])).blurred(1);
        assert_eq!(fine.values()[1], (10 * Fine::LEVEL) + 43);
    }

    #[test]
    fn flat_stays_flat() {
        for radius in [0, 1, 7, 40] {
            let fine = Fine::of(&grey(9, 5, vec![200; 45])).blurred(radius);
            assert!(fine.values().iter().all(|value| *value == 200 * Fine::LEVEL));
        }
        let fine = Fine::resized(&grey(9, 5, vec![200; 45]), 31, 12);
        assert!(fine.values().iter().all(|value| value.abs_diff(200 * Fine::LEVEL) <= 1));
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let fine = Fine::of(&grey(10, 10, (0..100).collect()));
        assert_eq!(fine.quantile(0.75) / Fine::LEVEL, 75);
        assert_eq!(fine.quantile(0.0), 0);
    }
}
