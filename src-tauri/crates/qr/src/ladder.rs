//! The order in which a picture is looked at: from cheap to dear.
//!
//! Steps 1, 2, 3 and part of 5 of facts/qr-decoding.md section 4. The first three
//! always run, so that a second code in the picture (lighter, larger, inverted) is
//! not missed because the first was easy. The others run while nothing was read or
//! while a code is known to be there unread, until the budget is spent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Report;
use crate::code::{Corners, FoundCode, join, overlap};
use crate::grey::Grey;
use crate::guard::Reporter;
use crate::locate::{Look, Threshold, locate};
use crate::second_opinion;

/// Larger pictures are halved after the first look.
const LARGE: usize = 20_000_000;
/// Up to here the inverse is looked at in full size, above in half size.
const INVERT_IN_FULL: usize = 9_000_000;
/// Up to here a white frame is tried.
const FRAME_UP_TO: usize = 2_500_000;
/// Up to here the picture is doubled.
const DOUBLE_UP_TO: usize = 1_300_000;

/// Looks at one picture or frame and reports what it holds.
pub(crate) fn climb(
    full: &Arc<Grey>,
    budget: Duration,
    until: Instant,
    reporter: &Reporter<Report>,
) {
    let mut sight = Sight { read: vec![], unread: vec![], reporter };

    sight.step(full, Threshold::LocalAverage, 0.0, 1.0);
    let (base, scale) = bounded(full, LARGE);
    let half = base.halved();
    let half_scale = scale * 2.0;
    if base.area() <= INVERT_IN_FULL {
        sight.step(&base.inverted(), Threshold::LocalAverage, 0.0, scale);
    } else {
        sight.step(&half.inverted(), Threshold::LocalAverage, 0.0, half_scale);
    }
    sight.step(&half, Threshold::GlobalHistogram, 0.0, half_scale);
    sight.step(&half, Threshold::LocalAverage, 0.0, half_scale);

    let spent = until.min(Instant::now() + budget);
    for variant in VARIANTS {
        if sight.satisfied() || Instant::now() >= spent {
            break;
        }
        if let Some(look) = variant(&base) {
            sight.step(&look.grey, look.threshold, look.shift, scale * look.scale);
        }
    }

    if sight.read.is_empty() {
        let (bounded, scale) = bounded(&base, second_opinion::MOST_PIXELS);
        let until = until.min(Instant::now() + budget);
        let codes = second_opinion::ask(&bounded, until);
        sight.take(Look { codes, unread: vec![] }, 0.0, scale);
    }
    let left = sight.left();
    if left > 0 {
        reporter.tell(Report::Unread(left));
    }
}

/// A changed picture, how to threshold it and how its pixels lie in the original:
/// first shifted, then scaled.
struct Variant {
    grey: Grey,
    threshold: Threshold,
    shift: f32,
    scale: f32,
}

impl Variant {
    fn same_size(grey: Grey, threshold: Threshold) -> Self {
        Self { grey, threshold, shift: 0.0, scale: 1.0 }
    }
}

/// Ordered by what they add for their time; `None` when a picture is too large for one.
const VARIANTS: [fn(&Grey) -> Option<Variant>; 5] = [
    // Uneven light that the 8-pixel blocks of the binarizer do not follow.
    |grey| {
        let radius = (grey.width().min(grey.height()) / 60).clamp(5, 30);
        Some(Variant::same_size(grey.thresholded(radius, 3), Threshold::GlobalHistogram))
    },
    // No quiet zone up to the edge of the picture.
    |grey| {
        (grey.area() <= FRAME_UP_TO).then(|| Variant {
            grey: grey.framed(24),
            threshold: Threshold::LocalAverage,
            shift: -24.0,
            scale: 1.0,
        })
    },
    // A dark surround that swallows the quiet zone.
    |grey| Some(Variant::same_size(grey.brightened(5), Threshold::LocalAverage)),
    // Few pixels a module.
    |grey| {
        (grey.area() <= DOUBLE_UP_TO).then(|| Variant {
            grey: grey.doubled(),
            threshold: Threshold::LocalAverage,
            shift: 0.0,
            scale: 0.5,
        })
    },
    // Low contrast.
    |grey| {
        let radius = (grey.width().min(grey.height()) / 40).clamp(8, 40);
        let soft = grey.blurred(1).thresholded(radius, 1);
        Some(Variant::same_size(soft, Threshold::GlobalHistogram))
    },
];

/// What is known of one picture so far.
struct Sight<'a> {
    read: Vec<Corners>,
    unread: Vec<Corners>,
    reporter: &'a Reporter<Report>,
}

impl Sight<'_> {
    /// One look. A reader that panics has seen nothing.
    fn step(&mut self, grey: &Grey, threshold: Threshold, shift: f32, scale: f32) {
        if let Ok(look) = catch_unwind(AssertUnwindSafe(|| locate(grey, threshold))) {
            self.take(look, shift, scale);
        }
    }

    fn take(&mut self, look: Look, shift: f32, scale: f32) {
        let mut found: Vec<FoundCode> = Vec::new();
        let moved = look.codes.into_iter().map(|code| code.moved(shift, (scale, scale)));
        join(&mut found, moved.collect());
        self.read.extend(found.iter().map(|code| code.corners));
        let place = |(x, y): (f32, f32)| ((x + shift) * scale, (y + shift) * scale);
        for corners in look.unread {
            let corners = corners.map(place);
            if !self.unread.iter().any(|other| overlap(other, &corners)) {
                self.unread.push(corners);
            }
        }
        if !found.is_empty() {
            self.reporter.tell(Report::Found(found));
        }
    }

    /// Places where a code was located and none was read.
    fn left(&self) -> usize {
        self.unread
            .iter()
            .filter(|unread| !self.read.iter().any(|read| overlap(read, unread)))
            .count()
    }

    fn satisfied(&self) -> bool {
        !self.read.is_empty() && self.left() == 0
    }
}

/// The picture halved until it has at most `most` pixels, and what to multiply its
/// coordinates with.
fn bounded(grey: &Arc<Grey>, most: usize) -> (Arc<Grey>, f32) {
    let (mut grey, mut scale) = (Arc::clone(grey), 1.0);
    while grey.area() > most {
        grey = Arc::new(grey.halved());
        scale *= 2.0;
    }
    (grey, scale)
}
