//! Nitrokey Pro 2, Nitrokey Storage 2 and Purism Librem Key: one-time passwords
//! in slots, over feature reports (nitrokey-pro.md).
//!
//! Where the sheet is silent:
//!
//! - A report of another length or number is stalled. One with a wrong check sum
//!   is answered with the sum that the device computed. Bytes of a payload that no
//!   command uses are not looked at.
//! - Before the first request, zeros are got. While it is busy or late, the answer
//!   before is got, once with the status busy and once with ready. A request that
//!   comes before the answer was ready replaces it; its effect stays.
//! - A transaction begins with the first `SEND_OTP_DATA` after power-up or after
//!   `WRITE_TO_SLOT`, and nothing else ends it: an authentication does not, so
//!   what an interrupted enrolment left is still there. `WRITE_TO_SLOT` without
//!   one is not authorised (5). Another type or index is not supported (8). An
//!   empty name is 7 from both commands.
//! - A wrong PIN ends the temporary password before. A blocked PIN is a wrong PIN
//!   (4) for ever. A new PIN that is too short (6 user, 8 admin) is not supported.
//! - Zeros as the secret of an empty slot store erased flash, all ones.
//! - Without `SET_TIME` since power-up the clock stands at 0. A `SET_TIME` flag
//!   other than 0 and 1 is not supported. Times before 2014 count as 2014.
//! - A period of 0, or one of which 16 bits are 0, leaves the device busy until it
//!   is unplugged.
//! - Pro and Librem Key know `00` and not `2E`, Storage knows `2E` and not `00`.
//!   Its last slot reads as empty, whatever was written. `40` says "ok".
//! - Old firmware answers 5 to whatever the old flow would authorise, since that
//!   flow is not emulated, and 9 to `SEND_OTP_DATA`; it has the keyboard's usage
//!   page. A factory reset keeps the clock.
//! - Interface 0 for all models, and no serial string on USB. The serial number is
//!   the card's four bytes in the order in which they are answered, as hex.

mod commands;
mod frame;
mod pin;
mod slot;

use oath::{Digits, Period, SharedSecret, UnixTime};

use crate::clock::TokenClock;
use crate::{Applet, Face, Held, Hid, HidDevice, Identity, Kind, Stalled};

use frame::{Device, REPORT, Refusal, Request, answer, with_device_status};
use pin::Pin;
use slot::{NAME, SECRET, Slot, Transaction};

/// The one name of the family.
pub const FAMILY: &str = "nitrokey-pro";

/// The admin PIN that every key leaves the factory with.
pub const FACTORY_ADMIN_PIN: &str = "12345678";

/// The user PIN that every key leaves the factory with.
pub const FACTORY_USER_PIN: &str = "123456";

/// No lock key types a code, and codes need no user PIN.
const FACTORY_CONFIG: [u8; 5] = [0xff, 0xff, 0xff, 0, 0];

/// The place of the last time-based slot, which Storage does not have.
const LAST: u8 = 14;

/// The practice key: a Nitrokey Pro 2 with the factory's PINs, empty, with a
/// clock that was never set.
pub fn practice() -> NitrokeyPro {
    NitrokeyPro::new(Model::Pro2, 0x0000_a1b1)
}

/// The models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Nitrokey Pro 2: 15 time-based slots.
    Pro2,
    /// Nitrokey Storage 2: 14, and one that says "ok" and keeps nothing.
    Storage2,
    /// Purism Librem Key: as Pro.
    LibremKey,
}

/// One key.
pub struct NitrokeyPro {
    model: Model,
    card_serial: u32,
    /// Major and minor version.
    firmware: (u8, u8),
    admin: Pin,
    user: Pin,
    /// Num, caps and scroll lock, user PIN for codes, spare.
    config: [u8; 5],
    totp: [Option<Slot>; 15],
    hotp: [Option<Slot>; 3],
    transaction: Option<Transaction>,
    /// In RAM: `None` until it is set after power-up.
    clock: Option<TokenClock>,
    gain_ppm: i32,
    /// In flash: minutes since 2014 when the clock was set last.
    floor: Option<u64>,
    storage_counter: u8,
    /// How often each request answers late and then busy before it is ready.
    delays: Delays,
    pending: Delays,
    is_stuck: bool,
    /// The answer before, and the one to the last request.
    previous: [u8; REPORT],
    answer: [u8; REPORT],
}

#[derive(Clone, Copy, Default)]
struct Delays {
    late: u32,
    busy: u32,
}

/// Where a slot number leads.
enum Place<'a> {
    Slot(&'a mut Option<Slot>),
    /// Storage's last slot: nothing is ever kept there.
    Hole,
}

impl NitrokeyPro {
    /// A key with current firmware, as it leaves the factory, with this card
    /// serial number.
    pub fn new(model: Model, card_serial: u32) -> Self {
        Self {
            model,
            card_serial,
            firmware: match model {
                Model::Pro2 => (0, 15),
                Model::Storage2 => (0, 57),
                Model::LibremKey => (0, 10),
            },
            admin: Pin::new(FACTORY_ADMIN_PIN),
            user: Pin::new(FACTORY_USER_PIN),
            config: FACTORY_CONFIG,
            totp: [const { None }; 15],
            hotp: [const { None }; 3],
            transaction: None,
            clock: None,
            gain_ppm: 0,
            floor: None,
            storage_counter: 0,
            delays: Delays::default(),
            pending: Delays::default(),
            is_stuck: false,
            previous: [0; REPORT],
            answer: [0; REPORT],
        }
    }

    /// Firmware of the old flow: 0.7, Storage 0.53.
    #[must_use]
    pub fn with_old_firmware(mut self) -> Self {
        self.firmware = match self.model {
            Model::Pro2 | Model::LibremKey => (0, 7),
            Model::Storage2 => (0, 53),
        };
        self
    }

    fn factory_pin(&self) -> Option<String> {
        self.admin.is(FACTORY_ADMIN_PIN).then(|| format!("Admin PIN {FACTORY_ADMIN_PIN}"))
    }

    /// With these PINs instead of the factory's, and all tries.
    #[must_use]
    pub fn with_pins(mut self, admin: &str, user: &str) -> Self {
        self.admin = Pin::new(admin);
        self.user = Pin::new(user);
        self
    }

    /// With so many tries left, at most 3; 0 is blocked.
    #[must_use]
    pub fn with_tries_left(mut self, admin: u8, user: u8) -> Self {
        self.admin.with_tries_left(admin);
        self.user.with_tries_left(user);
        self
    }

    /// Gives codes only to who says the user PIN.
    #[must_use]
    pub fn demanding_user_pin(mut self) -> Self {
        self.config[3] = 1;
        self
    }

    /// Holds a time-based secret of at most 40 bytes in the slot `20` + `place`,
    /// 0 to 14; other places and Storage's last one hold nothing.
    #[must_use]
    pub fn holding(
        mut self,
        place: u8,
        name: &str,
        secret: &SharedSecret,
        digits: Digits,
        period: Period,
    ) -> Self {
        let mut bytes = secret.expose().to_vec();
        bytes.resize(SECRET, 0);
        let mut stored = [0; NAME];
        for (to, from) in stored.iter_mut().zip(name.as_bytes()) {
            *to = *from;
        }
        if let Ok(Place::Slot(slot)) = self.place(place.saturating_add(0x20)) {
            *slot = Some(Slot {
                name: stored,
                secret: SharedSecret::new(bytes),
                config: u8::from(digits == Digits::EIGHT),
                token_id: [0; 13],
                moving: u64::from(period.as_secs()),
            });
        }
        self
    }

    /// Holds something in every time-based slot.
    #[must_use]
    pub fn full(mut self) -> Self {
        for place in 0..=LAST {
            let secret = SharedSecret::new(vec![place + 1; 20]);
            let name = format!("Occupied {place}");
            self = self.holding(place, &name, &secret, Digits::SIX, Period::S30);
        }
        self
    }

    /// Its clock was set at this time of the world, to that time, and lost since.
    #[must_use]
    pub fn once_set_to(mut self, time: UnixTime) -> Self {
        self.floor = Some(time.as_secs().saturating_sub(1_388_534_400) / 60);
        self
    }

    /// Its clock gains so many millionths once it is set.
    #[must_use]
    pub fn gaining(mut self, ppm: i32) -> Self {
        self.gain_ppm = ppm;
        self
    }

    /// Says "busy" to so many polls of each request.
    #[must_use]
    pub fn busy_for(mut self, polls: u32) -> Self {
        self.delays.busy = polls;
        self
    }

    /// Still says "ready" with the answer before to so many polls of each request,
    /// before it is busy.
    #[must_use]
    pub fn late_for(mut self, polls: u32) -> Self {
        self.delays.late = polls;
        self
    }

    fn has_new_flow(&self) -> bool {
        let first = match self.model {
            Model::Pro2 | Model::LibremKey => (0, 8),
            Model::Storage2 => (0, 54),
        };
        self.firmware >= first
    }

    fn demands_user_pin(&self) -> bool {
        self.config[3] == 1
    }

    /// The place of a slot's number, which need not be programmed.
    fn place(&mut self, number: u8) -> Result<Place<'_>, Refusal> {
        match number {
            0x10..=0x12 => Ok(Place::Slot(&mut self.hotp[usize::from(number - 0x10)])),
            0x2e if self.model == Model::Storage2 => Ok(Place::Hole),
            0x20..=0x2e => Ok(Place::Slot(&mut self.totp[usize::from(number - 0x20)])),
            _ => Err(Refusal::WrongSlot),
        }
    }
}

impl Applet for NitrokeyPro {
    fn identity(&self) -> Identity {
        let title = match self.model {
            Model::Pro2 => "Nitrokey Pro 2",
            Model::Storage2 => "Nitrokey Storage 2",
            Model::LibremKey => "Purism Librem Key",
        };
        let serial = format!("{:08x}", self.card_serial);
        Identity { family: FAMILY, title: title.to_owned(), serial: Some(serial) }
    }

    fn hid_device(&self) -> Option<HidDevice> {
        let (vendor, product, manufacturer, name) = match self.model {
            Model::Pro2 => (0x20a0, 0x4108, "Nitrokey", "Nitrokey Pro"),
            Model::Storage2 => (0x20a0, 0x4109, "Nitrokey", "Nitrokey Storage"),
            Model::LibremKey => (0x316d, 0x4c4b, "Purism, SPC", "Librem Key"),
        };
        let (usage_page, usage) = if self.has_new_flow() { (0xff00, 0x01) } else { (0x0001, 0x06) };
        Some(HidDevice {
            vendor,
            product,
            usage_page,
            usage,
            interface: 0,
            manufacturer,
            name: name.to_owned(),
            serial: String::new(),
            report_length: 0,
            feature_length: REPORT - 1,
        })
    }

    fn hid(&mut self) -> Option<&mut dyn Hid> {
        Some(self)
    }

    /// It was unplugged: clock, temporary passwords and transaction are gone.
    fn reset(&mut self) {
        self.clock = None;
        self.admin.forget_password();
        self.user.forget_password();
        self.transaction = None;
        self.storage_counter = 0;
        self.pending = Delays::default();
        self.is_stuck = false;
        self.previous = [0; REPORT];
        self.answer = [0; REPORT];
    }

    /// It has no button.
    fn press(&mut self, _now: UnixTime) {}

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let slots = self.totp.iter().chain(&self.hotp).flatten();
        Face {
            family,
            title,
            serial,
            on: true,
            display: None,
            seconds_left: None,
            buttons: &[],
            // Who practises has to know it; a leaflet tells it with a real one.
            lines: self.factory_pin().into_iter().chain(slots.map(Slot::shown_name)).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        let timed = self.totp.iter().flatten().map(|slot| slot.held(Kind::Totp));
        let counted = self.hotp.iter().flatten().map(|slot| slot.held(Kind::Hotp));
        timed.chain(counted).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        let mut other = Self::new(self.model, self.card_serial.wrapping_add(1));
        other.firmware = self.firmware;
        Box::new(other)
    }
}

impl Hid for NitrokeyPro {
    fn write(&mut self, _report: &[u8], _now: UnixTime) -> Result<(), Stalled> {
        Err(Stalled)
    }

    fn read(&mut self, _now: UnixTime) -> Option<Vec<u8>> {
        None
    }

    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        let request = Request::parse(report).ok_or(Stalled)?;
        let done = if request.is_intact {
            self.command(request.command, request.payload, now)
        } else {
            Err(Refusal::WrongCrc)
        };
        let (status, data) = match done {
            Ok(data) => (0, data),
            Err(refusal) => (refusal as u8, Vec::new()),
        };
        self.previous = self.answer;
        self.answer = answer(request.command, request.crc, status, &data);
        self.pending = self.delays;
        Ok(())
    }

    fn get_feature(&mut self, number: u8, len: usize, _now: UnixTime) -> Result<Vec<u8>, Stalled> {
        if number != 0 {
            return Err(Stalled);
        }
        let report = if self.pending.late > 0 {
            self.pending.late -= 1;
            self.previous
        } else if self.is_stuck || self.pending.busy > 0 {
            self.pending.busy = self.pending.busy.saturating_sub(1);
            with_device_status(self.previous, Device::Busy)
        } else {
            self.answer
        };
        Ok(report[..len.min(REPORT)].to_vec())
    }
}

#[cfg(test)]
mod tests;
