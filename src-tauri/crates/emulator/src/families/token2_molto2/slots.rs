//! The slots: what each stores, and the public block that tells of it
//! (token2-molto2.md section 3.2).

use oath::{Parameters, SharedSecret, UnixTime};

use crate::{Held, Kind, otp};

/// One slot.
#[derive(Default)]
pub(super) struct Slot {
    /// Zero bytes fill it.
    pub(super) title: [u8; 16],
    pub(super) parameters: Parameters,
    pub(super) seed: Option<SharedSecret>,
    /// The time that the last configuration or clock write for it carried, in
    /// seconds since 1970.
    pub(super) set_to: u32,
    /// Whether anything was ever written to it.
    pub(super) touched: bool,
}

impl Slot {
    /// The 29 bytes that anyone may read.
    pub(super) fn public_block(&self) -> [u8; 29] {
        let Parameters { algorithm, digits, period } = self.parameters;
        let mut block = [0; 29];
        block[0] = if self.touched { 0x20 } else { 0x00 };
        block[1..17].copy_from_slice(&self.title);
        block[17..21].copy_from_slice(&self.set_to.to_be_bytes());
        // A configuration write lets in no third hash and no other period.
        block[25] = if algorithm == oath::Algorithm::Sha1 { 1 } else { 2 };
        block[26] = u8::try_from(period.as_secs()).unwrap_or(u8::MAX);
        block[27] = digits.get();
        block[28] = u8::from(self.seed.is_some());
        block
    }

    /// Stores a title of at most 16 bytes.
    pub(super) fn set_title(&mut self, title: &[u8]) {
        self.title = [0; 16];
        for (to, from) in self.title.iter_mut().zip(title) {
            *to = *from;
        }
    }

    /// The title without the zero bytes that fill it.
    pub(super) fn title(&self) -> String {
        let end = self.title.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        String::from_utf8_lossy(&self.title[..end]).into_owned()
    }

    /// The code and the whole seconds that it stays; `None` without a seed.
    pub(super) fn code(&self, clock: UnixTime) -> Option<(String, u32)> {
        let Parameters { algorithm, digits, period } = self.parameters;
        let seed = self.seed.as_ref()?;
        let step = clock.step(period);
        let next = step.next().begins(period).as_secs();
        let left = u32::try_from(next.saturating_sub(clock.as_secs())).unwrap_or(u32::MAX);
        Some((otp::code(algorithm, seed.expose(), step.0, digits.get()), left))
    }

    /// What a person who could look inside would find; `None` without a seed.
    pub(super) fn held(&self) -> Option<Held> {
        let Parameters { algorithm, digits, period } = self.parameters;
        let seed = self.seed.as_ref()?;
        Some(Held {
            name: Some(self.title()),
            secret: SharedSecret::new(seed.expose().to_vec()),
            algorithm,
            digits,
            period: Some(period),
            kind: Kind::Totp,
            touch: false,
        })
    }
}
