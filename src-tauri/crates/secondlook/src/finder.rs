//! The search for finder patterns: 1:1:3:1:1 along rows and columns.
//!
//! ISO/IEC 18004 section 12 b) on pictures that were made black and white by the mean
//! around each pixel. A pattern counts when a row and the column through its centre
//! agree. Where a pattern melts into what surrounds it (no quiet zone, a dark edge)
//! the outer ring says nothing, so an open search asks for light-dark-light as 1:3:1
//! alone and takes whatever length of dark lies around that.

use crate::fine::Fine;
use crate::grey::Grey;

/// Black and white: 1 where it is dark.
pub(crate) struct Mask {
    width: usize,
    height: usize,
    dark: Vec<u8>,
}

/// How much of a finder pattern has to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All five runs.
    Closed,
    /// The three inner ones.
    Open,
}

/// A place that looks like a finder pattern, in pixels of the picture searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finder {
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Pixels a module along rows, larger than the module where the pattern is turned.
    pub(crate) wide: f32,
    /// The same along columns.
    pub(crate) tall: f32,
    /// Rows that found it.
    pub(crate) rows: u32,
}

impl Finder {
    /// The same pattern in a picture that is `scale` times as large.
    pub(crate) fn scaled(&self, scale: f32) -> Self {
        Self {
            x: self.x * scale,
            y: self.y * scale,
            wide: self.wide * scale,
            tall: self.tall * scale,
            rows: self.rows,
        }
    }

    /// Pixels a module, the mean of both directions.
    pub(crate) fn module(&self) -> f32 {
        (self.wide + self.tall) / 2.0
    }
}

impl Mask {
    /// Dark is what is darker than the mean of the square of `radius` by `offset`.
    pub(crate) fn of(grey: &Grey, radius: usize, offset: u8) -> Self {
        let means = grey.blurred(radius);
        let pixels = grey.pixels().iter().zip(means.pixels());
        let dark = pixels.map(|(p, mean)| u8::from(*p < mean.saturating_sub(offset))).collect();
        Self { width: grey.width(), height: grey.height(), dark }
    }

    /// Dark is what is darker than the middle between the darkest and the lightest of
    /// some blocks of `side` pixels: blur does not fill the gaps of a pattern then.
    pub(crate) fn of_middle(grey: &Grey, side: usize) -> Self {
        /// With less contrast nothing stands out.
        const LEAST: u8 = 20;
        let soft = grey.blurred(1);
        let (middles, contrasts) = soft.middles(side);
        let bounds = middles.pixels().iter().zip(contrasts.pixels());
        let dark = soft.pixels().iter().zip(bounds);
        let dark = dark.map(|(p, (middle, contrast))| u8::from(*contrast >= LEAST && p < middle));
        Self { width: grey.width(), height: grey.height(), dark: dark.collect() }
    }

    /// For faint codes: dark is what is darker, after some smoothing, than the mean by
    /// a fraction of a grey level.
    pub(crate) fn of_faint(grey: &Grey, radius: usize) -> Self {
        let fine = Fine::of(grey).blurred(1);
        let means = fine.blurred(radius);
        let values = fine.values().iter().zip(means.values());
        let dark = values.map(|(v, mean)| u8::from(v + Fine::LEVEL * 2 / 5 < *mean)).collect();
        Self { width: grey.width(), height: grey.height(), dark }
    }

    /// All places that look like a finder pattern, those with most rows first.
    pub(crate) fn finders(&self, shape: Shape) -> Vec<Finder> {
        let mut finders: Vec<Finder> = Vec::new();
        // Every second row is enough of a large picture.
        let step = if self.height > 1500 { 2 } else { 1 };
        for y in (0..self.height).step_by(step) {
            let row = &self.dark[y * self.width..(y + 1) * self.width];
            let mut runs = Runs::default();
            let mut start = 0;
            while start < row.len() {
                let length = run_length(&row[start..]);
                runs.push(length);
                start += length;
                if row[start - 1] == 1
                    && let Some(module) = runs.module(shape)
                {
                    let centre = start as f32 - runs.after_centre();
                    if let Some(finder) = self.confirmed(centre, y, module, shape) {
                        add(&mut finders, finder);
                    }
                }
            }
        }
        finders
            .sort_by(|a, b| (b.rows as f32 / b.module()).total_cmp(&(a.rows as f32 / a.module())));
        finders
    }

    /// Crosses the place downwards and once more across.
    fn confirmed(&self, x: f32, y: usize, module: f32, shape: Shape) -> Option<Finder> {
        let reach = (module * 5.0) as usize + 3;
        let column = x as usize;
        let (middle, tall) = self.crossing(column, y, Direction::Down, reach, shape)?;
        let (centre, wide) =
            self.crossing(column, middle as usize, Direction::Across, reach, shape)?;
        let fits = tall / wide < 2.6 && wide / tall < 2.6;
        fits.then_some(Finder { x: centre, y: middle, wide, tall, rows: 1 })
    }

    /// The runs through a dark pixel: the centre of the pattern along the line, and the
    /// module's length.
    fn crossing(
        &self,
        x: usize,
        y: usize,
        direction: Direction,
        reach: usize,
        shape: Shape,
    ) -> Option<(f32, f32)> {
        let (position, end, stride) = match direction {
            Direction::Across => (x, self.width, 1),
            Direction::Down => (y, self.height, self.width),
        };
        let origin = y * self.width + x;
        let dark = |at: usize| self.dark[origin + at * stride - position * stride] == 1;
        if x >= self.width || y >= self.height || !dark(position) {
            return None;
        }
        let backwards = |from: usize, wanted: bool| {
            (0..from).rev().take(reach).take_while(|&at| dark(at) == wanted).count()
        };
        let forwards = |from: usize, wanted: bool| {
            (from..end).take(reach).take_while(|&at| dark(at) == wanted).count()
        };
        let centre_before = backwards(position, true);
        let light_before = backwards(position - centre_before, false);
        let dark_before = backwards(position - centre_before - light_before, true);
        let centre_after = forwards(position, true);
        let light_after = forwards(position + centre_after, false);
        let dark_after = forwards(position + centre_after + light_after, true);
        let runs = Runs([
            dark_before,
            light_before,
            centre_before + centre_after,
            light_after,
            dark_after,
        ]);
        let (from, to) = (position - centre_before, position + centre_after);
        runs.module(shape).map(|module| ((from + to) as f32 / 2.0, module))
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Across,
    Down,
}

/// Pixels of the same kind at the start of a row.
fn run_length(row: &[u8]) -> usize {
    let kind = row[0];
    row.iter().position(|&pixel| pixel != kind).unwrap_or(row.len())
}

/// Counts a finder that was found before once more, and moves it to the mean.
fn add(finders: &mut Vec<Finder>, new: Finder) {
    let same = |old: &&mut Finder| {
        let near = new.module() * 1.8;
        let ratio = old.module() / new.module();
        (old.x - new.x).abs() < near && (old.y - new.y).abs() < near && (0.59..1.7).contains(&ratio)
    };
    let Some(old) = finders.iter_mut().find(same) else {
        finders.push(new);
        return;
    };
    let count = old.rows as f32;
    let mean = |old: f32, new: f32| (old * count + new) / (count + 1.0);
    *old = Finder {
        x: mean(old.x, new.x),
        y: mean(old.y, new.y),
        wide: mean(old.wide, new.wide),
        tall: mean(old.tall, new.tall),
        rows: old.rows + 1,
    };
}

/// Five runs in turn dark and light, the last the newest.
#[derive(Default)]
struct Runs([usize; 5]);

impl Runs {
    fn push(&mut self, run: usize) {
        self.0.rotate_left(1);
        self.0[4] = run;
    }

    /// Pixels from the middle of the third run to the end of the fifth.
    fn after_centre(&self) -> f32 {
        self.0[2] as f32 / 2.0 + (self.0[3] + self.0[4]) as f32
    }

    /// The module's length when the runs have the proportions of a finder pattern.
    fn module(&self, shape: Shape) -> Option<f32> {
        let [before, left, centre, right, after] = self.0.map(|run| run as f32);
        match shape {
            Shape::Closed => {
                let module = (before + left + centre + right + after) / 7.0;
                let slack = module * 0.55 + 0.6;
                let fits = [before, left, right, after]
                    .iter()
                    .all(|run| *run > 0.0 && (run - module).abs() < slack);
                (module >= 1.0 && fits && (centre - 3.0 * module).abs() < 2.0 * slack)
                    .then_some(module)
            }
            Shape::Open => {
                let module = (left + centre + right) / 5.0;
                let slack = module * 0.45 + 0.6;
                let fits = [left, right].iter().all(|run| (run - module).abs() < slack)
                    && [before, after].iter().all(|run| *run > 0.6 * module);
                (module >= 1.2 && fits && (centre - 3.0 * module).abs() < 1.6 * slack)
                    .then_some(module)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    /// A finder pattern of `scale` pixels a module with its centre at 100, 60.
    fn pattern(scale: f32, turned: f32, surround: u8) -> Grey {
        let (sin, cos) = turned.to_radians().sin_cos();
        let pixels = (0..200 * 120).map(|i| {
            let (x, y) = ((i % 200) as f32 + 0.5 - 100.0, (i / 200) as f32 + 0.5 - 60.0);
            let (u, v) = ((x * cos + y * sin) / scale, (y * cos - x * sin) / scale);
            match u.abs().max(v.abs()) {
                0.0..1.5 | 2.5..3.5 => 30,
                1.5..2.5 => 220,
                _ => surround,
            }
        });
        Grey::new(200, 120, Zeroizing::new(pixels.collect())).expect("sizes agree")
    }

    fn check(grey: &Grey, shape: Shape, scale: f32) {
        let finders = Mask::of(grey, 20, 4).finders(shape);
        let found = finders.iter().any(|finder| {
            (finder.x - 100.0).abs() < 1.5
                && (finder.y - 60.0).abs() < 1.5
                && (0.8..1.6).contains(&(finder.module() / scale))
        });
        assert!(found, "{scale}: {finders:?}");
    }

    #[test]
    fn patterns_of_all_sizes_and_turns() {
        for scale in [1.5, 2.0, 3.0, 5.0, 8.0] {
            for turned in [0.0, 10.0, 30.0, 45.0] {
                check(&pattern(scale, turned, 220), Shape::Closed, scale);
            }
        }
    }

    #[test]
    fn a_pattern_that_melts_into_its_surround() {
        check(&pattern(5.0, 0.0, 30), Shape::Open, 5.0);
        assert!(Mask::of(&pattern(5.0, 0.0, 30), 20, 4).finders(Shape::Closed).is_empty());
    }

    #[test]
    fn a_light_pattern_on_dark() {
        let grey = pattern(4.0, 20.0, 220).inverted();
        assert!(Mask::of(&grey, 20, 4).finders(Shape::Closed).is_empty());
        check(&grey.inverted(), Shape::Closed, 4.0);
    }

    #[test]
    fn pictures_of_every_size_are_searched() {
        for (width, height) in [(0, 0), (1, 1), (1, 300), (300, 1), (7, 7)] {
            let pixels = Zeroizing::new((0..width * height).map(|i| (i * 37) as u8).collect());
            let grey = Grey::new(width, height, pixels).expect("sizes agree");
            let _ = Mask::of(&grey, 8, 0).finders(Shape::Open);
        }
    }
}
