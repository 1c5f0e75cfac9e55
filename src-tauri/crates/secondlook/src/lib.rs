//! A second look at pictures whose QR codes fast readers located badly or not at all.
//!
//! Written from ISO/IEC 18004. Fast readers decide early: this pixel is dark, these
//! three patterns make a square, this module is light. Here every decision is kept
//! soft until the Reed–Solomon code has the last word: finder patterns are sought at
//! several thresholds and sizes, a grid is fitted to all that is known of a symbol and
//! may bend and crumple, modules have values and not colours, and the least sure
//! codewords are erased. It takes milliseconds to seconds, so its time is an argument.
//!
//! The crate never reads files, starts threads or knows what a text means. It is meant
//! not to panic on any picture; its caller guards it all the same.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels and modules are far below 2^24, and casts saturate"
)]
#![allow(clippy::manual_midpoint, reason = "means of coordinates do not overflow")]
#![allow(
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "coordinates are x and y, as in every book"
)]

mod arrangement;
mod codewords;
mod equalise;
mod examine;
mod finder;
mod fine;
mod grey;
mod grid;
mod least_squares;
mod likeness;
mod net;
#[cfg(test)]
mod noise;
mod pair;
mod patch;
mod projective;
mod reed_solomon;
mod search;
mod segments;
mod symbol;

use zeroize::Zeroizing;

pub use grey::Grey;
pub use search::{located, read};

/// Four points in pixels: top left, top right, bottom right and bottom left corner of
/// the symbol as it stands, the quiet zone not included.
pub type Corners = [(f32, f32); 4];

/// A symbol that was read. Its text is a secret and wiped when dropped.
pub struct Symbol {
    /// The text of all its segments.
    pub text: Zeroizing<String>,
    /// Where it is.
    pub corners: Corners,
}
