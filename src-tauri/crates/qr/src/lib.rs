//! Pictures to QR texts, bounded in time and memory.
//!
//! The bytes of a picture go in, the texts of all its codes and their corners come
//! out. The crate never knows what a text means and never shows one: a payload is a
//! secret, so it is wiped when dropped and absent from every error and `Debug`.
//! Pictures are hostile: their size is read before their pixels, every reader runs
//! on a thread of its own under a deadline, and a reader that panics or hangs costs
//! its result and nothing else. Which readers and why: facts/qr-decoding.md.

mod code;
mod error;
mod guard;
mod ladder;
mod locate;
mod open;
mod second_opinion;

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use code::FoundCode;
pub use error::PictureError;
use guard::{Ending, Reporter};

/// Every code of a picture, in reading order, within the time that `effort` allows.
///
/// The format is told from the content, never from a name. All frames of an
/// animation are looked at, 100 at most. A picture that holds no code, or only codes
/// that cannot be read, is not an error: [`Reading::codes`] is empty then.
///
/// # Errors
///
/// When the bytes are no picture that can be opened; see [`PictureError`].
pub fn read(picture: &[u8], effort: Effort) -> Result<Reading, PictureError> {
    let format = open::recognise(picture)?;
    let bytes = Zeroizing::new(picture.to_vec());
    let until = Instant::now() + effort.deadline;
    let (reports, ending) = guard::run("qr-reader", until, move |reporter| {
        look(&bytes, format, effort, until, reporter);
    });

    let mut reading = None;
    let mut codes = Vec::new();
    let mut located = 0;
    let mut looked = Duration::ZERO;
    for report in reports {
        match report {
            Report::Size(width, height) => reading = Some((width, height)),
            Report::Found(found) => code::join(&mut codes, found),
            Report::Unread(count) => located += count,
            Report::Looked(time) => looked += time,
            Report::Refused(error) => return Err(error),
        }
    }
    match (reading, ending) {
        (Some((width, height)), _) => {
            code::sort(&mut codes);
            Ok(Reading { codes, width, height, unread: located, looked })
        }
        (None, Ending::Overdue) => Err(PictureError::Overdue),
        (None, Ending::NotStarted) => Err(PictureError::NoThread),
        (None, Ending::Finished | Ending::Panicked) => {
            Err(PictureError::Damaged { format: open::name(format) })
        }
    }
}

/// How long a picture may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// What the second look at a picture that nothing easy reads may take. The variants
    /// for the fast reader may take as much again.
    pub budget: Duration,
    /// The wall: a reader that still runs then is abandoned, and what is known so far
    /// is returned.
    pub deadline: Duration,
}

impl Effort {
    /// For one frame of a camera, which is followed by another: 60 ms of extra looks, a
    /// second in all.
    pub const fn frame() -> Self {
        Self { budget: Duration::from_millis(60), deadline: Duration::from_secs(1) }
    }

    /// For a "try harder" button: three seconds of extra looks, twenty in all.
    pub const fn harder() -> Self {
        Self { budget: Duration::from_secs(3), deadline: Duration::from_secs(20) }
    }
}

impl Default for Effort {
    /// 150 ms of extra looks, eight seconds in all.
    fn default() -> Self {
        Self { budget: Duration::from_millis(150), deadline: Duration::from_secs(8) }
    }
}

/// What a picture holds.
#[derive(Debug)]
pub struct Reading {
    /// The codes that were read: top to bottom, left to right, no doubles.
    pub codes: Vec<FoundCode>,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// Codes that were located and not read, as far as known. A rotated, covered or
    /// blurred code may be missed altogether, so zero is no promise.
    pub unread: usize,
    /// What the readers took of the time; the rest went into unpacking the file.
    pub looked: Duration,
}

/// What the reading thread tells the caller, as soon as it is known.
pub(crate) enum Report {
    /// Width and height; the pixels follow.
    Size(u32, u32),
    /// Codes of one step.
    Found(Vec<FoundCode>),
    /// Located codes of one frame that no step read.
    Unread(usize),
    /// One frame was looked at for so long.
    Looked(Duration),
    /// The picture cannot be opened.
    Refused(PictureError),
}

fn look(
    bytes: &[u8],
    format: image::ImageFormat,
    effort: Effort,
    until: Instant,
    reporter: &Reporter<Report>,
) {
    let mut frames = 0;
    let opened = open::open(bytes, format, &mut |layer| match layer {
        open::Layer::Size(width, height) => {
            reporter.tell(Report::Size(width, height));
            true
        }
        open::Layer::Grey(grey) => {
            // A hundred hopeless frames must not take a hundred times as long as one.
            frames += 1;
            let started = Instant::now();
            ladder::climb(&Arc::new(grey), effort.budget / frames, until, reporter);
            reporter.tell(Report::Looked(started.elapsed()));
            // An abandoned thread stops at the next chance.
            Instant::now() < until
        }
    });
    if let Err(error) = opened {
        reporter.tell(Report::Refused(error));
    }
}
