//! Pictures of our own: what is read, and what is refused and why.

mod drawn;

use drawn::{canvas, draw, file};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GrayImage, ImageFormat, Luma, LumaA, RgbaImage};
use qr::{Effort, PictureError, Reading};

const WORK: &str =
    "otpauth://totp/Contoso%3Aadele%40contoso.com?secret=2xeqptt4hp5mlavl&issuer=Microsoft";
const PERSONAL: &str =
    "otpauth://totp/Microsoft:user@outlook.com?secret=5C7IQEXEN7NAAIYK&issuer=Microsoft";

fn read(bytes: &[u8]) -> Reading {
    qr::read(bytes, Effort::default()).expect("a picture")
}

fn check(bytes: &[u8], texts: &[&str]) {
    let reading = read(bytes);
    let read: Vec<_> = reading.codes.iter().map(qr::FoundCode::text).collect();
    assert_eq!(read, texts);
    assert_eq!(reading.unread, 0);
}

fn one_code(dark: u8, light: u8) -> GrayImage {
    let mut picture = canvas(400, 300, light);
    draw(&mut picture, WORK, (100, 60), 4, dark, light);
    picture
}

#[test]
fn every_format_is_read_whatever_the_name_says() {
    let picture = DynamicImage::from(one_code(0, 255)).to_rgb8();
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::WebP,
        ImageFormat::Tiff,
    ] {
        check(&file(picture.clone(), format), &[WORK]);
    }
}

#[test]
fn corners_are_those_of_the_code() {
    let reading = read(&file(one_code(0, 255), ImageFormat::Png));
    assert_eq!((reading.width, reading.height), (400, 300));
    let corners = reading.codes[0].corners;
    let side = corners[1].0 - corners[0].0;
    for ((x, y), (expected_x, expected_y)) in corners.into_iter().zip([
        (100.0, 60.0),
        (100.0 + side, 60.0),
        (100.0 + side, 60.0 + side),
        (100.0, 60.0 + side),
    ]) {
        assert!((x - expected_x).abs() < 3.0 && (y - expected_y).abs() < 3.0, "{corners:?}");
    }
}

#[test]
fn all_codes_of_a_picture_in_reading_order() {
    let mut picture = canvas(900, 700, 255);
    draw(&mut picture, PERSONAL, (500, 50), 4, 0, 255);
    draw(&mut picture, WORK, (60, 60), 4, 0, 255);
    draw(&mut picture, WORK, (60, 420), 4, 0, 255);
    check(&file(picture, ImageFormat::Png), &[WORK, PERSONAL, WORK]);
}

#[test]
fn a_light_code_beside_a_dark_one_is_not_missed() {
    let mut picture = canvas(900, 400, 255);
    draw(&mut picture, PERSONAL, (60, 60), 4, 0, 255);
    for x in 450..900 {
        for y in 0..400 {
            picture.put_pixel(x, y, Luma([20]));
        }
    }
    draw(&mut picture, WORK, (550, 60), 4, 235, 20);
    check(&file(picture, ImageFormat::Png), &[PERSONAL, WORK]);
}

#[test]
fn inverted_faint_and_edge_to_edge_codes() {
    check(&file(one_code(230, 30), ImageFormat::Png), &[WORK]);
    check(&file(one_code(118, 140), ImageFormat::Png), &[WORK]);
    let side = 4 * u32::try_from(
        qrcode::QrCode::with_error_correction_level(WORK, qrcode::EcLevel::M)
            .expect("the text fits")
            .width(),
    )
    .expect("177 at most");
    let mut picture = canvas(side, side, 255);
    draw(&mut picture, WORK, (0, 0), 4, 0, 255);
    check(&file(picture, ImageFormat::Png), &[WORK]);
}

#[test]
fn transparent_grounds_are_laid_over_white_and_over_black() {
    let drawn = one_code(0, 255);
    // Black modules, everything else transparent black.
    let black =
        image::GrayAlphaImage::from_fn(400, 300, |x, y| LumaA([0, 255 - drawn.get_pixel(x, y)[0]]));
    check(&file(black, ImageFormat::Png), &[WORK]);
    // White modules on a transparent ground, as a dark page has them.
    let white = image::GrayAlphaImage::from_fn(400, 300, |x, y| {
        LumaA([255, 255 - drawn.get_pixel(x, y)[0]])
    });
    check(&file(white, ImageFormat::Png), &[WORK]);
}

/// TIFF files put one behind the other as the pages of one, by their directories.
fn bound(pages: &[Vec<u8>]) -> Vec<u8> {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().expect("4 bytes"));
    let mut file = Vec::new();
    let mut link = 4;
    for page in pages {
        // Offsets count from the beginning of the file, so each page is moved on.
        let moved = u32::try_from(file.len()).expect("a small file");
        let mut page = page.clone();
        let directory = number(&page[4..]) as usize;
        let entries = usize::from(u16::from_le_bytes([page[directory], page[directory + 1]]));
        for entry in (0..entries).map(|index| directory + 2 + 12 * index) {
            let tag = u16::from_le_bytes([page[entry], page[entry + 1]]);
            let size = match u16::from_le_bytes([page[entry + 2], page[entry + 3]]) {
                3 => 2,
                4 => 4,
                5 => 8,
                _ => 1,
            };
            let outside = size * number(&page[entry + 4..]) > 4;
            let strips = tag == 273;
            let value = number(&page[entry + 8..]);
            if outside || strips {
                page[entry + 8..entry + 12].copy_from_slice(&(value + moved).to_le_bytes());
            }
            if outside && strips {
                let (first, count) = (value as usize, number(&page[entry + 4..]) as usize);
                for at in (0..count).map(|index| first + 4 * index) {
                    let strip = number(&page[at..]) + moved;
                    page[at..at + 4].copy_from_slice(&strip.to_le_bytes());
                }
            }
        }
        file.extend_from_slice(&page);
        let begin = moved + u32::try_from(directory).expect("a small file");
        file[link..link + 4].copy_from_slice(&begin.to_le_bytes());
        link = begin as usize + 2 + 12 * entries;
    }
    file
}

#[test]
fn a_code_on_a_later_page() {
    let empty = file(canvas(300, 200, 255), ImageFormat::Tiff);
    let code = file(one_code(0, 255), ImageFormat::Tiff);
    check(&bound(&[empty.clone(), empty.clone(), code.clone()]), &[WORK]);
    // A page that is cut off does not cost those before it.
    let mut cut = bound(&[code.clone(), code.clone()]);
    cut.truncate(cut.len() - 5);
    check(&cut, &[WORK]);
    // A chain that bites its tail ends.
    let mut round = code;
    let directory = u32::from_le_bytes(round[4..8].try_into().expect("4 bytes"));
    let entries = u16::from_le_bytes(
        round[directory as usize..directory as usize + 2].try_into().expect("2 bytes"),
    );
    let link = directory as usize + 2 + 12 * usize::from(entries);
    round[link..link + 4].copy_from_slice(&directory.to_le_bytes());
    let damaged = PictureError::Damaged { format: "TIFF" };
    assert_eq!(qr::read(&round, Effort::default()).err(), Some(damaged));
}

#[test]
fn a_code_in_a_later_frame() {
    let frame = |picture: GrayImage| Frame::new(DynamicImage::from(picture).to_rgba8());
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.encode_frame(frame(canvas(400, 300, 255))).expect("frame");
    encoder.encode_frame(frame(one_code(0, 255))).expect("frame");
    drop(encoder);
    check(&bytes, &[WORK]);
}

#[test]
fn large_pictures_are_read_and_measured_in_their_own_pixels() {
    let mut picture = canvas(5000, 4400, 255);
    draw(&mut picture, WORK, (4000, 3000), 6, 0, 255);
    let reading = read(&file(picture, ImageFormat::Png));
    assert_eq!(reading.codes.len(), 1);
    let (x, y) = reading.codes[0].corners[0];
    assert!((x - 4000.0).abs() < 4.0 && (y - 3000.0).abs() < 4.0);
}

#[test]
fn pictures_without_a_code_are_no_error() {
    for (width, height) in [(1, 1), (20, 500), (300, 200)] {
        let reading = read(&file(canvas(width, height, 255), ImageFormat::Png));
        assert!(reading.codes.is_empty());
        assert_eq!((reading.width, reading.height), (width, height));
    }
}

#[test]
fn a_damaged_code_is_counted_as_unread() {
    let mut picture = one_code(0, 255);
    // Stripes through the data, finder patterns left alone.
    for x in 100..264 {
        for y in 100..188 {
            if (x + y) % 9 < 5 {
                let pixel = picture.get_pixel_mut(x, y);
                pixel[0] = 255 - pixel[0];
            }
        }
    }
    let reading = read(&file(picture, ImageFormat::Png));
    assert!(reading.codes.is_empty());
    assert_eq!(reading.unread, 1);
}

fn refused(bytes: &[u8]) -> PictureError {
    qr::read(bytes, Effort::default()).expect_err("not a picture that can be opened")
}

#[test]
fn what_is_no_picture_is_named() {
    assert_eq!(refused(b""), PictureError::Empty);
    assert_eq!(refused(b"<!doctype html><title>sign in</title>"), PictureError::NotAPicture);
    assert_eq!(refused(WORK.as_bytes()), PictureError::NotAPicture);
    assert_eq!(refused(b"\x89PNG\r\n\x1a\n"), PictureError::Damaged { format: "PNG" });
    assert_eq!(refused(b"GIF89a"), PictureError::Damaged { format: "GIF" });
    assert_eq!(refused(b"BM"), PictureError::Damaged { format: "BMP" });
    assert_eq!(refused(b"\xff\xd8\xff\xe0"), PictureError::Damaged { format: "JPEG" });
    assert_eq!(refused(b"RIFF\x10\0\0\0WEBPVP8 "), PictureError::Damaged { format: "WebP" });
}

#[test]
fn files_cut_anywhere_never_panic() {
    let picture = DynamicImage::from(one_code(0, 255)).to_rgb8();
    for format in
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif]
    {
        let whole = file(picture.clone(), format);
        for part in 1..8 {
            let cut = &whole[..whole.len() * part / 8];
            // A truncated JPEG or BMP may open with a grey rest; nothing wrong is read.
            if let Ok(reading) = qr::read(cut, Effort::default()) {
                assert!(reading.codes.iter().all(|code| code.text() == WORK));
            }
        }
    }
}

/// A PNG of a few hundred kilobytes that unpacks to gigabytes, made by hand: the
/// header says the size, the data is one long run of zeros.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = file(canvas(8, 8, 0), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The checksum of PNG chunks (ISO/IEC 15948 annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    for &byte in bytes {
        register ^= u32::from(byte);
        for _ in 0..8 {
            register = (register >> 1) ^ if register & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !register
}

#[test]
fn bombs_are_refused_before_their_pixels() {
    for (width, height) in [(30_000, 30_000), (60_000, 60_000), (1 << 31, 1 << 31), (100_001, 1000)]
    {
        assert_eq!(refused(&bomb(width, height)), PictureError::TooLarge { width, height });
    }
    // The header is believed only as far as the data goes.
    let started = std::time::Instant::now();
    assert_eq!(refused(&bomb(9_000, 9_000)), PictureError::Damaged { format: "PNG" });
    assert!(started.elapsed() < std::time::Duration::from_secs(5));

    // BMP and GIF say their size in the header too.
    let mut bmp = file(canvas(8, 8, 0), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    assert_eq!(refused(&bmp), PictureError::TooLarge { width: 60_000, height: 60_000 });
    let mut gif = file(DynamicImage::from(canvas(8, 8, 0)).to_rgba8(), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(refused(&gif), PictureError::TooLarge { width: 65_535, height: 65_535 });
}

#[test]
fn sixteen_bit_and_palette_pictures() {
    let sixteen = DynamicImage::from(one_code(0, 255)).to_rgba16();
    check(&file(sixteen, ImageFormat::Png), &[WORK]);
    let palette: RgbaImage = DynamicImage::from(one_code(0, 255)).to_rgba8();
    check(&file(palette, ImageFormat::Gif), &[WORK]);
}

#[test]
fn debug_of_a_reading_shows_no_text() {
    let shown = format!("{:?}", read(&file(one_code(0, 255), ImageFormat::Png)));
    assert!(!shown.contains("otpauth") && !shown.contains("2xeq"), "{shown}");
}
