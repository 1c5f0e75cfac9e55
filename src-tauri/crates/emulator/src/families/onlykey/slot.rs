//! Slots: what is stored in one, and what the key types for it (onlykey.md
//! sections 2 and 4).

use oath::{Algorithm, Digits, Period, SharedSecret, UnixTime};

use crate::{Held, Kind, otp};

/// Bytes of a label.
pub(super) const LABEL: usize = 16;

/// The second-factor type of TOTP.
pub(super) const TOTP: u8 = b'g';

/// What TOTP slots type while no time was told.
const NOT_SET: &str = "NOTSET";

/// One slot.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) label: Vec<u8>,
    pub(super) url: Vec<u8>,
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
    /// The second-factor type; 0 is none.
    pub(super) factor: u8,
    /// As long as the firmware took it to be.
    pub(super) key: Option<SharedSecret>,
    /// Seconds that it waits while it types, which it adds to its clock.
    pub(super) delays: [u8; 3],
}

impl Slot {
    fn shown_label(&self) -> String {
        String::from_utf8_lossy(&self.label).into_owned()
    }

    /// The label, or the number where there is none.
    pub(super) fn shown_name(&self, number: u8) -> String {
        if self.label.is_empty() { format!("Slot {number}") } else { self.shown_label() }
    }

    /// Whether there is anything but delays in it.
    pub(super) fn is_used(&self) -> bool {
        let texts = [&self.label, &self.url, &self.user, &self.password];
        texts.iter().any(|text| !text.is_empty()) || self.factor != 0 || self.key.is_some()
    }

    /// What it types when the clock shows this; nothing if there is nothing.
    pub(super) fn types(&self, clock: Option<UnixTime>) -> Option<String> {
        let mut typed: Vec<String> = [&self.url, &self.user, &self.password]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect();
        if let (TOTP, Some(key)) = (self.factor, &self.key) {
            typed.push(clock.map_or_else(|| NOT_SET.to_owned(), |clock| self.code(key, clock)));
        }
        (!typed.is_empty()).then(|| typed.join("\t"))
    }

    fn code(&self, key: &SharedSecret, clock: UnixTime) -> String {
        let waited: u64 = self.delays.iter().copied().map(u64::from).sum();
        let time = clock.as_secs().saturating_add(waited);
        otp::code(Algorithm::Sha1, key.expose(), time / 30, 6)
    }

    pub(super) fn held(&self) -> Option<Held> {
        let key = self.key.as_ref()?;
        Some(Held {
            name: (!self.label.is_empty()).then(|| self.shown_label()),
            secret: SharedSecret::new(key.expose().to_vec()),
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            period: Some(Period::S30),
            kind: Kind::Totp,
            touch: true,
        })
    }
}
