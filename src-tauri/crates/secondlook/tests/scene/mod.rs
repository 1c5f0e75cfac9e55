//! Pictures of symbols as cameras and printers spoil them, one cause at a time.
//!
//! A scene is a sheet of paper with one symbol, seen from somewhere: what can be wrong
//! with it is a field each, so that a test varies one cause and a bench mixes them. The
//! same seed gives the same picture.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    clippy::similar_names,
    dead_code,
    unreachable_pub,
    reason = "pixels and modules are small numbers, and not every test varies every cause"
)]

use qrcode::{Color, EcLevel, QrCode};
use secondlook::Grey;
use zeroize::Zeroizing;

/// What is shown and what is wrong with it. Lengths are in modules where not said
/// otherwise.
#[derive(Clone, Debug)]
pub struct Scene {
    pub text: String,
    pub level: EcLevel,
    /// Pixels a module.
    pub module: f32,
    /// Degrees.
    pub turn: f32,
    /// How much the far side is smaller, 0 to 0.5.
    pub tilt: f32,
    /// Standard deviation of a lens out of focus.
    pub blur: f32,
    /// Length of a shake, and its direction in degrees.
    pub motion: (f32, f32),
    /// Standard deviation in grey levels.
    pub noise: f32,
    pub dark: f32,
    pub light: f32,
    /// Grey level behind the paper.
    pub surround: f32,
    /// Width of the paper around the symbol.
    pub quiet: f32,
    /// Height and length of the waves of crumpled paper.
    pub waves: (f32, f32),
    /// Degrees of a bottle that the symbol goes round.
    pub bottle: f32,
    /// Discs: column, row and radius as shares of the side, and grey level.
    pub stains: Vec<(f32, f32, f32, f32)>,
    /// The same, added to the light.
    pub glare: Vec<(f32, f32, f32, f32)>,
    /// Share of the light that is lost at the right side.
    pub shade: f32,
    pub mirrored: bool,
    pub seed: u64,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            text: "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl\
                   &issuer=Microsoft"
                .to_owned(),
            level: EcLevel::M,
            module: 6.0,
            turn: 0.0,
            tilt: 0.0,
            blur: 0.0,
            motion: (0.0, 0.0),
            noise: 0.0,
            dark: 30.0,
            light: 235.0,
            surround: 120.0,
            quiet: 4.0,
            waves: (0.0, 10.0),
            bottle: 0.0,
            stains: vec![],
            glare: vec![],
            shade: 0.0,
            mirrored: false,
            seed: 1,
        }
    }
}

impl Scene {
    /// The picture.
    pub fn drawn(&self) -> Grey {
        let (width, height, pixels) = self.pixels();
        let pixels = Zeroizing::new(pixels);
        Grey::new(width as u32, height as u32, pixels).expect("sizes agree")
    }

    /// Width, height and grey pixels.
    pub fn pixels(&self) -> (usize, usize, Vec<u8>) {
        let code = QrCode::with_error_correction_level(&self.text, self.level).expect("it fits");
        let side = code.width() as f32;
        let dark: Vec<bool> = code.to_colors().iter().map(|c| *c == Color::Dark).collect();
        let extent = (side + 2.0 * self.quiet + 8.0) * self.module * 1.3;
        let size = (extent as usize).max(64);
        let mut random = Random(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let phases: Vec<f32> = (0..4).map(|_| random.unit() * 6.3).collect();
        let offset = (random.unit() - 0.5, random.unit() - 0.5);
        let paper = |x: f32, y: f32| self.paper(&dark, side, x, y);
        let mut picture = vec![0.0; size * size];
        // Four samples a pixel: the sensor's cells have a size.
        let samples = [-0.25f32, 0.25];
        for (index, value) in picture.iter_mut().enumerate() {
            for dy in samples {
                for dx in samples {
                    let x = (index % size) as f32 + 0.5 + dx - size as f32 / 2.0 + offset.0;
                    let y = (index / size) as f32 + 0.5 + dy - size as f32 / 2.0 + offset.1;
                    let (u, v) = self.unprojected(x, y, side, &phases);
                    *value += paper(u, v) / 4.0;
                }
            }
        }
        self.spoil(&mut picture, size, &mut random);
        let pixels = picture.iter().map(|v| (v + 0.5).clamp(0.0, 255.0) as u8).collect();
        (size, size, pixels)
    }

    /// A pixel's place on the paper, in modules from the symbol's upper left corner.
    fn unprojected(&self, x: f32, y: f32, side: f32, phases: &[f32]) -> (f32, f32) {
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let (x, y) = (x * cos + y * sin, y * cos - x * sin);
        let half = side * self.module / 2.0;
        let w = 1.0 + self.tilt * y / half * 0.5;
        let (mut u, v) = (x / w / half, y / w / half);
        if self.bottle > 0.0 {
            let angle = (self.bottle / 2.0).to_radians();
            // Beyond the bottle's edge there is nothing to see.
            u = (u * angle.sin()).clamp(-1.0, 1.0).asin() / angle;
        }
        let (mut u, mut v) = ((u + 1.0) * side / 2.0, (v + 1.0) * side / 2.0);
        if self.waves.0 > 0.0 {
            let turns = std::f32::consts::TAU / self.waves.1;
            let (p, q) = (u, v);
            u += self.waves.0
                * ((q * turns + phases[0]).sin() + 0.5 * ((p + q) * turns * 0.7 + phases[1]).sin());
            v += self.waves.0
                * ((p * turns + phases[2]).sin() + 0.5 * ((p - q) * turns * 0.7 + phases[3]).sin());
        }
        if self.mirrored { (side - u, v) } else { (u, v) }
    }

    fn paper(&self, dark: &[bool], side: f32, u: f32, v: f32) -> f32 {
        let quiet = -self.quiet..side + self.quiet;
        if !quiet.contains(&u) || !quiet.contains(&v) {
            return self.surround;
        }
        for &(column, row, radius, grey) in &self.stains {
            if (u / side - column).hypot(v / side - row) < radius {
                return grey;
            }
        }
        let inside = (0.0..side).contains(&u) && (0.0..side).contains(&v);
        if inside && dark[v as usize * side as usize + u as usize] { self.dark } else { self.light }
    }

    fn spoil(&self, picture: &mut Vec<f32>, size: usize, random: &mut Random) {
        for (index, value) in picture.iter_mut().enumerate() {
            let (x, y) = ((index % size) as f32 / size as f32, (index / size) as f32 / size as f32);
            *value *= 1.0 - self.shade * x;
            for &(column, row, radius, amount) in &self.glare {
                let distance = (x - column).hypot(y - row) / radius;
                *value += amount * (-distance * distance).exp();
            }
        }
        let sigma = self.blur * self.module;
        if sigma > 0.2 {
            let reach = (3.0 * sigma).ceil() as i32;
            let taps: Vec<(f32, f32)> = (-reach..=reach)
                .map(|i| (i as f32, (-(i * i) as f32 / (2.0 * sigma * sigma)).exp()))
                .collect();
            *picture = smeared(picture, size, &taps, (1.0, 0.0));
            *picture = smeared(picture, size, &taps, (0.0, 1.0));
        }
        let length = self.motion.0 * self.module;
        if length > 1.0 {
            let steps = (length * 2.0) as i32;
            let taps: Vec<(f32, f32)> =
                (0..=steps).map(|i| (i as f32 / 2.0 - length / 2.0, 1.0)).collect();
            let (sin, cos) = self.motion.1.to_radians().sin_cos();
            *picture = smeared(picture, size, &taps, (cos, sin));
        }
        for value in picture {
            let noise: f32 = (0..4).map(|_| random.unit() - 0.5).sum();
            *value += noise * self.noise * 1.73;
        }
    }
}

/// The weighted mean along a line through each pixel.
fn smeared(picture: &[f32], size: usize, taps: &[(f32, f32)], (dx, dy): (f32, f32)) -> Vec<f32> {
    let total: f32 = taps.iter().map(|(_, weight)| weight).sum();
    let at = |x: f32, y: f32| {
        let last = size as f32 - 1.001;
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (i, j) = (x as usize, y as usize);
        let (u, v) = (x - i as f32, y - j as f32);
        let pixel = |i: usize, j: usize| picture[j.min(size - 1) * size + i.min(size - 1)];
        let upper = pixel(i, j) * (1.0 - u) + pixel(i + 1, j) * u;
        let lower = pixel(i, j + 1) * (1.0 - u) + pixel(i + 1, j + 1) * u;
        upper * (1.0 - v) + lower * v
    };
    (0..size * size)
        .map(|index| {
            let (x, y) = ((index % size) as f32, (index / size) as f32);
            taps.iter().map(|(t, weight)| weight * at(x + t * dx, y + t * dy)).sum::<f32>() / total
        })
        .collect()
}

/// xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + self.unit() * (high - low)
    }
}
