//! The search through a picture: sizes, thresholds, arrangements, until time is up.

use std::time::Instant;

use crate::arrangement::{Arrangement, arrangements};
use crate::examine::{Promising, Read, examine};
use crate::finder::{Finder, Mask, Shape};
use crate::grey::Grey;
use crate::likeness::{WORTH_EXAMINING, likeness};
use crate::pair::examine_pair;
use crate::{Corners, Symbol};

/// Larger pictures are halved before anything else.
const LARGE: usize = 5_000_000;
/// Down to here there is a smaller size to search.
const SMALL: usize = 160_000;
/// Up to here the picture is searched in double size as well.
const TINY: usize = 400_000;
/// Arrangements of one mask that are looked at, the plainest first.
const ARRANGEMENTS: usize = 400;

/// Reads what it can outside of `known` until the time is up, and hands each symbol
/// over as soon as it is read.
pub fn read(grey: &Grey, known: &[Corners], until: Instant, found: &mut dyn FnMut(Symbol)) {
    let sizes = sizes(grey);
    let mut search = Search {
        sizes,
        known: known.to_vec(),
        examined: vec![],
        promising: vec![],
        finders: vec![],
        until,
        found,
    };
    for size in search.order() {
        for sight in Sight::ALL {
            for inverted in [false, true] {
                if Instant::now() >= until {
                    return;
                }
                search.search(size, sight, inverted);
            }
        }
        search.keep_promises();
    }
    search.pair();
}

/// Places outside of `known` where three finder patterns plainly make a symbol, dark or
/// light. Quick, and blind to what is hard to see.
pub fn located(grey: &Grey, known: &[Corners]) -> Vec<Corners> {
    /// What is this alike is no accident.
    const PLAIN: f32 = 0.75;
    const SMALL: usize = 600_000;
    let (mut half, mut scale) = (None, 1.0);
    while half.as_ref().unwrap_or(grey).area() > SMALL {
        half = Some(half.as_ref().unwrap_or(grey).halved());
        scale *= 2.0;
    }
    let grey = half.as_ref().unwrap_or(grey);
    let mut places: Vec<Corners> = Vec::new();
    for inverted in [false, true] {
        let finders = if inverted {
            Sight::Wide.finders(&grey.inverted())
        } else {
            Sight::Wide.finders(grey)
        };
        let open = |known: &[Corners], (x, y): (f32, f32)| !lies_in(known, (x * scale, y * scale));
        let finders: Vec<Finder> = finders
            .into_iter()
            .filter(|finder| finder.rows >= 3 && open(known, (finder.x, finder.y)))
            .collect();
        for arrangement in arrangements(&finders).into_iter().take(ARRANGEMENTS) {
            let new = arrangement.centres().iter().all(|centre| open(&places, *centre));
            if new && likeness(grey, &arrangement, inverted) >= PLAIN {
                places.push(arrangement.outline().map(|(x, y)| (x * scale, y * scale)));
            }
        }
    }
    places
}

/// The picture at one size; `scale` times its coordinates are those of the original.
struct Size {
    grey: Grey,
    scale: f32,
}

/// The picture, and halves of it until one has at most `small` pixels.
fn sizes_down_to(grey: &Grey, small: usize) -> Vec<Size> {
    let mut sizes =
        vec![Size { grey: grey.cropped(0, 0, grey.width(), grey.height()), scale: 1.0 }];
    while let Some(Size { grey, scale }) = sizes.last()
        && grey.area() > small
    {
        let half = Size { grey: grey.halved(), scale: scale * 2.0 };
        sizes.push(half);
    }
    sizes
}

/// Four sizes at most, and a double one first if the picture is small.
fn sizes(grey: &Grey) -> Vec<Size> {
    let mut sizes = sizes_down_to(grey, SMALL);
    let first = sizes.iter().position(|size| size.grey.area() <= LARGE).unwrap_or(0);
    sizes.drain(..first);
    sizes.truncate(4);
    if grey.area() < TINY {
        let double = grey.resized(grey.width() * 2, grey.height() * 2);
        sizes.insert(0, Size { grey: double, scale: 0.5 });
    }
    sizes
}

/// One way of making a picture black and white.
#[derive(Clone, Copy)]
enum Sight {
    /// By the mean of a wide square.
    Wide,
    /// By the middle between the darkest and the lightest, for blur.
    Middle,
    /// By the mean of a narrow square, for uneven light.
    Narrow,
    /// Hardly any contrast.
    Faint,
    /// Patterns that melt into a dark surround.
    Open,
}

impl Sight {
    /// How many arrangements are examined, and how like finder patterns they have to be:
    /// what asks for less of a pattern finds more that is none.
    fn demands(self) -> (usize, f32) {
        match self {
            Self::Wide | Self::Middle | Self::Narrow => (6, WORTH_EXAMINING),
            Self::Faint => (4, WORTH_EXAMINING),
            Self::Open => (3, 1.2 * WORTH_EXAMINING),
        }
    }

    const ALL: [Self; 5] = [Self::Wide, Self::Middle, Self::Narrow, Self::Faint, Self::Open];

    fn finders(self, grey: &Grey) -> Vec<Finder> {
        let side = grey.width().min(grey.height());
        let share = |share: usize, least: usize, most: usize| (side / share).clamp(least, most);
        match self {
            Self::Wide => Mask::of(grey, share(16, 8, 80), 4).finders(Shape::Closed),
            Self::Middle => Mask::of_middle(grey, share(50, 6, 16)).finders(Shape::Closed),
            Self::Narrow => Mask::of(grey, share(50, 5, 30), 3).finders(Shape::Closed),
            Self::Open => Mask::of(grey, share(30, 6, 50), 2).finders(Shape::Open),
            Self::Faint => Mask::of_faint(grey, share(30, 8, 50)).finders(Shape::Closed),
        }
    }
}

struct Search<'a> {
    sizes: Vec<Size>,
    known: Vec<Corners>,
    examined: Vec<Arrangement>,
    /// With the scale of the picture that they were found in.
    promising: Vec<(f32, Promising)>,
    /// Good patterns in pixels of the original, and whether they are light on dark.
    finders: Vec<(Finder, bool)>,
    until: Instant,
    found: &'a mut dyn FnMut(Symbol),
}

impl Search<'_> {
    /// Middle sizes first: most codes of a photo are seen best there.
    fn order(&self) -> Vec<usize> {
        let natural = usize::from(self.sizes.first().is_some_and(|size| size.scale < 1.0));
        let mut order: Vec<usize> = (natural..self.sizes.len()).collect();
        if order.len() > 2 {
            order.rotate_left(1);
            // Quarter before full size.
            let full = order.pop();
            order.splice(2.min(order.len())..2.min(order.len()), full);
        }
        if natural == 1 {
            order.push(0);
        }
        order
    }

    /// With `inverted` light codes on dark are sought.
    fn search(&mut self, size: usize, sight: Sight, inverted: bool) {
        let Size { grey, scale } = &self.sizes[size];
        let scale = *scale;
        let mut finders =
            if inverted { sight.finders(&grey.inverted()) } else { sight.finders(grey) };
        // Small patterns that one row saw are noise.
        finders.retain(|finder| finder.rows >= 2);
        finders.retain(|finder| !self.is_known((finder.x * scale, finder.y * scale)));
        let good = finders.iter().map(|finder| finder.scaled(scale)).collect::<Vec<_>>();
        let (mut left, least) = sight.demands();
        let mut likely: Vec<(f32, Arrangement)> = arrangements(&finders)
            .into_iter()
            .take(ARRANGEMENTS)
            .map(|arrangement| (likeness(grey, &arrangement, inverted), arrangement))
            .filter(|(likeness, _)| *likeness >= least)
            .collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0));
        for finder in good {
            self.remember(finder, inverted);
        }
        for (_, arrangement) in likely {
            if left == 0 || Instant::now() >= self.until {
                return;
            }
            let arrangement = arrangement.scaled(scale);
            let centres = arrangement.centres();
            let twice =
                self.examined.iter().filter(|other| other.resembles(&arrangement)).count() >= 2;
            if twice || centres.iter().any(|centre| self.is_known(*centre)) {
                continue;
            }
            left -= 1;
            self.examined.push(arrangement);
            self.examine(&arrangement, inverted);
        }
    }

    fn examine(&mut self, arrangement: &Arrangement, inverted: bool) {
        let Some((grey, scale)) = self.fine(arrangement.module()) else {
            return;
        };
        let here = arrangement.scaled(1.0 / scale);
        let mut promising = vec![];
        let read = examine(grey, &here, inverted, self.until, &mut promising);
        self.promising.extend(promising.into_iter().map(|promising| (scale, promising)));
        if let Some(read) = read {
            self.tell(read, scale);
        }
    }

    /// Goes deeper where a grid was nearly found, the likeliest first.
    fn keep_promises(&mut self) {
        /// More are noise.
        const MOST: usize = 6;
        let mut promising = std::mem::take(&mut self.promising);
        promising.sort_by(|a, b| b.1.landmarks.total_cmp(&a.1.landmarks));
        for (scale, promising) in promising.into_iter().take(MOST) {
            if Instant::now() >= self.until {
                return;
            }
            if let Some(read) = promising.bend_and_read(self.until) {
                self.tell(read, scale);
            }
        }
    }

    /// A symbol of which one finder pattern is covered or blinded still has two.
    fn pair(&mut self) {
        const MOST: usize = 6;
        let finders = std::mem::take(&mut self.finders);
        let mut pairs = 0;
        for (index, (a, inverted)) in finders.iter().enumerate() {
            for (b, _) in finders[..index].iter().filter(|(_, other)| other == inverted) {
                let ratio = a.module() / b.module();
                let known = [a, b].iter().any(|finder| self.is_known((finder.x, finder.y)));
                if known || !(0.6..1.67).contains(&ratio) {
                    continue;
                }
                pairs += 1;
                let Some((grey, scale)) = self.fine((a.module() + b.module()) / 2.0) else {
                    return;
                };
                let (a, b) = (a.scaled(1.0 / scale), b.scaled(1.0 / scale));
                if let Some(read) = examine_pair(grey, &a, &b, *inverted, self.until) {
                    self.tell(read, scale);
                }
                if pairs == MOST || Instant::now() >= self.until {
                    return;
                }
            }
        }
    }

    /// Keeps a pattern that is too good to be noise, once.
    fn remember(&mut self, finder: Finder, inverted: bool) {
        const MOST: usize = 6;
        let good = finder.rows >= 5 && finder.wide / finder.tall < 1.5;
        let near = 2.0 * finder.module();
        let again = self.finders.iter().any(|(other, _)| {
            (other.x - finder.x).abs() < near && (other.y - finder.y).abs() < near
        });
        if good && !again && self.finders.len() < MOST {
            self.finders.push((finder, inverted));
        }
    }

    /// The finest size that keeps a module of so many pixels of the original small:
    /// searching needs less than reading.
    fn fine(&self, module: f32) -> Option<(&Grey, f32)> {
        const LARGE_MODULE: f32 = 14.0;
        let mut natural = self.sizes.iter().filter(|size| size.scale >= 1.0);
        let fine = natural.find(|size| module / size.scale < LARGE_MODULE);
        fine.or(self.sizes.last()).map(|size| (&size.grey, size.scale))
    }

    fn tell(&mut self, read: Read, scale: f32) {
        let corners = read.corners.map(|(x, y)| (x * scale, y * scale));
        // The same symbol may have been promised twice.
        if !self.is_known(centre(&corners)) {
            self.known.push(corners);
            (self.found)(Symbol { text: read.text, corners });
        }
    }

    fn is_known(&self, point: (f32, f32)) -> bool {
        lies_in(&self.known, point)
    }
}

/// Whether a point lies in one of the symbols, roughly.
fn lies_in(symbols: &[Corners], (x, y): (f32, f32)) -> bool {
    symbols.iter().any(|corners| {
        let (middle_x, middle_y) = centre(corners);
        let reach = 0.55 * (corners[0].0 - corners[2].0).hypot(corners[0].1 - corners[2].1);
        (x - middle_x).hypot(y - middle_y) < reach
    })
}

fn centre(corners: &Corners) -> (f32, f32) {
    let (x, y) =
        corners.iter().fold((0.0, 0.0), |sum, corner| (sum.0 + corner.0, sum.1 + corner.1));
    (x / 4.0, y / 4.0)
}
