//! The order in which a picture is looked at: from cheap to dear.
//!
//! The fast reader sees the plain picture, and an easy one ends there. While nothing
//! was read, or a code is known to be there unread, the picture is looked at again in
//! other sizes and other contrasts, then by the second look, at last by the guarded
//! second opinion. The order and what each step adds are measured, see
//! docs/decisions/0001-pure-rust-qr-reading.md.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use secondlook::Grey;

use crate::Report;
use crate::code::{Corners, FoundCode, join, overlap};
use crate::guard::Reporter;
use crate::locate::{Look, Threshold, locate};
use crate::second_opinion;

/// Larger pictures are halved after the first look.
const LARGE: usize = 20_000_000;

/// Looks at one picture or frame and reports what it holds.
pub(crate) fn climb(
    full: &Arc<Grey>,
    budget: Duration,
    until: Instant,
    reporter: &Reporter<Report>,
) {
    let mut sight = Sight { picture: full, read: vec![], unread: vec![], reporter };
    sight.climb(budget, until);
    let left = sight.left();
    if left > 0 {
        reporter.tell(Report::Unread(left));
    }
}

/// What is known of one picture so far.
struct Sight<'a> {
    picture: &'a Arc<Grey>,
    read: Vec<Corners>,
    unread: Vec<Corners>,
    reporter: &'a Reporter<Report>,
}

impl Sight<'_> {
    fn climb(&mut self, budget: Duration, until: Instant) {
        self.step(&Variant::plain(self.picture), 1.0);
        let (base, scale) = bounded(self.picture, LARGE);
        self.search_for_more();
        if self.satisfied() {
            return;
        }
        let half = base.halved();
        for look in BASIC {
            if let Some(variant) = look(&Sizes { full: &base, half: &half }) {
                self.step(&variant, scale);
            }
            if self.satisfied() || Instant::now() >= until {
                return;
            }
        }
        self.second_look(until.min(Instant::now() + budget));
        if self.satisfied() {
            return;
        }
        let spent = until.min(Instant::now() + budget);
        for look in EXTRA {
            if Instant::now() >= spent {
                break;
            }
            if let Some(variant) = look(&Sizes { full: &base, half: &half }) {
                self.step(&variant, scale);
            }
            if self.satisfied() {
                return;
            }
        }
        if self.read.is_empty() {
            self.second_opinion(&base, scale, until.min(Instant::now() + budget / 3));
        }
    }

    /// One look of the fast reader. A reader that panics has seen nothing.
    fn step(&mut self, variant: &Variant<'_>, scale: f32) {
        let grey = variant.grey.as_ref();
        let Ok(look) = catch_unwind(AssertUnwindSafe(|| locate(grey, variant.threshold))) else {
            return;
        };
        let place = |(x, y): (f32, f32)| {
            (
                (x + variant.shift) * variant.scale.0 * scale,
                (y + variant.shift) * variant.scale.1 * scale,
            )
        };
        self.take(look, place);
    }

    fn second_look(&mut self, until: Instant) {
        let mut codes = Vec::new();
        let (picture, read) = (Arc::clone(self.picture), self.read.clone());
        // What was read before a panic is kept.
        let _panicked = catch_unwind(AssertUnwindSafe(|| {
            secondlook::read(&picture, &read, until, &mut |symbol| {
                codes.push(FoundCode::new(symbol.text, symbol.corners));
            });
        }));
        self.take(Look { codes, unread: vec![] }, |point| point);
    }

    fn second_opinion(&mut self, base: &Arc<Grey>, scale: f32, until: Instant) {
        let (small, smaller) = bounded(base, second_opinion::MOST_PIXELS);
        let codes = second_opinion::ask(&small, until);
        let scale = scale * smaller;
        self.take(Look { codes, unread: vec![] }, |(x, y)| (x * scale, y * scale));
    }

    /// The fast reader says nothing of codes whose finder patterns it did not see.
    fn search_for_more(&mut self) {
        let (picture, read) = (Arc::clone(self.picture), self.read.clone());
        let located = catch_unwind(AssertUnwindSafe(|| secondlook::located(&picture, &read)));
        for corners in located.unwrap_or_default() {
            self.note(corners);
        }
    }

    fn take(&mut self, look: Look, place: impl Fn((f32, f32)) -> (f32, f32)) {
        let mut found: Vec<FoundCode> = Vec::new();
        join(&mut found, look.codes.into_iter().map(|code| code.placed(&place)).collect());
        self.read.extend(found.iter().map(|code| code.corners));
        for corners in look.unread {
            self.note(corners.map(&place));
        }
        if !found.is_empty() {
            self.reporter.tell(Report::Found(found));
        }
    }

    fn note(&mut self, corners: Corners) {
        if !self.unread.iter().any(|other| overlap(other, &corners)) {
            self.unread.push(corners);
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

/// A picture for the fast reader, how to threshold it and how its pixels lie in the
/// original: first shifted, then scaled.
struct Variant<'a> {
    grey: Shown<'a>,
    threshold: Threshold,
    shift: f32,
    scale: (f32, f32),
}

enum Shown<'a> {
    AsItIs(&'a Grey),
    Changed(Grey),
}

impl Shown<'_> {
    fn as_ref(&self) -> &Grey {
        match self {
            Self::AsItIs(grey) => grey,
            Self::Changed(grey) => grey,
        }
    }
}

impl<'a> Variant<'a> {
    fn plain(grey: &'a Grey) -> Self {
        let grey = Shown::AsItIs(grey);
        Self { grey, threshold: Threshold::LocalAverage, shift: 0.0, scale: (1.0, 1.0) }
    }

    fn local(grey: Grey) -> Self {
        Self {
            grey: Shown::Changed(grey),
            threshold: Threshold::LocalAverage,
            shift: 0.0,
            scale: (1.0, 1.0),
        }
    }

    /// For pictures that are nearly black and white already.
    fn global(grey: Grey) -> Self {
        Self { threshold: Threshold::GlobalHistogram, ..Self::local(grey) }
    }

    fn scaled(self, x: f32, y: f32) -> Self {
        Self { scale: (x, y), ..self }
    }
}

struct Sizes<'a> {
    full: &'a Grey,
    half: &'a Grey,
}

impl Sizes<'_> {
    /// The size for variants that cost several passes over the picture.
    fn moderate(&self) -> (&Grey, f32) {
        if self.full.area() > 5_000_000 { (self.half, 2.0) } else { (self.full, 1.0) }
    }

    /// A share of the shorter side, within bounds.
    fn radius(&self, share: usize, least: usize, most: usize) -> usize {
        (self.full.width().min(self.full.height()) / share).clamp(least, most)
    }
}

/// A look, or `None` where the picture is too large or too small for it.
type MakeVariant = for<'a> fn(&Sizes<'a>) -> Option<Variant<'a>>;

/// These are tried on every picture that is not easy.
const BASIC: [MakeVariant; 4] = [
    // Light on dark, as on dark pages.
    |sizes| {
        let (grey, scale) =
            if sizes.full.area() <= 9_000_000 { (sizes.full, 1.0) } else { (sizes.half, 2.0) };
        Some(Variant::local(grey.inverted()).scaled(scale, scale))
    },
    // Noise and large modules.
    |sizes| {
        let plain = Variant::plain(sizes.half).scaled(2.0, 2.0);
        Some(Variant { threshold: Threshold::GlobalHistogram, ..plain })
    },
    |sizes| Some(Variant::plain(sizes.half).scaled(2.0, 2.0)),
    // Uneven light that the 8-pixel blocks of the binarizer do not follow.
    |sizes| Some(Variant::global(sizes.full.thresholded(sizes.radius(60, 5, 30), 3))),
];

/// These are tried while the budget lasts, ordered by what they add for their time.
const EXTRA: [MakeVariant; 11] = [
    // No quiet zone up to the edge of the picture.
    |sizes| {
        (sizes.full.area() <= 2_500_000)
            .then(|| Variant { shift: -24.0, ..Variant::local(sizes.full.framed(24)) })
    },
    // A dark surround that swallows the quiet zone.
    |sizes| Some(Variant::local(sizes.full.brightened(5))),
    // Low contrast.
    |sizes| {
        let blur = if sizes.full.area() > 3_000_000 { 2 } else { 1 };
        Some(Variant::global(sizes.full.blurred(blur).thresholded(sizes.radius(40, 8, 40), 1)))
    },
    // Few pixels a module, and still fewer.
    |sizes| {
        let (width, height) = (sizes.full.width(), sizes.full.height());
        (sizes.full.area() <= 1_300_000).then(|| {
            let double = sizes.full.resized(2 * width, 2 * height).sharpened(2, 24);
            Variant::local(double).scaled(0.5, 0.5)
        })
    },
    |sizes| {
        let (width, height) = (sizes.full.width(), sizes.full.height());
        (sizes.full.area() <= 300_000).then(|| {
            let fourfold = sizes.full.resized(4 * width, 4 * height).sharpened(4, 48);
            Variant::local(fourfold).scaled(0.25, 0.25)
        })
    },
    // Blocks of the binarizer that fall badly on the modules.
    |sizes| {
        let (grey, scale) = sizes.moderate();
        (grey.area() <= 3_000_000).then(|| {
            let larger = grey.resized(grey.width() * 3 / 2, grey.height() * 3 / 2);
            Variant::local(larger).scaled(scale / 1.5, scale / 1.5)
        })
    },
    // Large and faint.
    |sizes| {
        let quarter = sizes.half.halved();
        (quarter.width().min(quarter.height()) > 40)
            .then(|| Variant::global(quarter.levelled(20)).scaled(4.0, 4.0))
    },
    // Codes that lean back or lie on their side, and blur along one direction.
    |sizes| {
        let (grey, scale) = sizes.moderate();
        Some(Variant::local(grey.flattened()).scaled(scale, 2.0 * scale))
    },
    |sizes| {
        let (grey, scale) = sizes.moderate();
        Some(Variant::local(grey.narrowed()).scaled(2.0 * scale, scale))
    },
    // Contrast that differs from place to place.
    |sizes| {
        let (grey, scale) = sizes.moderate();
        Some(Variant::global(grey.levelled(10)).scaled(scale, scale))
    },
    // Blur.
    |sizes| {
        let (grey, scale) = sizes.moderate();
        Some(Variant::local(grey.sharpened(3, 32)).scaled(scale, scale))
    },
];

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
