//! What is on the clipboard. It is read here, so that neither the picture nor a
//! text with a secret passes through the page, and it is left as it is.

use std::io::Cursor;

use arboard::{Clipboard, Error};
use desk::Problem;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use zeroize::{Zeroize, Zeroizing};

/// What can be read from it.
pub(crate) enum Content {
    /// A picture, as PNG.
    Picture(Zeroizing<Vec<u8>>),
    /// A text.
    Text(Zeroizing<String>),
}

/// The picture, or else the text.
pub(crate) fn content() -> Result<Content, Problem> {
    let mut clipboard = Clipboard::new().map_err(|error| problem(&error))?;
    match clipboard.get_image() {
        Ok(picture) => {
            let (width, height) = (picture.width, picture.height);
            let mut pixels = picture.bytes.into_owned();
            let png = png(&pixels, width, height);
            pixels.zeroize();
            png.map(Content::Picture).ok_or_else(empty)
        }
        Err(Error::ContentNotAvailable) => match clipboard.get_text() {
            Ok(text) => Ok(Content::Text(Zeroizing::new(text))),
            Err(error) => Err(problem(&error)),
        },
        Err(error) => Err(problem(&error)),
    }
}

/// The pixels as a picture file, which is what the desk reads; stored rather than
/// compressed, because it lives for a moment only.
fn png(pixels: &[u8], width: usize, height: usize) -> Option<Zeroizing<Vec<u8>>> {
    // The encoder takes it for granted that the sizes agree.
    if width.checked_mul(height)?.checked_mul(4)? != pixels.len() {
        return None;
    }
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut file = Zeroizing::new(Vec::with_capacity(pixels.len() + pixels.len() / 8 + 1024));
    PngEncoder::new_with_quality(
        Cursor::new(&mut *file),
        CompressionType::Fast,
        FilterType::NoFilter,
    )
    .write_image(pixels, width, height, ExtendedColorType::Rgba8)
    .ok()?;
    Some(file)
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::ContentNotAvailable => empty(),
        // Held by another program, no clipboard here, or a form that is not understood.
        _ => Problem::new("clipboard-unreadable", []),
    }
}

fn empty() -> Problem {
    Problem::new("clipboard-empty", [])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_a_picture_file() {
        let pixels = [0, 0, 0, 255, 255, 255, 255, 255];
        let file = png(&pixels, 2, 1).expect("two pixels");
        let read = image::load_from_memory(&file).expect("a picture");
        assert_eq!(read.to_rgba8().as_raw().as_slice(), pixels);
        assert!(png(&pixels, 3, 1).is_none(), "the sizes do not agree");
    }
}
