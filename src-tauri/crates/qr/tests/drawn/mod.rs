//! Draws the pictures of the tests.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};

/// A canvas of one grey.
pub(crate) fn canvas(width: u32, height: u32, grey: u8) -> GrayImage {
    GrayImage::from_pixel(width, height, Luma([grey]))
}

/// Draws a code with its top left module at `at`, `scale` pixels a module.
pub(crate) fn draw(
    picture: &mut GrayImage,
    text: &str,
    at: (u32, u32),
    scale: u32,
    dark: u8,
    light: u8,
) {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("the text fits");
    let side = u32::try_from(code.width()).expect("177 at most");
    let colours = code.to_colors();
    let quiet = 4;
    for y in 0..side + 2 * quiet {
        for x in 0..side + 2 * quiet {
            let inside = x >= quiet && y >= quiet && x < side + quiet && y < side + quiet;
            let dark_module = inside && {
                let index = (y - quiet) * side + (x - quiet);
                colours[index as usize] == Color::Dark
            };
            let grey = if dark_module { dark } else { light };
            for dy in 0..scale {
                for dx in 0..scale {
                    let px = (at.0 + x * scale + dx).wrapping_sub(quiet * scale);
                    let py = (at.1 + y * scale + dy).wrapping_sub(quiet * scale);
                    if px < picture.width() && py < picture.height() {
                        picture.put_pixel(px, py, Luma([grey]));
                    }
                }
            }
        }
    }
}

/// The picture as a file.
pub(crate) fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).expect("a picture in memory can be written");
    bytes.into_inner()
}
