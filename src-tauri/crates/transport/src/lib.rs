//! The real buses: PC/SC and USB HID.
//!
//! This is the only crate with C libraries. It carries bytes and lists what is
//! attached; it does not know what an applet, a seed or a code is, and it sends
//! nothing to a token by itself, not even a SELECT (pcsc-nfc.md, rigs/FACTS.md
//! sections 3, 6 and 7).

mod diagnose;
mod hid;
mod smart_card;

use std::sync::Arc;

use token::{HidInterface, TokenSource};

pub use diagnose::{Finding, ServiceState, SlotState, diagnose};
pub use hid::{HidAccess, HidFinding, HidSource};
pub use smart_card::{Limits, PcscSource};

/// Every bus of this computer, smart cards first: a key that is on both is used as a
/// card, which Windows lets everybody do (nitrokey-secrets.md section 1). Of HID,
/// only the interfaces that are named here are listed.
pub fn buses(interfaces: Vec<HidInterface>) -> Vec<Arc<dyn TokenSource>> {
    vec![Arc::new(PcscSource::new()), Arc::new(HidSource::new(interfaces))]
}
