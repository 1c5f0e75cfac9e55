//! The real buses: PC/SC now, USB HID with its issue.
//!
//! This is the only crate with C libraries. It carries bytes and lists what is
//! attached; it does not know what an applet, a seed or a code is, and it sends
//! nothing to a card by itself, not even a SELECT (pcsc-nfc.md, rigs/FACTS.md
//! sections 3 and 7).

mod diagnose;
mod smart_card;

pub use diagnose::{Finding, ServiceState, SlotState, diagnose};
pub use smart_card::{Limits, PcscSource};
