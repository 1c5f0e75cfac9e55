//! Tokens that are not there: practice, conformance, virtual cards.
//!
//! An emulated token has a face with a display or a button, a clock with an
//! offset and a rate, a truth about what it holds, and faults at a chosen
//! exchange. The same code lies in a [`Tray`] for practice and tests, and behind
//! the real smart-card service as a card ([`ServedReader`], Linux).
//!
//! Nothing here uses a driver's encoding: every emulator reads the wire from the
//! protocol sheet on its own and computes codes on its own, so that driver and
//! emulator check each other. The crate reads no clock; the world's time is
//! given from outside ([`Now`]).

mod applet;
mod challenges;
mod clock;
pub mod closed;
pub mod families;
mod faults;
mod otp;
mod tray;
mod wire;

#[cfg(target_os = "linux")]
mod serve;
#[cfg(test)]
mod vectors;

pub use applet::{Applet, Button, Face, Held, Hid, HidDevice, Identity, Kind, Stalled};
pub use families::{FAMILIES, practice};
pub use faults::{At, Fault, Script};
pub use tray::{Logged, Now, Tray, TrayId};

#[cfg(target_os = "linux")]
pub use serve::ServedReader;
