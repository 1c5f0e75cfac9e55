//! What the second look reads alone, cause by cause, on pictures of our own.
//!
//! The floors are what was measured less a little, so that a change that loses a cause
//! is seen; each scene comes from its seed.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels are small numbers"
)]

mod scene;

use std::time::{Duration, Instant};

use qrcode::EcLevel;
use scene::{Random, Scene};

/// Scenes of each cause.
const SCENES: usize = 6;

/// Draws `SCENES` scenes; at least `floor` have to be read, and nothing else.
fn check(cause: &str, floor: usize, make: fn(&mut Random, Scene) -> Scene) {
    let mut random = Random(0x5eed_0bad_cafe);
    let mut read = 0;
    for _ in 0..SCENES {
        let base = Scene {
            turn: random.between(-25.0, 25.0),
            tilt: random.between(0.0, 0.25),
            noise: random.between(1.0, 4.0),
            module: random.between(4.0, 6.5),
            seed: (random.unit() * 1e6) as u64,
            ..Scene::default()
        };
        let scene = make(&mut random, base);
        let mut texts = vec![];
        // Generous, so that a slow machine reads what a fast one does.
        let until = Instant::now() + Duration::from_secs(20);
        secondlook::read(&scene.drawn(), &[], until, &mut |symbol| texts.push(symbol.text));
        assert!(texts.iter().all(|text| text.as_str() == scene.text), "{cause}: a false read");
        read += usize::from(!texts.is_empty());
    }
    assert!(read >= floor, "{cause}: {read} of {SCENES}");
}

#[test]
fn nothing_wrong() {
    check("plain", SCENES, |_, base| base);
}

#[test]
fn out_of_focus_and_in_motion() {
    check("blur", SCENES, |random, base| Scene { blur: random.between(0.45, 0.6), ..base });
    check("motion", SCENES - 1, |random, base| Scene {
        motion: (random.between(1.0, 1.6), random.between(0.0, 180.0)),
        blur: 0.2,
        ..base
    });
}

#[test]
fn little_more_than_a_pixel_a_module() {
    check("tiny", SCENES - 1, |random, base| Scene {
        module: random.between(1.3, 1.6),
        turn: 0.0,
        tilt: 0.0,
        noise: 2.0,
        surround: 235.0,
        ..base
    });
}

#[test]
fn faint_and_shaded() {
    check("faint", SCENES - 1, |random, base| {
        let dark = random.between(60.0, 180.0);
        Scene { dark, light: dark + random.between(4.0, 8.0), noise: 1.0, ..base }
    });
    check("shade", SCENES, |_, base| Scene { shade: 0.9, ..base });
}

#[test]
fn light_on_dark_in_a_mirror_and_edge_to_edge() {
    check("mirrored", SCENES - 1, |_, base| Scene {
        mirrored: true,
        dark: 230.0,
        light: 30.0,
        surround: 20.0,
        ..base
    });
    check("dark edge", SCENES - 1, |_, base| Scene { quiet: 0.0, surround: 25.0, ..base });
}

#[test]
fn stains_and_covered_finder_patterns() {
    check("stain", SCENES, |random, base| Scene {
        stains: vec![(random.between(0.35, 0.65), random.between(0.35, 0.65), 0.14, 90.0)],
        ..base
    });
    check("finder", SCENES / 3, |random, base| {
        let corner = [(0.08, 0.08), (0.92, 0.08), (0.08, 0.92)];
        let (column, row) = corner[(random.unit() * 3.0) as usize % 3];
        Scene { level: EcLevel::Q, stains: vec![(column, row, 0.13, 90.0)], ..base }
    });
}

#[test]
fn crumpled_paper() {
    check("waves", SCENES - 1, |random, base| Scene {
        waves: (random.between(0.25, 0.45), random.between(18.0, 30.0)),
        tilt: 0.1,
        ..base
    });
}
