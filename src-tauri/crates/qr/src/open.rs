//! Picture files to grey pictures, with the size known before the pixels.
//!
//! The hazards are those of facts/qr-decoding.md section 6: bombs that unpack to
//! gigabytes, codes in a later frame, black modules on a transparent ground, and
//! names that lie about the content.

use std::io::Cursor;

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits};
use secondlook::Grey;
use zeroize::{Zeroize, Zeroizing};

use crate::PictureError;

/// The most pixels that are unpacked.
const MOST_PIXELS: u64 = 100_000_000;
/// The most memory that unpacking may take, in bytes.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;
/// The most frames of an animation that are looked at.
const MOST_FRAMES: usize = 100;
/// How far into a file the marks of PDF and SVG are looked for, in bytes.
const SNIFFED: usize = 1024;

/// What comes out of a file, in this order.
pub(crate) enum Layer {
    /// Width and height of the picture, once.
    Size(u32, u32),
    /// One frame, or one of the two grounds of a transparent frame.
    Grey(Grey),
}

/// Tells the format from the first bytes.
pub(crate) fn recognise(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Png
            | ImageFormat::Jpeg
            | ImageFormat::WebP
            | ImageFormat::Gif
            | ImageFormat::Bmp
            | ImageFormat::Tiff),
        ) => return Ok(format),
        Ok(ImageFormat::Ico) => return Err(PictureError::Unsupported { format: "ICO" }),
        Ok(ImageFormat::Avif) => return Err(PictureError::Unsupported { format: "AVIF" }),
        // A format that this list does not know is told below, or is no picture.
        Ok(_) | Err(_) => {}
    }
    let start = &bytes[..bytes.len().min(SNIFFED)];
    if let Some(format) = iso_media(start) {
        return Err(PictureError::Unsupported { format });
    }
    let marks: [(&[u8], &'static str); 5] = [
        (b"%PDF-", "PDF"),
        (b"<svg", "SVG"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL ", "JPEG XL"),
        (b"8BPS", "PSD"),
    ];
    for (mark, format) in marks {
        let found = match format {
            // Both may stand behind other bytes: a prolog, a comment, junk.
            "PDF" | "SVG" => start.windows(mark.len()).any(|window| window == mark),
            _ => start.starts_with(mark),
        };
        // HTML pages carry drawings too; a page is no picture.
        if found && !looks_like_html(start) {
            return Err(PictureError::Unsupported { format });
        }
    }
    Err(PictureError::NotAPicture)
}

/// The name of a format that [`recognise`] returns.
pub(crate) fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        _ => "picture",
    }
}

/// Unpacks a picture, frame by frame, into `look`, which returns whether to go on.
pub(crate) fn open(
    bytes: &[u8],
    format: ImageFormat,
    look: &mut dyn FnMut(Layer) -> bool,
) -> Result<(), PictureError> {
    let opening = Opening { bytes, format };
    opening.check_png_header()?;
    match format {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(opening.cursor()).map_err(|e| opening.failed(&e))?;
            opening.admit(&mut decoder, look)?;
            opening.frames(decoder.into_frames(), look)
        }
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(opening.cursor()).map_err(|e| opening.failed(&e))?;
            opening.admit(&mut decoder, look)?;
            if decoder.has_animation() {
                opening.frames(decoder.into_frames(), look)
            } else {
                opening.still(decoder, look)
            }
        }
        ImageFormat::Png => {
            let mut decoder = PngDecoder::with_limits(opening.cursor(), limits())
                .map_err(|error| opening.failed(&error))?;
            opening.admit(&mut decoder, look)?;
            if decoder.is_apng().unwrap_or(false) {
                let frames = decoder.apng().map_err(|error| opening.failed(&error))?;
                opening.frames(frames.into_frames(), look)
            } else {
                opening.still(decoder, look)
            }
        }
        ImageFormat::Tiff => opening.pages(look),
        _ => opening.one(look).map(drop),
    }
}

/// One file that is being opened.
#[derive(Clone, Copy)]
struct Opening<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
}

impl<'a> Opening<'a> {
    fn cursor(self) -> Cursor<&'a [u8]> {
        Cursor::new(self.bytes)
    }

    /// The PNG decoder meets its limits before it tells the size; the header is asked
    /// first, so that the refusal can name it.
    fn check_png_header(self) -> Result<(), PictureError> {
        if self.format != ImageFormat::Png {
            return Ok(());
        }
        let number = |at: usize| -> Option<u32> {
            Some(u32::from_be_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
        };
        match (number(16), number(20)) {
            (Some(width), Some(height)) => allowed(width, height),
            _ => Err(self.damaged()),
        }
    }

    /// Checks size and memory, before any pixel is unpacked.
    fn admit(
        self,
        decoder: &mut impl ImageDecoder,
        look: &mut dyn FnMut(Layer) -> bool,
    ) -> Result<(), PictureError> {
        let (width, height) = decoder.dimensions();
        allowed(width, height)?;
        // Building a picture from a decoder asks no limit, so the limit is asked here.
        let mut limits = limits();
        if limits.reserve(decoder.total_bytes()).is_err() {
            return Err(PictureError::TooLarge { width, height });
        }
        decoder.set_limits(limits).map_err(|error| self.failed(&error))?;
        look(Layer::Size(width, height));
        Ok(())
    }

    fn still(
        self,
        decoder: impl ImageDecoder,
        look: &mut dyn FnMut(Layer) -> bool,
    ) -> Result<(), PictureError> {
        let picture = DynamicImage::from_decoder(decoder).map_err(|error| self.failed(&error))?;
        self.grounds(picture, look)?;
        Ok(())
    }

    /// The one picture of a file; returns whether to go on.
    fn one(self, look: &mut dyn FnMut(Layer) -> bool) -> Result<bool, PictureError> {
        let mut reader = image::ImageReader::with_format(self.cursor(), self.format);
        reader.limits(limits());
        let mut decoder = reader.into_decoder().map_err(|error| self.failed(&error))?;
        self.admit(&mut decoder, look)?;
        let picture = DynamicImage::from_decoder(decoder).map_err(|error| self.failed(&error))?;
        self.grounds(picture, look)
    }

    /// The pages of a TIFF file up to the first that is damaged; only a damaged first
    /// one is an error. The decoder knows one page, that to which the header leads.
    fn pages(self, look: &mut dyn FnMut(Layer) -> bool) -> Result<(), PictureError> {
        let more = self.one(look)?;
        let pages = later_pages(self.bytes);
        if !more || pages.is_empty() {
            return Ok(());
        }
        let mut led_on = Zeroizing::new(self.bytes.to_vec());
        for offset in pages {
            led_on[4..8].copy_from_slice(&offset);
            let page = Opening { bytes: &led_on, format: self.format };
            // The picture is as large as its first page; corners on others are theirs.
            let mut grey = |layer| match layer {
                Layer::Size(..) => true,
                Layer::Grey(_) => look(layer),
            };
            if !matches!(page.one(&mut grey), Ok(true)) {
                break;
            }
        }
        Ok(())
    }

    /// Frames up to the first that is damaged; only a damaged first one is an error.
    fn frames(
        self,
        frames: image::Frames<'_>,
        look: &mut dyn FnMut(Layer) -> bool,
    ) -> Result<(), PictureError> {
        for (number, frame) in frames.take(MOST_FRAMES).enumerate() {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) if number == 0 => return Err(self.failed(&error)),
                Err(_) => break,
            };
            if !self.grounds(DynamicImage::ImageRgba8(frame.into_buffer()), look)? {
                break;
            }
        }
        Ok(())
    }

    /// A picture in grey; a transparent one over white and then over black.
    fn grounds(
        self,
        mut picture: DynamicImage,
        look: &mut dyn FnMut(Layer) -> bool,
    ) -> Result<bool, PictureError> {
        let (width, height) = (picture.width(), picture.height());
        let show = |pixels: Vec<u8>, look: &mut dyn FnMut(Layer) -> bool| {
            let grey = Grey::new(width, height, Zeroizing::new(pixels));
            grey.map(|grey| look(Layer::Grey(grey))).ok_or(self.damaged())
        };
        if !picture.color().has_alpha() {
            let grey = picture.to_luma8().into_raw();
            wipe(&mut picture);
            return show(grey, look);
        }
        let pairs = Zeroizing::new(picture.to_luma_alpha8().into_raw());
        wipe(&mut picture);
        let opaque = pairs.chunks_exact(2).all(|pair| pair[1] == u8::MAX);
        let over = |ground: u32| -> Vec<u8> {
            pairs
                .chunks_exact(2)
                .map(|pair| {
                    let (grey, alpha) = (u32::from(pair[0]), u32::from(pair[1]));
                    let laid = (grey * alpha + ground * (255 - alpha) + 127) / 255;
                    u8::try_from(laid).unwrap_or(u8::MAX)
                })
                .collect()
        };
        if !show(over(255), look)? {
            return Ok(false);
        }
        if opaque { Ok(true) } else { show(over(0), look) }
    }

    /// What an error of the decoder means. Its text is dropped: it may quote the file.
    fn failed(self, error: &ImageError) -> PictureError {
        match error {
            ImageError::Unsupported(_) => PictureError::Unsupported { format: name(self.format) },
            ImageError::Limits(_)
            | ImageError::Decoding(_)
            | ImageError::Encoding(_)
            | ImageError::Parameter(_)
            | ImageError::IoError(_) => self.damaged(),
        }
    }

    fn damaged(self) -> PictureError {
        PictureError::Damaged { format: name(self.format) }
    }
}

fn allowed(width: u32, height: u32) -> Result<(), PictureError> {
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    Ok(())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

/// Overwrites the pixels that the decoder made.
fn wipe(picture: &mut DynamicImage) {
    match picture {
        DynamicImage::ImageLuma8(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageLumaA8(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgb8(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgba8(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageLuma16(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageLumaA16(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgb16(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgba16(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgb32F(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        DynamicImage::ImageRgba32F(buffer) => buffer.as_flat_samples_mut().samples.zeroize(),
        // No other kind is known to the decoders that are built in.
        _ => {}
    }
}

/// Where the second and each later page of a TIFF file begins, as the header would
/// write it (TIFF 6.0 section 2: each directory ends with the place of the next).
fn later_pages(bytes: &[u8]) -> Vec<[u8; 4]> {
    let little = bytes.starts_with(b"II");
    let word =
        |at: usize| -> Option<[u8; 4]> { bytes.get(at..at.checked_add(4)?)?.try_into().ok() };
    let place = |word: [u8; 4]| {
        let place = if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) };
        usize::try_from(place).ok().filter(|place| *place != 0)
    };
    let next = |directory: usize| {
        let count = bytes.get(directory..directory.checked_add(2)?)?.try_into().ok()?;
        let count = if little { u16::from_le_bytes(count) } else { u16::from_be_bytes(count) };
        word(directory.checked_add(2 + 12 * usize::from(count))?)
    };
    let mut pages = Vec::new();
    let mut directory = word(4).and_then(place);
    // A chain that bites its tail ends here too.
    while let Some(offset) = directory.and_then(next)
        && place(offset).is_some()
        && pages.len() < MOST_FRAMES
        && !pages.contains(&offset)
    {
        directory = place(offset);
        pages.push(offset);
    }
    pages
}

/// HEIC and AVIF: an ISO base media file whose brand names the codec.
fn iso_media(start: &[u8]) -> Option<&'static str> {
    if start.get(4..8)? != b"ftyp" {
        return None;
    }
    match start.get(8..12)? {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
            Some("HEIC")
        }
        _ => Some("video"),
    }
}

fn looks_like_html(start: &[u8]) -> bool {
    let lower = start.to_ascii_lowercase();
    [&b"<html"[..], b"<!doctype html"]
        .iter()
        .any(|mark| lower.windows(mark.len()).any(|window| window == *mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_from_the_content() {
        for (bytes, expected) in [
            (&b""[..], PictureError::Empty),
            (b"hello, this is text", PictureError::NotAPicture),
            (b"<!DOCTYPE html><html><svg></svg></html>", PictureError::NotAPicture),
            (b"\0\0\0\x18ftypheic\0\0\0\0", PictureError::Unsupported { format: "HEIC" }),
            (b"\0\0\0\x18ftypmif1\0\0\0\0", PictureError::Unsupported { format: "HEIC" }),
            (b"\0\0\0\x18ftypavif\0\0\0\0", PictureError::Unsupported { format: "AVIF" }),
            (b"%PDF-1.7\n", PictureError::Unsupported { format: "PDF" }),
            (b"<?xml version='1.0'?>\n<svg/>", PictureError::Unsupported { format: "SVG" }),
        ] {
            assert_eq!(recognise(bytes), Err(expected));
        }
        assert_eq!(recognise(b"\x89PNG\r\n\x1a\n"), Ok(ImageFormat::Png));
        assert_eq!(recognise(b"II*\0\x08\0\0\0"), Ok(ImageFormat::Tiff));
        assert_eq!(recognise(b"MM\0*\0\0\0\x08"), Ok(ImageFormat::Tiff));
    }
}
