//! No picture makes the second look panic, hang or read what is not there.
//!
//! Pictures of symbols are spoiled at random: cut, blotted, shuffled, repeated, filled
//! with noise, squeezed to a few pixels. The seeds are fixed, so that a picture that
//! breaks something can be drawn again.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels are small numbers"
)]

mod scene;

use std::time::{Duration, Instant};

use scene::{Random, Scene};
use secondlook::Grey;
use zeroize::Zeroizing;

/// What the search takes beyond its time: one step of a fit, on a slow machine.
const SLACK: Duration = Duration::from_secs(3);

fn check(width: usize, height: usize, pixels: Vec<u8>, text: Option<&str>) {
    let width = u32::try_from(width).expect("small");
    let height = u32::try_from(height).expect("small");
    let grey = Grey::new(width, height, Zeroizing::new(pixels)).expect("sizes agree");
    let started = Instant::now();
    let budget = Duration::from_millis(120);
    secondlook::read(&grey, &[], started + budget, &mut |symbol| {
        assert_eq!(Some(symbol.text.as_str()), text, "a false read");
    });
    assert!(started.elapsed() < budget + SLACK);
    let _ = secondlook::located(&grey, &[]);
}

#[test]
fn spoiled_symbols() {
    let scene = Scene { module: 4.0, turn: 7.0, noise: 3.0, ..Scene::default() };
    let (width, height, pixels) = scene.pixels();
    let mut random = Random(0xf00d);
    let mut below = |bound: usize| (random.unit() * bound as f32) as usize % bound.max(1);
    for round in 0..60 {
        let mut spoiled = pixels.clone();
        match round % 5 {
            // Blots of any grey.
            0 => {
                for _ in 0..=below(12) {
                    let (x, y, side, grey) =
                        (below(width), below(height), 8 + below(60), below(256));
                    for row in y..(y + side).min(height) {
                        let end = (x + side).min(width);
                        spoiled[row * width + x..row * width + end].fill(grey as u8);
                    }
                }
            }
            // Single pixels.
            1 => {
                for _ in 0..below(spoiled.len()) {
                    let at = below(spoiled.len());
                    spoiled[at] = below(256) as u8;
                }
            }
            // Rows that come from elsewhere.
            2 => {
                for _ in 0..below(height) {
                    let (from, to) = (below(height), below(height));
                    spoiled.copy_within(from * width..(from + 1) * width, to * width);
                }
            }
            // Another width: every row leans further.
            3 => {
                let narrow = width - 1 - below(3);
                spoiled.truncate(narrow * height);
                check(narrow, height, spoiled, Some(&scene.text));
                continue;
            }
            // Few grey levels.
            _ => {
                let step = 40 + below(200);
                for pixel in &mut spoiled {
                    *pixel = (usize::from(*pixel) / step * step) as u8;
                }
            }
        }
        check(width, height, spoiled, Some(&scene.text));
    }
}

#[test]
fn pictures_that_are_no_pictures() {
    let mut random = Random(0xbeef);
    for (width, height) in [(0, 0), (1, 1), (20, 20), (1, 500), (500, 1), (21, 300), (160, 120)] {
        let noise = (0..width * height).map(|_| (random.unit() * 256.0) as u8).collect();
        check(width, height, noise, None);
        let stripes = (0..width * height).map(|i| if i / 3 % 2 == 0 { 20 } else { 230 }).collect();
        check(width, height, stripes, None);
        check(width, height, vec![255; width * height], None);
    }
}

#[test]
fn real_finder_patterns_around_noise() {
    let scene = Scene { module: 4.0, ..Scene::default() };
    let (width, height, mut pixels) = scene.pixels();
    let mut random = Random(0xabcd);
    // All but the corners is noise of module size.
    let cells: Vec<u8> =
        (0..width * height).map(|_| (random.unit() * 2.0) as u8 * 200 + 20).collect();
    let (low, high) = (width * 2 / 5, width * 3 / 5);
    for y in 0..height {
        for x in 0..width {
            if (low..high).contains(&x) || (low..high).contains(&y) {
                pixels[y * width + x] = cells[y / 4 * width + x / 4];
            }
        }
    }
    check(width, height, pixels, None);
}
