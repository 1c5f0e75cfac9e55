//! rqrr, the guarded second opinion.
//!
//! It panics on some ordinary pictures and never ends on some thresholded ones
//! (facts/qr-decoding.md sections 5 and 9). So it sees the plain grey picture only,
//! bounded in size, on a thread of its own, and its answer is taken if it comes in
//! time.

use std::sync::Arc;
use std::time::Instant;

use rqrr::PreparedImage;
use secondlook::Grey;
use zeroize::Zeroizing;

use crate::code::FoundCode;
use crate::guard;

/// The most pixels that it is shown.
pub(crate) const MOST_PIXELS: usize = 4_000_000;

/// What rqrr reads before `until`; nothing when it panics or takes longer.
pub(crate) fn ask(grey: &Arc<Grey>, until: Instant) -> Vec<FoundCode> {
    if grey.area() > MOST_PIXELS || grey.area() == 0 {
        return vec![];
    }
    let grey = Arc::clone(grey);
    let (codes, _ending) = guard::run("qr-second-opinion", until, move |reporter| {
        let pixels = grey.pixels();
        let width = grey.width();
        let mut picture = PreparedImage::prepare_from_greyscale(width, grey.height(), |x, y| {
            pixels[y * width + x]
        });
        for grid in picture.detect_grids() {
            // A text that is not UTF-8 is an error here, and no Key URI either.
            if let Ok((_, text)) = grid.decode() {
                // Pixels of a picture this small are exact in 32-bit floats.
                #[allow(clippy::cast_precision_loss)]
                let corners = grid.bounds.map(|point| (point.x as f32, point.y as f32));
                reporter.tell(FoundCode::new(Zeroizing::new(text), corners));
            }
        }
    });
    codes
}
