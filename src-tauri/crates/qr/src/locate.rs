//! The main reader: rxing's port of the zxing-cpp detector, step by step.
//!
//! Its `QrReader` reads best of the pure Rust readers (facts/qr-decoding.md, section
//! one) and stays silent about codes that it located and could not decode. The steps
//! behind it are public, so they are called here one by one: the same codes, and the
//! places that are worth a second look.

use rxing::common::{DetectorRXingResult, GlobalHistogramBinarizer, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{BarcodeFormat, Binarizer, Luma8Source, Point, RXingResult};
use secondlook::Grey;
use zeroize::Zeroizing;

use crate::code::{Corners, FoundCode, diameter};

/// How grey becomes black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// By the mean of the blocks around: for uneven light.
    LocalAverage,
    /// One threshold from the histogram of the whole picture: for flat pictures.
    GlobalHistogram,
}

/// What one look at a picture gave.
#[derive(Default)]
pub(crate) struct Look {
    /// Codes that were read.
    pub(crate) codes: Vec<FoundCode>,
    /// Where three finder patterns make a code that was not read.
    pub(crate) unread: Vec<Corners>,
}

/// A version 1 code has 21 modules; a picture with fewer pixels holds none.
const LEAST_SIDE: usize = 21;

/// Below this diagonal in pixels three finder patterns are more often noise than code.
const LEAST_UNREAD_DIAGONAL: f32 = 40.0;

/// Reads every code of a picture. May panic on pictures that rxing did not foresee.
pub(crate) fn locate(grey: &Grey, threshold: Threshold) -> Look {
    if grey.width() < LEAST_SIDE || grey.height() < LEAST_SIDE {
        return Look::default();
    }
    let (Ok(width), Ok(height)) = (u32::try_from(grey.width()), u32::try_from(grey.height()))
    else {
        return Look::default();
    };
    let Ok(source) = Luma8Source::new_with_slice(grey.pixels(), width, height) else {
        return Look::default();
    };
    match threshold {
        Threshold::LocalAverage => locate_in(&HybridBinarizer::new(source)),
        Threshold::GlobalHistogram => locate_in(&GlobalHistogramBinarizer::new(source)),
    }
}

fn locate_in(binarizer: &impl Binarizer) -> Look {
    let Ok(matrix) = binarizer.get_black_matrix() else {
        return Look::default();
    };
    let mut patterns = FindFinderPatterns(matrix, true, 0);
    let sets = GenerateFinderPatternSets(&mut patterns);

    // Sets come by falling plausibility. A pattern belongs to one code, so a set that
    // shares one with a code that was read is a false combination.
    let mut used: Vec<Point> = Vec::new();
    let mut failed = Vec::new();
    let mut look = Look::default();
    for set in sets {
        let points = [set.tl.p, set.tr.p, set.bl.p];
        if points.iter().any(|point| used.contains(point)) {
            continue;
        }
        let Ok(sampled) = SampleQR(matrix, &set) else {
            continue;
        };
        let Some(corners) = corners_of(sampled.getPoints(), points) else {
            continue;
        };
        match Decode(sampled.getBits()) {
            Ok(decoded) if decoded.isValid() => {
                used.extend(points);
                let result = RXingResult::with_decoder_result(decoded, &[], BarcodeFormat::QR_CODE);
                let text = Zeroizing::new(result.getText().to_owned());
                look.codes.push(FoundCode::new(text, corners));
            }
            Ok(_) | Err(_) => failed.push((points, corners)),
        }
    }
    for (points, corners) in failed {
        let free = !points.iter().any(|point| used.contains(point));
        if free && diameter(&corners) >= LEAST_UNREAD_DIAGONAL {
            used.extend(points);
            look.unread.push(corners);
        }
    }
    look
}

/// The corners in our order: rxing gives them in an order that depends on how it came
/// by them, so each finder pattern takes the corner next to it.
fn corners_of(points: &[Point], [tl, tr, bl]: [Point; 3]) -> Option<Corners> {
    let mut left: Vec<Point> = points.to_vec();
    if left.len() != 4 {
        return None;
    }
    let mut nearest = |pattern: Point| {
        let distance = |index: &usize| Point::distance(left[*index], pattern);
        let index = (0..left.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let point = left.swap_remove(index);
        Some((point.x, point.y))
    };
    let (tl, tr, bl) = (nearest(tl)?, nearest(tr)?, nearest(bl)?);
    let br = left.pop()?;
    Some([tl, tr, (br.x, br.y), bl])
}
